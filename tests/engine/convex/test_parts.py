"""Meshes in convex parts: hollows are hollow, seams are not felt, and a whole made of parts is the whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import trimesh

from kilogym.assets.asset import Asset, Link, Mesh, Shape, ShapeKind
from kilogym.assets.decomposition import decompose
from kilogym.assets.decomposition_options import DecompositionOptions
from kilogym.assets.inertia import combine, mesh_mass_properties, six
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.engine.hulls import HEADER, PLACE, convex_hull, hull_of_parts, pack
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene
from kilogym.scene.hulls import HullLibrary
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.batch_world import BatchWorld as World
from kilogym.validation.trees import FREE

G = 9.81
Corners = tuple[tuple[float, float, float], tuple[float, float, float]]


def block(low, high) -> Mesh:
    """A box between two corners."""
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))), float)
    hull = trimesh.convex.convex_hull(corners)
    return Mesh("block", np.array(hull.vertices), np.array(hull.faces))


def in_parts(*blocks: Corners, mass: float = 1.0, fixed: bool = False) -> Asset:
    """A body of boxes between corners, as one mesh in parts."""
    parts = tuple(block(*corners) for corners in blocks)
    offsets = np.cumsum([0, *(len(p.vertices) for p in parts[:-1])])
    mesh = Mesh(
        "whole", np.concatenate([p.vertices for p in parts]),
        np.concatenate([p.triangles + o for p, o in zip(parts, offsets, strict=True)]),
    )  # fmt: skip
    return body(Shape(0, ShapeKind.MESH, (1.0, 1.0, 1.0), mesh=mesh, parts=parts), parts, mass, fixed)


def body(shape: Shape, meshes, mass: float = 1.0, fixed: bool = False) -> Asset:
    solid = combine(mesh_mass_properties(m.vertices, m.triangles, 1000.0) for m in meshes).scaled_to(mass)
    link = Link("l", -1, mass=mass, com=tuple(solid.com), inertia=six(solid.inertia))
    return Asset("body", (link,), shapes=(shape,), options=FREE, fixed_base=fixed)


def box(half, mass: float = 1.0) -> Asset:
    half = tuple(float(h) for h in half)
    return body(Shape(0, ShapeKind.BOX, half), [block([-h for h in half], half)], mass)


def ball(radius: float, mass: float = 1.0) -> Asset:
    inertia = 0.4 * mass * radius**2
    link = Link("l", -1, mass=mass, com=(0, 0, 0), inertia=(inertia, inertia, inertia, 0, 0, 0))
    return Asset("ball", (link,), shapes=(Shape(0, ShapeKind.SPHERE, (radius, 0.0, 0.0)),), options=FREE)


CUP = (
    ((-0.2, -0.2, -0.1), (0.2, 0.2, 0.0)), ((-0.2, -0.2, 0.0), (-0.1, 0.2, 0.2)), ((0.1, -0.2, 0.0), (0.2, 0.2, 0.2)),
    ((-0.1, -0.2, 0.0), (0.1, -0.1, 0.2)), ((-0.1, 0.1, 0.0), (0.1, 0.2, 0.2)),
)  # fmt: skip
"""A box with a hole of 0.2 m by 0.2 m, 0.2 m deep."""


def place(world: World, *poses) -> None:
    """Root of each tree at (x, y, z), at rest, alike in all envs."""
    state = world.state()
    for tree, pos in enumerate(poses):
        state["root_pos"][:, 3 * tree : 3 * tree + 3] = pos
    state["root_quat"][:] = np.tile([0, 0, 0, 1.0], len(poses))
    state["root_lin_vel"][:] = state["root_ang_vel"][:] = 0
    world.set_state(state)


def throw_at_each_other(world: World, away: float) -> None:
    """The second of two bodies, turned over, comes down on the first at 1 m/s from `away`, elsewhere in each env."""
    place(world, (0, 0, 0), (0.1, 0, away))
    state = world.state()
    rng = np.random.default_rng(0)
    state["root_pos"][:, 3:5] += rng.uniform(-0.05, 0.05, (world.num_envs, 2))
    state["root_quat"][:, 4:] = [1, 0, 0, 0]
    state["root_lin_vel"][:, 5] = -1.0
    world.set_state(state)


def run(world: World, steps: int) -> dict[str, np.ndarray]:
    for _ in range(steps):
        world.batch.step()
    assert not world.batch.fault.any()
    return world.state()


# the library ---------------------------------------------------------------------------------------------------------


def test_a_library_holds_parts_after_the_hulls():
    parts = [block(*corners) for corners in CUP]
    whole = hull_of_parts([part.vertices for part in parts])
    single = convex_hull(parts[0].vertices)
    _, _, table, places = pack([single, whole])
    header, places = table[: 7 * HEADER].reshape(7, HEADER), places.reshape(7, PLACE)
    assert header[:2].tolist()[1][5:] == [2, 5]
    assert not header[[0, 2, 3, 4, 5, 6], 6].any()
    for row, part in zip(places[2:], parts, strict=True):
        middle = (part.vertices.max(axis=0) + part.vertices.min(axis=0)) / 2
        np.testing.assert_allclose(row[:3] + whole.centre, middle, atol=1e-12)
        np.testing.assert_allclose(row[3], np.linalg.norm(np.ptp(part.vertices, axis=0)) / 2)
        np.testing.assert_allclose(row[4], np.ptp(part.vertices, axis=0).min() / 2)
        np.testing.assert_allclose(row[5:], np.ptp(part.vertices, axis=0) / 2)
    corners = np.concatenate([part.vertices for part in parts]) - whole.centre
    assert whole.bound == pytest.approx(np.linalg.norm(corners, axis=1).max())


def test_parts_make_another_hull_than_the_mesh_alone():
    asset = in_parts(*CUP)
    (shape,) = asset.shapes
    library = HullLibrary()
    assert library.of(shape.mesh) == 0
    assert library.of(shape.mesh, shape.parts) == 1
    assert library.of(shape.mesh, tuple(Mesh("", p.vertices.copy(), p.triangles) for p in shape.parts)) == 1
    assert [len(hull.parts) for hull in library.hulls] == [0, 5]


# contact -------------------------------------------------------------------------------------------------------------


def test_a_ball_rests_in_a_cup(device):
    world = World([in_parts(*CUP, fixed=True), ball(0.08)], 2, device, "float64", filter=0)
    place(world, (0, 0, 0), (0.01, 0, 0.3))
    state = run(world, 240)
    np.testing.assert_allclose(state["root_pos"][:, 5], 0.08, atol=2e-4)
    np.testing.assert_allclose(state["root_lin_vel"][:, 3:], 0, atol=1e-3)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 5], G, rtol=1e-3)


def test_a_peg_sinks_into_its_hole(device):
    """1 mm of play on each side; released straight above, it lies on the ground of the hole, and so in float32."""
    for precision in ("float64", "float32"):
        world = World([in_parts(*CUP, fixed=True), box((0.099, 0.099, 0.15))], 1, device, precision, filter=0)
        place(world, (0, 0, 0), (0, 0, 0.4))
        state = run(world, 240)
        np.testing.assert_allclose(state["root_pos"][:, 3:], [[0, 0, 0.15]], atol=1e-3)
        np.testing.assert_allclose(np.abs(state["root_quat"][:, 7]), 1, atol=1e-4)


def test_a_cup_turned_over_covers_a_ball(device):
    """On the ground a mesh in parts stands on the hull of all, and what is under it does not lift it."""
    world = World([in_parts(*CUP), ball(0.08)], 2, device, "float64", ground=GroundPlane(), filter=0)
    place(world, (0, 0, 0.21), (0, 0, 0.08))
    state = world.state()
    state["root_quat"][:, :4] = [1, 0, 0, 0]
    world.set_state(state)
    state = run(world, 240)
    np.testing.assert_allclose(state["root_pos"][:, 2], 0.2, atol=1e-3)
    np.testing.assert_allclose(state["root_pos"][:, 5], 0.08, atol=1e-3)
    force = world.output("link_contact_force")
    np.testing.assert_allclose(force[:, [2, 5]], G, rtol=2e-3)


def test_two_halves_are_the_whole(device):
    """Two cups as parts of one cube: what falls on it moves as on a box, wherever the seam is."""
    halves = in_parts(((-0.3, -0.3, -0.1), (0.02, 0.3, 0.1)), ((0.02, -0.3, -0.1), (0.3, 0.3, 0.1)), fixed=True)
    slab = body(Shape(0, ShapeKind.BOX, (0.3, 0.3, 0.1)), [block((-0.3, -0.3, -0.1), (0.3, 0.3, 0.1))], fixed=True)
    states = []
    for ground in (halves, slab):
        world = World([ground, box((0.05, 0.06, 0.07))], 8, device, "float64", filter=0)
        place(world, (0, 0, 0), (0, 0, 0.2))
        state = world.state()
        rng = np.random.default_rng(3)
        state["root_pos"][:, 3:5] = rng.uniform(-0.15, 0.15, (8, 2))
        quat = rng.normal(size=(8, 4))
        state["root_quat"][:, 4:] = quat / np.linalg.norm(quat, axis=1, keepdims=True)
        state["root_ang_vel"][:, 3:] = rng.normal(size=(8, 3))
        world.set_state(state)
        states.append(run(world, 400))
    np.testing.assert_allclose(states[0]["root_lin_vel"], states[1]["root_lin_vel"], atol=2e-2)
    low = 0.1 + np.array([0.05, 0.06, 0.07])
    for state in states:  # on one of its sides
        assert np.abs(state["root_pos"][:, 5:6] - low).min(axis=1).max() < 2e-3


def test_the_seam_of_two_parts_is_not_felt(device):
    """A box slides without friction over a seam; without `is_covered` it runs into the end of the part."""
    slab = in_parts(((-0.5, -0.3, -0.1), (0.0, 0.3, 0.0)), ((0.0, -0.3, -0.1), (0.5, 0.3, 0.0)), fixed=True)
    for half in ((0.05, 0.05, 0.05), (0.02, 0.1, 0.01)):
        world = World([slab, box(half)], 2, device, "float64", filter=0)
        world.batch.params["shape_friction"][:] = 0
        place(world, (0, 0, 0), (-0.2, 0, half[2]))
        state = world.state()
        state["root_lin_vel"][:, 3] = 0.5
        world.set_state(state)
        for _ in range(96):  # 0.4 m
            world.batch.step()
            state = world.state()
            np.testing.assert_allclose(state["root_lin_vel"][:, 3], 0.5, atol=1e-2)
            np.testing.assert_allclose(state["root_pos"][:, 5], half[2], atol=2e-3)
        assert state["root_pos"][:, 3].min() > 0.15


def test_contacts_push_back_on_the_other(device):
    """Without gravity or ground two forks hit each other: momentum stays."""
    fork = (
        ((-0.15, -0.05, 0), (0.15, 0.05, 0.1)), ((-0.15, -0.05, 0.1), (-0.05, 0.05, 0.3)),
        ((0.05, -0.05, 0.1), (0.15, 0.05, 0.3)),
    )  # fmt: skip
    world = World([in_parts(*fork, mass=2.0), in_parts(*fork)], 6, device, "float64", filter=0)
    world.batch.control.gravity = (0.0, 0.0, 0.0)
    throw_at_each_other(world, 0.75)
    seen = torch.zeros(6, dtype=torch.bool, device=device)
    for _ in range(120):
        world.batch.step()
        seen |= world.batch.contact_count > 0
        now = world.state()["root_lin_vel"]
        np.testing.assert_allclose(2 * now[:, :3] + now[:, 3:], [[0, 0, -1.0]] * 6, atol=1e-9)
    assert seen.all()
    assert not world.batch.fault.any()


@pytest.mark.parametrize("kind", ["field", "mesh"])
def test_parts_on_terrain(device, kind):
    """A bridge stands with its feet astride a bump that lifts its hull."""
    bridge = in_parts(
        ((-0.3, -0.1, 0.1), (0.3, 0.1, 0.2)), ((-0.3, -0.1, 0.0), (-0.2, 0.1, 0.1)), ((0.2, -0.1, 0.0), (0.3, 0.1, 0.1))
    )
    heights = np.zeros((41, 41))
    heights[20, 18:23] = 0.06  # a ridge along y at x = 0
    if kind == "field":
        terrain = HeightField(heights, (0.05, 0.05), pos=(-1.0, -1.0, 0.0))
    else:
        x, y = np.meshgrid(np.arange(41) * 0.05 - 1, np.arange(41) * 0.05 - 1, indexing="ij")
        vertices = np.stack([x, y, heights], axis=-1).reshape(-1, 3)
        i = (np.arange(40)[:, None] * 41 + np.arange(40)).reshape(-1)
        cells = [np.stack([i, i + 41, i + 42], axis=1), np.stack([i, i + 42, i + 1], axis=1)]
        terrain = TriangleMesh(vertices, np.concatenate(cells))
    world = World([bridge], 2, device, "float64", terrain=[terrain])
    place(world, (0, 0, 0.1))
    state = run(world, 240)
    np.testing.assert_allclose(state["root_pos"][:, 2], 0.0, atol=1e-3)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 2], G, rtol=1e-3)


def test_an_env_does_not_know_how_many_there_are(device):
    def bits(envs: int) -> dict[str, np.ndarray]:
        actors = [in_parts(*CUP), ball(0.05), box((0.04, 0.05, 0.06))]
        world = World(actors, envs, device, ground=GroundPlane(), filter=0)
        place(world, (0, 0, 0.15), (0.02, 0, 0.3), (-0.02, 0.02, 0.45))
        return {name: values[0] for name, values in run(world, 90).items()}

    one, many = bits(1), bits(5)
    for name, values in one.items():
        assert np.array_equal(values, many[name]), name


def test_a_ring_that_vhacd_cut_lets_a_ball_through(device):
    """From a mesh to contacts: the hull of the ring would carry the ball on top."""
    pytest.importorskip("vhacdx")
    ring = trimesh.creation.annulus(r_min=0.1, r_max=0.15, height=0.2)
    mesh = Mesh("ring", np.array(ring.vertices), np.array(ring.faces))
    parts = decompose(mesh, DecompositionOptions(concavity=0.005))
    assert 4 <= len(parts) <= 24
    shape = Shape(0, ShapeKind.MESH, (1.0, 1.0, 1.0), mesh=mesh, parts=parts)
    world = World([body(shape, [mesh]), ball(0.08)], 2, device, "float64", ground=GroundPlane(), filter=0)
    place(world, (0, 0, 0.1), (0.005, 0, 0.4))
    state = run(world, 240)
    np.testing.assert_allclose(state["root_pos"][:, [2, 5]], [[0.1, 0.08]] * 2, atol=2e-3)
    assert np.linalg.norm(state["root_pos"][:, 3:5] - state["root_pos"][:, :2], axis=1).max() < 0.025


def test_scale_grows_the_parts(device):
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    scene.create_actor(0, in_parts(*CUP, fixed=True), filter=0, rest_offset=0.0)
    scene.create_actor(0, ball(0.08), filter=0, rest_offset=0.0)
    scene.envs[0].actors[0].scale = 2.0
    (plan,) = compile_scene(scene)
    batch = Batch(plan.model, 1, device, EngineOptions(precision="float64"))
    batch.control.dt, batch.control.substeps = 1 / 120, 1
    batch.state["root_pos"][:6, 0] = torch.tensor([0, 0, 0, 0.1, 0, 0.3], dtype=torch.float64)
    for _ in range(240):
        batch.step()
    assert batch.state["root_pos"][5, 0].item() == pytest.approx(0.08, abs=2e-4)
    assert abs(batch.state["root_pos"][3, 0].item()) < 0.12
