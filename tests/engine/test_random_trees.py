"""Smooth dynamics of any tree: drawn by hypothesis, compared with MuJoCo's, and with laws that need no oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilogym.assets.inertia import matrix
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.oracle import Oracle
from kilogym.validation.trees import random_tree

ENVS = 4
# a topology is compiled once; masses, frames, axes and states are drawn anew every time
TOPOLOGIES = [(2, False, 0), (4, True, 1), (7, False, 2), (9, True, 3), (6, False, 4)]


def trees(device: str):
    return st.tuples(
        st.sampled_from(TOPOLOGIES if device == "cpu" else TOPOLOGIES[2:4]),  # compiling for CUDA takes longer
        st.integers(0, 2**32 - 1),  # numbers of the tree
        st.integers(0, 2**32 - 1),  # states
        st.sampled_from([0.01, 0.3, 1.0, 30.0]),  # its size
        st.sampled_from([0.0, 1.0, 20.0]),  # speed [m/s, rad/s]
    )


few = settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))


def build(drawn, device: str, precision: str) -> tuple[BatchWorld, Oracle, dict[str, np.ndarray]]:
    (links, fixed, shape), numbers, states, size, speed = drawn
    asset = random_tree(np.random.default_rng(numbers), links, fixed, size, np.random.default_rng(shape))
    world = BatchWorld([asset], ENVS, device, precision)
    state = world.random_state(states, spread=1.0, speed=speed)
    world.set_state(state)
    return world, Oracle(asset), state


def relative(ours: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(ours - exact).max() / max(np.abs(exact).max(), 1e-300)) if exact.size else 0.0


@pytest.mark.parametrize(("precision", "bar"), [("float64", 1e-11), ("float32", 2e-5)])
def test_against_mujoco(device, precision, bar):
    @few
    @given(trees(device))
    def check(drawn):
        world, oracle, state = build(drawn, device, precision)
        links, n = oracle.links, oracle.n
        bodies = world.query("kinematics", links, 13)
        jacobian = world.query("jacobian", links - (not oracle.floating), 6, n, tree=0)
        mass = world.query("mass_matrix", n, n, tree=0)
        bias = world.query("bias", n)
        for env in range(ENVS):
            oracle.set(world.tree_state(0, env, state))
            exact = oracle.bodies()
            assert relative(bodies[env, :, :3], exact[:, :3]) < bar
            assert relative(bodies[env, :, 7:], exact[:, 7:]) < bar
            assert relative(jacobian[env], oracle.jacobian()) < bar
            assert relative(mass[env], oracle.mass_matrix()) < bar
            assert relative(bias[env], oracle.bias()) < bar

    check()


def test_accelerations(device):
    """One semi-implicit step of a whole second is v + dv/dt; held against RNEA: M a + bias = 0."""

    @few
    @given(trees(device))
    def check(drawn):
        world, oracle, state = build(drawn, device, "float64")
        control = world.batch.control
        control.dt, control.iterations, control.semi_implicit = 1.0, 1, True
        world.batch.step()
        a = world.velocity(0) - world.velocity(0, state)
        for env in range(ENVS):
            oracle.set(world.tree_state(0, env, state))
            bias, mass = oracle.bias(), oracle.mass_matrix()
            size = np.abs(mass) @ np.abs(a[env]) + np.abs(bias)
            assert np.abs(mass @ a[env] + bias).max() < 1e-11 * size.max()

    check()


@pytest.mark.parametrize(("precision", "bar"), [("float64", 1e-12), ("float32", 1e-5)])
def test_energy_and_momentum(device, precision, bar):
    """v' M v = sum of m v^2 + w' I w less the armature's share; momentum grows by m g dt in a step, whatever moves."""

    @few
    @given(trees(device))
    def check(drawn):
        world, oracle, state = build(drawn, device, precision)
        asset = oracle.asset
        mass = world.query("mass_matrix", oracle.n, oracle.n, tree=0)
        bodies = world.query("kinematics", oracle.links, 13)
        v = world.velocity(0, state)
        first = 0 if asset.fixed_base else 6
        armature = np.array([joint.armature for joint in asset.dof_joints()])
        for env in range(ENVS):
            kinetic = v[env] @ mass[env] @ v[env] - armature @ v[env, first:] ** 2
            parts = 0.0
            for link, row in zip(asset.links, bodies[env], strict=True):
                x, y, z, w = row[3:7]
                turn = np.array([
                    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
                ])  # fmt: skip
                spin = turn.T @ row[10:]
                parts += link.mass * row[7:10] @ row[7:10]
                parts += spin @ matrix(link.inertia) @ spin
            assert abs(kinetic - parts) <= bar * (abs(v[env]) @ abs(mass[env]) @ abs(v[env]))
        if asset.fixed_base:
            return
        masses = np.array([link.mass for link in asset.links])
        before = np.einsum("l,elx->ex", masses, bodies[:, :, 7:10])
        world.batch.step()
        if not world.batch.fault.any():
            after = np.einsum("l,elx->ex", masses, world.query("kinematics", oracle.links, 13)[:, :, 7:10])
            gain = np.array([0, 0, -9.81]) * masses.sum() / 120
            size = np.einsum("l,el->e", masses, np.linalg.norm(bodies[:, :, 7:10], axis=2)).max() + np.abs(gain).max()
            assert np.abs(after - before - gain).max() < bar * size

    check()
