"""The engine and MuJoCo (float64) side by side on the same models.

`World` puts assets, one tree each, into one env of a `Batch`, every env another state. `Oracle` is one asset in
MuJoCo, spoken to in the engine's conventions:

- quaternions xyzw; a root's linear velocity is that of its link's centre of mass, both velocities in world axes;
- v-space of a tree: root (3 linear, 3 angular; floating only), then DOFs; a ball joint's three positions are its
  rotation vector, its velocities those of the child's axes.

With v the engine's and u MuJoCo's velocity (free joint: velocity of the frame's origin, angular velocity in body
axes), u = T v and du/dt = T dv/dt + (-w x (w x Rc), 0); so M = T' M_mj T and bias = T' (bias_mj + M_mj dT/dt v).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from kilogym.assets.asset import FLT_MAX, Asset, BodyOptions, Joint, JointKind, Link
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.engine.model import INPUT, STATE
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene

ROOT = Path(__file__).parents[2]
ANT = ROOT / "src/kilogym/tasks/ant/ant.xml"
HUMANOID = ROOT / "src/kilogym/tasks/humanoid/humanoid.xml"
CARTPOLE = ROOT / "src/kilogym/tasks/cartpole/cartpole.urdf"
ARM7 = ROOT / "examples/arm7.urdf"

FREE = BodyOptions(angular_damping=0.0, max_linear_velocity=FLT_MAX, max_angular_velocity=FLT_MAX)
"""No damping and no speed limit: what an exact comparison needs."""

_KINDS = {
    JointKind.REVOLUTE: mujoco.mjtJoint.mjJNT_HINGE,
    JointKind.PRISMATIC: mujoco.mjtJoint.mjJNT_SLIDE,
    JointKind.BALL: mujoco.mjtJoint.mjJNT_BALL,
}


# assets ----------------------------------------------------------------------------------------------------------


def load(path: Path, **options) -> Asset:
    """An asset from a file, with `BodyOptions` FREE."""
    return dataclasses.replace(load_asset(path.parent, path.name, ImportOptions(**options)), options=FREE)


def load_text(text: str, folder: Path, name: str = "model.xml", **options) -> Asset:
    """An asset from MJCF or URDF text."""
    (folder / name).write_text(text)
    return load(folder / name, **options)


def bare(asset: Asset) -> Asset:
    """The inertial tree alone: no shapes, limits, drives, springs, friction. Armature stays."""
    joints = tuple(
        Joint(j.name, j.kind, j.link, j.pos, j.axis, armature=j.armature, spring_ref=0.0) for j in asset.joints
    )
    return dataclasses.replace(asset, shapes=(), visuals=(), joints=joints, sensors=(), actuators=(), tendons=())


def random_inertia(rng: np.random.Generator, mass: float) -> tuple[float, ...]:
    """Inertia of a random mass distribution: positive definite and obeying the triangle inequality."""
    second = (a := rng.normal(size=(3, 3)) * 0.1) @ a.T + 1e-3 * np.eye(3)  # second moments per mass
    i = mass * (np.trace(second) * np.eye(3) - second)
    return (i[0, 0], i[1, 1], i[2, 2], i[0, 1], i[0, 2], i[1, 2])


def random_tree(
    rng: np.random.Generator, links: int, fixed: bool, scale: float = 1.0, shape: np.random.Generator | None = None
) -> Asset:
    """A random tree. `shape` draws its topology (parents, joint kinds), `rng` every number."""
    shape = shape if shape is not None else rng
    made, joints = [], []
    path: list[int] = []  # from the root to the last link: a parent among them keeps the order depth first
    for i in range(links):
        if i:
            del path[int(shape.integers(max(1, len(path) - 2), len(path) + 1)) :]
        mass = float(np.exp(rng.normal()))
        made.append(
            Link(
                f"link{i}", path[-1] if i else -1,
                tuple(rng.normal(size=3) * 0.3 * scale), tuple(random_quat(rng)), mass,
                tuple(rng.normal(size=3) * 0.1 * scale), random_inertia(rng, mass),
            )
        )  # fmt: skip
        path.append(i)
        count = int(shape.choice([0, 1, 1, 1, 2])) if i else 0
        for k in range(count):
            kind = shape.choice([JointKind.REVOLUTE, JointKind.REVOLUTE, JointKind.PRISMATIC, JointKind.BALL])
            if k + 1 < count and kind is JointKind.BALL:
                kind = JointKind.REVOLUTE  # MuJoCo knows no rotation after a ball joint
            axis = rng.normal(size=3)
            joints.append(
                Joint(
                    f"joint{i}_{k}", kind, i, tuple(rng.normal(size=3) * 0.1 * scale),
                    tuple(axis / np.linalg.norm(axis)), armature=float(rng.uniform(0, 0.1)),
                )
            )  # fmt: skip
    return Asset(f"tree{links}", tuple(made), tuple(joints), fixed_base=fixed, options=FREE)


def random_quat(rng: np.random.Generator) -> np.ndarray:
    q = rng.normal(size=4)
    return q / np.linalg.norm(q)


# the engine ------------------------------------------------------------------------------------------------------


class World:
    """One batch whose env holds each asset once; `num_envs` states of them.

    With `filter` 1 nothing collides but with the ground, with 0 everything does.

    Masses and DOF data keep double precision (property records are float32).
    """

    def __init__(
        self, assets: list[Asset], num_envs: int, device: str, precision: str = "float32",
        ground: GroundPlane | None = None, max_contacts: int = 0, filter: int = 1, **options,
    ) -> None:  # fmt: skip
        scene = Scene()
        scene.create_env((0, 0, 0), (0, 0, 0), 1)
        if ground is not None:
            scene.add_ground(ground)
        for asset in assets:
            scene.create_actor(0, asset, filter=filter, rest_offset=0.0)
        (plan,) = compile_scene(scene, max_contacts)
        self.assets = assets
        self.model = plan.model
        links = [link for asset in assets for link in asset.links]
        p = self.model.params
        p["link_mass"] = np.array([link.mass for link in links])
        p["link_com"] = np.array([link.com for link in links])
        p["link_inertia"] = np.array([link.inertia for link in links])
        p["dof_armature"] = np.array([j.armature for asset in assets for j in asset.dof_joints()])
        self.batch = Batch(self.model, num_envs, device, EngineOptions(precision=precision, **options))
        self.batch.control.dt, self.batch.control.substeps = 1 / 120, 1
        self.num_envs, self.device = num_envs, device
        self.real = torch.float64 if precision == "float64" else torch.float32

    def put(self, table: dict[str, torch.Tensor], name: str, values: np.ndarray) -> None:
        """values: (num_envs, rows)."""
        table[name][: values.shape[1]].copy_(torch.from_numpy(np.ascontiguousarray(values.T)))

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        """STATE name -> (num_envs, rows); marks everything as written."""
        for name, values in state.items():
            self.put(self.batch.state, name, values)
        self.forget()

    def set_input(self, **values: np.ndarray) -> None:
        """INPUT name -> (num_envs, rows)."""
        for name, v in values.items():
            assert name in INPUT
            self.put(self.batch.input, name, v)

    def forget(self) -> None:
        """What a setter of the simulation does after writing states."""
        ones = torch.ones(self.model.num_trees, self.num_envs, dtype=torch.int32, device=self.device)
        self.batch.clear_warm_start(ones)
        self.batch.fault.zero_()

    def state(self) -> dict[str, np.ndarray]:
        """STATE name -> (num_envs, rows), float64."""
        return {name: self.batch.state[name].double().cpu().numpy().T.copy() for name in STATE}

    def output(self, name: str) -> np.ndarray:
        return self.batch.output[name].double().cpu().numpy().T.copy()

    def tree_dofs(self, tree: int) -> slice:
        first = sum(asset.num_dofs for asset in self.assets[:tree])
        return slice(first, first + self.assets[tree].num_dofs)

    def tree_v(self, tree: int) -> slice:
        t = self.batch.topology
        return slice(t.tree_v0[tree], t.tree_v0[tree] + t.tree_vs[tree])

    def tree_links(self, tree: int) -> slice:
        t = self.batch.topology
        return slice(t.tree_link0[tree], t.tree_link0[tree] + t.tree_links[tree])

    def tree_state(self, tree: int, env: int, state: dict[str, np.ndarray] | None = None) -> TreeState:
        """What the batch holds (or `state`), of one tree in one env."""
        s, d = state or self.state(), self.tree_dofs(tree)
        return TreeState(
            s["root_pos"][env, 3 * tree : 3 * tree + 3], s["root_quat"][env, 4 * tree : 4 * tree + 4],
            s["root_lin_vel"][env, 3 * tree : 3 * tree + 3], s["root_ang_vel"][env, 3 * tree : 3 * tree + 3],
            s["dof_pos"][env, d], s["dof_vel"][env, d],
        )  # fmt: skip

    def velocity(self, tree: int, state: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """v-space velocity of a tree: (num_envs, n)."""
        s, d = state or self.state(), self.tree_dofs(tree)
        root = [s["root_lin_vel"][:, 3 * tree : 3 * tree + 3], s["root_ang_vel"][:, 3 * tree : 3 * tree + 3]]
        return np.concatenate([*([] if self.assets[tree].fixed_base else root), s["dof_vel"][:, d]], axis=1)

    def random_state(self, seed: int, spread: float = 0.5, speed: float = 2.0) -> dict[str, np.ndarray]:
        """q ~ N(0, spread), v ~ N(0, speed), rounded to the batch's precision; roots anywhere, fixed ones too."""
        rng = np.random.default_rng(seed)
        n, trees = self.num_envs, self.model.num_trees
        quat = rng.normal(size=(n, trees, 4))
        quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
        state = {
            "root_pos": rng.normal(size=(n, 3 * trees)) * spread,
            "root_quat": quat.reshape(n, -1),
            "root_lin_vel": rng.normal(size=(n, 3 * trees)) * speed,
            "root_ang_vel": rng.normal(size=(n, 3 * trees)) * speed,
            "dof_pos": rng.normal(size=(n, max(1, self.model.num_dofs))) * spread,
            "dof_vel": rng.normal(size=(n, max(1, self.model.num_dofs))) * speed,
        }
        return {k: torch.from_numpy(v).to(self.real).double().numpy() for k, v in state.items()}

    def query(self, name: str, *shape: int, tree: int | None = None) -> np.ndarray:
        """Result of kinematics, jacobian, mass_matrix or bias, float64 (num_envs, *shape)."""
        out = torch.full((self.num_envs, *shape), torch.nan, dtype=self.real, device=self.device)
        getattr(self.batch, name)(*([] if tree is None else [tree]), out)
        return out.double().cpu().numpy()


