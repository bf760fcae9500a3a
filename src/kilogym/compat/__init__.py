"""What a client written for Python 3.8 and NumPy 1.2x needs in order to run today, put back.

Every shim only fills a gap: a name, function or module that exists is never replaced, and a package that is
installed is always preferred to its stand-in. Nothing happens on import; ask for it in one of four ways:

- `python -m kilogym.compat train.py task=Ant` runs an unmodified script with everything installed;
- `import kilogym.compat.auto` as a script's first line;
- `kilogym.compat.install("numpy", "gym")` for a choice of :data:`SHIMS`;
- the environment variable `KILOGYM_COMPAT`, which `import isaacgym` obeys.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from kilogym.compat import modules, numpy_names, torch_names

SHIMS: dict[str, Callable[[], list[str]]] = {
    "numpy": numpy_names.install,
    "torch": torch_names.install,
    "distutils": lambda: modules.offer("distutils", "pkg_resources"),
    "gym": lambda: modules.offer("gym"),
    "standins": lambda: modules.offer("pysdf", "urdfpy", "tkinter", "scipy.ndimage.filters"),
}
"""Name of each shim and the function that installs it and returns what it put back."""

_done: dict[str, list[str]] = {}


def install(*names: str) -> dict[str, list[str]]:
    """Install the named shims, or all of them; installing one twice does nothing more.

    Args:
        names: Keys of :data:`SHIMS`; none means all.

    Returns:
        For each shim asked for, the names it put back (empty when nothing was missing).

    Raises:
        ValueError: A name is not in :data:`SHIMS`.
    """
    unknown = set(names) - set(SHIMS)
    if unknown:
        raise ValueError(f"no compatibility shim named {sorted(unknown)}; there are {list(SHIMS)}")
    chosen = names or tuple(SHIMS)
    for name in chosen:
        if name not in _done:
            _done[name] = SHIMS[name]()
    return {name: list(_done[name]) for name in chosen}


def installed() -> dict[str, list[str]]:
    """The shims installed so far, each with the names it put back."""
    return {name: list(restored) for name, restored in _done.items()}


def install_from_environment(default: str = "all") -> dict[str, list[str]]:
    """Install what the environment variable `KILOGYM_COMPAT` asks for.

    Args:
        default: Taken when the variable is unset or empty. `all` (or `1`), `none` (or `0`), or names of
            :data:`SHIMS` with commas between them.

    Returns:
        As :func:`install`.

    Raises:
        ValueError: The variable names a shim that does not exist.
    """
    wish = os.environ.get("KILOGYM_COMPAT", "").strip().lower() or default
    if wish in ("none", "0", "off", "false", "no"):
        return {}
    if wish in ("all", "1", "on", "true", "yes"):
        return install()
    return install(*(name.strip() for name in wish.split(",") if name.strip()))
