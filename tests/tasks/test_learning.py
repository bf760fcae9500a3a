"""Tasks that a CPU learns in a minute or two are learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kilogym.rl.evaluate import evaluate
from kilogym.rl.trainer import RunIdentity, Trainer
from kilogym.tasks.registry import get_task, make_task


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "iterations", "distance"),
    # of a policy that does nothing: lost; lost; 0.3 m
    [("ball_balance", 150, 0.1), ("quadcopter", 200, 0.6), ("franka_reach", 300, 0.08)],
)
def test_learns(name: str, iterations: int, distance: float, tmp_path: Path, device: str) -> None:
    pytest.importorskip("rsl_rl")
    entry = get_task(name)
    ppo = replace(entry.cpu, max_iterations=iterations)
    env = make_task(name, ppo.num_envs, device, 0)
    trainer = Trainer(env, ppo, RunIdentity(name, "rsl_rl", 0, {}), tmp_path)
    trainer.run()
    found = evaluate(make_task(name, 64, device, 1), trainer.learner.act)
    assert found.metrics["distance"] < distance
    assert found.fall_rate < 0.05
