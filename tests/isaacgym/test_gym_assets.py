"""Gym, sections on assets: loading, making, asking what is in them."""

import math

import numpy as np
import pytest
from scenes import sim_params

from isaacgym import gymapi


@pytest.fixture(scope="module")
def loaded(robots, request):
    """One simulation with an arm and a walker; nothing of it is simulated."""
    gym = gymapi.acquire_gym()
    sim = gym.create_sim(0, -1, gymapi.SIM_PHYSX, sim_params("cpu"))
    options = gymapi.AssetOptions()
    options.fix_base_link = True
    arm, walker = gym.load_asset(sim, robots, "arm.urdf", options), gym.load_asset(sim, robots, "walker.xml")
    yield gym, sim, arm, walker
    gym.destroy_sim(sim)


def test_loading_by_extension_and_by_name(loaded, robots):
    gym, sim, arm, walker = loaded
    again = gym.load_urdf(sim=sim, rootpath=robots, filename="arm.urdf", options=gymapi.AssetOptions())
    assert gym.get_asset_rigid_body_names(again) == gym.get_asset_rigid_body_names(arm)
    again = gym.load_mjcf(sim, robots, "walker.xml")
    assert gym.get_asset_rigid_body_names(again) == gym.get_asset_rigid_body_names(walker)


def test_bodies(loaded):
    gym, _, arm, walker = loaded
    names = ["base", "upper", "hand", "tip"]
    assert gym.get_asset_rigid_body_count(arm) == 4
    assert gym.get_asset_rigid_body_names(arm) == names
    assert [gym.get_asset_rigid_body_name(arm, k) for k in range(4)] == names
    assert gym.get_asset_rigid_body_dict(arm) == {name: k for k, name in enumerate(names)}
    assert list(gym.get_asset_rigid_body_dict(arm)) == sorted(names)
    assert gym.find_asset_rigid_body_index(arm, "hand") == 2
    assert gym.find_asset_rigid_body_index(arm, "nothing") == gymapi.INVALID_HANDLE
    assert gym.get_asset_rigid_body_names(walker) == ["trunk", "left", "right"]


def test_collapsing_fixed_joints_removes_bodies(loaded, robots):
    gym, sim, _, _ = loaded
    options = gymapi.AssetOptions()
    options.collapse_fixed_joints = True
    arm = gym.load_asset(sim, robots, "arm.urdf", options)
    assert gym.get_asset_rigid_body_names(arm) == ["base", "upper", "hand"]
    assert gym.get_asset_joint_names(arm) == ["shoulder", "slide"]


def test_shapes(loaded):
    gym, _, arm, walker = loaded
    assert gym.get_asset_rigid_shape_count(arm) == 2
    assert [(r.start, r.count) for r in gym.get_asset_rigid_body_shape_indices(arm)] == [(0, 0), (0, 1), (1, 1), (2, 0)]
    assert gym.get_asset_rigid_shape_count(walker) == 3
    props = gym.get_asset_rigid_shape_properties(walker)
    assert [p.friction for p in props] == [1.0] * 3
    assert (props[0].contact_offset, props[0].rest_offset) == (np.float32(0.02), 0.0)


def test_joints(loaded):
    gym, _, arm, walker = loaded
    names = ["shoulder", "slide", "weld"]
    assert gym.get_asset_joint_count(arm) == 3
    assert gym.get_asset_joint_names(arm) == names
    assert gym.get_asset_joint_name(arm, 2) == "weld"
    assert gym.get_asset_joint_dict(arm) == {name: k for k, name in enumerate(names)}
    assert gym.find_asset_joint_index(arm, "slide") == 1
    assert gym.find_asset_joint_index(arm, "elbow") == -1
    kinds = [gym.get_asset_joint_type(arm, k) for k in range(3)]
    assert kinds == [gymapi.JOINT_REVOLUTE, gymapi.JOINT_PRISMATIC, gymapi.JOINT_FIXED]
    assert [gym.get_joint_type_string(kind) for kind in kinds] == ["Revolute", "Prismatic", "Fixed"]
    assert "root" not in gym.get_asset_joint_names(walker)  # a free joint has no DOFs and is none


