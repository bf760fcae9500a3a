"""The command line: what it says, what it refuses, with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from kilogym.cli import doctor
from kilogym.cli.main import VERBS, main
from kilogym.cli.options import parse
from kilogym.cli.train import Options, _peek
from kilogym.rl.train import find_checkpoint, resolve_device
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.registry import get_task, task_names


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in VERBS)
    assert "Exit codes" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["trian"], 2, "did you mean 'train'"),
        (["list", "x"], 2, "takes no arguments"),
        (["doctor", "x"], 2, "takes no arguments"),
        (["train", "--seed", "1"], 2, "the task comes first"),
        (["train", "ants"], 1, "did you mean 'ant'"),
        (["train", "ant", "--device", "cuda:77"], 1, "is not there"),
        (["train", "ant", "--device", "tpu"], 1, "cpu, cuda or cuda:N"),
        (["train", "ant", "--device", "cpu", "--resume", "latest", "--runs", "none"], 1, "nothing to resume"),
        (["train", "ant", "--device", "cpu", "--resume", "nowhere"], 1, "no checkpoint at nowhere"),
        (["play", "nowhere", "--device", "cpu"], 1, "no checkpoint at nowhere"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(tmp_path.iterdir()), "a refused command leaves nothing behind"


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "ant", "--ppo.hiden", "3"],
        ["train", "ant", "--seed", "x"],
        ["train", "ant", "--device", "cpu", "--ppo.minibatches", "7"],
        ["play"],
    ],
)
def test_wrong_options_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_a_bug_is_named_and_can_be_traced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(arguments: list[str]) -> int:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("kilogym.cli.list.run", broken)
    assert main(["list"]) == 3
    assert "internal error: RuntimeError: two lines" in capsys.readouterr().err
    monkeypatch.setenv("KILOGYM_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        main(["list"])


def test_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("kilogym.cli.list.run", interrupted)
    assert main(["list"]) == 130


def test_list_shows_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in task_names())
    assert {"ant", "cartpole", "humanoid"} <= set(task_names())


def test_train_help_lists_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train", "ant", "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for flag in (
        "--task.alive-reward",
        "--task.fall-height",
        "--ppo.learning-rate",
        "--num-envs",
        "--resume",
    ):
        assert flag in out


def test_overrides_reach_the_configs() -> None:
    entry = get_task("ant")
    default = Options(task=entry.config, ppo=entry.cpu)
    words = "--task.alive-reward 1.5 --ppo.hidden 8 4 --ppo.schedule fixed --num-envs 64 --evaluate False"
    options = parse(Options, "train ant", words.split(), default=default)
    assert type(options.task) is type(entry.config)
    assert options.task.alive_reward == 1.5
    assert (options.ppo.hidden, options.ppo.schedule, options.num_envs) == ((8, 4), "fixed", 64)
    assert options.evaluate is False
    assert options.ppo.gamma == entry.cpu.gamma


def test_peek_reads_both_forms() -> None:
    assert _peek(["--a", "1", "--device", "cpu"], "--device") == "cpu"
    assert _peek(["--device=cuda:1"], "--device") == "cuda:1"
    assert _peek(["--device"], "--device") is None


def test_latest_is_the_newest_run_with_a_checkpoint(tmp_path: Path) -> None:
    for stamp in ("2026-01-01", "2026-01-02", "2026-01-03"):
        (tmp_path / "ant" / stamp).mkdir(parents=True)
    for stamp in ("2026-01-01", "2026-01-02"):
        (tmp_path / "ant" / stamp / "checkpoint.pt").touch()
    assert find_checkpoint("ant", "latest", tmp_path).name == "2026-01-02"


def test_device_names() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto").startswith(("cpu", "cuda:"))


def test_every_default_ppo_config_is_sound() -> None:
    for name in task_names():
        entry = get_task(name)
        assert isinstance(entry.ppo("cpu"), PpoConfig)
        assert entry.ppo("cuda:1") is entry.cuda


def test_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda name: None if name in ("scipy", "tyro") else "1")
    assert list(doctor.package_problems()) == [
        "scipy is missing: pip install kilogym",
        "training needs tyro: pip install 'kilogym[train]'",
    ]


def test_doctor_knows_why_a_gpu_is_not_used() -> None:
    gpus = ["GPU 0: H200", "GPU 1: H200"]
    assert "CPU build" in next(doctor.device_problems(gpus, 0, 2, None))
    assert "torch sees 1" in next(doctor.device_problems(gpus, 1, 2, "13.0"))
    assert "Warp 0" in next(doctor.device_problems(gpus, 2, 0, "13.0"))
    assert not list(doctor.device_problems(gpus, 2, 2, "13.0"))
    assert not list(doctor.device_problems([], 0, 0, None))


def test_doctor_prints_devices_and_cache(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) in (0, 1)
    out = capsys.readouterr().out
    assert "cache" in out
    assert "torch" in out
