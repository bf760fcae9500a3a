"""The convex hulls of a scene's meshes, each made once."""

from __future__ import annotations

from kilogym.assets.asset import Mesh
from kilogym.engine.hulls import Hull, convex_hull, hull_of_parts


class HullLibrary:
    """Hulls in the order in which their meshes were first asked for."""

    def __init__(self) -> None:
        self.hulls: list[Hull] = []
        # by identity; keeps the meshes, so that their ids stay their own
        self._known: dict[tuple[int, ...], tuple[int, tuple[Mesh, ...]]] = {}
        self._same: dict[tuple[object, ...], int] = {}

    def of(self, mesh: Mesh, parts: tuple[Mesh, ...] = ()) -> int:
        """Where the hull of a mesh, or of its convex parts with these, stands in `hulls`."""
        meshes = parts or (mesh,)
        ids = (len(parts), *map(id, meshes))
        known = self._known.get(ids)
        if known is not None:
            return known[0]
        key = (len(parts), *((m.vertices.tobytes(), m.vertices.shape) for m in meshes))
        if key not in self._same:
            self._same[key] = len(self.hulls)
            self.hulls.append(hull_of_parts([m.vertices for m in parts]) if parts else convex_hull(mesh.vertices))
        self._known[ids] = self._same[key], meshes
        return self._same[key]
