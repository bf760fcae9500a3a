"""Gym, sections on envs and actors: creation, order, handles and indices, collision groups."""

import sys

import numpy as np
import pytest
from scenes import step, tensor

from isaacgym import gymapi, gymtorch

ACTOR, ENV, SIM = gymapi.DOMAIN_ACTOR, gymapi.DOMAIN_ENV, gymapi.DOMAIN_SIM


@pytest.fixture
def pair(make_scene):
    """Two envs with a walker (3 bodies, 2 DOFs) and an arm (4 bodies, 3 joints, 2 DOFs), not prepared."""
    return make_scene("walker", "arm", prepare=False)


def test_counts(gym, pair):
    sim, env = pair.sim, pair.envs[0]
    assert gym.get_env_count(sim) == 2
    assert gym.get_actor_count(env) == 2
    assert gym.get_env_rigid_body_count(env) == 7
    assert gym.get_env_joint_count(env) == 5
    assert gym.get_env_dof_count(env) == 4
    assert gym.get_sim_actor_count(sim) == 4
    assert gym.get_sim_rigid_body_count(sim) == 14
    assert gym.get_sim_joint_count(sim) == 10
    assert gym.get_sim_dof_count(sim) == 8
    assert gym.get_sim_force_sensor_count(sim) == 0
    assert gym.get_env(sim, 1) is pair.envs[1]
    assert gym.get_env(sim, 2) is None
    assert gym.get_env(sim, -1) is None


def test_the_grid_of_envs(gym, make_sim):
    sim = make_sim()
    envs = [gym.create_env(sim, gymapi.Vec3(-1, -2, 0), gymapi.Vec3(1, 2, 3), 3) for _ in range(4)]
    origins = [gym.get_env_origin(env) for env in envs]
    assert [(o.x, o.y, o.z) for o in origins] == [(0, 0, 0), (2, 0, 0), (4, 0, 0), (0, 4, 0)]


def test_the_grid_lies_where_the_up_axis_says(gym, make_sim):
    sim = make_sim(ground=False, up_axis=gymapi.UP_AXIS_Y)
    envs = [gym.create_env(sim, gymapi.Vec3(-1, 0, -2), gymapi.Vec3(1, 3, 2), 1) for _ in range(2)]
    assert gym.get_env_origin(envs[1]) == gymapi.Vec3(0, 0, 4)


def test_zero_extents_and_no_envs_per_row(gym, make_sim):
    sim = make_sim()
    envs = [gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 0) for _ in range(3)]
    assert {(gym.get_env_origin(e).x, gym.get_env_origin(e).y) for e in envs} == {(0, 0)}


def test_actors(gym, pair):
    env = pair.envs[1]
    assert gym.find_actor_handle(env, "arm") == 1
    assert gym.find_actor_handle(env, "nobody") == -1
    assert [gym.get_actor_handle(env, k) for k in (0, 1, 2)] == [0, 1, -1]
    assert gym.get_actor_name(env, 1) == "arm"
    assert gym.get_asset_rigid_body_names(gym.get_actor_asset(env, 1)) == ["base", "upper", "hand", "tip"]
    assert [gym.get_actor_index(env, 1, domain) for domain in (ACTOR, ENV, SIM)] == [0, 1, 3]
    assert gym.find_actor_index(env, "arm", SIM) == 3
    assert gym.find_actor_index(env, "nobody", SIM) == -1


def test_bodies_of_an_actor(gym, pair):
    env, arm = pair.envs[1], 1
    assert gym.get_actor_rigid_body_count(env, arm) == 4
    assert gym.get_actor_rigid_body_names(env, arm) == ["base", "upper", "hand", "tip"]
    assert gym.get_actor_rigid_body_dict(env, arm)["tip"] == 3
    assert gym.get_actor_rigid_body_handle(env, arm, 2) == 5
    assert gym.find_actor_rigid_body_handle(env, arm, "hand") == 5
    assert gym.find_actor_rigid_body_handle(env, arm, "nose") == -1
    assert gym.get_actor_root_rigid_body_handle(env, arm) == 3
    assert [gym.get_actor_rigid_body_index(env, arm, 2, domain) for domain in (ACTOR, ENV, SIM)] == [2, 5, 12]
    assert gym.find_actor_rigid_body_index(env, arm, "hand", SIM) == 12
    assert gym.find_actor_rigid_body_index(env, arm, "nose", SIM) == -1
    assert gym.get_rigid_handle(env, "arm", "hand") == 5
    assert gym.get_rigid_handle(env, "nobody", "hand") == -1
    assert gym.get_rigid_name(env, 5) == "hand"
    assert gym.get_actor_rigid_shape_count(env, arm) == 2
    assert [r.count for r in gym.get_actor_rigid_body_shape_indices(env, arm)] == [0, 1, 1, 0]


