"""The MJCF reader: against MuJoCo's own compile, and the rules that Isaac Gym adds."""

from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import trimesh
from asset_checks import agree_with_mujoco, load_text

import kilogym.tasks
from kilogym.assets import AssetError, load_asset
from kilogym.assets.asset import FLT_MAX, DriveMode, JointKind, ShapeKind
from kilogym.assets.tree import TINY_MASS

GYMNASIUM = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"

WALKER = """<mujoco model="walker">
  <compiler angle="degree" eulerseq="zyx"/>
  <default>
    <joint armature="0.01" damping="0.1"/>
    <geom friction="0.7 0.1 0.1" rgba="0.1 0.2 0.3 1"/>
    <default class="shin"><joint range="-30 60" stiffness="5" springref="10"/></default>
  </default>
  <asset><material name="skin" rgba="0.9 0.8 0.7 1"/></asset>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 1" material="grid"/>
    <body name="torso" pos="0.1 0.2 1" euler="10 20 30">
      <freejoint name="root"/>
      <geom name="t" type="box" size="0.1 0.2 0.3" pos="0.01 0 0"/>
      <site name="imu" pos="0 0 0.1"/>
      <body name="thigh" pos="0 0.1 -0.3" quat="0.9 0.1 0.2 0.3">
        <joint name="hip_x" axis="1 0 0" pos="0 0 0.05" range="-45 45"/>
        <joint name="hip_y" axis="0 1 1" pos="0.02 0 0"/>
        <geom type="capsule" fromto="0 0 0 0.1 0 -0.4" size="0.05" rgba="0.5 0.5 0.5 1" material="skin"/>
        <body name="shin" pos="0.1 0 -0.4" axisangle="0 1 0 25" childclass="shin">
          <joint name="knee" axis="0 2 0" pos="0 0 0.02" frictionloss="0.3" ref="20"/>
          <joint name="shin_slide" type="slide" axis="1 0 1" ref="0.1"/>
          <joint name="shin_twist" axis="0 0 1" pos="0.1 0 0" ref="-15"/>
          <geom type="cylinder" size="0.04 0.2" pos="0 0 -0.2"/>
          <body name="toe" pos="0.1 0 -0.4"><geom type="ellipsoid" size="0.1 0.05 0.02"/></body>
        </body>
      </body>
      <body name="arm" pos="0 -0.2 0.2">
        <joint name="shoulder" type="ball" range="0 90"/>
        <geom type="sphere" size="0.1" mass="2" contype="0" conaffinity="0"/>
        <geom type="sphere" size="0.05" contype="2" conaffinity="4"/>
      </body>
    </body>
  </worldbody>
  <contact><exclude body1="torso" body2="shin"/></contact>
  <tendon><fixed name="pull" range="-1 2" stiffness="3" damping="4" springlength="0.5">
    <joint joint="hip_x" coef="1.5"/><joint joint="knee" coef="-2"/></fixed></tendon>
  <actuator>
    <motor name="m_knee" joint="knee" gear="15" ctrlrange="-1 1" ctrllimited="true" forcerange="-2 2"/>
    <position name="p_hip" joint="hip_x" kp="40" kv="3" forcerange="-7 9"/>
    <velocity name="v_slide" joint="shin_slide" kv="6"/>
    <general name="g_hip" joint="hip_y" gainprm="50" biastype="affine" biasprm="0 -50 -2"/>
  </actuator>
</mujoco>"""


def body(inside, before="", after=""):
    return f"<mujoco>{before}<worldbody><body name='b'>{inside}</body></worldbody>{after}</mujoco>"


BALL = "<geom size='0.1'/>"


def test_frames_and_inertias_agree_with_mujoco(tmp_path):
    asset, _ = load_text(tmp_path, WALKER, ".xml")
    model = mujoco.MjModel.from_xml_string(WALKER.replace('material="grid"', ""))
    agree_with_mujoco(asset, model)


@pytest.mark.parametrize("name", ["ant.xml", "humanoid.xml", "hopper.xml", "half_cheetah.xml", "walker2d_v5.xml"])
def test_gymnasium_robots_agree_with_mujoco(name):
    with pytest.warns(UserWarning, match=name):
        asset = load_asset(GYMNASIUM, name)
    agree_with_mujoco(asset, mujoco.MjModel.from_xml_path(str(GYMNASIUM / name)))


