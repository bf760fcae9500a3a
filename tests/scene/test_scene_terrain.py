"""Terrain as declared: what is refused, frames, triangles for drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kilogym.scene.declarations import Scene, SceneFrozenError
from kilogym.scene.terrain import HeightField, TriangleMesh, engine_terrain

VERTICES = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
SQUARE = np.array([[0, 1, 2], [0, 2, 3]])


def field(heights=((0.0, 1.0), (2.0, 4.0)), pitch=(1.0, 2.0), **more) -> HeightField:
    return HeightField(np.array(heights), pitch, **more)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: field([0.0, 1.0]), r"expected a grid \(x, y\) of at least 2 x 2 .* got shape \(2,\)"),
        (lambda: field([[0.0, 1.0]]), r"got shape \(1, 2\)"),
        (lambda: field(np.zeros((2, 32769))), r"32768 along a side, got shape \(2, 32769\)"),
        (lambda: field([[0.0, 1.0], [math.nan, 1.0]]), r"got nan at \(1, 0\)"),
        (lambda: field(pitch=(1.0, 0.0)), r"expected two distances > 0 m, got \(1.0, 0.0\)"),
        (lambda: field(pos=(0.0, math.inf, 0.0)), "expected a finite position and a quaternion"),
        (lambda: field(quat=(0.0, 0.0, 0.0, 0.0)), "expected a finite position and a quaternion"),
        (lambda: field(static_friction=-0.1), "HeightField.static_friction: expected a number >= 0, got -0.1"),
        (lambda: TriangleMesh(VERTICES.ravel(), SQUARE), r"expected \(at least 3, 3\), got shape \(12,\)"),
        (lambda: TriangleMesh(VERTICES, SQUARE.ravel()), r"expected \(at least 1, 3\), got shape \(6,\)"),
        (lambda: TriangleMesh(VERTICES, SQUARE.astype(float)), "expected integer indices, got float64"),
        (lambda: TriangleMesh(VERTICES * [1, 1, math.nan], SQUARE), "expected finite positions"),
        (
            lambda: TriangleMesh(VERTICES, SQUARE + 1),
            r"indices 0 to 3 of the 4 vertices, got \[1, 3, 4\] in triangle 1",
        ),
        (lambda: TriangleMesh(VERTICES, SQUARE - 1), r"got \[-1, 0, 1\] in triangle 0"),
        (lambda: TriangleMesh(VERTICES, [[0, 1, 1], [2, 2, 2]]), "expected triangles with an area, got none"),
        (lambda: TriangleMesh(VERTICES, SQUARE, restitution=math.nan), "TriangleMesh.restitution: expected a number"),
    ],
)
def test_bad_terrain_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_declared_is_a_copy():
    heights = np.zeros((3, 3))
    made = HeightField(heights, (1.0, 1.0))
    heights[:] = 7.0
    assert not made.heights.any()


def test_triangles_of_a_field_face_up_and_meet_its_samples():
    made = field(pos=(5.0, 6.0, 7.0))
    mesh = made.mesh()
    np.testing.assert_allclose(mesh.vertices, [[5, 6, 7], [5, 8, 8], [6, 6, 9], [6, 8, 11]])
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_a_turned_field_and_its_mesh_lie_alike():
    half = math.radians(30) / 2
    turn = (0.0, math.sin(half), 0.0, math.cos(half))
    made = field(quat=turn, pos=(1.0, 2.0, 3.0), dynamic_friction=0.3, segmentation_id=4)
    data = made.data()
    nx, ny = made.heights.shape
    local = np.array([[i, 2 * j, made.heights[i, j]] for i in range(nx) for j in range(ny)])
    np.testing.assert_allclose(made.as_mesh().data().vertices, local @ data.rotation.T + data.pos)
    assert made.as_mesh().surface() == made.surface()


def test_terrain_comes_before_prepare():
    scene = Scene()
    scene.add_terrain(field())
    scene.frozen = True
    with pytest.raises(SceneFrozenError, match="add_terrain"):
        scene.add_terrain(field())


def test_no_terrain_is_none():
    assert engine_terrain([]) is None
