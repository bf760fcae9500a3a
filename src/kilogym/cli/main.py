"""The command `kilogym`: finds the verb, runs it, and turns errors into one line."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

VERBS = {
    "list": "show the tasks",
    "train": "train a task",
    "play": "film or measure a trained policy",
    "bench": "measure the speed of the physics or of whole tasks",
    "validate": "measure how true the physics is and write the accuracy card",
    "soak": "run tasks for long and see that memory stays flat and faults stay in their envs",
    "doctor": "check this installation",
}
"""Name to summary; each verb is the module of its name, with `run(arguments) -> exit code`."""

EPILOGUE = """\
Start here:   kilogym train ant         then: kilogym play runs/ant/<time> --film ant.gif
More:         kilogym VERB --help       kilogym train TASK --help lists every number that can be set

Exit codes:   0 done   1 could not be done   2 wrong usage   3 a bug of ours   130 interrupted
"""


class UsageError(ValueError):
    """The command line is wrong; exit code 2."""


def usage() -> str:
    """What `kilogym --help` prints."""
    lines = [f"  {name:<8} {text}" for name, text in VERBS.items()]
    return (
        "usage: kilogym VERB ...\n\nTrain robots in thousands of simulations at once.\n\nverbs:\n"
        + "\n".join(lines)
        + "\n\n"
        + EPILOGUE
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    if not args or args[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0
    if args[0] == "--version":
        from kilogym.rl.report import versions

        print(" ".join(f"{name} {version}" for name, version in versions().items()))
        return 0
    try:
        return _run(args[0], args[1:])
    except KeyboardInterrupt:
        print("kilogym: interrupted", file=sys.stderr)
        return 130
    except UsageError as error:
        print(f"kilogym: error: {error}", file=sys.stderr)
        return 2
    except (ValueError, NotImplementedError, OSError, ImportError) as error:
        # what our own checks raise: the message is written for the user
        if "KILOGYM_TRACEBACK" in os.environ:
            raise
        print(f"kilogym: error: {_one_line(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        if "KILOGYM_TRACEBACK" in os.environ:
            raise
        print(
            f"kilogym: internal error: {type(error).__name__}: {_one_line(error)} "
            "(set KILOGYM_TRACEBACK=1 to see where, and please report it)",
            file=sys.stderr,
        )
        return 3


def _run(verb: str, rest: list[str]) -> int:
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no verb named {verb!r}{hint} Verbs: {', '.join(VERBS)}")
    return importlib.import_module(f"kilogym.cli.{verb}").run(rest)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
