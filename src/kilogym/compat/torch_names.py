"""Private calls of torch that clients make to tune its TorchScript executor.

`torch._C` still has them in the versions Kilogym is tested with. They only choose an optimisation, so where a
later torch drops them, accepting and ignoring the call is right.
"""

from __future__ import annotations

from typing import Any

EXECUTOR_CALLS = (
    "_jit_set_profiling_mode",
    "_jit_set_profiling_executor",
    "_jit_override_can_fuse_on_cpu",
    "_jit_override_can_fuse_on_gpu",
    "_jit_set_texpr_fuser_enabled",
    "_jit_set_nvfuser_enabled",
)


def _accept(enabled: Any = False) -> bool:
    """Stand for a switch of the executor that this torch no longer has; returns its former value, off."""
    return False


def install() -> list[str]:
    """Put back what this torch lacks; returns the names, as `torch._C._jit_set_profiling_mode`."""
    import torch

    missing = [name for name in EXECUTOR_CALLS if not hasattr(torch._C, name)]
    for name in missing:
        setattr(torch._C, name, _accept)
    return [f"torch._C.{name}" for name in missing]
