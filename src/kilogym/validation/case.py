"""What a case is: an experiment, the numbers it gives, and the bar of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kilogym.validation.lab import Lab

Precision = Literal["float32", "float64"]
Verdict = Literal["met", "missed", "known miss", "no longer missed", "failed"]

PARTS = {
    "A": "Smooth dynamics against MuJoCo in float64",
    "B": "What is conserved",
    "C": "Closed forms",
    "D": "Robots under stress",
    "E": "The contact solver against its own equations",
    "F": "SimBenchmark",
    "G": "Engineering",
    "H": "What a policy could exploit",
}
"""Letter to title."""


class ExperimentError(RuntimeError):
    """An experiment did not come to its end, or did not do what it is about: nothing was measured."""


def require(condition: object, what: str) -> None:
    """Raise :class:`ExperimentError` naming what was expected, unless `condition`."""
    if not condition:
        raise ExperimentError(f"expected {what}")


@dataclass(frozen=True)
class Number:
    """One number of a case.

    Attributes:
        name: What is measured.
        bar: The size it may have, as shipped (float32).
        unit: SI, or empty for a ratio.
        least: Smallest value it may have; None = -bar.
        bar64: The bar in double precision where the case runs in it; None = the same.
        reference: Engine -> frozen figure of the same case; where it comes from: `case.SOURCES`.
        missed: Why the bar is known to be missed in float32; empty = it is met.
        missed_on: Kinds of device where it is.
        worst: The largest size that the miss is known to have; beyond it, it is news.
        wavers: Kinds of device where a known miss may turn out to be met: the value lies at its bar.
        mujoco: Whether the number means anything in MuJoCo.
    """

    name: str
    bar: float
    unit: str = ""
    least: float | None = None
    bar64: float | None = None
    reference: Mapping[str, float] = field(default_factory=dict)
    missed: str = ""
    missed_on: tuple[str, ...] = ("cpu", "cuda")
    worst: float = math.inf
    wavers: tuple[str, ...] = ()
    mujoco: bool = True

    def bar_in(self, precision: Precision) -> float:
        return self.bar64 if precision == "float64" and self.bar64 is not None else self.bar

    def met(self, value: float, precision: Precision = "float32") -> bool:
        """Whether a value is within its bar; one that is not finite never is."""
        bar = self.bar_in(precision)
        return math.isfinite(value) and (-bar if self.least is None else self.least) <= value <= bar

    def verdict(self, value: float, precision: Precision = "float32", device: str = "cpu") -> Verdict:
        """What is to be said of a value."""
        kind = device.partition(":")[0]
        known = bool(self.missed) and precision == "float32" and kind in self.missed_on
        if self.met(value, precision):
            return "no longer missed" if known and kind not in self.wavers else "met"
        return "known miss" if known and abs(value) <= self.worst else "missed"


Measure = Callable[["Lab"], Mapping[str, float]]


@dataclass(frozen=True)
class Case:
    """An experiment.

    Attributes:
        id: Unique; letters, digits, dashes.
        part: Key of PARTS.
        name: What a reader calls it.
        what: The set-up and what is exact about it, in a sentence or two.
        numbers: What it measures, in order.
        measure: Runs it on the engine, device and precision of a lab; name of a number -> value.
        precisions: Those it runs in.
        mujoco: Whether `measure` runs on MuJoCo as well.
        without_mujoco: Why not.
        slow: Left out by --fast.
    """

    id: str
    part: str
    name: str
    what: str
    numbers: tuple[Number, ...]
    measure: Measure
    precisions: tuple[Precision, ...] = ("float32",)
    mujoco: bool = False
    without_mujoco: str = ""
    slow: bool = False

    def run(self, lab: Lab) -> dict[str, float]:
        """Measure; the numbers in their order.

        Raises:
            ExperimentError: see there.
            ValueError: `measure` gave other numbers than the case lists.
        """
        values = {name: float(value) for name, value in self.measure(lab).items()}
        expected = [number.name for number in self.numbers if number.mujoco or lab.engine == "kilogym"]
        if [name for name in values if name in expected] != expected:
            raise ValueError(f"case {self.id}: expected the numbers {expected}, got {list(values)}")
        return {name: values[name] for name in expected}


SOURCES = {
    "PhysX": "PhysX 5.9 on the CPU, float32, TGS 4 position and 1 velocity iterations, built from its BSD-3 source; "
    "measured by us with our own importer, so it is not Isaac Gym's GPU build",
    "PhysX PGS": "the same, PGS 4 and 1",
    "MuJoCo 4.0": "MuJoCo 4.0 with its defaults, measured by us once",
    "RaiSim": "published by SimBenchmark (its authors wrote RaiSim), 2018",
    "Bullet": "published by SimBenchmark: Bullet 2.88, multibody",
    "ODE": "published by SimBenchmark: ODE 0.15.2",
    "DART": "published by SimBenchmark: DART 6.4",
    "MuJoCo 1.50": "published by SimBenchmark: MuJoCo 1.50, Euler",
    "MuJoCo 1.50 RK4": "published by SimBenchmark: MuJoCo 1.50, Runge-Kutta",
}
"""Where the frozen figures come from."""
