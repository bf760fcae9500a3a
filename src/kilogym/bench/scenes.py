"""The scenes that can be measured by name: robots of public packages, and things to touch.

`anymal` and `shadow-hand` do not collide with themselves; every other scene here has self-collision on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from kilogym.assets import ImportOptions
from kilogym.assets.asset import Asset
from kilogym.assets.procedural import make_box
from kilogym.bench.mujoco_scene import build_scene, plain, without_overlaps
from kilogym.bench.packages import read_anymal, read_panda, read_shadow_hand
from kilogym.bench.robot import known_robots, load_robot
from kilogym.bench.scene import Actor, Scene
from kilogym.scene.terrain import HeightField

ANYMAL_LEGS = {"HAA": 0.0, "HFE": 0.4, "KFE": -0.8}
"""Where its joints stand [rad]; hind legs mirror the signs."""
PANDA_POSE = (0.0, 0.1, 0.0, -2.2, 0.0, 2.3, 0.8, 0.04, 0.04)
"""Of an arm that reaches forward and down [rad, m]."""
CUBE_EDGE = 0.06
"""Edge of the cubes that the arm finds stacked [m]."""


def load_scene(name: str, timestep: float) -> Scene:
    """A scene by its name, or the robot of an MJCF file on a plane.

    Args:
        name: Key of `SCENES` or of `known_robots()`, or a path.
        timestep: Of a physics step [s].

    Raises:
        ValueError: No such scene, robot or file.
        MissingPackageError: The package that has the robot is not installed.
    """
    if name in SCENES:
        return SCENES[name](name, timestep)
    if name in known_robots() or Path(name).suffix:
        return load_robot(name, timestep)
    raise ValueError(
        f"scene {name!r}: expected one of {', '.join([*known_robots(), *SCENES])}, or the path of an MJCF file"
    )


def _anymal(name: str, timestep: float, rough: bool = False) -> Scene:
    """ANYmal C of example-robot-data; motors of a quarter of the file's efforts, with which MuJoCo stays finite."""
    read = read_anymal()
    motors = {joint.name: 0.25 * joint.effort for joint in read.joints}
    pose = {
        joint: sign * angle
        for legs, sign in (("LF RF", 1.0), ("LH RH", -1.0))
        for leg in legs.split()
        for joint, angle in ((f"{leg}_{part}", at) for part, at in ANYMAL_LEGS.items())
    }
    terrain = rough_ground() if rough else None
    actor = Actor(plain(read), (0.0, 0.0, 0.62), self_collisions=rough)

    def build(actors: list[Actor]) -> Scene:
        return build_scene(name, actors, motors, timestep, terrain, _over(terrain) if terrain else None, pose, 48)

    scene = build([actor])
    return build(without_overlaps(scene)) if rough else scene


def _shadow(name: str, timestep: float, cube: bool = False) -> Scene:
    """The Shadow Hand of gymnasium-robotics, palm up; motors of the file's force ranges.

    With a cube the hand collides with itself where the file says so, and the cube starts above the palm.
    """
    hand = read_shadow_hand()
    links = hand.asset.links
    number = {link.name: i for i, link in enumerate(links)}
    colliding = {frozenset(number[body] for body in pair) for pair in hand.colliding}
    pairs = ((a, b) for b in range(len(links)) for a in range(b))
    excluded = tuple(pair for pair in pairs if frozenset(pair) not in colliding)
    asset = replace(plain(hand.asset), excluded_pairs=excluded)
    actors = [Actor(asset, (0.0, 0.0, 0.15), links[0].quat, self_collisions=cube)]
    if cube:
        actors.append(Actor(_cube(0.05, 567.0), (0.0, -0.38, 0.2), prefix="cube_"))
    return build_scene(name, actors, hand.motors, timestep)


def _franka(name: str, timestep: float) -> Scene:
    """The Panda of example-robot-data, gravity off as with a controller that carries it, before three stacked cubes."""
    read = read_panda()
    read = replace(read, joints=tuple(replace(joint, damping=max(joint.damping, 1.0)) for joint in read.joints))
    motors = {joint.name: 0.1 * joint.effort for joint in read.joints if joint.mimic is None}
    pose = dict(zip((joint.name for joint in read.joints), PANDA_POSE, strict=True))
    arm = Actor(plain(read, weightless=True))
    cubes = [
        Actor(_cube(CUBE_EDGE, 400.0), (0.5, 0.0, CUBE_EDGE * (0.5 + level)), prefix=f"cube{level}_")
        for level in range(3)
    ]
    scene = build_scene(name, [arm, *cubes], motors, timestep, pose=pose)
    return build_scene(name, without_overlaps(scene), motors, timestep, pose=pose)


def _heap(name: str, timestep: float, boxes: int = 20) -> Scene:
    """Boxes of different sides dropped onto each other; nothing drives them."""
    rng = np.random.default_rng(0)
    actors = []
    for i in range(boxes):
        layer, place = divmod(i, 4)
        pos = (0.3 * (place % 2) - 0.15, 0.3 * (place // 2) - 0.15, 0.15 + 0.27 * layer)
        x, y, z = (float(side) for side in rng.uniform(0.06, 0.14, 3))
        actors.append(Actor(plain(make_box(x, y, z, ImportOptions(density=500.0))), pos, prefix=f"box{i}_"))

    def throw(qpos: np.ndarray, rng: np.random.Generator) -> None:
        for at in range(0, len(qpos), 7):
            quat = rng.normal(size=4)
            qpos[at : at + 2] += rng.uniform(-0.02, 0.02, 2)
            qpos[at + 3 : at + 7] = quat / np.linalg.norm(quat)

    return build_scene(name, actors, {}, timestep, vary=throw)


def _cube(edge: float, density: float) -> Asset:
    return plain(make_box(edge, edge, edge, ImportOptions(density=density)))


SCENES: dict[str, Callable[[str, float], Scene]] = {
    "anymal": _anymal,
    "shadow-hand": _shadow,
    "anymal-rough": lambda name, timestep: _anymal(name, timestep, rough=True),
    "shadow-cube": lambda name, timestep: _shadow(name, timestep, cube=True),
    "franka-cubes": _franka,
    "heap": _heap,
}
"""Name -> what makes it of its name and a timestep [s]."""


def rough_ground(seed: int = 0) -> HeightField:
    """20 x 20 m of waves and bumps up to 0.15 m high, a sample every 0.1 m, about the origin."""
    rng = np.random.default_rng(seed)
    x = np.arange(201) * 0.1
    waves = 0.05 * (np.sin(1.3 * x)[:, None] + np.cos(1.7 * x)[None, :])
    return HeightField(waves + rng.uniform(0.0, 0.05, (201, 201)), (0.1, 0.1), (-10.0, -10.0, 0.0))


def _over(field: HeightField, reach: float = 8.0) -> Callable[[np.ndarray, np.random.Generator], None]:
    """Puts the floating root somewhere within `reach` of the origin [m], as far above the highest ground nearby."""

    def place(qpos: np.ndarray, rng: np.random.Generator) -> None:
        qpos[:2] = rng.uniform(-reach, reach, 2)
        i, j = (round((qpos[k] - field.pos[k]) / field.pitch[k]) for k in (0, 1))
        qpos[2] += field.heights[i - 7 : i + 8, j - 7 : j + 8].max()
        turn = rng.uniform(-np.pi, np.pi)
        qpos[3:7] = np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)

    return place
