"""The Panda arm that several tasks move: its asset, its pose at rest, its tool point, its joint targets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from kilogym.assets.asset import Asset
from kilogym.assets.options import ImportOptions
from kilogym.math.rotation import quat_rotate
from kilogym.tasks.base import Task
from kilogym.tasks.config import TaskConfig
from kilogym.tasks.robots import example_robot, with_drives

FILE = "panda_description/urdf/panda.urdf"
"""Of example-robot-data."""
ARM = 7
"""Joints of the arm; two fingers follow."""
REST = (0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785, 0.04, 0.04)
"""Joints at rest: the hand in front of the robot, pointing down, open [rad, m]."""
FINGER = 0.045
"""From a finger's frame to the middle of its pad, along the hand's z [m]."""


@dataclass(frozen=True)
class FrankaConfig(TaskConfig):
    """Numbers of every task with the arm."""

    decimation: int = 2
    spacing: float = 2.0
    speed: float = 1.5
    """Speed of a joint's target for an action of 1 [rad/s]."""
    arm_stiffness: float = 400.0
    """Of the arm's drives [N m/rad]."""
    arm_damping: float = 40.0
    """Of the arm's drives [N m s/rad]."""
    finger_stiffness: float = 1000.0
    """Of each finger's drive [N/m]."""
    finger_damping: float = 50.0
    """Of each finger's drive [N s/m]."""
    dof_vel_scale: float = 0.2
    """Factor on joint speeds in the observations."""
    start_dof_noise: float = 0.2
    """Joints of the arm start at most this far from rest [rad]."""


def panda(cfg: FrankaConfig) -> Asset:
    """The arm with position drives on a fixed base, without collision shapes.

    Gravity does not act on it: the robot's own controller compensates its weight.
    """
    options = ImportOptions(fix_base_link=True, collapse_fixed_joints=True, disable_gravity=True, angular_damping=0.0)
    asset = example_robot(FILE, options)
    names = asset.dof_names()
    gains = {}
    for field in ("stiffness", "damping"):
        arm, finger = getattr(cfg, f"arm_{field}"), getattr(cfg, f"finger_{field}")
        gains[field] = {name: arm if k < ARM else finger for k, name in enumerate(names)}
    return dataclasses.replace(with_drives(asset, **gains), shapes=())


class FrankaTask(Task):
    """Actor 0 is the arm. Actions 0:7 move the targets of the arm's joints; what moves the fingers is the task's."""

    def prepare_build(self) -> None:
        self.cfg = cast(FrankaConfig, self.config)
        self.arm = panda(self.cfg)
        self.sim.add_ground()

    def prepare_buffers(self) -> None:
        joints = self.arm.dof_joints()
        self.lower = self.on_device([j.lower for j in joints])  # [9]
        self.upper = self.on_device([j.upper for j in joints])  # [9]
        self.rest = self.on_device(REST)  # [9]
        self.targets = self.rest.repeat(self.num_envs, 1)  # [E, 9]
        bodies = self.sim.body_states.view(self.num_envs, -1, 13)
        names = [link.name for link in self.arm.links]
        left, right = names.index("panda_leftfinger"), names.index("panda_rightfinger")
        self.left, self.right = bodies[:, left], bodies[:, right]  # [E, 13]
        self.pad = self.on_device([0.0, 0.0, FINGER])

    def task_state(self) -> dict[str, Tensor]:
        return {"targets": self.targets}

    def move_targets(self, fingers: Tensor | float) -> None:
        """Move the arm's targets as the actions say, and set both fingers', [E, 1] [m]."""
        step = self.cfg.speed * self.cfg.dt
        arm = self.targets[:, :ARM]
        arm.copy_(torch.clamp(arm + step * self.actions[:, :ARM], self.lower[:ARM], self.upper[:ARM]))
        self.targets[:, ARM:] = fingers
        self.sim.set_position_targets(self.targets)

    def refresh(self) -> None:
        self.sim.refresh_root_states()
        self.sim.refresh_dof_states()
        self.sim.refresh_body_states()

    def tool(self) -> Tensor:
        """The point between the fingers' pads, [E, 3] [m]; of the body states as last refreshed."""
        middle = 0.5 * (self.left[:, :3] + self.right[:, :3])
        return middle + quat_rotate(self.left[:, 3:7], self.pad)

    def start_arm(self, mask: Tensor) -> None:
        """The arm near its rest, at rest, where `mask`."""
        start = self.rest.repeat(self.num_envs, 1)
        start[:, :ARM] += self.cfg.start_dof_noise * self.uniform(self.num_envs, ARM)
        start = torch.clamp(start, self.lower, self.upper)
        self.write_dofs_at_rest(start, mask)
        self.write(self.targets, start, mask)

    def arm_observations(self) -> list[Tensor]:
        """Of every joint its share of the range, scaled speed, how far its target is ahead, [E, 9] each."""
        middle, half = 0.5 * (self.upper + self.lower), 0.5 * (self.upper - self.lower)
        return [(self.dof_pos - middle) / half, self.cfg.dof_vel_scale * self.dof_vel, self.targets - self.dof_pos]
