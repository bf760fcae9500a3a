"""Part C: Coulomb friction, rolling, and bodies at rest on a plane."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from kilogym.validation.bodies import ALONG_Y, G, box, capsule, cylinder, sphere
from kilogym.validation.case import Case, Number, require
from kilogym.validation.lab import Lab
from kilogym.validation.world import World

MU = 0.5


def on_slopes(lab: Lab, angles, azimuths) -> World:
    """A cube of 0.2 m at rest on a slope per env, friction MU.

    Args:
        angles: Steepness [rad], (envs,).
        azimuths: Direction the slope falls in [rad], (envs,).
    """
    angles, azimuths = np.broadcast_arrays(np.asarray(angles, float), np.asarray(azimuths, float))
    world = lab.world([(box(friction=MU), (0, 0, 0.1))], envs=len(angles))
    normal = np.stack([np.sin(angles) * np.cos(azimuths), np.sin(angles) * np.sin(azimuths), np.cos(angles)])
    half, zero = angles / 2, 0 * angles
    quat = np.stack([-np.sin(azimuths) * np.sin(half), np.cos(azimuths) * np.sin(half), zero, np.cos(half)])
    world.set_parameter("ground_normal", normal)
    world.set_parameter("ground_friction", MU)
    world.place(pos=0.1 * normal.T, quat=quat.T)
    return world


def sliding_block(lab: Lab) -> dict[str, float]:
    world = on_slopes(lab, [0.0], [0.0])
    world.place(lin=(3.0, 0.0, 0.0))
    (roots,) = world.run(1.5, "roots")
    exact = 9 / (2 * MU * G)
    return {
        "stopping distance, relative error": roots[-1, 0, 0, 0] / exact - 1,
        "creep after": np.linalg.norm(roots[-30:, 0, 0, 7:10], axis=-1).max(),
    }


def incline_stick(lab: Lab) -> dict[str, float]:
    world = on_slopes(lab, np.arctan(np.array([0.9, 0.98]) * MU), [0.0, 0.0])
    (roots,) = world.run(3.0, "roots")
    return {"speed after 3 s": np.linalg.norm(roots[-1, :, 0, 7:10], axis=-1).max()}


def slip_acceleration(world: World, seconds: float = 1.0) -> np.ndarray:
    (roots,) = world.run(seconds, "roots")
    speed = np.linalg.norm(roots[:, :, 0, 7:10], axis=-1)
    late = len(speed) // 4  # after the first touch
    return (speed[-1] - speed[late]) / ((len(speed) - 1 - late) * world.dt)


def incline_slip(lab: Lab) -> dict[str, float]:
    angles = np.arctan(np.array([1.02, 1.2]) * MU)
    got = slip_acceleration(on_slopes(lab, angles, [0.0, 0.0]))
    exact = G * (np.sin(angles) - MU * np.cos(angles))
    return {"acceleration, relative error": abs(got / exact - 1).max()}


def isotropy(lab: Lab) -> dict[str, float]:
    azimuths = np.radians(np.arange(10) * 10.0)
    got = slip_acceleration(on_slopes(lab, np.full(10, math.atan(0.6)), azimuths))
    return {"spread of acceleration": np.ptp(got) / got.mean()}


def slide_then_roll(lab: Lab) -> dict[str, float]:
    world = lab.world([(sphere(friction=0.3), (0, 0, 0.1))])
    world.set_parameter("ground_friction", 0.3)
    world.place(lin=(2.0, 0.0, 0.0))
    world.step(world.steps_in(0.5))
    root = world.roots()[0, 0]
    return {"v / v0 - 5/7": root[7] / 2 - 5 / 7, "slip": root[7] - 0.1 * root[11]}


def roll_down(lab: Lab, kind: str) -> dict[str, float]:
    if kind == "cylinder":
        asset, moment = cylinder(quat=ALONG_Y, friction=0.8), 0.1**2 / 2
    else:
        asset = capsule(quat=ALONG_Y, friction=0.8)
        moment = asset.links[0].inertia[1]  # about its axis, which lies along y
    a, r = math.radians(20), 0.1
    normal = np.array([math.sin(a), 0.0, math.cos(a)])
    world = lab.world([(asset, (0, 0, r))])
    world.set_parameter("ground_normal", normal[:, None])
    world.set_parameter("ground_friction", 0.8)
    world.place(pos=r * normal)
    world.step(world.steps_in(1.0))
    velocity = world.roots()[0, 0, 7:10]
    exact = G * math.sin(a) / (1 + moment / r**2)
    return {
        "speed after 1 s, relative error": velocity @ [math.cos(a), 0.0, -math.sin(a)] / exact - 1,
        "sideways speed": velocity[1],
    }


def capsule_at_rest(lab: Lab) -> dict[str, float]:
    world = lab.world([(capsule(quat=ALONG_Y), (0, 0, 0.1))])
    world.step(world.steps_in(3.0))
    (roots,) = world.run(5.0, "roots")
    return {
        "penetration": max(0.0, (0.1 - roots[:, 0, 0, 2]).max()),
        "speed": np.linalg.norm(roots[:, 0, 0, 7:10], axis=-1).max(),
        "drift": np.linalg.norm(roots[-1, 0, 0, :2] - roots[0, 0, 0, :2]),
    }


def weight(lab: Lab, substeps: int) -> dict[str, float]:
    world = lab.world([(box(), (0, 0, 0.1))], dt=substeps / 120, substeps=substeps)
    world.step(240)
    (forces,) = world.run(world.dt * 60, "forces")
    up = forces[1:, 0, 0, 2] / G
    corners = world.corner_loads()
    require(len(corners) == 4, f"four loaded corners, got {len(corners)}")
    return {
        "contact force / m g - 1": up.mean() - 1,
        "its deviation": up.std(),
        "spread of the corners' loads": np.ptp(corners) / corners.mean(),
    }


def deep_overlap(lab: Lab) -> dict[str, float]:
    world = lab.world([(box(), (0, 0, 0.05))], max_depenetration_velocity=1.0)
    (roots,) = world.run(1.5, "roots")
    return {
        "exit speed": max(0.0, roots[:, 0, 0, 9].max()),
        "overshoot": max(0.0, roots[:, 0, 0, 2].max() - 0.1),
        "height after 1.5 s - 0.1 m": roots[-1, 0, 0, 2] - 0.1,
    }


def _rolling(kind: str, physx: dict[str, float]) -> Case:
    return Case(
        f"{kind}-rolls", "C", f"{kind} rolls down 20 deg", "Friction 0.8, so it rolls: g sin a / (1 + I / m r^2).",
        (
            Number("speed after 1 s, relative error", 5e-4, reference=physx),
            Number("sideways speed", 1e-3, "m/s"),
        ),
        partial(roll_down, kind=kind), mujoco=True,
    )  # fmt: skip


def _weight(substeps: int) -> Case:
    return Case(
        f"cube-at-rest-{substeps}", "C", f"cube at rest, {substeps} substep" + "s" * (substeps > 1),
        "1 kg on the ground: the reported force is m g, evenly on its corners.",
        (
            Number("contact force / m g - 1", 1e-5), Number("its deviation", 1e-4),
            Number("spread of the corners' loads", 1e-2),
        ),
        partial(weight, substeps=substeps), mujoco=substeps == 1,
        without_mujoco="" if substeps == 1 else "MuJoCo has no substeps that share a reported force",
    )  # fmt: skip


CASES = (
    Case(
        "sliding-block", "C", "sliding block", "v0 = 3 m/s, mu = 0.5: stops after v0^2 / (2 mu g), and stays.",
        (
            Number("stopping distance, relative error", 4e-3, reference={"PhysX": -1.35e-2}),
            Number("creep after", 1e-6, "m/s", reference={"PhysX": 0.0}),
        ),
        sliding_block, mujoco=True,
    ),
    Case(
        "incline-stick", "C", "incline, 0.9 and 0.98 of the cone", "Just below the cone nothing moves.",
        (Number("speed after 3 s", 1e-5, "m/s", reference={"PhysX": 6e-3}),), incline_stick, mujoco=True,
    ),
    Case(
        "incline-slip", "C", "incline, 1.02 and 1.2 of the cone", "Above the cone a cube accelerates by g (sin a - mu "
        "cos a).",
        (Number("acceleration, relative error", 3e-3, reference={"PhysX": 1.1e-3}),), incline_slip, mujoco=True,
    ),
    Case(
        "isotropy", "C", "slope turned by 0 ... 90 deg", "The same slope turned to 10 directions: the same "
        "acceleration.",
        (Number("spread of acceleration", 5e-3),), isotropy, mujoco=True,
    ),
    Case(
        "slide-then-roll", "C", "sphere slides, then rolls", "v0 = 2 m/s without spin, mu = 0.3: rolls on at 5/7 of "
        "it.",
        (
            Number("v / v0 - 5/7", 3e-4, reference={"PhysX": 2.4e-5}),
            Number("slip", 1e-3, "m/s"),
        ),
        slide_then_roll, mujoco=True,
    ),
    _rolling("cylinder", {}), _rolling("capsule", {}),
    Case(
        "capsule-at-rest", "C", "capsule at rest, 5 s", "Lying for 3 s to settle and 5 s more: it neither sinks nor "
        "moves.",
        (Number("penetration", 1e-4, "m"), Number("speed", 1e-5, "m/s"), Number("drift", 1e-5, "m")),
        capsule_at_rest, mujoco=True,
    ),
    _weight(1), _weight(4),
    Case(
        "deep-overlap", "C", "cube 5 cm in the ground",
        "It comes out no faster than the 1 m/s allowed, does not jump, and rests on the ground.",
        (
            Number("exit speed", 1.0, "m/s", reference={"PhysX": 0.0, "PhysX PGS": 1.18}),
            Number("overshoot", 5e-3, "m", reference={"PhysX": 2e-3, "PhysX PGS": 92e-3}),
            Number("height after 1.5 s - 0.1 m", 1e-4, "m"),
        ),
        deep_overlap, mujoco=True,
    ),
)  # fmt: skip
