"""Part C: boxes on boxes. Stacks, heavy on light, sliding on a box, a gripper, a finger at its
stop, boxes that collide."""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import numpy as np

from kilogym.assets.asset import Asset, DriveMode, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.math.quaternion import quat_to_matrix
from kilogym.validation.bodies import FREE, G, box
from kilogym.validation.case import Case, Number, require
from kilogym.validation.lab import Lab
from kilogym.validation.world import World

MU = 0.5
HALF = 0.1  # of the cubes [m]


def fixed(asset: Asset) -> Asset:
    return dataclasses.replace(asset, fixed_base=True)


# stacks -----------------------------------------------------------------------------------------------------------


def stack(lab: Lab, count: int) -> dict[str, float]:
    """Cubes of 1 kg, friction 0.8, put down touching."""
    cube = box(friction=0.8)
    world = lab.world([(cube, (0, 0, HALF * (1 + 2 * i))) for i in range(count)], dt=1 / 120)
    (roots,) = world.run(4.0, "roots")
    heights = np.concatenate([np.full((len(roots), 1), -HALF), roots[:, 0, :, 2]], axis=1)
    late = roots[-60:, 0]
    values = {
        "penetration": max(0.0, (2 * HALF - np.diff(heights, axis=1)).max()),
        "drift": np.linalg.norm(roots[-1, 0, :, :2], axis=-1).max(),
        "speed in the last half second": np.linalg.norm(late[..., 7:10], axis=-1).max(),
    }
    if count > 10:
        return {"height of the top / that at the start": roots[-1, 0, -1, 2] / roots[0, 0, -1, 2]}
    return values


def heavy_on_light(lab: Lab, ratio: float) -> dict[str, float]:
    world = lab.world(
        [(box(friction=0.8), (0, 0, HALF)), (box(mass=ratio, friction=0.8), (0, 0, 3 * HALF))], iterations=8
    )
    (roots,) = world.run(3.0, "roots")
    heights = np.concatenate([np.full((len(roots), 1), -HALF), roots[:, 0, :, 2]], axis=1)
    return {"penetration": max(0.0, (2 * HALF - np.diff(heights, axis=1)).max())}


# sliding ----------------------------------------------------------------------------------------------------------


def on_plates(lab: Lab, angles, azimuths, speed: float = 0.0) -> World:
    """A cube on a fixed plate per env, tilted by an angle about y and then turned about z; friction MU of both.

    No ground: the plate carries it.
    """
    plate = fixed(box((3.0, 3.0, 0.05), friction=MU))
    world = lab.world([(plate, (0, 0, 0)), (box(friction=MU), (0, 0, 0.05 + HALF))], envs=len(angles), ground=False)
    half, turn = np.asarray(angles) / 2, np.asarray(azimuths) / 2
    zero = 0 * half
    about_y = np.stack([zero, np.sin(half), zero, np.cos(half)], axis=1)
    # turned about z first: the cube lies askew on the plate
    lean, upright = about_y[:, 1], about_y[:, 3]
    quat = np.stack([lean * np.sin(turn), lean * np.cos(turn), upright * np.sin(turn), upright * np.cos(turn)], axis=1)
    frame = quat_to_matrix(about_y)
    world.place(0, quat=about_y)
    world.place(1, pos=frame[:, :, 2] * (0.05 + HALF), quat=quat, lin=frame[:, :, 0] * speed)
    return world


YAWS = np.radians([0.0, 10.0, 27.0, 45.0])


def slides_on_a_box(lab: Lab) -> dict[str, float]:
    world = on_plates(lab, [0.0] * 4, YAWS, speed=3.0)
    (roots,) = world.run(1.5, "roots")
    exact = 9 / (2 * MU * G)
    travelled = np.linalg.norm(roots[-1, :, 1, :2], axis=-1)
    return {
        "stopping distance, relative error": (travelled / exact - 1)[np.abs(travelled / exact - 1).argmax()],
        "sideways": np.abs(roots[-1, :, 1, 1]).max(),
        "creep after": np.linalg.norm(roots[-30:, :, 1, 7:10], axis=-1).max(),
    }


