"""The URDF reader: order, collapsing, frames, defaults, mass rules, meshes, and every complaint."""

import mujoco
import numpy as np
import pytest
import trimesh
from asset_checks import agree_with_mujoco, load_text, poses

from kilogym.assets import AssetError, ImportOptions, load_asset
from kilogym.assets.asset import FLT_MAX, DriveMode, JointEquality, JointKind, ShapeKind
from kilogym.assets.inertia import MassProperties, combine, matrix
from kilogym.assets.tree import TINY_MASS

INERTIAL = """<inertial><origin xyz="0.1 0.02 0.03" rpy="0.3 -0.2 0.5"/><mass value="2"/>
  <inertia ixx="0.03" iyy="0.04" izz="0.05" ixy="0.001" ixz="-0.002" iyz="0.003"/></inertial>"""


def link(name, inside=INERTIAL):
    return f'<link name="{name}">{inside}</link>'


def joint(name, parent, child, kind="revolute", inside="", attributes=""):
    limit = '<limit lower="-1" upper="2" effort="3" velocity="4"/>' if kind in ("revolute", "prismatic") else ""
    return (
        f'<joint name="{name}" type="{kind}" {attributes}><parent link="{parent}"/><child link="{child}"/>'
        f"{inside or limit}</joint>"
    )


def robot(*parts):
    return '<robot name="r">\n' + "\n".join(parts) + "\n</robot>"


ARM = robot(
    link("base"),
    link("upper"),
    link("plate"),
    link("hand"),
    joint("shoulder", "base", "upper", inside='<origin xyz="0.1 0.2 0.3" rpy="0.4 0.5 0.6"/><axis xyz="0 1 1"/>'),
    joint("mount", "upper", "plate", "fixed", '<origin xyz="0 0.5 0.1" rpy="1 0 0.2"/>'),
    joint(
        "slide",
        "plate",
        "hand",
        "prismatic",
        '<origin xyz="0.2 0 0" rpy="0 0 1"/><axis xyz="0 0 2"/><limit effort="1"/>',
    ),
)


def test_children_come_by_joint_name_in_bytes_order(tmp_path):
    text = robot(
        link("base"), link("c"), link("b"), link("a"), link("d"), link("deep"),
        joint("joint_4", "base", "a"), joint("joint_12", "base", "b"), joint("Z", "base", "c"),
        joint("joint_2", "b", "deep"), joint("ä", "base", "d"),
    )  # fmt: skip
    asset, _ = load_text(tmp_path, text)
    assert [x.name for x in asset.links] == ["base", "c", "b", "deep", "a", "d"]
    assert asset.dof_names() == ["Z", "joint_12", "joint_2", "joint_4", "ä"]
    assert [x.parent for x in asset.links] == [-1, 0, 0, 2, 0, 0]


def test_frames_and_inertias_agree_with_mujoco(tmp_path):
    asset, notes = load_text(tmp_path, ARM)
    compiler = '<mujoco><compiler fusestatic="false" discardvisual="false"/></mujoco>'
    model = mujoco.MjModel.from_xml_string(ARM.replace('<robot name="r">', f'<robot name="r">{compiler}'))
    assert not notes
    # MuJoCo takes the URDF root for the world, so its own mass is not compared
    agree_with_mujoco(asset, model)


def test_collapse_conserves_mass_com_inertia_and_poses(tmp_path):
    full, _ = load_text(tmp_path, ARM)
    folded, _ = load_text(tmp_path, ARM, collapse_fixed_joints=True)
    assert [x.name for x in folded.links] == ["base", "upper", "hand"]
    assert [x.name for x in folded.joints] == ["shoulder", "slide"]
    q = {"shoulder": 0.7, "slide": 0.2}
    for name, pose in poses(folded, q).items():
        np.testing.assert_allclose(np.concatenate(pose), np.concatenate(poses(full, q)[name]), atol=1e-12)

    def whole(asset):
        where = poses(asset, q)
        return combine(
            MassProperties(x.mass, np.array(x.com), matrix(x.inertia)).moved(*where[x.name]) for x in asset.links
        )

    a, b = whole(full), whole(folded)
    np.testing.assert_allclose(a.mass, b.mass)
    np.testing.assert_allclose(a.com, b.com)
    np.testing.assert_allclose(a.inertia, b.inertia, atol=1e-12)


