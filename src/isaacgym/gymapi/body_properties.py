"""Properties of bodies, shapes, actuators, tendons, sensors, attractors and soft bodies."""

from __future__ import annotations

from typing import Any

from isaacgym.gymapi.enums import SoftMaterialType, TendonType
from isaacgym.gymapi.math_types import Mat33, Transform, Vec3
from isaacgym.gymapi.struct import Struct, boolean, choice, integer, nested, real, string


class RigidBodyProperties(Struct):
    """Mass [kg], centre of mass in the body frame [m], inertia about it in body axes [kg m^2], flags."""

    __slots__ = ()
    com: Vec3 = nested(Vec3)
    flags: int = integer(0)
    inertia: Mat33 = nested(Mat33)
    invInertia: Mat33 = nested(Mat33)
    invMass: float = real(0.0)
    mass: float = real(0.0)


class RigidShapeProperties(Struct):
    """Material, offsets [m] and filter of a collision shape; A and B collide if A.filter & B.filter == 0."""

    __slots__ = ()
    compliance: float = real(0.0)
    contact_offset: float = real(0.02)
    filter: int = integer(0)
    friction: float = real(1.0)
    rest_offset: float = real(0.001)
    restitution: float = real(0.0)
    rolling_friction: float = real(0.0)
    thickness: float = real(0.0)
    torsion_friction: float = real(0.0)


class ActuatorProperties(Struct):
    """An actuator as its MJCF file gives it."""

    __slots__ = ()
    control_limited: bool = boolean(False)
    force_limited: bool = boolean(False)
    kp: float = real(0.0)
    kv: float = real(0.0)
    lower_control_limit: float = real(0.0)
    lower_force_limit: float = real(0.0)
    motor_effort: float = real(0.0)
    type: Any = string("", readonly=True)
    upper_control_limit: float = real(0.0)
    upper_force_limit: float = real(0.0)


class TendonProperties(Struct):
    """A tendon."""

    __slots__ = ()
    damping: float = real(0.0)
    fixed_lower_limit: float = real(0.0)
    fixed_spring_rest_length: float = real(0.0)
    fixed_upper_limit: float = real(0.0)
    is_fixed_limited: bool = boolean(False)
    limit_stiffness: float = real(0.0)
    num_attachments: int = integer(0, readonly=True)
    num_joints: int = integer(0, readonly=True)
    stiffness: float = real(0.0)
    type: TendonType = choice(TendonType.TENDON_FIXED, readonly=True)


class ForceSensorProperties(Struct):
    """What a force sensor sums, and in which axes it says it."""

    __slots__ = ()
    enable_constraint_solver_forces: bool = boolean(True)
    enable_forward_dynamics_forces: bool = boolean(True)
    use_world_frame: bool = boolean(False)


class AttractorProperties(Struct):
    """A spring-damper pulling a point of a body to a target pose."""

    __slots__ = ()
    axes: int = integer(0)
    damping: float = real(0.0)
    offset: Transform = nested(Transform)
    rigid_handle: int = integer(-1)
    stiffness: float = real(0.0)
    target: Transform = nested(Transform)


class SoftMaterial(Struct):
    """Material of a soft body [Pa]."""

    __slots__ = ()
    activation: float = real(0.0)
    activationMax: float = real(0.0)
    damping: float = real(0.0)
    model: SoftMaterialType = choice(SoftMaterialType.MAT_COROTATIONAL)
    poissons: float = real(0.0)
    youngs: float = real(0.0)
