"""SimBenchmark's rolling (F1) and momentum (F6) by their definitions, with shapes that can touch each other here.

Its errors are means over time of what is wrong before each step. F2, bouncing, is in test_restitution.py; F7, energy,
in test_free_motion.py.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from lab import FREE, G, World, solid
from test_free_motion import momentum_and_energy, quadruped

from kilogym.assets.asset import Asset, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane

ROWS = 5
HEIGHT = 10.0  # of the plate [m]


def plate(direction: np.ndarray) -> Asset:
    """20 x 20 x 10 m, 10 kg: a box for the ground, and inside it five rails along `direction` for the balls.

    The original's box is 1 m high and balls roll on the box itself. Balls and boxes cannot touch yet; on the crest of a
    capsule a ball rolls in the same way, as long as it is not pushed aside: off the crest it falls, the slower the
    larger the capsule.
    """
    half, rail = (10.0, 10.0, HEIGHT / 2), HEIGHT / 2 - 0.01  # no rail touches the ground
    shapes = [Shape(0, ShapeKind.BOX, half, friction=0.4, contype=0, conaffinity=1 << ROWS)]
    across = np.array([direction[1], -direction[0]])
    # turns z into the direction
    quat = tuple(math.sqrt(0.5) * np.array([-direction[1], direction[0], 0.0, 1.0]))
    for i in range(ROWS):
        x, y = 2.0 * (i - 2) * across
        shapes.append(
            Shape(
                0, ShapeKind.CAPSULE, (rail, 10.0, 0.0), (x, y, HEIGHT / 2 - rail), quat, friction=0.8,
                contype=0, conaffinity=1 << i,
            )
        )  # fmt: skip
    link = Link("plate", -1, mass=10.0, inertia=solid(ShapeKind.BOX, half, 10.0))  # type: ignore[arg-type]
    return Asset("plate", (link,), shapes=tuple(shapes), options=FREE)


def ball(row: int) -> Asset:
    shape = Shape(0, ShapeKind.SPHERE, (0.5, 0.0, 0.0), friction=0.8, contype=1 << row, conaffinity=0)
    link = Link("ball", -1, mass=1.0, inertia=solid(ShapeKind.SPHERE, (0.5, 0.0, 0.0), 1.0))  # type: ignore[arg-type]
    return Asset(f"ball{row}", (link,), shapes=(shape,), options=FREE)


OVERLAPPING = pytest.mark.xfail(
    strict=True,
    reason="5.1e-5 and 5.9e-5, bar 1e-5: one relax sweep leaves some of the speed that pushes the initial overlap out, "
    "and the load is off for ten steps; without overlap 1.6e-7, with four sweeps an iteration 8.4e-6",
)


@pytest.mark.parametrize("name", ["xy", "y"])
@pytest.mark.parametrize(
    ("dt", "overlap", "bar"),
    [(0.01, 2e-5, 1e-4), pytest.param(0.001, 2e-5, 1e-5, marks=OVERLAPPING), (0.001, 0.0, 1e-5)],
    ids=["10ms", "1ms", "1ms-touching"],
)
def test_rolling(device, measure, name, dt, overlap, bar):
    """F1: a force drags a plate that slides on the ground, 25 balls roll on it, for 4 s.

    In the original they overlap at first.
    """
    force, mu, n, m, plate_mass = 150.0, 0.4, ROWS * ROWS, 1.0, 10.0
    direction = np.array([0.5, math.sqrt(0.75)]) if name == "xy" else np.array([0.0, 1.0])
    across = np.array([direction[1], -direction[0]])
    actors: list[tuple] = [(plate(direction), (0.0, 0.0, HEIGHT / 2 - overlap))]
    for row in range(ROWS):
        for column in range(ROWS):
            x, y = 2.0 * (row - 2) * across + 2.0 * (column - 2) * direction
            actors.append((ball(row), (x, y, HEIGHT + 0.5 - 3 * overlap)))
    ground = GroundPlane(static_friction=0.4, dynamic_friction=0.4)
    world = World(actors, device, ground=ground, dt=dt, max_contacts=40)
    push = np.zeros((len(actors), 3))
    push[0, :2] = force * direction
    push_on_device = world._device(push)

    drag = mu * (plate_mass + n * m) * G
    pull = (force - drag) / plate_mass / (3.5 / m + n / plate_mass)
    exact = np.array([(force - drag - n * pull) / plate_mass, pull / m])
    assert exact == pytest.approx([0.7385, 0.2110], abs=1e-4)
    steps, error = world.steps_in(4.0), 0.0
    for step in range(steps):
        velocity = world.roots()[0, :2, 7:10]
        velocity[:, :2] -= np.outer(exact * step * dt, direction)
        error += (velocity**2).sum() / steps
        world.sim.apply_body_forces(push_on_device)
        world.sim.step()
    assert not world.sim.check_faults().overflowed
    case = f"SimBenchmark F1, {name}, dt {dt * 1000:g} ms" + ("" if overlap else ", no overlap")
    measure(case, "mean squared speed error", error, bar, "m^2/s^2")


def armoured() -> Asset:
    """The quadruped with capsules for its trunk, thighs and shanks, which do not touch each other."""
    asset = quadruped()
    along_x = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))
    shapes = [Shape(0, ShapeKind.CAPSULE, (0.1, 0.25, 0.0), quat=along_x, contype=1, conaffinity=2)]
    for i, link in enumerate(asset.links):
        if link.name.startswith(("thigh", "shank")):
            shapes.append(Shape(i, ShapeKind.CAPSULE, (0.03, 0.1, 0.0), pos=(0, 0, -0.12), contype=1, conaffinity=2))
    return dataclasses.replace(asset, shapes=tuple(shapes))


def collide(device, dt: float, seconds: float, envs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A ball of 10 kg flies into the robot at 5 m/s, in every env from a millimetre farther off.

    Returns:
        Total momentum (steps, envs, 3) and the ball's velocity at the end (envs, 3).
    """
    robot = armoured()
    link = Link("ball", -1, mass=10.0, inertia=solid(ShapeKind.SPHERE, (0.2, 0.0, 0.0), 10.0))  # type: ignore[arg-type]
    shape = Shape(0, ShapeKind.SPHERE, (0.2, 0.0, 0.0), contype=2, conaffinity=1)
    ball = Asset("ball", (link,), shapes=(shape,), options=FREE)
    actors = [(robot, (0, 0, 2)), (ball, (0, -5, 2))]
    world = World(actors, device, envs, ground=False, dt=dt, gravity=(0.0, 0.0, 0.0))
    world.bend(np.array([0.03, 0.4, -0.8, -0.03, 0.4, -0.8, 0.03, -0.4, 0.8, -0.03, -0.4, 0.8]))
    start = np.tile([0.0, -5.0, 2.0], (envs, 1))
    start[:, 1] -= 1e-3 * np.arange(envs)
    world.place(1, pos=start, lin=(0.0, 5.0, 0.0))
    (bodies,) = world.run(seconds, "bodies")
    p = momentum_and_energy(robot, bodies[:, :, :-1], 0.0)[0] + 10.0 * bodies[:, :, -1, 7:10]
    return p, bodies[-1, :, -1, 7:10]


