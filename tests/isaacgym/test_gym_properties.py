"""Gym, section "actor properties": before and after prepare_sim, with what each of them does."""

import math

import numpy as np
import pytest
from scenes import step, tensor

from isaacgym import gymapi, gymtorch

WHEN = pytest.mark.parametrize("prepare", [False, True], ids=["before prepare_sim", "after"])


def set_forces(scene, values, device):
    import torch

    forces = torch.tensor(values, dtype=torch.float32, device=device)
    assert scene.gym.set_dof_actuation_force_tensor(scene.sim, gymtorch.unwrap_tensor(forces))


# ---- bodies ------------------------------------------------------------------------------------------------


def test_body_properties_are_copies(gym, make_scene):
    scene = make_scene("arm", prepare=False)
    env = scene.envs[0]
    props = gym.get_actor_rigid_body_properties(env, 0)
    assert [p.mass for p in props[1:]] == pytest.approx([2, 1, 0.5])
    assert props[1].com == gymapi.Vec3(0, 0, 0.2)
    assert props[1].invMass == pytest.approx(0.5)
    assert props[1].inertia.x.x == pytest.approx(0.02)
    assert props[1].invInertia.z.z == pytest.approx(100)
    props[1].mass = 9.0
    assert gym.get_actor_rigid_body_properties(env, 0)[1].mass == 2.0


@WHEN
def test_mass_with_and_without_recomputed_inertia(gym, make_scene, prepare):
    scene = make_scene("arm", prepare=prepare)
    for env, recompute, inertia in zip(scene.envs, (False, True), (0.02, 0.04), strict=True):
        props = gym.get_actor_rigid_body_properties(env, 0)
        props[1].mass *= 2
        assert gym.set_actor_rigid_body_properties(env, 0, props, recomputeInertia=recompute)
        after = gym.get_actor_rigid_body_properties(env, 0)[1]
        assert (after.mass, after.inertia.x.x) == (4.0, pytest.approx(inertia))


def test_mass_acts_at_the_next_step(gym, make_scene, device):
    """A push of 10 N on a ball of 2 kg and one of 4 kg."""
    scene = make_scene("ball", ground=False, gravity=gymapi.Vec3())
    for env, mass in zip(scene.envs, (2.0, 4.0), strict=True):
        props = gym.get_actor_rigid_body_properties(env, 0)
        props[0].mass = mass
        assert gym.set_actor_rigid_body_properties(env, 0, props, True)
        gym.apply_body_forces(env, 0, gymapi.Vec3(10, 0, 0), None, gymapi.ENV_SPACE)
    step(scene)
    assert tensor(scene, "actor_root_state")[:, 7].tolist() == pytest.approx([0.05, 0.025], rel=1e-5)


def test_gravity_off_by_flag(gym, make_scene):
    scene = make_scene("ball", ground=False)
    props = gym.get_actor_rigid_body_properties(scene.envs[1], 0)
    props[0].flags = gymapi.RIGID_BODY_DISABLE_GRAVITY
    assert gym.set_actor_rigid_body_properties(scene.envs[1], 0, props)
    step(scene)
    assert tensor(scene, "actor_root_state")[:, 9].tolist() == pytest.approx([-0.0981, 0.0], abs=1e-6)


# ---- shapes ------------------------------------------------------------------------------------------------


@WHEN
def test_friction_decides_who_slides(gym, make_scene, prepare, device):
    """Sliding balls are braked by mu g; the plane has friction 1 and the mean counts: mu = 0.5 and 1."""
    scene = make_scene("ball", prepare=False)
    for env, friction in zip(scene.envs, (0.0, 1.0), strict=True):
        if prepare:
            gym.prepare_sim(scene.sim)
        props = gym.get_actor_rigid_shape_properties(env, 0)
        props[0].friction = friction
        assert gym.set_actor_rigid_shape_properties(env, 0, props)
        assert gym.get_actor_rigid_shape_properties(env, 0)[0].friction == friction
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2], root[:, 7] = 0.1, 1.0
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 2)
    speed = tensor(scene, "actor_root_state")[:, 7]
    assert speed.tolist() == pytest.approx([1 - 0.5 * 9.81 * 0.02, 1 - 9.81 * 0.02], abs=2e-3)


