"""Grains of sand, whose inertias multiplied are less than a float can hold, and velocities of which that is true."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kilogym.validation.bodies import body, sphere
from kilogym.validation.kilogym_world import KilogymWorld
from kilogym.validation.trees import FREE

DENSITY = 2500.0  # of quartz, nearly [kg/m^3]
RADII = (5e-4, 1e-4, 2e-5)  # [m]; inertias about any axis: 1.3e-13, 4.2e-17, 1.3e-20 kg m^2


def test_grains_roll_as_balls_do(device, measure):
    """A ball that slides rolls in the end, with 5/7 of its speed."""
    grains = [sphere(r, DENSITY * 4 / 3 * math.pi * r**3) for r in RADII]
    places = [(0, 0.01 * i, r) for i, r in enumerate(RADII)]
    world = KilogymWorld(list(zip(grains, places, strict=True)), device, filter=1)
    speed = 25 * np.array(RADII)
    for grain, v in enumerate(speed):
        world.place(grain, lin=(v, 0, 0))
    (history,) = world.run(0.1, "roots")
    measure("grains", "speed / start", np.abs(history[-1, 0, :, 7] / speed - 5 / 7).max(), 1e-3)


def test_a_grain_without_symmetry_keeps_its_momentum(device, measure):
    """L = R I R^T w of a spinning splinter, in flight."""
    inertia = np.array([1.0, 2.0, 2.5]) * 1e-15
    splinter = dataclasses.replace(body(None, mass=1e-8, inertia=(*inertia, 0.0, 0.0, 0.0)), options=FREE)
    world = KilogymWorld([(splinter, (0, 0, 0))], device, ground=False, gravity=(0.0, 0.0, 0.0))
    world.place(ang=(1.0, 20.0, 1.0))
    (history,) = world.run(2.0, "roots")
    turn = Rotation.from_quat(history[:, 0, 0, 3:7])
    momentum = turn.apply(inertia * turn.inv().apply(history[:, 0, 0, 10:13]))
    start = inertia * (1.0, 20.0, 1.0)
    measure("splinter", "dL / L", np.abs(momentum - start).max() / np.linalg.norm(start), 1e-4)


@pytest.mark.parametrize("speed", [1e-20, 1e-3])
def test_what_may_not_move_does_not(device, speed):
    held = dataclasses.replace(FREE, max_linear_velocity=0.0, max_angular_velocity=0.0)
    ball = dataclasses.replace(sphere(0.1, 1.0), options=held)
    world = KilogymWorld([(ball, (0, 0, 1))], device, ground=False, gravity=(0.0, 0.0, 0.0))
    world.place(lin=(speed, 0, 0), ang=(0, speed, 0))
    (history,) = world.run(0.1, "roots")
    assert np.abs(history[-1, 0, 0, 7:]).max() <= 1e-15
