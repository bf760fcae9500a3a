"""terrain_utils: every generator by its rule, and the triangle mesh by geometry."""

import numpy as np
import pytest
import trimesh

from isaacgym import terrain_utils as t


def field(width=40, length=60, vertical=0.01, horizontal=0.1):
    return t.SubTerrain("terrain", width=width, length=length, vertical_scale=vertical, horizontal_scale=horizontal)


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(3)  # noqa: NPY002  (the global generator is what is used)


def test_a_new_terrain_is_flat():
    terrain = field()
    assert terrain.height_field_raw.shape == (40, 60)
    assert terrain.height_field_raw.dtype == np.int16
    assert not terrain.height_field_raw.any()
    default = t.SubTerrain()
    assert (default.width, default.length, default.vertical_scale, default.horizontal_scale) == (256, 256, 1, 1)


def test_uniform_noise_keeps_to_bounds_and_steps():
    terrain = field()
    assert t.random_uniform_terrain(terrain, -0.05, 0.05, step=0.05) is terrain
    assert set(np.unique(terrain.height_field_raw)) == {-5, 0, 5}


def test_coarse_noise_is_interpolated_linearly():
    terrain = field(41, 41)
    t.random_uniform_terrain(terrain, -0.5, 0.5, step=0.01, downsampled_scale=1.0)
    raw = terrain.height_field_raw.astype(int)
    assert np.abs(raw).max() <= 50
    # 4 coarse points over 40 cells: no neighbours differ by more than the whole range over 13 cells
    assert max(np.abs(np.diff(raw, axis=0)).max(), np.abs(np.diff(raw, axis=1)).max()) <= 100 / 13 + 2
    with pytest.raises(ValueError, match=r"step: expected at least vertical_scale = 0\.01 m, got 0\.001 m"):
        t.random_uniform_terrain(terrain, -0.5, 0.5, step=0.001)


def test_slopes():
    raw = t.sloped_terrain(field(), slope=0.5).height_field_raw
    np.testing.assert_allclose(raw[:, 0], 0.5 * 0.1 / 0.01 * np.arange(40), atol=1)
    assert (raw == raw[:, :1]).all()
    raw = t.pyramid_sloped_terrain(field(40, 40), slope=0.5, platform_size=1.0).height_field_raw
    assert raw[0, 0] == 0
    assert (raw[15:25, 15:25] == raw[20, 20]).all()
    assert raw.max() == raw[20, 20] == raw[15, 15] > 0
    pit = t.pyramid_sloped_terrain(field(40, 40), slope=-0.5, platform_size=1.0).height_field_raw
    assert pit.max() == 0
    assert pit.min() == pit[20, 20] < 0


def test_obstacles():
    raw = t.discrete_obstacles_terrain(field(80, 80), 0.2, 0.5, 2.0, 30, platform_size=2.0).height_field_raw
    assert set(np.unique(raw)) <= {-20, -10, 0, 10, 20}
    assert len(np.unique(raw)) > 2
    assert not raw[30:50, 30:50].any()


def test_waves():
    raw = t.wave_terrain(field(40, 60), num_waves=2, amplitude=0.4).height_field_raw
    y, x = np.arange(60), np.arange(40)
    div = 60 / (2 * 2 * np.pi)
    expected = 20 * np.cos(y / div)[None, :] + 20 * np.sin(x / div)[:, None]
    assert np.abs(raw - expected).max() <= 1


def test_stairs():
    raw = t.stairs_terrain(field(), step_width=0.5, step_height=0.1).height_field_raw
    assert raw[:, 0].tolist() == [10 * (k // 5 + 1) for k in range(40)]
    raw = t.pyramid_stairs_terrain(field(40, 40), step_width=0.5, step_height=0.1, platform_size=1.0).height_field_raw
    assert raw[20].tolist() == raw[:, 20].tolist()
    assert raw[0, 20] == 0
    assert raw[5, 20] == 10
    assert raw[10, 20] == 20
    assert (raw[15:25, 15:25] == 30).all()
    assert (raw == raw[::-1]).all()


@pytest.mark.parametrize("shape", [(40, 60), (60, 40)])
def test_stepping_stones(shape):
    terrain = t.stepping_stones_terrain(field(*shape), 0.5, 0.2, max_height=0.1, platform_size=1.0, depth=-1.0)
    raw = terrain.height_field_raw
    heights = set(np.unique(raw))
    assert -100 in heights  # the pit
    assert heights - {-100} <= set(range(-11, 10))
    i, j = shape[0] // 2, shape[1] // 2
    assert not raw[i - 5 : i + 5, j - 5 : j + 5].any()
    assert 0.3 < (raw != -100).mean() < 0.9


def test_the_mesh_is_the_surface():
    raw = t.random_uniform_terrain(field(12, 9), -0.05, 0.05, step=0.01).height_field_raw
    vertices, triangles = t.convert_heightfield_to_trimesh(raw, 0.1, 0.01)
    assert (vertices.dtype, vertices.shape) == (np.float32, (108, 3))
    assert (triangles.dtype, triangles.shape) == (np.uint32, (2 * 11 * 8, 3))
    grid = vertices.reshape(12, 9, 3)
    np.testing.assert_allclose(grid[..., 0], np.repeat(np.arange(12)[:, None] * 0.1, 9, 1), atol=1e-6)
    np.testing.assert_allclose(grid[..., 1], np.repeat(np.arange(9)[None] * 0.1, 12, 0), atol=1e-6)
    np.testing.assert_allclose(grid[..., 2], raw * 0.01, atol=1e-6)
    mesh = trimesh.Trimesh(vertices, triangles, process=False)
    assert (mesh.face_normals[:, 2] > 0).all()
    flat = mesh.triangles[..., :2]
    u, v = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / 2
    assert area == pytest.approx(1.1 * 0.8, rel=1e-5)
    assert triangles[:2].tolist() == [[0, 10, 1], [0, 9, 10]]


def test_steep_rises_become_walls():
    raw = np.zeros((6, 4), np.int16)
    raw[3:] = 100  # 1 m up over one cell of 0.1 m
    smooth, _ = t.convert_heightfield_to_trimesh(raw, 0.1, 0.01, slope_threshold=20.0)
    np.testing.assert_allclose(smooth.reshape(6, 4, 3)[2, :, 0], 0.2, atol=1e-6)
    steep, _ = t.convert_heightfield_to_trimesh(raw, 0.1, 0.01, slope_threshold=1.0)
    np.testing.assert_allclose(steep.reshape(6, 4, 3)[2, :, 0], 0.3, atol=1e-6)
    np.testing.assert_allclose(steep.reshape(6, 4, 3)[3, :, 0], 0.3, atol=1e-6)


def test_heights_do_not_overflow():
    raw = np.array([[-32000, 32000], [32000, -32000]], np.int16)
    vertices, _ = t.convert_heightfield_to_trimesh(raw, 1.0, 0.005, slope_threshold=0.5)
    assert np.abs(vertices[:, 2]).tolist() == [160] * 4


def test_star_import_gives_what_clients_use():
    names: dict = {}
    exec("from isaacgym.terrain_utils import *", names)
    assert {"np", "choice", "interpolate", "sqrt", "SubTerrain", "convert_heightfield_to_trimesh"} <= set(names)
