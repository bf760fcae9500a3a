"""Speed of whole environment steps: physics, observations, rewards and resets under random actions; no learner.

    kilogym bench env                                          Ant and Humanoid
    kilogym bench env --tasks ant --num-envs 4096 16384 65536

On CUDA a block of steps is captured as one graph, random actions included, so that what is timed is the GPU's work
and not Python's. A task whose step waits for the host cannot be captured and fails here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from kilogym.bench.provenance import commit, declare_commit, describe, device_name, driver, source_tree, versions
from kilogym.bench.records import si, write_results
from kilogym.tasks.base import Task
from kilogym.tasks.registry import make_task

WARM_UP = 60
"""Steps before timing starts: robots have landed, many have fallen and been reset."""
BLOCK = 10
"""Steps of one captured graph."""


@dataclass(frozen=True)
class EnvRecord:
    """One task at one number of envs."""

    task: str
    num_envs: int
    env_steps_per_s: float
    physics_steps_per_s: float
    spread: float
    speeds: list[float]
    ready_s: float
    gpu_bytes_per_env: float | None
    nonfinite_envs: int
    device: str
    versions: dict[str, str]
    driver: str
    commit: str
    source: str


class Stepper:
    """Steps a task under actions uniform in [-1, 1], as a captured graph on CUDA."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.graph: torch.cuda.CUDAGraph | None = None
        self._block()
        task.sim.synchronize()
        if task.device.type == "cuda":
            self.graph = torch.cuda.CUDAGraph()
            self.graph.register_generator_state(task.generator)
            with torch.cuda.graph(self.graph):
                self._block()

    def _block(self) -> None:
        for _ in range(BLOCK):
            self.task.step(self.task.uniform(self.task.num_envs, self.task.num_actions))

    def run(self, steps: int) -> int:
        """Do at least `steps` steps; returns how many."""
        blocks = max(1, steps // BLOCK)
        for _ in range(blocks):
            if self.graph is None:
                self._block()
            else:
                self.graph.replay()
        self.task.sim.synchronize()
        return blocks * BLOCK


def measure(name: str, num_envs: int, device: str, steps: int, repeats: int, seed: int) -> EnvRecord:
    """Make a task, warm it up, time it."""
    start = time.perf_counter()
    free = torch.cuda.mem_get_info(device)[0] if device != "cpu" else 0
    task = make_task(name, num_envs, device, seed)
    stepper = Stepper(task)
    ready = time.perf_counter() - start
    used = free - torch.cuda.mem_get_info(device)[0] if device != "cpu" else None
    stepper.run(WARM_UP)
    speeds = []
    for _ in range(repeats):
        start = time.perf_counter()
        done = stepper.run(steps)
        speeds.append(done * num_envs / (time.perf_counter() - start))
    speed = statistics.median(speeds)
    config = task.config
    return EnvRecord(
        task=name,
        num_envs=num_envs,
        env_steps_per_s=speed,
        physics_steps_per_s=speed * config.decimation * config.substeps,
        spread=(max(speeds) - min(speeds)) / speed,
        speeds=speeds,
        ready_s=ready,
        gpu_bytes_per_env=used / num_envs if used is not None else None,
        nonfinite_envs=int((task.sim.env_faults() & 1).ne(0).sum()),
        device=device_name(device),
        versions=versions(),
        driver=driver(),
        commit=commit(),
        source=source_tree(),
    )


def to_markdown(records: list[EnvRecord]) -> str:
    """A table, and what must be known to read it."""
    first = records[0]
    lines = [
        f"# Environment speed, {first.device}",
        "",
        describe(first.commit, first.source, first.versions, first.driver),
        "Random actions; a step is physics (all substeps), rewards, resets and observations. Median of "
        f"{len(first.speeds)}; compilation and capture are in `ready`. Memory is what the device lost to the process "
        "from before the task was made to after capture, over the envs.",
        "",
        "| task | envs | env-steps/s | substeps/s | spread | ready | GPU memory/env | not finite |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for r in records:
        memory = "" if r.gpu_bytes_per_env is None else f"{r.gpu_bytes_per_env / 1e3:.1f} kB"
        lines.append(
            f"| {r.task} | {r.num_envs} | {si(r.env_steps_per_s)} | {si(r.physics_steps_per_s)} | {r.spread:.0%} "
            f"| {r.ready_s:.1f} s | {memory} | {r.nonfinite_envs} |"
        )
    return "\n".join(lines) + "\n"


def main(args: list[str] | None = None) -> int:
    """Measure, print the table, write JSON and table if asked."""
    parser = argparse.ArgumentParser(
        prog="kilogym bench env", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["ant", "humanoid"])
    parser.add_argument("--num-envs", nargs="+", type=int, help="default 4096 16384 65536 on CUDA, 256 on the CPU")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=100, help="per timing")
    parser.add_argument("--repeats", type=int, default=5, help="timings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder that gets env-<device>.json and .md")
    parser.add_argument("--commit", help="of the sources, where their git folder is not with them")
    options = parser.parse_args(sys.argv[1:] if args is None else args)
    declare_commit(options.commit)
    counts = options.num_envs or ([256] if options.device == "cpu" else [4096, 16384, 65536])
    records = []
    for name in options.tasks:
        for count in counts:
            r = measure(name, count, options.device, options.steps, options.repeats, options.seed)
            records.append(r)
            print(
                f"{name} {count}: {si(r.env_steps_per_s)} env-steps/s, ready after {r.ready_s:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    print(to_markdown(records))
    if options.out:
        write_results(options.out, "env", records[0].device, records, to_markdown(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
