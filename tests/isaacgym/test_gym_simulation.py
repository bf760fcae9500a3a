"""Gym, sections "library, simulation, stepping" and "ground": parameters, time, life and death."""

import time

import numpy as np
import pytest
import torch
from scenes import sim_params, step, tensor

from isaacgym import gymapi, gymtorch


def test_there_is_one_gym(gym):
    assert gymapi.acquire_gym() is gym
    assert gymapi.carb_init("")
    version = gym.get_version()
    assert (version.major, version.minor) == (1, 0)


def test_create_sim_takes_keywords_and_defaults(gym, device):
    params = sim_params(device)
    sim = gym.create_sim(compute_device=0, graphics_device=-1, type=gymapi.SIM_PHYSX, params=params)
    params.dt = 1.0  # the simulation has its own copy
    assert gym.get_sim_params(sim).dt == np.float32(0.01)
    gym.destroy_sim(sim)
    sim = gym.create_sim()
    assert gym.get_sim_params(sim).up_axis == gymapi.UP_AXIS_Y
    gym.destroy_sim(sim)


def test_flex_is_served_by_the_same_solver_with_a_notice(gym, caplog):
    sim = gym.create_sim(0, -1, gymapi.SIM_FLEX, gymapi.SimParams())
    assert sim is not None
    assert "SIM_FLEX is served" in caplog.text
    gym.destroy_sim(sim)


def test_the_parameters_are_a_copy_until_they_are_set(gym, make_scene):
    scene = make_scene("ball", envs=1, ground=False)
    params = gym.get_sim_params(scene.sim)
    assert {name for name in dir(params) if not name.startswith("_")} >= {"dt", "gravity", "physx"}
    params.gravity.z = 0.0
    params.gravity.x = 2.0
    assert gym.get_sim_params(scene.sim).gravity.z == np.float32(-9.81)
    gym.set_sim_params(scene.sim, params)
    step(scene, 10)
    root = tensor(scene, "actor_root_state")
    assert root[0, 7].item() == pytest.approx(2.0 * 0.1, rel=1e-4)
    assert root[0, 9].item() == 0.0


def test_substeps_and_dt_at_run_time(gym, make_scene):
    scene = make_scene("ball", envs=1, ground=False)
    params = gym.get_sim_params(scene.sim)
    params.dt, params.substeps = 0.02, 4
    gym.set_sim_params(scene.sim, params)
    step(scene)
    assert gym.get_sim_time(scene.sim) == pytest.approx(0.02)
    assert tensor(scene, "actor_root_state")[0, 9].item() == pytest.approx(-9.81 * 0.02, rel=1e-5)


def test_time_and_frames(gym, make_scene):
    scene = make_scene("ball", envs=1)
    assert (gym.get_sim_time(scene.sim), gym.get_frame_count(scene.sim)) == (0.0, 0)
    gym.fetch_results(scene.sim, True)  # nothing pending: harmless
    step(scene, 3)
    gym.fetch_results(scene.sim, False)
    assert gym.get_frame_count(scene.sim) == 3
    assert gym.get_sim_time(scene.sim) == pytest.approx(0.03)
    assert gym.get_elapsed_time(scene.sim) > 0.0
    gym.set_sim_device(scene.sim)


def test_sync_frame_time_keeps_the_pace(gym, make_sim):
    sim = make_sim(dt=0.05)
    gym.sync_frame_time(sim)
    start = time.perf_counter()
    for _ in range(3):
        gym.sync_frame_time(sim)
    assert time.perf_counter() - start >= 0.15 - 0.005


def test_performance_timers(gym, make_scene):
    scene = make_scene("ball", envs=1)
    handle = gym.create_performance_timers(scene.sim)
    step(scene, 3)
    timers = gym.get_performance_timers(scene.sim, handle)
    assert timers.physics_sim > 0.0
    assert timers.total_time == pytest.approx(timers.physics_sim + timers.frame_idling, rel=1e-5)
    assert gym.get_performance_timers(scene.sim, handle).physics_sim == 0.0  # since the last query
    gym.destroy_performance_timers(scene.sim, handle)
    with pytest.raises(ValueError, match="timers: expected a handle of create_performance_timers"):
        gym.get_performance_timers(scene.sim, handle)


def test_a_simulation_needs_no_prepare_sim(gym, make_scene):
    scene = make_scene("ball", envs=1, prepare=False)
    step(scene)
    assert tensor(scene, "actor_root_state")[0, 2].item() < 1.0


def test_omniverse_is_not_there(gym):
    assert gym.omni_connect(gymapi.OmniConnectionParams()) is False
    gym.omni_disconnect()


# ---- ground ------------------------------------------------------------------------------------------------


def test_the_ground_carries_every_group(gym, make_scene):
    scene = make_scene("ball", envs=3)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2] = 0.1
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 60)
    weight = gym.get_actor_rigid_body_properties(scene.envs[0], 0)[0].mass * 9.81
    assert tensor(scene, "net_contact_force")[:, 2].tolist() == pytest.approx([weight] * 3, rel=1e-3)
    assert tensor(scene, "actor_root_state")[:, 2].tolist() == pytest.approx([0.1] * 3, abs=2e-3)


