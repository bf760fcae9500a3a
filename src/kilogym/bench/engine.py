"""What a physics engine must offer to be compared."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from kilogym.bench.scene import Scene


@dataclass(frozen=True)
class Setting:
    """What is the same for every engine of a comparison."""

    scene: Scene
    num_envs: int
    device: str  # "cpu" or "cuda:N"
    dt: float  # of a physics step [s]
    hold: int  # physics steps between two changes of the controls; they are captured together on CUDA


class Engine(abc.ABC):
    """Many copies of one scene, each env a world of its own.

    Making one compiles, allocates and, on CUDA, captures `hold` steps as a graph.
    """

    name: str
    """As it stands in the table."""
    note: str = ""
    """Settings a reader must know."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abc.abstractmethod
    def set_controls(self, controls: Tensor) -> None:
        """Take controls in [-1, 1], float32 (num_envs, num_controls) on the device; they act until set again."""

    @abc.abstractmethod
    def advance(self) -> None:
        """Do `hold` physics steps of all envs; may return before they are done."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Wait until they are done."""

    @abc.abstractmethod
    def positions(self) -> np.ndarray:
        """Positions of all envs as MuJoCo's qpos, float64 (num_envs, nq)."""

    @abc.abstractmethod
    def nonfinite_envs(self) -> int:
        """Envs whose state has stopped being finite so far."""

    def own_contacts(self) -> float | None:
        """Mean number of contacts per env that the engine itself handled in the last step."""
        return None

    def overflowed(self) -> bool:
        """Whether contacts or constraint rows were dropped for want of room, which makes a step cheaper."""
        return False

    def close(self) -> None:  # noqa: B027
        """Free what the engine holds; nothing by default."""
