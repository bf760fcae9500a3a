"""Part C: height fields and triangle meshes. The plane, slopes, rest, and spikes as narrow as the shapes."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.bodies import G
from kilogym.validation.case import Case, Number
from kilogym.validation.lab import Lab
from kilogym.validation.terrains import (
    NO_GROUND,
    SHAPES,
    TerrainKind,
    all_shapes,
    as_mesh,
    both,
    energy,
    field_height,
    level,
    skin,
    surface,
)
from kilogym.validation.world import World

MU = 0.5
ROUGH = surface(lambda x, y: np.random.default_rng(4).uniform(-0.12, 0.12, (41, 41)) + 0.3 * (x**2 + y**2))
"""Spikes and pits a cell of 0.1 m apart, up to 67 degrees steep, in a bowl."""


def on(lab: Lab, terrain: list, envs: int = 1, height: float = 0.1, friction: float = MU) -> World:
    """One of each of SHAPES, which do not touch each other."""
    actors = all_shapes(height, friction)
    return lab.world(actors, envs=envs, ground=NO_GROUND, terrain=terrain, filter=1, max_contacts=64)


def as_the_plane(lab: Lab, kind: TerrainKind) -> dict[str, float]:
    below = both(surface(lambda x, y: level(x, y) - 500.0), kind)
    worlds = [
        lab.world(all_shapes(0.1, 0.3), terrain=below, filter=1, max_contacts=64),
        on(lab, both(surface(level), kind), friction=0.3),
    ]
    histories = []
    for world in worlds:
        for actor in range(len(SHAPES)):
            world.place(actor, lin=(1.5, 0.7, 0.0))
        histories.append(world.run(0.6, "roots")[0][:, 0])
    apart = np.abs(histories[1][..., :3] - histories[0][..., :3]).max(axis=(0, 2))
    ball = histories[1][-1, SHAPES.index("sphere"), 7:9]
    hull = SHAPES.index("hull")
    return {
        "sphere, capsule, box, cylinder, ellipsoid": np.delete(apart, hull).max(),
        "hull": apart[hull],
        "sideways speed of the ball": abs(ball[0] * 0.7 - ball[1] * 1.5) / math.hypot(1.5, 0.7),
    }


def slope(angle: float, kind: TerrainKind) -> list[HeightField | TriangleMesh]:
    """Level triangles, turned so that they fall towards +x."""
    quat = (0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2))
    friction = {"static_friction": MU, "dynamic_friction": MU}
    nowhere = surface(lambda x, y: level(x, y) - 1000.0, 2)
    if kind == "mesh":
        return [nowhere, as_mesh(surface(level, 121, **friction), quat=quat)]
    corner = (-6 * math.cos(angle), -6.0, 6 * math.sin(angle))
    return [surface(level, 121, **friction, quat=quat, pos=corner), as_mesh(nowhere)]


def incline(lab: Lab, kind: TerrainKind) -> dict[str, float]:
    speeds = []
    for times in (0.95, 1.1):
        angle = math.atan(times * MU)
        normal = np.array([math.sin(angle), 0, math.cos(angle)])
        world = on(lab, slope(angle, kind))
        for actor in range(len(SHAPES)):
            place = 0.1 * normal + [0.0, 0.35 * (actor - 2), 0.0]
            world.place(actor, pos=place, quat=(0, math.sin(angle / 2), 0, math.cos(angle / 2)))
        (roots,) = world.run(1.0, "roots")
        down = np.array([math.cos(angle), 0, -math.sin(angle)])
        speeds.append((roots[-1, 0, :, 7:10] @ down, roots[-1, 0, :, 8], angle))
    (stuck, _, _), (slipping, sideways, angle) = speeds
    box, ball = SHAPES.index("box"), SHAPES.index("sphere")
    return {
        "cube at 0.95 of the cone, speed after 1 s": abs(stuck[box]),
        "cube at 1.1, speed, relative error": slipping[box] / (G * (math.sin(angle) - MU * math.cos(angle))) - 1,
        "ball, speed, relative error": slipping[ball] / (5 / 7 * G * math.sin(angle)) - 1,
        "ball, sideways speed": abs(sideways[ball]),
    }


def at_rest(lab: Lab, kind: TerrainKind) -> dict[str, float]:
    field = surface(level)
    world = on(lab, both(field, kind), height=0.12, friction=1.0)
    roots, forces = world.run(3.0, "roots", "forces")
    last = roots[-1, 0]
    still = [i for i, name in enumerate(SHAPES) if name != "hull"]
    deep = [(-skin(asset, roots[-1, :, i])[..., 2]).max() for i, (asset, *_) in enumerate(all_shapes())]
    return {
        "contact force / m g - 1": np.abs(forces[-1, 0, :, 2] / G - 1).max(),
        "penetration": max(deep),
        "speed": np.abs(last[still, 7:]).max(),
        "speed of the hull": np.abs(last[SHAPES.index("hull"), 7:]).max(),
    }


def spikes(lab: Lab, kind: TerrainKind) -> dict[str, float]:
    envs, rng = 16, np.random.default_rng(4)
    world = on(lab, both(ROUGH, kind), envs, 0.3, 1.0)
    for actor in range(len(SHAPES)):
        world.place(actor, pos=np.c_[rng.uniform(-1, 1, (envs, 2)), np.full(envs, 1.0)])
    (roots,) = world.run(2.5, "roots")
    values = {}
    for actor, (asset, *_) in enumerate(all_shapes()):
        gain = np.diff(energy(asset, roots[:, :, actor]), axis=0).max()
        values[f"{SHAPES[actor]}: largest gain of energy in a step"] = max(0.0, gain)
    for actor, (asset, *_) in enumerate(all_shapes()):
        overlap = 0.0
        for moment in roots[::10, :, actor]:
            points = skin(asset, moment)
            overlap = max(overlap, (field_height(ROUGH, points) - points[..., 2]).max())
        values[f"{SHAPES[actor]}: overlap"] = overlap
    return values


TURNS = (
    "A contact that turns over an edge changes its normal within a step, and the impulse found for the old one then "
    "acts another way."
)
GAIN = {"box": 0.03, "cylinder": 0.15, "ellipsoid": 0.1, "hull": 0.3}
"""Worst gain that is known [J]; the others meet the bar. How they bounce is chaotic: a start 1 um higher, or another
order of additions, makes a hull's gain 0.03 to 0.07 J. The box's was 0.005 J on a CPU and 0.0105 J on an H100."""
SIDES = (
    "It slips between spikes: a mesh is felt from outside only, and by a cylinder's side between its rims at convex "
    "edges only."
)
CORNERS = (
    "It drops onto a face of many corners. The plane touches the eight farthest, triangles all of them, and what is "
    "swept in another order bounces back a little differently."
)


def _cases(kind: TerrainKind) -> tuple[Case, ...]:
    title = {"field": "height field", "mesh": "triangle mesh"}[kind]
    alone = "the bench builds no terrain in MuJoCo"
    return (
        Case(
            f"terrain-plane-{kind}", "C", f"{title}: a level one and the ground plane",
            "Six shapes that slide and roll over the seams of triangles for 0.6 s, friction 0.3: as on the plane.",
            (
                Number("sphere, capsule, box, cylinder, ellipsoid", 1e-5, "m"),
                Number("hull", 1e-4, "m", missed=CORNERS, worst=0.02),
                Number("sideways speed of the ball", 1e-3, "m/s"),
            ),
            partial(as_the_plane, kind=kind), without_mujoco=alone,
        ),
        Case(
            f"terrain-incline-{kind}", "C", f"{title}: incline",
            "Triangles that fall away, friction 0.5: a cube sticks or slips by g (sin a - mu cos a), a ball rolls at "
            "5/7 g sin a and keeps to its line.",
            (
                Number("cube at 0.95 of the cone, speed after 1 s", 1e-5, "m/s"),
                Number("cube at 1.1, speed, relative error", 1e-2), Number("ball, speed, relative error", 1e-3),
                Number("ball, sideways speed", 1e-3, "m/s"),
            ),
            partial(incline, kind=kind), without_mujoco=alone,
        ),
        Case(
            f"terrain-rest-{kind}", "C", f"{title}: at rest", "Six shapes dropped by 2 cm, 3 s.",
            (
                Number("contact force / m g - 1", 1e-5), Number("penetration", 1e-4, "m"), Number("speed", 1e-5, "m/s"),
                Number("speed of the hull", 1e-5, "m/s"),
            ),
            partial(at_rest, kind=kind), without_mujoco=alone,
        ),
        Case(
            f"terrain-spikes-{kind}", "C", f"{title}: spikes of 67 degrees as narrow as the shapes",
            "16 of each shape fall by 1 m and come to rest: nothing pushes them, so no step may add energy (of about "
            "10 J).",
            (
                *(
                    Number(f"{name}: largest gain of energy in a step", 0.01, "J", missed=TURNS if name in GAIN else "",
                           worst=GAIN.get(name, math.inf), wavers=("cpu", "cuda"))
                    for name in SHAPES
                ),
                *(
                    Number(f"{name}: overlap", 5e-3, "m", missed=SIDES if (name, kind) == ("cylinder", "mesh") else "",
                           worst=0.03, wavers=("cpu", "cuda"))
                    for name in SHAPES
                ),
            ),
            partial(spikes, kind=kind), without_mujoco=alone, slow=kind == "mesh",
        ),
    )  # fmt: skip


CASES = (*_cases("field"), *_cases("mesh"))
