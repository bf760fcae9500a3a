"""Thrusts, reward and flight of the quadcopter against numbers worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import mujoco
import pytest
import torch

from kilogym.tasks.quadcopter import task as module
from kilogym.tasks.quadcopter.task import MASS, Quadcopter, QuadcopterConfig, reward, thrust_to_wrench
from kilogym.tasks.registry import make_task


def test_the_robot_weighs_what_its_thrusts_are_measured_by() -> None:
    model = mujoco.MjModel.from_xml_path(str(Path(module.__file__).with_name("quadcopter.xml")))
    assert (model.nv, model.nbody, model.body_mass.sum()) == (6, 2, MASS)


def test_thrusts_make_force_and_torque() -> None:
    matrix = thrust_to_wrench(0.016)
    assert (matrix @ torch.ones(4)).tolist() == pytest.approx([0, 0, 4, 0, 0, 0], abs=1e-7)
    # more behind than in front lowers the nose: it turns about +y; more on the left rolls to the right: about +x
    assert (matrix @ torch.tensor([0.0, 1.0, 1.0, 0.0])).tolist() == pytest.approx([0, 0, 2, 0, 0.24, 0], abs=1e-7)
    assert (matrix @ torch.tensor([1.0, 1.0, 0.0, 0.0])).tolist() == pytest.approx([0, 0, 2, 0.24, 0, 0], abs=1e-7)
    assert (matrix @ torch.tensor([1.0, 0.0, 1.0, 0.0])).tolist() == pytest.approx([0, 0, 2, 0, 0, 0.032], abs=1e-7)


def test_reward() -> None:
    cfg = QuadcopterConfig(near=0.5, calm=1.0, action_cost=0.02)
    offset = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, -0.4], [0.0, 0.0, 0.0]])
    up = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [0.0, 0.0, -1.0]])
    ang_vel = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
    change = torch.tensor([[0.0] * 4, [0.5] * 4, [0.0] * 4])
    want = torch.tensor([1.0, 0.5 * (1 + 0.64 + 0.5) / 3 - 0.02, 1.1 / 3])
    torch.testing.assert_close(reward(offset, up, ang_vel, change, cfg), want)


def hovering(device: str, quat=(0.0, 0.0, 0.0, 1.0)) -> Quadcopter:
    task = make_task("quadcopter", 2, device)
    assert isinstance(task, Quadcopter)
    task.root[:] = torch.tensor([0.0, 0.0, 2.0, *quat, *[0.0] * 6], device=device)
    task.sim.set_root_states(task.sim.root_states)
    return task


def test_no_command_hovers(device: str) -> None:
    task = hovering(device)
    for _ in range(50):
        step = task.step(torch.zeros(2, 4, device=task.device))
    assert step.extras["metrics"]["distance"].max() < 1e-3
    assert step.reward.min() > 0.999


def test_thrust_lags_behind_its_command(device: str) -> None:
    """From half to whole by 1 - exp(-t / lag); the vehicle gains the integral of what is over its weight."""
    task = hovering(device)
    cfg, share, vel = task.cfg, 0.5, 0.0
    for _ in range(5):
        step = task.step(torch.ones(2, 4, device=task.device))
        share += (1 - math.exp(-cfg.dt / cfg.rotor_lag)) * (1 - share)
        vel += cfg.dt * 9.81 * (2 * share - 1)
    assert step.obs[0, 12:16].tolist() == pytest.approx([share] * 4, rel=1e-5)
    assert task.root[0, 9].item() == pytest.approx(vel, rel=0.02)  # air drag takes a little


def test_thrust_is_along_the_axis_of_the_vehicle(device: str) -> None:
    # rolled by 90 degrees about x, its z axis points along -y
    task = hovering(device, (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))
    for _ in range(5):
        task.step(torch.zeros(2, 4, device=task.device))
    assert task.root[0, 7:10].tolist() == pytest.approx([0.0, -0.981, -0.981], abs=0.02)


def test_low_and_far_fail(device: str) -> None:
    task = hovering(device)
    task.root[0, 2] = 0.2
    task.root[1, 0] = 4.1
    task.sim.set_root_states(task.sim.root_states)
    step = task.step(torch.zeros(2, 4, device=task.device))
    assert step.terminated.all()
    assert (step.reward == 0).all()
