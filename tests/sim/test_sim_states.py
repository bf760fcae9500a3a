"""Saving, restoring, copying whole states."""

import pytest
import torch
from test_sim_tensors import mixed
from toys import walker

from kilogym.sim import Simulation
from kilogym.sim.saved import SavedState

pytestmark = pytest.mark.usefixtures("fake_engine")


def run(sim, steps):
    for _ in range(steps):
        sim.step()
    sim.refresh_root_states()
    sim.refresh_dof_states()
    return torch.cat([sim.root_states.flatten(), sim.dof_states.flatten()]).clone()


def moving():
    sim = mixed()
    sim.set_dof_states(torch.rand(8, 2, generator=torch.Generator().manual_seed(1)))
    sim.set_actuation_forces(torch.arange(8.0))
    forces = torch.zeros(16, 3)
    forces[0] = 1
    sim.apply_body_forces(forces)
    return sim


def test_restore_goes_on_with_equal_bits():
    sim = moving()
    saved = sim.save()
    first = run(sim, 3)
    sim.set_actuation_forces(torch.zeros(8))
    sim.restore(saved)
    assert (sim.time, sim.frame_count) == (0, 0)
    assert torch.equal(run(sim, 3), first)


def test_a_state_survives_as_plain_tensors_and_fits_another_simulation(tmp_path):
    sim = moving()
    sim.step()
    torch.save(sim.save().tensors(), tmp_path / "state.pt")
    expected = run(sim, 2)
    other = mixed()
    other.restore(SavedState.from_tensors(torch.load(tmp_path / "state.pt", weights_only=True)))
    assert other.frame_count == 1
    assert torch.equal(run(other, 2), expected)
    assert other.batches[0].warm_start.tolist() == sim.batches[0].warm_start.tolist()


def test_a_state_of_another_scene_is_refused():
    other = Simulation()
    other.create_env()
    other.create_actor(0, walker())
    with pytest.raises(ValueError, match=r"expected the state of 2 batch\(es\), got 1"):
        mixed().restore(other.save())
    with pytest.raises(KeyError, match="expected the key 'clock'"):
        SavedState.from_tensors({})


def test_copies_between_envs():
    sim = moving()
    sim.step()
    sim.set_root_states(sim.root_states, torch.tensor([3]))  # env 3 forgets its contacts
    sim.copy_env_state(torch.tensor([0, 1]), torch.tensor([3, 4]))
    sim.refresh_dof_states()
    assert torch.equal(sim.dof_states[4:6], sim.dof_states[0:2])
    assert torch.equal(sim.dof_states[6:8], sim.dof_states[2:4])
    assert sim.get_actuation_forces()[4:].tolist() == [0, 1, 2, 3]
    assert sim.batches[0].warm_start.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match="env 0 and env 1 differ in actors or topology"):
        sim.copy_env_state(torch.tensor([0]), torch.tensor([1]))
    with pytest.raises(ValueError, match="1 sources for 2 targets"):
        sim.copy_env_state(torch.tensor([0]), torch.tensor([1, 3]))
    with pytest.raises(TypeError, match="1-D int64 env indices"):
        sim.copy_env_state(torch.tensor([0.0]), torch.tensor([1.0]))


def test_copies_in_a_simulation_of_one_batch():
    sim = Simulation()
    for env in range(3):
        sim.create_env()
        sim.create_actor(env, walker(), pos=(env, 0, 0), group=env)
    sim.prepare()
    sim.copy_env_state(torch.tensor([2, 2]), torch.tensor([0, 1]))
    sim.refresh_root_states()
    assert sim.root_states[:, 0].tolist() == [2, 2, 2]
