"""The soak in short: it finds nothing where nothing is wrong, and does find what is."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest
import torch

from kilogym.cli.main import main
from kilogym.validation import soak
from kilogym.validation.soak import ROOM, Soak, Watch

SOUND = Soak("cartpole", 8, 100, 3, 2, 2, 0, 0, 0.5, 1.0)


alone = pytest.mark.skipif(
    torch.cuda.is_available() and "PYTEST_XDIST_WORKER" in os.environ,
    reason="a GPU's memory is that of all processes: run this test alone",
)


@alone
@pytest.mark.parametrize("task", ["cartpole", "ant"])
def test_a_task_stays_sound(task, device):
    found = soak.soak(task, 8, device, 0.0, least=130)
    assert found.sound, found.describe()
    assert found.steps == 130
    assert found.poisoned == found.caught == 3


def test_it_sees_an_env_that_nobody_was_told_of(device, monkeypatch):
    poison = Watch.poison
    monkeypatch.setattr(Watch, "poison", lambda self, env: poison(self, (env + 1) % 8))
    found = soak.soak("cartpole", 8, device, 0.0, least=80)
    assert found.strays == found.poisoned == 2
    assert found.caught == 0
    assert not found.sound


@pytest.mark.parametrize("worse", [{"strays": 1}, {"caught": 1}, {"not_finite": 1}, {"growth": ROOM + 1}])
def test_any_fault_is_unsound(worse):
    assert SOUND.sound
    assert not dataclasses.replace(SOUND, **worse).sound


@alone
def test_sims_come_and_go(device):
    told = []
    assert soak.churn(100, device, told.append) < ROOM
    assert told == [100]


def test_sims_side_by_side_have_their_own_bits(device):
    assert soak.side_by_side(8, device, 60) == []


def test_side_by_side_tells_who_differs(device, monkeypatch):
    """A sim that starts elsewhere when it is made again."""
    small, made = soak.small_sim, []

    def other(device, envs=2, height=0.6):
        made.append(height)
        return small(device, envs, height + 0.1 * (len(made) == 5))

    monkeypatch.setattr(soak, "small_sim", other)
    assert soak.side_by_side(3, device, 5) == [1]


@pytest.mark.parametrize(("growth", "changed", "code"), [(0.0, [], 0), (ROOM + 1, [], 1), (0.0, [2], 1)])
def test_the_command(growth, changed, code, tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(soak, "soak", lambda *args: asked.append(args) or SOUND)
    monkeypatch.setattr(soak, "churn", lambda *args: growth)
    monkeypatch.setattr(soak, "side_by_side", lambda *args: changed)
    out = tmp_path / "deep" / "soak.json"
    arguments = ["soak", "--tasks", "cartpole", "ant", "--minutes", "2", "--envs", "8", "--device", "cpu"]
    assert main([*arguments, "--out", str(out)]) == code
    assert asked == [("cartpole", 8, "cpu", 60.0), ("ant", 8, "cpu", 60.0)]
    record = json.loads(out.read_text())
    assert record["sound"] is (code == 0)
    assert record["tasks"][0]["poisoned"] == 2
    assert "1000 sims made and destroyed" in capsys.readouterr().out


def test_wrong_usage(capsys):
    assert main(["soak", "--envs", "0"]) == 2
    assert "expected --envs >= 1" in capsys.readouterr().err
    assert main(["soak", "--tasks", "antt", "--device", "cpu", "--minutes", "0"]) == 1
    assert "did you mean 'ant'" in capsys.readouterr().err
