"""`kilogym play CHECKPOINT`: film or measure a trained policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kilogym.cli.options import one_torch_thread, parse
from kilogym.rl.film import film_policy
from kilogym.rl.train import FILM_ENVS, evaluate_task, load_policy, resolve_device
from kilogym.tasks.registry import make_task


@dataclass(frozen=True)
class Options:
    """Film a trained policy (--film ant.gif), or else measure it over whole episodes."""

    checkpoint: Path
    """Checkpoint file, or the folder of a run for its newest one."""
    film: Path | None = None
    """Write a film here; .gif or .mp4."""
    seconds: float = 6.0
    """Length of the film [s]."""
    width: int = 640
    """Width of the film [px]."""
    height: int = 360
    """Height of the film [px]."""
    num_envs: int | None = None
    """Robots in the film, or episodes to measure; default 25, or 256 on the CPU and 1024 on a GPU."""
    device: str = "auto"
    """cpu, cuda or cuda:N; auto takes a GPU if there is one."""
    seed: int = 1
    """Of the start states."""


def run(arguments: list[str]) -> int:
    """Parse, then film or measure."""
    if arguments and not arguments[0].startswith("-"):
        arguments = ["--checkpoint", *arguments]
    options = parse(Options, "play", arguments)
    one_torch_thread()
    device = resolve_device(options.device)
    saved, config, learner = load_policy(options.checkpoint, device)
    if options.film is None:
        result = evaluate_task(saved.task, config, learner, device, options.seed, options.num_envs)
        print(f"{saved.task} after {saved.iteration} iterations: {result.describe()}")
        return 0
    field = make_task(saved.task, options.num_envs or FILM_ENVS, device, options.seed, config)
    film_policy(field, learner.act, options.film, options.seconds, options.width, options.height)
    print(f"film: {options.film}")
    return 0