@pytest.mark.parametrize("robot", ["ant", "humanoid"])
def test_the_tasks_robots_agree_with_mujoco(robot):
    path = Path(next(iter(kilogym.tasks.__path__))) / robot / f"{robot}.xml"
    asset = load_asset(path.parent, path.name)
    agree_with_mujoco(asset, mujoco.MjModel.from_xml_path(str(path)))
    assert not asset.fixed_base
    assert asset.num_dofs == {"ant": 8, "humanoid": 21}[robot]
    assert all(j.drive_mode is DriveMode.EFFORT for j in asset.joints if j.kind.num_dofs)


def test_gymnasium_values():
    with pytest.warns(UserWarning, match="ant.xml"):
        ant = load_asset(GYMNASIUM, "ant.xml")
    with pytest.warns(UserWarning, match="humanoid.xml"):
        humanoid = load_asset(GYMNASIUM, "humanoid.xml")
    assert ant.dof_names() == [f"{j}_{i}" for i in (1, 2, 3, 4) for j in ("hip", "ankle")]
    assert [a.joint for a in ant.actuators][:2] == ["hip_4", "ankle_4"]
    assert {a.motor_effort for a in ant.actuators} == {150.0}
    assert not ant.fixed_base
    assert not humanoid.fixed_base
    assert [len(humanoid.links), humanoid.num_dofs, len(humanoid.actuators)] == [13, 17, 17]
    assert humanoid.actuators[0].joint == "abdomen_y"
    assert humanoid.dof_names()[0] == "abdomen_z"


def test_everything_of_the_walker(tmp_path):
    asset, notes = load_text(tmp_path, WALKER, ".xml", armature=0.5)
    assert asset.name == "walker"
    assert not asset.fixed_base
    assert [x.name for x in asset.links] == ["torso", "thigh", "shin", "toe", "arm"]
    assert asset.dof_names() == [
        "hip_x", "hip_y", "knee", "shin_slide", "shin_twist", "shoulder_0", "shoulder_1", "shoulder_2",
    ]  # fmt: skip
    joints = {j.name: j for j in asset.joints}
    assert joints["toe"].kind is JointKind.FIXED
    knee = joints["knee"]
    assert knee.has_limits
    assert (knee.lower, knee.upper) == pytest.approx((-np.pi / 6, np.pi / 3))
    assert (knee.stiffness, knee.damping, knee.friction, knee.armature) == (5, 0.1, 0.3, 0.01)
    assert knee.spring_ref == pytest.approx(np.radians(10))
    assert (knee.drive_mode, knee.effort) == (DriveMode.EFFORT, 30)
    assert joints["hip_x"].drive_mode is DriveMode.POSITION
    assert (joints["hip_x"].stiffness, joints["hip_x"].damping, joints["hip_x"].effort) == (40, 3.1, 9)
    assert (joints["hip_y"].drive_mode, joints["hip_y"].stiffness) == (DriveMode.POSITION, 50)
    assert not joints["hip_y"].has_limits
    assert joints["hip_y"].upper == FLT_MAX
    assert (joints["shin_slide"].drive_mode, joints["shin_slide"].damping) == (DriveMode.VELOCITY, 6.1)
    assert joints["shin_twist"].drive_mode is DriveMode.NONE
    assert not joints["shoulder"].has_limits
    assert any("ball" in n for n in notes)
    assert [(a.name, a.kind) for a in asset.actuators] == [
        ("m_knee", "motor"), ("p_hip", "position"), ("v_slide", "velocity"), ("g_hip", "general"),
    ]  # fmt: skip
    motor = asset.actuators[0]
    assert (motor.motor_effort, motor.control_limited, motor.control_range) == (15, True, (-1, 1))
    assert (motor.force_limited, motor.force_range) == (True, (-2, 2))
    assert asset.excluded_pairs == ((0, 2),)
    tendon = asset.tendons[0]
    assert (tendon.name, tendon.joints, tendon.coefficients) == ("pull", ("hip_x", "knee"), (1.5, -2))
    assert (tendon.limited, tendon.lower, tendon.upper) == (True, -1, 2)
    assert (tendon.stiffness, tendon.damping, tendon.rest_length) == (3, 4, 0.5)
    assert [s.kind for s in asset.shapes] == [
        ShapeKind.BOX, ShapeKind.CAPSULE, ShapeKind.CYLINDER, ShapeKind.ELLIPSOID, ShapeKind.SPHERE,
    ]  # fmt: skip
    assert asset.shapes[0].name == "t"
    assert {s.friction for s in asset.shapes} == {0.7}
    assert (asset.shapes[-1].contype, asset.shapes[-1].conaffinity) == (2, 4)
    assert len(asset.visuals) == 6
    assert asset.visuals[0].rgba == pytest.approx((0.1, 0.2, 0.3, 1))
    assert asset.visuals[1].rgba == pytest.approx((0.9, 0.8, 0.7, 1))
    assert asset.extra["sites"]["imu"][:2] == (0, (0, 0, 0.1))
    assert any("robot.xml:10: <geom> in <worldbody>" in n for n in notes)


