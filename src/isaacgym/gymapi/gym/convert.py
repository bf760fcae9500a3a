"""Between the API's property objects and Kilogym's records."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.body_properties import (
    ActuatorProperties,
    RigidBodyProperties,
    RigidShapeProperties,
    TendonProperties,
)
from isaacgym.gymapi.enums import DofType, JointType
from isaacgym.gymapi.gym.checks import need, pick
from isaacgym.gymapi.math_types import Mat33
from isaacgym.gymapi.records import IndexRange
from isaacgym.gymapi.struct import make_record

_SYMMETRIC = ((0, 3, 4), (3, 1, 5), (4, 5, 2))  # of xx yy zz xy xz yz
_SHAPE_FIELDS = [field.name for field in RigidShapeProperties._fields]


def body_objects(rows: np.ndarray) -> list[RigidBodyProperties]:
    """RigidBodyProperties of BODY_PROPERTIES records."""
    out = []
    for row in rows:
        inertia = np.array([[row["inertia"][k] for k in line] for line in _SYMMETRIC], np.float64)
        regular = abs(np.linalg.det(inertia)) > 1e-30
        inverse = np.linalg.inv(inertia) if regular else np.zeros((3, 3))
        mass = float(row["mass"])
        out.append(
            make_record(
                RigidBodyProperties,
                mass=mass,
                com=row["com"].tolist(),
                inertia=_matrix(inertia),
                invMass=1.0 / mass if mass > 0 else 0.0,
                invInertia=_matrix(inverse),
                flags=int(row["flags"]),
            )
        )
    return out


def body_rows(objects: Any, rows: np.ndarray, what: str) -> np.ndarray:
    """BODY_PROPERTIES records of objects; `rows` are the present ones, edited and returned."""
    check_count(objects, len(rows), what)
    for row, item in zip(rows, objects, strict=True):
        need(RigidBodyProperties, item, what)
        i = item.inertia
        row["mass"], row["com"], row["flags"] = item.mass, (item.com.x, item.com.y, item.com.z), item.flags
        # the two triangles of a symmetric matrix; clients edit either
        row["inertia"] = (
            i.x.x, i.y.y, i.z.z, (i.x.y + i.y.x) / 2, (i.x.z + i.z.x) / 2, (i.y.z + i.z.y) / 2,
        )  # fmt: skip
    return rows


def shape_objects(rows: np.ndarray) -> list[RigidShapeProperties]:
    """RigidShapeProperties of SHAPE_PROPERTIES records."""
    return [make_record(RigidShapeProperties, **{name: row[name].item() for name in _SHAPE_FIELDS}) for row in rows]


def shape_rows(objects: Any, rows: np.ndarray, what: str) -> np.ndarray:
    """SHAPE_PROPERTIES records of objects; `rows` are the present ones, edited and returned."""
    check_count(objects, len(rows), what)
    for row, item in zip(rows, objects, strict=True):
        need(RigidShapeProperties, item, what)
        for name in _SHAPE_FIELDS:
            row[name] = getattr(item, name)
    return rows


def check_count(objects: Any, count: int, what: str) -> None:
    """ValueError unless `objects` are `count`."""
    if len(objects) != count:
        raise ValueError(
            f"{what}: expected {count} items, one each, got {len(objects)}; edit the list that the getter returns"
        )


def actuator_objects(asset: Any) -> list[ActuatorProperties]:
    """ActuatorProperties of an asset, in file order."""
    return [
        make_record(
            ActuatorProperties,
            type=a.kind,
            control_limited=a.control_limited,
            lower_control_limit=a.control_range[0],
            upper_control_limit=a.control_range[1],
            force_limited=a.force_limited,
            lower_force_limit=a.force_range[0],
            upper_force_limit=a.force_range[1],
            kp=a.kp,
            kv=a.kv,
            motor_effort=a.motor_effort,
        )
        for a in asset.actuators
    ]


def tendon_objects(asset: Any, rows: np.ndarray) -> list[TendonProperties]:
    """TendonProperties of an asset's tendons with these TENDON_PROPERTIES records, in file order."""
    return [
        make_record(
            TendonProperties,
            num_joints=len(t.joints),
            stiffness=float(row["stiffness"]),
            damping=float(row["damping"]),
            limit_stiffness=float(row["limit_stiffness"]),
            is_fixed_limited=bool(row["limited"]),
            fixed_lower_limit=float(row["lower"]),
            fixed_upper_limit=float(row["upper"]),
            fixed_spring_rest_length=float(row["rest_length"]),
        )
        for t, row in zip(asset.tendons, rows, strict=True)
    ]


def tendon_rows(objects: Any, rows: np.ndarray, what: str) -> np.ndarray:
    """TENDON_PROPERTIES records of objects; `rows` are the present ones, edited and returned."""
    check_count(objects, len(rows), what)
    for row, item in zip(rows, objects, strict=True):
        need(TendonProperties, item, what)
        row["stiffness"], row["damping"], row["limit_stiffness"] = item.stiffness, item.damping, item.limit_stiffness
        row["limited"], row["lower"], row["upper"] = (
            item.is_fixed_limited, item.fixed_lower_limit, item.fixed_upper_limit,
        )  # fmt: skip
        row["rest_length"] = item.fixed_spring_rest_length
    return rows


def tendon_joints(asset: Any, tendon: int) -> slice:
    """Where a tendon's joints stand in the list of all tendons' joints."""
    start = sum(len(t.joints) for t in asset.tendons[:tendon])
    return slice(start, start + len(pick(asset.tendons, tendon, "tendon").joints))


def shape_ranges(asset: Any) -> list[IndexRange]:
    """Per body, its stretch of the shape list."""
    links = [shape.link for shape in asset.shapes]
    return [
        make_record(IndexRange, start=sum(k < body for k in links), count=links.count(body))
        for body in range(len(asset.links))
    ]


def joint_type(joint: Any) -> JointType:
    """JointType of a joint."""
    return {
        "fixed": JointType.JOINT_FIXED,
        "revolute": JointType.JOINT_REVOLUTE,
        "prismatic": JointType.JOINT_PRISMATIC,
        "ball": JointType.JOINT_BALL,
    }[joint.kind.value]


def dof_type(joint: Any) -> DofType:
    """DofType of a joint's DOFs."""
    return DofType.DOF_TRANSLATION if joint.kind.value == "prismatic" else DofType.DOF_ROTATION


def dof_of_joint(asset: Any, joint: int) -> int:
    """Index of a joint's first DOF in the asset; -1 for a fixed joint."""
    if asset.joints[joint].kind.num_dofs == 0:
        return -1
    return sum(j.kind.num_dofs for j in asset.joints[:joint])


def _matrix(values: np.ndarray) -> Mat33:
    out = Mat33()
    out.x, out.y, out.z = (row.tolist() for row in values)
    return out
