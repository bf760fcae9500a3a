"""Signed distance fields of meshes: distances against closed forms, points of the surface, cache, what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import trimesh
from asset_checks import load_text
from scipy.spatial import cKDTree

from kilogym.assets import AssetError, distance_field, field_grid
from kilogym.assets.asset import Mesh
from kilogym.assets.distance_field import BLOCK
from kilogym.assets.mesh_distance import open_edges, winding_numbers
from kilogym.assets.surface_points import CLUSTER, MOST_POINTS, PLAY

field_of = distance_field.distance_field
HALF = np.array([0.1, 0.15, 0.2])


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WARP_CACHE_PATH", str(tmp_path / "cache"))
    distance_field._known.clear()


def mesh_of(solid: trimesh.Trimesh, name: str = "m") -> Mesh:
    return Mesh(name, np.array(solid.vertices), np.array(solid.faces))


def box(half=HALF, at=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    solid = trimesh.creation.box(2 * np.asarray(half))
    solid.apply_translation(at)
    return solid


def samples(field) -> tuple[np.ndarray, np.ndarray]:
    """Places (N, 3) and values (N,) of all samples, coarse and fine."""
    corners = np.stack(np.meshgrid(*map(np.arange, field.coarse.shape), indexing="ij"), axis=-1)
    places, values = [corners.reshape(-1, 3) * BLOCK], [field.coarse.reshape(-1)]
    inner = np.stack(np.meshgrid(*[np.arange(BLOCK + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    for at in np.argwhere(field.blocks >= 0):
        places.append(at * BLOCK + inner)
        values.append(field.fine[field.blocks[tuple(at)]].reshape(-1))
    return np.concatenate(places) * field.cell + field.origin, np.concatenate(values)


def box_distance(x: np.ndarray, half=HALF) -> np.ndarray:
    q = np.abs(x) - half
    return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)


# distances -----------------------------------------------------------------------------------------------------------


def test_a_boxs_field_is_its_distance():
    field = field_of(mesh_of(box(at=(0.3, 0.0, 0.0))), 40)
    assert field.cell == pytest.approx(0.4 / 40)
    x, d = samples(field)
    np.testing.assert_allclose(d, box_distance(x - (0.3, 0, 0)), atol=1e-7)
    assert 0.2 < (field.blocks >= 0).mean() < 0.9
    assert (d < 0).any()


def test_a_balls_field_is_its_distance():
    """Of 5120 triangles the surface is at most 2.6e-4 inside the ball's."""
    field = field_of(mesh_of(trimesh.creation.icosphere(subdivisions=4, radius=0.1)), 50)
    x, d = samples(field)
    error = d - (np.linalg.norm(x, axis=1) - 0.1)
    assert -1e-6 < error.min() < error.max() < 2.6e-4


def test_blocks_that_the_surface_may_touch_are_fine():
    field = field_of(mesh_of(box()), 64)
    centres = (np.argwhere(field.blocks < 0) + 0.5) * BLOCK * field.cell + field.origin
    assert np.abs(box_distance(centres)).min() > 3**0.5 / 2 * BLOCK * field.cell
    assert len(field.fine) == (field.blocks >= 0).sum() == field.blocks.max() + 1
    low, high = field.origin, field.origin + np.array(field.blocks.shape) * BLOCK * field.cell
    assert (low < -HALF - field.cell).all()
    assert (high > HALF + field.cell).all()


def test_cracks_without_width_do_not_matter():
    """One side of the box is cut finer than its neighbours, which do not know of the new corners on their edges."""
    whole = box()
    top = np.flatnonzero(whole.face_normals[:, 2] > 0.5)
    rest = whole.submesh([np.setdiff1d(np.arange(12), top)], append=True)
    finer = whole.submesh([top], append=True).subdivide().subdivide()
    cut = trimesh.util.concatenate([rest, finer])
    assert len(open_edges(*joined(cut))) == 20
    field, sound = field_of(mesh_of(cut), 32), field_of(mesh_of(whole), 32)
    np.testing.assert_allclose(samples(field)[1], samples(sound)[1], atol=3e-7)
    assert np.array_equal(field.blocks, sound.blocks)


