"""Rays, distances and shadows of one primitive, in the primitive's own frame.

Sizes are those of :class:`kilogym.assets.asset.ShapeKind`. Rays are `origin + t * direction` with a unit
direction, so t is metres. Only entries count as hits: a ray that starts inside a primitive does not see it,
so that a camera may sit inside a robot's head.
"""

# mypy: ignore-errors
# ruff: noqa: UP018
# Kernel code: Warp's stubs reject vector arithmetic and array types, and int(0) declares a variable.

from __future__ import annotations

import warp as wp

wp.set_module_options({"enable_backward": False, "max_unroll": 3})

SPHERE = 0
CAPSULE = 1
CYLINDER = 2
BOX = 3
ELLIPSOID = 4
MESH = 5

MISS = wp.constant(-1.0)
# an interval's end that no ray reaches [m]
CLEAR = wp.constant(1.0e6)
# intervals of the golden-section search; each shrinks the bracket by 0.62, so 14 leave 0.1 % of the size
SEARCH_STEPS = wp.constant(14)


@wp.func
def enters_ball(b: float, c: float) -> float:
    """First root of t^2 + 2 b t + c = 0, or MISS."""
    h = b * b - c
    if h <= 0.0:
        return MISS
    return -b - wp.sqrt(h)


@wp.func
def ray_sphere(origin: wp.vec3, direction: wp.vec3, radius: float) -> float:
    return enters_ball(wp.dot(origin, direction), wp.dot(origin, origin) - radius * radius)


@wp.func
def ray_capsule(origin: wp.vec3, direction: wp.vec3, radius: float, half: float) -> float:
    """The wall first; where the ray meets it beyond the ends, the ball at that end decides."""
    a = 1.0 - direction[2] * direction[2]
    z_end = half
    if a > 1.0e-9:
        b = direction[0] * origin[0] + direction[1] * origin[1]
        c = origin[0] * origin[0] + origin[1] * origin[1] - radius * radius
        h = b * b - a * c
        if h <= 0.0:
            return MISS
        t = (-b - wp.sqrt(h)) / a
        z = origin[2] + t * direction[2]
        if wp.abs(z) <= half:
            return t
        z_end = wp.where(z > 0.0, half, -half)
    else:
        z_end = wp.where(direction[2] > 0.0, -half, half)
    end = wp.vec3(origin[0], origin[1], origin[2] - z_end)
    return ray_sphere(end, direction, radius)


@wp.func
def slab(origin: float, direction: float, half: float) -> wp.vec2:
    """Interval of t in which |origin + t * direction| <= half; empty (first > second) when never."""
    if wp.abs(direction) < 1.0e-9:
        if wp.abs(origin) > half:
            return wp.vec2(CLEAR, -CLEAR)
        return wp.vec2(-CLEAR, CLEAR)
    a = (-half - origin) / direction
    b = (half - origin) / direction
    return wp.vec2(wp.min(a, b), wp.max(a, b))


@wp.func
def ray_cylinder(origin: wp.vec3, direction: wp.vec3, radius: float, half: float) -> float:
    z = slab(origin[2], direction[2], half)
    enter = z[0]
    leave = z[1]
    a = 1.0 - direction[2] * direction[2]
    c = origin[0] * origin[0] + origin[1] * origin[1] - radius * radius
    if a > 1.0e-9:
        b = direction[0] * origin[0] + direction[1] * origin[1]
        h = b * b - a * c
        if h <= 0.0:
            return MISS
        root = wp.sqrt(h)
        enter = wp.max(enter, (-b - root) / a)
        leave = wp.min(leave, (-b + root) / a)
    elif c > 0.0:
        return MISS
    return wp.where(enter < leave, enter, MISS)


@wp.func
def ray_box(origin: wp.vec3, direction: wp.vec3, half: wp.vec3) -> float:
    x = slab(origin[0], direction[0], half[0])
    y = slab(origin[1], direction[1], half[1])
    z = slab(origin[2], direction[2], half[2])
    enter = wp.max(x[0], wp.max(y[0], z[0]))
    leave = wp.min(x[1], wp.min(y[1], z[1]))
    return wp.where(enter < leave, enter, MISS)


@wp.func
def ray_ellipsoid(origin: wp.vec3, direction: wp.vec3, axes: wp.vec3) -> float:
    """A unit sphere in the space scaled by the axes."""
    o = wp.cw_div(origin, axes)
    d = wp.cw_div(direction, axes)
    a = wp.dot(d, d)
    return enters_ball(wp.dot(o, d) / a, (wp.dot(o, o) - 1.0) / a)


@wp.func
def ray_convex(kind: int, origin: wp.vec3, direction: wp.vec3, size: wp.vec3) -> float:
    """Distance [m] at which a ray enters a primitive (not a MESH), or MISS when it starts inside or misses.

    The origin is first moved next to the primitive's centre: from 200 m away, single precision
    would otherwise lose a small sphere in the cancellation of b^2 - c.
    """
    shift = -wp.dot(origin, direction)
    near = origin + shift * direction
    t = float(0.0)
    if kind == SPHERE:
        h = size[0] * size[0] - wp.dot(near, near)
        if h <= 0.0:
            return MISS
        return wp.where(shift - wp.sqrt(h) > 0.0, shift - wp.sqrt(h), MISS)
    # below, MISS would be confused with entries before the moved origin; move it back ahead of the shape
    back = size[0] + size[1] + size[2]
    near = near - back * direction
    if kind == CAPSULE:
        t = ray_capsule(near, direction, size[0], size[1])
    elif kind == CYLINDER:
        t = ray_cylinder(near, direction, size[0], size[1])
    elif kind == BOX:
        t = ray_box(near, direction, size)
    else:
        t = ray_ellipsoid(near, direction, size)
    if t < 0.0 or t + shift - back <= 0.0:
        return MISS
    return t + shift - back


