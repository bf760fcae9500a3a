"""The soak: tasks under random actions for as long as asked, sims made and destroyed by the thousand, and side by side.

What must hold however long it takes: memory stays flat, no env diverges, and where one is made to, only that one does.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from kilogym.sim import Simulation, SimulationParams
from kilogym.tasks.base import Task
from kilogym.tasks.registry import make_task
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT

POISON_EVERY = 50
"""Actions between two envs that are made to diverge."""
POISON = 1e30
"""The speed that does it [m/s and rad/s]; setters refuse numbers that are not finite."""
SETTLED = 50
"""Actions after which memory is looked at for the first time."""
ROOM = 48.0
"""Growth of memory that may be caches filling [MB]."""


def host_memory() -> float:
    """Of this process now [MB]; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
    return float(line.split()[1]) / 1024


def device_memory(device: torch.device) -> float:
    """In use on the whole GPU [MB], whoever uses it; 0 on the CPU."""
    if device.type != "cuda":
        return 0.0
    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / 2**20


def memory(device: torch.device) -> float:
    """Of the process and the GPU together, after collecting garbage [MB]."""
    gc.collect()
    return host_memory() + device_memory(device)


@dataclass(frozen=True)
class Soak:
    """What a soak of one task found.

    Attributes:
        poisoned, caught: Envs made to diverge, and those of them that were flagged.
        strays: Envs flagged that nobody made diverge.
        not_finite: Observations and rewards that were not finite.
        growth: Of memory from a tenth of the time to the end [MB].
    """

    task: str
    envs: int
    steps: int
    resets: int
    poisoned: int
    caught: int
    strays: int
    not_finite: int
    growth: float
    seconds: float

    @property
    def sound(self) -> bool:
        return not self.strays and not self.not_finite and self.growth < ROOM and self.caught == self.poisoned

    def describe(self) -> str:
        """One line."""
        return (
            f"{self.task}: {self.envs} envs, {self.steps} actions in {self.seconds:.0f} s, {self.resets} resets; "
            f"{self.caught} of {self.poisoned} poisoned envs flagged, {self.strays} others; "
            f"{self.not_finite} numbers not finite; memory {self.growth:+.1f} MB"
        )


class Watch:
    """Stands in for a task's physics step and remembers which envs diverged; no host sync."""

    def __init__(self, task: Task) -> None:
        self.task, self.physics = task, task.sim.step
        self.diverged = torch.zeros(task.num_envs, dtype=torch.bool, device=task.device)
        task.sim.step = self.step  # type: ignore[method-assign]

    def step(self) -> None:
        self.physics()
        self.diverged |= (self.task.sim.env_faults() & 1) != 0

    def poison(self, env: int) -> None:
        """Give the bodies of one env an absurd speed."""
        task = self.task
        task.refresh()
        states = task.sim.root_states.clone()
        dofs = task.sim.dof_states.clone()
        states.view(task.num_envs, -1, 13)[env, :, 7:] = POISON
        if len(dofs):
            dofs.view(task.num_envs, -1, 2)[env, :, 1] = POISON
        mask = torch.zeros(task.num_envs, task.root_states.shape[1], dtype=torch.bool, device=task.device)
        mask[env] = True
        task.sim.set_root_states(states, mask=mask.view(-1))
        if len(dofs):
            task.sim.set_dof_states(dofs, mask=mask.view(-1))


def soak(name: str, envs: int, device: str, seconds: float, least: int = 200, seed: int = 0) -> Soak:
    """A task under random actions, with its own resets, and an env made to diverge every POISON_EVERY actions.

    Args:
        seconds: How long, compilation apart.
        least: Actions to do at least, and never fewer than SETTLED.
    """
    task = make_task(name, envs, device, seed)
    watch = Watch(task)
    dice = torch.Generator(device=task.device).manual_seed(seed)
    resets = torch.zeros((), dtype=torch.int64, device=task.device)
    not_finite = torch.zeros_like(resets)
    poisoned = caught = strays = steps = 0
    base = None
    task.step(torch.zeros_like(task.actions))  # compiled
    start = time.perf_counter()
    while steps < max(least, SETTLED) or time.perf_counter() - start < seconds:
        victim = None
        if steps % POISON_EVERY == POISON_EVERY // 2:
            victim = (7919 * poisoned) % envs
            strays += int(watch.diverged.sum())
            watch.diverged.zero_()
            watch.poison(victim)
        actions = torch.rand(task.actions.shape, generator=dice, device=task.device) * 2 - 1
        step = task.step(actions)
        resets += (step.terminated | step.truncated).sum()
        sound = torch.isfinite(step.obs).all(-1) & torch.isfinite(step.reward)
        if victim is not None:
            poisoned += 1
            caught += int(watch.diverged[victim])
            watch.diverged[victim] = False
            sound[victim] = True  # its reward is of a state nobody promised
        not_finite += (~sound).sum()
        steps += 1
        if base is None and steps >= SETTLED and time.perf_counter() - start > seconds / 10:
            base = memory(task.device)
    strays += int(watch.diverged.sum())
    growth = memory(task.device) - (base or 0.0)
    taken = time.perf_counter() - start
    task.sim.destroy()
    return Soak(name, envs, steps, int(resets), poisoned, caught, strays, int(not_finite), growth, taken)


def small_sim(device: str, envs: int = 2, height: float = 0.6) -> Simulation:
    """Ants that fall on the ground."""
    sim = Simulation(SimulationParams(dt=1 / 120, substeps=1), device)
    sim.add_ground()
    asset = load(ANT)
    for i in range(envs):
        env = sim.create_env((0, 0, 0), (0, 0, 0), envs)
        sim.create_actor(env, asset, (0.0, 0.0, height + 0.01 * i), group=env)
    sim.prepare()
    return sim


def churn(count: int, device: str, report: Callable[[int], None] = lambda done: None) -> float:
    """Make, step, and destroy a sim `count` times; returns how much memory grew in the latter half [MB].

    Raises:
        RuntimeError: the states of one are not finite after its step.
    """
    where, base = torch.device(device), 0.0
    for i in range(count):
        if i == count // 2:
            base = memory(where)
        sim = small_sim(device)
        sim.step()
        sim.refresh_root_states()
        if not bool(sim.root_states.isfinite().all()):
            raise RuntimeError(f"sim {i} of {count}: expected finite states after a step, got {sim.root_states}")
        sim.destroy()
        if i % 100 == 99:
            report(i + 1)
    return memory(where) - base


def side_by_side(count: int, device: str, steps: int = 120) -> list[int]:
    """Sims of other starts, each stepped by a thread of its own at once; those whose bits differ from alone."""

    def final(sim: Simulation) -> torch.Tensor:
        for _ in range(steps):
            sim.step()
        sim.refresh_root_states()
        sim.synchronize()
        return sim.root_states.clone()

    heights = [0.5 + 0.05 * i for i in range(count)]
    alone: Sequence[torch.Tensor] = [final(small_sim(device, 4, height)) for height in heights]
    sims = [small_sim(device, 4, height) for height in heights]
    with ThreadPoolExecutor(count) as pool:
        together = list(pool.map(final, sims))
    return [i for i, (a, b) in enumerate(zip(alone, together, strict=True)) if not torch.equal(a, b)]