def test_dofs(loaded):
    gym, _, arm, walker = loaded
    assert gym.get_asset_dof_count(arm) == 2
    assert gym.get_asset_dof_names(arm) == ["shoulder", "slide"]
    assert gym.get_asset_dof_name(arm, 1) == "slide"
    assert gym.get_asset_dof_dict(walker) == {"left_hip": 0, "right_hip": 1}
    assert gym.find_asset_dof_index(arm, "slide") == 1
    assert gym.find_asset_dof_index(arm, "weld") == -1
    kinds = [gym.get_asset_dof_type(arm, k) for k in range(2)]
    assert kinds == [gymapi.DOF_ROTATION, gymapi.DOF_TRANSLATION]
    assert [gym.get_dof_type_string(kind) for kind in kinds] == ["Rotation", "Translation"]


def test_dof_properties_of_a_urdf(loaded):
    gym, _, arm, _ = loaded
    props = gym.get_asset_dof_properties(arm)
    assert props.dtype.names == (
        "hasLimits", "lower", "upper", "driveMode", "velocity", "effort", "stiffness", "damping", "friction",
        "armature",
    )  # fmt: skip
    assert props.itemsize == 40
    assert props["hasLimits"].tolist() == [True, True]
    assert props["lower"].tolist() == pytest.approx([-2, -0.1])
    assert props["upper"].tolist() == pytest.approx([2, 0.3])
    assert props["effort"].tolist() == [100, 50]
    assert props["velocity"].tolist() == [20, 2]
    assert props["damping"].tolist() == pytest.approx([0.1, 0])
    assert props["driveMode"].tolist() == [gymapi.DOF_MODE_NONE] * 2
    props["effort"] = 0  # a copy of one's own
    assert gym.get_asset_dof_properties(arm)["effort"].tolist() == [100, 50]


def test_dof_properties_of_an_mjcf(loaded):
    gym, _, _, walker = loaded
    props = gym.get_asset_dof_properties(walker)
    assert props["lower"].tolist() == pytest.approx([-math.pi / 4] * 2)
    assert props["stiffness"].tolist() == [1, 0]
    assert props["damping"].tolist() == pytest.approx([0.2, 0])
    assert props["armature"].tolist() == pytest.approx([0.01, 0.01])
    assert props["driveMode"].tolist() == [gymapi.DOF_MODE_EFFORT] * 2  # both have motors


def test_the_default_drive_mode_of_a_urdf(loaded, robots):
    gym, sim, _, _ = loaded
    options = gymapi.AssetOptions()
    for mode in (gymapi.DOF_MODE_POS, int(gymapi.DOF_MODE_VEL)):
        options.default_dof_drive_mode = mode
        arm = gym.load_asset(sim, robots, "arm.urdf", options)
        assert gym.get_asset_dof_properties(arm)["driveMode"].tolist() == [int(mode)] * 2


def test_actuators_are_in_the_files_order(loaded):
    gym, _, arm, walker = loaded
    assert (gym.get_asset_actuator_count(arm), gym.get_asset_actuator_count(walker)) == (0, 2)
    assert [gym.get_asset_actuator_name(walker, k) for k in range(2)] == ["right_motor", "left_motor"]
    assert [gym.get_asset_actuator_joint_name(walker, k) for k in range(2)] == ["right_hip", "left_hip"]
    props = gym.get_asset_actuator_properties(walker)
    assert [p.motor_effort for p in props] == [15, 10]
    assert (props[0].control_limited, props[0].lower_control_limit, props[0].upper_control_limit) == (True, -1, 1)
    assert gym.find_asset_actuator_index(walker, "left_motor") == 1
    assert gym.find_asset_actuator_index(walker, "no_motor") == -1