def test_collapse_moves_shapes_and_sorts_again_and_honours_dont_collapse(tmp_path):
    ball = '<collision><origin xyz="0 0 1"/><geometry><sphere radius="0.1"/></geometry></collision>' + INERTIAL
    text = robot(
        link("base", ball), link("mid", ball), link("a", ball), link("m", ball), link("foot", ball),
        joint("z_fixed", "base", "mid", "fixed", '<origin xyz="1 0 0"/>'),
        joint("a_joint", "mid", "a"), joint("m_joint", "base", "m"),
        joint("foot_fixed", "a", "foot", "fixed", attributes='dont_collapse="true"'),
    )  # fmt: skip
    asset, _ = load_text(tmp_path, text, collapse_fixed_joints=True)
    assert [x.name for x in asset.links] == ["base", "a", "foot", "m"]
    assert [(s.link, s.pos) for s in asset.shapes[:2]] == [(0, (0, 0, 1)), (0, (1, 0, 1))]
    assert [s.link for s in asset.shapes] == [0, 0, 1, 2, 3]
    assert asset.joints[1].kind is JointKind.FIXED
    assert asset.num_dofs == 2


def test_defaults_of_joints(tmp_path):
    text = robot(
        link("base"), *(link(x) for x in "abcde"),
        '<joint name="1" type="revolute"><parent link="base"/><child link="a"/></joint>',
        joint("2", "base", "b", "continuous", '<axis xyz="0 0 -3"/>'
              '<limit lower="-1" upper="1" effort="5" velocity="6"/>'),
        joint("3", "base", "c", "prismatic", '<limit lower="0" upper="inf"/>'
              '<dynamics damping="7" friction="8"/>'),
        joint("4", "base", "d", "spherical"),
        joint("5", "base", "e", "revolute", '<mimic joint="1" multiplier="-2" offset="0.5"/>'),
    )  # fmt: skip
    asset, notes = load_text(tmp_path, text, armature=0.25, default_dof_drive_mode=1)
    plain, turning, sliding, ball, follower = asset.joints
    assert plain.axis == (1, 0, 0)
    assert not plain.has_limits
    assert (plain.lower, plain.upper, plain.velocity, plain.effort) == (-FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX)
    assert (plain.armature, plain.drive_mode) == (0.25, DriveMode.POSITION)
    assert not turning.has_limits
    assert turning.axis == (0, 0, -1)
    assert (turning.effort, turning.velocity) == (5, 6)
    assert sliding.has_limits
    assert (sliding.lower, sliding.upper) == (0, FLT_MAX)
    assert (sliding.damping, sliding.friction) == (7, 8)
    assert ball.kind is JointKind.BALL
    assert asset.dof_names()[3:6] == ["4_0", "4_1", "4_2"]
    assert follower.mimic == ("1", -2, 0.5)
    assert asset.joint_equalities() == [JointEquality("5", "5", "1", (0.5, -2.0, 0.0, 0.0, 0.0))]
    assert not notes


def test_shapes_sizes_and_cylinder_replacement(tmp_path):
    def collision(g):
        return f"<collision><geometry>{g}</geometry></collision>"

    inside = collision('<box size="2 4 6"/>') + collision('<cylinder radius="0.5" length="3"/>')
    inside += collision('<capsule radius="0.5" length="3"/>') + collision('<sphere radius="0.5"/>')
    asset, _ = load_text(tmp_path, robot(link("base", inside)), fix_base_link=True)
    assert [s.kind for s in asset.shapes] == [
        ShapeKind.BOX,
        ShapeKind.CYLINDER,
        ShapeKind.CAPSULE,
        ShapeKind.SPHERE,
    ]
    assert [s.size for s in asset.shapes] == [(1, 2, 3), (0.5, 1.5, 0), (0.5, 1.5, 0), (0.5, 0, 0)]
    assert asset.fixed_base
    asset, _ = load_text(tmp_path, robot(link("base", inside)), replace_cylinder_with_capsule=True)
    assert asset.shapes[1].kind is ShapeKind.CAPSULE
    assert asset.shapes[1].size == (0.5, 1.5, 0)


