"""Gym, sections "tensor API": acquire, refresh, set whole and indexed, apply; and its rules of order."""

import numpy as np
import pytest
import torch
from scenes import step, tensor

from isaacgym import gymapi, gymtorch
from isaacgym.gymtorch import unwrap_tensor, wrap_tensor


def put(scene, call, values, indices=None, count=None):
    """Call a setter with torch tensors."""
    method = getattr(scene.gym, call)
    if indices is None:
        return method(scene.sim, unwrap_tensor(values))
    rows = torch.tensor(indices, dtype=torch.int32, device=values.device)
    return method(scene.sim, unwrap_tensor(values), unwrap_tensor(rows), len(indices) if count is None else count)


def drives(scene, mode, stiffness=0.0, damping=0.0):
    """The same drive for every DOF of every actor."""
    for env in scene.envs:
        for actor in range(scene.gym.get_actor_count(env)):
            props = scene.gym.get_actor_dof_properties(env, actor)
            props["driveMode"].fill(mode)
            props["stiffness"], props["damping"] = stiffness, damping
            scene.gym.set_actor_dof_properties(env, actor, props)


# ---- acquire and refresh -----------------------------------------------------------------------------------


def test_shapes_dtypes_and_devices(gym, make_scene, device):
    scene = make_scene("walker", "arm")
    shapes = {
        "actor_root_state": (4, 13), "rigid_body_state": (14, 13), "dof_state": (8, 2), "dof_force": (8,),
        "net_contact_force": (14, 3), "force_sensor": (0, 6),
    }  # fmt: skip
    for kind, shape in shapes.items():
        out = tensor(scene, kind)
        assert (out.shape, out.dtype, out.device.type) == (shape, torch.float32, torch.device(device).type), kind
        assert out.is_contiguous()
    assert gym.acquire_jacobian_tensor(scene.sim, "arm").shape == (2, 3, 6, 2)
    assert gym.acquire_jacobian_tensor(scene.sim, "walker").shape == (2, 3, 6, 8)
    assert gym.acquire_mass_matrix_tensor(scene.sim, "arm").shape == (2, 2, 2)
    assert gym.acquire_mass_matrix_tensor(scene.sim, "walker").shape == (2, 8, 8)


def test_acquired_memory_is_one_and_lasts(gym, make_scene):
    """Views are taken once at the start and must follow every refresh."""
    scene = make_scene("ball")
    first = wrap_tensor(gym.acquire_actor_root_state_tensor(scene.sim))
    view = first.view(2, -1, 13)[..., 0:3]
    again = wrap_tensor(gym.acquire_actor_root_state_tensor(scene.sim))
    assert again.data_ptr() == first.data_ptr()
    step(scene, 5)
    before = view.clone()
    gym.refresh_actor_root_state_tensor(scene.sim)
    assert (view[..., 2] < before[..., 2]).all()
    assert first.data_ptr() == again.data_ptr()


def test_nothing_changes_until_it_is_refreshed(gym, make_scene):
    scene = make_scene("arm")
    kinds = ("actor_root_state", "rigid_body_state", "dof_state")
    tensors = {kind: tensor(scene, kind) for kind in kinds}
    copies = {kind: t.clone() for kind, t in tensors.items()}
    step(scene, 3)
    # the classic calls do not write into a client's tensors either
    gym.get_actor_rigid_body_states(scene.envs[0], 0, gymapi.STATE_ALL)
    gym.get_actor_dof_states(scene.envs[0], 0, gymapi.STATE_ALL)
    for kind in kinds:
        assert torch.equal(tensors[kind], copies[kind]), kind
    gym.refresh_dof_state_tensor(scene.sim)
    assert not torch.equal(tensors["dof_state"], copies["dof_state"])
    assert torch.equal(tensors["rigid_body_state"], copies["rigid_body_state"])


def test_edits_of_a_tensor_are_not_applied_until_it_is_set(gym, make_scene):
    scene = make_scene("ball", ground=False, gravity=gymapi.Vec3())
    root = tensor(scene, "actor_root_state")
    root[:, 0] = 7.0
    step(scene)
    gym.refresh_actor_root_state_tensor(scene.sim)
    assert root[:, 0].tolist() == [0, 0]
    root[:, 0] = 7.0
    assert gym.set_actor_root_state_tensor(scene.sim, gym.acquire_actor_root_state_tensor(scene.sim))
    step(scene)
    gym.refresh_actor_root_state_tensor(scene.sim)
    assert root[:, 0].tolist() == [7, 7]


