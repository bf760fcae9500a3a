"""Groups of lanes do what one thread does: the step's source for warps of lanes, run by fibers on the CPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from coupled import coupled_ant
from emulate import Emulated

from kilogym.assets.asset import FLT_MAX, Asset
from kilogym.assets.distance_field import distance_field
from kilogym.engine.contact_report import REPORT, REPORT_ROWS
from kilogym.engine.limbs import plan
from kilogym.engine.local import build_local
from kilogym.scene.declarations import GroundPlane
from kilogym.scene.terrain import HeightField
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load, load_text
from kilogym.validation.zoo import ANT, HUMANOID


def rough() -> HeightField:
    """Bumps of 0.2 m, and as high as the robots lie."""
    heights = np.random.default_rng(8).uniform(-0.1, 0.1, (41, 41))
    return HeightField(heights, (0.2, 0.2), (-4.0, -4.0, 0.0))


TABLES = ("state", "output", "_warm")
SOFT = {"shape_torsion_friction": 0.03, "shape_rolling_friction": 0.02, "shape_compliance": 1e-5}
OTHERS = ("fault", "contact_count", "contact_overflow", "contact_report")


def fallen(robot, envs: int, materials: dict[str, float] | None = None, **options) -> BatchWorld:
    """Robots thrown onto the ground and driven at random, so that contacts and limits are busy."""
    asset = robot if isinstance(robot, Asset) else load(robot)
    ground = None if "terrain" in options else GroundPlane()
    world = BatchWorld([asset], envs, "cpu", "float64", ground=ground, **options)
    rng = np.random.default_rng(5)
    state = world.state()
    state["root_pos"][:] = rng.normal(size=(envs, 3)) * 0.05 + [0, 0, 0.5]
    state["root_quat"] = rng.normal(size=(envs, 4))
    state["root_quat"] /= np.linalg.norm(state["root_quat"], axis=1, keepdims=True)
    state["dof_vel"] = rng.normal(size=state["dof_vel"].shape)
    world.set_state(state)
    world.batch.params["dof_mode"][:] = 3
    for name, value in (materials or {}).items():
        world.batch.params[name][:] = value
    world.set_input(dof_effort_in=rng.normal(size=(envs, world.model.num_dofs)) * 20)
    for _ in range(60):
        world.batch.step()
    return world


def everything(batch) -> dict[str, torch.Tensor]:
    out = {name: t.clone() for table in TABLES for name, t in getattr(batch, table).items()}
    return out | {name: getattr(batch, name).clone() for name in OTHERS}


def restore(batch, saved: dict[str, torch.Tensor]) -> None:
    for table in TABLES:
        for name, tensor in getattr(batch, table).items():
            tensor.copy_(saved[name])
    batch.fault.copy_(saved["fault"])
    batch.contact_report.zero_()


def stepped(world: BatchWorld, lanes: int, folder, searchers: int = 0) -> tuple[dict, dict]:
    """What one thread makes of the next step, and what lanes make of it, in either order, to the bit."""
    batch = world.batch
    before = everything(batch)
    restore(batch, before)
    batch.step()
    expected = everything(batch)
    emulated = Emulated(batch, lanes, folder, searchers)
    results = []
    for order in (1, -1):
        restore(batch, before)
        emulated.step(order)
        results.append(everything(batch))
    for name in expected:
        assert torch.equal(results[0][name], results[1][name]), f"{name}: a lane reads what another has not written yet"
    return expected, results[0]


def check_equal(expected: dict, found: dict, error: float) -> None:
    """Whole numbers are the same, real ones but for an error relative to the largest, or to 1."""
    for name, value in expected.items():
        if value.is_floating_point():
            assert (found[name] - value).abs().max() <= error * max(1.0, float(value.abs().max())), name
        else:
            assert torch.equal(found[name], value), name


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
    check_equal(expected, found, 1e-10)


def loaded_between_limbs(batch, report: torch.Tensor, lanes: int) -> int:
    """How many contacts of two limbs carry a force, in all envs."""
    owner = build_local(batch.model, batch.topology, plan(batch.model, lanes)).owner
    lane = [owner[link] for link in batch.model.shape_link]
    count = 0
    for env in report.T.tolist():
        for first in range(1, 1 + int(env[0]) * REPORT_ROWS, REPORT_ROWS):
            a, b = int(env[first]), int(env[first + 1])
            at = first + REPORT["force"][0]
            count += b >= 0 and -1 != lane[a] != lane[b] != -1 and any(env[at : at + 3])
    return count


@pytest.mark.parametrize(
    ("robot", "options"),
    [
        pytest.param(ANT, {}, id="ant"),
        pytest.param(HUMANOID, {"filter": 0}, id="humanoid-self-collision"),
        pytest.param(HUMANOID, {"max_contacts": 2}, id="humanoid-overflow"),
        pytest.param(ANT, {"terrain": [rough(), rough().as_mesh()]}, id="ant-terrain"),
        pytest.param(HUMANOID, {"filter": 0, "materials": SOFT}, id="humanoid-soft"),
        pytest.param(HUMANOID, {"filter": 0, "searchers": 8}, id="humanoid-searched-apart"),
        pytest.param(HUMANOID, {"filter": 0, "max_contacts": 3, "searchers": 16}, id="humanoid-overflow-apart"),
        pytest.param(ANT, {"terrain": [rough(), rough().as_mesh()], "searchers": 16}, id="ant-terrain-apart"),
    ],
)
def test_with_contacts(robot, options, tmp_path):
    """Rows are swept in one order, whoever does it."""
    searchers = options.get("searchers", 0)
    world = fallen(robot, 9, **{name: value for name, value in options.items() if name != "searchers"})
    world.batch.report_contacts()
    expected, found = stepped(world, 4, tmp_path, searchers)
    assert expected["contact_count"].max() >= 1
    assert expected["warm_spin"].any() == ("materials" in options)
    if options.get("filter") == 0 and "max_contacts" not in options:
        assert loaded_between_limbs(world.batch, expected["contact_report"], 4) >= 1
    if "max_contacts" in options:
        assert (expected["contact_overflow"] > 0).any()
    check_equal(expected, found, 1e-9)


@pytest.mark.parametrize("searchers", [0, 16])
def test_envs_of_a_warp_know_nothing_of_each_other(searchers, tmp_path):
    """On terrain they share loops and lists: when these are full is for all to wait, but changes no bit."""
    world = fallen(ANT, 6, terrain=[rough(), rough().as_mesh()])
    batch = world.batch
    emulated = Emulated(batch, 4, tmp_path, searchers)
    before = everything(batch)
    emulated.step()
    expected = everything(batch)
    for shift in (3.0, 0.1):  # into the air, into each other's triangles
        restore(batch, before)
        batch.state["root_pos"][2, ::2] += shift
        batch.state["root_pos"][0, ::2] -= shift
        emulated.step()
        found = everything(batch)
        for name, value in expected.items():
            assert torch.equal(found[name][..., 1::2], value[..., 1::2]), name
        assert not torch.equal(found["dof_vel"][..., ::2], expected["dof_vel"][..., ::2])


@pytest.mark.parametrize("searchers", [0, 16])
def test_envs_of_a_warp_deal_their_pairs(searchers, tmp_path):
    """A lane may look at another env's pair. How many there are elsewhere changes no bit, nor what is dropped."""
    world = BatchWorld(
        [load_text(BLOCKS, tmp_path), load_text(STONE, tmp_path), load_text(BLOCKS, tmp_path)], 9, "cpu", "float64",
        ground=GroundPlane(), filter=0, lanes=2, max_contacts=6,
    )  # fmt: skip
    state = world.random_state(3, spread=0.3, speed=1.0)
    state["root_pos"][:] = [0, 0, 0.2, 0.3, 0, 0.7, 0.05, 0, 0.6]
    world.set_state(state)
    batch = world.batch
    for _ in range(60):
        batch.step()
    before = everything(batch)
    emulated = Emulated(batch, 2, tmp_path, searchers)
    emulated.step()
    expected = everything(batch)
    assert (expected["contact_overflow"][1::2] > 0).any()
    restore(batch, before)
    batch.step()
    check_equal({name: value.clone() for name, value in everything(batch).items()}, expected, 1e-8)
    for apart in (50.0, 0.0):  # no pairs, and all within each other
        restore(batch, before)
        batch.state["root_pos"][::3, ::2] = apart * torch.arange(3, dtype=torch.float64)[:, None]
        emulated.step()
        found = everything(batch)
        for name, value in expected.items():
            assert torch.equal(found[name][..., 1::2], value[..., 1::2]), name
        assert not torch.equal(found["root_lin_vel"][..., ::2], expected["root_lin_vel"][..., ::2])