@wp.func
def normal_convex(kind: int, point: wp.vec3, size: wp.vec3) -> wp.vec3:
    """Outward unit normal at a point on the surface of a primitive (every kind but MESH)."""
    if kind == CAPSULE:
        return wp.normalize(wp.vec3(point[0], point[1], point[2] - wp.clamp(point[2], -size[1], size[1])))
    if kind == CYLINDER:
        side = wp.sqrt(point[0] * point[0] + point[1] * point[1])
        if wp.abs(point[2]) - size[1] > side - size[0]:
            return wp.vec3(0.0, 0.0, wp.sign(point[2]))
        return wp.normalize(wp.vec3(point[0], point[1], 0.0))
    if kind == BOX:
        x = wp.abs(point[0]) - size[0]
        y = wp.abs(point[1]) - size[1]
        z = wp.abs(point[2]) - size[2]
        if x >= y and x >= z:
            return wp.vec3(wp.sign(point[0]), 0.0, 0.0)
        if y >= z:
            return wp.vec3(0.0, wp.sign(point[1]), 0.0)
        return wp.vec3(0.0, 0.0, wp.sign(point[2]))
    if kind == ELLIPSOID:
        return wp.normalize(wp.cw_div(wp.cw_div(point, size), size))
    return wp.normalize(point)


@wp.func
def distance_convex(kind: int, point: wp.vec3, size: wp.vec3) -> float:
    """Signed distance [m] from a primitive's surface, negative inside; for ellipsoids a close estimate."""
    if kind == SPHERE:
        return wp.length(point) - size[0]
    if kind == CAPSULE:
        z = point[2] - wp.clamp(point[2], -size[1], size[1])
        return wp.length(wp.vec3(point[0], point[1], z)) - size[0]
    if kind == CYLINDER:
        side = wp.sqrt(point[0] * point[0] + point[1] * point[1]) - size[0]
        top = wp.abs(point[2]) - size[1]
        outside = wp.length(wp.vec2(wp.max(side, 0.0), wp.max(top, 0.0)))
        return outside + wp.min(wp.max(side, top), 0.0)
    if kind == BOX:
        x = wp.abs(point[0]) - size[0]
        y = wp.abs(point[1]) - size[1]
        z = wp.abs(point[2]) - size[2]
        outside = wp.length(wp.vec3(wp.max(x, 0.0), wp.max(y, 0.0), wp.max(z, 0.0)))
        return outside + wp.min(wp.max(x, wp.max(y, z)), 0.0)
    # ellipsoid: first-order estimate, exact on the surface
    k0 = wp.length(wp.cw_div(point, size))
    k1 = wp.length(wp.cw_div(wp.cw_div(point, size), size))
    return wp.where(k1 > 1.0e-9, k0 * (k0 - 1.0) / wp.max(k1, 1.0e-9), -wp.min(size))


@wp.func
def closest_on_capsule_ray(origin: wp.vec3, direction: wp.vec3, half: float) -> float:
    """The t at which a ray is closest to the segment |z| <= half on the z axis."""
    a = 1.0 - direction[2] * direction[2]
    t = -wp.dot(origin, direction)
    if a > 1.0e-6:
        t = -(origin[0] * direction[0] + origin[1] * direction[1]) / a
    z = wp.clamp(origin[2] + t * direction[2], -half, half)
    return (z - origin[2]) * direction[2] - origin[0] * direction[0] - origin[1] * direction[1]


@wp.func
def closest_on_ray(kind: int, origin: wp.vec3, direction: wp.vec3, size: wp.vec3, radius: float) -> float:
    """The t at which a ray comes closest to a primitive (deepest inside it, if it enters).

    Spheres and capsules in closed form. The signed distance to a convex body is convex along a line, so a
    golden-section search finds the others.
    """
    middle = -wp.dot(origin, direction)
    if kind == SPHERE:
        return middle
    if kind == CAPSULE:
        return closest_on_capsule_ray(origin, direction, size[1])
    low = middle - radius
    high = middle + radius
    for _ in range(SEARCH_STEPS):
        a = high - 0.618034 * (high - low)
        b = low + 0.618034 * (high - low)
        gap_a = distance_convex(kind, origin + a * direction, size)
        gap_b = distance_convex(kind, origin + b * direction, size)
        if gap_a < gap_b:
            high = b
        else:
            low = a
    return 0.5 * (low + high)


@wp.func
def soft_blocking(
    kind: int, origin: wp.vec3, direction: wp.vec3, size: wp.vec3, radius: float, sun_tan: float
) -> float:
    """Share of the sun's disc, 0..1, that a primitive hides from `origin`.

    The disc is a cone of half-angle tangent `sun_tan` around the ray. At the ray's closest approach to the
    primitive the cone is `width` wide; the signed distance there, in widths, tells how much of it
    is covered (a straight edge across the disc; smooth, without noise, so that films do not flicker).
    """
    t = closest_on_ray(kind, origin, direction, size, radius)
    if t <= 0.0:
        return 0.0
    width = t * sun_tan
    gap = distance_convex(kind, origin + t * direction, size)
    if gap >= width:
        return 0.0
    # the gap is never below minus the primitive's radius: one smaller than the disc hides only a part of it
    return 1.0 - wp.smoothstep(-width, width, gap)
