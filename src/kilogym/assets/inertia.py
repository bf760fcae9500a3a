"""Mass, centre of mass and inertia of solid shapes, and of bodies joined together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kilogym.assets.asset import Mesh, ShapeKind
from kilogym.math.quaternion import quat_rotate, quat_to_matrix


@dataclass(frozen=True)
class MassProperties:
    """`mass` [kg], `com` [m] and `inertia` [kg m^2, 3x3, about the com] in the axes of some frame."""

    mass: float
    com: np.ndarray
    inertia: np.ndarray

    def moved(self, pos: ArrayLike, quat: ArrayLike) -> MassProperties:
        """The same body seen from a frame in which its own frame has pose (pos, quat)."""
        rot = quat_to_matrix(quat)
        return MassProperties(
            self.mass,
            quat_rotate(quat, self.com) + np.asarray(pos, dtype=np.float64),
            rot @ self.inertia @ rot.T,
        )

    def scaled_to(self, mass: float) -> MassProperties:
        """The same shape with another mass, evenly spread as before."""
        return MassProperties(mass, self.com, self.inertia * (mass / self.mass))


NOTHING = MassProperties(0.0, np.zeros(3), np.zeros((3, 3)))


def combine(parts: Iterable[MassProperties]) -> MassProperties:
    """The parts as one rigid body; all must be given in the same frame."""
    parts = [part for part in parts if part.mass > 0.0 or part.inertia.any()]
    mass = sum(part.mass for part in parts)
    if not parts:
        return NOTHING
    if mass <= 0.0:
        return MassProperties(0.0, parts[0].com, sum((part.inertia for part in parts), np.zeros((3, 3))))
    com = sum((part.mass / mass * part.com for part in parts), np.zeros(3))
    inertia = np.zeros((3, 3))
    for part in parts:
        inertia = inertia + part.inertia + part.mass * point_inertia(part.com - com)
    return MassProperties(mass, com, inertia)


def point_inertia(offset: np.ndarray) -> np.ndarray:
    """Inertia of a unit mass at `offset` [m] from the reference point."""
    return float(offset @ offset) * np.eye(3) - np.outer(offset, offset)


def shape_mass_properties(
    kind: ShapeKind,
    size: tuple[float, float, float],
    density: float,
    mesh: Mesh | None = None,
    hull: bool = False,
    closed: bool = False,
) -> MassProperties:
    """Mass properties of a solid shape in its own frame.

    Args:
        kind: Which shape; `size` is read as :class:`ShapeKind` says.
        size: Dimensions [m].
        density: [kg/m^3].
        mesh: The triangles of a MESH.
        hull: Take a mesh's convex hull even when it is watertight.
        closed: The mesh is known to be closed, though triangles that meet may not share their corners.
    """
    if kind is ShapeKind.MESH:
        if mesh is None:
            raise ValueError("a MESH shape needs its mesh")
        return mesh_mass_properties(mesh.vertices, mesh.triangles, density, hull, closed)
    volume, diagonal = _primitive(kind, *size)
    return MassProperties(density * volume, np.zeros(3), np.diag(diagonal) * density)


def _primitive(kind: ShapeKind, a: float, b: float, c: float) -> tuple[float, tuple[float, float, float]]:
    """Volume [m^3] and inertia for unit density [m^5] about the centre; a, b, c are the shape's size."""
    if kind is ShapeKind.SPHERE:
        volume = 4.0 / 3.0 * math.pi * a**3
        return volume, (0.4 * volume * a * a,) * 3
    if kind is ShapeKind.BOX:
        volume = 8.0 * a * b * c
        return volume, tuple(volume / 3.0 * s for s in (b * b + c * c, a * a + c * c, a * a + b * b))  # type: ignore[return-value]
    if kind is ShapeKind.ELLIPSOID:
        volume = 4.0 / 3.0 * math.pi * a * b * c
        return volume, tuple(volume / 5.0 * s for s in (b * b + c * c, a * a + c * c, a * a + b * b))  # type: ignore[return-value]
    # cylinder of radius a and half length b along z
    cylinder = 2.0 * math.pi * a * a * b
    across, along = cylinder * (a * a / 4.0 + b * b / 3.0), cylinder * a * a / 2.0
    if kind is ShapeKind.CYLINDER:
        return cylinder, (across, across, along)
    # capsule: add two half balls; each has its com 3/8 a beyond the cylinder's end
    ball = 4.0 / 3.0 * math.pi * a**3
    across += ball * (0.4 * a * a + b * b + 0.75 * a * b)
    return cylinder + ball, (across, across, along + 0.4 * ball * a * a)


def mesh_mass_properties(
    vertices: np.ndarray, triangles: np.ndarray, density: float, hull: bool = False, closed: bool = False
) -> MassProperties:
    """Mass properties of a solid mesh; its convex hull when `hull` is set or the surface is not closed.

    A mesh that encloses nothing (flat, or a line) counts as a slab of its bounding box, at least 1 mm thick.
    """
    import trimesh  # most of a second that robots without meshes need not wait for

    solid = trimesh.Trimesh(vertices, triangles, process=False)
    solid.merge_vertices()
    try:
        if hull or not (closed or (solid.is_watertight and solid.is_winding_consistent)):
            solid = solid.convex_hull
        volume, com, inertia = (
            float(solid.volume),
            np.array(solid.center_mass),
            np.array(solid.moment_inertia),
        )
        flipped = -1.0 if volume < 0.0 else 1.0
        if abs(volume) > 1e-15 and np.isfinite(com).all() and np.isfinite(inertia).all():
            return MassProperties(density * abs(volume), com, density * flipped * inertia)
    except Exception:  # qhull has its own error types; what follows serves any degenerate mesh
        pass
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    half = np.maximum((high - low) / 2.0, 5e-4)
    box = shape_mass_properties(ShapeKind.BOX, (half[0], half[1], half[2]), density)
    return MassProperties(box.mass, (low + high) / 2.0, box.inertia)


def six(inertia: np.ndarray) -> tuple[float, float, float, float, float, float]:
    """A 3x3 inertia in the order of :class:`~kilogym.assets.asset.Link`: xx, yy, zz, xy, xz, yz."""
    xx, yy, zz, xy, xz, yz = (float(x) for x in inertia[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]])
    return xx, yy, zz, xy, xz, yz


def matrix(values: ArrayLike) -> np.ndarray:
    """The reverse of :func:`six`, of any leading dimensions: (..., 6) -> (..., 3, 3)."""
    return np.asarray(values, dtype=np.float64)[..., [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]
