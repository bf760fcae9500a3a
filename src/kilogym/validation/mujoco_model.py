"""A MuJoCo model of what Kilogym compiles: the same trees, joints, drives, shapes and pairs."""

from __future__ import annotations

import mujoco
import numpy as np

from kilogym.assets.asset import FLT_MAX
from kilogym.engine.model import (
    JOINT_BALL,
    JOINT_PRISMATIC,
    JOINT_REVOLUTE,
    SHAPE_BOX,
    SHAPE_CAPSULE,
    SHAPE_CYLINDER,
    SHAPE_ELLIPSOID,
    SHAPE_HULL,
    SHAPE_PARTS,
    SHAPE_SPHERE,
    EnvModel,
)
from kilogym.math.quaternion import quat_to_wxyz
from kilogym.validation.mujoco_inertia import set_inertia

Params = dict[str, np.ndarray]
"""Parameters of one env, each (count, components)."""

JOINTS = {
    JOINT_REVOLUTE: mujoco.mjtJoint.mjJNT_HINGE,
    JOINT_PRISMATIC: mujoco.mjtJoint.mjJNT_SLIDE,
    JOINT_BALL: mujoco.mjtJoint.mjJNT_BALL,
}
GEOMS = {
    SHAPE_SPHERE: mujoco.mjtGeom.mjGEOM_SPHERE,
    SHAPE_CAPSULE: mujoco.mjtGeom.mjGEOM_CAPSULE,
    SHAPE_BOX: mujoco.mjtGeom.mjGEOM_BOX,
    SHAPE_ELLIPSOID: mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    SHAPE_CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER,
}
POSITION, EFFORT = 1, 3  # DriveMode


class Layout:
    """Where the trees, joints and DOFs of an EnvModel are in MuJoCo's arrays. Link i is body i + 1."""

    def __init__(self, model: EnvModel, mode: np.ndarray) -> None:
        self.roots = [model.link_tree.index(tree) for tree in range(model.num_trees)]
        self.free: list[tuple[int, int] | None] = []  # of each tree: where qpos and qvel of its free joint start
        self.joints: list[tuple[int, int, int]] = []  # first DOF, where in qpos, number of DOFs
        dof_v: list[int] = []
        q = v = 0
        for link in range(model.num_links):
            if link in self.roots:
                floating = model.tree_floating[model.link_tree[link]]
                self.free.append((q, v) if floating else None)
                q, v = (q + 7, v + 6) if floating else (q, v)
            for kind, at in zip(model.joint_kind, model.joint_link, strict=True):
                if at != link:
                    continue
                width = 3 if kind == JOINT_BALL else 1
                self.joints.append((len(dof_v), q, width))
                dof_v += range(v, v + width)
                q, v = q + (4 if width == 3 else 1), v + width
        self.dof_v = np.array(dof_v, int)
        self.actuated = np.flatnonzero(mode == POSITION)
        self.effort = mode == EFFORT


def build(model: EnvModel, params: Params, dt: float) -> mujoco.MjModel:
    """One env as a MuJoCo model, `dt` the step [s] that elastic contacts are chosen for.

    Raises:
        NotImplementedError: velocity drives, limits or drives of ball joints, hulls.
    """
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    # a diverged env is to be seen, not to be reset in silence
    spec.option.disableflags = mujoco.mjtDisableBit.mjDSBL_AUTORESET
    bodies: list = []
    for link, parent in enumerate(model.link_parent):
        body = (spec.worldbody if parent < 0 else bodies[parent]).add_body(name=f"link{link}")
        if parent >= 0:
            body.pos, body.quat = params["link_pos"][link], quat_to_wxyz(params["link_quat"][link])
        elif model.tree_floating[model.link_tree[link]]:
            body.add_freejoint()
        set_inertia(body, params["link_mass"][link, 0], params["link_com"][link], params["link_inertia"][link])
        bodies.append(body)
    _joints(spec, model, params, bodies)
    _shapes(spec, model, params, bodies, (-(dt**-2), 0.0))
    return spec.compile()


