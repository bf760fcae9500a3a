"""Force sensors and DOF forces against MuJoCo's inertia and bias, at the midpoint where forces act."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
import pytest
from engine_support import ARM7, FREE, Oracle, World, bare, displace, load, with_velocity
from scipy.spatial.transform import Rotation

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Sensor, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane

DT = 1 / 120
BARS = {"float64": 1e-10, "float32": 1e-4}
MOUNT = {"pos": (0.03, -0.02, 0.05), "quat": (0.5, 0.5, -0.5, 0.5)}


def arm(*sensors: Sensor):
    return dataclasses.replace(bare(load(ARM7, fix_base_link=True)), sensors=sensors)


def hanging(device: str, precision: str, *sensors: Sensor) -> tuple[World, Oracle]:
    asset = arm(*sensors)
    world = World([asset], 8, device, precision)
    world.batch.control.iterations = 1
    return world, Oracle(asset)


def midpoint(world: World, oracle: Oracle, env: int, before, after):
    """Oracle at the midpoint of a step, and the acceleration over the step (n,)."""
    s, v = world.tree_state(0, env, before), world.velocity(0, before)[env]
    a = (world.velocity(0, after)[env] - v) / DT
    oracle.set(s)
    half = displace(oracle, s, DT / 2 * v)
    oracle.set(half)
    return half, v, a


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("iterations", [1, 4])
def test_efforts_come_back_as_dof_forces(device, precision, iterations):
    """In effort mode a DOF's force is the effort; it is also what inverse dynamics says the motion takes."""
    world, oracle = hanging(device, precision)
    world.batch.control.iterations = iterations
    world.batch.params["dof_mode"].fill_(3)
    state = world.random_state(41, spread=0.5, speed=1.0)
    tau = np.random.default_rng(42).normal(size=(8, 7)).astype(np.float32).astype(np.float64) * 5
    world.set_state(state)
    world.set_input(dof_effort_in=tau)
    world.batch.step()
    after, force = world.state(), world.output("dof_force")
    for env in range(8):
        half, v, a = midpoint(world, oracle, env, state, after)
        predicted = v + DT / 2 * oracle_acceleration(oracle, half, v, tau[env])
        oracle.set(with_velocity(oracle, half, predicted))
        needed = oracle.mass_matrix() @ a + oracle.bias()
        assert np.abs(force[env] - tau[env]).max() <= BARS[precision] * np.abs(tau).max()
        assert np.abs(force[env] - needed).max() < BARS[precision] * np.abs(tau).max()


def oracle_acceleration(oracle: Oracle, s, v: np.ndarray, tau: np.ndarray) -> np.ndarray:
    oracle.set(with_velocity(oracle, s, v))
    return oracle.acceleration(tau)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_drive_forces_are_what_the_motion_takes(device, precision):
    """Position drives in motion: DOF force = M a + bias, RNEA at the midpoint."""
    world, oracle = hanging(device, precision)
    params = world.batch.params
    params["dof_mode"].fill_(1)
    params["dof_stiffness"].fill_(80)
    params["dof_damping"].fill_(4)
    state = world.random_state(43, spread=0.3, speed=0.5)
    target = np.random.default_rng(44).normal(size=(8, 7)).astype(np.float32).astype(np.float64)
    world.set_input(dof_target_pos=target)
    world.set_state(state)
    world.batch.step()
    after, force = world.state(), world.output("dof_force")
    kp, kd = 80.0, 4.0
    for env in range(8):
        half, v, a = midpoint(world, oracle, env, state, after)
        q = world.tree_state(0, env, state).q
        # the predictor is implicit in the drives too: (M + h D + h^2 K) a0 = drive - bias
        implicit = oracle.mass_matrix() + np.eye(7) * (DT * kd + DT * DT * kp)
        oracle.set(with_velocity(oracle, half, v))
        drive = kp * (target[env] - q - DT * v) - kd * v
        predicted = v + DT / 2 * np.linalg.solve(implicit, drive - oracle.bias())
        oracle.set(with_velocity(oracle, half, predicted))
        needed = oracle.mass_matrix() @ a + oracle.bias()
        assert np.abs(force[env] - needed).max() < BARS[precision] * np.abs(needed).max()


