"""Convex hulls of meshes, small enough for the engine, and how a batch stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from kilogym.engine.sdf import Field
from kilogym.math.spanning import spanning_points

MAX_VERTICES = 64
"""Most vertices of a hull."""
MAX_CORNERS = 16
"""Most corners of a face; contacts of a face with more are made at these."""
LEAST_THICKNESS = 1e-3
"""A mesh that encloses nothing counts as this thick [m]."""
HEADER = 7
"""Numbers per hull at the head of a library: first vertex, vertices, first face, faces, where its face table is; which
hulls are its parts: the first, how many."""
PLACE = 8
"""Numbers per hull that tell of it as a part: where its centre is from the whole's, bounding radius, thickness, half
the sides of the box around it."""


@dataclass(frozen=True)
class Hull:
    """A convex polyhedron about its own centre.

    Attributes:
        centre: (3,) mean of the extremes of its vertices, in the mesh's frame [m].
        vertices: (V, 3) from the centre [m], at most MAX_VERTICES.
        normals: (F, 3) unit, outwards.
        faces: Vertices of each face, counter-clockwise from outside, at most MAX_CORNERS.
        parts: Convex parts that collide in its place, their centres counted from its own; none: it does itself.
        field: Signed distances that collide in its place; None: it does itself.
    """

    centre: np.ndarray
    vertices: np.ndarray
    normals: np.ndarray
    faces: tuple[tuple[int, ...], ...]
    parts: tuple[Hull, ...] = ()
    field: Field | None = None

    @cached_property
    def bound(self) -> float:
        """Radius of the bounding sphere about the centre, with its parts and its field's points in it [m]."""
        return float(np.linalg.norm(self._points, axis=1).max())

    @cached_property
    def half_sides(self) -> np.ndarray:
        """(3,) Half the sides of the least box about the centre, along the mesh's axes, that holds the same [m]."""
        return np.asarray(np.abs(self._points).max(axis=0))

    @cached_property
    def _points(self) -> np.ndarray:
        """All that collides lies in their hull."""
        points = [self.vertices, *(part.centre + part.vertices for part in self.parts)]
        return np.concatenate(points + ([] if self.field is None else [self.field.points]))

    @cached_property
    def thickness(self) -> float:
        """Half the least distance between two parallel planes, one along a face, that hold it [m]."""
        heights = self.vertices @ self.normals.T
        return float((heights.max(axis=0) - heights.min(axis=0)).min()) / 2

    def face_table(self) -> np.ndarray:
        """int32 (F, 2): where the corners of a face start in `corners()`, and how many there are."""
        counts = np.array([len(face) for face in self.faces])
        return np.stack([np.cumsum(counts) - counts, counts], axis=1).astype(np.int32)

    def corners(self) -> np.ndarray:
        """int32: the faces' vertices end to end."""
        return np.array([v for face in self.faces for v in face], dtype=np.int32)


