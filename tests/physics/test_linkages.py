"""Tendons, joints that follow joints, closed loops and attractors against closed forms."""

import dataclasses
import math

import numpy as np
import pytest
from lab import FREE, G, World, body, rod, rotation

from kilogym.assets.asset import Asset, Closure, DriveMode, Joint, JointEquality, JointKind, Link, Tendon
from kilogym.scene.couplings import AttractorDecl
from kilogym.sim import Simulation, SimulationParams

LENGTH, MASS = 0.5, 1.0
INERTIA = MASS * LENGTH**2 / 3  # of a rod about its end


def pendulums(**couplings) -> Asset:
    """Two rods that hang side by side from a fixed base, turning about y."""
    links, joints = [Link("base", -1)], []
    for i in range(2):
        links.append(
            Link(f"rod{i}", 0, (0.0, 0.3 * i, 0.0), mass=MASS, com=(0.0, 0.0, -LENGTH / 2), inertia=rod(LENGTH, MASS))
        )
        joints.append(Joint(f"j{i}", JointKind.REVOLUTE, i + 1, axis=(0.0, 1.0, 0.0), drive_mode=DriveMode.EFFORT))
    return Asset("pendulums", tuple(links), tuple(joints), fixed_base=True, options=FREE, **couplings)


def tendon(**numbers) -> Tendon:
    return Tendon("t", ("j0", "j1"), (1.0, -1.0), **numbers)


def test_modes_of_two_pendulums_on_a_tendon(device, measure):
    """The tendon pulls apart only what swings apart: w0 in phase, sqrt(w0^2 + 2 k / I) in antiphase."""
    k, small, seconds = 4.0, 0.02, 10.0
    w = World([(pendulums(tendons=(tendon(stiffness=k),)), (0, 0, 0))], device, envs=2, ground=False)
    start = small * np.array([[1.0, 1.0], [1.0, -1.0]])
    w.bend(start)
    (states,) = w.run(seconds, "dof_states")
    t = np.arange(len(states)) * w.dt
    alone = math.sqrt(MASS * G * LENGTH / 2 / INERTIA)
    for env, omega in enumerate((alone, math.sqrt(alone**2 + 2 * k / INERTIA))):
        exact = start[env] * np.cos(omega * t)[:, None]
        error = np.abs(states[:, env, :, 0] - exact).max() / small
        measure("Two pendulums on a tendon", ("in phase", "antiphase")[env] + ", worst of 10 s", error, 0.02)


def test_a_damped_tendon(device, measure):
    """Without gravity the difference is a damped oscillator: I x'' = -2 (k x + d x')."""
    k, d = 20.0, 0.4
    w = World([(pendulums(tendons=(tendon(stiffness=k, damping=d, rest_length=0.1),)), (0, 0, 0))], device,
              ground=False, gravity=(0.0, 0.0, 0.0))  # fmt: skip
    w.bend([0.2, -0.2])
    (states,) = w.run(2.0, "dof_states")
    t = np.arange(len(states)) * w.dt
    decay, omega = d / INERTIA, math.sqrt(2 * k / INERTIA - (d / INERTIA) ** 2)
    exact = 0.1 + 0.3 * np.exp(-decay * t) * (np.cos(omega * t) + decay / omega * np.sin(omega * t))
    error = np.abs(states[:, 0, 0, 0] - states[:, 0, 1, 0] - exact).max()
    measure("Damped tendon", "error / amplitude", error / 0.3, 2e-3)


def test_limits_of_a_tendon_are_springs(device, measure):
    """A torque on each side, opposed: the length stands where the limit's spring carries it; DOF forces say so."""
    stiffness, torque = 40.0, 6.0
    limits = tendon(limited=True, lower=-0.1, upper=0.2, limit_stiffness=stiffness, damping=1.0)
    w = World([(pendulums(tendons=(limits,)), (0, 0, 0))], device, envs=2, ground=False, gravity=(0.0, 0.0, 0.0))
    efforts = np.array([[torque, -torque], [-torque, torque]])
    w.drive(efforts)
    w.step(w.steps_in(10.0))
    length = w.dof_states()[..., 0] @ [1.0, -1.0]
    exact = np.array([0.2 + torque / stiffness, -0.1 - torque / stiffness])
    measure("Tendon at its limits", "length", np.abs(length - exact).max(), 1e-5)
    measure("Tendon at its limits", "DOF forces", np.abs(w.dof_forces()).max() / torque, 1e-4)


