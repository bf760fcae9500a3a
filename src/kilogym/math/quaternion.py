"""Quaternions and rigid transforms for numpy; every function is pure and works on leading batch dimensions.

Quaternions are xyzw and unit unless said otherwise; they rotate vectors actively: `quat_rotate(q, v)` gives,
in the parent frame, the vector whose components in the child frame are `v`. A transform is a pair
(pos, quat), the pose of a child frame in its parent. Angles are radians.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

IDENTITY = (0.0, 0.0, 0.0, 1.0)
"""The quaternion of no rotation."""

Transform = tuple[np.ndarray, np.ndarray]


def quat_mul(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Hamilton product: the rotation `b` first, then `a`."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    av, aw, bv, bw = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    vector = aw * bv + bw * av + np.cross(av, bv)
    scalar = aw * bw - np.sum(av * bv, axis=-1, keepdims=True)
    return np.concatenate([vector, scalar], axis=-1)


def quat_from_wxyz(q: ArrayLike) -> np.ndarray:
    """A quaternion that MuJoCo wrote, w first, in our order."""
    return np.asarray(q, dtype=np.float64)[..., [1, 2, 3, 0]]


def quat_to_wxyz(q: ArrayLike) -> np.ndarray:
    """A quaternion of ours in MuJoCo's order, w first."""
    return np.asarray(q, dtype=np.float64)[..., [3, 0, 1, 2]]


def quat_conj(q: ArrayLike) -> np.ndarray:
    """Conjugate; of a unit quaternion the inverse rotation."""
    return np.asarray(q, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])


def quat_normalize(q: ArrayLike) -> np.ndarray:
    """Scale to unit length; a zero quaternion becomes the identity."""
    q = np.asarray(q, dtype=np.float64)
    peak = np.max(np.abs(q), axis=-1, keepdims=True)  # so that squares neither overflow nor vanish
    scaled = q / np.where(peak > 0.0, peak, 1.0)
    length = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return np.where(peak > 0.0, scaled / np.where(length > 0.0, length, 1.0), np.array(IDENTITY))


def quat_rotate(q: ArrayLike, v: ArrayLike) -> np.ndarray:
    """Rotate the vector `v` from the child frame to the parent frame."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(v, dtype=np.float64)
    axis = q[..., :3]
    t = 2.0 * np.cross(axis, v)
    return v + q[..., 3:] * t + np.cross(axis, t)


def quat_rotate_inverse(q: ArrayLike, v: ArrayLike) -> np.ndarray:
    """Rotate the vector `v` from the parent frame to the child frame."""
    return quat_rotate(quat_conj(q), v)


def quat_from_axis_angle(axis: ArrayLike, angle: ArrayLike) -> np.ndarray:
    """Rotation by `angle` [rad] about `axis` (any length but zero)."""
    axis, angle = np.asarray(axis, dtype=np.float64), np.asarray(angle, dtype=np.float64)
    unit = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    vector = np.sin(0.5 * angle)[..., None] * unit
    scalar = np.broadcast_to(np.cos(0.5 * angle)[..., None], (*vector.shape[:-1], 1))
    return np.concatenate([vector, scalar], axis=-1)


def quat_from_rpy(roll: ArrayLike, pitch: ArrayLike, yaw: ArrayLike) -> np.ndarray:
    """URDF's roll, pitch, yaw [rad]: about the fixed x, then y, then z axis."""
    qx = quat_from_axis_angle([1.0, 0.0, 0.0], roll)
    qy = quat_from_axis_angle([0.0, 1.0, 0.0], pitch)
    qz = quat_from_axis_angle([0.0, 0.0, 1.0], yaw)
    return quat_mul(qz, quat_mul(qy, qx))


def quat_to_matrix(q: ArrayLike) -> np.ndarray:
    """Rotation matrix [..., 3, 3]: its columns are the child's axes in the parent frame."""
    q = np.asarray(q, dtype=np.float64)
    return np.stack([quat_rotate(q, axis) for axis in np.eye(3)], axis=-1)


def quat_from_matrix(matrix: ArrayLike) -> np.ndarray:
    """Quaternion of a rotation matrix [..., 3, 3]; w >= 0.

    Source: Shepperd, Quaternion from rotation matrix, 1978: divide by the largest of the four components.
    """
    m = np.asarray(matrix, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # 4 q qᵀ; its column with the largest diagonal entry is q times a safely large number
    outer = np.empty((*m.shape[:-2], 4, 4))
    outer[..., 0, 0] = 1.0 + xx - yy - zz
    outer[..., 1, 1] = 1.0 - xx + yy - zz
    outer[..., 2, 2] = 1.0 - xx - yy + zz
    outer[..., 3, 3] = 1.0 + xx + yy + zz
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        outer[..., i, j] = outer[..., j, i] = m[..., i, j] + m[..., j, i]
        outer[..., k, 3] = outer[..., 3, k] = m[..., j, i] - m[..., i, j]
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    q = quat_normalize(np.take_along_axis(outer, best[..., None, None], axis=-1)[..., 0])
    return np.where(q[..., 3:] < 0.0, -q, q)


def transform_point(t: tuple[ArrayLike, ArrayLike], point: ArrayLike) -> np.ndarray:
    """Coordinates in the parent frame of a point given in the child frame [m]."""
    return quat_rotate(t[1], point) + np.asarray(t[0], dtype=np.float64)


def transform_compose(a: tuple[ArrayLike, ArrayLike], b: tuple[ArrayLike, ArrayLike]) -> Transform:
    """Pose of b's child in a's parent, where `b` is given in a's child frame."""
    return transform_point(a, b[0]), quat_mul(a[1], b[1])


def transform_inverse(t: tuple[ArrayLike, ArrayLike]) -> Transform:
    """Pose of the parent in the child frame."""
    inverse = quat_conj(t[1])
    return -quat_rotate(inverse, t[0]), inverse
