"""Single contacts: closed forms, the net forces, and the bodies they are on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from toys import ball, walker

from kilogym.math.quaternion import quat_rotate
from kilogym.scene.declarations import GroundPlane
from kilogym.scene.terrain import HeightField
from kilogym.sim import ContactCollection, Simulation, SimulationParams
from kilogym.validation.bodies import G, box, sphere
from kilogym.validation.kilogym_world import KilogymWorld


def contacts_of(sim: Simulation, env: int = 0) -> dict[str, np.ndarray]:
    """The slots in use of one env."""
    sim.refresh_contacts()
    count = int(sim.contacts.count[env])
    return {name: value[env, :count].cpu().numpy() for name, value in vars(sim.contacts).items() if name != "count"}


def settled(actors, steps: int = 240, **options) -> KilogymWorld:
    world = KilogymWorld(actors, **options)
    assert repr(world.sim.contacts) == f"Contacts of 1 envs, {world.sim.contacts.bodies.shape[1]} slots each"
    world.step(steps)
    world.check()
    return world


def test_a_box_at_rest(device):
    """Four corners, each with a quarter of the weight; what they pull sideways, they pull against each other."""
    half, mass = (0.1, 0.2, 0.05), 3.0
    world = settled([(box(half, mass), (1.0, 2.0, 0.05))], device=device)
    found = contacts_of(world.sim)
    assert found["bodies"].tolist() == [[0, -1]] * 4
    assert found["shapes"].tolist() == [[0, -1]] * 4
    corners = sorted(map(tuple, np.round(found["points"] - [1.0, 2.0, 0.0], 3).tolist()))
    assert corners == [(-0.1, -0.2, 0.0), (-0.1, 0.2, 0.0), (0.1, -0.2, 0.0), (0.1, 0.2, 0.0)]
    np.testing.assert_allclose(found["local_points"][:, 0], found["points"] - [1.0, 2.0, 0.05], atol=1e-4)
    np.testing.assert_allclose(found["local_points"][:, 1], found["points"])
    np.testing.assert_allclose(found["normals"], [[0, 0, 1]] * 4)
    np.testing.assert_allclose(found["forces"][:, 2], [mass * G / 4] * 4, atol=2e-3)
    np.testing.assert_allclose(found["forces"].sum(0), [0, 0, mass * G], atol=2e-3)
    assert (np.linalg.norm(found["forces"][:, :2], axis=1) <= found["forces"][:, 2]).all()
    np.testing.assert_allclose(found["gaps"], 0, atol=1e-4)
    np.testing.assert_allclose(found["start_gaps"], 0, atol=1e-4)
    np.testing.assert_allclose(found["friction"], 1.0)
    assert not found["rest_offsets"].any()
    assert not found["torques"].any()


def test_a_box_on_a_slope(device):
    """Normal forces carry m g cos, friction m g sin, and their moments about the com cancel."""
    angle, mass = math.radians(20), 2.0
    normal = np.array([math.sin(angle), 0.0, math.cos(angle)])
    quat = (0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2))
    ground = GroundPlane(normal=tuple(normal))
    world = settled([(box((0.1, 0.1, 0.1), mass), tuple(0.1 * normal), quat)], ground=ground, device=device)
    found = contacts_of(world.sim)
    forces, arms = found["forces"], found["points"] - world.roots()[0, 0, :3]
    pressing = forces @ normal
    assert pressing.sum() == pytest.approx(mass * G * math.cos(angle), rel=1e-3)
    along = (forces - pressing[:, None] * normal).sum(0)
    assert np.linalg.norm(along) == pytest.approx(mass * G * math.sin(angle), rel=1e-3)
    np.testing.assert_allclose(np.cross(arms, forces).sum(0), 0, atol=1e-3)
    # the lower corners carry more: moments balance only so
    lower = arms[:, 0] > 0
    difference = pressing[lower].sum() - pressing[~lower].sum()
    assert difference == pytest.approx(mass * G * math.sin(angle), rel=2e-2)


def test_a_ball_on_a_ball(device):
    """The lower one carries both; the pair's contact is where they touch, its bodies in their order."""
    world = settled([(sphere(0.1, 2.0), (0, 0, 0.1)), (sphere(0.05, 1.0), (0, 0, 0.25))], steps=30, device=device)
    found = contacts_of(world.sim)
    by_bodies = {tuple(bodies): i for i, bodies in enumerate(found["bodies"].tolist())}
    assert set(by_bodies) == {(0, 1), (0, -1)}
    pair, floor = by_bodies[0, 1], by_bodies[0, -1]
    np.testing.assert_allclose(found["forces"][floor], [0, 0, 3 * G], atol=2e-2)
    np.testing.assert_allclose(found["forces"][pair], [0, 0, -1 * G], atol=2e-2)
    np.testing.assert_allclose(found["normals"][pair], [0, 0, -1], atol=1e-5)
    np.testing.assert_allclose(found["points"][pair], [0, 0, 0.2], atol=1e-4)
    np.testing.assert_allclose(found["local_points"][pair], [[0, 0, 0.1], [0, 0, -0.05]], atol=1e-4)


