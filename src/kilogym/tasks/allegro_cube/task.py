"""Allegro hand: turn a cube on the palm about the vertical axis, again and again, without dropping it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from kilogym.assets.options import ImportOptions
from kilogym.assets.procedural import make_box
from kilogym.math.rotation import quat_about, quat_rotate
from kilogym.tasks.base import Task, Verdict
from kilogym.tasks.config import PpoConfig, TaskConfig
from kilogym.tasks.registry import TaskEntry
from kilogym.tasks.robots import example_robot, with_drives

FILE = "allegro_hand_description/urdf/allegro_right_hand.urdf"
"""Of example-robot-data."""
HEIGHT = 0.5
"""Of the hand's frame over the env's origin [m]."""
PALM_UP = (0.0, -math.sqrt(0.5), 0.0, math.sqrt(0.5))
"""Turns the palm, the hand's +x, upwards; the fingers, its +z, then point along -x."""
FINGER = (0.0, 0.9, 0.8, 0.7)
"""Joints of each of three fingers at the start, from its root [rad]."""
THUMB = (1.1, 0.4, 0.5, 0.6)
"""The same of the thumb [rad]."""
CUBE_AT = (0.012, 0.02, HEIGHT + 0.062)
"""Where the cube starts, in the env's frame [m]."""


@dataclass(frozen=True)
class AllegroCubeConfig(TaskConfig):
    """Numbers of the task."""

    decimation: int = 3
    spacing: float = 0.6
    episode_length: int = 400
    """Actions after which an episode ends by time-out."""
    cube_side: float = 0.065
    """[m]."""
    cube_density: float = 250.0
    """[kg/m³]."""
    speed: float = 2.0
    """Speed of a joint's target for an action of 1 [rad/s]."""
    lead: float = 0.3
    """A target is at most this far ahead of its joint [rad]."""
    stiffness: float = 3.0
    """Of the drives [N m/rad]."""
    damping: float = 0.1
    """Of the drives [N m s/rad]."""
    effort: float = 0.7
    """Most torque of a drive [N m]."""
    turn_weight: float = 1.0
    """Reward for each rad/s about the vertical axis."""
    max_turn: float = 1.0
    """Faster turning earns no more [rad/s]."""
    drift_cost: float = 0.3
    """Weight of the cube's speed [s/m]."""
    wobble_cost: float = 0.1
    """Weight of the cube's angular speed about horizontal axes [s/rad]."""
    action_cost: float = 0.005
    """Weight of the sum of squared actions."""
    hold_reward: float = 0.1
    """Reward for not having dropped the cube."""
    drop_reward: float = -5.0
    """Reward of the action that drops it."""
    max_distance: float = 0.06
    """The cube is dropped when farther from where it started along any axis [m]."""
    start_dof_noise: float = 0.1
    """Joints start at most this far from their rest [rad]."""


def reward(lin_vel: Tensor, ang_vel: Tensor, actions: Tensor, cfg: AllegroCubeConfig) -> Tensor:
    """hold + turn min(w_z, most) - drift |v| - wobble |w_xy| - cost Σa².

    The idea of a clipped rate of turning is that of Qi, Kumar, Calandra, Ma, Malik, In-hand object rotation via rapid
    motor adaptation, 2022.

    Args:
        lin_vel, ang_vel: Of the cube, world axes, [E, 3] [m/s, rad/s].
        actions: [E, 16].
        cfg: The weights.
    """
    turn = ang_vel[:, 2].clamp(-cfg.max_turn, cfg.max_turn)
    value = cfg.hold_reward + cfg.turn_weight * turn - cfg.drift_cost * lin_vel.norm(dim=-1)
    return value - cfg.wobble_cost * ang_vel[:, :2].norm(dim=-1) - cfg.action_cost * (actions**2).sum(-1)


