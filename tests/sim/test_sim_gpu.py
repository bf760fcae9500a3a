"""Setters, steps and refreshes of a simulation of two batches, captured in one CUDA graph."""

import pytest
import torch
from test_sim_setters import numbered_roots
from test_sim_tensors import mixed

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("fake_engine")]


def test_everything_can_be_captured():
    captured, eager = mixed(device="cuda"), mixed(device="cuda")
    inputs = {
        "roots": numbered_roots().cuda(),
        "dofs": torch.rand(8, 2).cuda(),
        "actors": torch.tensor([1, 4, 5], dtype=torch.int32).cuda(),
        "mask": torch.tensor([1, 0, 1, 0, 1, 1]).bool().cuda(),
        "efforts": torch.rand(8).cuda(),
        "forces": torch.rand(16, 3).cuda(),
    }

    def act(sim):
        sim.set_root_states(inputs["roots"], inputs["actors"])
        sim.set_dof_states(inputs["dofs"], mask=inputs["mask"])
        sim.set_actuation_forces(inputs["efforts"])
        sim.apply_body_forces_at(inputs["forces"], inputs["forces"])
        sim.step()
        sim.refresh_all()

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        captured.jacobian("arm")
        start = captured.save()
        act(captured)
        captured.restore(start)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        act(captured)
    for scale in (1.0, 2.0, -1.0):
        inputs["efforts"] *= scale
        inputs["mask"].logical_not_()
        graph.replay()
        act(eager)
        for name in ("root_states", "dof_states", "body_states", "contact_forces"):
            assert torch.equal(getattr(captured, name), getattr(eager, name)), name
    assert captured.check_faults() == eager.check_faults()
