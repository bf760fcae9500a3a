"""Ball balance: tilt a tray so that the ball on it comes to rest in the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.assets.procedural import make_sphere
from kilogym.math.rotation import quat_about, quat_mul, quat_rotate_inverse
from kilogym.tasks.base import Task, Verdict
from kilogym.tasks.config import PpoConfig, TaskConfig
from kilogym.tasks.registry import TaskEntry
from kilogym.tasks.robots import with_drives

HINGE = (0.0, 0.0, 0.55)
"""Where both axes of the tray cross, in the env's frame [m]."""
TRAY_TOP, TRAY_RADIUS = 0.07, 0.45
"""Height of the tray's face over the hinge, and its radius [m]."""
BALL_RADIUS, BALL_DENSITY = 0.07, 350.0
"""The ball [m, kg/m^3]: half a kilogram."""


@dataclass(frozen=True)
class BallBalanceConfig(TaskConfig):
    """Numbers of the task."""

    spacing: float = 1.5
    episode_length: int = 500
    """Actions after which an episode ends by time-out."""
    max_tilt: float = 0.3
    """Tilt about either axis for an action of 1 [rad]."""
    stiffness: float = 60.0
    """Of the tray's drives [N m/rad]."""
    damping: float = 6.0
    """Of the tray's drives [N m s/rad]."""
    effort: float = 20.0
    """Most torque of either drive [N m]."""
    near: float = 0.1
    """Distance from the middle that earns half [m]."""
    calm: float = 0.3
    """Speed of the ball that earns half of the reward for rest [m/s]."""
    action_cost: float = 0.05
    """Weight of the sum of squared actions."""
    fail_reward: float = -1.0
    """Reward of the action that loses the ball."""
    start_distance: float = 0.3
    """The ball starts at most this far from the middle [m]."""
    start_speed: float = 0.4
    """The ball's velocity at the start is at most this along each axis [m/s]."""
    start_tilt: float = 0.1
    """The tray's tilt at the start is at most this about each axis [rad]."""


def reward(ball_pos: Tensor, ball_vel: Tensor, actions: Tensor, cfg: BallBalanceConfig) -> Tensor:
    """n (1 + c) / 2 - cost Σa², n = 1 / (1 + (d / near)²), c = 1 / (1 + (v / calm)²): in the middle and at rest.

    Args:
        ball_pos: Of the ball's centre in the tray's axes, [E, 3] [m]; d is its distance from the tray's axis.
        ball_vel: Of the ball, [E, 3] [m/s]; v is its size.
        actions: [E, 2].
        cfg: The weights.
    """
    near = 1.0 / (1.0 + (ball_pos[:, :2] ** 2).sum(-1) / cfg.near**2)
    calm = 1.0 / (1.0 + (ball_vel**2).sum(-1) / cfg.calm**2)
    return 0.5 * near * (1.0 + calm) - cfg.action_cost * (actions**2).sum(-1)


class BallBalance(Task):
    """Actor 0 is the tray, actor 1 the ball; DOF 0 rolls the tray about x, DOF 1 pitches it about y."""

    def prepare_build(self) -> None:
        self.cfg = cast(BallBalanceConfig, self.config)
        tray = load_asset(Path(__file__).parent, "ball_balance.xml", ImportOptions(angular_damping=0.0))
        gains = {name: getattr(self.cfg, name) for name in ("stiffness", "damping", "effort")}
        self.tray = with_drives(tray, **gains)
        self.ball = make_sphere(BALL_RADIUS, ImportOptions(density=BALL_DENSITY, angular_damping=0.0))
        self.sim.add_ground()
        self.num_obs, self.num_actions = 12, 2

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.tray)
        self.sim.create_actor(env, self.ball, (HINGE[0], HINGE[1], HINGE[2] + TRAY_TOP + BALL_RADIUS))

    def prepare_buffers(self) -> None:
        self.hinge = self.on_device(HINGE)
        self.ball_start = self.root_states[:, 1].clone()  # [E, 13]

    def apply_actions(self) -> None:
        self.sim.set_position_targets(self.cfg.max_tilt * self.actions)

    def refresh(self) -> None:
        self.sim.refresh_root_states()
        self.sim.refresh_dof_states()

    def ball_on_tray(self) -> tuple[Tensor, Tensor]:
        """The ball's position from the hinge and its velocity, in the tray's axes, [E, 3] each [m, m/s]."""
        tray = quat_mul(quat_about(0, self.dof_pos[:, 0]), quat_about(1, self.dof_pos[:, 1]))
        ball = self.root_states[:, 1]
        return quat_rotate_inverse(tray, ball[:, :3] - self.hinge), quat_rotate_inverse(tray, ball[:, 7:10])

    def judge(self) -> Verdict:
        """Fails when the ball has left the tray. Measured: distance of the ball from the tray's axis [m]."""
        pos, vel = self.ball_on_tray()
        distance = pos[:, :2].norm(dim=-1)
        failed = (distance > TRAY_RADIUS) | (pos[:, 2] < 0.0)
        value = torch.where(failed, self.cfg.fail_reward, reward(pos, vel, self.actions, self.cfg))
        return Verdict(value, failed, {"distance": distance})

    def start_states(self, mask: Tensor) -> None:
        cfg, u = self.cfg, self.uniform(self.num_envs, 7)
        tilt = torch.stack([cfg.start_tilt * u[:, :2], torch.zeros_like(u[:, :2])], dim=-1)
        self.write(self.dof_states, tilt, mask)
        angle, radius = math.pi * u[:, 2], cfg.start_distance * torch.sqrt(0.5 + 0.5 * u[:, 3])
        ball = self.ball_start.clone()
        ball[:, 0] += radius * torch.cos(angle)
        ball[:, 1] += radius * torch.sin(angle)
        # over the tray however it is tilted
        ball[:, 2] += 1.5 * math.sin(cfg.start_tilt) * cfg.start_distance
        ball[:, 7:10] = cfg.start_speed * u[:, 4:7]
        self.write(self.root_states[:, 1], ball, mask)

    def compute_observations(self) -> Tensor:
        pos, vel = self.ball_on_tray()
        return torch.cat([self.dof_pos, 0.2 * self.dof_vel, pos, vel, self.actions], dim=-1)


ENTRY = TaskEntry(
    summary="tray that learns to balance a ball",
    task=BallBalance,
    config=BallBalanceConfig(),
    cuda=PpoConfig(num_envs=4096, horizon=16, max_iterations=150, hidden=(128, 64), reward_scale=0.1),
    cpu=PpoConfig(
        num_envs=256, horizon=16, max_iterations=300, hidden=(64, 64), reward_scale=0.1, minibatches=2,
        schedule="linear", learning_rate=1e-3,
    ),
)  # fmt: skip
