"""Contacts of signed distance fields: on boxes as boxes do, holes are holes, threads are threads."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
import torch
import trimesh
from test_parts import CUP, ball, body, box, in_parts, place, run, throw_at_each_other
from threads import bolt, nut

from kilogym.assets.asset import Asset, Mesh, Shape, ShapeKind
from kilogym.assets.distance_field import distance_field
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.engine.build import SDF_HEADERS, native_source
from kilogym.engine.model import SHAPE_SDF
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene
from kilogym.scene.hulls import HullLibrary
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.batch_world import BatchWorld as World

G = 9.81


@cache
def ring_mesh(inner: float, outer: float, height: float, sections: int = 64) -> Mesh:
    solid = trimesh.creation.annulus(r_min=inner, r_max=outer, height=height, sections=sections)
    return Mesh("ring", np.array(solid.vertices), np.array(solid.faces))


def mesh_of(solid: trimesh.Trimesh) -> Mesh:
    return Mesh("m", np.array(solid.vertices), np.array(solid.faces))


def with_field(mesh: Mesh, resolution: int, mass: float = 1.0, fixed: bool = False) -> Asset:
    shape = Shape(0, ShapeKind.MESH, (1.0, 1.0, 1.0), mesh=mesh, field=distance_field(mesh, resolution))
    return body(shape, [mesh], mass, fixed)


def as_hull(mesh: Mesh, mass: float = 1.0, fixed: bool = False) -> Asset:
    return body(Shape(0, ShapeKind.MESH, (1.0, 1.0, 1.0), mesh=mesh), [mesh], mass, fixed)


def primitive(kind: ShapeKind, size, mesh: Mesh, mass: float = 1.0) -> Asset:
    return body(Shape(0, kind, size), [mesh], mass)


def slab(fixed: bool = True, mass: float = 1.0) -> Asset:
    return with_field(mesh_of(trimesh.creation.box((0.4, 0.4, 0.1))), 32, mass, fixed)


def push(world: World, tree: int, lin=(0, 0, 0), ang=(0, 0, 0)) -> None:
    state = world.state()
    state["root_lin_vel"][:, 3 * tree : 3 * tree + 3] = lin
    state["root_ang_vel"][:, 3 * tree : 3 * tree + 3] = ang
    world.set_state(state)


# the library; the source ---------------------------------------------------------------------------------------------


def test_a_mesh_with_a_field_is_not_the_mesh_alone():
    asset = slab()
    (shape,) = asset.shapes
    library = HullLibrary()
    assert library.of(shape.mesh) == 0
    assert library.of(shape.mesh, field=shape.field) == 1
    assert library.of(Mesh("", shape.mesh.vertices.copy(), shape.mesh.triangles), field=shape.field) == 1
    assert [hull.field is None for hull in library.hulls] == [True, False]


def test_there_is_code_for_fields_only_where_shapes_have_them(device):
    """Without, the source holds not a word of them; with, it is the same but for what is added."""
    plain = World([box((0.1, 0.1, 0.1)), ball(0.1)], 1, device, filter=0).batch
    fields = World([slab(), ball(0.1)], 1, device, filter=0).batch
    assert not plain._has_sdf
    assert fields._has_sdf
    assert not hasattr(plain, "sdf_reals")
    without, with_them = native_source("", False), native_source("", False, sdf=True)
    assert "sdf" not in without.lower()
    added = set(with_them.splitlines()) - set(without.splitlines())
    assert set(without.splitlines()) <= set(with_them.splitlines())
    assert len(with_them) > len(without) + 10000
    for names in SDF_HEADERS.values():
        for name in names:
            assert f"// ---- {name}" in added


def test_a_field_that_meets_nothing_costs_nothing(device):
    cube = slab(fixed=False)
    for more, met in (({}, False), ({"ground": GroundPlane()}, True), ({"terrain": [flat_field()]}, True)):
        world = World([cube], 1, device, filter=1, **more)
        assert world.batch._has_sdf == met
        assert world.model.shape_kind == [SHAPE_SDF] * met


# as a box ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_ball_rolls_on_a_field_as_on_a_box(device, precision):
    tracks = []
    flat = body(Shape(0, ShapeKind.BOX, (0.2, 0.2, 0.05)), slab_meshes(), fixed=True)
    for ground in (slab(), flat):
        world = World([ground, ball(0.05)], 2, device, precision, filter=0)
        place(world, (0, 0, 0), (-0.1, 0.02, 0.1005))
        run(world, 60)
        push(world, 1, lin=(0.3, 0.05, 0))
        tracks.append([run(world, 1) for _ in range(60)])
    for on_field, on_box in zip(*tracks, strict=True):
        np.testing.assert_allclose(on_field["root_pos"], on_box["root_pos"], atol=1e-4)
        np.testing.assert_allclose(on_field["root_lin_vel"], on_box["root_lin_vel"], atol=1e-3)
        np.testing.assert_allclose(on_field["root_ang_vel"], on_box["root_ang_vel"], atol=2e-2)
    np.testing.assert_allclose(tracks[0][-1]["root_lin_vel"][:, 3], 0.3 * 5 / 7, rtol=1e-3)


def slab_meshes() -> list[Mesh]:
    return [mesh_of(trimesh.creation.box((0.4, 0.4, 0.1)))]


def solids() -> dict[str, tuple[Asset, float]]:
    """Bodies and how high they stand."""
    cylinder = mesh_of(trimesh.creation.cylinder(0.05, 0.08))
    cube = mesh_of(trimesh.creation.box((0.1, 0.12, 0.06)))
    ellipsoid = trimesh.creation.icosphere(subdivisions=3)
    ellipsoid.apply_scale((0.06, 0.06, 0.03))
    return {
        "box": (box((0.05, 0.06, 0.03)), 0.03),
        "cylinder": (primitive(ShapeKind.CYLINDER, (0.05, 0.04, 0.0), cylinder), 0.04),
        "capsule": (primitive(ShapeKind.CAPSULE, (0.03, 0.05, 0.0), cylinder), 0.08),
        "ellipsoid": (primitive(ShapeKind.ELLIPSOID, (0.06, 0.06, 0.03), mesh_of(ellipsoid)), 0.03),
        "hull": (as_hull(cube), 0.03),
        "parts": (in_parts(*CUP), 0.1),
        "field": (with_field(cube, 24), 0.03),
    }


@pytest.mark.parametrize("name", ["box", "cylinder", "ellipsoid", "hull", "parts", "field"])
def test_every_shape_rests_and_slides_on_a_field(device, name):
    """It stands at its height, the field carries its weight, and without friction it slides on at its speed."""
    asset, height = solids()[name]
    world = World([slab(), asset], 2, device, "float64", filter=0)
    place(world, (0, 0, 0), (-0.05, 0.013, 0.0505 + height))
    state = run(world, 180)
    np.testing.assert_allclose(state["root_pos"][:, 5], 0.05 + height, atol=1e-4)
    rocks = 2e-3 if name == "ellipsoid" else 0.0  # for long, undamped
    np.testing.assert_allclose(state["root_lin_vel"][:, 3:], 0, atol=1e-3 + rocks)
    force = world.output("link_contact_force")
    np.testing.assert_allclose(force[:, 5], G, rtol=2e-3)
    np.testing.assert_allclose(force[:, :3], -force[:, 3:], atol=1e-9)
    world.batch.params["shape_friction"][:] = 0
    push(world, 1, lin=(0.3, 0, 0))
    for _ in range(30):  # 75 mm
        state = run(world, 1)
        np.testing.assert_allclose(state["root_lin_vel"][:, 3], 0.3, atol=3e-3)
        np.testing.assert_allclose(state["root_pos"][:, 5], 0.05 + height, atol=2e-4)
        np.testing.assert_allclose(state["root_ang_vel"][:, 3:], 0, atol=0.05 + 100 * rocks)


def test_a_capsule_lies_on_a_field(device):
    asset, _ = solids()["capsule"]
    world = World([slab(), asset], 2, device, "float64", filter=0)
    place(world, (0, 0, 0), (0, 0, 0.0805))
    state = world.state()
    state["root_quat"][:, 4:] = [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]
    world.set_state(state)
    state = run(world, 120)
    np.testing.assert_allclose(state["root_pos"][:, 5], 0.08, atol=1e-4)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 5], G, rtol=2e-3)


def test_a_stack_of_fields_stands(device):
    """Four equal cubes, edges on edges, 5 s; then every step finds the contacts of the last, by their numbers."""
    cube = with_field(mesh_of(trimesh.creation.box((0.1, 0.1, 0.1))), 20)
    world = World([cube] * 4, 1, device, "float64", ground=GroundPlane(), filter=0, max_contacts=96)
    place(world, *((0, 0, 0.05 + 0.1 * i) for i in range(4)))
    state = run(world, 600)
    pos = state["root_pos"].reshape(-1, 3)
    np.testing.assert_allclose(pos[:, 2], 0.05 + 0.1 * np.arange(4), atol=1e-3)
    np.testing.assert_allclose(pos[:, :2], 0, atol=2e-3)
    assert not world.batch.contact_overflow.any()
    found = world.batch._warm["warm_slot"].clone()
    assert 16 <= (found >= 0).sum() <= 32
    for _ in range(20):
        run(world, 1)
        assert torch.equal(world.batch._warm["warm_slot"], found)


# hollows -------------------------------------------------------------------------------------------------------------

PEG_RADIUS, PEG_HALF, PLAY, HOLE_HEIGHT = 10e-3, 15e-3, 0.5e-3, 20e-3


def pegs() -> dict[str, Asset]:
    mesh = mesh_of(trimesh.creation.cylinder(PEG_RADIUS, 2 * PEG_HALF, sections=64))
    return {
        "field": with_field(mesh, 64, 0.05), "hull": as_hull(mesh, 0.05),
        "cylinder": primitive(ShapeKind.CYLINDER, (PEG_RADIUS, PEG_HALF, 0.0), mesh, 0.05),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["field", "hull", "cylinder"])
def test_a_peg_drops_into_its_hole(device, name):
    """0.5 mm of play; from 5 mm above, off by 0.1 mm, it falls to the ground and stands. The hole's hull stops it."""
    block = ring_mesh(PEG_RADIUS + PLAY, 2 * PEG_RADIUS, HOLE_HEIGHT)
    holes = with_field(block, 128, fixed=True), as_hull(block, fixed=True)
    for hole, height in zip(holes, (PEG_HALF, HOLE_HEIGHT + PEG_HALF), strict=True):
        world = World([hole, pegs()[name]], 2, device, "float32", ground=GroundPlane(), filter=0)
        place(world, (0, 0, HOLE_HEIGHT / 2), (1e-4, 0, HOLE_HEIGHT + PEG_HALF + 5e-3))
        state = run(world, 180)
        np.testing.assert_allclose(state["root_pos"][:, 5], height, atol=5e-5)
        assert np.linalg.norm(state["root_pos"][:, 3:5], axis=1).max() < PLAY * 1.02
        np.testing.assert_allclose(state["root_lin_vel"][:, 3:], 0, atol=2e-3)
        up = 1 - 2 * (state["root_quat"][:, 4:6] ** 2).sum(axis=1)
        assert up.min() > 0.9999