@WHEN
def test_torsion_friction_and_thickness(gym, make_scene, prepare):
    """A spinning ball of env 1 is braked by 5/2 torsion g / r^2, and rests its thickness higher."""
    scene = make_scene("ball", prepare=prepare)
    (props,) = gym.get_actor_rigid_shape_properties(scene.envs[1], 0)
    props.torsion_friction, props.thickness = 0.004, 0.002
    assert gym.set_actor_rigid_shape_properties(scene.envs[1], 0, [props])
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2], root[:, 12] = root.new_tensor([0.1, 0.102]), 5.0
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 20)
    found = tensor(scene, "actor_root_state")
    assert found[:, 12].tolist() == pytest.approx([5.0, 5.0 - 2.5 * 0.004 * 9.81 / 0.01 * 0.2], abs=1e-2)
    assert found[:, 2].tolist() == pytest.approx([0.1, 0.102], abs=1e-4)


def test_restitution(gym, make_scene):
    scene = make_scene("ball")
    props = gym.get_actor_rigid_shape_properties(scene.envs[1], 0)
    props[0].restitution = 1.0  # with the plane's 0: 0.5
    assert gym.set_actor_rigid_shape_properties(scene.envs[1], 0, props)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2], root[:, 9] = 0.11, -2.0
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 3)
    speed = tensor(scene, "actor_root_state")[:, 9]
    assert speed.tolist() == pytest.approx([0.0, 1.0 - 0.3], abs=0.3)


def test_filters_of_shapes_before_prepare(gym, make_scene):
    scene = make_scene("arm", prepare=False)
    props = gym.get_actor_rigid_shape_properties(scene.envs[0], 0)
    props[0].filter = 2
    assert gym.set_actor_rigid_shape_properties(scene.envs[0], 0, props)
    assert gym.get_actor_rigid_shape_properties(scene.envs[0], 0)[0].filter == 2
    assert gym.get_actor_rigid_shape_properties(scene.envs[0], 0)[1].filter == 1  # from create_actor
    gym.prepare_sim(scene.sim)
    props[0].filter = 4
    with pytest.raises(NotImplementedError, match="filters cannot change once the simulation is prepared"):
        gym.set_actor_rigid_shape_properties(scene.envs[0], 0, props)


# ---- DOFs --------------------------------------------------------------------------------------------------


@WHEN
def test_dof_properties_round_trip(gym, make_scene, prepare):
    scene = make_scene("arm", prepare=prepare)
    props = gym.get_actor_dof_properties(scene.envs[1], 0)
    props["driveMode"] = (gymapi.DOF_MODE_POS, gymapi.DOF_MODE_VEL)
    props["stiffness"].fill(100.0)
    props["damping"][1] = 7.0
    props["effort"][:] = 20.0
    props["armature"] = 0.5
    props["friction"] = 0.25
    props["velocity"] = 3.0
    props["lower"][0] = -1.0
    assert gym.set_actor_dof_properties(scene.envs[1], 0, props)
    after = gym.get_actor_dof_properties(scene.envs[1], 0)
    assert after.tolist() == props.tolist()
    before = gym.get_actor_dof_properties(scene.envs[0], 0)  # of the other env: as it was
    assert before["stiffness"].tolist() == [0, 0]


def test_a_position_drive_reaches_its_target(gym, make_scene, device):
    import torch

    scene = make_scene("arm", prepare=False, gravity=gymapi.Vec3())
    for env in scene.envs:
        props = gym.get_actor_dof_properties(env, 0)
        props["driveMode"].fill(gymapi.DOF_MODE_POS)
        props["stiffness"], props["damping"] = 400.0, 60.0
        gym.set_actor_dof_properties(env, 0, props)
    targets = torch.tensor([[0.5, 0.1], [-0.5, 0.2]], device=device)
    gym.set_dof_position_target_tensor(scene.sim, gymtorch.unwrap_tensor(targets))
    step(scene, 150)
    assert tensor(scene, "dof_state").view(2, 2, 2)[..., 0].tolist() == [
        pytest.approx(row, abs=5e-3) for row in targets.tolist()
    ]


