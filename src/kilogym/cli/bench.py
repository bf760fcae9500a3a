"""`kilogym bench`: the speed of the physics alone, without a learner."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from kilogym.cli.options import parse
from kilogym.rl.train import resolve_device
from kilogym.tasks.base import Task
from kilogym.tasks.registry import make_task

WARM_UP = 20
"""Steps before timing starts: robots have landed, caches are warm."""


@dataclass(frozen=True)
class Options:
    """Time physics steps of tasks' robots under random actions; nothing is learned, no env is reset."""

    tasks: tuple[str, ...] = ("ant", "humanoid")
    """Whose robots."""
    num_envs: tuple[int, ...] = ()
    """Numbers of envs; default 256 1024 on the CPU, 4096 16384 65536 on a GPU."""
    steps: int = 100
    """Physics steps per timing."""
    repeats: int = 5
    """Timings; the median is printed, and the spread from the fastest to the slowest."""
    device: str = "auto"
    """cpu, cuda or cuda:N; auto takes a GPU if there is one."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one physics step of all envs."""

    median: float
    fastest: float
    slowest: float


def time_steps(task: Task, steps: int, repeats: int) -> Timing:
    """Time `sim.step()` under actions that change every ten steps."""

    def go(n: int) -> None:
        for k in range(n):
            if k % 10 == 0:
                task.actions.copy_(task.uniform(*task.actions.shape))
                task.apply_actions()
            task.sim.step()
        task.sim.synchronize()

    go(WARM_UP)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        go(steps)
        times.append((time.perf_counter() - start) / steps)
    return Timing(statistics.median(times), min(times), max(times))


def run(arguments: list[str]) -> int:
    """Print one line per task and number of envs."""
    options = parse(Options, "bench", arguments)
    device = resolve_device(options.device)
    counts = options.num_envs or ((256, 1024) if device == "cpu" else (4096, 16384, 65536))
    where = f"{torch.get_num_threads()} threads" if device == "cpu" else torch.cuda.get_device_name(device)
    print(f"physics on {device} ({where}), median of {options.repeats} x {options.steps} steps")
    for name in options.tasks:
        for count in counts:
            start = time.perf_counter()
            task = make_task(name, count, device)
            ready = time.perf_counter() - start
            t = time_steps(task, options.steps, options.repeats)
            spread = 100 * (t.slowest - t.fastest) / t.median
            print(
                f"{name}.{count} {1e6 * t.median:.1f} us/step {count / t.median:,.0f} env-steps/s "
                f"(spread {spread:.0f} %, ready after {ready:.1f} s)",
                flush=True,
            )
    return 0
