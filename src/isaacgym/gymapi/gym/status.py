"""Which methods of Gym are built, and what happens when a call fails."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger("isaacgym")

MISSING: dict[str, str] = {}
"""Methods that raise NotImplementedError, and what is missing."""

WITHOUT_EFFECT: dict[str, str] = {}
"""Methods that accept their arguments, keep what a getter returns, and change nothing else, and why."""

F = TypeVar("F", bound=Callable[..., Any])


def missing(what: str) -> Callable[[F], F]:
    """Mark a method as not built: calling it raises NotImplementedError saying `what` is missing."""

    def decorate(method: F) -> F:
        MISSING[method.__name__] = what

        @functools.wraps(method)
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(f"Gym.{method.__name__}: {what}; see docs/migration.md")

        return refuse  # type: ignore[return-value]

    return decorate


def without_effect(why: str) -> Callable[[F], F]:
    """Mark a method that is accepted and changes nothing in the simulation."""

    def decorate(method: F) -> F:
        WITHOUT_EFFECT[method.__name__] = why
        return method

    return decorate


def on_failure(value: Any) -> Callable[[F], F]:
    """Where the original returned a failure value, log the reason (logger "isaacgym", ERROR) and return `value`.

    Only wrong values count, ValueError and LookupError; arguments of a wrong type raise TypeError, as in the
    original. With the environment variable KILOGYM_STRICT=1 all of them raise.
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except (ValueError, LookupError) as error:
                if os.environ.get("KILOGYM_STRICT", "") not in ("", "0"):
                    raise
                fail(method.__name__, error)
                return value

        return call  # type: ignore[return-value]

    return decorate


def fail(method: str, reason: BaseException | str) -> None:
    """Log why a call failed."""
    text = reason.args[0] if isinstance(reason, LookupError) and reason.args else reason
    log.error("Gym.%s: %s", method, text)