def joined(solid: trimesh.Trimesh) -> tuple[np.ndarray, int]:
    vertices, triangles = distance_field._joined(mesh_of(solid))
    return triangles, len(vertices)


def test_inside_of_two_solids_that_overlap_is_inside():
    two = trimesh.util.concatenate([box((0.1, 0.1, 0.1)), box((0.1, 0.1, 0.1), (0.12, 0.03, 0.0))])
    x, d = samples(field_of(mesh_of(two), 48))
    truth = np.minimum(box_distance(x, 0.1), box_distance(x - (0.12, 0.03, 0), 0.1))
    apart = np.abs(d) > 1e-6
    assert (np.sign(d) == np.sign(truth))[apart].all()
    np.testing.assert_allclose(d[truth > 0], truth[truth > 0], atol=1e-7)


def test_which_way_all_triangles_face_does_not_matter():
    solid = box()
    turned = Mesh("m", np.array(solid.vertices), np.array(solid.faces)[:, ::-1])
    for a, b in zip(field_of(turned, 16).arrays(), field_of(mesh_of(solid), 16).arrays(), strict=True):
        np.testing.assert_array_equal(np.sort(a, axis=None), np.sort(b, axis=None))


def test_winding_numbers():
    solid = trimesh.creation.icosphere(subdivisions=2, radius=1.0)
    points = np.array([(0, 0, 0), (0.9, 0, 0), (1.2, 0, 0), (5, 5, 5)])
    got = winding_numbers(np.array(solid.vertices), np.array(solid.faces), points)
    np.testing.assert_allclose(got, [1, 1, 0, 0], atol=1e-9)
    cube = box((1, 1, 1))
    tray = cube.faces[cube.face_normals[:, 2] < 0.5]
    assert winding_numbers(np.array(cube.vertices), tray, points[:1])[0] == pytest.approx(5 / 6)


# points of the surface -----------------------------------------------------------------------------------------------


def test_points_lie_on_the_surface_and_cover_it():
    field = field_of(mesh_of(box()), 64)
    x = field.points
    assert 3000 < len(x) <= MOST_POINTS
    np.testing.assert_allclose(box_distance(x), 0, atol=1e-9)
    tree = cKDTree(x)
    assert tree.query(x, k=2)[0][:, 1].min() > field.spacing * (1 - 1e-9)
    on = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    on[np.arange(2000), np.arange(2000) % 3] = np.sign(on[np.arange(2000), np.arange(2000) % 3])
    assert tree.query(on * HALF)[0].max() < 1.5 * field.spacing
    corners = np.array(list(itertools.product(*zip(-HALF, HALF, strict=True))))
    assert tree.query(corners)[0].max() < 1e-12


