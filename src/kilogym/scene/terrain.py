"""Static terrain as the user declares it: height fields and triangle meshes, in the global frame.

Terrain collides with every shape that can move, of every env and group. A height field is solid all the way down. A
mesh is felt from outside only, the side from which its triangles run counter-clockwise; a shape whose centre is
further behind a face than the shape is thick (a ball: its radius; a box: its least half extent) does not feel it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kilogym.assets.asset import Mesh
from kilogym.engine.terrain import FieldData, MeshData, Terrain
from kilogym.engine.terrain_mesh import is_flat
from kilogym.math.quaternion import quat_normalize, quat_to_matrix
from kilogym.scene.surface import Surface

MOST_SAMPLES = 1 << 28
"""Samples of a height field, or corners of triangles, that an index can count with room to spare."""
MOST_ALONG = 1 << 15
"""Samples along a side of a height field (native/terrain.h: SAMPLES)."""


@dataclass(frozen=True, eq=False)
class HeightField(Surface):
    """A grid of heights; both parts of a cell meet at its diagonal from (i, j) to (i + 1, j + 1).

    Attributes:
        heights: [m], (samples along x, samples along y).
        pitch: Distance of samples along x and y [m].
        pos: Where sample (0, 0) of height 0 is, global frame [m].
        quat: Turns the field's axes, z out of the ground, into the global ones, xyzw; normalised.
    """

    heights: np.ndarray
    pitch: tuple[float, float]
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        heights = np.array(self.heights, np.float64)
        square = heights.ndim == 2 and min(heights.shape) >= 2
        if not square or heights.size > MOST_SAMPLES or max(heights.shape) > MOST_ALONG:
            raise ValueError(
                f"HeightField.heights: expected a grid (x, y) of at least 2 x 2 and at most {MOST_SAMPLES} samples, "
                f"{MOST_ALONG} along a side, got shape {heights.shape}"
            )
        bad = np.argwhere(~np.isfinite(heights))
        if len(bad):
            i, j = (int(n) for n in bad[0])
            raise ValueError(f"HeightField.heights: expected finite heights [m], got {heights[i, j]} at ({i}, {j})")
        if not all(np.isfinite(p) and p > 0 for p in self.pitch):
            raise ValueError(f"HeightField.pitch: expected two distances > 0 m, got {self.pitch}")
        _check_pose(self)
        self.check_surface()
        object.__setattr__(self, "heights", heights)

    def data(self) -> FieldData:
        """What the engine reads."""
        quat, rotation = _turn(self.quat)
        pitch = (float(self.pitch[0]), float(self.pitch[1]))
        return FieldData(self.heights, pitch, np.asarray(self.pos, np.float64), rotation, quat)

    def as_mesh(self) -> TriangleMesh:
        """The same surface as a triangle mesh."""
        mesh = self.mesh()
        return TriangleMesh(mesh.vertices, mesh.triangles, **self.surface())

    def mesh(self) -> Mesh:
        """Its triangles in the global frame, for drawing."""
        nx, ny = self.heights.shape
        i, j = np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij")
        points = np.stack([i * self.pitch[0], j * self.pitch[1], self.heights], axis=-1).reshape(-1, 3)
        corner = (np.arange(nx - 1)[:, None] * ny + np.arange(ny - 1)).reshape(-1)
        v00, v01, v10, v11 = corner, corner + 1, corner + ny, corner + ny + 1
        triangles = np.concatenate([np.stack([v00, v11, v01], 1), np.stack([v00, v10, v11], 1)])
        return Mesh("height field", points @ _turn(self.quat)[1].T + self.pos, triangles.astype(np.int32))


@dataclass(frozen=True, eq=False)
class TriangleMesh(Surface):
    """Triangles, counter-clockwise seen from outside. Those without area are left out.

    Attributes:
        vertices: [m], (V, 3), in the mesh's frame.
        triangles: Indices of vertices, (T, 3).
        pos, quat: The mesh's frame in the global one [m], xyzw; normalised.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        vertices, triangles = np.array(self.vertices, np.float64), np.array(self.triangles)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or len(vertices) < 3:
            raise ValueError(f"TriangleMesh.vertices: expected (at least 3, 3), got shape {vertices.shape}")
        if triangles.ndim != 2 or triangles.shape[1] != 3 or not len(triangles) or triangles.size > MOST_SAMPLES:
            raise ValueError(f"TriangleMesh.triangles: expected (at least 1, 3), got shape {triangles.shape}")
        if triangles.dtype.kind not in "iu":
            raise ValueError(f"TriangleMesh.triangles: expected integer indices, got {triangles.dtype}")
        bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
        if len(bad):
            first = int(bad[0])
            raise ValueError(f"TriangleMesh.vertices: expected finite positions [m], got {vertices[first]} at {first}")
        triangles = triangles.astype(np.int64)
        bad = np.flatnonzero(((triangles < 0) | (triangles >= len(vertices))).any(axis=1))
        if len(bad):
            raise ValueError(
                f"TriangleMesh.triangles: expected indices 0 to {len(vertices) - 1} of the {len(vertices)} vertices, "
                f"got {triangles[bad[0]].tolist()} in triangle {bad[0]}"
            )
        if is_flat(vertices, triangles).all():
            raise ValueError("TriangleMesh.triangles: expected triangles with an area, got none")
        _check_pose(self)
        self.check_surface()
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "triangles", triangles)

    def data(self) -> MeshData:
        """What the engine reads."""
        return MeshData(self.vertices @ _turn(self.quat)[1].T + self.pos, self.triangles)

    def mesh(self) -> Mesh:
        """Its triangles in the global frame, for drawing."""
        data = self.data()
        return Mesh("terrain", data.vertices, data.triangles.astype(np.int32))


def engine_terrain(declared: Sequence[HeightField | TriangleMesh]) -> Terrain | None:
    """All terrain of a simulation as the engine reads it; None if there is none."""
    return Terrain([item.data() for item in declared]) if declared else None


def _turn(quat: Sequence[float]) -> tuple[tuple[float, float, float, float], np.ndarray]:
    """A unit quaternion and its matrix."""
    x, y, z, w = (float(n) for n in quat_normalize(quat))
    return (x, y, z, w), quat_to_matrix((x, y, z, w))


def _check_pose(item: HeightField | TriangleMesh) -> None:
    length = float(np.linalg.norm(item.quat)) if len(item.quat) == 4 else np.nan
    if len(item.pos) != 3 or not np.isfinite(item.pos).all() or not (np.isfinite(length) and length > 1e-6):
        raise ValueError(
            f"{type(item).__name__}: expected a finite position and a quaternion xyzw, got {item.pos}, {item.quat}"
        )