def test_tendons(loaded):
    gym, _, arm, walker = loaded
    assert (gym.get_asset_tendon_count(arm), gym.get_asset_tendon_count(walker)) == (0, 1)
    assert gym.get_asset_tendon_name(walker, 0) == "both"
    assert gym.find_asset_tendon_index(walker, "both") == 0
    props = gym.get_asset_tendon_properties(walker)
    assert props[0].num_joints == 2
    props[0].stiffness = 30.0
    assert gym.set_asset_tendon_properties(walker, props)
    assert gym.get_asset_tendon_properties(walker)[0].stiffness == 30.0
    assert [gym.get_asset_fixed_tendon_joint_name(walker, 0, k) for k in range(2)] == ["left_hip", "right_hip"]
    assert gym.get_asset_fixed_tendon_joint_coefficients(walker, 0) == [1, -1]
    assert gym.set_asset_fixed_tendon_joint_coefficients(walker, 0, [2, -2])
    assert gym.get_asset_fixed_tendon_joint_coefficients(walker, 0) == [2, -2]


def test_there_are_no_soft_bodies(loaded):
    gym, _, arm, _ = loaded
    assert (gym.get_asset_soft_body_count(arm), gym.get_asset_soft_materials(arm)) == (0, [])


@pytest.mark.parametrize(
    ("make", "name", "volume"),
    [
        (lambda gym, sim: gym.create_box(sim, 0.2, 0.4, 0.6), "box", 0.2 * 0.4 * 0.6),
        (lambda gym, sim: gym.create_sphere(sim, radius=0.3), "sphere", 4 / 3 * math.pi * 0.3**3),
        (lambda gym, sim: gym.create_capsule(sim, 0.1, 0.5), "capsule", math.pi * 0.01 * (0.5 + 4 / 3 * 0.1)),
    ],
)
def test_made_assets_have_the_mass_of_their_volume(loaded, make, name, volume):
    gym, sim, _, _ = loaded
    asset = make(gym, sim)
    assert gym.get_asset_rigid_body_names(asset) == [name]
    assert (gym.get_asset_dof_count(asset), gym.get_asset_rigid_shape_count(asset)) == (0, 1)
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    (body,) = gym.get_actor_rigid_body_properties(env, gym.create_actor(env, asset, gymapi.Transform()))
    assert body.mass == pytest.approx(1000 * volume, rel=1e-5)


def test_a_boxs_sides_are_full_lengths_along_x_y_z(loaded):
    gym, sim, _, _ = loaded
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    actor = gym.create_actor(env, gym.create_box(sim, 1.0, 2.0, 3.0), gymapi.Transform())
    (body,) = gym.get_actor_rigid_body_properties(env, actor)
    x, y, z = 1.0, 4.0, 9.0  # squares
    expected = [body.mass / 12 * s for s in (y + z, x + z, x + y)]
    assert [body.inertia.x.x, body.inertia.y.y, body.inertia.z.z] == pytest.approx(expected, rel=1e-5)


def test_density_and_missing_inertia(loaded, tmp_path):
    gym, sim, _, _ = loaded
    (tmp_path / "one.urdf").write_text(
        '<robot name="r"><link name="a"><collision><geometry><box size="0.1 0.1 0.1"/></geometry></collision>'
        "</link></robot>"
    )
    options = gymapi.AssetOptions()
    options.density = 500.0
    asset = gym.load_asset(sim, str(tmp_path), "one.urdf", options)
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    (body,) = gym.get_actor_rigid_body_properties(env, gym.create_actor(env, asset, gymapi.Transform()))
    assert body.mass == pytest.approx(0.5)


def test_debug_print(loaded, tmp_path, capsys):
    gym, _, arm, _ = loaded
    gym.debug_print_asset(arm)
    text = capsys.readouterr().out
    gym.debug_print_asset(arm, outpath=str(tmp_path / "asset.txt"))
    assert (tmp_path / "asset.txt").read_text() == text
    assert "'slide' prismatic" in text
    assert "bodies (4)" in text