def test_walls_of_a_hole_hold_a_peg(device):
    """Pushed sideways by five times its weight it leans on the wall and goes no farther."""
    block = ring_mesh(PEG_RADIUS + PLAY, 2 * PEG_RADIUS, HOLE_HEIGHT)
    world = World([with_field(block, 128, fixed=True), pegs()["field"]], 2, device, "float64", filter=0,
                  ground=GroundPlane())  # fmt: skip
    place(world, (0, 0, HOLE_HEIGHT / 2), (0, 0, PEG_HALF + 1e-5))
    world.batch.control.has_wrench = True
    for _ in range(120):
        force = np.zeros((2, 6))
        force[:, 3] = 5 * 0.05 * G
        world.set_input(link_force=force)
        state = run(world, 1)
    assert (state["root_pos"][:, 3] < PLAY * 1.2).all()
    assert (state["root_pos"][:, 3] > PLAY * 0.5).all()
    np.testing.assert_allclose(
        state["root_pos"][:, 5], PEG_HALF, atol=PLAY * 0.4
    )  # rattling; how much hangs on rounding


def test_a_ball_lies_in_a_hole_of_less_width(device):
    """It touches the rim all around; where it stands is a right triangle."""
    world = World([with_field(ring_mesh(6e-3, 20e-3, 20e-3), 128, fixed=True), ball(10e-3, 0.03)], 2, device, "float64",
                  filter=0)  # fmt: skip
    place(world, (0, 0, 0), (1e-3, 0, 19e-3))
    state = run(world, 240)
    np.testing.assert_allclose(state["root_pos"][:, 5], 18e-3, atol=1e-4)
    np.testing.assert_allclose(state["root_pos"][:, 3:5], 0, atol=1e-4)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 5], 0.03 * G, rtol=0.05)


