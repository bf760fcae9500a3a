"""States, contacts and other things the API hands out; most have a numpy `dtype` for arrays of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.math_types import Int3, Quat, Transform, Vec2, Vec3, Velocity
from isaacgym.gymapi.struct import Struct, integer, nested, real, string


class DofState(Struct):
    """Position [rad or m] and velocity of a DOF."""

    __slots__ = ()
    dtype = np.dtype([("pos", "<f4"), ("vel", "<f4")])
    pos: float = real()
    vel: float = real()


class DofFrame(Struct):
    """Origin [m] and unit axis of a DOF, in the env's frame."""

    __slots__ = ()
    dtype = np.dtype([("origin", Vec3.dtype), ("axis", Vec3.dtype)])
    axis: Vec3 = nested(Vec3)
    origin: Vec3 = nested(Vec3)

    def __init__(self, origin: Vec3 | None = None, axis: Vec3 | None = None) -> None:
        super().__init__()
        if origin is not None:
            self.origin = origin
        if axis is not None:
            self.axis = axis

    @staticmethod
    def from_buffer(buffer: Any) -> np.ndarray:
        """An array of `DofFrame.dtype` on the memory of `buffer`, without a copy."""
        return np.frombuffer(buffer, DofFrame.dtype)


class RigidBodyState(Struct):
    """Pose and velocity of a body, in the env's frame."""

    __slots__ = ()
    dtype = np.dtype([("pose", Transform.dtype), ("vel", Velocity.dtype)])
    pose: Transform = nested(Transform)
    vel: Velocity = nested(Velocity)


class ParticleState(Struct):
    """State of a particle of the Flex backend."""

    __slots__ = ()
    dtype = np.dtype([("position", Quat.dtype), ("velocity", Vec3.dtype), ("normal", Quat.dtype)])
    normal: Quat = nested(Quat)
    position: Quat = nested(Quat)
    velocity: Vec3 = nested(Vec3)


class RigidContact(Struct):
    """One contact. Bodies are env-relative, -1 is the ground; the normal points from body0 to body1."""

    __slots__ = ()
    dtype = np.dtype(
        [
            ("env0", "<i4"), ("env1", "<i4"), ("body0", "<i4"), ("body1", "<i4"),
            ("localPos0", Vec3.dtype), ("localPos1", Vec3.dtype),
            ("minDist", "<f4"), ("initialOverlap", "<f4"),
            ("normal", Vec3.dtype), ("offset0", Vec3.dtype), ("offset1", Vec3.dtype),
            ("lambda", "<f4"), ("lambdaFriction", Vec2.dtype),
            ("friction", "<f4"), ("torsionFriction", "<f4"), ("rollingFriction", "<f4"),
        ]
    )  # fmt: skip
    body0: int = integer(-1, readonly=True)
    body1: int = integer(-1, readonly=True)
    env0: int = integer(-1, readonly=True)
    env1: int = integer(-1, readonly=True)
    friction: float = real(readonly=True)
    initial_overlap: float = real(readonly=True)
    lambda_friction: Vec2 = nested(Vec2, readonly=True)
    local_pos0: Vec3 = nested(Vec3, readonly=True)
    local_pos1: Vec3 = nested(Vec3, readonly=True)
    min_dist: float = real(readonly=True)
    normal: Vec3 = nested(Vec3, readonly=True)
    offset0: Vec3 = nested(Vec3, readonly=True)
    offset1: Vec3 = nested(Vec3, readonly=True)
    rolling_friction: float = real(readonly=True)
    torsion_friction: float = real(readonly=True)
    locals()["lambda"] = real(readonly=True)  # a keyword of Python: read it with getattr


class SoftContact(Struct):
    """One contact of a soft body; never made, since there are none."""

    __slots__ = ()
    dtype = np.dtype(
        [
            ("bodyIndex", "<i4"), ("env0", "<i4"), ("env1", "<i4"), ("lambda", "<f4"),
            ("normal", Vec3.dtype), ("particleBarys", Vec3.dtype), ("particleIndices", Int3.dtype),
        ]
    )  # fmt: skip
    bodyIndex: int = integer(-1, readonly=True)
    env0: int = integer(-1, readonly=True)
    env1: int = integer(-1, readonly=True)
    normal: Vec3 = nested(Vec3, readonly=True)
    particleBarys: Vec3 = nested(Vec3, readonly=True)
    particleIndices: Int3 = nested(Int3, readonly=True)
    locals()["lambda"] = real(readonly=True)


class SpatialForce(Struct):
    """Force [N] and torque [N m]."""

    __slots__ = ()
    force: Vec3 = nested(Vec3)
    torque: Vec3 = nested(Vec3)


class IndexRange(Struct):
    """A stretch of a list."""

    __slots__ = ()
    count: int = integer(0)
    start: int = integer(0)


class Version(Struct):
    """Version of the API."""

    __slots__ = ()
    major: int = integer(0)
    minor: int = integer(0)


class PerformanceTimers(Struct):
    """Seconds spent since the last query."""

    __slots__ = ()
    frame_idling: float = real()
    graphics_image_retrieval: float = real()
    graphics_sensor_rendering: float = real()
    graphics_viewer_rendering: float = real()
    physics_data_movement: float = real()
    physics_sim: float = real()
    total_time: float = real()


class ActionEvent(Struct):
    """Something the user of a viewer did; `value` > 0 when a key goes down, 0 when it comes up."""

    __slots__ = ()
    action: str = string("", readonly=True)
    value: float = real(readonly=True)
