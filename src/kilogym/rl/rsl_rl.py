"""The adapter for rsl_rl: the env in its form, and a learner around its PPO.

`RslRlEnv` also serves rsl_rl's own `OnPolicyRunner`. The learner drives the PPO class directly, because the
runner prints every iteration and reads every reward back to the host.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.env import VecEnv
from tensordict import TensorDict
from torch import Tensor

from kilogym.rl.learner import Learner
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.vector_env import VectorEnv


class RslRlEnv(VecEnv):
    """A `VectorEnv` as rsl_rl wants it: TensorDict observations, one `dones`, time-outs in the extras.

    rsl_rl keeps references to observations until the end of the rollout: each one is a fresh tensor.
    """

    def __init__(self, env: VectorEnv, reward_scale: float = 1.0) -> None:
        self.env = env
        self.reward_scale = reward_scale
        self.num_envs = env.num_envs
        self.num_actions = env.num_actions
        self.max_episode_length = env.max_episode_length
        self.device = env.device
        self.cfg: dict[str, Any] = {}

    @property
    def episode_length_buf(self) -> Tensor:
        """Actions since each env's last reset, [E]; assigning copies into it."""
        return self.env.episode_length

    @episode_length_buf.setter
    def episode_length_buf(self, value: Tensor) -> None:
        self.env.episode_length.copy_(value)

    def get_observations(self) -> TensorDict:
        return self._wrap(self.env.observations().clone())

    def step(self, actions: Tensor) -> tuple[TensorDict, Tensor, Tensor, dict]:
        obs, reward, terminated, truncated, extras = self.env.step(actions)
        extras = {**extras, "time_outs": truncated}
        return self._wrap(obs.clone()), reward * self.reward_scale, terminated | truncated, extras

    def _wrap(self, obs: Tensor) -> TensorDict:
        return TensorDict({"policy": obs}, batch_size=[obs.shape[0]], device=self.device)


def rsl_rl_config(ppo: PpoConfig) -> dict[str, Any]:
    """The config dict of rsl_rl 5.5 (of its `OnPolicyRunner` too) for our values."""
    network = {
        "class_name": "MLPModel",
        "hidden_dims": list(ppo.hidden),
        "activation": ppo.activation,
        "obs_normalization": ppo.normalize_observations,
    }
    return {
        "algorithm": {
            "class_name": "PPO",
            "num_learning_epochs": ppo.epochs,
            "num_mini_batches": ppo.minibatches,
            "clip_param": ppo.clip,
            "gamma": ppo.gamma,
            "lam": ppo.lam,
            "value_loss_coef": ppo.value_coef,
            "entropy_coef": ppo.entropy_coef,
            "learning_rate": ppo.learning_rate,
            "max_grad_norm": ppo.max_grad_norm,
            "use_clipped_value_loss": ppo.clip_value,
            "schedule": "adaptive" if ppo.schedule == "adaptive" else "fixed",
            "desired_kl": ppo.desired_kl,
        },
        "actor": {
            **network,
            "distribution_cfg": {
                "class_name": "GaussianDistribution",
                "init_std": ppo.init_std,
                "std_type": "log",
            },
        },
        "critic": network,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "num_steps_per_env": ppo.horizon,
        "save_interval": ppo.save_interval,
        "check_for_nan": False,
        "multi_gpu": None,
    }


class RslRlLearner(Learner):
    """PPO of rsl_rl."""

    def __init__(self, env: VectorEnv, ppo: PpoConfig, seed: int) -> None:
        self.env = RslRlEnv(env, ppo.reward_scale)
        self.horizon = ppo.horizon
        self.obs = self.env.get_observations()
        # the constructor prints the networks
        with contextlib.redirect_stdout(io.StringIO()):
            self.alg = PPO.construct_algorithm(self.obs, self.env, rsl_rl_config(ppo), str(env.device))

    def iterate(self) -> dict[str, float]:
        self.alg.train_mode()
        with torch.inference_mode():
            for _ in range(self.horizon):
                actions = self.alg.act(self.obs)
                self.obs, rewards, dones, extras = self.env.step(actions)
                self.alg.process_env_step(self.obs, rewards, dones, extras)
            self.alg.compute_returns(self.obs)
        losses = self.alg.update()
        return {**losses, "learning_rate": self.alg.learning_rate}

    def set_learning_rate(self, value: float) -> None:
        self.alg.learning_rate = value
        for group in self.alg.optimizer.param_groups:
            group["lr"] = value

    def act(self, obs: Tensor) -> Tensor:
        policy = self.alg.get_policy()
        policy.eval()
        with torch.inference_mode():
            return policy(self.env._wrap(obs))

    def state_dict(self) -> dict[str, Any]:
        return self.alg.save()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.alg.load(state, None, strict=True)
        self.obs = self.env.get_observations()