def test_scale_grows_a_hole(device):
    """A ball as wide as the hole and a half falls through when the hole is twice as wide."""
    heights = []
    for scale in (1.0, 2.0):
        scene = Scene()
        scene.add_ground(GroundPlane())
        scene.create_env((0, 0, 0), (0, 0, 0), 1)
        scene.create_actor(0, with_field(ring_mesh(0.02, 0.05, 0.04), 64, fixed=True), filter=0, rest_offset=0.0)
        scene.create_actor(0, ball(0.03), filter=0, rest_offset=0.0)
        scene.envs[0].actors[0].scale = scale
        (plan,) = compile_scene(scene)
        batch = Batch(plan.model, 1, device, EngineOptions(precision="float64"))
        batch.control.dt, batch.control.substeps = 1 / 120, 1
        pos = [0, 0, 0.02 * scale, 0, 0, 0.04 * scale + 0.025]
        batch.state["root_pos"][:6, 0] = torch.tensor(pos, dtype=torch.float64)
        for _ in range(120):
            batch.step()
        heights.append(batch.state["root_pos"][5, 0].item())
    np.testing.assert_allclose(heights, [0.04 + 5**0.5 * 0.01, 0.03], atol=5e-4)


# threads -------------------------------------------------------------------------------------------------------------

