"""Equality constraints of a compiled MJCF file: joints that follow joints, links held together."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from kilogym.assets.asset import JointEquality
from kilogym.assets.closures import ClosureSpec
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.tree import Body
from kilogym.math.quaternion import IDENTITY, quat_from_wxyz, transform_compose, transform_inverse

Pose = tuple[np.ndarray, np.ndarray]


def _active(m: mujoco.MjModel, kinds: tuple[int, ...], diagnostics: Diagnostics | None, file: str) -> Iterator[int]:
    for i in range(m.neq):
        if int(m.eq_type[i]) in kinds and m.eq_active0[i]:
            yield i
        elif diagnostics is not None and not m.eq_active0[i]:
            diagnostics.note('a constraint with active="false" is ignored', file)


def read_joint_equalities(
    m: mujoco.MjModel, joint_names: list[str], diagnostics: Diagnostics, file: str
) -> list[JointEquality]:
    """Constraints of joints. MuJoCo's polynomial is in displacements from the joints' `ref`, ours in positions."""
    out = []
    for i in _active(m, (int(mujoco.mjtEq.mjEQ_JOINT),), diagnostics, file):
        joint, leader = int(m.eq_obj1id[i]), int(m.eq_obj2id[i])
        ref = float(m.qpos0[m.jnt_qposadr[joint]])
        around = np.polynomial.Polynomial(m.eq_data[i, :5] if leader >= 0 else m.eq_data[i, :1])
        if leader >= 0:
            shift = np.polynomial.Polynomial([-float(m.qpos0[m.jnt_qposadr[leader]]), 1.0])
            around = around(shift)
        c = [*np.atleast_1d(around.coef).tolist(), 0.0, 0.0, 0.0, 0.0]
        out.append(
            JointEquality(
                name=m.eq(i).name or joint_names[joint],
                joint=joint_names[joint],
                leader=joint_names[leader] if leader >= 0 else None,
                coefficients=(c[0] + ref, c[1], c[2], c[3], c[4]),
            )
        )
    return out


def read_closures(
    m: mujoco.MjModel, bodies: list[Body], root: Body, floating: bool, diagnostics: Diagnostics, file: str
) -> list[ClosureSpec]:
    """Constraints of bodies. Leaves each one's two frames with its bodies (`Body.anchors`), which may yet be merged.

    Args:
        bodies: By MuJoCo's number; the first is the world.
        root: The root of the tree; the world is a body of it only if it is this one.
        floating: Whether the root is free to move.
    """
    kinds = (int(mujoco.mjtEq.mjEQ_CONNECT), int(mujoco.mjtEq.mjEQ_WELD))
    out: list[ClosureSpec] = []
    for i in _active(m, kinds, None, file):
        ends = [_end(m, i, side) for side in (0, 1)]
        if ends[0][0] == 0:
            ends.reverse()
        if ends[0][0] == 0:
            diagnostics.note("a constraint between the world and itself is ignored", file)
            continue
        number = len(out)
        to_place = False
        for side, (body, pose) in zip("ab", ends, strict=True):
            if body == 0 and root is not bodies[0]:
                pose = transform_compose(transform_inverse((root.pos, root.quat)), pose)
                to_place = floating
                root.anchors[number, side] = pose
            else:
                bodies[body].anchors[number, side] = pose
        weld = int(m.eq_type[i]) == kinds[1]
        out.append(ClosureSpec(m.eq(i).name or f"closure_{number}", weld, to_place))
    return out


def _end(m: mujoco.MjModel, i: int, side: int) -> tuple[int, Pose]:
    """The body of one side (0, 1) and the frame on it that is to be where the other side's is."""
    item = int((m.eq_obj1id, m.eq_obj2id)[side][i])
    data = m.eq_data[i]
    if int(m.eq_objtype[i]) == int(mujoco.mjtObj.mjOBJ_SITE):
        return int(m.site_bodyid[item]), (m.site_pos[item].copy(), quat_from_wxyz(m.site_quat[item]))
    if int(m.eq_type[i]) == int(mujoco.mjtEq.mjEQ_CONNECT):
        return item, (data[3 * side : 3 * side + 3].copy(), np.array(IDENTITY))
    # MuJoCo's order: a point of the second body, then the second body's pose in the first
    if side == 0:
        return item, (data[3:6].copy(), quat_from_wxyz(data[6:10]))
    return item, (data[0:3].copy(), np.array(IDENTITY))
