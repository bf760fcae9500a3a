"""Part F: SimBenchmark's robots by its definitions. Theirs is ANYmal, ours a quadruped of about its size and weight."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch

from kilogym.assets.asset import Asset, DriveMode, Link, Shape, ShapeKind
from kilogym.validation.bodies import FREE, G, solid
from kilogym.validation.case import Case, Number, require
from kilogym.validation.kilogym_world import KilogymWorld
from kilogym.validation.lab import Lab
from kilogym.validation.published import F5, F6, F7
from kilogym.validation.robots import BENT, armoured, momentum_and_energy, quadruped, with_feet

STEPS = (0.01, 0.004, 0.001)
STANCE = np.array([0.03, 0.4, -0.8, -0.03, 0.4, -0.8, 0.03, -0.4, 0.8, -0.03, -0.4, 0.8])
"""Of F6: hip, thigh, shank of left front, right front, left hind, right hind [rad]."""


KP, KD = 40.0, 1.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Batches made within step on one CPU thread: the published engines ran on one core."""
    before = os.environ.get("KILOGYM_THREADS")
    os.environ["KILOGYM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["KILOGYM_THREADS"]
        else:
            os.environ["KILOGYM_THREADS"] = before


def time_of_standing(lab: Lab, robots: int) -> dict[str, float]:
    """Time of standing robots: torques computed outside the engine, by torch on its tensors; drives inside it."""
    steps, asset = 10_000, with_feet()
    pose = np.concatenate([np.array(BENT) * (1, side, side) for side in (1, 1, -1, -1)])
    with one_thread():
        world = lab.world([(asset, (0, 0, 0.54))], envs=robots, dt=0.005)
    assert isinstance(world, KilogymWorld)
    sim, target = world.sim, world.device_tensor(np.tile(pose, robots))
    positions, speeds = sim.dof_states[:, 0], sim.dof_states[:, 1]
    minus_damping = torch.full_like(speeds, -KD)
    world.set_parameter("dof_mode", int(DriveMode.EFFORT))
    world.bend(pose)

    def by_torques() -> None:
        sim.refresh_dof_states()
        sim.set_actuation_forces(torch.addcmul(KP * (target - positions), speeds, minus_damping))
        sim.step()

    # of this thread alone: the same as wall time where nothing else runs
    clock = time.thread_time if lab.device == "cpu" else time.perf_counter

    def seconds_of(step: Callable[[], None]) -> float:
        for _ in range(1000):  # compiled, and standing
            step()
        sim.synchronize()
        start = clock()
        for _ in range(steps):
            step()
        sim.synchronize()
        return (clock() - start) * 50_000 / steps

    outside = seconds_of(by_torques)
    feet = sim.batches[0].contact_count.cpu().numpy()
    height = world.roots()[:, 0, 2].min()
    for name, value in (("dof_mode", int(DriveMode.POSITION)), ("dof_stiffness", KP), ("dof_damping", KD)):
        world.set_parameter(name, value)
    world.aim(pose)
    inside = seconds_of(sim.step)
    world.check()
    return {
        "time of 50 000 steps, torques by torch": outside,
        "the same, drives of the engine": inside,
        "robots on other than four feet": (feet != 4).sum(),
        "height of the trunk": height,
    }


def collide(lab: Lab, dt: float, seconds: float, envs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A ball of 10 kg flies into the robot at 5 m/s, in every env from a millimetre farther off.

    Returns:
        Total momentum (steps, envs, 3) and the ball's velocity at the end (envs, 3).
    """
    robot = armoured()
    link = Link("ball", -1, mass=10.0, inertia=solid(ShapeKind.SPHERE, (0.2, 0.0, 0.0), 10.0))  # type: ignore[arg-type]
    shape = Shape(0, ShapeKind.SPHERE, (0.2, 0.0, 0.0), contype=2, conaffinity=1)
    ball = Asset("ball", (link,), shapes=(shape,), options=FREE)
    world = lab.world([(robot, (0, 0, 2)), (ball, (0, -5, 2))], envs=envs, ground=False, dt=dt, gravity=(0.0, 0.0, 0.0))
    world.bend(STANCE)
    start = np.tile([0.0, -5.0, 2.0], (envs, 1))
    start[:, 1] -= 1e-3 * np.arange(envs)
    world.place(1, pos=start, lin=(0.0, 5.0, 0.0))
    (bodies,) = world.run(seconds, "bodies")
    p = momentum_and_energy(robot, bodies[:, :, :-1], 0.0)[0] + 10.0 * bodies[:, :, -1, 7:10]
    return p, bodies[-1, :, -1, 7:10]


def momentum(lab: Lab, dt: float) -> dict[str, float]:
    p, velocity = collide(lab, dt, 10.0, envs=16)
    require(
        (velocity[:, 1] < 2.0).all(), f"all balls to hit; the fastest goes on at {velocity[:, 1].max():.2g} of 5 m/s"
    )
    return {"mean squared momentum error, 16 starts": ((p - [0.0, 50.0, 0.0]) ** 2).sum(-1).mean()}


def convergence(lab: Lab) -> dict[str, float]:
    exact = np.linalg.norm(collide(lab, 1e-4, 2.0)[1])
    return {f"dt {1000 * dt:g} ms": float(np.linalg.norm(collide(lab, dt, 2.0)[1]) / exact) - 1 for dt in STEPS}


def energy_of_a_drop(lab: Lab, dt: float) -> np.ndarray:
    """E - E0 over the fall of F7, (steps,) [J]."""
    world = lab.world([(quadruped(), (0, 0, 2))], ground=False, dt=dt)
    asset = quadruped()
    mass = sum(link.mass for link in asset.links)
    # their legs hang in a stance; ours start bent, so that they swing
    world.bend(np.tile(BENT, 4))
    push = np.zeros((len(asset.links), 3))
    push[0, 2] = 2 * mass * G
    for _ in range(world.steps_in(1.0)):
        world.push(push)
        world.step()
    (bodies,) = world.run(2.0, "bodies")
    _, _, energy = momentum_and_energy(asset, bodies)
    return energy[:, 0] - energy[0, 0]


def drop(lab: Lab, dt: float) -> dict[str, float]:
    return {"mean (E - E0)^2": (energy_of_a_drop(lab, dt) ** 2).mean()}


MACHINE = (
    "Of the machine at hand, beside an i7-7700HQ; a few calls of torch for each step cost more than the step of one "
    "robot."
)
ANY = ("cpu", "cuda")

CASES = (
    *(
        Case(
            f"f5-{robots}", "F", f"F5 {robots} standing robot" + "s" * (robots > 1) + ", dt 5 ms",
            "Held by torques kp 40, kd 1 that torch computes from the engine's tensors every step, one CPU thread; 10 "
            "000 steps, counted five times; then by the engine's own drives. The robot is ours, 18 DOFs, 34 kg, in the "
            "pose of part D; each is an env of its own.",
            (
                Number(
                    "time of 50 000 steps, torques by torch", bar, "s", reference=F5[robots], missed=MACHINE, wavers=ANY
                ),
                Number("the same, drives of the engine", bar, "s", missed=MACHINE, wavers=ANY),
                Number("robots on other than four feet", 0.0),
                Number("height of the trunk", 0.6, "m", least=0.45),
            ),
            partial(time_of_standing, robots=robots), without_mujoco="its loop would be Python's", slow=True,
        )
        for robots, bar in ((1, 0.417), (25, 10.4))  # 120 000 robots' steps a second
    ),
    *(
        Case(
            f"f6-{1000 * dt:g}ms", "F", f"F6 momentum, dt {1000 * dt:g} ms",
            "No gravity: a ball of 10 kg hits a loose robot at 5 m/s, 10 s; momentum stays (0, 50, 0). The robot is "
            "ours, about ANYmal's size. In float32 the error is rounding that adds up at random, so it is the mean of "
            "16 starts.",
            (
                Number(
                    "mean squared momentum error, 16 starts", 1e-8, "(kg m/s)^2", reference=F6[dt],
                    missed="1.1e-8 on an H200 once, met another time; 5.3e-9 on a CPU: rounding." if dt < 0.002 else "",
                    missed_on=("cuda",), wavers=("cuda",), worst=3e-8,
                ),
            ),
            partial(momentum, dt=dt), mujoco=True, slow=dt < 0.002,
        )
        for dt in STEPS
    ),
    Case(
        "f6-convergence", "F", "F6, speed of the ball",
        "After the first second of touch it flies as fast as with a step of 0.1 ms, to 10 %.",
        tuple(Number(f"dt {1000 * dt:g} ms", 0.1) for dt in STEPS), convergence, mujoco=True, slow=True,
    ),
    *(
        Case(
            f"f7-{1000 * dt:g}ms", "F", f"F7 energy, dt {1000 * dt:g} ms",
            "A robot thrown up for 1 s by twice its weight at the base, then 2 s of free fall, legs swinging; the "
            "error over the fall. The robot is ours, about ANYmal's size.",
            (Number("mean (E - E0)^2", bar, "J^2", reference=F7[dt]),),
            partial(drop, dt=dt), mujoco=True,
        )
        for dt, bar in ((0.01, 1e-3), (0.004, 1e-4), (0.001, 5e-5))
    ),
)  # fmt: skip
