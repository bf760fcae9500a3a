"""The convex hulls of a scene's meshes, each made once."""

from __future__ import annotations

from kilogym.assets.asset import Mesh
from kilogym.engine.hulls import Hull, convex_hull


class HullLibrary:
    """Hulls in the order in which their meshes were first asked for."""

    def __init__(self) -> None:
        self.hulls: list[Hull] = []
        self._known: dict[int, tuple[int, Mesh]] = {}  # by identity; keeps the mesh, so that its id stays its own
        self._same: dict[tuple[bytes, tuple[int, ...]], int] = {}

    def of(self, mesh: Mesh) -> int:
        """Where the hull of a mesh stands in `hulls`."""
        known = self._known.get(id(mesh))
        if known is not None:
            return known[0]
        key = (mesh.vertices.tobytes(), mesh.vertices.shape)
        if key not in self._same:
            self._same[key] = len(self.hulls)
            self.hulls.append(convex_hull(mesh.vertices))
        self._known[id(mesh)] = self._same[key], mesh
        return self._same[key]
