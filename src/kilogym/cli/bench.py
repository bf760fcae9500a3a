"""`kilogym bench`: measure speed, beside other engines where they are installed, and see what changed."""

from __future__ import annotations

import importlib

from kilogym.cli.main import UsageError

KINDS = {
    "physics": "physics steps beside MuJoCo Warp and MuJoCo, with contacts, penetration and diverged envs of each",
    "env": "whole environment steps of a task: physics, observations, rewards, resets",
    "start": "seconds from import to the first step of a task, with empty caches and with warm ones",
    "curves": "cost against envs, DOFs and contacts, beside what the memory's bandwidth allows, with pictures",
    "compare": "new results beside the committed ones: what got slower",
}
"""What can be measured; each is the module of its name in `kilogym.bench`."""


def run(arguments: list[str]) -> int:
    """Hand on to the kind named first."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: kilogym bench KIND ...\n\nkinds:")
        print("\n".join(f"  {name:<9}{text}" for name, text in KINDS.items()))
        print("\nMore: kilogym bench KIND --help")
        return 0
    if arguments[0] not in KINDS:
        raise UsageError(f"bench: no kind named {arguments[0]!r}; kinds: {', '.join(KINDS)}")
    return importlib.import_module(f"kilogym.bench.{arguments[0]}").main(arguments[1:])
