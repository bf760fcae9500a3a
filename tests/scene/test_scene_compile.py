"""Topologies, grouping and parameter values, by hand."""

import numpy as np
import pytest
from toys import arm, ball, box, walker

from kilogym.assets.asset import FLT_MAX
from kilogym.engine.model import PARAMETERS
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene, SceneFrozenError


def scene_of(*envs, ground=True):
    """Each env is a list of (asset, keyword arguments of create_actor)."""
    scene = Scene()
    if ground:
        scene.add_ground(GroundPlane())
    for index, actors in enumerate(envs):
        env = scene.create_env((-1, -1, 0), (1, 1, 1), 2)
        for asset, options in actors:
            scene.create_actor(env, asset, **{"group": index, "filter": 1, **options})
    return scene


def test_grid_of_envs():
    scene = Scene("z")
    for _ in range(5):
        scene.create_env((-1, -2, 0), (1, 2, 9), 2)
    assert [env.origin for env in scene.envs] == [(0, 0, 0), (2, 0, 0), (0, 4, 0), (2, 4, 0), (0, 8, 0)]
    upright = Scene("y")
    for _ in range(3):
        upright.create_env((-1, 0, -1), (1, 5, 1), 0)
    assert [env.origin for env in upright.envs] == [(0, 0, 0), (0, 0, 2), (0, 0, 4)]


def test_topology_of_two_actors():
    (plan,) = compile_scene(scene_of([(walker(), {}), (arm(), {})]))
    m = plan.model
    assert m.tree_floating == [True, False]
    assert m.link_tree == [0, 0, 0, 1, 1, 1, 1]
    assert m.link_parent == [-1, 0, 0, -1, 3, 4, 5]
    assert m.joint_kind == [0, 0, 0, 1]
    assert m.joint_link == [1, 2, 4, 5]
    assert m.shape_link == [0, 1, 2, 4, 5, 6]
    assert m.sensor_link == [1, 2, 6]
    assert m.sensor_flags == [3, 3, 7]
    for name, (per, components, _) in PARAMETERS.items():
        assert m.params[name].shape == (m.count(per), components), name


def test_values_of_the_arm():
    (plan,) = compile_scene(scene_of([(arm(), {})]))
    p = plan.model.params
    assert plan.varying == {}
    np.testing.assert_allclose(p["link_pos"][1], [0, 0, 0.5])
    np.testing.assert_allclose(p["link_com"][1], [0, 0, 0.2], rtol=1e-6)
    np.testing.assert_allclose(p["joint_axis"][1], [0, 0, 1])
    np.testing.assert_allclose(p["dof_lower"][:, 0], [-1.0, -0.1], rtol=1e-6)
    np.testing.assert_allclose(p["dof_velocity"][:, 0], FLT_MAX)
    np.testing.assert_allclose(p["dof_mode"][:, 0], [1, 3])
    np.testing.assert_allclose(p["shape_friction"][:, 0], [1.0, 0.6, 1.0], rtol=1e-6)
    np.testing.assert_allclose(p["shape_contact_offset"][:, 0], 0.02, rtol=1e-6)
    np.testing.assert_allclose(p["link_gravity"], 1)


def test_envs_of_equal_topology_form_a_batch_whatever_their_values():
    light, heavy = ball(mass=1.0), ball(mass=2.0)
    plans = compile_scene(scene_of([(light, {})], [(walker(), {})], [(heavy, {"pos": (0, 0, 3)})], [], [(light, {})]))
    assert [plan.envs for plan in plans] == [[0, 2, 4], [1]]
    assert set(plans[0].varying) == {"link_mass", "link_inertia"}
    np.testing.assert_allclose(plans[0].varying["link_mass"], [[1, 2, 1]])
    np.testing.assert_allclose(plans[0].root_pos, [[0, 0, 0], [0, 0, 0], [0, 3, 0]])
    np.testing.assert_allclose(plans[0].root_quat[3], 1)


def test_edited_records_and_scale_vary_per_env():
    asset = arm()
    scene = scene_of([(asset, {})], [(asset, {})], [(asset, {})])
    edited = scene.actor(1, 0)
    edited.dofs = edited.dof_properties()
    edited.dofs["stiffness"][1] = 7.0
    scene.actor(2, 0).scale = 2.0
    (plan,) = compile_scene(scene)
    np.testing.assert_allclose(plan.varying["dof_stiffness"], [[5, 5, 5], [0, 7, 0]])
    np.testing.assert_allclose(plan.varying["link_pos"][5], [0.5, 0.5, 1.0])
    np.testing.assert_allclose(plan.varying["shape_size"][0], [0.05, 0.05, 0.1])
    np.testing.assert_allclose(plan.varying["dof_spring_ref"][1], [0.05, 0.05, 0.1])
    assert "link_quat" not in plan.varying


def test_a_tilted_plane_is_nearer_to_some_envs():
    scene = scene_of([(ball(), {})], [(ball(), {})])
    scene.add_ground(GroundPlane(normal=(1.0, 0.0, 1.0), distance=0.0, dynamic_friction=0.5))
    (plan,) = compile_scene(scene)
    np.testing.assert_allclose(plan.varying["ground_distance"], [[0, -2 * 0.5**0.5]], rtol=1e-6)
    np.testing.assert_allclose(plan.model.params["ground_friction"], [[1.0, 0.5]])


def test_no_ground():
    (plan,) = compile_scene(scene_of([(box(), {})], ground=False))
    assert not plan.model.has_ground
    assert plan.model.num_shapes == 0


def test_shape_records_are_copied_at_creation():
    asset = ball()
    scene = Scene()
    env = scene.create_env((0, 0, 0), (0, 0, 0), 1)
    scene.create_actor(env, asset)
    rows = scene.actor(0, 0).shape_properties()
    rows["friction"] = 0.25
    scene.create_actor(env, asset, shapes=rows)
    rows["friction"] = 0.5
    assert scene.actor(0, 1).shape_properties()["friction"] == 0.25


def test_errors_say_what_to_do():
    scene = scene_of([(ball(), {})])
    with pytest.raises(IndexError, match="env 3: expected 0 <= index < 1"):
        scene.env(3)
    with pytest.raises(IndexError, match="actor 1 of env 0"):
        scene.actor(0, 1)
    with pytest.raises(ValueError, match="pose of actor 'x'"):
        scene.create_actor(0, ball(), pos=(0, float("nan"), 0), name="x")
    with pytest.raises(ValueError, match="expected 1 records, got shape"):
        scene.create_actor(0, ball(), shapes=np.zeros(2, scene.actor(0, 0).shape_properties().dtype))
    with pytest.raises(TypeError, match="structured array with the fields friction"):
        scene.create_actor(0, ball(), shapes=np.zeros(1))
    with pytest.raises(ValueError, match="ground normal"):
        scene.add_ground(GroundPlane(normal=(0, 0, 0)))
    with pytest.raises(ValueError, match=r"GroundPlane\.dynamic_friction: expected a number >= 0, got -1"):
        scene.add_ground(GroundPlane(dynamic_friction=-1.0))
    scene.frozen = True
    with pytest.raises(SceneFrozenError, match="create everything before"):
        scene.create_env((0, 0, 0), (0, 0, 0), 1)