def test_joints_of_an_actor(gym, pair):
    env, arm = pair.envs[1], 1
    assert gym.get_actor_joint_count(env, arm) == 3
    assert gym.get_actor_joint_names(env, arm) == ["shoulder", "slide", "weld"]
    assert gym.get_actor_joint_dict(env, arm) == {"shoulder": 0, "slide": 1, "weld": 2}
    assert gym.get_actor_joint_handle(env, arm, 1) == 3
    assert gym.find_actor_joint_handle(env, arm, "slide") == 3
    assert [gym.get_actor_joint_index(env, arm, 1, domain) for domain in (ACTOR, ENV, SIM)] == [1, 3, 8]
    assert gym.find_actor_joint_index(env, arm, "slide", SIM) == 8
    assert gym.get_joint_handle(env, "arm", "slide") == 3
    assert gym.get_joint_handle(env, "arm", "elbow") == -1
    assert gym.get_joint_name(env, 3) == "slide"


def test_dofs_of_an_actor(gym, pair):
    env, arm = pair.envs[1], 1
    assert gym.get_actor_dof_count(env, arm) == 2
    assert gym.get_actor_dof_names(env, arm) == ["shoulder", "slide"]
    assert gym.get_actor_dof_dict(env, arm) == {"shoulder": 0, "slide": 1}
    assert gym.get_actor_dof_handle(env, arm, 1) == 3
    assert gym.find_actor_dof_handle(env, arm, "slide") == 3
    assert gym.find_actor_dof_handle(env, arm, "elbow") == -1
    assert [gym.get_actor_dof_index(env, arm, 1, domain) for domain in (ACTOR, ENV, SIM)] == [1, 3, 7]
    assert gym.find_actor_dof_index(env, arm, "slide", SIM) == 7


def test_actuators_of_an_actor(gym, pair):
    env, walker = pair.envs[1], 0
    assert gym.get_actor_actuator_count(env, walker) == 2
    assert gym.get_actor_actuator_name(env, walker, 0) == "right_motor"
    assert gym.get_actor_actuator_joint_name(env, walker, 0) == "right_hip"
    assert [p.motor_effort for p in gym.get_actor_actuator_properties(env, walker)] == [15, 10]
    assert gym.find_actor_actuator_index(env, walker, "left_motor") == 1


def test_rows_are_in_sim_order(gym, pair):
    gym.prepare_sim(pair.sim)
    root, body = tensor(pair, "actor_root_state"), tensor(pair, "rigid_body_state")
    assert root[:, 1].tolist() == [0, 2, 0, 2]  # walker, arm, walker, arm
    assert root[:, 2].tolist() == [1, 0, 1, 0]
    tip = gym.find_actor_rigid_body_index(pair.envs[1], 1, "tip", SIM)
    assert body[tip, :3].tolist() == pytest.approx([0, 2, 1.5])  # env-local: the origin of the env is not in it


def test_actors_may_be_added_in_any_order(gym, make_sim, caplog):
    """All envs first, then their actors: rows are by env all the same."""
    caplog.set_level("INFO", logger="isaacgym")
    sim = make_sim()
    ball = gym.create_sphere(sim, 0.1)
    envs = [gym.create_env(sim, gymapi.Vec3(-1, -1, 0), gymapi.Vec3(1, 1, 1), 2) for _ in range(3)]
    for k, env in enumerate(reversed(envs)):
        gym.create_actor(env, ball, gymapi.Transform(gymapi.Vec3(0, 0, 1.0 + k)), "ball", 2 - k, 1)
    assert "ordered by env" in caplog.text
    assert [gym.get_actor_index(env, 0, SIM) for env in envs] == [0, 1, 2]
    root = gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
    assert root[:, 2].tolist() == [3, 2, 1]


def test_names_need_not_be_unique_and_may_be_missing(gym, make_sim):
    sim = make_sim()
    ball = gym.create_sphere(sim, 0.1)
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    assert gym.create_actor(env, ball, gymapi.Transform(), None) == 0
    assert gym.create_actor(env=env, asset=ball, pose=gymapi.Transform(), name="sphere", group=-1) == 1
    assert gym.get_actor_name(env, 0) == "sphere"
    assert gym.find_actor_handle(env, "sphere") == 0


def test_creation_poses_are_normalised_and_copied(gym, make_sim):
    sim = make_sim()
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    pose = gymapi.Transform(gymapi.Vec3(1, 2, 3), gymapi.Quat(0, 0, 2, 2))
    gym.create_actor(env, gym.create_sphere(sim, 0.1), pose)
    pose.p.x = 9.0
    root = gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
    assert root[0, :7].tolist() == pytest.approx([1, 2, 3, 0, 0, 0.5**0.5, 0.5**0.5])


