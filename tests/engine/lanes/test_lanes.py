"""Groups of lanes do what one thread does: the step's source for warps of lanes, run by fibers on the CPU."""

import numpy as np
import pytest
import torch
from emulate import Emulated
from engine_support import ANT, HUMANOID, World, load

from kilogym.scene.declarations import GroundPlane

TABLES = ("state", "output", "_warm")


def fallen(robot, envs: int, **options) -> World:
    """Robots thrown onto the ground and driven at random, so that contacts and limits are busy."""
    world = World([load(robot)], envs, "cpu", "float64", ground=GroundPlane(), **options)
    rng = np.random.default_rng(5)
    state = world.state()
    state["root_pos"][:] = rng.normal(size=(envs, 3)) * 0.05 + [0, 0, 0.5]
    state["root_quat"] = rng.normal(size=(envs, 4))
    state["root_quat"] /= np.linalg.norm(state["root_quat"], axis=1, keepdims=True)
    state["dof_vel"] = rng.normal(size=state["dof_vel"].shape)
    world.set_state(state)
    world.batch.params["dof_mode"][:] = 3
    world.set_input(dof_effort_in=rng.normal(size=(envs, world.model.num_dofs)) * 20)
    for _ in range(60):
        world.batch.step()
    return world


def everything(batch) -> dict[str, torch.Tensor]:
    out = {name: t.clone() for table in TABLES for name, t in getattr(batch, table).items()}
    return out | {name: getattr(batch, name).clone() for name in ("fault", "contact_count", "contact_overflow")}


def restore(batch, saved: dict[str, torch.Tensor]) -> None:
    for table in TABLES:
        for name, tensor in getattr(batch, table).items():
            tensor.copy_(saved[name])
    batch.fault.copy_(saved["fault"])


@pytest.mark.parametrize(
    ("robot", "lanes", "options"),
    [
        pytest.param(ANT, 8, {}, id="ant-8"),
        pytest.param(HUMANOID, 16, {"filter": 0}, id="humanoid-16"),
        pytest.param(HUMANOID, 32, {"max_contacts": 2}, id="humanoid-32-overflow"),
    ],
)
def test_lanes_agree_with_one_thread(robot, lanes, options, tmp_path):
    """Only the order of sums differs; and lanes may run in any order between two collectives, to the bit."""
    envs = 128 // lanes + 1  # the last warp is not full
    world = fallen(robot, envs, **options)
    batch = world.batch
    before = everything(batch)
    assert before["contact_count"].max() >= 2
    batch.step()
    expected = everything(batch)
    emulated = Emulated(batch, lanes, tmp_path)
    results = []
    for order in (1, -1):
        restore(batch, before)
        emulated.step(order)
        results.append(everything(batch))
    for name, value in expected.items():
        up, down = (r[name] for r in results)
        assert torch.equal(up, down), f"{name}: a lane reads what another has not written yet"
        if not value.is_floating_point():
            assert torch.equal(up, value), name
        else:
            assert (up - value).abs().max() <= 1e-9 * max(1.0, float(value.abs().max())), name
    if "max_contacts" in options:
        assert (expected["contact_overflow"] > 0).any()