def test_armature_of_the_options_serves_joints_without_one(tmp_path):
    asset, _ = load_text(tmp_path, body(BALL + "<body><joint/><geom size='1'/></body>"), ".xml", armature=0.5)
    assert asset.joints[0].armature == 0.5
    assert asset.joints[0].name == "body_2_joint"


def test_bases(tmp_path):
    free = body("<joint type='free'/>" + BALL)
    assert not load_text(tmp_path, free, ".xml")[0].fixed_base
    welded = load_text(tmp_path, free, ".xml", fix_base_link=True)[0]
    assert welded.fixed_base
    assert not welded.joints
    assert load_text(tmp_path, body(BALL), ".xml")[0].fixed_base
    cart, _ = load_text(tmp_path, body("<joint name='rail' type='slide'/>" + BALL), ".xml")
    assert cart.fixed_base
    assert [x.name for x in cart.links] == ["world", "b"]
    assert cart.joints[0].link == 1
    assert cart.links[0].mass == TINY_MASS


def test_only_the_first_body_comes_and_what_speaks_of_others_goes(tmp_path):
    text = """<mujoco><worldbody><light/>
      <frame pos="0 0 2"><body name="a"><freejoint/><geom size="1"/></body></frame>
      <body name="b"><joint name="j"/><geom size="1"/></body></worldbody>
      <contact><exclude body1="a" body2="b"/></contact><actuator><motor joint="j"/></actuator>
      <tendon><fixed><joint joint="j" coef="1"/></fixed></tendon></mujoco>"""
    asset, notes = load_text(tmp_path, text, ".xml")
    assert [x.name for x in asset.links] == ["a"]
    assert asset.links[0].pos == (0, 0, 2)
    assert not asset.actuators
    assert not asset.tendons
    assert not asset.excluded_pairs
    assert any("only the first body" in n for n in notes)


def test_files_written_for_isaac_gym(tmp_path):
    text = body(
        "<freejoint/><geom size='0.1' apirate='3' material='grid' conaffinty='0'/><wobble/>"
        "<geom type='plane' size='1 1 1'/><geom type='hfield' hfield='none'/>",
        "<size njmax='500'/><option timestep='0.01'><flag/></option><visual/><custom><numeric/></custom>"
        "<asset><texture file='none.png'/><material name='m' texture='none'/></asset>",
        "<sensor><force site='none'/></sensor><equality><tendon tendon1='none'/></equality><keyframe><key/></keyframe>",
    )
    asset, notes = load_text(tmp_path, text, ".xml")
    assert len(asset.shapes) == 1
    for word in ("apirate", "'grid'", "did you mean 'conaffinity'", "wobble", "plane", "hfield", "size",
                 "option",
                 "visual", "custom", "texture", "sensor", "equality", "keyframe"):  # fmt: skip
        assert sum(word in n for n in notes) >= 1, word
    assert len(notes) == len(set(notes))


def test_geoms_that_are_not_done_say_so(tmp_path):
    asset, notes = load_text(tmp_path, body("<freejoint/><geom size='0.1'/><geom type='sdf'/>"), ".xml")
    assert len(asset.shapes) == 1
    assert any("sdf is ignored: it has no mesh, and shapes of plugins are not known here" in n for n in notes)


