"""The probe is a look: a world that is looked into goes on with the same bits."""

import torch

from kilogym.validation.cases.e_solver import standing
from kilogym.validation.probe import Probe


def test_probing_changes_nothing(device):
    worlds = [standing(4, device), standing(4, device)]
    probe = Probe(worlds[0])
    for _ in range(100):
        probe.look()
        for world in worlds:
            world.batch.step()
    assert int(worlds[0].batch.contact_count.sum()) > 0
    for name, t in worlds[0].batch.state.items():
        assert torch.equal(t, worlds[1].batch.state[name]), name
