"""Looked-up distances and those of closed form, against closed forms and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from native_field import NativeField

from kilogym.assets.asset import Mesh
from kilogym.assets.distance_field import BLOCK, distance_field
from kilogym.engine.hulls import convex_hull

HALF = np.array([0.1, 0.15, 0.2])


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    return {real: NativeField(folder, real) for real in ("float", "double")}


def field_of(solid: trimesh.Trimesh, resolution: int):
    return distance_field(Mesh("m", np.array(solid.vertices), np.array(solid.faces)), resolution)


def box_distance(x: np.ndarray, half=HALF) -> np.ndarray:
    q = np.abs(x) - half
    return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)


def places(n: int, reach, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, 3)) * reach


@pytest.mark.parametrize("real", ["float", "double"])
def test_a_boxs_field(native, real):
    """Before and behind faces exact; at edges and middle planes, where slopes turn, to about half a cell, or block."""
    field = field_of(trimesh.creation.box(2 * HALF), 40)
    x = places(20000, 1.15 * HALF)
    d, slope, error = native[real].field(field, x)
    truth = box_distance(x)
    np.testing.assert_allclose(d, truth, atol=0.55 * BLOCK * field.cell)
    assert (d - error <= truth + 1e-6).all()
    near = np.abs(truth) < field.cell
    np.testing.assert_allclose(d[near], truth[near], atol=0.5 * field.cell)
    q = np.sort(np.abs(x) - HALF, axis=1)
    plain = near & (q[:, 1] < -4 * field.cell)  # one face alone is near
    assert plain.sum() > 300
    np.testing.assert_allclose(d[plain], truth[plain], atol=2e-7)
    axis = (np.abs(x) - HALF).argmax(axis=1)
    np.testing.assert_allclose(slope[plain], (np.eye(3)[axis] * np.sign(x))[plain], atol=1e-4)


@pytest.mark.parametrize("real", ["float", "double"])
def test_a_balls_field(native, real):
    field = field_of(trimesh.creation.icosphere(subdivisions=5, radius=0.1), 48)
    x = places(20000, 0.15)
    d, slope, _ = native[real].field(field, x)
    r = np.linalg.norm(x, axis=1)
    near = np.abs(r - 0.1) < field.cell
    np.testing.assert_allclose(d[near], r[near] - 0.1, atol=0.03 * field.cell)  # cell^2 / 8 r, and the triangles
    along = (slope * x).sum(axis=1) / r / np.linalg.norm(slope, axis=1)
    assert along[near].min() > np.cos(0.05)
    np.testing.assert_allclose(d[r > 0.03], r[r > 0.03] - 0.1, atol=0.25 * BLOCK * field.cell)


def test_beyond_the_grid(native):
    """Before a face exact, however far; elsewhere hardly less than the distance, and 1.5 times it at most."""
    field = field_of(trimesh.creation.box(2 * HALF), 20)
    x = places(5000, 1.0)
    d, slope, error = native["double"].field(field, x)
    truth = box_distance(x)
    far = truth > 0.1
    assert (d[far] >= truth[far] - 0.1 * BLOCK * field.cell).all()
    assert (d - error <= truth + 1e-6).all()
    assert (d[far] <= 1.5 * truth[far]).all()
    before = far & (np.sort(np.abs(x) - HALF, axis=1)[:, 1] < -0.05)
    assert before.sum() > 50
    np.testing.assert_allclose(d[before], truth[before], atol=1e-5)
    np.testing.assert_allclose(np.abs(slope[before]).max(axis=1), 1, atol=1e-5)


def test_the_foot_is_what_is_nearest(native):
    """From a place on the surface within about half a radian, or anywhere on the face."""
    rng = np.random.default_rng(1)
    field = field_of(trimesh.creation.icosphere(subdivisions=5, radius=0.1), 48)
    way = rng.normal(size=(500, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    x = way * rng.uniform(0.06, 0.3, (500, 1))
    start = way + 0.2 * rng.normal(size=(500, 3))
    start *= 0.1 / np.linalg.norm(start, axis=1, keepdims=True)
    foot = native["double"].foot(field, x, start)
    distance = np.linalg.norm(foot - x, axis=1)
    np.testing.assert_allclose(distance, np.abs(np.linalg.norm(x, axis=1) - 0.1), rtol=0.02, atol=2e-4)
    slab = field_of(trimesh.creation.box((0.4, 0.4, 0.1)), 32)
    x = np.stack([*rng.uniform(-0.1, 0.1, (2, 200)), rng.uniform(0.06, 0.2, 200)], axis=1)
    start = np.stack([*rng.uniform(-0.15, 0.15, (2, 200)), np.full(200, 0.05)], axis=1)
    foot = native["double"].foot(slab, x, start)
    np.testing.assert_allclose(foot, np.concatenate([x[:, :2], np.full((200, 1), 0.05)], axis=1), atol=1e-6)


def numeric_slope(f, x: np.ndarray) -> np.ndarray:
    h = 1e-6
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(3)], axis=1)


@pytest.mark.parametrize("kind", ["box", "cylinder", "ellipsoid", "hull"])
def test_closed_forms(native, kind):
    x = places(5000, 0.4, seed=2)
    hull = convex_hull(places(30, HALF, seed=3)) if kind == "hull" else None
    size = (0.12, 0.2) if kind == "cylinder" else tuple(HALF)
    f = lambda y: native["double"].closed(kind, size, y, hull)[0]  # noqa: E731
    d, slope = native["double"].closed(kind, size, x, hull)
    if kind == "box":
        truth = box_distance(x)
    elif kind == "cylinder":
        q = np.stack([np.hypot(x[:, 0], x[:, 1]) - 0.12, np.abs(x[:, 2]) - 0.2], axis=1)
        truth = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)
    elif kind == "hull":
        corners = np.array([hull.vertices[face[0]] for face in hull.faces])
        truth = ((x[:, None] - corners) * hull.normals).sum(axis=2).max(axis=1)
    else:
        near = np.abs(np.linalg.norm(x / HALF, axis=1) - 1) < 0.02
        on = x / np.linalg.norm(x / HALF, axis=1)[:, None]
        x, d, slope = x[near], d[near], slope[near]
        normal = on[near] / HALF**2
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        truth = ((x - on[near]) * normal).sum(axis=1)  # first order
        np.testing.assert_allclose(d, truth, atol=2e-4)
        np.testing.assert_allclose(slope, normal, atol=0.02)
        return
    np.testing.assert_allclose(d, truth, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(slope, axis=1), 1, atol=1e-9)
    smooth = np.abs(numeric_slope(f, x) - slope).max(axis=1) < 1e-4
    assert smooth.mean() > 0.999  # edges of the faces' regions
