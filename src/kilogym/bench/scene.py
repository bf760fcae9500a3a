"""What every engine of a comparison simulates: actors on a plane or on terrain, driven by motors on their joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np

from kilogym.assets.asset import Asset
from kilogym.scene.terrain import HeightField

Quat = tuple[float, float, float, float]
Vary = Callable[[np.ndarray, np.random.Generator], None]


@dataclass(frozen=True)
class Actor:
    """An asset as it stands in every env."""

    asset: Asset
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of the root [m]
    quat: Quat = (0.0, 0.0, 0.0, 1.0)  # xyzw
    self_collisions: bool = True  # with those pairs excluded that the asset excludes
    prefix: str = ""  # of its names in the MuJoCo model


@dataclass(frozen=True)
class Scene:
    """One env, for every engine: `actors` and `terrain` for Kilogym, `model` is the same for MuJoCo.

    Joints are free ones of floating roots, hinges and slides. Controls are in [-1, 1] and drive one joint each.
    """

    name: str
    actors: tuple[Actor, ...]
    model: mujoco.MjModel
    xml: str  # of the model, for engines that read MJCF
    start: np.ndarray  # qpos at the start [nq]
    terrain: HeightField | None = None  # None: the plane z = 0
    max_contacts: int = 0  # room for contacts in Kilogym; 0: what it chooses
    vary: Vary | None = None  # moves the start pose of one env, in place, by random numbers

    @cached_property
    def joints(self) -> np.ndarray:
        """MuJoCo's numbers of the joints that are not free, ascending; "joint k" below is the k-th of these."""
        return np.flatnonzero(self.model.jnt_type != mujoco.mjtJoint.mjJNT_FREE)

    @property
    def num_dofs(self) -> int:
        """Joint DOFs, without those of floating roots."""
        return len(self.joints)

    @property
    def num_controls(self) -> int:
        return int(self.model.nu)

    @property
    def motor_joint(self) -> np.ndarray:
        """Joint k that each control drives [nu]."""
        return np.searchsorted(self.joints, self.model.actuator_trnid[:, 0])

    @property
    def gear(self) -> np.ndarray:
        """Torque or force of a control of 1 [N m or N], [nu]."""
        return self.model.actuator_gear[:, 0].copy()

    @property
    def joint_qpos(self) -> np.ndarray:
        """Where joint k stands in qpos."""
        return self.model.jnt_qposadr[self.joints]

    @cached_property
    def root_qpos(self) -> list[int | None]:
        """Where each actor's root starts in qpos (position, then quaternion w first); None: it is fixed."""
        free = iter(np.flatnonzero(self.model.jnt_type == mujoco.mjtJoint.mjJNT_FREE))
        return [None if a.asset.fixed_base else int(self.model.jnt_qposadr[next(free)]) for a in self.actors]

    @cached_property
    def dof_of_joint(self) -> np.ndarray:
        """Kilogym's DOF of joint k, counted over all actors of an env; joints are matched by name.

        Raises:
            ValueError: The two engines read different joints from the scene's files.
        """
        ours = [a.prefix + name for a in self.actors for name in a.asset.dof_names()]
        names = [self.model.joint(j).name for j in self.joints]
        if sorted(ours) != sorted(names):
            raise ValueError(f"scene {self.name!r}: MuJoCo has the joints {sorted(names)}, Kilogym {sorted(ours)}")
        return np.array([ours.index(name) for name in names], int)

    def starts(self, num_envs: int, seed: int = 0) -> np.ndarray:
        """qpos of every env at the start (num_envs, nq): the same for every engine, and for equal seeds."""
        out = np.tile(self.start, (num_envs, 1))
        if self.vary is not None:
            rng = np.random.default_rng(seed)
            for qpos in out:
                self.vary(qpos, rng)
        return out


def configure(model: mujoco.MjModel, timestep: float) -> None:
    """The settings at which MuJoCo and MuJoCo Warp are measured: Newton, 10 iterations, 10 line-search steps."""
    model.opt.timestep = timestep
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
    model.opt.solver = mujoco.mjtSolver.mjSOL_NEWTON
    model.opt.iterations = 10
    model.opt.ls_iterations = 10
    # a diverged env is to be counted, not to be reset in silence
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def start_pose(model: mujoco.MjModel) -> np.ndarray:
    """The model's own pose with every limited joint moved into its range."""
    pose = model.qpos0.copy()
    for joint in np.flatnonzero((model.jnt_type != mujoco.mjtJoint.mjJNT_FREE) & (model.jnt_limited != 0)):
        at = model.jnt_qposadr[joint]
        pose[at] = np.clip(pose[at], *model.jnt_range[joint])
    return pose
