"""Height fields and triangle meshes against closed forms, the plane, and brute force.

A world has a height field and a mesh, one of which is out of reach: all tests of some actors share a compiled step.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from kilogym.assets.load import load_asset
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.bodies import FREE, G, sphere
from kilogym.validation.kilogym_world import KilogymWorld
from kilogym.validation.terrains import NO_GROUND, as_mesh, both, energy, field_height, grid, level, skin, surface, zoo

ANT = Path(__file__).parents[2] / "src/kilogym/tasks/ant/ant.xml"
KINDS = ["field", "mesh"]


def on(field: HeightField, kind: str, actors: list[tuple], device: str, **more) -> KilogymWorld:
    return KilogymWorld(actors, device, ground=NO_GROUND, terrain=both(field, kind), filter=1, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_triangles_of_a_plane_are_the_plane(kind, device):
    """Shapes that slide and roll over seams move as on the ground plane: no seam is felt."""
    actors = zoo(0.1, 0.3)
    worlds = [
        KilogymWorld(actors, device, filter=1, terrain=both(surface(lambda x, y: level(x, y) - 500.0), kind)),
        on(surface(level), kind, actors, device),
    ]
    for world in worlds:
        for actor in range(4):
            world.place(actor, lin=(1.5, 0.7, 0.0))
    plane, terrain = (world.run(0.6, "roots")[0] for world in worlds)
    assert np.ptp(plane[:, 0, :, 0], axis=0).min() > 0.08  # nothing stood still: the box stops soonest
    np.testing.assert_allclose(terrain[..., :10], plane[..., :10], atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_at_rest(kind, device, measure):
    world = on(surface(level), kind, zoo(0.12), device)
    roots, forces = world.run(2.0, "roots", "forces")
    weights = forces[-1, 0, :, 2] / G
    measure(f"shapes at rest, {kind}", "contact force / m g - 1", np.abs(weights - 1).max(), 1e-5)
    measure(f"shapes at rest, {kind}", "penetration", (0.1 - roots[-1, 0, :, 2]).max(), 1e-4, "m")
    measure(f"shapes at rest, {kind}", "speed", np.abs(roots[-1, 0, :, 7:]).max(), 1e-5)


def slope(angle: float, kind: str, friction: float) -> HeightField | TriangleMesh:
    """Level triangles, turned so that they fall towards +x."""
    half = angle / 2
    field = surface(level, 121, static_friction=friction, dynamic_friction=friction)
    turned = surface(
        level, 121, static_friction=friction, dynamic_friction=friction, quat=(0, math.sin(half), 0, math.cos(half)),
        pos=(-6 * math.cos(angle), -6.0, 6 * math.sin(angle)),
    )  # fmt: skip
    return turned if kind == "field" else as_mesh(field, quat=(0, math.sin(half), 0, math.cos(half)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [0.95, 1.1])
def test_incline(kind, times, device, measure):
    """A cube sticks within the cone and slips beyond; a ball rolls down at 5/7 of g sin a and keeps to its line."""
    mu = 0.5
    angle = math.atan(times * mu)
    normal = np.array([math.sin(angle), 0, math.cos(angle)])
    quat = (0, math.sin(angle / 2), 0, math.cos(angle / 2))
    nowhere = surface(lambda x, y: level(x, y) - 1000.0, 2)
    field = slope(angle, kind, mu)
    terrain = [field, as_mesh(nowhere)] if kind == "field" else [nowhere, field]
    side = np.array([0, 0.35, 0])
    world = KilogymWorld(zoo(0.1, mu), device, ground=NO_GROUND, terrain=terrain, filter=1)
    for actor, offset in enumerate((0, 2, -1, 1)):
        world.place(actor, pos=0.1 * normal + offset * side, quat=quat)
    (roots,) = world.run(1.0, "roots")
    down = np.array([math.cos(angle), 0, -math.sin(angle)])
    velocity = roots[-1, 0, :, 7:10]
    cube = velocity[2] @ down
    if times < 1:
        measure(f"cube on a {kind}'s slope, 0.95 of the cone", "speed after 1 s", abs(cube), 1e-5, "m/s")
    else:
        exact = G * (math.sin(angle) - mu * math.cos(angle))
        measure(f"cube on a {kind}'s slope, 1.1 of the cone", "speed after 1 s, relative error", cube / exact - 1, 1e-2)
    ball = velocity[0] @ down / (5 / 7 * G * math.sin(angle)) - 1
    measure(f"ball rolls down a {kind}", "speed after 1 s, relative error", ball, 1e-3)
    measure(f"ball rolls down a {kind}", "sideways speed", abs(velocity[0, 1]), 1e-3, "m/s")


def shapes_on(field: HeightField, kind: str, device: str, places: list[tuple], seconds: float) -> tuple:
    """Put sphere, capsule, box, cylinder at (pos, quat) and let them settle: last roots and forces."""
    world = on(field, kind, zoo(), device)
    for actor, (pos, quat) in enumerate(places):
        world.place(actor, pos=pos, quat=quat)
    roots, forces = world.run(seconds, "roots", "forces")
    return roots[-1, 0], forces[-1, 0]


LEVEL = (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ridge_holds_what_lies_across_it(kind, device):
    """The ridge is between the ends of the capsule and the cylinder, and under the middle of the box."""
    field = surface(lambda x, y: -0.8 * np.abs(x) + 0 * y)
    places = [
        ((0.0, 1.0, 0.1), LEVEL),
        ((0.0, 0.513, 0.1), LEVEL),
        ((0.0, 0.004, 0.1), LEVEL),
        ((0.0, -0.513, 0.1), LEVEL),
    ]
    # capsule and cylinder of the zoo lie along y: turn them across
    turn = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))
    places[1], places[3] = (places[1][0], turn), (places[3][0], turn)
    roots, forces = shapes_on(field, kind, device, places, 1.0)
    np.testing.assert_allclose(roots[1:, 2], 0.1, atol=2e-4)
    np.testing.assert_allclose(forces[1:, 2], G, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_spike_under_the_middle_holds(kind, device):
    """No corner and no end is near it."""
    peaks = [(0.0, 0.5), (0.0, 0.0), (0.0, -0.5)]
    at = grid(41, 0.25)
    z = np.full((41, 41), -0.5)
    for x, y in peaks:
        z[np.abs(at - x).argmin(), np.abs(at - y).argmin()] = 0.0
    field = HeightField(z, (0.25, 0.25), (at[0], at[0], 0.0))
    turn = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))
    places = [((2.0, 2.0, 0.0), LEVEL), ((0.0, 0.5, 0.1), turn), ((0.0, 0.0, 0.1), LEVEL), ((0.0, -0.5, 0.1), turn)]
    roots, forces = shapes_on(field, kind, device, places, 0.5)
    np.testing.assert_allclose(roots[1:, 2], 0.1, atol=2e-4)
    np.testing.assert_allclose(forces[1:, 2], G, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_valley_holds_from_both_sides(kind, device):
    """A ball between two slopes: its centre is r / cos a above the bottom. Nothing sinks into a side."""
    field = surface(lambda x, y: 0.6 * np.abs(x) + 0 * y)
    places = [
        ((0.05, 1.0, 0.3), LEVEL),
        ((0.02, 0.413, 0.3), LEVEL),
        ((0.03, -0.4, 0.4), LEVEL),
        ((0.02, -1.0, 0.3), LEVEL),
    ]
    roots, forces = shapes_on(field, kind, device, places, 3.0)
    high = 0.1 * math.hypot(1, 0.6)
    np.testing.assert_allclose(roots[[0, 1, 3], 2], high, atol=2e-4)
    np.testing.assert_allclose(roots[[0, 1, 3], 0], 0.0, atol=1e-3)
    np.testing.assert_allclose(forces[:, 2], G, rtol=1e-3)
    np.testing.assert_allclose(forces[:, :2], 0.0, atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_in_a_corner_is_held_by_both_walls(kind, device):
    """A cube slides into the inner corner of floor and wall and stops; the wall is a cell wide."""
    field = surface(lambda x, y: np.where(x > 0.05, 1.0, 0.0) + 0 * y)
    world = on(field, kind, zoo(0.1, 0.2), device)
    world.place(0, pos=(-0.4, 1.0, 0.1), lin=(2.0, 0.0, 0.0))
    world.place(2, pos=(-0.4, -0.4, 0.1), lin=(2.0, 0.2, 0.0))
    (roots,) = world.run(0.7, "roots")
    assert roots[:, 0, 2, 0].max() < -0.08  # the foot of the wall is at x = 0; the cube tips a little
    assert roots[:, 0, 0, 0].max() < 0.0
    np.testing.assert_allclose(roots[-1, 0, [0, 2], 2], 0.1, atol=3e-4)


def to_triangles(points: np.ndarray, mesh) -> np.ndarray:
    """Distance of each point to a mesh by brute force: to each plane, or to each edge where beside the triangle."""
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    best = np.full(len(points), np.inf)
    n = np.cross(b - a, c - a)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    for i, p in enumerate(points):
        height = ((p - a) * n).sum(1)
        foot = p - height[:, None] * n
        inside = np.ones(len(a), bool)
        nearest = np.full(len(a), np.inf)
        for u, w in ((a, b), (b, c), (c, a)):
            inside &= (np.cross(w - u, foot - u) * n).sum(1) >= 0
            t = np.clip(((p - u) * (w - u)).sum(1) / ((w - u) ** 2).sum(1), 0, 1)
            nearest = np.minimum(nearest, np.linalg.norm(u + t[:, None] * (w - u) - p, axis=1))
        best[i] = np.where(inside, np.abs(height), nearest).min()
    return best


@pytest.mark.parametrize("kind", KINDS)
def test_random_terrain_neither_swallows_nor_throws(kind, device):
    """Spikes and pits as wide as the shapes, up to 67 degrees steep: nothing sinks in, no contact makes energy."""
    rng = np.random.default_rng(4)
    field = surface(lambda x, y: rng.uniform(-0.12, 0.12, (41, 41)) + 0.3 * (x**2 + y**2))
    actors = zoo(0.3, 1.0)
    world = on(field, kind, actors, device, envs=16)
    for actor in range(4):
        world.place(actor, pos=np.c_[rng.uniform(-1, 1, (16, 2)), np.full(16, 1.0)])
    (roots,) = world.run(2.5, "roots")
    for actor, (asset, _) in enumerate(actors):
        state = roots[:, :, actor]
        energies = energy(asset, state)
        assert np.diff(energies, axis=0).max() < 0.05, asset.shapes[0].kind  # of 10 J; rounding of edges and the solver
        for moment in state[::10]:
            points = skin(asset, moment)
            assert (field_height(field, points) - points[..., 2]).max() < 5e-3, asset.shapes[0].kind
    balls = roots[-1, :, 0]
    resting = np.abs(balls[:, 7:10]).max(axis=1) < 1e-2
    assert resting.sum() >= 4
    np.testing.assert_allclose(to_triangles(balls[resting, :3], field.mesh()), 0.1, atol=3e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_normals_of_a_bowl(kind, device):
    """Balls pressed on a paraboloid: the force is along its normal, as far as triangles follow it."""
    field = surface(lambda x, y: 0.25 * (x**2 + y**2), 81, 0.05, static_friction=0.0, dynamic_friction=0.0)
    places = np.random.default_rng(1).uniform(-1.2, 1.2, (32, 2))
    normal = np.c_[-0.5 * places, np.ones(32)]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    foot = np.c_[places, 0.25 * (places**2).sum(1)]
    world = on(field, kind, zoo(0.1, 0.0), device, envs=32, gravity=(0.0, 0.0, 0.0))
    world.place(0, pos=foot + 0.1 * normal, lin=-0.1 * normal)
    for actor in (1, 2, 3):
        world.place(actor, pos=(0.0, 0.0, 5.0))
    force = np.zeros((32, 3))
    for _ in range(8):
        world.step()
        force += world.forces()[:, 0]
    assert (np.linalg.norm(force, axis=1) > 0).all()
    force /= np.linalg.norm(force, axis=1, keepdims=True)
    # a triangle's normal is that of the paraboloid somewhere in it, at most 0.05 m away: half of that per metre
    assert (np.arccos(np.clip((force * normal).sum(1), -1, 1)) < 0.5 * 0.05 * 1.5).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kilometre_away(kind, device):
    """Terrain that repeats: an env a kilometre off does to the eye what the env at the origin does."""
    n = 10051
    bumps = np.random.default_rng(2).uniform(-0.05, 0.05, (10000, 31))
    z = bumps[(np.arange(n) - 25) % 10000]
    field = HeightField(z, (0.1, 0.1), (-2.5, -1.5, 0.0))
    world = on(field, kind, zoo(0.3), device, envs=2, spacing=1000.0)
    assert world.sim.env_origin(1)[0] == 1000.0
    (roots,) = world.run(0.8, "roots")
    np.testing.assert_allclose(roots[:, 1], roots[:, 0], atol=1e-3)
    np.testing.assert_allclose(roots[: world.steps_in(0.35), 1], roots[: world.steps_in(0.35), 0], atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_tunnels(kind, device):
    """Down at up to 30 m/s, 0.25 m a step, at all phases of the step."""
    speeds = np.linspace(3, 30, 24)
    world = on(surface(level), kind, zoo(), device, envs=24)
    for actor in range(4):
        world.place(
            actor,
            pos=np.c_[np.full(24, 0.1 * actor), np.zeros(24), 0.5 + 0.3 * speeds / 30],
            lin=np.c_[0 * speeds, 0 * speeds, -speeds],
        )
    (roots,) = world.run(0.5, "roots")
    assert roots[..., 2].min() > 0.1 - 5e-3
    np.testing.assert_allclose(roots[-1, :, 0, 2], 0.1, atol=1e-3)


def test_under_a_field_all_is_solid(device):
    """Half a metre deep, a box and a ball come up again."""
    world = on(surface(level), "field", zoo(), device, max_depenetration_velocity=2.0)
    for actor, x in ((0, -1.0), (2, 1.0)):
        world.place(actor, pos=(x, 0.013, -0.5))
    (roots,) = world.run(1.5, "roots")
    np.testing.assert_allclose(roots[-1, 0, [0, 2], 2], 0.1, atol=1e-3)


def test_a_mesh_is_felt_from_its_outside_only(device):
    """From behind a ball passes; overlapping by less than its radius it is pushed out, further behind it falls."""
    world = on(surface(level), "mesh", zoo(), device, envs=3)
    world.place(
        0, pos=[(0.0, 0.013, -1.0), (0.0, 0.013, -0.05), (0.0, 0.013, -0.3)], lin=[(0, 0, 6.0), (0, 0, 0), (0, 0, 0)]
    )
    (roots,) = world.run(0.4, "roots")
    assert roots[:, 0, 0, 2].max() > 0.3
    assert roots[-1, 1, 0, 2] > 0.09
    assert roots[-1, 2, 0, 2] < -0.5


def test_terrains_have_materials_of_their_own(device, measure):
    """v^2 / (2 mu g) on a slippery field, a rough mesh and the plane below; friction of a pair is the mean."""
    field = surface(level, 41, dynamic_friction=0.2, static_friction=0.2, pos=(-2.0, -2.0, 1.0))
    mesh = as_mesh(surface(level, 41, dynamic_friction=0.6, static_friction=0.6), pos=(10.0, 0.0, 2.0))
    world = KilogymWorld(zoo(0.1, 0.2), device, terrain=[field, mesh], filter=1, envs=3)
    world.place(2, pos=[(-1.0, 0.0, 1.1), (9.0, 0.0, 2.1), (30.0, 0.0, 0.1)], lin=(1.5, 0.0, 0.0))
    start = world.roots()[:, 2, 0]
    world.step(world.steps_in(1.5))
    moved = world.roots()[:, 2, 0] - start
    exact = 1.5**2 / (2 * G * (0.2 + np.array([0.2, 0.6, 1.0])) / 2)
    measure("box stops on field, mesh, plane", "distance, worst relative error", np.abs(moved / exact - 1).max(), 2e-2)


def test_terrain_gives_back_what_it_is_told(device, measure):
    """Restitution of a pair is the mean."""
    field = surface(level, restitution=0.8)
    ball = (sphere(restitution=0.6), (0.0, 0.013, 1.1))
    world = KilogymWorld([ball], device, ground=False, terrain=[field], filter=1)
    (roots,) = world.run(0.95, "roots")
    height = roots[:, 0, 0, 2] - 0.1
    measure("ball on an elastic field", "sqrt(rebound height) - e", math.sqrt(height[60:].max()) - 0.7, 2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_envs_the_same_bits(kind, device):
    field = surface(lambda x, y: 0.1 * np.sin(5 * x) * np.cos(4 * y))
    histories = []
    for envs in (1, 5):
        world = on(field, kind, zoo(0.3), device, envs=envs)
        histories.append(world.run(0.6, "roots", "forces"))
    for one, many in zip(*histories, strict=True):
        for env in range(5):
            assert np.array_equal(one[:, 0], many[:, env])


@pytest.mark.parametrize("kind", KINDS)
def test_an_ant_on_rough_ground(kind, device):
    """5 s of random torques on bumps as high as its legs are thick, twice: nothing diverges, no part sinks."""
    bumps = np.random.default_rng(3).uniform(-0.08, 0.08, (81, 81))
    field = HeightField(bumps, (0.25, 0.25), (-10.0, -10.0, 0.0))
    ant = dataclasses.replace(load_asset(ANT.parent, ANT.name), options=FREE)
    terrain = both(field, kind)
    world = KilogymWorld([(ant, (0.0, 0.0, 0.8))], device, envs=8, ground=NO_GROUND, terrain=terrain, filter=1)
    rng = np.random.default_rng(0)
    for step in range(300):
        if step % 10 == 0:
            world.drive(rng.uniform(-15, 15, (8, world.dofs)))
        world.step(2)
        if step % 20 == 0:
            bodies = world.bodies()
            assert np.isfinite(bodies).all()
            # origins of bodies are inside them
            assert (field_height(field, bodies[..., :3]) - bodies[..., 2]).max() < 0.0
    report = world.sim.check_faults()
    assert not report.diverged
    assert not report.overflowed
