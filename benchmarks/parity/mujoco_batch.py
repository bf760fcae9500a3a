"""MuJoCo C in the place of Kilogym's step: one floating robot per env, all envs at once in threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import torch
from mujoco.rollout import Rollout
from torch import Tensor

from kilogym.assets.asset import Asset
from kilogym.bench.robot import load_robot
from kilogym.math.quaternion import quat_rotate, quat_rotate_inverse
from kilogym.sim import Simulation


@dataclass(frozen=True)
class Stiffness:
    """How hard MuJoCo's contacts and joint stops are, and how finely it steps."""

    steps: int = 8
    """MuJoCo steps per action."""
    solref: float = 0.02
    """Time constant of contacts and stops [s]; MuJoCo keeps it above two steps."""
    solimp: tuple[float, float] = (0.9, 0.95)
    """Share of the constraint that is enforced, at the surface and at 1 mm."""
    damping: float = 1.0
    """Their damping ratio. At 1 what hits them leaves with exp(-2) = 14 % of its speed, however hard they are: the
    spring is critically damped, and lets go when its force would pull. Above 1 they are nearly inelastic."""
    elliptic: bool = False
    """Elliptic cones with impratio 10 and the implicitfast integrator, instead of MuJoCo's defaults."""


HARD = (0.99, 0.999)
SETTINGS = {
    "mujoco, its defaults, 1/240 s": Stiffness(4),
    "mujoco, its defaults, 1/480 s": Stiffness(8),
    "mujoco, solref 0.005, 1/480 s": Stiffness(8, 0.005, elliptic=True),
    "mujoco, solref 0.005, 1/960 s": Stiffness(16, 0.005, elliptic=True),
    "mujoco, solref 0.0022, solimp 0.99, 1/960 s": Stiffness(16, 0.0022, HARD, elliptic=True),
    "mujoco, solref 0.0006, solimp 0.99, 1/3840 s": Stiffness(64, 0.0006, HARD, elliptic=True),
    "mujoco, inelastic: solref 0.003 2, 1/960 s": Stiffness(16, 0.003, HARD, 2.0, elliptic=True),
    "mujoco, inelastic: solref 0.0015 3, 1/1920 s": Stiffness(32, 0.0015, HARD, 3.0, elliptic=True),
    "mujoco, inelastic: solref 0.0008 3, 1/3840 s": Stiffness(64, 0.0008, HARD, 3.0, elliptic=True),
    "mujoco, inelastic: solref 0.0004 3, 1/7680 s": Stiffness(128, 0.0004, HARD, 3.0, elliptic=True),
}


def reference_model(file: Path, dt: float, friction: float, stiffness: Stiffness) -> mujoco.MjModel:
    """The robot on a plane; it does not collide with itself.

    Args:
        file: MJCF of the robot.
        dt: Of an action [s].
        friction: Of robot against ground.
        stiffness: See there.
    """
    model = load_robot(str(file), dt / stiffness.steps).model
    model.opt.iterations, model.opt.ls_iterations = 100, 50
    if stiffness.elliptic:
        model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        model.opt.impratio = 10.0
    else:
        model.opt.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    model.geom_solref[:, 0] = model.jnt_solref[:, 0] = stiffness.solref
    model.geom_solref[:, 1] = model.jnt_solref[:, 1] = stiffness.damping
    model.geom_solimp[:, :2] = model.jnt_solimp[:, :2] = stiffness.solimp
    model.geom_margin[:] = 0.0  # with a margin robots would float on it
    plane = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    model.geom_friction[:, 0] = friction
    model.geom_priority[~plane] = 1
    model.geom_contype[~plane] = 0
    return model


class MujocoBatch:
    """`step()` takes the states and efforts of a simulation, and leaves there the states dt later."""

    def __init__(self, simulation: Simulation, asset: Asset, model: mujoco.MjModel, steps: int) -> None:
        self.sim, self.model, self.steps = simulation, model, steps
        joints = [model.joint(name) for name in asset.dof_names()]
        self.qpos = np.array([j.qposadr[0] for j in joints])
        self.qvel = np.array([j.dofadr[0] for j in joints])
        self.com = np.array(asset.links[0].com)
        threads = int(os.environ.get("KILOGYM_THREADS", "0")) or os.cpu_count() or 1
        self.data = [mujoco.MjData(model) for _ in range(threads)]
        self.rollout = Rollout(nthread=threads)
        if mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS) != 1 + model.nq + model.nv:
            raise ValueError("expected a robot whose state is positions and velocities alone")

    def step(self) -> None:
        """Advance every env by one action."""
        sim, envs, nq = self.sim, self.sim.num_envs, self.model.nq
        sim.refresh_root_states()
        sim.refresh_dof_states()
        root = sim.root_states.double().cpu().numpy()
        dofs = sim.dof_states.double().cpu().numpy().reshape(envs, -1, 2)
        state = np.zeros((envs, 1 + nq + self.model.nv))
        pos, vel = state[:, 1 : 1 + nq], state[:, 1 + nq :]
        pos[:, :3], pos[:, 3:7], pos[:, self.qpos] = root[:, :3], root[:, [6, 3, 4, 5]], dofs[..., 0]
        # MuJoCo: velocity of the frame's origin, angular velocity in the body's axes; ours: of the com, world axes
        arm = quat_rotate(root[:, 3:7], np.broadcast_to(self.com, (envs, 3)))
        vel[:, :3] = root[:, 7:10] - np.cross(root[:, 10:13], arm)
        vel[:, 3:6], vel[:, self.qvel] = quat_rotate_inverse(root[:, 3:7], root[:, 10:13]), dofs[..., 1]
        force = np.zeros((envs, 1, self.model.nv))
        force[:, 0, self.qvel] = sim.get_actuation_forces().double().cpu().numpy().reshape(envs, -1)
        spec = int(mujoco.mjtState.mjSTATE_QFRC_APPLIED)
        model = [self.model] * envs
        out, _ = self.rollout.rollout(
            model, self.data, state, np.repeat(force, self.steps, 1), control_spec=spec, nstep=self.steps
        )
        pos, vel = out[:, -1, 1 : 1 + nq], out[:, -1, 1 + nq :]
        root[:, :3], root[:, 3:7] = pos[:, :3], pos[:, [4, 5, 6, 3]]
        root[:, 10:13] = quat_rotate(root[:, 3:7], vel[:, 3:6])
        arm = quat_rotate(root[:, 3:7], np.broadcast_to(self.com, (envs, 3)))
        root[:, 7:10] = vel[:, :3] + np.cross(root[:, 10:13], arm)
        dofs[..., 0], dofs[..., 1] = pos[:, self.qpos], vel[:, self.qvel]
        sim.set_root_states(_tensor(root, sim))
        sim.set_dof_states(_tensor(dofs.reshape(-1, 2), sim))


def _tensor(values: np.ndarray, sim: Simulation) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=sim.device)
