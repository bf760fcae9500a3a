"""Bodies of every shape, drawn at random: slabs, needles, sheets, heavy on light, in each other, with bad numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilogym.engine.batch import FAULT_CLAMPED, FAULT_NONFINITE
from kilogym.validation.closed_world import differing
from kilogym.validation.clutter import BODIES, DT, Clutter, Draw, rocks

ENVS, STEPS = 12, 40
few = settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))

SEEDS = st.integers(0, 2**32 - 1)
ANYTHING = st.builds(
    Draw, SEEDS, least=st.sampled_from([1e-4, 1e-3, 0.01, 0.05]), decades=st.sampled_from([0.0, 4.0, 8.0]),
    friction=st.sampled_from([0.0, 0.5, 10.0]), restitution=st.sampled_from([0.0, 0.5, 1.0]),
    speed=st.sampled_from([0.0, 2.0, 100.0]), overlapping=st.booleans(), ground=st.booleans(),
)  # fmt: skip
FLYING = st.builds(
    Draw, SEEDS, least=st.just(0.05), decades=st.sampled_from([0.0, 4.0]), friction=st.sampled_from([0.0, 0.8]),
    restitution=st.sampled_from([0.0, 1.0]), speed=st.sampled_from([0.5, 2.0]), overlapping=st.booleans(),
)  # fmt: skip


@pytest.fixture(scope="module")
def clutters(device) -> list[Clutter]:
    """One per rock, with the limits that assets have by default."""
    return [Clutter(ENVS, device, i, limits=True) for i in range(len(rocks()))]


@pytest.fixture(scope="module")
def free(device) -> Clutter:
    """Nothing acts but contacts and gravity."""
    return Clutter(ENVS, device)


def record(clutter: Clutter) -> dict[str, torch.Tensor]:
    batch = clutter.world.batch
    tables = {**batch.state, **batch.output, "fault": batch.fault[None]}
    return {name: tensor.clone() for name, tensor in tables.items()}


def test_nothing_breaks(clutters):
    """Whatever is drawn: numbers, and none that a limit or a flag does not explain."""

    @few
    @given(ANYTHING, st.integers(0, len(rocks()) - 1))
    def check(draw: Draw, which: int) -> None:
        clutter = clutters[which]
        clutter.put(draw)
        for _ in range(STEPS):
            clutter.world.batch.step()
        state = clutter.world.state()
        assert all(np.isfinite(values).all() for values in state.values())
        assert np.isfinite(clutter.forces()).all()
        assert not (clutter.world.batch.fault & FAULT_NONFINITE).any()
        assert np.linalg.norm(clutter.roots()["ang"], axis=2).max() < 64.1  # the default limit
        quat = np.linalg.norm(clutter.roots()["quat"], axis=2)
        np.testing.assert_allclose(quat, 1.0, atol=1e-5)

    check()


def test_forces_are_equal_and_opposite_and_change_the_momentum(free):
    """In flight, in every step: they cancel over an env, and m dv = F dt of every body."""
    touched = []

    @few
    @given(FLYING)
    def check(draw: Draw) -> None:
        free.put(draw)
        before = free.roots()["lin"]
        for _ in range(STEPS):
            free.world.batch.step()
            after, force = free.roots()["lin"], free.forces()
            assert not (free.world.batch.fault & FAULT_CLAMPED).any()
            largest = np.linalg.norm(force, axis=2).max(axis=1)
            assert (np.linalg.norm(force.sum(axis=1), axis=1) <= 2e-6 * largest + 1e-9).all()
            change, impulse = free.mass[..., None] * (after - before), force * DT
            size = free.mass * (np.linalg.norm(before, axis=2) + np.linalg.norm(after, axis=2))
            size += np.linalg.norm(impulse, axis=2) + 1e-6
            assert (np.linalg.norm(change - impulse, axis=2) <= 1e-4 * size).all()
            before = after
            touched.append((largest > 0).mean())

    check()
    assert np.mean(touched) > 0.1


BAD = [float("nan"), float("inf"), -float("inf"), 1e30, -1e38]


def test_bad_numbers_stay_in_their_env(clutters):
    """In any state, input or place of one env: not a bit changes in another, and that one is flagged or finite."""

    @few
    @given(
        st.sampled_from(["root_pos", "root_quat", "root_lin_vel", "root_ang_vel", "link_force", "link_torque"]),
        st.integers(0, 3 * BODIES - 1), st.sampled_from(BAD), st.integers(0, ENVS - 1), ANYTHING,
    )  # fmt: skip
    def check(name: str, row: int, value: float, env: int, draw: Draw) -> None:
        clutter = clutters[0]
        batch = clutter.world.batch
        others = [i for i in range(ENVS) if i != env]
        records = []
        for bad in (False, True):
            clutter.put(draw)
            batch.control.has_wrench = True
            for table in (batch.input["link_force"], batch.input["link_torque"]):
                table.zero_()
            if bad:
                (batch.state if name in batch.state else batch.input)[name][row, env] = value
            for _ in range(10):
                batch.step()
            records.append(record(clutter))
        batch.control.has_wrench = False
        clean, poisoned = ({k: v[:, others] for k, v in r.items()} for r in records)
        assert not any(differing(clean, poisoned).values())
        flagged = bool(int(batch.fault[env]) & FAULT_NONFINITE)
        assert flagged or all(bool(t[:, env].isfinite().all()) for t in batch.state.values())
        if not np.isfinite(value):
            assert flagged

    check()


def test_an_env_has_the_same_bits_anywhere(clutters):
    """Envs in another order."""

    @few
    @given(ANYTHING, SEEDS)
    def check(draw: Draw, seed: int) -> None:
        clutter = clutters[1]
        batch, order = clutter.world.batch, torch.tensor(np.random.default_rng(seed).permutation(ENVS))
        order = order.to(batch.device)
        records = []
        for permuted in (False, True):
            clutter.put(draw)
            if permuted:
                for table in (batch.state, batch.params):
                    for values in table.values():
                        if values.shape[1] == ENVS:
                            values.copy_(values[:, order].clone())
            for _ in range(STEPS):
                batch.step()
            records.append(record(clutter))
        assert not any(differing({k: v[:, order] for k, v in records[0].items()}, records[1]).values())

    check()
