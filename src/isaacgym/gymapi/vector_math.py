"""Math on whole arrays of `Vec3.dtype`, `Quat.dtype` and `Transform.dtype`, broadcast over leading dimensions.

Plain float arrays whose last dimension holds the components, and single Vec3, Quat or Transform objects, serve
as well. Results are in single precision.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_VEC3 = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
_QUAT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("w", "<f4")])


def dot(a: Any, b: Any) -> np.ndarray:
    """Scalar products of vectors, float32."""
    return np.sum(_floats(a, 3) * _floats(b, 3), axis=-1).astype(np.float32)


def cross(a: Any, b: Any) -> np.ndarray:
    """Vector products, an array of `Vec3.dtype`."""
    return _pack(np.cross(_floats(a, 3), _floats(b, 3)), _VEC3)


def rotate(quats: Any, vecs: Any) -> np.ndarray:
    """Vectors turned by rotations, an array of `Vec3.dtype`."""
    return _pack(_rotate(_floats(quats, 4), _floats(vecs, 3)), _VEC3)


def rotate_inverse(quats: Any, vecs: Any) -> np.ndarray:
    """Vectors turned by the opposite rotations, an array of `Vec3.dtype`."""
    return _pack(_rotate(_floats(quats, 4) * _CONJUGATE, _floats(vecs, 3)), _VEC3)


def transform(transforms: Any, points: Any) -> np.ndarray:
    """Points of the frames, in the parent frame: an array of `Vec3.dtype`."""
    t = _floats(transforms, 7)
    return _pack(t[..., :3] + _rotate(t[..., 3:], _floats(points, 3)), _VEC3)


def transform_inverse(transforms: Any, points: Any) -> np.ndarray:
    """Points of the parent frame, in the frames: an array of `Vec3.dtype`."""
    t = _floats(transforms, 7)
    return _pack(_rotate(t[..., 3:] * _CONJUGATE, _floats(points, 3) - t[..., :3]), _VEC3)


def eulers_to_quats_zyx(eulers: Any) -> np.ndarray:
    """Angles about the fixed x, then y, then z axis [rad] to an array of `Quat.dtype`."""
    angles = _floats(eulers, 3).reshape(-1, 3)
    quats = np.array([quat_of_euler(*row) for row in angles.tolist()]).reshape(-1, 4)
    return _pack(quats.reshape(*_floats(eulers, 3).shape[:-1], 4), _QUAT)


def quats_to_eulers_zyx(quats: Any) -> np.ndarray:
    """The inverse of `eulers_to_quats_zyx`, an array of `Vec3.dtype`."""
    q = _floats(quats, 4)
    angles = np.array([euler_of(*row) for row in q.reshape(-1, 4).tolist()]).reshape(-1, 3)
    return _pack(angles.reshape(*q.shape[:-1], 3), _VEC3)


def quat_of_euler(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Quaternion qz * qy * qx of angles [rad]."""
    cx, sx = math.cos(0.5 * x), math.sin(0.5 * x)
    cy, sy = math.cos(0.5 * y), math.sin(0.5 * y)
    cz, sz = math.cos(0.5 * z), math.sin(0.5 * z)
    return (
        sx * cy * cz - cx * sy * sz,
        cx * sy * cz + sx * cy * sz,
        cx * cy * sz - sx * sy * cz,
        cx * cy * cz + sx * sy * sz,
    )


def euler_of(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Angles [rad] of a quaternion; x, z in (-pi, pi], y in [-pi/2, pi/2]. At the poles z is 0."""
    sin_y = 2.0 * (w * y - z * x)
    # in single precision sin_y is known to 1e-6, and x and z apart only where cos_y is larger than that
    if abs(sin_y) > 1.0 - 1e-6:
        return 2.0 * math.atan2(x, w), math.copysign(math.pi / 2, sin_y), 0.0
    return (
        math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y)),
        math.asin(sin_y),
        math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)),
    )


_CONJUGATE = np.array([-1.0, -1.0, -1.0, 1.0])


def _rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    t = 2.0 * np.cross(q[..., :3], v)
    return v + q[..., 3:] * t + np.cross(q[..., :3], t)


def _floats(values: Any, components: int) -> np.ndarray:
    """Any of the accepted forms as float64 (..., components)."""
    array = np.asarray(values)
    if array.dtype.names is not None:
        array = np.ascontiguousarray(array).view("<f4").reshape(*array.shape, -1)
    if array.ndim == 0 or array.shape[-1] != components:
        raise ValueError(
            f"expected an array of records of {components} numbers, got {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.float64)


def _pack(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32).view(dtype)[..., 0]
