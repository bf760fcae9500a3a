"""Vectors, quaternions, transforms: single precision, xyzw, metres and radians.

Each class has a numpy `dtype`, so that `np.zeros(n, Vec3.dtype)` is an array of them.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from isaacgym.gymapi import vector_math
from isaacgym.gymapi.struct import Struct, integer, nested, numbers, real

_VEC3 = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
_QUAT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("w", "<f4")])


class _Math(Struct):
    """What the math types share."""

    __slots__ = ()
    dtype: ClassVar[np.dtype]

    def __repr__(self) -> str:
        inside = ", ".join(repr(value) if isinstance(value, Struct) else f"{value:f}" for value in self._values)
        return f"{type(self).__name__}({inside})"

    @classmethod
    def from_buffer(cls, buffer: Any) -> np.ndarray:
        """An array of `cls.dtype` on the memory of `buffer` (bytes, an array ...), without a copy."""
        return np.frombuffer(buffer, cls.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(list(numbers(self)), np.float32 if dtype is None else dtype)


class _Linear(_Math):
    """A vector: + - and scaling, component by component."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy scalars must not take over `np.float32(2) * v`, which is undefined

    def _made(self, values: list[float]) -> Any:
        return type(self)(*values)

    def __add__(self, other: Any) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        return self._made([a + b for a, b in zip(self._values, other._values, strict=True)])

    def __sub__(self, other: Any) -> Any:
        if type(other) is not type(self):
            return NotImplemented
        return self._made([a - b for a, b in zip(self._values, other._values, strict=True)])

    def __neg__(self) -> Any:
        return self._made([-a for a in self._values])

    def __mul__(self, factor: float) -> Any:
        if isinstance(factor, Struct):
            return NotImplemented
        k = float(factor)
        return self._made([a * k for a in self._values])

    def __truediv__(self, divisor: float) -> Any:
        if isinstance(divisor, Struct):
            return NotImplemented
        k = np.float32(divisor)
        with np.errstate(divide="ignore", invalid="ignore"):  # as in C: x / 0 is inf or nan
            return self._made([float(np.float32(a) / k) for a in self._values])


class Vec2(_Linear):
    """Two reals."""

    __slots__ = ()
    dtype = np.dtype([("x", "<f4"), ("y", "<f4")])
    x: float = real()
    y: float = real()

    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self._values = [0.0, 0.0]
        self.x, self.y = x, y


class Vec3(_Linear):
    """Three reals."""

    __slots__ = ()
    dtype = _VEC3
    x: float = real()
    y: float = real()
    z: float = real()

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> None:
        self._values = [0.0, 0.0, 0.0]
        self.x, self.y, self.z = x, y, z

    def dot(self, other: Vec3) -> float:
        """Scalar product."""
        return float(np.float32(self.x * other.x + self.y * other.y + self.z * other.z))

    def cross(self, other: Vec3) -> Vec3:
        """Vector product."""
        return Vec3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length_sq(self) -> float:
        """Square of the length."""
        return self.dot(self)

    def length(self) -> float:
        """Euclidean length."""
        return float(np.float32(math.sqrt(self.x * self.x + self.y * self.y + self.z * self.z)))

    def normalize(self) -> Vec3:
        """The unit vector of the same direction, a new one; a zero vector stays zero."""
        length = math.sqrt(self.x * self.x + self.y * self.y + self.z * self.z)
        return Vec3(self.x / length, self.y / length, self.z / length) if length > 0.0 else Vec3()


class Quat(_Math):
    """A quaternion x, y, z, w; unit ones are rotations. The default is the identity."""

    __slots__ = ()
    dtype = _QUAT
    x: float = real()
    y: float = real()
    z: float = real()
    w: float = real(1.0)

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0, w: float = 1.0) -> None:
        self._values = [0.0, 0.0, 0.0, 1.0]
        self.x, self.y, self.z, self.w = x, y, z, w

    def __mul__(self, other: Quat) -> Quat:
        """Hamilton product: the rotation `other` first, then this one."""
        if not isinstance(other, Quat):
            return NotImplemented
        ax, ay, az, aw = self._values
        bx, by, bz, bw = other._values
        return Quat(
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        )

    def rotate(self, v: Vec3) -> Vec3:
        """The vector `v` turned by this rotation."""
        x, y, z, w = self._values
        vx, vy, vz = v._values
        tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
        return Vec3(
            vx + w * tx + y * tz - z * ty,
            vy + w * ty + z * tx - x * tz,
            vz + w * tz + x * ty - y * tx,
        )

    def inverse(self) -> Quat:
        """The opposite rotation."""
        return Quat(-self.x, -self.y, -self.z, self.w)

    def normalize(self) -> Quat:
        """This quaternion at unit length, a new one; a zero quaternion becomes the identity."""
        length = math.sqrt(sum(a * a for a in self._values))
        return Quat(*(a / length for a in self._values)) if length > 0.0 else Quat()

    def to_euler_zyx(self) -> tuple[float, float, float]:
        """Angles about x, y and z [rad], the arguments of `from_euler_zyx`."""
        return vector_math.euler_of(*self._values)

    @staticmethod
    def from_axis_angle(axis: Vec3, angle: float) -> Quat:
        """Rotation by `angle` [rad] about `axis`, of any length; about a zero axis the identity."""
        unit, half = axis.normalize(), 0.5 * float(angle)
        s = math.sin(half)
        if unit == Vec3():
            return Quat()
        return Quat(unit.x * s, unit.y * s, unit.z * s, math.cos(half))

    @staticmethod
    def from_euler_zyx(x_rot: float, y_rot: float, z_rot: float) -> Quat:
        """Rotation about the fixed x axis, then y, then z [rad]: qz * qy * qx."""
        return Quat(*vector_math.quat_of_euler(float(x_rot), float(y_rot), float(z_rot)))


