"""Random trees with shapes on their links, driven by anything: what holds for every robot."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilogym.assets.asset import Asset, BodyOptions, DriveMode, Shape, ShapeKind
from kilogym.engine.batch import FAULT_CLAMPED, FAULT_NONFINITE
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.closed_world import differing
from kilogym.validation.trees import FREE, random_tree

ENVS, STEPS, DT = 8, 40, 1 / 120
few = settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
SOLIDS = ((ShapeKind.SPHERE, (0.06, 0, 0)), (ShapeKind.CAPSULE, (0.03, 0.1, 0)), (ShapeKind.BOX, (0.05, 0.08, 0.02)))


def robot(seed: int, links: int, fixed: bool, options: BodyOptions) -> Asset:
    """A random tree with a shape on each link; limits of effort on half of the joints."""
    rng = np.random.default_rng(seed)
    asset = random_tree(rng, links, fixed)
    shapes = tuple(Shape(i, *SOLIDS[i % len(SOLIDS)], friction=0.5) for i in range(links))
    joints = tuple(
        dataclasses.replace(
            joint, drive_mode=DriveMode.EFFORT, damping=0.1, armature=max(0.02, joint.armature),
            **({"effort": 50.0} if i % 2 else {}),
        )
        for i, joint in enumerate(asset.joints)
    )  # fmt: skip
    return dataclasses.replace(asset, shapes=shapes, joints=joints, options=options)


@pytest.fixture(scope="module")
def worlds(device) -> list[BatchWorld]:
    """A floating and a fixed tree with the default limits, and a floating one that nothing limits."""
    made = []
    for seed, links, fixed, options in ((3, 6, False, BodyOptions()), (8, 5, True, BodyOptions()), (3, 6, False, FREE)):
        world = BatchWorld([robot(seed, links, fixed, options)], ENVS, device, ground=GroundPlane(), filter=0)
        world.batch.params["link_gravity"][:] = 1.0
        made.append(world)
    assert made[0].model.num_dofs > 3
    assert made[0].model.pairs
    return made


def put(world: BatchWorld, seed: int, speed: float, effort: float) -> None:
    """Anyhow posed near the ground, with efforts of up to `effort`."""
    state = world.random_state(seed, spread=0.5, speed=speed)
    state["root_pos"][:, 2] = np.abs(state["root_pos"][:, 2]) + 0.3
    world.set_state(state)
    efforts = np.random.default_rng(seed).uniform(-1, 1, (ENVS, world.model.num_dofs)) * effort
    world.set_input(dof_effort_in=efforts.astype(np.float32).astype(float))


def record(world: BatchWorld) -> dict[str, torch.Tensor]:
    tables = {**world.batch.state, **world.batch.output, "fault": world.batch.fault[None]}
    return {name: tensor.clone() for name, tensor in tables.items()}


EFFORTS = st.sampled_from([0.0, 1.0, 100.0, 1e6, 1e20, 1e38])


def test_any_action_leaves_numbers(worlds):
    """From none to as large as float32 holds: the state is finite, or flagged and frozen at the last finite one."""

    @few
    @given(st.sampled_from(range(3)), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2.0, 30.0]), EFFORTS)
    def check(which: int, seed: int, speed: float, effort: float) -> None:
        world = worlds[which]
        put(world, seed, speed, effort)
        for _ in range(STEPS):
            world.batch.step()
        assert all(np.isfinite(values).all() for values in world.state().values())
        assert all(bool(values.isfinite().all()) for values in world.batch.output.values())
        if effort <= 100.0 and which < 2:
            assert not (world.batch.fault & FAULT_NONFINITE).any()

    check()


BAD = [float("nan"), float("inf"), -float("inf"), 1e30, 3e38]


def test_bad_actions_stay_in_their_env(worlds):
    @few
    @given(
        st.sampled_from(range(2)), st.sampled_from(["dof_effort_in", "dof_target_pos", "dof_pos", "dof_vel"]),
        st.integers(0, 100), st.sampled_from(BAD), st.integers(0, ENVS - 1), st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def check(which: int, name: str, row: int, value: float, env: int, seed: int) -> None:
        world = worlds[which]
        batch = world.batch
        others = [i for i in range(ENVS) if i != env]
        records = []
        for bad in (False, True):
            put(world, seed, 2.0, 5.0)
            batch.input["dof_target_pos"].zero_()
            if bad:
                table = batch.state if name in batch.state else batch.input
                table[name][row % world.model.num_dofs, env] = value
            for _ in range(10):
                batch.step()
            records.append(record(world))
        batch.input["dof_target_pos"].zero_()
        clean, poisoned = ({k: v[:, others] for k, v in r.items()} for r in records)
        assert not any(differing(clean, poisoned).values())
        flagged = bool(int(batch.fault[env]) & FAULT_NONFINITE)
        assert flagged or all(bool(t[:, env].isfinite().all()) for t in batch.state.values())

    check()


def test_momentum_changes_by_weight_and_contacts(worlds):
    """Of a floating tree, every step, whatever its joints do: dP = (sum of contact forces + m g) dt."""
    world, touched = worlds[2], []
    masses = np.array([link.mass for link in world.assets[0].links])

    def momentum() -> np.ndarray:
        return np.einsum("l,elx->ex", masses, world.query("kinematics", len(masses), 13)[..., 7:10])

    @few
    @given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2.0]), st.sampled_from([0.0, 10.0, 100.0]))
    def check(seed: int, speed: float, effort: float) -> None:
        put(world, seed, speed, effort)
        before = momentum()
        for _ in range(STEPS):
            world.batch.step()
            after = momentum()
            force = world.output("link_contact_force").reshape(ENVS, -1, 3)
            sound = (world.batch.fault & (FAULT_CLAMPED | FAULT_NONFINITE)).cpu().numpy() == 0
            impulse = (force.sum(axis=1) + masses.sum() * np.array([0.0, 0.0, -9.81])) * DT
            links = world.query("kinematics", len(masses), 13)[..., 7:10]
            size = (masses[:, None] * np.abs(links)).sum(axis=(1, 2)) + np.abs(force).sum(axis=(1, 2)) * DT
            error = np.abs(after - before - impulse).max(axis=1)
            assert (error <= 2e-5 * size + 1e-6)[sound].all()
            touched.append((np.abs(force).max(axis=(1, 2)) > 0).mean())
            before = after

    check()
    assert np.mean(touched) > 0.1