def sticks_on_a_tilted_box(lab: Lab) -> dict[str, float]:
    world = on_plates(lab, np.arctan(np.repeat([0.9, 0.98], 4) * MU), np.tile(YAWS, 2))
    (roots,) = world.run(3.0, "roots")
    return {"speed after 3 s": np.linalg.norm(roots[-1, :, 1, 7:10], axis=-1).max()}


def slips_on_a_tilted_box(lab: Lab) -> dict[str, float]:
    angles = np.arctan(np.repeat([1.02, 1.2], 4) * MU)
    world = on_plates(lab, angles, np.tile(YAWS, 2))
    (roots,) = world.run(1.0, "roots")
    speed = np.linalg.norm(roots[:, :, 1, 7:10], axis=-1)
    late = len(speed) // 4  # after the first touch
    found = (speed[-1] - speed[late]) / ((len(speed) - 1 - late) * world.dt)
    error = found / (G * (np.sin(angles) - MU * np.cos(angles))) - 1
    return {"acceleration, relative error": error[np.abs(error).argmax()]}


# a gripper --------------------------------------------------------------------------------------------------------


def gripper(squeeze: float) -> Asset:
    """A hand that moves up and down, with two fingers whose drives push with `squeeze` [N]; boxes at their tips."""
    tip = (0.01, 0.02, 0.03)
    shapes = tuple(Shape(link, ShapeKind.BOX, tip, friction=MU) for link in (2, 3))
    links = (
        Link("base", -1), Link("hand", 0, mass=1.0, inertia=(0.01, 0.01, 0.01, 0, 0, 0)),
        Link("left", 1, pos=(-0.061, 0, 0), mass=0.1, inertia=(1e-4, 1e-4, 1e-4, 0, 0, 0)),
        Link("right", 1, pos=(0.061, 0, 0), mass=0.1, inertia=(1e-4, 1e-4, 1e-4, 0, 0, 0)),
    )  # fmt: skip
    drive = Joint("lift", JointKind.PRISMATIC, 1, axis=(0, 0, 1), stiffness=1e4, damping=400.0,
                  drive_mode=DriveMode.POSITION)  # fmt: skip
    finger = dataclasses.replace(drive, damping=100.0, effort=squeeze)
    left = dataclasses.replace(finger, name="close_left", link=2, axis=(1, 0, 0))
    right = dataclasses.replace(finger, name="close_right", link=3, axis=(-1, 0, 0))
    return Asset("gripper", links, (drive, left, right), shapes, fixed_base=True, options=FREE)


def grasp(lab: Lab, squeeze: float) -> np.ndarray:
    """Height of a cube of 0.2 kg below the hand that lifts it by 0.2 m within 2 s and holds it 2 s; (steps,) [m]."""
    cube = box((0.05, 0.05, 0.05), 0.2, friction=MU)
    world = lab.world([(gripper(squeeze), (0, 0, 0.05)), (cube, (0, 0, 0.05))])
    under = []
    steps = world.steps_in(4.0)
    for step in range(steps):
        lift = 0.2 * min(1.0, max(0.0, (step / steps - 0.125) * 2))
        world.aim(np.array([lift, 0.02, 0.02]))
        world.step()
        bodies = world.bodies()[0]
        under.append(bodies[-1, 2] - bodies[1, 2])
    return np.array(under)


def holds_a_cube(lab: Lab) -> dict[str, float]:
    held, weak = grasp(lab, 10.0), grasp(lab, 0.8 * 0.2 * G / (2 * MU))
    require(held[-1] > -0.01, f"the cube in the hand, got it {-held[-1]:.3g} m below")
    third = len(held) // 3
    return {
        "slip in the last 2.7 s at 5.1 times the least force": np.ptp(held[third:]),
        "height kept at 0.8 of it": weak[-1] + 0.2,
    }


