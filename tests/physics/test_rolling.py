"""From sliding to rolling, and rolling down a slope."""

from __future__ import annotations

import math

import numpy as np
from lab import ALONG_Y, G, World, capsule, cylinder, sphere


def test_sphere_slides_then_rolls(device, measure):
    """v0 = 2 m/s without spin, mu = 0.3: rolls on at 5/7 of it, without slip."""
    world = World([(sphere(friction=0.3), (0, 0, 0.1))], device)
    world.set_parameter("ground_friction", 0.3)
    world.place(lin=(2.0, 0.0, 0.0))
    world.step(world.steps_in(0.5))
    root = world.roots()[0, 0]
    measure("sphere slides, then rolls", "v / v0 - 5/7", root[7] / 2 - 5 / 7, 3e-4)
    measure("sphere slides, then rolls", "slip", root[7] - 0.1 * root[11], 1e-3, "m/s")


def rolling(asset, moment: float, device) -> tuple[float, float]:
    """Relative error of the speed after rolling down 20 degrees for 1 s, and the sideways speed [m/s]."""
    a, r = math.radians(20), 0.1
    normal = np.array([math.sin(a), 0.0, math.cos(a)])
    world = World([(asset, (0, 0, r))], device)
    world.set_parameter("ground_normal", normal[:, None])
    world.set_parameter("ground_friction", 0.8)
    world.place(pos=r * normal)
    world.step(world.steps_in(1.0))
    velocity = world.roots()[0, 0, 7:10]
    exact = G * math.sin(a) / (1 + moment / r**2)
    return float(velocity @ [math.cos(a), 0.0, -math.sin(a)]) / exact - 1, float(velocity[1])


def test_cylinder_rolls_down(device, measure):
    error, aside = rolling(cylinder(quat=ALONG_Y, friction=0.8), 0.1**2 / 2, device)
    measure("cylinder rolls down 20 deg", "speed after 1 s, relative error", error, 5e-4)
    measure("cylinder rolls down 20 deg", "sideways speed", aside, 1e-3, "m/s")


def test_capsule_rolls_down(device, measure):
    asset = capsule(quat=ALONG_Y, friction=0.8)
    moment = asset.links[0].inertia[1]  # about its axis, which lies along y
    error, aside = rolling(asset, moment, device)
    measure("capsule rolls down 20 deg", "speed after 1 s, relative error", error, 5e-4)
    measure("capsule rolls down 20 deg", "sideways speed", aside, 1e-3, "m/s")
