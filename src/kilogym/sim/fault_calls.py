"""Simulation, section "faults": what went wrong in which env, and how many contacts there were."""

from __future__ import annotations

import torch
from torch import Tensor

from kilogym.sim.core import SimulationCore
from kilogym.sim.faults import FaultReport, report


class FaultCalls(SimulationCore):
    """Read the envs' status."""

    def check_faults(self) -> FaultReport:
        """Read the envs' status bits; warn, raise or be quiet about new ones as `params.faults` says.

        Host sync: yes, the only one this class makes of its own.
        """
        p = self._ready()
        found = p.read_faults()
        news = found.new_since(self._reported)
        self._reported = found
        report(news, self.params.faults)
        return found

    def env_faults(self) -> Tensor:
        """Status bits of each env in sim order, int32 (num_envs,), a new tensor on the device; no host sync.

        1: state not finite, frozen until it is set again; 2: contacts dropped; 4: a speed was clamped.
        """
        return self._per_env("fault")

    def contact_counts(self) -> Tensor:
        """Contacts of each env in the last step, int32 (num_envs,), a new tensor; no host sync."""
        return self._per_env("contact_count")

    def _per_env(self, name: str) -> Tensor:
        """An array of one number per env, from all batches."""
        p = self._ready()
        out = torch.zeros(len(self.scene.envs), dtype=torch.int32, device=self.device)
        for batch, envs in zip(p.batches, p.envs, strict=True):
            out.index_copy_(0, envs, getattr(batch, name))
        return out
