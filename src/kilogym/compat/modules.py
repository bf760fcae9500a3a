"""Modules that no longer exist, offered by a finder at the end of `sys.meta_path`.

Being last, the finder is asked only for what nothing else could import: an installed package always wins,
also one installed later. Three kinds of replacement: another module under the old name (an *alias*), a small
module of this package with the old interface, and a *stand-in*, which lets the import pass and says what to
do when it is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

REPLACEMENTS = {
    "distutils": "kilogym.compat.legacy.distutils",
    "distutils.dir_util": "kilogym.compat.legacy.distutils",
    "distutils.spawn": "kilogym.compat.legacy.distutils",
    "distutils.util": "kilogym.compat.legacy.distutils",
    "distutils.version": "kilogym.compat.legacy.distutils",
    "gym": "kilogym.compat.legacy.gym",
    "pkg_resources": "kilogym.compat.legacy.pkg_resources",
    "pysdf": "kilogym.compat.legacy.pysdf",
    "scipy.ndimage.filters": "scipy.ndimage",
    "tkinter": "kilogym.compat.legacy.tkinter",
    "urdfpy": "kilogym.compat.legacy.urdfpy",
}
"""Old module name and the module imported in its place."""

TREES = {"gym": "gymnasium"}
"""Package whose submodules are those of another, and that other; offered only where that is installed."""


class _AliasLoader(Loader):
    """Loads a module that already has another name, leaving that module untouched."""

    def __init__(self, target: str) -> None:
        self.target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system takes what sys.modules holds afterwards for the result of the import.
        sys.modules[module.__name__] = importlib.import_module(self.target)


class LegacyFinder(MetaPathFinder):
    """Finds the modules that were offered, and what lies below them, under their new names."""

    def __init__(self) -> None:
        self.offered: set[str] = set()

    def target(self, fullname: str) -> str | None:
        """The module to import for `fullname`, or None when it is not one of ours."""
        package, _, rest = fullname.partition(".")
        if not any(fullname == name or fullname.startswith(f"{name}.") for name in self.offered):
            return None
        if package in TREES:
            if not exists(TREES[package]):
                return None
            if rest:
                return f"{TREES[package]}.{rest}"
        return REPLACEMENTS.get(fullname)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = self.target(fullname)
        if name is None or not exists(name):
            return None
        # every offered package counts as a package, so that "import distutils.version" looks further
        return ModuleSpec(fullname, _AliasLoader(name), is_package=True)


def exists(name: str) -> bool:
    """Whether a module can be found, without importing it (its parents are imported)."""
    if name in sys.modules:
        return True
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


finder = LegacyFinder()


def offer(*packages: str) -> list[str]:
    """Offer the replacements of these modules and of the modules below them.

    Args:
        packages: Keys of :data:`REPLACEMENTS`.

    Returns:
        Those of `packages` that are missing now, so that their replacement is what an import gives.
    """
    if finder not in sys.meta_path:
        sys.meta_path.append(finder)
    missing = [name for name in packages if not exists(name)]
    finder.offered.update(packages)
    return [name for name in missing if exists(name)]
