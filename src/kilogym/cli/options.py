"""Typed options from the command line: a dataclass is the parser, its field docs are the help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from kilogym.cli.main import UsageError

T = TypeVar("T")


def parse(kind: type[T], verb: str, arguments: Sequence[str], default: T | None = None, flags: bool = False) -> T:
    """Parse `arguments` into `kind`; `--help` and wrong usage exit as command lines do (0 and 2).

    Args:
        kind: A dataclass.
        verb: For the usage line.
        arguments: The words after the verb.
        default: Values for what is not given.
        flags: Whether a bool is `--name` and `--no-name`, not `--name True`.
    """
    try:
        import tyro
    except ModuleNotFoundError as error:
        raise UsageError("the command line needs the package 'tyro'; install: pip install 'kilogym[train]'") from error
    config = () if flags else (tyro.conf.FlagConversionOff,)
    if default is None:
        return tyro.cli(kind, prog=f"kilogym {verb}", args=list(arguments), config=config)
    return tyro.cli(kind, prog=f"kilogym {verb}", args=list(arguments), default=default, config=config)


def one_torch_thread() -> None:
    """Give torch one thread: networks this small gain nothing from more.

    Measured on two busy cores, training an ant: 25 000 env-steps/s with one thread, 500 to 900 with two, which wait
    for each other by spinning. Equal seeds then give equal runs whatever the number of cores. The physics uses all of
    them.
    """
    import torch

    torch.set_num_threads(1)
