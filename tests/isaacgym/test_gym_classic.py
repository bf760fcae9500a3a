"""Gym, the calls without tensors: states, targets and efforts of one actor, body or DOF at a time."""

import math

import numpy as np
import pytest
from scenes import step, tensor

from isaacgym import gymapi

ALL, POS, VEL, NONE = gymapi.STATE_ALL, gymapi.STATE_POS, gymapi.STATE_VEL, gymapi.STATE_NONE


def positions(states):
    """(n, 3) of an array of RigidBodyState.dtype."""
    return np.stack([states["pose"]["p"][k] for k in "xyz"], axis=-1)


def drive(gym, env, actor, mode, stiffness, damping):
    props = gym.get_actor_dof_properties(env, actor)
    props["driveMode"].fill(mode)
    props["stiffness"], props["damping"] = stiffness, damping
    assert gym.set_actor_dof_properties(env, actor, props)


# ---- body states -------------------------------------------------------------------------------------------


def test_body_states_of_actor_env_and_sim(gym, make_scene):
    scene = make_scene("arm", "ball")
    actor = gym.get_actor_rigid_body_states(scene.envs[1], 0, ALL)
    assert (actor.dtype, actor.shape) == (gymapi.RigidBodyState.dtype, (4,))
    np.testing.assert_allclose(positions(actor), [[0, 0, 0], [0, 0, 1], [0, 0, 1.4], [0, 0, 1.5]], atol=1e-6)
    env = gym.get_env_rigid_body_states(scene.envs[1], ALL)
    assert len(env) == 5
    sim = gym.get_sim_rigid_body_states(scene.sim, ALL)
    assert len(sim) == 10
    assert sim[5:].tolist() == env.tolist()
    assert env[:4].tolist() == actor.tolist()


def test_flags_choose_what_is_brought_up_to_date(gym, make_scene):
    scene = make_scene("ball", envs=1, ground=False)
    env = scene.envs[0]
    view = gym.get_actor_rigid_body_states(env, 0, ALL)
    step(scene, 10)
    gym.get_actor_rigid_body_states(env, 0, NONE)
    assert view["pose"]["p"]["z"][0] == 1.0
    gym.get_actor_rigid_body_states(env, 0, VEL)
    assert view["vel"]["linear"]["z"][0] == pytest.approx(-0.981, rel=1e-4)
    assert view["pose"]["p"]["z"][0] == 1.0
    gym.get_actor_rigid_body_states(env, 0, POS)
    assert view["pose"]["p"]["z"][0] < 1.0


def test_setting_body_states_moves_root_and_joints(gym, make_scene):
    """States saved at one time are put back later, as clients reset their scenes."""
    scene = make_scene("walker", envs=2, ground=False)
    saved = np.copy(gym.get_sim_rigid_body_states(scene.sim, ALL))
    gym.set_actor_dof_states(scene.envs[0], 0, np.array([(0.3, 1.0), (-0.2, 0.5)], gymapi.DofState.dtype), ALL)
    kept = np.copy(gym.get_actor_rigid_body_states(scene.envs[0], 0, ALL))
    step(scene, 10)
    assert gym.set_sim_rigid_body_states(scene.sim, saved, ALL)
    assert gym.get_actor_dof_states(scene.envs[0], 0, ALL)["pos"].tolist() == pytest.approx([0, 0], abs=1e-6)
    np.testing.assert_allclose(positions(gym.get_sim_rigid_body_states(scene.sim, ALL)), positions(saved), atol=1e-6)
    assert gym.set_actor_rigid_body_states(scene.envs[0], 0, kept, ALL)
    states = gym.get_actor_dof_states(scene.envs[0], 0, ALL)
    assert states["pos"].tolist() == pytest.approx([0.3, -0.2], abs=1e-5)
    assert states["vel"].tolist() == pytest.approx([1.0, 0.5], abs=1e-4)
    assert gym.set_env_rigid_body_states(scene.envs[1], saved[3:], POS)
    np.testing.assert_allclose(
        positions(gym.get_env_rigid_body_states(scene.envs[1], ALL)), positions(saved[3:]), atol=1e-6
    )


