"""Rays, normals, distances and shadows of each primitive, against closed forms and a second algorithm."""

from __future__ import annotations

import numpy as np
import pytest
import warp as wp

from kilogym.viewer import primitives
from kilogym.viewer.primitives import BOX, CAPSULE, CYLINDER, ELLIPSOID, SPHERE

wp.set_module_options({"enable_backward": False})

SIZES = {
    SPHERE: (0.7, 0.0, 0.0),
    CAPSULE: (0.3, 0.5, 0.0),
    CYLINDER: (0.4, 0.6, 0.0),
    BOX: (0.5, 0.3, 0.7),
    ELLIPSOID: (0.8, 0.4, 0.6),
}


@wp.kernel
def _probe(
    kind: int,
    size: wp.vec3,
    origin: wp.array(dtype=wp.vec3),
    direction: wp.array(dtype=wp.vec3),
    sun_tan: float,
    t: wp.array(dtype=float),
    normal: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=float),
    blocking: wp.array(dtype=float),
):
    i = wp.tid()
    hit = primitives.ray_convex(kind, origin[i], direction[i], size)
    t[i] = hit
    normal[i] = primitives.normal_convex(kind, origin[i] + hit * direction[i], size)
    distance[i] = primitives.distance_convex(kind, origin[i], size)
    blocking[i] = primitives.soft_blocking(kind, origin[i], direction[i], size, 1.5, sun_tan)


def probe(kind, origins, directions, device, size=None, sun_tan=0.02):
    """t, normal, distance of the origins, blocked share of the sun, for each ray."""
    origins = np.atleast_2d(np.asarray(origins, dtype=np.float32))
    directions = np.atleast_2d(np.asarray(directions, dtype=np.float32))
    n = len(origins)
    out = [wp.zeros(n, dtype=d, device=device) for d in (float, wp.vec3, float, float)]
    inputs = [kind, wp.vec3(*(size or SIZES[kind]))]
    inputs += [wp.array(a, dtype=wp.vec3, device=device) for a in (origins, directions)]
    wp.launch(_probe, dim=n, inputs=[*inputs, sun_tan, *out], device=device)
    return [o.numpy() for o in out]


def inside(kind, p):
    """Whether points (..., 3) lie in the primitive, written down from its definition."""
    x, y, z = np.moveaxis(p, -1, 0)
    a, b, c = SIZES[kind]
    if kind == SPHERE:
        return x**2 + y**2 + z**2 < a**2
    if kind == CAPSULE:
        return x**2 + y**2 + (z - np.clip(z, -b, b)) ** 2 < a**2
    if kind == CYLINDER:
        return (x**2 + y**2 < a**2) & (np.abs(z) < b)
    if kind == BOX:
        return (np.abs(x) < a) & (np.abs(y) < b) & (np.abs(z) < c)
    return (x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2 < 1


def random_rays(n=400, seed=0):
    rng = np.random.default_rng(seed)
    origins = rng.normal(size=(n, 3))
    origins *= 3.0 / np.linalg.norm(origins, axis=1, keepdims=True)
    aims = rng.uniform(-0.7, 0.7, size=(n, 3)) - origins
    return origins, aims / np.linalg.norm(aims, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", SIZES)
def test_rays_enter_where_marching_finds_the_surface(kind, device):
    origins, directions = random_rays()
    t, _, _, _ = probe(kind, origins, directions, device)
    steps = np.linspace(0.0, 6.0, 6001)
    within = inside(kind, origins[:, None] + steps[:, None] * directions[:, None])
    hit = within.any(axis=1)
    assert 100 < hit.sum() < 400
    marched = steps[within.argmax(axis=1)]
    grazing = within.sum(axis=1) < 3  # too short a chord for the marching to be sure
    assert ((t > 0) == hit)[~grazing].all()
    # marching overshoots by at most one step; single precision adds a little
    late = (marched - t)[hit & (t > 0)]
    assert late.min() > -1e-4
    assert late.max() < 1.2e-3


@pytest.mark.parametrize("kind", SIZES)
def test_normals_point_along_the_distance_gradient(kind, device):
    origins, directions = random_rays()
    t, normal, _, _ = probe(kind, origins, directions, device)
    hit = t > 0
    points = (origins + t[:, None] * directions)[hit]
    normal = normal[hit]
    assert np.allclose(np.linalg.norm(normal, axis=1), 1.0, atol=1e-5)
    assert (np.sum(normal * directions[hit], axis=1) < 1e-5).all()
    step = 1e-2
    ahead = probe(kind, points + step * normal, normal, device)[2]
    at = probe(kind, points, normal, device)[2]
    assert np.allclose(at, 0.0, atol=2e-4)
    # the ellipsoid's distance is an estimate of first order
    assert np.allclose(ahead, step, atol=1.5e-3 if kind == ELLIPSOID else 2e-4)


def test_closed_forms_along_the_axes(device):
    x, z = (-1.0, 0.0, 0.0), (0.0, 0.0, -1.0)
    assert probe(SPHERE, (3, 0, 0), x, device)[0] == pytest.approx(2.3)
    assert probe(CAPSULE, (3, 0, 0.4), x, device)[0] == pytest.approx(2.7)
    assert probe(CAPSULE, (0, 0, 3), z, device)[0] == pytest.approx(2.2)
    assert probe(CYLINDER, (3, 0, 0), x, device)[0] == pytest.approx(2.6)
    assert probe(CYLINDER, (0.1, 0, 3), z, device)[0] == pytest.approx(2.4)
    assert probe(BOX, (3, 0.1, 0.1), x, device)[0] == pytest.approx(2.5)
    assert probe(ELLIPSOID, (0, 0, 3), z, device)[0] == pytest.approx(2.4)


@pytest.mark.parametrize("kind", SIZES)
def test_rays_from_inside_and_away_miss(kind, device):
    t = probe(kind, [(0.0, 0.0, 0.0), (3.0, 0.0, 0.0)], [(1.0, 0.0, 0.0), (1.0, 0.0, 0.0)], device)[0]
    assert (t < 0).all()


def test_a_small_sphere_is_round_from_afar(device):
    # b^2 - c at 300 m has an error of 0.01 m^2 in single precision: more than this sphere
    t = probe(SPHERE, (300.0, 0.0, 0.0), (-1.0, 0.0, 0.0), device, size=(0.05, 0.0, 0.0))[0]
    assert t == pytest.approx(299.95, abs=1e-4)


@pytest.mark.parametrize("kind", SIZES)
def test_shadow_is_full_within_none_without_and_half_at_the_edge(kind, device):
    # seen from below against a sun straight above; x is the primitive's half width
    half_width = SIZES[kind][0]
    offsets = np.array([0.0, half_width, half_width + 0.2])
    origins = np.stack([offsets, 0 * offsets, 0 * offsets - 2.0], axis=1)
    blocked = probe(kind, origins, np.tile([0.0, 0.0, 1.0], (3, 1)), device)[3]
    assert blocked[0] == pytest.approx(1.0, abs=1e-3)
    assert blocked[1] == pytest.approx(0.5, abs=0.05)
    assert blocked[2] == 0.0


def test_a_sphere_smaller_than_the_sun_hides_a_part_of_it(device):
    blocked = probe(SPHERE, (0.0, 0.0, -10.0), (0.0, 0.0, 1.0), device, size=(0.05, 0.0, 0.0), sun_tan=0.02)[3]
    assert 0.5 < blocked < 0.9


def test_shapes_behind_cast_no_shadow(device):
    assert probe(BOX, (0.0, 0.0, 2.0), (0.0, 0.0, 1.0), device)[3] == 0.0