@pytest.mark.parametrize(
    ("lanes", "flies", "searchers"),
    [(2, True, 0), (4, False, 0), (4, False, 4)],
    ids=["flying", "with-contacts", "searched-apart"],
)
def test_couplings(lanes, flies, searchers, tmp_path):
    """Tendons, joints that follow, closures and attractors, all of which span limbs."""
    asset, attractors = coupled_ant()
    world = fallen(asset, 9, attractors=attractors)
    if flies:  # the order of rows is then that of one thread on any number of lanes
        world.batch.state["root_pos"][2] += 100
        world.batch.params["dof_lower"][:], world.batch.params["dof_upper"][:] = -FLT_MAX, FLT_MAX
        world.forget()
    expected, found = stepped(world, lanes, tmp_path, searchers)
    assert flies or expected["contact_count"].max() >= 1
    assert (expected["warm_coupling"] != 0).any(dim=1).sum() >= 12
    check_equal(expected, found, 1e-9)


def test_an_attractor_may_be_hard_in_some_envs_of_a_warp_alone(tmp_path):
    """All of a warp come to its exchanges, whether their attractor is a spring or a hard row."""
    asset, attractors = coupled_ant()
    world = fallen(asset, 9, attractors=attractors)
    world.batch.expand("attractor")
    hard = torch.tensor([5e7, 5e3], dtype=torch.float64)[:, None]  # [N/m], [N s/m]
    world.batch.params["attractor"][:2, ::2] = hard
    expected, found = stepped(world, 4, tmp_path)
    check_equal(expected, found, 1e-8)


