"""Setters: whole, indexed, masked, composed; what they refuse."""

import pytest
import torch
from test_sim_tensors import mixed

from kilogym.sim import CoordinateSpace, FaultError, FaultWarning

pytestmark = pytest.mark.usefixtures("fake_engine")


def roots_after(sim):
    sim.refresh_root_states()
    return sim.root_states.clone()


def numbered_roots():
    """Six distinguishable root states with unit quaternions."""
    roots = torch.arange(6.0)[:, None] + torch.arange(13.0) / 100
    roots[:, 3:7] = torch.tensor([0.0, 0.0, 0.6, 0.8])
    return roots


def test_whole_roots():
    sim = mixed()
    roots = numbered_roots()
    sim.set_root_states(roots.clone())
    expected = roots.clone()
    expected[[2, 5], 7:] = 0  # the arms' bases do not move
    assert torch.equal(roots_after(sim), expected)


@pytest.mark.parametrize("how", ["int32", "int64", "mask"])
def test_some_roots(how):
    sim = mixed()
    before = sim.root_states.clone()
    chosen = torch.tensor([4, 1, 4], dtype=torch.int64 if how == "int64" else torch.int32)
    if how == "mask":
        mask = torch.zeros(6, dtype=torch.bool)
        mask[[1, 4]] = True
        sim.set_root_states(numbered_roots(), mask=mask)
    else:
        sim.set_root_states(numbered_roots(), chosen)
    after = roots_after(sim)
    assert torch.equal(after[[1, 4]], numbered_roots()[[1, 4]])
    assert torch.equal(after[[0, 2, 3, 5]], before[[0, 2, 3, 5]])


def test_no_actors_change_nothing():
    sim = mixed()
    before = sim.root_states.clone()
    sim.set_root_states(numbered_roots(), torch.zeros(0, dtype=torch.int32))
    assert torch.equal(roots_after(sim), before)


def test_setters_compose_in_the_order_of_the_calls():
    sim = mixed()
    a, b = numbered_roots(), numbered_roots()
    b[:, 0] += 50
    sim.set_root_states(a)
    sim.set_root_states(b, torch.tensor([0, 3]))
    sim.set_root_states(a, torch.tensor([3]))
    assert roots_after(sim)[:, 0].tolist() == [50, 1, 2, 3, 4, 5]


def test_quaternions_are_normalised_only_where_they_need_it():
    sim = mixed()
    roots = numbered_roots()
    roots[0, 3:7] *= 2
    roots[1, 3:7] *= 1 + 1e-7
    sim.set_root_states(roots)
    after = roots_after(sim)
    assert after[0, 3:7].tolist() == pytest.approx([0, 0, 0.6, 0.8])
    assert torch.equal(after[1, 3:7], roots[1, 3:7])


def test_dofs_by_actor_leave_the_others_alone():
    sim = mixed()
    values = torch.arange(16.0).view(8, 2)
    # actors without DOFs may be named too
    sim.set_dof_states(values, torch.tensor([1, 2], dtype=torch.int32))
    sim.refresh_dof_states()
    assert torch.equal(sim.dof_states[2:4], values[2:4])
    assert (sim.dof_states[[0, 1, 4, 5, 6, 7]] == 0).all()


def test_targets_take_any_shape_and_persist():
    sim = mixed()
    sim.set_position_targets(torch.arange(8.0).view(2, 4))
    sim.set_velocity_targets(-torch.arange(8.0))
    sim.set_position_targets(torch.full((8,), 9.0), torch.tensor([5]))
    sim.step()
    assert sim.get_position_targets().tolist() == [0, 1, 2, 3, 4, 5, 9, 9]
    assert sim.get_velocity_targets().tolist() == [-float(i) for i in range(8)]


@pytest.mark.parametrize(("persistent", "expected"), [(True, 0.75), (False, 0.5)])
def test_efforts_persist_unless_told_otherwise(persistent, expected):
    sim = mixed(persistent_efforts=persistent)
    sim.set_actuation_forces(torch.ones(8))
    sim.step()
    sim.step()
    sim.refresh_dof_states()
    # velocities 0.5, then 1 or 0.5; dt 0.5
    assert sim.dof_states[0, 0] == expected


def test_setting_forgets_the_contacts_of_those_written_only():
    sim = mixed()
    sim.step()
    sim.set_root_states(numbered_roots(), torch.tensor([4]))  # the ball of env 3
    sim.set_dof_states(torch.zeros(8, 2), torch.tensor([2]))  # the arm of env 1
    assert sim.batches[0].warm_start.tolist() == [[1, 1], [1, 0]]
    assert sim.batches[1].warm_start.tolist() == [[0, 1]]


def test_body_forces_act_for_one_step():
    sim = mixed()
    forces, torques = torch.zeros(16, 3), torch.zeros(16, 3)
    forces[sim.body_index(3, 1, 0)] = torch.tensor([2.0, 0, 0])
    torques[sim.body_index(0, 0, 0)] = torch.tensor([0, 4.0, 0])
    sim.apply_body_forces(forces, torques)
    sim.apply_body_forces(forces)  # adds
    sim.step()
    sim.step()
    after = roots_after(sim)
    assert after[4, 7:10].tolist() == [2.0, 0, 0]
    assert after[0, 10:13].tolist() == [0, 2.0, 0]
    assert after[[1, 2, 3, 5], 7:].abs().sum() == 0


