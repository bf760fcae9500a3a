# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc, valid-type"
# (Warp's annotations are shapes, not types)
"""How far points are from a closed mesh, on which side of it, and whether it is closed at all.

Distances come from Warp's bounding volume hierarchy, on the CPU, so that the bits do not depend on a graphics card. The
side is told by the pseudonormal of what is nearest (Baerentzen and Aanaes, 2005), which is cheap, or by the winding
number (Jacobson et al., 2013; Barill et al., 2018), which also holds beside cracks and where solids overlap.
"""

from typing import Any

import numpy as np
import warp as wp

CHUNK = 1 << 22
"""Numbers of the winding number's table that are worked out at once."""


@wp.kernel(enable_backward=False)
def _signed_distances(
    mesh: wp.uint64, points: wp.array(dtype=wp.vec3), far: float, by_winding: bool, out: wp.array(dtype=float)
):
    i = wp.tid()
    at = points[i]
    if by_winding:
        query = wp.mesh_query_point_sign_winding_number(mesh, at, far, 2.0, 0.5)
        out[i] = wp.length(at - wp.mesh_eval_position(mesh, query.face, query.u, query.v)) * query.sign
    else:
        query = wp.mesh_query_point_sign_normal(mesh, at, far)
        out[i] = wp.length(at - wp.mesh_eval_position(mesh, query.face, query.u, query.v)) * query.sign


class MeshDistance:
    """Signed distances from one mesh, negative inside.

    Args:
        vertices: (V, 3) [m], about the origin: coordinates become float32.
        triangles: (T, 3), counter-clockwise from outside.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        wp.init()
        self._mesh = wp.Mesh(
            points=wp.array(vertices.astype(np.float32), dtype=wp.vec3, device="cpu"),
            indices=wp.array(triangles.astype(np.int32).reshape(-1), dtype=wp.int32, device="cpu"),
            support_winding_number=True,
        )
        self._far = 1e3 * float(np.abs(vertices).max())

    def __call__(self, points: np.ndarray, by_winding: bool) -> np.ndarray:
        """Distances (P,) float32 [m] of points (P, 3); by_winding: the side by winding number, ten times as slow."""
        out = wp.zeros(len(points), dtype=wp.float32, device="cpu")
        if len(points):
            at: Any = wp.array(points.astype(np.float32), dtype=wp.vec3, device="cpu")
            inputs = [self._mesh.id, at, self._far, by_winding, out]
            wp.launch(_signed_distances, len(points), inputs=inputs, device="cpu")
        return out.numpy()


def winding_numbers(vertices: np.ndarray, triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often the mesh goes around each point (P,): 1 inside of a closed mesh, 0 outside, parts of it if it is open.

    Source: Van Oosterom and Strackee, The solid angle of a plane triangle (1983).
    """
    out = np.empty(len(points))
    step = max(1, CHUNK // len(triangles))
    for first in range(0, len(points), step):
        corners = vertices[triangles][None] - points[first : first + step, None, None, :]
        a, b, c = corners[:, :, 0], corners[:, :, 1], corners[:, :, 2]
        la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
        volume = (a * np.cross(b, c)).sum(axis=-1)
        dots = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
        out[first : first + step] = np.arctan2(volume, dots).sum(axis=1) / (2 * np.pi)
    return out


def open_edges(triangles: np.ndarray, count: int) -> np.ndarray:
    """Edges (E, 2) with another number of triangles on one side than on the other; of a closed mesh none.

    Args:
        triangles: (T, 3) of `count` vertices, no two of them in one place.
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    ways = np.where(edges[:, 0] < edges[:, 1], 1, -1)
    low, high = edges.min(axis=1), edges.max(axis=1)
    found, at = np.unique(low * count + high, return_inverse=True)
    balance = np.bincount(at.reshape(-1), weights=ways, minlength=len(found))
    loose = found[balance != 0]
    return np.stack([loose // count, loose % count], axis=1)
