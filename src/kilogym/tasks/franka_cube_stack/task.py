"""Franka cube stack: grasp the small cube and put it on the large one."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor

from kilogym.assets.asset import Asset, Shape, ShapeKind
from kilogym.assets.options import ImportOptions
from kilogym.assets.procedural import make_box
from kilogym.math.rotation import quat_about, quat_rotate
from kilogym.tasks.base import Verdict
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.franka import ARM, REST, FrankaConfig, FrankaTask
from kilogym.tasks.registry import TaskEntry


@dataclass(frozen=True)
class FrankaCubeStackConfig(FrankaConfig):
    """Rewards are per action. The small cube is the one to be moved."""

    episode_length: int = 200
    """Actions after which an episode ends by time-out."""
    start_dof_noise: float = 0.1
    small: float = 0.05
    """Side of the small cube [m]."""
    large: float = 0.07
    """Side of the large cube [m]."""
    density: float = 400.0
    """Of both cubes [kg/m³]."""
    middle: tuple[float, float] = (0.5, 0.0)
    """Cubes start on opposite sides of a point near this one [m]."""
    spread: float = 0.08
    """That point is at most this far from `middle` along each axis [m]."""
    apart: tuple[float, float] = (0.12, 0.2)
    """Least and most distance of the cubes at the start [m]."""
    near: float = 0.1
    """Distance that earns half of the rewards for reaching and for carrying [m]."""
    reach_weight: float = 0.2
    """Reward for the tool at the small cube."""
    lift_weight: float = 0.3
    """Reward for the small cube as high as the large one, and held."""
    carry_weight: float = 1.0
    """Reward for the small cube at its place on the large one, lifted: half of it for being near, half for `exact`."""
    exact: float = 0.02
    """The small cube is in its place when off by less horizontally, and by half of this vertically [m]."""
    open_weight: float = 0.5
    """Reward for opening the hand once the cube is in its place, on top of what it earned on the way there."""
    leave_weight: float = 1.0
    """Reward for leaving it there, which grows up to the distance `away`."""
    away: float = 0.06
    """The stack is finished when the tool is farther from the small cube [m]."""
    action_cost: float = 0.005
    """Weight of the sum of squared actions."""
    reachable: float = 0.4
    """The episode fails when either cube is farther from `middle` along an axis [m]."""


class Scene(NamedTuple):
    """What rewards look at."""

    tool: Tensor
    """[E, 3] [m]"""
    small: Tensor
    """Its middle, [E, 3] [m]."""
    large: Tensor
    """Its middle, [E, 3] [m]."""
    width: Tensor
    """Of the hand, from its middle to a finger's pad, [E] [m]."""


def from_place(scene: Scene, cfg: FrankaCubeStackConfig) -> Tensor:
    """The small cube from its place on the large one, [E, 3] [m]."""
    offset = scene.small - scene.large
    offset[:, 2] -= 0.5 * (cfg.small + cfg.large)
    return offset


def is_placed(scene: Scene, cfg: FrankaCubeStackConfig) -> Tensor:
    """Whether the small cube is in its place on the large one, held or not, bool [E]."""
    off = from_place(scene, cfg)
    return (off[:, :2].norm(dim=-1) < cfg.exact) & (off[:, 2].abs() < 0.5 * cfg.exact)


def is_stacked(scene: Scene, cfg: FrankaCubeStackConfig) -> Tensor:
    """Whether the small cube stands on the large one and the tool has left it, bool [E]."""
    return is_placed(scene, cfg) & ((scene.tool - scene.small).norm(dim=-1) > cfg.away)


def reward(scene: Scene, actions: Tensor, cfg: FrankaCubeStackConfig) -> Tensor:
    """Of each stage no less than of the one before, so that nothing is lost by going on.

    On the way: reach n(r) + lift h n(r) + carry h (n(c) + n(c near / exact)) / 2, with r the distance of the tool from
    the small cube, c that of the small cube from its place, n(d) = 1 / (1 + (d / near)²), and h the height of the small
    cube over the ground as a share of the large one's side, from 0 to 1: nothing is to be had for a place beside the
    large cube. In its place: reach + lift + carry + open o + leave min(r / away, 1), with o how far the hand is open
    beyond the cube, from 0 to 1. Less cost Σa², always.
    """

    def nearness(distance: Tensor, half: float) -> Tensor:
        return 1.0 / (1.0 + (distance / half) ** 2)

    apart = (scene.tool - scene.small).norm(dim=-1)
    held = nearness(apart, cfg.near)
    height = ((scene.small[:, 2] - 0.5 * cfg.small) / cfg.large).clamp(0.0, 1.0)
    off = from_place(scene, cfg).norm(dim=-1)
    place = 0.5 * (nearness(off, cfg.near) + nearness(off, cfg.exact))
    on_the_way = (cfg.reach_weight + cfg.lift_weight * height) * held + cfg.carry_weight * height * place
    opened = ((scene.width - 0.5 * cfg.small) / (REST[-1] - 0.5 * cfg.small)).clamp(0.0, 1.0)
    left = (apart / cfg.away).clamp(max=1.0)
    there = cfg.reach_weight + cfg.lift_weight + cfg.carry_weight + cfg.open_weight * opened + cfg.leave_weight * left
    return torch.where(is_placed(scene, cfg), there, on_the_way) - cfg.action_cost * (actions**2).sum(-1)


