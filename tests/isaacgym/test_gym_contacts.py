"""Gym, section "classic contact queries": single contacts."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import step, tensor

from isaacgym import gymapi, gymtorch


def pile(gym, make_scene, **fields):
    """Two envs of two balls: in env 0 apart on the ground, in env 1 one on the other."""
    scene = make_scene("ball", "ball", prepare=False, **fields)
    params = gym.get_sim_params(scene.sim)
    params.physx.rest_offset = 0.0
    gym.set_sim_params(scene.sim, params)
    for env in scene.envs:
        for actor in range(2):
            (props,) = gym.get_actor_rigid_shape_properties(env, actor)
            props.filter, props.friction = 0, 0.5
            props.rest_offset = 0.001 * actor
            assert gym.set_actor_rigid_shape_properties(env, actor, [props])
    root = tensor(scene, "actor_root_state").clone()
    root[:, :3] = root.new_tensor([[0, 0, 0.1], [1, 0, 0.101], [0, 0, 0.1], [0, 0, 0.301]])
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    return scene


def test_contacts_of_envs_and_of_all(gym, make_scene):
    scene = pile(gym, make_scene)
    assert gym.get_rigid_contacts(scene.sim).size == 0  # before the first step
    step(scene, 20)
    weight = gym.get_actor_rigid_body_properties(scene.envs[0], 0)[0].mass * 9.81
    first, second = (gym.get_env_rigid_contacts(env) for env in scene.envs)
    assert first.dtype == gymapi.RigidContact.dtype
    for name, values in {"env0": [0, 0], "env1": [-1, -1], "body0": [0, 1], "body1": [-1, -1]}.items():
        assert first[name].tolist() == values
    assert first["lambda"] == pytest.approx([weight] * 2, rel=1e-3)
    assert first["minDist"] == pytest.approx([0, 0.001], abs=1e-6)
    assert first["initialOverlap"] == pytest.approx([0, 0], abs=1e-4)
    assert first["normal"]["z"].tolist() == [-1, -1]  # from the ball to the ground
    assert first["localPos0"]["z"] == pytest.approx([-0.1, -0.1], abs=1e-4)
    assert first["localPos1"]["x"] == pytest.approx([0, 1], abs=1e-4)
    assert first["friction"] == pytest.approx([0.75, 0.75])  # with the ground's 1
    (pair,) = np.flatnonzero(second["body1"] >= 0)
    assert second[["env0", "env1", "body0", "body1"]][pair].tolist() == (1, 1, 0, 1)
    assert second["lambda"][pair] == pytest.approx(weight, rel=1e-2)
    assert second["normal"]["z"][pair] == pytest.approx(1)  # from the lower to the upper
    assert second["localPos1"]["z"][pair] == pytest.approx(-0.1, abs=1e-3)
    assert second["friction"][pair] == pytest.approx(0.5)
    assert second["lambda"][1 - pair] == pytest.approx(2 * weight, rel=1e-2)
    both = gym.get_rigid_contacts(scene.sim)
    assert np.array_equal(both, np.concatenate([first, second]))


def test_friction_on_a_slope(gym, make_scene):
    """lambda and lambdaFriction are the force; the cone holds."""
    scene = make_scene("ball", envs=1, prepare=False, gravity=gymapi.Vec3(3.0, 0.0, -4.0))
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2] = 0.101
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 10)
    (contact,) = gym.get_env_rigid_contacts(scene.envs[0])
    net = gym.get_env_rigid_contact_forces(scene.envs[0])[0]
    assert contact["lambda"] == pytest.approx(net["z"], rel=1e-3)
    friction = np.hypot(contact["lambdaFriction"]["x"], contact["lambdaFriction"]["y"])
    assert friction == pytest.approx(np.hypot(net["x"], net["y"]), rel=1e-3)
    mass = gym.get_actor_rigid_body_properties(scene.envs[0], 0)[0].mass
    assert friction == pytest.approx(mass * 3.0 * 2 / 7, rel=1e-2)  # a ball rolls: 2/7 of the push


def test_first_asked_after_steps(gym, make_scene):
    scene = pile(gym, make_scene)
    step(scene, 20)
    before = tensor(scene, "actor_root_state").clone()
    assert len(gym.get_rigid_contacts(scene.sim)) == 4
    assert tensor(scene, "actor_root_state").equal(before)