def convex_hull(points: np.ndarray, most: int = MAX_VERTICES) -> Hull:
    """The hull of points, or of those among them that leave out least.

    Vertices are taken one by one, always the one farthest outside the hull of those before. Points on a plane or a
    line are thickened to LEAST_THICKNESS.

    Args:
        points: (P, 3) [m], finite.
        most: Most vertices, 4 to MAX_VERTICES.

    Raises:
        ValueError: no points, not of three coordinates, or not finite.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"convex_hull: expected points of shape (P, 3), P > 0, got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("convex_hull: expected finite points, got NaN or infinity")
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    points = _solid(points - centre)
    outer = points[_qhull(points).vertices]
    chosen = outer if len(outer) <= most else outer[spanning_points(outer, most)]
    normals, faces = _faces(chosen)
    used = sorted({corner for face in faces for corner in face})
    number = {corner: i for i, corner in enumerate(used)}
    return Hull(centre, chosen[used], normals, tuple(tuple(number[corner] for corner in face) for face in faces))


def hull_of_parts(parts: Sequence[np.ndarray], most: int = MAX_VERTICES) -> Hull:
    """The hull of all parts, with each part's own, of at most `most` vertices each, as `parts`.

    Args:
        parts: Points of each convex part (P, 3) [m]; arguments and errors as those of `convex_hull`.
    """
    whole = convex_hull(np.concatenate([np.asarray(points, dtype=np.float64) for points in parts]), most)
    each = [convex_hull(points, most) for points in parts]
    return replace(whole, parts=tuple(replace(part, centre=part.centre - whole.centre) for part in each))


def _qhull(points: np.ndarray) -> Any:
    from scipy.spatial import ConvexHull  # slow to import, and robots without meshes need none

    return ConvexHull(points)


def _solid(points: np.ndarray) -> np.ndarray:
    """The points, thickened along directions in which they have less than LEAST_THICKNESS and enclose nothing."""
    centred = points - points.mean(axis=0)
    # three axes of fewer than three points too; with many, the full form takes the square of their number
    axes = np.linalg.svd(centred, full_matrices=len(points) < 3)[2]
    extent = np.ptp(points @ axes.T, axis=0)
    size = float(extent.max())
    for axis, length in zip(axes, extent, strict=True):
        if length <= 1e-6 * max(size, 1e-9):
            step = LEAST_THICKNESS / 2 * axis
            points = np.concatenate([points + step, points - step])
    from scipy.spatial import QhullError

    try:
        _qhull(points)
    except QhullError:  # flat to qhull's own tolerance
        step = LEAST_THICKNESS / 2 * axes[-1]
        points = np.concatenate([points + step, points - step])
    return points


def _faces(vertices: np.ndarray) -> tuple[np.ndarray, list[list[int]]]:
    """Faces of the hull of `vertices`: unit normals, and corners counter-clockwise."""
    hull = _qhull(vertices)
    size = float(np.ptp(vertices, axis=0).max())
    planes: list[np.ndarray] = []
    members: list[set[int]] = []
    for equation, simplex in zip(hull.equations, hull.simplices, strict=True):
        for i, plane in enumerate(planes):
            if equation[:3] @ plane[:3] > 1 - 1e-9 and abs(equation[3] - plane[3]) < 1e-6 * size:
                members[i] |= set(simplex.tolist())
                break
        else:
            planes.append(equation)
            members.append(set(simplex.tolist()))
    faces = []
    for plane, member in zip(planes, members, strict=True):
        corners = np.array(sorted(member))
        axis = np.eye(3)[np.abs(plane[:3]).argmin()]
        x = np.cross(axis, plane[:3])
        x /= np.linalg.norm(x)
        flat = np.stack([vertices[corners] @ x, vertices[corners] @ np.cross(plane[:3], x)], axis=1)
        face = corners[_outline(flat, 1e-9 * size)].tolist()
        if len(face) > MAX_CORNERS:
            face = [face[i * len(face) // MAX_CORNERS] for i in range(MAX_CORNERS)]
        faces.append(face)
    return np.array([plane[:3] for plane in planes]), faces


def _outline(points: np.ndarray, margin: float) -> list[int]:
    """Corners of the convex hull of points of a plane (n, 2), counter-clockwise; none within `margin` of an edge.

    Source: the monotone chain of Andrew (1979).
    """
    order = np.lexsort((points[:, 1], points[:, 0])).tolist()

    def chain(indices: list[int]) -> list[int]:
        kept: list[int] = []
        for i in indices:
            while len(kept) >= 2:
                a, b = points[kept[-2]], points[kept[-1]]
                edge, new = b - a, points[i] - a
                if edge[0] * new[1] - edge[1] * new[0] > margin * np.linalg.norm(new):
                    break
                kept.pop()
            kept.append(i)
        return kept[:-1]

    return chain(order) + chain(order[::-1])


def by_fours(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, 3) as the engine reads them: (M, 4), the fourth number zero; the first again until 4 divides M."""
    repeated = np.concatenate([vectors, np.repeat(vectors[:1], -len(vectors) % 4, axis=0)])
    return np.pad(repeated, ((0, 0), (0, 1)))


def pack(hulls: Sequence[Hull]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A library of hulls, then of their parts, as flat arrays: vertices, normals (`by_fours`), tables, places.

    The tables (int32): HEADER numbers per hull, then each hull's face table and corners. Places: PLACE float64 each.
    """
    tables: list[np.ndarray] = []
    part = len(hulls)
    owners, hulls = hulls, [*hulls, *(part for hull in hulls for part in hull.parts)]
    header = np.zeros((len(hulls), HEADER), dtype=np.int32)
    for row, hull in zip(header, owners, strict=False):
        row[5:] = part, len(hull.parts)
        part += len(hull.parts)
    vertices, normals = [by_fours(hull.vertices) for hull in hulls], [by_fours(hull.normals) for hull in hulls]
    vertex, face, at = 0, 0, header.size
    for row, hull, its_vertices, its_normals in zip(header, hulls, vertices, normals, strict=True):
        row[:5] = vertex, len(hull.vertices), face, len(hull.faces), at
        vertex += len(its_vertices)
        face += len(its_normals)
        tables += [hull.face_table().reshape(-1), hull.corners()]
        at += tables[-2].size + tables[-1].size
    empty = [np.zeros(0)]
    return (
        np.concatenate([v.reshape(-1) for v in vertices] or empty),
        np.concatenate([n.reshape(-1) for n in normals] or empty),
        np.concatenate([header.reshape(-1), *tables]).astype(np.int32),
        np.concatenate(empty + [np.array([*h.centre, h.bound, h.thickness, *h.half_sides]) for h in hulls]),
    )
