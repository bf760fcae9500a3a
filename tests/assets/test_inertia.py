"""Mass properties: against MuJoCo's compiler, trimesh, and the parallel axis theorem."""

import mujoco
import numpy as np
import pytest
import trimesh

from kilogym.assets import AssetError, ImportOptions, make_box, make_capsule, make_sphere
from kilogym.assets.asset import Mesh, ShapeKind
from kilogym.assets.inertia import MassProperties, combine, matrix, shape_mass_properties, six
from kilogym.math.quaternion import quat_from_rpy


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("sphere", (0.3, 0, 0)), ("capsule", (0.2, 0.5, 0)), ("cylinder", (0.2, 0.5, 0)),
        ("box", (0.1, 0.2, 0.3)),
        ("ellipsoid", (0.1, 0.2, 0.3)),
    ],
)  # fmt: skip
def test_solids_agree_with_mujoco(kind, size):
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><body><freejoint/>"
        f'<geom type="{kind}" size="{size[0]} {size[1]} {size[2]}" density="700"/>'
        "</body></worldbody></mujoco>"
    )
    mine = shape_mass_properties(ShapeKind(kind), size, 700.0)
    np.testing.assert_allclose(mine.mass, model.body_mass[1], rtol=1e-9)
    np.testing.assert_allclose(sorted(np.diag(mine.inertia)), sorted(model.body_inertia[1]), rtol=1e-9)


def test_a_mesh_box_is_a_box_and_an_open_one_its_hull():
    box = trimesh.creation.box((0.2, 0.4, 0.6))
    solid = shape_mass_properties(ShapeKind.BOX, (0.1, 0.2, 0.3), 500.0)
    for faces in (box.faces, box.faces[:, ::-1], box.faces[1:]):
        mesh = Mesh("box", np.array(box.vertices), np.array(faces))
        mine = shape_mass_properties(ShapeKind.MESH, (1, 1, 1), 500.0, mesh)
        np.testing.assert_allclose(mine.mass, solid.mass)
        np.testing.assert_allclose(mine.inertia, solid.inertia, atol=1e-12)
    with pytest.raises(ValueError, match="mesh"):
        shape_mass_properties(ShapeKind.MESH, (1, 1, 1), 1.0)


def test_two_halves_make_a_whole():
    half = shape_mass_properties(ShapeKind.BOX, (0.5, 1, 1), 3.0)
    turn = quat_from_rpy(0.1, 0.2, 0.3)
    whole = combine([half.moved((-0.5, 0, 0), (0, 0, 0, 1)), half.moved((0.5, 0, 0), (0, 0, 0, 1))]).moved(
        (1, 2, 3), turn
    )
    direct = shape_mass_properties(ShapeKind.BOX, (1, 1, 1), 3.0).moved((1, 2, 3), turn)
    np.testing.assert_allclose(whole.mass, direct.mass)
    np.testing.assert_allclose(whole.com, direct.com)
    np.testing.assert_allclose(whole.inertia, direct.inertia, atol=1e-12)
    assert combine([]).mass == 0.0
    np.testing.assert_array_equal(matrix(six(whole.inertia)), whole.inertia)
    massless = combine([MassProperties(0.0, np.ones(3), np.eye(3))])
    assert massless.mass == 0.0
    assert massless.inertia.any()


def test_procedural_assets():
    box = make_box(1, 2, 3, ImportOptions(density=10, fix_base_link=True))
    assert [x.name for x in box.links] == ["box"]
    assert box.fixed_base
    assert box.num_dofs == 0
    assert box.links[0].mass == 60
    assert box.shapes[0].size == (0.5, 1, 1.5)
    sphere = make_sphere(0.5)
    assert sphere.links[0].name == "sphere"
    assert not sphere.fixed_base
    capsule = make_capsule(0.1, 1.0)
    assert capsule.links[0].name == "capsule"
    assert capsule.shapes[0].size == (0.1, 0.5, 0)
    ixx, iyy, izz = capsule.links[0].inertia[:3]
    assert ixx < iyy == pytest.approx(izz)  # the axis is x
    assert len(box.visuals) == len(sphere.visuals) == 1


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf"), "1", None])
def test_sizes_must_be_lengths(bad):
    for call in (lambda: make_box(1, bad, 1), lambda: make_sphere(bad), lambda: make_capsule(1, bad)):
        with pytest.raises(AssetError, match="not a length"):
            call()


def test_options_are_checked():
    with pytest.raises(AssetError, match="density"):
        ImportOptions(density=float("nan"))
    with pytest.raises(ValueError, match="9"):
        ImportOptions(default_dof_drive_mode=9)
    tiny = make_sphere(1.0, ImportOptions(density=0.0))
    assert tiny.links[0].mass > 0
