"""Parameter values of one actor: what its asset and its property records say, in the engine's terms.

Each function returns a dict from a name of `kilogym.engine.model.PARAMETERS` to a float64 array
(items of the actor, components), scale applied.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, JointKind, Shape, ShapeKind
from kilogym.engine.terrain import Terrain
from kilogym.math.quaternion import quat_rotate
from kilogym.scene.declarations import ActorDecl, EnvDecl, GroundPlane
from kilogym.scene.hulls import HullLibrary
from kilogym.scene.properties import BODY_DISABLE_GRAVITY
from kilogym.scene.terrain import HeightField, TriangleMesh

Values = dict[str, np.ndarray]


def frame_values(actor: ActorDecl) -> Values:
    """What depends on the asset and its scale alone: frames of links, joints and sensors."""
    asset, scale = actor.asset, actor.scale
    moving = [joint for joint in asset.joints if joint.kind is not JointKind.FIXED]
    return {
        "link_pos": _table([link.pos for link in asset.links], 3) * scale,
        "link_quat": _unit(_table([link.quat for link in asset.links], 4)),
        "joint_pos": _table([joint.pos for joint in moving], 3) * scale,
        "joint_axis": _unit(_table([joint.axis for joint in moving], 3)),
        "sensor_pos": _table([sensor.pos for sensor in asset.sensors], 3) * scale,
        "sensor_quat": _unit(_table([sensor.quat for sensor in asset.sensors], 4)),
        "dof_spring_ref": _spring_ref(asset, scale),
    }


def motion_values(asset: Asset) -> Values:
    """Damping and speed limits of the actor as a whole."""
    o = asset.options
    return {
        "tree_linear_damping": np.array([[o.linear_damping]]),
        "tree_angular_damping": np.array([[o.angular_damping]]),
        "tree_max_linear_velocity": np.array([[o.max_linear_velocity]]),
        "tree_max_angular_velocity": np.array([[o.max_angular_velocity]]),
    }


def body_values(rows: np.ndarray) -> Values:
    """BODY_PROPERTIES records, of any leading shape (..., bodies), as values (..., bodies, components)."""
    return {
        "link_mass": _column(rows["mass"]),
        "link_com": rows["com"].astype(np.float64),
        "link_inertia": rows["inertia"].astype(np.float64),
        "link_gravity": _column((rows["flags"] & BODY_DISABLE_GRAVITY) == 0),
    }


def dof_values(rows: np.ndarray) -> Values:
    """DOF_PROPERTIES records, of any leading shape (..., dofs), as values (..., dofs, 1)."""
    return {
        "dof_lower": _column(np.where(rows["hasLimits"], rows["lower"], -FLT_MAX)),
        "dof_upper": _column(np.where(rows["hasLimits"], rows["upper"], FLT_MAX)),
        "dof_velocity": _column(rows["velocity"]),
        "dof_effort": _column(rows["effort"]),
        "dof_stiffness": _column(rows["stiffness"]),
        "dof_damping": _column(rows["damping"]),
        "dof_friction": _column(rows["friction"]),
        "dof_armature": _column(rows["armature"]),
        "dof_mode": _column(rows["driveMode"]),
    }


def shape_values(rows: np.ndarray) -> Values:
    """SHAPE_PROPERTIES records, of any leading shape (..., shapes), as values (..., shapes, 1)."""
    return {
        "shape_friction": _column(rows["friction"]),
        "shape_torsion_friction": _column(rows["torsion_friction"]),
        "shape_rolling_friction": _column(rows["rolling_friction"]),
        "shape_compliance": _column(rows["compliance"]),
        "shape_restitution": _column(rows["restitution"]),
        "shape_contact_offset": _column(rows["contact_offset"]),
        "shape_rest_offset": _column(rows["rest_offset"]) + _column(rows["thickness"]),
    }


def geometry_values(actor: ActorDecl, shapes: list[int], hulls: HullLibrary) -> Values:
    """Poses and sizes of the given shapes of the actor. A mesh is its hull or parts, posed about the hull's centre."""
    chosen = [actor.asset.shapes[i] for i in shapes]
    found = [hulls.of(shape.mesh, shape.parts, shape.field) if shape.mesh is not None else None for shape in chosen]
    quat = _unit(_table([shape.quat for shape in chosen], 4))
    pos = _table([shape.pos for shape in chosen], 3)
    size = _table([_size(shape) for shape in chosen], 3)
    for i, at in enumerate(found):
        if at is not None:
            hull = hulls.hulls[at]
            pos[i] += quat_rotate(quat[i], hull.centre)
            size[i] = 1.0, hull.bound, hull.thickness
    return {
        "shape_pos": pos * actor.scale,
        "shape_quat": quat,
        "shape_size": size * actor.scale,
        "shape_hull": np.array([0 if at is None else at for at in found], np.float64).reshape(-1, 1),
    }


def ground_values(origins: np.ndarray, ground: GroundPlane | None) -> Values:
    """The ground plane in the envs' frames, (envs or 1, 1, components); a default one where there is none.

    Args:
        origins: Of the envs' frames [m], (envs, 3).
        ground: What was declared.
    """
    plane = ground if ground is not None else GroundPlane()
    length = float(np.linalg.norm(plane.normal))
    x, y, z = normal = np.asarray(plane.normal, np.float64) / length
    height = x * origins[:, 0] + y * origins[:, 1] + z * origins[:, 2]
    return {
        "ground_normal": normal[None, None],
        "ground_distance": (plane.distance / length - height)[:, None, None],
        "ground_friction": np.array([[[plane.static_friction, plane.dynamic_friction]]]),
        "ground_restitution": np.array([[[plane.restitution]]]),
    }


def terrain_values(env: EnvDecl, terrain: Terrain | None, declared: Sequence[HeightField | TriangleMesh]) -> Values:
    """All terrain, and where the env's origin is on it; no items where there is none."""
    origin = terrain.origin(env.origin) if terrain else np.zeros((0, 6))
    return {
        "terrain_origin": origin,
        "terrain_friction": _table([(item.static_friction, item.dynamic_friction) for item in declared], 2),
        "terrain_restitution": _table([(item.restitution,) for item in declared], 1),
    }


def _size(shape: Shape) -> tuple[float, float, float]:
    if shape.kind is ShapeKind.SPHERE:
        return (shape.size[0], 0.0, 0.0)
    return shape.size


def _spring_ref(asset: Asset, scale: float) -> np.ndarray:
    refs = [j.spring_ref * (scale if j.kind is JointKind.PRISMATIC else 1.0) for j in asset.dof_joints()]
    return np.array(refs, np.float64).reshape(-1, 1)


def _table(rows: list[tuple[float, ...]], components: int) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, components)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def _column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float64)[..., None]