class AllegroCube(Task):
    """Actor 0 is the hand, actor 1 the cube."""

    def prepare_build(self) -> None:
        self.cfg = cfg = cast(AllegroCubeConfig, self.config)
        options = ImportOptions(
            fix_base_link=True, collapse_fixed_joints=True, disable_gravity=True, angular_damping=0.0
        )
        # the file's friction and damping are of the gears of a heavier model than its torques
        hand = with_drives(
            example_robot(FILE, options), stiffness=cfg.stiffness, damping=cfg.damping, effort=cfg.effort,
            friction=0.01, armature=0.001,
        )  # fmt: skip
        self.hand = hand
        side = cfg.cube_side
        self.cube = make_box(side, side, side, ImportOptions(density=cfg.cube_density, angular_damping=0.0))
        self.num_actions = 16
        self.num_obs = 4 * 16 + 3 + 6 + 6

    def build_env(self, env: int) -> None:
        # the hand's shapes pass through each other, and collide with the cube
        self.sim.create_actor(env, self.hand, (0.0, 0.0, HEIGHT), PALM_UP, filter=1)
        self.sim.create_actor(env, self.cube, CUBE_AT, filter=2)

    def prepare_buffers(self) -> None:
        joints = self.hand.dof_joints()
        rest = dict(zip([f"joint_{k}.0" for k in range(16)], FINGER * 3 + THUMB, strict=True))
        self.rest = self.on_device([rest[j.name] for j in joints])  # [16]
        self.lower, self.upper = self.on_device([j.lower for j in joints]), self.on_device([j.upper for j in joints])
        self.targets = self.rest.repeat(self.num_envs, 1)  # [E, 16]
        self.cube_start = self.cube_state.clone()  # [E, 13]
        self.axes = torch.eye(3, device=self.device)[:2, None]  # [2, 1, 3]

    def task_state(self) -> dict[str, Tensor]:
        return {"targets": self.targets}

    @property
    def cube_state(self) -> Tensor:
        """State of the cube, [E, 13]."""
        return self.root_states[:, 1]

    def apply_actions(self) -> None:
        step = self.cfg.speed * self.cfg.dt
        wish = torch.clamp(self.targets + step * self.actions, self.lower, self.upper)
        pos, lead = self.dof_pos, self.cfg.lead
        self.targets.copy_(torch.maximum(torch.minimum(wish, pos + lead), pos - lead))
        self.sim.set_position_targets(self.targets)

    def refresh(self) -> None:
        self.sim.refresh_root_states()
        self.sim.refresh_dof_states()

    def judge(self) -> Verdict:
        """Fails when the cube is dropped. Measured: turn_rate of the cube about the vertical axis [rad/s]."""
        cube = self.cube_state
        away = (cube[:, :3] - self.cube_start[:, :3]).abs().amax(-1)
        failed = away > self.cfg.max_distance
        value = reward(cube[:, 7:10], cube[:, 10:13], self.actions, self.cfg)
        return Verdict(torch.where(failed, self.cfg.drop_reward, value), failed, {"turn_rate": cube[:, 12].clone()})

    def start_states(self, mask: Tensor) -> None:
        u = self.uniform(self.num_envs, 17)
        start = torch.clamp(self.rest + self.cfg.start_dof_noise * u[:, :16], self.lower, self.upper)
        self.write_dofs_at_rest(start, mask)
        self.write(self.targets, start, mask)
        cube = self.cube_start.clone()
        cube[:, 3:7] = quat_about(2, 0.25 * math.pi * u[:, 16])
        self.write(self.cube_state, cube, mask)

    def compute_observations(self) -> Tensor:
        cube = self.cube_state
        axes = quat_rotate(cube[None, :, 3:7], self.axes)  # the cube's x and y in the world, [2, E, 3]
        joints = [self.dof_pos, 0.1 * self.dof_vel, self.targets - self.dof_pos]
        offset = 10.0 * (cube[:, :3] - self.cube_start[:, :3])
        return torch.cat([*joints, offset, axes[0], axes[1], cube[:, 7:13], self.actions], dim=-1)


ENTRY = TaskEntry(
    summary="Allegro hand that learns to turn a cube on its palm (needs the extra robots)",
    task=AllegroCube,
    config=AllegroCubeConfig(),
    cuda=PpoConfig(
        num_envs=8192, horizon=16, max_iterations=500, epochs=5, hidden=(256, 128, 64), reward_scale=0.1,
        init_std=0.7, gamma=0.98,
    ),
    cpu=PpoConfig(
        num_envs=256, horizon=16, max_iterations=2000, minibatches=2, hidden=(128, 64), reward_scale=0.1, init_std=0.7,
        schedule="linear", learning_rate=1e-3, gamma=0.98,
    ),
)  # fmt: skip
