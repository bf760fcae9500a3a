"""The rough field, its levels, and what the robot sees of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kilogym.math.rotation import quat_about
from kilogym.tasks.anymal_rough.task import SCAN_X, SCAN_Y, STANDING, AnymalRough, AnymalRoughConfig, next_level
from kilogym.tasks.registry import make_task
from kilogym.tasks.rough_ground import KINDS, PITCH, PLATFORM, TREAD, ground, tile


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_tiles_end_at_zero_and_have_a_flat_middle(kind: str, difficulty: float) -> None:
    heights = tile(kind, difficulty, 8.0, np.random.default_rng(0))
    assert heights.shape == (80, 80)
    rim = np.concatenate([heights[0], heights[-1], heights[:, 0], heights[:, -1]])
    assert not rim.any()
    half = round(0.5 * PLATFORM / PITCH)
    assert np.ptp(heights[40 - half : 40 + half, 40 - half : 40 + half]) == 0
    assert np.abs(np.diff(heights, axis=0)).max() < 0.35, "no wall higher than the highest blocks side by side"


def test_slopes_and_steps_are_as_steep_as_they_say() -> None:
    random = np.random.default_rng(0)
    hill = tile("hill", 0.5, 8.0, random)
    assert np.diff(hill[5:25, 40]) == pytest.approx([0.2 * PITCH] * 19)
    np.testing.assert_array_equal(hill, -tile("pit", 0.5, 8.0, random))
    stairs = tile("stairs down", 1.0, 8.0, random)[:35, 40]
    rises = np.diff(stairs)
    assert np.unique(np.round(rises, 6)).tolist() == [0.0, 0.18]
    assert np.diff(np.flatnonzero(rises > 0.1)).tolist() == pytest.approx([TREAD / PITCH] * (np.sum(rises > 0.1) - 1))


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one of .*, got 'swamp'"):
        tile("swamp", 0.5, 8.0, np.random.default_rng(0))


def test_the_field_puts_tiles_where_it_says() -> None:
    found = ground(3, 6.0, 2.0, seed=4)
    assert found.heights.shape == (3 * 60 + 40, len(KINDS) * 60 + 40)
    for level in range(3):
        for k in range(len(KINDS)):
            x, y, z = found.starts[level, k]
            i, j = (round((p - c) / PITCH - 0.5) for p, c in zip((x, y), found.corner, strict=True))
            assert found.heights[i, j] == z
    assert found.starts[2, KINDS.index("hill"), 2] == found.heights.max()
    assert found.starts[:, 0, 0].tolist() == pytest.approx([-6, 0, 6])
    np.testing.assert_array_equal(found.heights, ground(3, 6.0, 2.0, seed=4).heights)
    assert not np.array_equal(found.heights, ground(3, 6.0, 2.0, seed=5).heights)


def test_levels() -> None:
    level = torch.tensor([3, 3, 3, 0, 7, 7])
    moved = torch.tensor([4.1, 1.0, 3.0, 0.0, 5.0, 3.9])
    asked = torch.tensor([10.0, 3.0, 5.0, 9.0, 9.0, 5.0])
    got = next_level(level, moved, asked, 8.0, 8, torch.full((6,), 5))
    # left the tile; too little; enough but not out of it; nothing is easier than the easiest; after the hardest any
    assert got.tolist() == [4, 2, 3, 0, 5, 7]


def rough(device: str, num_envs: int = 6, **changes: object) -> AnymalRough:
    small = {"levels": 3, "tile": 6.0, "border": 2.0, "start_level": 2, **changes}
    task = make_task("anymal_rough", num_envs, device, 0, AnymalRoughConfig(**small))  # type: ignore[arg-type]
    assert isinstance(task, AnymalRough)
    return task


def test_heights_are_those_of_the_field(device: str) -> None:
    task = rough(device)
    found = task.ground
    places = [(10, 20), (0, 0), (100, 7)]
    pos = torch.tensor([[c + i * PITCH for c, i in zip(found.corner, at, strict=True)] for at in places], device=device)
    want = [float(found.heights[at]) for at in places]
    assert task.height_at(pos).tolist() == pytest.approx(want, abs=1e-6)
    assert task.height_at(torch.tensor([[1e3, -1e3]], device=device)).tolist() == [0.0]


def test_the_scan_turns_with_the_heading(device: str) -> None:
    """On a ground that rises along x alone, a robot that faces y sees it rise to its right."""
    task = rough(device, 1)
    rows = torch.arange(task.heights.shape[0], device=task.device) * PITCH
    task.heights.copy_((0.1 * (task.corner[0] + rows))[:, None].expand_as(task.heights))
    left = quat_about(2, torch.tensor(math.pi / 2)).to(task.device)
    task.root[0, :3] = torch.tensor([0.0, 0.0, STANDING], device=task.device)
    task.root[0, 3:7] = left
    seen = task.height_scan().view(len(SCAN_X), len(SCAN_Y))
    for i in range(len(SCAN_X)):
        assert seen[i].tolist() == pytest.approx([-0.1 * y for y in SCAN_Y], abs=0.006)
    task.root[0, 3:7] = torch.tensor([0.0, 0.0, 0.0, 1.0], device=task.device)
    seen = task.height_scan().view(len(SCAN_X), len(SCAN_Y))
    assert seen[:, 0].tolist() == pytest.approx([0.1 * x for x in SCAN_X], abs=0.006)


def test_robots_start_on_their_tile_and_stand_there(device: str) -> None:
    task = rough(device, start_dof_noise=0.0, start_speed=0.0, max_command=(0.0, 0.0, 0.0), start_spread=0.3)
    start = task.starts[task.level, task.kind]
    assert (task.root[:, :2] - start[:, :2]).abs().max() <= 0.3
    for _ in range(60):
        step = task.step(torch.zeros(6, 12, device=task.device))
    assert not step.terminated.any()
    assert (task.root[:, 2] - start[:, 2]).tolist() == pytest.approx([STANDING] * 6, abs=0.03)


def test_an_episode_that_left_its_tile_is_followed_by_a_harder_one(device: str) -> None:
    task = rough(device)
    task.level.fill_(1)
    task.start_pos[:3] = task.root[:3, :2] + 10.0
    task.start_pos[3:] = task.root[3:, :2]
    task.command[3:] = torch.tensor([1.0, 0.0, 0.0], device=device)
    task.episode_length.fill_(100)
    task.reset_envs(torch.tensor([True, True, False, True, False, False], device=device))
    assert task.level.tolist() == [2, 2, 1, 0, 1, 1]
    start = task.starts[task.level, task.kind]
    assert (task.root[:2, :2] - start[:2, :2]).abs().max() <= task.cfg.start_spread
    fixed = rough(device, curriculum=False)
    level = fixed.level.clone()
    fixed.start_pos += 10.0
    fixed.reset()
    assert torch.equal(fixed.level, level)


def test_leaving_the_field_fails(device: str) -> None:
    task = rough(device)
    task.root[0, :3] = torch.tensor([100.0, 0.0, -1.1], device=device)
    task.sim.set_root_states(task.sim.root_states)
    assert task.step(torch.zeros(6, 12, device=task.device)).terminated.tolist() == [True] + [False] * 5


@pytest.mark.parametrize("changes", [{"levels": 1, "start_level": 0}, {"start_level": 3}])
def test_levels_that_cannot_be_are_refused(device: str, changes: dict) -> None:
    rough(device)
    with pytest.raises(ValueError, match="levels: expected at least 2"):
        rough(device, **changes)
