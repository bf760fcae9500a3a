# make ant    sets up .venv and trains the ant: a minute on a GPU, a quarter of an hour on two CPU cores
# make test   sets up .venv with everything and checks style, types and behaviour
#
# PYTHON=...  picks another interpreter (3.10 to 3.13) for .venv
# DEVICE=...  cpu, cuda or cuda:N instead of the best one found

SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3.10 python3 python; do \
	$$p -c '$(SUPPORTED)' >/dev/null 2>&1 && echo $$p && break; done)
DEVICE ?= auto

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip

# Without an NVIDIA GPU the CPU build of torch is enough; PyPI's build for Linux is gigabytes larger.
# Both are given: pip prefers 2.13.0+cpu to 2.13.0. The version is exact, since a newer one would win otherwise. What
# torch needs comes with the next step, from PyPI alone, so that only torch itself is looked for on the second index.
TORCH := torch==2.13.0
ifeq ($(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu),)
TORCH += --extra-index-url https://download.pytorch.org/whl/cpu
endif

# A Python that is asked for by name must not lose to the one that .venv was made with before.
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
ifneq ($(filter command environment,$(origin PYTHON)),)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
HELD := $(shell test -x $(BIN)/python && $(BIN)/python $(VERSION))
ifneq ($(filter-out $(shell $(PYTHON) $(VERSION)),$(HELD)),)
$(error $(VENV) holds Python $(HELD), not $(PYTHON): run "make clean" first)
endif
endif
endif

.PHONY: ant test setup clean
.DEFAULT_GOAL := ant

ant: $(VENV)/.ready-train
	$(BIN)/kilogym train ant --device $(DEVICE)

test: $(VENV)/.ready-test
	$(BIN)/ruff check src tests examples benchmarks tools
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

setup: $(VENV)/.ready-test

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "no Python 3.10 to 3.13 with venv found; install one, or name it: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The pip of Python 3.10 (23.0) was still at it after 7 minutes with torch's CUDA packages; today's takes 40 s.
$(VENV)/.ready-torch: | $(BIN)/python
	$(PIP) install --quiet --upgrade pip
	$(PIP) install --quiet --no-deps $(TORCH)
	@touch $@

$(VENV)/.ready-train: pyproject.toml $(VENV)/.ready-torch
	$(PIP) install --quiet --editable '.[train]'
	@touch $@

$(VENV)/.ready-test: pyproject.toml $(VENV)/.ready-torch
	$(PIP) install --quiet --editable '.[train,rl-games,robots,dev]'
	@touch $@ $(VENV)/.ready-train

clean:
	rm -rf $(VENV) build src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
