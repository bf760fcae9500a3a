"""Imports point down only: the order of the rooms in docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"

LEVELS = [
    ["kilogym.math", "kilogym.compat"],
    ["kilogym.assets", "kilogym.engine"],
    ["kilogym.scene"],
    ["kilogym.sim"],
    ["kilogym.tasks", "kilogym.viewer"],
    ["kilogym.rl"],
    ["kilogym.validation"],
    ["kilogym.bench"],
    ["kilogym.cli"],
    ["isaacgym"],
]
"""From the ground up; rooms of one level do not know each other."""


LEVEL = {room: k for k, rooms in enumerate(LEVELS) for room in rooms}


def room(module: str) -> str:
    """ "kilogym.sim.params" -> "kilogym.sim"."""
    parts = module.split(".")
    return "isaacgym" if parts[0] == "isaacgym" else ".".join(parts[:2])


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every absolute import of ours in a file, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            base = node.module or ""
            # `from kilogym import sim` names a room too
            names = [f"{base}.{a.name}" for a in node.names] if base == "kilogym" else [base]
        else:
            continue
        for name in names:
            if name.split(".")[0] in ("kilogym", "isaacgym"):
                yield node.lineno, name


def test_imports_point_down() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        here = room(".".join(path.relative_to(SOURCE).with_suffix("").parts))
        for line, name in imported(path):
            there = room(name)
            if here == there or there not in LEVEL:
                continue
            if here == "kilogym.__init__" or LEVEL.get(here, -1) <= LEVEL[there]:
                wrong.append(f"{path.relative_to(SOURCE)}:{line} {here} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_room_has_a_level() -> None:
    rooms = {p.parent for p in (SOURCE / "kilogym").glob("*/__init__.py")}
    missing = sorted(f"kilogym.{p.name}" for p in rooms if f"kilogym.{p.name}" not in LEVEL)
    assert not missing, f"add to LEVELS: {missing}"


def test_no_relative_imports() -> None:
    wrong = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong, "\n".join(wrong)


def test_what_takes_long_to_import_waits_until_it_is_needed() -> None:
    found = "import sys, kilogym.assets, kilogym.sim; print({'scipy', 'trimesh'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()"]
