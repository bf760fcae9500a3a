"""The colour of what a ray hits: sky, ground, sunlight with soft shadows, contact darkening, highlights.

All colours are linear light until `display`, which maps them to 0..1 sRGB. Nothing here is random: films do
not flicker, and two renders give the same bytes.
"""

# mypy: ignore-errors
# ruff: noqa: UP018, RUF046
# Kernel code: Warp's stubs reject vector arithmetic and array types, and int(0) declares a variable.

from __future__ import annotations

import warp as wp

from kilogym.viewer.primitives import MESH, distance_convex, soft_blocking
from kilogym.viewer.tracing import FAR, GROUND, LIFT, NOTHING, Hit, Shapes, View, passes_ball, trace, view_ray

wp.set_module_options({"enable_backward": False, "max_unroll": 3})

# rays towards a mesh's soft shadow; each adds one step to the half-shadow
MESH_SUN_RAYS = wp.constant(8)
# contact darkening looks along the normal at these shares of its reach
AO_NEAR = wp.constant(0.16)
AO_MIDDLE = wp.constant(0.45)
AO_WEIGHTS = wp.constant(wp.vec3(0.38, 0.36, 0.26))


@wp.struct
class Look:
    """A Style on the device; colours in linear light, angles resolved."""

    sun_direction: wp.vec3  # unit, towards the sun
    sun: wp.vec3  # times its strength
    sun_tan: float  # tangent of the sun's half angle
    sky_top: wp.vec3
    sky_horizon: wp.vec3
    sky_strength: float
    ground: wp.vec3
    ground_alternate: wp.vec3
    line: wp.vec3
    tile: float  # [m]
    haze: float  # [m]; 0: none
    ao_range: float  # [m]
    ao_strength: float
    floor_gloss: float
    gloss: float
    exposure: float


@wp.func
def mix(a: wp.vec3, b: wp.vec3, s: float) -> wp.vec3:
    return a + s * (b - a)


@wp.func
def sky_color(look: Look, direction: wp.vec3, up: wp.vec3) -> wp.vec3:
    """Horizon to zenith, with a faint glow around the sun. Exposure does not dim it."""
    height = wp.max(wp.dot(direction, up), 0.0)
    sky = mix(look.sky_horizon, look.sky_top, 1.0 - wp.exp(-4.5 * height))
    glow = wp.max(wp.dot(direction, look.sun_direction), 0.0)
    return (sky + 0.05 * wp.pow(glow, 12.0) * look.sun) / wp.max(look.exposure, 0.05)


@wp.func
def band(x: float, footprint: float, half: float) -> float:
    """Share of a filter `footprint` wide at x that falls on lines of half width `half` at every integer."""
    a = x - 0.5 * footprint + half
    b = x + 0.5 * footprint + half
    covered_a = wp.floor(a) * 2.0 * half + wp.min((a - wp.floor(a)), 2.0 * half)
    covered_b = wp.floor(b) * 2.0 * half + wp.min((b - wp.floor(b)), 2.0 * half)
    return (covered_b - covered_a) / footprint


@wp.func
def wave(x: float, footprint: float) -> float:
    """Mean over a filter `footprint` wide at x of the square wave: +1 on even tiles, -1 on odd ones."""
    a = 0.5 * (x - 0.5 * footprint)
    b = 0.5 * (x + 0.5 * footprint)
    tent_a = 1.0 - wp.abs(2.0 * (a - wp.floor(a)) - 1.0)
    tent_b = 1.0 - wp.abs(2.0 * (b - wp.floor(b)) - 1.0)
    return (tent_b - tent_a) / footprint


@wp.func
def ground_color(shapes: Shapes, look: Look, point: wp.vec3, step_x: wp.vec3, step_y: wp.vec3) -> wp.vec3:
    """Tiles and grid lines, averaged over the pixel: `step_x`, `step_y` [m] are its sides on the ground."""
    if look.tile <= 0.0:
        return look.ground
    u = wp.dot(point, shapes.ahead) / look.tile
    v = wp.dot(point, shapes.left) / look.tile
    du = (wp.abs(wp.dot(step_x, shapes.ahead)) + wp.abs(wp.dot(step_y, shapes.ahead))) / look.tile + 1.0e-3
    dv = (wp.abs(wp.dot(step_x, shapes.left)) + wp.abs(wp.dot(step_y, shapes.left))) / look.tile + 1.0e-3
    color = mix(look.ground_alternate, look.ground, 0.5 + 0.5 * wave(u, du) * wave(v, dv))
    thin = 1.0 - (1.0 - band(u, du, 0.007)) * (1.0 - band(v, dv, 0.007))
    color = mix(color, look.line, 0.75 * thin)
    # every fifth line is stronger
    thick = 1.0 - (1.0 - band(0.2 * u, 0.2 * du, 0.0032)) * (1.0 - band(0.2 * v, 0.2 * dv, 0.0032))
    return mix(color, look.line, thick)


