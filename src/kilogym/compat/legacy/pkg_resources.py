"""The parts of `pkg_resources` (gone from setuptools 82 on) that clients import, on `importlib`."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from dataclasses import dataclass
from typing import Any

DistributionNotFound = importlib.metadata.PackageNotFoundError


@dataclass(frozen=True)
class Distribution:
    """An installed distribution."""

    project_name: str
    version: str

    @property
    def parsed_version(self) -> Any:
        return parse_version(self.version)


def get_distribution(name: str) -> Distribution:
    """The installed distribution of this name; DistributionNotFound if there is none."""
    return Distribution(name, importlib.metadata.version(name))


def parse_version(text: str) -> Any:
    """A version that compares."""
    try:
        from packaging.version import InvalidVersion
        from packaging.version import parse as parse_packaging
    except ImportError:
        pass
    else:
        try:
            return parse_packaging(text)
        except InvalidVersion:
            pass
    from kilogym.compat.legacy.distutils import LooseVersion

    return LooseVersion(text)


def resource_filename(package: str, resource: str) -> str:
    """Path of a file that lies in a package's folder."""
    file = importlib.import_module(package).__file__
    if file is None:
        raise NotImplementedError(f"{package} is a namespace package: it has no folder of its own")
    return os.path.join(os.path.dirname(file), resource)
