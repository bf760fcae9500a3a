"""ANYmal C on rough ground that gets harder as it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from kilogym.scene.terrain import HeightField
from kilogym.tasks.base import Verdict
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.quadruped import Quadruped, QuadrupedConfig
from kilogym.tasks.registry import TaskEntry
from kilogym.tasks.rough_ground import KINDS, PITCH, ground

SCAN_X = tuple(0.16 * k for k in range(-5, 6))
"""Where the ground's height is seen, in the base's heading frame, forward [m]."""
SCAN_Y = tuple(0.16 * k for k in range(-3, 4))
"""The same, to the left [m]."""
STANDING = 0.52
"""Height of the base over the ground when it stands [m]."""


@dataclass(frozen=True)
class AnymalRoughConfig(QuadrupedConfig):
    """What differs from flat ground."""

    spacing: float = 0.0
    """All envs are on one field, each at its place."""
    tilt_cost: float = 0.2
    bounce_cost: float = 1.0
    levels: int = 8
    """Tiles of each kind, from the easiest to the hardest."""
    tile: float = 8.0
    """Side of a tile [m]."""
    border: float = 10.0
    """Width of the flat border around the field [m]."""
    ground_seed: int = 0
    """Of the field's noise and blocks."""
    start_level: int = 2
    """The first episodes are on levels drawn from 0 to this."""
    curriculum: bool = True
    """Whether an env's level follows how far its robot walks; otherwise it stays what it was drawn to be."""
    start_spread: float = 0.5
    """Robots start at most this far from the middle of a tile along each axis [m]."""


def next_level(level: Tensor, moved: Tensor, asked: Tensor, tile: float, levels: int, drawn: Tensor) -> Tensor:
    """Levels of the next episodes, int64 [E].

    One up for who has left the tile, one down for who walked less than half of what was asked; who leaves the hardest
    goes to a level drawn. Source of the rule: Rudin et al. 2022.

    Args:
        level: Of the episode that ends, int64 [E].
        moved: Distance between its start and its end, [E] [m].
        asked: Distance that the command asked for, [E] [m].
        tile: Side of a tile [m].
        levels: Their number.
        drawn: Levels drawn, int64 [E].
    """
    up = moved > 0.5 * tile
    down = ~up & (moved < 0.5 * asked)
    new = (level + up.long() - down.long()).clamp(min=0)
    return torch.where(new >= levels, drawn, new)


class AnymalRough(Quadruped):
    """Env e walks on kind e modulo their number."""

    cfg: AnymalRoughConfig

    def add_ground(self) -> None:
        cfg = self.cfg = cast(AnymalRoughConfig, self.config)
        if cfg.levels < 2 or not 0 <= cfg.start_level < cfg.levels:
            raise ValueError(
                f"levels: expected at least 2, start_level from 0 to levels - 1; got {cfg.levels}, {cfg.start_level}"
            )
        self.ground = ground(cfg.levels, cfg.tile, cfg.border, cfg.ground_seed)
        corner = (*self.ground.corner, 0.0)
        self.sim.add_terrain(HeightField(self.ground.heights, (PITCH, PITCH), corner))

    def prepare_build(self) -> None:
        super().prepare_build()
        self.num_obs += len(SCAN_X) * len(SCAN_Y)

    def prepare_buffers(self) -> None:
        super().prepare_buffers()
        count = self.num_envs
        on: dict[str, Any] = {"device": self.device}
        self.heights = torch.tensor(self.ground.heights, dtype=torch.float32, **on)  # [X, Y]
        self.corner = self.on_device(self.ground.corner)
        self.starts = torch.tensor(self.ground.starts, dtype=torch.float32, **on)  # [levels, kinds, 3]
        grid = torch.meshgrid(self.on_device(SCAN_X), self.on_device(SCAN_Y), indexing="ij")
        self.scan = torch.stack(grid, dim=-1).view(-1, 2)  # [S, 2]
        self.kind = torch.arange(count, **on) % len(KINDS)
        self.level = self.draw_levels(self.cfg.start_level + 1)
        self.start_pos = self.root[:, :2].clone()  # [E, 2]

    def task_state(self) -> dict[str, Tensor]:
        return {**super().task_state(), "level": self.level, "start_pos": self.start_pos}

    def draw_levels(self, count: int) -> Tensor:
        """A level from 0 to count - 1 for each env, int64 [E]."""
        share = 0.5 + 0.5 * self.uniform(self.num_envs)
        return (share * count).long().clamp(max=count - 1)

    def height_at(self, pos: Tensor) -> Tensor:
        """Height of the sample nearest to a horizontal position [..., 2] [m]; the border goes on outside."""
        cell = torch.round((pos - self.corner) / PITCH).long()
        x = cell[..., 0].clamp(0, self.heights.shape[0] - 1)
        y = cell[..., 1].clamp(0, self.heights.shape[1] - 1)
        return self.heights[x, y]

    def height_scan(self) -> Tensor:
        """Height of the ground around the base, over that of the ground it would stand on, within ±1 m, [E, S]."""
        quat = self.root[:, 3:7]
        # the heading is that of the base's x axis, seen from above
        x, y, z, w = quat.unbind(-1)
        heading = torch.stack([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z)], dim=-1)
        heading = heading / heading.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        c, s = heading[:, None, 0], heading[:, None, 1]
        px, py = self.scan[None, :, 0], self.scan[None, :, 1]
        points = self.root[:, None, :2] + torch.stack([c * px - s * py, s * px + c * py], dim=-1)
        return (self.height_at(points) - self.root[:, None, 2] + STANDING).clamp(-1.0, 1.0)

    def judge(self) -> Verdict:
        """As on flat ground; whoever falls off the field fails too. Measured also: level."""
        verdict = super().judge()
        failed = verdict.failed | (self.root[:, 2] < self.height_at(self.root[:, :2]) - 1.0)
        return Verdict(verdict.reward, failed, {**verdict.metrics, "level": self.level.float()})

    def start_states(self, mask: Tensor) -> None:
        cfg = self.cfg
        if cfg.curriculum:
            moved = (self.root[:, :2] - self.start_pos).norm(dim=-1)
            asked = self.command[:, :2].norm(dim=-1) * self.episode_length * cfg.step_dt
            level = next_level(self.level, moved, asked, cfg.tile, cfg.levels, self.draw_levels(cfg.levels))
            self.write(self.level, level, mask)
        super().start_states(mask)
        start = self.starts[self.level, self.kind]
        pos = start[:, :2] + cfg.start_spread * self.uniform(self.num_envs, 2)
        self.write(self.start_pos, pos, mask)
        self.write(self.root[:, :2], pos, mask)
        height = start[:, 2] + cfg.start_height
        self.write(self.root[:, 2], height, mask)

    def compute_observations(self) -> Tensor:
        return torch.cat([super().compute_observations(), self.height_scan()], dim=-1)


ENTRY = TaskEntry(
    summary="ANYmal C that learns to walk on slopes, stairs and blocks (needs the extra robots)",
    task=AnymalRough,
    config=AnymalRoughConfig(),
    cuda=PpoConfig(
        num_envs=4096, horizon=24, max_iterations=600, epochs=5, hidden=(256, 128, 64), reward_scale=0.02,
        entropy_coef=0.003, learning_rate=1e-3, init_std=0.5,
    ),
    cpu=PpoConfig(
        num_envs=256, horizon=24, max_iterations=1500, epochs=5, minibatches=2, hidden=(128, 64), reward_scale=0.02,
        learning_rate=1e-3, init_std=0.5,
    ),
)  # fmt: skip
