"""Why is the reward of IsaacGymEnvs' Ant what it is? One policy of rl_games, played on the client's own task.

    python benchmarks/parity CHECKOUT POLICY.pth                        everything: some minutes on two cores
    python benchmarks/parity CHECKOUT POLICY.pth --only variants        other substeps, iterations, friction, joints ...
    python benchmarks/parity CHECKOUT POLICY.pth --only audit           energy, friction cones, momentum
    python benchmarks/parity CHECKOUT POLICY.pth --only mujoco          MuJoCo C in the place of the engine
    python benchmarks/parity CHECKOUT POLICY.pth --only torques         no policy: joint speeds under the same torques
    python benchmarks/parity CHECKOUT POLICY.pth --only agreement       no policy: the same 0.2 s in both engines

CHECKOUT is IsaacGymEnvs, unmodified; POLICY.pth is what its train.py leaves in runs/Ant_*/nn. Every row starts from
the same states. Needs: kilogym[rl-games,isaacgymenvs].
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import client
import torch
from books import audit
from mujoco_batch import SETTINGS, MujocoBatch, reference_model
from torch import Tensor

LOOKS = ("variants", "audit", "mujoco", "torques", "agreement")
ROBOT = Path("assets/mjcf/nv_ant.xml")
ROBOT_FRICTION = 1.5
"""Of the robot's file; the ground's is 1, and the average acts."""


def joint_property(name: str, value: float) -> Callable[[Any], None]:
    """Give every joint this property."""

    def edit(task: Any) -> None:
        for env, actor in zip(task.envs, task.ant_handles, strict=True):
            properties = task.gym.get_actor_dof_properties(env, actor)
            properties[name] = value
            task.gym.set_actor_dof_properties(env, actor, properties)

    return edit


def semi_implicit(task: Any) -> None:
    """Semi-implicit Euler instead of the midpoint rule."""
    sim = client.simulation(task)
    sim.set_params(replace(sim.params, semi_implicit=True))


def sensors_from_momentum(task: Any) -> None:
    """What stands in for the feet's sensors in MuJoCo, on our own engine."""
    sim = client.simulation(task)
    sim.step = client.MomentumSensors(sim, client.asset(task), sim.step).step  # type: ignore[method-assign]


@dataclass(frozen=True)
class Variant:
    """One change of the physics."""

    words: tuple[str, ...] = ()
    edit: Callable[[Any], None] | None = None
    noise: bool = False


def physx(name: str, value: object) -> str:
    """A Hydra override of the solver."""
    return f"task.sim.physx.{name}={value}"


def ground(friction: float) -> tuple[str, ...]:
    """Hydra overrides that make the friction of robot and ground this on average."""
    value = 2 * friction - ROBOT_FRICTION
    return (f"task.env.plane.staticFriction={value}", f"task.env.plane.dynamicFriction={value}")


VARIANTS = {
    "as trained: 2 substeps, 4 iterations, friction 1.25": Variant(),
    "with the policy's noise": Variant(noise=True),
    "substeps 4": Variant(("task.sim.substeps=4",)),
    "substeps 8": Variant(("task.sim.substeps=8",)),
    "substeps 16": Variant(("task.sim.substeps=16",)),
    "iterations 8": Variant((physx("num_position_iterations", 8),)),
    "iterations 16": Variant((physx("num_position_iterations", 16),)),
    "iterations 32": Variant((physx("num_position_iterations", 32),)),
    "4 velocity iterations": Variant((physx("num_velocity_iterations", 4),)),
    "Gauss-Seidel (solver type 0), 32 iterations": Variant(
        (physx("solver_type", 0), physx("num_position_iterations", 32))
    ),
    "semi-implicit Euler": Variant(edit=semi_implicit),
    "friction 1.0": Variant(ground(1.0)),
    "friction 0.75": Variant(ground(0.75)),
    "joint speeds at most 100 rad/s": Variant(edit=joint_property("velocity", 100.0)),
    "joint speeds at most 30 rad/s": Variant(edit=joint_property("velocity", 30.0)),
    "joint friction 0.05 N m": Variant(edit=joint_property("friction", 0.05)),
    "joint damping 0.2 instead of 0.1 N m s/rad": Variant(edit=joint_property("damping", 0.2)),
    "joint armature 0.02 instead of 0.01 kg m^2": Variant(edit=joint_property("armature", 0.02)),
    "feet's sensors from their momentum": Variant(edit=sensors_from_momentum),
}