def test_a_geom_of_type_sdf_is_its_mesh_with_a_field(tmp_path):
    mesh = "<asset><mesh name='m' vertex='0 0 0 1 0 0 0 1 0 0 0 1' scale='.1 .1 .1'/></asset>"
    geoms = "<freejoint/><geom type='sdf' mesh='m'/><geom name='n' type='sdf' mesh='m'/><geom type='mesh' mesh='m'/>"
    asset, notes = load_text(tmp_path, body(geoms, mesh), ".xml")
    assert not notes
    assert [s.name for s in asset.shapes] == ["", "n", ""]
    assert [s.field is None for s in asset.shapes] == [False, False, True]
    assert asset.shapes[0].field.cell == pytest.approx(np.ptp(asset.shapes[0].mesh.vertices, axis=0).max() / 128)
    asset, _ = load_text(tmp_path, body(geoms, mesh), ".xml", sdf_resolution=16)
    assert len({s.field.cell for s in asset.shapes}) == 1
    assert asset.shapes[2].field.cell == pytest.approx(np.ptp(asset.shapes[2].mesh.vertices, axis=0).max() / 16)


def test_density_of_the_options_is_the_files_default(tmp_path):
    sphere = 4 / 3 * np.pi * 1e-3
    inner = "<freejoint/><geom size='0.1'/><body><joint/><geom size='0.1' density='10'/></body>"
    asset, _ = load_text(tmp_path, body(inner), ".xml", density=50)
    assert [x.mass for x in asset.links] == pytest.approx([50 * sphere, 10 * sphere])
    asset, _ = load_text(tmp_path, body(inner, "<default><geom density='7'/></default>"), ".xml", density=50)
    assert asset.links[0].mass == pytest.approx(7 * sphere)


def test_bodies_without_mass_and_odd_inertias(tmp_path):
    asset, notes = load_text(tmp_path, body("<joint/><body name='c'><joint/></body>"), ".xml")
    assert all(x.mass > 0 for x in asset.links)
    assert any("no mass" in n for n in notes)
    odd = body("<joint/><inertial pos='0 0 0' mass='1' diaginertia='1 1 5'/>")
    asset, notes = load_text(tmp_path, odd, ".xml")
    assert any("A + B" in n for n in notes)


