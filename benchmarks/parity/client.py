"""IsaacGymEnvs' own Ant task with a policy that rl_games trained: make it, play it, say what the reward is made of."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import elu, linear

import isaacgym  # noqa: F401  before the client, so that it finds what newer packages removed
from kilogym.assets.asset import Asset
from kilogym.assets.inertia import matrix
from kilogym.math.quaternion import quat_rotate, quat_rotate_inverse
from kilogym.sim import Simulation

Policy = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Played:
    """One episode per env. Rewards are sums over an episode, rates are means while the episode runs."""

    mean_return: float
    standard_error: float
    """Of the mean return over envs."""
    falls: float
    """Share of episodes that end before their time."""
    speed: float
    """Towards +x, over the time the robot ran [m/s]."""
    terms: dict[str, float]
    """What the return is made of, costs negative; without the last step of a fall, whose reward is the death cost."""
    joint_speed: dict[str, float]
    """mean, rms, p99 and max of the joint speeds [rad/s]."""
    at_stop: float
    """Share of joints within 1 % of their range of a stop."""
    clamped: float
    """Share of steps in which a velocity limit of the engine acted."""


def make_task(checkout: Path, envs: int, words: Sequence[str] = (), device: str = "cpu", seed: int = 42) -> Any:
    """The client's Ant, by its own configuration and factory.

    Args:
        checkout: IsaacGymEnvs.
        envs: Number of robots.
        words: Hydra overrides.
        device: Of simulation and tensors.
        seed: Of the client's random numbers.
    """
    sys.path.insert(0, str(checkout))
    import isaacgymenvs
    import isaacgymenvs.tasks.base.vec_task as vec_task
    from hydra import compose, initialize_config_dir

    vec_task.EXISTING_SIM = None  # the client reuses the simulation of an earlier task
    pipeline = "cpu" if device == "cpu" else "gpu"
    with _quiet(), initialize_config_dir(config_dir=str((checkout / "isaacgymenvs" / "cfg").resolve())):
        words = ["task=Ant", f"num_envs={envs}", f"sim_device={device}", f"rl_device={device}", *words]
        config = compose(config_name="config", overrides=[*words, f"pipeline={pipeline}", "headless=True"])
    with _quiet():
        return isaacgymenvs.make(seed, "Ant", envs, device, device, headless=True, cfg=config)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No prints of the client's, no warnings: the robot's file has textures and lights, which we leave out."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def simulation(task: Any) -> Simulation:
    """Kilogym's simulation behind the client's."""
    return task.sim.simulation


def asset(task: Any) -> Asset:
    """The robot as Kilogym imported it."""
    return simulation(task).actor(0, 0).asset


def load_policy(checkpoint: Path, noise: bool = False) -> Policy:
    """The actor of an rl_games checkpoint: normalised observations, ELU layers, actions in [-1, 1].

    Args:
        checkpoint: .pth file.
        noise: Act as in training; otherwise without the policy's noise.
    """
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)["model"]
    mean, var = saved["running_mean_std.running_mean"], saved["running_mean_std.running_var"]
    layers = sorted({int(key.split(".")[2]) for key in saved if key.startswith("a2c_network.actor_mlp")})

    def act(obs: Tensor) -> Tensor:
        x = ((obs.cpu().double() - mean) / torch.sqrt(var + 1e-5)).float().clamp(-5, 5)
        for k in layers:
            x = elu(linear(x, saved[f"a2c_network.actor_mlp.{k}.weight"], saved[f"a2c_network.actor_mlp.{k}.bias"]))
        x = linear(x, saved["a2c_network.mu.weight"], saved["a2c_network.mu.bias"])
        if noise:
            x = x + saved["a2c_network.sigma"].exp() * torch.randn_like(x)
        return x.clamp(-1, 1).to(obs.device)

    return act


def reward_terms(task: Any) -> dict[str, Tensor]:
    """The terms of the client's reward after a step, per env."""
    obs, actions = task.obs_buf, task.actions
    heading = obs[:, 11]
    return {
        "progress": task.potentials - task.prev_potentials,
        "alive": torch.full_like(heading, 0.5),
        "upright": task.up_weight * (obs[:, 10] > 0.93),
        "heading": task.heading_weight * (heading / 0.8).clamp(max=1.0),
        "actions": -task.actions_cost_scale * (actions**2).sum(-1),
        "electricity": -task.energy_cost_scale * (actions * obs[:, 20:28]).abs().sum(-1),
        "stops": -task.joints_at_limit_cost_scale * (obs[:, 12:20] > 0.99).sum(-1),
    }


