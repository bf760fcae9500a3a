"""The hand, its cube and the reward against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from kilogym.math.rotation import quat_about
from kilogym.tasks.allegro_cube.task import HEIGHT, AllegroCube, AllegroCubeConfig, reward
from kilogym.tasks.registry import make_task


def allegro(device: str, **changes: object) -> AllegroCube:
    task = make_task("allegro_cube", 4, device, 0, AllegroCubeConfig(**changes))  # type: ignore[arg-type]
    assert isinstance(task, AllegroCube)
    return task


def test_reward() -> None:
    weights = {"hold_reward": 0.1, "turn_weight": 1.0, "drift_cost": 0.3, "wobble_cost": 0.1, "action_cost": 0.01}
    cfg = AllegroCubeConfig(max_turn=1.0, **weights)
    lin = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, 0.4], [0.0, 0.0, 0.0]])
    ang = torch.tensor([[0.0, 0.0, 0.7], [3.0, 4.0, 5.0], [0.0, 0.0, -2.0]])
    actions = torch.zeros(3, 16)
    actions[2, 0] = 2.0
    got = reward(lin, ang, actions, cfg).tolist()
    assert got == pytest.approx([0.8, 0.1 + 1.0 - 0.15 - 0.5, 0.1 - 1.0 - 0.04], abs=1e-6)


def test_the_palm_faces_up_and_holds_the_cube(device: str) -> None:
    task = allegro(device, start_dof_noise=0.0)
    links = [link.name for link in task.hand.links]
    tips = [links.index(f"link_{k}.0") for k in (3, 7, 11, 15)]
    for _ in range(40):
        step = task.step(torch.zeros(4, 16, device=task.device))
    assert not step.terminated.any()
    task.sim.refresh_body_states()
    bodies = task.sim.body_states.view(4, -1, 13)
    assert (bodies[:, tips, 2] > HEIGHT).all(), "the fingers curl upwards"
    cube = task.cube_state
    assert cube[:, 7:10].norm(dim=-1).max() < 0.01
    assert (cube[:, 2] > HEIGHT + 0.03).all()
    # what holds it up is its weight
    task.sim.refresh_contact_forces()
    force = task.sim.contact_forces.view(4, -1, 3)[:, len(task.hand.links)]
    weight = 9.81 * task.cube.links[0].mass
    assert task.cube.links[0].mass == pytest.approx(0.065**3 * 250, rel=1e-5)
    assert force[:, 2].tolist() == pytest.approx([weight] * 4, rel=0.05)


def test_a_cube_beside_the_hand_is_dropped(device: str) -> None:
    task = allegro(device)
    task.cube_state[1, 2] -= 0.07
    task.cube_state[2, 1] += 0.07
    task.sim.set_root_states(task.sim.root_states)
    step = task.step(torch.zeros(4, 16, device=task.device))
    assert step.terminated.tolist() == [False, True, True, False]
    assert step.reward[1:3].tolist() == [task.cfg.drop_reward] * 2


def test_targets_stay_near_their_joints_and_within_their_limits(device: str) -> None:
    task = allegro(device, lead=0.2)
    for k in range(15):
        task.step(torch.full((4, 16), 1.0 if k < 8 else -1.0, device=task.device))
        assert (task.targets >= task.lower - 0.21).all()
        assert (task.targets <= task.upper + 0.21).all()
    before = task.dof_pos.clone()
    task.apply_actions()
    assert ((task.targets - before).abs() <= 0.2 + 1e-6).all()


def test_an_action_moves_targets_as_fast_as_it_says(device: str) -> None:
    task = allegro(device, lead=10.0, start_dof_noise=0.0)
    actions = torch.zeros(4, 16, device=task.device)
    actions[:, 0] = -0.5
    for _ in range(4):
        task.step(actions)
    assert task.targets[0, 0].item() == pytest.approx(-0.5 * 2.0 * 0.2, rel=1e-4)  # 4 actions of 0.05 s
    assert torch.equal(task.targets[0, 1:], task.rest[1:])


def test_the_cube_is_seen_as_it_lies(device: str) -> None:
    task = allegro(device)
    task.cube_state[0, :3] = task.cube_start[0, :3] + torch.tensor([0.01, -0.02, 0.03], device=device)
    task.cube_state[0, 3:7] = quat_about(2, torch.tensor(math.pi / 2)).to(device)
    task.cube_state[0, 7:13] = torch.arange(6.0, device=device)
    seen = task.compute_observations()[0, 48:63].tolist()
    assert seen == pytest.approx([0.1, -0.2, 0.3, 0, 1, 0, -1, 0, 0, 0, 1, 2, 3, 4, 5], abs=1e-5)
    assert task.compute_observations().shape == (4, task.num_obs)