def test_commands_of_another_mode_are_ignored(gym, make_scene, device):
    """An effort does nothing to a DOF in position mode and something to its neighbour in effort mode."""
    scene = make_scene("arm", envs=1, gravity=gymapi.Vec3())
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props["driveMode"] = (gymapi.DOF_MODE_POS, gymapi.DOF_MODE_EFFORT)
    props["stiffness"], props["damping"] = (1e4, 0), (1e3, 0)
    gym.set_actor_dof_properties(scene.envs[0], 0, props)
    set_forces(scene, [50.0, 1.5], device)
    step(scene)
    state = tensor(scene, "dof_state")
    assert abs(state[0, 1].item()) < 1e-4
    assert state[1, 1].item() == pytest.approx(1.5 / 1.5 * 0.01, rel=1e-3)  # hand and tip weigh 1.5 kg


def test_none_mode_ignores_efforts_and_keeps_the_files_damping(gym, make_scene, device):
    scene = make_scene("arm", envs=1, gravity=gymapi.Vec3())
    set_forces(scene, [50.0, 10.0], device)
    dofs = tensor(scene, "dof_state").clone()
    dofs[0, 1] = 0.5
    gym.set_dof_state_tensor(scene.sim, gymtorch.unwrap_tensor(dofs))
    step(scene, 10)
    speeds = tensor(scene, "dof_state")[:, 1]
    # about the hinge: 2 kg at 0.2 m, 1 kg at 0.4 m, 0.5 kg at 0.5 m, and their own inertias
    inertia = 2 * 0.04 + 1 * 0.16 + 0.5 * 0.25 + 0.02 + 0.01 + 0.01
    assert speeds[0].item() == pytest.approx(0.5 * math.exp(-0.1 * 0.1 / inertia), rel=5e-3)  # damping 0.1, 0.1 s
    assert 0.0 < speeds[1].item() < 0.02  # the centrifugal force, and no thrust: 10 N would give 0.67 m/s


def test_effort_is_clamped_to_the_limit(gym, make_scene, device):
    scene = make_scene("arm", envs=1, gravity=gymapi.Vec3())
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props["driveMode"].fill(gymapi.DOF_MODE_POS)
    props["stiffness"], props["effort"] = 1e5, (100.0, 3.0)
    gym.set_actor_dof_properties(scene.envs[0], 0, props)
    import torch

    targets = torch.tensor([0.0, 0.2], device=device)
    gym.set_dof_position_target_tensor(scene.sim, gymtorch.unwrap_tensor(targets))
    step(scene)
    assert tensor(scene, "dof_state")[1, 1].item() == pytest.approx(3.0 / 1.5 * 0.01, rel=1e-2)


def test_efforts_are_clamped_too(gym, make_scene, device):
    scene = make_scene("arm", envs=1, gravity=gymapi.Vec3())
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props["driveMode"].fill(gymapi.DOF_MODE_EFFORT)
    props["effort"][1] = 3.0
    gym.set_actor_dof_properties(scene.envs[0], 0, props)
    set_forces(scene, [0.0, 50.0], device)
    step(scene)
    assert tensor(scene, "dof_state")[1, 1].item() == pytest.approx(3.0 / 1.5 * 0.01, rel=1e-2)


@pytest.mark.parametrize("mode", [gymapi.DOF_MODE_NONE, gymapi.DOF_MODE_EFFORT])
def test_stiffness_without_a_drive_is_a_passive_spring(gym, make_scene, mode):
    """About zero: the slide, 1.5 kg pulled out by 0.1 m with 150 N/m, starts back with 10 m/s^2."""
    scene = make_scene("arm", envs=1, gravity=gymapi.Vec3())
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props["driveMode"].fill(mode)
    props["stiffness"][1] = 150.0
    gym.set_actor_dof_properties(scene.envs[0], 0, props)
    gym.set_dof_target_position(scene.envs[0], 1, 0.25)  # of no concern to these modes
    states = gym.get_actor_dof_states(scene.envs[0], 0, gymapi.STATE_ALL).copy()
    states["pos"][1] = 0.1
    gym.set_actor_dof_states(scene.envs[0], 0, states, gymapi.STATE_ALL)
    step(scene)
    assert tensor(scene, "dof_state")[1, 1].item() == pytest.approx(-10 * 0.01, rel=2e-2)


def test_limits_hold(gym, make_scene):
    scene = make_scene("arm", envs=1)
    dofs = tensor(scene, "dof_state").clone()
    dofs[0, 0], dofs[1, 0] = 0.0, 0.25
    dofs[0, 1] = 3.0
    gym.set_dof_state_tensor(scene.sim, gymtorch.unwrap_tensor(dofs))
    step(scene, 200)
    angle, slide = tensor(scene, "dof_state")[:, 0].tolist()
    assert -2.02 <= angle <= 2.02
    assert -0.105 <= slide <= 0.305