def test_collapse_keeps_pairs_and_sites(tmp_path):
    inner = BALL + "<body name='c' pos='1 0 0'><site name='s' pos='1 0 0'/>" + BALL
    inner += "<body name='d'><joint name='j'/>" + BALL + "</body></body>"
    text = body("<freejoint/>" + inner, after="<contact><exclude body1='c' body2='d'/></contact>")
    asset, _ = load_text(tmp_path, text, ".xml", collapse_fixed_joints=True)
    assert [x.name for x in asset.links] == ["b", "d"]
    assert asset.links[1].pos == (1, 0, 0)
    assert asset.excluded_pairs == ((0, 1),)
    assert asset.extra["sites"]["s"][:2] == (0, (2, 0, 0))
    assert [s.link for s in asset.shapes] == [0, 0, 1]


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".dae", ".glb", ".ply", ".off"])
def test_meshes_of_any_format(tmp_path, suffix):
    mesh = trimesh.creation.box((0.1, 0.2, 0.3))
    mesh.apply_translation((0.5, 0, 0))
    (tmp_path / "meshes").mkdir()
    data = mesh.export(file_type=suffix[1:])
    (tmp_path / "meshes" / f"part{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)
    before = f"<compiler meshdir='meshes'/><asset><mesh file='part{suffix}' scale='2 1 1'/></asset>"
    asset, _ = load_text(tmp_path, body("<freejoint/><geom type='mesh' mesh='part'/>", before), ".xml")
    assert asset.links[0].mass == pytest.approx(12.0, rel=1e-5)
    np.testing.assert_allclose(asset.links[0].com, (1, 0, 0), atol=1e-6)
    shape = asset.shapes[0]
    from kilogym.math.quaternion import transform_point

    points = transform_point((shape.pos, shape.quat), shape.mesh.vertices)
    np.testing.assert_allclose(np.ptp(points, axis=0), (0.2, 0.2, 0.3), atol=1e-5)
    np.testing.assert_allclose(points.mean(axis=0), (1, 0, 0), atol=1e-5)


def test_includes_keep_their_places(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b.xml").write_text(
        "<mujocoinclude>\n<body name='b'><freejoint/>\n<geom size='1' odd='1'/></body></mujocoinclude>"
    )
    text = "<mujoco><worldbody><include file='parts/b.xml'/></worldbody></mujoco>"
    asset, notes = load_text(tmp_path, text, ".xml")
    assert asset.links[0].name == "b"
    assert "b.xml:3:" in notes[0]
    (tmp_path / "robot2.xml").write_text("<mujoco><include file='robot2.xml'/></mujoco>")
    with pytest.raises(AssetError, match="circle"):
        load_asset(tmp_path, "robot2.xml")
    with pytest.raises(AssetError, match="included file not found"):
        load_text(tmp_path, "<mujoco><include file='none.xml'/></mujoco>", ".xml")


BAD = {
    "no body": ("<mujoco><worldbody/></mujoco>", "no body"),
    "nan": (body("<geom size='nan'/>"), "finite"),
    "inf": (body("<geom size='1' pos='0 inf 0'/>"), "finite"),
    "garbage": (body("\n<geom size='x'/>"), "compile"),
    "negative": (body("\n<geom size='-1'/>"), "compile"),
    "two names": (body("<geom size='1'/><body name='b'/>"), "compile"),
    "unknown joint": (body(BALL, after="<actuator><motor joint='q'/></actuator>"), "compile"),
    "unknown class": (body("<geom size='1' class='q'/>"), "compile"),
    "free inside": (body(BALL + "<body><freejoint/><geom size='1'/></body>"), "compile"),
    "no mesh": (
        body("<geom type='mesh' mesh='m'/>", "<asset><mesh name='m' file='m.stl'/></asset>"),
        "not found",
    ),
    "replicas": (body("<replicate count='99999'><geom size='1'/></replicate>"), "too many"),
    "replica word": (body("<replicate count='x'><geom size='1'/></replicate>"), "whole number"),
    "overflow": (body("<freejoint/><geom size='1e30'/>"), "single precision|compile|not finite"),
    "other root": ("<robot/>", "wrong kind"),
    "not xml": ("<mujoco>", "well-formed"),
}


@pytest.mark.parametrize("case", BAD)
def test_complaints_name_the_file_and_the_fault(tmp_path, case):
    text, message = BAD[case]
    with pytest.raises(AssetError, match=message) as error:
        load_text(tmp_path, text, ".xml")
    assert "robot.xml" in str(error.value)


def test_mujocos_complaints_get_the_users_line(tmp_path):
    with pytest.raises(AssetError, match=r"robot\.xml:2: ") as error:
        load_text(tmp_path, BAD["negative"][0], ".xml")
    assert error.value.line == 2
    assert "<geom>" in str(error.value)


@pytest.mark.parametrize("inside", ["<composite/>", "<flexcomp/>", "<attach/>"])
def test_makers_of_bodies_are_refused(tmp_path, inside):
    with pytest.raises(NotImplementedError, match=inside[:-2]):
        load_text(tmp_path, body(BALL + inside), ".xml")


def test_global_coordinates_are_refused(tmp_path):
    with pytest.raises(NotImplementedError, match="coordinate"):
        load_text(tmp_path, body(BALL, "<compiler coordinate='global'/>"), ".xml")


def test_load_goes_by_extension(tmp_path):
    with pytest.raises(AssetError, match=r"asset file not found[\s\S]*holds a\.txt|holds no assets"):
        load_asset(tmp_path, "none.urdf")
    with pytest.raises(AssetError, match="no folder"):
        load_asset(tmp_path / "none", "none.urdf")
    for suffix in ("usd", "usda", "osim"):
        with pytest.raises(NotImplementedError, match=suffix):
            load_asset(tmp_path, f"a.{suffix}")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(AssetError, match=r"extension \.txt"):
        load_asset(tmp_path, "a.txt")
    (tmp_path / "robot.urdf").write_text("")
    with pytest.raises(AssetError, match=r"holds robot\.urdf"):
        load_asset(tmp_path, "other.xml")
