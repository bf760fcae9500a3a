"""Part F: SimBenchmark's balls by its definitions: rolling, bouncing, heaps of 216.

Its errors are means over time of what is wrong before each step. It was published with RaiSim; PhysX was no part of
it, those figures are ours. Its robots are in `f_robots`.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from kilogym.assets.asset import Asset, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.bodies import FREE, G, solid, sphere
from kilogym.validation.case import Case, Number
from kilogym.validation.lab import Lab
from kilogym.validation.published import F1, F2, F3, F4
from kilogym.validation.world import World

ROWS = 5
BALLS = 49
SIDE = 6
"""666: balls along each edge of the cube that F3 and F4 drop."""


PLATE = (10.0, 10.0, 0.5)  # half extents [m]


def plate() -> Asset:
    """20 x 20 x 1 m, 10 kg: its friction with the ground is 0.4, with balls of 1.2 it is 0.8."""
    shape = Shape(0, ShapeKind.BOX, PLATE, friction=0.4, contype=0, conaffinity=1)
    link = Link("plate", -1, mass=10.0, inertia=solid(ShapeKind.BOX, PLATE, 10.0))  # type: ignore[arg-type]
    return Asset("plate", (link,), shapes=(shape,), options=FREE)


def ball() -> Asset:
    shape = Shape(0, ShapeKind.SPHERE, (0.5, 0.0, 0.0), friction=1.2, contype=1, conaffinity=0)
    link = Link("ball", -1, mass=1.0, inertia=solid(ShapeKind.SPHERE, (0.5, 0.0, 0.0), 1.0))  # type: ignore[arg-type]
    return Asset("ball", (link,), shapes=(shape,), options=FREE)


def rolling(lab: Lab, axis: str, dt: float, overlap: float) -> dict[str, float]:
    force, mu, n, m, plate_mass = 150.0, 0.4, ROWS * ROWS, 1.0, 10.0
    direction = np.array([0.5, math.sqrt(0.75)]) if axis == "xy" else np.array([0.0, 1.0])
    top = 2 * PLATE[2]
    actors: list[tuple] = [(plate(), (0.0, 0.0, PLATE[2] - overlap))]
    for row in range(ROWS):
        for column in range(ROWS):
            actors.append((ball(), (2.0 * (row - 2), 2.0 * (column - 2), top + 0.5 - 3 * overlap)))
    ground = GroundPlane(static_friction=0.4, dynamic_friction=0.4)
    world = lab.world(actors, ground=ground, dt=dt, max_contacts=40)
    push = np.zeros((len(actors), 3))
    push[0, :2] = force * direction

    drag = mu * (plate_mass + n * m) * G
    pull = (force - drag) / plate_mass / (3.5 / m + n / plate_mass)
    exact = np.array([(force - drag - n * pull) / plate_mass, pull / m])  # 0.7385 and 0.2110 m/s^2
    steps, error = world.steps_in(4.0), 0.0
    for step in range(steps):
        velocity = world.roots()[0, :2, 7:10]
        velocity[:, :2] -= np.outer(exact * step * dt, direction)
        error += (velocity**2).sum() / steps
        world.push(push)
        world.step()
    world.check()
    return {"mean squared speed error": error}


def bouncing(lab: Lab, dt: float) -> dict[str, float]:
    ball = sphere(0.1, 10.0, restitution=1.0, friction=0.0)
    world = lab.world([(ball, (0, 0, 5.0))], ground=GroundPlane(restitution=1.0), dt=dt)
    (roots,) = world.run(20.0, "roots")
    energy = BALLS * 10 * (G * roots[:, 0, 0, 2] + (roots[:, 0, 0, 7:10] ** 2).sum(-1) / 2)
    return {"mean (E - E0)^2": ((energy - energy[0]) ** 2).mean()}


def cube_of_balls(lab: Lab, dt: float, height: float, restitution: float, **solver) -> World:
    """216 balls of 10 kg and 0.1 m, 0.21 m apart, each up to 1 mm off its place, the lowest at `height` [m].

    No friction. The draw is ours: the original's seed is not known.
    """
    ball = sphere(0.1, 10.0, friction=0.0, restitution=restitution)
    at = np.stack(np.meshgrid(*[0.21 * np.arange(SIDE)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    at = at + np.random.default_rng(0).uniform(0.0, 1e-3, at.shape)
    at[:, 2] += height
    ground = GroundPlane(static_friction=0.0, dynamic_friction=0.0, restitution=restitution)
    return lab.world([(ball, tuple(p)) for p in at], ground=ground, dt=dt, max_contacts=800, **solver)


def heap(lab: Lab, dt: float) -> dict[str, float]:
    world = cube_of_balls(lab, dt, 0.101, 0.0)
    one, two = np.triu_indices(SIDE**3, 1)
    steps, error = world.steps_in(10.0), 0.0
    for _ in range(steps):
        at = world.roots()[0, :, :3]
        apart = np.linalg.norm(at[one] - at[two], axis=1)
        error += (np.maximum(0.0, 0.2 - apart) ** 2).sum() + (np.maximum(0.0, 0.1 - at[:, 2]) ** 2).sum()
        world.step()
    world.check()
    return {"mean sum of squared overlaps": error / steps}


def elastic_heap(lab: Lab, dt: float) -> dict[str, float]:
    world = cube_of_balls(lab, dt, 1.101, 1.0, relax=3)
    spin = solid(ShapeKind.SPHERE, (0.1, 0.0, 0.0), 10.0)[0]
    energies = []
    for _ in range(world.steps_in(10.0)):
        state = world.roots()[0]
        kinetic = 10.0 * (state[:, 7:10] ** 2).sum() + spin * (state[:, 10:13] ** 2).sum()
        energies.append(kinetic / 2 + 10.0 * G * state[:, 2].sum())
        world.step()
    world.check()
    energy = np.array(energies)
    return {
        "mean (E - E0)^2": ((energy - energy[0]) ** 2).mean(),
        "largest |E - E0| / E0": abs(energy / energy[0] - 1).max(),
    }


OVERLAP = (
    "It starts with bodies 0.02 to 0.04 mm in each other. One relax sweep leaves some of the speed that pushes them "
    "out, and loads are off for the first ten steps. Without overlap 2e-9."
)


FROZEN_MUJOCO = "216 free bodies take it minutes; its figures are frozen"
MANY_AT_ONCE = (
    "Hundreds of elastic impacts fall into one step, and each is a single visit at the approach it meets there: of "
    "those that hang together energy is made or lost. RaiSim, ODE and Bullet do better at 4 ms, RaiSim and ODE at 1 "
    "ms; with 8 iterations 4 ms gave 2.6e3 J^2 once."
)


def _f1(axis: str, dt: float, overlap: float, bar: float, missed: str = "") -> Case:
    return Case(
        f"f1-{axis}-{1000 * dt:g}ms" + ("" if overlap else "-touching"), "F",
        f"F1 rolling, {axis}, dt {1000 * dt:g} ms" + ("" if overlap else ", no overlap"),
        "150 N drag a plate of 10 kg that slides on the ground (0.4), 25 balls of 1 kg roll on it (0.8), 4 s. Exact: "
        "0.7385 and 0.2110 m/s^2.",
        (
            Number(
                "mean squared speed error", bar, "m^2/s^2", reference=F1[axis, dt] if overlap else {}, missed=missed,
                worst=1e-4,
            ),
        ),
        partial(rolling, axis=axis, dt=dt, overlap=overlap), mujoco=True,
    )  # fmt: skip


CASES = (
    *(_f1(axis, 0.01, 2e-5, 1e-4) for axis in ("xy", "y")),
    *(_f1(axis, 0.001, 2e-5, 1e-5, OVERLAP) for axis in ("xy", "y")),
    *(_f1(axis, 0.001, 0.0, 1e-5) for axis in ("xy", "y")),
    *(
        Case(
            f"f2-{1000 * dt:g}ms", "F", f"F2 bouncing, dt {1000 * dt:g} ms",
            "49 balls of 10 kg dropped from 5 m, e = 1, 20 s, E0 = 24034.5 J. The original's balls are 2 m apart and "
            "never touch: one ball is run and counted 49 times.",
            (Number("mean (E - E0)^2", bar, "J^2", reference=F2[dt]),),
            partial(bouncing, dt=dt), mujoco=True, slow=dt < 0.002,
        )
        for dt, bar in ((0.01, 1.0), (0.004, 1.0), (0.001, 0.05))
    ),
    *(
        Case(
            f"f3-{1000 * dt:g}ms", "F", f"F3 666 balls, dt {1000 * dt:g} ms",
            "6 x 6 x 6 balls of 10 kg, 1 cm apart, fall by 1 mm and roll apart, no friction, e = 0, 10 s: the sum of "
            "squared overlaps of all pairs and the ground. The published engines ran without position correction; "
            "PhysX with it, as here.",
            (Number("mean sum of squared overlaps", bar, "m^2", reference=F3[dt]),),
            partial(heap, dt=dt), without_mujoco=FROZEN_MUJOCO, slow=dt < 0.01,
        )
        for dt, bar in ((0.01, 3e-6), (0.004, 2e-7), (0.001, 2e-9))
    ),
    *(
        Case(
            f"f4-{1000 * dt:g}ms", "F", f"F4 elastic 666, dt {1000 * dt:g} ms",
            "The same dropped from 1 m with e = 1: E0 = 34.47 kJ stays. 4 iterations, 3 relax sweeps more.",
            (
                Number("mean (E - E0)^2", bar, "J^2", reference=F4[dt], missed=MANY_AT_ONCE, worst=worst),
                Number("largest |E - E0| / E0", 0.01, missed="" if dt < 0.002 else MANY_AT_ONCE, worst=0.2),
            ),
            partial(elastic_heap, dt=dt), without_mujoco="MuJoCo has no coefficient of restitution", slow=dt < 0.01,
        )
        for dt, bar, worst in ((0.01, 1e4, 2e7), (0.004, 300.0, 4e7), (0.001, 100.0, 1e5))
    ),
)  # fmt: skip
