"""Properties of an actor's bodies, shapes and DOFs as numpy records: what a user reads, edits and sets.

The DOF record has the fields, order and layout of Isaac Gym's. An actor's arrays hold the *current* values,
that is with its scale applied; :func:`scale_bodies` and :func:`scale_dofs` know how each grows with size.
"""

from __future__ import annotations

import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, JointKind

DOF_PROPERTIES = np.dtype(
    {
        "names": [
            "hasLimits", "lower", "upper", "driveMode", "velocity", "effort", "stiffness", "damping",
            "friction", "armature",
        ],
        "formats": ["?", "<f4", "<f4", "<i4", "<f4", "<f4", "<f4", "<f4", "<f4", "<f4"],
        "offsets": [0, 4, 8, 12, 16, 20, 24, 28, 32, 36],
        "itemsize": 40,
    }
)  # fmt: skip
"""One record per DOF. lower, upper [rad or m]; velocity [per s]; effort [N m or N]; gains per rad or m;
friction [N m or N]; armature [kg m^2 or kg]; driveMode is a :class:`~kilogym.assets.asset.DriveMode`."""

BODY_PROPERTIES = np.dtype([("mass", "<f4"), ("com", "<f4", (3,)), ("inertia", "<f4", (6,)), ("flags", "<i4")])
"""One record per body: mass [kg]; com in the link frame [m]; inertia about the com in link axes, xx yy zz xy
xz yz [kg m^2]; flags, see BODY_DISABLE_GRAVITY."""

SHAPE_PROPERTIES = np.dtype(
    [
        ("friction", "<f4"), ("rolling_friction", "<f4"), ("torsion_friction", "<f4"), ("restitution", "<f4"),
        ("compliance", "<f4"), ("thickness", "<f4"), ("contact_offset", "<f4"), ("rest_offset", "<f4"),
        ("filter", "<i4"),
    ]
)  # fmt: skip
"""One record per collision shape. Two shapes, or a shape and the ground or terrain, have the mean of their friction and
restitution; of torsion_friction and rolling_friction (most torque about and across the normal, by normal force [m]) the
larger; and the sum of the others: compliance (overlap at rest by the normal force of a contact [m/N], critically
damped), thickness and rest_offset (how far off they rest [m]). contact_offset [m]: a twentieth is how early contacts
are looked for, and more where shapes are fast. filter: two shapes with a common bit do not collide."""

BODY_DISABLE_GRAVITY = 1
"""Bit of BODY_PROPERTIES flags: gravity does not act on the body."""


def dof_properties(asset: Asset) -> np.ndarray:
    """DOF properties as the file gives them: a fresh DOF_PROPERTIES array of `asset.num_dofs` records."""
    rows = np.zeros(asset.num_dofs, DOF_PROPERTIES)
    for row, joint in zip(rows, asset.dof_joints(), strict=True):
        row["hasLimits"] = joint.has_limits
        row["lower"], row["upper"] = joint.lower, joint.upper
        row["driveMode"] = int(joint.drive_mode)
        row["velocity"], row["effort"] = min(joint.velocity, FLT_MAX), min(joint.effort, FLT_MAX)
        row["stiffness"], row["damping"] = joint.stiffness, joint.damping
        row["friction"], row["armature"] = joint.friction, joint.armature
    return rows


def body_properties(asset: Asset) -> np.ndarray:
    """Body properties as the file gives them: a fresh BODY_PROPERTIES array, one record per link."""
    rows = np.zeros(len(asset.links), BODY_PROPERTIES)
    for row, link in zip(rows, asset.links, strict=True):
        row["mass"], row["com"], row["inertia"] = link.mass, link.com, link.inertia
    rows["flags"] = BODY_DISABLE_GRAVITY if asset.options.disable_gravity else 0
    return rows


def shape_properties(asset: Asset, contact_offset: float = 0.02, rest_offset: float = 0.001) -> np.ndarray:
    """Shape properties as the file gives them: a fresh SHAPE_PROPERTIES array, one record per shape.

    Args:
        asset: The robot or object.
        contact_offset: Value for every shape, since files do not give it [m].
        rest_offset: Value for every shape [m].
    """
    rows = np.zeros(len(asset.shapes), SHAPE_PROPERTIES)
    for row, shape in zip(rows, asset.shapes, strict=True):
        row["friction"], row["restitution"] = shape.friction, shape.restitution
        row["rolling_friction"], row["torsion_friction"] = shape.rolling_friction, shape.torsion_friction
    rows["contact_offset"], rows["rest_offset"] = contact_offset, rest_offset
    return rows


def scale_bodies(rows: np.ndarray, ratio: float) -> None:
    """Grow bodies in place by `ratio` in every direction, at constant density."""
    rows["mass"] *= ratio**3
    rows["com"] *= ratio
    rows["inertia"] *= ratio**5


def scale_dofs(rows: np.ndarray, asset: Asset, ratio: float) -> None:
    """Grow the limits of prismatic DOFs in place by `ratio`; "no limit" stays so."""
    prismatic = np.array([joint.kind is JointKind.PRISMATIC for joint in asset.dof_joints()], bool)
    for name in ("lower", "upper"):
        limited = prismatic & (np.abs(rows[name]) < FLT_MAX)
        rows[name][limited] *= ratio


def check_records(rows: object, dtype: np.dtype, count: int, what: str) -> np.ndarray:
    """`rows` as an array of `count` records of `dtype`, a copy.

    Raises:
        TypeError: `rows` is no structured array with the fields of `dtype`.
        ValueError: another number of records.
    """
    array = np.asarray(rows)
    if array.dtype.names is None or set(array.dtype.names) != set(dtype.names or ()):
        raise TypeError(
            f"{what}: expected a structured array with the fields {', '.join(dtype.names or ())}, "
            f"got {array.dtype}; start from the array that the matching getter returns"
        )
    if array.shape != (count,):
        raise ValueError(f"{what}: expected {count} records, got shape {array.shape}")
    out = np.empty(count, dtype)
    for name in dtype.names or ():
        out[name] = array[name]
    return out
