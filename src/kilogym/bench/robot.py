"""The robot that every engine of a comparison simulates: one MJCF file, on a plane, driven by its motors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

import kilogym


@dataclass(frozen=True)
class Robot:
    """A floating robot of hinges and slides, each DOF with at most one motor.

    `file` is the robot alone, as Kilogym imports it; `model` is the same with a ground plane, for MuJoCo.
    """

    name: str
    file: Path
    model: mujoco.MjModel
    start: np.ndarray  # qpos at the start: the file's pose, joints moved into their limits [nq]
    motor_dof: np.ndarray  # joint-space DOF of each control, the floating base's six left out [nu]
    gear: np.ndarray  # torque of a control of 1 [N m or N], [nu]

    @property
    def num_controls(self) -> int:
        return len(self.gear)

    @property
    def num_dofs(self) -> int:
        """Joint DOFs without the floating base."""
        return int(self.model.nv) - 6


def known_robots() -> dict[str, Path]:
    """Robots that need no path: those of Kilogym's tasks, and gymnasium's where it is installed."""
    tasks = Path(kilogym.__file__ or "").parent / "tasks"
    known = {name: tasks / name / f"{name}.xml" for name in ("ant", "humanoid")}
    try:
        import gymnasium
    except ImportError:
        return known
    assets = Path(gymnasium.__file__ or "").parent / "envs" / "mujoco" / "assets"
    known.update({f"gymnasium-{name}": assets / f"{name}.xml" for name in ("ant", "humanoid")})
    return known


def load_robot(name: str, timestep: float) -> Robot:
    """Read a robot.

    Args:
        name: Key of :func:`known_robots`, or the path of an MJCF file.
        timestep: Of a physics step [s].

    Raises:
        ValueError: The file does not exist, or the robot is not one that :class:`Robot` describes.
    """
    file = known_robots().get(name, Path(name))
    if not file.is_file():
        raise ValueError(f"robot {name!r}: expected one of {sorted(known_robots())} or the path of an MJCF file")
    spec = mujoco.MjSpec.from_file(str(file))
    if not any(geom.type == mujoco.mjtGeom.mjGEOM_PLANE for geom in spec.geoms):
        spec.worldbody.add_geom(name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
    model = spec.compile()
    kinds = model.jnt_type
    hinges = np.isin(kinds[1:], (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)).all()
    if model.njnt == 0 or kinds[0] != mujoco.mjtJoint.mjJNT_FREE or not hinges:
        raise ValueError(f"{file}: expected a free joint, then hinges and slides only")
    if (model.actuator_trntype != mujoco.mjtTrn.mjTRN_JOINT).any():
        raise ValueError(f"{file}: expected motors on joints only")
    configure(model, timestep)
    joints = model.actuator_trnid[:, 0]
    return Robot(
        name=file.stem if name not in known_robots() else name,
        file=file,
        model=model,
        start=start_pose(model),
        motor_dof=model.jnt_dofadr[joints] - 6,
        gear=model.actuator_gear[:, 0].copy(),
    )


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
    """The file's own pose with every limited joint moved into its range."""
    pose = model.qpos0.copy()
    for joint in range(1, model.njnt):
        if model.jnt_limited[joint]:
            at = model.jnt_qposadr[joint]
            pose[at] = np.clip(pose[at], *model.jnt_range[joint])
    return pose
