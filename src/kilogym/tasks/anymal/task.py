"""ANYmal C on flat ground; learns to follow velocity commands."""

from __future__ import annotations

from dataclasses import dataclass

from kilogym.tasks.config import PpoConfig
from kilogym.tasks.quadruped import Quadruped, QuadrupedConfig
from kilogym.tasks.registry import TaskEntry


@dataclass(frozen=True)
class AnymalConfig(QuadrupedConfig):
    """The defaults of `QuadrupedConfig`."""


class Anymal(Quadruped):
    """On the ground plane."""


ENTRY = TaskEntry(
    summary="ANYmal C that learns to follow velocity commands (needs the extra robots)",
    task=Anymal,
    config=AnymalConfig(),
    cuda=PpoConfig(
        num_envs=4096, horizon=24, max_iterations=300, epochs=5, hidden=(128, 64, 32), reward_scale=0.02,
        entropy_coef=0.003, learning_rate=1e-3, init_std=0.5,
    ),
    cpu=PpoConfig(
        num_envs=256, horizon=24, max_iterations=1000, epochs=5, minibatches=2, hidden=(128, 64), reward_scale=0.02,
        learning_rate=1e-3, init_std=0.5,
    ),
)  # fmt: skip
