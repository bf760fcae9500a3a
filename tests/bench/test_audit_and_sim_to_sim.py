"""The books of a policy's energy, and MuJoCo in the place of the engine."""

from __future__ import annotations

import json

import mujoco
import numpy as np
import pytest
import torch

from kilogym.bench import audit, policy_options, sim_to_sim
from kilogym.bench.audit import Auditor, mechanical_energy
from kilogym.bench.sim_to_sim import MujocoPhysics, reference_model
from kilogym.rl.train import TrainOptions, train
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.registry import get_task, make_task


@pytest.fixture
def ants(device):
    return make_task("ant", 16, device, seed=3)


def throw(task, height: float) -> None:
    """Every ant at a height, moving and turning, its joints away from their stops."""
    generator = torch.Generator().manual_seed(0)
    task.root[:, 2] = height
    task.root[:, 7:13] = torch.randn(task.num_envs, 6, generator=generator).to(task.device)
    task.dof_pos.copy_(0.5 * (task.lower + task.upper))
    task.dof_vel.copy_(0.5 * torch.randn(task.num_envs, 8, generator=generator))
    task.sim.set_root_states(task.sim.root_states)
    task.sim.set_dof_states(task.sim.dof_states)


def test_energy_equals_mujocos(ants):
    """MuJoCo sums the same energy from the same state; its zero of height is ours."""
    throw(ants, 2.0)
    model = reference_model(ants)
    model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    ants.sim.refresh_body_states()
    bodies = ants.sim.body_states.double().cpu().numpy().reshape(16, -1, 13)
    speeds = ants.dof_vel.double().cpu().numpy()
    ours = mechanical_energy(ants.asset, bodies, speeds, 9.81)
    physics = MujocoPhysics(ants)
    for env in range(16):
        data = mujoco.MjData(model)
        root = ants.root[env].double().cpu().numpy()
        data.qpos[:3], data.qpos[3:7] = root[:3], root[[6, 3, 4, 5]]
        data.qpos[physics.qpos] = ants.dof_pos[env].double().cpu().numpy()
        data.qvel[:3], data.qvel[physics.qvel] = root[7:10], speeds[env]  # the torso's com is its origin
        data.qvel[3:6] = root[10:13]  # the torso is not turned
        mujoco.mj_forward(model, data)
        assert ours[env] == pytest.approx(data.energy.sum(), rel=1e-5)


def test_both_engines_fly_alike(device):
    """No contact, no stop: MuJoCo's step of 2 ms and ours of 8 ms differ by their integrators alone."""
    states = []
    for stand_in in (False, True):
        task = make_task("ant", 16, device, seed=3)
        throw(task, 5.0)
        if stand_in:
            task.sim.step = MujocoPhysics(task).step
        task.sim.set_actuation_forces(torch.full((16 * 8,), 0.05, device=device))
        for _ in range(6):
            task.sim.step()
        task.refresh()
        states.append(torch.cat([task.root, task.dof_pos], dim=1).cpu())
    assert not torch.equal(states[0], states[1])
    np.testing.assert_allclose(states[0][:, :7], states[1][:, :7], atol=5e-3)
    np.testing.assert_allclose(states[0][:, 13:], states[1][:, 13:], atol=5e-3)


def test_a_quadruped_stands_on_its_drives_in_both(device):
    """MuJoCo's drives have the same gains: it sags to the same height on four feet, which bear its weight."""
    seen = []
    for stand_in in (False, True):
        try:
            task = make_task("anymal", 2, device, seed=3)
        except ImportError as error:
            pytest.skip(str(error))
        if stand_in:
            task.sim.step = MujocoPhysics(task).step
        actions = torch.zeros(2, task.num_actions, device=device)
        weight = 9.81 * sum(link.mass for link in task.asset.links)
        task.start_states(torch.ones(2, dtype=torch.bool, device=device))
        for _ in range(100):
            step = task.step(actions)
            assert not step.terminated.any()
        seen.append((task.root[:, 2].cpu(), task.dof_pos.cpu(), (task.foot_forces[..., 2].sum(1) / weight).cpu()))
    for height, _, carried in seen:
        assert (height > 0.4).all()
        np.testing.assert_allclose(carried, 1.0, atol=0.1)
    np.testing.assert_allclose(seen[0][0], seen[1][0], atol=0.02)
    np.testing.assert_allclose(seen[0][1], seen[1][1], atol=0.06)


def test_books_of_random_motion(ants):
    """Motors flail: what they put in is kept or lost, never exceeded; friction stays in its cone."""
    auditor = Auditor(ants)
    generator = torch.Generator().manual_seed(1)
    for _ in range(60):
        efforts = 15 * (2 * torch.rand(16 * 8, generator=generator) - 1)
        ants.sim.set_actuation_forces(efforts.to(ants.device))
        auditor.step()
    books = auditor.close()
    assert books.motor_work > 10.0
    assert books.lost > 10.0
    assert books.created < 0.02 * books.motor_work
    assert books.friction_over_limit < 1.0 + 1e-4
    assert books.weight_share > 0.0


def test_books_notice_energy_out_of_nothing(ants):
    """The control: a push that no motor made is a gain."""
    auditor = Auditor(ants)
    physics = auditor.physics

    def push() -> None:
        physics()
        ants.sim.refresh_root_states()
        ants.root[:, 9] += 1.0
        ants.sim.set_root_states(ants.sim.root_states)

    auditor.physics = push
    auditor.step()
    assert auditor.close().created > 0.3


def test_other_tasks_are_refused(device):
    with pytest.raises(NotImplementedError, match="one walking robot"):
        MujocoPhysics(make_task("cartpole", 2, device, seed=0))


def test_a_refusal_is_one_line(tmp_path, capsys):
    """No checkpoint, no file of ours, a task that cannot be looked at: no traceback, exit code 2."""
    (tmp_path / "checkpoint.pt").write_text("not one")
    short = TrainOptions(
        task=get_task("cartpole").config, runs=tmp_path, device="cpu", film=False, evaluate=False,
        ppo=PpoConfig(num_envs=4, horizon=4, minibatches=1, max_iterations=1, hidden=(4,)),
    )  # fmt: skip
    cartpole, _ = train("cartpole", short)
    capsys.readouterr()
    for module in (audit, sim_to_sim):
        for path, message in (
            (tmp_path / "nowhere", "no checkpoint at"),
            (tmp_path, "is not a checkpoint of Kilogym"),
            (cartpole, "one walking robot"),
        ):
            assert module.main([str(path), "--envs", "2", "--out", str(tmp_path / "out.json")]) == 2
            printed = capsys.readouterr()
            assert printed.err.startswith(f"python -m {module.__name__}: error: ")
            assert message in printed.err
            assert printed.err.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


def test_a_report_is_written(tmp_path):
    """What a look returns is the JSON that --out names, in a folder made for it."""
    words = ["run", "--out", f"{tmp_path}/new/x.json"]
    assert policy_options.run("kilogym.x", None, 3, words, lambda options: {"envs": options.envs}) == 0
    assert json.loads((tmp_path / "new/x.json").read_text()) == {"envs": 3}
