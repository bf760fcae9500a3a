"""The accuracy card: what was measured, beside its bars, MuJoCo and frozen figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kilogym.validation.case import Case, ExperimentError, Number, Precision, Verdict
from kilogym.validation.lab import Lab
from kilogym.validation.quiet import quiet_mujoco


@dataclass(frozen=True)
class Outcome:
    """One case in one precision.

    Attributes:
        values: Name of a number -> what was measured; empty if the experiment failed.
        failure: Why, or empty.
        mujoco: The same in MuJoCo; empty where the case does not run there.
        mujoco_note: Why it is empty.
        seconds: Wall time on Kilogym, compilation included.
    """

    case: Case
    precision: Precision
    device: str
    values: Mapping[str, float]
    failure: str = ""
    mujoco: Mapping[str, float] = field(default_factory=dict)
    mujoco_note: str = ""
    seconds: float = 0.0

    def verdict(self, number: Number) -> Verdict:
        if self.failure:
            return "failed"
        return number.verdict(self.values[number.name], self.precision, self.device)


def measure(
    cases: Sequence[Case], device: str, mujoco: bool, report: Callable[[Outcome], None], shipped_only: bool = False
) -> list[Outcome]:
    """Run cases one after the other; `report` is called after each.

    With `shipped_only` a case that runs in float32 runs in nothing else.

    A failed experiment is an outcome; any other exception is a bug and passes through.
    """
    outcomes = []
    for case in cases:
        beside, note = _beside(case) if mujoco else ({}, "not asked for")
        shipped: tuple[Precision, ...] = ("float32",)
        for precision in shipped if shipped_only and "float32" in case.precisions else case.precisions:
            outcome = _run(case, device, precision, beside, note)
            report(outcome)
            outcomes.append(outcome)
    return outcomes


def _run(case: Case, device: str, precision: Precision, mujoco: Mapping[str, float], note: str) -> Outcome:
    import time

    start = time.perf_counter()
    values, failure = {}, ""
    try:
        values = case.run(Lab("kilogym", device, precision))
    except ExperimentError as error:
        failure = str(error)
    return Outcome(case, precision, device, values, failure, mujoco, note, time.perf_counter() - start)


def _beside(case: Case) -> tuple[dict[str, float], str]:
    if not case.mujoco:
        return {}, case.without_mujoco
    with quiet_mujoco():
        try:
            return case.run(Lab("mujoco")), ""
        except ExperimentError as error:
            return {}, str(error)


@dataclass(frozen=True)
class Card:
    """All outcomes, and where they were measured."""

    outcomes: Sequence[Outcome]
    device: str
    commit: str
    versions: Mapping[str, str]

    def numbers(self) -> Iterator[tuple[Outcome, Number]]:
        for outcome in self.outcomes:
            for number in outcome.case.numbers:
                yield outcome, number

    def count(self, *verdicts: Verdict) -> int:
        return sum(outcome.verdict(number) in verdicts for outcome, number in self.numbers())

    def as_expected(self) -> bool:
        """Whether every bar is met but those listed as missed. One that is met though listed does not count against."""
        return self.count("missed", "failed") == 0

    def summary(self) -> str:
        """One line."""
        total = sum(1 for _ in self.numbers())
        parts = [f"{self.count('met', 'no longer missed')} of {total} bars met"]
        for verdict, text in (
            ("known miss", "missed as known"),
            ("missed", "MISSED"),
            ("failed", "not measured: the experiment FAILED"),
            ("no longer missed", "of the met ones listed as missed"),
        ):
            if n := self.count(verdict):  # type: ignore[arg-type]
                parts.append(f"{n} {text}")
        return ", ".join(parts)

    def to_json(self) -> str:
        """Everything, for programs; a number that is not finite is null."""
        cases = []
        for o in self.outcomes:
            numbers = []
            for n in o.case.numbers:
                entry = asdict(n) | {"bar": n.bar_in(o.precision), "verdict": o.verdict(n)}
                entry |= {"value": o.values.get(n.name), "mujoco_value": o.mujoco.get(n.name)}
                del entry["bar64"], entry["mujoco"]
                numbers.append(entry)
            cases.append(
                {
                    "id": o.case.id, "part": o.case.part, "name": o.case.name, "what": o.case.what,
                    "precision": o.precision, "failure": o.failure, "mujoco_note": o.mujoco_note,
                    "seconds": round(o.seconds, 3), "numbers": numbers,
                }
            )  # fmt: skip
        card = {"commit": self.commit, "device": self.device, "versions": dict(self.versions), "cases": cases}
        return json.dumps(_finite(card), indent=1) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
