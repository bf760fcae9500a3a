"""Part C: tendons, joints that follow joints and attractors against closed forms."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np

from kilogym.assets.asset import Asset, DriveMode, Joint, JointKind, Link, Tendon
from kilogym.scene.couplings import AttractorDecl
from kilogym.validation.bodies import FREE, G, body, rod
from kilogym.validation.case import Case, Number, require
from kilogym.validation.lab import Lab

LENGTH, MASS = 0.5, 1.0
INERTIA = MASS * LENGTH**2 / 3  # of a rod about its end
STILL = (0.0, 0.0, 0.0)
ALONE = "the bench's MuJoCo scenes have no tendons, constraints or attractors"


def pendulums(**couplings) -> Asset:
    """Two rods that hang side by side from a fixed base, turning about y."""
    links, joints = [Link("base", -1)], []
    for i in range(2):
        at, com = (0.0, 0.3 * i, 0.0), (0.0, 0.0, -LENGTH / 2)
        links.append(Link(f"rod{i}", 0, at, mass=MASS, com=com, inertia=rod(LENGTH, MASS)))  # type: ignore[arg-type]
        joints.append(Joint(f"j{i}", JointKind.REVOLUTE, i + 1, axis=(0.0, 1.0, 0.0), drive_mode=DriveMode.EFFORT))
    return Asset("pendulums", tuple(links), tuple(joints), fixed_base=True, options=FREE, **couplings)


def tendon(**numbers) -> Tendon:
    """Between the two: its length is the angle between them."""
    return Tendon("t", ("j0", "j1"), (1.0, -1.0), **numbers)


def modes(lab: Lab) -> dict[str, float]:
    k, small = 4.0, 0.02
    world = lab.world([(pendulums(tendons=(tendon(stiffness=k),)), STILL)], envs=2, ground=False)
    start = small * np.array([[1.0, 1.0], [1.0, -1.0]])
    world.bend(start)
    (states,) = world.run(10.0, "dof_states")
    t = np.arange(len(states)) * world.dt
    alone = math.sqrt(MASS * G * LENGTH / 2 / INERTIA)
    numbers = {}
    for env, (name, omega) in enumerate((("in phase", alone), ("antiphase", math.sqrt(alone**2 + 2 * k / INERTIA)))):
        exact = start[env] * np.cos(omega * t)[:, None]
        numbers[name] = abs(states[:, env, :, 0] - exact).max() / small
    return numbers


def damped(lab: Lab) -> dict[str, float]:
    k, d, rest = 20.0, 0.4, 0.1
    asset = pendulums(tendons=(tendon(stiffness=k, damping=d, rest_length=rest),))
    world = lab.world([(asset, STILL)], ground=False, gravity=STILL)
    world.bend([0.2, -0.2])
    (states,) = world.run(2.0, "dof_states")
    t = np.arange(len(states)) * world.dt
    decay, omega = d / INERTIA, math.sqrt(2 * k / INERTIA - (d / INERTIA) ** 2)
    exact = rest + 0.3 * np.exp(-decay * t) * (np.cos(omega * t) + decay / omega * np.sin(omega * t))
    return {"error / amplitude": abs(states[:, 0, 0, 0] - states[:, 0, 1, 0] - exact).max() / 0.3}


def limits(lab: Lab) -> dict[str, float]:
    stiffness, torque = 40.0, 6.0
    cord = tendon(limited=True, lower=-0.1, upper=0.2, limit_stiffness=stiffness, damping=1.0)
    world = lab.world([(pendulums(tendons=(cord,)), STILL)], envs=2, ground=False, gravity=STILL)
    world.drive(np.array([[torque, -torque], [-torque, torque]]))
    world.step(world.steps_in(10.0))
    world.check()
    length = world.dof_states()[..., 0] @ [1.0, -1.0]
    exact = np.array([0.2 + torque / stiffness, -0.1 - torque / stiffness])
    return {"length": abs(length - exact).max(), "DOF forces / torque": abs(world.dof_forces()).max() / torque}


def follower(lab: Lab, load: float) -> dict[str, float]:
    m, b, own = -2.0, 0.3, 3.0
    asset = pendulums()
    leads, follows = asset.joints
    asset = dataclasses.replace(asset, joints=(leads, dataclasses.replace(follows, mimic=("j0", m, b))))
    world = lab.world([(asset, STILL)], ground=False, gravity=STILL)
    world.bend([0.1, m * 0.1 + b])
    world.drive(np.array([own, load]))
    (states,) = world.run(0.3, "dof_states")
    t, q = np.arange(len(states)) * world.dt, states[:, 0, :, 0]
    exact = 0.1 + (own + m * load) / (INERTIA * (1 + m * m)) * t**2 / 2
    held = world.dof_forces()[0] - [own, load]
    require(abs(held).max() > 1.0, "a torque of more than 1 N m on the joints")
    return {
        "off the ratio": abs(q[:, 1] - m * q[:, 0] - b).max(),
        "motion": abs(q[:, 0] - exact).max() / abs(exact).max(),
        "torques on both, off the ratio": abs(held[0] + m * held[1]) / abs(held).max(),
    }


def attractor(lab: Lab) -> dict[str, float]:
    k, d, mass, moment = 30.0, 2.0, 1.5, 0.2
    stone = body(None, mass=mass, inertia=(moment,) * 3 + (0.0,) * 3)
    axes = ((1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 1))
    world = lab.world(
        [(stone, (0.2, -0.1, 0.0))], envs=2, ground=False, gravity=STILL,
        attractors=[[AttractorDecl(0, 0, k, d, which)] for which in axes],
    )  # fmt: skip
    angle, speed = 0.3, 0.5
    turned = (0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2))
    world.place(quat=np.array([(0.0, 0.0, 0.0, 1.0), turned]), lin=np.array([(0.0, speed, 0.0), STILL]))
    (roots,) = world.run(3.0, "roots")
    t = np.arange(len(roots)) * world.dt

    def exact(inertia: float, start: float) -> np.ndarray:
        decay, omega = d / inertia / 2, math.sqrt(k / inertia - (d / inertia / 2) ** 2)
        return start * np.exp(-decay * t) * (np.cos(omega * t) + decay / omega * np.sin(omega * t))

    rows = roots[:, :, 0]
    about = 2 * np.arctan2(rows[:, 1, 5], rows[:, 1, 6])
    return {
        "along x, error / amplitude": abs(rows[:, 0, 0] - exact(mass, 0.2)).max() / 0.2,
        "along y, where it is free": abs(rows[:, 0, 1] - (-0.1 + speed * t)).max(),
        "about z, error / amplitude": abs(about - exact(moment, angle)).max() / angle,
    }


def attracted_weight(lab: Lab) -> dict[str, float]:
    k, mass, target = 2000.0, 1.0, (0.5, -0.3, 2.0)
    stone = body(None, mass=mass, inertia=(0.1,) * 3 + (0.0,) * 3)
    pull = AttractorDecl(0, 0, k, 60.0, target_pos=target, offset_pos=(0.0, 0.0, 0.25))
    world = lab.world([(stone, STILL)], ground=False, attractors=[[pull]])
    world.step(world.steps_in(10.0))
    world.check()
    exact = np.array(target) - [0, 0, 0.25 + mass * G / k]
    return {"place": abs(world.roots()[0, 0, :3] - exact).max()}


def _follower(load: float) -> Case:
    return Case(
        f"mimic-{load:g}", "C", f"joint that follows another, {load:g} N m on it",
        "q1 = 0.3 - 2 q0 under 3 N m on the leader: both move as one body, (I + 4 I) q0'' = t0 - 2 t1.",
        (
            Number("off the ratio", 3e-5, "rad"), Number("motion", 1e-4),
            Number("torques on both, off the ratio", 1e-4),
        ),
        partial(follower, load=load), without_mujoco=ALONE,
    )  # fmt: skip


CASES = (
    Case(
        "tendon-modes", "C", "two pendulums on a tendon, 10 s",
        "Rods swing by 0.02 rad; the tendon pulls only where they swing apart: w0 in phase, sqrt(w0^2 + 2 k / I) in "
        "antiphase.",
        (Number("in phase", 0.02), Number("antiphase", 0.02)), modes, without_mujoco=ALONE,
    ),
    Case(
        "tendon-damped", "C", "damped tendon", "Without gravity the angle between two rods is a damped oscillator.",
        (Number("error / amplitude", 2e-3),), damped, without_mujoco=ALONE,
    ),
    Case(
        "tendon-limits", "C", "tendon pulled beyond its limits",
        "Opposed torques: the length stands where the limit's spring carries them, and the forces on DOFs cancel.",
        (Number("length", 1e-5, "rad"), Number("DOF forces / torque", 1e-4)), limits, without_mujoco=ALONE,
    ),
    _follower(0.0), _follower(20.0),
    Case(
        "attractor", "C", "attractor along x, another about z",
        "A free body on a spring-damper is a damped oscillator along the axes that are chosen, and free along others.",
        (
            Number("along x, error / amplitude", 1e-3), Number("along y, where it is free", 1e-5, "m"),
            Number("about z, error / amplitude", 1e-3),
        ),
        attractor, without_mujoco=ALONE,
    ),
    Case(
        "attractor-weight", "C", "attractor with an offset, under a weight",
        "The frame above the body, not its origin, hangs m g / k below the target.",
        (Number("place", 2e-5, "m"),), attracted_weight, without_mujoco=ALONE,
    ),
)  # fmt: skip
