"""Quadcopter: fly to a point and hover there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.math.rotation import quat_about, quat_mul, quat_rotate_inverse, world_up
from kilogym.sim.params import CoordinateSpace
from kilogym.tasks.base import Task, Verdict
from kilogym.tasks.config import PpoConfig, TaskConfig
from kilogym.tasks.registry import TaskEntry

ROTORS = ((0.12, 0.12), (-0.12, 0.12), (-0.12, -0.12), (0.12, -0.12))
"""Where the rotors are in the frame's axes, x forward, y left [m]; they turn by turns one way and the other."""
MASS, GRAVITY = 1.0, 9.81
"""Of the whole vehicle [kg]; what a thrust is measured by [m/s^2]."""


@dataclass(frozen=True)
class QuadcopterConfig(TaskConfig):
    """Numbers of the task."""

    dt: float = 0.02
    spacing: float = 3.0
    episode_length: int = 400
    """Actions after which an episode ends by time-out."""
    target: tuple[float, float, float] = (0.0, 0.0, 2.0)
    """Where to hover, in the env's frame [m]."""
    max_thrust: float = 2.0
    """All rotors' thrust for actions of 1, as a multiple of the weight; an action of 0 is half of it."""
    rotor_lag: float = 0.05
    """Time constant of a rotor's thrust [s]."""
    rotor_drag: float = 0.016
    """Torque about a rotor's axis by its thrust [m]."""
    air_drag: float = 0.1
    """Damping of the vehicle's linear and angular velocity [1/s]."""
    near: float = 0.5
    """Distance from the target that earns half [m]."""
    calm: float = 1.0
    """Angular speed that earns half of the reward for not turning [rad/s]."""
    action_cost: float = 0.02
    """Weight of the sum of squared changes of the rotors' commands."""
    max_distance: float = 4.0
    """The episode fails when the vehicle is farther from the target [m]."""
    min_height: float = 0.3
    """The episode fails when the vehicle is lower [m]."""
    start_distance: float = 1.5
    """The vehicle starts at most this far from the target along each axis [m]."""
    start_speed: float = 1.0
    """Velocity along and angular velocity about each axis at the start are at most this [m/s, rad/s]."""
    start_tilt: float = 0.5
    """Roll and pitch at the start are at most this [rad]."""


def thrust_to_wrench(rotor_drag: float) -> Tensor:
    """Matrix [6, 4] from the rotors' thrusts to force and torque on the frame, in its axes.

    A thrust T at (x, y) is the force (0, 0, T), the torque (y T, -x T, ± drag T); plus for the first and third rotor.
    """
    rows = [[0.0] * 4, [0.0] * 4, [1.0] * 4]
    rows += [[y for _, y in ROTORS], [-x for x, _ in ROTORS], [rotor_drag * (-1) ** k for k in range(4)]]
    return torch.tensor(rows)


def reward(offset: Tensor, up: Tensor, ang_vel: Tensor, change: Tensor, cfg: QuadcopterConfig) -> Tensor:
    """n (1 + u + c) / 3 - cost Σ(change)²: near the target, upright, not turning.

    n = 1 / (1 + (d / near)²) of the distance d, u = max(0, cosine of the tilt)², c = 1 / (1 + (w / calm)²).

    Args:
        offset: From vehicle to target, [E, 3] [m].
        up: World up in the vehicle's axes, [E, 3].
        ang_vel: [E, 3] [rad/s].
        change: Of the actions since the last ones, [E, 4].
        cfg: The weights.
    """
    near = 1.0 / (1.0 + (offset**2).sum(-1) / cfg.near**2)
    upright = up[:, 2].clamp(min=0.0) ** 2
    calm = 1.0 / (1.0 + (ang_vel**2).sum(-1) / cfg.calm**2)
    return near * (1.0 + upright + calm) / 3.0 - cfg.action_cost * (change**2).sum(-1)


