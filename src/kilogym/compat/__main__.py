"""`python -m kilogym.compat [-m] SCRIPT [ARGS...]`: run a script or module, unmodified, with the shims
installed."""

from __future__ import annotations

import os
import runpy
import sys

from kilogym.compat import install_from_environment

USAGE = """usage: python -m kilogym.compat SCRIPT.py [ARGS...]
       python -m kilogym.compat -m MODULE [ARGS...]

Runs SCRIPT.py or MODULE as `python` itself would, with the names that NumPy and Python removed and the
packages that were abandoned put back first. KILOGYM_COMPAT chooses which: all (default), none, or some of
numpy,torch,distutils,gym,standins."""


def main(argv: list[str]) -> int:
    """Run the script or module that `argv` names; `argv` excludes the program itself."""
    if not argv or argv[0] in ("-h", "--help") or argv == ["-m"]:
        print(USAGE, file=sys.stdout if argv and argv[0] != "-m" else sys.stderr)
        return 0 if argv and argv[0] != "-m" else 2
    install_from_environment()
    if argv[0] == "-m":
        sys.argv[:] = argv[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    elif not os.path.exists(argv[0]):
        print(f"python -m kilogym.compat: no file {argv[0]!r}", file=sys.stderr)
        return 2
    else:
        sys.argv[:] = argv
        sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
        runpy.run_path(argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    # `python -m` put the current directory first; a script expects its own directory there instead.
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
    sys.exit(main(sys.argv[1:]))