class Study:
    """One policy on one checkout."""

    def __init__(self, checkout: Path, policy: Path, envs: int, seed: int) -> None:
        self.checkout, self.policy, self.envs, self.seed = checkout, policy, envs, seed

    def task(self, *words: str) -> Any:
        """The client's task on the CPU."""
        return client.make_task(self.checkout, self.envs, words)

    def variants(self) -> dict[str, Any]:
        """Returns of the policy under each of VARIANTS."""
        rows = {}
        for name, variant in VARIANTS.items():
            task = self.task(*variant.words)
            if variant.edit is not None:
                variant.edit(task)
            rows[name] = show(name, client.play(task, client.load_policy(self.policy, variant.noise), self.seed))
        return rows

    def audit(self) -> dict[str, Any]:
        """Energy, cones, momentum."""
        books = asdict(audit(self.task(), client.load_policy(self.policy), 0.5 * (ROBOT_FRICTION + 1.0)))
        for name, value in books.items():
            print(f"{name:24}{value:.6g}", flush=True)
        return books

    def in_mujoco(self, setting: str) -> Any:
        """The client's task with MuJoCo's step."""
        task, stiffness = self.task(), SETTINGS[setting]
        sim, robot = client.simulation(task), client.asset(task)
        file = self.checkout / ROBOT
        model = reference_model(file, sim.params.dt, 0.5 * (ROBOT_FRICTION + 1.0), stiffness)
        physics = MujocoBatch(sim, robot, model, stiffness.steps)
        sim.step = client.MomentumSensors(sim, robot, physics.step).step  # type: ignore[method-assign]
        return task

    def mujoco(self) -> dict[str, Any]:
        """Returns of the policy in MuJoCo, from soft to hard."""
        policy = client.load_policy(self.policy)
        return {name: show(name, client.play(self.in_mujoco(name), policy, self.seed)) for name in SETTINGS}

    def torques(self) -> dict[str, Any]:
        """Joint speeds under the same full torques of random sign, each held for 5 actions; 300 actions, no resets."""
        signs = torch.randint(0, 2, (60, self.envs, 8), generator=torch.Generator().manual_seed(self.seed)) * 2.0 - 1.0
        rows = {}
        for name in ("kilogym", "kilogym, 16 substeps", *SETTINGS):
            words = ("task.sim.substeps=16",) if "16" in name else ()
            task = self.in_mujoco(name) if name in SETTINGS else self.task(*words)
            task.termination_height = -10.0
            step = iter(range(10**6))

            def push(obs: Tensor, step: Any = step) -> Tensor:
                return signs[next(step) // 5 % len(signs)].to(obs.device)

            rows[name] = show(name, client.play(task, push, self.seed, steps=300))
        return rows

    def agreement(self) -> dict[str, Any]:
        """How far apart both engines are after 6 and 12 actions of the same torques, median over envs.

        What they are measured against is Kilogym at 64 substeps. In the air there are joint stops and no contacts.
        """
        return {place: self._agreement(place, lift) for place, lift in (("in the air", 50.0), ("on the ground", 0.0))}

    def _agreement(self, place: str, lift: float) -> dict[str, Any]:
        signs = torch.randint(0, 2, (4, self.envs, 8), generator=torch.Generator().manual_seed(self.seed)) * 2.0 - 1.0

        def fly(task: Any) -> dict[int, Tensor]:
            torch.manual_seed(self.seed)
            task.termination_height = -10.0
            task.reset()
            task.step(torch.zeros_like(signs[0]))  # the client's first step ends with the reset
            sim = client.simulation(task)
            sim.refresh_root_states()
            sim.root_states[:, 2] += lift
            sim.set_root_states(sim.root_states)
            found = {}
            for step in range(1, 13):
                task.step(signs[(step - 1) // 3])
                if step in (6, 12):
                    found[step] = torch.cat((task.root_states[:, :3], task.dof_pos), -1).clone()
            return found

        def fine(substeps: int) -> Any:
            return self.task(f"task.sim.substeps={substeps}")

        reference, rows = fly(fine(64)), {}
        tasks = {f"kilogym, {n} substeps": partial(fine, n) for n in (2, 4, 8, 16, 32)}
        tasks |= {name: partial(self.in_mujoco, name) for name in SETTINGS}
        for name, make in tasks.items():
            row = {}
            for step, state in fly(make()).items():
                error = (state - reference[step]).abs()
                row[f"joint_{step}"] = float(error[:, 3:].median())  # the median joint [rad]
                row[f"worst_{step}"] = float(error[:, 3:].amax(-1).median())  # worst joint of the median env [rad]
                row[f"torso_{step}"] = float(error[:, :3].amax(-1).median())  # [m]
            rows[name] = row
            print(f"{place}: {name:50}" + "  ".join(f"{key} {value:.4f}" for key, value in row.items()), flush=True)
        return rows


def show(name: str, played: client.Played) -> dict[str, Any]:
    """Print a row, and hand it on for the JSON."""
    speed = played.joint_speed
    print(
        f"{name:52} return {played.mean_return:6.0f} +- {played.standard_error:4.0f}  {played.speed:6.2f} m/s  "
        f"falls {played.falls:5.1%}  joints rms {speed['rms']:5.2f} p99 {speed['p99']:5.1f} max {speed['max']:5.1f} "
        f"rad/s  at stops {played.at_stop:.1%}",
        flush=True,
    )
    return asdict(played)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="folder of an IsaacGymEnvs checkout")
    parser.add_argument("policy", type=Path, help="rl_games checkpoint of its Ant")
    parser.add_argument("--only", choices=LOOKS, help="default: all of them")
    parser.add_argument("--envs", type=int, default=128, help="episodes per row")
    parser.add_argument("--seed", type=int, default=42, help="of the starts")
    parser.add_argument("--out", type=Path, help="also write JSON; what is there from other looks stays")
    args = parser.parse_args()
    for path in (args.checkout / ROBOT, args.policy):
        if not path.is_file():
            parser.error(f"{path} does not exist")
    study = Study(args.checkout.resolve(), args.policy, args.envs, args.seed)
    report = json.loads(args.out.read_text()) if args.out and args.out.exists() else {}
    for look in (args.only,) if args.only else LOOKS:
        report[look] = getattr(study, look)()
        if args.out:
            args.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
