"""Contacts and stops give no energy, whatever contradicts whatever (native/passive.h)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kilogym.assets.asset import Asset, Link, Shape, ShapeKind
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.clutter import Clutter, Draw
from kilogym.validation.trees import FREE

STEPS = 60


def fork(gap: float, thickness: float, mass: float) -> Asset:
    """Two plates of one link, `gap` apart."""
    at = (gap + thickness) / 2
    plates = tuple(
        Shape(0, ShapeKind.BOX, (0.2, 0.2, thickness / 2), pos=(0.0, 0.0, side * at)) for side in (1.0, -1.0)
    )
    link = Link("fork", -1, mass=mass, inertia=(0.02 * mass, 0.02 * mass, 0.02 * mass, 0, 0, 0))
    return Asset("fork", (link,), shapes=plates, options=FREE)


def plate(thickness: float, mass: float) -> Asset:
    link = Link("plate", -1, mass=mass, inertia=(0.02 * mass, 0.02 * mass, 0.02 * mass, 0, 0, 0))
    shapes = (Shape(0, ShapeKind.BOX, (0.2, 0.2, thickness / 2)),)
    return Asset("plate", (link,), shapes=shapes, options=FREE)


def kinetic(world: BatchWorld, masses: list[float]) -> np.ndarray:
    """Of two bodies whose inertia is 0.02 m^2 times their mass, of each env [J]."""
    state = world.state()
    lin = state["root_lin_vel"].reshape(world.num_envs, 2, 3)
    ang = state["root_ang_vel"].reshape(world.num_envs, 2, 3)
    return (0.5 * np.array(masses) * ((lin**2).sum(2) + 0.02 * (ang**2).sum(2))).sum(1)


def test_a_plate_in_a_fork_too_narrow_for_it_stays_slow(device):
    """Six centimetres of plate in two of fork, a little askew: what pushes one way contradicts the rest."""
    envs, masses = 32, [1.0, 0.3]
    world = BatchWorld([fork(0.02, 0.03, masses[0]), plate(0.06, masses[1])], envs, device, filter=0)
    world.batch.control.gravity = (0.0, 0.0, 0.0)
    rng = np.random.default_rng(0)
    pos = np.zeros((envs, 2, 3))
    pos[:, 1] = rng.uniform(-0.02, 0.02, (envs, 3))
    quat = np.zeros((envs, 2, 4))
    quat[..., 3] = 1.0
    quat[:, 1, :3] = rng.uniform(-0.05, 0.05, (envs, 3))
    quat /= np.linalg.norm(quat, axis=2, keepdims=True)
    still = np.zeros((envs, 6))
    world.set_state(
        {
            "root_pos": pos.reshape(envs, -1),
            "root_quat": quat.reshape(envs, -1),
            "root_lin_vel": still,
            "root_ang_vel": still,
        }
    )
    most = np.zeros(envs)
    for _ in range(STEPS):
        world.batch.step()
        most = np.maximum(most, kinetic(world, masses))
    assert most.max() < 1e-5  # 0.03 without


@pytest.fixture(scope="module")
def clutter(device) -> Clutter:
    return Clutter(64, device)


@pytest.mark.parametrize(
    ("draw", "bar"),
    [
        (Draw(decades=4.0), 2e-3),  # 0.026 without
        (Draw(restitution=1.0), 0.03),  # 0.035; bodies turn within a step, and impacts are those of one pose
        (Draw(overlapping=True, speed=0.5), 0.1),  # 84; pushing apart turns bodies, which spin on at the same momentum
    ],
    ids=["heavy and light", "elastic", "in each other"],
)
def test_clutter_gains_no_energy(clutter: Clutter, draw: Draw, bar: float):
    """The largest gain of any env in a step, by what it had at the start."""
    gain = 0.0
    for seed in range(2):
        clutter.put(dataclasses.replace(draw, seed=seed))
        start = last = clutter.energy()
        for _ in range(STEPS):
            clutter.world.batch.step()
            now = clutter.energy()
            gain = max(gain, float(((now - last) / start).max()))
            last = now
    assert gain < bar


def test_momentum_stays_where_impulses_are_made_smaller(clutter: Clutter):
    clutter.put(Draw(overlapping=True, speed=0.5, decades=2.0))
    momentum = lambda: (clutter.mass[..., None] * clutter.roots()["lin"]).sum(1)  # noqa: E731
    start, scale = momentum(), (clutter.mass[..., None] * np.abs(clutter.roots()["lin"])).sum((1, 2))
    for _ in range(STEPS):
        clutter.world.batch.step()
        scale = np.maximum(scale, (clutter.mass[..., None] * np.abs(clutter.roots()["lin"])).sum((1, 2)))
    assert (np.abs(momentum() - start).max(1) / scale).max() < 2e-4