def test_mass_rules(tmp_path):
    box = '<collision><origin xyz="1 0 0"/><geometry><box size="1 1 1"/></geometry></collision>'
    asset, _ = load_text(tmp_path, robot(link("b", box)), density=12.0)
    assert asset.links[0].mass == 12.0
    assert asset.links[0].com == (1, 0, 0)
    np.testing.assert_allclose(asset.links[0].inertia, (2, 2, 2, 0, 0, 0))
    asset, _ = load_text(tmp_path, robot(link("b", "")))
    assert asset.links[0].mass == TINY_MASS
    asset, notes = load_text(tmp_path, robot(link("b", box + '<inertial><mass value="6"/></inertial>')))
    np.testing.assert_allclose(asset.links[0].inertia, (1, 1, 1, 0, 0, 0))
    assert len(notes) == 1
    asset, _ = load_text(tmp_path, robot(link("b", box + '<inertial><mass value="0"/></inertial>')), density=3)
    assert asset.links[0].mass == 3


def test_overrides_use_the_shapes(tmp_path):
    box = '<collision><origin xyz="1 0 0"/><geometry><box size="1 1 1"/></geometry></collision>'
    asset, _ = load_text(tmp_path, robot(link("b", box + INERTIAL)), override_com=True, override_inertia=True)
    assert asset.links[0].mass == 2
    assert asset.links[0].com == (1, 0, 0)
    np.testing.assert_allclose(asset.links[0].inertia[:3], np.full(3, 2 / 6))


def test_inertia_that_is_not_positive_is_mended_and_told(tmp_path):
    bad = INERTIAL.replace('ixx="0.03"', 'ixx="-0.03"')
    asset, notes = load_text(tmp_path, robot(link("b", bad)))
    assert np.linalg.eigvalsh(matrix(asset.links[0].inertia))[0] > 0
    assert len(notes) == 1
    assert "positive definite" in notes[0]


def test_materials(tmp_path):
    visual = '<visual><geometry><sphere radius="1"/></geometry>{}</visual>'
    text = robot(
        '<material name="red"><color rgba="1 0 0 1"/></material>',
        link("b", visual.format('<material name="red"/>') + visual.format("")
             + visual.format('<material name=""><color rgba="0 2 0 0.5"/></material>')),
    )  # fmt: skip
    asset, _ = load_text(tmp_path, text)
    assert [v.rgba for v in asset.visuals] == [(1, 0, 0, 1), None, (0, 1, 0, 0.5)]
    assert not asset.shapes


