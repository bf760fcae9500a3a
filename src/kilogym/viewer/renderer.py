"""Pictures of a drawing: device tables, launches, results."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp

from kilogym.assets.asset import ShapeKind
from kilogym.viewer import primitives, shading, tracing
from kilogym.viewer.camera import Camera, up_axis
from kilogym.viewer.drawing import WORLD, Drawing
from kilogym.viewer.meshes import corner_colors, corner_normals
from kilogym.viewer.style import Style, srgb_to_linear

_KINDS = {
    ShapeKind.SPHERE: primitives.SPHERE,
    ShapeKind.CAPSULE: primitives.CAPSULE,
    ShapeKind.CYLINDER: primitives.CYLINDER,
    ShapeKind.BOX: primitives.BOX,
    ShapeKind.ELLIPSOID: primitives.ELLIPSOID,
    ShapeKind.MESH: primitives.MESH,
}

# a pixel is refined when a neighbour differs by more than this share of full scale; 0.02 leaves no stairs
REFINE_CONTRAST = 0.02


@dataclass(frozen=True)
class Hits:
    """What the ray through the middle of each pixel meets first; arrays of shape (height, width).

    Attributes:
        distance: Along the ray [m]; inf where nothing.
        depth: Along the camera's viewing axis [m]; inf where nothing.
        normal: (height, width, 3), unit, world frame, towards the camera's side; minus the ray where nothing.
        instance: Index into `Drawing.instances`; -2 ground, -1 nothing.
        body: Index of the body; -1 for shapes of the world, the ground and nothing.
        segmentation: Segmentation value of the body's actor; 0 for everything else.
    """

    distance: np.ndarray
    depth: np.ndarray
    normal: np.ndarray
    instance: np.ndarray
    body: np.ndarray
    segmentation: np.ndarray


class Renderer:
    """Ray traces drawings on one device.

    Args:
        width: Picture width [px].
        height: Picture height [px].
        device: A Warp device name: "cpu", "cuda:0", or None for Warp's default.
        samples: Rays through a pixel that differs from its neighbours (others get one); 1 = no antialiasing.
        style: Light and surroundings.
        threads: CPU threads; default: as many as there are cores, at most 8. Results do not depend on it.

    Raises:
        ValueError: for a size, sample count or thread count below 1.
    """

    def __init__(
        self,
        width: int = 640,
        height: int = 360,
        device: str | None = None,
        samples: int = 8,
        style: Style | None = None,
        threads: int | None = None,
    ) -> None:
        if width < 1 or height < 1 or samples < 1 or (threads is not None and threads < 1):
            raise ValueError(
                f"width, height, samples and threads must be at least 1, got {width}, {height}, {samples}, {threads}"
            )
        # Warp announces itself and its compilations on stdout unless told otherwise
        if wp.config.log_level == wp.LOG_INFO:
            wp.config.log_level = wp.LOG_WARNING
        self.width, self.height, self.samples = int(width), int(height), int(samples)
        self.style = style or Style()
        self.device = wp.get_device(device)
        self.threads = threads or min(os.cpu_count() or 1, 8)
        with wp.ScopedDevice(self.device):
            self._color = wp.zeros((height, width), dtype=wp.vec3)
            self._picture = wp.zeros((height, width, 3), dtype=wp.uint8)
        self._tables: _Tables | None = None

    def render(self, drawing: Drawing, camera: Camera) -> np.ndarray:
        """A picture, (height, width, 3) uint8 sRGB, row 0 at the top. Waits for the device."""
        shapes, look = self._place(drawing), self._look(drawing, camera)
        view = self._view(camera)

        def shade(first: int, rows: int) -> None:
            self._launch(shading.shade_pixels, rows, [shapes, look, view, first, self._color])

        def refine(first: int, rows: int) -> None:
            inputs = [shapes, look, view, first, self.samples, REFINE_CONTRAST, self._color, self._picture]
            self._launch(shading.refine_pixels, rows, inputs)

        self._in_bands(shade)
        self._in_bands(refine)
        # on the CPU numpy() is a view of the buffer that the next picture overwrites
        return self._picture.numpy().copy()

    def trace(self, drawing: Drawing, camera: Camera) -> Hits:
        """What each pixel's middle sees, without light: for depth and segmentation. Waits for the device."""
        shapes, view = self._place(drawing), self._view(camera)
        with wp.ScopedDevice(self.device):
            distance, depth = (wp.zeros((self.height, self.width), dtype=float) for _ in range(2))
            normal = wp.zeros((self.height, self.width), dtype=wp.vec3)
            shape = wp.zeros((self.height, self.width), dtype=int)
            wp.launch(
                tracing.trace_pixels,
                dim=(self.height, self.width),
                inputs=[shapes, view, distance, depth, normal, shape],
            )
        instance = shape.numpy()
        missed = instance == tracing.NOTHING
        # one more entry at the end, so that -1 and -2 both find it
        bodies = np.array([i.body for i in drawing.instances] + [WORLD, WORLD], dtype=np.int32)
        segments = np.append(drawing.segmentation(), np.int32(0))
        body = bodies[instance]
        return Hits(
            distance=np.where(missed, np.float32(np.inf), distance.numpy()),
            depth=np.where(missed, np.float32(np.inf), depth.numpy()),
            normal=normal.numpy(),
            instance=instance,
            body=body,
            segmentation=segments[body],
        )

    def render_depth(self, drawing: Drawing, camera: Camera) -> np.ndarray:
        """(height, width) float32: depth along the viewing axis [m], inf where nothing."""
        return self.trace(drawing, camera).depth

    def render_segmentation(self, drawing: Drawing, camera: Camera) -> np.ndarray:
        """(height, width) int32: segmentation value of the actor seen, 0 for ground, world and sky."""
        return self.trace(drawing, camera).segmentation

    def _launch(self, kernel: Any, rows: int, inputs: list[Any]) -> None:
        wp.launch(kernel, dim=(rows, self.width), inputs=inputs, device=self.device)

    def _in_bands(self, work: Callable[[int, int], None]) -> None:
        """Call `work(first_row, rows)` for all rows: on the CPU in bands on threads (the GIL is free)."""
        if self.device.is_cuda or self.threads == 1:
            work(0, self.height)
            return
        # more bands than threads, because a band of robots takes longer than a band of sky
        step = max(1, -(-self.height // (8 * self.threads)))
        bands = [(first, min(step, self.height - first)) for first in range(0, self.height, step)]
        # load the module before threads race for it
        wp.load_module(shading, device=self.device)
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(lambda band: work(*band), bands))

    def _place(self, drawing: Drawing) -> Any:
        """The scene's device tables with every shape in its place."""
        if self._tables is None or self._tables.drawing is not drawing or self._tables.version != drawing.version:
            self._tables = _Tables(drawing, self.device)
        sun = self.style.sun_direction(drawing.up)
        return self._tables.place(drawing, sun, math.tan(math.radians(self.style.sun_size)))

    def _view(self, camera: Camera) -> Any:
        right, up, forward = camera.basis()
        half = math.tan(math.radians(camera.fov) / 2)
        view = tracing.View()
        view.eye, view.forward = wp.vec3(*camera.eye), wp.vec3(*forward)
        view.right = wp.vec3(*(right * half * self.width / self.height))
        view.upward = wp.vec3(*(up * half))
        view.width, view.height = self.width, self.height
        view.target_distance = float(np.linalg.norm(np.subtract(camera.target, camera.eye)))
        return view

    def _look(self, drawing: Drawing, camera: Camera) -> Any:
        style, look = self.style, shading.Look()
        look.sun_direction = wp.vec3(*style.sun_direction(drawing.up))
        look.sun = wp.vec3(*(srgb_to_linear(style.sun) * style.sun_strength))
        look.sun_tan = math.tan(math.radians(style.sun_size))
        for name in ("sky_top", "sky_horizon", "ground", "ground_alternate", "line"):
            setattr(look, name, wp.vec3(*srgb_to_linear(getattr(style, name))))
        for name in ("sky_strength", "tile", "ao_strength", "floor_gloss", "gloss", "exposure"):
            setattr(look, name, float(getattr(style, name)))
        assert self._tables is not None
        look.haze = style.haze * float(np.linalg.norm(np.subtract(camera.target, camera.eye)))
        look.ao_range = style.ao_range if style.ao_range is not None else self._tables.ao_range
        return look


class _Tables:
    """The device arrays of one drawing."""

    def __init__(self, drawing: Drawing, device: Any) -> None:
        self.drawing, self.version, self.device = drawing, drawing.version, device
        self.tree: Any = None
        self.meshes: dict[int, tuple[Any, int]] = {}  # by id of the asset mesh: the Warp mesh, its first corner
        self.shapes = tracing.Shapes()
        self.floor = 0.0 if drawing.ground is None else drawing.ground
        self.ao_range = _ao_range(drawing)
        self._fill_meshes(drawing)
        self._fill_shapes(drawing)

    def _array(self, data: Any, dtype: Any) -> Any:
        return tracing.array(data, dtype, self.device)

    def _fill_meshes(self, drawing: Drawing) -> None:
        normals, colors, corners = [np.zeros((0, 3))], [np.zeros((0, 3))], 0
        for instance in drawing.instances:
            mesh = instance.mesh
            if mesh is None or id(mesh) in self.meshes:
                continue
            points = self._array(np.asarray(mesh.vertices, dtype=np.float32), wp.vec3)
            indices = self._array(np.asarray(mesh.triangles, dtype=np.int32).reshape(-1), int)
            self.meshes[id(mesh)] = (wp.Mesh(points=points, indices=indices), corners)
            normals.append(corner_normals(np.asarray(mesh.vertices), np.asarray(mesh.triangles)))
            colors.append(corner_colors(mesh))
            corners += 3 * len(mesh.triangles)
        self.shapes.corner_normal = self._array(np.concatenate(normals).astype(np.float32), wp.vec3)
        self.shapes.corner_color = self._array(np.concatenate(colors).astype(np.float32), wp.vec3)

    def _fill_shapes(self, drawing: Drawing) -> None:
        shapes, instances = self.shapes, drawing.instances
        origins = drawing.origins()
        bounds = [i.bounds() for i in instances]
        colors = srgb_to_linear(np.array([i.color for i in instances]).reshape(-1, 3))
        mesh_rows = [self.meshes[id(i.mesh)] if i.mesh is not None else None for i in instances]

        def rows(values: list[Any], dtype: Any, columns: int = 0) -> Any:
            data = np.array(values, dtype=np.int32 if dtype is int else np.float32)
            return self._array(data.reshape(-1, columns) if columns else data, dtype)

        shapes.count = len(instances)
        shapes.kind = rows([_KINDS[i.kind] for i in instances], int)
        shapes.size = rows([i.size for i in instances], wp.vec3, 3)
        shapes.centre = rows([b[0] for b in bounds], wp.vec3, 3)
        shapes.core = rows([b[1] for b in bounds], wp.vec3, 3)
        shapes.rounding = rows([b[2] for b in bounds], float)
        shapes.radius = rows([float(np.linalg.norm(b[1])) + b[2] for b in bounds], float)
        shapes.color = self._array(colors.astype(np.float32), wp.vec3)
        shapes.ground_look = rows([int(i.ground_look) for i in instances], int)
        shapes.mesh = self._array(np.array([m[0].id if m else 0 for m in mesh_rows], dtype=np.uint64), wp.uint64)
        shapes.first_corner = rows([m[1] if m else 0 for m in mesh_rows], int)
        shapes.body = rows([i.body for i in instances], int)
        shapes.offset = rows([[*i.pos, *i.quat] for i in instances], wp.transform, 7)
        shapes.origin = rows([origins[i.body] if i.body >= 0 else (0, 0, 0) for i in instances], wp.vec3, 3)
        shapes.pose = self._array(np.zeros((len(instances), 7), dtype=np.float32), wp.transform)
        for name in ("middle", "lower", "upper"):
            setattr(shapes, name, self._array(np.zeros((len(instances), 3), dtype=np.float32), wp.vec3))
        up, ahead, left = _axes(drawing.up)
        shapes.up, shapes.ahead, shapes.left = wp.vec3(*up), wp.vec3(*ahead), wp.vec3(*left)
        shapes.ground, shapes.ground_height = int(drawing.ground is not None), self.floor

    def place(self, drawing: Drawing, sun: np.ndarray, sun_tan: float) -> Any:
        """Move every shape to where the drawing's poses put it."""
        shapes = self.shapes
        if shapes.count == 0:
            return shapes
        poses = drawing.poses() if drawing.num_bodies else np.zeros((1, 7), dtype=np.float32)
        floor = self.floor
        if drawing.ground is None:
            heights = drawing.bounds()[0] @ np.asarray(up_axis(drawing.up))
            floor = float(heights) - 1.0
        wp.launch(
            tracing.place_shapes,
            dim=shapes.count,
            inputs=[self._array(poses, wp.transform), wp.vec3(*sun), sun_tan, floor, shapes],
            device=self.device,
        )
        # rebuilt, not refitted: actors that are reset jump across the field
        self.tree = wp.Bvh(shapes.lower, shapes.upper)
        shapes.tree = self.tree.id
        return shapes


def _axes(up: str) -> tuple[tuple[float, float, float], ...]:
    """Up and the two ground axes, right-handed."""
    if up == "z":
        return (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    return (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


def _ao_range(drawing: Drawing) -> float:
    """Reach of contact darkening [m]: about twice the shapes' usual radius; constant over a film."""
    sizes = [float(np.linalg.norm(core)) + rounding for _, core, rounding in (i.bounds() for i in drawing.instances)]
    return float(np.clip(1.8 * np.median(sizes), 0.02, 1.0)) if sizes else 0.3
