"""ANYmal C following velocity commands: what the tasks on flat and on rough ground share.

The kinds of terms are those of Rudin, Hoeller, Reist, Hutter, Learning to walk in minutes using massively parallel deep
reinforcement learning, 2022; the weights and the rest are ours.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from kilogym.assets.asset import Asset, Shape, ShapeKind
from kilogym.assets.options import ImportOptions
from kilogym.math.rotation import quat_about, quat_rotate_inverse, world_up
from kilogym.tasks.base import Task, Verdict
from kilogym.tasks.config import TaskConfig
from kilogym.tasks.robots import example_robot, with_drives

FILE = "anymal_c_simple_description/urdf/anymal.urdf"
"""Of example-robot-data."""
STANCE = {"LF": (0.0, 0.4, -0.8), "LH": (0.0, -0.4, 0.8), "RF": (0.0, 0.4, -0.8), "RH": (0.0, -0.4, 0.8)}
"""Each leg's HAA, HFE, KFE when it stands; knees point inwards [rad]."""


@dataclass(frozen=True)
class QuadrupedConfig(TaskConfig):
    """Weights are per action."""

    dt: float = 0.02
    spacing: float = 2.0
    episode_length: int = 1000
    """Actions after which an episode ends by time-out."""
    command_interval: int = 250
    """Actions after which a new command is drawn."""
    max_command: tuple[float, float, float] = (1.0, 0.6, 1.0)
    """Commands forward, left [m/s] and turning left [rad/s] are at most this."""
    action_scale: float = 1.0
    """Offset of a joint's target from the stance for an action of 1 [rad]."""
    stiffness: float = 80.0
    """Of the drives [N m/rad]."""
    damping: float = 2.0
    """Of the drives [N m s/rad]."""
    tracking_width: float = 0.25
    """Squared error of the velocity at which its reward has fallen to 1/e [m²/s², rad²/s²]."""
    velocity_weight: float = 1.0
    """Reward for following the command's velocity."""
    turning_weight: float = 0.5
    """Reward for following the command's turning."""
    bounce_cost: float = 2.0
    """Weight of the squared vertical velocity."""
    sway_cost: float = 0.05
    """Weight of the squared angular velocity about x and y."""
    tilt_cost: float = 1.0
    """Weight of the squared sine of the tilt."""
    torque_cost: float = 2e-5
    """Weight of the sum of squared torques [1/(N m)²]."""
    acceleration_cost: float = 2.5e-7
    """Weight of the sum of squared joint accelerations [s⁴/rad²]."""
    change_cost: float = 0.01
    """Weight of the sum of squared changes of the actions."""
    thigh_cost: float = 0.5
    """Cost of each thigh that touches something."""
    step_weight: float = 0.5
    """Reward for each second beyond `step_time` that a foot was in the air when it comes down."""
    step_time: float = 0.4
    """Time in the air that a step should take at least [s]."""
    start_height: float = 0.6
    """Height of the base at the start [m]."""
    start_dof_noise: float = 0.2
    """Joints start at most this far from the stance [rad]."""
    start_speed: float = 0.3
    """The base's velocity along each axis at the start is at most this [m/s]."""


def anymal(cfg: QuadrupedConfig) -> Asset:
    """ANYmal C with position drives; of its 45 shapes the feet, the thighs' and the trunk's boxes are kept."""
    options = ImportOptions(collapse_fixed_joints=True, density=0.001, angular_damping=0.0)
    asset = with_drives(example_robot(FILE, options), stiffness=cfg.stiffness, damping=cfg.damping)
    trunk = next(s for s in asset.shapes if s.link == 0 and s.kind is ShapeKind.BOX)

    def kept(shape: Shape) -> bool:
        name = asset.links[shape.link].name
        if name.endswith("SHANK"):
            return shape.kind is ShapeKind.SPHERE
        return shape is trunk or (name.endswith("THIGH") and shape.kind is ShapeKind.BOX)

    return dataclasses.replace(asset, shapes=tuple(filter(kept, asset.shapes)))


