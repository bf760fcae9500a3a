"""Contact rows of a CPU thread: on its stack, or in a buffer of the batch where they would fill it."""

from __future__ import annotations

import numpy as np
import pytest

from kilogym.assets.procedural import make_sphere
from kilogym.engine import batch, tables
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld

BALLS, ENVS = 6, 7


def heap(device: str, **options) -> dict[str, np.ndarray]:
    """Balls dropped into a heap, another one in every env."""
    world = BatchWorld([make_sphere(0.1)] * BALLS, ENVS, device, ground=GroundPlane(), filter=0, **options)
    rng = np.random.default_rng(0)
    state = world.state()
    place = rng.uniform(-0.15, 0.15, (ENVS, BALLS, 3))
    place[..., 2] += 0.3
    state["root_pos"][:] = place.reshape(ENVS, -1)
    world.set_state(state)
    for _ in range(60):
        world.batch.step()
    assert world.batch.contact_count.min() >= BALLS - 1
    return world.state()


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_in_a_buffer_give_the_same_bits(device, threads, monkeypatch):
    if device != "cpu":
        pytest.skip("stacks are the CPU's")
    monkeypatch.delenv("KILOGYM_THREADS", raising=False)
    on_stack = heap(device)
    for module in (batch, tables):
        monkeypatch.setattr(module, "STACK_WORDS", 0)
    in_buffer = heap(device, threads=threads)
    for name, values in on_stack.items():
        assert np.array_equal(values, in_buffer[name]), name


def test_many_contacts_do_not_overflow_the_stack(device):
    """Rows of 17 MB, twice the stack of a thread."""
    side = 6
    world = BatchWorld([make_sphere(0.1)] * side**3, 1, device, ground=GroundPlane(), filter=0, max_contacts=800)
    at = np.stack(np.meshgrid(*[np.arange(side) * 0.2] * 3, indexing="ij"), axis=-1).reshape(1, -1)
    state = world.state()
    state["root_pos"][:] = at + np.tile([0.0, 0.0, 0.1], side**3)
    world.set_state(state)
    for _ in range(3):
        world.batch.step()
    assert not world.batch.fault.any()
    assert world.batch.contact_count.item() > 500
