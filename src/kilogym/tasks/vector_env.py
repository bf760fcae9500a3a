"""What a learner needs of an environment; every task is one, and so is any object of this shape."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Step(NamedTuple):
    """What one action brings. Tensors are on the env's device, copies; E = num_envs."""

    obs: Tensor
    """Observations after the step, shape [E, num_obs]; for envs that ended, the first of the next episode."""
    reward: Tensor
    """Reward of the action, shape [E]."""
    terminated: Tensor
    """The task was failed or solved: no future reward; bool, shape [E]."""
    truncated: Tensor
    """Time ran out in a state that had a future; bool, shape [E]; never together with `terminated`."""
    extras: dict[str, Any]
    """"metrics": dict of name to [E] tensor, what the task measures of this action, before any reset."""


class VectorEnv(Protocol):
    """Many copies of one task, stepped at once. Envs that end are reset inside `step`."""

    num_envs: int
    num_obs: int
    num_actions: int
    max_episode_length: int
    device: torch.device

    @property
    def episode_length(self) -> Tensor:
        """Actions since the last reset, int64, shape [E]; may be written in place."""

    def reset(self) -> Tensor:
        """Start a new episode in every env; returns the observations, shape [E, num_obs]."""

    def observations(self) -> Tensor:
        """The newest observations again, a copy, shape [E, num_obs]."""

    def step(self, actions: Tensor) -> Step:
        """Act, shape [E, num_actions], each in [-1, 1]; larger ones are clipped."""

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on from here with equal numbers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an env of the same shape."""