def test_aggregates_are_accepted(gym, make_sim):
    sim = make_sim()
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    assert gym.begin_aggregate(env, 10, 10, True)
    ball = gym.create_actor(env, gym.create_sphere(sim, 0.1), gymapi.Transform())
    assert gym.end_aggregate(env)
    assert gym.create_aggregate(env, [ball])


def test_shape_properties_are_taken_at_creation(gym, make_sim):
    """legged_gym's way: another friction for every env, set on the asset before each actor."""
    sim = make_sim()
    ball, frictions = gym.create_sphere(sim, 0.1), []
    for k in range(3):
        env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
        props = gym.get_asset_rigid_shape_properties(ball)
        props[0].friction = 0.25 * k
        assert gym.set_asset_rigid_shape_properties(ball, props)
        actor = gym.create_actor(env, ball, gymapi.Transform(), "ball", k, 0)
        frictions.append(gym.get_actor_rigid_shape_properties(env, actor)[0].friction)
    assert frictions == [0, 0.25, 0.5]
    assert gym.get_actor_rigid_shape_properties(gym.get_env(sim, 0), 0)[0].friction == 0


# ---- groups and filters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "filters", "collide"),
    [((0, 0), (0, 0), True), ((0, 1), (0, 0), False), ((0, -1), (0, 0), True), ((0, 0), (1, 1), False),
     ((0, 0), (1, 2), True), ((0, 0), (3, 2), False)],
)  # fmt: skip
def test_groups_and_filters(gym, make_sim, groups, filters, collide):
    """One ball on top of another: it rests there if they collide, falls through to the ground if not."""
    sim = make_sim()
    options = gymapi.AssetOptions()
    ball = gym.create_sphere(sim, 0.1, options)
    options.fix_base_link = True
    fixed = gym.create_sphere(sim, 0.1, options)
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    gym.create_actor(env, fixed, gymapi.Transform(gymapi.Vec3(0, 0, 0.5)), "low", groups[0], filters[0])
    gym.create_actor(env, ball, gymapi.Transform(gymapi.Vec3(0, 0, 0.7)), "high", groups[1], filters[1])
    for _ in range(50):
        gym.simulate(sim)
    height = gym.get_actor_rigid_body_states(env, 1, gymapi.STATE_POS)["pose"]["p"]["z"][0]
    assert height == pytest.approx(0.7 if collide else 0.1, abs=3e-3)


def test_envs_of_one_group_are_refused(gym, make_sim):
    sim = make_sim()
    ball = gym.create_sphere(sim, 0.1)
    for _ in range(2):
        env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
        gym.create_actor(env, ball, gymapi.Transform(), "ball", 7, 0)
    with pytest.raises(ValueError, match="group"):
        gym.prepare_sim(sim)


def test_envs_of_one_group_run_apart_when_asked_to(gym, make_sim, monkeypatch):
    monkeypatch.setenv("KILOGYM_SHARED_GROUPS", "ignore")
    sim = make_sim()
    ball = gym.create_sphere(sim, 0.1)
    for _ in range(2):
        env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
        gym.create_actor(env, ball, gymapi.Transform(gymapi.Vec3(0, 0, 0.5)), "ball", 7, 0)
    gym.simulate(sim)
    root = gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
    gym.refresh_actor_root_state_tensor(sim)
    assert root[0].tolist() == root[1].tolist()


# ---- what fails --------------------------------------------------------------------------------------------


def test_unknown_handles(gym, pair, errors):
    env = pair.envs[0]
    for call in (
        lambda: gym.get_actor_name(env, 7),
        lambda: gym.get_actor_dof_count(env, -1),
        lambda: gym.get_actor_rigid_body_names(env, 2),
    ):
        with pytest.raises(LookupError, match="actor"):
            call()
    # where the original gave -1
    assert gym.get_actor_rigid_body_handle(env, 1, 4) == -1
    assert errors() == ["Gym.get_actor_rigid_body_handle: body 4 of actor 'arm': expected 0 <= index < 4"]
    assert gym.get_actor_dof_index(env, 1, -1, SIM) == -1
    assert gym.get_actor_joint_handle(env, 1, 3) == -1
    assert gym.get_actor_index(env, 5, SIM) == -1
    with pytest.raises(LookupError, match="body handle 99 of env 0: expected 0 <= handle < 7"):
        gym.get_rigid_name(env, 99)