BLOCKS = """
<mujoco><asset>
  <mesh name="rock" vertex="-.1 -.1 -.06  .1 -.1 -.06  .1 .1 -.06  -.1 .1 -.06  -.05 0 .08  .06 .02 .09"/>
</asset><default><geom density="500"/></default><worldbody>
<body name="middle"><freejoint/><geom type="box" size=".1 .12 .08"/>
  <body name="a" pos=".3 0 0"><joint axis="0 1 0"/><geom type="cylinder" size=".06 .1"/>
    <body name="a2" pos=".25 0 0"><joint axis="0 0 1"/><geom type="mesh" mesh="rock"/></body></body>
  <body name="b" pos="-.3 0 0"><joint axis="0 1 0"/><geom type="cylinder" size=".06 .1"/>
    <body name="b2" pos="-.25 0 0"><joint axis="0 0 1"/><geom type="mesh" mesh="rock"/></body></body>
</body></worldbody></mujoco>"""
STONE = """
<mujoco><worldbody>
<body name="stone"><freejoint/><geom type="ellipsoid" size=".1 .2 .15"/></body>
</worldbody></mujoco>"""


def check_pile(world: BatchWorld, lanes: int, folder, bar: float = 1e-8, searchers: int = 0) -> None:
    """Bodies that have fallen onto each other go on the same way."""
    for _ in range(60):
        world.batch.step()
    assert not world.batch.fault.any()
    world.batch.report_contacts()
    expected, found = stepped(world, lanes, folder, searchers)
    assert expected["contact_count"].float().mean() >= 5
    check_equal(expected, found, bar)