def presses_a_finger(lab: Lab) -> dict[str, float]:
    """How far a slide of 15 g is beyond its stop under an arm of 1 kg that lands on it at 1 m/s and stands on it."""
    links = (
        Link("base", -1), Link("arm", 0, mass=1.0, inertia=(0.01, 0.01, 0.01, 0, 0, 0)),
        Link("finger", 1, pos=(0.0, 0.0, -0.2), mass=0.015, inertia=(1e-6, 1e-6, 1e-6, 0, 0, 0)),
    )  # fmt: skip
    joints = (
        Joint("slide", JointKind.PRISMATIC, 1, axis=(0, 0, 1)),
        Joint("finger", JointKind.PRISMATIC, 2, axis=(0, 0, -1), has_limits=True, lower=0.0, upper=0.04),
    )
    shapes = (Shape(2, ShapeKind.BOX, (0.01, 0.01, 0.01)),)
    arm = Asset("arm", links, joints, shapes, fixed_base=True, options=FREE)
    world = lab.world([(arm, (0.0, 0.0, 0.21 + 0.051))], dt=1 / 120)
    (dofs,) = world.run(3.0, "dof_states")
    beyond = -dofs[:, 0, 1, 0]
    require(abs(dofs[-1, 0, 0, 0] + 0.05) < 0.05, "the arm to stand on its finger")
    return {"beyond the stop, deepest": beyond.max(), "beyond the stop, at rest": beyond[-30:].max()}


# collisions -------------------------------------------------------------------------------------------------------


def collision(lab: Lab) -> dict[str, float]:
    """Two boxes meet in flight, in 32 envs anyhow turned and spinning, without and with restitution and friction."""
    n, rng = 32, np.random.default_rng(5)
    half, change_p, change_l = (0.1, 0.12, 0.15), [], []
    for restitution in (0.0, 0.5):
        body = box(half, restitution=restitution, friction=MU)
        world = lab.world([(body, (0, 0, 0)), (body, (0.45, 0, 0))], envs=n, ground=False, gravity=(0.0, 0.0, 0.0))
        for i, way in enumerate((2.0, -2.0)):
            quat = rng.normal(size=(n, 4))
            quat /= np.linalg.norm(quat, axis=1, keepdims=True)
            lin = rng.normal(size=(n, 3)) * 0.2 + [way, 0, 0]
            world.place(i, quat=quat, lin=lin, ang=rng.normal(size=(n, 3)) * 2)
        before = world.roots()
        world.step(60)
        after = world.roots()
        require(np.linalg.norm(after - before, axis=-1)[:, 0].min() > 0.1, "all boxes to meet")
        inertia = np.diag(np.array(body.links[0].inertia)[:3])

        def momenta(roots: np.ndarray, inertia=inertia) -> tuple[np.ndarray, np.ndarray]:
            frame = quat_to_matrix(roots[..., 3:7])
            spin = np.einsum("...ij,jk,...lk,...l->...i", frame, inertia, frame, roots[..., 10:13])
            return roots[..., 7:10].sum(1), (np.cross(roots[..., :3], roots[..., 7:10]) + spin).sum(1)

        (p0, l0), (p1, l1) = momenta(before), momenta(after)
        change_p.append(np.linalg.norm(p1 - p0, axis=-1).max() / 2)  # of one box's
        change_l.append(np.median(np.linalg.norm(l1 - l0, axis=-1) / np.linalg.norm(l0, axis=-1)))
    return {"dP / P, worst": max(change_p), "dL / L, median": max(change_l)}


def _stack(count: int, penetration: float, physx: float) -> Case:
    numbers: tuple[Number, ...] = (
        Number("penetration", penetration, "m", reference={"PhysX": physx}),
        Number("drift", 2e-3, "m", reference={"PhysX": 7.1e-3} if count == 10 else {}),
        Number("speed in the last half second", 0.05, "m/s", reference={"PhysX": 0.19} if count == 10 else {}),
    )
    if count > 10:
        numbers = (Number("height of the top / that at the start", 1.01, least=0.97),)
    return Case(
        f"stack-{count}", "C", f"stack of {count} cube" + "s" * (count > 1),
        "Cubes of 0.2 m and 1 kg, friction 0.8, put down touching; 4 s." + (" It stays up." if count > 10 else ""),
        numbers, partial(stack, count=count), mujoco=True, slow=count not in (1, 10),
    )  # fmt: skip


