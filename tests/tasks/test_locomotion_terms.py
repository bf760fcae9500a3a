"""Observations and rewards against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from kilogym.tasks import locomotion_terms as terms
from kilogym.tasks.cartpole.task import reward

HALF = math.sqrt(0.5)
IDENTITY = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
TURNED_LEFT = torch.tensor([[0.0, 0.0, HALF, HALF]])  # 90 degrees about z
ROLLED_RIGHT = torch.tensor([[HALF, 0.0, 0.0, HALF]])  # 90 degrees about x


def test_rotate_inverse() -> None:
    # turned left, the body's x axis is the world's y: world x is to its right
    x = torch.tensor([[1.0, 0.0, 0.0]])
    torch.testing.assert_close(terms.rotate_inverse(TURNED_LEFT, x), torch.tensor([[0.0, -1.0, 0.0]]))
    torch.testing.assert_close(terms.rotate_inverse(IDENTITY, x), x)


def test_up_axis_is_world_up_in_the_body() -> None:
    torch.manual_seed(0)
    quat = torch.nn.functional.normalize(torch.randn(50, 4), dim=-1)
    up = torch.tensor([0.0, 0.0, 1.0]).expand(50, 3)
    torch.testing.assert_close(terms.up_axis(quat), terms.rotate_inverse(quat, up))
    # rolled onto its right side (about +x by 90 degrees), the body's y axis points up
    torch.testing.assert_close(terms.up_axis(ROLLED_RIGHT), torch.tensor([[0.0, 1.0, 0.0]]))


def test_target_direction_is_horizontal_and_unit() -> None:
    pos = torch.tensor([[1.0, 1.0, 5.0], [4.0, 5.0, 0.0]])
    got = terms.target_direction(pos, torch.tensor([4.0, 5.0, 0.0]))
    torch.testing.assert_close(got[0], torch.tensor([0.6, 0.8, 0.0]))
    assert torch.equal(got[1], torch.zeros(3)), "at the target there is no direction, and no NaN"


def test_scale_to_limits() -> None:
    lower, upper = torch.tensor([-1.0, 0.5]), torch.tensor([1.0, 1.5])
    got = terms.scale_to_limits(torch.tensor([[-1.0, 1.0], [0.5, 1.5]]), lower, upper)
    torch.testing.assert_close(got, torch.tensor([[-1.0, 0.0], [0.5, 1.0]]))


def test_progress_is_the_speed_towards_the_target() -> None:
    # 3-4-5: a move of (0.3, 0.4) in 0.1 s along (0.6, 0.8) is 5 m/s; across it, 0
    direction = torch.tensor([[0.6, 0.8, 0.0]])
    move = torch.tensor([[0.3, 0.4, 9.0], [0.4, -0.3, 0.0]])
    torch.testing.assert_close(terms.progress(move, direction, 0.1), torch.tensor([5.0, 0.0]))


@pytest.mark.parametrize(("heading", "expected"), [(1.0, 0.5), (0.8, 0.5), (0.4, 0.25), (-0.8, -0.5)])
def test_heading_reward(heading: float, expected: float) -> None:
    assert terms.heading_reward(torch.tensor([heading]), 0.5).item() == pytest.approx(expected)


def test_upright_reward() -> None:
    got = terms.upright_reward(torch.tensor([1.0, 0.94, 0.93, -1.0]), 0.1)
    torch.testing.assert_close(got, torch.tensor([0.1, 0.1, 0.0, 0.0]))


def test_costs() -> None:
    actions, speeds = torch.tensor([[0.5, -1.0]]), torch.tensor([[2.0, 3.0]])
    share = torch.tensor([1.0, 0.5])
    # 0.25 + 1; |0.5 * 2| + 0.5 |-1 * 3|; half-way into the last 2 % is 0.5, a stop of a half-strong motor 0.5
    assert terms.action_cost(actions).item() == 1.25
    assert terms.energy_cost(actions, speeds, share).item() == 2.5
    assert terms.limit_cost(torch.tensor([[0.99, -1.0]]), share).item() == pytest.approx(1.0, abs=1e-5)
    assert terms.limit_cost(torch.tensor([[0.97, 0.0]]), share).item() == 0.0


def test_observe_puts_everything_where_the_docs_say() -> None:
    d = 2
    got = terms.observe(
        height=torch.tensor([0.5]),
        lin_vel_b=torch.tensor([[1.0, 2.0, 3.0]]),
        ang_vel_b=torch.tensor([[4.0, 8.0, 12.0]]),
        up_b=torch.tensor([[0.0, 0.0, 1.0]]),
        target_b=torch.tensor([[1.0, 0.0, 0.0]]),
        dof_scaled=torch.tensor([[0.1, 0.2]]),
        dof_vel=torch.tensor([[10.0, 20.0]]),
        actions=torch.tensor([[-1.0, 1.0]]),
        ang_vel_scale=0.25,
        dof_vel_scale=0.2,
    )
    assert got.shape == (1, 13 + 3 * d)
    want = [0.5, 1, 2, 3, 1, 2, 3, 0, 0, 1, 1, 0, 0, 0.1, 0.2, 2, 4, -1, 1]
    torch.testing.assert_close(got[0], torch.tensor(want))


def test_cartpole_reward() -> None:
    got = reward(torch.tensor([0.0, 0.5]), torch.tensor([0.0, 2.0]), torch.tensor([0.0, -3.0]))
    torch.testing.assert_close(got, torch.tensor([1.0, 1 - 0.25 - 0.03 - 0.01]))
