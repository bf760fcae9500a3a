"""Robots that learn to run towards a far point: what Ant and Humanoid share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
import warp as wp
from torch import Tensor

from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.sim.kernels import launch
from kilogym.tasks import locomotion_kernels as kernels
from kilogym.tasks.base import Task, Verdict
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

    kernel_modules = (*Task.kernel_modules, kernels)

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
        joints = self.asset.dof_joints()
        gears = {a.joint: a.motor_effort for a in self.asset.actuators}
        self.gears = self.on_device([gears[j.name] for j in joints]) * self.cfg.power  # [D]
        self.gear_share = self.gears / self.gears.max()  # [D]
        self.lower = self.on_device([j.lower for j in joints])  # [D]
        self.upper = self.on_device([j.upper for j in joints])  # [D]
        self.rest_dof_pos = torch.zeros_like(self.lower).clamp(self.lower, self.upper)
        self.start_root = self.sim.root_states.view(self.num_envs, 13).clone()  # [E, 13]
        self.target = wp.vec3(*TARGET)
        self.reward_terms = kernels.RewardTerms()
        for name in ("step_dt", *(f.name for f in fields(LocomotionConfig))):
            if hasattr(self.reward_terms, name):
                setattr(self.reward_terms, name, getattr(self.cfg, name))
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

    def _launch(self, kernel: Any, shape: tuple[int, ...], *args: Any) -> None:
        launch(kernel, shape, list(args), self.device)

    def judge(self) -> Verdict:
        """Rewards as `locomotion_kernels.judge` says; a robot whose torso is too low has failed.

        Measured: forward_speed, of the torso along x over the action [m/s].
        """
        reward, speed = (torch.empty(self.num_envs, device=self.device) for _ in range(2))
        failed = torch.empty(self.num_envs, dtype=torch.bool, device=self.device)
        joints = (self.lower, self.upper, self.gear_share)
        self._launch(
            kernels.judge, (self.num_envs,), self.root, self.dof_states, self.actions, self.last_pos, *joints,
            self.target, self.reward_terms, reward, failed, speed,
        )  # fmt: skip
        return Verdict(reward, failed, {"forward_speed": speed})

    def start_states(self, mask: Tensor) -> None:
        cfg, shape = self.cfg, (self.num_envs, self.num_actions)
        joints = (self.rest_dof_pos, self.lower, self.upper)
        self._launch(
            kernels.start_again, shape, mask, self.start_root, *joints, self.uniform(2, *shape),
            cfg.start_dof_noise, cfg.start_speed_noise, self.root, self.dof_states,
        )  # fmt: skip

    def compute_observations(self) -> Tensor:
        obs = torch.empty(self.num_envs, self.num_obs, device=self.device)
        self._launch(
            kernels.observe, tuple(obs.shape), self.root, self.dof_states, self.actions, self.lower, self.upper,
            self.target, self.cfg.ang_vel_scale, self.cfg.dof_vel_scale, obs,
        )  # fmt: skip
        return obs