def _joints(spec, model: EnvModel, params: Params, bodies: list) -> None:
    dof = 0
    for i, (kind, link) in enumerate(zip(model.joint_kind, model.joint_link, strict=True)):
        p = {name: float(params[f"dof_{name}"][dof, 0]) for name in (
            "lower", "upper", "effort", "stiffness", "damping", "friction", "armature", "spring_ref", "mode"
        )}  # fmt: skip
        joint = bodies[link].add_joint(
            name=f"joint{i}", type=JOINTS[kind], pos=params["joint_pos"][i], axis=params["joint_axis"][i],
            armature=p["armature"], frictionloss=p["friction"],
        )  # fmt: skip
        limited = p["lower"] > -FLT_MAX or p["upper"] < FLT_MAX
        driven = p["mode"] == POSITION and (p["stiffness"] or p["damping"])
        if p["mode"] == 2 or (kind == JOINT_BALL and (limited or driven)):
            raise NotImplementedError("MuJoCo beside it: velocity drives, and limits or drives of ball joints")
        if limited:
            joint.limited, joint.range = True, (max(p["lower"], -1e10), min(p["upper"], 1e10))
        if p["mode"] == POSITION:
            spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
            motor = spec.add_actuator(name=f"drive{i}", target=f"joint{i}", trntype=mujoco.mjtTrn.mjTRN_JOINT)
            motor.set_to_position(kp=p["stiffness"], kv=p["damping"])
            if p["effort"] < 1e9:
                motor.forcelimited, motor.forcerange = True, (-p["effort"], p["effort"])
        elif p["stiffness"] or p["damping"]:
            joint.stiffness[0], joint.damping[0], joint.springref = p["stiffness"], p["damping"], p["spring_ref"]
        dof += 3 if kind == JOINT_BALL else 1


def _shapes(spec, model: EnvModel, params: Params, bodies: list, elastic: tuple[float, float]) -> None:
    """Shapes that collide in the pairs that Kilogym tests, and in no others; `elastic` is solref where they bounce."""

    def pair(one: str, two: str, friction: float, restitution: float) -> None:
        made = spec.add_pair(geomname1=one, geomname2=two)
        made.condim = 3 if friction > 0 else 1
        made.friction = [max(friction, 1e-5)] * 2 + [0.005, 0.0001, 0.0001]
        if restitution:
            made.solref = elastic

    friction, restitution = params["shape_friction"][:, 0], params["shape_restitution"][:, 0]
    for i, (kind, link) in enumerate(zip(model.shape_kind, model.shape_link, strict=True)):
        if kind in (SHAPE_HULL, SHAPE_PARTS):
            raise NotImplementedError("MuJoCo beside it: hulls of meshes")
        bodies[link].add_geom(
            name=f"shape{i}", type=GEOMS[kind], size=params["shape_size"][i], pos=params["shape_pos"][i],
            quat=quat_to_wxyz(params["shape_quat"][i]), contype=0, conaffinity=0,
        )  # fmt: skip
    for a, b in model.pairs:
        pair(f"shape{a}", f"shape{b}", (friction[a] + friction[b]) / 2, max(restitution[a], restitution[b]))
    if any(model.shape_ground):
        normal = params["ground_normal"][0]
        turn = np.empty(4)
        mujoco.mju_quatZ2Vec(turn, normal)
        spec.worldbody.add_geom(
            name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0, 0, 1), contype=0, conaffinity=0,
            pos=normal * params["ground_distance"][0], quat=turn,
        )  # fmt: skip
        for i in range(model.num_shapes):
            if not model.shape_ground[i]:
                continue
            mu = (friction[i] + params["ground_friction"][0, 0]) / 2
            pair("ground", f"shape{i}", mu, max(restitution[i], params["ground_restitution"][0, 0]))