@wp.func
def mesh_blocking(
    mesh: wp.uint64, origin: wp.vec3, direction: wp.vec3, across: wp.vec3, sun_tan: float, reach: float
) -> float:
    """Share of a few rays over the sun's disc (a fixed spiral) that a mesh stops; all in the mesh's frame."""
    other = wp.cross(direction, across)
    blocked = float(0.0)
    for k in range(MESH_SUN_RAYS):
        angle = 2.3999632 * float(k)
        r = sun_tan * wp.sqrt((float(k) + 0.5) / float(MESH_SUN_RAYS))
        ray = wp.normalize(direction + r * wp.cos(angle) * across + r * wp.sin(angle) * other)
        if wp.mesh_query_ray_anyhit(mesh, origin, ray, reach):
            blocked += 1.0 / float(MESH_SUN_RAYS)
    return blocked


@wp.func
def sunlight(shapes: Shapes, look: Look, point: wp.vec3, own: int) -> float:
    """Share of the sun's disc seen from a point just above shape `own`.

    Shadows of several shapes do not add up: the limbs of one robot overlap, and their seams would show.
    """
    light = float(1.0)
    if shapes.count == 0:
        return light
    sun = look.sun_direction
    index = int(0)
    query = wp.bvh_query_ray(shapes.tree, point, no_zero_sun(sun))
    while wp.bvh_query_next(query, index):
        kind = shapes.kind[index]
        rel = shapes.middle[index] - point
        radius = shapes.radius[index]
        width = wp.max(wp.dot(rel, sun), 0.0) * look.sun_tan
        near = passes_ball(point, sun, shapes.middle[index], radius + width)
        if light > 0.0 and near and (kind == MESH or index != own):
            pose = shapes.pose[index]
            back = wp.quat_inverse(wp.transform_get_rotation(pose))
            local = wp.quat_rotate(back, point - wp.transform_get_translation(pose))
            ray = wp.quat_rotate(back, sun)
            if kind == MESH:
                across = wp.normalize(wp.quat_rotate(back, wp.cross(sun, shapes.left)))
                reach = wp.length(rel) + radius
                light = wp.min(light, 1.0 - mesh_blocking(shapes.mesh[index], local, ray, across, look.sun_tan, reach))
            else:
                blocked = soft_blocking(kind, local, ray, shapes.size[index], radius, look.sun_tan)
                light = wp.min(light, 1.0 - blocked)
    return wp.max(light, 0.0)


@wp.func
def no_zero_sun(sun: wp.vec3) -> wp.vec3:
    return sun + wp.vec3(1.3e-7, 1.7e-7, 1.1e-7)


@wp.func
def gaps_to(shapes: Shapes, index: int, point: wp.vec3, normal: wp.vec3, reaches: wp.vec3) -> wp.vec3:
    """Distances [m] to a shape from points `reaches` along the normal: 0 inside it, at most the reach."""
    pose = shapes.pose[index]
    back = wp.quat_inverse(wp.transform_get_rotation(pose))
    origin = wp.quat_rotate(back, point - wp.transform_get_translation(pose))
    ray = wp.quat_rotate(back, normal)
    kind = shapes.kind[index]
    gaps = wp.vec3()
    if kind != MESH:
        for k in range(3):
            gap = distance_convex(kind, origin + reaches[k] * ray, shapes.size[index])
            gaps[k] = wp.clamp(gap, 0.0, reaches[k])
        return gaps
    # meshes need not be closed, so distance has no sign; a point behind the first wall counts as inside
    mesh = shapes.mesh[index]
    wall = reaches[2]
    ahead = wp.mesh_query_ray(mesh, origin, ray, reaches[2])
    if ahead.result:
        wall = ahead.t
    for k in range(3):
        if reaches[k] <= wall:
            tap = origin + reaches[k] * ray
            gaps[k] = reaches[k]
            found = wp.mesh_query_point_no_sign(mesh, tap, reaches[k])
            if found.result:
                gaps[k] = wp.length(wp.mesh_eval_position(mesh, found.face, found.u, found.v) - tap)
    return gaps


