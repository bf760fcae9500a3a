"""Static terrain as the engine reads it: two flat buffers, shared by all envs and batches (native/terrain.h).

The buffers begin with a header per terrain, `HEADER_INTS` and `HEADER_REALS` numbers long:

    ints   0 is a mesh; 1, 2 samples (height field) or cells (mesh) along two axes; 3, 4 where its ints and reals begin;
           then, of a mesh: 5, 6 the axes its grid lies in; 7 cells, 8 list, 9 facets, 10 ring_start, 11 ring: where
           these begin among its ints
    reals  0, 1 pitch [m]; 2 ... 5 quaternion of a height field; 6, 7 where a mesh's grid begins [m]

A height field's reals are its heights [m], [x, y]. A mesh's reals are six per vertex, a position as the sum of two
triples (in float32 one alone would be too coarse a kilometre away); its ints:

    cells       [cells + 1] where each cell's part of the list begins
    list        triangles of each cell of a grid over the two widest axes
    facets      [triangles, 8] vertices; the vertex across each edge, -1: none; bits of the edges it speaks for;
                its first cell
    ring_start  [vertices + 1], ring: the vertices that each vertex is joined to
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from kilogym.engine.terrain_mesh import Connected, bin_triangles

HEADER_INTS, HEADER_REALS = 12, 8


@dataclass(frozen=True)
class FieldData:
    """A grid of heights in a frame of its own, whose z points out of the ground.

    Cells are split by the diagonal from (i, j) to (i + 1, j + 1).
    """

    heights: np.ndarray  # [m], (samples along x, samples along y), float64
    pitch: tuple[float, float]  # between samples along x and y [m]
    pos: np.ndarray  # of sample (0, 0) at height 0, global frame [m]
    rotation: np.ndarray  # matrix, field axes -> global axes
    quat: tuple[float, float, float, float]  # the same, xyzw


@dataclass(frozen=True)
class MeshData:
    """Triangles, counter-clockwise seen from outside, in the global frame."""

    vertices: np.ndarray  # [m], (V, 3) float64
    triangles: np.ndarray  # (T, 3) int64


@dataclass
class Terrain:
    """All terrain of a simulation."""

    items: Sequence[FieldData | MeshData]
    _buffers: dict[tuple[str, torch.dtype], tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict, repr=False)
    _built: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @property
    def count(self) -> int:
        return len(self.items)

    @property
    def kinds(self) -> tuple[str, ...]:
        """ "field" or "mesh" of each: what is compiled."""
        return tuple("mesh" if isinstance(item, MeshData) else "field" for item in self.items)

    def on(self, device: torch.device, real: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """The buffers (reals, ints) on a device; made once, so that batches share them."""
        key = (str(device), real)
        if key not in self._buffers:
            if self._built is None:
                self._built = _build(self.items)
            reals, ints = self._built
            self._buffers[key] = (torch.from_numpy(reals).to(device, real), torch.from_numpy(ints).to(device))
        return self._buffers[key]

    def origin(self, env_origin: Sequence[float]) -> np.ndarray:
        """An env's origin as each terrain counts it: (count, 6), two triples each.

        Of a height field: the grid node nearest below (two numbers, and 0), and the rest in the field's axes [m]. Of a
        mesh: a triple of float32 and what it is short of, global axes [m].
        """
        rows = np.zeros((self.count, 6))
        place = np.asarray(env_origin, np.float64)
        for row, item in zip(rows, self.items, strict=True):
            if isinstance(item, MeshData):
                row[:3] = place.astype(np.float32)
                row[3:] = place - row[:3]
            else:
                local = item.rotation.T @ (place - item.pos)
                row[:2] = np.floor(local[:2] / item.pitch)
                row[3:5], row[5] = local[:2] - row[:2] * item.pitch, local[2]
        return rows


NO_TERRAIN = Terrain(())


def _build(items: Sequence[FieldData | MeshData]) -> tuple[np.ndarray, np.ndarray]:
    """The buffers (reals float64, ints int32)."""
    head_ints = np.zeros((max(1, len(items)), HEADER_INTS), np.int64)
    head_reals = np.zeros((max(1, len(items)), HEADER_REALS))
    ints, reals = [], []
    at_int, at_real = head_ints.size, head_reals.size
    for head, real, item in zip(head_ints, head_reals, items, strict=False):
        head[3:5] = at_int, at_real
        if isinstance(item, FieldData):
            head[1:3] = item.heights.shape
            real[:2], real[2:6] = item.pitch, item.quat
            part_ints, part_reals = np.zeros(0, np.int64), item.heights.reshape(-1)
        else:
            mesh = Connected(item.vertices, item.triangles)
            grid = bin_triangles(mesh.vertices, mesh.triangles)
            facets = np.concatenate([mesh.triangles, mesh.across, mesh.owned[:, None], grid.first[:, None]], axis=1)
            parts = [grid.starts, grid.list, facets.reshape(-1), mesh.ring_start, mesh.ring]
            begins = np.cumsum([0, *(part.size for part in parts)])
            head[:3], head[5:7], head[7:12] = (1, *grid.shape), grid.axes, begins[:5]
            real[:2], real[6:8] = grid.pitch, grid.lower
            high = mesh.vertices.astype(np.float32).astype(np.float64)
            part_ints = np.concatenate(parts)
            part_reals = np.concatenate([high, mesh.vertices - high], axis=1).reshape(-1)
        ints.append(part_ints)
        reals.append(part_reals)
        at_int += part_ints.size
        at_real += part_reals.size
    every_int = np.concatenate([head_ints.reshape(-1), *ints])
    return np.concatenate([head_reals.reshape(-1), *reals]), every_int.astype(np.int32)
