"""Part G: the same bits whatever is around an env, other units, smaller steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from kilogym.assets.asset import Asset, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.case import Case, Number, require
from kilogym.validation.cases.a_dynamics import BOTH
from kilogym.validation.closed_world import columns, differing, inputs, make, put, record, run
from kilogym.validation.lab import Lab
from kilogym.validation.oracle import State
from kilogym.validation.trees import bare, load
from kilogym.validation.zoo import ARM, HUMANOID, from_text

NOT_HERE = "it is about Kilogym's own bits"


def bits(lab: Lab) -> dict[str, float]:
    world = make(64, lab.device)
    start = inputs(world, 0)

    def end_of(batch: BatchWorld, values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        put(batch, values)
        run(batch)
        return record(batch)

    def differ(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> int:
        return sum(differing(a, b).values())

    reference = end_of(world, start)
    require(reference["contacts"].float().mean() > 2, "contacts")
    require(torch.isfinite(reference["dof_vel"]).all(), "finite speeds")
    found = {"a new batch": differ(end_of(make(64, lab.device), start), reference)}
    put(world, inputs(world, 5))
    run(world, 10)
    found["a batch used before"] = differ(end_of(world, start), reference)

    single = end_of(make(1, lab.device), columns(start, slice(7, 8)))
    found["an env alone"] = differ(single, columns(reference, slice(7, 8)))
    many = {name: value[:, 7:8].expand(-1, 1000) for name, value in start.items()}
    thousand = {name: value.expand(-1, 1000) for name, value in single.items()}
    found["each of a thousand"] = differ(end_of(make(1000, lab.device), many), thousand)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(1)).to(lab.device)
    found["permuted envs"] = differ(end_of(world, columns(start, order)), columns(reference, order))
    return {**found, **_resets(world, start, differ), "a restored snapshot": _restored(world, start, differ)}


def _resets(world: BatchWorld, start: dict[str, torch.Tensor], differ) -> dict[str, float]:
    """Some envs are reset on the way: they equal fresh envs, the others never notice."""
    put(world, inputs(world, 2))
    put(world, start)
    run(world, 20)
    middle = record(world)
    reset = torch.tensor([3, 17, 40], device=world.device)
    others = torch.tensor([i for i in range(world.num_envs) if i not in (3, 17, 40)], device=world.device)
    put(world, columns(start, reset), reset)
    run(world, 20)  # efforts of the first 20 steps again
    fresh = differ(columns(record(world), reset), columns(middle, reset))
    put(world, start)
    run(world, 20)
    run(world, 20)
    unreset = columns(record(world), others)
    put(world, start)
    run(world, 20)
    put(world, columns(start, reset), reset)
    run(world, 20)
    return {"an env reset": fresh, "envs beside it": differ(columns(record(world), others), unreset)}


def _restored(world: BatchWorld, start: dict[str, torch.Tensor], differ) -> float:
    put(world, start)
    run(world, 20)
    saved = world.batch.snapshot()
    run(world, 20, start=20)
    first = record(world)
    world.batch.restore(saved)
    run(world, 20, start=20)
    result = differ(record(world), first)
    # the impulses are part of it: without them the same state goes another way
    world.batch.restore(saved)
    world.batch.clear_warm_start(torch.ones(3, world.num_envs, dtype=torch.int32, device=world.device))
    run(world, 20, start=20)
    require(differ(record(world), first), "the warm start to matter")
    return result


LENGTH = 8.0  # a power of two: all rounding is the same, and what is left is an absolute epsilon somewhere
POWERS = {  # of length; masses and times stay, so forces grow with it and torques with its square
    "link_pos": 1, "link_com": 1, "link_inertia": 2, "joint_pos": 1, "dof_effort": 2, "dof_stiffness": 2,
    "dof_damping": 2, "dof_friction": 2, "dof_armature": 2, "shape_pos": 1, "shape_size": 1,
    "shape_contact_offset": 1, "shape_rest_offset": 1, "ground_distance": 1, "tree_max_linear_velocity": 1,
}  # fmt: skip


def other_units(lab: Lab) -> dict[str, float]:
    steps = 60 if lab.precision == "float64" else 30
    ends = []
    for length in (1.0, LENGTH):
        world = BatchWorld([load(HUMANOID)], 16, lab.device, lab.precision, ground=GroundPlane())
        control = world.batch.control
        control.substeps = 2
        control.gravity = (0.0, 0.0, -9.81 * length)
        control.bounce_threshold, control.max_depenetration = 0.2 * length, 100.0 * length
        for name, power in POWERS.items():
            world.batch.params[name] *= length**power
        world.batch.params["dof_mode"].fill_(3)
        state = world.random_state(31, spread=0.1, speed=0.3)
        state["root_quat"][:] = [0.0, 0.0, 0.0, 1.0]
        state["root_pos"][:, 2] = 1.3
        state["root_pos"] *= length
        state["root_lin_vel"] *= length
        world.set_state(state)
        world.set_input(dof_effort_in=np.random.default_rng(32).normal(size=(16, world.model.num_dofs)) * 5 * length**2)
        touched = 0
        for _ in range(steps):
            world.batch.step()
            touched = max(touched, int(world.batch.contact_count.min()))
        require(touched >= 2, f"every Humanoid to touch the ground twice, it was {touched}")
        state = world.state()
        state["root_pos"] /= length
        state["root_lin_vel"] /= length
        ends.append(state)
    return {"numbers that differ": sum(int((value != ends[1][name]).sum()) for name, value in ends[0].items())}


def order(errors: Sequence[float] | np.ndarray) -> float:
    """Observed order of convergence over halved steps."""
    return float(np.polyfit(np.arange(len(errors)), -np.log2(errors), 1)[0])


def end_of(world: BatchWorld, state: State, duration: float, dt: float, substeps: int) -> State:
    world.batch.control.dt, world.batch.control.substeps = dt, substeps
    world.set_state(state)
    for _ in range(round(duration / dt)):
        world.batch.step()
    return world.state()


def substeps(lab: Lab) -> dict[str, float]:
    world = BatchWorld([load(HUMANOID)], 4, lab.device, ground=GroundPlane())
    state = world.random_state(33, spread=0.1)
    state["root_pos"][:, 2] = 1.0
    one = end_of(world, state, 0.5, 1 / 120, 2)
    two = end_of(world, state, 0.5, 1 / 240, 1)
    require(world.batch.contact_count.sum() > 0, "contacts")
    return {"numbers that differ": sum(int((one[name] != two[name]).sum()) for name in one)}


def order_in_flight(lab: Lab) -> dict[str, float]:
    world = BatchWorld([bare(load(HUMANOID)), bare(from_text("arm", ARM))], 4, lab.device, lab.precision)
    state = world.random_state(34, spread=0.3, speed=1.0)
    state["root_quat"].reshape(4, 2, 4)[:, 1] = [0.0, 0.0, 0.0, 1.0]
    exact = end_of(world, state, 0.2, 1 / 7680, 1)["dof_pos"]
    ends = [end_of(world, state, 0.2, 1 / 120, substeps)["dof_pos"] for substeps in (2, 4, 8)]
    return {"order": order([float(np.abs(q - exact).max()) for q in ends])}


def order_in_touch(lab: Lab) -> dict[str, float]:
    ball = Link("ball", -1, mass=1.0, inertia=(0.004, 0.004, 0.004, 0.0, 0.0, 0.0))
    brick = Link("brick", -1, mass=1.0, inertia=(0.01, 0.01, 0.01, 0.0, 0.0, 0.0))
    shapes = (
        Shape(0, ShapeKind.SPHERE, (0.1, 0, 0)),
        Shape(
            0,
            ShapeKind.BOX,
            (0.1, 0.1, 0.05),
        ),
    )
    assets = [Asset(link.name, (link,), shapes=(shape,)) for link, shape in zip((ball, brick), shapes, strict=True)]
    world = BatchWorld(assets, 1, lab.device, lab.precision, ground=GroundPlane())
    world.batch.params["shape_friction"].fill_(0.3)
    world.batch.params["ground_friction"].fill_(0.3)
    world.batch.params["tree_angular_damping"].zero_()
    state = {
        "root_pos": np.array([[0, 0, 0.1, 0, 2, 0.05]]), "root_quat": np.array([[0, 0, 0, 1.0] * 2]),
        "root_lin_vel": np.array([[2.0, 0, 0, 2.0, 0, 0]]), "root_ang_vel": np.zeros((1, 6)),
    }  # fmt: skip
    ball_end = 2.0 * 2 / 7 / (0.3 * 9.81)  # rolls from then on with 5/7 of its speed
    exact = [2 * ball_end - 0.5 * 0.3 * 9.81 * ball_end**2 + 2.0 * 5 / 7 * (0.75 - ball_end), 2.0**2 / (2 * 0.3 * 9.81)]
    ends = [end_of(world, state, 0.75, 1 / 120, substeps)["root_pos"][0, [0, 3]] for substeps in (1, 2, 4, 8)]
    errors = np.abs(np.array(ends) - exact)
    return {"order, ball": order(errors[:, 0]), "order, brick": order(errors[:, 1])}


AROUND = (
    "a new batch", "a batch used before", "an env alone", "each of a thousand", "permuted envs", "an env reset",
    "envs beside it", "a restored snapshot",
)  # fmt: skip

CASES = (
    Case(
        "bits", "G", "the same bits",
        "Ants and Humanoids falling on each other and driven arms, 40 steps of two substeps: how many numbers of "
        "state, outputs and warm start differ in their bits from those of the first batch of 64 envs.",
        tuple(Number(name, 0.0) for name in AROUND), bits, without_mujoco=NOT_HERE, slow=True,
    ),
    Case(
        "units", "G", "lengths in other units",
        "Everything eight times as long, gravity too, Humanoids that fall: eight times the motion, to the bit. An "
        "absolute epsilon somewhere would show.",
        (Number("numbers that differ", 0.0),), other_units, precisions=BOTH, without_mujoco=NOT_HERE, slow=True,
    ),
    Case(
        "substeps", "G", "substeps", "1/120 s in two substeps is two steps of 1/240 s, to the bit.",
        (Number("numbers that differ", 0.0),), substeps, without_mujoco=NOT_HERE,
    ),
    Case(
        "order-in-flight", "G", "order of convergence in flight", "Humanoids in flight and a falling arm: second "
        "order.",
        (Number("order", 3.0, least=1.8),), order_in_flight, precisions=("float64",),
        without_mujoco=NOT_HERE, slow=True,
    ),
    Case(
        "order-in-touch", "G", "order of convergence in touch",
        "A ball that slides until it rolls, a brick that slides until it stops: first order.",
        (Number("order, ball", 3.0, least=0.9), Number("order, brick", 3.0, least=0.9)),
        order_in_touch, precisions=("float64",), without_mujoco=NOT_HERE, slow=True,
    ),
)  # fmt: skip
