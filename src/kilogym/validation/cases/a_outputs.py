"""Part A: force sensors and DOF forces against MuJoCo's inertia and bias, at the midpoint where forces act."""

from __future__ import annotations

import dataclasses
from functools import partial

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Sensor, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.case import Case, Number, require
from kilogym.validation.cases.a_dynamics import BOTH, ORACLE
from kilogym.validation.lab import Lab
from kilogym.validation.oracle import Oracle, TreeState, displace, with_velocity
from kilogym.validation.trees import FREE, bare
from kilogym.validation.world import Vec
from kilogym.validation.zoo import ARM, from_text

DT = 1 / 120
ENVS, DOFS = 8, 7
PLACE, TURN = (0.03, -0.02, 0.05), (0.5, 0.5, -0.5, 0.5)
PARTS = tuple(
    Sensor(0, pos=(0.1, 0.0, -0.1), forward_dynamics=f, constraint_solver=c, world_frame=True)
    for f, c in ((True, True), (True, False), (False, True), (False, False))
)
"""A sensor of every kind at one place: both parts, forward dynamics, constraints, neither."""


def hanging(lab: Lab, *sensors: Sensor) -> tuple[BatchWorld, Oracle]:
    """Arms of seven joints without limits or drives."""
    asset = dataclasses.replace(bare(from_text("arm", ARM)), sensors=sensors)
    world = BatchWorld([asset], ENVS, lab.device, lab.precision)
    world.batch.control.iterations = 1
    return world, Oracle(asset)


def normal(seed: int) -> np.ndarray:
    """(ENVS, DOFS), exact in float32."""
    return np.random.default_rng(seed).normal(size=(ENVS, DOFS)).astype(np.float32).astype(np.float64)


def midpoint(world: BatchWorld, oracle: Oracle, env: int, before, after) -> tuple[TreeState, np.ndarray, np.ndarray]:
    """State at the midpoint of a step (the oracle is in it), velocity before, and acceleration over the step (n,)."""
    s, v = world.tree_state(0, env, before), world.velocity(0, before)[env]
    a = (world.velocity(0, after)[env] - v) / DT
    oracle.set(s)
    half = displace(oracle, s, DT / 2 * v)
    oracle.set(half)
    return half, v, a


def efforts(lab: Lab, iterations: int) -> dict[str, float]:
    world, oracle = hanging(lab)
    world.batch.control.iterations = iterations
    world.batch.params["dof_mode"].fill_(3)
    state, tau = world.random_state(41, spread=0.5, speed=1.0), normal(42) * 5
    world.set_state(state)
    world.set_input(dof_effort_in=tau)
    world.batch.step()
    after, force = world.state(), world.output("dof_force")
    given, needed = [], []
    for env in range(ENVS):
        half, v, a = midpoint(world, oracle, env, state, after)
        oracle.set(with_velocity(oracle, half, v))
        oracle.set(with_velocity(oracle, half, v + DT / 2 * oracle.acceleration(tau[env])))
        given.append(np.abs(force[env] - tau[env]).max() / np.abs(tau).max())
        needed.append(np.abs(force[env] - oracle.mass_matrix() @ a - oracle.bias()).max() / np.abs(tau).max())
    return {"against the effort": max(given), "against inverse dynamics": max(needed)}


def drives(lab: Lab) -> dict[str, float]:
    kp, kd = 80.0, 4.0
    world, oracle = hanging(lab)
    params = world.batch.params
    params["dof_mode"].fill_(1)
    params["dof_stiffness"].fill_(kp)
    params["dof_damping"].fill_(kd)
    state, target = world.random_state(43, spread=0.3, speed=0.5), normal(44)
    world.set_input(dof_target_pos=target)
    world.set_state(state)
    world.batch.step()
    after, force, errors = world.state(), world.output("dof_force"), []
    for env in range(ENVS):
        half, v, a = midpoint(world, oracle, env, state, after)
        q = world.tree_state(0, env, state).q
        # the predictor is implicit in the drives too: (M + h D + h^2 K) a0 = drive - bias
        implicit = oracle.mass_matrix() + np.eye(DOFS) * (DT * kd + DT * DT * kp)
        oracle.set(with_velocity(oracle, half, v))
        drive = kp * (target[env] - q - DT * v) - kd * v
        predicted = v + DT / 2 * np.linalg.solve(implicit, drive - oracle.bias())
        oracle.set(with_velocity(oracle, half, predicted))
        needed = oracle.mass_matrix() @ a + oracle.bias()
        errors.append(np.abs(force[env] - needed).max() / np.abs(needed).max())
    return {"against inverse dynamics": max(errors)}


