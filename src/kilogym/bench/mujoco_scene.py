"""Assets as a MuJoCo model: the same bodies, joints, shapes and terrain that Kilogym simulates, and motors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import mujoco
import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, BodyOptions, DriveMode, Joint, JointKind, Shape, ShapeKind
from kilogym.bench.scene import Actor, Scene, Vary, configure, start_pose
from kilogym.engine.hulls import convex_hull
from kilogym.math.quaternion import quat_to_wxyz
from kilogym.scene.terrain import HeightField
from kilogym.validation.mujoco_inertia import set_inertia

JOINTS = {JointKind.REVOLUTE: mujoco.mjtJoint.mjJNT_HINGE, JointKind.PRISMATIC: mujoco.mjtJoint.mjJNT_SLIDE}
GEOMS = {
    ShapeKind.SPHERE: mujoco.mjtGeom.mjGEOM_SPHERE,
    ShapeKind.CAPSULE: mujoco.mjtGeom.mjGEOM_CAPSULE,
    ShapeKind.CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER,
    ShapeKind.BOX: mujoco.mjtGeom.mjGEOM_BOX,
    ShapeKind.ELLIPSOID: mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    ShapeKind.MESH: mujoco.mjtGeom.mjGEOM_MESH,
}
FRICTION = 1.0
"""Of everything: the engines combine two coefficients in different ways, and equal ones alike."""


def plain(asset: Asset, weightless: bool = False) -> Asset:
    """The asset with only what both engines do alike: DOFs driven by torques, without speed and effort limits, one
    coefficient of friction, nothing to draw. `weightless`: gravity does not pull on it.

    Raises:
        NotImplementedError: It has tendons, closures or ball joints, which have no counterpart here.
    """
    if asset.tendons or asset.closures or any(joint.kind is JointKind.BALL for joint in asset.joints):
        raise NotImplementedError(f"{asset.name}: tendons, closures and ball joints have no counterpart in MuJoCo here")
    return replace(
        asset,
        joints=tuple(
            replace(joint, velocity=FLT_MAX, effort=FLT_MAX, stiffness=0.0, drive_mode=DriveMode.EFFORT)
            for joint in asset.joints
        ),
        shapes=tuple(replace(s, friction=FRICTION, contype=1, conaffinity=1) for s in asset.shapes),
        visuals=(), actuators=(), sensors=(),
        options=BodyOptions(disable_gravity=weightless, angular_damping=0.0, max_angular_velocity=1000.0),
    )  # fmt: skip


def build_scene(
    name: str,
    actors: Sequence[Actor],
    motors: Mapping[str, float],
    timestep: float,
    terrain: HeightField | None = None,
    vary: Vary | None = None,
    pose: Mapping[str, float] | None = None,
    max_contacts: int = 0,
) -> Scene:
    """Put actors together.

    Args:
        name: Of the scene.
        actors: Of `plain` assets, with prefixes that keep their joints' names apart.
        motors: Joint (prefix and name) -> torque or force of a control of 1 [N m or N].
        timestep: [s].
        terrain: Instead of the plane z = 0.
        vary, max_contacts: See `Scene`.
        pose: Joint -> its position at the start; others are at zero, or at the limit next to it.
    """
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    if terrain is None:
        spec.worldbody.add_geom(name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
    else:
        _add_terrain(spec, terrain)
    for actor in actors:
        _add_actor(spec, actor)
    for joint, torque in motors.items():
        motor = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_motor()
        motor.gear[0] = torque
    model = spec.compile()
    configure(model, timestep)
    start = start_pose(model)
    for joint, position in (pose or {}).items():
        start[model.joint(joint).qposadr[0]] = position
    return Scene(name, tuple(actors), model, spec.to_xml(), start, terrain, max_contacts, vary)


def without_overlaps(scene: Scene) -> list[Actor]:
    """The scene's actors, with pairs of their links excluded that overlap at the start: drawn into each other."""
    data = mujoco.MjData(scene.model)
    data.qpos[:] = scene.start
    mujoco.mj_forward(scene.model, data)
    touching = {
        tuple(sorted(scene.model.body(scene.model.geom_bodyid[geom]).name for geom in contact.geom))
        for contact in data.contact
        if contact.dist < 0
    }
    out = []
    for actor in scene.actors:
        number = {actor.prefix + link.name: i for i, link in enumerate(actor.asset.links)}
        pairs = {(number[a], number[b]) for a, b in touching if a in number and b in number}
        every = sorted({(min(p), max(p)) for p in {*pairs, *actor.asset.excluded_pairs}})
        out.append(replace(actor, asset=replace(actor.asset, excluded_pairs=tuple(every))))
    return out