def wrench(oracle: Oracle, link: int, a: np.ndarray, mount: dict | None = None) -> np.ndarray:
    """Force and moment that move a link as acceleration `a` (n,) says, at the oracle's state: (6,), world axes.

    Force at the com; moment about the sensor's origin, or the com without `mount`.
    """
    m, d, body = oracle.m, oracle.d, oracle.first + link
    d.qacc[:] = a
    mujoco.mj_rnePostConstraint(m, d)
    acc = np.zeros(6)
    mujoco.mj_objectAcceleration(m, d, mujoco.mjtObj.mjOBJ_BODY, body, acc, 0)
    force = m.body_mass[body] * (acc[3:] + m.opt.gravity)
    turn = d.ximat[body].reshape(3, 3)
    inertia = turn @ np.diag(m.body_inertia[body]) @ turn.T
    omega = oracle.bodies()[link, 10:]
    torque = inertia @ acc[:3] + np.cross(omega, inertia @ omega)
    if mount is not None:
        origin = d.xpos[body] + d.xmat[body].reshape(3, 3) @ mount["pos"]
        torque = torque + np.cross(d.xipos[body] - origin, force)
    return np.concatenate([force, torque])


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_sensors_in_motion(device, precision):
    """Both parts together are mass times acceleration, in the sensor's axes or the world's."""
    sensors = [Sensor(link, **MOUNT, world_frame=world) for link in (2, 5) for world in (True, False)]
    world, oracle = hanging(device, precision, *sensors)
    world.batch.params["dof_mode"].fill_(3)
    state = world.random_state(45, spread=0.5, speed=1.0)
    tau = np.random.default_rng(46).normal(size=(8, 7)).astype(np.float32).astype(np.float64)
    world.set_state(state)
    world.set_input(dof_effort_in=tau)
    world.batch.step()
    after, reading = world.state(), world.output("sensor_force").reshape(8, 2, 2, 6)
    for env in range(8):
        half, v, a = midpoint(world, oracle, env, state, after)
        oracle.set(with_velocity(oracle, half, v + DT / 2 * a))
        for i, link in enumerate((2, 5)):
            exact = wrench(oracle, link, a, MOUNT)
            turn = Rotation.from_quat(oracle.bodies()[link, 3:7]) * Rotation.from_quat(MOUNT["quat"])
            local = np.concatenate([turn.inv().apply(exact[:3]), turn.inv().apply(exact[3:])])
            bar = BARS[precision] * np.abs(exact).max()
            assert np.abs(reading[env, i, 0] - exact).max() < bar
            assert np.abs(reading[env, i, 1] - local).max() < bar


PARTS = tuple(
    Sensor(0, pos=(0.1, 0.0, -0.1), forward_dynamics=f, constraint_solver=c, world_frame=True)
    for f, c in ((True, True), (True, False), (False, True), (False, False))
)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_sensor_at_rest_on_the_ground(device, precision):
    """The forward part is the weight, the constraint part carries it, both together are nothing; with moments."""
    link = Link("block", -1, mass=3.0, inertia=(0.03, 0.03, 0.03, 0, 0, 0))
    shapes = (Shape(0, ShapeKind.BOX, (0.2, 0.2, 0.1)),)
    world = World([Asset("block", (link,), shapes=shapes, sensors=PARTS)], 1, device, precision, ground=GroundPlane())
    world.batch.state["root_pos"][2] = 0.1
    for _ in range(240):
        world.batch.step()
    weight = 3.0 * 9.81
    down = np.array([0.0, 0.0, -weight, 0.0, -0.1 * weight, 0.0])  # about a point 0.1 m to the side
    both, smooth, held, none = world.output("sensor_force").reshape(4, 6)
    bar = 1e-4 * weight
    assert np.abs(smooth - down).max() < bar
    assert np.abs(held + smooth).max() < bar
    assert np.abs(both).max() < bar
    assert not none.any()


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("rate", [120, 240])
def test_a_sensor_on_an_arm_at_its_stop(device, precision, rate):
    """A hanging arm held off the vertical by its joint limit: the limit's part is against the free fall's wrench."""
    arm = Link("arm", 0, mass=2.0, com=(0.0, 0.05, -0.3), inertia=(0.06, 0.06, 0.01, 0, 0, 0))
    joint = Joint("hinge", JointKind.REVOLUTE, 1, axis=(0, 1, 0), has_limits=True, lower=0.7, upper=2.0, armature=0.02)
    sensors = tuple(dataclasses.replace(part, link=1) for part in PARTS)
    asset = Asset("arm", (Link("base", -1), arm), (joint,), sensors=sensors, fixed_base=True, options=FREE)
    world = World([asset], 1, device, precision)
    world.batch.control.dt = 1 / rate
    world.batch.state["dof_pos"][0] = 0.7
    for _ in range(5 * rate):
        world.batch.step()
    assert abs(world.state()["dof_vel"][0, 0]) < 1e-5
    oracle = Oracle(asset)
    oracle.set(world.tree_state(0, 0))
    exact = wrench(oracle, 1, oracle.acceleration(np.zeros(1)), {"pos": PARTS[0].pos})
    both, smooth, held, none = world.output("sensor_force").reshape(4, 6)
    bar = 1e-4 * np.abs(exact).max()
    assert np.abs(smooth - exact).max() < bar
    assert np.abs(held + exact).max() < bar
    assert np.abs(both).max() < bar
    assert not none.any()
    # what the limit bears is the moment of the weight about the hinge
    assert world.output("dof_force")[0, 0] == pytest.approx(oracle.bias()[0], rel=1e-4)
