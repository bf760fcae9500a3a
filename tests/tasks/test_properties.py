"""One list of properties that every task has, whatever robot it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from kilogym.tasks.base import Task
from kilogym.tasks.registry import get_task, make_task, task_names

NUM_ENVS = 6
MakeTask = Callable[..., Task]


@pytest.fixture(params=task_names())
def make(request: pytest.FixtureRequest, device: str) -> MakeTask:
    """Builds the task under test; keyword arguments change its config."""

    def build(seed: int = 0, **changes: object) -> Task:
        config = replace(get_task(request.param).config, **changes)
        return make_task(request.param, NUM_ENVS, device, seed, config)

    return build


def random_actions(task: Task, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(NUM_ENVS, task.num_actions, generator=generator) * 2 - 1).to(task.device)


def rollout(task: Task, steps: int) -> list[torch.Tensor]:
    """Everything a learner sees of `steps` random actions."""
    seen = [task.reset()]
    for k in range(steps):
        seen += task.step(random_actions(task, k))[:4]
    return seen


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_shapes_and_types(make: MakeTask) -> None:
    task = make()
    obs, reward, terminated, truncated, extras = task.step(random_actions(task, 0))
    assert obs.shape == (NUM_ENVS, task.num_obs)
    assert reward.shape == terminated.shape == truncated.shape == (NUM_ENVS,)
    assert obs.dtype == reward.dtype == torch.float32
    assert terminated.dtype == truncated.dtype == torch.bool
    assert extras["metrics"]
    assert all(value.shape == (NUM_ENVS,) for value in extras["metrics"].values())
    assert all(t.device == task.device for t in (obs, reward, terminated, truncated))


def test_equal_seeds_give_equal_bits(make: MakeTask) -> None:
    assert same(rollout(make(seed=3), 40), rollout(make(seed=3), 40))


def test_numbers_stay_finite_and_time_moves(make: MakeTask) -> None:
    task = make()
    for value in rollout(task, 120):
        assert torch.isfinite(value).all()
    assert (task.episode_length <= 120).all()


def test_starts_are_random(make: MakeTask) -> None:
    task = make(seed=1)
    first = task.reset()
    assert not torch.equal(first[0], first[1]), "envs start alike"
    assert not torch.equal(first, task.reset()), "every reset is the same"
    assert not torch.equal(first, make(seed=2).reset()), "the seed changes nothing"


def test_nothing_returned_is_written_again(make: MakeTask) -> None:
    task = make()
    kept = rollout(task, 3)
    copies = [value.clone() for value in kept]
    rollout(task, 3)
    assert same(kept, copies)
    kept[-1].fill_(True)
    task.observations().fill_(7.0)
    assert not (task.observations() == 7.0).all()


def test_time_out_is_no_failure(make: MakeTask) -> None:
    task = make(episode_length=3)
    still = torch.zeros(NUM_ENVS, task.num_actions, device=task.device)
    steps = [task.step(still) for _ in range(4)]
    assert [s.truncated.any().item() for s in steps] == [False, False, True, False]
    assert not any((s.truncated & s.terminated).any() for s in steps)
    ended = steps[2].truncated
    assert (task.episode_length[ended] == 1).all()


def test_reset_by_mask_leaves_the_others_alone(make: MakeTask) -> None:
    task = make()
    rollout(task, 5)
    mask = torch.arange(NUM_ENVS, device=task.device) % 2 == 0
    before = [task.root_states.clone(), task.dof_states.clone(), task.episode_length.clone()]
    task.reset_envs(mask)
    task.refresh()
    after = [task.root_states, task.dof_states, task.episode_length]
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[~mask], new[~mask])
    assert not all(torch.equal(old[mask], new[mask]) for old, new in zip(before[:2], after[:2], strict=True))
    assert (task.episode_length[mask] == 0).all()


def test_large_actions_are_clipped(make: MakeTask) -> None:
    one, other = make(), make()
    actions = random_actions(one, 0)
    a = one.step(10 * actions)
    b = other.step((10 * actions).clamp(-1, 1))
    assert same(list(a[:4]), list(b[:4]))


def test_actions_matter(make: MakeTask) -> None:
    one, other = make(), make()
    ones = torch.ones(NUM_ENVS, one.num_actions, device=one.device)
    for _ in range(3):
        a, b = one.step(ones), other.step(-ones)
    assert not torch.equal(a.obs[:, : -one.num_actions], b.obs[:, : -one.num_actions])


def test_goes_on_from_a_saved_state_with_equal_bits(make: MakeTask) -> None:
    task, other = make(seed=5), make(seed=6)
    rollout(task, 10)
    other.load_state_dict(task.state_dict())
    assert torch.equal(task.observations(), other.observations())
    for k in range(20):
        actions = random_actions(task, 100 + k)
        assert same(list(task.step(actions)[:4]), list(other.step(actions)[:4])), f"action {k}"


def test_wrong_shapes_are_refused(make: MakeTask) -> None:
    task = make()
    with pytest.raises(ValueError, match=r"actions: expected shape"):
        task.step(torch.zeros(NUM_ENVS + 1, task.num_actions, device=task.device))


def test_at_least_one_env() -> None:
    with pytest.raises(ValueError, match="num_envs must be at least 1"):
        make_task("cartpole", 0)


def test_robots_fall_and_say_so(device: str) -> None:
    """Half a second without torque does nothing; held under the height it has fallen in one action."""
    task = make_task("ant", NUM_ENVS, device, 0)
    task.root[:3, 2] = 0.2
    task.sim.set_root_states(task.sim.root_states)
    step = task.step(torch.zeros(NUM_ENVS, task.num_actions, device=task.device))
    assert step.terminated.tolist() == [True] * 3 + [False] * 3
    assert (step.reward[:3] == task.config.fall_reward).all()  # type: ignore[attr-defined]
    assert (step.obs[:, 0] > 0.4).all(), "observations are those of the next episode"


@pytest.mark.gpu
@pytest.mark.parametrize("name", task_names())
def test_a_step_never_waits_for_the_device(name: str) -> None:
    task = make_task(name, 64, "cuda:0")
    actions = torch.zeros(64, task.num_actions, device=task.device)
    task.step(actions)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            task.step(actions)
    finally:
        torch.cuda.set_sync_debug_mode("default")