class Quadcopter(Task):
    """A rigid body without DOFs; the rotors' thrusts follow the actions with a lag."""

    def prepare_build(self) -> None:
        self.cfg = cfg = cast(QuadcopterConfig, self.config)
        options = ImportOptions(linear_damping=cfg.air_drag, angular_damping=cfg.air_drag)
        self.asset = load_asset(Path(__file__).parent, "quadcopter.xml", options)
        self.sim.add_ground()
        self.num_obs, self.num_actions = 20, 4

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.asset, self.cfg.target)

    def prepare_buffers(self) -> None:
        cfg = self.cfg
        self.to_wrench = thrust_to_wrench(cfg.rotor_drag).to(self.device).T.contiguous()  # [4, 6]
        self.most = cfg.max_thrust * MASS * GRAVITY / 4.0  # of one rotor [N]
        self.follow = 1.0 - math.exp(-cfg.dt / cfg.rotor_lag)
        self.target = self.on_device(cfg.target)
        self.start_root = self.root_states[:, 0].clone()  # [E, 13]
        self.thrust = torch.zeros(self.num_envs, 4, device=self.device)  # [N]
        self.last_actions = torch.zeros(self.num_envs, 4, device=self.device)

    def task_state(self) -> dict[str, Tensor]:
        return {"thrust": self.thrust, "last_actions": self.last_actions}

    @property
    def root(self) -> Tensor:
        """State of the vehicle, [E, 13]."""
        return self.root_states[:, 0]

    def apply_actions(self) -> None:
        command = 0.5 * (self.actions + 1.0) * self.most
        self.thrust.add_(self.follow * (command - self.thrust))
        wrench = self.thrust @ self.to_wrench
        self.sim.apply_body_forces(wrench[:, :3].contiguous(), wrench[:, 3:].contiguous(), CoordinateSpace.LOCAL)

    def refresh(self) -> None:
        self.sim.refresh_root_states()

    def judge(self) -> Verdict:
        """Fails near the ground and far away. Measured: distance to the target [m]."""
        cfg, root = self.cfg, self.root
        offset = self.target - root[:, :3]
        distance = offset.norm(dim=-1)
        failed = (distance > cfg.max_distance) | (root[:, 2] < cfg.min_height)
        change = self.actions - self.last_actions
        self.last_actions.copy_(self.actions)
        value = reward(offset, world_up(root[:, 3:7]), root[:, 10:13], change, cfg)
        return Verdict(torch.where(failed, 0.0, value), failed, {"distance": distance})

    def start_states(self, mask: Tensor) -> None:
        cfg, u = self.cfg, self.uniform(self.num_envs, 12)
        root = self.start_root.clone()
        root[:, :3] += cfg.start_distance * u[:, :3]
        roll_pitch = quat_mul(quat_about(0, cfg.start_tilt * u[:, 3]), quat_about(1, cfg.start_tilt * u[:, 4]))
        root[:, 3:7] = quat_mul(quat_about(2, math.pi * u[:, 5]), roll_pitch)
        root[:, 7:13] = cfg.start_speed * u[:, 6:12]
        self.write(self.root, root, mask)
        self.thrust.masked_fill_(mask[:, None], 0.5 * self.most)
        self.last_actions.masked_fill_(mask[:, None], 0.0)

    def compute_observations(self) -> Tensor:
        root = self.root
        quat = root[:, 3:7]
        vectors = [quat_rotate_inverse(quat, v) for v in (self.target - root[:, :3], root[:, 7:10], root[:, 10:13])]
        return torch.cat([*vectors, world_up(quat), self.thrust / self.most, self.actions], dim=-1)


ENTRY = TaskEntry(
    summary="four rotors that learn to fly to a point and hover",
    task=Quadcopter,
    config=QuadcopterConfig(),
    cuda=PpoConfig(num_envs=4096, horizon=16, max_iterations=250, hidden=(128, 64), reward_scale=0.1),
    cpu=PpoConfig(
        num_envs=256, horizon=16, max_iterations=500, hidden=(64, 64), reward_scale=0.1, minibatches=2,
        schedule="linear", learning_rate=1e-3,
    ),
)  # fmt: skip
