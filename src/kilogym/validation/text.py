"""The card as lines of a terminal and as a Markdown page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kilogym.validation.card import Card, Outcome
from kilogym.validation.case import PARTS, SOURCES, Number

LEFT_OUT = """\
## What is not measured

- Part D: the hour-long soak is `kilogym soak`; what it found stands in physics.md.
- Part F: F5 to F7 have a quadruped of our own, about the size of ANYmal.
- Part H: policies trained here and run in MuJoCo (`python -m kilogym.bench.sim_to_sim`): tasks.md has ANYmal's,
  1.006 of its return, and the Humanoid's, 0.93 (bar 0.9), parity.md the Ant's, 0.26.
- Part A runs on robots that come with the repository: no Shadow Hand, ANYmal, Franka.
"""


def number_text(value: float) -> str:
    """Two or three digits: what a bar is compared with needs no more."""
    if value == 0:
        return "0"
    return f"{value:.3g}" if math.isfinite(value) else "not finite"


def bar_text(number: Number, outcome: Outcome) -> str:
    bar = number_text(number.bar_in(outcome.precision))
    return bar if number.least is None else f"{number_text(number.least)} to {bar}"


def number_applies(number: Number, outcome: Outcome) -> bool:
    """Whether MuJoCo should have a value of it."""
    return outcome.case.mujoco and number.mujoco


def label(outcome: Outcome) -> str:
    """Name of the case, with the precision where it is not the shipped one."""
    return outcome.case.name + (", float64" if outcome.precision == "float64" else "")


def lines(outcome: Outcome) -> Iterator[str]:
    """What the terminal shows of a case."""
    for number in outcome.case.numbers:
        verdict = outcome.verdict(number)
        value = number_text(outcome.values[number.name]) if outcome.values else "-"
        beside = outcome.mujoco.get(number.name)
        told = "" if beside is None else f"MuJoCo {number_text(beside)}"
        if beside is None and outcome.mujoco_note and number_applies(number, outcome):
            told = f"MuJoCo: {outcome.mujoco_note}"
        what = f"{label(outcome)}: {number.name}"
        mark = "" if verdict == "met" else verdict.upper() if verdict in ("missed", "failed") else verdict
        bar = bar_text(number, outcome)
        row = f"{outcome.case.part}  {what:<78} {value:>9} {number.unit:<10} bar {bar:<8} {told:<19} {mark}"
        yield row.rstrip()
    if outcome.failure:
        yield f"   {outcome.case.id} failed: {outcome.failure}"


def markdown(card: Card) -> str:
    """The page docs/accuracy.md."""
    out = [
        "# Accuracy card",
        "",
        "Written by `kilogym validate --write-docs`, not by hand. Every case is defined once, in",
        "`src/kilogym/validation/cases`; `pytest tests/validation` runs the same ones and fails on a bar that is",
        "missed, or met where it is listed as missed.",
        "",
        f"Commit {card.commit}, {card.device}; " + ", ".join(f"{k} {v}" for k, v in card.versions.items()) + ".",
        f"**{card.summary()}.** Kilogym in float32 where nothing else is said, dt 1/120 s and 4 iterations unless the",
        "case says otherwise.",
        "",
        "MuJoCo: MuJoCo C in float64, run beside it on the same scene with its defaults: Euler (implicitfast where "
        "there are",
        "position drives), Newton, default softness; elliptic cones. Its contacts are soft by design, which some bars "
        "of rigid",
        "contact cannot forgive. Empty: the number means nothing there. Frozen figures:",
        "",
        *(f"- {name}: {source}." for name, source in SOURCES.items()),
        "",
    ]
    for part, title in PARTS.items():
        outcomes = [o for o in card.outcomes if o.case.part == part]
        if outcomes:
            out += [f"## {part}. {title}", "", *_table(outcomes), ""]
    out += [*_misses(card), LEFT_OUT]
    return "\n".join(out)


def _table(outcomes: list[Outcome]) -> Iterator[str]:
    yield "| case | measure | Kilogym | bar | | MuJoCo | frozen figures |"
    yield "|---|---|--:|--:|---|--:|---|"
    for o in outcomes:
        failed = "diverged" if "diverged" in o.mujoco_note else o.mujoco_note
        for i, n in enumerate(o.case.numbers):
            verdict = o.verdict(n)
            beside = o.mujoco.get(n.name)
            mujoco = number_text(beside) if beside is not None else failed if number_applies(n, o) else ""
            value = f"{number_text(o.values[n.name])} {n.unit}".strip() if o.values else ""
            mark = "" if verdict == "met" else f"**{verdict}**"
            frozen = ", ".join(f"{name} {number_text(v)}" for name, v in n.reference.items())
            cells = (label(o) if i == 0 else "", n.name, value, bar_text(n, o), mark, mujoco, frozen)
            yield "| " + " | ".join(cell.replace("|E - E0|", "abs(E - E0)") for cell in cells) + " |"


def _misses(card: Card) -> Iterator[str]:
    yield "## Missed bars, and why"
    yield ""
    seen = set()
    for outcome, number in card.numbers():
        verdict = outcome.verdict(number)
        if verdict == "met":
            continue
        why = outcome.failure or number.missed or "not known yet"
        names = f"- *{label(outcome)}, {number.name}*: "
        yield names + ("as above." if why in seen else why)
        seen.add(why)
    if not seen:
        yield "None."
    yield ""
