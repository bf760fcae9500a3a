"""Train a task by name: its run folder, the training, the evaluation, the film."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TextIO

import torch

from kilogym.rl.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from kilogym.rl.display import Progress, duration
from kilogym.rl.evaluate import Evaluation, evaluate
from kilogym.rl.film import film_policy
from kilogym.rl.learner import Learner, find_learner, make_learner
from kilogym.rl.report import EventWriter, plot_rewards, versions, write_config, write_summary
from kilogym.rl.trainer import RunIdentity, Trainer
from kilogym.tasks.config import PpoConfig, TaskConfig
from kilogym.tasks.registry import get_task, make_task

FILM_ENVS = 25
"""Robots in the film."""


class DeviceError(ValueError):
    """The device asked for is not there; the message says what is."""


@dataclass(frozen=True)
class TrainOptions:
    """How to train one task."""

    task: TaskConfig
    """The task's numbers."""
    ppo: PpoConfig
    """The learner's numbers."""
    device: str = "auto"
    """cpu, cuda or cuda:N; auto takes a GPU if there is one."""
    seed: int = 0
    """Equal seeds give equal runs on the same machine and versions."""
    library: Literal["rsl_rl", "rl_games", "stable_baselines3", "skrl", "gymnasium"] = "rsl_rl"
    """Whose PPO learns."""
    runs: Path = Path("runs")
    """Folder that gets <task>/<time>/ with everything the run leaves."""
    evaluate: bool = True
    """Measure the trained policy over whole episodes, without its noise."""
    film: bool = True
    """Film a field of robots following the trained policy."""


def resolve_device(name: str) -> str:
    """ "auto" to the best device there is; others are checked."""
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"device {name!r} is not understood; use cpu, cuda or cuda:N") from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise DeviceError(f"device {name!r} is not there: torch sees {count} NVIDIA GPUs; use cpu")
        return f"cuda:{device.index or 0}"
    if device.type != "cpu":
        raise DeviceError(f"device {name!r} is not supported; use cpu, cuda or cuda:N")
    return "cpu"


def find_checkpoint(task: str, where: str, runs: Path) -> Path:
    """A checkpoint file or run folder as given, or the newest run of the task for "latest"."""
    if where != "latest":
        return Path(where)
    folders = sorted(p.parent for p in (runs / task).glob("*/checkpoint.pt"))
    if not folders:
        raise CheckpointError(f"nothing to resume: no run with a checkpoint in {runs / task}")
    return folders[-1]


def task_config(name: str, values: dict[str, Any]) -> TaskConfig:
    """The config of the task `name` with the values a checkpoint holds."""
    try:
        return replace(get_task(name).config, **values)
    except TypeError as error:
        raise CheckpointError(f"the checkpoint's config does not fit the task {name!r}: {error}") from error


def train(
    name: str, options: TrainOptions, resume: Path | None = None, stream: TextIO | None = None
) -> tuple[Path, bool]:
    """Train the task `name`.

    Args:
        name: One of `task_names()`.
        options: Config, device, library.
        resume: Checkpoint or run folder to go on from, into the same folder.
        stream: Where to say what happens; default the standard output.

    Returns:
        The run's folder, and whether training was interrupted.
    """
    stream = stream if stream is not None else sys.stdout
    # refuse what cannot be done before anything is left on the disk
    find_learner(options.library)
    device = resolve_device(options.device)
    checkpoint = load_checkpoint(resume, device) if resume is not None else None
    folder = _run_folder(name, options.runs, resume)
    config = {"name": name, **asdict(options), "device": device}
    write_config(folder / "config.yaml", config)

    print(f"{name} with {options.library} on {device}: {options.ppo.num_envs} envs, into {folder}", file=stream)
    start = time.monotonic()
    env = make_task(name, options.ppo.num_envs, device, options.seed, options.task)
    identity = RunIdentity(name, options.library, options.seed, asdict(options.task))
    progress = Progress(options.ppo.max_iterations, stream)
    events = EventWriter(folder)

    def record(entry: dict[str, float]) -> None:
        progress(entry)
        events(entry)

    trainer = Trainer(env, options.ppo, identity, folder, record)
    if checkpoint is not None:
        trainer.restore(checkpoint)
        print(f"resumed at iteration {checkpoint.iteration}", file=stream)
    print(f"ready after {time.monotonic() - start:.1f} s", file=stream, flush=True)
    try:
        trainer.run()
    finally:
        progress.close()
        events.close()
    _write_results(folder, name, options, device, trainer)
    if trainer.interrupted:
        print(f"interrupted; go on with: kilogym train {name} --resume {folder}", file=stream)
        return folder, True
    print(f"trained in {duration(time.monotonic() - start)}", file=stream, flush=True)
    finish(name, options, device, trainer.learner, folder, stream)
    return folder, False


def finish(name: str, options: TrainOptions, device: str, learner: Learner, folder: Path, stream: TextIO) -> None:
    """Film and evaluate a trained policy as the options say; the evaluation is the last thing said."""
    if options.film:
        film = folder / f"{name}.gif"
        field = make_task(name, FILM_ENVS, device, options.seed + 2, options.task)
        film_policy(field, learner.act, film)
        print(f"film: {film}", file=stream)
    if options.evaluate:
        result = evaluate_task(name, options.task, learner, device, options.seed + 1)
        write_summary(folder / "summary.json", {"evaluation": asdict(result)})
        print(f"evaluation: {result.describe()}", file=stream)


def evaluate_task(
    name: str, config: TaskConfig, learner: Learner, device: str, seed: int, num_envs: int | None = None
) -> Evaluation:
    """Run whole episodes of the task with the learner's policy, without its noise."""
    count = num_envs or (256 if device == "cpu" else 1024)
    return evaluate(make_task(name, count, device, seed, config), learner.act)


def load_policy(path: Path, device: str) -> tuple[Checkpoint, TaskConfig, Learner]:
    """The policy of a checkpoint, with the config it was trained in."""
    checkpoint = load_checkpoint(path, device)
    config = task_config(checkpoint.task, checkpoint.task_config)
    # the learner wants an env to know its sizes; two are enough
    small = replace(checkpoint.ppo, num_envs=2, horizon=2, minibatches=1)
    learner = make_learner(checkpoint.library, make_task(checkpoint.task, 2, device, 0, config), small, 0)
    learner.load_state_dict(checkpoint.learner)
    return checkpoint, config, learner


def _run_folder(name: str, runs: Path, resume: Path | None) -> Path:
    if resume is not None:
        return resume if resume.is_dir() else resume.parent
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    folder, n = runs / name / stamp, 1
    while folder.exists():
        n += 1
        folder = runs / name / f"{stamp}_{n}"
    folder.mkdir(parents=True)
    return folder


def _write_results(folder: Path, name: str, options: TrainOptions, device: str, trainer: Trainer) -> None:
    history = trainer.history
    steps = trainer.iteration * options.ppo.num_envs * options.ppo.horizon
    summary = {
        "task": name,
        "library": options.library,
        "device": torch.cuda.get_device_name(device) if device != "cpu" else "cpu",
        "seed": options.seed,
        "num_envs": options.ppo.num_envs,
        "iterations": trainer.iteration,
        "interrupted": trainer.interrupted,
        "env_steps": steps,
        "training_seconds": round(trainer.seconds, 2),
        "steps_per_second": round(steps / trainer.seconds) if trainer.seconds else 0,
        "reward": history[-1]["reward"] if history else None,
        "versions": versions(),
    }
    write_summary(folder / "summary.json", summary)
    plot_rewards(folder / "reward.png", history, f"{name}, {options.library}")