def wrench(oracle: Oracle, link: int, a: np.ndarray, origin: Vec | None = None) -> np.ndarray:
    """Force and moment that move a link as acceleration `a` (n,) says, at the oracle's state: (6,), world axes.

    Force at the com; moment about `origin` in the link's frame, or the com.
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
    if origin is not None:
        point = d.xpos[body] + d.xmat[body].reshape(3, 3) @ origin
        torque = torque + np.cross(d.xipos[body] - point, force)
    return np.concatenate([force, torque])


def sensors_in_motion(lab: Lab) -> dict[str, float]:
    sensors = [Sensor(link, PLACE, TURN, world_frame=world) for link in (2, 5) for world in (True, False)]
    world, oracle = hanging(lab, *sensors)
    world.batch.params["dof_mode"].fill_(3)
    state = world.random_state(45, spread=0.5, speed=1.0)
    world.set_state(state)
    world.set_input(dof_effort_in=normal(46))
    world.batch.step()
    after, reading = world.state(), world.output("sensor_force").reshape(ENVS, 2, 2, 6)
    errors = []
    for env in range(ENVS):
        half, v, a = midpoint(world, oracle, env, state, after)
        oracle.set(with_velocity(oracle, half, v + DT / 2 * a))
        for i, link in enumerate((2, 5)):
            exact = wrench(oracle, link, a, PLACE)
            turn = Rotation.from_quat(oracle.bodies()[link, 3:7]) * Rotation.from_quat(TURN)
            local = np.concatenate([turn.inv().apply(exact[:3]), turn.inv().apply(exact[3:])])
            errors.append(np.abs(reading[env, i] - [exact, local]).max(axis=1) / np.abs(exact).max())
    in_world, in_sensor = np.max(errors, axis=0)
    return {"world axes": in_world, "the sensor's axes": in_sensor}


def _readings(world: BatchWorld, exact: np.ndarray) -> dict[str, float]:
    """Of PARTS, at rest under a forward wrench `exact`: relative errors."""
    both, smooth, held, none = world.output("sensor_force").reshape(4, 6)
    largest = np.abs(exact).max()
    return {
        "forward part": np.abs(smooth - exact).max() / largest,
        "constraint part": np.abs(held + exact).max() / largest,
        "both": np.abs(both).max() / largest,
        "neither": np.abs(none).max() / largest,
    }


def at_rest(lab: Lab) -> dict[str, float]:
    link = Link("block", -1, mass=3.0, inertia=(0.03, 0.03, 0.03, 0, 0, 0))
    shapes = (Shape(0, ShapeKind.BOX, (0.2, 0.2, 0.1)),)
    asset = Asset("block", (link,), shapes=shapes, sensors=PARTS)
    world = BatchWorld([asset], 1, lab.device, lab.precision, ground=GroundPlane())
    world.batch.state["root_pos"][2] = 0.1
    for _ in range(240):
        world.batch.step()
    weight = 3.0 * 9.81
    return _readings(world, np.array([0.0, 0.0, -weight, 0.0, -0.1 * weight, 0.0]))  # about a point 0.1 m to the side


def at_a_stop(lab: Lab, rate: int) -> dict[str, float]:
    arm = Link("arm", 0, mass=2.0, com=(0.0, 0.05, -0.3), inertia=(0.06, 0.06, 0.01, 0, 0, 0))
    joint = Joint("hinge", JointKind.REVOLUTE, 1, axis=(0, 1, 0), has_limits=True, lower=0.7, upper=2.0, armature=0.02)
    sensors = tuple(dataclasses.replace(part, link=1) for part in PARTS)
    asset = Asset("arm", (Link("base", -1), arm), (joint,), sensors=sensors, fixed_base=True, options=FREE)
    world = BatchWorld([asset], 1, lab.device, lab.precision)
    world.batch.control.dt = 1 / rate
    world.batch.state["dof_pos"][0] = 0.7
    for _ in range(5 * rate):
        world.batch.step()
    speed = abs(world.state()["dof_vel"][0, 0])
    require(speed < 1e-5, f"the arm to rest; it turns at {speed:.2g} rad/s")
    oracle = Oracle(asset)
    oracle.set(world.tree_state(0, 0))
    exact = wrench(oracle, 1, oracle.acceleration(np.zeros(1)), PARTS[0].pos)
    # what the limit bears is the moment of the weight about the hinge
    limit = world.output("dof_force")[0, 0] / oracle.bias()[0] - 1
    return {**_readings(world, exact), "moment of the limit": limit}


FORCES = partial(Number, bar=1e-4, bar64=1e-10)
AT_REST = (*(Number(name, 1e-4) for name in ("forward part", "constraint part", "both")), Number("neither", 0.0))

CASES = (
    *(
        Case(
            f"efforts-{n}", "A", f"DOF forces under efforts, {n} iteration" + "s" * (n > 1),
            "An arm of seven joints in motion: a DOF's force is the effort, and what inverse dynamics says the motion "
            "takes.",
            (FORCES("against the effort"), FORCES("against inverse dynamics")),
            partial(efforts, iterations=n), precisions=BOTH, without_mujoco=ORACLE,
        )
        for n in (1, 4)
    ),
    Case(
        "drive-forces", "A", "DOF forces of drives", "Position drives in motion: DOF force = M a + bias at the "
        "midpoint.",
        (FORCES("against inverse dynamics"),), drives, precisions=BOTH, without_mujoco=ORACLE,
    ),
    Case(
        "sensors-in-motion", "A", "force sensors in motion", "Both parts together are mass times acceleration, with "
        "moments.",
        (FORCES("world axes"), FORCES("the sensor's axes")),
        sensors_in_motion, precisions=BOTH, without_mujoco=ORACLE,
    ),
    Case(
        "sensors-at-rest", "A", "force sensors on a block at rest",
        "The forward part is the weight, the constraint part carries it, both together are nothing; with moments.",
        AT_REST, at_rest, precisions=BOTH, without_mujoco=ORACLE,
    ),
    *(
        Case(
            f"sensors-at-stop-{rate}", "A", f"force sensors on an arm at its stop, 1/{rate} s",
            "A hanging arm held off the vertical by its limit: the limit's part is against the free fall's wrench.",
            (*AT_REST, Number("moment of the limit", 1e-4)), partial(at_a_stop, rate=rate), precisions=BOTH,
            without_mujoco=ORACLE,
        )
        for rate in (120, 240)
    ),
)  # fmt: skip