def test_creation_poses_before_the_first_step(make_scene):
    scene = make_scene("arm", "ball")
    assert tensor(scene, "actor_root_state")[:, :3].tolist() == [[0, 0, 0], [0, 2, 1]] * 2
    assert tensor(scene, "rigid_body_state")[3, :3].tolist() == pytest.approx([0, 0, 1.5])


# ---- state setters -----------------------------------------------------------------------------------------


def test_a_refresh_after_a_setter_shows_what_was_set(make_scene, device):
    """Body states too: fresh kinematics, where the original's were stale until the next step."""
    scene = make_scene("arm")
    dofs = torch.tensor([[0.5, 0.0], [0.1, 0.0], [-0.5, 0.0], [0.2, 0.0]], device=device)
    assert put(scene, "set_dof_state_tensor", dofs)
    assert torch.equal(tensor(scene, "dof_state"), dofs)
    body = tensor(scene, "rigid_body_state").view(2, 4, 13)
    for k, (angle, slide) in enumerate(((0.5, 0.1), (-0.5, 0.2))):
        reach = 0.4 + slide
        hand = [reach * np.sin(angle), 0.0, 1 + reach * np.cos(angle)]
        assert body[k, 2, :3].tolist() == pytest.approx(hand, abs=1e-6)


def test_indexed_setters_touch_their_actors_only(make_scene):
    scene = make_scene("arm", "ball", envs=3, ground=False, gravity=gymapi.Vec3())
    root, dofs = tensor(scene, "actor_root_state").clone(), tensor(scene, "dof_state").clone()
    root[:, 0], dofs[:, 0] = 5.0, 0.25
    # actors in sim order: arm 0, ball 1, arm 2, ball 3, arm 4, ball 5; a ball has no DOFs, which is no error
    assert put(scene, "set_actor_root_state_tensor_indexed", root, [3, 5])
    assert put(scene, "set_dof_state_tensor_indexed", dofs, [2, 3])
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == [0, 0, 0, 5, 0, 5]
    assert tensor(scene, "dof_state")[:, 0].tolist() == [0, 0, 0.25, 0.25, 0, 0]


def test_only_the_first_count_indices_are_used(make_scene):
    scene = make_scene("ball", envs=3)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 0] = 5.0
    assert put(scene, "set_actor_root_state_tensor_indexed", root, [2, 0, 1], count=1)
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == [0, 0, 5]


def test_no_and_repeated_indices(make_scene):
    scene = make_scene("ball", envs=3)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 0] = 5.0
    assert put(scene, "set_actor_root_state_tensor_indexed", root, [])
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == [0, 0, 0]
    assert put(scene, "set_actor_root_state_tensor_indexed", root, [1, 1])
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == [0, 5, 0]


def test_setters_of_one_step_compose(make_scene):
    """The original counted one call of a setter per step."""
    scene = make_scene("ball", envs=3, ground=False, gravity=gymapi.Vec3())
    root = tensor(scene, "actor_root_state").clone()
    for k in range(3):
        values = root.clone()
        values[:, 0] = 1.0 + k
        assert put(scene, "set_actor_root_state_tensor_indexed", values, [k])
    step(scene)
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == [1, 2, 3]


def test_temporaries_may_die_at_once(make_scene, device):
    """`unwrap_tensor(x.to(torch.int32))` pointed to freed memory in the original."""
    scene = make_scene("ball", envs=8, ground=False, gravity=gymapi.Vec3())
    root = tensor(scene, "actor_root_state")
    wanted = torch.arange(8.0, device=device)
    values = unwrap_tensor(torch.cat([wanted[:, None], root[:, 1:]], dim=1))
    rows = unwrap_tensor(torch.arange(8, device=device).to(torch.int32))
    _ = [torch.full((8, 13), 1e9, device=device) for _ in range(20)]  # would reuse freed memory
    assert scene.gym.set_actor_root_state_tensor_indexed(scene.sim, values, rows, 8)
    assert tensor(scene, "actor_root_state")[:, 0].tolist() == wanted.tolist()


