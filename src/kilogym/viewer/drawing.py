"""What to draw: shapes fixed to bodies, and where the bodies are. Knows nothing of simulators or devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kilogym.assets.asset import Asset, Mesh, Shape, ShapeKind, Visual
from kilogym.math.quaternion import transform_compose
from kilogym.viewer.camera import Camera, Vector, up_axis, vector
from kilogym.viewer.meshes import check_mesh
from kilogym.viewer.style import Color, actor_color, tinted

WORLD = -1  # the "body" of shapes that never move
Quaternion = tuple[float, float, float, float]

_SIZES_USED = {
    ShapeKind.SPHERE: 1,
    ShapeKind.CAPSULE: 2,
    ShapeKind.CYLINDER: 2,
    ShapeKind.BOX: 3,
    ShapeKind.ELLIPSOID: 3,
    ShapeKind.MESH: 0,
}


@dataclass(frozen=True)
class Instance:
    """One shape to draw. `pos`, `quat`: pose in the body's frame; `color`: sRGB in 0..1."""

    kind: ShapeKind
    size: Vector
    pos: Vector
    quat: Quaternion
    color: Color
    body: int
    mesh: Mesh | None = None
    ground_look: bool = False  # drawn with the ground's tiles instead of `color`

    def bounds(self) -> tuple[Vector, Vector, float]:
        """Bounding box in the shape's frame [m]: centre, half extents of the core, radius of its rounding."""
        a, b, c = self.size
        zero = (0.0, 0.0, 0.0)
        if self.kind is ShapeKind.MESH:
            assert self.mesh is not None
            vertices = np.asarray(self.mesh.vertices, dtype=np.float64)
            lower, upper = vertices.min(axis=0), vertices.max(axis=0)
            return vector((lower + upper) / 2, "mesh"), vector((upper - lower) / 2, "mesh"), 0.0
        if self.kind is ShapeKind.SPHERE:
            return zero, zero, a
        if self.kind is ShapeKind.CAPSULE:
            return zero, (0.0, 0.0, b), a
        if self.kind is ShapeKind.CYLINDER:
            return zero, (a, a, b), 0.0
        return zero, (a, b, c), 0.0


