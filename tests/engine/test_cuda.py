"""What only a GPU can show: a captured step is the eager one to the bit, and the CPU's to rounding."""

from __future__ import annotations

import pytest
import torch
from test_determinism import assert_same, inputs, make, put, record, run

pytestmark = pytest.mark.gpu


def test_a_captured_step_is_the_eager_one():
    worlds = [make(64, "cuda") for _ in range(2)]
    start = inputs(worlds[0], 0)
    eager, captured = worlds
    for world in worlds:
        put(world, start)
        world.batch.step()  # compiles and loads, which no capture may do
        put(world, start)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        captured.batch.step()
    put(captured, start)
    for _ in range(40):
        eager.batch.step()
        graph.replay()
    torch.cuda.synchronize()
    assert int(eager.batch.contact_count.sum()) > 0
    assert_same(record(captured), record(eager))
    # settings are read from the device: a new gravity needs no new capture
    for world in worlds:
        world.batch.control.gravity = (1.0, 0.0, -3.0)
    for _ in range(5):
        eager.batch.step()
        graph.replay()
    assert_same(record(captured), record(eager))


def test_block_size_does_not_matter():
    results = []
    for block in (32, 128):
        world = make(100, "cuda", block_dim=block)
        put(world, inputs(world, 0))
        run(world, 20)
        results.append(record(world))
    assert_same(*results)


@pytest.mark.parametrize(("steps", "height", "bar"), [(60, 3.0, 1e-4), (10, 0.0, 1e-2)])
def test_the_cpu_agrees(steps, height, bar):
    """60 steps in the air to 1e-4, 10 steps with contacts to 1e-2."""
    ends = []
    for device in ("cpu", "cuda"):
        world = make(64, device)
        start = {name: value.to(device) for name, value in inputs(make(64, "cpu"), 3).items()}
        start["root_pos"][[2, 5]] += height
        start["dof_effort_in"] *= 0.1
        put(world, start)
        for _ in range(steps):
            world.batch.step()
        state = {name: value.cpu() for name, value in world.batch.state.items()}
        ends.append((state, world.batch.contact_count.cpu()))
    assert (ends[0][1].float().mean() > 1) == (height == 0)
    for name in ("root_pos", "root_quat", "dof_pos"):
        assert (ends[0][0][name] - ends[1][0][name]).abs().max() < bar, name
