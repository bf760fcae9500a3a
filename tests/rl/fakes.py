"""A vectorised environment of three lines of physics, for tests that need no simulation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kilogym.tasks.vector_env import Step


class PointEnv:
    """A point on a line, pushed by the action; reward is nearness to 0; fails beyond 2, times out at 20.

    Hands out its own buffers on purpose: an adapter that keeps references stores wrong numbers.
    """

    def __init__(self, num_envs: int = 8, seed: int = 0, max_episode_length: int = 20) -> None:
        self.num_envs, self.num_obs, self.num_actions = num_envs, 2, 1
        self.max_episode_length = max_episode_length
        self.device = torch.device("cpu")
        self.episode_length = torch.zeros(num_envs, dtype=torch.int64)
        self.generator = torch.Generator().manual_seed(seed)
        self.state = torch.zeros(num_envs, 2)
        self.reset()

    def reset(self) -> Tensor:
        self._restart(torch.ones(self.num_envs, dtype=torch.bool))
        return self.state

    def observations(self) -> Tensor:
        return self.state

    def _restart(self, mask: Tensor) -> None:
        start = torch.rand(self.num_envs, 1, generator=self.generator) * 2 - 1
        fresh = torch.cat([start, torch.zeros_like(start)], dim=-1)
        self.state.copy_(torch.where(mask[:, None], fresh, self.state))
        self.episode_length.masked_fill_(mask, 0)

    def step(self, actions: Tensor) -> Step:
        assert actions.shape == (self.num_envs, 1)
        self.state[:, 1] = actions.clamp(-1, 1)[:, 0]
        self.state[:, 0] += 0.25 * self.state[:, 1]
        self.episode_length += 1
        reward = 1.0 - self.state[:, 0].abs()
        terminated = self.state[:, 0].abs() > 2
        truncated = (self.episode_length >= self.max_episode_length) & ~terminated
        metrics = {"distance": self.state[:, 0].abs()}
        self._restart(terminated | truncated)
        return Step(self.state, reward, terminated, truncated, {"metrics": metrics})

    def state_dict(self) -> dict[str, Any]:
        return {
            "state": self.state.clone(),
            "episode_length": self.episode_length.clone(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.state.copy_(state["state"])
        self.episode_length.copy_(state["episode_length"])
        self.generator.set_state(state["generator"])
