"""Part E: the contact solver against its own equations. No oracle: the rows themselves are looked into (probe.py)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.case import Case, Number, Precision, require
from kilogym.validation.lab import Lab
from kilogym.validation.probe import Probe, Rows
from kilogym.validation.trees import load
from kilogym.validation.zoo import HUMANOID

NOT_HERE = "it is about Kilogym's own rows"
SWEEPS = (1, 2, 4, 8, 16, 32)


def standing(num_envs: int, device: str, precision: Precision = "float32", **options) -> BatchWorld:
    """Humanoids a little above the ground."""
    world = BatchWorld([load(HUMANOID)], num_envs, device, precision, ground=GroundPlane(), **options)
    state = world.state()
    state["root_pos"][:] = [0.0, 0.0, 1.32]
    world.set_state(state)
    return world


def fallen(
    world: BatchWorld, rng: np.random.Generator, torque: float, target: float, looks: int, every: int
) -> list[Rows]:
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


def gather(seen: list[Rows], what: Callable[[Rows], np.ndarray]) -> np.ndarray:
    return np.concatenate([what(rows)[rows.loaded] for rows in seen])


def beyond_the_cone(seen: list[Rows]) -> float:
    normal = gather(seen, lambda r: r.impulse[:, :, 0])
    friction = gather(seen, lambda r: np.linalg.norm(r.impulse[:, :, 1:], axis=-1))
    return float((friction / (gather(seen, lambda r: r.mu) * normal) - 1).max())


def driven(lab: Lab) -> dict[str, float]:
    world = standing(24, lab.device)
    params = world.batch.params
    params["dof_mode"].fill_(1)
    params["dof_stiffness"].fill_(20)
    params["dof_damping"].fill_(2)
    seen = fallen(world, np.random.default_rng(0), torque=0, target=0.5, looks=120, every=8)
    require(not world.batch.fault.bitwise_and(1).any(), "no env to diverge")

    impulse = gather(seen, lambda r: r.impulse)
    speed = gather(seen, lambda r: r.speed)
    gap, mu = gather(seen, lambda r: r.gap), gather(seen, lambda r: r.mu)
    friction, slip = np.linalg.norm(impulse[:, 1:], axis=1), np.linalg.norm(speed[:, 1:], axis=1)
    sticking = friction < 0.999 * mu * impulse[:, 0]
    sliding = ~sticking & (slip > 1e-3)
    require(min(sticking.sum(), sliding.sum()) > 2000, f"2000 contacts to stick, {sticking.sum()}, and to slide")
    braking = -np.sum(impulse[:, 1:] * speed[:, 1:], axis=1)[sliding] / (friction * slip)[sliding]
    angle = np.degrees(np.arccos(np.clip(braking, -1, 1)))
    # no impulse across a gap, over the weight's impulse and a millimetre
    weight = sum(link.mass for link in world.assets[0].links) * 9.81 / 120
    reach = np.maximum(gap + world.batch.control.dt * speed[:, 0], 0)
    numbers = {}
    for name, values in (
        ("normal speed", np.abs(speed[gap <= 0, 0])),
        ("slip inside the cone", slip[sticking]),
        ("angle of sliding friction", angle),
    ):
        numbers[f"{name}, median"], numbers[f"{name}, 90 %"] = np.percentile(values, [50, 90])
    numbers["impulse across a gap, 90 %"] = np.percentile(impulse[:, 0] * reach, 90) / (weight * 1e-3)
    numbers["friction beyond the cone"] = beyond_the_cone(seen)
    return numbers


def driven_hard(lab: Lab) -> dict[str, float]:
    world = standing(24, lab.device)
    world.batch.params["dof_mode"].fill_(3)
    seen = fallen(world, np.random.default_rng(1), torque=50, target=0, looks=40, every=6)
    require(sum(int(r.loaded.sum()) for r in seen) > 1000, "1000 loaded contacts")
    return {"friction beyond the cone": beyond_the_cone(seen)}


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


def convergence(lab: Lab) -> dict[str, float]:
    world = standing(200, lab.device, lab.precision)
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
    for sweeps in SWEEPS:
        batch.control.sweeps = sweeps
        rows = probe.look()
        exact, impulse = reference(rows, batch.control.dt)
        push = np.linalg.norm(np.einsum("nck,nckv->nv", impulse, rows.y), axis=1)
        errors.append(np.linalg.norm(rows.w - exact, axis=1)[push > 0] / push[push > 0])
    require(len(errors[0]) > 150, f"150 of 200 Humanoids to lie on the ground, {len(errors[0])} do")
    medians, tails = (np.array([np.percentile(e, at) for e in errors]) for at in (50, 90))
    return {
        "largest ratio of medians, twice the sweeps": (medians[1:] / medians[:-1]).max(),
        "largest ratio of 90 %, twice the sweeps": (tails[1:] / tails[:-1]).max(),
        "median with 32 sweeps": medians[-1],
        "90 % with 32 sweeps": tails[-1],
    }


def platform(order: tuple[int, ...]) -> Asset:
    """A slab on six balls, its shapes in any order: contacts are swept in the order of shapes."""
    feet = [(x, y, -0.1) for x in (-0.4, 0.0, 0.4) for y in (-0.25, 0.25)]
    shapes = tuple(Shape(0, ShapeKind.SPHERE, (0.05, 0, 0), pos=feet[i], friction=0.8) for i in order)
    link = Link("slab", -1, mass=12.0, inertia=(0.4, 0.9, 1.2, 0, 0, 0))
    return Asset("platform", (link,), shapes=shapes)


def order(lab: Lab) -> dict[str, float]:
    results = []
    rng = np.random.default_rng(4)
    starts = rng.normal(size=(32, 8))
    for sweep_order in ((0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (2, 5, 0, 3, 1, 4)):
        world = BatchWorld([platform(sweep_order)], 32, lab.device, ground=GroundPlane())
        state = world.state()
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
        require((world.batch.contact_count == 6).all(), "every slab to lie on its six balls")
        results.append((total, world.state()["root_pos"][:, :3]))
    exact, place = results[0]
    impulses = [np.linalg.norm(t - exact, axis=1) / np.linalg.norm(exact, axis=1) for t, _ in results[1:]]
    return {
        "net impulse, relative": np.max(impulses),
        "place after half a second": max(np.abs(pos - place).max() for _, pos in results[1:]),
    }


def stool(kind: str) -> Asset:
    """A seat on four equal legs at (+-0.3, +-0.2): welded to it, or sliding ones held by drives."""
    links = [Link("seat", -1, mass=8.0, inertia=(0.1, 0.2, 0.3, 0, 0, 0))]
    joints, shapes = [], []
    for x in (0.3, -0.3):
        for y in (0.2, -0.2):
            i = len(links)
            links.append(Link(f"leg{i}", 0, pos=(x, y, -0.4), mass=0.5, inertia=(0.001, 0.001, 0.001, 0.0, 0.0, 0.0)))
            if kind == "sliding":
                joints.append(Joint(f"slide{i}", JointKind.PRISMATIC, i, axis=(0, 0, 1), stiffness=4000, damping=100))
            else:
                joints.append(Joint(f"weld{i}", JointKind.FIXED, i))
            shapes.append(Shape(i, ShapeKind.SPHERE, (0.05, 0, 0)))
    return Asset(f"stool_{kind}", tuple(links), tuple(joints), tuple(shapes))


def four_feet(lab: Lab, kind: str) -> dict[str, float]:
    world = BatchWorld([stool(kind)], 1, lab.device, ground=GroundPlane())
    world.batch.state["root_pos"][2] = 0.455
    for _ in range(240):
        world.batch.step()
    loads = world.output("link_contact_force").reshape(5, 3)[1:, 2]
    return {
        "largest load / mean - 1": np.abs(loads / loads.mean() - 1).max(),
        "sum / weight - 1": loads.sum() / (10 * 9.81) - 1,
    }


def _spread(name: str, median: float, tail: float, unit: str) -> tuple[Number, Number]:
    return Number(f"{name}, median", median, unit), Number(f"{name}, 90 %", tail, unit)


CASES = (
    Case(
        "driven-humanoid", "E", "driven Humanoids",
        "Under PD (20/2) with random targets within half a radian they fall and writhe for 8 s. After the last relax "
        "sweep loaded contacts do not move along their normal, those inside their cone do not slide, those that slide "
        "are braked against their motion.",
        (
            *_spread("normal speed", 5e-4, 5e-3, "m/s"), *_spread("slip inside the cone", 5e-4, 5e-3, "m/s"),
            *_spread("angle of sliding friction", 0.5, 5.0, "deg"),
            Number("impulse across a gap, 90 %", 1e-3), Number("friction beyond the cone", 1e-6),
        ),
        driven, without_mujoco=NOT_HERE,
    ),
    Case(
        "hard-driven-humanoid", "E", "Humanoids under 50 N m", "Random torques: friction stays in its cone whatever "
        "happens.",
        (Number("friction beyond the cone", 1e-6),), driven_hard, without_mujoco=NOT_HERE,
    ),
    Case(
        "sweeps", "E", "sweeps against the exact solution",
        "200 contact problems of falling Humanoids, solved with 1 to 32 sweeps and by projected Gauss-Seidel until "
        "nothing moves: the error falls with every doubling.",
        (
            Number("largest ratio of medians, twice the sweeps", 1.0),
            Number("largest ratio of 90 %, twice the sweeps", 1.0),
            Number("median with 32 sweeps", 1e-4), Number("90 % with 32 sweeps", 1e-2),
        ),
        convergence, precisions=("float64",), without_mujoco=NOT_HERE, slow=True,
    ),
    Case(
        "order-of-contacts", "E", "contacts in another order",
        "A slab lands on six balls, tilted and turning; its contacts swept in three orders.",
        (Number("net impulse, relative", 0.05), Number("place after half a second", 0.01, "m")), order,
        without_mujoco=NOT_HERE,
    ),
    *(
        Case(
            f"four-feet-{kind}", "E", f"stool, legs {text}",
            "Three legs would do; the fourth makes the loads undetermined, symmetry makes them equal.",
            (Number("largest load / mean - 1", 0.01), Number("sum / weight - 1", 1e-4)),
            partial(four_feet, kind=kind), without_mujoco=NOT_HERE,
        )
        for kind, text in (("welded", "welded on"), ("sliding", "on springs"))
    ),
)  # fmt: skip
