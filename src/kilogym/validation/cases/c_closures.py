"""Part C: loops closed by points and welds: a four-bar linkage, a weight on a weld, a robot that holds its own hand."""

from __future__ import annotations

import dataclasses

import numpy as np

from kilogym.assets.asset import Asset, Closure, Joint, JointKind, Link
from kilogym.assets.inertia import matrix
from kilogym.math.quaternion import quat_to_matrix
from kilogym.validation.bodies import FREE, G, body, rod
from kilogym.validation.case import Case, Number, require
from kilogym.validation.cases.c_couplings import ALONE, STILL
from kilogym.validation.lab import Lab

# a crank, a coupler and a rocker that turns about a point of the base
CRANK, COUPLER, ROCKER, PIVOT = 0.2, 0.4, 0.3, (0.4, -0.1)  # [m], pivot x and z
BARS = ((0.5, CRANK, (0.0, CRANK)), (0.8, COUPLER, (COUPLER, 0.0)), (0.6, ROCKER, (0.0, -ROCKER)))  # mass, length, end


def four_bar() -> Asset:
    i = 0.8 * COUPLER**2 / 12
    flat = (1e-4, i, i, 0.0, 0.0, 0.0)  # the coupler lies along x
    links = (
        Link("base", -1),
        Link("crank", 0, mass=0.5, com=(0.0, 0.0, CRANK / 2), inertia=rod(CRANK, 0.5)),  # type: ignore[arg-type]
        Link("coupler", 1, (0.0, 0.0, CRANK), mass=0.8, com=(COUPLER / 2, 0.0, 0.0), inertia=flat),
        Link("rocker", 2, (COUPLER, 0.0, 0.0), mass=0.6, com=(0.0, 0.0, -ROCKER / 2), inertia=rod(ROCKER, 0.6)),  # type: ignore[arg-type]
    )
    joints = tuple(Joint(f"j{n}", JointKind.REVOLUTE, n + 1, axis=(0.0, 1.0, 0.0)) for n in range(3))
    loop = Closure("loop", 3, 0, pos_a=(0.0, 0.0, -ROCKER), pos_b=(PIVOT[0], 0.0, PIVOT[1]))
    return Asset("four_bar", links, joints, closures=(loop,), fixed_base=True, options=FREE)


def along(angle: np.ndarray, point: tuple[float, float]) -> np.ndarray:
    """(x, z) turned about y: (..., 2)."""
    s, c = np.sin(angle), np.cos(angle)
    return np.stack([c * point[0] + s * point[1], -s * point[0] + c * point[1]], -1)


def energy(states: np.ndarray) -> np.ndarray:
    """Kinetic and potential [J] of (..., 3, 2) states, by the planar motion of the three bars."""
    angles, rates = np.cumsum(states[..., 0], -1), np.cumsum(states[..., 1], -1)
    place, velocity = np.zeros((*angles.shape[:-1], 2)), np.zeros((*angles.shape[:-1], 2))
    total = np.zeros(angles.shape[:-1])
    for n, (mass, length, end) in enumerate(BARS):
        angle, rate = angles[..., n], rates[..., n]
        arm, swing = along(angle, end), rate[..., None] * along(angle + np.pi / 2, end)
        total += 0.5 * mass * ((velocity + swing / 2) ** 2).sum(-1) + 0.5 * mass * length**2 / 12 * rate**2
        total += mass * G * (place + arm / 2)[..., 1]
        place, velocity = place + arm, velocity + swing
    return total


def linkage(lab: Lab) -> dict[str, float]:
    world = lab.world([(four_bar(), STILL)], ground=False)
    world.bend(speeds=[1.0, -1.0, -2 / 3])  # keeps the loop closed: the crank takes the coupler along x
    (states,) = world.run(10.0, "dof_states")
    angle = np.cumsum(states[:, 0, :, 0], -1)
    require(np.ptp(angle[:, 0]) > 2 * np.pi, "the crank to go round")
    a = along(angle[:, 0], (0.0, CRANK))
    b = a + along(angle[:, 1], (COUPLER, 0.0))
    end = b + along(angle[:, 2], (0.0, -ROCKER))
    # circles about A and about the pivot meet where B is, on the side where the linkage was put together
    between = np.array(PIVOT) - a
    d = np.linalg.norm(between, axis=-1)
    foot = (d**2 + COUPLER**2 - ROCKER**2) / (2 * d)
    normal = np.stack([-between[:, 1], between[:, 0]], -1)
    exact = a + (between * foot[:, None] + normal * np.sqrt(COUPLER**2 - foot**2)[:, None]) / d[:, None]
    total = energy(states[:, 0])
    return {
        "gap of the loop": abs(end - PIVOT).max(),
        "joint B, by the crank's angle": abs(b - exact).max(),
        "energy / (weight times crank)": abs(total - total[0]).max() / (sum(bar[0] for bar in BARS) * G * CRANK),
    }