def _heavy(ratio: int, bar: float, physx: float) -> Case:
    return Case(
        f"heavy-on-light-{ratio}", "C", f"{ratio} kg on 1 kg",
        "Two cubes of 0.2 m, the heavy one on top, 8 iterations, 3 s.",
        (Number("penetration", bar, "m", reference={} if math.isnan(physx) else {"PhysX": physx}),),
        partial(heavy_on_light, ratio=ratio), mujoco=True,
    )  # fmt: skip


FINGER = (
    "A visit to a row sees how easily the finger gives way, not the arm behind its stop: a few iterations do not carry "
    "so heavy a load from the one to the other."
)

CASES = (
    _stack(1, 5e-5, 0.0), _stack(2, 1e-4, 3e-5), _stack(5, 4e-4, 3.5e-4), _stack(10, 1e-3, 9.6e-4),
    _stack(20, 0.0, math.nan),
    _heavy(10, 2e-4, 5.7e-4), _heavy(100, 1.5e-3, 6e-3), _heavy(1000, 1.5e-2, math.nan),
    Case(
        "finger-at-its-stop", "C", "1 kg on a finger of 15 g",
        "An arm on a slide lands at 1 m/s on a finger on a slide of its own, which is at its stop; dt 1/120 s, 3 s.",
        (
            Number("beyond the stop, deepest", 5e-3, "m", missed=FINGER, worst=3e-2),
            Number("beyond the stop, at rest", 1e-3, "m", missed=FINGER, worst=6e-3),
        ),
        presses_a_finger, mujoco=True,
    ),
    Case(
        "box-slides-on-box", "C", "cube slides on a fixed box, at four yaws", "v0 = 3 m/s, mu = 0.5: stops after v0^2 "
        "/ (2 mu g), straight, and stays.",
        (
            Number("stopping distance, relative error", 4e-3), Number("sideways", 2e-3, "m"),
            Number("creep after", 1e-5, "m/s"),
        ),
        slides_on_a_box, mujoco=True,
    ),
    Case(
        "box-sticks-on-box", "C", "cube on a tilted box, 0.9 and 0.98 of the cone",
        "Just below the cone nothing moves.",
        (Number("speed after 3 s", 1e-5, "m/s"),), sticks_on_a_tilted_box, mujoco=True,
    ),
    Case(
        "box-slips-on-box", "C", "cube on a tilted box, 1.02 and 1.2 of the cone",
        "Above the cone a cube accelerates by g (sin a - mu cos a).",
        (Number("acceleration, relative error", 3e-3),), slips_on_a_tilted_box, mujoco=True,
    ),
    Case(
        "gripper", "C", "two fingers hold a cube",
        "Fingers of boxes press a cube of 0.2 kg, friction 0.5, and lift it. It stays where 2 mu F > m g and falls "
        "where not.",
        (
            Number("slip in the last 2.7 s at 5.1 times the least force", 1e-3, "m"),
            Number("height kept at 0.8 of it", 0.05, "m"),
        ),
        holds_a_cube, without_mujoco="its fingers creep: soft friction by default", slow=True,
    ),
    Case(
        "boxes-collide", "C", "two boxes collide, oblique, spinning, friction", "In flight nothing else acts: "
        "restitution 0 and 0.5, 32 starts each.",
        (
            Number("dP / P, worst", 1e-6),
            Number(
                "dL / L, median", 1e-6, worst=0.02,
                missed="As for two balls: a relax sweep stops an approach that would close only in the next iteration, "
                "so the impulse acts before the boxes touch.",
            ),
        ),
        collision, without_mujoco="MuJoCo has no coefficient of restitution", slow=True,
    ),
)  # fmt: skip