def test_a_stiff_tendon_stands_still(device):
    """1e6 N m/rad at 1/60 s: what takes one step to bring together stays there."""
    w = World([(pendulums(tendons=(tendon(stiffness=1e6),)), (0, 0, 0))], device, ground=False, dt=1 / 60)
    w.bend([0.5, -0.3])
    (states,) = w.run(10.0, "dof_states")
    apart = np.abs(states[:, 0, 0, 0] - states[:, 0, 1, 0])
    assert apart[2:].max() < 1e-3
    assert np.abs(states[..., 0]).max() < 0.6


@pytest.mark.parametrize("load", [0.0, 20.0])
def test_a_joint_that_follows_moves_as_one_body(device, measure, load):
    """q1 = m q0 + b under torques on both: (I + m^2 I) q0'' = t0 + m t1."""
    m, b, own = -2.0, 0.3, 3.0
    asset = pendulums()
    joints = (asset.joints[0], dataclasses.replace(asset.joints[1], mimic=("j0", m, b)))
    w = World([(dataclasses.replace(asset, joints=joints), (0, 0, 0))], device, ground=False, gravity=(0.0, 0.0, 0.0))
    w.bend([0.1, m * 0.1 + b])
    w.drive(np.array([own, load]))
    (states,) = w.run(0.3, "dof_states")
    t = np.arange(len(states)) * w.dt
    exact = 0.1 + (own + m * load) / (INERTIA * (1 + m * m)) * t**2 / 2
    q = states[:, 0, :, 0]
    measure(f"Mimic joint, load {load:g} N m", "ratio", np.abs(q[:, 1] - m * q[:, 0] - b).max(), 3e-5, "rad")
    measure(f"Mimic joint, load {load:g} N m", "motion", np.abs(q[:, 0] - exact).max() / np.abs(exact).max(), 1e-4)
    # what holds it pulls on both, by the ratio
    held = w.dof_forces()[0] - [own, load]
    assert np.abs(held).max() > 1.0
    measure(f"Mimic joint, load {load:g} N m", "torques", abs(held[0] + m * held[1]) / 20.0, 1e-4)


def test_a_polynomial(device):
    """q1 = 0.2 + q0^2 while q0 is driven to and fro."""
    curve = JointEquality("curve", "j1", "j0", (0.2, 0.0, 1.0, 0.0, 0.0))
    w = World([(pendulums(equalities=(curve,)), (0, 0, 0))], device, ground=False)
    w.bend([0.5, 0.45])
    (states,) = w.run(5.0, "dof_states")
    q = states[:, 0, :, 0]
    assert np.ptp(q[:, 0]) > 0.3
    assert np.abs(q[:, 1] - 0.2 - q[:, 0] ** 2).max() < 2e-4


# a crank, a coupler and a rocker that turns about a point of the base
CRANK, COUPLER, ROCKER, PIVOT = 0.2, 0.4, 0.3, (0.4, -0.1)  # [m], pivot x and z


def four_bar() -> Asset:
    base = Link("base", -1)
    crank = Link("crank", 0, mass=0.5, com=(0.0, 0.0, CRANK / 2), inertia=rod(CRANK, 0.5))
    i = 0.8 * COUPLER**2 / 12
    flat = (1e-4, i, i, 0.0, 0.0, 0.0)  # the coupler lies along x
    coupler = Link("coupler", 1, (0.0, 0.0, CRANK), mass=0.8, com=(COUPLER / 2, 0.0, 0.0), inertia=flat)
    rocker = Link("rocker", 2, (COUPLER, 0.0, 0.0), mass=0.6, com=(0.0, 0.0, -ROCKER / 2), inertia=rod(ROCKER, 0.6))
    joints = tuple(Joint(f"j{n}", JointKind.REVOLUTE, n + 1, axis=(0.0, 1.0, 0.0)) for n in range(3))
    loop = Closure("loop", 3, 0, pos_a=(0.0, 0.0, -ROCKER), pos_b=(PIVOT[0], 0.0, PIVOT[1]))
    return Asset(
        "four_bar", (base, crank, coupler, rocker), joints, closures=(loop,), fixed_base=True, options=FREE
    )


def along(angle: np.ndarray, x: float, z: float) -> np.ndarray:
    """(x, z) turned about y: (..., 2)."""
    s, c = np.sin(angle), np.cos(angle)
    return np.stack([c * x + s * z, -s * x + c * z], -1)


