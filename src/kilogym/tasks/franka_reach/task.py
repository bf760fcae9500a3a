"""Franka reach: bring the point between the fingers to a target in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from kilogym.tasks.base import Verdict
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.franka import REST, FrankaConfig, FrankaTask
from kilogym.tasks.registry import TaskEntry


@dataclass(frozen=True)
class FrankaReachConfig(FrankaConfig):
    """Numbers of the task."""

    episode_length: int = 120
    """Actions after which an episode ends by time-out."""
    target_middle: tuple[float, float, float] = (0.45, 0.0, 0.4)
    """Middle of the box that targets are drawn from, in the env's frame [m]."""
    target_half: tuple[float, float, float] = (0.15, 0.3, 0.2)
    """Half its sides [m]."""
    near: float = 0.15
    """Distance that earns half of the reward for coming near [m]."""
    exact: float = 0.02
    """Distance that earns half of the reward for being there; the target counts as reached when closer [m]."""
    action_cost: float = 0.01
    """Weight of the sum of squared actions."""


def reward(distance: Tensor, actions: Tensor, cfg: FrankaReachConfig) -> Tensor:
    """(1 / (1 + (d / near)²) + 1 / (1 + (d / exact)²)) / 2 - cost Σa², of the distance d [E] [m], actions [E, 7]."""
    terms = sum(1.0 / (1.0 + (distance / scale) ** 2) for scale in (cfg.near, cfg.exact))
    return 0.5 * terms - cfg.action_cost * (actions**2).sum(-1)


class FrankaReach(FrankaTask):
    """Actions are the arm's 7 joints; the hand stays open."""

    cfg: FrankaReachConfig

    def prepare_build(self) -> None:
        super().prepare_build()
        self.cfg = cast(FrankaReachConfig, self.config)
        self.num_actions = 7
        self.num_obs = 3 * 7 + 3 + 3 + self.num_actions

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.arm)

    def prepare_buffers(self) -> None:
        super().prepare_buffers()
        self.middle = self.on_device(self.cfg.target_middle)
        self.half = self.on_device(self.cfg.target_half)
        self.goal = self.middle.repeat(self.num_envs, 1)  # [E, 3]

    def task_state(self) -> dict[str, Tensor]:
        return {**super().task_state(), "goal": self.goal}

    def apply_actions(self) -> None:
        self.move_targets(REST[-1])

    def judge(self) -> Verdict:
        """Never fails. Measured: distance to the target [m], reached: whether closer than `exact`."""
        distance = (self.goal - self.tool()).norm(dim=-1)
        failed = torch.zeros_like(distance, dtype=torch.bool)
        reached = (distance < self.cfg.exact).float()
        return Verdict(reward(distance, self.actions, self.cfg), failed, {"distance": distance, "reached": reached})

    def start_states(self, mask: Tensor) -> None:
        self.start_arm(mask)
        goal = self.middle + self.half * self.uniform(self.num_envs, 3)
        self.write(self.goal, goal, mask)

    def compute_observations(self) -> Tensor:
        self.sim.refresh_body_states()  # of the envs that just started again
        tool = self.tool()
        joints = [columns[:, :7] for columns in self.arm_observations()]
        return torch.cat([*joints, tool, self.goal - tool, self.actions], dim=-1)


ENTRY = TaskEntry(
    summary="Panda arm that learns to reach points (needs the extra robots)",
    task=FrankaReach,
    config=FrankaReachConfig(),
    cuda=PpoConfig(num_envs=4096, horizon=16, max_iterations=150, hidden=(128, 64), reward_scale=0.1),
    cpu=PpoConfig(
        num_envs=256, horizon=16, max_iterations=300, hidden=(64, 64), reward_scale=0.1, minibatches=2,
        schedule="linear", learning_rate=1e-3,
    ),
)  # fmt: skip
