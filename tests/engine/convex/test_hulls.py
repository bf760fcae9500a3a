"""Convex hulls of meshes: what is kept, faces, degenerate meshes, the library of a batch."""

import itertools

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from kilogym.engine.hulls import HEADER, MAX_CORNERS, MAX_VERTICES, Hull, convex_hull, pack

CUBE = np.array(list(itertools.product((0.0, 1.0), (0.0, 2.0), (0.0, 3.0))))


def check(hull: Hull) -> None:
    """A closed convex polyhedron: every vertex under every face, corners on their planes and counter-clockwise."""
    assert 4 <= len(hull.vertices) <= MAX_VERTICES
    size = np.ptp(hull.vertices, axis=0).max()
    heights = hull.vertices @ hull.normals.T
    np.testing.assert_allclose(np.linalg.norm(hull.normals, axis=1), 1)
    for i, face in enumerate(hull.faces):
        assert 3 <= len(face) <= MAX_CORNERS
        assert np.ptp(heights[list(face), i]) < 2e-6 * size
        assert heights[:, i].max() < heights[list(face), i].max() + 2e-6 * size
        points = hull.vertices[list(face)]
        edges = np.roll(points, -1, axis=0) - points
        turns = np.cross(edges, np.roll(edges, -1, axis=0)) @ hull.normals[i]
        assert (turns > -1e-9 * size**2).all()
    assert {v for face in hull.faces for v in face} == set(range(len(hull.vertices)))


def test_a_box_has_eight_vertices_and_six_faces():
    inner = np.random.default_rng(0).uniform(0.1, 0.9, (50, 3))
    hull = convex_hull(np.concatenate([CUBE, inner, CUBE[::-1]]))
    check(hull)
    assert (len(hull.vertices), len(hull.faces)) == (8, 6)
    np.testing.assert_allclose(hull.centre, [0.5, 1.0, 1.5])
    assert hull.bound == pytest.approx(np.linalg.norm([0.5, 1.0, 1.5]))
    assert hull.thickness == pytest.approx(0.5)


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(4, 400), st.sampled_from([1e-3, 1.0, 100.0]))
def test_hulls_of_clouds(seed, count, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 3)) * np.exp(rng.uniform(-2, 0, 3)) * scale + rng.normal(size=3)
    hull = convex_hull(points)
    check(hull)
    if len(trimesh.convex.convex_hull(points).vertices) <= MAX_VERTICES:
        heights = (points - hull.centre) @ hull.normals.T
        own = (hull.vertices @ hull.normals.T).max(axis=0)
        assert (heights.max(axis=0) - own).max() < 1e-6 * np.ptp(points)


def test_a_fine_sphere_keeps_the_vertices_that_matter():
    ball = trimesh.creation.icosphere(4).vertices  # 2562
    hull = convex_hull(ball)
    check(hull)
    assert len(hull.vertices) == MAX_VERTICES
    lost = (ball @ hull.normals.T - (hull.vertices @ hull.normals.T).max(axis=0)).max()
    assert lost < 0.12  # 64 points spread evenly over a sphere leave out 0.07
    assert len(convex_hull(ball, 20).vertices) == 20


def test_a_round_face_keeps_corners_all_around():
    hull = convex_hull(np.array(trimesh.creation.cylinder(1.0, 1.0, sections=30).vertices))
    check_all = max(hull.faces, key=len)
    assert len(check_all) == MAX_CORNERS
    turn = np.sort(np.arctan2(*hull.vertices[list(check_all), :2].T))
    assert np.diff([*turn, turn[0] + 2 * np.pi]).max() < 0.5


FLAT = {
    "square": np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]),
    "tilted": np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 1, 0], [0.5, 0.5, 0.5]]),
    "line": np.array([[0, 0, 0], [1, 1, 1], [0.3, 0.3, 0.3]]),
    "point": np.zeros((3, 3)),
    "nearly flat": np.random.default_rng(0).normal(size=(30, 3)) * [1, 1, 1e-12],
}


@pytest.mark.parametrize("name", FLAT)
def test_flat_meshes_become_a_millimetre_thick(name):
    hull = convex_hull(FLAT[name])
    check(hull)
    assert 2 * hull.thickness == pytest.approx(1e-3, rel=0.01)


def test_bad_points():
    for points, message in (
        (np.zeros((0, 3)), r"shape \(P, 3\), P > 0, got \(0, 3\)"),
        (np.zeros((4, 2)), r"got \(4, 2\)"),
        (np.array([[0, 0, np.nan]] * 4), "finite"),
    ):
        with pytest.raises(ValueError, match=message):
            convex_hull(points)


def test_a_library_gives_every_hull_back():
    hulls = [convex_hull(CUBE), convex_hull(np.random.default_rng(1).normal(size=(30, 3)))]
    vertices, normals, table, _ = pack(hulls)
    for i, hull in enumerate(hulls):
        v0, count, f0, faces, at = table[HEADER * i : HEADER * i + 5]
        for flat, start, vectors in ((vertices, v0, hull.vertices), (normals, f0, hull.normals)):
            stored = flat.reshape(-1, 4)[start:]
            more = -len(vectors) % 4
            np.testing.assert_array_equal(stored[: len(vectors), :3], vectors)
            np.testing.assert_array_equal(stored[len(vectors) : len(vectors) + more, :3], vectors[[0] * more])
        assert (count, faces) == (len(hull.vertices), len(hull.normals))
        first = at + 2 * faces
        for face, (start, corners) in zip(hull.faces, table[at:first].reshape(-1, 2), strict=True):
            assert tuple(table[first + start : first + start + corners]) == face
    assert [a.size for a in pack([])] == [0, 0, 0, 0]