PITCH, ROOT, DEPTH = 2e-3, 6.8e-3, 1.0e-3


@cache
def threads() -> tuple[Asset, Asset]:
    """A bolt of 16 mm, fixed, and its nut of 20 g with 0.1 mm of play."""
    rod, ring = bolt(30e-3, PITCH, ROOT, DEPTH), nut(8e-3, PITCH, ROOT, DEPTH, 1e-4, 12e-3)
    assert trimesh.Trimesh(rod.vertices, rod.triangles, process=False).is_watertight
    assert trimesh.Trimesh(ring.vertices, ring.triangles, process=False).is_watertight
    return with_field(rod, 256, fixed=True), with_field(ring, 200, 0.02)


def turn_nut(device, torque: float, steps: int) -> list[tuple[float, float]]:
    """Turns about z and height [m] of a nut on its bolt, without friction, after each step of 1/120 s."""
    world = World([*threads()], 1, device, filter=0)
    world.batch.control.substeps = 2
    world.batch.control.has_wrench = True
    world.batch.params["shape_friction"][:] = 0
    place(world, (0, 0, 0), (0, 0, 10e-3))
    turns, out = 0.0, []
    for _ in range(steps):
        world.set_input(link_torque=np.array([[0, 0, 0, 0, 0, torque]]))
        state = run(world, 1)
        turns += state["root_ang_vel"][0, 5] / 120 / (2 * np.pi)
        out.append((turns, state["root_pos"][0, 5]))
        tilt = 2 * (state["root_quat"][0, 4:6] ** 2).sum() ** 0.5
        assert tilt < 0.03  # 0.2 mm over the nut's length
        assert np.linalg.norm(state["root_pos"][0, 3:5]) < 2e-4
    return out


def test_a_nut_turns_down_its_bolt_by_its_weight(device):
    """It goes down by the pitch per turn, and turns ever faster."""
    track = turn_nut(device, 0.0, 120)
    (t0, z0), (t1, z1) = track[20], track[-1]
    assert t1 < -0.8
    assert (z1 - z0) / (t1 - t0) == pytest.approx(PITCH, rel=0.02)
    speed = np.diff([turns for turns, _ in track])
    assert speed[-1] < 1.2 * speed[60] < 0


