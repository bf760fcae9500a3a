"""Part C: what a step reports. Contact forces against momentum, joint forces and sensors against closed forms."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from kilogym.assets.asset import Asset, DriveMode, Joint, JointKind, Link, Sensor
from kilogym.validation.bodies import FREE, G, box, rod, serial
from kilogym.validation.case import Case, Number, require
from kilogym.validation.lab import Lab
from kilogym.validation.robots import BENT, momentum_and_energy, with_feet

PARTS_OF_A_SENSOR = [(True, False), (False, True), (True, True)]
"""Forward dynamics, constraints: what a sensor adds up."""


def forces_change_momentum(lab: Lab) -> dict[str, float]:
    asset = with_feet()
    world = lab.world([(asset, (0, 0, 0.65))], envs=8)
    world.bend(np.tile(BENT, 4) + np.random.default_rng(0).normal(0, 0.1, (8, 12)))
    bodies, forces = world.run(1.0, "bodies", "forces")
    p = momentum_and_energy(asset, bodies)[0]
    mass = sum(link.mass for link in asset.links)
    pushed = forces[1:].sum(2) * world.dt
    change = np.diff(p, axis=0) + mass * np.array([0, 0, G]) * world.dt
    largest = np.linalg.norm(pushed, axis=-1).max()
    require(largest > 10, f"the robots to land with more than 10 N s; it was {largest:.2g}")
    error = np.linalg.norm(pushed - change, axis=-1).max() / largest
    return {"sum F dt - (dP - m g dt), relative to the largest": error}


def arm_held_out(lab: Lab) -> dict[str, float]:
    asset = serial(
        [0.5, 0.5], [2.0, 1.0], [rod(0.5, 2.0), rod(0.5, 1.0)], [0.25, 0.25],
        drive_mode=DriveMode.POSITION, stiffness=1e6, damping=1e4,
    )  # fmt: skip
    world = lab.world([(asset, (0, 0, 0))], ground=False)
    world.bend([-math.pi / 2, 0.0])
    world.aim(np.array([-math.pi / 2, 0.0]))
    world.step(240)
    world.check()
    exact = np.array([2 * G * 0.25 + G * 0.75, G * 0.25])
    return {"joint torque, relative error": abs(abs(world.dof_forces()[0]) / exact - 1).max()}


def force_sensor(lab: Lab, falling: bool) -> dict[str, float]:
    sensors = tuple(Sensor(0, forward_dynamics=f, constraint_solver=c) for f, c in PARTS_OF_A_SENSOR)
    world = lab.world([(box(sensors=sensors), (0, 0, 5.0 if falling else 0.1))])
    world.step(60)
    exact = np.zeros((3, 6))
    exact[:, 2] = [-G, 0.0, -G] if falling else [-G, G, 0.0]
    return {"error / m g": abs(world.sensors()[0] - exact).max() / G}


def hanging_arm(lab: Lab) -> dict[str, float]:
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
    sensors = tuple(
        Sensor(link, pos=pos, forward_dynamics=f, constraint_solver=c)
        for link, pos in mounts.items()
        for f, c in PARTS_OF_A_SENSOR
    )
    asset = Asset("hanging", links, joints, sensors=sensors, fixed_base=True, options=FREE)
    world = lab.world([(asset, (0, 0, 2))], ground=False)
    world.step(120)
    exact = np.zeros((2, 3, 6))
    for i, (link, pos) in enumerate(mounts.items()):
        weight = np.array([0.0, 0.0, -links[link].mass * G])
        wrench = np.concatenate([weight, np.cross(np.array(links[link].com) - pos, weight)])
        exact[i, 0], exact[i, 1] = wrench, -wrench
    error = abs(world.sensors()[0].reshape(2, 3, 6) - exact).max()
    rail, hinge = world.dof_forces()[0]
    return {
        "wrench of its sensors, error / largest": error / abs(exact).max(),
        "force of its stop / m g - 1": rail / (5.0 * G) - 1,
        "torque of its hinge": hinge,
    }


NO_SENSORS = "MuJoCo's sensors add up other forces than Isaac Gym's"

CASES = (
    Case(
        "forces-and-momentum", "C", "dropped quadruped",
        "Quadrupeds dropped on their feet, limbs loose: sum F dt = dP - m g dt, step by step.",
        (Number("sum F dt - (dP - m g dt), relative to the largest", 1e-4),),
        forces_change_momentum, without_mujoco="MuJoCo's forces are of the state before a step, which is its own "
        "convention",
    ),
    Case(
        "arm-held-out", "C", "arm held out",
        "Two rods held out horizontally by stiff drives: torques are the moments of the weights.",
        (Number("joint torque, relative error", 1e-4),), arm_held_out, mujoco=True,
    ),
    *(
        Case(
            f"sensor-{state.replace(' ', '-')}", "C", f"force sensor, {state}",
            "Of a cube: what gravity does, what contacts do, and the sum, which is m a.",
            (Number("error / m g", 1e-4),), partial(force_sensor, falling=state == "falling"),
            without_mujoco=NO_SENSORS,
        )
        for state in ("falling", "at rest")
    ),
    Case(
        "hanging-arm", "C", "hanging arm",
        "An arm hangs from a carriage that rests on the stop of its vertical rail. Nothing moves: the forward part of "
        "a sensor is the link's weight and the constraint part what holds it, with their moments; the rail bears all, "
        "the hinge nothing.",
        (
            Number("wrench of its sensors, error / largest", 1e-4), Number("force of its stop / m g - 1", 1e-4),
            Number("torque of its hinge", 1e-4, "N m"),
        ),
        hanging_arm, without_mujoco=NO_SENSORS,
    ),
)  # fmt: skip
