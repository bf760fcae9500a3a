"""Humanoid: 21 motors; learns to run upright."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kilogym.tasks.config import PpoConfig
from kilogym.tasks.locomotion import LocomotionConfig, LocomotionTask
from kilogym.tasks.registry import TaskEntry


@dataclass(frozen=True)
class HumanoidConfig(LocomotionConfig):
    """Humanoid's numbers; the fields are those of `LocomotionConfig`."""

    alive_reward: float = 2.0
    action_cost: float = 0.01
    limit_cost: float = 0.25
    fall_reward: float = -1.0
    fall_height: float = 0.8
    start_height: float = 1.31
    dof_vel_scale: float = 0.1


class Humanoid(LocomotionTask):
    """The two-legged walker of humanoid.xml."""

    robot = Path(__file__).parent / "humanoid.xml"


ENTRY = TaskEntry(
    summary="person-sized robot of 21 motors that learns to run upright",
    task=Humanoid,
    config=HumanoidConfig(),
    cuda=PpoConfig(num_envs=4096, horizon=32, max_iterations=1000, epochs=5, hidden=(400, 200, 100)),
    cpu=PpoConfig(num_envs=512, horizon=32, max_iterations=2000, epochs=5, hidden=(256, 128)),
)