@pytest.mark.parametrize("searchers", [0, 16])
def test_convex_shapes(searchers, tmp_path):
    """Boxes, cylinders, hulls and an ellipsoid, on the ground and on each other."""
    robots = [load_text(BLOCKS, tmp_path), load_text(STONE, tmp_path), load_text(BLOCKS, tmp_path)]
    world = BatchWorld(robots, 9, "cpu", "float64", ground=GroundPlane(), filter=0, lanes=2)
    state = world.random_state(3, spread=0.3, speed=1.0)
    state["root_pos"][:] = [0, 0, 0.2, 0.3, 0, 0.7, 0.05, 0, 0.6]
    world.set_state(state)
    check_pile(world, 2, tmp_path, searchers=searchers)


def with_fields(robot: Asset) -> Asset:
    """Its meshes with signed distance fields."""
    shapes = [s if s.mesh is None else replace(s, field=distance_field(s.mesh, 16)) for s in robot.shapes]
    return replace(robot, shapes=tuple(shapes))


@pytest.mark.parametrize(("ground", "searchers"), [("plane", 0), ("terrain", 0), ("plane", 8), ("terrain", 8)])
def test_signed_distance_fields(ground, searchers, tmp_path):
    """Rocks with fields, on each other, on cylinders, boxes and an ellipsoid, on the ground plane and on terrain."""
    blocks = with_fields(load_text(BLOCKS, tmp_path))
    robots = [blocks, load_text(STONE, tmp_path), blocks]
    under = {"ground": GroundPlane()} if ground == "plane" else {"terrain": [rough(), rough().as_mesh()]}
    world = BatchWorld(robots, 5, "cpu", "float64", filter=0, lanes=2, **under)
    assert world.batch._has_sdf
    state = world.random_state(3, spread=0.3, speed=1.0)
    state["root_pos"][:] = [0, 0, 0.3, 0.3, 0, 0.8, 0.05, 0, 0.7]
    world.set_state(state)
    check_pile(world, 2, tmp_path, searchers=searchers)


CUBE = """
<mujoco><worldbody>
<body name="cube"><freejoint/><geom type="box" size=".1 .1 .1" density="500"/></body>
</worldbody></mujoco>"""


FORESTS = {"heap": 6 * ["cube"], "mixed": ["blocks", *3 * ["cube"], "ant"]}


@pytest.mark.parametrize("searchers", [0, 32])
@pytest.mark.parametrize("robots", FORESTS.values(), ids=FORESTS)
def test_whole_trees_as_limbs(robots, searchers, tmp_path):
    """Each lane has trees of its own, some places are empty; they meet in contacts."""
    lanes = 4
    assets = {"cube": load_text(CUBE, tmp_path), "blocks": load_text(BLOCKS, tmp_path), "ant": load(ANT)}
    world = BatchWorld([assets[r] for r in robots], 9, "cpu", "float64", ground=GroundPlane(), filter=0, lanes=lanes)
    assert any(slot.root for slot in plan(world.model, lanes).slots)
    state = world.random_state(3, spread=0.3, speed=1.0)
    places = [[0.25 * (i % 3), 0.25 * (i % 2), 0.15 + 0.3 * i] for i in range(len(robots))]
    state["root_pos"][:] = np.ravel(places)
    world.set_state(state)
    world.batch.params["tree_angular_damping"][:, 0] = torch.linspace(0, 0.5, len(robots))
    check_pile(world, lanes, tmp_path, 1e-6, searchers)  # in a heap rounding grows by a factor of ten in some steps
