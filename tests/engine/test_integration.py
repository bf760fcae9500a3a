"""One step against MuJoCo's Euler and against the documented scheme, evaluated in float64 with MuJoCo's M and bias."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from engine_support import Oracle, TreeState, World, displace, is_double, same_state, with_velocity
from zoo import NAMES

DT = 1 / 120
ROOT_COM_AT_ORIGIN = ["ant", "cartpole", "arm7", "mix", "tree_c"]
"""Where MuJoCo's free joint and ours have equal coordinates: elsewhere MuJoCo's Euler integrates the frame's origin,
ours the com, and the two differ by the order of the step."""


def stepped(world: World, seed: int, *, semi_implicit: bool, iterations: int = 1, gains: tuple | None = None):
    """State before and after one step under random efforts, and the efforts.

    Args:
        gains: (stiffness, damping, rest position) of every DOF as passive springs instead of efforts.
    """
    rng = np.random.default_rng(seed)
    control, params = world.batch.control, world.batch.params
    control.dt, control.substeps, control.iterations, control.has_wrench = DT, 1, iterations, False
    control.semi_implicit = semi_implicit
    state = world.random_state(seed)
    tau = rng.normal(size=(world.num_envs, world.model.num_dofs)).astype(np.float32).astype(np.float64)
    params["dof_mode"].fill_(0 if gains else 3)
    for name, value in zip(("dof_stiffness", "dof_damping", "dof_spring_ref"), gains or (0, 0, 0), strict=True):
        params[name].fill_(value)
    world.set_state(state)
    world.set_input(dof_effort_in=tau)
    world.batch.step()
    after = world.state()
    for name in ("dof_stiffness", "dof_damping", "dof_spring_ref"):
        params[name].zero_()
    assert not world.batch.fault.any()
    return state, after, tau


@pytest.fixture(scope="module")
def euler(world):
    return stepped(world, 21, semi_implicit=True)


@pytest.fixture(scope="module")
def midpoint(world):
    return stepped(world, 22, semi_implicit=False, iterations=4)


def generalised(world: World, oracle: Oracle, tree: int, env: int, tau: np.ndarray) -> np.ndarray:
    force = np.zeros(oracle.n)
    force[6 * oracle.floating :] = tau[env, world.tree_dofs(tree)]
    return force


MISSED = {"humanoid": 2.0e-6, "arm7": 2.6e-6, "mix": 2.2e-6, "hinges": 8.9e-6}
AT_THE_BAR = {"welded": 0.7e-6, "tree_a": 1.7e-6}
"""Float32, relative to the largest velocity: the bar of one step is 1e-6, and dt times what the bar of the acceleration
itself allows is 17 times as much for the Humanoid (5e-5 of some 250 rad/s^2), 65 for the arm. The error is the
acceleration's: at half the step the Humanoid has half of it."""


def scale(*velocities: np.ndarray) -> float:
    return max(1.0, *(np.abs(v).max() for v in velocities))


def test_semi_implicit_step(world, zoo, tree, euler, request):
    """v+ = v + dt a, q+ = q (+) dt v+; where coordinates are the same, this is mj_Euler."""
    oracle, (state, after, tau), name = zoo[1][tree], euler, NAMES[tree]
    scheme, mujocos = 0.0, 0.0
    for env in range(world.num_envs):
        s, ours = world.tree_state(tree, env, state), world.tree_state(tree, env, after)
        oracle.set(s)
        force = generalised(world, oracle, tree, env, tau)
        v = oracle.velocity() + DT * oracle.acceleration(force)
        expected = with_velocity(oracle, displace(oracle, s, DT * v), v)
        largest = scale(v, oracle.velocity())
        scheme = max(scheme, same_state(ours, expected) / largest)
        if name in ROOT_COM_AT_ORIGIN:
            oracle.set(s)
            oracle.m.opt.timestep = DT
            oracle.d.qfrc_applied[:] = force
            mujoco.mj_step(oracle.m, oracle.d)
            mujocos = max(mujocos, same_state(ours, oracle.read()) / largest)
    worst = max(scheme, mujocos)
    assert worst < (1e-12 if is_double(world) else 2e-5)
    measured = {**MISSED, **AT_THE_BAR}
    if not is_double(world) and name in measured:
        # on CUDA multiplications and additions are fused: there a miss this small may become a hit
        strict = world.device == "cpu" and name in MISSED
        request.applymarker(pytest.mark.xfail(strict=strict, reason=f"{measured[name]} measured, {worst:.1e} now"))
    assert worst < 1e-6 or is_double(world)


def spin(oracle: Oracle) -> tuple[np.ndarray, np.ndarray]:
    """Inertia and angular momentum of a floating tree about its own com: (3, 3), (3,)."""
    m, v = oracle.mass_matrix(), oracle.velocity()
    mass, mc = m[0, 0], np.array([m[1, 5], m[2, 3], m[0, 4]])  # the coupling block is -[m c] x
    cross = np.array([[0, -mc[2], mc[1]], [mc[2], 0, -mc[0]], [-mc[1], mc[0], 0]])
    assert np.allclose(m[:3, 3:6], -cross)
    p, about_root = (m @ v)[:3], (m @ v)[3:6]
    return m[3:6, 3:6] + cross @ cross / mass, about_root - np.cross(mc / mass, p)


