"""Which triangles of a mesh meet, and where they lie: built once with numpy, for millions of triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLATTEST = 1e-10
"""A triangle whose height is less than this part of its longest side has no normal and is left out."""


class Connected:
    """A mesh whose vertices at one place are one, without triangles that have no area.

    Attributes:
        vertices: [m], (V, 3) float64.
        triangles: (T, 3) int64.
        across: (T, 3): per edge, from vertex k to k + 1, the vertex opposite in the triangle beyond; -1: none.
        owned: (T,): bit k is set if the triangle speaks for edge k, one of the two that have it.
        ring_start, ring: vertices that vertex v is joined to: ring[ring_start[v] : ring_start[v + 1]].
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        self.vertices, self.triangles = _weld(vertices, triangles[~is_flat(vertices, triangles)])
        count, v = len(self.vertices), self.triangles
        a, b = v.reshape(-1), np.roll(v, -1, axis=1).reshape(-1)
        opposite = np.roll(v, -2, axis=1).reshape(-1)
        key = np.minimum(a, b) * count + np.maximum(a, b)
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        # neighbours in this order share an edge; of three or more at one edge the first two are joined
        fresh = np.ones(len(key), bool)
        fresh[1:] = ordered[1:] != ordered[:-1]
        first = np.flatnonzero(fresh)
        pairs = first[first + 1 < len(key)]
        pairs = pairs[~fresh[pairs + 1]]
        one, two = order[pairs], order[pairs + 1]
        across = np.full(len(key), -1, np.int64)
        across[one], across[two] = opposite[two], opposite[one]
        owned = np.ones(len(key), bool)
        owned[two] = False
        self.across = across.reshape(-1, 3)
        self.owned = (owned.reshape(-1, 3) * [1, 2, 4]).sum(axis=1)
        unique = ordered[fresh]
        low, high = unique // count, unique % count
        ends, others = np.concatenate([low, high]), np.concatenate([high, low])
        by_end = np.argsort(ends, kind="stable")
        self.ring = others[by_end]
        self.ring_start = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=count))])


def is_flat(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) whether each triangle has no area to speak of."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.maximum.reduce([((b - a) ** 2).sum(1), ((c - b) ** 2).sum(1), ((a - c) ** 2).sum(1)])
    result: np.ndarray = area <= FLATTEST * longest
    return result


def _weld(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make vertices at the same place one, and drop those that no triangle has."""
    lower = vertices.min(axis=0)
    # places that differ by less than a rounding of float32 at the mesh's size are one
    unit = max(float(np.ptp(vertices, axis=0).max()), 1e-9) * 2.0**-20
    cells = np.rint((vertices - lower) / unit).astype(np.int64)
    key = (cells[:, 0] << 42) | (cells[:, 1] << 21) | cells[:, 2]
    _, first, same = np.unique(key, return_index=True, return_inverse=True)
    joined = first[same.reshape(-1)][triangles]
    joined = joined[(joined != np.roll(joined, 1, axis=1)).all(axis=1)]
    used, compact = np.unique(joined, return_inverse=True)
    return vertices[used], compact.reshape(-1, 3).astype(np.int64)


@dataclass(frozen=True)
class Grid:
    """Triangles by cells of a grid over two axes."""

    axes: tuple[int, int]
    lower: np.ndarray  # (2,) where it begins [m]
    pitch: np.ndarray  # (2,) size of a cell [m]
    shape: tuple[int, int]
    starts: np.ndarray  # (cells + 1,)
    list: np.ndarray  # triangles, cell by cell, ascending in each
    first: np.ndarray  # (T,) the least cell of each triangle, in both directions


def bin_triangles(vertices: np.ndarray, triangles: np.ndarray, per_cell: float = 2.0) -> Grid:
    """Sort triangles into cells, about `per_cell` in each; no cells so small that the list explodes."""
    lower, upper = vertices.min(axis=0), vertices.max(axis=0)
    axes = tuple(sorted(np.argsort(-(upper - lower), kind="stable")[:2].tolist()))
    flat = vertices[:, axes]
    low, size = flat.min(axis=0), np.maximum(np.ptp(flat, axis=0), 1e-9)
    corners = flat[triangles]
    least, most = corners.min(axis=1), corners.max(axis=1)
    cells = max(1.0, len(triangles) / per_cell)
    while True:
        pitch = np.sqrt(size[0] * size[1] / cells)
        shape = np.clip(np.ceil(size / pitch), 1, 1 << 14).astype(np.int64)
        pitches = size / shape * (1 + 1e-9)
        # a cell's border belongs to both sides
        slack = 1e-6 * pitches
        first = np.clip(np.floor((least - low - slack) / pitches), 0, shape - 1).astype(np.int64)
        last = np.clip(np.floor((most - low + slack) / pitches), 0, shape - 1).astype(np.int64)
        spans = last - first + 1
        counts = spans[:, 0] * spans[:, 1]
        if counts.sum() <= 16 * len(triangles) + 1024 or cells <= 1:
            break
        cells /= 4
    of = np.repeat(np.arange(len(triangles)), counts)
    within = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide = spans[of, 1]
    cell = (first[of, 0] + within // wide) * shape[1] + first[of, 1] + within % wide
    order = np.argsort(cell, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=int(shape.prod())))])
    return Grid(
        (axes[0], axes[1]), low, pitches, (int(shape[0]), int(shape[1])), starts, of[order],
        first[:, 0] * shape[1] + first[:, 1],
    )  # fmt: skip
