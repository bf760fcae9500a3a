"""Pictures: hit records, shadows, light, and that the same scene gives the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from kilogym.assets.asset import Asset, Link, Mesh, Shape, ShapeKind
from kilogym.viewer import DUSK, Camera, Drawing, Renderer, Style

SIZE = (64, 48)  # px


def one(kind=ShapeKind.SPHERE, size=(0.5,), pos=(0.0, 0.0, 0.5), **options) -> Drawing:
    drawing = Drawing()
    drawing.add_shape(kind, size, pos=pos, **options)
    return drawing


def pixel_of(camera: Camera, point) -> tuple[int, int]:
    """Row and column in which a world point is seen."""
    x, y, _ = camera.project(np.array([point], dtype=float), *SIZE)[0]
    return int(y), int(x)


SIDE = Camera((0.0, -4.0, 0.5), (0.0, 0.0, 0.5), fov=30.0)
ABOVE = Camera((0.0, -3.0, 9.0), (0.0, 0.0, 0.0), fov=40.0)


def test_depth_normal_and_ids_of_a_sphere(device):
    hits = Renderer(65, 49, device).trace(one(), SIDE)  # odd, so that the middle pixel looks at the centre
    middle = (24, 32)
    assert hits.distance[middle] == pytest.approx(3.5, abs=1e-5)
    assert hits.depth[middle] == pytest.approx(3.5, abs=1e-5)
    assert np.allclose(hits.normal[middle], (0, -1, 0), atol=1e-4)
    assert hits.instance[middle] == 0
    assert hits.body[middle] == -1
    # the sky above, the ground below
    assert hits.instance[0, 0] == -1
    assert np.isinf(hits.depth[0, 0])
    assert hits.instance[48, 0] == -2
    assert np.allclose(hits.normal[48, 0], (0, 0, 1))
    # every ground point, put back into the world, is on the ground
    right, up, forward = SIDE.basis()
    rows, columns = np.nonzero(hits.instance == -2)
    half = np.tan(np.radians(15.0))
    sx, sy = (2 * (columns + 0.5) / 65 - 1) * half * 65 / 49, (1 - 2 * (rows + 0.5) / 49) * half
    depth = hits.depth[rows, columns][:, None]
    points = np.array(SIDE.eye) + depth * (forward + sx[:, None] * right + sy[:, None] * up)
    assert np.abs(points[:, 2]).max() < 1e-3


def test_bodies_and_segmentation(device):
    asset = Asset("ball", (Link("ball", -1),), shapes=(Shape(0, ShapeKind.SPHERE, (0.4, 0, 0)),))
    drawing = Drawing()
    drawing.add_actor(asset, origin=(-0.6, 0, 0))
    drawing.add_actor(asset, origin=(0.6, 0, 0), segmentation=7)
    drawing.set_poses(np.array([[0, 0, 0.5, 0, 0, 0, 1.0]] * 2))
    renderer = Renderer(*SIZE, device)
    hits = renderer.trace(drawing, SIDE)
    left, right = pixel_of(SIDE, (-0.6, 0, 0.5)), pixel_of(SIDE, (0.6, 0, 0.5))
    assert (hits.body[left], hits.body[right]) == (0, 1)
    assert (hits.segmentation[left], hits.segmentation[right]) == (1, 7)
    assert hits.segmentation[0, 0] == 0
    assert np.array_equal(renderer.render_depth(drawing, SIDE), hits.depth)
    assert np.array_equal(renderer.render_segmentation(drawing, SIDE), hits.segmentation)


def test_a_mesh_box_is_the_box(device):
    solid = trimesh.creation.box((0.8, 0.6, 1.0))
    mesh = Mesh("box", solid.vertices, solid.faces)
    quat = (0.1, 0.2, 0.3, 0.9)
    renderer = Renderer(*SIZE, device)
    exact = renderer.trace(one(ShapeKind.BOX, (0.4, 0.3, 0.5), (0, 0, 1), quat=quat), SIDE)
    meshed = renderer.trace(one(ShapeKind.MESH, pos=(0, 0, 1), quat=quat, mesh=mesh), SIDE)
    # pixels on a silhouette may fall on either side
    assert (exact.instance != meshed.instance).sum() <= 3
    both = (exact.instance == 0) & (meshed.instance == 0)
    assert both.sum() > 100
    assert np.allclose(exact.depth[both], meshed.depth[both], atol=1e-4)
    assert np.allclose(exact.normal[both], meshed.normal[both], atol=1e-4)


def test_mesh_colors_are_interpolated(device):
    mesh = Mesh("t", np.array([(-2, 0, 0), (2, 0, 0), (0, 0, 4.0)]), np.array([(0, 1, 2)]), np.eye(3))
    drawing = Drawing(ground=None)
    drawing.add_shape(ShapeKind.MESH, mesh=mesh, color=(1, 1, 1))
    camera = Camera((0, -8, 1.5), (0, 0, 1.5), fov=35)
    picture = Renderer(*SIZE, device).render(drawing, camera)
    for channel, corner in enumerate([(-1.5, 0, 0.3), (1.5, 0, 0.3), (0, 0, 3.3)]):
        assert picture[pixel_of(camera, corner)].argmax() == channel


def test_the_shadow_lies_where_the_sun_throws_it(device):
    style = Style(tile=0.0, haze=0.0, ao_strength=0.0, sun_azimuth=0.0, sun_elevation=45.0, sun_size=0.5)
    drawing = one(pos=(0.0, 0.0, 1.5))
    picture = Renderer(*SIZE, device, style=style).render(drawing, ABOVE).astype(int).sum(axis=2)
    # the sun stands over +x at 45 degrees, so the shadow's middle is at x = -1.5
    lit = picture[pixel_of(ABOVE, (1.5, 0, 0))]
    assert picture[pixel_of(ABOVE, (-1.5, 0, 0))] < 0.7 * lit
    assert picture[pixel_of(ABOVE, (-1.5, 0.35, 0))] < 0.7 * lit
    for outside in [(-1.5, 0.7, 0), (-2.5, 0, 0), (-0.6, 0.3, 0)]:
        assert picture[pixel_of(ABOVE, outside)] == pytest.approx(lit, abs=6)


@pytest.mark.parametrize("kind", [k for k in ShapeKind if k is not ShapeKind.MESH])
def test_every_kind_throws_the_shadow_of_its_mesh(kind, device):
    """The soft shadow of a primitive is near that of a fine mesh of it, which is made of plain rays."""
    solids = {
        ShapeKind.SPHERE: lambda: trimesh.creation.icosphere(4, 0.5),
        ShapeKind.CAPSULE: lambda: trimesh.creation.capsule(height=0.8, radius=0.3, count=[32, 32]),
        ShapeKind.CYLINDER: lambda: trimesh.creation.cylinder(radius=0.4, height=1.0, sections=64),
        ShapeKind.BOX: lambda: trimesh.creation.box((0.8, 0.6, 1.0)),
        ShapeKind.ELLIPSOID: lambda: trimesh.creation.icosphere(4, 1.0).apply_scale((0.5, 0.3, 0.4)),
    }
    sizes = {
        ShapeKind.SPHERE: (0.5,),
        ShapeKind.CAPSULE: (0.3, 0.4),
        ShapeKind.CYLINDER: (0.4, 0.5),
        ShapeKind.BOX: (0.4, 0.3, 0.5),
        ShapeKind.ELLIPSOID: (0.5, 0.3, 0.4),
    }
    solid = solids[kind]()
    mesh = Mesh("m", np.asarray(solid.vertices) - solid.bounds.mean(axis=0), np.asarray(solid.faces))
    style = Style(tile=0.0, ao_strength=0.0, floor_gloss=0.0, sun_size=2.0)
    renderer = Renderer(*SIZE, device, style=style)
    quat = (0.2, 0.3, 0.1, 0.9)
    exact = renderer.render(one(kind, sizes[kind], (0, 0, 1.2), quat=quat), ABOVE).astype(int)
    meshed = renderer.render(one(ShapeKind.MESH, pos=(0, 0, 1.2), quat=quat, mesh=mesh), ABOVE).astype(int)
    difference = np.abs(exact - meshed).max(axis=2)
    # the half-shadow of the mesh has eight steps, and both are estimates there
    assert (difference > 24).mean() < 0.01
    assert difference.mean() < 1.5


def test_contact_darkens_the_ground(device):
    ball = one()
    plain, dark = (
        Renderer(*SIZE, device, style=Style(tile=0.0, ao_strength=s)).render(ball, SIDE).astype(int).sum(axis=2)
        for s in (0.0, 1.0)
    )
    below, away = pixel_of(SIDE, (0.0, -0.12, 0.0)), pixel_of(SIDE, (-1.0, -1.0, 0.0))
    assert dark[below] < plain[below] - 30
    assert dark[away] == plain[away]


def test_distance_fades_into_the_horizon(device):
    picture = Renderer(*SIZE, device).render(one(), Camera((0, -4, 1.0), (0, 0, 1.0), fov=40)).astype(int)
    # just below the horizon the ground has the colour of the sky just above it
    assert np.abs(picture[24, 0] - picture[23, 0]).max() <= 6
    assert np.abs(picture[-1, 0] - picture[24, 0]).max() > 6


def test_y_up_is_z_up_turned(device):
    """A world turned so that z becomes y (and x becomes z, y becomes x) gives the same picture."""
    upright, turned = Drawing(up="z"), Drawing(up="y")
    for pos, radius in [((0.0, 0.2, 0.5), 0.5), ((0.9, -0.3, 0.3), 0.3)]:
        upright.add_shape(ShapeKind.SPHERE, (radius,), pos=pos)
        turned.add_shape(ShapeKind.SPHERE, (radius,), pos=(pos[1], pos[2], pos[0]))
    renderer = Renderer(*SIZE, device)
    a = renderer.render(upright, Camera.orbit((0, 0, 0.5), 4.0, -60.0, 20.0, up="z")).astype(int)
    b = renderer.render(turned, Camera.orbit((0, 0.5, 0), 4.0, -60.0, 20.0, up="y")).astype(int)
    # rounding may tip a sample on an edge
    assert (np.abs(a - b).max(axis=2) > 2).mean() < 0.005


def test_bytes_do_not_depend_on_run_or_threads(device):
    drawing = one(ShapeKind.CYLINDER, (0.4, 0.5))
    drawing.add_shape(ShapeKind.ELLIPSOID, (0.3, 0.2, 0.4), pos=(0.8, 0.2, 0.4))
    pictures = [Renderer(*SIZE, device, threads=n).render(drawing, SIDE) for n in (1, 1, 3)]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_a_picture_outlives_the_next_one(device):
    drawing, renderer = one(), Renderer(*SIZE, device)
    first = renderer.render(drawing, SIDE)
    kept = first.copy()
    second = renderer.render(drawing, ABOVE)
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)


def test_a_drawing_that_grows_is_drawn_anew(device):
    drawing, renderer = one(), Renderer(*SIZE, device)
    renderer.render(drawing, SIDE)
    drawing.add_shape(ShapeKind.BOX, (0.2, 0.2, 0.2), pos=(0, -1, 0.5))
    assert renderer.trace(drawing, SIDE).instance[24, 32] == 1


def test_antialiasing_softens_edges_only(device):
    style = Style(tile=0.0)
    rough, fine = (Renderer(*SIZE, device, samples=n, style=style).render(one(), SIDE) for n in (1, 16))
    changed = np.abs(rough.astype(int) - fine).max(axis=2) > 8
    assert 0.002 < changed.mean() < 0.2
    assert np.array_equal(rough[0], fine[0])  # open sky


def test_the_ground_takes_shape_on_terrain(device):
    mesh = Mesh("flat", np.array([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0.0)]), np.array([(0, 1, 2), (0, 2, 3)]))
    terrain = Drawing(ground=None)
    terrain.add_shape(ShapeKind.MESH, mesh=mesh, ground_look=True)
    style = Style(floor_gloss=0.0)
    renderer = Renderer(*SIZE, device, style=style)
    camera = Camera((0.3, -3.0, 5.0), (0.3, 0.2, 0.0), fov=40.0)
    difference = np.abs(renderer.render(terrain, camera).astype(int) - renderer.render(Drawing(), camera))
    assert difference.max() <= 2


def test_empty_and_broken_scenes_still_draw(device):
    renderer = Renderer(*SIZE, device, style=DUSK)
    empty = renderer.render(Drawing(), SIDE)
    assert empty.shape == (48, 64, 3)
    assert empty.dtype == np.uint8
    sky = renderer.render(Drawing(ground=None), SIDE)
    assert np.array_equal(sky[:10], empty[:10])
    # a body whose state is not finite vanishes; its neighbour stays
    drawing = Drawing()
    for _ in range(2):
        body = drawing.add_body()
        drawing.add_shape(ShapeKind.SPHERE, (0.3,), body=body)
    drawing.set_poses(np.array([[np.nan] * 7, [0, 0, 0.5, 0, 0, 0, 1.0]]))
    assert set(np.unique(renderer.trace(drawing, SIDE).instance)) == {-2, -1, 1}


@pytest.mark.parametrize("bad", [{"width": 0}, {"height": -1}, {"samples": 0}, {"threads": 0}])
def test_bad_sizes_are_refused(bad):
    with pytest.raises(ValueError, match="at least 1"):
        Renderer(**bad)