def _add_actor(spec: mujoco.MjSpec, actor: Actor) -> None:
    asset = actor.asset
    bodies: list = []
    for i, link in enumerate(asset.links):
        parent = spec.worldbody if i == 0 else bodies[link.parent]
        pos, quat = (actor.pos, actor.quat) if i == 0 else (link.pos, link.quat)
        body = parent.add_body(name=actor.prefix + link.name, pos=pos, quat=quat_to_wxyz(quat))
        if i == 0 and not asset.fixed_base:
            body.add_freejoint(name=f"{actor.prefix}{link.name}_free")
        body.gravcomp = float(asset.options.disable_gravity)
        set_inertia(body, link.mass, link.com, link.inertia)
        bodies.append(body)
    for joint in asset.joints:
        if joint.kind is not JointKind.FIXED:
            _add_joint(bodies[joint.link], actor.prefix, joint)
    for number, shape in enumerate(asset.shapes):
        _add_shape(spec, bodies[shape.link], actor, shape, number)
    joined = {(link.parent, i) for i, link in enumerate(asset.links) if i > 0}  # MuJoCo lets welded bases collide
    for a, b in sorted(joined | set(asset.excluded_pairs)) if actor.self_collisions else ():
        spec.add_exclude(bodyname1=bodies[a].name, bodyname2=bodies[b].name)
    for held in asset.joint_equalities():
        made = spec.add_equality(name=f"{actor.prefix}{held.name}_follows", type=mujoco.mjtEq.mjEQ_JOINT)
        made.objtype = mujoco.mjtObj.mjOBJ_JOINT
        made.name1, made.name2 = actor.prefix + held.joint, actor.prefix + held.leader if held.leader else ""
        made.data[:5] = held.coefficients


def _add_joint(body, prefix: str, joint: Joint) -> None:
    made = body.add_joint(
        name=prefix + joint.name, type=JOINTS[joint.kind], pos=joint.pos, axis=joint.axis,
        armature=joint.armature, frictionloss=joint.friction,
    )  # fmt: skip
    made.damping[0] = joint.damping
    if joint.has_limits:
        made.limited, made.range = True, (joint.lower, joint.upper)


def _add_shape(spec: mujoco.MjSpec, body, actor: Actor, shape: Shape, number: int) -> None:
    """Bit 1: collides with what is not of its own actor; the plane and terrain have it as type and affinity."""
    geom = body.add_geom(
        name=f"{actor.prefix}{shape.name or 'shape'}_{number}", type=GEOMS[shape.kind], pos=shape.pos,
        quat=quat_to_wxyz(shape.quat), contype=int(actor.self_collisions), conaffinity=1,
        friction=(FRICTION, 0.005, 0.0001), condim=3,
    )  # fmt: skip
    if shape.kind is not ShapeKind.MESH:
        geom.size = shape.size
        return
    if shape.mesh is None:
        raise ValueError(f"{actor.asset.name}: shape {number} is a mesh without triangles")
    hull = convex_hull(shape.mesh.vertices)  # the one that Kilogym collides with
    name = f"{actor.prefix}hull_{number}"
    mesh = spec.add_mesh(name=name)
    mesh.uservert = (hull.vertices + hull.centre).reshape(-1).tolist()
    geom.meshname = name


def _add_terrain(spec: mujoco.MjSpec, field: HeightField) -> None:
    nx, ny = field.heights.shape
    low, rise = float(field.heights.min()), float(np.ptp(field.heights))
    half = (nx - 1) * field.pitch[0] / 2, (ny - 1) * field.pitch[1] / 2
    spec.add_hfield(
        name="terrain", size=[*half, rise, 1.0], nrow=ny, ncol=nx,
        userdata=((field.heights.T - low) / rise).reshape(-1).tolist(),
    )  # fmt: skip
    pos = (field.pos[0] + half[0], field.pos[1] + half[1], field.pos[2] + low)
    spec.worldbody.add_geom(name="terrain", type=mujoco.mjtGeom.mjGEOM_HFIELD, hfieldname="terrain", pos=pos)
