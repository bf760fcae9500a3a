"""Step settings that every env shares, kept in a small device block so that nothing is captured or compiled anew."""

from __future__ import annotations

from typing import Any

import torch

_REALS = ("dt", "gravity", "bounce_threshold", "max_depenetration")
_INTS = ("substeps", "iterations", "sweeps", "extra_relax", "semi_implicit", "has_wrench", "contact_collection")


class StepControl:
    """Attributes write through to the device; `dt` is that of a whole step, split into `substeps`.

    A captured graph sees new values, but for `substeps` of a step in parts (terrain on CUDA): as many launches.

    Attributes: dt [s], gravity (3) [m/s^2], bounce_threshold [m/s], max_depenetration [m/s], substeps,
    iterations, sweeps, extra_relax, semi_implicit, has_wrench, contact_collection (0 never, 1 last substep,
    2 mean of all). The order on the device is that of native/settings.h.
    """

    def __init__(self, real: torch.dtype, device: torch.device) -> None:
        self._real = torch.zeros(8, dtype=real, device=device)
        self._int = torch.zeros(8, dtype=torch.int32, device=device)
        self._values: dict[str, Any] = {
            "dt": 1 / 60, "gravity": (0.0, 0.0, -9.81), "bounce_threshold": 0.2, "max_depenetration": 100.0,
            "substeps": 2, "iterations": 4, "sweeps": 1, "extra_relax": 0, "semi_implicit": False,
            "has_wrench": False, "contact_collection": 2,
        }  # fmt: skip
        self._write()

    @property
    def arrays(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The device block: reals, ints."""
        return self._real, self._int

    def __getattr__(self, name: str) -> Any:
        if name in (*_REALS, *_INTS):
            return self._values[name]
        raise AttributeError(f"StepControl has no setting {name!r}; there are {', '.join((*_REALS, *_INTS))}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        if name not in self._values:
            raise AttributeError(f"StepControl has no setting {name!r}; there are {', '.join(self._values)}")
        if value != self._values[name]:
            self._values[name] = value
            self._write()

    def _write(self) -> None:
        v = self._values
        reals = [v["dt"] / v["substeps"], *v["gravity"], v["bounce_threshold"], v["max_depenetration"]]
        self._real[: len(reals)].copy_(torch.tensor(reals, dtype=self._real.dtype))
        ints = [int(v[name]) for name in _INTS]
        self._int[: len(ints)].copy_(torch.tensor(ints, dtype=torch.int32))
