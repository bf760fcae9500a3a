"""Bounces: the coefficient as asked for, the threshold, chains of impacts, and what a collision conserves."""

from __future__ import annotations

import numpy as np
import pytest
from lab import G, World, sphere

from kilogym.scene.declarations import GroundPlane


def test_restitution(device, measure):
    """Dropped by 1 m a ball comes back to e^2 m."""
    e = np.array([0.3, 0.5, 0.7, 0.9, 1.0])
    world = World([(sphere(), (0, 0, 1.1))], device, envs=len(e))
    world.set_parameter("shape_restitution", e)
    world.set_parameter("ground_restitution", e)
    # 0.6 s: after the first bounce (0.45 s), before any second
    (roots,) = world.run(0.6, "roots")
    height = roots[-1, :, 0, 2] - 0.1 + roots[-1, :, 0, 9] ** 2 / (2 * G)
    measure("ball dropped by 1 m, e = 0.3 ... 1", "sqrt(rebound height) - e", abs(np.sqrt(height) - e).max(), 1e-3)


def test_bounce_threshold(device):
    """Slower than the threshold: no bounce. Faster: a bounce."""
    threshold = 0.5
    world = World(
        [(sphere(restitution=1.0), (0, 0, 0.1))], device, envs=2, ground=GroundPlane(restitution=1.0),
        gravity=(0.0, 0.0, 0.0), bounce_threshold_velocity=threshold,
    )  # fmt: skip
    speed = np.array([0.9, 1.1]) * threshold
    world.place(pos=(0, 0, 0.11), lin=np.stack([0 * speed, 0 * speed, -speed], -1))
    world.step(20)
    after = world.roots()[:, 0, 9]
    assert abs(after[0]) < 1e-4
    assert after[1] == pytest.approx(1.1 * threshold, rel=1e-4)


def test_newtons_cradle(device, measure):
    """Five balls in a row, e = 1: only the last one leaves, whatever the gaps and whichever end is hit."""
    gaps = np.array([0.0, 1e-4, 1e-2, 0.0, 1e-4, 1e-2])
    ball = sphere(restitution=1.0, friction=0.0)
    world = World([(ball, (0, 0, 0))] * 5, device, envs=len(gaps), ground=False, gravity=(0.0, 0.0, 0.0))
    states = world.roots()
    states[:, :, 0] = np.arange(5) * (0.2 + gaps[:, None])
    states[:3, 0, 0] -= 0.05
    states[3:, 4, 0] += 0.05
    states[:3, 0, 7], states[3:, 4, 7] = 1.0, -1.0
    world.set_roots(states)
    world.step(60)
    speed = world.roots()[:, :, 7]
    exact = np.zeros((6, 5))
    exact[:3, 4], exact[3:, 0] = 1.0, -1.0
    measure("Newton's cradle, from either end", "worst speed error / v0", abs(speed - exact).max(), 1e-2)


@pytest.mark.xfail(
    strict=True,
    reason="dL / L is 0.007 without restitution (1.5e-5 with), bar 1e-6: a relax sweep stops an approach that closes "
    "only in the next iteration, before the balls touch",
)
def test_a_collision_keeps_momentum(device, measure):
    """Oblique collisions of two spinning balls with friction: P and L before and after, e = 0 ... 1."""
    rng = np.random.default_rng(0)
    e = np.tile([0.0, 0.3, 0.7, 1.0], 8)
    mass = (1.0, 2.0)
    actors = [(sphere(0.1, mass[0]), (0, 0, 0)), (sphere(0.15, mass[1]), (0.5, 0, 0))]
    world = World(actors, device, envs=len(e), ground=False, gravity=(0.0, 0.0, 0.0))
    world.set_parameter("shape_restitution", e)
    world.set_parameter("shape_friction", rng.uniform(0.1, 1.0, len(e)))
    states = world.roots()
    states[:, 1, 1:3] = rng.uniform(-0.12, 0.12, (len(e), 2))
    states[:, 0, 7] = 2.0
    states[:, 1, 7:10] = rng.normal(0, 0.2, (len(e), 3))
    states[:, :, 10:13] = rng.normal(0, 10, (len(e), 2, 3))
    world.set_roots(states)
    world.step(60)

    def momentum(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = np.array(mass)[:, None] * s[..., 7:10]
        spin = np.array([0.4 * mass[0] * 0.1**2, 0.4 * mass[1] * 0.15**2])[:, None] * s[..., 10:13]
        return p.sum(1), (np.cross(s[..., :3], p) + spin).sum(1)

    after = world.roots()
    assert (np.linalg.norm(after[:, 0, 7:10] - states[:, 0, 7:10], axis=-1) > 0.1).all()  # all did collide
    for name, a, b in zip("PL", momentum(states), momentum(after), strict=True):
        change = np.linalg.norm(b - a, axis=-1) / np.linalg.norm(a, axis=-1)
        measure("two balls collide, oblique, friction", f"d{name} / {name}, worst of 32", change.max(), 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("dt", "bar"), [(0.01, 1.0), (0.001, 0.05)])
def test_simbenchmark_bouncing(device, measure, dt, bar):
    """SimBenchmark's bouncing balls (F2): 49 balls, 5 m, e = 1, 20 s; mean (E - E0)^2 of the sum over the balls.

    The balls of the original are 2 m apart and never touch: equal balls on a plane make one experiment.
    """
    ball = sphere(0.1, 10.0, restitution=1.0, friction=0.0)
    world = World([(ball, (0, 0, 5.0))], device, ground=GroundPlane(restitution=1.0), dt=dt)
    (roots,) = world.run(20.0, "roots")
    energy = 49 * 10 * (G * roots[:, 0, 0, 2] + (roots[:, 0, 0, 7:10] ** 2).sum(-1) / 2)
    measure(f"SimBenchmark F2, dt {dt * 1000:g} ms", "mean (E - E0)^2", ((energy - energy[0]) ** 2).mean(), bar, "J^2")