@wp.func
def openness(shapes: Shapes, look: Look, point: wp.vec3, normal: wp.vec3, own: int) -> float:
    """How much of the sky a point sees, 0..1, guessed from the room along its normal.

    On open ground the nearest thing to a point a height h above the surface is the surface itself, h away;
    whatever is nearer takes sky away.
    """
    far = look.ao_range
    reaches = wp.vec3(AO_NEAR * far, AO_MIDDLE * far, far)
    gaps = reaches
    if shapes.ground == 1 and own != GROUND:
        height = wp.dot(point, shapes.up) - shapes.ground_height
        rise = wp.dot(normal, shapes.up)
        for k in range(3):
            gaps[k] = wp.clamp(height + reaches[k] * rise, 0.0, reaches[k])
    if shapes.count > 0:
        index = int(0)
        query = wp.bvh_query_sphere(shapes.tree, point + far * normal, far)
        while wp.bvh_query_next(query, index):
            rel = shapes.middle[index] - point - far * normal
            room = shapes.radius[index] + far
            if index != own and wp.dot(rel, rel) < room * room:
                gaps = wp.min(gaps, gaps_to(shapes, index, point, normal, reaches))
    closed = wp.dot(AO_WEIGHTS, wp.vec3(1.0, 1.0, 1.0) - wp.cw_div(gaps, reaches))
    return 1.0 - look.ao_strength * closed


@wp.func
def ambient(look: Look, normal: wp.vec3, up: wp.vec3) -> wp.vec3:
    """Light from the whole sky above and from the sunlit ground below."""
    tilt = 0.5 + 0.5 * wp.dot(normal, up)
    sky = mix(look.sky_horizon, look.sky_top, 0.35)
    bounce = wp.cw_mul(look.ground, 0.22 * look.sun + 0.25 * look.sky_horizon)
    return look.sky_strength * mix(bounce, sky, tilt)


@wp.func
def plain_light(shapes: Shapes, look: Look, hit: Hit, direction: wp.vec3) -> wp.vec3:
    """Colour of a shape without shadows: what the glossy floor mirrors."""
    albedo = wp.cw_mul(shapes.color[hit.shape], hit.tint)
    sun = wp.max(wp.dot(hit.normal, look.sun_direction), 0.0)
    return wp.cw_mul(albedo, ambient(look, hit.normal, shapes.up) + sun * look.sun)


@wp.func
def surface_light(shapes: Shapes, look: Look, hit: Hit, direction: wp.vec3, point: wp.vec3, albedo: wp.vec3) -> wp.vec3:
    """Light that a surface sends back along `-direction`."""
    lit = wp.dot(hit.normal, look.sun_direction)
    sun = float(0.0)
    if lit > 0.0:
        sun = sunlight(shapes, look, point, hit.shape)
    sky = openness(shapes, look, point, hit.normal, hit.shape)
    color = wp.cw_mul(albedo, sky * ambient(look, hit.normal, shapes.up) + (sun * wp.max(lit, 0.0)) * look.sun)
    facing = wp.clamp(-wp.dot(hit.normal, direction), 0.0, 1.0)
    mirror = direction + 2.0 * facing * hit.normal
    if hit.shape == GROUND:
        if look.floor_gloss > 0.0:
            fresnel = look.floor_gloss * (0.03 + 0.97 * wp.pow(1.0 - facing, 4.0))
            # the mirror image blurs into the floor with height; a short ray stands for that
            reach = 4.0 * look.ao_range
            other = trace(shapes, point, mirror, reach)
            fade = 1.0 - wp.min(other.distance / reach, 1.0)
            if other.shape >= 0:
                color = mix(color, plain_light(shapes, look, other, mirror), fresnel * fade)
        return color
    if shapes.ground_look[hit.shape] == 1:
        return color
    # a satin plastic: a broad highlight, and the sky at grazing angles
    half = wp.normalize(look.sun_direction - direction)
    peak = wp.pow(wp.max(wp.dot(half, hit.normal), 0.0), 60.0)
    fresnel = 0.035 + 0.5 * wp.pow(1.0 - facing, 5.0)
    shine = (sun * peak * 0.55) * look.sun + (fresnel * sky) * sky_color(look, mirror, shapes.up)
    return color + look.gloss * shine


@wp.func
def ground_steps(shapes: Shapes, view: View, x: float, y: float, hit: Hit, direction: wp.vec3) -> wp.mat33:
    """Rows 0 and 1: the sides of a pixel, as seen on the hit surface [m]."""
    facing = wp.min(wp.dot(hit.normal, direction), -1.0e-4)
    ray_x = view_ray(view, x + 1.0, y)
    ray_y = view_ray(view, x, y + 1.0)
    # rays almost parallel to the ground: hold the footprint finite
    t_x = hit.distance * facing / wp.min(wp.dot(hit.normal, ray_x), -1.0e-4)
    t_y = hit.distance * facing / wp.min(wp.dot(hit.normal, ray_y), -1.0e-4)
    here = hit.distance * direction
    return wp.matrix_from_rows(t_x * ray_x - here, t_y * ray_y - here, wp.vec3())