# ---- size --------------------------------------------------------------------------------------------------


def test_scale(gym, make_scene):
    scene = make_scene("arm", "ball", prepare=False)
    env = scene.envs[0]
    assert gym.get_actor_scale(env, 0) == 1.0
    assert gym.set_actor_scale(env, 0, 2.0)
    assert gym.get_actor_scale(env, 0) == 2.0
    assert gym.set_actor_scale(env, 0, np.array([2.0]))  # as randomisation of clients does
    props = gym.get_actor_rigid_body_properties(env, 0)[1]
    assert (props.mass, props.com.z) == (pytest.approx(16), pytest.approx(0.4))
    dofs = gym.get_actor_dof_properties(env, 0)
    assert dofs["upper"].tolist() == pytest.approx([2, 0.6])
    gym.prepare_sim(scene.sim)
    states = gym.get_actor_rigid_body_states(env, 0, gymapi.STATE_POS)
    assert states["pose"]["p"]["z"].tolist() == pytest.approx([0, 2, 2.8, 3.0])
    other = gym.get_actor_rigid_body_states(scene.envs[1], 0, gymapi.STATE_POS)
    assert other["pose"]["p"]["z"].tolist() == pytest.approx([0, 1, 1.4, 1.5])


def test_scale_while_running(gym, make_scene):
    """A ball of twice the size rests twice as high."""
    scene = make_scene("ball")
    assert gym.set_actor_scale(scene.envs[1], 0, 2.0)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2] = gymtorch.torch.tensor([0.1, 0.2])
    gym.set_actor_root_state_tensor(scene.sim, gymtorch.unwrap_tensor(root))
    step(scene, 50)
    assert tensor(scene, "actor_root_state")[:, 2].tolist() == pytest.approx([0.1, 0.2], abs=2e-3)


# ---- tendons and soft bodies -------------------------------------------------------------------------------


def test_a_tendon_pulls(gym, make_scene):
    """Without gravity two legs apart come together on a damped spring; its offset asks for another angle."""
    scene = make_scene("walker", prepare=False, gravity=gymapi.Vec3(0, 0, 0))
    for env, offset in zip(scene.envs, (0.0, -0.2), strict=True):
        props = gym.get_actor_tendon_properties(env, 0)
        props[0].stiffness, props[0].damping = 50.0, 5.0
        assert gym.set_actor_tendon_properties(env, 0, props)
        assert gym.set_actor_tendon_offset(env, 0, 0, offset)
        dofs = gym.get_actor_dof_properties(env, 0)
        dofs["stiffness"], dofs["damping"], dofs["friction"] = 0.0, 0.0, 0.0
        assert gym.set_actor_dof_properties(env, 0, dofs)
    gym.prepare_sim(scene.sim)
    dof = tensor(scene, "dof_state")
    dof[:, 0] = gymtorch.torch.tensor([0.3, -0.2] * 2)
    gym.set_dof_state_tensor(scene.sim, gymtorch.unwrap_tensor(dof))
    step(scene, 400)
    q = tensor(scene, "dof_state")[:, 0].view(2, 2)
    assert (q[:, 0] - q[:, 1]).tolist() == pytest.approx([0.0, 0.2], abs=1e-3)


def test_tendons_of_the_asset_go_to_its_actors(gym, make_sim, robots):
    """As IsaacGymEnvs' Shadow Hand sets them: before the actors are made, for those to come."""
    sim = make_sim()
    options = gymapi.AssetOptions()
    options.tendon_limit_stiffness = 11.0
    asset = gym.load_asset(sim, robots, "walker.xml", options)
    envs = [gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1) for _ in range(2)]
    gym.create_actor(envs[0], asset, gymapi.Transform(), "old", 0, 1)
    props = gym.get_asset_tendon_properties(asset)
    for i in range(gym.get_asset_tendon_count(asset)):
        assert gym.get_asset_tendon_name(asset, i) == "both"
        props[i].limit_stiffness, props[i].damping = 30, 0.1
    assert gym.set_asset_tendon_properties(asset, props)
    assert gym.set_asset_fixed_tendon_joint_coefficients(asset, 0, [3, 4])
    gym.create_actor(envs[1], asset, gymapi.Transform(), "new", 1, 1)
    found = [gym.get_actor_tendon_properties(env, 0)[0] for env in envs]
    assert [p.limit_stiffness for p in found] == [11, 30]
    assert [p.damping for p in found] == pytest.approx([0.0, 0.1])
    assert [gym.get_actor_fixed_tendon_joint_coefficients(env, 0, 0) for env in envs] == [[1, -1], [3, 4]]
    gym.prepare_sim(sim)
    assert gym.set_actor_fixed_tendon_joint_coefficients(envs[0], 0, 0, [5, 6])
    assert not gym.set_actor_fixed_tendon_joint_coefficients(envs[0], 0, 0, [5])
    assert not gym.set_actor_tendon_offset(envs[0], 0, 3, 0.1)


