"""The vectorised task: what every task does, with hooks for what differs.

A step, in order: `apply_actions`, physics, `refresh`, `judge`, then `start_states` for the envs that ended, then
`compute_observations`. The hooks work on all envs at once and choose by masks,
never by `nonzero()`, so that nothing in a step waits for the device.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from kilogym.sim import SavedState, Simulation
from kilogym.sim.kernels import launch
from kilogym.sim.params import SimulationParams
from kilogym.tasks import episode_kernels
from kilogym.tasks.config import TaskConfig
from kilogym.tasks.episode_kernels import clear_episodes, end_episodes
from kilogym.tasks.vector_env import Step


class Verdict(NamedTuple):
    """What a task thinks of the action just done, before any reset; new tensors, E = num_envs."""

    reward: Tensor
    """Of the action, [E]."""
    failed: Tensor
    """Envs whose episode ends in failure now, bool [E]."""
    metrics: dict[str, Tensor]
    """What else to measure of this action, name to [E]."""


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
    kernel_modules: ClassVar[tuple[ModuleType, ...]] = (episode_kernels,)
    """Where the Warp kernels are that every step runs."""

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
        self.sim.prepare(self.kernel_modules)

        # views of the simulation's tensors, by env
        self.root_states = self.sim.root_states.view(num_envs, -1, 13)  # [E, A, 13]
        self.dof_states = self.sim.dof_states.view(num_envs, self.sim.num_dofs // num_envs, 2)  # [E, D, 2]
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
    def judge(self) -> Verdict:
        """Judge the action just done, of every env."""

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
            raise ValueError(f"actions: expected shape {tuple(self.actions.shape)}, got {tuple(actions.shape)}")
        torch.clamp(actions.detach(), -1.0, 1.0, out=self.actions)
        for _ in range(self.config.decimation):
            self.apply_actions()
            self.sim.step()
        self.refresh()

        verdict = self.judge()
        terminated, truncated, ended = (torch.empty_like(verdict.failed) for _ in range(3))
        args = [verdict.failed, self.sim.env_faults(), self.max_episode_length]
        args += [self.episode_length, terminated, truncated, ended]
        launch(end_episodes, (self.num_envs,), args, self.device)

        self.reset_envs(ended)
        self.obs.copy_(self.compute_observations())
        return Step(self.obs.clone(), verdict.reward, terminated, truncated, {"metrics": verdict.metrics})

    def reset_envs(self, mask: Tensor) -> None:
        """Start a new episode where `mask` is true, bool [E]; the other envs are not touched."""
        self.start_states(mask)
        launch(clear_episodes, (self.num_envs,), [mask, self.actions, self.episode_length], self.device)
        actors = mask.unsqueeze(-1).expand(self.root_states.shape[:2]).reshape(-1)
        self.sim.set_root_states(self.sim.root_states, mask=actors)
        self.sim.set_dof_states(self.sim.dof_states, mask=actors)

    def write(self, to: Tensor, values: Tensor, mask: Tensor) -> None:
        """Write `values` into `to`, [E, ...] both, where `mask` is true, bool [E]; in place, without a host sync."""
        to.copy_(torch.where(mask.view(-1, *[1] * (to.dim() - 1)), values, to))

    def write_dofs_at_rest(self, pos: Tensor, mask: Tensor) -> None:
        """Put all DOFs at positions [E, D], without velocity, where `mask`."""
        self.write(self.dof_states, torch.stack([pos, torch.zeros_like(pos)], dim=-1), mask)

    def on_device(self, values: Sequence[float]) -> Tensor:
        """Numbers as a float32 tensor on the task's device."""
        return torch.tensor(values, dtype=torch.float32, device=self.device)

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
