"""Convex shapes in the engine: at rest, in heaps, as data, and that an env stays a closed world."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
import trimesh

from kilogym.assets.asset import Asset, Link, Mesh, Shape, ShapeKind
from kilogym.assets.inertia import shape_mass_properties, six
from kilogym.engine.batch import FAULT_NONFINITE
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import FREE

G = 9.81


def mesh_of(vertices, name: str = "m") -> Mesh:
    hull = trimesh.convex.convex_hull(np.asarray(vertices, float))
    return Mesh(name, np.array(hull.vertices), np.array(hull.faces))


CUBE = mesh_of(list(itertools.product((-0.1, 0.1), repeat=3)))
CLOUDS = [np.random.default_rng(i).normal(size=(12 + 5 * i, 3)) * 0.1 + [0.3, 0, 0] for i in range(4)]
ROCKS = [mesh_of(cloud, f"rock{i}") for i, cloud in enumerate(CLOUDS)]


def solid(kind: ShapeKind, size=(1.0, 1.0, 1.0), mesh: Mesh | None = None, mass: float = 1.0) -> Asset:
    properties = shape_mass_properties(kind, size, 1000.0, mesh).scaled_to(mass)
    inertia = six(properties.inertia)
    link = Link("l", -1, mass=mass, com=tuple(properties.com), inertia=inertia)
    return Asset(kind.value, (link,), shapes=(Shape(0, kind, size, mesh=mesh),), options=FREE)


def run(world: BatchWorld, steps: int) -> dict[str, np.ndarray]:
    for _ in range(steps):
        world.batch.step()
    assert not world.batch.fault.any()
    return world.state()


def throw(world: BatchWorld, seed: int, height: float = 0.3) -> None:
    """Every tree above the last, anyhow turned."""
    rng = np.random.default_rng(seed)
    state, n = world.state(), world.num_envs
    for tree in range(world.model.num_trees):
        state["root_pos"][:, 3 * tree : 3 * tree + 3] = rng.normal(size=(n, 3)) * 0.05 + [0, 0, height * (tree + 1)]
        quat = rng.normal(size=(n, 4))
        state["root_quat"][:, 4 * tree : 4 * tree + 4] = quat / np.linalg.norm(quat, axis=1, keepdims=True)
    state["root_lin_vel"][:] = rng.normal(size=state["root_lin_vel"].shape) * 0.3
    state["root_ang_vel"][:] = rng.normal(size=state["root_ang_vel"].shape)
    world.set_state(state)


def test_an_ellipsoid_of_equal_axes_is_a_sphere(device):
    """Dropped with spin on a slope, alone."""
    slope = GroundPlane(normal=(0.3, 0.1, 1.0))
    states = []
    for asset in (solid(ShapeKind.ELLIPSOID, (0.1, 0.1, 0.1)), solid(ShapeKind.SPHERE, (0.1, 0.0, 0.0))):
        world = BatchWorld([asset], 4, device, "float64", ground=slope)
        throw(world, 0)
        states.append(run(world, 120))
    np.testing.assert_allclose(states[0]["root_pos"], states[1]["root_pos"], atol=1e-9)
    np.testing.assert_allclose(states[0]["root_ang_vel"], states[1]["root_ang_vel"], atol=1e-8)


def test_the_hull_of_a_cube_is_the_cube(device):
    """Dropped on a corner it hits alike; on all four, which are swept in another order, it lies alike."""
    for flat, steps, slack in ((False, 12, 1e-9), (True, 120, 1e-6)):
        states = []
        for asset in (solid(ShapeKind.MESH, mesh=CUBE), solid(ShapeKind.BOX, (0.1, 0.1, 0.1))):
            world = BatchWorld([asset], 8, device, "float64", ground=GroundPlane())
            throw(world, 1, 0.2)
            if flat:
                state = world.state()
                state["root_quat"][:] = [0, 0, 0.1, np.sqrt(0.99)]
                state["root_lin_vel"][:] = state["root_ang_vel"][:] = 0
                world.set_state(state)
            states.append(run(world, steps))
            assert world.batch.contact_count.min() >= (4 if flat else 0)
            assert flat or (world.batch.contact_count > 0).any()
        seen = slice(2, 3) if flat else slice(0, 3)
        np.testing.assert_allclose(states[0]["root_pos"][:, seen], states[1]["root_pos"][:, seen], atol=slack)
        np.testing.assert_allclose(states[0]["root_ang_vel"], states[1]["root_ang_vel"], atol=100 * slack)


@pytest.fixture(scope="module")
def heap(device) -> BatchWorld:
    """A box, a cylinder, an ellipsoid, a ball, a capsule and a hull on each other."""
    kinds = {
        ShapeKind.BOX: (0.1, 0.12, 0.15), ShapeKind.CYLINDER: (0.1, 0.1, 0.0), ShapeKind.SPHERE: (0.1, 0.0, 0.0),
        ShapeKind.ELLIPSOID: (0.1, 0.12, 0.15), ShapeKind.CAPSULE: (0.06, 0.1, 0.0),
    }  # fmt: skip
    bodies = [solid(kind, size) for kind, size in kinds.items()]
    rock = mesh_of(CLOUDS[0] - CLOUDS[0].mean(axis=0))
    return BatchWorld([*bodies, solid(ShapeKind.MESH, mesh=rock)], 6, device, ground=GroundPlane(), filter=0)


def record(world: BatchWorld) -> dict[str, torch.Tensor]:
    batch = world.batch
    return {f"{t}.{k}": v.clone() for t in ("state", "output") for k, v in getattr(batch, t).items()}


def test_a_heap_comes_to_rest(heap):
    throw(heap, 2)
    state = run(heap, 720)
    z = state["root_pos"].reshape(6, -1, 3)[:, :, 2]
    assert z.min() > 0.03  # nothing sank in
    spin = np.abs(state["root_ang_vel"].reshape(6, -1, 3)[:, [0, 5]])  # box and hull; the others may roll away
    assert spin.max() < 0.05
    # between bodies forces cancel, so the ground carries it all; the mean of a second: an ellipsoid rolls on and hops
    force = 0
    for _ in range(120):
        run(heap, 1)
        force += heap.output("link_contact_force").reshape(6, -1, 3).sum(axis=1)[:, 2] / 120
    np.testing.assert_allclose(force, 6 * G, rtol=0.03)


def test_an_env_is_a_closed_world(heap):
    """Twice the same bits; those of an env are its own in another place; bad numbers stay where they are."""
    throw(heap, 3)
    start = {k: v.clone() for k, v in heap.batch.state.items()}
    run(heap, 60)
    first = record(heap)

    order = torch.tensor([3, 1, 5, 0, 2, 4], device=heap.device)
    for k, v in heap.batch.state.items():
        v.copy_(start[k][:, order])
    heap.forget()
    run(heap, 60)
    for k, v in record(heap).items():
        assert torch.equal(v, first[k][:, order]), k

    for tree, name in itertools.product(range(2), ("root_pos", "root_quat", "root_ang_vel")):
        for k, v in heap.batch.state.items():
            v.copy_(start[k])
        heap.forget()
        heap.batch.state[name][(4 if name == "root_quat" else 3) * tree, 2] = float("nan")
        for _ in range(60):
            heap.batch.step()
        assert int(heap.batch.fault[2]) & FAULT_NONFINITE
        others = [0, 1, 3, 4, 5]
        for k, v in record(heap).items():
            assert torch.equal(v[:, others], first[k][:, others]), k


def test_bodies_push_each_other_equally(device):
    """No ground, no gravity: at every step the reported forces cancel."""
    bodies = [solid(ShapeKind.BOX, (0.1, 0.2, 0.1)), solid(ShapeKind.MESH, mesh=ROCKS[2])]
    world = BatchWorld(bodies, 8, device, filter=0)
    world.batch.control.gravity = (0.0, 0.0, 0.0)
    throw(world, 4, height=0.25)
    touched = np.zeros(8, bool)
    for _ in range(60):
        run(world, 1)
        force = world.output("link_contact_force").reshape(8, 2, 3)
        touched |= np.abs(force).max(axis=(1, 2)) > 1
        assert np.abs(force.sum(axis=1)).max() <= 1e-6 * max(1.0, np.abs(force).max())
    assert touched.any()


def scene_of_rocks(scales=(1.0,) * 4) -> Scene:
    scene = Scene()
    scene.add_ground(GroundPlane())
    for i, (rock, scale) in enumerate(zip(ROCKS, scales, strict=True)):
        env = scene.create_env((0, 0, 0), (1, 1, 1), 2)
        actor = scene.create_actor(env, solid(ShapeKind.MESH, mesh=rock), group=i)
        scene.envs[env].actors[actor].scale = scale
    return scene


def test_envs_with_other_meshes_share_a_step():
    (plan,) = compile_scene(scene_of_rocks())
    assert len(plan.envs) == 4
    assert len(plan.model.hulls) == 4
    np.testing.assert_array_equal(plan.varying["shape_hull"], [[0, 1, 2, 3]])
    # posed about the hull's centre
    for i, hull in enumerate(plan.model.hulls):
        np.testing.assert_allclose(plan.varying["shape_pos"][:, i], hull.centre, rtol=1e-6)
        np.testing.assert_allclose(plan.varying["shape_size"][:, i], [1.0, hull.bound, hull.thickness], rtol=1e-6)


def test_a_scaled_actor_has_a_scaled_hull():
    (plan,) = compile_scene(scene_of_rocks((2.0, 1.0, 1.0, 0.5)))
    hull = plan.model.hulls[0]
    np.testing.assert_allclose(plan.varying["shape_size"][:, 0], [2.0, 2 * hull.bound, 2 * hull.thickness], rtol=1e-6)
    np.testing.assert_allclose(plan.varying["shape_pos"][:, 0], 2 * hull.centre, rtol=1e-6)


def test_equal_meshes_are_one_hull():
    scene = Scene()
    for i in range(3):
        env = scene.create_env((0, 0, 0), (1, 1, 1), 2)
        again = dataclasses.replace(CUBE, name=f"copy{i}", vertices=CUBE.vertices.copy())
        for at in range(2):
            scene.create_actor(env, solid(ShapeKind.MESH, mesh=again), (at, 0, 0), group=i, filter=0)
    (plan,) = compile_scene(scene)
    assert len(plan.model.hulls) == 1
    assert plan.model.pairs == [(0, 1)]
