"""The trainer over both libraries, on an env that needs no simulation."""

from __future__ import annotations

import math
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fakes import PointEnv

from kilogym.rl.checkpoint import CheckpointError, load_checkpoint
from kilogym.rl.learner import LibraryError, make_learner
from kilogym.rl.meter import EpisodeMeter
from kilogym.rl.trainer import RunIdentity, Trainer
from kilogym.tasks.config import PpoConfig

PPO = PpoConfig(
    num_envs=32,
    horizon=8,
    max_iterations=4,
    minibatches=2,
    hidden=(16,),
    reward_scale=1.0,
    learning_rate=3e-3,
)
LIBRARIES = ["rsl_rl", "rl_games"]


def trainer(folder: Path, library: str = "rsl_rl", ppo: PpoConfig = PPO, seed: int = 3) -> Trainer:
    pytest.importorskip(library)
    return Trainer(PointEnv(ppo.num_envs, seed), ppo, RunIdentity("point", library, seed, {}), folder)


def weights(t: Trainer) -> torch.Tensor:
    obs = torch.tensor([[0.5, 0.0]]).repeat(t.meter.num_envs, 1)
    return t.learner.act(obs)


@pytest.mark.parametrize("library", LIBRARIES)
def test_learns(library: str, tmp_path: Path) -> None:
    t = trainer(tmp_path, library, replace(PPO, max_iterations=40))
    t.run()
    # a still point earns 20 * (1 - mean |x|) = 10; the optimum goes to 0 in five actions
    assert t.history[-1]["reward"] > t.history[4]["reward"] + 2


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_run_leaves_no_thread(library: str, tmp_path: Path) -> None:
    """What a library still runs in the background at exit ended the process with its traceback."""
    trainer(tmp_path / "warm", library)  # threads that live as long as the process
    before = set(threading.enumerate())
    t = trainer(tmp_path / "run", library)
    t.run()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("library", LIBRARIES)
