"""Groups of lanes do what one thread does: the step's source for warps of lanes, run by fibers on the CPU."""

import numpy as np
import pytest
import torch
from emulate import Emulated
from engine_support import ANT, FLT_MAX, HUMANOID, World, load

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


def stepped(world: World, lanes: int, folder) -> tuple[dict, dict]:
    """What one thread makes of the next step, and what lanes make of it, in either order, to the bit."""
    batch = world.batch
    before = everything(batch)
    batch.step()
    expected = everything(batch)
    emulated = Emulated(batch, lanes, folder)
    results = []
    for order in (1, -1):
        restore(batch, before)
        emulated.step(order)
        results.append(everything(batch))
    for name in expected:
        assert torch.equal(results[0][name], results[1][name]), f"{name}: a lane reads what another has not written yet"
    return expected, results[0]


FLYERS = [(ANT, 4), (HUMANOID, 2), (HUMANOID, 1)]


@pytest.mark.parametrize(("robot", "lanes"), FLYERS, ids=["ant-4", "humanoid-2", "humanoid-1"])
def test_in_flight(robot, lanes, tmp_path):
    """Only the order of sums differs."""
    world = fallen(robot, 9)
    batch = world.batch
    batch.state["root_pos"][2] += 100
    batch.params["dof_lower"][:], batch.params["dof_upper"][:] = -FLT_MAX, FLT_MAX
    expected, found = stepped(world, lanes, tmp_path)
    assert expected["contact_count"].max() == 0
    for name, value in expected.items():
        assert (found[name] - value).abs().max() <= 1e-10 * max(1.0, float(value.abs().max())), name


@pytest.mark.parametrize(
    ("robot", "lanes", "options"),
    [
        pytest.param(ANT, 4, {}, id="ant-4"),
        pytest.param(HUMANOID, 4, {"filter": 0}, id="humanoid-4-self-collision"),
        pytest.param(HUMANOID, 4, {"max_contacts": 2}, id="humanoid-4-overflow"),
    ],
)
def test_with_contacts(robot, lanes, options, tmp_path):
    """Rows are swept in another order. Swept until that no longer matters, what moves is the same; how friction shares
    a load among contacts is not unique, so some envs differ a little."""
    world = fallen(robot, 9, **options)
    batch = world.batch
    batch.control.sweeps = 150
    expected, found = stepped(world, lanes, tmp_path)
    assert expected["contact_count"].max() >= 1
    for name in ("contact_count", "contact_overflow", "fault"):
        assert torch.equal(found[name], expected[name]), name
    if "max_contacts" in options:
        assert (expected["contact_overflow"] > 0).any()
    apart = (found["dof_pos"] - expected["dof_pos"]).abs().amax(0)
    assert apart.max() < 1e-3
    assert apart.median() < 1e-6