@dataclasses.dataclass
class TreeState:
    """State of one tree in the engine's conventions, float64."""

    pos: np.ndarray
    quat: np.ndarray
    lin: np.ndarray
    ang: np.ndarray
    q: np.ndarray
    qd: np.ndarray


# MuJoCo ----------------------------------------------------------------------------------------------------------


def to_mujoco(asset: Asset) -> mujoco.MjModel:
    """The inertial tree of an asset as a MuJoCo model; body i + 1 is link i."""
    spec = mujoco.MjSpec()
    bodies = []
    for i, link in enumerate(asset.links):
        parent = spec.worldbody if i == 0 else bodies[link.parent]
        body = parent.add_body(name=f"link{i}")
        if i:
            body.pos, body.quat = link.pos, wxyz(link.quat)
        xx, yy, zz, xy, xz, yz = link.inertia
        moments, axes = np.linalg.eigh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        axes[:, 2] *= np.sign(np.linalg.det(axes))
        body.explicitinertial = True
        body.mass, body.ipos, body.inertia = link.mass, link.com, moments
        body.iquat = wxyz(Rotation.from_matrix(axes).as_quat())
        bodies.append(body)
        if i == 0 and not asset.fixed_base:
            body.add_freejoint()
    for joint in asset.joints:
        if joint.kind is not JointKind.FIXED:
            bodies[joint.link].add_joint(
                type=_KINDS[joint.kind], pos=joint.pos, axis=joint.axis, armature=joint.armature
            )
    return spec.compile()