# ---- what fails --------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(loaded, errors):
    gym, sim, _, _ = loaded
    assert gym.load_asset(sim, "/no/such/folder", "robot.urdf") is None
    (text,) = errors()
    assert text.startswith("Gym.load_asset: ")
    assert "/no/such/folder" in text


def test_a_file_of_no_known_kind(loaded, tmp_path, errors):
    gym, sim, _, _ = loaded
    (tmp_path / "robot.obj").write_text("")
    assert gym.load_asset(sim, str(tmp_path), "robot.obj") is None
    (text,) = errors()
    assert "urdf" in text


def test_a_broken_file_names_file_and_line(loaded, tmp_path, errors):
    gym, sim, _, _ = loaded
    lines = ['<robot name="r">', '<link name="a"/>', '<joint name="j" type="revolute"/>', "</robot>"]
    (tmp_path / "broken.urdf").write_text("\n".join(lines))
    assert gym.load_asset(sim, str(tmp_path), "broken.urdf") is None
    (text,) = errors()
    assert "broken.urdf:3" in text
    assert "'j'" in text


def test_failures_raise_when_asked_to(loaded, monkeypatch):
    gym, sim, _, _ = loaded
    monkeypatch.setenv("KILOGYM_STRICT", "1")
    with pytest.raises((ValueError, LookupError)):
        gym.load_asset(sim, "/no/such/folder", "robot.urdf")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda gym, sim: gym.create_box(sim, -1.0, 1.0, 1.0), "-1"),
        (lambda gym, sim: gym.create_sphere(sim, 0.0), "radius"),
        (lambda gym, sim: gym.create_sphere(sim, math.nan), "radius"),
        (lambda gym, sim: gym.create_capsule(sim, 0.1, -0.5), "-0.5"),
    ],
)
def test_sizes_that_cannot_be(loaded, errors, make, text):
    gym, sim, _, _ = loaded
    assert make(gym, sim) is None
    (message,) = errors()
    assert text in message


def test_indices_out_of_range(loaded):
    gym, _, arm, _ = loaded
    for call, count in (
        (gym.get_asset_rigid_body_name, 4),
        (gym.get_asset_joint_name, 3),
        (gym.get_asset_dof_name, 2),
        (gym.get_asset_dof_type, 2),
    ):
        for index in (-1, count):
            with pytest.raises(IndexError, match=f"{index}: expected 0 <= index < {count}"):
                call(arm, index)


def test_wrong_types(loaded, robots):
    gym, sim, _, _ = loaded
    with pytest.raises(TypeError, match=r"expected a gymapi\.Asset, got NoneType; it comes from load_asset"):
        gym.get_asset_dof_count(None)
    with pytest.raises(TypeError, match=r"options: expected a gymapi\.AssetOptions, got dict"):
        gym.load_asset(sim, robots, "arm.urdf", {})


def test_a_force_sensor_needs_a_body(loaded, robots, errors):
    gym, sim, _, _ = loaded
    asset = gym.load_asset(sim, robots, "arm.urdf")
    assert gym.create_asset_force_sensor(asset, 1, gymapi.Transform()) == 0
    props = gymapi.ForceSensorProperties()
    assert gym.create_asset_force_sensor(asset=asset, body_idx=2, local_pose=gymapi.Transform(), props=props) == 1
    assert gym.create_asset_force_sensor(asset, 9, gymapi.Transform()) == -1
    assert "body of asset 'arm' 9: expected 0 <= index < 4" in errors()[0]


def test_shape_properties_count(loaded, robots, errors):
    gym, sim, _, _ = loaded
    asset = gym.load_asset(sim, robots, "arm.urdf")
    props = gym.get_asset_rigid_shape_properties(asset)
    assert not gym.set_asset_rigid_shape_properties(asset, props[:1])
    assert "expected 2 items, one each, got 1" in errors()[0]
    assert not gym.set_asset_tendon_properties(asset, [gymapi.TendonProperties()])
    assert "expected 0 items" in errors()[0]