# ---- attractors --------------------------------------------------------------------------------------------


def test_an_attractor_pulls_a_body(gym, make_scene):
    """As a client's: made for a body, its target moved; bits of `axes` choose."""
    scene = make_scene("ball", prepare=False, gravity=gymapi.Vec3(0, 0, 0))
    handles = []
    for env, axes in zip(scene.envs, (gymapi.AXIS_ALL, gymapi.AXIS_X), strict=True):
        props = gymapi.AttractorProperties()
        props.stiffness, props.damping, props.axes = 500.0, 50.0, axes
        props.rigid_handle = gym.get_actor_rigid_body_handle(env, 0, 0)
        props.target = gymapi.Transform(gymapi.Vec3(0.0, 0.0, 2.0))
        handles.append(gym.create_rigid_body_attractor(env, props))
    assert handles == [0, 0]
    back = gym.get_attractor_properties(scene.envs[1], 0)
    assert (back.axes, back.stiffness, back.target.p.z) == (gymapi.AXIS_X, 500.0, 2.0)
    start = tensor(scene, "actor_root_state")[:, :3].clone()
    for env in scene.envs:
        gym.set_attractor_target(env, 0, gymapi.Transform(gymapi.Vec3(0.5, 0.1, 1.5)))
    step(scene, 500)
    place = tensor(scene, "actor_root_state")[:, :3]
    assert place[0].tolist() == pytest.approx([0.5, 0.1, 1.5], abs=1e-3)
    assert place[1].tolist() == pytest.approx([0.5, *start[1, 1:].tolist()], abs=1e-3)
    back.stiffness, back.damping, back.target = 0.0, 0.0, gymapi.Transform()
    gym.set_attractor_properties(scene.envs[1], 0, back)
    assert gym.get_attractor_properties(scene.envs[1], 0).stiffness == 0.0
    step(scene, 100)
    assert tensor(scene, "actor_root_state")[1, 0].item() == pytest.approx(0.5, abs=1e-3)


def test_what_attractors_refuse(gym, make_scene, caplog):
    scene = make_scene("ball", prepare=False)
    props = gymapi.AttractorProperties()
    assert gym.create_rigid_body_attractor(scene.envs[0], props) == gymapi.INVALID_HANDLE
    assert "body handle -1 of env 0" in caplog.text
    props.rigid_handle, props.axes = 0, 64
    assert gym.create_rigid_body_attractor(scene.envs[0], props) == gymapi.INVALID_HANDLE
    assert "expected bits of gymapi.AXIS_ALL (63), got 64" in caplog.text
    with pytest.raises(TypeError, match=r"expected a gymapi\.AttractorProperties"):
        gym.create_rigid_body_attractor(scene.envs[0], None)
    with pytest.raises(IndexError, match="attractor 3"):
        gym.get_attractor_properties(scene.envs[0], 3)