@pytest.mark.parametrize("dt", [0.01, 0.004, 0.001])
def test_momentum(device, measure, request, dt):
    """F6: what is hit and what hits it move on with the momentum there was, for 10 s.

    In float32 the error is rounding that adds up at random, and one start may have three times the mean of many.
    """
    if dt == 0.001 and device != "cpu":
        request.applymarker(pytest.mark.xfail(strict=True, reason="1.1e-8 on an H200, bar 1e-8: rounding"))
    p, velocity = collide(device, dt, 10.0, envs=16)
    assert (velocity[:, 1] < 2.0).all()  # of 5 m/s: it did hit
    error = ((p - [0.0, 50.0, 0.0]) ** 2).sum(-1).mean()
    case = f"SimBenchmark F6, dt {dt * 1000:g} ms"
    measure(case, "mean squared momentum error, 16 starts", error, 1e-8, "(kg m/s)^2")


@pytest.mark.slow
def test_the_collision_converges(device, measure):
    """F6: after the first second of touch the ball flies as fast as with a step of 0.1 ms, give or take 10 %."""
    exact = np.linalg.norm(collide(device, 1e-4, 2.0)[1])
    for dt in (0.01, 0.004, 0.001):
        speed = np.linalg.norm(collide(device, dt, 2.0)[1])
        case = f"SimBenchmark F6, dt {dt * 1000:g} ms"
        measure(case, "speed of the ball / that at 0.1 ms - 1", speed / exact - 1, 0.1)
