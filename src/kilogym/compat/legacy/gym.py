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

import gymnasium
import gymnasium.logger

__path__: list[str] = []  # a package: its submodules are found by the compatibility finder
__version__ = "0.23.1"  # the last version with the interface that Isaac Gym clients pin


def make(*args: Any, **kwargs: Any) -> NoReturn:
    """Refuse: see the module's description."""
    raise NotImplementedError(
        "gym.make: the package gym is not installed, and kilogym.compat's alias of gymnasium does not make "
        "environments, whose step and reset differ. Call gymnasium.make, or install gym."
    )


def __getattr__(name: str) -> Any:
    """Everything else is gymnasium's; submodules need not have been imported before."""
    if not name.startswith("__"):
        try:
            return getattr(gymnasium, name)
        except AttributeError:
            pass
        try:
            return importlib.import_module(f"gymnasium.{name}")
        except ImportError:
            pass
    raise AttributeError(f"gym, an alias of gymnasium by kilogym.compat, has no {name!r}")


def add_logger_levels(logger: ModuleType) -> None:
    """Give gymnasium's logger the functions of gym's that it dropped."""

    def set_level(level: int) -> None:
        logger.min_level = level  # type: ignore[attr-defined]

    def say(level: int) -> Any:
        def log(msg: str, *args: Any) -> None:
            if logger.min_level <= level:
                print(msg % args if args else msg, file=sys.stderr)

        return log

    former = {
        "DEBUG": 10,
        "INFO": 20,
        "DISABLED": 50,
        "debug": say(10),
        "info": say(20),
        "set_level": set_level,
    }
    for name, value in former.items():
        if not hasattr(logger, name):
            setattr(logger, name, value)


add_logger_levels(gymnasium.logger)