def test_single_bodies(gym, make_scene):
    scene = make_scene("arm", "ball", ground=False, gravity=gymapi.Vec3())
    env = scene.envs[1]
    ball = gym.get_rigid_handle(env, "ball", "sphere")
    assert gym.get_rigid_transform(env, ball).p == gymapi.Vec3(0, 2, 1)
    turned = gymapi.Quat.from_axis_angle(gymapi.Vec3(0, 0, 1), 1.0)
    gym.set_rigid_transform(env, ball, gymapi.Transform(gymapi.Vec3(1, 2, 3), turned))
    gym.set_rigid_linear_velocity(env, ball, gymapi.Vec3(1, 0, 0))
    gym.set_rigid_angular_velocity(env, ball, gymapi.Vec3(0, 0, 2))
    assert gym.get_rigid_linear_velocity(env, ball) == gymapi.Vec3(1, 0, 0)
    assert gym.get_rigid_angular_velocity(env, ball) == gymapi.Vec3(0, 0, 2)
    step(scene, 10)
    pose = gym.get_rigid_transform(env, ball)
    assert (pose.p.x, pose.p.y, pose.p.z) == pytest.approx((1.1, 2, 3), abs=1e-5)
    assert pose.r.to_euler_zyx()[2] == pytest.approx(1.2, abs=1e-4)
    hand = gym.find_actor_rigid_body_handle(env, 0, "hand")
    assert gym.get_rigid_transform(env, hand).p.z == pytest.approx(1.4)


def test_vectors_of_bodies(gym, make_scene):
    scene = make_scene("ball", envs=3)
    gym.set_rigid_linear_velocity(scene.envs[1], 0, gymapi.Vec3(0, 3, 0))
    gym.set_rigid_angular_velocity(scene.envs[2], 0, gymapi.Vec3(0, 0, 4))
    assert gym.get_vec_rigid_transform(scene.envs, 0)["p"]["z"].tolist() == [1, 1, 1]
    assert gym.get_vec_rigid_linear_velocity(scene.envs, [0, 0, 0])["y"].tolist() == [0, 3, 0]
    assert gym.get_vec_rigid_angular_velocity(scene.envs, 0)["z"].tolist() == [0, 0, 4]


def test_states_before_prepare_sim(gym, make_scene):
    """What is set before the simulation is prepared is its state then."""
    scene = make_scene("arm", "ball", prepare=False, ground=False)
    env = scene.envs[0]
    gym.set_actor_dof_states(env, 0, np.array([(0.5, 0.0), (0.1, 0.0)], gymapi.DofState.dtype), POS)
    gym.set_rigid_transform(env, 4, gymapi.Transform(gymapi.Vec3(5, 0, 2)))
    gym.set_actor_dof_position_targets(env, 0, np.array([0.5, 0.1], np.float32))
    assert gym.get_dof_position(env, 0) == 0.5
    hand = gym.get_rigid_transform(env, 2)
    assert (hand.p.x, hand.p.z) == pytest.approx((0.5 * math.sin(0.5), 1 + 0.5 * math.cos(0.5)))
    gym.prepare_sim(scene.sim)
    assert tensor(scene, "dof_state")[:, 0].tolist() == pytest.approx([0.5, 0.1, 0, 0])
    assert tensor(scene, "actor_root_state")[1, :3].tolist() == [5, 0, 2]
    assert gym.get_actor_dof_position_targets(env, 0).tolist() == pytest.approx([0.5, 0.1])
    assert gym.get_rigid_transform(env, 2).p.x == pytest.approx(hand.p.x)


# ---- DOFs and joints ---------------------------------------------------------------------------------------


def test_dof_states(gym, make_scene):
    scene = make_scene("arm", gravity=gymapi.Vec3())
    env = scene.envs[1]
    states = gym.get_actor_dof_states(env, 0, ALL)
    assert (states.dtype, len(states)) == (gymapi.DofState.dtype, 2)
    new = np.zeros(2, gymapi.DofState.dtype)
    new["pos"], new["vel"] = (0.5, 0.1), (1.0, 2.0)
    assert gym.set_actor_dof_states(env, 0, new, POS)
    assert gym.get_actor_dof_states(env, 0, ALL).tolist() == [(0.5, 0.0), (np.float32(0.1), 0.0)]
    assert gym.set_actor_dof_states(env, 0, new, VEL)
    assert gym.get_actor_dof_states(env, 0, ALL)["vel"].tolist() == [1, 2]
    assert gym.get_vec_actor_dof_states(scene.envs, 0, ALL)["vel"].tolist() == [0, 0, 1, 2]
    assert gym.get_vec_actor_dof_states(scene.envs, [0, 0], POS)["pos"][2] == 0.5
    assert (gym.get_dof_position(env, 1), gym.get_dof_velocity(env, 1)) == (np.float32(0.1), 2.0)
    slide = gym.find_actor_joint_handle(env, 0, "slide")
    assert (gym.get_joint_position(env, slide), gym.get_joint_velocity(env, slide)) == (np.float32(0.1), 2.0)
    weld = gym.find_actor_joint_handle(env, 0, "weld")
    assert (gym.get_joint_position(env, weld), gym.get_joint_velocity(env, weld)) == (0.0, 0.0)


