"""The tools of benchmarks/parity: a policy of rl_games, MuJoCo as a batch, sensors and books of a client's robot."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch

from kilogym.assets.asset import Sensor
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.bench.sim_to_sim import MujocoPhysics
from kilogym.sim import Simulation, SimulationParams
from kilogym.tasks.ant import Ant
from kilogym.tasks.registry import make_task

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "parity"
ENVS = 8


@pytest.fixture
def tools(monkeypatch) -> SimpleNamespace:
    """The scripts, imported as they import each other."""
    pytest.importorskip("mujoco.rollout")
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name: str) -> ModuleType:
        monkeypatch.delitem(importlib.import_module("sys").modules, name, raising=False)
        return importlib.import_module(name)

    return SimpleNamespace(client=load("client"), batch=load("mujoco_batch"), books=load("books"))


def ants(device: str, dt: float, height: float) -> SimpleNamespace:
    """What the tools take for a client's task: ants with a sensor on every link that has no child.

    One scene for all tests, as every scene is compiled.
    """
    asset = load_asset(Ant.robot.parent, Ant.robot.name, ImportOptions(angular_damping=0.0))
    parents = {link.parent for link in asset.links}
    tips = [i for i in range(len(asset.links)) if i not in parents]
    assert len(tips) == 4
    asset = replace(asset, sensors=tuple(Sensor(link=i) for i in tips))
    sim = Simulation(SimulationParams(dt=dt, substeps=1), device)
    sim.add_ground()
    for _ in range(ENVS):
        sim.create_actor(sim.create_env(), asset, (0.0, 0.0, height), filter=1)
    sim.prepare()
    return SimpleNamespace(sim=SimpleNamespace(simulation=sim))


def efforts(step: int, device: str) -> torch.Tensor:
    """Torques that beat the legs against their stops [N m]."""
    generator = torch.Generator().manual_seed(step // 5)
    return (15.0 * (2 * torch.rand(ENVS * 8, generator=generator) - 1)).to(device)


def test_an_actor_of_rl_games_acts_as_its_numbers_say(tools, tmp_path):
    generator = torch.Generator().manual_seed(0)
    w = [torch.randn(5, 3, generator=generator), 0.05 * torch.randn(2, 5, generator=generator)]
    model = {
        "running_mean_std.running_mean": torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64),
        "running_mean_std.running_var": torch.tensor([4.0, 1.0, 1e-8], dtype=torch.float64),
        "a2c_network.actor_mlp.0.weight": w[0],
        "a2c_network.actor_mlp.0.bias": torch.zeros(5),
        "a2c_network.mu.weight": w[1],
        "a2c_network.mu.bias": torch.tensor([0.1, -0.2]),
        "a2c_network.sigma": torch.zeros(2),
    }
    torch.save({"model": model}, tmp_path / "a.pth")
    x = torch.tensor([1.0, 1.0, 5.0])  # (2 - 1) / 2 is 0.5, 1 off by one, the last far out: clipped at 5
    obs = torch.tensor([[3.0, 3.0, 9.0]])
    hidden = torch.nn.functional.elu(w[0] @ x)
    expected = (w[1] @ hidden + model["a2c_network.mu.bias"]).clamp(-1, 1)
    act = tools.client.load_policy(tmp_path / "a.pth")
    torch.testing.assert_close(act(obs)[0], expected, rtol=1e-4, atol=1e-4)
    noisy = tools.client.load_policy(tmp_path / "a.pth", noise=True)
    assert not torch.equal(noisy(obs), noisy(obs))


def test_a_batch_of_mujoco_equals_one_by_one(tools, device):
    """The same model, the same states: envs in threads give what envs in a loop give."""
    states = []
    for batched in (False, True):
        task = make_task("ant", ENVS, device, seed=5)
        task.reset()
        model = tools.batch.reference_model(
            task.robot, task.config.dt, 1.25, tools.batch.Stiffness(8, 0.005, elliptic=True)
        )
        if batched:
            physics = tools.batch.MujocoBatch(task.sim, task.asset, model, 8)
        else:
            physics = MujocoPhysics(task)
            physics.model, physics.steps = model, 8
        for step in range(20):
            task.sim.set_actuation_forces(0.2 * efforts(step, device))
            physics.step()
        task.refresh()
        states.append(torch.cat([task.root, task.dof_pos, task.dof_vel], dim=1).cpu())
    # one by one warm-starts its solver and the batch does not: they agree to its tolerance
    torch.testing.assert_close(states[0], states[1], rtol=1e-2, atol=1e-2)


def test_sensors_from_momentum_are_the_engines(tools, device):
    """Over a short step the mean of a foot's force is its change of momentum."""
    task = ants(device, dt=1 / 1920, height=0.6)
    sim = tools.client.simulation(task)
    read = sim.refresh_force_sensors
    sensors = tools.client.MomentumSensors(sim, tools.client.asset(task), sim.step)
    errors, sizes = [], []
    for step in range(400):
        sim.set_actuation_forces(efforts(step // 16, device))
        sensors.step()
        ours = sim.force_sensors.clone()
        read()
        errors.append((ours - sim.force_sensors).square().mean(0).cpu())
        sizes.append(sim.force_sensors.square().mean(0).cpu())
    share = (torch.stack(errors).mean(0) / torch.stack(sizes).mean(0)).sqrt()
    assert (share < 0.1).all(), share


def test_books_split_what_is_lost(tools, device):
    """Falling freely, motors that beat against the stops lose in dampers and stops, and nowhere else."""
    task = ants(device, dt=1 / 120, height=50.0)
    keeper = tools.books.Bookkeeper(task, 1.25)
    for step in range(80):
        keeper.sim.set_actuation_forces(efforts(step, device))
        keeper.step()
    books = keeper.close(0.0)
    lost = books.damping + books.stops + books.contacts
    assert books.motor_work > 10.0
    assert lost > 10.0
    assert books.created < 0.02 * books.motor_work
    assert books.stops > 0.2 * lost
    assert abs(books.contacts) < 0.1 * lost
    assert books.momentum_error < 1e-3


@pytest.mark.parametrize(("damping", "share"), [(1.0, np.exp(-2.0)), (3.0, 0.024)])
def test_what_a_stop_of_mujoco_gives_back(damping, share):
    """14 % of the speed at a damping ratio of 1, however stiff; hardly any at 3: what docs/parity.md builds on."""
    for solref in (0.02, 0.002):
        model = mujoco.MjModel.from_xml_string(
            f"""<mujoco><compiler angle="radian"/>
            <option gravity="0 0 0" integrator="implicitfast" timestep="{solref / 40}"/>
            <default><joint solreflimit="{solref} {damping}" solimplimit="0.99 0.999 0.001"/></default>
            <worldbody><body><joint type="hinge" axis="0 0 1" limited="true" range="-1 1"/>
            <geom type="sphere" size="0.1" mass="1"/></body></worldbody></mujoco>"""
        )
        data = mujoco.MjData(model)
        data.qpos[0], data.qvel[0] = 0.9, 20.0
        slowest = 20.0
        while data.time < 0.005 + 80 * solref:
            mujoco.mj_step(model, data)
            slowest = min(slowest, data.qvel[0])
            if data.qpos[0] < 0.9:
                break
        assert -slowest / 20.0 == pytest.approx(share, rel=0.1)