def test_a_torque_drives_a_nut_up(device):
    """Its weight holds 0.02 kg g pitch / 2 pi = 6e-5 N m."""
    track = turn_nut(device, 2e-4, 120)
    (t0, z0), (t1, z1) = track[20], track[-1]
    assert t1 > 0.8
    assert (z1 - z0) / (t1 - t0) == pytest.approx(PITCH, rel=0.02)


def test_friction_holds_a_nut(device):
    world = World([*threads()], 1, device, filter=0)
    place(world, (0, 0, 0), (0, 0, 10e-3))
    run(world, 60)
    before = world.state()["root_pos"][0, 5]
    state = run(world, 120)
    assert state["root_pos"][0, 5] == pytest.approx(before, abs=1e-5)
    assert before > 9.9e-3


# laws ----------------------------------------------------------------------------------------------------------------


def fork() -> Mesh:
    """A base with two prongs, as one closed surface."""
    outline = np.array([(0, 0), (3, 0), (3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3)], float) * 0.1 - (0.15, 0.1)
    caps = [(0, 1, 4), (0, 4, 5), (1, 2, 4), (2, 3, 4), (0, 5, 7), (5, 6, 7)]
    vertices = np.concatenate([np.insert(outline, 1, y, axis=1) for y in (-0.05, 0.05)])
    triangles = [*caps, *((8 + a, 8 + c, 8 + b) for a, b, c in caps)]
    for a, b in itertools.pairwise([*range(8), 0]):
        triangles += [(b, a, a + 8), (b, a + 8, b + 8)]
    return Mesh("fork", vertices, np.array(triangles))


def test_contacts_push_back_on_the_other(device):
    """Without gravity or ground two forks hit each other: momentum, and angular momentum, stay."""
    a, b = with_field(fork(), 40, 2.0), with_field(fork(), 40)
    world = World([a, b], 6, device, "float64", filter=0)
    world.batch.control.gravity = (0.0, 0.0, 0.0)
    throw_at_each_other(world, 0.5)
    seen = torch.zeros(6, dtype=torch.bool, device=device)
    start = momenta(world, (a, b))
    for _ in range(120):
        world.batch.step()
        seen |= world.batch.contact_count > 0
        lin, ang = momenta(world, (a, b))
        np.testing.assert_allclose(lin, start[0], atol=1e-9)
        np.testing.assert_allclose(ang, start[1], atol=2e-4)
    assert seen.all()
    assert not world.batch.fault.any()
    assert np.abs(world.state()["root_lin_vel"][:, 2]).min() > 0.05  # the other one moves on


def momenta(world: World, assets) -> tuple[np.ndarray, np.ndarray]:
    """Linear and angular momentum, the latter about the origin: (envs, 3) each."""
    from scipy.spatial.transform import Rotation

    from kilogym.assets.inertia import matrix

    state = world.state()
    lin = ang = 0.0
    for i, asset in enumerate(assets):
        link = asset.links[0]
        v, w = (state[name][:, 3 * i : 3 * i + 3] for name in ("root_lin_vel", "root_ang_vel"))
        rot = Rotation.from_quat(state["root_quat"][:, 4 * i : 4 * i + 4])
        at = state["root_pos"][:, 3 * i : 3 * i + 3] + rot.apply(link.com)
        lin = lin + link.mass * v
        ang = ang + link.mass * np.cross(at, v) + rot.apply(rot.inv().apply(w) @ matrix(link.inertia))
    return lin, ang


def test_deep_overlap_comes_apart(device):
    """Half in each other, forks part without a kick."""
    world = World([with_field(fork(), 40), with_field(fork(), 40)], 4, device, "float32", filter=0)
    world.batch.control.gravity = (0.0, 0.0, 0.0)
    place(world, (0, 0, 0), (0.03, 0.02, 0.1))
    state = world.state()
    state["root_pos"][:, 3:] += np.random.default_rng(1).uniform(-0.02, 0.02, (4, 3))
    world.set_state(state)
    state = run(world, 360)
    assert np.linalg.norm(state["root_lin_vel"], axis=1).max() < 5.0
    assert np.linalg.norm(state["root_ang_vel"], axis=1).max() < 30.0


