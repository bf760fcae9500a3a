"""Math types and structs: values by hand, by scipy, and by properties."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isaacgym import gymapi
from isaacgym.gymapi import struct

REALS = st.floats(-100.0, 100.0, width=32)
ANGLES = st.floats(-3.0, 3.0)
VECTORS = st.builds(gymapi.Vec3, REALS, REALS, REALS)
UNIT = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: math.hypot(*q) > 0.1)
QUATS = UNIT.map(lambda q: gymapi.Quat(*q).normalize())
POSES = st.builds(gymapi.Transform, VECTORS, QUATS)

STRUCTS = [value for value in vars(gymapi).values() if isinstance(value, type) and issubclass(value, struct.Struct)]


def xyz(v):
    return np.array([v.x, v.y, v.z])


def xyzw(q):
    return np.array([q.x, q.y, q.z, q.w])


def close(a, b, tolerance=1e-4):
    np.testing.assert_allclose(a, b, atol=tolerance, rtol=1e-5)


# ---- vectors -----------------------------------------------------------------------------------------------


def test_vec3_arithmetic_by_hand():
    a, b = gymapi.Vec3(1, 2, 3), gymapi.Vec3(4, -5, 6)
    assert a + b == gymapi.Vec3(5, -3, 9)
    assert a - b == gymapi.Vec3(-3, 7, -3)
    assert -a == gymapi.Vec3(-1, -2, -3)
    assert a * 2 == gymapi.Vec3(2, 4, 6)
    assert a / 2 == gymapi.Vec3(0.5, 1, 1.5)
    assert a.dot(b) == 12
    assert a.cross(b) == gymapi.Vec3(27, 6, -13)
    assert gymapi.Vec3(3, 4, 0).length() == 5
    assert gymapi.Vec3(3, 4, 0).length_sq() == 25
    assert gymapi.Vec3(0, 4, 0).normalize() == gymapi.Vec3(0, 1, 0)
    assert gymapi.Vec3().normalize() == gymapi.Vec3()


def test_vec2_and_ints():
    assert gymapi.Vec2(1, 2) + gymapi.Vec2(3, 4) == gymapi.Vec2(4, 6)
    assert gymapi.Vec2(x=1, y=2) * 3 == gymapi.Vec2(3, 6)
    assert (gymapi.Int3(1, 2, 3).z, gymapi.Int2(4, 5).y) == (3, 5)


def test_there_is_no_left_multiplication():
    for factor in (2, 2.0, np.float32(2)):
        with pytest.raises(TypeError):
            factor * gymapi.Vec3(1, 2, 3)


@pytest.mark.parametrize("divisor", [0, 0.0])
def test_division_by_zero_is_as_in_c(divisor):
    assert (gymapi.Vec3(1, 0, 0) / divisor).x == math.inf


def test_vectors_accept_the_numbers_of_other_libraries():
    import torch

    numbers = [np.float64(1.5), np.array(2.5), torch.tensor([3.5])[0]]
    assert gymapi.Vec3(*numbers) == gymapi.Vec3(1.5, 2.5, 3.5)


def test_components_are_single_precision():
    assert gymapi.Vec3(0.02).x == 0.019999999552965164
    assert gymapi.Vec3(1e39).x == math.inf


def test_an_array_of_one_is_a_number():
    """As domain randomisation of clients sets them."""
    properties = gymapi.RigidBodyProperties()
    for value in (np.array([0.35]), np.array([[0.35]]), np.float64(0.35), torch.tensor([0.35])):
        properties.mass = value
        assert properties.mass == pytest.approx(0.35)


@pytest.mark.parametrize("wrong", ["1", None, [1, 2], gymapi.Quat(), np.zeros(2), np.zeros(0)])
def test_components_must_be_numbers(wrong):
    with pytest.raises(TypeError, match=r"Vec3\.x: expected a real number"):
        gymapi.Vec3(wrong)


def test_repr():
    assert repr(gymapi.Vec3(1, 2, 3)) == "Vec3(1.000000, 2.000000, 3.000000)"


# ---- quaternions -------------------------------------------------------------------------------------------


@given(ANGLES, ANGLES, ANGLES)
def test_from_euler_zyx_turns_about_x_then_y_then_z(x, y, z):
    q = gymapi.Quat.from_euler_zyx(x, y, z)
    expected = Rotation.from_euler("xyz", [x, y, z]).as_matrix()
    close(Rotation.from_quat(xyzw(q)).as_matrix(), expected, 1e-6)


@given(ANGLES, st.floats(-1.5, 1.5), ANGLES)
def test_to_euler_zyx_inverts(x, y, z):
    close(gymapi.Quat.from_euler_zyx(x, y, z).to_euler_zyx(), (x, y, z), 2e-5)


@pytest.mark.parametrize("y", [math.pi / 2, -math.pi / 2])
@pytest.mark.parametrize(("x", "z"), [(0.0, 0.0), (0.4, 0.0), (0.3, -1.1)])
def test_euler_angles_at_the_poles_give_the_same_rotation(x, y, z):
    q = gymapi.Quat.from_euler_zyx(x, y, z)
    again = gymapi.Quat.from_euler_zyx(*q.to_euler_zyx())
    assert abs(float(np.dot(xyzw(q), xyzw(again)))) == pytest.approx(1.0, abs=1e-6)


@given(VECTORS.filter(lambda v: v.length() > 0.01), ANGLES)
def test_from_axis_angle_agrees_with_scipy(axis, angle):
    unit = xyz(axis) / np.linalg.norm(xyz(axis))
    q = gymapi.Quat.from_axis_angle(axis, angle)
    close(xyzw(q), Rotation.from_rotvec(unit * angle).as_quat(canonical=False), 1e-6)


@given(QUATS, QUATS, VECTORS)
def test_product_and_rotation_agree_with_scipy(a, b, v):
    ra, rb = Rotation.from_quat(xyzw(a)), Rotation.from_quat(xyzw(b))
    close(xyz(a.rotate(v)), ra.apply(xyz(v)))
    close(Rotation.from_quat(xyzw(a * b)).as_matrix(), (ra * rb).as_matrix(), 1e-5)
    close(xyz((a * b).rotate(v)), xyz(a.rotate(b.rotate(v))))
    close(xyz(a.inverse().rotate(a.rotate(v))), xyz(v))


def test_default_quat_is_the_identity():
    assert gymapi.Quat() == gymapi.Quat(0, 0, 0, 1)
    assert gymapi.Quat(0, 0, 0, 0).normalize() == gymapi.Quat()
    assert gymapi.Quat.from_axis_angle(gymapi.Vec3(), 1.0) == gymapi.Quat()


# ---- transforms --------------------------------------------------------------------------------------------


@given(POSES, POSES, VECTORS)
def test_transforms_compose_and_invert(a, b, v):
    close(xyz((a * b).transform_point(v)), xyz(a.transform_point(b.transform_point(v))), 1e-3)
    close(xyz(a.inverse().transform_point(a.transform_point(v))), xyz(v), 1e-3)
    close(xyz(a.transform_vector(v)), xyz(a.r.rotate(v)))


@given(POSES, st.lists(st.tuples(REALS, REALS, REALS), min_size=1, max_size=6))
def test_arrays_of_points_agree_with_single_ones(pose, points):
    array = np.array(points, np.float32).view(gymapi.Vec3.dtype).reshape(-1, 1)
    moved, turned = pose.transform_points(array), pose.transform_vectors(array)
    assert moved.dtype == gymapi.Vec3.dtype
    assert moved.shape == array.shape
    for k, point in enumerate(points):
        v = gymapi.Vec3(*point)
        close(list(moved[k, 0]), xyz(pose.transform_point(v)), 1e-3)
        close(list(turned[k, 0]), xyz(pose.transform_vector(v)), 1e-3)


def test_nested_attributes_are_references_and_assignment_copies():
    pose = gymapi.Transform()
    pose.p.x = 1.0
    assert pose.p.x == 1.0
    v = gymapi.Vec3(4, 5, 6)
    pose.p = v
    v.x = 9.0
    assert pose.p == gymapi.Vec3(4, 5, 6)
    held = pose.p
    pose.p = (1, 2, 3)
    assert held == gymapi.Vec3(1, 2, 3)
    props = gymapi.RigidBodyProperties()
    props.inertia.x.x = 2
    props.inertia.x.x *= 2
    assert props.inertia.x.x == 4


def test_transform_takes_none_and_keywords():
    assert gymapi.Transform(p=None, r=None) == gymapi.Transform()
    assert gymapi.Transform(r=gymapi.Quat(1, 0, 0, 0)).r.x == 1
    with pytest.raises(TypeError, match=r"Transform\.p"):
        gymapi.Transform(gymapi.Quat())
    with pytest.raises(ValueError, match="expected 3 values"):
        gymapi.Transform().p = (1, 2)


def test_velocity_keywords():
    v = gymapi.Velocity(p=gymapi.Vec3(1, 2, 3), q=gymapi.Vec3(4, 5, 6))
    assert (v.linear.x, v.angular.z) == (1, 6)


def test_from_buffer_is_a_view():
    data = np.zeros(14, np.float32)
    poses = gymapi.Transform.from_buffer(data)
    data[7] = 5.0
    assert poses[1]["p"]["x"] == 5.0


# ---- module functions --------------------------------------------------------------------------------------


def test_vectorised_functions():
    v = np.array([(1, 2, 3), (0, 0, 1)], gymapi.Vec3.dtype)
    q = np.array([(0, 0, math.sin(0.25), math.cos(0.25))] * 2, gymapi.Quat.dtype)
    t = np.zeros(2, gymapi.Transform.dtype)
    t["r"], t["p"]["x"] = q, 10.0
    close(gymapi.dot(v, v), [14, 1])
    close(gymapi.dot(v, v[1]), [3, 1])
    assert gymapi.cross(v, v[1])[0].item() == (2.0, -1.0, 0.0)
    turned = gymapi.rotate(q, v)
    close(turned[0].item(), Rotation.from_rotvec([0, 0, 0.5]).apply([1, 2, 3]))
    close(np.array(gymapi.rotate_inverse(q, turned).tolist()), [[1, 2, 3], [0, 0, 1]])
    moved = gymapi.transform(t, v)
    close(moved["x"], turned["x"] + 10)
    close(np.array(gymapi.transform_inverse(t, moved).tolist()), [[1, 2, 3], [0, 0, 1]])
    angles = np.array([(0.1, -0.2, 0.3)], gymapi.Vec3.dtype)
    quats = gymapi.eulers_to_quats_zyx(angles)
    close(quats[0].item(), xyzw(gymapi.Quat.from_euler_zyx(0.1, -0.2, 0.3)))
    close(gymapi.quats_to_eulers_zyx(quats)[0].item(), (0.1, -0.2, 0.3))
    with pytest.raises(ValueError, match="records of 3 numbers"):
        gymapi.dot(q, v)


# ---- all structs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda k: k.__name__)
def test_every_struct_reads_pickles_copies_and_refuses_unknown_names(kind):
    one = kind()
    for name in dir(one):
        getattr(one, name)
    assert pickle.loads(pickle.dumps(one)) == one
    again = copy.deepcopy(one)
    assert again == one
    assert again is not one
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        one.nonsense = 1


def test_copies_are_independent():
    a = gymapi.SimParams()
    for b in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        b.physx.contact_offset = 1.0
        b.gravity.z = 5.0
        assert a.physx.contact_offset == np.float32(0.02)
        assert a.gravity.z == 0.0


def test_wrong_types_name_the_field():
    params = gymapi.SimParams()
    with pytest.raises(TypeError, match=r"SimParams\.substeps: expected an integer, got float"):
        params.substeps = 2.5
    with pytest.raises(TypeError, match=r"SimParams\.use_gpu_pipeline: expected True or False"):
        params.use_gpu_pipeline = "False"
    with pytest.raises(ValueError, match=r"PhysXParams\.contact_collection"):
        params.physx.contact_collection = 7
    with pytest.raises(TypeError, match=r"SimParams\.gravity"):
        params.gravity = 9.81
    with pytest.raises(AttributeError, match="read-only"):
        gymapi.ActuatorProperties().type = "motor"


def test_enum_fields_take_enums_and_integers():
    params = gymapi.SimParams()
    params.physx.contact_collection = 1
    assert params.physx.contact_collection is gymapi.CC_LAST_SUBSTEP
    params.up_axis = gymapi.UP_AXIS_Z
    options = gymapi.AssetOptions()
    options.default_dof_drive_mode = gymapi.DOF_MODE_EFFORT
    assert options.default_dof_drive_mode == 3


# ---- defaults: the published ones --------------------------------------------------------------------------

DEFAULTS = {
    "SimParams": {
        "dt": 1 / 60, "substeps": 2, "up_axis": 0, "num_client_threads": 0, "use_gpu_pipeline": False,
        "enable_actor_creation_warning": True, "stress_visualization": False,
        "stress_visualization_min": 0.0, "stress_visualization_max": 100000.0,
    },
    "PhysXParams": {
        "use_gpu": True, "solver_type": 1, "num_threads": 0, "num_subscenes": 0,
        "num_position_iterations": 4, "num_velocity_iterations": 1, "contact_offset": 0.02,
        "rest_offset": 0.001, "bounce_threshold_velocity": 0.2, "max_depenetration_velocity": 100.0,
        "friction_offset_threshold": 0.04, "friction_correlation_distance": 0.025,
        "max_gpu_contact_pairs": 1048576, "default_buffer_size_multiplier": 2.0, "contact_collection": 2,
        "always_use_articulations": False,
    },
    "PlaneParams": {
        "distance": 0.0, "static_friction": 1.0, "dynamic_friction": 1.0, "restitution": 0.0,
        "segmentation_id": 0,
    },
    "CameraProperties": {
        "width": 1600, "height": 900, "horizontal_fov": 90.0, "near_plane": 0.001, "far_plane": 2e6,
        "supersampling_horizontal": 1, "supersampling_vertical": 1, "use_collision_geometry": False,
        "enable_tensors": False,
    },
    "AssetOptions": {
        "fix_base_link": False, "collapse_fixed_joints": False, "disable_gravity": False,
        "flip_visual_attachments": False, "default_dof_drive_mode": 0, "density": 1000.0,
        "angular_damping": 0.5, "linear_damping": 0.0, "max_angular_velocity": 64.0,
        "max_linear_velocity": 1000.0, "armature": 0.0, "use_physx_armature": True, "thickness": 0.02,
        "enable_gyroscopic_forces": True, "override_com": False, "override_inertia": False,
        "replace_cylinder_with_capsule": False, "slices_per_cylinder": 20, "use_mesh_materials": False,
        "mesh_normal_mode": 0, "convex_decomposition_from_submeshes": False, "vhacd_enabled": False,
        "tendon_limit_stiffness": 1.0, "min_particle_mass": 1e-12,
    },
    "VhacdParams": {
        "resolution": 100000, "concavity": 0.0, "alpha": 0.05, "beta": 0.05, "convex_hull_downsampling": 4,
        "plane_downsampling": 4, "max_convex_hulls": 64, "max_num_vertices_per_ch": 64,
        "min_volume_per_ch": 0.0001, "pca": 0, "mode": 0, "convex_hull_approximation": True,
        "ocl_acceleration": True, "project_hull_vertices": True,
    },
    "RigidShapeProperties": {
        "friction": 1.0, "rolling_friction": 0.0, "torsion_friction": 0.0, "restitution": 0.0,
        "compliance": 0.0, "thickness": 0.0, "filter": 0,
    },
    "ForceSensorProperties": {
        "enable_forward_dynamics_forces": True, "enable_constraint_solver_forces": True,
        "use_world_frame": False,
    },
    "FlexParams": {"solver_type": 5, "relaxation": 0.75, "warm_start": 0.4},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_published_defaults(name):
    one = getattr(gymapi, name)()
    for field, expected in DEFAULTS[name].items():
        assert getattr(one, field) == (np.float32(expected) if isinstance(expected, float) else expected), field


def test_default_vectors():
    assert xyz(gymapi.SimParams().gravity) == pytest.approx([0, -9.8, 0])
    assert gymapi.PlaneParams().normal == gymapi.Vec3(0, 1, 0)


# ---- arrays and enums --------------------------------------------------------------------------------------


def test_dtypes_are_packed_floats():
    sizes = {"Vec2": 8, "Vec3": 12, "Quat": 16, "Transform": 28, "Velocity": 24, "RigidBodyState": 52,
             "DofState": 8, "DofFrame": 24, "ParticleState": 44}  # fmt: skip
    for name, size in sizes.items():
        assert getattr(gymapi, name).dtype.itemsize == size, name
    assert gymapi.RigidContact.dtype.names[:4] == ("env0", "env1", "body0", "body1")
    lines = np.empty((3, 2), gymapi.Vec3.dtype)
    lines[0][1] = (1, 2, 3)
    lines[1].fill((4, 5, 6))
    assert lines[1][0]["y"] == 5


def test_enum_members_are_at_module_level_and_work_in_numpy():
    assert gymapi.DOMAIN_SIM is gymapi.IndexDomain.DOMAIN_SIM
    assert gymapi.ContactCollection(1) is gymapi.CC_LAST_SUBSTEP
    assert gymapi.KEY_ESCAPE is gymapi.KeyboardInput.KEY_ESCAPE
    assert gymapi.MESH_VISUAL | gymapi.MESH_COLLISION == gymapi.MESH_VISUAL_AND_COLLISION
    modes = np.zeros(3, np.int32)
    modes.fill(gymapi.DOF_MODE_POS)
    modes[modes == 1] = gymapi.DOF_MODE_EFFORT
    assert modes.tolist() == [3, 3, 3]
    assert (gymapi.STATE_ALL, gymapi.AXIS_ALL, gymapi.INVALID_HANDLE) == (3, 63, -1)


def test_dof_properties_take_tuples_of_enums():
    from kilogym.scene.properties import DOF_PROPERTIES

    rows = np.zeros(2, DOF_PROPERTIES)
    rows["driveMode"] = (gymapi.DOF_MODE_POS, gymapi.DOF_MODE_VEL)
    assert rows["driveMode"].tolist() == [1, 2]
    assert rows.itemsize == 40
