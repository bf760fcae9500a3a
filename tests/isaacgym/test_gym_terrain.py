"""add_heightfield and add_triangle_mesh: how arrays are read, materials, refusals, pictures."""

from __future__ import annotations

import numpy as np
import pytest

from isaacgym import gymapi, terrain_utils
from isaacgym.gymapi.gym.terrain import heightfield, triangle_mesh

GYM = gymapi.acquire_gym()


def field_params(**more) -> gymapi.HeightFieldParams:
    """As clients fill them in for an array of 3 samples along x and 4 along y."""
    params = gymapi.HeightFieldParams()
    params.nbRows, params.nbColumns = 4, 3
    params.row_scale = params.column_scale = 0.5
    params.vertical_scale = 0.01
    for name, value in more.items():
        setattr(params, name, value)
    return params


SAMPLES = np.arange(12, dtype=np.int16).reshape(3, 4)


def mesh_params(vertices, triangles, **more) -> gymapi.TriangleMeshParams:
    params = gymapi.TriangleMeshParams()
    params.nb_vertices, params.nb_triangles = len(vertices), len(triangles)
    for name, value in more.items():
        setattr(params, name, value)
    return params


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES.T, SAMPLES.ravel()], ids=["x-y", "transposed view", "flat"])
def test_the_array_behind_counts(samples):
    """Height at x = i, y = j is samples[i, j], of whatever view of that array is passed."""
    made = heightfield(samples, field_params())
    np.testing.assert_allclose(made.heights, SAMPLES * 0.01)


def test_scales_belong_to_rows_and_columns():
    """The first axis is counted as columns by clients, as rows by who reads the names."""
    params = field_params(row_scale=0.2, column_scale=0.7)
    assert heightfield(SAMPLES, params).pitch == pytest.approx((0.7, 0.2))
    params.nbRows, params.nbColumns = 3, 4
    assert heightfield(SAMPLES, params).pitch == pytest.approx((0.2, 0.7))


def test_materials_and_place_are_handed_on():
    params = field_params(static_friction=0.3, dynamic_friction=0.2, restitution=0.4, segmentation_id=5)
    params.transform.p = gymapi.Vec3(-1.0, -2.0, 0.5)
    made = heightfield(SAMPLES, params)
    assert made.pos == (-1.0, -2.0, 0.5)
    np.testing.assert_allclose([made.static_friction, made.dynamic_friction, made.restitution], [0.3, 0.2, 0.4])
    assert made.segmentation_id == 5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: heightfield(SAMPLES.astype(float), field_params()),
            TypeError,
            "expected an array of int16 .* float64",
        ),
        (lambda: heightfield(SAMPLES[:2], field_params()), ValueError, r"expected 4 x 3 samples .* got shape \(2, 4\)"),
        (lambda: heightfield(SAMPLES, field_params(row_scale=0.0)), ValueError, "two distances > 0 m"),
    ],
)
def test_bad_samples(call, error, message):
    with pytest.raises(error, match=message):
        call()


VERTICES = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)


@pytest.mark.parametrize("flat", [True, False])
def test_flat_and_shaped_arrays_of_triangles(flat):
    params = mesh_params(VERTICES, TRIANGLES)
    made = triangle_mesh(VERTICES.ravel() if flat else VERTICES, TRIANGLES.ravel() if flat else TRIANGLES, params)
    np.testing.assert_array_equal(made.vertices, VERTICES)
    np.testing.assert_array_equal(made.triangles, TRIANGLES)


@pytest.mark.parametrize(
    ("vertices", "triangles", "error", "message"),
    [
        (VERTICES.astype(int), TRIANGLES, TypeError, "vertices: expected an array of float32, got int64"),
        (VERTICES, TRIANGLES.astype(np.float32), TypeError, "triangles: expected an array of uint32, got float32"),
        (VERTICES[:3], TRIANGLES, ValueError, "params.nb_vertices = 4, got 9 numbers"),
        (VERTICES, TRIANGLES[:1], ValueError, "params.nb_triangles = 2, got 3 numbers"),
        (VERTICES, TRIANGLES + np.uint32(9), ValueError, "indices 0 to 3 of the 4 vertices"),
    ],
)
def test_bad_triangles(vertices, triangles, error, message):
    with pytest.raises(error, match=message):
        triangle_mesh(vertices.ravel(), triangles.ravel(), mesh_params(VERTICES, TRIANGLES))