@torch.no_grad()
def play(task: Any, policy: Policy, seed: int = 42, steps: int = 1000) -> Played:
    """One episode in every env. Equal seeds give equal starts, whatever the physics does."""
    envs, sim = task.num_envs, simulation(task)
    torch.manual_seed(seed)
    obs = task.reset()["obs"]
    alive = torch.ones(envs, device=task.device)
    total, time, distance = (torch.zeros(envs, device=task.device) for _ in range(3))
    terms: dict[str, Tensor] = {}
    joints, clamped, at_stop = [], 0.0, 0.0
    for step in range(steps):
        result, reward, done, _ = task.step(policy(obs))
        obs = result["obs"]
        total += alive * reward
        fell = done.bool() & (step < steps - 1)
        going = alive * ~fell
        for name, value in reward_terms(task).items():
            terms[name] = terms.get(name, 0.0) + going * value
        time += going * task.dt
        distance += going * task.dt * task.root_states[:, 7]
        joints.append(task.dof_vel[going.bool()].abs().flatten().cpu().numpy())
        at_stop += float((going.unsqueeze(-1) * (obs[:, 12:20].abs() > 0.99)).mean())
        clamped += float(((sim.env_faults() & 4) != 0).float().mean())
        alive = alive * (1 - done.float())
    speeds = np.concatenate(joints)
    rms = float(np.sqrt((speeds**2).mean()))
    return Played(
        mean_return=float(total.mean()),
        standard_error=float(total.std() / envs**0.5),
        falls=float((time < (steps - 2) * task.dt).float().mean()),
        speed=float((distance / time.clamp(min=task.dt)).mean()),
        terms={name: float(value.mean()) for name, value in terms.items()},
        joint_speed={
            "mean": float(speeds.mean()),
            "rms": rms,
            "p99": float(np.quantile(speeds, 0.99)),
            "max": float(speeds.max()),
        },
        at_stop=at_stop / steps,
        clamped=clamped / steps,
    )


class MomentumSensors:
    """The feet's force sensors, from their change of momentum over a whole step: for engines without sensors.

    A sensor of Isaac Gym's default flags reads mass times acceleration, and the moment of it about the foot's origin,
    in the foot's axes. Wrap a step with it: `sim.step = MomentumSensors(sim, asset, sim.step).step`.
    """

    def __init__(self, sim: Simulation, robot: Asset, step: Callable[[], None]) -> None:
        self.sim, self.inner, self.dt = sim, step, sim.params.dt
        self.rows = [sensor.link for sensor in robot.sensors]
        links = [robot.links[row] for row in self.rows]
        self.mass = np.array([link.mass for link in links])[:, None]
        self.com = np.array([link.com for link in links])
        self.inertia = np.array([matrix(link.inertia) for link in links])
        sim.refresh_force_sensors = lambda: None  # type: ignore[method-assign]

    def _momentum(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Quaternion, linear momentum, angular momentum about the com; per env and foot."""
        self.sim.refresh_body_states()
        state = self.sim.body_states.double().cpu().numpy().reshape(self.sim.num_envs, -1, 13)[:, self.rows]
        quat = state[..., 3:7].copy()
        spin = np.einsum("fij,efj->efi", self.inertia, quat_rotate_inverse(quat, state[..., 10:13]))
        return quat, self.mass * state[..., 7:10], quat_rotate(quat, spin)

    def step(self) -> None:
        """A step, and what the sensors say of it."""
        _, linear_before, angular_before = self._momentum()
        self.inner()
        quat, linear_after, angular_after = self._momentum()
        force = (linear_after - linear_before) / self.dt
        arm = quat_rotate(quat, np.broadcast_to(self.com, force.shape))
        torque = (angular_after - angular_before) / self.dt + np.cross(arm, force)
        both = np.concatenate((quat_rotate_inverse(quat, force), quat_rotate_inverse(quat, torque)), -1)
        self.sim.force_sensors.copy_(torch.tensor(both.reshape(-1, 6), dtype=torch.float32))
