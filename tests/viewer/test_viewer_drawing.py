"""Drawings: what actors bring, where bodies go, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kilogym.assets.asset import Asset, Link, Mesh, Shape, ShapeKind, Visual
from kilogym.viewer import WORLD, Drawing, Style, actor_color
from kilogym.viewer.meshes import corner_normals
from kilogym.viewer.style import tinted

HALF = float(np.sqrt(0.5))
LINKS = (
    Link("base", -1, pos=(0, 0, 1), quat=(0, 0, HALF, HALF)),
    Link("arm", 0, pos=(2, 0, 0)),
)
BALL = Shape(0, ShapeKind.SPHERE, (0.3, 0, 0))
ROD = Visual(1, ShapeKind.CAPSULE, (0.1, 0.4, 0), rgba=(0.2, 0.4, 0.9, 1.0))


def test_visuals_are_drawn_and_shapes_only_without_them():
    drawing = Drawing()
    drawing.add_actor(Asset("a", LINKS, shapes=(BALL,), visuals=(ROD,)), color=None)
    drawing.add_actor(Asset("b", LINKS, shapes=(BALL,)))
    assert [i.kind for i in drawing.instances] == [ShapeKind.CAPSULE, ShapeKind.SPHERE]
    assert [i.body for i in drawing.instances] == [1, 2]
    assert drawing.instances[0].color == pytest.approx((0.2, 0.4, 0.9))
    assert drawing.instances[1].color == pytest.approx(actor_color(1))


def test_transparent_visuals_are_not_drawn():
    ghost = Visual(0, ShapeKind.BOX, (1, 1, 1), rgba=(1, 0, 0, 0.0))
    drawing = Drawing()
    drawing.add_actor(Asset("a", LINKS, visuals=(ghost, ROD)))
    assert [i.kind for i in drawing.instances] == [ShapeKind.CAPSULE]


def test_actors_stand_in_their_rest_pose_until_posed():
    drawing = Drawing()
    drawing.add_actor(Asset("a", LINKS, shapes=(BALL,)))
    # the base is turned by 90 degrees about z, so the arm's x offset points along y
    assert np.allclose(drawing.poses()[1], (0, 2, 1, 0, 0, HALF, HALF), atol=1e-6)


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor])
@pytest.mark.parametrize("columns", [7, 13])
def test_poses_are_gathered_from_the_rows_named(convert, columns):
    drawing = Drawing()
    drawing.add_actor(Asset("a", LINKS, shapes=(BALL,)), row=4, origin=(10, 0, 0))
    drawing.add_actor(Asset("a", LINKS, shapes=(BALL,)), row=0)
    assert drawing.num_rows == 6
    table = np.zeros((8, columns), dtype=np.float32)
    table[:, 0], table[:, 6] = np.arange(8), 1.0
    drawing.set_poses(convert(table))
    assert drawing.poses()[:, 0].tolist() == [4, 5, 0, 1]
    lower, upper = drawing.bounds()
    assert (lower[0], upper[0]) == (0, 15)  # row 5 at x = 5 in an env at x = 10


def test_posing_copies():
    drawing = Drawing()
    drawing.add_body()
    table = np.zeros((1, 7), dtype=np.float32)
    drawing.set_poses(table)
    table[0, 0] = 5
    assert drawing.poses()[0, 0] == 0


def test_tint_keeps_tones_and_greys():
    dark, light, black = (0.4, 0.1, 0.1), (0.9, 0.6, 0.6), (0.1, 0.1, 0.1)
    colors = tinted([dark, light, black], [0, 1, 1], (0.2, 0.5, 0.8))
    assert sum(colors[0]) < sum(colors[1])
    assert colors[2] == black
    # one colour for all says nothing: depth in the tree decides
    plain = tinted([dark, dark], [0, 2], (0.2, 0.5, 0.8))
    assert plain[0] == pytest.approx((0.2, 0.5, 0.8))
    assert sum(plain[1]) > sum(plain[0])


def test_overview_sees_every_body():
    drawing = Drawing()
    for x in range(5):
        drawing.add_actor(Asset("a", LINKS, shapes=(BALL,)), origin=(3 * x, x, 0))
    points = drawing.poses()[:, :3] + drawing.origins()
    pixels = drawing.overview().project(points, 320, 180)
    assert (pixels[:, 2] > 0).all()
    assert ((pixels[:, :2] > 0) & (pixels[:, :2] < (320, 180))).all()


def test_corner_normals_smooth_small_creases_and_keep_sharp_ones():
    # two triangles that share the edge y; folded by `angle` about it; vertices repeated as in STL files
    def fold(angle: float) -> np.ndarray:
        x, z = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        points = np.array([(0, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, 0), (x, 0, z), (0, 1, 0)], dtype=float)
        return corner_normals(points, np.array([(0, 1, 2), (3, 4, 5)]))

    smooth, sharp = fold(20.0), fold(80.0)
    assert np.allclose(smooth[0], smooth[3])
    assert np.allclose(sharp[0], (0, 0, 1))
    assert not np.allclose(sharp[0], sharp[3])
    assert np.allclose(np.linalg.norm(smooth, axis=1), 1.0)


TRIANGLE = Mesh("t", np.eye(3), np.array([(0, 1, 2)]))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda d: Drawing(up="x"), "'y' or 'z'"),
        (lambda d: d.add_shape(ShapeKind.SPHERE, (0.0,)), "sphere needs 1 positive"),
        (lambda d: d.add_shape(ShapeKind.BOX, (1.0, 1.0)), "box needs 3 positive"),
        (lambda d: d.add_shape(ShapeKind.CAPSULE, (0.1, -1.0)), "capsule needs 2"),
        (lambda d: d.add_shape(ShapeKind.SPHERE, (np.nan,)), "sphere needs 1"),
        (lambda d: d.add_shape(ShapeKind.SPHERE, (1.0,), body=3), "body must be WORLD"),
        (lambda d: d.add_shape(ShapeKind.SPHERE, (1.0,), quat=(0, 0, 0, 0)), "quat must be"),
        (lambda d: d.add_shape(ShapeKind.SPHERE, (1.0,), pos=(0, 0)), "pos must be three"),
        (lambda d: d.add_shape(ShapeKind.MESH), "belongs to ShapeKind.MESH"),
        (lambda d: d.add_shape(ShapeKind.BOX, (1, 1, 1), mesh=TRIANGLE), "belongs to ShapeKind.MESH"),
        (
            lambda d: d.add_shape(ShapeKind.MESH, mesh=Mesh("m", np.eye(3), np.array([(0, 1, 3)]))),
            "indices must be in 0..2",
        ),
        (
            lambda d: d.add_shape(ShapeKind.MESH, mesh=Mesh("m", np.full((3, 3), np.nan), TRIANGLE.triangles)),
            "must be finite",
        ),
        (
            lambda d: d.add_shape(ShapeKind.MESH, mesh=Mesh("m", np.eye(3), np.zeros((0, 3), int))),
            "triangles must be",
        ),
        (lambda d: d.add_body(row=-1), "row must not"),
        (lambda d: d.add_actor(Asset("a", LINKS, shapes=(BALL,)), color="red"), "sRGB triple"),
        (lambda d: d.set_poses(np.zeros((1, 6))), "poses must be"),
        (lambda d: d.set_poses(np.zeros((0, 7))), "at least 1"),
        (lambda d: Style(sun_elevation=0.0), "sun_elevation"),
        (lambda d: Style(sun_size=0.0), "sun_size"),
        (lambda d: Style(tile=-1.0), "tile"),
    ],
)
def test_bad_input_is_refused(act, message):
    drawing = Drawing()
    drawing.add_body()
    with pytest.raises(ValueError, match=message):
        act(drawing)


def test_a_capsule_of_no_length_is_a_ball():
    drawing = Drawing()
    index = drawing.add_shape(ShapeKind.CAPSULE, (0.2, 0.0))
    assert drawing.instances[index].body == WORLD
