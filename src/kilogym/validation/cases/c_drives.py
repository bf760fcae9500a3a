"""Part C: position drives against closed forms, a finely stepped reference, and their effort limit."""

from __future__ import annotations

import math
from functools import partial

import mujoco
import numpy as np

from kilogym.assets.asset import DriveMode
from kilogym.validation.bodies import rod, serial
from kilogym.validation.case import Case, Number, require
from kilogym.validation.lab import Lab
from kilogym.validation.world import World

LINK, MASS = 0.4, 2.0
TARGETS = np.array([[0.5, -0.5, 0.5], [-0.5, 0.5, -0.5], [0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]])


def wheels(lab: Lab, gains: list[tuple[float, float]]) -> World:
    """Wheels of 0.1 kg m^2 without gravity, (kp, kd) per env, told to turn by 1 rad."""
    asset = serial([0.0], [1.0], [(0.1, 0.1, 0.1, 0, 0, 0)], [0.0], drive_mode=DriveMode.POSITION)
    world = lab.world([(asset, (0, 0, 0))], envs=len(gains), ground=False)
    world.set_parameter("dof_stiffness", np.array(gains)[:, 0])
    world.set_parameter("dof_damping", np.array(gains)[:, 1])
    world.set_parameter("tree_max_angular_velocity", 1e6)  # stiff ones are faster than the default limit
    world.aim(np.ones(1))
    return world


def step_response(lab: Lab) -> dict[str, float]:
    (dofs,) = wheels(lab, [(100.0, 2.0)]).run(1.0, "dof_states")
    t = np.arange(len(dofs)) / 120
    decay, rate = 10.0, math.sqrt(1000 - 100)
    exact = 1 - np.exp(-decay * t) * (np.cos(rate * t) + decay / rate * np.sin(rate * t))
    return {"max error": abs(dofs[:, 0, 0, 0] - exact).max()}


def stiff_drive(lab: Lab, kp: float) -> dict[str, float]:
    kd = 2 * math.sqrt(0.1 * kp)
    (dofs,) = wheels(lab, [(kp, kd)]).run(0.5, "dof_states")
    h = 1 / 480
    q = v = 0.0
    expected = [0.0]
    for _ in range(len(dofs) - 1):
        for _ in range(4):
            v = (0.1 * v + h * kp * (1 - q)) / (0.1 + h * kd + h * h * kp)
            q += h * v
        expected.append(q)
    got = dofs[:, 0, 0, 0]
    return {
        "error against the recursion": abs(got - expected).max(),
        "largest step back": max(0.0, -np.diff(got).min()),
        "overshoot": max(0.0, got.max() - 1),
    }


def reference(kp: float, kd: float, limit: float) -> np.ndarray:
    """The arm in MuJoCo, Runge-Kutta at 1/12000 s: joint positions every 1/120 s, (steps, 3)."""
    body = end = ""
    for i in range(3):
        i_rod = rod(LINK, MASS)
        body += (
            f'<body pos="0 0 {-LINK if i else 0}"><joint name="j{i}" axis="0 1 0"/>'
            f'<inertial pos="0 0 {-LINK / 2}" mass="{MASS}" diaginertia="{i_rod[0]} {i_rod[1]} {i_rod[2]}"/>'
        )
        end += "</body>"
    motors = "".join(
        f'<position joint="j{i}" kp="{kp}" kv="{kd}" forcelimited="true" forcerange="{-limit} {limit}"/>'
        for i in range(3)
    )
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><option timestep="{1 / 12000}" integrator="RK4"/><worldbody>{body}{end}</worldbody>'
        f"<actuator>{motors}</actuator></mujoco>"
    )
    data = mujoco.MjData(model)
    rows = [data.qpos.copy()]
    for target in TARGETS:
        data.ctrl[:] = target
        for _ in range(60):
            mujoco.mj_step(model, data, 100)
            rows.append(data.qpos.copy())
    return np.array(rows)


def arm(lab: Lab, kp: float, kd: float, limit: float) -> dict[str, float]:
    asset = serial(
        [LINK] * 3, [MASS] * 3, [rod(LINK, MASS)] * 3, [LINK / 2] * 3, drive_mode=DriveMode.POSITION,
        stiffness=kp, damping=kd, effort=limit,
    )  # fmt: skip
    world = lab.world([(asset, (0, 0, 0))], ground=False)
    rows, torques = [world.dof_states()[0, :, 0]], []
    for target in TARGETS:
        world.aim(target)
        for _ in range(60):
            world.step()
            rows.append(world.dof_states()[0, :, 0])
            torques.append(world.dof_forces()[0])
    world.check()
    error = np.array(rows) - reference(kp, kd, limit)
    numbers = {"rms error": math.sqrt((error**2).mean())}
    if limit < 1e6:
        largest = abs(np.array(torques)).max()
        require(largest > 0.99 * limit, f"the drives to reach their limit of {limit:g} N m; they did {largest:g}")
        numbers["torque beyond the limit"] = max(0.0, largest - limit)
    return numbers


def _stiff(kp: float) -> Case:
    return Case(
        f"stiff-drive-{kp:g}".replace("+", ""), "C", f"implicit PD, kp {kp:g}",
        "Critically damped: every iteration solves (I + h kd + h^2 kp) v+ = I v + h kp error, so the motion is "
        "monotone at any gain.",
        (
            Number("error against the recursion", 1e-5, "rad"),
            Number("largest step back", 1e-6, "rad"),
            Number("overshoot", 1e-5, "rad"),
        ),
        partial(stiff_drive, kp=kp), without_mujoco="the recursion is that of Kilogym's own iterations",
    )  # fmt: skip


def _arm(kp: float, kd: float, limit: float, bar: float, physx: float) -> Case:
    limited = limit < 1e6
    numbers = [Number("rms error", bar, "rad", reference={"PhysX": physx})]
    if limited:
        numbers.append(Number("torque beyond the limit", 1e-3, "N m"))
    return Case(
        f"arm-{kp:g}" + ("-limited" if limited else ""), "C",
        f"3-link arm, kp {kp:g}, kd {kd:g}" + (f", limit {limit:g} N m" if limited else ""),
        "Three rods of 0.4 m and 2 kg follow steps of +-0.5 rad, held for half a second each; reference: MuJoCo, "
        "Runge-Kutta at 1/12000 s.",
        tuple(numbers), partial(arm, kp=kp, kd=kd, limit=limit), mujoco=True,
    )  # fmt: skip


CASES = (
    Case(
        "pd-step", "C", "PD step, I 0.1, kp 100, kd 2", "A damped oscillation towards 1 rad, known in closed form.",
        (Number("max error", 0.03, "rad"),), step_response, mujoco=True,
    ),
    _stiff(1e4), _stiff(1e5), _stiff(1e6),
    _arm(200.0, 10.0, 1e9, 8e-3, 0.028),
    _arm(2000.0, 50.0, 1e9, 1e-2, 0.044),
    _arm(2000.0, 50.0, 30.0, 5e-2, 0.055),
)  # fmt: skip
