"""The adapter for rl_games: the env in its form, and a learner around its continuous-action PPO agent."""

from __future__ import annotations

import contextlib
import io
import math
import tempfile
from typing import Any

import gymnasium
import numpy as np
import torch
from rl_games.algos_torch.a2c_continuous import A2CAgent
from rl_games.common import tr_helpers
from rl_games.common.algo_observer import AlgoObserver
from rl_games.common.ivecenv import IVecEnv
from torch import Tensor

from kilogym.rl.learner import Learner
from kilogym.tasks.config import PpoConfig
from kilogym.tasks.vector_env import VectorEnv


class RlGamesEnv(IVecEnv):
    """A `VectorEnv` as rl_games wants it: dict observations, one `dones`, time-outs in the infos.

    Observations handed out are fresh tensors. To use it from an rl_games config file, register it there:
    `vecenv.register("kilogym", lambda name, num_actors, **kw: RlGamesEnv(make_task(...)))`.
    """

    def __init__(self, env: VectorEnv, reward_scale: float = 1.0) -> None:
        self.env = env
        self.reward_scale = reward_scale

    def reset(self) -> dict[str, Tensor]:
        return {"obs": self.env.reset().clone()}

    def step(self, actions: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, dict[str, Any]]:
        obs, reward, terminated, truncated, extras = self.env.step(actions)
        infos = {**extras, "time_outs": truncated}
        return {"obs": obs.clone()}, reward * self.reward_scale, terminated | truncated, infos

    def get_number_of_agents(self) -> int:
        return 1

    def get_env_info(self) -> dict[str, Any]:
        def box(n: int, bound: float) -> gymnasium.spaces.Box:
            return gymnasium.spaces.Box(-bound, bound, shape=(n,), dtype=np.float32)

        return {
            "observation_space": box(self.env.num_obs, math.inf),
            "action_space": box(self.env.num_actions, 1.0),
            "state_space": None,
            "agents": 1,
            "value_size": 1,
        }


def rl_games_params(ppo: PpoConfig, device: str, train_dir: str) -> dict[str, Any]:
    """The "params" section of an rl_games 1.6 config for our values."""
    const = {"name": "const_initializer", "val": math.log(ppo.init_std)}
    return {
        "algo": {"name": "a2c_continuous"},
        "model": {"name": "continuous_a2c_logstd"},
        "network": {
            "name": "actor_critic",
            "separate": True,
            "space": {
                "continuous": {
                    "mu_activation": "None",
                    "sigma_activation": "None",
                    "mu_init": {"name": "default"},
                    "sigma_init": const,
                    "fixed_sigma": True,
                }
            },
            "mlp": {
                "units": list(ppo.hidden),
                "activation": ppo.activation,
                "d2rl": False,
                "initializer": {"name": "default"},
                "regularizer": {"name": "None"},
            },
        },
        "config": {
            "name": "kilogym",
            "full_experiment_name": "rl_games",
            "train_dir": train_dir,
            "env_name": "kilogym",
            "device": device,
            "ppo": True,
            "mixed_precision": False,
            "torch_compile": False,
            "normalize_input": ppo.normalize_observations,
            "normalize_value": True,
            "normalize_advantage": True,
            "value_bootstrap": True,
            "num_actors": ppo.num_envs,
            "reward_shaper": {"scale_value": 1.0},
            "gamma": ppo.gamma,
            "tau": ppo.lam,
            "learning_rate": ppo.learning_rate,
            "lr_schedule": "adaptive" if ppo.schedule == "adaptive" else "identity",
            "schedule_type": "standard",
            "kl_threshold": ppo.desired_kl,
            "max_epochs": -1,
            "grad_norm": ppo.max_grad_norm,
            "truncate_grads": True,
            "entropy_coef": ppo.entropy_coef,
            "e_clip": ppo.clip,
            "clip_value": ppo.clip_value,
            # rl_games halves the value loss
            "critic_coef": 2.0 * ppo.value_coef,
            "horizon_length": ppo.horizon,
            "minibatch_size": ppo.num_envs * ppo.horizon // ppo.minibatches,
            "mini_epochs": ppo.epochs,
            "bounds_loss_coef": 1e-4,
            "print_stats": False,
        },
    }


class RlGamesLearner(Learner):
    """PPO of rl_games, one epoch per call; rl_games reads the finished envs back to the host every step."""

    def __init__(self, env: VectorEnv, ppo: PpoConfig, seed: int) -> None:
        self.env = RlGamesEnv(env, ppo.reward_scale)
        # rl_games insists on a folder for logs of its own; ours are the trainer's
        self._folder = tempfile.TemporaryDirectory(prefix="kilogym_rl_games_")
        params = rl_games_params(ppo, str(env.device), self._folder.name)
        params["config"] |= {
            "env_info": self.env.get_env_info(),
            "vec_env": self.env,
            "features": {"observer": AlgoObserver()},
            "reward_shaper": tr_helpers.DefaultRewardsShaper(**params["config"]["reward_shaper"]),
        }
        with contextlib.redirect_stdout(io.StringIO()):
            self.agent = A2CAgent("kilogym", params)
        # closed at exit it would want a new thread, which Python 3.12 refuses with a traceback; nothing is written
        self.agent.writer.close()
        self.agent.init_tensors()
        self._observe()

    def _observe(self) -> None:
        self.agent.obs = self.agent.obs_to_tensors({"obs": self.env.env.observations().clone()})

    def iterate(self) -> dict[str, float]:
        self.agent.update_epoch()
        result = self.agent.train_epoch()
        self.agent.dataset.update_values_dict(None)
        actor, critic, _, entropies, kls = result[4:9]
        lists = (actor, critic, entropies, kls)
        surrogate, value, entropy, kl = (torch.stack(x).mean().item() for x in lists)
        return {
            "value": value,
            "surrogate": surrogate,
            "entropy": entropy,
            "kl": kl,
            "learning_rate": float(self.agent.last_lr),
        }

    def set_learning_rate(self, value: float) -> None:
        self.agent.last_lr = value
        self.agent.update_lr(value)

    def act(self, obs: Tensor) -> Tensor:
        # past the model's own forward, which would draw a sample and so change later ones
        model = self.agent.model
        model.eval()
        with torch.no_grad():
            mean, *_ = model.a2c_network({"obs": model.norm_obs(obs), "is_train": False})
        return mean.clamp(-1.0, 1.0)

    def state_dict(self) -> dict[str, Any]:
        return {
            "model": self.agent.model.state_dict(),
            "optimizer": self.agent.optimizer.state_dict(),
            "learning_rate": float(self.agent.last_lr),
            "epoch": self.agent.epoch_num,
            "dones": self.agent.dones,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.agent.model.load_state_dict(state["model"])
        self.agent.optimizer.load_state_dict(state["optimizer"])
        self.agent.last_lr = state["learning_rate"]
        self.agent.epoch_num = state["epoch"]
        if state["dones"].shape == self.agent.dones.shape:
            self.agent.dones = state["dones"].to(self.agent.dones.device)
        self._observe()
