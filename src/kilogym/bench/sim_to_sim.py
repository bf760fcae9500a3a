"""Does a policy trained on Kilogym also walk in MuJoCo?

    python -m kilogym.bench.sim_to_sim runs/ant/<time>                  one episode in each of 64 envs
    python -m kilogym.bench.sim_to_sim runs/anymal/<time>               its drives are MuJoCo's, with the same gains
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import torch

from kilogym.bench import policy_options
from kilogym.bench.robot import load_robot
from kilogym.engine.model import PARAMETERS
from kilogym.math.quaternion import quat_from_wxyz, quat_to_wxyz
from kilogym.rl.evaluate import Evaluation, evaluate
from kilogym.rl.train import load_policy
from kilogym.scene.compile import compile_scene
from kilogym.tasks.base import Task
from kilogym.tasks.locomotion import LocomotionTask
from kilogym.tasks.quadruped import Quadruped
from kilogym.tasks.registry import make_task
from kilogym.validation.mujoco_model import Layout, build

TIMESTEP = 0.002
"""Of MuJoCo [s]; an action lasts a whole number of steps at most this long."""


@dataclass(frozen=True)
class Reference:
    """A task's robot on a plane in MuJoCo.

    Attributes:
        qpos, qvel: Where each DOF of the task is.
        actuated: DOFs with a position drive, in the order of MuJoCo's actuators; none: efforts come from the task.
        links: Whether body i + 1 is the task's link i, so that contact forces can be given back.
    """

    model: mujoco.MjModel
    qpos: np.ndarray
    qvel: np.ndarray
    actuated: np.ndarray
    links: bool


def reference(task: Task) -> Reference:
    """By the kind of task.

    Raises:
        NotImplementedError: a task of another kind.
    """
    if isinstance(task, LocomotionTask):
        model = reference_model(task)
        joints = [model.joint(name) for name in task.asset.dof_names()]
        qpos, qvel = (np.array([getattr(j, what)[0] for j in joints]) for what in ("qposadr", "dofadr"))
        return Reference(model, qpos, qvel, np.zeros(0, int), False)
    if isinstance(task, Quadruped) and not task.sim.scene.terrain:
        return driven_reference(task)
    raise NotImplementedError(f"{type(task).__name__}: only tasks of one walking robot on a plane can run in MuJoCo")


def driven_reference(task: Quadruped) -> Reference:
    """From the compiled scene: its inertias, drives, effort limits and shapes; friction by the average rule."""
    (plan,) = compile_scene(task.sim.scene)
    params = {name: values.reshape(-1, PARAMETERS[name][1]) for name, values in plan.model.params.items()}
    layout = Layout(plan.model, params["dof_mode"][:, 0])
    model = build(plan.model, params, TIMESTEP)
    harden(model, task.config.dt)
    model.pair_solref[:, 0] = 0.005
    return Reference(model, np.array([at for _, at, _ in layout.joints]), layout.dof_v, layout.actuated, True)


def harden(model: mujoco.MjModel, dt: float) -> None:
    """Its stiffest usual contacts and joint stops, at a whole number of steps in `dt`."""
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    model.opt.impratio = 10.0
    model.opt.iterations, model.opt.ls_iterations = 100, 50
    model.opt.timestep = dt / np.ceil(dt / TIMESTEP)
    model.geom_solref[:, 0] = model.jnt_solref[:, 0] = 0.005


def reference_model(task: LocomotionTask) -> mujoco.MjModel:
    """The task's robot on a plane in MuJoCo, with the friction that Kilogym's average rule gives."""
    model = load_robot(str(task.robot), TIMESTEP).model
    harden(model, task.config.dt)
    plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    model.geom_friction[:, 0] = 0.5 * (model.geom_friction[:, 0] + 1.0)  # the ground's is 1
    model.geom_priority[~plane] = 1  # the pair takes the robot's numbers, not the larger ones
    if not task.cfg.self_collisions:
        model.geom_contype[~plane] = 0
    return model


class MujocoPhysics:
    """Stands in for a task's physics step: reads the simulation's state and efforts, writes the state dt later."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.reference = reference(task)
        self.model, self.qpos, self.qvel = self.reference.model, self.reference.qpos, self.reference.qvel
        self.com = np.array(task.asset.links[0].com)  # type: ignore[attr-defined]
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
        targets = sim.get_position_targets().double().cpu().numpy().reshape(envs, -1)

        def run(first: int) -> None:
            for env in range(first, envs, self.threads):
                if len(self.reference.actuated):
                    self.data[env].ctrl[:] = targets[env, self.reference.actuated]
                self._advance(self.data[env], roots[env], dofs[env], efforts[env])

        list(self.pool.map(run, range(self.threads)))
        sim.set_root_states(torch.tensor(roots, dtype=torch.float32, device=sim.device))
        sim.set_dof_states(torch.tensor(dofs.reshape(-1, 2), dtype=torch.float32, device=sim.device))
        if self.reference.links:
            forces = np.stack([contact_forces(self.model, data) for data in self.data])  # (envs, links, 3)
            rows = torch.tensor(forces.reshape(envs, -1).T, dtype=torch.float32, device=sim.device)
            sim.batches[0].output["link_contact_force"].copy_(rows)

    def _advance(self, data: mujoco.MjData, root: np.ndarray, dofs: np.ndarray, efforts: np.ndarray) -> None:
        """One env; `root` [13] and `dofs` [D, 2] are overwritten."""
        data.qpos[:3] = root[:3]
        data.qpos[3:7] = quat_to_wxyz(root[3:7])
        data.qpos[self.qpos], data.qvel[self.qvel] = dofs[:, 0], dofs[:, 1]
        r = matrix(data.qpos[3:7])
        # MuJoCo: velocity of the frame's origin, angular velocity in the body's axes; ours: of the com, world axes
        data.qvel[:3] = root[7:10] - np.cross(root[10:13], r @ self.com)
        data.qvel[3:6] = r.T @ root[10:13]
        data.qfrc_applied[self.qvel] = efforts
        mujoco.mj_step(self.model, data, nstep=self.steps)
        r = matrix(data.qpos[3:7])
        root[:3] = data.qpos[:3]
        root[3:7] = quat_from_wxyz(data.qpos[3:7])
        root[10:13] = r @ data.qvel[3:6]
        root[7:10] = data.qvel[:3] + np.cross(root[10:13], r @ self.com)
        dofs[:, 0], dofs[:, 1] = data.qpos[self.qpos], data.qvel[self.qvel]


def contact_forces(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Net contact force on each body but the world in the last step, world axes, (bodies - 1, 3) [N]."""
    out, force = np.zeros((model.nbody, 3)), np.zeros(6)
    for i in range(data.ncon):
        contact = data.contact[i]
        mujoco.mj_contactForce(model, data, i, force)
        pushed = contact.frame.reshape(3, 3).T @ force[:3]
        one, two = (model.geom_bodyid[g] for g in contact.geom)
        out[one] -= pushed
        out[two] += pushed
    return out[1:]


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
