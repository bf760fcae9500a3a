"""Actuators and tendons of a compiled MJCF file."""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

from kilogym.assets.asset import FLT_MAX, Actuator, DriveMode, Tendon
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.mjcf_node import Node
from kilogym.assets.mjcf_sanitize import Sanitized

_RANK = {DriveMode.NONE: 0, DriveMode.EFFORT: 1, DriveMode.VELOCITY: 2, DriveMode.POSITION: 3}
"""Which mode a joint with several actuators gets: the highest."""


@dataclass
class Drive:
    """What the actuators of one joint make of its DOF: gains per rad or m, `effort` N m or N."""

    mode: DriveMode = DriveMode.NONE
    kp: float = 0.0
    kv: float = 0.0
    effort: float = FLT_MAX


@dataclass
class Drives:
    """Actuators in file order, joint names by MuJoCo's joint index, and each driven joint's drive."""

    actuators: list[Actuator] = field(default_factory=list)
    joint_names: list[str] = field(default_factory=list)
    by_joint: dict[str, Drive] = field(default_factory=dict)


def read_drives(m: mujoco.MjModel, clean: Sanitized, diagnostics: Diagnostics) -> Drives:
    """Read the actuators; a joint takes its drive from them."""
    drives = Drives()
    for j in range(m.njnt):
        body = int(m.jnt_bodyid[j])
        nth = j - int(m.body_jntadr[body])
        unnamed = f"{m.body(body).name or f'body_{body}'}_joint{f'_{nth}' if nth else ''}"
        drives.joint_names.append(m.joint(j).name or unnamed)
    for i, node in enumerate(clean.actuators):
        joint = int(m.actuator_trnid[i, 0])
        if m.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
            diagnostics.ignored_element(node.tag, node.file, node.line, "it drives a free joint", "actuator")
            continue
        _add(m, i, node, drives.joint_names[joint], drives, diagnostics)
    return drives


def _add(m: mujoco.MjModel, i: int, node: Node, joint: str, drives: Drives, diagnostics: Diagnostics) -> None:
    gain, bias = float(m.actuator_gainprm[i, 0]), m.actuator_biasprm[i]
    gear = float(m.actuator_gear[i, 0])
    affine = int(m.actuator_biastype[i]) == int(mujoco.mjtBias.mjBIAS_AFFINE)
    kp = -float(bias[1]) if affine else 0.0
    kv = -float(bias[2]) if affine else 0.0
    if kp > 0.0 or node.tag == "position":
        mode = DriveMode.POSITION
    elif kv > 0.0 or node.tag == "velocity":
        mode = DriveMode.VELOCITY
    else:
        mode = DriveMode.EFFORT
    if mode is not DriveMode.EFFORT and gear != 1.0:
        diagnostics.note(
            f"gear of a <{node.tag}> actuator is not applied: targets are the joint's own",
            node.file,
            node.line,
        )
    effort = gear * (gain if node.tag == "general" else 1.0) if mode is DriveMode.EFFORT else 0.0
    force_limited = bool(m.actuator_forcelimited[i])
    drives.actuators.append(
        Actuator(
            name=m.actuator(i).name or joint,
            kind=node.tag,
            joint=joint,
            control_limited=bool(m.actuator_ctrllimited[i]),
            control_range=_pair(m.actuator_ctrlrange[i]),
            force_limited=force_limited,
            force_range=_pair(m.actuator_forcerange[i]),
            kp=max(kp, 0.0),
            kv=max(kv, 0.0),
            motor_effort=effort,
        )
    )
    drive = drives.by_joint.setdefault(joint, Drive())
    drive.mode = max(drive.mode, mode, key=_RANK.__getitem__)
    drive.kp += max(kp, 0.0)
    drive.kv += max(kv, 0.0)
    if force_limited:
        scale = abs(gear) if mode is DriveMode.EFFORT else 1.0
        drive.effort = min(drive.effort, scale * float(np.abs(m.actuator_forcerange[i]).max()))


def read_tendons(m: mujoco.MjModel, joint_names: list[str], limit_stiffness: float) -> list[Tendon]:
    """Fixed tendons in file order; others never get here. Limits are springs of `limit_stiffness`."""
    tendons = []
    for i in range(m.ntendon):
        wraps = range(int(m.tendon_adr[i]), int(m.tendon_adr[i]) + int(m.tendon_num[i]))
        limited = bool(m.tendon_limited[i])
        tendons.append(
            Tendon(
                name=m.tendon(i).name or f"tendon_{i}",
                joints=tuple(joint_names[int(m.wrap_objid[w])] for w in wraps),
                coefficients=tuple(float(m.wrap_prm[w]) for w in wraps),
                limited=limited,
                lower=float(m.tendon_range[i, 0]) if limited else 0.0,
                upper=float(m.tendon_range[i, 1]) if limited else 0.0,
                stiffness=float(m.tendon_stiffness[i]),
                damping=float(m.tendon_damping[i]),
                rest_length=float(m.tendon_lengthspring[i, 0]),
                limit_stiffness=limit_stiffness,
            )
        )
    return tendons


def _pair(values: np.ndarray) -> tuple[float, float]:
    return (float(values[0]), float(values[1]))
