"""Smooth dynamics against MuJoCo in float64: kinematics, inertia, bias, Jacobians, accelerations.

Both codes see the same state: it is rounded to the engine's precision before MuJoCo gets it.
"""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from engine_support import Oracle, World, is_double
from zoo import NAMES

QACC_BAR = {"ant": 2e-6}
"""Relative, float32; the others as the Humanoid 5e-5, though five joints on one body (hinges) make M nearly singular,
with a condition number of 6e4 (Humanoid 4e3, Ant 80)."""


def errors(world: World, oracle: Oracle, tree: int, state, compare) -> float:
    """Largest compare(env) over all envs, the oracle being in the env's state."""
    worst = 0.0
    for env in range(world.num_envs):
        oracle.set(world.tree_state(tree, env, state))
        worst = max(worst, compare(env))
    assert np.isfinite(worst)
    return worst


def relative(ours: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(ours - exact).max() / np.abs(exact).max())


def test_kinematics(world, zoo, tree):
    oracle = zoo[1][tree]
    state = world.random_state(1)
    world.set_state(state)
    bodies = world.query("kinematics", world.model.num_links, 13)[:, world.tree_links(tree)]
    depth = {}
    for i, link in enumerate(zoo[0][tree].links):
        depth[i] = depth.get(link.parent, 0) + 1
    longest = max(depth.values())

    def pose(env: int) -> float:
        exact = oracle.bodies()
        sign = np.sign(np.sum(exact[:, 3:7] * bodies[env, :, 3:7], axis=1, keepdims=True))
        turned = 2 * np.abs(exact[:, 3:7] - sign * bodies[env, :, 3:7]).max()  # radians, for small angles
        return max(np.abs(exact[:, :3] - bodies[env, :, :3]).max(), turned / longest)

    assert errors(world, oracle, tree, state, pose) < (1e-12 if is_double(world) else 2e-6)
    speeds = errors(world, oracle, tree, state, lambda env: relative(bodies[env, :, 7:], oracle.bodies()[:, 7:]))
    assert speeds < (1e-12 if is_double(world) else 2e-6)


def test_mass_matrix(world, zoo, tree):
    oracle = zoo[1][tree]
    state = world.random_state(2)
    world.set_state(state)
    ours = world.query("mass_matrix", oracle.n, oracle.n, tree=tree)
    worst = errors(world, oracle, tree, state, lambda env: relative(ours[env], oracle.mass_matrix()))
    assert worst < (1e-12 if is_double(world) else 1e-6)


def test_bias(world, zoo, tree):
    oracle = zoo[1][tree]
    state = world.random_state(3)
    world.set_state(state)
    ours = world.query("bias", len(world.batch.topology.v_link))[:, world.tree_v(tree)]
    worst = errors(world, oracle, tree, state, lambda env: relative(ours[env], oracle.bias()))
    assert worst < (1e-12 if is_double(world) else 5e-6)


def test_jacobian(world, zoo, tree):
    oracle = zoo[1][tree]
    state = world.random_state(4)
    world.set_state(state)
    links = oracle.links - (not oracle.floating)
    ours = world.query("jacobian", links, 6, oracle.n, tree=tree)
    worst = errors(world, oracle, tree, state, lambda env: float(np.abs(ours[env] - oracle.jacobian()).max()))
    assert worst < (1e-12 if is_double(world) else 2e-6)
    # the point where a force acts is the com: J^T f is what the force does to the DOFs (see test_accelerations)


def accelerations(world: World, state, seed: int, effort: float = 10.0):
    """dv/dt of every velocity under random efforts and body wrenches; (a, tau, wrench).

    One semi-implicit step of a whole second is v + dv/dt, free of the rounding of a short step.
    """
    rng = np.random.default_rng(seed)
    control = world.batch.control
    control.dt, control.substeps, control.iterations, control.semi_implicit, control.has_wrench = 1.0, 1, 1, True, True
    world.batch.params["dof_mode"].fill_(3)
    tau = (rng.normal(size=(world.num_envs, world.model.num_dofs)) * effort).astype(np.float32)
    wrench = rng.normal(size=(world.num_envs, world.model.num_links, 6)).astype(np.float32)
    world.set_state(state)
    world.set_input(
        dof_effort_in=tau,
        link_force=wrench[:, :, :3].reshape(world.num_envs, -1),
        link_torque=wrench[:, :, 3:].reshape(world.num_envs, -1),
    )
    world.batch.step()
    control.has_wrench = False
    after = world.state()
    assert not world.batch.fault.any()
    a = [world.velocity(t, after) - world.velocity(t, state) for t in range(world.model.num_trees)]
    return a, tau.astype(np.float64), wrench.astype(np.float64)


def applied(world: World, oracle: Oracle, tree: int, env: int, tau: np.ndarray, wrench: np.ndarray) -> np.ndarray:
    """Generalised force of efforts and wrenches, (n,)."""
    force = np.zeros(oracle.n)
    force[6 * oracle.floating :] = tau[env, world.tree_dofs(tree)]
    jacobian = oracle.jacobian(root=True)
    return force + np.einsum("lij,li->j", jacobian, wrench[env, world.tree_links(tree)])


@pytest.fixture(scope="module")
def accelerated(world):
    state = world.random_state(5)
    return state, *accelerations(world, state, 6)


def test_accelerations(world, zoo, tree, accelerated):
    oracle, (state, a, tau, wrench) = zoo[1][tree], accelerated

    def compare(env: int) -> float:
        return relative(a[tree][env], oracle.acceleration(applied(world, oracle, tree, env, tau, wrench)))

    bar = 1e-11 if is_double(world) else QACC_BAR.get(NAMES[tree], 5e-5)
    assert errors(world, oracle, tree, state, compare) < bar


def test_inverse_dynamics_round_trip(world, zoo, tree, accelerated):
    """MuJoCo's inverse dynamics (RNEA) of our acceleration gives back the forces."""
    oracle, (state, a, tau, wrench) = zoo[1][tree], accelerated
    largest = np.abs(tau).max()

    def compare(env: int) -> float:
        force = applied(world, oracle, tree, env, tau, wrench)
        oracle.d.qacc[:] = oracle.T @ a[tree][env] + oracle.Tdot_v
        mujoco.mj_inverse(oracle.m, oracle.d)
        return float(np.abs(oracle.T.T @ oracle.d.qfrc_inverse - force).max() / largest)

    assert errors(world, oracle, tree, state, compare) < (1e-11 if is_double(world) else 1e-4)


def test_far_from_the_origin(zoo32, zoo):
    """Accelerations at 10 to 10000 m are as good as at 0: nothing in them knows where the root is."""
    state = zoo32.random_state(7)
    near = accelerations(zoo32, state, 8)[0]
    for distance in (10.0, 100.0, 1000.0, 10000.0):
        moved = dict(state)
        moved["root_pos"] = (state["root_pos"] + distance).astype(np.float32).astype(np.float64)
        far = accelerations(zoo32, moved, 8)[0]
        for name, a, b in zip(NAMES, near, far, strict=True):
            assert np.array_equal(a, b), f"{name} at {distance} m"
