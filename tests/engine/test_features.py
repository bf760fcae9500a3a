"""Code for what no parameter asks for is left out, and comes when one does."""

import pytest
import torch

from kilogym.engine.batch import ASKED_BY
from kilogym.engine.tables import FEATURES
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT


def ants(device: str) -> BatchWorld:
    world = BatchWorld([load(ANT)], 4, device, ground=GroundPlane())
    world.batch.params["dof_velocity"][:] = 3e38
    world.batch.params["dof_effort"][:] = 3e38
    world.batch.state["root_pos"][2] = 0.6
    world.batch.state["dof_vel"][:] = 3.0
    return world


CHANGES = {
    "DRY": ("dof_friction", 0.5),
    "SPEED_LIMIT": ("dof_velocity", 0.5),
    "DRIVE_LIMIT": ("dof_effort", 0.01),
    "DAMPING": ("tree_linear_damping", 5.0),
    "RESTITUTION": ("ground_restitution", 1.0),
    "SPIN_FRICTION": ("shape_torsion_friction", 0.05),
    "COMPLIANCE": ("shape_compliance", 1e-3),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_change_between_steps_acts(feature, device):
    """As if it had been there from the start: to the bit what a batch does that never knew otherwise."""
    name, value = CHANGES[feature]
    late, plain = ants(device), ants(device)
    for _ in range(3):
        late.batch.step()
        plain.batch.step()
    late.batch.params[name][:] = value
    late.batch.changed()
    early = ants(device)
    early.batch.params[name][:] = value
    early.batch.restore(late.batch.snapshot())
    for _ in range(40):
        for world in (late, plain, early):
            world.batch.step()
    state = [torch.cat([t.flatten() for t in world.batch.state.values()]) for world in (late, plain, early)]
    assert torch.equal(state[0], state[2])
    assert not torch.equal(state[0], state[1])


def test_what_someone_else_writes_may_become_anything(device):
    world = ants(device)
    world.batch.step()
    for feature, names in ASKED_BY.items():
        for name in names:
            world.batch.changed(elsewhere=name)
        assert feature in world.batch._features


def test_what_no_feature_depends_on_is_not_looked_at(device, monkeypatch):
    """A host edit of masses costs no read from the device."""
    world = ants(device)
    world.batch.step()
    monkeypatch.setattr(world.batch, "_features_in_use", lambda: pytest.fail("parameters were read"))
    world.batch.changed({"link_mass", "shape_friction"})
    monkeypatch.undo()
    world.batch.params["dof_friction"][:] = 1.0
    world.batch.changed({"link_mass", "dof_friction"})
    assert "DRY" in world.batch._features
