"""The contact solver against its own equations: no oracle, the rows themselves are looked into (probe.py)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from engine_support import FLT_MAX, HUMANOID, World, load
from probe import Probe, Rows

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane


def standing(num_envs: int, device: str, precision: str = "float32", **options) -> World:
    """Humanoids a little above the ground."""
    world = World([load(HUMANOID)], num_envs, device, precision, ground=GroundPlane(), **options)
    state = {name: t.double().cpu().numpy().T.copy() for name, t in world.batch.state.items()}
    state["root_pos"][:] = [0.0, 0.0, 1.32]
    world.set_state(state)
    return world


def fallen(world: World, rng: np.random.Generator, torque: float, target: float, looks: int, every: int) -> list[Rows]:
    """Rows of every `every`th step under random torques or targets held for 1/15 s."""
    probe, seen = Probe(world), []
    shape = (world.num_envs, world.model.num_dofs)
    for step in range(looks * every):
        if step % 8 == 0:
            random = rng.uniform(-1, 1, size=shape)
            world.set_input(dof_effort_in=random * torque, dof_target_pos=random * target)
        if step % every == every - 1:
            seen.append(probe.look())
        world.batch.step()
    return seen


def gather(seen: list[Rows], what) -> np.ndarray:
    return np.concatenate([what(rows)[rows.loaded] for rows in seen])


def cone_violation(seen: list[Rows]) -> float:
    normal = gather(seen, lambda r: r.impulse[:, :, 0])
    friction = gather(seen, lambda r: np.linalg.norm(r.impulse[:, :, 1:], axis=-1))
    return float((friction / (gather(seen, lambda r: r.mu) * normal) - 1).max())


def test_residuals_of_a_driven_humanoid(device):
    """Humanoids under PD (20/2) with random targets within half a radian fall and writhe for eight seconds.

    After the last relax sweep of a step: loaded contacts do not move along their normal, those inside their cone do
    not slide, those that slide are braked against their motion. Median and 90th percentile, bars of part E.
    """
    world = standing(24, device)
    params = world.batch.params
    params["dof_mode"].fill_(1)
    params["dof_stiffness"].fill_(20)
    params["dof_damping"].fill_(2)
    seen = fallen(world, np.random.default_rng(0), torque=0, target=0.5, looks=120, every=8)
    assert not world.batch.fault.bitwise_and(1).any()

    impulse = gather(seen, lambda r: r.impulse)
    speed = gather(seen, lambda r: r.speed)
    gap, mu = gather(seen, lambda r: r.gap), gather(seen, lambda r: r.mu)
    friction, slip = np.linalg.norm(impulse[:, 1:], axis=1), np.linalg.norm(speed[:, 1:], axis=1)
    sticking = friction < 0.999 * mu * impulse[:, 0]
    sliding = ~sticking & (slip > 1e-3)
    assert min(sticking.sum(), sliding.sum()) > 2000
    braking = -np.sum(impulse[:, 1:] * speed[:, 1:], axis=1)[sliding] / (friction * slip)[sliding]
    angle = np.degrees(np.arccos(np.clip(braking, -1, 1)))
    weight = sum(link.mass for link in world.assets[0].links) * 9.81 / 120

    def median_and_90th(values: np.ndarray) -> np.ndarray:
        return np.percentile(values, [50, 90])

    measured = {
        "normal speed": (median_and_90th(np.abs(speed[gap <= 0, 0])), [5e-4, 5e-3]),
        "slip inside the cone": (median_and_90th(slip[sticking]), [5e-4, 5e-3]),
        "angle of sliding friction": (median_and_90th(angle), [0.5, 5.0]),
    }
    for name, (value, bar) in measured.items():
        assert (value < bar).all(), f"{name}: {value}, bars {bar}"
    # no impulse across a gap: lam * max(g + dt u, 0), against the weight's impulse and a millimetre
    reach = np.maximum(gap + world.batch.control.dt * speed[:, 0], 0)
    assert np.percentile(impulse[:, 0] * reach, 90) < 1e-3 * weight * 1e-3
    assert cone_violation(seen) < 1e-6


def test_friction_stays_in_its_cone(device):
    """Whatever happens: 50 N m of random torque."""
    world = standing(24, device)
    world.batch.params["dof_mode"].fill_(3)
    seen = fallen(world, np.random.default_rng(1), torque=50, target=0, looks=40, every=6)
    assert sum(int(r.loaded.sum()) for r in seen) > 1000
    assert cone_violation(seen) < 1e-6


def reference(rows: Rows, h: float) -> tuple[np.ndarray, np.ndarray]:
    """w and impulses of every env when all contacts obey Signorini's and Coulomb's laws.

    Projected Gauss-Seidel in float64, until nothing moves.
    """
    y, mu, used = rows.y, rows.mu, rows.used
    target = -np.maximum(rows.gap, 0) / h
    impulse = np.where(used[..., None], rows.impulse, 0.0)
    w = rows.w.copy()
    diagonal = np.where(used[..., None], np.einsum("nckv,nckv->nck", y, y), 1.0)
    for _ in range(1000):
        moved = 0.0
        for c in range(rows.count.max()):
            old = impulse[:, c].copy()
            u = np.einsum("nv,nv->n", y[:, c, 0], w) - target[:, c]
            normal = np.where(used[:, c], np.maximum(old[:, 0] - u / diagonal[:, c, 0], 0), 0)
            w += y[:, c, 0] * (normal - old[:, 0])[:, None]
            slip = np.einsum("nkv,nv->nk", y[:, c, 1:], w)
            friction = old[:, 1:] - slip / diagonal[:, c, 1:].max(axis=1, keepdims=True)
            size = np.linalg.norm(friction, axis=1)
            limit = mu[:, c] * normal
            friction *= np.where(size > limit, limit / np.maximum(size, 1e-300), 1.0)[:, None] * used[:, c, None]
            w += np.einsum("nkv,nk->nv", y[:, c, 1:], friction - old[:, 1:])
            impulse[:, c, 0], impulse[:, c, 1:] = normal, friction
            moved = max(moved, np.abs(impulse[:, c] - old).max())
        if moved < 1e-11:
            break
    return w, impulse


def test_more_sweeps_approach_the_exact_solution(device):
    """200 contact problems of falling Humanoids, each solved with 1 to 32 sweeps: the error falls to nothing."""
    world = standing(200, device, "float64")
    batch = world.batch
    batch.params["dof_mode"].fill_(3)
    batch.params["dof_lower"].fill_(-FLT_MAX)  # contacts only: limits are rows of another kind
    batch.params["dof_upper"].fill_(FLT_MAX)
    rng = np.random.default_rng(2)
    state = world.state()
    state["root_pos"][:, 2] = rng.uniform(0.1, 0.4, size=200)
    quat = rng.normal(size=(200, 4))
    state["root_quat"] = quat / np.linalg.norm(quat, axis=1, keepdims=True)
    world.set_state(state)
    for _ in range(40):
        batch.step()
    probe, errors = Probe(world), []
    batch.control.iterations = 1
    for sweeps in (1, 2, 4, 8, 16, 32):
        batch.control.sweeps = sweeps
        rows = probe.look()
        exact, impulse = reference(rows, batch.control.dt)
        push = np.linalg.norm(np.einsum("nck,nckv->nv", impulse, rows.y), axis=1)
        errors.append(np.linalg.norm(rows.w - exact, axis=1)[push > 0] / push[push > 0])
    batch.control.sweeps = 1
    assert len(errors[0]) > 150
    medians = [float(np.median(e)) for e in errors]
    tails = [float(np.percentile(e, 90)) for e in errors]
    assert all(b < a for a, b in itertools.pairwise(medians)), medians
    assert all(b < a for a, b in itertools.pairwise(tails)), tails
    assert medians[-1] < 1e-4, medians
    assert tails[-1] < 1e-2, tails


def platform(order) -> Asset:
    """A slab on six balls, its shapes in any order: contacts are swept in the order of shapes."""
    feet = [(x, y, -0.1) for x in (-0.4, 0.0, 0.4) for y in (-0.25, 0.25)]
    shapes = tuple(Shape(0, ShapeKind.SPHERE, (0.05, 0, 0), pos=feet[i], friction=0.8) for i in order)
    link = Link("slab", -1, mass=12.0, inertia=(0.4, 0.9, 1.2, 0, 0, 0))
    return Asset("platform", (link,), shapes=shapes)


def test_the_order_of_contacts_hardly_matters(device):
    """A slab lands on six balls, tilted and turning: its net impulse differs by less than 5 % between orders."""
    results = []
    rng = np.random.default_rng(4)
    starts = rng.normal(size=(32, 8))
    for order in ((0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (2, 5, 0, 3, 1, 4)):
        world = World([platform(order)], 32, device, ground=GroundPlane())
        state = {name: t.double().cpu().numpy().T.copy() for name, t in world.batch.state.items()}
        state["root_pos"][:, 2] = 0.17
        state["root_lin_vel"][:, :2] = starts[:, :2]
        state["root_ang_vel"][:] = starts[:, 2:5] * 0.2
        state["root_quat"][:, :3] = starts[:, 5:8] * 0.02
        state["root_quat"] /= np.linalg.norm(state["root_quat"], axis=1, keepdims=True)
        world.set_state(state)
        total = np.zeros((32, 3))
        for _ in range(60):
            world.batch.step()
            total += world.output("link_contact_force") / 120
        assert (world.batch.contact_count == 6).all()
        results.append((total, world.state()["root_pos"][:, :3]))
    for total, pos in results[1:]:
        difference = np.linalg.norm(total - results[0][0], axis=1) / np.linalg.norm(results[0][0], axis=1)
        assert difference.max() < 0.05
        assert np.abs(pos - results[0][1]).max() < 0.01


def stool(kind: str) -> Asset:
    """A seat on four equal legs at (+-0.3, +-0.2): welded to it, or sliding ones held by drives."""
    links = [Link("seat", -1, mass=8.0, inertia=(0.1, 0.2, 0.3, 0, 0, 0))]
    joints, shapes = [], []
    for x in (0.3, -0.3):
        for y in (0.2, -0.2):
            i = len(links)
            links.append(Link(f"leg{i}", 0, pos=(x, y, -0.4), mass=0.5, inertia=(0.001,) * 3 + (0.0,) * 3))
            if kind == "sliding":
                joints.append(Joint(f"slide{i}", JointKind.PRISMATIC, i, axis=(0, 0, 1), stiffness=4000, damping=100))
            else:
                joints.append(Joint(f"weld{i}", JointKind.FIXED, i))
            shapes.append(Shape(i, ShapeKind.SPHERE, (0.05, 0, 0)))
    return Asset(f"stool_{kind}", tuple(links), tuple(joints), tuple(shapes))


@pytest.mark.parametrize("kind", ["welded", "sliding"])
def test_four_feet_carry_equal_loads(device, kind):
    """Three legs would do; the fourth makes the loads undetermined, symmetry makes them equal."""
    world = World([stool(kind)], 1, device, ground=GroundPlane())
    world.batch.state["root_pos"][2] = 0.455
    for _ in range(240):
        world.batch.step()
    loads = world.output("link_contact_force").reshape(5, 3)[1:, 2]
    assert loads.sum() == pytest.approx(10 * 9.81, rel=1e-4)
    assert np.abs(loads / loads.mean() - 1).max() < 0.01, loads


def test_probing_changes_nothing(device):
    """The probe is a look: a world that is looked into goes on with the same bits."""
    worlds = [standing(4, device), standing(4, device)]
    probe = Probe(worlds[0])
    for _ in range(100):
        probe.look()
        for world in worlds:
            world.batch.step()
    assert int(worlds[0].batch.contact_count.sum()) > 0
    for name, t in worlds[0].batch.state.items():
        assert torch.equal(t, worlds[1].batch.state[name]), name
