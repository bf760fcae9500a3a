"""One start of a task, timed stage by stage in the process that does it: `kilogym bench start` runs one per case.

    python -m kilogym.bench.start_process TASK NUM_ENVS DEVICE

Prints a JSON object, stage -> seconds. Nothing heavy may be imported here before the clock runs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from types import ModuleType


class Stages:
    """Seconds by stage; each ends where the next begins."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def end(self, name: str) -> None:
        """The stage `name` is over."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def time_start(task: str, num_envs: int, device: str) -> dict[str, float]:
    """From `import torch` to the end of the first step: stage -> seconds, in the order of the stages."""
    stages = Stages()
    import torch

    stages.end("import torch")
    import warp  # noqa: F401

    stages.end("import warp")
    from kilogym.sim import Simulation
    from kilogym.tasks.registry import get_task

    entry = get_task(task)
    stages.end("import kilogym")
    torch.zeros(1, device=device)
    stages.end("device")

    untimed = Simulation.prepare

    def timed(sim: Simulation, also: Sequence[ModuleType] = ()) -> None:
        stages.end("declare")
        untimed(sim, also)
        sim.synchronize()
        stages.end("compile")

    setattr(Simulation, "prepare", timed)  # noqa: B010 (what is assigned to a method, mypy refuses)
    env = entry.task(entry.config, num_envs, device)
    env.sim.synchronize()
    stages.end("reset")
    env.step(torch.zeros(num_envs, env.num_actions, device=env.device))
    env.sim.synchronize()
    stages.end("first step")
    return stages.seconds


if __name__ == "__main__":
    print(json.dumps(time_start(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