def test_a_fixed_base_is_moved_by_its_root_state(make_scene):
    scene = make_scene("arm")
    root = tensor(scene, "actor_root_state").clone()
    root[1, :3] = torch.tensor([1.0, 2.0, 3.0])
    assert put(scene, "set_actor_root_state_tensor_indexed", root, [1])
    step(scene)
    assert tensor(scene, "actor_root_state")[1, :3].tolist() == [1, 2, 3]
    assert tensor(scene, "rigid_body_state").view(2, 4, 13)[1, 1, :3].tolist() == pytest.approx([1, 2, 4])


def test_the_velocity_of_a_root_is_that_of_its_centre_of_mass(gym, make_sim, tmp_path, device):
    """A body whose centre of mass is off its frame, spinning about it: the centre stays, the frame circles."""
    (tmp_path / "off.urdf").write_text(
        '<robot name="off"><link name="a"><inertial><origin xyz="0.5 0 0"/><mass value="1"/>'
        '<inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link></robot>'
    )
    sim = make_sim(ground=False, gravity=gymapi.Vec3())
    options = gymapi.AssetOptions()
    options.angular_damping = 0.0
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    gym.create_actor(env, gym.load_asset(sim, str(tmp_path), "off.urdf", options), gymapi.Transform())
    root = wrap_tensor(gym.acquire_actor_root_state_tensor(sim))
    root[0, 12] = 2.0
    gym.set_actor_root_state_tensor(sim, unwrap_tensor(root))
    for _ in range(50):
        gym.simulate(sim)
    gym.refresh_actor_root_state_tensor(sim)
    angle = 2.0 * 0.5
    expected = [0.5 - 0.5 * np.cos(angle), -0.5 * np.sin(angle), 0.0]
    assert root[0, :3].tolist() == pytest.approx(expected, abs=1e-3)
    assert root[0, 7:10].tolist() == pytest.approx([0, 0, 0], abs=1e-4)


def test_body_states_are_read_only(gym, make_scene, errors):
    scene = make_scene("ball", envs=1)
    body = tensor(scene, "rigid_body_state")
    assert gym.set_rigid_body_state_tensor(scene.sim, unwrap_tensor(body)) is False
    assert "read-only" in errors()[0]


# ---- targets and forces ------------------------------------------------------------------------------------


def test_targets_whole_and_indexed(gym, make_scene, device):
    scene = make_scene("arm", envs=3, gravity=gymapi.Vec3())
    drives(scene, gymapi.DOF_MODE_POS, 400.0, 60.0)
    ones = torch.full((3, 2), 0.2, device=device)
    assert put(scene, "set_dof_position_target_tensor", ones)
    assert put(scene, "set_dof_position_target_tensor_indexed", -0.5 * ones, [1])
    step(scene, 150)  # targets last
    angles = tensor(scene, "dof_state").view(3, 2, 2)[..., 0]
    assert angles[:, 0].tolist() == pytest.approx([0.2, -0.1, 0.2], abs=5e-3)
    assert gym.get_actor_dof_position_targets(scene.envs[1], 0).tolist() == pytest.approx([-0.1, -0.1])


def test_velocity_targets(gym, make_scene, device):
    scene = make_scene("arm", envs=2, gravity=gymapi.Vec3())
    drives(scene, gymapi.DOF_MODE_VEL, 0.0, 500.0)
    speeds = torch.tensor([0.4, 0.0, 0.4, 0.0], device=device)
    assert put(scene, "set_dof_velocity_target_tensor", speeds)
    assert put(scene, "set_dof_velocity_target_tensor_indexed", -speeds, [1])
    step(scene, 20)
    assert tensor(scene, "dof_state")[::2, 1].tolist() == pytest.approx([0.4, -0.4], abs=5e-3)
    assert gym.get_actor_dof_velocity_targets(scene.envs[1], 0).tolist() == pytest.approx([-0.4, 0])


def test_forces_whole_and_indexed_last_until_set_again(make_scene, device):
    """A slide of 1.5 kg at zero angle, 1.5 N: 1 m/s^2."""
    scene = make_scene("arm", envs=2, gravity=gymapi.Vec3())
    drives(scene, gymapi.DOF_MODE_EFFORT)
    forces = torch.tensor([[0.0, 1.5], [0.0, 1.5]], device=device)
    assert put(scene, "set_dof_actuation_force_tensor", forces)
    assert put(scene, "set_dof_actuation_force_tensor_indexed", -forces / 2, [1])
    step(scene, 10)
    assert tensor(scene, "dof_state")[1::2, 1].tolist() == pytest.approx([0.1, -0.05], rel=1e-3)


