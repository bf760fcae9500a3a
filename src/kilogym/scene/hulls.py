"""The convex hulls of a scene's meshes, with what collides in their place, each made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kilogym.assets.asset import Mesh
from kilogym.assets.distance_field import DistanceField
from kilogym.engine.hulls import Hull, convex_hull, hull_of_parts
from kilogym.engine.sdf import Field


class HullLibrary:
    """Hulls in the order in which their meshes were first asked for."""

    def __init__(self) -> None:
        self.hulls: list[Hull] = []
        # by identity; keeps the meshes, so that their ids stay their own
        self._known: dict[tuple[int, ...], tuple[int, tuple[object, ...]]] = {}
        self._same: dict[tuple[object, ...], int] = {}

    def of(self, mesh: Mesh, parts: tuple[Mesh, ...] = (), field: DistanceField | None = None) -> int:
        """Where the hull of a mesh stands in `hulls`: alone, with its convex parts or its signed distance field."""
        meshes = parts or (mesh,)
        ids = (len(parts), id(field), *map(id, meshes))
        known = self._known.get(ids)
        if known is not None:
            return known[0]
        key = (len(parts), id(field), *((m.vertices.tobytes(), m.vertices.shape) for m in meshes))
        if key not in self._same:
            self._same[key] = len(self.hulls)
            hull = hull_of_parts([m.vertices for m in parts]) if parts else convex_hull(mesh.vertices)
            self.hulls.append(hull if field is None else replace(hull, field=_engine_field(field, hull)))
        self._known[ids] = self._same[key], (*meshes, field)
        return self._same[key]


def _engine_field(field: DistanceField, hull: Hull) -> Field:
    """The field with places from the hull's centre."""
    spheres = field.spheres - np.array([*hull.centre, 0.0])
    return Field(
        field.origin - hull.centre, field.cell, field.spacing, field.coarse, field.blocks, field.fine,
        field.points - hull.centre, field.cones, field.starts, spheres,
    )  # fmt: skip
