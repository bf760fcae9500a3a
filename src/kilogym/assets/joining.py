"""Convex parts joined again, by how much that is hollow their common hull would fill."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError

CELLS = 30_000
"""Of the grid that tells what is hollow."""


def hollow_cells(parts: list[np.ndarray], slack: float) -> tuple[np.ndarray, float]:
    """Centres (N, 3) of those cells of a grid about all parts that are farther than `slack` from each; a cell's volume.

    Without slack what V-HACD leaves between the voxels of neighbours would count as hollow.
    """
    low, high = (f([f(part, axis=0) for part in parts], axis=0) for f in (np.min, np.max))
    size = (np.prod(high - low) / CELLS) ** (1.0 / 3.0)
    counts = np.maximum(np.ceil((high - low) / size).astype(int), 1)
    step = (high - low) / counts
    axes = [low[k] + (np.arange(counts[k]) + 0.5) * step[k] for k in range(3)]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    for part in parts:
        cells = cells[~_within(cells, part, slack)]
    return cells, float(np.prod(step))


def _within(cells: np.ndarray, part: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Which cells lie in the convex hull of a part, or at most `slack` before one of its faces."""
    found = np.zeros(len(cells), dtype=bool)
    boxed = ((cells >= part.min(axis=0) - slack) & (cells <= part.max(axis=0) + slack)).all(axis=1)
    planes = ConvexHull(part).equations
    found[boxed] = (cells[boxed] @ planes[:, :3].T + planes[:, 3]).max(axis=1) <= slack
    return found


def join(parts: list[np.ndarray], hollow: np.ndarray, most_hollow: float, most: int, near: float) -> list[np.ndarray]:
    """Parts joined, the cheapest two first, while their hull holds little that is hollow or there are more than `most`.

    Args:
        parts: Vertices of convex parts (V, 3) [m].
        hollow: Points outside all of them (N, 3).
        most_hollow: How many of these the hull of two may hold. Of equals the hull that adds least to both goes first.
        near: How far apart the boxes of two may be to be joined [m]; any, where there are too many.
    """
    hulls = dict(enumerate(parts))
    volume = {i: volume_of(part) for i, part in hulls.items()}

    def cost(i: int, j: int) -> tuple[int, float]:
        both = np.concatenate([hulls[i], hulls[j]])
        return int(_within(hollow, both).sum()), volume_of(both) - volume[i] - volume[j]

    def touch(i: int, j: int) -> bool:
        a, b = hulls[i], hulls[j]
        return bool((a.min(axis=0) - near <= b.max(axis=0)).all() and (b.min(axis=0) - near <= a.max(axis=0)).all())

    costs = {(i, j): cost(i, j) for j in hulls for i in range(j) if touch(i, j)}
    fresh = len(hulls)
    while len(hulls) > 1:
        if not costs and len(hulls) > most:
            costs = {(i, j): cost(i, j) for j in hulls for i in hulls if i < j}
        if not costs:
            break
        least = min(costs, key=lambda pair: (costs[pair], pair))
        if costs[least][0] > most_hollow and len(hulls) <= most:
            break
        both = np.concatenate([hulls.pop(i) for i in least])
        costs = {pair: value for pair, value in costs.items() if not set(pair) & set(least)}
        hulls[fresh] = both[ConvexHull(both).vertices]
        volume[fresh] = volume_of(both)
        costs |= {(i, fresh): cost(i, fresh) for i in hulls if i < fresh and touch(i, fresh)}
        fresh += 1
    return list(hulls.values())


def volume_of(points: np.ndarray) -> float:
    """Of the points' convex hull; 0 where they lie in a plane [m^3]."""
    try:
        return float(ConvexHull(points).volume) if len(points) > 3 else 0.0
    except (QhullError, ValueError):
        return 0.0
