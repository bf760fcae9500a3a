"""The vectorised task: what every task does, with hooks for what differs.

A step, in order: `apply_actions`, physics, `refresh`, `rewards`, `failed`, `metrics`, then `start_states` for
the envs that ended, then `compute_observations`. The hooks work on all envs at once and choose by masks,
never by `nonzero()`, so that nothing in a step waits for the device.
"""

from __future__ import annotations

import abc
import math
from typing import Any

import torch
from torch import Tensor

from kilogym.sim.params import SimulationParams
from kilogym.sim.simulation import SavedState, Simulation
from kilogym.tasks.config import TaskConfig
from kilogym.tasks.vector_env import Step

FAULT_NONFINITE = 1
"""Bit of an env whose state stopped being finite; the env is frozen until it is reset."""


class Task(abc.ABC):
    """A `VectorEnv` on a simulation of equal envs. E = num_envs, A = actors of one env, D = its DOFs.

    Args:
        config: The task's numbers.
        num_envs: Envs simulated at once.
        device: "cpu", "cuda" or "cuda:N".
        seed: Of the task's own random generator; equal seeds give equal episodes.

    A subclass sets `num_obs` and `num_actions` in `prepare_build` and implements the hooks below.
    """

    num_obs: int
    num_actions: int

    def __init__(self, config: TaskConfig, num_envs: int, device: str | torch.device, seed: int = 0) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.config = config
        self.num_envs = num_envs
        self.max_episode_length = config.episode_length
        self.sim = Simulation(self.simulation_params(), device)
        self.device = self.sim.device
        self.generator = torch.Generator(device=self.device).manual_seed(seed)

        # one env after the other, on a square grid for pictures
        half, per_row = 0.5 * config.spacing, max(1, round(math.sqrt(num_envs)))
        self.prepare_build()
        for _ in range(num_envs):
            env = self.sim.create_env((-half, -half, 0.0), (half, half, config.spacing), per_row)
            self.build_env(env)
        self.sim.prepare()

        # views of the simulation's tensors, by env
        self.root_states = self.sim.root_states.view(num_envs, -1, 13)  # [E, A, 13]
        self.dof_states = self.sim.dof_states.view(num_envs, -1, 2)  # [E, D, 2]
        self.dof_pos, self.dof_vel = self.dof_states[..., 0], self.dof_states[..., 1]  # [E, D]

        # buffers are made once, here: in-place writes keep them valid in inference mode and captured graphs
        self.actions = torch.zeros(num_envs, self.num_actions, device=self.device)
        self.obs = torch.zeros(num_envs, self.num_obs, device=self.device)
        self.episode_length = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self.prepare_buffers()
        self.reset()

    # ---- hooks -------------------------------------------------------------------------------------------

    def simulation_params(self) -> SimulationParams:
        """Step and solver of the physics."""
        return SimulationParams(dt=self.config.dt, substeps=self.config.substeps)

    @abc.abstractmethod
    def prepare_build(self) -> None:
        """Load assets, add the ground, set `num_obs` and `num_actions`."""

    @abc.abstractmethod
    def build_env(self, env: int) -> None:
        """Create the actors of one env."""

    @abc.abstractmethod
    def prepare_buffers(self) -> None:
        """Make the task's own buffers; the simulation's tensors are there."""

    @abc.abstractmethod
    def apply_actions(self) -> None:
        """Turn `self.actions`, in [-1, 1], into efforts or targets."""

    @abc.abstractmethod
    def refresh(self) -> None:
        """Bring the simulation's tensors that the other hooks read up to date."""

    @abc.abstractmethod
    def rewards(self) -> Tensor:
        """Reward of the action just done, [E]."""

    @abc.abstractmethod
    def failed(self) -> Tensor:
        """Envs whose episode ends in failure now, bool [E]."""

    def metrics(self) -> dict[str, Tensor]:
        """What else to measure of this action, name to [E]."""
        return {}

    @abc.abstractmethod
    def start_states(self, mask: Tensor) -> None:
        """Write fresh start states into `root_states` and `dof_states` where `mask`, bool [E]."""

    @abc.abstractmethod
    def compute_observations(self) -> Tensor:
        """What the policy sees of the present state, [E, num_obs]."""

    def task_state(self) -> dict[str, Tensor]:
        """The task's own buffers that a checkpoint must hold, by name."""
        return {}

    # ---- the environment ---------------------------------------------------------------------------------

    def reset(self) -> Tensor:
        """Start a new episode in every env; returns the observations, a copy [E, num_obs]."""
        self.reset_envs(torch.ones(self.num_envs, dtype=torch.bool, device=self.device))
        self.obs.copy_(self.compute_observations())
        return self.obs.clone()

    def observations(self) -> Tensor:
        """The newest observations again, a copy [E, num_obs]."""
        return self.obs.clone()

    def step(self, actions: Tensor) -> Step:
        """Do one action in every env, [E, num_actions], clipped to [-1, 1]. Host sync: none."""
        if actions.shape != self.actions.shape:
            raise ValueError(
                f"actions: expected shape {tuple(self.actions.shape)}, got {tuple(actions.shape)}"
            )
        self.actions.copy_(actions.clamp(-1.0, 1.0))
        for _ in range(self.config.decimation):
            self.apply_actions()
            self.sim.step()
        self.refresh()
        self.episode_length += 1

        # judge the state before any reset
        diverged = (self.sim.env_faults() & FAULT_NONFINITE) != 0
        reward = self.rewards()
        terminated = self.failed() | diverged
        truncated = (self.episode_length >= self.max_episode_length) & ~terminated
        metrics = self.metrics()

        self.reset_envs(terminated | truncated)
        self.obs.copy_(self.compute_observations())
        return Step(self.obs.clone(), reward, terminated, truncated, {"metrics": metrics})

    def reset_envs(self, mask: Tensor) -> None:
        """Start a new episode where `mask` is true, bool [E]; the other envs are not touched."""
        self.start_states(mask)
        self.actions.masked_fill_(mask.unsqueeze(-1), 0.0)
        self.episode_length.masked_fill_(mask, 0)
        actors = mask.unsqueeze(-1).expand(self.root_states.shape[:2]).reshape(-1)
        self.sim.set_root_states(self.sim.root_states, mask=actors)
        self.sim.set_dof_states(self.sim.dof_states, mask=actors)

    def uniform(self, *shape: int) -> Tensor:
        """Random numbers in [-1, 1) from the task's generator."""
        return torch.rand(*shape, generator=self.generator, device=self.device) * 2.0 - 1.0

    # ---- going on later ----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on with equal numbers."""
        return {
            "simulation": self.sim.save().tensors(),
            "generator": self.generator.get_state(),
            "actions": self.actions.clone(),
            "obs": self.obs.clone(),
            "episode_length": self.episode_length.clone(),
            "task": {name: value.clone() for name, value in self.task_state().items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an equal task."""
        self.sim.restore(SavedState.from_tensors(state["simulation"]))
        self.generator.set_state(state["generator"].cpu())
        self.actions.copy_(state["actions"])
        self.obs.copy_(state["obs"])
        self.episode_length.copy_(state["episode_length"])
        for name, value in self.task_state().items():
            value.copy_(state["task"][name])
        self.refresh()
