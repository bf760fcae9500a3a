"""Robots' files that installed packages bring."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

EXAMPLE_ROBOTS = "cmeel.prefix/share/example-robot-data/robots"
"""Where the distribution example-robot-data keeps its robots, relative to site-packages."""


class MissingPackageError(ImportError):
    """The package that carries a robot is not installed, or not whole; the message says how to get it."""


def packaged_file(package: str, path: str) -> Path:
    """A file or folder of a distribution of the extra `robots`.

    Args:
        package: Name of the distribution.
        path: Relative to site-packages.

    Raises:
        MissingPackageError: the package or the file is not there.
    """
    try:
        found = Path(str(importlib.metadata.distribution(package).locate_file(path)))
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingPackageError(
            f"{path} is in the package {package}, which is not installed; pip install 'kilogym[robots]'"
        ) from error
    if not found.exists():
        raise MissingPackageError(
            f"{package} is installed, but {found} is not there; pip install --force-reinstall --no-deps {package}"
        )
    return found


def example_robot_file(file: str) -> Path:
    """A file of example-robot-data, given relative to its folder of robots, as "panda_description/urdf/panda.urdf"."""
    return packaged_file("example-robot-data", f"{EXAMPLE_ROBOTS}/{file}")
