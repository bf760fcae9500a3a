"""Errors of a simulation. Wrong arguments raise TypeError, ValueError or IndexError instead."""

from __future__ import annotations


class SimulationError(RuntimeError):
    """A call that does not fit the simulation's state, such as one after `destroy`."""


class FaultError(SimulationError):
    """An env diverged, or lost contacts, and `SimulationParams.faults` is "raise"."""


class FaultWarning(UserWarning):
    """An env diverged, or lost contacts, and `SimulationParams.faults` is "warn"."""
