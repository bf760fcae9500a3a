"""Bodies without contacts: parabolas, tumbling, and what a free articulated robot conserves."""

from __future__ import annotations

import numpy as np
import pytest
from lab import FREE, G, World, body, rotation, sphere

from kilogym.assets.asset import Asset, Joint, JointKind, Link


def test_projectile(device, measure):
    """z(t) = z0 + v t - g t^2 / 2 exactly: the midpoint rule is exact on parabolas."""
    world = World([(sphere(), (0, 0, 0))], device, ground=False)
    world.place(lin=(3.0, 0.0, 4.0))
    (roots,) = world.run(1.0, "roots")
    t = np.arange(len(roots)) * world.dt
    measure("projectile", "height error", abs(roots[:, 0, 0, 2] - (4 * t - G * t * t / 2)).max(), 1e-5, "m")
    measure("projectile", "distance error", abs(roots[:, 0, 0, 0] - 3 * t).max(), 1e-5, "m")


def flips(rates: np.ndarray) -> int:
    """Sign changes of the rate about the intermediate axis."""
    return int((np.diff(np.sign(rates)) != 0).sum())


@pytest.mark.parametrize(
    ("rate", "expected", "bar_momentum", "bar_energy"), [(5.0, (6, 7), 1e-5, 1e-3), (20.0, (18, 22), 1e-5, 5e-2)]
)
def test_dzhanibekov(device, measure, rate, expected, bar_momentum, bar_energy):
    """A body spun about its intermediate axis flips over and over; L and E stay.

    Exact flips in 30 s: 6 at 5 rad/s (the count hangs on the phase at the end, so 7 passes), 20 at 20 rad/s, 0.17 rad a
    step: between flips it spins about the unstable axis, and rounding decides how long (an H100 counts 22).
    """
    inertia = np.array([0.01, 0.02, 0.03])
    world = World([(body(None, inertia=(*inertia, 0, 0, 0)), (0, 0, 0))], device, ground=False, gravity=(0, 0, 0))
    world.place(ang=(0.01, rate, 0.01))
    (roots,) = world.run(30.0, "roots")
    r = rotation(roots[:, 0, 0, 3:7])
    local = np.einsum("tji,tj->ti", r, roots[:, 0, 0, 10:13])
    momentum = np.einsum("tij,tj->ti", r, inertia * local)
    energy = (inertia * local**2).sum(1) / 2
    case = f"Dzhanibekov {rate:g} rad/s"
    drift = np.linalg.norm(momentum - momentum[0], axis=1) / np.linalg.norm(momentum[0])
    measure(case, "dL / L", drift.max(), bar_momentum)
    measure(case, "dE / E", abs(energy / energy[0] - 1).max(), bar_energy)
    print("flips:", flips(local[:, 1]))
    assert expected[0] <= flips(local[:, 1]) <= expected[1]


def quadruped() -> Asset:
    """A trunk and four legs of three hinges each: 18 DOFs, 34 kg, about the size of ANYmal."""
    links = [Link("trunk", -1, mass=19.0, com=(0.02, 0.0, 0.03), inertia=(0.24, 0.65, 0.75, 0.01, 0.02, -0.01))]
    joints = []
    for x in (0.28, -0.28):
        for y in (0.12, -0.12):
            side = np.sign(y)
            for name, parent, pos, mass, com, axis, size in (
                ("hip", 0, (x, y, 0.0), 1.6, (0.0, 0.05 * side, 0.0), (1.0, 0.0, 0.0), 0.004),
                ("thigh", -1, (0.0, 0.08 * side, 0.0), 1.7, (0.0, 0.02 * side, -0.12), (0.0, 1.0, 0.0), 0.012),
                ("shank", -1, (0.0, 0.0, -0.25), 0.45, (0.02 * np.sign(x), 0.0, -0.13), (0.0, 1.0, 0.0), 0.006),
            ):
                i = len(links)
                links.append(
                    Link(
                        f"{name}{i}", 0 if parent == 0 else i - 1, pos, mass=mass, com=com,
                        inertia=(size, 0.9 * size, 0.4 * size, 0.0, 0.05 * size, 0.0),
                    )
                )  # fmt: skip
                joints.append(Joint(f"j{i}", JointKind.REVOLUTE, i, axis=axis))
    return Asset("quadruped", tuple(links), tuple(joints), options=FREE)


@pytest.fixture(scope="module")
def robot(device):
    return World([(quadruped(), (0, 0, 0))], device, envs=16, ground=False)


