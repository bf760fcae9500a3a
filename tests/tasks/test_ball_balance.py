"""The tray and its ball against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from kilogym.tasks.ball_balance.task import HINGE, TRAY_TOP, BallBalance, BallBalanceConfig, reward
from kilogym.tasks.registry import make_task

REST_HEIGHT = HINGE[2] + TRAY_TOP + 0.07


def test_reward() -> None:
    cfg = BallBalanceConfig(near=0.1, calm=0.3, action_cost=0.05)
    pos = torch.tensor([[0.0, 0.0, 0.14], [0.06, -0.08, 0.14], [0.0, 0.2, 0.0]])
    vel = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.3], [0.0, 0.6, 0.0]])
    actions = torch.tensor([[0.0, 0.0], [1.0, -1.0], [0.0, 2.0]])
    # at rest in the middle 1; at 0.1 m and 0.3 m/s half of 1 + half; at 0.2 m a fifth, at 0.6 m/s a fifth
    want = torch.tensor([1.0, 0.5 * 0.5 * 1.5 - 0.1, 0.5 * 0.2 * 1.2 - 0.2])
    torch.testing.assert_close(reward(pos, vel, actions, cfg), want)


def at_rest(device: str, x: float = 0.0) -> BallBalance:
    """A flat tray at rest and the ball at rest on it, x from the middle."""
    task = make_task("ball_balance", 2, device)
    assert isinstance(task, BallBalance)
    task.dof_states.zero_()
    ball = torch.tensor([x, 0.0, REST_HEIGHT, 0, 0, 0, 1, *[0] * 6], device=device)
    task.root_states[:, 1] = ball
    task.sim.set_root_states(task.sim.root_states)
    task.sim.set_dof_states(task.sim.dof_states)
    return task


def test_a_ball_at_rest_in_the_middle_stays_and_earns_all(device: str) -> None:
    task = at_rest(device)
    for _ in range(60):
        step = task.step(torch.zeros(2, 2, device=task.device))
    assert step.reward.tolist() == pytest.approx([1.0, 1.0], abs=1e-2)
    assert step.extras["metrics"]["distance"].max() < 0.01


def test_a_tilted_tray_rolls_the_ball_downhill(device: str) -> None:
    # pitch > 0 turns z towards x: the ball goes along +x; at a tilt of 0.3 rad a solid ball gains 5/7 g sin(tilt)
    task = at_rest(device)
    for _ in range(30):
        task.step(torch.tensor([[0.0, 1.0], [1.0, 0.0]], device=task.device))
    vel = task.root_states[:, 1, 7:10]
    most = 5 / 7 * 9.81 * math.sin(0.3) * 0.5
    assert 0.5 * most < vel[0, 0] < 1.1 * most
    assert 0.5 * most < -vel[1, 1] < 1.1 * most
    pos, _ = task.ball_on_tray()
    assert pos[:, 2].tolist() == pytest.approx([TRAY_TOP + 0.07] * 2, abs=5e-3)


def test_a_lost_ball_fails(device: str) -> None:
    task = at_rest(device, x=0.5)
    step = task.step(torch.zeros(2, 2, device=task.device))
    assert step.terminated.all()
    assert (step.reward == task.cfg.fail_reward).all()


def test_starts_are_on_the_tray(device: str) -> None:
    task = make_task("ball_balance", 200, device)
    ball = task.root_states[:, 1]
    assert ball[:, :2].norm(dim=-1).max() <= 0.3 + 1e-6
    pos, _ = task.ball_on_tray()
    assert (pos[:, 2] > TRAY_TOP + 0.069).all()
    assert (task.dof_pos.abs() <= 0.1).all()