@pytest.mark.parametrize("speed", [1.0, 100.0])
def test_a_pile_of_all_shapes_stays_finite(device, speed):
    """Thrown at each other and onto bumps: no state that is not finite, and fields do not add speed."""
    heights = np.random.default_rng(3).uniform(-0.05, 0.05, (21, 21))
    bumps = HeightField(heights, (0.1, 0.1), pos=(-1, -1, 0))
    robots = [with_field(fork(), 32), with_field(ring_mesh(0.03, 0.06, 0.04), 32, 0.3), ball(0.05)]
    robots += [solids()[name][0] for name in ("box", "cylinder", "ellipsoid", "capsule", "parts", "hull")]
    world = World(robots, 8, device, "float32", filter=0, terrain=[bumps, bumps.as_mesh()])
    state = world.random_state(1, spread=0.15, speed=speed)
    state["root_pos"].reshape(8, -1, 3)[:, :, 2] += 0.6
    world.set_state(state)
    fastest = np.abs(state["root_lin_vel"]).max()
    for _ in range(60):
        world.batch.step()
        assert not (world.batch.fault & 1).any()
    assert np.abs(world.state()["root_lin_vel"]).max() < 2 * fastest + 10
    assert not world.batch.contact_overflow.any()


def test_a_ball_bounces_from_a_field(device):
    """Restitution as of any other shape."""
    world = World([slab(), ball(0.05)], 1, device, "float64", filter=0)
    world.batch.params["shape_restitution"][:] = 0.8
    place(world, (0, 0, 0), (0.01, 0.0, 0.1 + 0.2))
    highest = [state["root_pos"][0, 5] - 0.1 for state in (run(world, 1) for _ in range(70))]
    assert max(highest[30:]) == pytest.approx(0.2 * 0.8**2, rel=0.03)


def test_the_same_bits(device):
    """For any number of envs, and each time."""

    def bits(envs: int) -> dict[str, np.ndarray]:
        ring = with_field(ring_mesh(0.03, 0.06, 0.04), 32)
        actors = [with_field(fork(), 32), ball(0.05), box((0.04, 0.05, 0.06)), ring]
        world = World(actors, envs, device, ground=GroundPlane(), filter=0)
        place(world, (0, 0, 0.15), (0.02, 0, 0.4), (-0.02, 0.02, 0.5), (0.02, 0.01, 0.62))
        return {name: values[0] for name, values in run(world, 60).items()}

    one, many, again = bits(1), bits(5), bits(5)
    for name, values in one.items():
        assert np.array_equal(values, many[name]), name
        assert np.array_equal(again[name], many[name]), name


# the ground ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_ball_with_a_field_rolls_on_the_ground(device, precision):
    """Of 20480 triangles, with points 2.3 mm apart: a polyhedron of these, it loses an eighth of its speed in half a
    second, a hull of 64 vertices half of it."""
    mesh = mesh_of(trimesh.creation.icosphere(subdivisions=5, radius=0.05))
    ends = []
    for asset in (with_field(mesh, 48), as_hull(mesh)):
        world = World([asset], 2, device, precision, ground=GroundPlane())
        place(world, (0, 0, 0.0501))
        run(world, 30)
        push(world, 0, lin=(0.3, 0, 0), ang=(0, 6, 0))
        track = [run(world, 1) for _ in range(60)]
        ends.append(track[-1]["root_lin_vel"][:, 0])
        if asset.shapes[0].field is not None:
            for state in track:
                np.testing.assert_allclose(state["root_pos"][:, 2], 0.05, atol=2e-4)
                np.testing.assert_allclose(state["root_lin_vel"][:, 1:], 0, atol=0.02)
    assert ends[0].min() > 0.25
    assert ends[1].max() < 0.2


