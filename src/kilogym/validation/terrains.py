"""Terrain for experiments: a surface as a height field or as triangles, shapes for it, and how deep they are in it."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from kilogym.assets.asset import Asset, ShapeKind
from kilogym.assets.inertia import matrix
from kilogym.math.quaternion import quat_to_matrix
from kilogym.scene.declarations import GroundPlane
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.bodies import ALONG_Y, G, box, capsule, cylinder, ellipsoid, rock, sphere

TerrainKind = Literal["field", "mesh"]
NO_GROUND = GroundPlane(distance=-1e4)
"""Out of reach: what is compiled is the same as with a ground."""
PITCH = 0.1
SHAPES = ("sphere", "capsule", "box", "cylinder", "ellipsoid", "hull")


def grid(samples: int = 41, pitch: float = PITCH) -> np.ndarray:
    """Places of samples along an axis, zero in the middle [m]."""
    return (np.arange(samples) - (samples - 1) / 2) * pitch


def level(x, y):
    return 0 * x * y


def surface(heights, samples: int = 41, pitch: float = PITCH, **more) -> HeightField:
    """A height field of a function of x and y about the origin."""
    at = grid(samples, pitch)
    z = np.broadcast_to(heights(at[:, None], at[None, :]), (samples, samples))
    return HeightField(z, (pitch, pitch), **{"pos": (at[0], at[0], 0.0), **more})


def as_mesh(field: HeightField, **more) -> TriangleMesh:
    """The same surface as triangles."""
    return dataclasses.replace(field.as_mesh(), **more)


def both(field: HeightField, kind: str) -> list[HeightField | TriangleMesh]:
    """Terrain of a world: the surface as `kind`, and something of the other kind far below.

    So all experiments with some actors share a compiled step.
    """
    nowhere = surface(lambda x, y: -1000.0 + 0 * x * y, 2)
    return [field, as_mesh(nowhere)] if kind == "field" else [nowhere, as_mesh(field)]


def zoo(height: float = 0.3, friction: float = 1.0) -> list[tuple]:
    """Sphere, capsule, box and cylinder of 0.1 m, none above another."""
    return [
        (sphere(friction=friction), (-1.0, 0.013, height)),
        (capsule(quat=ALONG_Y, friction=friction), (-0.3, 0.004, height)),
        (box(friction=friction), (0.313, 0.021, height)),
        (cylinder(quat=ALONG_Y, friction=friction), (1.0, 0.0, height)),
    ]


def all_shapes(height: float = 0.3, friction: float = 1.0) -> list[tuple]:
    """The zoo, an ellipsoid and a rock that stands on a face: one of each of SHAPES."""
    points = np.random.default_rng(3).normal(size=(14, 3)) * 0.07
    points[:, 2] = np.maximum(points[:, 2], -0.08)  # a flat foot
    points = np.concatenate([points, [[x, y, -0.08] for x in (-0.06, 0.06) for y in (-0.05, 0.05)]])
    more = [
        (ellipsoid(friction=friction), (-1.4, 0.7, height)),
        (rock(points, friction=friction), (1.4, -0.7, height)),
    ]
    return [*zoo(height, friction), *more]


def energy(asset: Asset, roots: np.ndarray) -> np.ndarray:
    """Kinetic and potential energy of a free body: roots (..., 13) -> (...) [J]."""
    (link,) = asset.links
    turn = quat_to_matrix(roots[..., 3:7])
    spin = np.einsum("...ij,...i->...j", turn, roots[..., 10:13])
    kinetic = link.mass * (roots[..., 7:10] ** 2).sum(-1) + np.einsum("...i,ij,...j", spin, matrix(link.inertia), spin)
    return 0.5 * kinetic + link.mass * G * (roots[..., 2] + (turn @ np.array(link.com))[..., 2])


def skin(asset: Asset, roots: np.ndarray) -> np.ndarray:
    """Points on the surface of a body's only shape, global frame: (envs, points, 3)."""
    (shape,) = asset.shapes
    rng = np.random.default_rng(0)
    u = rng.normal(size=(400, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    r, half = shape.size[0], shape.size[1]
    if shape.kind is ShapeKind.BOX:
        local = u / np.abs(u).max(axis=1, keepdims=True) * shape.size
    elif shape.kind is ShapeKind.CYLINDER:
        flat = u[:, :2] / np.maximum(np.linalg.norm(u[:, :2], axis=1, keepdims=True), 0.2) * r
        local = np.c_[flat * np.minimum(1, r / np.linalg.norm(flat, axis=1))[:, None], np.sign(u[:, 2]) * half]
    elif shape.kind is ShapeKind.ELLIPSOID:
        local = u * shape.size
    elif shape.mesh is not None:
        share = rng.dirichlet(np.ones(3), (len(shape.mesh.triangles), 20))
        faces = shape.mesh.vertices[shape.mesh.triangles]
        local = np.concatenate([np.einsum("tsk,tkx->tsx", share, faces).reshape(-1, 3), shape.mesh.vertices])
    else:
        local = u * r + np.array([0, 0, 1]) * np.sign(u[:, 2:]) * (half if shape.kind is ShapeKind.CAPSULE else 0)
    local = local @ quat_to_matrix(np.array(shape.quat)).T
    return np.einsum("eij,pj->epi", quat_to_matrix(roots[:, 3:7]), local) + roots[:, None, :3]


def field_height(field: HeightField, points: np.ndarray) -> np.ndarray:
    """Height of the surface below or above points, by the triangle there; for fields that are not turned."""
    u = (points[..., :2] - field.pos[:2]) / field.pitch
    cell = np.clip(np.floor(u).astype(int), 0, np.array(field.heights.shape) - 2)
    f = u - cell
    i, j = cell[..., 0], cell[..., 1]
    h00, h01, h10, h11 = (field.heights[i + a, j + b] for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)))
    lower = h00 + f[..., 0] * (h10 - h00) + f[..., 1] * (h11 - h10)
    upper = h00 + f[..., 1] * (h01 - h00) + f[..., 0] * (h11 - h01)
    return np.where(f[..., 0] >= f[..., 1], lower, upper)
