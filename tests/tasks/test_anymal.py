"""ANYmal's stance, terms and resets against numbers worked out by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from kilogym.assets.asset import ShapeKind
from kilogym.math.rotation import quat_about
from kilogym.tasks.anymal.task import Anymal, AnymalConfig
from kilogym.tasks.quadruped import base_costs, tracking
from kilogym.tasks.registry import make_task

STILL = {"start_dof_noise": 0.0, "start_speed": 0.0, "max_command": (0.0, 0.0, 0.0)}


def anymal(device: str, num_envs: int = 4, **changes: object) -> Anymal:
    task = make_task("anymal", num_envs, device, 0, AnymalConfig(**changes))  # type: ignore[arg-type]
    assert isinstance(task, Anymal)
    return task


def test_tracking() -> None:
    cfg = AnymalConfig(velocity_weight=1.0, turning_weight=0.5, tracking_width=0.25)
    command = torch.tensor([[1.0, 0.0, 0.5], [1.0, 0.0, 0.5]])
    lin = torch.tensor([[1.0, 0.0, 9.0], [0.7, 0.4, 0.0]])  # up and down is not the command's; 3-4-5: off by 0.5
    ang = torch.tensor([[9.0, 9.0, 0.5], [0.0, 0.0, 1.0]])
    want = [1.5, 1.5 * math.exp(-1.0)]
    assert tracking(command, lin, ang, cfg).tolist() == pytest.approx(want, rel=1e-5)


def test_base_costs() -> None:
    cfg = AnymalConfig(bounce_cost=2.0, sway_cost=0.05, tilt_cost=1.0)
    lin, ang = torch.tensor([[9.0, 9.0, 0.5]]), torch.tensor([[1.0, -2.0, 9.0]])
    up = torch.tensor([[0.6, 0.0, 0.8]])
    assert base_costs(lin, ang, up, cfg).tolist() == pytest.approx([2 * 0.25 + 0.05 * 5 + 0.36])


def test_the_robot_is_what_its_papers_say(device: str) -> None:
    task = anymal(device)
    asset = task.asset
    assert 50 < sum(link.mass for link in asset.links) < 54
    touching = {asset.links[s.link].name.split("_")[-1] + s.kind.value for s in asset.shapes}
    assert touching == {"base" + ShapeKind.BOX.value, "THIGHbox", "SHANKsphere"}
    assert len(asset.shapes) == 9
    names = asset.dof_names()
    assert names[:3] == ["LF_HAA", "LF_HFE", "LF_KFE"]
    assert task.stance[names.index("RH_KFE")].item() == pytest.approx(0.8)


def test_it_stands_on_its_feet_alone_and_carries_its_weight(device: str) -> None:
    task = anymal(device, **STILL)
    for _ in range(100):
        step = task.step(torch.zeros(4, 12, device=task.device))
    weight = 9.81 * sum(link.mass for link in task.asset.links)
    assert not step.terminated.any()
    assert task.foot_forces[:, :, 2].sum(-1).tolist() == pytest.approx([weight] * 4, rel=0.02)
    assert (task.foot_forces[:, :, 2] > 0.1 * weight).all()
    assert task.thigh_forces.abs().max() == 0
    # following the command to stand earns nearly all there is
    assert step.reward.min() > 1.4


def test_motion_is_in_the_axes_of_the_base(device: str) -> None:
    task = anymal(device)
    left = quat_about(2, torch.tensor(math.pi / 2))
    task.root[:] = torch.tensor([0, 0, 1, *left.tolist(), 0, 1, 0, 0, 0, 0.7], device=device)
    lin, ang, up = task.base_motion()
    assert lin[0].tolist() == pytest.approx([1, 0, 0], abs=1e-6)  # turned left, it walks along y: forward
    assert ang[0].tolist() == pytest.approx([0, 0, 0.7], abs=1e-6)
    assert up[0].tolist() == pytest.approx([0, 0, 1], abs=1e-6)


def test_joint_costs(device: str) -> None:
    cfg = {"torque_cost": 1.0, "acceleration_cost": 0.0, "change_cost": 0.0, "stiffness": 80.0, "damping": 2.0}
    task = anymal(device, **cfg)
    task.actions.zero_()
    task.dof_pos.copy_(task.stance)
    task.dof_vel.zero_()
    task.dof_pos[0, 0] += 0.1  # 8 N m
    task.dof_vel[1, 0] = 3.0  # 6 N m
    task.dof_pos[2, 0] += 2.0  # more than the 80 N m there are
    assert task.joint_costs().tolist() == pytest.approx([64, 36, 6400, 0], rel=1e-4)


def test_the_change_of_actions_and_speeds_costs_once(device: str) -> None:
    task = anymal(device, torque_cost=0.0, acceleration_cost=1.0, change_cost=10.0)
    task.dof_vel.zero_()
    task.last_dof_vel.zero_()
    task.actions.zero_()
    task.dof_vel[0, 0] = 0.04  # in 0.02 s: 2 rad/s^2
    task.actions[1, :2] = 0.5
    assert task.joint_costs().tolist() == pytest.approx([4, 5, 0, 0], rel=1e-4)
    assert task.joint_costs().tolist() == pytest.approx([0, 0, 0, 0], abs=1e-6)


def test_steps_earn_by_their_time_in_the_air(device: str) -> None:
    task = anymal(device, step_weight=2.0, step_time=0.4)
    task.command[:] = torch.tensor([0.5, 0.0, 0.0], device=device)
    task.command[3] = 0.0
    task.air_time.zero_()
    task.air_time[0, 1] = 0.58
    task.air_time[1, 2] = 0.18
    task.air_time[3, 1] = 0.58
    task.foot_forces.zero_()
    assert task.step_reward().tolist() == [0, 0, 0, 0], "in the air"
    task.foot_forces[..., 2] = 100.0
    task.air_time[:, 3] = 0.0
    # 0.2 s more than 0.4 in one foot; 0.2 less; the other feet came down after 0.02 + 0.02 s: 0.36 less each
    task.air_time[:, 0] = 0.0
    task.air_time[2] = 0.0
    others = [-0.36 if e != 2 else 0.0 for e in range(4)]
    got = task.step_reward().tolist()
    assert got == pytest.approx([2 * (0.22 + others[0]), 2 * (-0.18 + others[1]), 0.0, 0.0], abs=1e-5)
    assert not task.air_time.any()


def test_a_robot_on_its_back_or_its_belly_fails(device: str) -> None:
    task = anymal(device, **STILL)
    task.root[0, 3:7] = torch.tensor([1.0, 0.0, 0.0, 0.0], device=device)
    # legs stretched upwards, the trunk (0.18 m high) just in the ground
    task.root[1, 2] = 0.085
    task.dof_pos[1].zero_()
    task.dof_pos[1, 1::3] = math.pi
    task.sim.set_root_states(task.sim.root_states)
    task.sim.set_dof_states(task.sim.dof_states)
    step = task.step(torch.zeros(4, 12, device=task.device))
    assert step.terminated.tolist() == [True, True, False, False]
    assert step.reward[:2].tolist() == [0, 0]


def test_commands_change_when_they_should(device: str) -> None:
    task = anymal(device, command_interval=3, start_dof_noise=0.0, start_speed=0.0)
    seen = [task.command.clone()]
    for _ in range(6):
        task.step(torch.zeros(4, 12, device=task.device))
        seen.append(task.command.clone())
    changed = [not torch.equal(a, b) for a, b in itertools.pairwise(seen)]
    assert changed == [False, False, True, False, False, True]
    assert (task.command.abs() <= torch.tensor(task.cfg.max_command, device=device)).all()
