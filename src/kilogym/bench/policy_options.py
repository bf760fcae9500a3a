"""What every look at a trained policy takes on its command line, and the JSON it leaves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def parse(prog: str, description: str | None, envs: int, args: list[str] | None) -> argparse.Namespace:
    """checkpoint, --envs, --seed, --out.

    Args:
        prog: Module to run, for the usage line.
        description: The module's docstring.
        envs: Default number of episodes.
        args: Words of the command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {prog}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, help="checkpoint file or folder of a run")
    parser.add_argument("--envs", type=int, default=envs, help="episodes in each engine")
    parser.add_argument("--seed", type=int, default=1, help="of the start states")
    parser.add_argument("--out", type=Path, help="also write JSON")
    return parser.parse_args(args)


def leave(report: dict[str, Any], out: Path | None) -> None:
    """Write the report where --out says, if it does."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n")
