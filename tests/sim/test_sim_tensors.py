"""Order, shapes and copies, with batches whose arrays are known."""

import pytest
import torch
from toys import arm, ball, walker

from kilogym.sim import Simulation, SimulationError, SimulationParams

pytestmark = pytest.mark.usefixtures("fake_engine")


def mixed(device="cpu", **params) -> Simulation:
    """Four envs of two topologies, interleaved: walker + ball, arm, nothing, walker + ball, arm."""
    sim = Simulation(SimulationParams(dt=0.5, substeps=1, **params), device)
    sim.add_ground()
    two, one = (walker(), ball()), (arm(),)
    for index, assets in enumerate([two, one, (), two, one]):
        env = sim.create_env((-1, -1, 0), (1, 1, 2), 2)
        for k, asset in enumerate(assets):
            sim.create_actor(env, asset, pos=(index, k, 1.0), group=index, filter=1)
    return sim


def test_counts_and_indices_before_and_after_prepare():
    sim = mixed()
    for _ in range(2):
        counts = sim.num_envs, sim.num_actors, sim.num_bodies, sim.num_dofs, sim.num_sensors, sim.num_joints
        assert counts == (5, 6, 16, 8, 6, 10)
        assert [sim.actor_index(3, 1), sim.actor_index(4, 0)] == [4, 5]
        assert sim.body_index(1, 0, "hand") == 4 + 2
        assert sim.body_index(3, 1, 0) == 4 + 4 + 3
        assert sim.dof_index(4, 0, "slide") == 2 + 2 + 2 + 1
        assert sim.sensor_index(3, 0, 1) == 2 + 1 + 1
        assert sim.find_actor(0, "ball") == 1
        assert sim.find_actor(0, "cat") == -1
        sim.prepare()
    assert sim.env_batch.tolist() == [0, 1, -1, 0, 1]
    assert sim.env_column.tolist() == [0, 0, -1, 1, 1]
    assert sim.env_origins[3].tolist() == [2, 2, 0]


def test_actors_added_out_of_env_order():
    sim = Simulation()
    envs = [sim.create_env() for _ in range(3)]
    assert sim.num_actors == 0
    for env in reversed(envs):
        sim.create_actor(env, ball(), pos=(env, 0, 0), group=env)
    assert sim.actor_index(2, 0) == 2
    assert sim.root_states[:, 0].tolist() == [0, 1, 2]


def test_names_that_do_not_exist():
    sim = mixed()
    with pytest.raises(KeyError, match="no body 'nose'; it has torso, left, right"):
        sim.body_index(0, 0, "nose")
    with pytest.raises(IndexError, match="DOF 2 of actor 'walker': expected 0 <= index < 2"):
        sim.dof_index(0, 0, 2)


def test_creation_poses_are_there_before_any_step():
    sim = mixed()
    roots = sim.root_states
    assert roots.shape == (6, 13)
    assert roots[:, 0].tolist() == [0, 0, 1, 3, 3, 4]
    assert roots[:, 1].tolist() == [0, 1, 0, 0, 1, 0]
    assert (roots[:, 6] == 1).all()
    assert sim.body_states[sim.body_index(4, 0, "hand"), :3].tolist() == pytest.approx([4, 0, 1.9])


def test_tensors_are_allocated_once_and_written_in_place():
    sim = mixed()
    names = ["root_states", "dof_states", "body_states", "contact_forces", "dof_forces", "force_sensors"]
    before = [getattr(sim, name) for name in names]
    pointers = [t.data_ptr() for t in before]
    sim.set_dof_states(torch.ones(8, 2))
    sim.step()
    assert (sim.dof_states == 0).all()
    sim.refresh_all()
    assert [getattr(sim, name).data_ptr() for name in names] == pointers
    assert before[1][:, 0].tolist() == [1.5] * 8
    assert [tuple(t.shape) for t in before] == [(6, 13), (8, 2), (16, 13), (16, 3), (8,), (6, 6)]