def test_dof_forces_show_when_enabled(gym, make_scene, device):
    scene = make_scene("arm", prepare=False)
    drives(scene, gymapi.DOF_MODE_EFFORT)
    assert gym.enable_actor_dof_force_sensors(scene.envs[1], 0)
    put(scene, "set_dof_actuation_force_tensor", torch.tensor([0.0, 3.0] * 2, device=device))
    step(scene)
    forces = tensor(scene, "dof_force")
    assert forces[:2].tolist() == [0, 0]
    assert forces[3].item() == pytest.approx(3.0, rel=1e-4)
    assert gym.get_actor_dof_forces(scene.envs[1], 0).tolist() == pytest.approx(forces[2:].tolist())


# ---- forces on bodies --------------------------------------------------------------------------------------


def free_balls(make_scene, envs=2):
    return make_scene("ball", envs=envs, ground=False, gravity=gymapi.Vec3())


def test_body_forces_act_for_one_step(gym, make_scene, device):
    scene = free_balls(make_scene)
    mass = gym.get_actor_rigid_body_properties(scene.envs[0], 0)[0].mass
    force = torch.tensor([[mass, 0.0, 0.0], [0.0, 0.0, 2 * mass]], device=device)
    assert gym.apply_rigid_body_force_tensors(scene.sim, unwrap_tensor(force), None, gymapi.ENV_SPACE)
    step(scene, 3)
    root = tensor(scene, "actor_root_state")
    assert root[:, 7:10].tolist() == [pytest.approx([0.01, 0, 0]), pytest.approx([0, 0, 0.02])]


def test_torques_and_local_space(gym, make_scene, device):
    scene = free_balls(make_scene)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 3:7] = torch.tensor([0.0, 0.0, 0.5**0.5, 0.5**0.5])  # 90 degrees about z: local x is global y
    put(scene, "set_actor_root_state_tensor", root)
    (props,) = gym.get_actor_rigid_body_properties(scene.envs[0], 0)
    force = torch.tensor([[props.mass, 0.0, 0.0]] * 2, device=device)
    torque = torch.tensor([[props.inertia.x.x, 0.0, 0.0]] * 2, device=device)
    assert gym.apply_rigid_body_force_tensors(
        sim=scene.sim, forceTensor=unwrap_tensor(force), torqueTensor=unwrap_tensor(torque), space=gymapi.LOCAL_SPACE
    )
    step(scene)
    root = tensor(scene, "actor_root_state")
    assert root[0, 7:10].tolist() == pytest.approx([0, 0.01, 0], abs=1e-6)
    assert root[0, 10:13].tolist() == pytest.approx([0, 0.01, 0], abs=1e-6)


@pytest.mark.parametrize("space", [gymapi.ENV_SPACE, gymapi.GLOBAL_SPACE, gymapi.LOCAL_SPACE])
def test_forces_at_positions_turn_bodies(gym, make_scene, device, space):
    """1 N along x at 0.1 m above the centre: a torque of 0.1 N m about y, wherever the env stands."""
    scene = free_balls(make_scene)
    (props,) = gym.get_actor_rigid_body_properties(scene.envs[0], 0)
    origins = [gym.get_env_origin(env) for env in scene.envs]
    centres = torch.tensor([[o.x, o.y, o.z + 1.0] for o in origins], device=device)
    if space == gymapi.ENV_SPACE:
        centres = torch.tensor([[0.0, 0.0, 1.0]] * 2, device=device)
    if space == gymapi.LOCAL_SPACE:
        centres = torch.zeros(2, 3, device=device)
    at = centres + torch.tensor([0.0, 0.0, 0.1], device=device)
    force = torch.tensor([[1.0, 0.0, 0.0]] * 2, device=device)
    assert gym.apply_rigid_body_force_at_pos_tensors(scene.sim, unwrap_tensor(force), unwrap_tensor(at), space)
    step(scene)
    root = tensor(scene, "actor_root_state")
    for row in root:
        assert row[7:10].tolist() == pytest.approx([0.01 / props.mass, 0, 0], rel=1e-4)
        assert row[10:13].tolist() == pytest.approx([0, 0.001 / props.inertia.x.x, 0], rel=1e-4)