def test_wrong_types(gym, pair):
    with pytest.raises(TypeError, match=r"expected a gymapi\.Env, got Sim; it comes from create_env"):
        gym.create_actor(pair.sim, pair.assets["arm"], gymapi.Transform())
    with pytest.raises(TypeError, match=r"expected a gymapi\.Asset, got NoneType"):
        gym.create_actor(pair.envs[0], None, gymapi.Transform())
    with pytest.raises(TypeError, match=r"expected a gymapi\.Transform, got Vec3"):
        gym.create_actor(pair.envs[0], pair.assets["arm"], gymapi.Vec3())


def test_a_pose_that_is_not_finite(gym, pair, errors):
    pose = gymapi.Transform(gymapi.Vec3(0, 0, float("nan")))
    assert gym.create_actor(pair.envs[0], pair.assets["arm"], pose) == -1
    assert "nan" in errors()[0]


def test_nothing_is_added_to_a_frozen_scene(gym, make_scene):
    scene = make_scene("ball", envs=1)
    for call in (
        lambda: gym.create_actor(scene.envs[0], scene.assets["ball"], gymapi.Transform()),
        lambda: gym.create_env(scene.sim, gymapi.Vec3(), gymapi.Vec3(), 1),
        lambda: gym.add_ground(scene.sim, gymapi.PlaneParams()),
    ):
        with pytest.raises(RuntimeError, match="has been prepared; create everything before"):
            call()


def test_every_env_takes_as_many_calls_as_the_first(gym, make_sim, robots):
    """Nothing looks at all envs for each of them: thousands are made in seconds."""

    def calls_of(act, *arguments):
        calls = 0

        def count(_frame, event, _argument):
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            act(*arguments)
        finally:
            sys.setprofile(None)
        return calls

    def make(sim, walker, envs):
        for k in envs:
            env = gym.create_env(sim, gymapi.Vec3(-1, -1, 0), gymapi.Vec3(1, 1, 1), 32)
            pose = gymapi.Transform(gymapi.Vec3(*np.array([0.0, 0, 1])))
            actor = gym.create_actor(env, walker, pose, "walker", k, 1)
            for body in range(3):
                gym.set_rigid_body_color(env, actor, body, gymapi.MESH_VISUAL, gymapi.Vec3(0.9, 0.5, 0.1))

    preparing = []
    for count in (10, 100, 200):  # the first compiles
        sim = make_sim()
        walker = gym.load_asset(sim, robots, "walker.xml")
        make(sim, walker, range(10))
        making = [calls_of(make, sim, walker, range(n, n + 10)) for n in range(10, count, 10)]
        assert max(making, default=0) <= 1.05 * min(making, default=0)  # garbage may be collected
        preparing.append(calls_of(gym.prepare_sim, sim))
    assert preparing[2] < 2.1 * preparing[1]


def test_the_same_scene_gives_the_same_bits(make_scene):
    ends = []
    for _ in range(2):
        scene = make_scene("walker", "arm")
        step(scene, 20)
        ends.append(tensor(scene, "rigid_body_state").clone())
    assert ends[0].tolist() == ends[1].tolist()


def test_the_root_of_an_mjcf_file_keeps_its_rotation_and_not_its_place(gym, make_sim, tmp_path):
    sim = make_sim(ground=False)
    (tmp_path / "hand.xml").write_text(
        '<mujoco><compiler angle="degree"/><worldbody><body name="mount" pos="1 2 3" euler="90 0 0">'
        '<geom size="0.1" mass="1"/><body name="finger" pos="0 0 0.5"><joint axis="1 0 0"/>'
        '<geom size="0.1" mass="1"/></body></body></worldbody></mujoco>'
    )
    hand = gym.load_asset(sim, str(tmp_path), "hand.xml")
    half_turn = gymapi.Transform(gymapi.Vec3(0, 0, 0.5), gymapi.Quat(0, 0, 1, 0))
    envs = [gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1) for _ in range(2)]
    gym.create_actor(envs[0], hand, gymapi.Transform(gymapi.Vec3(0, 0, 0.5)), "hand")
    gym.create_actor(envs[1], hand, half_turn, "hand")
    gym.prepare_sim(sim)
    bodies = gymtorch.wrap_tensor(gym.acquire_rigid_body_state_tensor(sim)).view(2, 2, 13)
    gym.refresh_rigid_body_state_tensor(sim)
    expected = [[0, 0, 0.5], [0, -0.5, 0.5], [0, 0, 0.5], [0, 0.5, 0.5]]
    np.testing.assert_allclose(bodies[:, :, :3].reshape(4, 3).cpu(), expected, atol=1e-6)
    np.testing.assert_allclose(bodies[0, 0, 3:7].cpu(), [0.5**0.5, 0, 0, 0.5**0.5], atol=1e-6)
