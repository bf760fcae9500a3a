"""What a task and its training can be told: frozen dataclasses whose docs are the command line's help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TaskConfig:
    """What every task has. A task's own config derives from this one."""

    dt: float = 1.0 / 60.0
    """Duration of one physics step [s]."""
    substeps: int = 2
    """Integration substeps in one physics step."""
    decimation: int = 1
    """Physics steps per action."""
    episode_length: int = 1000
    """Actions after which an episode ends by time-out."""
    spacing: float = 4.0
    """Distance of neighbouring envs in pictures [m]; the physics never sees it."""

    @property
    def step_dt(self) -> float:
        """Duration of one action [s]."""
        return self.dt * self.decimation


@dataclass(frozen=True)
class PpoConfig:
    """Proximal policy optimisation, in words that every library's adapter translates into its own."""

    num_envs: int = 4096
    """Envs simulated at once."""
    max_iterations: int = 500
    """Iterations (one rollout and one update each) to train."""
    horizon: int = 16
    """Actions per env and iteration."""
    epochs: int = 4
    """Passes over the rollout in one update."""
    minibatches: int = 4
    """Pieces each pass is cut into; divides num_envs * horizon."""
    learning_rate: float = 3e-4
    """Step of the optimiser (Adam), the first one unless the schedule is fixed."""
    schedule: Literal["adaptive", "linear", "fixed"] = "adaptive"
    """adaptive: the learning rate follows desired_kl; linear: it falls to a twentieth over max_iterations."""
    desired_kl: float = 0.01
    """Change of the policy an update aims at (KL divergence) when the schedule is adaptive."""
    gamma: float = 0.99
    """Discount per action."""
    lam: float = 0.95
    """Lambda of generalised advantage estimation."""
    clip: float = 0.2
    """Clip of the probability ratio."""
    clip_value: bool = False
    """Clip the change of the value function too; slow where returns are large and not normalised."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus."""
    value_coef: float = 1.0
    """Weight of the value loss."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm."""
    hidden: tuple[int, ...] = (256, 128, 64)
    """Widths of the hidden layers of actor and critic."""
    activation: Literal["elu", "relu", "tanh"] = "elu"
    """Activation of the hidden layers."""
    init_std: float = 1.0
    """Standard deviation of the actions at the start."""
    normalize_observations: bool = True
    """Scale observations by their running mean and deviation."""
    reward_scale: float = 0.01
    """Factor on rewards before the learner sees them; reported rewards are unscaled."""
    save_interval: int = 50
    """Iterations between two checkpoints."""

    def __post_init__(self) -> None:
        samples = self.num_envs * self.horizon
        if samples % self.minibatches:
            raise ValueError(
                f"minibatches = {self.minibatches} must divide num_envs * horizon = "
                f"{self.num_envs} * {self.horizon} = {samples}"
            )
