"""Which tasks there are: every folder beside this file is one, and its package holds `ENTRY`.

A new task is a new folder; nothing else is edited.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kilogym.tasks.base import Task
from kilogym.tasks.config import PpoConfig, TaskConfig


class UnknownTaskError(ValueError):
    """No task of this name; the message lists the nearest one and all there are."""


@dataclass(frozen=True)
class TaskEntry:
    """What a task's folder declares."""

    summary: str
    """One line: the robot and what it learns."""
    task: Callable[..., Task]
    """The task's class, called with (config, num_envs, device, seed)."""
    config: TaskConfig
    """The default config."""
    cuda: PpoConfig
    """Training values for one GPU."""
    cpu: PpoConfig
    """Training values for a few CPU cores."""

    def ppo(self, device: str) -> PpoConfig:
        """The training values for `device` ("cpu", "cuda", "cuda:1")."""
        return self.cpu if device.startswith("cpu") else self.cuda


def task_names() -> list[str]:
    """Names of all tasks, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.ispkg)


def get_task(name: str) -> TaskEntry:
    """The entry of the task `name`.

    Raises:
        UnknownTaskError: no folder of that name.
    """
    names = task_names()
    if name not in names:
        near = difflib.get_close_matches(name.lower(), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownTaskError(f"no task named {name!r}{hint} Tasks: {', '.join(names)}")
    return importlib.import_module(f"kilogym.tasks.{name}").ENTRY


def make_task(name: str, num_envs: int, device: str = "cpu", seed: int = 0, config: TaskConfig | None = None) -> Task:
    """Build the task `name` with its default config or `config`."""
    entry = get_task(name)
    return entry.task(config if config is not None else entry.config, num_envs, device, seed)
