"""MuJoCo's smooth dynamics (float64) spoken to in the engine's conventions.

- quaternions xyzw; a root's linear velocity is that of its link's centre of mass, both velocities in world axes;
- v-space of a tree: root (3 linear, 3 angular; floating only), then DOFs; a ball joint's three positions are its
  rotation vector, its velocities those of the child's axes.

With v the engine's and u MuJoCo's velocity (free joint: velocity of the frame's origin, angular velocity in body
axes), u = T v and du/dt = T dv/dt + (-w x (w x Rc), 0); so M = T' M_mj T and bias = T' (bias_mj + M_mj dT/dt v).
"""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from kilogym.assets.asset import Asset, JointKind
from kilogym.math.quaternion import quat_from_wxyz, quat_to_wxyz
from kilogym.validation.mujoco_inertia import set_inertia

State = dict[str, np.ndarray]
"""STATE name -> (envs, rows), float64."""

_KINDS = {
    JointKind.REVOLUTE: mujoco.mjtJoint.mjJNT_HINGE,
    JointKind.PRISMATIC: mujoco.mjtJoint.mjJNT_SLIDE,
    JointKind.BALL: mujoco.mjtJoint.mjJNT_BALL,
}


@dataclasses.dataclass
class TreeState:
    """State of one tree in the engine's conventions, float64."""

    pos: np.ndarray
    quat: np.ndarray
    lin: np.ndarray
    ang: np.ndarray
    q: np.ndarray
    qd: np.ndarray


def to_mujoco(asset: Asset) -> mujoco.MjModel:
    """The inertial tree of an asset as a MuJoCo model; body i + 1 is link i."""
    spec = mujoco.MjSpec()
    bodies: list = []
    for i, link in enumerate(asset.links):
        parent = spec.worldbody if i == 0 else bodies[link.parent]
        body = parent.add_body(name=f"link{i}")
        if i:
            body.pos, body.quat = link.pos, quat_to_wxyz(link.quat)
        set_inertia(body, link.mass, link.com, link.inertia)
        bodies.append(body)
        if i == 0 and not asset.fixed_base:
            body.add_freejoint()
    for joint in asset.joints:
        if joint.kind is not JointKind.FIXED:
            bodies[joint.link].add_joint(
                type=_KINDS[joint.kind], pos=joint.pos, axis=joint.axis, armature=joint.armature
            )
    return spec.compile()


def skew(c: np.ndarray) -> np.ndarray:
    return np.array([[0, -c[2], c[1]], [c[2], 0, -c[0]], [-c[1], c[0], 0]])


