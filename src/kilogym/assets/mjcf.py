"""MJCF files -> Asset: sanitised here, compiled by MuJoCo (the reference for its own format), read back.

Bodies come depth first in document order. A free joint makes a floating base and no DOFs; without one the
root is welded to its actor's pose. A root that moves on joints of its own (a cart on a rail) hangs on an
extra first link, `world`, that is welded instead.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, DriveMode, Joint, JointKind, Mesh, Shape, ShapeKind, Visual
from kilogym.assets.convex import convex_parts
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.distance_field import DEFAULT_RESOLUTION, distance_field
from kilogym.assets.inertia import MassProperties
from kilogym.assets.mjcf_couplings import read_closures, read_joint_equalities
from kilogym.assets.mjcf_drives import Drives, read_drives, read_tendons
from kilogym.assets.mjcf_sanitize import Sanitized, explain, sanitize
from kilogym.assets.options import ImportOptions
from kilogym.assets.tree import TINY_INERTIA, TINY_MASS, Body, assemble, tuple3, tuple4
from kilogym.math.quaternion import (
    IDENTITY,
    quat_from_axis_angle,
    quat_from_wxyz,
    quat_rotate,
    quat_to_matrix,
    transform_compose,
    transform_inverse,
    transform_point,
)

BASE_LINK = "world"
"""Name of the extra first link under a root that moves on joints of its own."""

_SHAPES = {
    mujoco.mjtGeom.mjGEOM_SPHERE: ShapeKind.SPHERE,
    mujoco.mjtGeom.mjGEOM_CAPSULE: ShapeKind.CAPSULE,
    mujoco.mjtGeom.mjGEOM_CYLINDER: ShapeKind.CYLINDER,
    mujoco.mjtGeom.mjGEOM_BOX: ShapeKind.BOX,
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: ShapeKind.ELLIPSOID,
    mujoco.mjtGeom.mjGEOM_MESH: ShapeKind.MESH,
}
_JOINTS = {
    mujoco.mjtJoint.mjJNT_HINGE: JointKind.REVOLUTE,
    mujoco.mjtJoint.mjJNT_SLIDE: JointKind.PRISMATIC,
    mujoco.mjtJoint.mjJNT_BALL: JointKind.BALL,
}
_UNDECIDED = (0.5, 0.5, 0.5, 1.0)  # MuJoCo's rgba of geoms whose file gives none


@dataclass
class _Model:
    """A compiled model with what its readers need beside it."""

    m: mujoco.MjModel
    options: ImportOptions
    diagnostics: Diagnostics
    file: str
    drives: Drives
    meshes: dict[int, Mesh]
    fields: dict[str, str]  # geoms that ask for a signed distance field, by the name they were given -> their own


def load_mjcf(path: Path, options: ImportOptions | None = None) -> Asset:
    """Read an MJCF file.

    Raises:
        AssetError: The file is missing, broken or says what cannot be.
        NotImplementedError: It asks for what Kilogym does not do yet.
    """
    options = options or ImportOptions()
    diagnostics = Diagnostics()
    clean = sanitize(path, options, diagnostics)
    m, fields = _compile(clean, path, diagnostics)
    drives = read_drives(m, clean, diagnostics)
    model = _Model(m, options, diagnostics, str(path), drives, {}, fields)
    bodies = [Body(BASE_LINK), *(_read_body(model, i) for i in range(1, m.nbody))]
    for i in range(2, m.nbody):
        bodies[m.body_parentid[i]].children.append(bodies[i])
    for i in range(m.ngeom):
        _read_geom(model, i, bodies[m.geom_bodyid[i]])
    for i in range(m.nsite):
        pose = (m.site_pos[i].copy(), quat_from_wxyz(m.site_quat[i]))
        bodies[m.site_bodyid[i]].sites[m.site(i).name or f"site_{i}"] = pose

    floating = any(m.jnt_type[j] == mujoco.mjtJoint.mjJNT_FREE for j in range(m.njnt))
    root = bodies[1]
    if root.joints and any(joint.kind is not JointKind.FIXED for joint in root.joints):
        bodies[0].children.append(root)
        root = bodies[0]
    else:
        root.joints = []
    closures = read_closures(m, bodies, root, floating and not options.fix_base_link, diagnostics, str(path))
    excluded = [(bodies[int(s) >> 16].name, bodies[int(s) & 0xFFFF].name) for s in m.exclude_signature]
    return assemble(
        clean.root.attributes.get("model") or path.stem,
        root,
        options,
        fixed_base=bool(options.fix_base_link) or not floating,
        source=str(path),
        actuators=drives.actuators,
        tendons=read_tendons(m, drives.joint_names, float(options.tendon_limit_stiffness)),
        equalities=read_joint_equalities(m, drives.joint_names, diagnostics, str(path)),
        closures=closures,
        excluded_names=excluded,
        diagnostics=diagnostics,
        extra={"format": "mjcf"},
    )


def _compile(clean: Sanitized, path: Path, diagnostics: Diagnostics) -> tuple[mujoco.MjModel, dict[str, str]]:
    """Compile, with a second and third try for what Isaac Gym let pass; and geoms that ask for a field."""
    bounds: dict[str, float | bool] = {}
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MuJoCo's words on singular inertia; ours are in tree.py
                spec = mujoco.MjSpec.from_string(clean.xml)
                for name, mesh in clean.meshes.items():
                    spec.mesh(name).uservert = mesh.vertices.reshape(-1).tolist()
                    spec.mesh(name).userface = mesh.triangles.reshape(-1).tolist()
                fields = _delete_unbounded(spec, clean, path, diagnostics)
                for key, value in bounds.items():
                    setattr(spec.compiler, key, value)
                return spec.compile(), fields
        except Exception as error:  # ValueError, mujoco.FatalError, and whatever a binding raises
            text = str(error)
            if "mjMINVAL" in text and "boundmass" not in bounds:
                bounds |= {"boundmass": TINY_MASS, "boundinertia": TINY_INERTIA}
                diagnostics.note(f"a moving body has no mass: bodies get at least {TINY_MASS:g} kg", str(path))
            elif "balanceinertia" in text and "balanceinertia" not in bounds:
                bounds["balanceinertia"] = True
                diagnostics.note("an inertia breaks A + B >= C: it is replaced by its mean", str(path))
            else:
                raise explain(error, clean, path) from None


def _delete_unbounded(spec: mujoco.MjSpec, clean: Sanitized, path: Path, diagnostics: Diagnostics) -> dict[str, str]:
    """Planes and height fields cannot move with a robot. Geoms of type sdf become meshes; what has no name gets one.

    Returns:
        Those names -> the geoms' own.
    """
    kinds = {
        mujoco.mjtGeom.mjGEOM_PLANE: ("plane", "bodies cannot carry one"),
        mujoco.mjtGeom.mjGEOM_HFIELD: ("hfield", "bodies cannot carry one"),
        mujoco.mjtGeom.mjGEOM_SDF: ("sdf", "it has no mesh, and shapes of plugins are not known here"),
    }
    fields: dict[str, str] = {}
    for geom in list(spec.geoms):
        if geom.type == mujoco.mjtGeom.mjGEOM_SDF and geom.meshname:
            own = geom.name
            geom.name = own or f"kilogym sdf {len(fields)}"
            geom.type = mujoco.mjtGeom.mjGEOM_MESH
            fields[geom.name] = own
        elif geom.type in kinds:
            name, why = kinds[geom.type]
            diagnostics.note(f"a geom of type {name} is ignored: {why}", str(path))
            spec.delete(geom)
    return fields


def _read_body(model: _Model, i: int) -> Body:
    m = model.m
    rot = quat_to_matrix(quat_from_wxyz(m.body_iquat[i]))
    mass = MassProperties(
        float(m.body_mass[i]), m.body_ipos[i].astype(np.float64), rot @ np.diag(m.body_inertia[i]) @ rot.T
    )
    body = Body(m.body(i).name or f"body_{i}", mass, m.body_pos[i].copy(), quat_from_wxyz(m.body_quat[i]))
    first, count = int(m.body_jntadr[i]), int(m.body_jntnum[i])
    refs = []
    for j in range(first, first + count):
        if m.jnt_type[j] != mujoco.mjtJoint.mjJNT_FREE:
            body.joints.append(_read_joint(model, j))
            refs.append(float(m.qpos0[m.jnt_qposadr[j]]) if m.jnt_type[j] != mujoco.mjtJoint.mjJNT_BALL else 0.0)
    if any(refs):
        _undo_ref(body, refs)
    if not body.joints:
        body.joints.append(Joint(name=body.name, kind=JointKind.FIXED, link=0))
    return body


def _undo_ref(body: Body, refs: list[float]) -> None:
    """Move the body to where its joints read zero; the file gives its pose where they read `ref`.

    With T_i(q) the motion of joint i about its anchor and axis, MuJoCo's pose is X T_1(q1 - r1) T_2(q2 - r2)
    ..., and T_1(q1) T_2(-r2) = T_2(-r2) T_1'(q1), where joint 1' has its anchor and axis moved by T_2(-r2)⁻¹.
    So all T_i(-r_i) go into X, and every joint is carried through those of the joints after it.
    """
    after = (np.zeros(3), np.array(IDENTITY))
    for k in reversed(range(len(refs))):
        joint = body.joints[k]
        back = transform_inverse(after)
        moved = (transform_point(back, joint.pos), quat_rotate(back[1], joint.axis))
        body.joints[k] = Joint(**{**vars(joint), "pos": tuple3(moved[0]), "axis": tuple3(moved[1])})
        axis, anchor = np.array(joint.axis), np.array(joint.pos)
        if joint.kind is JointKind.PRISMATIC:
            motion = (-refs[k] * axis, np.array(IDENTITY))
        else:
            quat = quat_from_axis_angle(axis, -refs[k])
            motion = (anchor - quat_rotate(quat, anchor), quat)
        after = transform_compose(motion, after)
    body.pos, body.quat = transform_compose((body.pos, body.quat), after)


def _read_joint(model: _Model, j: int) -> Joint:
    m, options = model.m, model.options
    kind = _JOINTS[mujoco.mjtJoint(int(m.jnt_type[j]))]
    name, dof, qpos = model.drives.joint_names[j], int(m.jnt_dofadr[j]), int(m.jnt_qposadr[j])
    limited = bool(m.jnt_limited[j])
    if limited and kind is JointKind.BALL:
        model.diagnostics.note("the range of a ball joint is not enforced", model.file)
        limited = False
    drive = model.drives.by_joint.get(name)
    effort = drive.effort if drive else FLT_MAX
    if m.jnt_actfrclimited[j]:
        effort = min(effort, float(np.abs(m.jnt_actfrcrange[j]).max()))
    return Joint(
        name=name,
        kind=kind,
        link=0,
        pos=tuple3(m.jnt_pos[j]),
        axis=tuple3(m.jnt_axis[j]),
        has_limits=limited,
        lower=float(m.jnt_range[j, 0]) if limited else -FLT_MAX,
        upper=float(m.jnt_range[j, 1]) if limited else FLT_MAX,
        effort=effort,
        stiffness=drive.kp if drive and drive.mode is DriveMode.POSITION else float(m.jnt_stiffness[j]),
        damping=float(m.dof_damping[dof]) + (drive.kv if drive else 0.0),
        friction=float(m.dof_frictionloss[dof]),
        armature=float(m.dof_armature[dof]) or float(options.armature),
        spring_ref=0.0 if kind is JointKind.BALL else float(m.qpos_spring[qpos]),
        drive_mode=drive.mode if drive else options.default_dof_drive_mode,
    )


def _read_geom(model: _Model, i: int, body: Body) -> None:
    m = model.m
    kind = _SHAPES[mujoco.mjtGeom(int(m.geom_type[i]))]
    size = tuple3(m.geom_size[i]) if kind is not ShapeKind.MESH else (1.0, 1.0, 1.0)
    keep = {ShapeKind.SPHERE: 1, ShapeKind.CAPSULE: 2, ShapeKind.CYLINDER: 2}.get(kind, 3)
    size = tuple3([*size[:keep], 0.0, 0.0])
    mesh = _mesh(model, int(m.geom_dataid[i])) if kind is ShapeKind.MESH else None
    pos, quat = tuple3(m.geom_pos[i]), tuple4(quat_from_wxyz(m.geom_quat[i]))
    contype, conaffinity = int(m.geom_contype[i]), int(m.geom_conaffinity[i])
    rgba = tuple4(m.geom_rgba[i])
    if np.allclose(rgba, _UNDECIDED):
        material = int(m.geom_matid[i])
        body.visuals.append(
            Visual(0, kind, size, pos, quat, tuple4(m.mat_rgba[material]) if material >= 0 else None, mesh)
        )
    else:
        body.visuals.append(Visual(0, kind, size, pos, quat, rgba, mesh))
    if contype or conaffinity:
        name = m.geom(i).name
        cells = model.options.sdf_resolution or (DEFAULT_RESOLUTION if name in model.fields else 0)
        field = distance_field(mesh, cells, model.file) if mesh is not None and cells else None
        in_parts = mesh is not None and field is None
        body.shapes.append(
            Shape(
                link=0,
                kind=kind,
                size=size,
                pos=pos,
                quat=quat,
                friction=float(m.geom_friction[i, 0]),
                contype=contype,
                conaffinity=conaffinity,
                mesh=mesh,
                name=model.fields.get(name, name),
                parts=convex_parts(mesh, model.options, model.diagnostics, model.file) if mesh and in_parts else (),
                field=field,
            )
        )


def _mesh(model: _Model, k: int) -> Mesh:
    """A mesh as MuJoCo has it: scaled, in its own principal frame, which the geom's pose makes up for."""
    if k not in model.meshes:
        m = model.m
        v, f = int(m.mesh_vertadr[k]), int(m.mesh_faceadr[k])
        vertices = m.mesh_vert[v : v + int(m.mesh_vertnum[k])].astype(np.float64)
        triangles = m.mesh_face[f : f + int(m.mesh_facenum[k])].astype(np.int64)
        model.meshes[k] = Mesh(m.mesh(k).name, vertices, triangles)
    return model.meshes[k]