def test_resume_goes_on_with_equal_numbers(library: str, tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", library)
    whole.run()
    half = trainer(tmp_path / "half", library, replace(PPO, max_iterations=2))
    half.run()
    resumed = trainer(tmp_path / "half", library, seed=99)
    resumed.restore(load_checkpoint(tmp_path / "half", "cpu"))
    assert resumed.iteration == 2
    assert torch.equal(weights(resumed), weights(half))
    resumed.run()
    assert resumed.iteration == 4
    assert torch.equal(weights(resumed), weights(whole))
    rewards = [[r["reward"] for r in t.history] for t in (resumed, whole)]
    assert rewards[0] == pytest.approx(rewards[1], nan_ok=True)


@pytest.mark.parametrize("library", LIBRARIES)
def test_same_seed_same_policy(library: str, tmp_path: Path) -> None:
    first, second = trainer(tmp_path / "a", library), trainer(tmp_path / "b", library)
    first.run()
    second.run()
    assert torch.equal(weights(first), weights(second))


def test_interrupt_leaves_a_checkpoint(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    t.on_record = lambda record: os.kill(os.getpid(), signal.SIGINT) if record["iteration"] == 2 else None
    before = signal.getsignal(signal.SIGINT)  # ignored, where a shell started the tests in the background
    t.run()
    assert t.interrupted
    assert load_checkpoint(tmp_path, "cpu").iteration == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_number_of_envs_must_agree(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ppo.num_envs = 32, but the env has 8"):
        Trainer(PointEnv(8), PPO, RunIdentity("point", "rsl_rl", 0, {}), tmp_path)


def test_restore_with_other_number_of_envs_keeps_the_policy(tmp_path: Path) -> None:
    t = trainer(tmp_path)
    t.run()
    other = trainer(tmp_path / "b", ppo=replace(PPO, num_envs=16))
    other.restore(load_checkpoint(tmp_path, "cpu"))
    assert torch.equal(weights(other)[:4], weights(t)[:4])


def test_meter_counts_by_hand() -> None:
    env = PointEnv(2, max_episode_length=3)
    env.state[:] = torch.tensor([[0.0, 0.0], [1.9, 0.0]])
    meter = EpisodeMeter(env)
    # env 0 stays at 0: rewards 1, 1, 1, then time-out. env 1 is pushed out at once: x = 2.15, reward -1.15
    meter.step(torch.tensor([[0.0], [1.0]]))
    first = meter.read()
    assert (first.episodes, first.length, first.failures) == (1, 1.0, 1.0)
    assert first.reward == pytest.approx(-1.15)
    assert first.metrics["distance"] == pytest.approx((0.0 + 2.15) / 2)
    env.state[1] = 0.0
    meter.step(torch.zeros(2, 1))
    assert math.isnan(meter.read().reward)
    meter.step(torch.zeros(2, 1))
    last = meter.read()
    assert (last.episodes, last.reward, last.length, last.failures) == (1, 3.0, 3.0, 0.0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_adapters_keep_no_reference(library: str) -> None:
    """The env writes into one buffer in place; what the library stored must be what was true at the time."""
    pytest.importorskip(library)
    env = PointEnv(4)
    ppo = replace(PPO, num_envs=4, normalize_observations=False)
    learner = make_learner(library, env, ppo, 0)
    seen = []
    inner = env.step

    def step(actions: torch.Tensor):
        seen.append(env.state.clone())
        return inner(actions)

    env.step = step  # type: ignore[method-assign]
    if library == "rsl_rl":
        stored: dict[str, torch.Tensor] = {}
        update = learner.alg.update  # type: ignore[attr-defined]

        def spy():
            stored["obs"] = learner.alg.storage.observations["policy"].clone()  # type: ignore[attr-defined]
            return update()

        learner.alg.update = spy  # type: ignore[attr-defined]
        learner.iterate()
        obs = stored["obs"]
    else:
        learner.iterate()
        obs = learner.agent.experience_buffer.tensor_dict["obses"]  # type: ignore[attr-defined]
    assert torch.equal(obs, torch.stack(seen))


def test_time_outs_are_told_apart_from_failures() -> None:
    from kilogym.rl.rsl_rl import RslRlEnv

    env = PointEnv(2, max_episode_length=1)
    env.state[:] = torch.tensor([[0.0, 0.0], [1.9, 0.0]])
    _, _, dones, extras = RslRlEnv(env).step(torch.ones(2, 1))
    assert dones.tolist() == [True, True]
    assert extras["time_outs"].tolist() == [True, False]


def test_runs_under_the_librarys_own_runner(tmp_path: Path) -> None:
    from rsl_rl.runners import OnPolicyRunner

    from kilogym.rl.rsl_rl import RslRlEnv, rsl_rl_config

    runner = OnPolicyRunner(RslRlEnv(PointEnv(32)), rsl_rl_config(PPO), log_dir=None, device="cpu")
    runner.learn(1, init_at_random_ep_len=True)
    assert runner.current_learning_iteration == 0


@pytest.mark.parametrize("library", ["stable_baselines3", "skrl", "gymnasium"])
def test_announced_libraries(library: str) -> None:
    with pytest.raises(NotImplementedError, match="not written yet; use one of: rsl_rl, rl_games"):
        make_learner(library, PointEnv(), PPO, 0)


def test_unknown_library_names_the_nearest() -> None:
    with pytest.raises(LibraryError, match="did you mean 'rsl_rl'"):
        make_learner("rslrl", PointEnv(), PPO, 0)


def test_checkpoint_errors(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_checkpoint(tmp_path, "cpu")
    (tmp_path / "x.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "x.pt", "cpu")
    torch.save({"format": 99}, tmp_path / "y.pt")
    with pytest.raises(CheckpointError, match="format 99"):
        load_checkpoint(tmp_path / "y.pt", "cpu")


def test_minibatches_must_divide() -> None:
    with pytest.raises(ValueError, match="must divide num_envs"):
        PpoConfig(num_envs=3, horizon=5, minibatches=4)
