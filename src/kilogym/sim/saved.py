"""The whole dynamic state of a simulation as plain tensors."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

_CLOCK = "clock"


@dataclass
class SavedState:
    """Made by `Simulation.save`. Restoring it gives equal bits from there on, on the same device."""

    batches: list[dict[str, Tensor]] = field(default_factory=list)
    """Per batch: what `Batch.snapshot` names, and its inputs as "input.<name>"."""
    time: float = 0.0
    frame_count: int = 0

    def tensors(self) -> dict[str, Tensor]:
        """A flat dict of tensors, for `torch.save`."""
        flat = {f"{i}.{name}": t for i, batch in enumerate(self.batches) for name, t in batch.items()}
        flat[_CLOCK] = torch.tensor([self.time, float(self.frame_count)], dtype=torch.float64)
        return flat

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor]) -> SavedState:
        """The inverse of `tensors`."""
        if _CLOCK not in tensors:
            raise KeyError(f"saved state: expected the key {_CLOCK!r}, got {', '.join(sorted(tensors))}")
        time, frames = tensors[_CLOCK].tolist()
        batches: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            if key != _CLOCK:
                index, name = key.split(".", 1)
                batches.setdefault(int(index), {})[name] = tensor
        return SavedState([batches[i] for i in sorted(batches)], time, int(frames))