def test_cones_hold_the_normals_of_what_meets():
    field = field_of(mesh_of(box()), 16)
    at_wall = np.isclose(np.abs(field.points), HALF)
    out = np.sign(field.points) * at_wall / np.sqrt(at_wall.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(field.cones[:, :3], out, atol=1e-9)
    widest = np.array([0, 0, np.pi / 4, np.arccos(3**-0.5)])[at_wall.sum(axis=1)]
    np.testing.assert_allclose(field.cones[:, 3], np.cos(widest + PLAY), atol=1e-9)


def test_the_ground_of_a_groove_has_no_points():
    """The inner edge of an L cannot touch first."""
    outline = np.array([(0, 0), (3, 0), (3, 1), (1, 1), (1, 3), (0, 3)], float)
    vertices = np.concatenate([np.pad(outline, ((0, 0), (0, 1)), constant_values=z) for z in (0, 1)])
    caps = [(0, 1, 3), (1, 2, 3), (0, 3, 5), (3, 4, 5)]
    triangles = [t[::-1] for t in caps] + [tuple(6 + i for i in t) for t in caps]
    for a, b in itertools.pairwise([*range(6), 0]):
        triangles += [(a, b, b + 6), (a, b + 6, a + 6)]
    assert not len(open_edges(np.array(triangles), 12))
    field = field_of(Mesh("L", vertices, np.array(triangles)), 48)
    within = field.points[np.abs(field.points[:, 2] - 0.5) < 0.45]
    off = np.linalg.norm(within[:, :2] - (1, 1), axis=1)
    assert off.min() > 1e-3
    assert off.min() < 2 * field.spacing


def test_clusters_hold_their_points():
    field = field_of(mesh_of(box()), 32)
    assert field.starts[0] == 0
    assert field.starts[-1] == len(field.points)
    assert 1 <= np.diff(field.starts).min() <= np.diff(field.starts).max() <= CLUSTER
    for first, end, sphere in zip(field.starts, field.starts[1:], field.spheres, strict=False):
        assert np.linalg.norm(field.points[first:end] - sphere[:3], axis=1).max() <= sphere[3] * (1 + 1e-12)


# what is refused; the cache; files -----------------------------------------------------------------------------------


def test_what_has_no_inside_is_refused():
    solid = box()
    open_box = Mesh("tray", np.array(solid.vertices), np.array(solid.faces)[solid.face_normals[:, 2] < 0.5])
    with pytest.raises(AssetError, match=r"'tray' is not closed(.|\n)*4 edges(.|\n)*fill the holes"):
        field_of(open_box, 32)
    flat = Mesh("sheet", np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)], float), np.array([(0, 1, 2)]))
    with pytest.raises(AssetError, match="'sheet' encloses nothing"):
        field_of(flat, 32)
    with pytest.raises(AssetError, match=r"out of range(.|\n)*8 to 1024"):
        field_of(mesh_of(solid), 4)


def test_a_field_is_made_once(monkeypatch):
    mesh = mesh_of(box())
    first = field_of(mesh, 16)
    assert field_of(Mesh("other", mesh.vertices.copy(), mesh.triangles), 16) is first
    distance_field._known.clear()
    made = []
    make = field_grid.make_field
    monkeypatch.setattr(field_grid, "make_field", lambda *a: made.append(1) or make(*a))
    again = field_of(mesh, 16)
    assert not made
    for a, b in zip(first.arrays(), again.arrays(), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    field_of(mesh, 17)
    assert made


def test_a_urdf_asks_for_a_field(tmp_path):
    ring = trimesh.creation.annulus(r_min=1.0, r_max=2.0, height=1.0)
    ring.export(tmp_path / "ring.obj")
    text = (
        '<robot name="r"><link name="a"><collision><geometry><mesh filename="ring.obj" scale="{0} {0} {0}"/></geometry>'
        "{1}</collision></link></robot>"
    )
    asset, notes = load_text(tmp_path, text.format(0.01, '<sdf resolution="64"/>'))
    assert not notes
    (shape,) = asset.shapes
    assert shape.field.cell == pytest.approx(0.04 / 64)
    assert shape.parts == ()
    assert asset.links[0].mass == pytest.approx(1000 * ring.volume * 1e-6)  # not its hull's
    asset, _ = load_text(tmp_path, text.format(0.01, "<sdf/>"))
    assert asset.shapes[0].field.cell == pytest.approx(0.04 / 128)
    asset, _ = load_text(tmp_path, text.format(0.01, ""))
    assert asset.shapes[0].field is None
    asset, _ = load_text(tmp_path, text.format(0.01, ""), sdf_resolution=32)
    assert asset.shapes[0].field.cell == pytest.approx(0.04 / 32)
    for value, word in (("2.5", "whole number"), ("2", "out of range")):
        with pytest.raises(AssetError, match=rf"robot.urdf:1(.|\n)*{word}"):
            load_text(tmp_path, text.format(0.01, f'<sdf resolution="{value}"/>'))


def test_visuals_need_no_field(tmp_path):
    box().export(tmp_path / "box.obj")
    shape = '<geometry><mesh filename="box.obj"/></geometry>'
    text = f'<robot name="r"><link name="a"><visual>{shape}<sdf resolution="64"/></visual></link></robot>'
    asset, notes = load_text(tmp_path, text, sdf_resolution=2)
    assert len(asset.visuals) == 1
    assert any("sdf" in note for note in notes)
