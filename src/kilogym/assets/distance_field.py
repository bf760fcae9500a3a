"""Signed distance fields: how far a place is from a mesh's surface, kept on a grid so that it is looked up at once.

The grid is coarse everywhere and fine near the surface: blocks of BLOCK cells along each side keep distances at all
their samples if the surface may come near them, and else at their corners alone. With them come points of the surface,
which are what touches other shapes (engine/sdf.py). All of it is the same bits for the same mesh and is kept on disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kilogym.assets.asset import Mesh
from kilogym.assets.cache import cached_arrays, content_key
from kilogym.assets.errors import AssetError

FORMAT = 1
"""Counts changes of what is made of the same mesh."""
BLOCK = 4
"""Cells along the side of a block."""
RESOLUTIONS = (8, 1024)
"""Fewest and most cells along the longest side of a mesh."""
DEFAULT_RESOLUTION = 128
"""Where a file asks for a field and does not say how fine."""
PROBES, MOST_OPEN = 256, 0.02
"""Places whose winding numbers tell whether a mesh is closed; the share that may have none that is whole."""

_known: dict[str, DistanceField] = {}  # of this process, by content


@dataclass(frozen=True, eq=False)
class DistanceField:
    """Distances [m] from a mesh, negative inside, and points of its surface; all in the mesh's frame.

    Attributes:
        origin: (3,) place of sample (0, 0, 0) [m].
        cell: Distance of samples [m].
        coarse: float32 (X + 1, Y + 1, Z + 1), at the corners of blocks.
        blocks: int32 (X, Y, Z): which of `fine` a block is, -1: none.
        fine: float32 (N, BLOCK + 1, BLOCK + 1, BLOCK + 1), at the samples of a block.
        points: (P, 3) of the surface [m], cluster by cluster.
        cones: (P, 4) what ways the surface looks there: a unit vector, and the cosine of the widest angle to it.
        starts: int32 (C + 1): where each cluster begins among the points.
        spheres: (C, 4): centre and radius of each cluster [m].
        spacing: About the distance of neighbouring points [m].
    """

    origin: np.ndarray
    cell: float
    coarse: np.ndarray
    blocks: np.ndarray
    fine: np.ndarray
    points: np.ndarray
    cones: np.ndarray
    starts: np.ndarray
    spheres: np.ndarray
    spacing: float

    def arrays(self) -> list[np.ndarray]:
        """All of it, for the cache."""
        numbers = np.array([*self.origin, self.cell, self.spacing])
        return [numbers, self.coarse, self.blocks, self.fine, self.points, self.cones, self.starts, self.spheres]

    @staticmethod
    def of_arrays(arrays: list[np.ndarray]) -> DistanceField:
        """The reverse of `arrays`."""
        numbers, coarse, blocks, fine, points, cones, starts, spheres = arrays
        for array in arrays:
            array.setflags(write=False)
        cell, spacing = float(numbers[3]), float(numbers[4])
        return DistanceField(numbers[:3], cell, coarse, blocks, fine, points, cones, starts, spheres, spacing)


def distance_field(mesh: Mesh, resolution: int, file: str = "", line: int | None = None) -> DistanceField:
    """The field of a closed mesh. Seconds to a minute for the first time, then from the cache.

    Zero-width cracks, where triangles meet but do not share their corners, do not matter; nor do solids that overlap,
    nor which way all triangles face.

    Args:
        mesh: Triangles [m].
        resolution: Cells along the longest side of the mesh's box, RESOLUTIONS.
        file, line: Who asks, for messages.

    Raises:
        AssetError: a resolution out of range, or a mesh that is not closed or encloses nothing.
    """
    low, high = RESOLUTIONS
    if not low <= resolution <= high:
        raise AssetError(
            "resolution of a signed distance field is out of range", file=file, line=line,
            expected=f"{low} to {high} cells along the longest side", got=str(resolution),
        )  # fmt: skip
    vertices, triangles = _joined(mesh)
    key = content_key([vertices, triangles], FORMAT, int(resolution))
    if key not in _known:
        from kilogym.assets.field_grid import make_field  # needs Warp and scipy, which take long to import

        def make() -> list[np.ndarray]:
            return make_field(vertices, _closed(mesh, vertices, triangles, file, line), int(resolution)).arrays()

        _known[key] = DistanceField.of_arrays(cached_arrays("sdf", key, make))
    return _known[key]


def _joined(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """The mesh with one vertex in a place, and without triangles of two corners."""
    vertices, at = np.unique(np.asarray(mesh.vertices, np.float64), axis=0, return_inverse=True)
    t = at.reshape(-1)[np.asarray(mesh.triangles, np.int64)]
    return vertices, t[(t[:, 0] != t[:, 1]) & (t[:, 1] != t[:, 2]) & (t[:, 2] != t[:, 0])]


def _closed(mesh: Mesh, vertices: np.ndarray, triangles: np.ndarray, file: str, line: int | None) -> np.ndarray:
    """The triangles, counter-clockwise from outside.

    Raises:
        AssetError: they enclose nothing, or have holes.
    """
    from kilogym.assets.mesh_distance import open_edges, winding_numbers

    size = np.ptp(vertices, axis=0) if len(triangles) else np.zeros(3)
    centre = (vertices.max(axis=0) + vertices.min(axis=0)) / 2 if len(triangles) else np.zeros(3)
    a, b, c = np.moveaxis(vertices[triangles] - centre, 1, 0)
    volume = float((a * np.cross(b, c)).sum()) / 6
    if abs(volume) <= 1e-9 * float(size.max()) ** 3:
        raise AssetError(
            f"mesh '{mesh.name}' encloses nothing, so it has no signed distance field", file=file, line=line,
            expected="a closed surface", got=f"a volume of {volume:g} m^3",
            hint="close it in a mesh editor, or leave out the field: it then collides as its convex hull",
        )  # fmt: skip
    places = vertices.min(axis=0) + np.random.default_rng(0).uniform(size=(PROBES, 3)) * size
    numbers = winding_numbers(vertices, triangles, places)
    share = float((np.abs(numbers - np.round(numbers)) > 0.1).mean())
    if share > MOST_OPEN:
        raise AssetError(
            f"mesh '{mesh.name}' is not closed, so it has no signed distance field", file=file, line=line,
            expected="a surface that tells inside from outside everywhere",
            got=f"{len(open_edges(triangles, len(vertices)))} edges with triangles on one side only; "
            f"{share:.0%} of its box is neither inside nor outside",
            hint="fill the holes in a mesh editor, or leave out the field: it then collides as its convex hull",
        )  # fmt: skip
    return triangles if volume > 0 else triangles[:, ::-1]
