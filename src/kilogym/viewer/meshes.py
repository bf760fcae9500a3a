"""Normals and colours at the corners of triangle meshes."""

from __future__ import annotations

import numpy as np

from kilogym.assets.asset import Mesh
from kilogym.viewer.style import srgb_to_linear

CREASE_DEGREES = 35.0  # triangles that meet at a larger angle keep a sharp edge


def check_mesh(mesh: Mesh) -> None:
    """Raise ValueError unless `mesh` has triangles whose indices point at finite vertices."""
    vertices, triangles = np.asarray(mesh.vertices), np.asarray(mesh.triangles)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not len(vertices):
        raise ValueError(f"mesh {mesh.name!r}: vertices must be (V, 3), got {vertices.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not len(triangles):
        raise ValueError(f"mesh {mesh.name!r}: triangles must be (T, 3), got {triangles.shape}")
    if not np.isfinite(vertices).all():
        raise ValueError(f"mesh {mesh.name!r}: vertices must be finite")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise ValueError(f"mesh {mesh.name!r}: triangle indices must be in 0..{len(vertices) - 1}")
    if mesh.colors is not None and np.shape(mesh.colors) != vertices.shape:
        raise ValueError(f"mesh {mesh.name!r}: colors must be {vertices.shape}, got {np.shape(mesh.colors)}")


def corner_normals(vertices: np.ndarray, triangles: np.ndarray, crease: float = CREASE_DEGREES) -> np.ndarray:
    """Unit normals at every corner of every triangle, smooth across edges flatter than `crease` [degrees].

    Vertices at the same place count as one, whatever their index (STL files repeat them).

    Returns:
        (3 * T, 3), corner k of triangle t at row 3 t + k.
    """
    corners = np.asarray(vertices, dtype=np.float64)[triangles]  # (T, 3, 3)
    area_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(area_normals, axis=1, keepdims=True)
    face_normals = area_normals / np.maximum(lengths, 1e-30)

    scale = max(float(np.ptp(corners.reshape(-1, 3), axis=0).max()), 1e-12)
    keys = np.round(corners.reshape(-1, 3) / scale * 1e6).astype(np.int64)
    place = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)

    # every corner meets every corner at its place: pairs (i, j), walked by j's rank within its place
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(place.max() + 1))
    count = np.diff(np.append(start, len(place)))
    face = np.arange(len(place)) // 3
    total = np.zeros((len(place), 3))
    cosine = np.cos(np.radians(crease))
    # the busiest places are the poles of spheres and fans: a few hundred triangles at most are averaged
    for rank in range(min(int(count.max()), 512)):
        rows = np.flatnonzero(count[place] > rank)
        other = face[order[start[place[rows]] + rank]]
        flat = (face_normals[face[rows]] * face_normals[other]).sum(axis=1) >= cosine
        total[rows[flat]] += area_normals[other[flat]]
    norm = np.linalg.norm(total, axis=1, keepdims=True)
    flat_normals = np.repeat(face_normals, 3, axis=0)
    result: np.ndarray = np.where(norm > 1e-30, total / np.maximum(norm, 1e-30), flat_normals)
    # a triangle without area has no normal; any unit vector will do
    result[np.linalg.norm(result, axis=1) < 0.5] = (0.0, 0.0, 1.0)
    return result


def corner_colors(mesh: Mesh) -> np.ndarray:
    """Linear colours at every corner, white where the mesh has none; (3 * T, 3)."""
    if mesh.colors is None:
        return np.ones((3 * len(mesh.triangles), 3))
    return srgb_to_linear(np.asarray(mesh.colors)[mesh.triangles].reshape(-1, 3))