class Oracle:
    """One asset in MuJoCo, float64, smooth dynamics only.

    Args:
        model: Its MuJoCo model if it comes from a file of MuJoCo's own; made from the asset otherwise.
    """

    def __init__(self, asset: Asset, model: mujoco.MjModel | None = None) -> None:
        self.asset = asset
        self.m = model if model is not None else to_mujoco(asset)
        off = mujoco.mjtDisableBit
        self.m.opt.disableflags = int(
            off.mjDSBL_CONSTRAINT | off.mjDSBL_SPRING | off.mjDSBL_DAMPER | off.mjDSBL_ACTUATION
            | off.mjDSBL_EULERDAMP | off.mjDSBL_CONTACT
        )  # fmt: skip
        self.d = mujoco.MjData(self.m)
        self.floating = not asset.fixed_base
        self.n = self.m.nv
        self.links = len(asset.links)
        self.first = self.m.nbody - self.links  # body of link 0; 0 when link 0 stands for MuJoCo's world
        assert self.first in (0, 1)
        assert self.n == asset.num_dofs + 6 * self.floating
        self.com = np.array(asset.links[0].com)

    def set(self, s: TreeState, gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)) -> None:
        """Put a state in and compute everything that follows from it."""
        m, d = self.m, self.d
        m.opt.gravity[:] = gravity
        self.s = s
        self.R = Rotation.from_quat(s.quat).as_matrix()
        if self.floating:
            arm = self.R @ self.com
            d.qpos[:7] = [*s.pos, *quat_to_wxyz(s.quat)]
            d.qvel[:3] = s.lin - np.cross(s.ang, arm)
            d.qvel[3:6] = self.R.T @ s.ang
            self.T = np.eye(self.n)
            self.T[:3, 3:6] = skew(arm)
            self.T[3:6, 3:6] = self.R.T
            self.Tdot_v = np.zeros(self.n)
            self.Tdot_v[:3] = -np.cross(s.ang, np.cross(s.ang, arm))
        else:
            if self.first == 1:
                m.body_pos[1], m.body_quat[1] = s.pos, quat_to_wxyz(s.quat)
            self.T, self.Tdot_v = np.eye(self.n), np.zeros(self.n)
        k = 0
        for j in range(m.njnt):
            kind, at, v = m.jnt_type[j], m.jnt_qposadr[j], m.jnt_dofadr[j]
            if kind == mujoco.mjtJoint.mjJNT_FREE:
                continue
            if kind == mujoco.mjtJoint.mjJNT_BALL:
                d.qpos[at : at + 4] = quat_to_wxyz(Rotation.from_rotvec(s.q[k : k + 3]).as_quat())
                d.qvel[v : v + 3] = s.qd[k : k + 3]
                k += 3
            else:
                d.qpos[at], d.qvel[v] = s.q[k], s.qd[k]
                k += 1
        assert k == len(s.q)
        d.qfrc_applied[:] = 0
        mujoco.mj_forward(m, d)

    def read(self) -> TreeState:
        """The state that MuJoCo holds, in the engine's conventions."""
        m, d = self.m, self.d
        q, qd = [], []
        for j in range(m.njnt):
            kind, at, v = m.jnt_type[j], m.jnt_qposadr[j], m.jnt_dofadr[j]
            if kind == mujoco.mjtJoint.mjJNT_BALL:
                q += list(Rotation.from_quat(quat_from_wxyz(d.qpos[at : at + 4])).as_rotvec())
                qd += list(d.qvel[v : v + 3])
            elif kind != mujoco.mjtJoint.mjJNT_FREE:
                q.append(d.qpos[at])
                qd.append(d.qvel[v])
        if not self.floating:
            return TreeState(self.s.pos, self.s.quat, self.s.lin, self.s.ang, np.array(q), np.array(qd))
        quat = quat_from_wxyz(d.qpos[3:7])
        R = Rotation.from_quat(quat).as_matrix()
        ang = R @ d.qvel[3:6]
        lin = d.qvel[:3] + np.cross(ang, R @ self.com)
        return TreeState(d.qpos[:3].copy(), quat, lin, ang, np.array(q), np.array(qd))

    def velocity(self) -> np.ndarray:
        """v of the state, (n,)."""
        return np.concatenate([*([self.s.lin, self.s.ang] if self.floating else []), self.s.qd])

    def bodies(self) -> np.ndarray:
        """As `Batch.kinematics`: (links, 13)."""
        d, first = self.d, self.first
        v = self.velocity()
        j = self.jacobian(root=True) @ v
        quats = quat_from_wxyz(d.xquat[first:])
        return np.concatenate([d.xpos[first:], quats, j], axis=1)

    def jacobian(self, root: bool = False) -> np.ndarray:
        """As `Batch.jacobian`: (links or links - 1, 6, n); `root`: with the root of a fixed base."""
        out = []
        for i in range(0 if self.floating or root else 1, self.links):
            body = self.first + i
            jp, jr = np.zeros((3, self.n)), np.zeros((3, self.n))
            if body:
                mujoco.mj_jac(self.m, self.d, jp, jr, self.d.xipos[body], body)
            out.append(np.concatenate([jp, jr]) @ self.T)
        return np.array(out).reshape(-1, 6, self.n)

    def mass_matrix(self) -> np.ndarray:
        """(n, n), armature included."""
        full = np.zeros((self.n, self.n))
        mujoco.mj_fullM(self.m, self.d, full)
        return self.T.T @ full @ self.T

    def bias(self) -> np.ndarray:
        """Coriolis, centrifugal, gravity: (n,)."""
        full = np.zeros((self.n, self.n))
        mujoco.mj_fullM(self.m, self.d, full)
        return self.T.T @ (self.d.qfrc_bias + full @ self.Tdot_v)

    def acceleration(self, tau: np.ndarray) -> np.ndarray:
        """dv/dt under generalised force tau (n,)."""
        return np.linalg.solve(self.mass_matrix(), tau - self.bias())

    def momentum(self) -> np.ndarray:
        """Linear momentum [kg m/s]: (3,)."""
        return sum(link.mass * row[7:10] for link, row in zip(self.asset.links, self.bodies(), strict=True))


def displace(oracle: Oracle, s: TreeState, x: np.ndarray) -> TreeState:
    """q + x for a displacement x in v-space; a floating root turns about its com. Velocities are kept."""
    pos, quat = s.pos, s.quat
    x = np.asarray(x)
    if oracle.floating:
        turned = Rotation.from_rotvec(x[3:6]) * Rotation.from_quat(s.quat)
        com = s.pos + Rotation.from_quat(s.quat).apply(oracle.com) + x[:3]
        pos, quat = com - turned.apply(oracle.com), turned.as_quat()
        x = x[6:]
    q, k = s.q.copy(), 0
    for joint in oracle.asset.joints:
        if joint.kind is JointKind.BALL:
            q[k : k + 3] = (Rotation.from_rotvec(q[k : k + 3]) * Rotation.from_rotvec(x[k : k + 3])).as_rotvec()
        elif joint.kind is not JointKind.FIXED:
            q[k] += x[k]
        k += joint.kind.num_dofs
    return TreeState(pos, quat, s.lin, s.ang, q, s.qd)


def with_velocity(oracle: Oracle, s: TreeState, v: np.ndarray) -> TreeState:
    if oracle.floating:
        return TreeState(s.pos, s.quat, v[:3], v[3:6], s.q, v[6:])
    return TreeState(s.pos, s.quat, s.lin, s.ang, s.q, v)


def same_state(a: TreeState, b: TreeState) -> float:
    """Largest difference of two states; quaternions and rotation vectors as rotations are compared by the caller."""
    sign = np.sign(a.quat @ b.quat)
    parts = [a.pos - b.pos, a.quat - sign * b.quat, a.lin - b.lin, a.ang - b.ang, a.q - b.q, a.qd - b.qd]
    return float(max(np.abs(p).max(initial=0.0) for p in parts))
