"""How good a policy is: one whole episode per env, without the policy's noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kilogym.tasks.vector_env import VectorEnv


@dataclass(frozen=True)
class Evaluation:
    """Means over `episodes` episodes, one per env from a fresh start."""

    episodes: int
    episode_length: int
    """Actions of an episode that does not fail."""
    mean_return: float
    """Unscaled sum of rewards."""
    fall_rate: float
    """Share of episodes that ended by failure, 0..1."""
    metrics: dict[str, float]
    """Of each metric of the task: its mean over an episode's actions, then over episodes."""

    def describe(self) -> str:
        """One line for a person."""
        parts = [
            f"mean {name.replace('_', ' ')} {value:.2f}{' m/s' if name.endswith('speed') else ''}"
            for name, value in self.metrics.items()
        ]
        parts.append(f"fell in {100 * self.fall_rate:.1f} % of {self.episodes} episodes")
        parts.append(f"mean return {self.mean_return:.0f}")
        return " · ".join(parts)


@torch.no_grad()
def evaluate(env: VectorEnv, act: Callable[[Tensor], Tensor]) -> Evaluation:
    """Run every env from a reset to the end of its first episode.

    Args:
        env: Is reset first.
        act: Policy: observations [E, num_obs] to actions [E, num_actions].

    Host sync: one, at the end.
    """
    obs = env.reset()
    alive = torch.ones(env.num_envs, device=env.device)
    returns, lengths, falls = (torch.zeros(env.num_envs, device=env.device) for _ in range(3))
    totals: dict[str, Tensor] = {}
    for _ in range(env.max_episode_length):
        obs, reward, terminated, truncated, extras = env.step(act(obs))
        # the action that ends an episode still belongs to it
        returns += alive * reward
        lengths += alive
        falls += alive * terminated
        for name, value in extras.get("metrics", {}).items():
            totals[name] = totals.get(name, 0.0) + alive * value
        alive = alive * ~(terminated | truncated)
    return Evaluation(
        episodes=env.num_envs,
        episode_length=env.max_episode_length,
        mean_return=returns.mean().item(),
        fall_rate=falls.mean().item(),
        metrics={name: (total / lengths).mean().item() for name, total in totals.items()},
    )