def test_dof_frames(gym, make_scene):
    scene = make_scene("arm", envs=1)
    env = scene.envs[0]
    gym.set_actor_dof_states(env, 0, np.array([(math.pi / 2, 0), (0.1, 0)], gymapi.DofState.dtype), ALL)
    frames = gym.get_actor_dof_frames(env, 0)
    assert frames["origin"][0].item() == pytest.approx((0, 0, 1))
    assert frames["axis"][0].item() == pytest.approx((0, 1, 0), abs=1e-6)
    assert frames["axis"][1].item() == pytest.approx((1, 0, 0), abs=1e-6)
    frame = gym.get_dof_frame(env, 1)
    end = frame.origin + frame.axis * 0.7
    assert (end.x, end.z) == pytest.approx((frame.origin.x + 0.7, 1.0), abs=1e-5)


def test_joint_transforms(gym, make_scene):
    scene = make_scene("arm", envs=1)
    env = scene.envs[0]
    gym.set_actor_dof_states(env, 0, np.array([(math.pi / 2, 0), (0.0, 0)], gymapi.DofState.dtype), ALL)
    transforms = gym.get_actor_joint_transforms(env, 0)
    assert (transforms.dtype, len(transforms)) == (gymapi.Transform.dtype, 3)
    assert transforms[1]["p"].item() == pytest.approx((0.4, 0, 1), abs=1e-6)
    assert gym.get_joint_transform(env, 2).p.x == pytest.approx(0.5, abs=1e-6)


# ---- targets and efforts -----------------------------------------------------------------------------------


def test_position_targets_last(gym, make_scene):
    scene = make_scene("arm", gravity=gymapi.Vec3())
    env = scene.envs[0]
    drive(gym, env, 0, gymapi.DOF_MODE_POS, 400.0, 60.0)
    assert gym.set_actor_dof_position_targets(env, 0, np.array([0.4, 0.1], np.float32))
    assert gym.get_actor_dof_position_targets(env, 0).tolist() == pytest.approx([0.4, 0.1])
    step(scene, 150)
    assert gym.get_actor_dof_states(env, 0, POS)["pos"].tolist() == pytest.approx([0.4, 0.1], abs=5e-3)
    assert gym.get_actor_dof_states(scene.envs[1], 0, POS)["pos"].tolist() == [0, 0]


def test_velocity_targets_and_single_dofs(gym, make_scene):
    scene = make_scene("arm", gravity=gymapi.Vec3())
    env = scene.envs[0]
    drive(gym, env, 0, gymapi.DOF_MODE_VEL, 0.0, 500.0)
    assert gym.set_actor_dof_velocity_targets(env, 0, [0.5, 0.0])
    step(scene, 10)
    assert gym.get_dof_velocity(env, 0) == pytest.approx(0.5, abs=5e-3)
    assert gym.get_actor_dof_velocity_targets(env, 0).tolist() == [0.5, 0]
    gym.set_dof_target_velocity(env, 0, -0.5)
    assert gym.get_dof_target_velocity(env, 0) == -0.5
    step(scene, 10)
    assert gym.get_dof_velocity(env, 0) == pytest.approx(-0.5, abs=5e-3)
    gym.set_dof_target_position(env, 1, 0.25)
    assert gym.get_dof_target_position(env, 1) == 0.25
    gym.set_joint_target_position(env, 1, 0.125)
    assert gym.get_joint_target_position(env, 1) == gym.get_dof_target_position(env, 1) == 0.125
    gym.set_joint_target_velocity(env, 1, 0.5)
    assert gym.get_joint_target_velocity(env, 1) == gym.get_dof_target_velocity(env, 1) == 0.5


def test_efforts_add_up_and_act_for_one_step(gym, make_scene):
    """The slide carries 1.5 kg: 1.5 N for 0.01 s is 0.01 m/s."""
    scene = make_scene("arm", gravity=gymapi.Vec3())
    env = scene.envs[0]
    drive(gym, env, 0, gymapi.DOF_MODE_EFFORT, 0.0, 0.0)
    slide = gym.find_actor_dof_handle(env, 0, "slide")
    assert gym.apply_actor_dof_efforts(env, 0, np.array([0.0, 1.5], np.float32))
    gym.apply_dof_effort(env, slide, 3.0)
    step(scene)
    assert gym.get_dof_velocity(env, slide) == pytest.approx(0.03, rel=1e-4)
    step(scene)
    assert gym.get_dof_velocity(env, slide) == pytest.approx(0.03, rel=1e-4)
    assert gym.get_dof_velocity(scene.envs[1], slide) == 0.0


