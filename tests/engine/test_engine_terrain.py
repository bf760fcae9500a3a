"""How terrain is laid out: neighbours, cells, origins, and one copy for all."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kilogym.assets.procedural import make_box, make_sphere
from kilogym.engine.terrain import NO_TERRAIN, FieldData, MeshData, Terrain
from kilogym.engine.terrain_mesh import Connected, bin_triangles, is_flat
from kilogym.scene.terrain import HeightField
from kilogym.sim import Simulation


def bumpy(nx: int, ny: int, seed: int = 0) -> HeightField:
    return HeightField(np.random.default_rng(seed).uniform(-0.3, 0.3, (nx, ny)), (0.5, 0.25))


def test_neighbours_of_a_grid():
    """Every inner edge has two triangles, each with the other's third vertex across; one of them speaks for it."""
    data = bumpy(7, 5).as_mesh().data()
    mesh = Connected(data.vertices, data.triangles)
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i, corners in enumerate(mesh.triangles):
        for k in range(3):
            pair = sorted((corners[k], corners[(k + 1) % 3]))
            edges.setdefault((int(pair[0]), int(pair[1])), []).append((i, k))
    for sides in edges.values():
        owners = [bool(mesh.owned[i] >> k & 1) for i, k in sides]
        assert sum(owners) == 1
        if len(sides) == 1:
            assert mesh.across[sides[0]] == -1
            continue
        (i, k), (j, m) = sides
        assert mesh.across[i, k] == mesh.triangles[j, (m + 2) % 3]
        assert mesh.across[j, m] == mesh.triangles[i, (k + 2) % 3]
    for v in range(len(mesh.vertices)):
        ring = set(mesh.ring[mesh.ring_start[v] : mesh.ring_start[v + 1]].tolist())
        assert ring == {b if a == v else a for a, b in edges if v in (a, b)}


def test_a_soup_is_welded_and_slivers_are_dropped():
    """Triangles that share no vertices meet all the same; one without area joins nothing."""
    data = bumpy(4, 4).as_mesh().data()
    loose = data.vertices[data.triangles].reshape(-1, 3)
    soup = np.arange(len(loose)).reshape(-1, 3)
    flat = np.concatenate([soup, [[0, 1, 0], [0, 0, 0]]])
    whole, welded = Connected(data.vertices, data.triangles), Connected(loose, flat)
    assert len(welded.vertices) == len(whole.vertices) == 16
    assert (welded.across < 0).sum() == (whole.across < 0).sum() == 12
    assert is_flat(loose, flat).sum() == 2


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), count=st.integers(1, 60), stretch=st.floats(0.01, 100))
def test_every_triangle_is_in_every_cell_that_it_may_touch(seed, count, stretch):
    rng = np.random.default_rng(seed)
    vertices = rng.normal(size=(3 * count, 3)) * [1.0, stretch, 0.1]
    triangles = np.arange(3 * count).reshape(-1, 3)
    grid = bin_triangles(vertices, triangles)
    assert grid.starts[-1] == len(grid.list)
    cells = [set(grid.list[a:b].tolist()) for a, b in zip(grid.starts, grid.starts[1:], strict=False)]
    share = rng.dirichlet(np.ones(3), size=20)
    for i, corners in enumerate(triangles):
        at = (share @ vertices[corners])[:, grid.axes]
        cell = np.clip(np.floor((at - grid.lower) / grid.pitch), 0, np.array(grid.shape) - 1).astype(int)
        assert all(i in cells[u * grid.shape[1] + v] for u, v in cell)
        assert i in cells[grid.first[i]]


def test_a_million_triangles_are_ready_soon():
    """Of a terrain as large as training uses: seconds, and a list not much longer than the triangles."""
    data = bumpy(708, 708).as_mesh().data()
    assert len(data.triangles) > 999_000
    started = time.perf_counter()
    reals, ints = Terrain([data]).on(torch.device("cpu"), torch.float32)
    assert time.perf_counter() - started < 30
    assert reals.numel() < 8 * len(data.vertices)
    assert ints.numel() < 24 * len(data.triangles)


@pytest.mark.parametrize("origin", [(0.0, 0.0, 0.0), (1000.3, -250.7, 12.5), (1e5, 3.0, 0.0)])
def test_origins_are_exact_in_float32(origin):
    """Node and rest, or two numbers: rounded to float32 they still say where the origin is, to a few micrometres."""
    field = bumpy(3, 3).data()
    mesh = bumpy(3, 3).as_mesh().data()
    rows = Terrain([field, mesh]).origin(origin).astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(rows[0, :2] * field.pitch + rows[0, 3:5], origin[:2], atol=1e-6)
    assert (rows[0, :2] == np.rint(rows[0, :2])).all()
    np.testing.assert_allclose(rows[1, :3] + rows[1, 3:], origin, atol=1e-6)


def test_buffers_are_made_once_and_shared_by_batches():
    """Two topologies, two batches, one copy."""
    sim = Simulation()
    sim.add_terrain(bumpy(4, 4))
    for env, asset in enumerate([make_sphere(0.1), make_box(0.2, 0.2, 0.2)]):
        sim.create_env()
        sim.create_actor(env, asset, (0.0, 0.0, 1.0), group=env)
    sim.prepare()
    one, two = sim.batches
    assert one.terrain_reals.data_ptr() == two.terrain_reals.data_ptr()
    assert one.terrain_ints.data_ptr() == two.terrain_ints.data_ptr()


def test_kinds_are_compiled_and_heights_are_data():
    a, b = bumpy(4, 4), bumpy(9, 5, 1)
    assert Terrain([a.data()]).kinds == Terrain([b.data()]).kinds == ("field",)
    assert Terrain([a.data(), b.as_mesh().data()]).kinds == ("field", "mesh")
    assert NO_TERRAIN.count == 0
    assert isinstance(a.data(), FieldData)
    assert isinstance(a.as_mesh().data(), MeshData)