def four_bar_energy(states: np.ndarray) -> np.ndarray:
    """Kinetic and potential [J] of (..., 3, 2) states, by the planar motion of the three bars."""
    angle, rate = np.cumsum(states[..., 0], -1), np.cumsum(states[..., 1], -1)
    bars = [(0.5, CRANK, (0.0, CRANK / 2), (0.0, CRANK)), (0.8, COUPLER, (COUPLER / 2, 0.0), (COUPLER, 0.0)),
            (0.6, ROCKER, (0.0, -ROCKER / 2), (0.0, -ROCKER))]  # fmt: skip
    place, velocity = np.zeros((*angle.shape[:-1], 2)), np.zeros((*angle.shape[:-1], 2))
    total = np.zeros(angle.shape[:-1])
    for n, (mass, length, com, end) in enumerate(bars):
        turned = lambda p, n=n: along(angle[..., n], *p)  # noqa: E731
        moved = lambda p, n=n: rate[..., n, None] * along(angle[..., n] + np.pi / 2, *p)  # noqa: E731
        v = velocity + moved(com)
        total += 0.5 * mass * (v**2).sum(-1) + 0.5 * mass * length**2 / 12 * rate[..., n] ** 2
        total += mass * G * (place + turned(com))[..., 1]
        place, velocity = place + turned(end), velocity + moved(end)
    return total


def test_a_four_bar_linkage(device, measure):
    """Ten seconds under gravity: the loop stays closed, the rocker stands where the crank wants it, energy stays."""
    w = World([(four_bar(), (0, 0, 0))], device, ground=False)
    w.bend(speeds=[1.0, -1.0, -2 / 3])  # tangent to the loop at the start: the crank takes the coupler's end along x
    (states,) = w.run(10.0, "dof_states")
    angle = np.cumsum(states[:, 0, :, 0], -1)
    joint_a = along(angle[:, 0], 0.0, CRANK)
    joint_b = joint_a + along(angle[:, 1], COUPLER, 0.0)
    end = joint_b + along(angle[:, 2], 0.0, -ROCKER)
    measure("Four-bar linkage", "gap of the loop", np.abs(end - PIVOT).max(), 3e-4, "m")
    # circles about A and about the pivot meet where B is, on the side where the linkage was put together
    between = PIVOT - joint_a
    d = np.linalg.norm(between, axis=-1)
    a = (d**2 + COUPLER**2 - ROCKER**2) / (2 * d)
    height = np.sqrt(COUPLER**2 - a**2)
    normal = np.stack([-between[:, 1], between[:, 0]], -1) / d[:, None]
    exact = joint_a + between * (a / d)[:, None] + normal * height[:, None]
    measure("Four-bar linkage", "B by Freudenstein's relation", np.abs(joint_b - exact).max(), 5e-4, "m")
    energy = four_bar_energy(states[:, 0])
    assert np.ptp(angle[:, 0]) > 2 * np.pi  # it has turned
    scale = 1.9 * G * CRANK
    measure("Four-bar linkage", "energy / scale over 10 s", np.abs(energy - energy[0]).max() / scale, 0.06)


def test_a_weld_carries_a_weight(device, measure):
    """A free block welded to where it was made: it hangs there, and the weld carries its weight and its moment."""
    mass, arm = 3.0, 0.2
    block = body(None, mass=mass, inertia=(0.05, 0.06, 0.07, 0.0, 0.0, 0.0), com=(arm, 0.0, 0.0))
    block = dataclasses.replace(block, closures=(Closure("weld", 0, -1, weld=True),))
    where = (0.3, -0.2, 1.0)
    w = World([(block, where)], device, ground=False)
    w.step(w.steps_in(5.0))
    measure("Weld under a weight", "sag", np.abs(w.roots()[0, 0, :3] - where).max(), 2e-5, "m")
    h = w.dt / 4
    reaction = w.sim.batches[0].snapshot()["warm_coupling"][:6, 0].cpu().numpy() / h
    moment = mass * G * arm
    measure("Weld under a weight", "force", np.abs(reaction[:3] - [0, 0, mass * G]).max() / (mass * G), 1e-4)
    measure("Weld under a weight", "moment", np.abs(reaction[3:] - [0, -moment, 0]).max() / moment, 1e-4)


