"""What does the same learner earn under other physics? Kilogym's own ant, its own learner and settings, on the CPU.

    python benchmarks/parity/train_ant.py                                                in Kilogym, as it is
    python benchmarks/parity/train_ant.py --semi-implicit                                integrated as PhysX does
    python benchmarks/parity/train_ant.py --setting "mujoco, its defaults, 1/240 s"      in MuJoCo C
    python benchmarks/parity/train_ant.py --play runs/ant/TIME --setting ...             a trained one, elsewhere

Observations, rewards and resets are the task's; only what happens between two actions is another's, in training and in
the evaluation alike.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mujoco_batch import SETTINGS, MujocoBatch, reference_model

import kilogym.rl.train as training
from kilogym.tasks.registry import get_task, make_task

FRICTION = 0.5 * (1.5 + 1.0)
"""The average of the ant's and the ground's."""


def main() -> None:
    """Train, evaluate, print the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    physics = parser.add_mutually_exclusive_group()
    physics.add_argument("--setting", choices=list(SETTINGS), help="train in MuJoCo")
    physics.add_argument("--semi-implicit", action="store_true", help="semi-implicit Euler instead of the midpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=0, help="default: the task's own on the CPU")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--play", type=Path, help="do not train: evaluate this run's policy")
    args = parser.parse_args()

    def make(name: str, num_envs: int, device: str, seed: int, config: Any) -> Any:
        task: Any = make_task(name, num_envs, device, seed, config)
        if args.semi_implicit:
            task.sim.set_params(replace(task.sim.params, semi_implicit=True))
        if args.setting:
            setting = SETTINGS[args.setting]
            model = reference_model(task.robot, task.config.dt, FRICTION, setting)
            task.sim.step = MujocoBatch(task.sim, task.asset, model, setting.steps).step
        return task

    training.make_task = make  # type: ignore[assignment]
    physics_name = args.setting or ("kilogym, semi-implicit" if args.semi_implicit else "kilogym")
    if args.play:
        _, config, learner = training.load_policy(args.play, "cpu")
        result = training.evaluate_task("ant", config, learner, "cpu", args.seed + 1)
        print(args.play, "in", physics_name, json.dumps(asdict(result)))
        return
    entry = get_task("ant")
    ppo = replace(entry.cpu, max_iterations=args.iterations or entry.cpu.max_iterations)
    options = training.TrainOptions(entry.config, ppo, "cpu", args.seed, runs=args.runs, film=False)
    folder, _ = training.train("ant", options)
    summary = json.loads((folder / "summary.json").read_text())
    print(physics_name, "seed", args.seed, json.dumps(summary["evaluation"]))


if __name__ == "__main__":
    main()
