"""Line drawings for a viewer: axes, boxes, spheres."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from isaacgym import gymapi

Color = tuple[float, float, float]


class LineGeometry:
    """Line segments. Subclasses give `vertices`, (n, 2) of Vec3.dtype [m], and `colors`, (n,) of Vec3.dtype."""

    _verts: np.ndarray
    _colors: np.ndarray

    def vertices(self) -> np.ndarray:
        """Ends of the segments, (n, 2) of Vec3.dtype."""
        return self._verts

    def colors(self) -> np.ndarray:
        """RGB in 0..1 of the segments, (n,) of Vec3.dtype."""
        return self._colors

    def num_lines(self) -> int:
        """Number of segments."""
        return int(self.vertices().shape[0])

    def instance_verts(self, pose: gymapi.Transform | None = None) -> np.ndarray:
        """The vertices moved by `pose`."""
        return self.vertices() if pose is None else pose.transform_points(self.vertices())

    def _set(self, segments: Any, colors: Any, pose: gymapi.Transform | None) -> None:
        ends = np.ascontiguousarray(segments, np.float32).reshape(-1, 2, 3)
        rgb = np.broadcast_to(np.asarray(colors, np.float32), (len(ends), 3))
        self._colors = np.ascontiguousarray(rgb).view(gymapi.Vec3.dtype)[:, 0].copy()
        self._verts = ends.view(gymapi.Vec3.dtype)[..., 0].copy()
        if pose is not None:
            self._verts = pose.transform_points(self._verts)


class AxesGeometry(LineGeometry):
    """The axes of a frame, `scale` [m] long: x red, y green, z blue."""

    def __init__(self, scale: float = 1.0, pose: gymapi.Transform | None = None) -> None:
        ends = np.zeros((3, 2, 3))
        ends[:, 1] = np.eye(3) * scale
        self._set(ends, np.eye(3), pose)


class WireframeBBoxGeometry(LineGeometry):
    """The edges of a box given by two opposite corners [m]."""

    def __init__(self, bbox: Any, pose: gymapi.Transform | None = None, color: Color | None = None) -> None:
        low, high = (np.asarray(_xyz(corner)) for corner in bbox)
        corner = [low + (high - low) * [i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)]
        edges = [(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit]
        self._set([(corner[a], corner[b]) for a, b in edges], color or (1.0, 0.0, 0.0), pose)


class WireframeBoxGeometry(WireframeBBoxGeometry):
    """The edges of a box of full sides `xdim`, `ydim`, `zdim` [m] about the origin."""

    def __init__(
        self,
        xdim: float = 1,
        ydim: float = 1,
        zdim: float = 1,
        pose: gymapi.Transform | None = None,
        color: Color | None = None,
    ) -> None:
        half = np.array([xdim, ydim, zdim]) / 2
        super().__init__((-half, half), pose, color)


class WireframeSphereGeometry(LineGeometry):
    """Circles of latitude and meridians, about z.

    Args:
        radius: [m].
        num_lats, num_lons: Divisions from pole to pole and around.
        pose: Where the sphere is.
        color, color2: Of the meridians and of the circles of latitude; default red, and the same.
    """

    def __init__(
        self,
        radius: float = 1.0,
        num_lats: int = 8,
        num_lons: int = 8,
        pose: gymapi.Transform | None = None,
        color: Color | None = None,
        color2: Color | None = None,
    ) -> None:
        first = color or (1.0, 0.0, 0.0)
        second = color2 or first

        def point(lat: int, lon: int) -> tuple[float, float, float]:
            theta, phi = math.pi * lat / num_lats, 2.0 * math.pi * lon / num_lons
            ring = radius * math.sin(theta)
            return ring * math.cos(phi), ring * math.sin(phi), radius * math.cos(theta)

        segments, colors = [], []
        for lon in range(num_lons):
            for lat in range(num_lats):
                segments.append((point(lat, lon), point(lat + 1, lon)))
                colors.append(first)
                if lat > 0:
                    segments.append((point(lat, lon), point(lat, lon + 1)))
                    colors.append(second)
        self._set(segments, colors, pose)


def draw_lines(geom: LineGeometry, gym: Any, viewer: Any, env: Any, pose: gymapi.Transform | None) -> None:
    """Draw `geom` at `pose`, in the frame of `env`, or the global one when that is None."""
    gym.add_lines(viewer, env, geom.num_lines(), geom.instance_verts(pose), geom.colors())


def draw_line(p1: gymapi.Vec3, p2: gymapi.Vec3, color: gymapi.Vec3, gym: Any, viewer: Any, env: Any) -> None:
    """Draw one segment, in the frame of `env`, or the global one when that is None."""
    line = LineGeometry()
    line._set([(_xyz(p1), _xyz(p2))], [_xyz(color)], None)
    gym.add_lines(viewer, env, 1, line.vertices(), line.colors())


def _xyz(value: Any) -> tuple[float, float, float]:
    if isinstance(value, gymapi.Vec3):
        return value.x, value.y, value.z
    x, y, z = value
    return float(x), float(y), float(z)