def test_outputs_come_in_sim_order():
    sim = mixed()
    sim.enable_dof_force_sensors(1, 0)
    sim.step()
    sim.enable_dof_force_sensors(3, 0)
    sim.refresh_all()
    # rows count components; env columns count thousands
    first = sim.contact_forces[:, 0].tolist()
    assert first == [0, 3, 6, 9, 0, 3, 6, 9, 1000, 1003, 1006, 1009, 1000, 1003, 1006, 1009]
    assert sim.dof_forces.tolist() == [0, 0, 0, 1, 1000, 1001, 0, 0]
    assert sim.force_sensors[:, 5].tolist() == [5, 11, 5, 1005, 1011, 1005]


def test_body_states_are_fresh_right_after_a_write():
    sim = mixed()
    dofs = sim.dof_states.clone()
    dofs[sim.dof_index(4, 0, "slide"), 0] = 0.25
    sim.set_dof_states(dofs, torch.tensor([sim.actor_index(4, 0)]))
    sim.refresh_body_states()
    assert sim.body_states[sim.body_index(4, 0, "hand"), 2] == pytest.approx(2.15)
    assert sim.body_states[sim.body_index(1, 0, "hand"), 2] == pytest.approx(1.9)


def test_one_batch_writes_body_states_without_a_copy():
    sim = Simulation()
    for env in range(3):
        sim.create_env()
        sim.create_actor(env, walker(), pos=(0, 0, env), group=env)
        sim.create_actor(env, arm(), pos=(1, 0, env), group=env)
    sim.prepare()
    sim.refresh_body_states()
    assert sim.body_states[sim.body_index(2, 1, "upper"), :3].tolist() == pytest.approx([1, 0, 2.5])


def test_jacobians_by_name():
    sim = mixed()
    tall = sim.jacobian("arm")
    assert tall.shape == (2, 3, 6, 2)
    assert sim.jacobian("walker").shape == (2, 3, 6, 8)
    assert sim.jacobian("arm") is tall
    assert sim.mass_matrix("ball").shape == (2, 6, 6)
    sim.refresh_jacobians()
    sim.refresh_mass_matrices()
    assert tall[:, 0, 0, 0].tolist() == [0, 1]
    assert sim.mass_matrix("ball")[:, 5, 5].tolist() == [100, 101]
    with pytest.raises(KeyError, match="no actor is called 'leg'; there are arm, ball, walker"):
        sim.jacobian("leg")


def test_jacobians_of_a_name_spread_over_batches():
    sim = Simulation()
    for env, extra in enumerate([False, True, False]):
        sim.create_env()
        if extra:
            sim.create_actor(env, ball(), group=env, filter=1)
        sim.create_actor(env, walker(), name="bot", group=env)
    j = sim.jacobian("bot")
    sim.refresh_jacobians()
    assert j[:, 0, 0, 0].tolist() == [0, 100, 1]


def test_actors_of_one_name_must_be_alike():
    sim = Simulation()
    for env, asset in enumerate([walker(), arm()]):
        sim.create_env()
        sim.create_actor(env, asset, name="bot", group=env)
    with pytest.raises(ValueError, match="'bot' differ in"):
        sim.jacobian("bot")


def test_time_and_frames():
    sim = mixed()
    for _ in range(3):
        sim.step()
    assert (sim.time, sim.frame_count) == (1.5, 3)


def test_destroyed_simulations_say_so():
    sim = mixed()
    sim.prepare()
    sim.destroy()
    sim.destroy()
    with pytest.raises(SimulationError, match="destroyed"):
        sim.step()
    with pytest.raises(SimulationError, match="destroyed"):
        sim.create_env()


def test_an_empty_scene_cannot_be_prepared():
    with pytest.raises(ValueError, match="at least one actor"):
        Simulation().prepare()


def test_side_by_side():
    a, b = mixed(), mixed()
    a.set_dof_states(torch.ones(8, 2))
    a.step()
    b.step()
    b.refresh_dof_states()
    assert (b.dof_states == 0).all()
