"""Scenes of one robot: an MJCF file on a plane, driven by its motors, as both importers read it."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import mujoco
import numpy as np

import kilogym
from kilogym.assets import AssetWarning, ImportOptions, load_asset
from kilogym.assets.asset import Asset
from kilogym.bench.scene import Actor, Scene, configure, start_pose


def known_robots() -> dict[str, Path]:
    """Robots that need no path: those of Kilogym's tasks, and gymnasium's where it is installed."""
    tasks = Path(kilogym.__file__ or "").parent / "tasks"
    known = {name: tasks / name / f"{name}.xml" for name in ("ant", "humanoid")}
    gymnasium = folder_of("gymnasium")
    if gymnasium is not None:
        assets = gymnasium / "envs" / "mujoco" / "assets"
        known.update({f"gymnasium-{name}": assets / f"{name}.xml" for name in ("ant", "humanoid")})
    return known


def folder_of(package: str) -> Path | None:
    """Where a package is installed, without importing it."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


def read_asset(file: Path, collapse_fixed_joints: bool = False) -> Asset:
    """Import a file with nothing that MuJoCo would not do: no damping of bodies, no speed limit that matters."""
    options = ImportOptions(
        angular_damping=0.0, max_angular_velocity=1000.0, collapse_fixed_joints=collapse_fixed_joints
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssetWarning)  # what a file says about lights is no news here
        return load_asset(file.parent, file.name, options)


def load_robot(name: str, timestep: float) -> Scene:
    """Read a robot.

    Args:
        name: Key of :func:`known_robots`, or the path of an MJCF file.
        timestep: Of a physics step [s].

    Raises:
        ValueError: The file does not exist, or is not of a floating robot of hinges and slides with motors on joints.
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
    start = start_pose(model)
    x, y, z = (float(n) for n in start[:3])
    actor = Actor(read_asset(file), (x, y, z))
    return Scene(file.stem if name not in known_robots() else name, (actor,), model, spec.to_xml(), start)
