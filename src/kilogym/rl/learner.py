"""What the trainer asks of a library's adapter, and which adapters there are."""

from __future__ import annotations

import abc
import difflib
import importlib
from typing import Any

import torch
from torch import Tensor

from kilogym.tasks.config import PpoConfig
from kilogym.tasks.vector_env import VectorEnv

LIBRARIES: dict[str, str | None] = {
    "rsl_rl": "kilogym.rl.rsl_rl:RslRlLearner",
    "rl_games": "kilogym.rl.rl_games:RlGamesLearner",
    "stable_baselines3": None,
    "skrl": None,
    "gymnasium": None,
}
"""Name to "module:class"; None: announced, not written yet."""


class LibraryError(ValueError):
    """The library is unknown or not installed; the message says what to do."""


class Learner(abc.ABC):
    """One library's PPO at work on one env. Everything stays on the env's device.

    An adapter's `iterate` is one rollout and one update. It makes no host sync of its own in the rollout.
    """

    @abc.abstractmethod
    def __init__(self, env: VectorEnv, ppo: PpoConfig, seed: int) -> None: ...

    @abc.abstractmethod
    def iterate(self) -> dict[str, float]:
        """Roll out `horizon` actions and update the policy; returns losses and the learning rate, by name."""

    @abc.abstractmethod
    def set_learning_rate(self, value: float) -> None:
        """The optimiser's step from now on; called before each iteration when the schedule is linear."""

    @abc.abstractmethod
    def act(self, obs: Tensor) -> Tensor:
        """The policy without its noise: actions for observations [E, num_obs]. Changes nothing."""

    @abc.abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Networks, normalisers, optimiser: plain containers and tensors only."""

    @abc.abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a `state_dict` of the same library and network sizes."""


def find_learner(library: str) -> type[Learner]:
    """The adapter's class.

    Raises:
        NotImplementedError: the adapter is announced, not written yet.
        LibraryError: the name is unknown, or its package is not installed.
    """
    if library not in LIBRARIES:
        near = difflib.get_close_matches(library, LIBRARIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise LibraryError(f"no RL library named {library!r}{hint} Libraries: {', '.join(written())}")
    target = LIBRARIES[library]
    if target is None:
        raise NotImplementedError(f"the adapter for {library} is not written yet; use one of: {', '.join(written())}")
    module, name = target.split(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        extra = "rl-games" if library == "rl_games" else "train"
        raise LibraryError(
            f"{library} needs the package {error.name!r}; install it: pip install 'kilogym[{extra}]'"
        ) from error


def make_learner(library: str, env: VectorEnv, ppo: PpoConfig, seed: int) -> Learner:
    """Build the adapter `library` on `env`, networks initialised from `seed`. Raises as `find_learner`."""
    learner = find_learner(library)
    torch.manual_seed(seed)
    return learner(env, ppo, seed)


def written() -> list[str]:
    """The libraries that can be used now."""
    return [name for name, target in LIBRARIES.items() if target is not None]
