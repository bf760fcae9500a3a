"""Robots that learn to run towards a far point: what Ant and Humanoid share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.tasks import locomotion_terms as terms
from kilogym.tasks.base import Task
from kilogym.tasks.config import TaskConfig

TARGET = (1000.0, 0.0, 0.0)
"""Where to run [m]: too far to be reached in an episode, so that the direction hardly turns."""


@dataclass(frozen=True)
class LocomotionConfig(TaskConfig):
    """Rewards are per action. The defaults are Ant's."""

    heading_weight: float = 0.5
    """Reward for facing the target."""
    up_weight: float = 0.1
    """Reward for holding the torso upright."""
    alive_reward: float = 0.5
    """Reward for not having fallen."""
    action_cost: float = 0.005
    """Weight of the sum of squared actions."""
    energy_cost: float = 0.05
    """Weight of the motors' power."""
    limit_cost: float = 0.1
    """Weight of joints at their stops."""
    fall_reward: float = -2.0
    """Reward of the action that ends in a fall, instead of everything else."""
    fall_height: float = 0.31
    """Height of the torso below which the robot has fallen [m]."""
    start_height: float = 0.48
    """Height of the torso at the start [m]."""
    start_dof_noise: float = 0.2
    """Joint positions at the start differ by at most this from the rest position [rad]."""
    start_speed_noise: float = 0.1
    """Joint speeds at the start are at most this [rad/s]."""
    power: float = 1.0
    """Factor on all motors' torques."""
    dof_vel_scale: float = 0.2
    """Factor on joint speeds in the observations and in the energy cost."""
    ang_vel_scale: float = 0.25
    """Factor on the torso's angular velocity in the observations."""
    self_collisions: bool = False
    """Whether the robot's limbs collide with each other."""


class LocomotionTask(Task):
    """One robot per env; actions are motor torques as shares of the motors' gears, in DOF order."""

    robot: Path
    """The robot's MJCF file; a motor on every DOF."""

    def prepare_build(self) -> None:
        self.cfg = cast(LocomotionConfig, self.config)
        self.asset = load_asset(self.robot.parent, self.robot.name, ImportOptions(angular_damping=0.0))
        self.sim.add_ground()
        self.num_actions = self.asset.num_dofs
        self.num_obs = 13 + 3 * self.num_actions

    def build_env(self, env: int) -> None:
        filter = -1 if self.cfg.self_collisions else 1
        self.sim.create_actor(env, self.asset, (0.0, 0.0, self.cfg.start_height), filter=filter)

    def prepare_buffers(self) -> None:
        def on_device(values: list[float]) -> Tensor:
            return torch.tensor(np.array(values, dtype=np.float32), device=self.device)

        joints = self.asset.dof_joints()
        gears = {a.joint: a.motor_effort for a in self.asset.actuators}
        self.gears = on_device([gears[j.name] for j in joints]) * self.cfg.power  # [D]
        self.gear_share = self.gears / self.gears.max()  # [D]
        self.lower = on_device([j.lower for j in joints])  # [D]
        self.upper = on_device([j.upper for j in joints])  # [D]
        self.rest_dof_pos = torch.zeros_like(self.lower).clamp(self.lower, self.upper)
        self.start_root = self.sim.root_states.view(self.num_envs, 13).clone()  # [E, 13]
        self.target = torch.tensor(TARGET, device=self.device)  # [3]
        self.last_pos = torch.zeros(self.num_envs, 3, device=self.device)  # torso before the action [E, 3]

    def task_state(self) -> dict[str, Tensor]:
        return {"last_pos": self.last_pos}

    @property
    def root(self) -> Tensor:
        """State of the torso, [E, 13]."""
        return self.root_states[:, 0]

    def apply_actions(self) -> None:
        self.last_pos.copy_(self.root[:, :3])
        self.sim.set_actuation_forces(self.actions * self.gears)

    def refresh(self) -> None:
        self.sim.refresh_root_states()
        self.sim.refresh_dof_states()

    def rewards(self) -> Tensor:
        """progress + alive + upright + heading - costs, or `fall_reward` for a robot that has fallen.

        Progress is the speed towards the target [m/s]. The terms are in `locomotion_terms`.
        """
        cfg = self.cfg
        direction = terms.target_direction(self.root[:, :3], self.target)
        quat = self.root[:, 3:7]
        heading = terms.rotate_inverse(quat, direction)[:, 0]
        dof_scaled = terms.scale_to_limits(self.dof_pos, self.lower, self.upper)
        reward = (
            terms.progress(self.root[:, :3] - self.last_pos, direction, cfg.step_dt)
            + cfg.alive_reward
            + terms.upright_reward(terms.up_axis(quat)[:, 2], cfg.up_weight)
            + terms.heading_reward(heading, cfg.heading_weight)
            - cfg.action_cost * terms.action_cost(self.actions)
            - cfg.energy_cost
            * terms.energy_cost(self.actions, self.dof_vel * cfg.dof_vel_scale, self.gear_share)
            - cfg.limit_cost * terms.limit_cost(dof_scaled, self.gear_share)
        )
        return torch.where(self.failed(), cfg.fall_reward, reward)

    def failed(self) -> Tensor:
        return self.root[:, 2] < self.cfg.fall_height

    def metrics(self) -> dict[str, Tensor]:
        """forward_speed: of the torso along x over the action [m/s]."""
        return {"forward_speed": (self.root[:, 0] - self.last_pos[:, 0]) / self.config.step_dt}

    def start_states(self, mask: Tensor) -> None:
        cfg, pick = self.cfg, mask.unsqueeze(-1)
        shape = (self.num_envs, self.num_actions)
        pos = self.rest_dof_pos + cfg.start_dof_noise * self.uniform(*shape)
        vel = cfg.start_speed_noise * self.uniform(*shape)
        self.root.copy_(torch.where(pick, self.start_root, self.root))
        self.dof_pos.copy_(torch.where(pick, pos.clamp(self.lower, self.upper), self.dof_pos))
        self.dof_vel.copy_(torch.where(pick, vel, self.dof_vel))

    def compute_observations(self) -> Tensor:
        cfg, quat = self.cfg, self.root[:, 3:7]
        direction = terms.target_direction(self.root[:, :3], self.target)
        return terms.observe(
            height=self.root[:, 2],
            lin_vel_b=terms.rotate_inverse(quat, self.root[:, 7:10]),
            ang_vel_b=terms.rotate_inverse(quat, self.root[:, 10:13]),
            up_b=terms.up_axis(quat),
            target_b=terms.rotate_inverse(quat, direction),
            dof_scaled=terms.scale_to_limits(self.dof_pos, self.lower, self.upper),
            dof_vel=self.dof_vel,
            actions=self.actions,
            ang_vel_scale=cfg.ang_vel_scale,
            dof_vel_scale=cfg.dof_vel_scale,
        )
