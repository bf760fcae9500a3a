"""Does a policy trained on Kilogym also walk in MuJoCo?

    python -m kilogym.bench.sim_to_sim runs/ant/<time>                  one episode in each of 64 envs
    python -m kilogym.bench.sim_to_sim runs/ant/<time> --envs 256 --seed 3 --out benchmarks/results/ant-in-mujoco.json

The task's observations, rewards and resets stay as they are; only what happens between two actions is computed by
MuJoCo C in float64, at a step of about 2 ms with its stiffest usual contacts (implicitfast, elliptic cone,
impratio 10, solref 0.005). A policy that lives on an error of the engine it was trained in loses its return there.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import torch

from kilogym.bench import policy_options
from kilogym.bench.robot import load_robot
from kilogym.rl.evaluate import Evaluation, evaluate
from kilogym.rl.train import load_policy
from kilogym.tasks.base import Task
from kilogym.tasks.locomotion import LocomotionTask
from kilogym.tasks.registry import make_task

TIMESTEP = 0.002
"""Of MuJoCo [s]; an action lasts a whole number of steps at most this long."""


def reference_model(task: LocomotionTask) -> mujoco.MjModel:
    """The task's robot on a plane in MuJoCo, with the friction that Kilogym's average rule gives."""
    model = load_robot(str(task.robot), TIMESTEP).model
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    model.opt.impratio = 10.0
    model.opt.iterations, model.opt.ls_iterations = 100, 50
    model.opt.timestep = task.config.dt / np.ceil(task.config.dt / TIMESTEP)
    plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    model.geom_solref[:, 0] = model.jnt_solref[:, 0] = 0.005
    model.geom_friction[:, 0] = 0.5 * (model.geom_friction[:, 0] + 1.0)  # the ground's is 1
    model.geom_priority[~plane] = 1  # the pair takes the robot's numbers, not the larger ones
    if not task.cfg.self_collisions:
        model.geom_contype[~plane] = 0
    return model


class MujocoPhysics:
    """Stands in for a task's physics step: reads the simulation's state and efforts, writes the state dt later."""

    def __init__(self, task: Task) -> None:
        if not isinstance(task, LocomotionTask):
            raise NotImplementedError(f"{type(task).__name__}: only tasks of one walking robot can run in MuJoCo")
        self.task = task
        self.model = reference_model(task)
        names = task.asset.dof_names()
        joints = [self.model.joint(name) for name in names]
        self.qpos = np.array([j.qposadr[0] for j in joints])
        self.qvel = np.array([j.dofadr[0] for j in joints])
        self.com = np.array(task.asset.links[0].com)
        self.data = [mujoco.MjData(self.model) for _ in range(task.num_envs)]
        self.steps = round(task.config.dt / self.model.opt.timestep)
        self.threads = min(os.cpu_count() or 1, task.num_envs)
        self.pool = ThreadPoolExecutor(self.threads)

    def step(self) -> None:
        """Advance every env by the task's dt."""
        sim, envs = self.task.sim, self.task.num_envs
        sim.refresh_root_states()
        sim.refresh_dof_states()
        roots = sim.root_states.double().cpu().numpy()
        dofs = sim.dof_states.double().cpu().numpy().reshape(envs, -1, 2)
        efforts = sim.get_actuation_forces().double().cpu().numpy().reshape(envs, -1)

        def run(first: int) -> None:
            for env in range(first, envs, self.threads):
                self._advance(self.data[env], roots[env], dofs[env], efforts[env])

        list(self.pool.map(run, range(self.threads)))
        sim.set_root_states(torch.tensor(roots, dtype=torch.float32, device=sim.device))
        sim.set_dof_states(torch.tensor(dofs.reshape(-1, 2), dtype=torch.float32, device=sim.device))

    def _advance(self, data: mujoco.MjData, root: np.ndarray, dofs: np.ndarray, efforts: np.ndarray) -> None:
        """One env; `root` [13] and `dofs` [D, 2] are overwritten."""
        data.qpos[:3] = root[:3]
        data.qpos[3:7] = root[[6, 3, 4, 5]]
        data.qpos[self.qpos], data.qvel[self.qvel] = dofs[:, 0], dofs[:, 1]
        r = matrix(data.qpos[3:7])
        # MuJoCo: velocity of the frame's origin, angular velocity in the body's axes; ours: of the com, world axes
        data.qvel[:3] = root[7:10] - np.cross(root[10:13], r @ self.com)
        data.qvel[3:6] = r.T @ root[10:13]
        data.qfrc_applied[self.qvel] = efforts
        mujoco.mj_step(self.model, data, nstep=self.steps)
        r = matrix(data.qpos[3:7])
        root[:3] = data.qpos[:3]
        root[3:7] = data.qpos[[4, 5, 6, 3]]
        root[10:13] = r @ data.qvel[3:6]
        root[7:10] = data.qvel[:3] + np.cross(root[10:13], r @ self.com)
        dofs[:, 0], dofs[:, 1] = data.qpos[self.qpos], data.qvel[self.qvel]


def matrix(quat: np.ndarray) -> np.ndarray:
    """Rotation matrix of a quaternion, w first."""
    out = np.empty(9)
    mujoco.mju_quat2Mat(out, quat)
    return out.reshape(3, 3)


def compare(checkpoint: Path, envs: int, seed: int) -> dict[str, Evaluation]:
    """The same policy from the same starts in Kilogym and in MuJoCo."""
    saved, config, learner = load_policy(checkpoint, "cpu")
    results = {}
    for engine in ("kilogym", "mujoco"):
        env = make_task(saved.task, envs, "cpu", seed, config)
        if engine == "mujoco":
            env.sim.step = MujocoPhysics(env).step  # type: ignore[method-assign]
        results[engine] = evaluate(env, learner.act)
    return results


def report(options: Namespace) -> dict[str, Any]:
    """Compare, print a line per engine and the ratio of the returns."""
    results = compare(options.checkpoint, options.envs, options.seed)
    for engine, result in results.items():
        print(f"{engine:8}  {result.describe()}")
    ratio = results["mujoco"].mean_return / results["kilogym"].mean_return
    print(f"return in MuJoCo / return in Kilogym: {ratio:.3f}")
    engines = {engine: asdict(result) for engine, result in results.items()}
    return {"checkpoint": str(options.checkpoint), "ratio": ratio, **engines}


def main(args: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return policy_options.run("kilogym.bench.sim_to_sim", __doc__, 64, args, report)


if __name__ == "__main__":
    sys.exit(main())