@wp.func
def display(look: Look, color: wp.vec3) -> wp.vec3:
    """Linear light to 0..1 sRGB: exposure, a filmic shoulder that starts late, the sRGB curve."""
    result = wp.vec3()
    for i in range(3):
        x = wp.max(look.exposure * color[i], 0.0)
        # identity up to 0.6, then a smooth approach to 1
        if x > 0.6:
            x = 1.0 - 0.4 * wp.exp(-(x - 0.6) / 0.4)
        if x <= 0.0031308:
            result[i] = 12.92 * x
        else:
            result[i] = 1.055 * wp.pow(x, 1.0 / 2.4) - 0.055
    return result


@wp.func
def see(shapes: Shapes, look: Look, view: View, x: float, y: float, hit: Hit) -> wp.vec3:
    """Display colour at the picture point (x, y) [px], where the ray there met `hit`."""
    direction = view_ray(view, x, y)
    if hit.shape == NOTHING:
        return display(look, sky_color(look, direction, shapes.up))
    point = view.eye + hit.distance * direction + (LIFT + 1.0e-5 * hit.distance) * hit.normal
    albedo = look.ground
    tiled = hit.shape == GROUND
    if hit.shape >= 0:
        albedo = wp.cw_mul(shapes.color[hit.shape], hit.tint)
        tiled = shapes.ground_look[hit.shape] == 1
    if tiled:
        steps = ground_steps(shapes, view, x, y, hit, direction)
        albedo = ground_color(shapes, look, point, steps[0], steps[1])
    # clear out to the target, then haze; the horizon's colour, so that the ground has no edge
    haze = float(0.0)
    if look.haze > 0.0:
        past = wp.max(hit.distance - 0.7 * view.target_distance, 0.0) / look.haze
        haze = 1.0 - wp.exp(-1.6 * past * wp.sqrt(past))
    color = wp.vec3()
    if haze < 0.996:
        color = surface_light(shapes, look, hit, direction, point, albedo)
    flat = wp.normalize(direction - wp.dot(direction, shapes.up) * shapes.up)
    return display(look, mix(color, sky_color(look, flat, shapes.up), haze))


@wp.kernel
def shade_pixels(shapes: Shapes, look: Look, view: View, first_row: int, color: wp.array2d(dtype=wp.vec3)):
    """Display colour through the middle of each pixel; one thread per pixel."""
    row, column = wp.tid()
    row += first_row
    x = float(column) + 0.5
    y = float(row) + 0.5
    hit = trace(shapes, view.eye, view_ray(view, x, y), FAR)
    color[row, column] = see(shapes, look, view, x, y, hit)


@wp.func
def contrast(color: wp.array2d(dtype=wp.vec3), row: int, column: int) -> float:
    """Largest difference of any channel between a pixel and its eight neighbours."""
    here = color[row, column]
    most = float(0.0)
    for i in range(3):
        for j in range(3):
            r = wp.clamp(row + i - 1, 0, color.shape[0] - 1)
            c = wp.clamp(column + j - 1, 0, color.shape[1] - 1)
            most = wp.max(most, wp.max(wp.abs(color[r, c] - here)))
    return most


@wp.kernel
def refine_pixels(
    shapes: Shapes,
    look: Look,
    view: View,
    first_row: int,
    samples: int,
    threshold: float,
    color: wp.array2d(dtype=wp.vec3),
    picture: wp.array3d(dtype=wp.uint8),
):
    """Average `samples` points of a pixel that differs from its neighbours, and write bytes.

    One thread per pixel. The points are a rank-1 lattice over the pixel: evenly spread, on distinct rows
    and columns.
    """
    row, column = wp.tid()
    row += first_row
    result = color[row, column]
    if samples > 1 and contrast(color, row, column) > threshold:
        result = wp.vec3()
        for k in range(samples):
            fx = (float(k) + 0.5) / float(samples)
            fy = 0.618034 * float(k) + 0.31
            x = float(column) + fx
            y = float(row) + (fy - wp.floor(fy))
            hit = trace(shapes, view.eye, view_ray(view, x, y), FAR)
            result += see(shapes, look, view, x, y, hit) / float(samples)
    for i in range(3):
        picture[row, column, i] = wp.uint8(wp.clamp(int(255.0 * result[i] + 0.5), 0, 255))
