"""Coulomb friction on a plane: stopping distance, sticking, slipping, and no favoured direction."""

from __future__ import annotations

import math

import numpy as np
from lab import G, World, box


def on_slopes(angles, azimuths, friction, device) -> World:
    """A cube of 0.2 m at rest on a slope per env.

    Args:
        angles: Steepness [rad], (envs,).
        azimuths: Direction the slope falls in [rad], (envs,).
        friction: Of cube and ground alike.
    """
    angles, azimuths = np.broadcast_arrays(np.asarray(angles, float), np.asarray(azimuths, float))
    world = World([(box(friction=friction), (0, 0, 0.1))], device, envs=len(angles))
    normal = np.stack([np.sin(angles) * np.cos(azimuths), np.sin(angles) * np.sin(azimuths), np.cos(angles)])
    half, zero = angles / 2, 0 * angles
    quat = np.stack([-np.sin(azimuths) * np.sin(half), np.cos(azimuths) * np.sin(half), zero, np.cos(half)])
    world.set_parameter("ground_normal", normal)
    world.set_parameter("ground_friction", friction)
    world.place(pos=0.1 * normal.T, quat=quat.T)
    return world


def test_sliding_block(device, measure):
    """v0 = 3 m/s, mu = 0.5: stops after v0^2 / (2 mu g), and stays."""
    world = on_slopes([0.0], [0.0], 0.5, device)
    world.place(lin=(3.0, 0.0, 0.0))
    (roots,) = world.run(1.5, "roots")
    exact = 9 / (2 * 0.5 * G)
    measure("sliding block", "stopping distance, relative error", roots[-1, 0, 0, 0] / exact - 1, 4e-3)
    measure("sliding block", "creep after", np.linalg.norm(roots[-30:, 0, 0, 7:10], axis=-1).max(), 1e-6, "m/s")


def test_incline_stick(device, measure):
    """Just below the cone nothing moves."""
    mu = 0.5
    world = on_slopes(np.arctan(np.array([0.9, 0.98]) * mu), [0.0, 0.0], mu, device)
    (roots,) = world.run(3.0, "roots")
    speed = np.linalg.norm(roots[-1, :, 0, 7:10], axis=-1)
    measure("incline, 0.9 and 0.98 of the cone", "speed after 3 s", speed.max(), 1e-5, "m/s")


def slip_acceleration(world: World, seconds: float = 1.0) -> np.ndarray:
    (roots,) = world.run(seconds, "roots")
    speed = np.linalg.norm(roots[:, :, 0, 7:10], axis=-1)
    late = len(speed) // 4  # after the first touch
    return (speed[-1] - speed[late]) / ((len(speed) - 1 - late) * world.dt)


def test_incline_slip(device, measure):
    """Above the cone a cube accelerates by g (sin a - mu cos a)."""
    mu = 0.5
    angles = np.arctan(np.array([1.02, 1.2]) * mu)
    got = slip_acceleration(on_slopes(angles, [0.0, 0.0], mu, device))
    exact = G * (np.sin(angles) - mu * np.cos(angles))
    measure("incline, 1.02 and 1.2 of the cone", "acceleration, relative error", abs(got / exact - 1).max(), 3e-3)


def test_friction_is_isotropic(device, measure):
    """The same slope turned to 10 directions: the same acceleration."""
    azimuths = np.radians(np.arange(10) * 10.0)
    got = slip_acceleration(on_slopes(np.full(10, math.atan(0.6)), azimuths, 0.5, device))
    measure("slope turned by 0 ... 90 deg", "spread of acceleration", np.ptp(got) / got.mean(), 5e-3)