def terrain_sim() -> tuple:
    """As terrain clients do: a mesh of stairs beside a height field, moved by the border, spacing 0."""
    params = gymapi.SimParams()
    params.up_axis, params.gravity = gymapi.UP_AXIS_Z, gymapi.Vec3(0.0, 0.0, -9.81)
    params.physx.rest_offset = 0.0
    sim = GYM.create_sim(0, 0, gymapi.SIM_PHYSX, params)
    stairs = terrain_utils.SubTerrain(width=40, length=40, vertical_scale=0.005, horizontal_scale=0.1)
    terrain_utils.pyramid_stairs_terrain(stairs, step_width=0.4, step_height=0.1, platform_size=1.0)
    vertices, triangles = terrain_utils.convert_heightfield_to_trimesh(stairs.height_field_raw, 0.1, 0.005, 0.75)
    mesh = mesh_params(vertices, triangles)
    mesh.transform.p = gymapi.Vec3(-2.0, -2.0, 0.0)
    GYM.add_triangle_mesh(sim, vertices.flatten(order="C"), triangles.flatten(order="C"), mesh)
    field = field_params(nbRows=40, nbColumns=40, row_scale=0.1, column_scale=0.1, vertical_scale=0.005)
    field.transform.p = gymapi.Vec3(8.0, -2.0, 0.0)
    GYM.add_heightfield(sim, stairs.height_field_raw, field)
    return sim, stairs


def test_boxes_stand_on_stairs_of_both_kinds():
    """On the platform, and flat on steps: at the height that the array says."""
    sim, stairs = terrain_sim()
    asset = GYM.create_box(sim, 0.2, 0.2, 0.2, gymapi.AssetOptions())
    spots = [(0.05, 0.05), (-1.35, 0.0), (10.05, 0.05), (8.65, 0.0)]
    for i, (x, y) in enumerate(spots):
        env = GYM.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 2)
        GYM.create_actor(env, asset, gymapi.Transform(gymapi.Vec3(x, y, 1.0)), "box", i, 0, 0)
    GYM.prepare_sim(sim)
    from isaacgym import gymtorch

    roots = gymtorch.wrap_tensor(GYM.acquire_actor_root_state_tensor(sim))
    forces = gymtorch.wrap_tensor(GYM.acquire_net_contact_force_tensor(sim))
    for _ in range(90):
        GYM.simulate(sim)
    GYM.refresh_actor_root_state_tensor(sim)
    GYM.refresh_net_contact_force_tensor(sim)
    height = stairs.height_field_raw * 0.005
    under = [height[round((x + 2 if x < 5 else x - 8) * 10), round((y + 2) * 10)] for x, y in spots]
    assert max(under) > 0.25
    np.testing.assert_allclose(roots[:, 2], np.array(under) + 0.1, atol=1e-3)
    np.testing.assert_allclose(roots[:, 9].abs().max(), 0.0, atol=1e-3)
    np.testing.assert_allclose(forces[:, 2], 0.008 * 1000 * 9.81, rtol=1e-3)
    GYM.destroy_sim(sim)


def test_terrain_is_in_the_picture():
    from isaacgym.gymapi.gym.pictures import draw

    sim, _ = terrain_sim()
    env = GYM.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    asset = GYM.create_sphere(sim, 0.1, gymapi.AssetOptions())
    GYM.create_actor(env, asset, gymapi.Transform(gymapi.Vec3(0.0, 0.0, 2.0)), "ball", 0, 0, 0)
    drawing = draw(sim)
    ground = [i for i in drawing.instances if i.ground_look]
    assert [i.body for i in ground] == [-1, -1]
    assert ground[1].mesh.vertices[:, 0].min() == pytest.approx(8.0)
    GYM.destroy_sim(sim)
