"""Cartpole: push a cart so that the pole on it stays upright."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from kilogym.assets.asset import DriveMode
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.tasks.base import Task, Verdict
from kilogym.tasks.config import PpoConfig, TaskConfig
from kilogym.tasks.registry import TaskEntry

RAIL_HEIGHT = 2.0
"""Height of the rail above the ground [m]."""


@dataclass(frozen=True)
class CartpoleConfig(TaskConfig):
    """Numbers of the task."""

    episode_length: int = 500
    """Actions after which an episode ends by time-out."""
    max_effort: float = 100.0
    """Force on the cart for an action of 1 [N]."""
    max_distance: float = 3.0
    """The episode fails when the cart is farther from the middle [m]."""
    max_angle: float = math.pi / 2
    """The episode fails when the pole leans more [rad]."""
    fail_reward: float = -2.0
    """Reward of the action that fails."""
    start_noise: float = 0.2
    """Positions and speeds at the start are at most this [m, rad; per s]."""


def reward(pole_angle: Tensor, pole_vel: Tensor, cart_vel: Tensor) -> Tensor:
    """1 - θ² - 0.01 |ẋ| - 0.005 |θ̇|: upright and calm, all [E], rad, rad/s, m/s."""
    return 1.0 - pole_angle * pole_angle - 0.01 * cart_vel.abs() - 0.005 * pole_vel.abs()


class Cartpole(Task):
    """DOF 0 is the cart [m], DOF 1 the pole [rad], 0 upright. Observations: x, ẋ, θ, θ̇."""

    def prepare_build(self) -> None:
        self.cfg = cast(CartpoleConfig, self.config)
        options = ImportOptions(fix_base_link=True, angular_damping=0.0, default_dof_drive_mode=DriveMode.EFFORT)
        self.asset = load_asset(Path(__file__).parent, "cartpole.urdf", options)
        self.sim.add_ground()
        self.num_obs, self.num_actions = 4, 1

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.asset, (0.0, 0.0, RAIL_HEIGHT))

    def prepare_buffers(self) -> None:
        self.efforts = torch.zeros(self.num_envs, 2, device=self.device)

    def apply_actions(self) -> None:
        self.efforts[:, 0] = self.actions[:, 0] * self.cfg.max_effort
        self.sim.set_actuation_forces(self.efforts)

    def refresh(self) -> None:
        self.sim.refresh_dof_states()

    def judge(self) -> Verdict:
        """Fails far from the middle or leaning far. Measured: pole_angle, its size [rad]."""
        cart, pole = self.dof_pos.unbind(-1)
        failed = (cart.abs() > self.cfg.max_distance) | (pole.abs() > self.cfg.max_angle)
        value = reward(pole, self.dof_vel[:, 1], self.dof_vel[:, 0])
        return Verdict(torch.where(failed, self.cfg.fail_reward, value), failed, {"pole_angle": pole.abs()})

    def start_states(self, mask: Tensor) -> None:
        start = self.cfg.start_noise * self.uniform(self.num_envs, 2, 2)
        self.write(self.dof_states, start, mask)

    def compute_observations(self) -> Tensor:
        return self.dof_states.reshape(self.num_envs, 4)


ENTRY = TaskEntry(
    summary="cart that learns to balance a pole",
    task=Cartpole,
    config=CartpoleConfig(),
    cuda=PpoConfig(num_envs=1024, max_iterations=100, hidden=(64, 64), reward_scale=0.1, epochs=8),
    cpu=PpoConfig(num_envs=128, max_iterations=100, hidden=(32, 32), reward_scale=0.1, epochs=8, learning_rate=1e-3),
)
