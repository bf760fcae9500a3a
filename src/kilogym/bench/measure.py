"""Time one engine on one scene, and look at what it produced."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from kilogym.bench.engine import Engine, Setting
from kilogym.bench.quality import Quality


@dataclass(frozen=True)
class Plan:
    """How long to measure. The first `warm_up` steps bring every env from the start into contact."""

    warm_up: int = 240  # physics steps
    steps: int = 200  # physics steps per timing
    repeats: int = 7  # timings
    seed: int = 0  # of the controls; equal seeds give every engine equal controls


@dataclass(frozen=True)
class Measurement:
    """What one engine did. Speeds count physics steps of all envs per second."""

    num_envs: int
    speeds: list[float]  # one per repeat, in order [1/s]
    prepare_s: float  # import, compilation, allocation, capture
    quality: Quality
    nonfinite_envs: int
    own_contacts: float | None
    overflowed: bool

    @property
    def speed(self) -> float:
        """Median over the repeats [1/s]."""
        return statistics.median(self.speeds)

    @property
    def spread(self) -> float:
        """From the slowest to the fastest repeat, as a share of the median."""
        return (max(self.speeds) - min(self.speeds)) / self.speed


class Controls:
    """The controls of a run: uniform in [-1, 1], the same sequence for every engine."""

    def __init__(self, setting: Setting, seed: int, distinct: int = 16) -> None:
        generator = torch.Generator().manual_seed(seed)
        shape = (distinct, setting.num_envs, setting.scene.num_controls)
        self._values = (torch.rand(shape, generator=generator) * 2.0 - 1.0).to(setting.device)
        self._next = 0

    def next(self) -> torch.Tensor:
        """The next controls, float32 (num_envs, num_controls); the sequence starts again after a while."""
        self._next += 1
        return self._values[(self._next - 1) % len(self._values)]


def measure(kind: type[Engine], setting: Setting, plan: Plan) -> Measurement:
    """Make an engine, run it, time it; between the timings, outside of them, look at its envs."""
    start = time.perf_counter()
    engine = kind(setting)
    engine.synchronize()
    prepare_s = time.perf_counter() - start
    num_envs = getattr(engine, "num_envs", setting.num_envs)
    controls = Controls(setting, plan.seed)

    def run(steps: int) -> int:
        blocks = max(1, steps // setting.hold)
        for _ in range(blocks):
            engine.set_controls(controls.next())
            engine.advance()
        engine.synchronize()
        return blocks * setting.hold

    run(plan.warm_up)
    quality, speeds = Quality(), []
    overflowed = False
    for _ in range(plan.repeats):
        start = time.perf_counter()
        done = run(plan.steps)
        speeds.append(done * num_envs / (time.perf_counter() - start))
        quality.add(setting.scene, engine.positions())
        overflowed |= engine.overflowed()
    result = Measurement(
        num_envs, speeds, prepare_s, quality, engine.nonfinite_envs(), engine.own_contacts(), overflowed
    )
    engine.close()
    return result