def tracking(command: Tensor, lin_vel: Tensor, ang_vel: Tensor, cfg: QuadrupedConfig) -> Tensor:
    """w_v exp(-|v* - v|² / s) + w_t exp(-(t* - t)² / s), in the base's axes.

    Args:
        command: Forward, left, turning, [E, 3] [m/s, rad/s].
        lin_vel: [E, 3] [m/s]. ang_vel: [E, 3] [rad/s].
        cfg: Weights w and width s.
    """
    velocity = ((command[:, :2] - lin_vel[:, :2]) ** 2).sum(-1)
    turning = (command[:, 2] - ang_vel[:, 2]) ** 2
    follow = cfg.velocity_weight * torch.exp(-velocity / cfg.tracking_width)
    return follow + cfg.turning_weight * torch.exp(-turning / cfg.tracking_width)


def base_costs(lin_vel: Tensor, ang_vel: Tensor, up: Tensor, cfg: QuadrupedConfig) -> Tensor:
    """bounce v_z² + sway (w_x² + w_y²) + tilt (u_x² + u_y²), in the base's axes, [E, 3] each; u is world up."""
    cost = cfg.bounce_cost * lin_vel[:, 2] ** 2 + cfg.sway_cost * (ang_vel[:, :2] ** 2).sum(-1)
    return cost + cfg.tilt_cost * (up[:, :2] ** 2).sum(-1)