def heap(device: str, envs: int = 4, **params) -> KilogymWorld:
    bodies = [(box((0.3, 0.3, 0.08), 2.0), (0, 0, 0.1)), (sphere(0.1, 1.0), (0.15, 0, 0.3))]
    bodies.append((box((0.06, 0.06, 0.06), 0.5), (-0.1, 0.03, 0.3)))
    world = KilogymWorld(bodies, device, envs=envs, **params)
    rng = np.random.default_rng(0)
    states = world.roots()
    states[..., 7:] = rng.normal(size=states[..., 7:].shape) * 0.2
    world.set_roots(states)
    return world


@pytest.mark.parametrize(
    "params", [{}, {"substeps": 3, "contact_collection": ContactCollection.LAST_SUBSTEP}], ids=["one", "last"]
)
def test_a_heap_adds_up_to_the_net_forces(device, params):
    """At every step, in every env: over bodies, forces are the net ones; counts are those of the solver."""
    world = heap(device, **params)
    sim, most = world.sim, 0
    contacts = sim.contacts
    for _ in range(80):
        world.step()
        sim.refresh_contacts()
        assert torch.equal(contacts.count, sim.contact_counts())
        net = world.forces()
        total = np.zeros_like(net)
        forces, bodies = contacts.forces.cpu().double().numpy(), contacts.bodies.cpu().numpy()
        for env, slot in np.argwhere(bodies[..., 0] >= 0):
            a, b = bodies[env, slot]
            total[env, a] += forces[env, slot]
            if b >= 0:
                total[env, b] -= forces[env, slot]
        np.testing.assert_allclose(total, net, atol=1e-4 * max(1.0, np.abs(net).max()))
        used = torch.arange(bodies.shape[1], device=sim.device) < contacts.count[:, None]
        assert (contacts.bodies[..., 0] >= 0).equal(used)
        assert not contacts.forces[~used].any()
        np.testing.assert_allclose(contacts.normals[used].norm(dim=-1).cpu(), 1.0, atol=1e-5)
        most = max(most, int((contacts.bodies[..., 1] >= 0).sum()))
    assert most >= 8, "the test needs pairs"


def test_local_points_move_with_their_bodies(device):
    """At rest both bodies' local points are where the contact is."""
    world = heap(device, envs=1)
    contacts_of(world.sim)
    world.step(600)
    found = contacts_of(world.sim)
    states = world.bodies()[0]
    assert len(found["points"]) >= 5
    for point, local, (a, b) in zip(found["points"], found["local_points"], found["bodies"], strict=True):
        for body, here in zip((a, b), local, strict=True):
            where = here if body < 0 else states[body, :3] + quat_rotate(states[body, 3:7], here)
            np.testing.assert_allclose(where, point, atol=1e-3)


