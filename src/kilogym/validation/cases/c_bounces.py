"""Part C: bounces. The coefficient as asked for, the threshold, chains of impacts."""

from __future__ import annotations

import numpy as np

from kilogym.scene.declarations import GroundPlane
from kilogym.validation.bodies import G, sphere
from kilogym.validation.case import Case, Number
from kilogym.validation.lab import Lab


def restitution(lab: Lab) -> dict[str, float]:
    e = np.array([0.3, 0.5, 0.7, 0.9, 1.0])
    world = lab.world([(sphere(), (0, 0, 1.1))], envs=len(e))
    world.set_parameter("shape_restitution", e)
    world.set_parameter("ground_restitution", e)
    # 0.6 s: after the first bounce (0.45 s), before any second
    (roots,) = world.run(0.6, "roots")
    height = roots[-1, :, 0, 2] - 0.1 + roots[-1, :, 0, 9] ** 2 / (2 * G)
    return {"sqrt(rebound height) - e": abs(np.sqrt(height) - e).max()}


def bounce_threshold(lab: Lab) -> dict[str, float]:
    threshold = 0.5
    world = lab.world(
        [(sphere(restitution=1.0), (0, 0, 0.1))], envs=2, ground=GroundPlane(restitution=1.0),
        gravity=(0.0, 0.0, 0.0), bounce_threshold_velocity=threshold,
    )  # fmt: skip
    speed = np.array([0.9, 1.1]) * threshold
    world.place(pos=(0, 0, 0.11), lin=np.stack([0 * speed, 0 * speed, -speed], -1))
    world.step(20)
    after = world.roots()[:, 0, 9]
    return {"speed after 0.9 of it": after[0], "speed after 1.1 of it / before - 1": after[1] / speed[1] - 1}


def newtons_cradle(lab: Lab) -> dict[str, float]:
    gaps = np.array([0.0, 1e-4, 1e-2, 0.0, 1e-4, 1e-2])
    ball = sphere(restitution=1.0, friction=0.0)
    world = lab.world([(ball, (0, 0, 0))] * 5, envs=len(gaps), ground=False, gravity=(0.0, 0.0, 0.0))
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
    return {"worst speed error / v0": abs(speed - exact).max()}


CASES = (
    Case(
        "restitution", "C", "ball dropped by 1 m, e = 0.3 ... 1", "It comes back to e^2 m.",
        (Number("sqrt(rebound height) - e", 1e-3, reference={"PhysX": 2e-3, "PhysX PGS": 0.047}),),
        restitution, without_mujoco="MuJoCo has no coefficient of restitution",
    ),
    Case(
        "bounce-threshold", "C", "bounce threshold", "Elastic ball at 0.9 and 1.1 of the threshold: it stays, it "
        "bounces.",
        (Number("speed after 0.9 of it", 1e-4, "m/s"), Number("speed after 1.1 of it / before - 1", 1e-4)),
        bounce_threshold, without_mujoco="MuJoCo has no bounce threshold",
    ),
    Case(
        "cradle", "C", "Newton's cradle, from either end",
        "Five balls in a row, e = 1: only the last one leaves, whatever the gaps (0, 0.1, 10 mm) and whichever end is "
        "hit.",
        (Number("worst speed error / v0", 1e-2, reference={"PhysX": 0.5}),),
        newtons_cradle, mujoco=True,
    ),
)  # fmt: skip
