"""The simulation on the real engine: what a user sees end to end."""

import pytest
import torch
from toys import arm, ball, walker

from kilogym.sim import Simulation, SimulationParams

pytest.importorskip("kilogym.engine.batch")


def balls(device="cpu", envs=3, radius=0.1, **params) -> Simulation:
    """One ball per env above the ground, env i at height 1 + i."""
    sim = Simulation(SimulationParams(**{"dt": 0.01, "substeps": 2, **params}), device)
    sim.add_ground()
    asset = ball(radius, mass=2.0)
    for env in range(envs):
        sim.create_env((-1, -1, 0), (1, 1, 1), 2)
        sim.create_actor(env, asset, pos=(0, 0, 1.0 + env), group=env)
    return sim


def mixed(device="cpu") -> Simulation:
    """Walkers with a ball, and arms: two topologies, interleaved."""
    sim = Simulation(SimulationParams(dt=0.01), device)
    sim.add_ground()
    two, one = (walker(), ball()), (arm(),)
    for env in range(6):
        sim.create_env((-1, -1, 0), (1, 1, 2), 2)
        for k, asset in enumerate(one if env % 2 else two):
            sim.create_actor(env, asset, pos=(k, 0, 0.3), group=env, filter=1)
    return sim


def test_free_fall(device):
    sim = balls(device)
    for _ in range(20):
        sim.step()
    sim.refresh_root_states()
    t = sim.time
    expected = [h - 9.81 / 2 * t * t for h in (1, 2, 3)]
    assert sim.root_states[:, 2].cpu().tolist() == pytest.approx(expected, abs=1e-3)
    assert sim.root_states[:, 9].cpu().tolist() == pytest.approx([-9.81 * t] * 3, rel=1e-4)


def test_a_ball_at_rest_is_carried_by_its_weight(device):
    sim = balls(device, rest_offset=0.0)
    roots = sim.root_states.clone()
    roots[:, 2] = 0.1
    sim.set_root_states(roots)
    for _ in range(100):
        sim.step()
    sim.refresh_all()
    assert sim.contact_forces[:, 2].cpu().tolist() == pytest.approx([2 * 9.81] * 3, rel=1e-3)
    assert sim.root_states[:, 2].cpu().tolist() == pytest.approx([0.1] * 3, abs=2e-3)
    assert not sim.check_faults().diverged
    assert sim.contact_counts().tolist() == [1, 1, 1]


def test_gravity_per_body_and_at_run_time(device):
    sim = balls(device, envs=2)
    rows = sim.get_body_properties(1, 0)
    rows["flags"] = 1
    sim.set_body_properties(1, 0, rows)
    sim.set_params(SimulationParams(dt=0.01, gravity=(1.0, 0.0, 0.0)))
    sim.step()
    sim.refresh_root_states()
    assert sim.root_states[:, 7].cpu().tolist() == pytest.approx([0.01, 0])


def test_a_change_after_prepare_reaches_one_env(device):
    sim = balls(device, envs=2, gravity=(0, 0, 0))
    sim.prepare()
    rows = sim.get_body_properties(1, 0)
    rows["mass"] = 4.0
    sim.set_body_properties(1, 0, rows)
    sim.apply_body_forces(torch.tensor([[8.0, 0, 0]] * 2, device=device))
    sim.step()
    sim.step()
    sim.refresh_root_states()
    assert sim.root_states[:, 7].cpu().tolist() == pytest.approx([0.04, 0.02])


def run(sim, steps):
    generator = torch.Generator().manual_seed(0)
    rows = []
    for _ in range(steps):
        sim.set_actuation_forces(torch.randn(sim.num_dofs, generator=generator).to(sim.device))
        sim.step()
        sim.refresh_all()
        tensors = sim.root_states, sim.dof_states, sim.contact_forces, sim.force_sensors
        rows.append(torch.cat([tensor.flatten() for tensor in tensors]))
    return torch.stack(rows)