@pytest.mark.parametrize("suffix", [".obj", ".stl", ".ply", ".glb", ".dae", ".off"])
def test_mesh_formats_scale_and_package_paths(tmp_path, suffix):
    folder = tmp_path / "my_robot" / "urdf"
    (tmp_path / "my_robot" / "meshes").mkdir(parents=True)
    folder.mkdir()
    mesh = trimesh.creation.box((0.1, 0.2, 0.3))
    mesh.apply_translation((0.1, 0, 0))
    data = mesh.export(file_type=suffix[1:])
    (tmp_path / "my_robot" / "meshes" / f"part{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)
    shape = f'<geometry><mesh filename="package://my_robot/meshes/part{suffix}" scale="2 1 1"/></geometry>'
    text = robot(link("b", f"<collision>{shape}</collision><visual>{shape}</visual>"))
    asset, _ = load_text(folder, text, density=1000)
    assert asset.shapes[0].kind is ShapeKind.MESH
    assert asset.shapes[0].size == (2, 1, 1)
    np.testing.assert_allclose(np.ptp(asset.shapes[0].mesh.vertices, axis=0), (0.2, 0.2, 0.3), atol=1e-6)
    np.testing.assert_allclose(asset.links[0].mass, 12.0, rtol=1e-5)
    np.testing.assert_allclose(asset.links[0].com, (0.2, 0, 0), atol=1e-6)
    flipped, _ = load_text(folder, text, flip_visual_attachments=True)
    np.testing.assert_allclose(np.ptp(flipped.visuals[0].mesh.vertices, axis=0), (0.2, 0.3, 0.2), atol=1e-6)
    np.testing.assert_allclose(np.ptp(flipped.shapes[0].mesh.vertices, axis=0), (0.2, 0.2, 0.3), atol=1e-6)


def test_gltf_with_its_buffers_beside_it(tmp_path):
    mesh = trimesh.creation.box((0.1, 0.2, 0.3))
    for name, data in mesh.export(file_type="gltf").items():
        (tmp_path / name).write_bytes(data)
    asset, _ = load_text(
        tmp_path, robot(link("b", '<collision><geometry><mesh filename="model.gltf"/></geometry></collision>'))
    )
    np.testing.assert_allclose(np.ptp(asset.shapes[0].mesh.vertices, axis=0), (0.1, 0.2, 0.3), atol=1e-6)
    np.testing.assert_allclose(asset.links[0].mass, 6.0, rtol=1e-5)


def test_relative_meshes_below_the_asset_root(tmp_path):
    """Files are found from the asset root, and from every folder between it and the file."""
    folder = tmp_path / "urdf" / "hand"
    folder.mkdir(parents=True)
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
    (tmp_path / "urdf" / "part.obj").write_text(corners + "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n")
    shape = '<visual><geometry><mesh filename="part.obj"/></geometry></visual>'
    (folder / "hand.urdf").write_text(robot(link("b", shape)))
    assert len(load_asset(str(tmp_path), "urdf/hand/hand.urdf").visuals) == 1
    with pytest.raises(AssetError, match="not found"):
        load_asset(str(folder), "hand.urdf")


def test_the_first_of_two_inertials_counts(tmp_path):
    """As exporters leave them, and as other readers take them; it is said."""
    heavier = INERTIAL.replace('mass value="2"', 'mass value="9"')
    asset, notes = load_text(tmp_path, robot(link("a", INERTIAL + heavier)))
    assert asset.links[0].mass == 2.0
    assert any("<inertial> is ignored: <link> has one already" in str(note) for note in notes)


def test_open_and_broken_meshes(tmp_path):
    (tmp_path / "open.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\n")
    (tmp_path / "flat.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    shape = '<collision><geometry><mesh filename="{}"/></geometry></collision>'
    asset, _ = load_text(tmp_path, robot(link("b", shape.format("open.obj"))), density=6)
    np.testing.assert_allclose(asset.links[0].mass, 1.0, rtol=1e-6)
    asset, _ = load_text(tmp_path, robot(link("b", shape.format("flat.obj"))))
    assert asset.links[0].mass > 0
    for name, text in (("empty.obj", ""), ("bad.stl", "solid x\nfacet"),
                       ("nan.obj", "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3"),
                       ("x.dae", "<COLLADA>"), ("x.fbx", "?"), ("far.obj", "v 0 0 0\nf 1 2 9")):  # fmt: skip
        (tmp_path / name).write_text(text)
        with pytest.raises(AssetError, match="mesh"):
            load_text(tmp_path, robot(link("b", shape.format(name))))


def test_every_ignored_thing_is_told_once(tmp_path):
    text = robot(
        "<transmission/>", "<transmission/>", "<gazebo/>",
        link("b", INERTIAL + '<collision group="1"><geometry><sphere radius="1"/></geometry>'
             '<sdf/></collision>'),
    )  # fmt: skip
    asset, notes = load_text(tmp_path, text)
    assert len(notes) == len(set(notes)) == 4
    assert [w for w in ("transmission", "gazebo", "group", "sdf") if any(w in n for n in notes)] == [
        "transmission", "gazebo", "group", "sdf",
    ]  # fmt: skip
    assert "robot.urdf:2:" in notes[0]
    assert "2 times" in notes[0]
    assert any("only shapes of <collision> that are meshes have signed distance fields" in n for n in notes)
    assert len(asset.shapes) == 1


OK = link("a")
BAD = {
    "no links": (robot(), "no links"),
    "two links of a name": (robot(OK, OK), "same name"),
    "two joints of a name": (robot(OK, link("b"), joint("j", "a", "b"), joint("j", "a", "b")), "same name"),
    "nameless": (robot("<link/>"), "no name"),
    "two roots": (robot(OK, link("b")), "one tree"),
    "circle": (robot(OK, link("b"), joint("1", "a", "b"), joint("2", "b", "a")), "circle"),
    "circle aside": (robot(OK, link("b"), link("c"), joint("1", "b", "c"), joint("2", "c", "b")), "circle"),
    "two parents": (
        robot(OK, link("b"), link("c"), joint("1", "a", "c"), joint("2", "b", "c")),
        "child of two",
    ),
    "own parent": (robot(OK, joint("1", "a", "a")), "one tree|circle"),
    "missing link": (robot(OK, joint("1", "a", "x")), "does not exist"),
    "mimic of itself": (robot(OK, link("b"), joint("1", "a", "b", inside='<mimic joint="1"/>')), "cannot follow"),
    "mimic of a ball": (
        robot(
            OK,
            link("b"),
            link("c"),
            joint("1", "a", "b", "spherical"),
            joint("2", "a", "c", inside='<mimic joint="1"/>'),
        ),
        "cannot follow",
    ),
    "mimic by a ball": (
        robot(OK, link("b"), link("c"), joint("1", "a", "b"), joint("2", "a", "c", "spherical", '<mimic joint="1"/>')),
        "several DOFs",
    ),
    "missing mimic": (robot(OK, link("b"), joint("1", "a", "b", inside='<mimic joint="q"/>')), "mimic"),
    "no child": (robot(OK, '<joint name="1" type="fixed"><parent link="a"/></joint>'), "no child"),
    "floating": (robot(OK, link("b"), joint("1", "a", "b", "floating")), "not supported"),
    "planar": (robot(OK, link("b"), joint("1", "a", "b", "planar")), "not supported"),
    "axis": (robot(OK, link("b"), joint("1", "a", "b", inside='<axis xyz="0 0 0"/>')), "axis"),
    "limits": (robot(OK, link("b"), joint("1", "a", "b", inside='<limit lower="1" upper="0"/>')), "reversed"),
    "effort": (robot(OK, link("b"), joint("1", "a", "b", inside='<limit effort="-1"/>')), "negative"),
    "nan": (robot(link("a", INERTIAL.replace('"2"', '"nan"'))), "not a number"),
    "garbage": (robot(link("a", INERTIAL.replace('"2"', '"1_0"'))), "not a number"),
    "huge": (robot(link("a", INERTIAL.replace('"2"', '"1e99"'))), "not a number"),
    "negative mass": (robot(link("a", INERTIAL.replace('"2"', '"-2"'))), "negative"),
    "count": (robot(link("a", '<collision><geometry><box size="1 2"/></geometry></collision>')), "2 numbers"),
    "size": (
        robot(link("a", '<collision><geometry><sphere radius="0"/></geometry></collision>')),
        "not positive",
    ),
    "no size": (robot(link("a", "<collision><geometry><sphere/></geometry></collision>")), "no radius"),
    "no geometry": (robot(link("a", "<collision/>")), "one geometry"),
    "no mesh": (
        robot(link("a", '<visual><geometry><mesh filename="x.stl"/></geometry></visual>')),
        "not found",
    ),
    "mesh scale": (
        robot(link("a", '<visual><geometry><mesh filename="x" scale="0"/></geometry></visual>')),
        "zero",
    ),
    "no mesh name": (robot(link("a", "<visual><geometry><mesh/></geometry></visual>")), "no file name"),
    "two origins": (robot(link("a", INERTIAL.replace("<mass", "<origin/><mass"))), "more than one"),
    "other root": ("<mujoco/>", "wrong kind"),
    "not xml": ("<robot><link", "well-formed"),
    "empty": ("", "well-formed"),
    "entities": ('<!DOCTYPE r [<!ENTITY a "b">]><robot name="&a;"/>', "entities"),
}


@pytest.mark.parametrize("case", BAD)
def test_complaints_name_the_file_and_the_fault(tmp_path, case):
    text, message = BAD[case]
    with pytest.raises(AssetError, match=message) as error:
        load_text(tmp_path, text)
    assert "robot.urdf" in str(error.value)


def test_a_complaint_has_place_expectation_and_remedy(tmp_path):
    with pytest.raises(AssetError) as error:
        load_text(tmp_path, BAD["floating"][0])
    text = str(error.value)
    assert "robot.urdf:6: " in text
    assert "joint '1'" in text
    assert "expected: revolute" in text
    assert "got: 'floating'" in text
    assert "what to do:" in text


def test_a_chain_of_a_thousand_links_needs_no_recursion(tmp_path):
    parts = [link(f"l{i}") for i in range(1000)] + [joint(f"j{i}", f"l{i}", f"l{i + 1}") for i in range(999)]
    asset, _ = load_text(tmp_path, robot(*parts))
    assert asset.num_dofs == 999
    folded, _ = load_text(tmp_path, robot(*parts).replace("revolute", "fixed"), collapse_fixed_joints=True)
    assert len(folded.links) == 1
    np.testing.assert_allclose(folded.links[0].mass, 2000)


def test_the_cartpole_of_the_tasks():
    import kilogym.tasks as tasks

    asset = load_asset(f"{next(iter(tasks.__path__))}/cartpole", "cartpole.urdf", ImportOptions(fix_base_link=True))
    assert len(asset.links) == 3
    assert asset.dof_names() == ["rail_to_cart", "cart_to_pole"]
    assert [j.has_limits for j in asset.joints] == [True, False]
