"""Counts episodes on the device while a learner steps the env."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from kilogym.tasks.vector_env import Step, VectorEnv


@dataclass(frozen=True)
class EpisodeStats:
    """What happened since the last reading."""

    episodes: int
    """Episodes that ended."""
    reward: float
    """Mean return of those [reward units]; NaN when none ended."""
    length: float
    """Mean number of their actions; NaN when none ended."""
    failures: float
    """Share of them that ended by failure, not by time-out; NaN when none ended."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Mean over all actions and envs of each metric of the task."""


class EpisodeMeter:
    """A `VectorEnv` that passes everything on and keeps sums on the device; only `read` touches the host."""

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        self.num_envs = env.num_envs
        self.num_obs = env.num_obs
        self.num_actions = env.num_actions
        self.max_episode_length = env.max_episode_length
        self.device = env.device
        self.running_return = torch.zeros(env.num_envs, device=env.device)
        # own count: the task's is spread over the episode at the start of training
        self.running_length = torch.zeros(env.num_envs, device=env.device)
        # rows: actions, episodes, sum of returns, sum of lengths, failures
        self.sums = torch.zeros(5, dtype=torch.float64, device=env.device)
        self.metric_sums: dict[str, Tensor] = {}

    @property
    def episode_length(self) -> Tensor:
        return self.env.episode_length

    def reset(self) -> Tensor:
        self.running_return.zero_()
        self.running_length.zero_()
        return self.env.reset()

    def observations(self) -> Tensor:
        return self.env.observations()

    def step(self, actions: Tensor) -> Step:
        result = self.env.step(actions)
        self.running_return += result.reward
        self.running_length += 1
        done = result.terminated | result.truncated
        self.sums[0] += self.num_envs
        self.sums[1] += done.sum()
        self.sums[2] += (self.running_return * done).sum()
        self.sums[3] += (self.running_length * done).sum()
        self.sums[4] += result.terminated.sum()
        self.running_return.masked_fill_(done, 0.0)
        self.running_length.masked_fill_(done, 0.0)
        for name, value in result.extras.get("metrics", {}).items():
            if name not in self.metric_sums:
                # made outside inference mode, so that later writes are allowed everywhere
                with torch.inference_mode(False):
                    self.metric_sums[name] = torch.zeros((), dtype=torch.float64, device=self.device)
            self.metric_sums[name] += value.sum()
        return result

    def read(self) -> EpisodeStats:
        """Means since the last call, and start anew. Host sync: one copy."""
        values = torch.stack([*self.sums, *self.metric_sums.values()]).tolist()
        self.sums.zero_()
        for total in self.metric_sums.values():
            total.zero_()
        actions, episodes, returns, lengths, failures = values[:5]
        nan = float("nan")
        return EpisodeStats(
            episodes=int(episodes),
            reward=returns / episodes if episodes else nan,
            length=lengths / episodes if episodes else nan,
            failures=failures / episodes if episodes else nan,
            metrics={name: total / max(actions, 1.0) for name, total in zip(self.metric_sums, values[5:], strict=True)},
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "env": self.env.state_dict(),
            "running_return": self.running_return.clone(),
            "running_length": self.running_length.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.env.load_state_dict(state["env"])
        self.running_return.copy_(state["running_return"])
        self.running_length.copy_(state["running_length"])