def wxyz(q: np.ndarray) -> np.ndarray:
    return np.asarray(q, np.float64)[[3, 0, 1, 2]]


def xyzw(q: np.ndarray) -> np.ndarray:
    return np.asarray(q, np.float64)[[1, 2, 3, 0]]


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
            d.qpos[:7] = [*s.pos, *wxyz(s.quat)]
            d.qvel[:3] = s.lin - np.cross(s.ang, arm)
            d.qvel[3:6] = self.R.T @ s.ang
            self.T = np.eye(self.n)
            self.T[:3, 3:6] = skew(arm)
            self.T[3:6, 3:6] = self.R.T
            self.Tdot_v = np.zeros(self.n)
            self.Tdot_v[:3] = -np.cross(s.ang, np.cross(s.ang, arm))
        else:
            if self.first == 1:
                m.body_pos[1], m.body_quat[1] = s.pos, wxyz(s.quat)
            self.T, self.Tdot_v = np.eye(self.n), np.zeros(self.n)
        k = 0
        for j in range(m.njnt):
            kind, at, v = m.jnt_type[j], m.jnt_qposadr[j], m.jnt_dofadr[j]
            if kind == mujoco.mjtJoint.mjJNT_FREE:
                continue
            if kind == mujoco.mjtJoint.mjJNT_BALL:
                d.qpos[at : at + 4] = wxyz(Rotation.from_rotvec(s.q[k : k + 3]).as_quat())
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
                q += list(Rotation.from_quat(xyzw(d.qpos[at : at + 4])).as_rotvec())
                qd += list(d.qvel[v : v + 3])
            elif kind != mujoco.mjtJoint.mjJNT_FREE:
                q.append(d.qpos[at])
                qd.append(d.qvel[v])
        if not self.floating:
            return TreeState(self.s.pos, self.s.quat, self.s.lin, self.s.ang, np.array(q), np.array(qd))
        quat = xyzw(d.qpos[3:7])
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
        quats = np.array([xyzw(q) for q in d.xquat[first:]])
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


# the documented scheme, in float64 -------------------------------------------------------------------------------


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


def is_double(world: World) -> bool:
    """Whether a world computes in float64."""
    return world.batch.options.precision == "float64"
