"""Meshes in convex parts: what they fill, the options, the cache, and what importers make of them."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import trimesh
from asset_checks import load_text
from scipy.spatial import ConvexHull

from kilogym.assets import AssetError, decomposition
from kilogym.assets.asset import Mesh
from kilogym.assets.cache import cached_arrays, content_key
from kilogym.assets.decomposition import decompose
from kilogym.assets.decomposition_options import DecompositionOptions
from kilogym.assets.joining import hollow_cells, join
from kilogym.assets.meshes import load_mesh, load_submeshes

pytest.importorskip("vhacdx")

UNIT = 0.1


def boxes(*corners: tuple[tuple[float, float, float], tuple[float, float, float]]) -> list[trimesh.Trimesh]:
    """Boxes between two corners each [UNIT]."""
    out = []
    for low, high in corners:
        box = trimesh.creation.box(UNIT * (np.array(high) - low))
        box.apply_translation(UNIT * (np.array(high) + low) / 2)
        out.append(box)
    return out


FORK = boxes(((0, 0, 0), (3, 1, 1)), ((0, 0, 1), (1, 1, 3)), ((2, 0, 1), (3, 1, 3)))  # 3 + 2 + 2 cubes
FULL = 7 * UNIT**3


def fork() -> Mesh:
    """A base with two prongs, one closed surface of 12 corners on either side."""
    outline = [(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)]
    cells = [(0, 1, 4), (0, 4, 5), (1, 2, 4), (2, 3, 4), (0, 5, 7), (5, 6, 7)]
    front = np.array([(x, 0, z) for x, z in outline], float)
    vertices = np.concatenate([front, front + np.array((0, 1, 0))]) * UNIT
    rim = [(i, (i + 1) % 8) for i in range(8)]
    triangles = [(a, b, c) for a, b, c in cells] + [(8 + a, 8 + c, 8 + b) for a, b, c in cells]
    triangles += [(b, a, a + 8) for a, b in rim] + [(b, a + 8, b + 8) for a, b in rim]
    solid = trimesh.Trimesh(vertices, triangles, process=False)
    assert solid.is_watertight
    assert solid.volume == pytest.approx(FULL)
    return Mesh("fork", vertices, np.array(triangles))


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WARP_CACHE_PATH", str(tmp_path / "cache"))
    decomposition._known.clear()


def inside(parts, points: np.ndarray, slack: float = 0.0) -> np.ndarray:
    planes = [ConvexHull(part.vertices).equations for part in parts]
    return np.any([(points @ e[:, :3].T + e[:, 3]).max(axis=1) <= slack for e in planes], axis=0)


def test_a_fork_is_its_base_and_prongs():
    parts = decompose(fork(), DecompositionOptions(concavity=0.01))
    assert 3 <= len(parts) <= 5
    assert sum(ConvexHull(p.vertices).volume for p in parts) == pytest.approx(FULL, rel=0.05)
    grid = UNIT * np.stack(np.meshgrid(*[np.arange(0.25, 3, 0.5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[grid[:, 1] < UNIT]
    truth = (grid[:, 2] < UNIT) | (np.abs(grid[:, 0] - 1.5 * UNIT) > 0.5 * UNIT)
    assert (inside(parts, grid) == truth).all()
    assert not truth.all()
    assert truth.any()


def test_parts_are_closed_and_face_outwards():
    for part in decompose(fork()):
        solid = trimesh.Trimesh(part.vertices, part.triangles, process=False)
        assert solid.is_watertight
        assert solid.volume == pytest.approx(ConvexHull(part.vertices).volume)


def round_mesh() -> Mesh:
    ball = trimesh.creation.icosphere(2, 0.05)
    return Mesh("ball", np.array(ball.vertices), np.array(ball.faces))


COARSE = {"resolution": 10_000, "concavity": 0.03}


def test_what_is_convex_stays_one():
    (part,) = decompose(round_mesh(), DecompositionOptions(**COARSE))
    assert 16 < len(part.vertices) <= 64
    assert np.linalg.norm(part.vertices, axis=1).max() < 0.0505


def test_flat_meshes_are_left_to_the_engine():
    flat = Mesh("flat", np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))
    assert decompose(flat) == (flat,)


def test_the_options_bound_what_comes():
    many = decompose(fork(), DecompositionOptions(concavity=0.0))
    assert len(decompose(fork(), DecompositionOptions(max_convex_hulls=2))) == 2
    assert len(decompose(fork(), DecompositionOptions(max_convex_hulls=1))) == 1
    assert len(many) >= len(decompose(fork(), DecompositionOptions(concavity=0.05)))
    for part in decompose(round_mesh(), DecompositionOptions(**COARSE, max_num_vertices_per_ch=8)):
        assert len(part.vertices) <= 8


def test_principal_axes_cut_a_turned_mesh_like_the_straight_one():
    turn = trimesh.transformations.rotation_matrix(0.6, (1, 2, 3))[:3, :3]
    turned = Mesh("turned", fork().vertices @ turn.T, fork().triangles)
    counts = {pca: len(decompose(turned, DecompositionOptions(concavity=0.01, pca=pca))) for pca in (0, 1)}
    assert counts[1] <= 5 <= counts[0] + 4
    grid = UNIT * np.array([(0.5, 0.5, 2.0), (1.5, 0.5, 2.0), (2.5, 0.5, 2.0), (1.5, 0.5, 0.5)])
    parts = decompose(turned, DecompositionOptions(concavity=0.01, pca=1))
    assert inside(parts, grid @ turn.T).tolist() == [True, False, True, True]


def test_the_same_bits_again_and_in_another_process(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_decomposition as t\n"
        "from kilogym.assets.cache import content_key\n"
        "print(content_key([a for p in t.decompose(t.fork()) for a in (p.vertices, p.triangles)]))"
    )
    here = str(Path(__file__).parent)
    env = {**os.environ, "WARP_CACHE_PATH": str(tmp_path / "other")}
    done = subprocess.run([sys.executable, "-c", code, here], env=env, capture_output=True, text=True, check=True)
    mine = content_key([a for part in decompose(fork()) for a in (part.vertices, part.triangles)])
    assert done.stdout.strip() == mine


def test_the_second_time_it_comes_from_the_cache(tmp_path, monkeypatch):
    first = decompose(fork())
    (kept,) = (tmp_path / "cache" / "kilogym" / "convex").glob("*.npz")
    decomposition._known.clear()
    monkeypatch.setattr(decomposition, "_decompose", lambda *_: pytest.fail("worked out again"))
    again = decompose(fork())
    assert all(np.array_equal(a.vertices, b.vertices) for a, b in zip(first, again, strict=True))
    assert decompose(fork())[0].vertices is again[0].vertices
    monkeypatch.undo()
    monkeypatch.setenv("WARP_CACHE_PATH", str(tmp_path / "cache"))
    decomposition._known.clear()
    kept.write_bytes(b"torn")
    assert len(decompose(fork())) == len(first)
    assert kept.stat().st_size > 4


def test_other_content_or_options_are_kept_apart(tmp_path):
    decompose(fork())
    decompose(fork(), DecompositionOptions(concavity=0.05))
    decompose(Mesh("fork", fork().vertices * 2, fork().triangles))
    assert len(list((tmp_path / "cache" / "kilogym" / "convex").glob("*.npz"))) == 3
    a = np.zeros(4)
    assert len({content_key([a]), content_key([a.reshape(2, 2)]), content_key([a], 1), content_key([a, a])}) == 4


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WARP_CACHE_PATH", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="WARP_CACHE_PATH"):
        (made,) = cached_arrays("convex", "k", lambda: [np.arange(3)])
    assert made.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "values",
    [{"resolution": 9_999}, {"resolution": 10**9}, {"concavity": -0.1}, {"concavity": float("nan")}, {"concavity": 2},
     {"max_convex_hulls": 0}, {"max_convex_hulls": 65}, {"max_num_vertices_per_ch": 3}, {"pca": 2}, {"mode": 7}],
)  # fmt: skip
def test_values_out_of_range(values):
    with pytest.raises(AssetError, match=next(iter(values))):
        DecompositionOptions(**values)


def test_tetrahedra_are_refused():
    with pytest.raises(NotImplementedError, match="mode = 1"):
        DecompositionOptions(mode=1)


def test_without_the_package_it_says_so(monkeypatch):
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name == "vhacdx":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(NotImplementedError, match=r"pip install 'kilogym\[vhacd\]'"):
        decompose(fork())


def cubes(*places: float) -> list[np.ndarray]:
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(-1, 3).astype(float)
    return [corners + np.array((x, 0, 0)) for x in places]


def test_cells_between_parts_are_hollow():
    hollow, cell = hollow_cells(cubes(0, 2), 0.0)
    assert len(hollow) * cell == pytest.approx(1.0, rel=0.05)
    assert ((hollow > [1, 0, 0]) & (hollow < [2, 1, 1])).all()
    assert len(hollow_cells(cubes(0, 2), 0.2)[0]) * cell == pytest.approx(0.6, rel=0.05)
    assert len(hollow_cells(cubes(0, 1.1, 2.1), 0.06)[0]) == 0


def test_parts_are_joined_while_little_is_hollow():
    def joined(places, share: float, most: int = 64, near: float = 0.6) -> list[np.ndarray]:
        hollow, cell = hollow_cells(cubes(*places), 0.0)
        return join(cubes(*places), hollow, share / cell, most, near)

    (one,) = joined((0, 1, 2), 1e-9)
    assert ConvexHull(one).volume == pytest.approx(3.0)
    assert len(joined((0, 1.5, 3), 0.4)) == 3
    assert len(joined((0, 1.5, 3), 0.6)) == 2
    assert len(joined((0, 1.5, 3), 1.1)) == 1
    assert len(joined((0, 1.5, 3), 1.1, near=0.4)) == 3
    kept, made = sorted(joined((0, 5, 9), 0.0, most=2), key=lambda p: p[:, 0].max())  # apart, but too many
    assert (kept[:, 0].max(), made[:, 0].min(), made[:, 0].max()) == (1.0, 5.0, 10.0)


# importers -----------------------------------------------------------------------------------------------------------


def write(folder, suffix: str = ".stl") -> None:
    mesh = fork()
    data = trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False).export(file_type=suffix[1:])
    (folder / f"fork{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)


URDF = """<robot name="r"><link name="a"><collision><origin xyz="1 0 0"/>
<geometry><mesh filename="{}"/></geometry></collision><visual><geometry><mesh filename="{}"/></geometry></visual>
</link></robot>"""


def test_a_urdf_mesh_gets_parts_and_their_mass(tmp_path):
    write(tmp_path)
    text = URDF.format("fork.stl", "fork.stl")
    whole, _ = load_text(tmp_path, text, density=1000)
    assert whole.shapes[0].parts == ()
    assert whole.links[0].mass == pytest.approx(9.0, rel=1e-4)  # of the hull
    options = DecompositionOptions(concavity=0.01)
    asset, notes = load_text(tmp_path, text, density=1000, vhacd_enabled=True, vhacd_params=options)
    (shape,) = asset.shapes
    assert 3 <= len(shape.parts) <= 5
    assert shape.mesh is not None
    assert not notes
    assert asset.links[0].mass == pytest.approx(7.0, rel=0.05)
    np.testing.assert_allclose(asset.links[0].com, [1.15, 0.05, UNIT * (3 * 0.5 + 4 * 2.0) / 7], atol=4e-3)


def test_mjcf_meshes_get_parts(tmp_path):
    write(tmp_path)
    text = """<mujoco><asset><mesh file="fork.stl"/></asset><worldbody><body><freejoint/>
    <geom type="mesh" mesh="fork"/></body></worldbody></mujoco>"""
    asset, _ = load_text(tmp_path, text, ".xml", vhacd_enabled=True, vhacd_params=DecompositionOptions(concavity=0.01))
    assert 3 <= len(asset.shapes[0].parts) <= 5
    with pytest.raises(NotImplementedError, match="convex_decomposition_from_submeshes"):
        load_text(tmp_path, text, ".xml", convex_decomposition_from_submeshes=True)


def test_parameters_without_a_counterpart_are_told_once(tmp_path):
    write(tmp_path)
    text = URDF.format("fork.stl", "fork.stl")
    options = DecompositionOptions(alpha=0.04, beta=1.0, concavity=0.05)
    _, notes = load_text(tmp_path, text, vhacd_enabled=True, vhacd_params=options)
    assert len(notes) == 1
    assert "alpha, beta" in notes[0]
    assert "concavity" not in notes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_text(tmp_path, text, vhacd_params=options)  # not enabled


def test_more_vertices_than_parts_can_have_are_told(tmp_path):
    write(tmp_path)
    text = URDF.format("fork.stl", "fork.stl")
    for vertices, told in ((64, 0), (65, 1)):
        options = DecompositionOptions(max_num_vertices_per_ch=vertices, concavity=0.05)
        _, notes = load_text(tmp_path, text, vhacd_enabled=True, vhacd_params=options)
        assert [n for n in notes if "65: parts have at most 64 vertices" in n] == notes
        assert len(notes) == told


def test_a_convex_mesh_has_no_parts(tmp_path):
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    (tmp_path / "box.stl").write_bytes(box.export(file_type="stl"))
    text = URDF.format("box.stl", "box.stl")
    for option in ("vhacd_enabled", "convex_decomposition_from_submeshes"):
        asset, _ = load_text(tmp_path, text, **{option: True})
        assert asset.shapes[0].parts == ()


OBJ = """o left
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
f 1 3 2
f 1 2 4
f 1 4 3
f 2 3 4
o right
v 5 0 0
v 6 0 0
v 5 1 0
v 5 0 1
f 5 7 6
f 5 6 8
f 5 8 7
f 6 7 8
"""


def test_objects_of_a_file_are_parts(tmp_path):
    (tmp_path / "two.obj").write_text(OBJ)
    scene = trimesh.Scene(FORK)
    (tmp_path / "three.glb").write_bytes(scene.export(file_type="glb"))
    for name, count, volume in (("two.obj", 2, 2 / 6), ("three.glb", 3, FULL)):
        pieces = load_submeshes(tmp_path / name)
        assert len(pieces) == count
        assert sum(ConvexHull(p.vertices).volume for p in pieces) == pytest.approx(volume)
        whole = load_mesh(tmp_path / name)
        assert np.array_equal(sorted(v for p in pieces for v in p.vertices[:, 0]), sorted(whole.vertices[:, 0]))
        asset, _ = load_text(
            tmp_path, URDF.format(name, name), density=6, convex_decomposition_from_submeshes=True, vhacd_enabled=True
        )
        assert len(asset.shapes[0].parts) == count
        assert asset.links[0].mass == pytest.approx(6 * volume, rel=1e-6)
    mirrored = load_submeshes(tmp_path / "two.obj", (-2.0, 1.0, 1.0))
    assert trimesh.Trimesh(mirrored[0].vertices, mirrored[0].triangles).volume == pytest.approx(2 / 6)


def test_too_many_objects(tmp_path):
    scene = trimesh.Scene([trimesh.creation.box((0.1, 0.1, 0.1)).apply_translation((i, 0, 0)) for i in range(65)])
    (tmp_path / "many.glb").write_bytes(scene.export(file_type="glb"))
    with pytest.raises(AssetError, match="too many objects"):
        load_text(tmp_path, URDF.format("many.glb", "many.glb"), convex_decomposition_from_submeshes=True)