def momentum_and_energy(asset: Asset, bodies: np.ndarray, g: float = G):
    """P, L about the robot's com, kinetic + potential energy of link states (..., links, 13)."""
    mass = np.array([link.mass for link in asset.links])
    com = np.array([link.com for link in asset.links])
    six = np.array([link.inertia for link in asset.links])
    inertia = six[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
    r = rotation(bodies[..., 3:7])
    c = bodies[..., :3] + np.einsum("...lij,lj->...li", r, com)
    v, w = bodies[..., 7:10], bodies[..., 10:13]
    local = np.einsum("...lji,...lj->...li", r, w)
    spin = np.einsum("...lij,ljk,...lk->...li", r, inertia, local)
    p = np.einsum("l,...li->...i", mass, v)
    centre = np.einsum("l,...li->...i", mass, c)[..., None, :] / mass.sum()
    momentum = (np.cross(c - centre, mass[:, None] * v) + spin).sum(-2)
    kinetic = 0.5 * (mass * (v**2).sum(-1)).sum(-1) + 0.5 * (spin * w).sum((-1, -2))
    return p, momentum, kinetic + g * (mass * c[..., 2]).sum(-1)


@pytest.mark.xfail(
    strict=True,
    reason="float32 state: dP / P is 2.0e-6 in the worst and 1.1e-6 in the middle of 16 starts, bar 1e-6: each of 1200 "
    "steps rounds the root's velocity in its last place, at random (in float64 2e-9)",
)
def test_a_free_robot_keeps_its_momentum(device, measure, robot):
    """No gravity, random joint speeds, 10 s: nothing outside acts."""
    robot.sim.set_params(_params(robot, gravity=(0.0, 0.0, 0.0)))
    robot.reset()
    rng = np.random.default_rng(0)
    robot.place(lin=rng.normal(size=(16, 3)), ang=rng.normal(size=(16, 3)))
    robot.bend(rng.normal(0, 0.5, (16, 12)), rng.normal(0, 1.0, (16, 12)))
    (bodies,) = robot.run(10.0, "bodies")
    p, momentum, energy = momentum_and_energy(quadruped(), bodies, 0.0)
    drift_p = np.linalg.norm(p - p[0], axis=-1) / np.linalg.norm(p[0], axis=-1)
    drift_l = np.linalg.norm(momentum - momentum[0], axis=-1) / np.linalg.norm(momentum[0], axis=-1)
    print("dE / E", (abs(energy - energy[0]) / energy[0]).max(0))
    measure("free quadruped, 10 s", "dL / L, worst of 16", drift_l.max(), 1e-4)
    measure("free quadruped, 10 s", "dP / P, worst of 16", drift_p.max(), 1e-6)


@pytest.mark.parametrize(("dt", "bar_square"), [(0.01, 1e-3), (0.004, 1e-4), (0.001, 5e-5)])
def test_energy_of_a_free_drop(device, measure, robot, dt, bar_square):
    """SimBenchmark's ANYmal energy test: thrown up for 1 s by 2 M g at the base, then 2 s of free fall, legs swinging.

    The measure is theirs: mean (E - E0)^2 over the fall. At 1 ms also the largest |E - E0| of section B.
    """
    robot.sim.set_params(_params(robot, dt=dt, gravity=(0.0, 0.0, -G)))
    robot.dt = dt
    robot.reset()
    robot.place(pos=(0.0, 0.0, 2.0))
    asset = quadruped()
    mass = sum(link.mass for link in asset.links)
    # their legs hang in a stance; ours start bent, so that they swing
    robot.bend(np.tile([0.03, 0.4, -0.8], 4))
    push = np.zeros((16 * len(asset.links), 3))
    push[:: len(asset.links), 2] = 2 * mass * G
    for _ in range(robot.steps_in(1.0)):
        robot.sim.apply_body_forces(robot._device(push))
        robot.sim.step()
    (bodies,) = robot.run(2.0, "bodies")
    _, _, energy = momentum_and_energy(asset, bodies)
    error = energy[:, 0] - energy[0, 0]
    case = f"quadruped free drop, dt {dt * 1000:g} ms"
    measure(case, "mean (E - E0)^2", (error**2).mean(), bar_square, "J^2")
    if dt == 0.001:
        measure(case, "max |E - E0|", abs(error).max(), 0.01, "J")


def _params(world: World, **changes):
    import dataclasses

    return dataclasses.replace(world.sim.params, **changes)