def test_a_field_stands_on_the_ground(device):
    """Without a partner to collide with; pushed without friction it slides on."""
    cube = with_field(mesh_of(trimesh.creation.box((0.1, 0.12, 0.06))), 24)
    world = World([cube], 2, device, "float64", ground=GroundPlane())
    place(world, (0, 0, 0.0305))
    state = run(world, 120)
    np.testing.assert_allclose(state["root_pos"][:, 2], 0.03, atol=1e-4)
    np.testing.assert_allclose(state["root_lin_vel"], 0, atol=1e-6)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 2], G, rtol=1e-6)
    assert (world.batch.contact_count == 4).all()
    for name in ("shape_friction", "ground_friction"):
        world.batch.params[name][:] = 0
    push(world, 0, lin=(0.3, 0, 0))
    state = run(world, 60)
    np.testing.assert_allclose(state["root_lin_vel"], [[0.3, 0, 0]] * 2, atol=1e-6)


# terrain -------------------------------------------------------------------------------------------------------------


def terrain_of(solid: trimesh.Trimesh) -> TriangleMesh:
    return TriangleMesh(np.array(solid.vertices), np.array(solid.faces))


def flat_field(height: float = 0.0) -> HeightField:
    return HeightField(np.full((21, 21), height), (0.05, 0.05), pos=(-0.5, -0.5, 0.0))


@pytest.mark.parametrize("kind", ["field", "mesh"])
def test_a_field_stands_on_flat_terrain(device, kind):
    """As a box does; pushed without friction it slides on."""
    terrain = flat_field() if kind == "field" else flat_field().as_mesh()
    cube = with_field(mesh_of(trimesh.creation.box((0.1, 0.12, 0.06))), 24)
    world = World([cube], 2, device, "float64", terrain=[terrain])
    place(world, (0.013, 0.017, 0.0305))
    state = run(world, 120)
    np.testing.assert_allclose(state["root_pos"][:, 2], 0.03, atol=1e-4)
    np.testing.assert_allclose(state["root_lin_vel"], 0, atol=1e-4)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 2], G, rtol=1e-4)
    world.batch.params["shape_friction"][:] = 0
    world.batch.params["terrain_friction"][:] = 0
    push(world, 0, lin=(0.3, 0, 0))
    for _ in range(60):
        state = run(world, 1)
        np.testing.assert_allclose(state["root_lin_vel"][:, 0], 0.3, atol=1e-3)
        np.testing.assert_allclose(state["root_pos"][:, 2], 0.03, atol=1e-4)
    assert state["root_pos"][0, 0] > 0.15


def test_a_ring_goes_over_a_post_of_terrain(device):
    """Its hull would stand on the post."""
    post = trimesh.creation.cylinder(0.02, 0.2, sections=48)
    floor = trimesh.creation.box((0.6, 0.6, 0.1))
    floor.apply_translation((0, 0, -0.05))
    ring = with_field(ring_mesh(0.025, 0.05, 0.04), 64)
    world = World([ring], 2, device, "float64", terrain=[terrain_of(post), terrain_of(floor)])
    place(world, (1e-3, 0, 0.13))
    state = run(world, 180)
    np.testing.assert_allclose(state["root_pos"][:, 2], 0.02, atol=2e-4)
    assert np.linalg.norm(state["root_pos"][:, :2], axis=1).max() < 5.2e-3
    np.testing.assert_allclose(state["root_lin_vel"], 0, atol=2e-3)
    np.testing.assert_allclose(world.output("link_contact_force")[:, 2], G, rtol=1e-2)


def test_spikes_of_terrain_hold_a_field(device):
    """A slab lies on three points between its own."""
    heights = np.zeros((41, 41))
    for i, j in ((14, 17), (26, 18), (20, 27)):
        heights[i, j] = 0.03
    field = HeightField(heights, (0.02, 0.02), pos=(-0.4, -0.4, 0.0))
    for terrain in (field, field.as_mesh()):
        world = World([slab(fixed=False)], 1, device, "float64", terrain=[terrain])
        place(world, (0, 0, 0.0805))
        state = run(world, 180)
        assert state["root_pos"][0, 2] == pytest.approx(0.08, abs=3e-4)
        np.testing.assert_allclose(state["root_lin_vel"], 0, atol=2e-3)
        assert world.output("link_contact_force")[0, 2] == pytest.approx(G, rel=1e-2)
