"""What every look at a trained policy takes on its command line, how it refuses, and the JSON it leaves."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
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


def run(
    prog: str,
    description: str | None,
    envs: int,
    args: list[str] | None,
    work: Callable[[argparse.Namespace], dict[str, Any]],
) -> int:
    """Parse, look, and write the report where --out says; returns the exit code.

    What the arguments make impossible (no checkpoint there, a task of another kind) is one line and exit code 2, as
    argparse has it for what is wrong with the words alone. KILOGYM_TRACEBACK=1 shows where.

    Args:
        prog: As for `parse`, and so on.
        work: From the options to what goes into the JSON.
    """
    options = parse(prog, description, envs, args)
    try:
        report = work(options)
        if options.out is not None:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1) + "\n")
    except (ValueError, NotImplementedError, OSError, ImportError) as error:
        if "KILOGYM_TRACEBACK" in os.environ:
            raise
        print(f"python -m {prog}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0
