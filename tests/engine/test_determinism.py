"""An env is a closed world: its bits depend on its own state and inputs, on nothing else.

What is the same to the bit is on the accuracy card (kilogym.validation, part G); here is what threads and bad numbers
must not change, and what an overflow does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from kilogym.engine.batch import FAULT_NONFINITE, FAULT_OVERFLOW
from kilogym.engine.model import SHAPE_CAPSULE, SHAPE_SPHERE
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.closed_world import columns, differing, inputs, make, put, record, run
from kilogym.validation.trees import load
from kilogym.validation.zoo import HUMANOID

ARM7 = Path(__file__).parents[2] / "examples/arm7.urdf"


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert not any(differing(a, b).values()), differing(a, b)


@pytest.fixture(scope="module")
def world(device) -> BatchWorld:
    return make(64, device)


@pytest.fixture(scope="module")
def start(world) -> dict[str, torch.Tensor]:
    return inputs(world, 0)


@pytest.fixture(scope="module")
def reference(world, start) -> dict[str, torch.Tensor]:
    """What `start` becomes in STEPS steps."""
    put(world, start)
    run(world)
    result = record(world)
    assert result["contacts"].float().mean() > 2, "the test needs contacts"
    assert torch.isfinite(result["dof_vel"]).all()
    return result


def test_threads_do_not_matter(device, start, reference):
    if device != "cpu":
        pytest.skip("threads are the CPU's")
    for threads in (1, 2, 3):
        other = make(64, device, threads=threads)
        put(other, start)
        run(other)
        assert_same(record(other), reference)


BAD = {
    "nan position": ("dof_pos", float("nan")),
    "nan velocity": ("root_lin_vel", float("nan")),
    "infinite velocity": ("root_ang_vel", float("inf")),
    "nan quaternion": ("root_quat", float("nan")),
    "zero quaternion": ("root_quat", 0.0),
    "nan target": ("dof_target_pos", float("nan")),
    "nan effort": ("dof_effort_in", float("nan")),
    "nan force": ("link_force", float("nan")),
    "infinite force": ("link_force", float("inf")),
    "huge velocity": ("root_ang_vel", 1e25),
}


@pytest.mark.parametrize("what", BAD)
def test_a_fault_stays_in_its_env(world, start, what):
    """A bad number in env 5: not one bit changes in any other; env 5 is flagged, stands still, recovers when set."""
    name, value = BAD[what]
    batch, bad = world.batch, 5
    others = torch.tensor([i for i in range(world.num_envs) if i != bad], device=world.device)
    batch.control.has_wrench = name == "link_force"
    put(world, start)
    run(world, 20)
    fresh = record(world)
    run(world, 20, start=20)
    clean = record(world)
    assert not clean["faults"].bitwise_and(FAULT_NONFINITE).any()

    put(world, start)
    run(world, 20)
    table = batch.state if name in batch.state else batch.input
    table[name][:, bad] = value
    before = {k: t[:, bad].clone() for k, t in batch.state.items()}
    run(world, 20, start=20)
    assert_same(columns(record(world), others), columns(clean, others))
    assert int(batch.fault[bad]) & FAULT_NONFINITE, "env 5 is not flagged"
    assert_same({k: t[:, bad] for k, t in batch.state.items()}, before)
    assert not any(t[:, bad].any() for t in batch.output.values())

    put(world, columns(start, slice(bad, bad + 1)), slice(bad, bad + 1))
    run(world, 20)
    assert_same(columns(record(world), [bad]), columns(fresh, [bad]))
    batch.control.has_wrench = False


@pytest.mark.parametrize("name", ["dof_target_pos", "dof_target_vel", "dof_effort_in"])
def test_an_effort_limit_does_not_hide_nan(device, name):
    """One bad number at a DOF whose drive is limited: clamping it would make it a plausible effort."""
    world = BatchWorld([load(ARM7, fix_base_link=True)], 2, device)
    assert (world.batch.params["dof_effort"] < 1e3).all()
    world.batch.params["dof_mode"].fill_(3 if name == "dof_effort_in" else 1)
    world.batch.params["dof_stiffness"].fill_(100)
    world.batch.params["dof_damping"].fill_(10)
    world.batch.input["dof_target_pos"].fill_(3.0)  # drives are at their limit when the bad number comes
    for _ in range(3):
        world.batch.step()
    world.batch.input[name][4, 1] = float("nan")
    world.batch.step()
    assert world.batch.fault.tolist() == [0, FAULT_NONFINITE]


def test_an_infinite_target_is_the_limit(device):
    """A drive follows an infinite target with all its effort, and nothing breaks."""
    world = BatchWorld([load(ARM7, fix_base_link=True)], 2, device)
    for name, value in (("dof_mode", 1), ("dof_stiffness", 100), ("dof_damping", 10)):
        world.batch.params[name].fill_(value)
    world.batch.input["dof_target_pos"][:, 0] = float("inf")
    world.batch.input["dof_target_pos"][:, 1] = 1e6
    for _ in range(30):
        world.batch.step()
    assert world.batch.fault.tolist() == [0, 0]
    torch.testing.assert_close(world.batch.state["dof_pos"][:, 0], world.batch.state["dof_pos"][:, 1])


def points_of(model) -> list[int]:
    return [2 if kind == SHAPE_CAPSULE else 1 for kind in model.shape_kind]


def ground_heights(asset, model, bodies: np.ndarray) -> np.ndarray:
    """Height of every candidate point of spheres and capsules, in the order of their slots: (envs, points)."""
    out = []
    for shape, kind in zip(asset.shapes, model.shape_kind, strict=True):
        assert kind in (SHAPE_SPHERE, SHAPE_CAPSULE)
        pos, turn = bodies[:, shape.link, :3], Rotation.from_quat(bodies[:, shape.link, 3:7])
        axis = Rotation.from_quat(shape.quat).apply([0, 0, shape.size[1]])
        for end in (1, -1) if kind == SHAPE_CAPSULE else (0,):
            out.append((pos + turn.apply(np.asarray(shape.pos) + end * axis))[:, 2] - shape.size[0])
    return np.array(out).T


def test_an_overflow_is_flagged_and_keeps_the_deepest(device):
    """A Humanoid lying on the ground with room for four contacts: counted, flagged, finite, the deepest four kept."""
    asset = load(HUMANOID)
    worlds = [BatchWorld([asset], 8, device, ground=GroundPlane(), max_contacts=cap) for cap in (4, 40)]
    for world in worlds:
        rng = np.random.default_rng(3)
        state = {name: t.cpu().numpy().T.copy() for name, t in world.batch.state.items()}
        state["root_pos"][:] = [0.0, 0.0, 0.06]
        state["root_quat"][:] = [0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)]
        state["root_quat"] += rng.normal(size=state["root_quat"].shape) * 0.02
        state["root_quat"] /= np.linalg.norm(state["root_quat"], axis=1, keepdims=True)
        world.set_state(state)
        bodies = world.query("kinematics", world.model.num_links, 13)
        world.batch.step()
    few, all_ = (world.batch for world in worlds)
    assert (all_.contact_overflow == 0).all()
    assert (all_.contact_count > 4).all()
    assert (few.contact_count == 4).all()
    assert torch.equal(few.contact_overflow, all_.contact_count - 4)
    assert few.fault.bitwise_and(FAULT_OVERFLOW).all()
    # all points fall alike in the first step: the deepest are those with the least height at its start
    heights = ground_heights(asset, all_.model, bodies)
    topology = few.topology
    slots = range(topology.ground_slots[0], topology.num_slots)
    for env in range(8):
        deepest = {slots[i] for i in np.argsort(heights[env])[:4]}
        assert set(few._warm["warm_slot"][:, env].tolist()) == deepest
    for _ in range(240):
        few.step()
    assert all(torch.isfinite(t).all() for t in few.state.values())
    # four points carry it as long as no fifth goes deeper: it does not sink through the floor
    assert (few.state["root_pos"][2] > -0.05).all()
