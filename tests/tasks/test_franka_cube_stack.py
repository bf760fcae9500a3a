"""The stack's terms by hand, and that it can be built: by a hand that is told where to go."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from kilogym.assets.asset import ShapeKind
from kilogym.math.rotation import quat_about, quat_rotate
from kilogym.tasks.franka_cube_stack.task import (
    FrankaCubeStack,
    FrankaCubeStackConfig,
    Scene,
    is_stacked,
    reward,
)
from kilogym.tasks.registry import make_task

CFG = FrankaCubeStackConfig()
STACKED = 0.5 * (CFG.small + CFG.large)


def stack(device: str, num_envs: int = 2, **changes: object) -> FrankaCubeStack:
    task = make_task("franka_cube_stack", num_envs, device, 0, FrankaCubeStackConfig(**changes))  # type: ignore[arg-type]
    assert isinstance(task, FrankaCubeStack)
    return task


def scene(tool, small, large, width=0.025) -> Scene:
    points = (torch.tensor([point], dtype=torch.float32) for point in (tool, small, large))
    return Scene(*points, torch.tensor([width]))


def test_a_stack_is_one_cube_on_the_other_and_the_hand_away() -> None:
    large, on, far = (0.5, 0.1, 0.035), (0.51, 0.11, 0.095), (0.5, 0.1, 0.3)
    assert is_stacked(scene(far, on, large), CFG)
    assert not is_stacked(scene((0.5, 0.1, 0.12), on, large), CFG), "still held"
    assert not is_stacked(scene(far, (0.52, 0.11, 0.095), large), CFG), "22 mm beside it"
    assert not is_stacked(scene(far, (0.5, 0.1, 0.107), large), CFG), "12 mm over it"
    assert not is_stacked(scene(far, (0.5, 0.1, 0.025), large), CFG), "in it"


def test_reward() -> None:
    rest = torch.zeros(1, 8)
    # the tool at 0.1 m from a cube on the ground: half of 0.2
    assert reward(scene((0.5, 0, 0.125), (0.5, 0, 0.025), (0.5, 0.2, 0.035)), rest, CFG).item() == pytest.approx(0.1)
    # held 0.035 m up, half the height, and 0.1 m from its place: 0.2 + 0.3 / 2 + (1 / 2 + 1 / 26) / 2 / 2
    small = (0.5, 0.0, 0.06)
    rise = 0.035 + STACKED - 0.06
    large = (0.5, math.sqrt(0.1**2 - rise**2), 0.035)
    expected = 0.35 + 0.25 * (0.5 + 1 / 26)
    assert reward(scene(small, small, large), rest, CFG).item() == pytest.approx(expected, abs=1e-5)
    # finished, and actions cost
    large, small = (0.5, 0, 0.035), (0.5, 0, 0.035 + STACKED)
    done = scene((0.5, 0, 0.4), small, large, 0.04)
    assert reward(done, torch.full((1, 8), 0.5), CFG).item() == pytest.approx(3.0 - 0.005 * 2.0)


def test_going_on_never_costs_reward() -> None:
    """Carried to its place, put down, let go, left: each moment earns at least as much as the one before."""
    large, rise = (0.5, 0.0, 0.035), 0.035 + STACKED
    carried = [scene(at, at, large) for at in ((0.5, 0.15 * (1 - k / 60), rise) for k in range(61))]
    place = (0.5, 0.0, rise)
    opened = [scene(place, place, large, 0.025 + 0.015 * k / 20) for k in range(21)]
    left = [scene((0.5, 0.0, rise + 0.1 * k / 40), place, large, 0.04) for k in range(41)]
    rewards = [reward(at, torch.zeros(1, 8), CFG).item() for at in carried + opened + left]
    assert all(b >= a - 1e-6 for a, b in itertools.pairwise(rewards))
    assert rewards[-1] == pytest.approx(3.0)


def test_cubes_start_apart_on_the_ground(device: str) -> None:
    task = stack(device, 50)
    small, large = task.root_states[:, 1], task.root_states[:, 2]
    distance = (small[:, :2] - large[:, :2]).norm(dim=-1)
    assert distance.min() >= 0.12 - 1e-6
    assert distance.max() <= 0.2 + 1e-6
    for _ in range(20):
        step = task.step(torch.zeros(50, 8, device=task.device))
    assert not step.terminated.any()
    # at rest with the gap that is the default of both surfaces
    assert (small[:, 2] - 0.025).abs().max() < 2e-3
    assert (large[:, 2] - 0.035).abs().max() < 2e-3
    assert (task.root_states[:, 1:, 7:13].abs() < 1e-3).all()
    assert [shape.kind for shape in task.arm.shapes] == [ShapeKind.BOX] * 3


def test_the_hand_opens_and_closes(device: str) -> None:
    task = stack(device)
    for action, width in ((1.0, 0.04), (-1.0, 0.0), (0.0, 0.02)):
        actions = torch.zeros(2, 8, device=task.device)
        actions[:, 7] = action
        for _ in range(20):
            task.step(actions)
        assert task.dof_pos[:, 7:].flatten().tolist() == pytest.approx([width] * 4, abs=1e-3)


def test_cubes_out_of_reach_fail(device: str) -> None:
    task = stack(device)
    task.root_states[1, 2, 1] = 0.45
    task.sim.set_root_states(task.sim.root_states)
    step = task.step(torch.zeros(2, 8, device=task.device))
    assert step.terminated.tolist() == [False, True]
    assert step.reward[1] == 0


def go(task: FrankaCubeStack, tool: torch.Tensor, hand: float, count: int) -> None:
    """Bring the tool towards a point [E, 3], the hand pointing down, by damped least squares."""
    jacobian = task.sim.jacobian(task.arm.name)
    left, right = (k - 1 for k in range(len(task.arm.links)) if "finger" in task.arm.links[k].name)
    down = quat_about(0, torch.full((task.num_envs,), math.pi, device=task.device))
    for _ in range(count):
        task.sim.refresh_jacobians()
        fingers = 0.5 * (jacobian[:, left] + jacobian[:, right])[..., :7]
        at = task.tool()
        arm = at - 0.5 * (task.left[:, :3] + task.right[:, :3])
        turning = jacobian[:, left, 3:, :7]
        moving = fingers[:, :3] + torch.linalg.cross(turning, arm[:, :, None].expand_as(turning), dim=1)
        j = torch.cat([moving, turning], dim=1)  # [E, 6, 7]
        # small rotation that takes the hand's axes to those wanted
        error = torch.zeros_like(at)
        for k in range(3):
            unit = torch.eye(3, device=task.device)[k]
            now, wish = quat_rotate(task.left[:, 3:7], unit), quat_rotate(down, unit)
            error += 0.5 * torch.linalg.cross(now, wish)
        twist = torch.cat([tool - at, error], dim=1)
        square = j @ j.mT + 1e-3 * torch.eye(6, device=task.device)
        step = (j.mT @ torch.linalg.solve(square, twist[..., None]))[..., 0]
        actions = torch.full((task.num_envs, 8), hand, device=task.device)
        actions[:, :7] = 0.3 * step / (task.cfg.speed * task.cfg.step_dt)
        task.step(actions)


def test_a_hand_that_is_told_where_to_go_builds_the_stack(device: str) -> None:
    task = stack(device, start_dof_noise=0.0, episode_length=10_000)
    task.root_states[:, 1:, 3:7] = torch.tensor([0.0, 0.0, 0.0, 1.0], device=task.device)
    task.sim.set_root_states(task.sim.root_states)
    up = torch.tensor([0.0, 0.0, 0.1], device=task.device)
    small, large = task.root_states[:, 1, :3].clone(), task.root_states[:, 2, :3].clone()
    place = large + torch.tensor([0.0, 0.0, STACKED], device=task.device)
    go(task, small + up, 1.0, 60)
    go(task, small, 1.0, 40)
    go(task, small, -1.0, 20)
    go(task, small + up, -1.0, 40)
    assert (task.root_states[:, 1, 2] > 0.1).all(), "the small cube was not lifted"
    go(task, place + up, -1.0, 60)
    go(task, place, -1.0, 40)
    go(task, place, 1.0, 15)
    go(task, place + up, 1.0, 40)
    still = torch.zeros(2, 8, device=task.device)
    still[:, 7] = 1.0
    step = task.step(still)
    assert step.extras["metrics"]["stacked"].tolist() == [1, 1]
    assert step.reward.tolist() == pytest.approx([3.0, 3.0], abs=0.01)