def test_forces_without_positions_act_at_the_centre(gym, make_scene, device):
    scene = free_balls(make_scene, 1)
    force = torch.tensor([[1.0, 0.0, 0.0]], device=device)
    assert gym.apply_rigid_body_force_at_pos_tensors(scene.sim, unwrap_tensor(force))
    step(scene)
    assert tensor(scene, "actor_root_state")[0, 10:13].tolist() == [0, 0, 0]


# ---- sensors, contacts, Jacobians --------------------------------------------------------------------------


def test_force_sensors(gym, make_sim, device):
    """A ball at rest: gravity and the ground cancel; without forward dynamics the ground alone is left."""
    sim = make_sim()
    ball = gym.create_sphere(sim, 0.1)
    constraint = gymapi.ForceSensorProperties()
    constraint.enable_forward_dynamics_forces = False
    world = gymapi.ForceSensorProperties()
    world.enable_forward_dynamics_forces, world.use_world_frame = False, True
    tilted = gymapi.Transform(r=gymapi.Quat.from_axis_angle(gymapi.Vec3(1, 0, 0), np.pi / 2))
    for props, pose in ((None, gymapi.Transform()), (constraint, tilted), (world, tilted)):
        gym.create_asset_force_sensor(ball, 0, pose, *([] if props is None else [props]))
    env = gym.create_env(sim, gymapi.Vec3(), gymapi.Vec3(), 1)
    actor = gym.create_actor(env, ball, gymapi.Transform(gymapi.Vec3(0, 0, 0.1)), "ball", 0, 1)
    assert gym.get_sim_force_sensor_count(sim) == gym.get_actor_force_sensor_count(env, actor) == 3
    sensors = wrap_tensor(gym.acquire_force_sensor_tensor(sim))
    assert sensors.view(1, 18).tolist() == [[0] * 18]  # before the first step
    for _ in range(60):
        gym.simulate(sim)
    gym.refresh_force_sensor_tensor(sim)
    weight = gym.get_actor_rigid_body_properties(env, actor)[0].mass * 9.81
    close = 1e-3 * weight
    assert sensors[0, :3].tolist() == pytest.approx([0, 0, 0], abs=close)
    assert sensors[1, :3].tolist() == pytest.approx([0, weight, 0], abs=close)
    assert sensors[2, :3].tolist() == pytest.approx([0, 0, weight], abs=close)
    sensor = gym.get_actor_force_sensor(env, actor, 2)
    assert sensor.get_global_index() == 2
    assert sensor.get_forces().force.z == pytest.approx(weight, rel=1e-3)
    assert gym.get_actor_force_sensor(env, actor, 3) is None


@pytest.mark.parametrize("collection", [0, 1, 2])
def test_contact_forces_by_collection(gym, make_scene, collection):
    physx = gymapi.PhysXParams()
    physx.contact_collection, physx.rest_offset = collection, 0.0
    scene = make_scene("ball", envs=1, prepare=False)
    params = gym.get_sim_params(scene.sim)
    params.physx.contact_collection = gymapi.ContactCollection(collection)
    gym.set_sim_params(scene.sim, params)
    root = tensor(scene, "actor_root_state").clone()
    root[:, 2] = 0.1
    put(scene, "set_actor_root_state_tensor", root)
    step(scene, 50)
    weight = gym.get_actor_rigid_body_properties(scene.envs[0], 0)[0].mass * 9.81
    expected = 0.0 if collection == 0 else weight
    assert tensor(scene, "net_contact_force")[0].tolist() == pytest.approx([0, 0, expected], rel=1e-3, abs=1e-2)
    (classic,) = gym.get_env_rigid_contact_forces(scene.envs[0])
    assert classic["z"] == pytest.approx(expected, rel=1e-3)
    assert gym.get_rigid_contact_forces(scene.sim)["z"][0] == classic["z"]
    assert gym.get_vec_env_rigid_contact_forces(scene.envs)["z"].tolist() == [classic["z"]]


