"""Faults on the real engine, as a user meets them."""

import math
from pathlib import Path

import pytest
import torch
from test_sim_engine import mixed

import kilogym.tasks.humanoid
from kilogym.assets.load import load_asset
from kilogym.sim import FaultWarning, Simulation, SimulationParams

HUMANOID = Path(kilogym.tasks.humanoid.__file__).parent


def lying(device: str, max_contacts: int) -> Simulation:
    """Two Humanoids on their backs, half a body's thickness above the ground."""
    sim = Simulation(SimulationParams(dt=1 / 60, max_contacts=max_contacts), device)
    sim.add_ground()
    asset = load_asset(HUMANOID, "humanoid.xml")
    for env in range(2):
        sim.create_env((0, 0, 0), (0, 0, 0), 1)
        half = math.sqrt(0.5)
        sim.create_actor(env, asset, pos=(0, 0, 0.15), quat=(0, -half, 0, half), group=env, filter=1)
    for _ in range(60):
        sim.step()
    return sim


def test_an_overflow_says_how_much_room_is_missing(device):
    sim = lying(device, max_contacts=4)
    with pytest.warns(FaultWarning, match=r"2 env\(s\) had contacts dropped: 0, 1; raise .*max_contacts by at least"):
        report = sim.check_faults()
    assert not report.diverged
    assert report.contacts_dropped > 0
    assert sim.contact_counts().tolist() == [4, 4]
    sim.refresh_all()
    assert torch.isfinite(sim.root_states).all()

    roomy = lying(device, max_contacts=40)
    roomy.check_faults()
    assert not roomy.check_faults().overflowed
    assert roomy.contact_counts().min() > 4


SETTERS = {
    "root states": (lambda sim, x: sim.set_root_states(x), lambda sim: sim.root_states.clone()),
    "dof states": (lambda sim, x: sim.set_dof_states(x), lambda sim: sim.dof_states.clone()),
    "position targets": (lambda sim, x: sim.set_position_targets(x), lambda sim: torch.zeros(sim.num_dofs)),
    "velocity targets": (lambda sim, x: sim.set_velocity_targets(x), lambda sim: torch.zeros(sim.num_dofs)),
    "efforts": (lambda sim, x: sim.set_actuation_forces(x), lambda sim: torch.zeros(sim.num_dofs)),
    "body forces": (lambda sim, x: sim.apply_body_forces(x), lambda sim: torch.zeros(sim.num_bodies, 3)),
}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("what", SETTERS)
def test_a_bad_row_touches_no_other_env(device, what, value):
    """The last row of what is set belongs to the last env: every other env keeps its bits, a warning tells."""
    write, read = SETTERS[what]
    ends = []
    for bad in (False, True):
        sim = mixed(device)
        for _ in range(5):
            sim.step()
        values = read(sim).to(device)
        if bad:
            values[-1] = value
        write(sim, values)
        for _ in range(10):
            sim.step()
        sim.refresh_all()
        if bad:
            with pytest.warns(FaultWarning, match="not finite|diverged"):
                sim.check_faults()
        roots, dofs = sim.root_states.clone(), sim.dof_states.clone()
        bodies = sim.body_states.clone()
        last = (sim.actor_index(5, 0), sim.dof_index(5, 0, "shoulder"), sim.body_index(5, 0, "base"))
        ends.append((roots[: last[0]], dofs[: last[1]], bodies[: last[2]]))
        assert torch.isfinite(roots).all()
    for clean, dirty in zip(*ends, strict=True):
        assert torch.equal(clean, dirty)
