"""What importing the package does, each case in a process of its own."""

import os
import subprocess
import sys

import pytest


def run(code: str, **env: str) -> str:
    environment = {**os.environ, **env}
    if "KILOGYM_COMPAT" not in env:
        environment.pop("KILOGYM_COMPAT", None)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_bare_import_loads_neither_torch_nor_the_engine():
    code = "import sys, isaacgym, isaacgym.rlgpu; print([m for m in ('torch', 'warp', 'mujoco') if m in sys.modules])"
    assert run(code) == "[]"


def test_gymapi_loads_neither_torch_nor_warp():
    code = "import sys; from isaacgym import gymapi; print([m for m in ('torch', 'warp') if m in sys.modules])"
    assert run(code) == "[]"


@pytest.mark.parametrize("order", ["import torch, isaacgym.gymtorch", "import isaacgym.gymtorch, torch"])
def test_torch_may_come_first_or_last(order):
    assert run(f"{order}; print(isaacgym.gymtorch.wrap_tensor is not None)") == "True"


def test_it_puts_back_what_its_clients_miss():
    assert run("import isaacgym, numpy as np, gym; from gym import spaces; print(np.Inf, np.float_ is np.float64)") == (
        "inf True"
    )


def test_unless_told_not_to():
    code = "import isaacgym, numpy as np, kilogym.compat; print(kilogym.compat.installed())"
    assert run(code, KILOGYM_COMPAT="0") == "{}"