def test_jacobians_give_velocities_and_mass_matrices_energy(gym, make_scene, device):
    scene = make_scene("arm", ground=False)
    jacobian = wrap_tensor(gym.acquire_jacobian_tensor(scene.sim, "arm"))
    inertia = wrap_tensor(gym.acquire_mass_matrix_tensor(scene.sim, "arm"))
    dofs = torch.tensor([[0.5, 1.0], [0.1, -0.3], [-0.2, 0.5], [0.2, 0.7]], device=device)
    put(scene, "set_dof_state_tensor", dofs)
    assert gym.refresh_jacobian_tensors(scene.sim)
    assert gym.refresh_mass_matrix_tensors(scene.sim)
    rates = dofs.view(2, 2, 2)[..., 1]
    body = tensor(scene, "rigid_body_state").view(2, 4, 13)
    velocities = torch.einsum("eljd,ed->elj", jacobian, rates)
    torch.testing.assert_close(velocities, body[:, 1:, 7:13], atol=1e-5, rtol=1e-4)
    mass = torch.tensor([2.0, 1.0, 0.5], device=device)
    spin = torch.tensor([0.02, 0.01, 0.01], device=device)  # all turn about y
    kinetic = (0.5 * mass * body[:, 1:, 7:10].square().sum(-1) + 0.5 * spin * body[:, 1:, 11].square()).sum(-1)
    energy = 0.5 * torch.einsum("ei,eij,ej->e", rates, inertia, rates)
    torch.testing.assert_close(energy, kinetic, rtol=1e-4, atol=1e-6)


# ---- what fails --------------------------------------------------------------------------------------------


def test_wrong_tensors_give_false_and_a_reason(gym, make_scene, device, errors):
    scene = make_scene("arm", "ball")
    root, dofs = tensor(scene, "actor_root_state"), tensor(scene, "dof_state")
    rows = torch.zeros(1, dtype=torch.int32, device=device)
    cases = [
        (lambda: gym.set_actor_root_state_tensor(scene.sim, unwrap_tensor(root[:1])), "52 values, shape (4, 13)"),
        (lambda: gym.set_dof_state_tensor(scene.sim, unwrap_tensor(dofs[:, 0].contiguous())), "expected 8 values"),
        (lambda: gym.set_dof_state_tensor(scene.sim, unwrap_tensor(rows)), "expected a float32 tensor"),
        (
            lambda: gym.set_dof_state_tensor_indexed(scene.sim, unwrap_tensor(dofs), unwrap_tensor(rows.long()), 1),
            "expected an int32 tensor",
        ),
        (
            lambda: gym.set_dof_state_tensor_indexed(scene.sim, unwrap_tensor(dofs), unwrap_tensor(rows), 2),
            "expected a count of 0 to 1, the length of the index tensor, got 2",
        ),
        (lambda: gym.apply_rigid_body_force_tensors(scene.sim, unwrap_tensor(root)), "expected"),
        (lambda: gym.set_dof_position_target_tensor(scene.sim, unwrap_tensor(root)), "expected 4 values"),
    ]
    for call, text in cases:
        assert call() is False
        assert text in errors()[0]


def test_indices_out_of_range(gym, make_scene, device, errors):
    if device != "cpu":
        pytest.skip("on CUDA wrong indices are skipped and reported later: checking them costs a host sync")
    scene = make_scene("ball")
    root = tensor(scene, "actor_root_state").clone()
    for bad in (2, -1):
        assert put(scene, "set_actor_root_state_tensor_indexed", root, [bad]) is False
        assert str(bad) in errors()[0]


@pytest.mark.gpu
def test_a_tensor_of_another_device(gym, make_scene, device, errors):
    scene = make_scene("ball")
    other = "cuda:0" if device == "cpu" else "cpu"
    root = tensor(scene, "actor_root_state").to(other)
    assert gym.set_actor_root_state_tensor(scene.sim, unwrap_tensor(root)) is False
    assert other.partition(":")[0] in errors()[0]


def test_a_torch_tensor_instead_of_a_descriptor(gym, make_scene):
    scene = make_scene("ball")
    root = tensor(scene, "actor_root_state")
    with pytest.raises(TypeError, match=r"expected a gymapi\.Tensor, got Tensor; use gymtorch\.unwrap_tensor"):
        gym.set_actor_root_state_tensor(scene.sim, root)


