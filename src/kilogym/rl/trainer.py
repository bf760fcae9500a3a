"""The training loop, the same for every library and every env."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from kilogym.rl.checkpoint import LATEST, Checkpoint, random_state, set_random_state
from kilogym.rl.learner import make_learner
from kilogym.rl.meter import EpisodeMeter
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.vector_env import VectorEnv

Record = dict[str, float]
"""One iteration: iteration, env_steps, seconds, steps_per_second, reward, length, failures, losses, ..."""


@dataclass(frozen=True)
class RunIdentity:
    """What a run trains; kept in its checkpoints."""

    task: str
    library: str
    seed: int
    task_config: dict[str, Any]


def linear_schedule(ppo: PpoConfig, iteration: int) -> float:
    """The learning rate of an iteration (0 is the first): straight from the first one to a twentieth of it."""
    share = iteration / max(ppo.max_iterations, 1)
    return ppo.learning_rate * max(1.0 - share, 0.05)


class Trainer:
    """Trains a policy on `env`, leaves checkpoints in `folder`, and stops in order on SIGINT.

    Args:
        env: What to learn.
        ppo: Training values; `num_envs` must be the env's.
        identity: Recorded in checkpoints; its library picks the adapter, its seed the first weights.
        folder: Where checkpoints go; made if missing.
        on_record: Called after each iteration with its record.
    """

    def __init__(
        self,
        env: VectorEnv,
        ppo: PpoConfig,
        identity: RunIdentity,
        folder: Path,
        on_record: Callable[[Record], None] = lambda record: None,
    ) -> None:
        if ppo.num_envs != env.num_envs:
            raise ValueError(f"ppo.num_envs = {ppo.num_envs}, but the env has {env.num_envs}")
        self.meter = EpisodeMeter(env)
        self.ppo = ppo
        self.identity = identity
        self.folder = folder
        self.on_record = on_record
        self.learner = make_learner(identity.library, self.meter, ppo, identity.seed)
        self.iteration = 0
        self.seconds = 0.0
        self.history: list[Record] = []
        self.interrupted = False
        folder.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        """Train up to `ppo.max_iterations`, or until interrupted; the newest state is saved either way."""
        if self.iteration == 0:
            torch.manual_seed(self.identity.seed)
            # spread the first time-outs: else all envs would be reset at once, again and again
            lengths = self.meter.episode_length
            lengths.copy_(torch.randint_like(lengths, self.meter.max_episode_length))
        previous = self._catch_interrupts()
        try:
            while self.iteration < self.ppo.max_iterations and not self.interrupted:
                self._iterate()
                if self.iteration % self.ppo.save_interval == 0:
                    self.save(self.folder / f"checkpoint_{self.iteration:06d}.pt")
                    # a run that is killed goes on from here
                    self.save(self.folder / LATEST)
            self.save(self.folder / LATEST)
        finally:
            if previous is not None:
                signal.signal(signal.SIGINT, previous)

    def _iterate(self) -> None:
        start = time.perf_counter()
        if self.ppo.schedule == "linear":
            self.learner.set_learning_rate(linear_schedule(self.ppo, self.iteration))
        losses = self.learner.iterate()
        stats = self.meter.read()
        elapsed = time.perf_counter() - start
        self.iteration += 1
        self.seconds += elapsed
        steps = self.ppo.num_envs * self.ppo.horizon
        record: Record = {
            "iteration": self.iteration,
            "env_steps": self.iteration * steps,
            "seconds": self.seconds,
            "steps_per_second": steps / elapsed,
            # no episode ended: say the last known value again
            "reward": self._or_last("reward", stats.reward),
            "length": self._or_last("length", stats.length),
            "failures": self._or_last("failures", stats.failures),
            **{f"metrics/{name}": value for name, value in stats.metrics.items()},
            **{f"losses/{name}": value for name, value in losses.items()},
        }
        self.history.append(record)
        self.on_record(record)

    def _or_last(self, name: str, value: float) -> float:
        if math.isnan(value) and self.history:
            return self.history[-1][name]
        return value

    def _catch_interrupts(self) -> Any:
        """The first SIGINT ends the run in order, a second one at once; returns the handler replaced."""
        if threading.current_thread() is not threading.main_thread():
            return None

        def stop(signum: int, frame: FrameType | None) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        return signal.signal(signal.SIGINT, stop)

    def checkpoint(self) -> Checkpoint:
        """Everything needed to go on with equal numbers."""
        return Checkpoint(
            task=self.identity.task,
            library=self.identity.library,
            seed=self.identity.seed,
            task_config=self.identity.task_config,
            ppo=self.ppo,
            iteration=self.iteration,
            seconds=self.seconds,
            learner=self.learner.state_dict(),
            env=self.meter.state_dict(),
            random=random_state(self.meter.device),
            history=self.history,
        )

    def save(self, path: Path) -> None:
        self.checkpoint().save(path)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where `checkpoint` was made.

        With another number of envs the policy is kept, and the envs start anew.
        """
        if checkpoint.ppo.num_envs == self.ppo.num_envs:
            self.meter.load_state_dict(checkpoint.env)
        self.learner.load_state_dict(checkpoint.learner)
        set_random_state(checkpoint.random, self.meter.device)
        self.iteration = checkpoint.iteration
        self.seconds = checkpoint.seconds
        self.history = list(checkpoint.history)
