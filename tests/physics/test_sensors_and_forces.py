"""What a step reports: contact forces against momentum, joint forces and sensors against closed forms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from lab import FREE, G, World, box, rod, serial
from test_free_motion import momentum_and_energy, quadruped

from kilogym.assets.asset import Asset, DriveMode, Joint, JointKind, Link, Sensor, Shape, ShapeKind


def test_contact_forces_change_the_momentum(device, measure):
    """Quadrupeds dropped on their feet, limbs loose: sum F dt = dP - m g dt, step by step."""
    asset = quadruped()
    feet = [i for i, link in enumerate(asset.links) if link.name.startswith("shank")]
    shapes = [Shape(i, ShapeKind.SPHERE, (0.03, 0, 0), pos=(0, 0, -0.3)) for i in feet]
    shapes.insert(0, Shape(0, ShapeKind.CAPSULE, (0.1, 0.2, 0), quat=(0, math.sqrt(0.5), 0, math.sqrt(0.5))))
    world = World([(dataclasses.replace(asset, shapes=tuple(shapes)), (0, 0, 0.65))], device, envs=8)
    world.bend(np.tile([0.03, 0.4, -0.8], 4) + np.random.default_rng(0).normal(0, 0.1, (8, 12)))
    bodies, forces = world.run(1.0, "bodies", "forces")
    p = momentum_and_energy(asset, bodies)[0]
    mass = sum(link.mass for link in asset.links)
    pushed = forces[1:].sum(2) * world.dt
    change = np.diff(p, axis=0) + mass * np.array([0, 0, G]) * world.dt
    assert np.linalg.norm(pushed, axis=-1).max() > 10  # N s: they did land
    error = np.linalg.norm(pushed - change, axis=-1).max() / np.linalg.norm(pushed, axis=-1).max()
    measure("dropped quadruped", "sum F dt - (dP - m g dt), relative to the largest", error, 1e-4)


def test_joint_force_holds_the_arm(device, measure):
    """Two rods held out horizontally by stiff drives: torques are the moments of the weights."""
    asset = serial(
        [0.5, 0.5], [2.0, 1.0], [rod(0.5, 2.0), rod(0.5, 1.0)], [0.25, 0.25],
        drive_mode=DriveMode.POSITION, stiffness=1e6, damping=1e4,
    )  # fmt: skip
    world = World([(asset, (0, 0, 0))], device, ground=False)
    world.bend([-np.pi / 2, 0.0])
    world.sim.set_position_targets(world._device(np.array([-np.pi / 2, 0.0])))
    world.step(240)
    exact = np.array([2 * G * 0.25 + G * 0.75, G * 0.25])
    measure("arm held out", "joint torque, relative error", abs(abs(world.dof_forces()[0]) / exact - 1).max(), 1e-4)


@pytest.mark.parametrize("falling", [True, False])
def test_force_sensor(device, measure, falling):
    """Of a cube, falling or at rest: what gravity does, what contacts do, and the sum, which is m a."""
    kinds = [(True, False), (False, True), (True, True)]
    sensors = tuple(Sensor(0, forward_dynamics=f, constraint_solver=c) for f, c in kinds)
    world = World([(box(sensors=sensors), (0, 0, 5.0 if falling else 0.1))], device)
    world.step(60)
    exact = np.zeros((3, 6))
    exact[:, 2] = [-G, 0.0, -G] if falling else [-G, G, 0.0]
    case = "force sensor, " + ("falling" if falling else "at rest")
    measure(case, "error / m g", abs(world.sensors()[0] - exact).max() / G, 1e-4)


def test_a_hanging_arm_weighs_on_its_sensors(device, measure):
    """An arm hangs from a carriage that rests on the stop of its vertical rail.

    Nothing moves: both parts of a sensor together are zero. Without the stop all would fall, so the forward part is
    each link's weight and the constraint part what holds it, with their moments about the sensor; the rail's force
    is the whole weight and the hinge's none.
    """
    links = (
        Link("base", -1),
        Link("carriage", 0, mass=3.0, com=(0.02, -0.05, 0.01), inertia=(0.03, 0.02, 0.04, 0, 0, 0)),
        Link("arm", 1, (0.1, 0.0, -0.2), mass=2.0, com=(0.0, 0.0, -0.3), inertia=(0.06, 0.06, 0.01, 0, 0, 0)),
    )
    joints = (
        Joint("rail", JointKind.PRISMATIC, 1, axis=(0, 0, 1), has_limits=True, lower=0.0, upper=1.0),
        Joint("hinge", JointKind.REVOLUTE, 2, axis=(0, 1, 0)),
    )
    mounts = {1: (0.3, 0.2, 0.1), 2: (0.05, -0.15, -0.1)}
    kinds = [(True, False), (False, True), (True, True)]
    sensors = tuple(
        Sensor(link, pos=pos, forward_dynamics=f, constraint_solver=c) for link, pos in mounts.items() for f, c in kinds
    )
    asset = Asset("hanging", links, joints, sensors=sensors, fixed_base=True, options=FREE)
    world = World([(asset, (0, 0, 2))], device, ground=False)
    world.step(120)
    exact = np.zeros((2, 3, 6))
    for i, (link, pos) in enumerate(mounts.items()):
        weight = np.array([0.0, 0.0, -links[link].mass * G])
        wrench = np.concatenate([weight, np.cross(np.array(links[link].com) - pos, weight)])
        exact[i, 0], exact[i, 1] = wrench, -wrench
    error = abs(world.sensors()[0].reshape(2, 3, 6) - exact).max()
    measure("hanging arm", "wrench of its sensors, error / largest", error / abs(exact).max(), 1e-4)
    rail, hinge = world.dof_forces()[0]
    measure("hanging arm", "force of its stop / m g - 1", rail / (5.0 * G) - 1, 1e-4)
    measure("hanging arm", "torque of its hinge", hinge, 1e-4, "N m")
