"""What got slower: new results beside those that are committed.

    kilogym bench compare runs/physics-nvidia-h200.json                    with benchmarks/results/ of the same name
    kilogym bench compare new.json old.json --limit 0.03

Physics is compared by its ratio to MuJoCo Warp where both have one, which takes most of the machine's mood out, else by
steps/s, as environment steps are; speeds of two different devices are not compared. Exit status 1 if a figure fell by
more than the limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMITTED = Path("benchmarks/results")
BASELINE = "MuJoCo Warp"
"""Not ours: its own speed is no regression of this repository."""


@dataclass(frozen=True)
class Change:
    """One figure, before and after."""

    what: str
    unit: str  # "ratio" or "steps/s"
    old: float
    new: float

    @property
    def share(self) -> float:
        """0.1: a tenth faster."""
        return self.new / self.old - 1.0


def changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Change]:
    """Figures that both lists of records have, in the order of the new ones."""
    before = {_name(entry): entry for entry in old}
    out = []
    for entry in new:
        other = before.get(_name(entry))
        if other is None or entry.get("engine") == BASELINE:
            continue
        if entry.get("ratio") and other.get("ratio"):
            out.append(Change(_name(entry), "ratio", other["ratio"], entry["ratio"]))
            continue
        key = "physics_steps_per_s" if "engine" in entry else "env_steps_per_s"
        if entry["device"] == other["device"] and entry.get(key) and other.get(key):
            out.append(Change(_name(entry), "steps/s", other[key], entry[key]))
    return out


def table(found: list[Change], limit: float) -> str:
    """Markdown, the figures that fell by more than the limit marked."""
    lines = ["| | | before | after | change | |", "|---|---|--:|--:|--:|---|"]
    for c in found:
        mark = "**slower**" if c.share < -limit else ""
        lines.append(f"| {c.what} | {c.unit} | {c.old:.4g} | {c.new:.4g} | {c.share:+.1%} | {mark} |")
    return "\n".join(lines) + "\n"


def read(file: Path) -> list[dict[str, Any]]:
    """The records of a results file.

    Raises:
        ValueError: It is missing, or no list of records.
    """
    if not file.is_file():
        raise ValueError(f"{file}: expected the JSON that kilogym bench physics or kilogym bench env wrote")
    records = json.loads(file.read_text())
    if not isinstance(records, list) or not all(
        isinstance(r, dict) and {"num_envs", "device"} <= set(r) for r in records
    ):
        raise ValueError(f"{file}: expected a list of records with num_envs and device")
    return records


def main(args: list[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="kilogym bench compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("new", type=Path, help="results to judge")
    parser.add_argument("old", type=Path, nargs="?", help=f"to compare with; default {COMMITTED}/ of the same name")
    parser.add_argument("--limit", type=float, default=0.05, help="a figure may fall by this share")
    options = parser.parse_args(sys.argv[1:] if args is None else args)
    old = options.old or COMMITTED / options.new.name
    found = changes(read(old), read(options.new))
    if not found:
        raise ValueError(f"{options.new} and {old} have no figure in common (robot or task, engine, number of envs)")
    print(table(found, options.limit))
    return int(any(change.share < -options.limit for change in found))


def _name(entry: dict[str, Any]) -> str:
    return ", ".join(
        [str(entry.get("robot") or entry.get("task")), str(entry["num_envs"]), entry.get("engine", "task")]
    )


if __name__ == "__main__":
    sys.exit(main())
