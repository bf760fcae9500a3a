"""Simulation, section "whole state": save, restore, copy between envs."""

from __future__ import annotations

import torch
from torch import Tensor

from kilogym.sim.core import SimulationCore
from kilogym.sim.saved import SavedState


class SaveCalls(SimulationCore):
    """Keep and give back the whole dynamic state."""

    def save(self) -> SavedState:
        """A copy of the whole dynamic state: going on from it gives equal bits. Without properties."""
        p = self._ready()
        saved = []
        for batch in p.batches:
            state = dict(batch.snapshot())
            state |= {f"input.{name}": tensor.clone() for name, tensor in batch.input.items()}
            saved.append(state)
        return SavedState(saved, self._time, self._frames)

    def restore(self, state: SavedState) -> None:
        """Go back to a saved state, of this simulation or of one with the same scene."""
        p = self._ready()
        if len(state.batches) != len(p.batches):
            raise ValueError(
                f"restore: expected the state of {len(p.batches)} batch(es), got {len(state.batches)}; "
                "the scenes differ"
            )
        for batch, saved in zip(p.batches, state.batches, strict=True):
            if saved["input.dof_effort_in"].shape != batch.input["dof_effort_in"].shape:
                raise ValueError("restore: the saved state is of a scene with other envs or actors")
            batch.restore({name: t for name, t in saved.items() if not name.startswith("input.")})
            for name, tensor in batch.input.items():
                tensor.copy_(saved[f"input.{name}"])
        self._time, self._frames = state.time, state.frame_count

    def copy_env_state(self, source: Tensor, target: Tensor) -> None:
        """Give envs `target` the whole dynamic state of envs `source`: int64 (n,) env indices on the device.

        Raises:
            ValueError: an env and its source differ in topology.
        """
        p = self._ready()
        for envs in (source, target):
            if envs.dtype != torch.int64 or envs.dim() != 1 or envs.device != self.device:
                raise TypeError(
                    f"copy_env_state: expected 1-D int64 env indices on {self.device}, "
                    f"got {envs.dtype}, shape {tuple(envs.shape)}, on {envs.device}"
                )
        if source.shape != target.shape:
            raise ValueError(f"copy_env_state: {len(source)} sources for {len(target)} targets")
        p.copy_envs(source, target)
