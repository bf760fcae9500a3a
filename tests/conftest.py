"""Options of the test run: what is slow, or needs a GPU or a client's checkout, is asked for. How they are compiled."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
import torch
import warp as wp
from hypothesis import HealthCheck, settings

from kilogym.assets.packages import MissingPackageError

# the tensors of tests are small: more threads only wait for each other, the more so under xdist
torch.set_num_threads(1)
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("KILOGYM_THREADS", "1")  # the cores are the workers'

# a busy machine is no failure: neither an example nor the making of one has a deadline
settings.register_profile("kilogym", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kilogym")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run tests marked slow")
    parser.addoption("--client", action="store_true", help="also run tests that need a client checkout")
    parser.addoption("--device", default="cpu", help="device of tests that take one: cpu, cuda:0 ...")


FAR = ("engine/test_cuda", "engine/test_determinism", "fuzz/", "physics/test_on_terrain", "rl/", "validation/")
"""Tests that take so many steps that what the compiler does for speed pays, though not all that it does for users
(engine/build.py). Of the others, nearly all time of a first run would be the compiler's, which does as little as it can
for them."""
AS_FOR_USERS = (wp.config.optimization_level, wp.config.cpu_compiler_flags)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """How the CPU's code is compiled: see FAR. With --slow, or where there is a GPU, as for users."""
    far = item.path.relative_to(item.config.rootpath / "tests").as_posix().startswith(FAR)
    users = item.config.getoption("--slow") or torch.cuda.is_available()
    level, flags = AS_FOR_USERS if users else (2, AS_FOR_USERS[1]) if far else (0, "-march=native")
    wp.config.optimization_level, wp.config.cpu_compiler_flags = level, flags


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = {
        "slow": None if config.getoption("--slow") else "slow: run with --slow",
        "client": None if config.getoption("--client") else "needs a client's checkout: run with --client",
        "gpu": None if torch.cuda.is_available() else "needs a CUDA device",
    }
    for item in items:
        for name, reason in reasons.items():
            if reason and name in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """A test that needs a robot of a package that is not installed is skipped; `make test` installs them all."""
    try:
        return (yield)
    except MissingPackageError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """The device under test."""
    return request.config.getoption("--device")
