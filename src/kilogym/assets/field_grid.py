"""The grid of a signed distance field (distance_field.py)."""

from __future__ import annotations

import numpy as np

from kilogym.assets.distance_field import BLOCK, DistanceField
from kilogym.assets.mesh_distance import MeshDistance, open_edges
from kilogym.assets.surface_points import cluster, surface_points

BAND = 0.25
"""How far from the surface blocks are fine, beyond what touches them [blocks]."""
AT_ONCE = 1 << 21
"""Samples worked out at once."""


def make_field(vertices: np.ndarray, triangles: np.ndarray, resolution: int) -> DistanceField:
    """Distances on a grid, and points of the surface.

    Args:
        vertices: (V, 3) [m], one in a place.
        triangles: (T, 3) of a closed surface, counter-clockwise from outside.
        resolution: Cells along the longest side.
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middle, size = (low + high) / 2, high - low
    cell = float(size.max()) / resolution
    counts = np.ceil(size / (cell * BLOCK) - 1e-9).astype(int) + 2  # a block of air on every side
    first = -counts * BLOCK * cell / 2  # of the grid, from the middle
    distance = MeshDistance(vertices - middle, triangles)

    corners = _lattice(counts + 1) * (BLOCK * cell) + first
    coarse = _in_pieces(lambda at: distance(at, by_winding=True), corners).reshape(counts + 1)
    centres = (_lattice(counts) + 0.5) * (BLOCK * cell) + first
    near = np.abs(_in_pieces(lambda at: distance(at, by_winding=False), centres))
    fine_at = np.flatnonzero(near <= (3**0.5 / 2 + BAND) * BLOCK * cell)
    blocks = np.full(int(np.prod(counts)), -1, np.int32)
    blocks[fine_at] = np.arange(len(fine_at))
    fine = _fine_samples(distance, coarse, np.stack(np.unravel_index(fine_at, counts), axis=1), cell, first)
    _trust_winding(distance, fine, coarse, fine_at, counts, cell, first, vertices - middle, triangles)

    points, cones, spacing = surface_points(vertices, triangles, cell)
    order, starts, spheres = cluster(points)
    return DistanceField(
        middle + first, cell, coarse, blocks.reshape(counts), fine, points[order], cones[order], starts, spheres,
        spacing,
    )  # fmt: skip


def _lattice(counts: np.ndarray) -> np.ndarray:
    """Whole numbers (N, 3), the last one fastest."""
    return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 3)


def _in_pieces(f, at: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    return np.concatenate([f(at[i : i + AT_ONCE]) for i in range(0, len(at), AT_ONCE)])


def _fine_samples(
    distance: MeshDistance, coarse: np.ndarray, places: np.ndarray, cell: float, first: np.ndarray
) -> np.ndarray:
    """Samples (N, BLOCK + 1, ...) of blocks at `places` (N, 3); those that neighbours share are worked out once."""
    counts = np.array(coarse.shape) * BLOCK
    samples = (places[:, None] * BLOCK + _lattice(np.full(3, BLOCK + 1))).astype(np.int64)
    keys = ((samples[..., 0] * counts[1] + samples[..., 1]) * counts[2] + samples[..., 2]).reshape(-1)
    found, which = np.unique(keys, return_inverse=True)
    at = np.stack([found // (counts[1] * counts[2]), found // counts[2] % counts[1], found % counts[2]], axis=1)
    values = _in_pieces(lambda n: distance(n * cell + first, by_winding=False), at)
    return values[which].reshape(-1, BLOCK + 1, BLOCK + 1, BLOCK + 1)


def _trust_winding(
    distance: MeshDistance, fine: np.ndarray, coarse: np.ndarray, fine_at: np.ndarray, counts: np.ndarray, cell: float,
    first: np.ndarray, vertices: np.ndarray, triangles: np.ndarray,
) -> None:  # fmt: skip
    """Signs anew, by winding number, in fine blocks where pseudonormals may be wrong: beside open edges, where a corner
    has another sign than the winding number says, and where values change by more than the way."""
    x, y, z = np.unravel_index(fine_at, counts)
    ends = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    told = np.stack([coarse[x + i, y + j, z + k] for i, j, k in ends], axis=1)
    seen = np.stack([fine[:, i * BLOCK, j * BLOCK, k * BLOCK] for i, j, k in ends], axis=1)
    doubtful = ((told < 0) != (seen < 0)).any(axis=1)
    for axis in (1, 2, 3):
        doubtful |= np.abs(np.diff(fine, axis=axis)).max(axis=(1, 2, 3)) > 1.01 * cell
    edges = open_edges(triangles, len(vertices))
    if len(edges):
        from scipy.spatial import cKDTree

        steps = np.ceil(np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1) / (BLOCK * cell))
        along = [np.linspace(vertices[a], vertices[b], int(n) + 1) for (a, b), n in zip(edges, steps, strict=True)]
        centres = (np.stack([x, y, z], axis=1) + 0.5) * (BLOCK * cell) + first
        doubtful |= cKDTree(np.concatenate(along)).query(centres)[0] < 2 * BLOCK * cell
    chosen = np.flatnonzero(doubtful)
    if not len(chosen):
        return
    samples = np.stack([x, y, z], axis=1)[chosen][:, None] * BLOCK + _lattice(np.full(3, BLOCK + 1))
    values = _in_pieces(lambda n: distance(n * cell + first, by_winding=True), samples.reshape(-1, 3))
    fine[chosen] = values.reshape(-1, BLOCK + 1, BLOCK + 1, BLOCK + 1)
