"""What does the same learner earn when it learns in MuJoCo? Kilogym's own ant, its own learner and settings.

    python benchmarks/parity/train_in_mujoco.py --setting "mujoco, its defaults, 1/240 s"      in MuJoCo C
    python benchmarks/parity/train_in_mujoco.py                                                in Kilogym

Observations, rewards and resets are the task's; only what happens between two actions is MuJoCo's, in training and in
the evaluation alike. A reward above the original's that MuJoCo gives as well is no hole of Kilogym's engine.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
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
    parser.add_argument("--setting", choices=list(SETTINGS), help="default: no MuJoCo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=0, help="default: the task's own on the CPU")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    args = parser.parse_args()

    def in_mujoco(name: str, num_envs: int, device: str, seed: int, config: Any) -> Any:
        task: Any = make_task(name, num_envs, device, seed, config)
        if args.setting and num_envs > 2:
            setting = SETTINGS[args.setting]
            model = reference_model(task.robot, task.config.dt, FRICTION, setting)
            task.sim.step = MujocoBatch(task.sim, task.asset, model, setting.steps).step
        return task

    training.make_task = in_mujoco  # type: ignore[assignment]
    entry = get_task("ant")
    ppo = replace(entry.cpu, max_iterations=args.iterations or entry.cpu.max_iterations)
    options = training.TrainOptions(entry.config, ppo, "cpu", args.seed, runs=args.runs, film=False)
    folder, _ = training.train("ant", options)
    summary = json.loads((folder / "summary.json").read_text())
    print(args.setting or "kilogym", "seed", args.seed, json.dumps(summary["evaluation"]))


if __name__ == "__main__":
    main()
