"""What a ray hits: the scene as the device sees it, and the search through it."""

# mypy: ignore-errors
# ruff: noqa: UP018, RUF046
# Kernel code: Warp's stubs reject vector arithmetic and array types, and int(0) declares a variable.

from __future__ import annotations

from typing import Any

import warp as wp

from kilogym.viewer.primitives import MESH, MISS, normal_convex, ray_convex

wp.set_module_options({"enable_backward": False, "max_unroll": 3})

NOTHING = -1
GROUND = -2
FAR = wp.constant(1.0e9)  # [m]; the distance of a ray that hits nothing
# hit points are lifted off their surface by this share of their distance, plus LIFT [m], before the next ray
LIFT = wp.constant(2.0e-4)


@wp.struct
class Shapes:
    """The scene on the device. Per-shape arrays are of length `count`; the frames are world frames."""

    count: int
    tree: wp.uint64  # bounding hierarchy over the shapes' boxes
    # constant while the drawing does not change:
    kind: wp.array(dtype=int)
    size: wp.array(dtype=wp.vec3)  # [m], see primitives.py
    centre: wp.array(dtype=wp.vec3)  # centre of the bounds, in the shape's frame [m]
    core: wp.array(dtype=wp.vec3)  # half extents of the bounds less `rounding`, in the shape's frame [m]
    rounding: wp.array(dtype=float)  # radius by which the core is rounded [m]
    radius: wp.array(dtype=float)  # of the bounding sphere about the centre [m]
    color: wp.array(dtype=wp.vec3)  # linear light
    ground_look: wp.array(dtype=int)  # 1: drawn with the ground's tiles
    mesh: wp.array(dtype=wp.uint64)
    first_corner: wp.array(dtype=int)  # row of the mesh's first corner in `corner_*`
    corner_normal: wp.array(dtype=wp.vec3)  # [3 * triangles], shape frame
    corner_color: wp.array(dtype=wp.vec3)  # [3 * triangles], linear light; multiplied with `color`
    body: wp.array(dtype=int)  # -1: fixed to the world
    offset: wp.array(dtype=wp.transform)  # pose in the body's frame
    origin: wp.array(dtype=wp.vec3)  # of the body's env, world frame [m]
    # written once per picture:
    pose: wp.array(dtype=wp.transform)  # world frame
    middle: wp.array(dtype=wp.vec3)  # centre of the bounding sphere, world frame [m]
    lower: wp.array(dtype=wp.vec3)
    upper: wp.array(dtype=wp.vec3)
    # ground: the points with dot(point, up) = ground_height
    ground: int
    ground_height: float
    up: wp.vec3
    ahead: wp.vec3  # first ground axis
    left: wp.vec3  # second ground axis


@wp.struct
class Hit:
    """What a ray met first.

    distance [m] along the unit ray, FAR when nothing; shape: index of the shape, GROUND or NOTHING;
    normal: unit, world frame, towards the ray's side; tint: linear colour of the mesh there, else white.
    """

    distance: float
    shape: int
    normal: wp.vec3
    tint: wp.vec3


@wp.struct
class View:
    """A camera; right and upward are scaled so that the picture spans -1..1 along both."""

    eye: wp.vec3
    forward: wp.vec3
    right: wp.vec3
    upward: wp.vec3
    width: int
    height: int
    target_distance: float  # [m]


@wp.func
def view_ray(view: View, x: float, y: float) -> wp.vec3:
    """Unit direction through the picture point (x, y) [px], y downwards from the top edge."""
    sx = 2.0 * x / float(view.width) - 1.0
    sy = 1.0 - 2.0 * y / float(view.height)
    return wp.normalize(view.forward + sx * view.right + sy * view.upward)


@wp.func
def no_zeros(direction: wp.vec3) -> wp.vec3:
    """The hierarchy's slab test divides by the components."""
    tiny = 1.0e-12
    return wp.vec3(
        wp.where(wp.abs(direction[0]) < tiny, tiny, direction[0]),
        wp.where(wp.abs(direction[1]) < tiny, tiny, direction[1]),
        wp.where(wp.abs(direction[2]) < tiny, tiny, direction[2]),
    )


@wp.func
def passes_ball(origin: wp.vec3, direction: wp.vec3, middle: wp.vec3, radius: float) -> bool:
    """Whether the line of a unit ray passes within `radius` of `middle`."""
    rel = middle - origin
    along = wp.dot(rel, direction)
    off = rel - along * direction
    return wp.dot(off, off) <= radius * radius


@wp.func
def trace_ground(shapes: Shapes, origin: wp.vec3, direction: wp.vec3) -> float:
    """Distance at which a ray meets the ground from above, or MISS."""
    fall = wp.dot(direction, shapes.up)
    height = wp.dot(origin, shapes.up) - shapes.ground_height
    if shapes.ground == 0 or fall > -1.0e-6 or height <= 0.0:
        return MISS
    return -height / fall