def midpoint_step(oracle: Oracle, s: TreeState, force: np.ndarray, dt: float) -> TreeState:
    """Drift to the midpoint, bias twice, drift to the end, momentum of a floating tree restored (docs/physics.md)."""
    v = oracle.velocity()
    if oracle.floating:
        start, (_, turn) = oracle.momentum(), spin(oracle)
    half = displace(oracle, s, dt / 2 * v)
    oracle.set(half)
    single = len(oracle.asset.links) == 1 and oracle.floating
    if single:  # turns to the midpoint with what L means there
        ahead = v.copy()
        for _ in range(20):
            ahead[3:6] = np.linalg.solve(spin(oracle)[0], turn)
            half = displace(oracle, s, dt / 2 * ahead)
            oracle.set(half)
    predicted = v + dt / 2 * oracle.acceleration(force)
    oracle.set(with_velocity(oracle, half, predicted))
    new = v + dt * oracle.acceleration(force)
    if single:  # turns with what L means at the midpoint
        new[3:6] = 2 * np.linalg.solve(oracle.mass_matrix()[3:6, 3:6], turn) - v[3:6]
    end = with_velocity(oracle, displace(oracle, s, dt * (v + new) / 2), new)
    oracle.set(end)
    if oracle.floating:
        new = new.copy()
        inertia, now = spin(oracle)
        new[3:6] += np.linalg.solve(inertia, turn - now)
        oracle.set(with_velocity(oracle, end, new))
        mass = sum(link.mass for link in oracle.asset.links)
        wanted = start + np.array([0, 0, -9.81]) * mass * dt
        new[:3] += (wanted - oracle.momentum()) / mass
        end = with_velocity(oracle, end, new)
    return end


def test_midpoint_step(world, zoo, tree, midpoint):
    """The default scheme."""
    oracle, (state, after, tau) = zoo[1][tree], midpoint
    for env in range(world.num_envs):
        s, ours = world.tree_state(tree, env, state), world.tree_state(tree, env, after)
        oracle.set(s)
        expected = midpoint_step(oracle, s, generalised(world, oracle, tree, env, tau), DT)
        largest = scale(oracle.velocity(), world.velocity(tree, state)[env])
        assert same_state(ours, expected) < (1e-11 if is_double(world) else 3e-5) * largest


@pytest.mark.parametrize("iterations", [1, 4])
def test_springs_and_dampers_are_implicit(world, zoo, iterations):
    """Every iteration of h solves (M + h D + h^2 K) dv = h (-bias - D v - K (q - q0 + h v)), M with armature."""
    stiffness, damping, rest = 40.0, 0.75, 0.125
    state, after, _ = stepped(world, 23, semi_implicit=True, iterations=iterations, gains=(stiffness, damping, rest))
    h = DT / iterations
    for tree, name in enumerate(NAMES):
        oracle = zoo[1][tree]
        if any(joint.kind.num_dofs == 3 for joint in oracle.asset.joints):
            continue  # a ball joint's spring follows its rotation vector: below
        first = 6 * oracle.floating
        for env in range(world.num_envs):
            s = world.tree_state(tree, env, state)
            oracle.set(s)
            m, bias = oracle.mass_matrix(), oracle.bias()
            gains = np.zeros(oracle.n)
            gains[first:] = 1.0
            start = oracle.velocity()
            v, x = start.copy(), np.zeros(oracle.n)
            error = np.zeros(oracle.n)
            error[first:] = rest - s.q
            lhs = m + np.diag(gains * (h * damping + h * h * stiffness))
            for _ in range(iterations):
                force = -bias + gains * (stiffness * (error - x - h * v) - damping * v)
                v = v + np.linalg.solve(lhs, h * force)
                x = x + h * v
            ours = world.tree_state(tree, env, after)
            expected = with_velocity(oracle, displace(oracle, s, x), v)
            worst = same_state(ours, expected) / scale(v, start)
            assert worst < (1e-12 if is_double(world) else 1e-5), (name, env)


def test_tensors_are_of_the_state_after_the_step(world, zoo, tree, midpoint):
    """Jacobians, mass matrices and body states asked for after a step belong to the end of the step."""
    oracle = zoo[1][tree]
    world.set_state(midpoint[1])
    world.batch.step()
    state = world.state()
    mass = world.query("mass_matrix", oracle.n, oracle.n, tree=tree)
    jacobian = world.query("jacobian", oracle.links - (not oracle.floating), 6, oracle.n, tree=tree)
    bodies = world.query("kinematics", world.model.num_links, 13)[:, world.tree_links(tree)]
    for env in range(world.num_envs):
        oracle.set(world.tree_state(tree, env, state))
        exact = oracle.mass_matrix()
        double = is_double(world)
        assert np.abs(mass[env] - exact).max() < (1e-12 if double else 1e-6) * np.abs(exact).max()
        assert np.abs(jacobian[env] - oracle.jacobian()).max(initial=0) < (1e-12 if double else 2e-6)
        assert np.abs(bodies[env, :, :3] - oracle.bodies()[:, :3]).max() < (1e-12 if double else 2e-6)