def with_gripper_shapes(arm: Asset) -> Asset:
    """The arm with a box around its hand and the boxes of the fingers' pads as its only collision shapes.

    Boxes are those of the file for the pads, and of the extents of its mesh for the hand.
    """
    names = [link.name for link in arm.links]
    turned = (0.0, 0.0, math.sin(-math.pi / 8), math.cos(-math.pi / 8))
    shapes = [Shape(names.index("panda_link7"), ShapeKind.BOX, (0.031, 0.102, 0.046), (0.0, 0.0, 0.127), turned)]
    for name, side in (("panda_leftfinger", 1.0), ("panda_rightfinger", -1.0)):
        pad = (0.00875, 0.0076, 0.00925)
        shapes.append(Shape(names.index(name), ShapeKind.BOX, pad, (0.0, 0.00758 * side, 0.04525)))
    return dataclasses.replace(arm, shapes=tuple(shapes))


class FrankaCubeStack(FrankaTask):
    """Actor 0 is the arm, 1 the small cube, 2 the large one. Action 7 opens (1) and closes (-1) the hand."""

    cfg: FrankaCubeStackConfig

    def prepare_build(self) -> None:
        super().prepare_build()
        cfg = self.cfg = cast(FrankaCubeStackConfig, self.config)
        self.arm = with_gripper_shapes(self.arm)
        options = ImportOptions(density=cfg.density, angular_damping=0.0)
        self.cubes = [make_box(side, side, side, options) for side in (cfg.small, cfg.large)]
        self.num_actions = 8
        self.num_obs = 3 * 9 + 3 * 3 + 4 * 3 + 3 + 3 + self.num_actions

    def build_env(self, env: int) -> None:
        self.sim.create_actor(env, self.arm, filter=1)  # the hand and the fingers pass through each other
        for cube, side, y in zip(self.cubes, (self.cfg.small, self.cfg.large), (0.1, -0.1), strict=True):
            x = self.cfg.middle[0]
            self.sim.create_actor(env, cube, (x, self.cfg.middle[1] + y, 0.5 * side), filter=2 if y > 0 else 4)

    def prepare_buffers(self) -> None:
        super().prepare_buffers()
        self.middle = self.on_device(self.cfg.middle)
        self.cube_start = self.root_states[:, 1:].clone()  # [E, 2, 13]
        self.axes = torch.eye(3, device=self.device)[:2, None]  # [2, 1, 3]

    def apply_actions(self) -> None:
        self.move_targets(0.5 * REST[-1] * (1.0 + self.actions[:, ARM:]))

    def look(self) -> Scene:
        """Where things are, of the states as last refreshed."""
        width = self.dof_pos[:, ARM:].mean(dim=-1)
        return Scene(self.tool(), self.root_states[:, 1, :3], self.root_states[:, 2, :3], width)

    def judge(self) -> Verdict:
        """Fails when a cube is out of reach. Measured: shares of envs stacked, placed, lifted; reach, distance [m]."""
        cfg, scene = self.cfg, self.look()
        away = (self.root_states[:, 1:, :2] - self.middle).abs().amax((1, 2))
        failed = away > cfg.reachable
        value = torch.where(failed, 0.0, reward(scene, self.actions, cfg))
        metrics = {
            "stacked": is_stacked(scene, cfg).float(),
            "placed": is_placed(scene, cfg).float(),
            "lifted": (scene.small[:, 2] > 0.5 * cfg.small + 0.03).float(),
            "reach": (scene.tool - scene.small).norm(dim=-1),
        }
        return Verdict(value, failed, metrics)

    def start_states(self, mask: Tensor) -> None:
        self.start_arm(mask)
        cfg, u = self.cfg, self.uniform(self.num_envs, 6)
        cubes = self.cube_start.clone()
        angle = math.pi * u[:, 0]
        least, most = cfg.apart
        half = 0.25 * (least + most + (most - least) * u[:, 1])
        offset = half[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
        point = self.middle + cfg.spread * u[:, 2:4]
        cubes[:, 0, :2], cubes[:, 1, :2] = point + offset, point - offset
        cubes[:, :, 3:7] = quat_about(2, 0.25 * math.pi * u[:, 4:6])
        self.write(self.root_states[:, 1:], cubes, mask)

    def compute_observations(self) -> Tensor:
        self.sim.refresh_body_states()  # of the envs that just started again
        scene = self.look()
        vectors = [scene.tool, scene.small - scene.tool, scene.large - scene.small]
        for quat in (self.left[:, 3:7], self.root_states[:, 1, 3:7]):
            vectors += quat_rotate(quat[None], self.axes).unbind(0)  # x and y of the hand, of the small cube
        vectors.append(quat_rotate(self.root_states[:, 2, 3:7], self.axes[0]))
        vectors.append(self.root_states[:, 1, 7:10])
        return torch.cat([*self.arm_observations(), *vectors, self.actions], dim=-1)


ENTRY = TaskEntry(
    summary="Panda arm that learns to put one cube on another (needs the extra robots)",
    task=FrankaCubeStack,
    config=FrankaCubeStackConfig(),
    cuda=PpoConfig(
        num_envs=8192, horizon=32, max_iterations=1500, epochs=5, minibatches=8, hidden=(256, 128, 64),
        reward_scale=0.1, learning_rate=5e-4,
    ),
    cpu=PpoConfig(
        num_envs=256, horizon=32, max_iterations=3000, minibatches=4, hidden=(128, 64), reward_scale=0.1,
        schedule="linear", learning_rate=1e-3,
    ),
)  # fmt: skip