@pytest.mark.parametrize("kind", ["state", "target", "force", "overflow"])
def test_trouble_stays_in_its_env_and_is_told(gym, make_scene, device, kind):
    """The middle one of three arms gets a NaN, which no setter takes, or a speed that overflows in the step."""
    bad, said = float("nan"), "were not finite"
    if kind == "overflow":
        bad, said = 1e30, "env"
    ends = []
    for poison in (False, True):
        scene = make_scene("arm", envs=3)
        drives(scene, gymapi.DOF_MODE_EFFORT if kind == "force" else gymapi.DOF_MODE_POS, 10.0, 1.0)
        dofs, values = tensor(scene, "dof_state").clone(), torch.zeros(6, device=device)
        if poison and kind in ("state", "overflow"):
            dofs[2, 1] = bad
        elif poison:
            values[2] = bad
        put(scene, "set_dof_state_tensor", dofs)
        put(scene, "set_dof_actuation_force_tensor" if kind == "force" else "set_dof_position_target_tensor", values)
        for _ in range(5):
            gym.simulate(scene.sim)
        if poison:
            with pytest.warns(UserWarning, match=said):
                gym.fetch_results(scene.sim, True)
        end = tensor(scene, "dof_state").clone()
        assert torch.isfinite(end).all()
        ends.append(end[[0, 1, 4, 5]])
        if poison:  # and it recovers when reset
            put(scene, "set_dof_state_tensor_indexed", torch.full_like(end, 0.1), [1])
            step(scene, 2)
            assert 0.1 < tensor(scene, "dof_state")[2, 0].item() < 0.2
    assert torch.equal(ends[0], ends[1])


def test_unknown_actor_names_for_jacobians(gym, make_scene, errors):
    scene = make_scene("ball")
    assert gym.acquire_jacobian_tensor(scene.sim, "nobody") is None
    assert gym.acquire_mass_matrix_tensor(scene.sim, "nobody") is None
    assert all("nobody" in text for text in errors())


# ---- gymtorch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(torch.float32, gymapi.DTYPE_FLOAT32), (torch.int32, gymapi.DTYPE_UINT32), (torch.int64, gymapi.DTYPE_UINT64),
     (torch.uint8, gymapi.DTYPE_UINT8), (torch.int16, gymapi.DTYPE_INT16)],
)  # fmt: skip
def test_round_trip_of_descriptors(device, dtype, kind):
    x = torch.arange(6, device=device).to(dtype).view(2, 3)
    d = unwrap_tensor(x)
    index = int(device.partition(":")[2] or 0) if device != "cpu" else -1
    assert (d.shape, d.ndim, d.dtype, d.device, d.data_address) == ((2, 3), 2, kind, index, x.data_ptr())
    assert type(d.data_ptr).__name__ == "PyCapsule"
    back = wrap_tensor(d)
    back[0, 0] = 5
    assert x[0, 0].item() == 5
    assert (back.dtype, back.device) == (x.dtype, x.device)


def test_blocks_of_a_tensor(device):
    d = unwrap_tensor(torch.arange(12.0, device=device).view(3, 4))
    assert wrap_tensor(d, offsets=(1, 1), counts=(2, 2)).tolist() == [[5, 6], [9, 10]]
    assert wrap_tensor(d, offsets=(2, 2)).tolist() == [[10, 11]]
    for offsets, counts in (((0, 0), (4, 4)), ((0,), (1,)), ((-1, 0), (1, 1))):
        with pytest.raises(ValueError, match=r"expected offsets and counts, 2 of each, of a block inside shape"):
            wrap_tensor(d, offsets, counts)


def test_gradients_are_left_behind(device):
    x = torch.ones(3, device=device, requires_grad=True)
    assert not wrap_tensor(unwrap_tensor(x * 2)).requires_grad


def test_what_cannot_be_wrapped(device):
    with pytest.raises(TypeError, match="got Tensor; it is a torch tensor already"):
        wrap_tensor(torch.zeros(2))
    with pytest.raises(TypeError, match=r"expected a torch\.Tensor, got ndarray"):
        unwrap_tensor(np.zeros(2))
    with pytest.raises(TypeError, match=r"got torch\.float64; use \.float\(\)"):
        unwrap_tensor(torch.zeros(2, dtype=torch.float64, device=device))
    with pytest.raises(ValueError, match=r"expected a contiguous tensor.*use \.contiguous\(\)"):
        unwrap_tensor(torch.zeros(2, 3, device=device).T)


def test_a_descriptor_filled_in_by_hand():
    array = np.arange(4, dtype=np.float32)
    d = gymapi.Tensor()
    d.shape, d.data_address = (4,), array.ctypes.data
    assert wrap_tensor(d).tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="expected a descriptor of an acquire call"):
        wrap_tensor(gymapi.Tensor())


def test_star_import_gives_the_two():
    names: dict = {}
    exec("from isaacgym.gymtorch import *", names)
    assert names["wrap_tensor"] is gymtorch.wrap_tensor
    assert names["unwrap_tensor"] is gymtorch.unwrap_tensor
