"""Random convex shapes, and their support points by numpy: what the native code is measured against."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
from narrow import Placed
from scipy.spatial.transform import Rotation

from kilogym.engine.hulls import convex_hull

SOLIDS = ("sphere", "capsule", "box", "cylinder", "ellipsoid", "hull")


def random_solid(rng: np.random.Generator, kind: str, least: float = 0.01, most: float = 0.3) -> Placed:
    """Sizes between `least` and `most`, evenly by their logarithm: slabs and needles among them."""
    size = np.exp(rng.uniform(np.log(least), np.log(most), 3))
    quat = tuple(Rotation.random(random_state=int(rng.integers(1 << 31))).as_quat())
    if kind == "hull":
        return Placed(kind, hull=convex_hull(rng.normal(size=(int(rng.integers(4, 90)), 3)) * size), quat=quat)
    return Placed(kind, tuple(size[: {"sphere": 1, "capsule": 2, "cylinder": 2}.get(kind, 3)]), quat=quat)


def moved(shape: Placed, pos) -> Placed:
    return dataclasses.replace(shape, pos=tuple(np.asarray(pos, float)))


def turned(shape: Placed, rotation: Rotation) -> Placed:
    quat = tuple((rotation * Rotation.from_quat(shape.quat)).as_quat())
    return dataclasses.replace(shape, pos=tuple(rotation.apply(shape.pos)), quat=quat)


def support(shape: Placed, directions: np.ndarray) -> np.ndarray:
    """Farthest points along unit directions, (n, 3)."""
    if shape.corners is not None:
        return shape.corners[(directions @ shape.corners.T).argmax(axis=1)] + np.array(shape.pos)
    frame = Rotation.from_quat(shape.quat).as_matrix()
    d, s = directions @ frame, np.array(shape.size)
    if shape.kind == "sphere":
        p = s[0] * d
    elif shape.kind == "capsule":
        p = s[0] * d + np.sign(d[:, 2:]) * [0, 0, s[1]]
    elif shape.kind == "box":
        p = np.sign(d) * s
    elif shape.kind == "cylinder":
        across = np.linalg.norm(d[:, :2], axis=1, keepdims=True)
        p = np.concatenate([d[:, :2] / np.maximum(across, 1e-300) * s[0], np.sign(d[:, 2:]) * s[1]], axis=1)
    elif shape.kind == "ellipsoid":
        p = s * s * d / np.linalg.norm(s * d, axis=1, keepdims=True)
    else:
        assert shape.hull is not None
        p = shape.scale * shape.hull.vertices[(d @ shape.hull.vertices.T).argmax(axis=1)]
    return p @ frame.T + np.array(shape.pos)


def separation(a: Placed, b: Placed, normals: np.ndarray) -> np.ndarray:
    """How far planes across unit normals keep a (ahead) and b apart, (n,)."""
    return ((support(a, -normals) - support(b, normals)) * normals).sum(axis=1)


def extent(shape: Placed) -> float:
    if shape.hull is not None:
        return shape.hull.bound * shape.scale
    if shape.corners is not None:
        return float(np.linalg.norm(shape.corners, axis=1).max())
    return float(np.linalg.norm(shape.size))


def outward(shape: Placed) -> np.ndarray:
    """Face normals of a polyhedron, else none."""
    if shape.kind == "box":
        local = np.concatenate([np.eye(3), -np.eye(3)])
    elif shape.kind == "hull":
        local = shape.hull.normals
    else:
        return np.zeros((0, 3))
    return local @ Rotation.from_quat(shape.quat).as_matrix().T


def candidates(a: Placed, b: Placed, rng: np.random.Generator, count: int = 4000) -> np.ndarray:
    """Unit normals that may separate: everywhere, and the faces of both."""
    anywhere = rng.normal(size=(count, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)
    return np.concatenate([anywhere, -outward(a), outward(b)])


def improved(a: Placed, b: Placed, normals: np.ndarray, rng: np.random.Generator) -> float:
    """The largest separation that a search from the best of `normals` finds."""
    values = separation(a, b, normals)
    best = -np.inf
    for i in np.argsort(-values)[:6]:
        normal, value, width = normals[i], values[i], 0.05
        for _ in range(40):
            near = normal + rng.normal(size=(60, 3)) * width
            near /= np.linalg.norm(near, axis=1, keepdims=True)
            found = separation(a, b, near)
            k = found.argmax()
            if found[k] > value:
                value, normal = found[k], near[k]
            else:
                width *= 0.6
        best = max(best, value)
    return best


def pair_at(a: Placed, b: Placed, gap: float, rng: np.random.Generator) -> tuple[Placed, Placed]:
    """b at the origin, and a put `gap` off it along some direction (so at most that far apart)."""
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    a = moved(a, (0, 0, 0))
    return moved(a, direction * (gap - separation(a, b, direction[None])[0])), b


GEOMS = {
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE, "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE, "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER, "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
}  # fmt: skip


def mujoco_distance(a: Placed, b: Placed) -> float:
    """mj_geomDistance of two shapes without meshes."""
    spec = mujoco.MjSpec()
    spec.option.ccd_tolerance = 1e-10
    spec.option.ccd_iterations = 200
    for shape in (a, b):
        body = spec.worldbody.add_body()
        body.add_freejoint()
        x, y, z, w = shape.quat
        body.add_geom(type=GEOMS[shape.kind], size=[*shape.size, 0, 0, 0][:3], pos=shape.pos, quat=(w, x, y, z))
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return mujoco.mj_geomDistance(model, data, 0, 1, 10.0, np.zeros(6))
