"""`kilogym train TASK`: train a policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kilogym.cli.main import UsageError
from kilogym.cli.options import one_torch_thread, parse
from kilogym.rl.checkpoint import load_checkpoint
from kilogym.rl.train import TrainOptions, find_checkpoint, resolve_device, task_config, train
from kilogym.tasks.registry import get_task, task_names

HELP = """\
usage: kilogym train TASK [options]

Train a task and leave everything in runs/TASK/<time>/: checkpoints, TensorBoard events, config.yaml,
summary.json, reward.png and a film. Ctrl-C ends the run in order and leaves a checkpoint.

  kilogym train ant
  kilogym train ant --num-envs 1024 --max-iterations 100 --device cpu
  kilogym train ant --ppo.learning-rate 1e-3 --task.alive-reward 1.0
  kilogym train ant --resume latest

kilogym train TASK --help lists every option with its default.
"""


@dataclass(frozen=True)
class Options(TrainOptions):
    """Train a policy; everything it leaves is in runs/TASK/<time>/."""

    num_envs: int | None = None
    """Short for --ppo.num-envs."""
    max_iterations: int | None = None
    """Short for --ppo.max-iterations."""
    resume: str | None = None
    """Checkpoint or run folder to go on from, or "latest"; its config is the default of all options."""


def run(arguments: list[str]) -> int:
    """Parse and train. Exit code 130 when interrupted."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP + f"\ntasks: {', '.join(task_names())}")
        return 0 if arguments else 2
    name, rest = arguments[0], arguments[1:]
    if name.startswith("-"):
        raise UsageError(f"the task comes first: kilogym train TASK {' '.join(arguments)}")
    options = parse(Options, f"train {name}", rest, default=_defaults(name, rest))
    changes: dict[str, Any] = {
        key: value
        for key, value in (("num_envs", options.num_envs), ("max_iterations", options.max_iterations))
        if value is not None
    }
    options = replace(options, ppo=replace(options.ppo, **changes))
    resume = find_checkpoint(name, options.resume, options.runs) if options.resume else None
    one_torch_thread()
    _, interrupted = train(name, _plain(options), resume)
    return 130 if interrupted else 0


def _defaults(name: str, arguments: list[str]) -> Options:
    """What holds where the command line says nothing: the task's values, or the checkpoint's."""
    entry = get_task(name)
    device = resolve_device(_peek(arguments, "--device") or "auto")
    options = Options(task=entry.config, ppo=entry.ppo(device))
    resume = _peek(arguments, "--resume")
    if resume is None or "--help" in arguments or "-h" in arguments:
        return options
    path = find_checkpoint(name, resume, Path(_peek(arguments, "--runs") or options.runs))
    saved = load_checkpoint(path, "cpu")
    if saved.task != name:
        raise UsageError(f"{path} is a run of {saved.task!r}, not of {name!r}")
    return replace(
        options,
        task=task_config(name, saved.task_config),
        ppo=saved.ppo,
        seed=saved.seed,
        library=saved.library,  # type: ignore[arg-type]
    )


def _peek(arguments: list[str], flag: str) -> str | None:
    """The value of a flag before the real parsing, "--flag value" or "--flag=value"."""
    for k, word in enumerate(arguments):
        if word.startswith(flag + "="):
            return word[len(flag) + 1 :]
        if word == flag and k + 1 < len(arguments):
            return arguments[k + 1]
    return None


def _plain(options: Options) -> TrainOptions:
    """Without the fields that only the command line has."""
    own = TrainOptions.__dataclass_fields__
    return TrainOptions(**{key: getattr(options, key) for key in own})