class Quadruped(Task):
    """Actions are offsets of the 12 joints' targets from the stance."""

    def prepare_build(self) -> None:
        self.cfg = cast(QuadrupedConfig, self.config)
        self.asset = anymal(self.cfg)
        self.add_ground()
        self.num_actions = 12
        self.num_obs = 12 + 3 * self.num_actions

    def add_ground(self) -> None:
        """Add what the robot walks on."""
        self.sim.add_ground()

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.asset, (0.0, 0.0, self.cfg.start_height), filter=1)

    def prepare_buffers(self) -> None:
        count = self.num_envs
        on: dict[str, Any] = {"device": self.device}
        names = self.asset.dof_names()
        order = {"HAA": 0, "HFE": 1, "KFE": 2}
        stance = [STANCE[name[:2]][order[name[3:]]] for name in names]
        self.stance = self.on_device(stance)  # [12]
        self.effort = self.on_device([j.effort for j in self.asset.dof_joints()])  # [12]
        links = [link.name for link in self.asset.links]
        forces = self.sim.contact_forces.view(count, -1, 3)
        self.base_force = forces[:, 0]  # [E, 3]
        first = len(links) - 12
        legs = [f"{leg}_{part}" for leg in STANCE for part in ("HIP", "THIGH", "SHANK")]
        if links[first:] != legs:
            raise ValueError(f"{FILE}: expected the links {legs} at the end, got {links}")
        self.thigh_forces, self.foot_forces = forces[:, first + 1 :: 3], forces[:, first + 2 :: 3]  # [E, 4, 3]
        self.start_root = self.root.clone()  # [E, 13]
        self.max_command = self.on_device(self.cfg.max_command)
        self.command = torch.zeros(count, 3, **on)
        self.last_actions = torch.zeros(count, 12, **on)
        self.last_dof_vel = torch.zeros(count, 12, **on)
        self.air_time = torch.zeros(count, 4, **on)  # of each foot since it last touched [s]

    def task_state(self) -> dict[str, Tensor]:
        names = ("command", "last_actions", "last_dof_vel", "air_time")
        return {name: getattr(self, name) for name in names}

    @property
    def root(self) -> Tensor:
        """State of the base, [E, 13]."""
        return self.root_states[:, 0]

    def apply_actions(self) -> None:
        self.sim.set_position_targets(self.stance + self.cfg.action_scale * self.actions)

    def refresh(self) -> None:
        self.sim.refresh_root_states()
        self.sim.refresh_dof_states()
        self.sim.refresh_contact_forces()

    def base_motion(self) -> tuple[Tensor, Tensor, Tensor]:
        """Velocity [m/s], angular velocity [rad/s] and world up in the base's axes, [E, 3] each."""
        quat = self.root[:, 3:7]
        lin, ang = (quat_rotate_inverse(quat, self.root[:, k : k + 3]) for k in (7, 10))
        return lin, ang, world_up(quat)

    def joint_costs(self) -> Tensor:
        """Costs of torque, acceleration and change of the actions, [E]; moves the last ones on."""
        cfg = self.cfg
        error = self.stance + cfg.action_scale * self.actions - self.dof_pos
        torque = torch.clamp(cfg.stiffness * error - cfg.damping * self.dof_vel, -self.effort, self.effort)
        acceleration = (self.dof_vel - self.last_dof_vel) / cfg.step_dt
        cost = cfg.torque_cost * (torque**2).sum(-1) + cfg.acceleration_cost * (acceleration**2).sum(-1)
        cost = cost + cfg.change_cost * ((self.actions - self.last_actions) ** 2).sum(-1)
        self.last_dof_vel.copy_(self.dof_vel)
        self.last_actions.copy_(self.actions)
        return cost

    def step_reward(self) -> Tensor:
        """Reward of feet that come down now, by their time in the air, if there is a command to move, [E]."""
        cfg, touching = self.cfg, self.foot_forces[..., 2] > 1.0
        landed = touching & (self.air_time > 0.0)
        self.air_time.add_(cfg.step_dt)
        value = ((self.air_time - cfg.step_time) * landed).sum(-1) * (self.command[:, :2].norm(dim=-1) > 0.1)
        self.air_time.masked_fill_(touching, 0.0)
        return cfg.step_weight * value

    def judge(self) -> Verdict:
        """The sum of all terms, at least 0: more costs than rewards would teach to fall early.

        Fails when the base touches something or lies on its side. Measured: forward_speed [m/s] in the base's axes;
        error of the horizontal velocity [m/s].
        """
        cfg = self.cfg
        lin, ang, up = self.base_motion()
        thighs = (self.thigh_forces.norm(dim=-1) > 1.0).sum(-1)
        value = tracking(self.command, lin, ang, cfg) + self.step_reward() - base_costs(lin, ang, up, cfg)
        value = torch.clamp(value - self.joint_costs() - cfg.thigh_cost * thighs, min=0.0)
        failed = (self.base_force.norm(dim=-1) > 1.0) | (up[:, 2] < 0.3)
        error = (self.command[:, :2] - lin[:, :2]).norm(dim=-1)
        # commands change after they have been judged by; what is seen next is the new one
        fresh = (self.episode_length + 1) % cfg.command_interval == 0
        self.draw_commands(fresh)
        return Verdict(torch.where(failed, 0.0, value), failed, {"velocity_error": error, "forward_speed": lin[:, 0]})

    def draw_commands(self, mask: Tensor) -> None:
        """A new command where `mask`."""
        fresh = self.max_command * self.uniform(self.num_envs, 3)
        self.write(self.command, fresh, mask)

    def start_states(self, mask: Tensor) -> None:
        cfg, u = self.cfg, self.uniform(self.num_envs, 16)
        pos = self.stance + cfg.start_dof_noise * u[:, :12]
        self.write_dofs_at_rest(pos, mask)
        root = self.start_root.clone()
        root[:, 3:7] = quat_about(2, math.pi * u[:, 12])
        root[:, 7:10] = cfg.start_speed * u[:, 13:16]
        self.write(self.root, root, mask)
        self.draw_commands(mask)
        for name in ("last_actions", "last_dof_vel", "air_time"):
            getattr(self, name).masked_fill_(mask[:, None], 0.0)

    def compute_observations(self) -> Tensor:
        lin, ang, up = self.base_motion()
        return torch.cat(
            [lin, ang, up, self.command, self.dof_pos - self.stance, 0.1 * self.dof_vel, self.actions], dim=-1
        )