class Drawing:
    """A scene to draw: a ground plane, shapes fixed to the world, and actors whose bodies move.

    Bodies are rows of a pose table. `add_actor` gives an actor as many rows as its asset has links, the next
    free ones or those the caller names, so that a simulation's whole body state tensor can be passed to
    `set_poses` even when only some of its actors are drawn. Until then actors stand in their rest pose.

    Attributes:
        up: "z" or "y", the world's up axis.
        ground: Height of the ground plane along up [m], or None for no ground.
        instances: All shapes, in the order they were added.
        version: Grows when anything but poses changes; renderers rebuild their tables then.
    """

    def __init__(self, *, up: str = "z", ground: float | None = 0.0) -> None:
        up_axis(up)
        self.up = up
        self.ground = ground
        self.instances: list[Instance] = []
        self.version = 0
        self._rows: list[int] = []  # row of each body in the table given to set_poses
        self._origins: list[Vector] = []  # of each body's env [m]
        self._rest: list[np.ndarray] = []  # pose of each body before set_poses, env frame
        self._segmentation: list[int] = []  # of each body
        self._actors = 0
        self._poses: Any = None

    @property
    def num_bodies(self) -> int:
        """Bodies drawn."""
        return len(self._rows)

    @property
    def num_rows(self) -> int:
        """Rows `set_poses` needs at least."""
        return max(self._rows, default=-1) + 1

    def add_body(
        self, *, row: int | None = None, origin: Sequence[float] = (0.0, 0.0, 0.0), segmentation: int = 0
    ) -> int:
        """Add a body without shapes and return its index; `row`: its row in `set_poses` (default: next)."""
        row = self.num_rows if row is None else row
        if row < 0:
            raise ValueError(f"row must not be negative, got {row}")
        self._rows.append(row)
        self._origins.append(vector(origin, "origin"))
        self._rest.append(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
        self._segmentation.append(int(segmentation))
        self._poses = None
        self.version += 1
        return len(self._rows) - 1

    def add_shape(
        self,
        kind: ShapeKind,
        size: Sequence[float] = (1.0, 1.0, 1.0),
        *,
        pos: Sequence[float] = (0.0, 0.0, 0.0),
        quat: Sequence[float] = (0.0, 0.0, 0.0, 1.0),
        color: Color = (0.62, 0.65, 0.69),
        body: int = WORLD,
        mesh: Mesh | None = None,
        ground_look: bool = False,
    ) -> int:
        """Add one shape and return its index, the one hit records carry.

        Args:
            kind: What it is.
            size: As :class:`ShapeKind` reads it [m]; unused entries may be missing. Ignored for meshes.
            pos: Position in the body's frame [m].
            quat: Orientation in the body's frame, xyzw; normalised here.
            color: sRGB in 0..1.
            body: A body's index, or WORLD.
            mesh: The triangles of a MESH.
            ground_look: Draw it with the ground's tiles (terrain).

        Raises:
            ValueError: for a size that is not positive, a zero quaternion, an unknown body or a bad mesh.
        """
        used = _SIZES_USED[kind]
        given = tuple(float(v) for v in size)
        # a capsule of no length is a ball
        least = (0.0, -1e-12, 0.0) if kind is ShapeKind.CAPSULE else (0.0, 0.0, 0.0)
        fits = len(given) >= used and bool(np.isfinite(given).all())
        if not fits or not all(value > floor for value, floor in zip(given[:used], least, strict=False)):
            raise ValueError(f"size of a {kind.value} needs {used} positive numbers, got {tuple(size)}")
        if not WORLD <= body < len(self._rows):
            raise ValueError(f"body must be WORLD (-1) or one of the {len(self._rows)} bodies, got {body}")
        if (kind is ShapeKind.MESH) != (mesh is not None):
            raise ValueError(f"a mesh belongs to ShapeKind.MESH and to no other, got kind {kind.value}")
        if mesh is not None:
            check_mesh(mesh)
        norm = float(np.linalg.norm(np.asarray(quat, dtype=np.float64)))
        if len(quat) != 4 or not np.isfinite(norm) or norm < 1e-9:
            raise ValueError(f"quat must be a quaternion xyzw that is not zero, got {quat!r}")
        x, y, z, w = (float(q) / norm for q in quat)
        a, b, c = (*given, 0.0, 0.0, 0.0)[:3]
        self.instances.append(
            Instance(
                kind,
                (a, b, c),
                vector(pos, "pos"),
                (x, y, z, w),
                vector(color, "color"),
                body,
                mesh,
                ground_look,
            )
        )
        self.version += 1
        return len(self.instances) - 1

    def add_actor(
        self,
        asset: Asset,
        *,
        row: int | None = None,
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        color: Color | str | None = "palette",
        segmentation: int | None = None,
    ) -> int:
        """Add a robot or object: its visuals, or its collision shapes where it has none.

        Args:
            asset: What to draw.
            row: Row of its first link in `set_poses`; its other links follow. Default: the next free.
            origin: Its env's place in the world [m], added to the poses given; for drawing envs side by side.
            color: A tint (sRGB), "palette" for one of the viewer's own, or None for the file's colours.
            segmentation: Value in segmentation pictures; default: the actor's number, counted from 1.

        Returns:
            The index of the actor's first body.
        """
        index = self._actors
        self._actors += 1
        first_row = self.num_rows if row is None else row
        segmentation = index + 1 if segmentation is None else segmentation
        tint = actor_color(index) if color == "palette" else color
        if isinstance(tint, str):
            raise ValueError(f"color must be an sRGB triple, 'palette' or None, got {color!r}")
        first = len(self._rows)
        depths: list[int] = []
        for k, link in enumerate(asset.links):
            self.add_body(row=first_row + k, origin=origin, segmentation=segmentation)
            parent = self._rest[first + link.parent] if link.parent >= 0 else self._rest[first + k]
            depths.append(depths[link.parent] + 1 if link.parent >= 0 else 0)
            self._rest[-1] = np.concatenate(transform_compose((parent[:3], parent[3:]), (link.pos, link.quat)))
        looks = _looks(asset)
        file_colors = [_file_color(look) for look in looks]
        if tint is None:
            colors = [c or (0.62, 0.65, 0.69) for c in file_colors]
        else:
            colors = tinted(file_colors, [depths[look.link] for look in looks], vector(tint, "color"))
        for look, shade in zip(looks, colors, strict=True):
            body = first + look.link
            self.add_shape(look.kind, look.size, pos=look.pos, quat=look.quat, color=shade, body=body, mesh=look.mesh)
        return first

    def set_poses(self, poses: Any) -> None:
        """Move the bodies.

        Args:
            poses: (R, 7 or 13), numpy or torch on any device: position [m] in the env's frame, quaternion
                xyzw; what follows is ignored; R >= `num_rows`. Copied.

        Raises:
            ValueError: if the shape is another.
        """
        if hasattr(poses, "detach"):
            poses = poses.detach()
        shape = tuple(poses.shape)
        if len(shape) != 2 or shape[1] not in (7, 13) or shape[0] < self.num_rows:
            raise ValueError(f"poses must be (at least {self.num_rows}, 7 or 13), got {shape}")
        # gather on the poses' own device: a field of 60 out of 4096 envs should not cross the bus whole
        picked = poses[self._rows, :7]
        if hasattr(picked, "cpu"):
            picked = picked.cpu().numpy()
        self._poses = np.array(picked, dtype=np.float32)

    def poses(self) -> np.ndarray:
        """(num_bodies, 7) float32 in the envs' frames: those last set, or the rest poses."""
        if self._poses is None:
            self._poses = np.asarray(self._rest, dtype=np.float32).reshape(-1, 7)
        return self._poses

    def origins(self) -> np.ndarray:
        """(num_bodies, 3) float32 [m], world frame."""
        return np.asarray(self._origins, dtype=np.float32).reshape(-1, 3)

    def segmentation(self) -> np.ndarray:
        """(num_bodies,) int32: the segmentation value of each body."""
        return np.asarray(self._segmentation, dtype=np.int32)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner [m] of a box around the bodies' and the world shapes' origins."""
        fixed = [i.pos for i in self.instances if i.body == WORLD]
        moving = self.poses()[:, :3] + self.origins()
        all_points = np.concatenate([moving, np.array(fixed, dtype=np.float32).reshape(-1, 3)])
        all_points = all_points[np.isfinite(all_points).all(axis=1)]
        if not len(all_points):
            return np.zeros(3), np.zeros(3)
        return all_points.min(axis=0), all_points.max(axis=0)

    def overview(
        self, azimuth: float = -60.0, elevation: float = 22.0, *, fov: float = 35.0, fill: float = 0.85
    ) -> Camera:
        """A camera that sees every body, from the direction given in degrees (see :meth:`Camera.orbit`).

        `fill` is the share of the picture's height the field's bounding sphere may take.
        """
        lower, upper = self.bounds()
        radius = float(np.linalg.norm(upper - lower)) / 2 + 0.5
        distance = radius / np.tan(np.radians(fov) / 2) / max(fill, 1e-3)
        return Camera.orbit((lower + upper) / 2, distance, azimuth, elevation, up=self.up, fov=fov)


def _looks(asset: Asset) -> list[Visual | Shape]:
    """What of an asset is drawn: its visuals that are not transparent, or else its collision shapes."""
    visuals = [v for v in asset.visuals if v.rgba is None or v.rgba[3] > 0.02]
    return list(visuals) if visuals else list(asset.shapes)


def _file_color(look: Visual | Shape) -> Color | None:
    if isinstance(look, Shape) or look.rgba is None:
        return None
    red, green, blue, _ = look.rgba
    return red, green, blue
