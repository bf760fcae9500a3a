"""What went wrong on the device, read when the user asks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from kilogym.sim.errors import FaultError, FaultWarning

FAULT_NONFINITE, FAULT_OVERFLOW, FAULT_CLAMPED = 1, 2, 4
"""Bits of an env's status."""


@dataclass(frozen=True)
class FaultReport:
    """What `Simulation.check_faults` found."""

    diverged: list[int] = field(default_factory=list)
    """Envs frozen at their last finite state, until a setter gives them another."""
    overflowed: list[int] = field(default_factory=list)
    """Envs that dropped contacts."""
    contacts_dropped: int = 0
    """The most contacts that an env had no room for."""
    rejected_values: int = 0
    """Rows of setters that were not finite (or no rotation) and were not written, so far."""
    rejected_indices: int = 0
    """Actor indices out of range that were skipped, so far."""

    def new_since(self, old: FaultReport) -> list[str]:
        """One sentence for each kind of fault that `old` did not have."""
        news = []
        diverged = sorted(set(self.diverged) - set(old.diverged))
        if diverged:
            news.append(
                f"{len(diverged)} env(s) diverged and are frozen until their state is set: "
                f"{_some(diverged)}; try a smaller dt, more substeps or softer gains"
            )
        overflowed = sorted(set(self.overflowed) - set(old.overflowed))
        if overflowed:
            news.append(
                f"{len(overflowed)} env(s) had contacts dropped: {_some(overflowed)}; raise "
                f"SimulationParams.max_contacts by at least {self.contacts_dropped}"
            )
        if self.rejected_values > old.rejected_values:
            n = self.rejected_values - old.rejected_values
            news.append(f"{n} row(s) given to setters were not finite, or no rotation, and were not written")
        if self.rejected_indices > old.rejected_indices:
            n = self.rejected_indices - old.rejected_indices
            news.append(
                f"{n} actor indices given to setters were out of range and skipped; "
                "SimulationParams.debug = True finds the call"
            )
        return news


def report(news: list[str], policy: str) -> None:
    """Act on new faults: "warn", "raise" or "ignore"."""
    if news and policy == "raise":
        raise FaultError(". ".join(news))
    if policy == "warn":
        for sentence in news:
            warnings.warn(sentence, FaultWarning, stacklevel=3)


def _some(envs: list[int]) -> str:
    return ", ".join(map(str, envs[:8])) + (", ..." if len(envs) > 8 else "")
