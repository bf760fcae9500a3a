"""Where an actor's links and DOFs are: on the host, for the classic calls before and between steps.

The rules are those of `kilogym.assets.asset`: a link's joints move it in order, about anchors and axes of its own
frame. Transforms are pairs (position, quaternion) of float64 arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kilogym.assets.asset import JointKind
from kilogym.math.quaternion import quat_conj, quat_from_axis_angle, quat_mul, quat_rotate

Pose = tuple[np.ndarray, np.ndarray]


def compose(a: Pose, b: Pose) -> Pose:
    """`b`, given in the frame `a`, in the parent frame."""
    return a[0] + quat_rotate(a[1], b[0]), quat_mul(a[1], b[1])


def inverse(a: Pose) -> Pose:
    """The transform that undoes `a`."""
    back = quat_conj(a[1])
    return -quat_rotate(back, a[0]), back


def _about(quat: np.ndarray, anchor: Any) -> Pose:
    """A rotation about a point."""
    anchor = np.asarray(anchor, np.float64)
    return anchor - quat_rotate(quat, anchor), quat


def _rotation(vector: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(vector))
    return quat_from_axis_angle(vector, angle) if angle > 1e-12 else np.array([0.0, 0.0, 0.0, 1.0])


def joint_motion(joint: Any, q: np.ndarray) -> Pose:
    """How a joint at position `q` moves its link, in the link's frame at zero."""
    axis = np.asarray(joint.axis, np.float64)
    if joint.kind is JointKind.PRISMATIC:
        return axis * q[0], np.array([0.0, 0.0, 0.0, 1.0])
    if joint.kind is JointKind.REVOLUTE:
        return _about(quat_from_axis_angle(axis, q[0]), joint.pos)
    if joint.kind is JointKind.BALL:
        return _about(_rotation(q), joint.pos)
    return np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])


def walk(asset: Any, scale: float, root: Pose, dof_pos: np.ndarray) -> tuple[list[Pose], list[Pose]]:
    """Poses of all links, and of all joints: anchor, with the axes of the link as the joint finds it.

    Args:
        asset: Kilogym's. scale: Its actor's.
        root: Pose of link 0. dof_pos: Positions of all DOFs [rad or m].
    """
    links: list[Pose] = []
    joints: list[Pose] = [root] * len(asset.joints)
    by_link: dict[int, list[int]] = {}
    starts, dof = [], 0
    for index, joint in enumerate(asset.joints):
        by_link.setdefault(joint.link, []).append(index)
        starts.append(dof)
        dof += joint.kind.num_dofs
    for index, link in enumerate(asset.links):
        pose = root
        if link.parent >= 0:
            rest = np.asarray(link.pos, np.float64) * scale, np.asarray(link.quat, np.float64)
            pose = compose(links[link.parent], rest)
        for k in by_link.get(index, ()):
            joint = asset.joints[k]
            q = dof_pos[starts[k] : starts[k] + joint.kind.num_dofs]
            moved, turned = joint_motion(joint, q)
            if joint.kind is not JointKind.PRISMATIC:
                moved = moved * scale
            anchor = np.asarray(joint.pos, np.float64) * scale
            joints[k] = compose(pose, (anchor, np.array([0.0, 0.0, 0.0, 1.0])))
            pose = compose(pose, (moved, turned))
        links.append(pose)
    return links, joints


def dof_frames(asset: Any, joints: list[Pose]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Origin and axis of each DOF, from the joint poses of `walk`; a ball joint's three axes are x, y, z."""
    frames = []
    for joint, (pos, quat) in zip(asset.joints, joints, strict=True):
        if joint.kind is JointKind.BALL:
            frames += [(pos, quat_rotate(quat, axis)) for axis in np.eye(3)]
        elif joint.kind.num_dofs:
            frames.append((pos, quat_rotate(quat, joint.axis)))
    return frames


def solve_dofs(asset: Any, scale: float, states: np.ndarray) -> np.ndarray:
    """DOF positions and velocities (n, 2) that put the links where `states` (links, 13) has them.

    Raises:
        NotImplementedError: a link has several joints.
    """
    out: list[tuple[float, float]] = []
    seen: set[int] = set()
    for joint in asset.joints:
        if joint.kind.num_dofs == 0:
            continue
        if joint.link in seen:
            raise NotImplementedError(
                f"body states of {asset.name!r}: link {asset.links[joint.link].name!r} has several joints; set "
                "its DOF states instead"
            )
        seen.add(joint.link)
        link = asset.links[joint.link]
        parent, child = states[link.parent], states[joint.link]
        rest = np.asarray(link.pos, np.float64) * scale, np.asarray(link.quat, np.float64)
        zero = compose((parent[:3], parent[3:7]), rest)
        moved, turned = compose(inverse(zero), (child[:3], child[3:7]))
        axis = np.asarray(joint.axis, np.float64)
        spin = child[10:13] - parent[10:13]
        if joint.kind is JointKind.PRISMATIC:
            relative = child[7:10] - parent[7:10] - np.cross(parent[10:13], child[:3] - parent[:3])
            out.append((float(moved @ axis), float(relative @ quat_rotate(zero[1], axis))))
            continue
        turned = turned if turned[3] >= 0 else -turned
        if joint.kind is JointKind.REVOLUTE:
            angle = 2.0 * np.arctan2(turned[:3] @ axis, turned[3])
            out.append((float(angle), float(spin @ quat_rotate(zero[1], axis))))
            continue
        length = float(np.linalg.norm(turned[:3]))
        angle = 2.0 * np.arctan2(length, turned[3])
        vector = turned[:3] / length * angle if length > 1e-12 else np.zeros(3)
        rates = quat_rotate(quat_conj(child[3:7]), spin)
        out += [(float(a), float(b)) for a, b in zip(vector, rates, strict=True)]
    return np.array(out, np.float32).reshape(-1, 2)
