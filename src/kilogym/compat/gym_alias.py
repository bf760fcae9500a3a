"""The name `gym` for `gymnasium`, where the old package is not installed.

Good for what vectorised GPU clients take from it: spaces, base classes, wrappers' names, registration,
logger. Its modules *are* gymnasium's, so `gym.spaces.Box` is the Box that the learning libraries know.
`gym.make` is refused, because the environments it would make have the new step and reset.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, NoReturn

from kilogym.compat import modules

VERSION = "0.23.1"
"""What the alias calls itself: the last version with the interface that Isaac Gym clients pin."""


def _refuse_make(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(
        "gym.make: the package gym is not installed, and kilogym.compat's alias of gymnasium does not make "
        "environments, whose step and reset differ. Call gymnasium.make, or install gym."
    )


def build(gymnasium: ModuleType) -> ModuleType:
    """The module `gym`: everything gymnasium has, looked up there, but for `make` and the version."""
    gym = ModuleType("gym", "gymnasium under its former name, by kilogym.compat")
    gym.__path__ = []
    gym.__version__ = VERSION  # type: ignore[attr-defined]
    gym.make = _refuse_make  # type: ignore[attr-defined]

    def lookup(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(gymnasium, name)
        except AttributeError:
            pass
        try:
            return importlib.import_module(f"gymnasium.{name}")
        except ImportError:
            raise AttributeError(
                f"neither gym (an alias by kilogym.compat) nor gymnasium has {name!r}"
            ) from None

    gym.__getattr__ = lookup  # type: ignore[method-assign]
    return gym


def _add_logger_levels(logger: ModuleType) -> None:
    """Give gymnasium's logger the functions of gym's that it dropped."""
    if not hasattr(logger, "INFO"):
        logger.DEBUG, logger.INFO, logger.DISABLED = 10, 20, 50  # type: ignore[attr-defined]

    def set_level(level: int) -> None:
        logger.min_level = level  # type: ignore[attr-defined]

    def say(level: int) -> Any:
        def log(msg: str, *args: Any) -> None:
            if logger.min_level <= level:
                print(msg % args if args else msg, file=sys.stderr)

        return log

    for name, function in {"set_level": set_level, "info": say(20), "debug": say(10)}.items():
        if not hasattr(logger, name):
            setattr(logger, name, function)


def install() -> list[str]:
    """Offer `gym` and its submodules; returns `["gym"]`, or nothing where gym is there or gymnasium is
    not."""
    modules.activate()
    if modules.exists("gym") or not modules.exists("gymnasium"):
        return []
    gymnasium = importlib.import_module("gymnasium")
    _add_logger_levels(importlib.import_module("gymnasium.logger"))
    sys.modules["gym"] = build(gymnasium)
    modules.finder.trees["gym"] = "gymnasium"
    return ["gym"]
