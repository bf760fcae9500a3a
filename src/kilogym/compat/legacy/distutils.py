"""The parts of `distutils` (gone since Python 3.12) that clients import: versions, booleans, two file
helpers.

One flat module serves as `distutils`, `distutils.version`, `distutils.util`, `distutils.dir_util` and
`distutils.spawn`. Building extensions is not among them: that is `setuptools`, which brings the whole of
distutils.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

__path__: list[str] = []  # a package: its submodules are found by the compatibility finder


class Version:
    """A version compared part by part; subclasses say how a text is split."""

    def __init__(self, vstring: str | None = None) -> None:
        self.version: list[int | str] = []
        self.vstring = ""
        if vstring is not None:
            self.parse(vstring)

    def parse(self, vstring: str) -> None:
        """Split `vstring` at dots and between digits and letters."""
        self.vstring = vstring
        parts = [part for part in re.split(r"(\d+|[a-z]+|\.)", vstring) if part and part != "."]
        self.version = [int(part) if part.isdigit() else part for part in parts]

    def _order(self) -> list[tuple[bool, int, str]]:
        # a letter part orders before a number, so that "1.0rc1" and "1.0.1" compare instead of failing
        return [(isinstance(p, int), p if isinstance(p, int) else 0, str(p)) for p in self.version]

    def _other(self, other: str | Version) -> Version:
        return type(self)(other) if isinstance(other, str) else other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (str, Version)) and self._order() == self._other(other)._order()

    def __lt__(self, other: str | Version) -> bool:
        return self._order() < self._other(other)._order()

    def __le__(self, other: str | Version) -> bool:
        return self._order() <= self._other(other)._order()

    def __gt__(self, other: str | Version) -> bool:
        return self._order() > self._other(other)._order()

    def __ge__(self, other: str | Version) -> bool:
        return self._order() >= self._other(other)._order()

    def __hash__(self) -> int:
        return hash(tuple(self._order()))

    def __str__(self) -> str:
        return self.vstring

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.vstring!r})"


class LooseVersion(Version):
    """Any text with numbers in it."""


class StrictVersion(Version):
    """Two or three numbers, then perhaps `a` or `b` and a number: "1.2", "1.2.3", "1.2a1"."""

    def parse(self, vstring: str) -> None:
        if not re.fullmatch(r"\d+\.\d+(\.\d+)?([ab]\d+)?", vstring):
            raise ValueError(f"invalid version number {vstring!r}")
        super().parse(vstring)

    def _order(self) -> list[tuple[bool, int, str]]:
        numbers = [p for p in self.version if isinstance(p, int)]
        letters = [p for p in self.version if isinstance(p, str)]
        pre = [(False, numbers.pop(), letters[0])] if letters else [(True, 0, "")]
        release = [*numbers, 0, 0][:3]
        return [(True, n, "") for n in release] + pre


def strtobool(val: str) -> int:
    """1 for y, yes, t, true, on, 1; 0 for n, no, f, false, off, 0; ValueError for anything else."""
    low = val.lower()
    if low in ("y", "yes", "t", "true", "on", "1"):
        return 1
    if low in ("n", "no", "f", "false", "off", "0"):
        return 0
    raise ValueError(f"invalid truth value {val!r}")


def find_executable(executable: str, path: str | None = None) -> str | None:
    """Path of a program in `path` (default: PATH), or None."""
    return shutil.which(executable, path=path)


def mkpath(name: str, mode: int = 0o777) -> list[str]:
    """Make a directory and its parents; returns those that were made."""
    made = [str(p) for p in [*reversed(Path(name).parents), Path(name)] if not p.exists()]
    Path(name).mkdir(mode=mode, parents=True, exist_ok=True)
    return made


def copy_tree(src: str, dst: str) -> list[str]:
    """Copy a directory's contents into `dst`, overwriting; returns the files written."""
    shutil.copytree(src, dst, dirs_exist_ok=True)
    return [str(Path(dst) / p.relative_to(src)) for p in Path(src).rglob("*") if p.is_file()]


def remove_tree(directory: str) -> None:
    """Delete a directory and all in it."""
    shutil.rmtree(directory)


for _name in ("version", "util", "dir_util", "spawn"):  # "import distutils; distutils.util.strtobool"
    globals()[_name] = sys.modules[__name__]
