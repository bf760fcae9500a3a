"""Pendulums, a top, a chain, and the limits of joints."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lab import G, World, rod, rotation, serial

from kilogym.assets.asset import DriveMode, JointKind


def pendulum(links: int, length: float, mass: float = 1.0, **joint):
    return serial([length] * links, [mass] * links, [rod(length, mass)] * links, [length / 2] * links, **joint)


def energy_of(bodies: np.ndarray, length: float, masses: np.ndarray) -> np.ndarray:
    """Of rods from a fixed base (body 0), histories (steps, envs, bodies, 13): (steps, envs)."""
    r = rotation(bodies[..., 1:, 3:7])
    com = bodies[..., 1:, :3] - 0.5 * length * r[..., :, 2]
    spin = np.einsum("...ji,...j->...i", r, bodies[..., 1:, 10:13])
    inertia = np.array([rod(length, m)[:3] for m in masses])
    kinetic = 0.5 * (masses * (bodies[..., 1:, 7:10] ** 2).sum(-1)).sum(-1) + 0.5 * (inertia * spin**2).sum((-1, -2))
    return kinetic + G * (masses * com[..., 2]).sum(-1)


def agm(a: float, b: float) -> float:
    while abs(a - b) > 1e-15:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a


def test_pendulum(device, measure):
    """A rod of 1 m let go at 1 rad, 20 periods: period by the arithmetic-geometric mean, energy kept."""
    world = World([(pendulum(1, 1.0), (0, 0, 0))], device, ground=False)
    world.bend([1.0])
    exact = 2 * math.pi * math.sqrt(2 / (3 * G)) / agm(1, math.cos(0.5))
    dofs, bodies = world.run(20.3 * exact, "dof_states", "bodies")
    q, t = dofs[:, 0, 0, 0], np.arange(len(dofs)) * world.dt
    at = np.flatnonzero((q[:-1] > 0) & (q[1:] <= 0))
    cross = t[at] + world.dt * q[at] / (q[at] - q[at + 1])
    energy = energy_of(bodies, 1.0, np.ones(1))[:, 0]
    measure("pendulum, 1 rad", "period, relative error", (cross[19] - cross[0]) / 19 / exact - 1, 5e-5)
    measure("pendulum, 1 rad", "max |E - E0|", abs(energy - energy[0]).max(), 1e-3, "J")


@pytest.mark.xfail(
    strict=True,
    reason="median 0.32 to 0.34 J of 5.5 J, bar 0.3: what the scheme truncates at 1/120 s (at 1/240 s 0.05). In "
    "float64, from (2, 1) itself, it is 0.27, but rounding alone makes that anything from 0.2 to 0.6",
)
def test_double_pendulum(device, measure):
    """Two rods of 0.5 m let go near (2, 1) rad, 10 s of chaos: a statistic over 64 starts a hair apart."""
    world = World([(pendulum(2, 0.5), (0, 0, 0))], device, envs=64, ground=False)
    world.bend(np.array([2.0, 1.0]) + np.random.default_rng(0).normal(0, 1e-3, (64, 2)))
    (bodies,) = world.run(10.0, "bodies")
    energy = energy_of(bodies, 0.5, np.ones(2))
    worst = abs(energy - energy[0]).max(0)
    print("of 5.5 J; smallest, largest", worst.min(), worst.max())
    measure("double pendulum, (2, 1) rad", "max |E - E0|, median of 64 starts", np.median(worst), 0.3, "J")


def test_spinning_top(device, measure):
    """Steady precession at 30 degrees for 2 s, on a ball joint, spinning at 30 and 60 rad/s."""
    length, i3, i1, theta = 0.1, 0.01, 0.015, math.radians(30)  # i1 about the tip
    side = i1 - length**2
    asset = serial([0.0], [1.0], [(side, side, i3, 0, 0, 0)], [-length], kind=JointKind.BALL)
    world = World([(asset, (0, 0, 0))], device, envs=2, ground=False)
    spin = np.array([30.0, 60.0])
    a, b, c = i1 * math.cos(theta), -i3 * spin, G * length
    exact = (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    up = np.array([0.0, math.sin(theta), math.cos(theta)])  # the vertical in the top's axes, turned about its x
    speeds = exact[:, None] * up
    speeds[:, 2] = spin
    world.bend([theta, 0.0, 0.0], speeds)
    (bodies,) = world.run(2.0, "bodies")
    axis = rotation(bodies[:, :, 1, 3:7])[..., 2]
    azimuth = np.unwrap(np.arctan2(axis[..., 1], axis[..., 0]), axis=0)
    tilt = np.degrees(np.arccos(axis[..., 2]))
    for i, bar in enumerate((1e-2, 4e-2)):
        case = f"spinning top, {spin[i]:g} rad/s"
        rate = (azimuth[-1, i] - azimuth[0, i]) / 2.0
        measure(case, "precession, relative error", rate / exact[i] - 1, bar)
        measure(case, "nutation", abs(tilt[:, i] - 30).max(), 0.2, "deg")


@pytest.mark.parametrize(
    ("tip", "rate", "armature", "bar"), [(0.5, 120, 0.0, 5e-3), (2.5, 240, 0.0, 5e-3), (50.0, 120, 1e-3, 2e-2)]
)
def test_hanging_chain(device, measure, tip, rate, armature, bar):
    """20 rods of 50 g and 10 cm, the last one 10, 50 or 1000 times as heavy, swinging from 0.5 rad for 5 s.

    What is asked of the last one is to be stable; its bar is twice what the prototype did.
    """
    masses = np.array([0.05] * 19 + [tip])
    asset = serial([0.1] * 20, list(masses), [rod(0.1, m) for m in masses], [0.05] * 20, armature=armature)
    world = World([(asset, (0, 0, 0))], device, ground=False, dt=1 / rate)
    world.bend([0.5] + [0.0] * 19)
    bodies, dofs = world.run(5.0, "bodies", "dof_states")
    energy = energy_of(bodies, 0.1, masses)[:, 0] + 0.5 * armature * (dofs[:, 0, :, 1] ** 2).sum(-1)
    case = f"chain of 20 links of 50 g, tip {tip:g} kg, 1/{rate} s" + (f", armature {armature:g}" if armature else "")
    measure(case, "max |E - E0|", abs(energy - energy[0]).max(), bar, "J")


def test_joint_limit(device, measure):
    """A rod falls from 0.4 rad off upright onto its stop, 0.5 rad before it would hang."""
    asset = pendulum(1, 1.0, has_limits=True, lower=-math.pi, upper=-0.5)
    world = World([(asset, (0, 0, 0))], device, ground=False)
    world.bend([-math.pi + 0.4])
    (dofs,) = world.run(4.0, "dof_states")
    beyond = dofs[:, 0, 0, 0] + 0.5
    measure("rod falls on its stop", "max violation", max(0.0, beyond.max()), 2e-3, "rad")
    measure("rod falls on its stop", "violation at rest", abs(beyond[-1]), 2e-4, "rad")


def test_velocity_limit_and_joint_friction(device, measure):
    """Constant torque on a wheel: it stops accelerating at its limit; below the dry friction it does not start."""
    asset = serial([0.0], [1.0], [(0.1, 0.1, 0.1, 0, 0, 0)], [0.0], drive_mode=DriveMode.EFFORT)
    world = World([(asset, (0, 0, 0))], device, envs=3, ground=False)
    world.set_parameter("dof_velocity", np.array([2.0, 1e30, 1e30]))
    world.set_parameter("dof_friction", np.array([0.0, 1.0, 1.0]))
    world.sim.set_actuation_forces(world._device(np.array([1.0, 0.9, 1.5])))
    world.step(120)
    speed = world.dof_states()[:, 0, 1]
    measure("wheel under torque", "speed / limit - 1", speed[0] / 2 - 1, 1e-3)
    measure("wheel under torque", "speed at 0.9 of the dry friction", speed[1], 1e-6, "rad/s")
    measure("wheel under torque", "acceleration at 1.5 of it, relative error", speed[2] / 5 - 1, 1e-3)
