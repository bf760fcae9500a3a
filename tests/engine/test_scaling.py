"""Scaled units give scaled motion, smaller steps give smaller errors of the promised order."""

from __future__ import annotations

import numpy as np
import pytest
from engine_support import ARM7, HUMANOID, World, bare, load

from kilogym.assets.asset import Asset, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane

LENGTH = 8.0  # a power of two: all rounding is the same, and what is left is an absolute epsilon somewhere
POWERS = {  # of length; masses and times stay, so forces grow with it and torques with its square
    "link_pos": 1, "link_com": 1, "link_inertia": 2, "joint_pos": 1, "dof_effort": 2, "dof_stiffness": 2,
    "dof_damping": 2, "dof_friction": 2, "dof_armature": 2, "shape_pos": 1, "shape_size": 1,
    "shape_contact_offset": 1, "shape_rest_offset": 1, "ground_distance": 1, "tree_max_linear_velocity": 1,
}  # fmt: skip


@pytest.mark.parametrize(("precision", "steps"), [("float64", 60), ("float32", 30)])
def test_lengths_in_other_units(device, precision, steps):
    """Everything eight times as long, gravity too: eight times the motion, to the bit.

    Humanoids fall onto their feet and knees and into their joint limits.
    """
    ends = []
    for length in (1.0, LENGTH):
        world = World([load(HUMANOID)], 16, device, precision, ground=GroundPlane())
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
        assert touched >= 2
        state = world.state()
        state["root_pos"] /= length
        state["root_lin_vel"] /= length
        ends.append(state)
    for name, value in ends[0].items():
        assert np.array_equal(value, ends[1][name]), name


def order(errors: list[float]) -> float:
    """Observed order of convergence over halved steps."""
    return float(np.polyfit(np.arange(len(errors)), -np.log2(errors), 1)[0])


def end_of(world: World, state, duration: float, dt: float, substeps: int) -> dict[str, np.ndarray]:
    world.batch.control.dt, world.batch.control.substeps = dt, substeps
    world.set_state(state)
    for _ in range(round(duration / dt)):
        world.batch.step()
    return world.state()


def test_substeps_are_smaller_steps(device):
    """1/120 s in two substeps is two steps of 1/240 s, to the bit."""
    world = World([load(HUMANOID)], 4, device, ground=GroundPlane())
    state = world.random_state(33, spread=0.1)
    state["root_pos"][:, 2] = 1.0
    one = end_of(world, state, 0.5, 1 / 120, 2)
    two = end_of(world, state, 0.5, 1 / 240, 1)
    assert world.batch.contact_count.sum() > 0
    for name in one:
        assert np.array_equal(one[name], two[name]), name


def test_order_without_contact(device):
    """Robots in flight and a falling arm: second order."""
    world = World([bare(load(HUMANOID)), bare(load(ARM7, fix_base_link=True))], 4, device, "float64")
    state = world.random_state(34, spread=0.3, speed=1.0)
    state["root_quat"].reshape(4, 2, 4)[:, 1] = [0.0, 0.0, 0.0, 1.0]
    exact = end_of(world, state, 0.2, 1 / 7680, 1)
    errors = [
        np.abs(end_of(world, state, 0.2, 1 / 120, substeps)["dof_pos"] - exact["dof_pos"]).max()
        for substeps in (2, 4, 8)
    ]
    assert order(errors) > 1.8, errors


def test_order_with_contact(device):
    """A ball that slides until it rolls, and a brick that slides until it stops: first order."""
    ball = Link("ball", -1, mass=1.0, inertia=(0.004,) * 3 + (0.0,) * 3)
    brick = Link("brick", -1, mass=1.0, inertia=(0.01,) * 3 + (0.0,) * 3)
    shapes = (Shape(0, ShapeKind.SPHERE, (0.1, 0, 0)), Shape(0, ShapeKind.BOX, (0.1, 0.1, 0.05)))
    assets = [Asset(link.name, (link,), shapes=(shape,)) for link, shape in zip((ball, brick), shapes, strict=True)]
    world = World(assets, 1, device, "float64", ground=GroundPlane())
    world.batch.params["shape_friction"].fill_(0.3)
    world.batch.params["ground_friction"].fill_(0.3)
    world.batch.params["tree_angular_damping"].zero_()
    state = {
        "root_pos": np.array([[0, 0, 0.1, 0, 2, 0.05]]), "root_quat": np.array([[0, 0, 0, 1.0] * 2]),
        "root_lin_vel": np.array([[2.0, 0, 0, 2.0, 0, 0]]), "root_ang_vel": np.zeros((1, 6)),
    }  # fmt: skip
    errors = []
    ball_end = 2.0 * 2 / 7 / (0.3 * 9.81)  # rolls from then on with 5/7 of its speed
    exact = [2 * ball_end - 0.5 * 0.3 * 9.81 * ball_end**2 + 2.0 * 5 / 7 * (0.75 - ball_end), 2.0**2 / (2 * 0.3 * 9.81)]
    for substeps in (1, 2, 4, 8):
        x = end_of(world, state, 0.75, 1 / 120, substeps)["root_pos"][0, [0, 3]]
        errors.append(np.abs(x - exact))
    for i, name in enumerate(("ball", "brick")):
        assert order([float(e[i]) for e in errors]) > 0.9, name
