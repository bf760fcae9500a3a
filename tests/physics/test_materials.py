"""Torsional and rolling friction, compliance, thickness: closed forms, and MuJoCo beside."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest

from kilogym.scene.declarations import GroundPlane
from kilogym.validation.bodies import G, box, cylinder, sphere
from kilogym.validation.kilogym_world import KilogymWorld

R, M = 0.1, 2.0
ROLLING = np.array([0.0, 0.001, 0.003, 0.01])
TORSION = np.array([0.0, 0.001, 0.004, 0.02])
SMOOTH = GroundPlane(static_friction=0.0, dynamic_friction=0.0)


def test_a_ball_rolls_to_a_stop(device, measure):
    """v = v0 - 5/7 (d / r) g t until it rests, and then it stays."""
    world = KilogymWorld([(sphere(R, M), (0, 0, R))], device, envs=len(ROLLING))
    world.set_parameter("shape_rolling_friction", ROLLING)
    speed = 0.5
    world.place(lin=(speed, 0, 0), ang=(0, speed / R, 0))
    (history,) = world.run(4.0, "roots")
    t = np.arange(len(history)) * world.dt
    a = 5 / 7 * ROLLING / R * G
    expected = np.maximum(speed - a * t[:, None], 0)
    measure("rolling friction", "speed", np.abs(history[:, :, 0, 7] - expected).max(), 3e-3, "m/s")
    way = speed**2 / (2 * a[1:])
    measure("rolling friction", "way", np.abs(history[-1, 2:, 0, 0] / way[1:] - 1).max(), 0.01)
    measure("rolling friction", "speed at rest", np.abs(history[-1, 2:, 0, 7:]).max(), 1e-4)
    assert history[-1, 0, 0, 7] == pytest.approx(speed, abs=1e-4)


def test_a_ball_spins_to_a_stop(device, measure):
    """dw/dt = -torsion m g / I, I = 2/5 m r^2; the torque is reported."""
    world = KilogymWorld([(sphere(R, M), (0, 0, R))], device, envs=len(TORSION))
    world.set_parameter("shape_torsion_friction", TORSION)
    contacts = world.sim.contacts
    spin = 10.0
    world.place(ang=(0, 0, spin))
    (start,) = world.run(0.3, "roots")
    t = np.arange(len(start)) * world.dt
    expected = np.maximum(spin - 2.5 * TORSION * G / R**2 * t[:, None], 0)
    measure("torsional friction", "spin", np.abs(start[:, :, 0, 12] - expected).max(), 0.03, "rad/s")
    world.sim.refresh_contacts()
    turning = slice(1, 3)
    torque = contacts.torques[turning, 0, 2].cpu().numpy()
    np.testing.assert_allclose(torque, -TORSION[turning] * M * G, rtol=1e-3)
    np.testing.assert_allclose(contacts.torsion_friction[:, 0].cpu(), TORSION, rtol=1e-6)
    (end,) = world.run(2.0, "roots")
    measure("torsional friction", "spin at rest", np.abs(end[-1, 2:, 0, 10:]).max(), 1e-4, "rad/s")
    assert end[-1, 0, 0, 12] == pytest.approx(spin, abs=1e-4)


@pytest.mark.parametrize("sliding", [0.0, 0.2])
def test_a_disc_spins_to_a_stop(device, measure, sliding):
    """dw/dt = -2 g (sliding r + torsion) / r^2: it lies on its rim, and the four contacts share the weight."""
    ground = GroundPlane(static_friction=sliding, dynamic_friction=sliding)
    disc = cylinder(R, 0.02, M, friction=sliding)
    world = KilogymWorld([(disc, (0, 0, 0.02))], device, envs=3, ground=ground)
    torsion = np.array([0.0, 0.002, 0.01])
    world.set_parameter("shape_torsion_friction", torsion)
    spin = 12.0
    world.place(ang=(0, 0, spin))
    (history,) = world.run(0.2, "roots")
    t = np.arange(len(history)) * world.dt
    expected = np.maximum(spin - 2 * G * (sliding * R + torsion) / R**2 * t[:, None], 0)
    measure("disc", "spin", np.abs(history[:, :, 0, 12] - expected).max(), 0.01 * spin, "rad/s")


def test_rolling_friction_holds_a_ball_on_a_slope(device, measure):
    """Up to tan(angle) = d / r; steeper it rolls with 5/7 g (sin - d / r cos)."""
    angle = math.radians(3)
    ground = GroundPlane(normal=(math.sin(angle), 0, math.cos(angle)))
    place = (R * math.sin(angle), 0, R * math.cos(angle))
    world = KilogymWorld([(sphere(R, M), place)], device, envs=3, ground=ground)
    limit = R * math.tan(angle)
    rolling = np.array([1.05, 0.5, 0.0]) * limit
    world.set_parameter("shape_rolling_friction", rolling)
    (history,) = world.run(2.0, "roots")
    down = np.array([math.cos(angle), 0, -math.sin(angle)])
    speed = history[-1, :, 0, 7:10] @ down
    measure("ball held", "speed", speed[0], 2e-5, "m/s")
    measure("ball held", "way", np.linalg.norm(history[-1, 0, 0, :3] - place), 1e-4, "m")
    expected = 5 / 7 * G * (math.sin(angle) - rolling[1:] / R * math.cos(angle)) * 2.0
    measure("ball let go", "speed", np.abs(speed[1:] / expected - 1).max(), 0.01)


def test_torsion_turns_both(device, measure):
    """A ball spinning on a plate without friction below: the spin they end with keeps the angular momentum."""
    plate = box((0.3, 0.3, 0.02), 1.0, friction=0.0)
    ball = sphere(R, M, friction=0.0)
    world = KilogymWorld([(plate, (0, 0, 0.02)), (ball, (0, 0, 0.04 + R))], device, ground=SMOOTH)
    world.set_parameter("shape_torsion_friction", [[0.0], [0.02]])
    world.place(1, ang=(0, 0, 10.0))
    (history,) = world.run(1.0, "roots")
    inertia = np.array([1.0 * (0.6**2 + 0.6**2) / 12, 0.4 * M * R**2])
    together = 10.0 * inertia[1] / inertia.sum()
    measure("ball on plate", "momentum", (history[:, 0, :, 12] @ inertia / (10 * inertia[1]) - 1).max(), 1e-3)
    measure("ball on plate", "spin", np.abs(history[-1, 0, :, 12] - together).max(), 0.01 * together, "rad/s")


BALL = """
<mujoco><option timestep="0.0005" cone="elliptic" impratio="10"/><worldbody>
<geom type="plane" size="9 9 1" friction="1 0 0" condim="6" solref="0.004 1"/>
<body pos="0 0 0.1"><freejoint/>
<geom size="0.1" mass="2" friction="1 0.004 0.003" condim="6" solref="0.004 1"/></body>
</worldbody></mujoco>"""


@pytest.mark.parametrize(("roll", "spin", "time"), [(5.0, 0.0, 1.5), (0.0, 8.0, 0.5)], ids=["rolling", "spinning"])
def test_mujoco_slows_a_ball_alike(device, measure, roll, spin, time):
    """With the same coefficients; at once they share one cone there and have one each here."""
    m = mujoco.MjModel.from_xml_string(BALL)
    d = mujoco.MjData(m)
    d.qvel[:] = roll * R, 0, 0, 0, roll, spin
    while d.time < time - 1e-9:
        mujoco.mj_step(m, d)
    world = KilogymWorld([(sphere(R, M), (0, 0, R))], device)
    world.set_parameter("shape_torsion_friction", 0.004)
    world.set_parameter("shape_rolling_friction", 0.003)
    world.place(lin=(roll * R, 0, 0), ang=(0, roll, spin))
    world.step(world.steps_in(time))
    found = world.roots()[0, 0]
    assert max(d.qvel[0], d.qvel[5]) > 0.1
    measure("beside MuJoCo", "way", found[0] - d.qpos[0], 0.005, "m")
    measure("beside MuJoCo", "speed", found[7] - d.qvel[0], 0.005, "m/s")
    measure("beside MuJoCo", "spin", found[12] - d.qvel[5], 0.05, "rad/s")


def test_a_contact_gives_by_its_compliance(device, measure):
    """Overlap at rest: m g c of a ball, a quarter of it of a box on its corners; springs in series add."""
    compliance = np.array([1e-6, 1e-5, 1e-4, 5e-4])
    bodies = [(sphere(R, M), (0, 0, R)), (box((0.1, 0.1, 0.1), M), (1, 0, 0.1))]
    world = KilogymWorld(bodies, device, envs=len(compliance))
    world.set_parameter("shape_compliance", np.stack([compliance] * 2))
    (history,) = world.run(3.0, "roots")
    sunk = R - history[..., 2]
    expected = M * G * compliance[:, None] * [1, 0.25]
    measure("compliance", "overlap", np.abs(sunk[-1] - expected).max(), 1e-6, "m")
    measure("compliance", "overshoot", ((sunk - expected).max(0) / (expected + 1e-3)).max(), 0.02)
    measure("compliance", "speed at rest", np.abs(history[-1, ..., 7:]).max(), 1e-4)
    loads = world.forces()[..., 2]
    measure("compliance", "load", np.abs(loads / (M * G) - 1).max(), 1e-3)


def test_compliances_of_a_pair_add(device, measure):
    bottom, top = sphere(R, M), sphere(R, M)
    world = KilogymWorld([(bottom, (0, 0, R)), (top, (0, 0, 3 * R))], device)
    c = np.array([[1e-5], [4e-5]])
    world.set_parameter("shape_compliance", c)
    world.step(60)
    heights = world.roots()[0, :, 2]
    measure("pair", "lower overlap", (R - heights[0]) - 2 * M * G * 1e-5, 2e-5, "m")
    measure("pair", "overlap", (2 * R - (heights[1] - heights[0])) - M * G * 5e-5, 2e-5, "m")


def test_a_soft_landing_does_not_bounce(device, measure):
    """Without restitution a falling body comes to rest without leaving the ground again."""
    compliance = np.array([0.0, 1e-6, 1e-5, 1e-4, 1e-3])
    world = KilogymWorld([(sphere(R, M), (0, 0, R + 0.2))], device, envs=len(compliance))
    world.set_parameter("shape_compliance", compliance)
    (history,) = world.run(2.0, "roots")
    z = history[:, :, 0, 2]
    for env in range(len(compliance)):
        touch = np.argmax(z[:, env] < R)
        measure(f"compliance {compliance[env]:g}", "rebound", max(z[touch:, env].max() - R, 0), 1e-4, "m")


def test_thickness_keeps_bodies_apart(device, measure):
    """Each shape's thickness and rest offset add up; the ground has none."""
    from kilogym.sim import Simulation, SimulationParams

    sim = Simulation(SimulationParams(dt=0.01, rest_offset=0.001), device)
    sim.add_ground()
    sim.create_env()
    for z in (R, 3 * R):
        actor = sim.create_actor(0, box((R, R, R), M), pos=(0, 0, z + 0.02))
        rows = sim.get_shape_properties(0, actor)
        rows["thickness"] = 0.004
        sim.set_shape_properties(0, actor, rows)
    for _ in range(100):
        sim.step()
    sim.refresh_root_states()
    heights = sim.root_states[:, 2].cpu().numpy()
    measure("thickness", "height", heights[0] - (R + 0.005), 2e-4, "m")
    measure("thickness", "height above", heights[1] - (3 * R + 0.015), 4e-4, "m")
