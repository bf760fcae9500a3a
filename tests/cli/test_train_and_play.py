"""From the command line to a run folder and back: train, resume, play. Small numbers, real simulation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kilogym.cli.main import main

SMALL = "--num-envs 16 --ppo.horizon 8 --ppo.minibatches 2 --ppo.hidden 8 --task.episode-length 20 --film False"


def run(words: str) -> int:
    return main(words.split())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def only_run(runs: Path, task: str) -> Path:
    (folder,) = (runs / task).iterdir()
    return folder


def a_run(runs: Path, device: str) -> Path:
    """The folder of a cartpole's shortest training."""
    words = f"--device {device} --runs {runs} --max-iterations 1 {SMALL} --evaluate False"
    assert run(f"train cartpole {words}") == 0
    return only_run(runs, "cartpole")


@pytest.mark.parametrize("library", ["rsl_rl", "rl_games"])
def test_train_resume_play(
    library: str, runs: Path, device: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(library)
    common = f"--device {device} --runs {runs}"
    code = run(f"train cartpole {common} --library {library} --seed 7 --max-iterations 3 {SMALL}")
    assert code == 0
    folder = only_run(runs, "cartpole")
    left = {p.name.split(".")[0] for p in folder.iterdir()}
    assert {"checkpoint", "config", "summary", "reward", "events"} <= left
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["iterations"], summary["env_steps"], summary["library"]) == (3, 3 * 16 * 8, library)
    assert 0.0 <= summary["evaluation"]["fall_rate"] <= 1.0
    assert summary["evaluation"]["episode_length"] == 20

    # options that are not given are the run's own
    capsys.readouterr()
    assert run(f"train cartpole {common} --resume latest --max-iterations 5 --film False") == 0
    assert "resumed at iteration 3" in capsys.readouterr().out
    summary = json.loads((only_run(runs, "cartpole") / "summary.json").read_text())
    assert (summary["iterations"], summary["library"], summary["seed"]) == (5, library, 7)

    assert run(f"play {folder} --device {device} --num-envs 8") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert "cartpole after 5 iterations: " in line
    assert "of 8 episodes" in line


def test_a_run_of_another_task_is_refused(runs: Path, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = a_run(runs, device)
    assert run(f"train ant --device {device} --resume {folder}") == 2
    assert "is a run of 'cartpole', not of 'ant'" in capsys.readouterr().err


def test_announced_library(runs: Path, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"train cartpole --device {device} --runs {runs} --library skrl {SMALL}") == 1
    assert "not written yet; use one of: rsl_rl, rl_games" in capsys.readouterr().err
    assert not runs.exists(), "a refused command leaves nothing behind"


def test_bench_env_measures_a_task(runs: Path, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"bench env --device {device} --tasks cartpole --num-envs 4 8 --steps 10 --repeats 2 --out {runs}"
    assert run(words) == 0
    assert "| cartpole | 8 |" in capsys.readouterr().out
    (written,) = runs.glob("env-*.json")
    records = json.loads(written.read_text())
    assert [r["num_envs"] for r in records] == [4, 8]
    assert all(r["env_steps_per_s"] > 0 and len(r["speeds"]) == 2 and r["nonfinite_envs"] == 0 for r in records)


def test_bench_says_what_it_can_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bench --help") == 0
    assert "physics" in capsys.readouterr().out
    assert run("bench physic") == 2
    assert "kinds: physics, env" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_film(suffix: str, runs: Path, device: str) -> None:
    if suffix == "mp4":
        pytest.importorskip("imageio_ffmpeg", reason="needs imageio-ffmpeg, which the extra train installs")
    folder = a_run(runs, device)
    film = runs / f"x.{suffix}"
    words = f"--num-envs 2 --seconds 0.2 --width 64 --height 36 --device {device}"
    assert run(f"play {folder} --film {film} {words}") == 0
    assert film.stat().st_size > 500


def test_a_film_that_cannot_be_written_is_one_line(
    runs: Path, device: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_run(runs, device)
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)  # as if it were not installed
    for suffix, message in (("avi", "ends in .gif or .mp4"), ("mp4", "pip install 'kilogym[train]'")):
        film = runs / f"x.{suffix}"
        assert run(f"play {folder} --film {film} --device {device}") == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.startswith("kilogym: error: ")
        assert error.count("\n") == 1
        assert not film.exists()


@pytest.mark.slow
@pytest.mark.parametrize("library", ["rsl_rl", "rl_games"])
def test_cartpole_learns_to_balance(library: str, runs: Path, device: str) -> None:
    pytest.importorskip(library)
    code = run(f"train cartpole --device {device} --runs {runs} --library {library} --film False")
    assert code == 0
    summary = json.loads((only_run(runs, "cartpole") / "summary.json").read_text())
    assert summary["evaluation"]["fall_rate"] < 0.05
    assert summary["evaluation"]["mean_return"] > 450