def test_momentum_changes_by_the_forces(device):
    """Free bodies: m dv = (gravity + contacts) dt at every step."""
    world = heap(device, envs=1)
    masses, contacts = np.array([2.0, 1.0, 0.5]), world.sim.contacts
    for _ in range(60):
        before = world.roots()[0, :, 7:10]
        world.step()
        world.sim.refresh_contacts()
        push = np.outer(masses, [0, 0, -G])
        for slot in range(int(contacts.count[0])):
            a, b = contacts.bodies[0, slot].tolist()
            push[a] += contacts.forces[0, slot].cpu().numpy()
            if b >= 0:
                push[b] -= contacts.forces[0, slot].cpu().numpy()
        change = masses[:, None] * (world.roots()[0, :, 7:10] - before)
        np.testing.assert_allclose(change, push * world.dt, atol=1e-4)


def test_terrain_and_several_batches(device):
    """Walkers with a ball in some envs, balls in others; two terrains; bodies and shapes are those of the env."""
    sim = Simulation(SimulationParams(dt=0.01, rest_offset=0.0), device)
    flat = np.zeros((11, 11))
    sim.add_terrain(HeightField(flat - 5.0, (1.0, 1.0), (-5.0, -5.0, 0.0)))
    sim.add_terrain(HeightField(flat, (1.0, 1.0), (-5.0, -5.0, 0.0)))
    robot, one = walker(), ball(0.1)
    for env in range(4):
        sim.create_env()
        if env % 2:
            sim.create_actor(env, robot, pos=(0, 0, 3.0), group=env, filter=1)
        sim.create_actor(env, one, pos=(2.0, 0, 0.1), group=env, filter=1)
    contacts = sim.contacts
    assert contacts.count.tolist() == [0] * 4
    for _ in range(5):
        sim.step()
    sim.refresh_contacts()
    assert contacts.count.tolist() == [1] * 4
    for env in range(4):
        others = sim.actor(env, env % 2)
        assert contacts.bodies[env, 0].tolist() == [others.body_start, -1]
        assert contacts.shapes[env, 0].tolist() == [others.shape_start, -3]
        np.testing.assert_allclose(contacts.points[env, 0].cpu(), [2.0, 0, 0], atol=1e-3)


def test_asking_changes_no_bit(device):
    plain, asked = heap(device), heap(device)
    asked.sim.contacts  # noqa: B018
    for world in (plain, asked):
        world.step(60)
    assert np.array_equal(plain.roots(), asked.roots())
    assert np.array_equal(plain.forces(), asked.forces())


def test_asked_late_they_are_those_of_a_step_taken_back(device):
    """What the present state leads to; nothing else changes by a bit."""
    plain, world = heap(device), heap(device)
    for each in (plain, world):
        each.step(60)
        each.push([0, 0, 0.1])
    world.sim.refresh_contacts()  # nobody has them: nothing to do
    before = world.forces()
    contacts = world.sim.contacts
    assert np.array_equal(world.forces(), before)
    world.sim.refresh_contacts()
    now = {name: value.clone() for name, value in vars(contacts).items()}
    for each in (plain, world):
        each.step()
    assert np.array_equal(world.roots(), plain.roots())
    world.sim.refresh_all()
    assert (contacts.count >= 4).all()
    assert all(torch.equal(now[name], value) for name, value in vars(contacts).items())
    assert world.sim.contacts is contacts


def test_a_diverged_env_has_none(device):
    world = heap(device)
    contacts = world.sim.contacts
    world.step(60)
    bad = world.sim.batches[0]
    bad.state["root_lin_vel"][0, 2] = float("nan")
    world.step()
    world.sim.refresh_contacts()
    assert (contacts.count > 0).tolist() == [True, True, False, True]
    assert not contacts.forces[2].any()


def test_what_cannot_touch_has_no_slots(device):
    sim = Simulation(SimulationParams(), device)
    sim.create_env()
    sim.create_actor(0, ball(), pos=(0, 0, 1))
    contacts = sim.contacts
    sim.step()
    sim.refresh_contacts()
    assert contacts.bodies.shape == (1, 0, 2)
    assert contacts.count.tolist() == [0]
