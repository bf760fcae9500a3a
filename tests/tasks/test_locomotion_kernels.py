"""Observations, rewards and starts against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import warp as wp

from kilogym.sim.kernels import launch
from kilogym.tasks import locomotion_kernels as kernels
from kilogym.tasks.cartpole.task import reward
from kilogym.tasks.episode_kernels import clear_episodes, end_episodes

HALF = math.sqrt(0.5)
IDENTITY = (0.0, 0.0, 0.0, 1.0)
TURNED_LEFT = (0.0, 0.0, HALF, HALF)  # 90 degrees about z
ROLLED_RIGHT = (HALF, 0.0, 0.0, HALF)  # 90 degrees about x
FREE = dict.fromkeys(kernels.RewardTerms.vars, 0.0) | {"step_dt": 0.1, "fall_height": -10.0}


def root(device: str, pos=(0.0, 0.0, 1.0), quat=IDENTITY, lin=(0.0, 0.0, 0.0), ang=(0.0, 0.0, 0.0)) -> torch.Tensor:
    return torch.tensor([[*pos, *quat, *lin, *ang]], device=device)


def judge(
    device: str,
    roots: torch.Tensor,
    dofs=((0.0, 0.0),),
    actions=(0.0,),
    gear_share=(1.0,),
    target=(1000.0, 0.0, 0.0),
    last_pos=None,
    **weights: float,
) -> tuple[float, bool, float]:
    """Reward, fall and speed of one robot whose joints range from -1 to 1."""
    on = {"device": device}
    terms = kernels.RewardTerms()
    for name, value in (FREE | weights).items():
        setattr(terms, name, value)
    ones = torch.ones(len(actions), **on)
    last = roots[:, :3].clone() if last_pos is None else torch.tensor([last_pos], **on)
    found = torch.empty(1, **on), torch.empty(1, dtype=torch.bool, **on), torch.empty(1, **on)
    args: list[Any] = [roots, torch.tensor([dofs], **on), torch.tensor([actions], **on), last, -ones, ones]
    args += [torch.tensor(gear_share, **on), wp.vec3(*target), terms, *found]
    launch(kernels.judge, (1,), args, torch.device(device))
    return found[0].item(), found[1].item(), found[2].item()


def observe(device: str, roots: torch.Tensor, dofs, actions, target=(1000.0, 0.0, 0.0)) -> list[float]:
    on = {"device": device}
    count = len(actions)
    obs = torch.full((1, 13 + 3 * count), float("nan"), **on)
    limits = torch.full((count,), 1.0, **on)
    args: list[Any] = [roots, torch.tensor([dofs], **on), torch.tensor([actions], **on), -limits, limits]
    launch(kernels.observe, tuple(obs.shape), [*args, wp.vec3(*target), 0.25, 0.2, obs], torch.device(device))
    return obs[0].tolist()


def test_progress_is_the_speed_towards_the_target(device) -> None:
    # 3-4-5: a move of (0.3, 0.4) in 0.1 s towards (6, 8) is 5 m/s; across it, 0; along x, 3 and 4 m/s
    there = {"target": (6.0, 8.0, 0.0), "last_pos": (0.0, 0.0, 0.0)}
    got, _, speed = judge(device, root(device, (0.3, 0.4, 9.0)), **there)
    assert (got, speed) == pytest.approx((5.0, 3.0), abs=1e-5)
    far = {"target": (6000.0, 8000.0, 0.0), "last_pos": (0.0, 0.0, 0.0)}
    got, _, speed = judge(device, root(device, (0.4, -0.3, 0.0)), **far)
    assert (got, speed) == pytest.approx((0.0, 4.0), abs=1e-3)


def test_at_the_target_there_is_no_direction_and_no_nan(device) -> None:
    at = root(device, (6.0, 8.0, 1.0))
    assert judge(device, at, target=(6.0, 8.0, 0.0), heading_weight=1.0)[0] == 0.0
    assert observe(device, at, [(0.0, 0.0)], [0.0], target=(6.0, 8.0, 0.0))[10:13] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("cosine", "expected"), [(1.0, 0.5), (0.8, 0.5), (0.4, 0.25), (-0.8, -0.5)])
def test_heading_reward(device, cosine: float, expected: float) -> None:
    half = math.acos(cosine) / 2  # turned left by the angle, the target is to the right
    turned = root(device, quat=(0.0, 0.0, math.sin(half), math.cos(half)))
    assert judge(device, turned, heading_weight=0.5)[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("cosine", "expected"), [(1.0, 0.1), (0.94, 0.1), (0.92, 0.0), (-1.0, 0.0)])
def test_upright_reward(device, cosine: float, expected: float) -> None:
    half = math.acos(cosine) / 2
    tilted = root(device, quat=(math.sin(half), 0.0, 0.0, math.cos(half)))
    assert judge(device, tilted, up_weight=0.1)[0] == pytest.approx(expected, abs=1e-6)


def test_costs(device) -> None:
    at = root(device)
    two = {"actions": (0.5, -1.0), "gear_share": (1.0, 0.5)}
    moving = ((0.0, 20.0), (0.0, 30.0))
    # 0.25 + 1; with speeds scaled by 0.1 |0.5 * 2| + 0.5 |-1 * 3|
    assert judge(device, at, moving, **two, action_cost=2.0)[0] == pytest.approx(-2.5)
    assert judge(device, at, moving, **two, energy_cost=1.0, dof_vel_scale=0.1)[0] == pytest.approx(-2.5)
    # half-way into the last 2 % is 0.5, a stop of a half-strong motor 0.5
    stops = ((0.99, 0.0), (-1.0, 0.0))
    assert judge(device, at, stops, **two, limit_cost=1.0)[0] == pytest.approx(-1.0, abs=1e-4)
    inside = ((0.97, 0.0), (0.0, 0.0))
    assert judge(device, at, inside, **two, limit_cost=1.0)[0] == 0.0


def test_a_fall_costs_everything_else(device) -> None:
    weights = {"alive_reward": 0.5, "fall_reward": -2.0, "fall_height": 0.31}
    assert judge(device, root(device, (0.0, 0.0, 0.3)), **weights)[:2] == (-2.0, True)
    assert judge(device, root(device, (0.0, 0.0, 0.32)), **weights)[:2] == (0.5, False)


def test_observe_puts_everything_where_the_docs_say(device) -> None:
    # turned left, the body's x axis is the world's y: world x is to its right
    at = root(device, (0.0, 0.0, 0.5), TURNED_LEFT, (1.0, 2.0, 3.0), (4.0, 8.0, 12.0))
    got = observe(device, at, [(0.1, 10.0), (0.2, 20.0)], [-1.0, 1.0])
    want = [0.5, 2, -1, 3, 2, -1, 3, 0, 0, 1, 0, -1, 0, 0.1, 0.2, 2, 4, -1, 1]
    assert got == pytest.approx(want, abs=1e-6)
    # rolled onto its right side, the body's y axis points up
    rolled = observe(device, root(device, quat=ROLLED_RIGHT), [(0.0, 0.0)], [0.0])
    assert rolled[7:10] == pytest.approx([0, 1, 0], abs=1e-6)


def test_only_masked_robots_start_again(device) -> None:
    on = {"device": device}
    mask = torch.tensor([True, False], **on)
    roots, dofs = torch.zeros(2, 13, **on), torch.zeros(2, 2, 2, **on)
    random = torch.tensor([[[1.0, -0.5]] * 2, [[0.5, -1.0]] * 2], **on)
    rest, limit = torch.tensor([0.9, 0.0], **on), torch.ones(2, **on)
    start = torch.arange(26.0, **on).view(2, 13)
    args = [mask, start, rest, -limit, limit, random, 0.2, 0.1, roots, dofs]
    launch(kernels.start_again, (2, 2), args, torch.device(device))
    assert torch.equal(roots[0], start[0])
    # 0.9 + 0.2 stops at the limit
    torch.testing.assert_close(dofs[0].cpu(), torch.tensor([[1.0, 0.05], [-0.1, -0.1]]))
    assert not roots[1].any()
    assert not dofs[1].any()


def test_episodes_end_by_failure_divergence_or_time(device) -> None:
    on = {"device": device}
    failed = torch.tensor([True, False, False, False, True], **on)
    faults = torch.tensor([0, 1, 2, 0, 0], dtype=torch.int32, **on)  # 2: contacts were dropped, no end
    length = torch.tensor([3, 3, 3, 9, 9], **on)
    terminated, truncated, ended = (torch.empty(5, dtype=torch.bool, **on) for _ in range(3))
    launch(end_episodes, (5,), [failed, faults, 10, length, terminated, truncated, ended], torch.device(device))
    assert terminated.tolist() == [True, True, False, False, True]
    assert truncated.tolist() == [False, False, False, True, False]
    assert ended.tolist() == [True, True, False, True, True]
    assert length.tolist() == [4, 4, 4, 10, 10]
    actions = torch.ones(5, 2, **on)
    launch(clear_episodes, (5,), [ended, actions, length], torch.device(device))
    assert length.tolist() == [0, 0, 4, 0, 0]
    assert actions[:, 0].tolist() == [0, 0, 1, 0, 0]


def test_cartpole_reward() -> None:
    got = reward(torch.tensor([0.0, 0.5]), torch.tensor([0.0, 2.0]), torch.tensor([0.0, -3.0]))
    torch.testing.assert_close(got, torch.tensor([1.0, 1 - 0.25 - 0.03 - 0.01]))