class Transform(_Math):
    """A pose: the frame at position `p` [m] with orientation `r`. `A * B` is B given in A's frame."""

    __slots__ = ()
    dtype = np.dtype([("p", _VEC3), ("r", _QUAT)])
    p: Vec3 = nested(Vec3)
    r: Quat = nested(Quat)

    def __init__(self, p: Vec3 | None = None, r: Quat | None = None) -> None:
        self._values = [Vec3(), Quat()]
        if p is not None:
            self.p = p
        if r is not None:
            self.r = r

    def __mul__(self, other: Transform) -> Transform:
        if not isinstance(other, Transform):
            return NotImplemented
        return Transform(self.p + self.r.rotate(other.p), self.r * other.r)

    def inverse(self) -> Transform:
        """The transform that undoes this one."""
        r = self.r.inverse()
        return Transform(-r.rotate(self.p), r)

    def transform_point(self, point: Vec3) -> Vec3:
        """A point of this frame, in the parent frame."""
        return self.p + self.r.rotate(point)

    def transform_vector(self, vector: Vec3) -> Vec3:
        """A direction of this frame, in the parent frame."""
        return self.r.rotate(vector)

    def transform_points(self, points: np.ndarray) -> np.ndarray:
        """An array of `Vec3.dtype` and any shape, points as in `transform_point`."""
        return vector_math.transform(self._record(), points)

    def transform_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """An array of `Vec3.dtype` and any shape, directions as in `transform_vector`."""
        return vector_math.rotate(self._record()["r"], vectors)

    def _record(self) -> np.ndarray:
        return np.array((tuple(self.p._values), tuple(self.r._values)), self.dtype)


class Velocity(_Math):
    """Linear [m/s] and angular [rad/s] velocity."""

    __slots__ = ()
    dtype = np.dtype([("linear", _VEC3), ("angular", _VEC3)])
    linear: Vec3 = nested(Vec3)
    angular: Vec3 = nested(Vec3)

    def __init__(self, p: Vec3 | None = None, q: Vec3 | None = None) -> None:
        self._values = [Vec3(), Vec3()]
        if p is not None:
            self.linear = p
        if q is not None:
            self.angular = q


class Mat33(_Math):
    """A 3 by 3 matrix of rows x, y, z; zero when made."""

    __slots__ = ()
    x: Vec3 = nested(Vec3)
    y: Vec3 = nested(Vec3)
    z: Vec3 = nested(Vec3)


def _zero_row() -> Quat:
    return Quat(0.0, 0.0, 0.0, 0.0)


class Mat44(_Math):
    """A 4 by 4 matrix of rows x, y, z, w; zero when made."""

    __slots__ = ()
    x: Quat = nested(_zero_row)
    y: Quat = nested(_zero_row)
    z: Quat = nested(_zero_row)
    w: Quat = nested(_zero_row)


class Int2(Struct):
    """Two integers."""

    __slots__ = ()
    dtype = np.dtype([("x", "<i4"), ("y", "<i4")])
    x: int = integer()
    y: int = integer()

    def __init__(self, x: int = 0, y: int = 0) -> None:
        self._values = [0, 0]
        self.x, self.y = x, y


class Int3(Struct):
    """Three integers."""

    __slots__ = ()
    dtype = np.dtype([("x", "<i4"), ("y", "<i4"), ("z", "<i4")])
    x: int = integer()
    y: int = integer()
    z: int = integer()

    def __init__(self, x: int = 0, y: int = 0, z: int = 0) -> None:
        self._values = [0, 0, 0]
        self.x, self.y, self.z = x, y, z