def free_loop() -> Asset:
    """A floating trunk, two arms of two links, their hands held together."""
    links = [Link("trunk", -1, mass=2.0, inertia=(0.03, 0.02, 0.04, 0.0, 0.0, 0.0))]
    joints = []
    for side in (-1.0, 1.0):
        for n in range(2):
            up = 0 if n == 0 else len(links) - 1
            at = (0.0, 0.1 * side, 0.0) if n == 0 else (0.3, 0.0, 0.0)
            inertia = (1e-4, 3e-3, 3e-3, 0.0, 0.0, 0.0)
            links.append(Link(f"l{len(links)}", up, at, mass=0.4, com=(0.15, 0.0, 0.0), inertia=inertia))
            for k, axis in enumerate([(0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]):
                joints.append(Joint(f"j{len(links)}_{k}", JointKind.REVOLUTE, len(links) - 1, axis=axis))
    hold = Closure("hands", 2, 4, pos_a=(0.3, 0.1, 0.0), pos_b=(0.3, -0.1, 0.0))
    return Asset("loop", tuple(links), tuple(joints), closures=(hold,), options=FREE)


def momentum(asset: Asset, bodies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear and angular momentum about the origin of (..., bodies, 13)."""
    p, turn = 0.0, 0.0
    for link, row in zip(asset.links, np.moveaxis(bodies, -2, 0), strict=True):
        r = rotation(row[..., 3:7])
        xx, yy, zz, xy, xz, yz = link.inertia
        inertia = r @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ np.swapaxes(r, -1, -2)
        com = row[..., :3] + np.einsum("...ij,j->...i", r, np.array(link.com))
        p = p + link.mass * row[..., 7:10]
        turn = turn + link.mass * np.cross(com, row[..., 7:10]) + np.einsum("...ij,...j->...i", inertia, row[..., 10:])
    return p, turn


def test_a_closed_loop_conserves_momentum(device, measure):
    """Hands that hold each other neither push nor turn the robot, and stay together."""
    asset = free_loop()
    w = World([(asset, (0, 0, 1.0))], device, ground=False, gravity=(0.0, 0.0, 0.0))
    w.place(lin=(0.2, 0.1, -0.1), ang=(1.0, 2.0, -1.5))
    w.bend(speeds=[0.5, -0.4, 0.3, 0.2, -0.6, 0.5, 0.4, -0.3])
    (bodies,) = w.run(5.0, "bodies")
    p, turn = momentum(asset, bodies[1:, 0])  # the first step makes the hands' velocities equal
    measure("Free closed loop", "dP / P", np.abs(p - p[0]).max() / np.linalg.norm(p[0]), 1e-5)
    spin = np.array([turn[n] - np.cross(_com(asset, bodies[n + 1, 0]), p[n]) for n in range(len(p))])
    measure("Free closed loop", "dL / L", np.abs(spin - spin[0]).max() / np.linalg.norm(spin[0]), 1e-5)
    ends = [_point(bodies[:, 0, link], at) for link, at in ((2, (0.3, 0.1, 0.0)), (4, (0.3, -0.1, 0.0)))]
    measure("Free closed loop", "hands apart", np.abs(ends[0] - ends[1]).max(), 2e-4, "m")


def _point(rows: np.ndarray, at: tuple) -> np.ndarray:
    return rows[..., :3] + np.einsum("...ij,j->...i", rotation(rows[..., 3:7]), np.array(at))


def _com(asset: Asset, bodies: np.ndarray) -> np.ndarray:
    mass = sum(link.mass for link in asset.links)
    return sum(link.mass * _point(row, link.com) for link, row in zip(asset.links, bodies, strict=True)) / mass


# ---- attractors ----------------------------------------------------------------------------------------------


def attracted(device: str, asset: Asset, attractors: list[AttractorDecl], dt: float = 1 / 120, **params) -> Simulation:
    defaults = {"substeps": 1, "gravity": (0.0, 0.0, 0.0), "position_iterations": 4, "velocity_iterations": 0}
    sim = Simulation(SimulationParams(dt=dt, **{**defaults, **params}), device)
    for attractor in attractors:
        sim.create_env()
        sim.create_actor(sim.num_envs - 1, asset)
        sim.create_attractor(sim.num_envs - 1, attractor)
    sim.prepare()
    return sim


def roots_over(sim: Simulation, seconds: float) -> np.ndarray:
    rows = []
    for _ in range(round(seconds / sim.params.dt)):
        sim.step()
        sim.refresh_root_states()
        rows.append(sim.root_states.cpu().numpy().astype(np.float64))
    return np.array(rows)


def test_an_attractor_is_a_damped_oscillator(device, measure):
    """Along x, and about z, of the target's frame; what is not attracted goes on."""
    k, d, mass, moment = 30.0, 2.0, 1.5, 0.2
    stone = body(None, mass=mass, inertia=(moment,) * 3 + (0.0,) * 3)
    axes = ((1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 1))
    sim = attracted(device, stone, [AttractorDecl(0, 0, k, d, which) for which in axes])
    states = sim.root_states.clone()
    states[:, 0], states[:, 1] = 0.2, -0.1
    states[0, 8] = 0.5
    half = 0.3 / 2
    states[1, 5], states[1, 6] = math.sin(half), math.cos(half)
    sim.set_root_states(states)
    rows = roots_over(sim, 3.0)
    t = (np.arange(len(rows)) + 1) * sim.params.dt

    def exact(inertia: float, start: float) -> np.ndarray:
        decay, omega = d / inertia / 2, math.sqrt(k / inertia - (d / inertia / 2) ** 2)
        return start * np.exp(-decay * t) * (np.cos(omega * t) + decay / omega * np.sin(omega * t))

    measure("Attractor along x", "error / amplitude", np.abs(rows[:, 0, 0] - exact(mass, 0.2)).max() / 0.2, 1e-3)
    measure("Attractor along x", "y, free", np.abs(rows[:, 0, 1] - (-0.1 + 0.5 * t)).max(), 1e-5, "m")
    turned = 2 * np.arctan2(rows[:, 1, 5], rows[:, 1, 6])
    measure("Attractor about z", "error / amplitude", np.abs(turned - exact(moment, 0.3)).max() / 0.3, 1e-3)
    assert np.abs(rows[:, 1, :2] - [0.2, -0.1]).max() < 1e-6


def test_an_attractor_with_an_offset_holds_a_weight(device, measure):
    """The frame, not the body's origin, goes to the target, and sags by m g / k there."""
    k, mass = 2000.0, 1.0
    stone = body(None, mass=mass, inertia=(0.1,) * 3 + (0.0,) * 3)
    target = (0.5, -0.3, 2.0)
    pull = AttractorDecl(0, 0, k, 60.0, target_pos=target, offset_pos=(0.0, 0.0, 0.25))
    sim = attracted(device, stone, [pull], gravity=(0.0, 0.0, -G))
    rows = roots_over(sim, 10.0)
    exact = np.array(target) - [0, 0, 0.25 + mass * G / k]
    measure("Attractor with a weight", "place", np.abs(rows[-1, 0, :3] - exact).max(), 2e-5, "m")


def test_a_stiff_attractor_is_stable(device):
    """1e6 N/m at 1/60 s with no damping: it comes to the target and stays."""
    stone = body(None, mass=1.0, inertia=(0.1,) * 3 + (0.0,) * 3)
    sim = attracted(device, stone, [AttractorDecl(0, 0, 1e6, 0.0, target_pos=(1.0, 0.0, 0.0))], dt=1 / 60)
    rows = roots_over(sim, 5.0)
    assert np.abs(rows[10:, 0, :3] - [1.0, 0.0, 0.0]).max() < 1e-4
    assert np.abs(rows[10:, 0, 7:]).max() < 1e-2


def test_a_target_that_moves(device, measure):
    """Set before every step: the body follows a slow circle."""
    stone = body(None, mass=1.0, inertia=(0.1,) * 3 + (0.0,) * 3)
    pull = AttractorDecl(0, 0, 4000.0, 120.0, target_pos=(1.0, 0.0, 0.0))
    sim = attracted(device, stone, [pull, pull])
    worst = 0.0
    for n in range(240):
        angle = n / 240
        where = (math.cos(angle), math.sin(angle), 0.0)
        sim.set_attractor(0, 0, dataclasses.replace(pull, target_pos=where))
        sim.step()
        sim.refresh_root_states()
        if n > 100:
            worst = max(worst, float(np.abs(sim.root_states[0, :3].cpu().numpy() - where).max()))
    measure("Attractor on a circle", "lag", worst, 0.02, "m")
    assert np.abs(sim.root_states[1, :3].cpu().numpy() - [1, 0, 0]).max() < 1e-3  # the other env's target stood still