def test_a_reset_simulation_equals_a_fresh_one(device):
    sim = mixed(device)
    roots, dofs = sim.root_states.clone(), sim.dof_states.clone()
    first = run(sim, 30)
    assert torch.isfinite(first).all()
    sim.set_root_states(roots)
    sim.set_dof_states(dofs)
    assert torch.equal(run(sim, 30), first)


def test_restore_goes_on_with_equal_bits(device):
    sim = mixed(device)
    run(sim, 20)
    saved = sim.save()
    first = run(sim, 20)
    sim.restore(saved)
    assert torch.equal(run(sim, 20), first)


def test_a_copied_env_goes_on_like_its_source(device):
    sim = mixed(device)
    run(sim, 20)
    sim.copy_env_state(torch.tensor([0, 1], device=device), torch.tensor([4, 5], device=device))
    for _ in range(20):
        sim.step()
    sim.refresh_root_states()
    sim.refresh_dof_states()
    roots = sim.root_states.view(3, 3, 13)
    assert torch.equal(roots[0], roots[2])
    dofs = sim.dof_states.view(3, 4, 2)
    assert torch.equal(dofs[0], dofs[2])


def test_body_states_follow_a_write_at_once(device):
    sim = mixed(device)
    hand = sim.body_index(1, 0, "hand")
    sim.refresh_body_states()
    assert sim.body_states[hand, :3].cpu().tolist() == pytest.approx([0, 0, 1.2], abs=1e-5)
    dofs = sim.dof_states.clone()
    dofs[sim.dof_index(1, 0, "slide")] = torch.tensor([0.1, 0.5], device=device)
    sim.set_dof_states(dofs, torch.tensor([sim.actor_index(1, 0)], device=device))
    sim.refresh_body_states()
    assert sim.body_states[hand, :3].cpu().tolist() == pytest.approx([0, 0, 1.3], abs=1e-5)
    assert sim.body_states[hand, 7:10].cpu().tolist() == pytest.approx([0, 0, 0.5], abs=1e-5)


def test_a_fixed_base_moves_with_its_root_state(device):
    sim = mixed(device)
    roots = sim.root_states.clone()
    arm_row = sim.actor_index(3, 0)
    roots[arm_row, 0] = 5.0
    sim.set_root_states(roots, torch.tensor([arm_row], device=device))
    sim.step()
    sim.refresh_all()
    assert sim.root_states[arm_row, 0] == 5.0
    assert sim.body_states[sim.body_index(3, 0, "upper"), 0].item() == pytest.approx(5.0, abs=1e-5)
    assert sim.root_states[sim.actor_index(5, 0), 0] == 0.0


def test_jacobians_and_mass_matrices(device):
    sim = mixed(device)
    jacobian, mass = sim.jacobian("arm"), sim.mass_matrix("arm")
    sim.refresh_jacobians()
    sim.refresh_mass_matrices()
    assert jacobian.shape == (3, 3, 6, 2)
    # a metre per second of slide moves hand and tip up, not the upper arm
    assert jacobian[0, :, 2, 1].cpu().tolist() == pytest.approx([0, 1, 1], abs=1e-6)
    # mass of hand and tip, and armature
    assert mass[:, 1, 1].cpu().tolist() == pytest.approx([0.61] * 3, rel=1e-5)
    walker_mass = sim.mass_matrix("walker")
    sim.refresh_mass_matrices()
    assert walker_mass[0, 0, 0].item() == pytest.approx(4.0, rel=1e-5)


def test_scale_after_prepare(device):
    sim = balls(device, envs=2, rest_offset=0.0)
    sim.prepare()
    sim.set_scale(1, 0, 2.0)
    roots = sim.root_states.clone()
    roots[:, 2] = torch.tensor([0.1, 0.2], device=device)
    sim.set_root_states(roots)
    for _ in range(100):
        sim.step()
    sim.refresh_all()
    assert sim.contact_forces[:, 2].cpu().tolist() == pytest.approx([2 * 9.81, 16 * 9.81], rel=1e-3)
    assert sim.root_states[:, 2].cpu().tolist() == pytest.approx([0.1, 0.2], abs=4e-3)