def weld(lab: Lab) -> dict[str, float]:
    mass, arm, where = 3.0, 0.2, (0.3, -0.2, 1.0)
    block = body(None, mass=mass, inertia=(0.05, 0.06, 0.07, 0.0, 0.0, 0.0), com=(arm, 0.0, 0.0))
    block = dataclasses.replace(block, closures=(Closure("weld", 0, -1, weld=True),))
    world = lab.world([(block, where)], ground=False)
    world.step(world.steps_in(5.0))
    world.check()
    (batch,) = world.sim.batches  # type: ignore[attr-defined]
    reaction = batch.snapshot()["warm_coupling"][:6, 0].cpu().numpy() * 4 / world.dt  # of one of four iterations
    weight, moment = mass * G, mass * G * arm
    return {
        "sag": abs(world.roots()[0, 0, :3] - where).max(),
        "force, relative": abs(reaction[:3] - [0, 0, weight]).max() / weight,
        "moment, relative": abs(reaction[3:] - [0, -moment, 0]).max() / moment,
    }


def free_loop() -> Asset:
    """A floating trunk, two arms of two links, their hands held together."""
    links = [Link("trunk", -1, mass=2.0, inertia=(0.03, 0.02, 0.04, 0.0, 0.0, 0.0))]
    joints = []
    for side in (-1.0, 1.0):
        for n in range(2):
            up, at = (0, (0.0, 0.1 * side, 0.0)) if n == 0 else (len(links) - 1, (0.3, 0.0, 0.0))
            thin = (1e-4, 3e-3, 3e-3, 0.0, 0.0, 0.0)
            links.append(Link(f"l{len(links)}", up, at, mass=0.4, com=(0.15, 0.0, 0.0), inertia=thin))
            for k, axis in enumerate([(0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]):
                joints.append(Joint(f"j{len(links)}_{k}", JointKind.REVOLUTE, len(links) - 1, axis=axis))
    hold = Closure("hands", 2, 4, pos_a=(0.3, 0.1, 0.0), pos_b=(0.3, -0.1, 0.0))
    return Asset("loop", tuple(links), tuple(joints), closures=(hold,), options=FREE)


def momenta(asset: Asset, bodies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear momentum, and angular momentum about the com, of (..., bodies, 13)."""
    parts = []
    for link, row in zip(asset.links, np.moveaxis(bodies, -2, 0), strict=True):
        r = quat_to_matrix(row[..., 3:7])
        inertia = r @ matrix(link.inertia) @ np.swapaxes(r, -1, -2)
        com = row[..., :3] + np.einsum("...ij,j->...i", r, np.array(link.com))
        parts.append((link.mass, com, row[..., 7:10], np.einsum("...ij,...j->...i", inertia, row[..., 10:])))
    mass = sum(m for m, *_ in parts)
    centre = sum(m * com for m, com, _, _ in parts) / mass
    return (
        np.asarray(sum(m * v for m, _, v, _ in parts)),
        np.asarray(sum(m * np.cross(com - centre, v) + spin for m, com, v, spin in parts)),
    )


def hand_in_hand(lab: Lab) -> dict[str, float]:
    asset = free_loop()
    world = lab.world([(asset, (0.0, 0.0, 1.0))], ground=False, gravity=STILL)
    world.place(lin=(0.2, 0.1, -0.1), ang=(1.0, 2.0, -1.5))
    world.bend(speeds=[0.5, -0.4, 0.3, 0.2, -0.6, 0.5, 0.4, -0.3])
    (bodies,) = world.run(5.0, "bodies")
    linear, angular = momenta(asset, bodies[1:, 0])  # the first step makes the hands' velocities equal
    ends = [
        row[..., :3] + np.einsum("...ij,j->...i", quat_to_matrix(row[..., 3:7]), np.array(at))
        for row, at in ((bodies[:, 0, 2], (0.3, 0.1, 0.0)), (bodies[:, 0, 4], (0.3, -0.1, 0.0)))
    ]
    return {
        "dP / P": abs(linear - linear[0]).max() / np.linalg.norm(linear[0]),
        "dL / L": abs(angular - angular[0]).max() / np.linalg.norm(angular[0]),
        "hands apart": abs(ends[0] - ends[1]).max(),
    }


CASES = (
    Case(
        "four-bar", "C", "four-bar linkage, 10 s",
        "Falls under gravity and goes round and round. The loop is closed by a point; where the crank stands says "
        "where the others do (Freudenstein's relation).",
        (
            Number("gap of the loop", 3e-4, "m"), Number("joint B, by the crank's angle", 5e-4, "m"),
            Number("energy / (weight times crank)", 0.06),
        ),
        linkage, without_mujoco=ALONE,
    ),
    Case(
        "weld", "C", "a block welded to the env", "Its com is 0.2 m beside the weld, which carries weight and moment.",
        (Number("sag", 2e-5, "m"), Number("force, relative", 1e-4), Number("moment, relative", 1e-4)),
        weld, without_mujoco=ALONE,
    ),
    Case(
        "hand-in-hand", "C", "free robot that holds its own hand, 5 s",
        "What holds the hands together is internal: neither momentum changes.",
        (Number("dP / P", 1e-5), Number("dL / L", 1e-5), Number("hands apart", 2e-4, "m")),
        hand_in_hand, without_mujoco=ALONE,
    ),
)  # fmt: skip
