"""Few points that stand for many: those whose convex hull leaves out least."""

from __future__ import annotations

import numpy as np


def spanning_points(points: np.ndarray, most: int) -> list[int]:
    """Indices of `most` points whose hull leaves out little: each is the farthest outside that of those before.

    Args:
        points: (P, 3), P > most >= 4, not all in a plane.

    Returns:
        Ascending.
    """
    from scipy.spatial import ConvexHull  # long to import, and seldom needed

    chosen: list[int] = []
    for axis in (0, 1, 2):
        chosen += [int(points[:, axis].argmin()), int(points[:, axis].argmax())]
    chosen = list(dict.fromkeys(chosen))[: max(2, most - 4)]
    spread = points - points[chosen[0]]
    while len(chosen) < 4 or np.linalg.matrix_rank(points[chosen][1:] - points[chosen][0], tol=1e-9) < 3:
        base = points[chosen] - points[chosen[0]]
        rank = np.linalg.matrix_rank(base, tol=1e-9)
        u = np.linalg.svd(base, full_matrices=False)[2][:rank]
        off = np.linalg.norm(spread - spread @ u.T @ u, axis=1)
        chosen.append(int(off.argmax()))
    while len(chosen) < most:
        hull = ConvexHull(points[chosen])
        outside = (points @ hull.equations[:, :3].T + hull.equations[:, 3]).max(axis=1)
        outside[chosen] = -np.inf
        chosen.append(int(outside.argmax()))
    return sorted(chosen)
