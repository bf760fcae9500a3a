"""`kilogym list`: the tasks there are."""

from __future__ import annotations

from kilogym.cli.main import UsageError
from kilogym.rl.learner import written
from kilogym.tasks.registry import get_task, task_names


def run(arguments: list[str]) -> int:
    """Print a line per task."""
    if arguments in (["-h"], ["--help"]):
        print("usage: kilogym list\n\nShow the tasks and the libraries that can train them.")
        return 0
    if arguments:
        raise UsageError(f"kilogym list takes no arguments, got {' '.join(arguments)}")
    names = task_names()
    for name in names:
        print(f"{name:<{max(map(len, names))}}  {get_task(name).summary}")
    print(f"\nlibraries: {', '.join(written())}")
    return 0
