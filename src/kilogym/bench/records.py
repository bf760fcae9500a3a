"""Records of a comparison: JSON for programs, a Markdown table for people."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kilogym.bench.engine import Engine, Setting
from kilogym.bench.measure import Measurement, Plan
from kilogym.bench.provenance import commit, describe, device_name, driver, source_tree, versions

BASELINE = "MuJoCo Warp"
"""The engine that `ratio` divides by."""

FAIRNESS = """\
**How to read it.** Every engine simulates the same scene, from the same numbers, with the same dt and the same random
motor torques (uniform over each motor's range, a new draw every `hold` steps, equal seeds), in one run on one machine.
On CUDA, `hold` steps are captured as one graph for every engine; on the CPU they are called one by one. Speed is
the median of the repeats, counting all envs; the spread is (fastest - slowest) / median. Compilation and capture
are in `ready`, not in the speed.

The engines do not solve the same problem: MuJoCo's contacts are soft by design and its default softness is kept, so
its penetration is a choice and no fault; it runs Newton iterations to convergence or to the limit given. Kilogym's
contacts are rigid, solved by a few iterations of a soft-step scheme in float32. MuJoCo C runs in float64 on the
CPU, for a sense of scale. Contacts and penetration are measured alike for all: MuJoCo C's collision functions on
the positions that each engine produced; shapes nearer than 1 mm touch, penetration is over touching pairs. An env
that is not finite stays so and is counted. *dropped* marks an engine that ran out of room for contacts, which
flatters its speed.
"""


@dataclass(frozen=True)
class Record:
    """One engine, one robot, one number of envs."""

    robot: str
    engine: str
    num_envs: int
    physics_steps_per_s: float
    ratio: float | None  # to BASELINE with the same robot and number of envs; None without one
    contacts_per_env: float
    penetration_mean_m: float
    penetration_p99_m: float
    nonfinite_envs: int
    device: str
    versions: dict[str, str]
    driver: str
    commit: str
    source: str
    spread: float
    prepare_s: float
    engine_contacts_per_env: float | None
    contacts_dropped: bool
    speeds: list[float]
    settings: dict[str, Any]


def record(kind: type[Engine], setting: Setting, plan: Plan, result: Measurement) -> Record:
    """Put a measurement beside where and how it was made."""
    return Record(
        robot=setting.scene.name,
        engine=kind.name,
        num_envs=result.num_envs,
        physics_steps_per_s=result.speed,
        ratio=None,
        contacts_per_env=result.quality.contacts_per_env,
        penetration_mean_m=result.quality.mean,
        penetration_p99_m=result.quality.p99,
        nonfinite_envs=result.nonfinite_envs,
        device=device_name(setting.device if kind.name != "MuJoCo C" else "cpu"),
        versions=versions(),
        driver=driver(),
        commit=commit(),
        source=source_tree(),
        spread=result.spread,
        prepare_s=result.prepare_s,
        engine_contacts_per_env=result.own_contacts,
        contacts_dropped=result.overflowed,
        speeds=result.speeds,
        settings={"dt": setting.dt, "hold": setting.hold, "note": kind.note, **asdict(plan)},
    )


def with_ratios(records: list[Record], requested: dict[int, int] | None = None) -> list[Record]:
    """Fill `ratio` from the baseline of the same robot.

    Args:
        records: Of one run.
        requested: Position in `records` -> number of envs that was asked for, where an engine runs fewer.
    """
    asked = [(requested or {}).get(i, r.num_envs) for i, r in enumerate(records)]
    base = {(r.robot, n): r.physics_steps_per_s for r, n in zip(records, asked, strict=True) if r.engine == BASELINE}
    filled = []
    for r, n in zip(records, asked, strict=True):
        divisor = base.get((r.robot, n))
        ratio = r.physics_steps_per_s / divisor if divisor else None
        filled.append(Record(**{**asdict(r), "ratio": ratio}))
    return filled


def to_json(records: Sequence[Any]) -> str:
    """A JSON list of dataclasses; numbers that are not finite become null."""

    def clean(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items()}
        return [clean(v) for v in value] if isinstance(value, list) else value

    return json.dumps([clean(asdict(r)) for r in records], indent=1) + "\n"


def to_markdown(records: list[Record]) -> str:
    """A table, and what must be known to read it."""
    if not records:
        return "No measurements.\n"
    first = records[0]
    lines = [
        f"# Physics speed, {', '.join(sorted({r.device for r in records}))}",
        "",
        describe(first.commit, first.source, first.versions, first.driver),
        f"dt {first.settings['dt']:.6g} s, controls held for {first.settings['hold']} steps, median of "
        f"{first.settings['repeats']} x {first.settings['steps']} steps.",
        "",
        "| robot | envs | engine | steps/s | ratio | spread | ready | touching pairs/env | penetration mean, p99 "
        "| not finite |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for r in records:
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}x"
        engine = r.engine + (" (dropped contacts)" if r.contacts_dropped else "")
        lines.append(
            f"| {r.robot} | {r.num_envs} | {engine} | {si(r.physics_steps_per_s)} | {ratio} | {r.spread:.0%} "
            f"| {r.prepare_s:.1f} s | {r.contacts_per_env:.1f} | {1e3 * r.penetration_mean_m:.2f}, "
            f"{1e3 * r.penetration_p99_m:.2f} mm | {r.nonfinite_envs} |"
        )
    notes = {r.engine: r.settings["note"] for r in records}
    lines += ["", *(f"- {engine}: {note}." for engine, note in notes.items()), "", FAIRNESS]
    return "\n".join(lines)


def si(value: float) -> str:
    """1234567 -> "1.23 M"."""
    for factor, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def file_stem(kind: str, device: str) -> str:
    """("physics", "NVIDIA H100 80GB HBM3") -> "physics-nvidia-h100-80gb-hbm3"."""
    return f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def write_results(folder: Path, kind: str, device: str, records: Sequence[Any], table: str) -> list[Path]:
    """Write the records as JSON and their table beside it; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{file_stem(kind, device)}{suffix}" for suffix in (".json", ".md")]
    paths[0].write_text(to_json(records))
    paths[1].write_text(table)
    return paths
