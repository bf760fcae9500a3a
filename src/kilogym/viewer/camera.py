"""Where a picture is taken from: a pinhole camera, and a few ways to move it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Vector = tuple[float, float, float]
UP_AXES: dict[str, Vector] = {"y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def vector(value: Sequence[float] | np.ndarray, name: str) -> Vector:
    """Three finite floats.

    Raises:
        ValueError: if `value` is anything else; the message carries `name`.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be three finite numbers, got {value!r}")
    return float(array[0]), float(array[1]), float(array[2])


def up_axis(up: str) -> Vector:
    """The unit vector of an up axis named "y" or "z"."""
    if up not in UP_AXES:
        raise ValueError(f"up must be 'y' or 'z', got {up!r}")
    return UP_AXES[up]


def ease(s: float) -> float:
    """0..1 -> 0..1 with no speed at both ends; for camera moves that start and stop softly."""
    s = min(max(s, 0.0), 1.0)
    return s * s * s * (s * (6.0 * s - 15.0) + 10.0)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in the world frame.

    Attributes:
        eye: Where it stands [m].
        target: What it looks at [m]; also where the haze starts to count from.
        up: Direction that is upwards in the picture; need not be perpendicular to the view.
        fov: Vertical opening angle [degrees], between 0 and 180.
    """

    eye: Vector
    target: Vector
    up: Vector = (0.0, 0.0, 1.0)
    fov: float = 35.0

    def __post_init__(self) -> None:
        for name in ("eye", "target", "up"):
            object.__setattr__(self, name, vector(getattr(self, name), f"camera {name}"))
        if not 0.0 < self.fov < 180.0:
            raise ValueError(f"camera fov must be between 0 and 180 degrees, got {self.fov}")
        forward = np.subtract(self.target, self.eye)
        if np.linalg.norm(forward) < 1e-9:
            raise ValueError(f"camera eye and target are the same point: {self.eye}")
        side = np.cross(forward, self.up)
        if np.linalg.norm(side) < 1e-6 * np.linalg.norm(forward) * np.linalg.norm(self.up):
            raise ValueError(f"camera looks along its up vector {self.up}; choose another up")

    @classmethod
    def orbit(
        cls,
        target: Sequence[float],
        distance: float,
        azimuth: float,
        elevation: float,
        *,
        up: str = "z",
        fov: float = 35.0,
    ) -> Camera:
        """A camera on a sphere around `target`.

        Args:
            target: Centre of the sphere [m].
            distance: Radius [m], > 0.
            azimuth: Degrees about the up axis, counter-clockwise seen from above; 0 stands on +x (z up) or
                +z (y up).
            elevation: Degrees above the horizon, between -90 and 90, exclusive.
            up: Up axis of the world, "y" or "z".
            fov: Vertical opening angle [degrees].
        """
        if not distance > 0.0:
            raise ValueError(f"orbit distance must be positive, got {distance}")
        if not -90.0 < elevation < 90.0:
            raise ValueError(f"orbit elevation must be between -90 and 90 degrees, got {elevation}")
        a, e = math.radians(azimuth), math.radians(elevation)
        ahead, left, high = math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)
        offset = (ahead, left, high) if up == "z" else (left, high, ahead)
        centre = vector(target, "orbit target")
        x, y, z = (c + distance * o for c, o in zip(centre, offset, strict=True))
        return cls((x, y, z), centre, up_axis(up), fov)

    @classmethod
    def from_pose(cls, pos: Sequence[float], quat: Sequence[float], fov: float = 35.0) -> Camera:
        """A camera fixed to a frame, looking along its +x with its +z upwards (Isaac Gym's camera frame)."""
        x, y, z, w = (float(q) for q in quat)
        norm = math.sqrt(x * x + y * y + z * z + w * w)
        if not norm > 1e-9:
            raise ValueError(f"camera quaternion must not be zero, got {quat!r}")
        x, y, z, w = x / norm, y / norm, z / norm, w / norm
        forward = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
        upward = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))
        eye = vector(pos, "camera pos")
        return cls(eye, (eye[0] + forward[0], eye[1] + forward[1], eye[2] + forward[2]), upward, fov)

    def basis(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors right, up, forward of the picture, in the world frame."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, self.up)
        right = right / np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def blend(self, other: Camera, s: float) -> Camera:
        """The camera a share `s` (0..1) of the way to `other`, in straight lines."""
        if not 0.0 <= s <= 1.0:
            raise ValueError(f"blend share must be in 0..1, got {s}")
        mixed = [
            vector((1 - s) * np.asarray(a) + s * np.asarray(b), "blend")
            for a, b in ((self.eye, other.eye), (self.target, other.target), (self.up, other.up))
        ]
        return Camera(mixed[0], mixed[1], mixed[2], (1 - s) * self.fov + s * other.fov)

    def moved(self, offset: Sequence[float]) -> Camera:
        """The same view, shifted by `offset` [m]."""
        eye = vector(np.add(self.eye, offset), "camera eye")
        return replace(self, eye=eye, target=vector(np.add(self.target, offset), "camera target"))

    def project(self, points: np.ndarray, width: int, height: int) -> np.ndarray:
        """Pixel coordinates (x right, y down, from the top left corner) and depth [m] of world points.

        Args:
            points: (N, 3) [m], world frame.
            width: Picture width [px].
            height: Picture height [px].

        Returns:
            (N, 3): x [px], y [px], depth along the viewing axis [m]; x and y mean nothing where depth <= 0.
        """
        right, up, forward = self.basis()
        rel = np.asarray(points, dtype=np.float64) - np.asarray(self.eye)
        depth = rel @ forward
        scale = 0.5 * height / math.tan(math.radians(self.fov) / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            x = width / 2 + scale * (rel @ right) / depth
            y = height / 2 - scale * (rel @ up) / depth
        return np.stack([x, y, depth], axis=-1)


class FollowCamera:
    """A camera that keeps its offset to a moving target, softly.

    Each call of :meth:`update` moves the target it believes in towards the true one with the time constant
    `lag` [s]; 0 follows rigidly. The result depends only on the sequence of calls.
    """

    def __init__(self, start: Camera, lag: float = 0.3) -> None:
        if lag < 0.0:
            raise ValueError(f"lag must not be negative, got {lag}")
        self.start, self.lag = start, lag
        self._target = np.asarray(start.target)

    def update(self, target: Sequence[float], dt: float) -> Camera:
        """Advance by `dt` [s] towards `target` [m] and return the camera there."""
        goal = np.asarray(vector(target, "follow target"))
        share = 1.0 if self.lag == 0.0 else 1.0 - math.exp(-dt / self.lag)
        self._target = self._target + share * (goal - self._target)
        return self.start.moved(self._target - np.asarray(self.start.target))
