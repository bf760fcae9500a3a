"""PD drives: against closed forms, against MuJoCo at a hundredth of the step, and at their effort limit."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest
from lab import World, rod, serial

from kilogym.assets.asset import DriveMode

LINK, MASS = 0.4, 2.0


def wheel(device, gains, **world) -> World:
    """Wheels of 0.1 kg m^2 without gravity, (kp, kd) per env, told to turn by 1 rad."""
    asset = serial([0.0], [1.0], [(0.1, 0.1, 0.1, 0, 0, 0)], [0.0], drive_mode=DriveMode.POSITION)
    lab = World([(asset, (0, 0, 0))], device, envs=len(gains), ground=False, **world)
    lab.set_parameter("dof_stiffness", np.array(gains)[:, 0])
    lab.set_parameter("dof_damping", np.array(gains)[:, 1])
    lab.sim.set_position_targets(lab._device(np.ones(len(gains))))
    return lab


def test_step_response(device, measure):
    """I = 0.1, kp = 100, kd = 2: a damped oscillation, known in closed form."""
    (dofs,) = wheel(device, [(100.0, 2.0)]).run(1.0, "dof_states")
    t = np.arange(len(dofs)) / 120
    decay, rate = 10.0, math.sqrt(1000 - 100)
    exact = 1 - np.exp(-decay * t) * (np.cos(rate * t) + decay / rate * np.sin(rate * t))
    measure("PD step, I 0.1, kp 100, kd 2", "max error", abs(dofs[:, 0, 0, 0] - exact).max(), 0.03, "rad")


def test_stiff_drives_are_implicit(device, measure):
    """kp to 1e6: every iteration solves (I + h kd + h^2 kp) v+ = I v + h kp error; critically damped, no overshoot."""
    gains = [(kp, 2 * math.sqrt(0.1 * kp)) for kp in (1e4, 1e5, 1e6)]
    world = wheel(device, gains)
    world.set_parameter("tree_max_angular_velocity", 1e6)  # the wheels are faster than the default limit
    (dofs,) = world.run(0.5, "dof_states")
    h = 1 / 480
    for i, (kp, kd) in enumerate(gains):
        q = v = 0.0
        expected = [0.0]
        for _ in range(len(dofs) - 1):
            for _ in range(4):
                v = (0.1 * v + h * kp * (1 - q)) / (0.1 + h * kd + h * h * kp)
                q += h * v
            expected.append(q)
        error = abs(dofs[:, i, 0, 0] - expected).max()
        measure(f"implicit PD, kp {kp:g}", "error against the recursion", error, 1e-5, "rad")
        assert (np.diff(dofs[:, i, 0, 0]) > -1e-6).all()
        assert dofs[:, i, 0, 0].max() < 1 + 1e-5


def reference(kp: float, kd: float, limit: float, targets: np.ndarray, hold: float) -> np.ndarray:
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
    for target in targets:
        data.ctrl[:] = target
        for _ in range(round(hold * 120)):
            mujoco.mj_step(model, data, 100)
            rows.append(data.qpos.copy())
    return np.array(rows)


@pytest.mark.parametrize(
    ("kp", "kd", "limit", "bar"), [(200.0, 10.0, 1e9, 8e-3), (2000.0, 50.0, 1e9, 1e-2), (2000.0, 50.0, 30.0, 5e-2)]
)
def test_arm_follows_steps(device, measure, kp, kd, limit, bar):
    """Three rods of 0.4 m and 2 kg follow steps of +-0.5 rad, held for half a second each."""
    targets = np.array([[0.5, -0.5, 0.5], [-0.5, 0.5, -0.5], [0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]])
    asset = serial(
        [LINK] * 3, [MASS] * 3, [rod(LINK, MASS)] * 3, [LINK / 2] * 3, drive_mode=DriveMode.POSITION,
        stiffness=kp, damping=kd, effort=limit,
    )  # fmt: skip
    world = World([(asset, (0, 0, 0))], device, ground=False)
    rows, torques = [world.dof_states()[0, :, 0]], []
    for target in targets:
        world.sim.set_position_targets(world._device(target))
        for _ in range(60):
            world.step()
            rows.append(world.dof_states()[0, :, 0])
            torques.append(world.dof_forces()[0])
    error = np.array(rows) - reference(kp, kd, limit, targets, 0.5)
    case = f"3-link arm, kp {kp:g}, kd {kd:g}" + (f", limit {limit:g} N m" if limit < 1e6 else "")
    measure(case, "rms error", math.sqrt((error**2).mean()), bar, "rad")
    if limit < 1e6:
        largest = abs(np.array(torques)).max()
        assert largest > 0.99 * limit
        measure(case, "torque beyond the limit", max(0.0, largest - limit), 1e-3, "N m")
