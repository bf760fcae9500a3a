"""Evaluation, display and reports, with numbers worked out by hand."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
import torch
from fakes import PointEnv

from kilogym.rl.display import Progress, describe, duration
from kilogym.rl.evaluate import evaluate
from kilogym.rl.report import plain, plot_rewards, write_summary
from kilogym.tasks.config import PpoConfig

RECORD = {"iteration": 3, "env_steps": 300, "seconds": 1.5, "steps_per_second": 1234.5, "reward": 2.0}


class FromZero(PointEnv):
    """Starts at 0, so that pushing one way is out after nine actions of 0.25."""

    def _restart(self, mask: torch.Tensor) -> None:
        super()._restart(mask)
        self.state[mask] = 0.0


def test_evaluation_by_hand() -> None:
    env = FromZero(4)
    # still: 20 actions of reward 1. pushed: x = k / 4, reward 1 - k / 4, out beyond 2 at k = 9
    still = evaluate(env, lambda obs: torch.zeros(4, 1))
    assert (still.mean_return, still.fall_rate, still.metrics["distance"]) == (20.0, 0.0, 0.0)
    pushed = evaluate(env, lambda obs: torch.ones(4, 1))
    assert pushed.mean_return == pytest.approx(9 - 45 / 4)
    assert pushed.fall_rate == 1.0
    assert pushed.metrics["distance"] == pytest.approx(45 / 4 / 9)
    assert "fell in 100.0 % of 4 episodes" in pushed.describe()


def test_only_the_first_episode_counts() -> None:
    env = FromZero(2)
    half = evaluate(env, lambda obs: torch.tensor([[1.0], [0.0]]))
    assert half.fall_rate == 0.5
    assert half.mean_return == pytest.approx((9 - 45 / 4 + 20) / 2)


def test_duration() -> None:
    assert [duration(s) for s in (0, 65, 3725)] == ["0:00", "1:05", "1:02:05"]


def test_lines_say_what_matters() -> None:
    line = describe({**RECORD, "metrics/forward_speed": 1.25}, 10, 65)
    assert line == "iteration 3/10 · reward 2.0 · forward speed 1.25 · 1,234 env-steps/s · 1:05 left"
    assert "reward" not in describe({**RECORD, "reward": math.nan}, 10, 65)


def test_plain_output_is_sparse_and_ends_with_the_last() -> None:
    stream = io.StringIO()
    progress = Progress(5, stream)
    for i in range(1, 6):
        progress({**RECORD, "iteration": i})
    lines = stream.getvalue().splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["iteration 1/5", "iteration 5/5"]
    assert [line.endswith(" left") for line in lines] == [False, True]  # one record tells no pace


def test_reports(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, {"a": 1, "ppo": PpoConfig(hidden=(8, 4)), "bad": math.nan})
    write_summary(path, {"b": 2})
    content = json.loads(path.read_text())
    assert (content["a"], content["b"], content["ppo"]["hidden"], content["bad"]) == (1, 2, [8, 4], None)
    assert plain({"p": Path("x"), "t": (1,)}) == {"p": "x", "t": [1]}
    plot_rewards(tmp_path / "reward.png", [{**RECORD, "reward": math.nan}, RECORD], "point")
    assert (tmp_path / "reward.png").stat().st_size > 1000