def turned(sim):
    """The walker of env 3 turned by a quarter about z; its torso's com is 1 cm along its x, now y."""
    roots = sim.root_states.clone()
    roots[3, 3:7] = torch.tensor([0.0, 0.0, 0.5**0.5, 0.5**0.5])
    sim.set_root_states(roots)
    return sim.body_index(3, 0, 0)


@pytest.mark.parametrize(
    ("space", "force", "position"),
    [
        (CoordinateSpace.ENV, (0, 0, 1), (3, 1.01, 1)),
        (CoordinateSpace.GLOBAL, (0, 0, 1), (5, 3.01, 1)),
        (CoordinateSpace.LOCAL, (0, 0, 1), (1.01, 0, 0)),
    ],
)
def test_forces_at_positions(space, force, position):
    sim = mixed()
    torso = turned(sim)
    forces, positions = torch.zeros(16, 3), torch.zeros(16, 3)
    forces[torso], positions[torso] = torch.tensor(force), torch.tensor(position)
    sim.apply_body_forces_at(forces, positions, space)
    batch = sim.batches[0]
    # the arm is one metre along the torso's x, which is the env's y
    assert batch.input["link_force"][:3, 1].tolist() == pytest.approx([0, 0, 1])
    assert batch.input["link_torque"][:3, 1].tolist() == pytest.approx([1, 0, 0], abs=1e-6)
    assert batch.input["link_torque"][:, 0].abs().sum() == 0


def test_local_forces_turn_with_the_body():
    sim = mixed()
    torso = turned(sim)
    forces = torch.zeros(16, 3)
    forces[torso, 0] = 1
    sim.apply_body_forces(forces, 2 * forces, CoordinateSpace.LOCAL)
    sim.apply_body_forces_at(forces, None, CoordinateSpace.LOCAL)
    batch = sim.batches[0]
    assert batch.input["link_force"][:3, 1].tolist() == pytest.approx([0, 2, 0], abs=1e-6)
    assert batch.input["link_torque"][:3, 1].tolist() == pytest.approx([0, 2, 0], abs=1e-6)


def test_a_diverged_env_runs_again_once_set():
    sim = mixed(faults="ignore")
    sim.batches[0].fault[1] = 1
    sim.batches[1].fault[0] = 1 | 4
    assert sim.env_faults().tolist() == [0, 5, 0, 1, 0]
    assert sim.check_faults().diverged == [1, 3]
    sim.set_root_states(numbered_roots(), torch.tensor([4]))
    sim.set_dof_states(torch.zeros(8, 2), torch.tensor([2]))
    assert sim.env_faults().tolist() == [0, 4, 0, 0, 0]


def test_values_that_are_not_finite_are_not_written():
    sim = mixed()
    roots, dofs = numbered_roots(), torch.ones(8, 2)
    roots[1, 8] = float("nan")
    roots[3, 3:7] = 0
    dofs[2, 1] = float("inf")
    before = sim.root_states.clone()
    sim.set_root_states(roots)
    sim.set_dof_states(dofs)
    sim.set_actuation_forces(torch.full((8,), float("nan")))
    after = roots_after(sim)
    assert torch.equal(after[[1, 3]], before[[1, 3]])
    assert torch.equal(after[[0, 4]], roots[[0, 4]])
    sim.refresh_dof_states()
    assert torch.isfinite(sim.dof_states).all()
    with pytest.warns(FaultWarning, match=r"11 row\(s\) given to setters were not finite"):
        sim.check_faults()


def test_faults_are_reported_once():
    sim = mixed(faults="raise")
    sim.batches[0].fault[0] = 2
    sim.batches[0].contact_overflow[0] = 7
    with pytest.raises(FaultError, match=r"1 env\(s\) had contacts dropped: 0; .*by at least 7"):
        sim.check_faults()
    assert sim.check_faults().overflowed == [0]


def test_wrong_arguments_are_refused():
    sim = mixed()
    good = torch.zeros(6, 13)
    with pytest.raises(ValueError, match=r"set_root_states: expected 78 values, shape \(6, 13\).*got 13"):
        sim.set_root_states(torch.zeros(1, 13))
    with pytest.raises(TypeError, match=r"expected torch.float32, got torch.float64; use .float"):
        sim.set_root_states(good.double())
    with pytest.raises(TypeError, match="expected a torch tensor, got list"):
        sim.set_dof_states([0.0] * 16)
    with pytest.raises(ValueError, match="expected a tensor on cpu, got one on meta"):
        sim.set_root_states(good.to("meta"))
    with pytest.raises(IndexError, match=r"actor indices in 0..5, got 6; they are rows of root_states"):
        sim.set_root_states(good, torch.tensor([0, 6]))
    with pytest.raises(TypeError, match=r"int32 or torch\.int64 actor indices, got torch.float32"):
        sim.set_root_states(good, torch.tensor([0.0]))
    with pytest.raises(ValueError, match=r"1-D tensor of actor indices, got shape \(1, 1\)"):
        sim.set_root_states(good, torch.tensor([[0]]))
    with pytest.raises(TypeError, match=r"mask: expected torch\.bool"):
        sim.set_root_states(good, mask=torch.zeros(6))
    with pytest.raises(ValueError, match=r"mask: expected shape \(6,\)"):
        sim.set_root_states(good, mask=torch.zeros(5, dtype=torch.bool))
    with pytest.raises(ValueError, match="expected actors or mask, got both"):
        sim.set_root_states(good, torch.tensor([0]), torch.zeros(6, dtype=torch.bool))
    with pytest.raises(ValueError, match="apply_body_forces_at, positions: expected 48 values"):
        sim.apply_body_forces_at(torch.zeros(16, 3), torch.zeros(3))