def test_body_forces(gym, make_scene):
    scene = make_scene("ball", ground=False, gravity=gymapi.Vec3())
    env = scene.envs[1]
    (props,) = gym.get_actor_rigid_body_properties(env, 0)
    gym.apply_body_forces(env, 0, force=gymapi.Vec3(props.mass, 0, 0), torque=gymapi.Vec3(0, 0, props.inertia.z.z))
    gym.apply_body_forces(env, 0, gymapi.Vec3(props.mass, 0, 0), None, gymapi.ENV_SPACE)
    gym.apply_body_force_at_pos(env, rigidHandle=0, force=gymapi.Vec3(0, 0, 1), pos=gymapi.Vec3(0.1, 0, 1))
    gym.apply_body_force_at_pos(env, 0, gymapi.Vec3(0, props.mass, 0))
    step(scene, 2)
    speed, spin = gym.get_rigid_linear_velocity(env, 0), gym.get_rigid_angular_velocity(env, 0)
    assert (speed.x, speed.y, speed.z) == pytest.approx((0.02, 0.01, 0.01 / props.mass), rel=1e-3)
    assert (spin.y, spin.z) == pytest.approx((-0.001 / props.inertia.y.y, 0.01), rel=1e-3)
    assert gym.get_rigid_linear_velocity(scene.envs[0], 0) == gymapi.Vec3()


def test_there_are_no_soft_bodies(gym, make_scene):
    scene = make_scene("ball", envs=1)
    assert len(gym.get_soft_contacts(scene.sim)) == 0
    assert gym.get_sim_tetrahedra(scene.sim) == ([], [])
    assert gym.get_sim_tetrahedra_count(scene.sim) == 0
    assert gym.get_sim_triangles(scene.sim) == ([], [], [])
    assert gym.get_sim_triangle_count(scene.sim) == 0


# ---- what fails --------------------------------------------------------------------------------------------


def test_wrong_values(gym, make_scene, errors):
    scene = make_scene("arm", "ball")
    env = scene.envs[0]
    cases = [
        (lambda: gym.set_actor_dof_position_targets(env, 0, [0.1]), "expected 2 values, one per DOF, got 1"),
        (lambda: gym.set_actor_dof_position_targets(env, 0, [0.1, math.nan]), "got nan for DOF 1 ('slide')"),
        (lambda: gym.set_actor_dof_velocity_targets(env, 0, [math.inf, 0.0]), "got inf for DOF 0 ('shoulder')"),
        (lambda: gym.apply_actor_dof_efforts(env, 0, np.zeros(3)), "expected 2 values, one per DOF, got 3"),
        (lambda: gym.set_actor_dof_states(env, 0, np.zeros(3, gymapi.DofState.dtype), ALL), "expected 2 records"),
        (lambda: gym.set_actor_dof_states(env, 0, np.zeros(2, gymapi.Vec3.dtype), ALL), "expected dtype"),
        (lambda: gym.set_actor_rigid_body_states(env, 0, np.zeros(2, gymapi.RigidBodyState.dtype), ALL), "4 records"),
    ]
    for call, text in cases:
        assert call() is False
        assert text in errors()[0]


def test_only_root_bodies_are_moved_one_by_one(gym, make_scene, errors):
    scene = make_scene("arm", envs=1)
    before = gym.get_rigid_transform(scene.envs[0], 2)
    gym.set_rigid_transform(scene.envs[0], 2, gymapi.Transform())
    assert "body 'hand' of actor 'arm': expected the root body, got body 2" in errors()[0]
    assert gym.get_rigid_transform(scene.envs[0], 2) == before


def test_nan_states_are_refused(gym, make_scene, errors):
    scene = make_scene("arm", "ball")
    env = scene.envs[0]
    bad = np.zeros(2, gymapi.DofState.dtype)
    bad["pos"][1] = math.nan
    assert gym.set_actor_dof_states(env, 0, bad, ALL) is False
    assert "nan" in errors()[0]
    gym.set_rigid_linear_velocity(env, 4, gymapi.Vec3(math.nan, 0, 0))
    assert "nan" in errors()[0]
    gym.apply_body_forces(env, 4, gymapi.Vec3(math.nan, 0, 0))
    assert "nan" in errors()[0]
    gym.apply_dof_effort(env, 0, math.nan)
    assert "nan" in errors()[0]
    step(scene)
    assert np.isfinite(positions(gym.get_sim_rigid_body_states(scene.sim, ALL))).all()


def test_handles_that_do_not_exist(gym, make_scene, errors):
    scene = make_scene("arm", envs=1)
    env = scene.envs[0]
    for call in (gym.get_rigid_transform, gym.get_dof_position, gym.get_joint_position, gym.get_dof_target_position):
        with pytest.raises(IndexError, match=r"handle 99 of env 0: expected 0 <= handle <"):
            call(env, 99)
    gym.apply_body_forces(env, -1, gymapi.Vec3(1, 0, 0))
    assert "body handle -1 of env 0: expected 0 <= handle < 4" in errors()[0]
    gym.set_joint_target_position(env, 2, 0.0)
    assert "joint 'weld' is fixed" in errors()[0]
    with pytest.raises(LookupError):
        gym.get_actor_dof_states(env, 3, ALL)
    with pytest.raises(LookupError):
        gym.get_actor_dof_forces(env, 3)