@wp.func
def trace(shapes: Shapes, origin: wp.vec3, direction: wp.vec3, reach: float) -> Hit:
    """The first thing a ray meets within `reach` [m]."""
    hit = Hit()
    hit.distance = reach
    hit.shape = NOTHING
    hit.normal = -direction
    hit.tint = wp.vec3(1.0, 1.0, 1.0)
    t_ground = trace_ground(shapes, origin, direction)
    if t_ground > 0.0 and t_ground < reach:
        hit.distance = t_ground
        hit.shape = GROUND
        hit.normal = shapes.up
    face = int(0)
    u = float(0.0)
    v = float(0.0)
    if shapes.count > 0:
        index = int(0)
        query = wp.bvh_query_ray(shapes.tree, origin, no_zeros(direction))
        while wp.bvh_query_next(query, index, hit.distance):
            if passes_ball(origin, direction, shapes.middle[index], shapes.radius[index]):
                pose = shapes.pose[index]
                back = wp.quat_inverse(wp.transform_get_rotation(pose))
                local_origin = wp.quat_rotate(back, origin - wp.transform_get_translation(pose))
                local_direction = wp.quat_rotate(back, direction)
                kind = shapes.kind[index]
                if kind == MESH:
                    found = wp.mesh_query_ray(shapes.mesh[index], local_origin, local_direction, hit.distance)
                    if found.result and found.t < hit.distance:
                        hit.distance = found.t
                        hit.shape = index
                        face = found.face
                        u = found.u
                        v = found.v
                else:
                    t = ray_convex(kind, local_origin, local_direction, shapes.size[index])
                    if t > 0.0 and t < hit.distance:
                        hit.distance = t
                        hit.shape = index
    if hit.shape >= 0:
        pose = shapes.pose[hit.shape]
        kind = shapes.kind[hit.shape]
        normal = wp.vec3()
        if kind == MESH:
            corner = shapes.first_corner[hit.shape] + 3 * face
            w = 1.0 - u - v
            normal = wp.normalize(
                u * shapes.corner_normal[corner]
                + v * shapes.corner_normal[corner + 1]
                + w * shapes.corner_normal[corner + 2]
            )
            hit.tint = (
                u * shapes.corner_color[corner]
                + v * shapes.corner_color[corner + 1]
                + w * shapes.corner_color[corner + 2]
            )
        else:
            point = wp.transform_point(wp.transform_inverse(pose), origin + hit.distance * direction)
            normal = normal_convex(kind, point, shapes.size[hit.shape])
        hit.normal = wp.quat_rotate(wp.transform_get_rotation(pose), normal)
        if kind == MESH and wp.dot(hit.normal, direction) > 0.0:
            hit.normal = -hit.normal
    if hit.shape == NOTHING:
        hit.distance = FAR
    return hit


@wp.kernel
def place_shapes(body_pose: wp.array(dtype=wp.transform), sun: wp.vec3, sun_tan: float, floor: float, shapes: Shapes):
    """Put one shape where its body is, and bound it; one thread per shape.

    Boxes are grown by the width its half-shadow can have at the lowest height `floor` [m], so that the
    same hierarchy serves shadow rays. A shape whose pose is not finite is put out of sight.
    """
    i = wp.tid()
    body = shapes.body[i]
    pose = shapes.offset[i]
    if body >= 0:
        moved = body_pose[body]
        pos = wp.transform_get_translation(moved) + shapes.origin[i]
        rot = wp.normalize(wp.transform_get_rotation(moved))
        pose = wp.transform_multiply(wp.transform(pos, rot), pose)
    pos = wp.transform_get_translation(pose)
    rot = wp.transform_get_rotation(pose)
    if not (wp.isfinite(pos) and wp.isfinite(rot)) or wp.length(pos) > 1.0e6:
        pos = wp.vec3(1.0e6, 1.0e6, 1.0e6)
        rot = wp.quat_identity()
        pose = wp.transform(pos, rot)
    middle = wp.transform_point(pose, shapes.centre[i])
    axes = wp.quat_to_matrix(rot)
    core = shapes.core[i]
    half = wp.vec3()
    for row in range(3):
        half[row] = (
            wp.abs(axes[row, 0]) * core[0]
            + wp.abs(axes[row, 1]) * core[1]
            + wp.abs(axes[row, 2]) * core[2]
            + shapes.rounding[i]
        )
    rise = wp.dot(middle, shapes.up) + shapes.radius[i] - floor
    grow = sun_tan * wp.max(rise, 0.0) / wp.max(wp.dot(sun, shapes.up), 0.05)
    margin = wp.vec3(grow, grow, grow)
    shapes.pose[i] = pose
    shapes.middle[i] = middle
    shapes.lower[i] = middle - half - margin
    shapes.upper[i] = middle + half + margin


@wp.kernel
def trace_pixels(
    shapes: Shapes,
    view: View,
    distance: wp.array2d(dtype=float),
    depth: wp.array2d(dtype=float),
    normal: wp.array2d(dtype=wp.vec3),
    shape: wp.array2d(dtype=int),
):
    """The hit record through the middle of each pixel; one thread per pixel."""
    row, column = wp.tid()
    direction = view_ray(view, float(column) + 0.5, float(row) + 0.5)
    hit = trace(shapes, view.eye, direction, FAR)
    distance[row, column] = hit.distance
    depth[row, column] = hit.distance * wp.dot(direction, view.forward)
    normal[row, column] = hit.normal
    shape[row, column] = hit.shape


def array(data: Any, dtype: Any, device: str) -> Any:
    """A Warp array; typed as Any because Warp's own annotations reject its documented use."""
    return wp.array(data, dtype=dtype, device=device)