def test_the_default_plane_is_for_y_up(gym, make_sim, device):
    sim = make_sim(ground=False, up_axis=gymapi.UP_AXIS_Y, gravity=gymapi.Vec3(0, -9.81, 0))
    gym.add_ground(sim, gymapi.PlaneParams())
    ball = gym.create_sphere(sim, 0.1)
    env = gym.create_env(sim, gymapi.Vec3(-1, 0, -1), gymapi.Vec3(1, 2, 1), 1)
    gym.create_actor(env, ball, gymapi.Transform(gymapi.Vec3(0, 0.3, 0)), "ball", 0, 1)
    for _ in range(100):
        gym.simulate(sim)
    states = gym.get_actor_rigid_body_states(env, 0, gymapi.STATE_ALL)
    assert states["pose"]["p"]["y"][0] == pytest.approx(0.1, abs=3e-3)


def test_the_planes_distance(gym, make_sim):
    """normal . x = distance."""
    sim = make_sim(ground=False)
    plane = gymapi.PlaneParams()
    plane.normal, plane.distance = gymapi.Vec3(0, 0, 1), 0.5
    gym.add_ground(sim, params=plane)
    env = gym.create_env(sim, gymapi.Vec3(-1, -1, 0), gymapi.Vec3(1, 1, 1), 1)
    gym.create_actor(env, gym.create_sphere(sim, 0.1), gymapi.Transform(gymapi.Vec3(0, 0, 0.61)), "ball", 0, 1)
    for _ in range(60):
        gym.simulate(sim)
    states = gym.get_actor_rigid_body_states(env, 0, gymapi.STATE_POS)
    assert states["pose"]["p"]["z"][0] == pytest.approx(0.6, abs=2e-3)


# ---- two at a time, and the end ----------------------------------------------------------------------------


def test_simulations_side_by_side_and_one_after_the_other(make_scene):
    first, second = make_scene("ball", envs=1), make_scene("ball", envs=2)
    step(first, 5)
    step(second, 5)
    a, b = tensor(first, "actor_root_state"), tensor(second, "actor_root_state")
    assert torch.equal(a[0], b[0])
    first.gym.destroy_sim(first.sim)
    step(second)
    third = make_scene("ball", envs=1)
    step(third, 5)
    assert torch.equal(tensor(third, "actor_root_state")[0], a[0])


def test_after_destroy_tensors_stay_and_calls_say_so(gym, make_scene):
    scene = make_scene("ball", envs=1)
    root = tensor(scene, "actor_root_state")
    gym.destroy_env(scene.envs[0])
    gym.destroy_sim(scene.sim)
    assert root[0, 2].item() == 1.0
    for call in (gym.simulate, gym.refresh_actor_root_state_tensor, gym.acquire_dof_state_tensor, gym.get_env_count):
        with pytest.raises(RuntimeError, match="destroyed"):
            call(scene.sim)
    gym.destroy_sim(scene.sim)  # twice is harmless


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("dt", 0.0, "dt"),
        ("dt", float("nan"), "dt"),
        ("substeps", 0, "substeps"),
        ("gravity", gymapi.Vec3(0, 0, float("nan")), "gravity"),
    ],
)
def test_parameters_that_cannot_be_meant(gym, device, errors, field, value, message):
    assert gym.create_sim(0, -1, gymapi.SIM_PHYSX, sim_params(device, **{field: value})) is None
    (text,) = errors()
    assert text.startswith("Gym.create_sim: ")
    assert message in text


def test_set_sim_params_refuses_another_up_axis(gym, make_scene):
    scene = make_scene("ball", envs=1)
    params = gym.get_sim_params(scene.sim)
    params.up_axis = gymapi.UP_AXIS_Y
    with pytest.raises(ValueError, match="up_axis"):
        gym.set_sim_params(scene.sim, params)


@pytest.mark.parametrize("call", ["simulate", "get_sim_time", "prepare_sim", "get_sim_params"])
def test_something_else_than_a_simulation(gym, call):
    with pytest.raises(TypeError, match=r"expected a gymapi\.Sim, got NoneType; it comes from create_sim"):
        getattr(gym, call)(None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="about machines without CUDA")
def test_the_gpu_pipeline_without_a_gpu_falls_back_with_a_warning(gym):
    params = gymapi.SimParams()
    params.use_gpu_pipeline = True
    with pytest.warns(UserWarning, match="asks for CUDA and there is none"):
        sim = gym.create_sim(0, -1, gymapi.SIM_PHYSX, params)
    gym.destroy_sim(sim)


@pytest.mark.gpu
def test_a_cuda_device_that_does_not_exist(gym, errors):
    assert gym.create_sim(99, -1, gymapi.SIM_PHYSX, sim_params("cuda:0")) is None
    assert "compute_device: expected 0 to" in errors()[0]
