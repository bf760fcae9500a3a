"""An env is a closed world: its bits depend on its own state and inputs, on nothing else.

One env holds an Ant and a Humanoid, which collide with each other, themselves and the ground, and an arm with
position drives.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from engine_support import ANT, ARM7, HUMANOID, World, load
from scipy.spatial.transform import Rotation

from kilogym.engine.batch import FAULT_NONFINITE, FAULT_OVERFLOW
from kilogym.engine.model import SHAPE_CAPSULE, SHAPE_SPHERE
from kilogym.scene.declarations import GroundPlane

STEPS = 40
TABLES = ("state", "output", "_warm")


def make(num_envs: int, device: str, filter: int = 0, **options) -> World:
    arm = dataclasses.replace(load(ARM7, fix_base_link=True), shapes=())
    world = World([load(ANT), load(HUMANOID), arm], num_envs, device, ground=GroundPlane(), filter=filter, **options)
    world.batch.control.substeps = 2
    for name in ("dof_mode", "dof_stiffness", "dof_damping"):
        world.batch.expand(name)
    arm = world.tree_dofs(2)
    world.batch.params["dof_mode"][:] = 3
    world.batch.params["dof_mode"][arm] = 1
    world.batch.params["dof_stiffness"][arm] = 200
    world.batch.params["dof_damping"][arm] = 10
    return world


def inputs(world: World, seed: int) -> dict[str, torch.Tensor]:
    """States that touch the ground within a few steps, and efforts and targets: (rows, envs)."""
    g = torch.Generator().manual_seed(seed)
    n, dofs = world.num_envs, world.model.num_dofs

    def normal(rows: int, scale: float) -> torch.Tensor:
        return torch.randn(rows, n, generator=g) * scale

    pos = normal(9, 0.1)
    pos[2], pos[5], pos[8] = 0.4 + pos[2], 0.8 + pos[5], 1.0  # the Humanoid falls on the Ant
    quat = normal(12, 1.0).view(3, 4, n)
    quat[2] = torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None]
    quat /= quat.norm(dim=1, keepdim=True)
    made = {
        "root_pos": pos, "root_quat": quat.reshape(12, n), "root_lin_vel": normal(9, 0.5),
        "root_ang_vel": normal(9, 0.5), "dof_pos": normal(dofs, 0.2), "dof_vel": normal(dofs, 0.5),
        "dof_effort_in": normal(dofs, 10.0), "dof_target_pos": normal(dofs, 0.5),
    }  # fmt: skip
    return {name: value.to(world.device) for name, value in made.items()}


def put(world: World, values: dict[str, torch.Tensor], envs: slice | torch.Tensor = slice(None)) -> None:
    """Write columns of STATE and INPUT, as a setter of the simulation does."""
    for name, value in values.items():
        table = world.batch.state if name in world.batch.state else world.batch.input
        table[name][:, envs] = value
    written = torch.zeros(world.model.num_trees, world.num_envs, dtype=torch.int32, device=world.device)
    written[:, envs] = 1
    world.batch.clear_warm_start(written)
    world.batch.fault[envs] = 0


def columns(values: dict[str, torch.Tensor], envs) -> dict[str, torch.Tensor]:
    return {name: value[:, envs] for name, value in values.items()}


def run(world: World, steps: int = STEPS, start: int = 0) -> None:
    """Step with efforts that change every step, the same function of time for every env."""
    effort = world.batch.input["dof_effort_in"]
    first = effort.clone()
    for i in range(start, start + steps):
        effort.copy_(first * float(np.float32(np.cos(0.37 * i))))
        world.batch.step()
    effort.copy_(first)


def record(world: World) -> dict[str, torch.Tensor]:
    """Every bit that a step leaves behind: name -> (rows, envs).

    Warm-start impulses beyond the end of the list of slots are left out: nobody reads them.
    """
    out = {name: t.clone() for table in TABLES for name, t in getattr(world.batch, table).items()}
    unused = out["warm_slot"].lt(0).cumsum(0).gt(0)
    out["warm_slot"].masked_fill_(unused, -1)
    out["warm_impulse"].view(-1, 3, world.num_envs).masked_fill_(unused[:, None], 0.0)
    out["faults"] = world.batch.fault[None].clone()
    out["contacts"] = world.batch.contact_count[None].clone()
    return out


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    for name, value in a.items():
        # bits, not values: NaN equals NaN, -0.0 does not equal 0.0
        same = torch.equal(value.contiguous().view(torch.int32), b[name].contiguous().view(torch.int32))
        assert same, f"{name}: {int((value != b[name]).sum())} of {value.numel()} numbers differ"


@pytest.fixture(scope="module")
def world(device) -> World:
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


def test_a_new_batch_gives_the_same_bits(device, start, reference):
    again = make(64, device)
    put(again, start)
    run(again)
    assert_same(record(again), reference)


def test_a_reset_batch_gives_the_same_bits(world, start, reference):
    put(world, inputs(world, 5))
    run(world, 10)
    put(world, start)
    run(world)
    assert_same(record(world), reference)


def test_one_env_of_one_equals_any_of_a_thousand(device, start, reference):
    """The same state at each of 1000 indices, and alone."""
    alone = make(1, device)
    put(alone, columns(start, slice(7, 8)))
    run(alone)
    single = record(alone)
    assert_same(single, columns(reference, slice(7, 8)))
    thousand = make(1000, device)
    put(thousand, {name: value[:, 7:8].expand(-1, 1000) for name, value in start.items()})
    run(thousand)
    assert_same(record(thousand), {name: value.expand(-1, 1000) for name, value in single.items()})


def test_permuted_envs_give_permuted_bits(world, start, reference):
    order = torch.randperm(world.num_envs, generator=torch.Generator().manual_seed(1)).to(world.device)
    put(world, columns(start, order))
    run(world)
    assert_same(record(world), columns(reference, order))


def test_a_reset_env_equals_a_fresh_one(world, start, reference):
    """Some envs are reset on the way: they equal fresh envs, the others never notice."""
    put(world, inputs(world, 2))
    put(world, start)
    run(world, 20)
    middle = record(world)
    reset = torch.tensor([3, 17, 40], device=world.device)
    others = torch.tensor([i for i in range(world.num_envs) if i not in (3, 17, 40)], device=world.device)
    put(world, columns(start, reset), reset)
    run(world, 20)  # efforts of the first 20 steps again
    assert_same(columns(record(world), reset), columns(middle, reset))
    put(world, start)
    run(world, 20)
    run(world, 20)
    unreset = columns(record(world), others)
    put(world, start)
    run(world, 20)
    put(world, columns(start, reset), reset)
    run(world, 20)
    assert_same(columns(record(world), others), unreset)


def test_a_snapshot_goes_on_with_the_same_bits(world, start):
    put(world, start)
    run(world, 20)
    saved = world.batch.snapshot()
    run(world, 20, start=20)
    first = record(world)
    world.batch.restore(saved)
    run(world, 20, start=20)
    assert_same(record(world), first)
    # the impulses are part of it: without them the same state goes another way
    world.batch.restore(saved)
    world.batch.clear_warm_start(torch.ones(3, world.num_envs, dtype=torch.int32, device=world.device))
    run(world, 20, start=20)
    assert not torch.equal(world.batch.state["dof_pos"], first["dof_pos"])


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
    world = World([load(ARM7, fix_base_link=True)], 2, device)
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
    world = World([load(ARM7, fix_base_link=True)], 2, device)
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
    worlds = [World([asset], 8, device, ground=GroundPlane(), max_contacts=cap) for cap in (4, 40)]
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
