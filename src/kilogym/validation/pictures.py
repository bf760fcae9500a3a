"""The card as pictures: every number over its bar, and SimBenchmark beside its engines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from kilogym.validation.card import Card, Outcome
from kilogym.validation.case import PARTS, Number
from kilogym.validation.text import label

SMALLEST, LARGEST = 1e-7, 1e5
"""Ends of the axis; what is beyond is drawn at the end."""
FLOOR = 1e-14
"""Smallest error drawn over the step."""
COLOURS = {"met": "#2a7f3e", "known miss": "#d98200", "missed": "#c0392b", "no longer missed": "#2a7f3e"}
ENGINES = {
    "Kilogym": "#2a7f3e", "RaiSim": "#1f77b4", "Bullet": "#ff7f0e", "ODE": "#17becf", "DART": "#d62728",
    "MuJoCo 1.50": "#9467bd", "MuJoCo 1.50 RK4": "#8c564b", "MuJoCo, beside it": "#e377c2", "PhysX": "#7f7f7f",
    "PhysX PGS": "#bcbd22",
}  # fmt: skip


def write(card: Card, folder: Path) -> list[Path]:
    """Write the pictures that the card has numbers for; returns their paths.

    Raises:
        ImportError: matplotlib is missing.
    """
    made = []
    for part in PARTS:
        rows = [(o, n) for o, n in card.numbers() if o.case.part == part and n.least is None and n.bar and o.values]
        if rows:
            made.append(_ratios(rows, f"{part}. {PARTS[part]}", folder / f"part-{part.lower()}.png"))
    families = {name: [o for o in card.outcomes if o.case.id.startswith(name)] for name in ("f2-", "f6-", "f7-")}
    if all(len(found) > 1 for found in families.values()):
        made.append(_steps(families, folder / "simbenchmark.png"))
    return made


def _figure(width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    return figure


def _place(value: float, bar: float) -> float:
    """|value| / bar, kept on the axis; what is not finite lies at its right end."""
    ratio = abs(value) / bar
    return min(max(ratio, SMALLEST), LARGEST) if math.isfinite(ratio) else LARGEST


def _ratios(rows: Sequence[tuple[Outcome, Number]], title: str, path: Path) -> Path:
    figure = _figure(10, 1.4 + 0.21 * len(rows))
    axes = figure.add_subplot()
    for y, (outcome, number) in enumerate(rows):
        bar = number.bar_in(outcome.precision)
        x, colour = _place(outcome.values[number.name], bar), COLOURS[outcome.verdict(number)]
        axes.plot(x, y, "o", color=colour, markersize=6, zorder=3)
        for name, value, mark in (
            ("MuJoCo", outcome.mujoco.get(number.name), "x"),
            ("PhysX", number.reference.get("PhysX"), "+"),
        ):
            if value is not None:
                colour = "#4561a8" if name == "MuJoCo" else "#666666"
                axes.plot(_place(value, bar), y, mark, color=colour, markersize=6, zorder=2)
    axes.axvline(1, color="black", linewidth=1)
    for name, mark, colour in (
        ("Kilogym, bar met", "o", COLOURS["met"]),
        ("Kilogym, missed as known", "o", COLOURS["known miss"]),
        ("Kilogym, missed", "o", COLOURS["missed"]),
        ("MuJoCo", "x", "#4561a8"),
        ("PhysX", "+", "#666666"),
    ):
        axes.plot([], [], mark, color=colour, label=name)
    axes.set_xscale("log")
    axes.set_xlim(SMALLEST / 2, LARGEST * 2)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [f"{label(o)}: {n.name}" for o, n in rows], fontsize=7)
    axes.set_xlabel("size / bar: left of the line the bar is met; the ends hold what lies beyond", fontsize=8)
    axes.set_title(title)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7, loc="upper left", ncols=1)
    figure.tight_layout()
    figure.savefig(path)
    return path


def _steps(families: dict[str, list[Outcome]], path: Path) -> Path:
    """Error against step, log-log, one panel per case."""
    figure = _figure(13, 4.6)
    for panel, (name, outcomes) in enumerate(families.items()):
        axes = figure.add_subplot(1, 3, panel + 1)
        lines: dict[str, list[tuple[float, float]]] = {}
        for outcome in outcomes:
            if not outcome.case.id.endswith("ms") or not outcome.values:
                continue
            step = float(outcome.case.id.removeprefix(name).removesuffix("ms"))
            number = outcome.case.numbers[0]
            found = {"Kilogym": outcome.values[number.name], **number.reference}
            if number.name in outcome.mujoco:
                found["MuJoCo, beside it"] = outcome.mujoco[number.name]
            for engine, value in found.items():
                if math.isfinite(value):
                    lines.setdefault(engine, []).append((step, max(value, FLOOR)))
        for engine, points in lines.items():
            mine = engine == "Kilogym"
            axes.plot(
                *zip(*sorted(points), strict=True), "o-", label=engine, markersize=3, linewidth=3 if mine else 1,
                color=ENGINES[engine], zorder=3 if mine else 2,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([1, 4, 10], ["1", "4", "10"])
        axes.minorticks_off()
        axes.set_xlabel("dt [ms]")
        axes.set_ylabel(f"{outcomes[0].case.numbers[0].name} [{outcomes[0].case.numbers[0].unit}]", fontsize=8)
        axes.set_title(f"SimBenchmark {outcomes[0].case.name.split(',')[0]}", fontsize=10)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path)
    return path
