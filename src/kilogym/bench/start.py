"""How long a user waits: from `import torch` to the end of a task's first step, with empty caches and with warm ones.

    kilogym bench start                                        Ant and Humanoid, 4096 envs
    kilogym bench start --tasks ant --device cpu --num-envs 64 --repeats 3

Every case is a process of its own, with a cache folder of its own: empty, then as the first process left it. The
program imports the same packages first, so that their files are in memory and a disk's speed is in no case.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from kilogym.bench.provenance import commit, declare_commit, describe, device_name, driver, source_tree, versions
from kilogym.bench.records import write_results
from kilogym.tasks.registry import get_task

CACHES = ("empty", "warm")
STAGES = ("import torch", "import warp", "import kilogym", "device", "declare", "compile", "reset", "first step")
"""What a start consists of; "device" is the making of its context, "compile" all of `prepare`."""
NOT_OURS = STAGES[:2]
LONGEST = 1200.0
"""A start that takes longer has failed [s]."""


@dataclass(frozen=True)
class StartRecord:
    """One task with one state of the caches: the start of median length."""

    task: str
    num_envs: int
    caches: str  # of CACHES
    total_s: float
    stages_s: dict[str, float]  # by name, of STAGES; they add up to total_s
    totals_s: list[float]  # of all repeats
    cores: int
    device: str
    versions: dict[str, str]
    driver: str
    commit: str
    source: str

    @property
    def ours_s(self) -> float:
        """Without the imports of torch and Warp [s]."""
        return self.total_s - sum(self.stages_s[name] for name in NOT_OURS)


def start(task: str, num_envs: int, device: str, cache: Path) -> dict[str, float]:
    """Stages of a start in a new process, with compiled modules kept in `cache`: name of STAGES -> seconds.

    Raises:
        ValueError: The process failed or took more than LONGEST; what it said last.
    """
    environment = os.environ | {"WARP_CACHE_PATH": str(cache / "warp"), "CUDA_CACHE_PATH": str(cache / "cuda")}
    command = [sys.executable, "-m", "kilogym.bench.start_process", task, str(num_envs), device]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"start of {task} on {device}: expected an end within {LONGEST:.0f} s, got none") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or ["nothing"])[-1]
        raise ValueError(f"start of {task} on {device}: exit code {error.returncode}; it said: {said}") from error
    stages: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return stages


def median_start(starts: list[dict[str, float]]) -> dict[str, float]:
    """The start of median length; of an even number the shorter of the two in the middle."""
    return sorted(starts, key=lambda stages: sum(stages.values()))[(len(starts) - 1) // 2]


def measure(task: str, num_envs: int, device: str, repeats: int) -> list[StartRecord]:
    """A task with empty and with warm caches, `repeats` times each."""
    found: dict[str, list[dict[str, float]]] = {caches: [] for caches in CACHES}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for caches in CACHES:
                found[caches].append(start(task, num_envs, device, Path(folder)))
    chosen = {caches: median_start(starts) for caches, starts in found.items()}
    return [
        StartRecord(
            task=task,
            num_envs=num_envs,
            caches=caches,
            total_s=sum(chosen[caches].values()),
            stages_s=chosen[caches],
            totals_s=[sum(stages.values()) for stages in found[caches]],
            cores=os.cpu_count() or 1,
            device=device_name(device),
            versions=versions(),
            driver=driver(),
            commit=commit(),
            source=source_tree(),
        )
        for caches in CACHES
    ]


def to_markdown(records: list[StartRecord]) -> str:
    """A table, and what must be known to read it."""
    first = records[0]
    lines = [
        f"# Start, {first.device}",
        "",
        describe(first.commit, first.source, first.versions, first.driver),
        f"Seconds from `import torch` to the end of the first step, by stage; the median of {len(first.totals_s)}. The "
        f"machine has {first.cores} cores. `device`: its context; `compile`: compiling, or loading, and allocating; "
        "`ours`: the total without the imports of torch and Warp.",
        "",
        "| task | envs | caches | " + " | ".join(STAGES) + " | total | ours |",
        "|---|--:|---|" + "--:|" * (len(STAGES) + 2),
    ]
    for r in records:
        cells = [f"{r.stages_s[name]:.2f}" for name in STAGES]
        lines.append(
            f"| {r.task} | {r.num_envs} | {r.caches} | {' | '.join(cells)} | {r.total_s:.2f} | {r.ours_s:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main(args: list[str] | None = None) -> int:
    """Measure, print the table, write JSON and table if asked."""
    parser = argparse.ArgumentParser(
        prog="kilogym bench start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["ant", "humanoid"])
    parser.add_argument("--num-envs", type=int, default=4096)
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--repeats", type=int, default=1, help="starts of each case")
    parser.add_argument("--out", type=Path, help="folder that gets start-<device>.json and .md")
    parser.add_argument("--commit", help="of the sources, where their git folder is not with them")
    options = parser.parse_args(sys.argv[1:] if args is None else args)
    if options.repeats < 1 or options.num_envs < 1:
        parser.error(f"expected --repeats and --num-envs >= 1, got {options.repeats} and {options.num_envs}")
    declare_commit(options.commit)
    for name in options.tasks:
        get_task(name)  # a wrong name is told before minutes are spent; and files come into memory
    records = []
    for name in options.tasks:
        for r in measure(name, options.num_envs, options.device, options.repeats):
            records.append(r)
            print(f"{name}, {r.caches} caches: {r.total_s:.1f} s, {r.ours_s:.1f} s ours", file=sys.stderr, flush=True)
    print(to_markdown(records))
    if options.out:
        write_results(options.out, "start", records[0].device, records, to_markdown(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