def test_tendons_are_kept(gym, make_scene):
    scene = make_scene("walker", prepare=False)
    env = scene.envs[0]
    assert gym.get_actor_tendon_count(env, 0) == 1
    assert gym.get_actor_tendon_name(env, 0, 0) == "both"
    assert gym.find_actor_tendon_index(env, 0, "both") == 0
    assert gym.find_actor_tendon_index(env, 0, "none") == -1
    props = gym.get_actor_tendon_properties(env, 0)
    props[0].damping = 3.0
    assert gym.set_actor_tendon_properties(env, 0, props)
    assert gym.get_actor_tendon_properties(env, 0)[0].damping == 3.0
    assert gym.get_actor_tendon_properties(scene.envs[1], 0)[0].damping == 0.0
    assert gym.get_actor_tendon_offset(env, 0, 0) == 0.0
    assert gym.set_actor_tendon_offset(env, 0, 0, 0.5)
    assert gym.get_actor_tendon_offset(env, 0, 0) == 0.5
    assert gym.get_actor_tendon_offset(env, 0, 5) == float(np.finfo(np.float32).max)
    assert gym.get_actor_fixed_tendon_joint_name(env, 0, 0, 1) == "right_hip"
    assert gym.find_actor_fixed_tendon_joint_index(env, 0, 0, "right_hip") == 1
    assert gym.get_actor_fixed_tendon_joint_coefficients(env, 0, 0) == [1, -1]
    assert gym.set_actor_fixed_tendon_joint_coefficients(env, 0, 0, [1, 2])
    assert gym.get_actor_fixed_tendon_joint_coefficients(env, 0, 0) == [1, 2]


def test_actors_have_no_soft_bodies(gym, make_scene):
    scene = make_scene("ball", envs=1, prepare=False)
    assert gym.get_actor_soft_body_count(scene.envs[0], 0) == 0
    assert gym.get_actor_soft_materials(scene.envs[0], 0) == []


# ---- what fails --------------------------------------------------------------------------------------------


@WHEN
@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda p: setattr(p[1], "mass", -1.0), "mass"),
        (lambda p: setattr(p[1], "mass", 0.0), "mass"),
        (lambda p: setattr(p[1], "mass", math.nan), "mass"),
        (lambda p: setattr(p[1].inertia.x, "x", -1.0), "inertia"),
        (lambda p: setattr(p[1].com, "z", math.inf), "com"),
        (lambda p: p.pop(), "expected 4 items, one each, got 3"),
    ],
)
def test_body_properties_that_cannot_be(gym, make_scene, errors, prepare, edit, text):
    scene = make_scene("arm", envs=1, prepare=prepare)
    props = gym.get_actor_rigid_body_properties(scene.envs[0], 0)
    edit(props)
    assert gym.set_actor_rigid_body_properties(scene.envs[0], 0, props) is False
    (message,) = errors()
    assert text in message
    assert "arm" in message
    assert gym.get_actor_rigid_body_properties(scene.envs[0], 0)[1].mass == 2.0  # nothing was changed


@pytest.mark.parametrize(
    ("field", "value"),
    [("stiffness", -1.0), ("damping", math.nan), ("armature", -0.1), ("effort", -1.0), ("driveMode", 9),
     ("velocity", -1.0), ("friction", -0.5)],
)  # fmt: skip
def test_dof_properties_that_cannot_be(gym, make_scene, errors, field, value):
    scene = make_scene("arm", envs=1)
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props[field][1] = value
    assert gym.set_actor_dof_properties(scene.envs[0], 0, props) is False
    (message,) = errors()
    assert field in message
    assert "DOF 1 ('slide')" in message


def test_dof_properties_of_a_wrong_shape_or_kind(gym, make_scene, errors):
    scene = make_scene("arm", envs=1)
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    assert gym.set_actor_dof_properties(scene.envs[0], 0, props[:1]) is False
    assert "expected 2 records, got shape (1,)" in errors()[0]
    with pytest.raises(TypeError, match="expected a structured array with the fields hasLimits"):
        gym.set_actor_dof_properties(scene.envs[0], 0, np.zeros(2))


def test_swapped_limits_and_sizes(gym, make_scene, errors):
    scene = make_scene("arm", envs=1)
    props = gym.get_actor_dof_properties(scene.envs[0], 0)
    props["lower"][0] = 3.0
    assert gym.set_actor_dof_properties(scene.envs[0], 0, props) is False
    assert "expected lower <= upper, DOF 0 ('shoulder') has (3.0, 2.0)" in errors()[0]
    for scale in (0.0, -1.0, math.nan):
        assert gym.set_actor_scale(scene.envs[0], 0, scale) is False
        assert "scale" in errors()[0]


def test_shape_properties_that_cannot_be(gym, make_scene, errors):
    scene = make_scene("ball", envs=1)
    for field, value in (("friction", -1.0), ("restitution", math.nan), ("contact_offset", -1.0)):
        props = gym.get_actor_rigid_shape_properties(scene.envs[0], 0)
        setattr(props[0], field, value)
        assert gym.set_actor_rigid_shape_properties(scene.envs[0], 0, props) is False
        assert field in errors()[0]
