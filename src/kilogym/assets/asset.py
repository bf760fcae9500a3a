"""The immutable description of one robot or object, whatever file it came from.

An :class:`Asset` is a tree of links. A link's pose is given in its parent link's frame with every joint at
zero; its joints then move it, in order, about anchors and axes given in the link's own frame. This one form
holds URDF (one joint per link, anchor at the origin) and MJCF (any number of joints per link, anchors
anywhere). Units are SI, angles radians, quaternions xyzw.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kilogym.assets.distance_field import DistanceField

FLT_MAX = float(np.finfo(np.float32).max)
"""The value Isaac Gym uses for "no limit" on joint speed, effort and position."""


class JointKind(enum.Enum):
    """How a joint moves; the number of DOFs is in :attr:`num_dofs`."""

    FIXED = "fixed"
    REVOLUTE = "revolute"
    PRISMATIC = "prismatic"
    BALL = "ball"

    @property
    def num_dofs(self) -> int:
        return {"fixed": 0, "revolute": 1, "prismatic": 1, "ball": 3}[self.value]


class ShapeKind(enum.Enum):
    """Collision or visual geometry; `size` of a shape is read as written here."""

    SPHERE = "sphere"  # size = (radius, 0, 0)
    CAPSULE = "capsule"  # size = (radius, half length of the cylinder part, 0), axis = local z
    CYLINDER = "cylinder"  # size = (radius, half length, 0), axis = local z
    BOX = "box"  # size = half extents along x, y, z
    ELLIPSOID = "ellipsoid"  # size = semi axes
    MESH = "mesh"  # size = scale; geometry in `mesh`


class DriveMode(enum.IntEnum):
    """What a DOF's drive follows; the values are Isaac Gym's."""

    NONE = 0
    POSITION = 1
    VELOCITY = 2
    EFFORT = 3


@dataclass(frozen=True)
class Mesh:
    """Triangles in the shape's frame, already scaled; `vertices` [m] (V, 3) float, `triangles` (T, 3) int."""

    name: str
    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray | None = None  # (V, 3) float in 0..1, or None


@dataclass(frozen=True)
class Shape:
    """One collision shape, fixed to a link."""

    link: int
    kind: ShapeKind
    size: tuple[float, float, float]
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    friction: float = 1.0
    rolling_friction: float = 0.0
    torsion_friction: float = 0.0
    restitution: float = 0.0
    contype: int = 1
    conaffinity: int = 1
    mesh: Mesh | None = None
    name: str = ""
    parts: tuple[Mesh, ...] = ()  # convex meshes that collide in the mesh's place; none: its convex hull does
    field: DistanceField | None = None  # signed distances that do, instead


@dataclass(frozen=True)
class Visual:
    """One thing to draw, fixed to a link; `rgba` in 0..1, None = undecided by the file."""

    link: int
    kind: ShapeKind
    size: tuple[float, float, float]
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    rgba: tuple[float, float, float, float] | None = None
    mesh: Mesh | None = None


@dataclass(frozen=True)
class Link:
    """A rigid body. `pos`, `quat`: pose in the parent link's frame (in the file's frame for link 0)."""

    name: str
    parent: int
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    mass: float = 1.0
    com: tuple[float, float, float] = (0.0, 0.0, 0.0)  # in the link's frame [m]
    inertia: tuple[float, float, float, float, float, float] = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    # inertia about the centre of mass in the link's axes: xx, yy, zz, xy, xz, yz [kg m^2]


@dataclass(frozen=True)
class Joint:
    """A joint between `link` and that link's parent. Anchor and axis are in the frame of `link`.

    Scalars belong to every DOF of the joint. Limits are rad or m; `effort` N m or N; gains per rad or m.
    """

    name: str
    kind: JointKind
    link: int
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] = (1.0, 0.0, 0.0)
    has_limits: bool = False
    lower: float = -FLT_MAX
    upper: float = FLT_MAX
    velocity: float = FLT_MAX
    effort: float = FLT_MAX
    stiffness: float = 0.0
    damping: float = 0.0
    friction: float = 0.0
    armature: float = 0.0
    spring_ref: float = 0.0
    drive_mode: DriveMode = DriveMode.NONE
    mimic: tuple[str, float, float] | None = None  # (joint, multiplier, offset): follows that joint


@dataclass(frozen=True)
class Actuator:
    """An MJCF actuator on a joint."""

    name: str
    kind: str  # "motor", "position", "velocity", "general"
    joint: str
    control_limited: bool = False
    control_range: tuple[float, float] = (0.0, 0.0)
    force_limited: bool = False
    force_range: tuple[float, float] = (0.0, 0.0)
    kp: float = 0.0
    kv: float = 0.0
    motor_effort: float = 0.0  # the gear of a motor


@dataclass(frozen=True)
class Tendon:
    """A fixed (joint-coupling) tendon: length = sum of coefficient * joint position; its tension pulls on each joint
    by the coefficient. Gains are per unit of length; beyond its limits a spring of `limit_stiffness` acts as well."""

    name: str
    joints: tuple[str, ...]
    coefficients: tuple[float, ...]
    limited: bool = False
    lower: float = 0.0
    upper: float = 0.0
    stiffness: float = 0.0
    damping: float = 0.0
    rest_length: float = 0.0
    limit_stiffness: float = 1.0


@dataclass(frozen=True)
class JointEquality:
    """`joint` is held at c0 + c1 x + ... + c4 x^4, x being the position of `leader` (None: 0) [rad or m].

    Both have one DOF. The joint pushes back on its leader.
    """

    name: str
    joint: str
    leader: str | None
    coefficients: tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Closure:
    """A loop closed: a frame on one link is held at a frame on another, its origin alone or (`weld`) its axes too.

    Poses are in the links' frames. `link_b` = -1 is the place where the actor is created: the frame of its root then.
    """

    name: str
    link_a: int
    link_b: int
    weld: bool = False
    pos_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat_a: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    pos_b: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat_b: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Sensor:
    """A force-torque sensor mounted on a link at a pose in the link's frame."""

    link: int
    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quat: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    forward_dynamics: bool = True
    constraint_solver: bool = True
    world_frame: bool = False


@dataclass(frozen=True)
class BodyOptions:
    """What Isaac Gym's AssetOptions says about the bodies' motion; the same for every link of the asset."""

    disable_gravity: bool = False
    linear_damping: float = 0.0  # 1/s
    angular_damping: float = 0.5  # 1/s
    max_linear_velocity: float = 1000.0  # m/s
    max_angular_velocity: float = 64.0  # rad/s
    gyroscopic_forces: bool = True


@dataclass(frozen=True)
class Asset:
    """A robot or object: links in depth-first order (parent before child), joints in link order.

    `fixed_base`: link 0 is welded to its actor's pose; otherwise it floats. DOF k is the k-th degree of
    freedom met when walking `joints` in order; a ball joint has three, named name_0, name_1, name_2.
    `excluded_pairs` holds link index pairs that the file says never collide.
    """

    name: str
    links: tuple[Link, ...]
    joints: tuple[Joint, ...] = ()
    shapes: tuple[Shape, ...] = ()
    visuals: tuple[Visual, ...] = ()
    actuators: tuple[Actuator, ...] = ()
    tendons: tuple[Tendon, ...] = ()
    equalities: tuple[JointEquality, ...] = ()  # besides those that joints' `mimic` means
    closures: tuple[Closure, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    fixed_base: bool = False
    options: BodyOptions = field(default_factory=BodyOptions)
    excluded_pairs: tuple[tuple[int, int], ...] = ()
    source: str = ""  # file it came from, for messages
    extra: dict[str, Any] = field(default_factory=dict, compare=False)

    @cached_property
    def num_dofs(self) -> int:
        """DOFs of all joints; asked for by every actor of every env."""
        return sum(joint.kind.num_dofs for joint in self.joints)

    def dof_names(self) -> list[str]:
        """Names in DOF order; a one-DOF joint lends its own."""
        names: list[str] = []
        for joint in self.joints:
            n = joint.kind.num_dofs
            names += [joint.name] if n == 1 else [f"{joint.name}_{i}" for i in range(n)]
        return names

    def joint_equalities(self) -> list[JointEquality]:
        """Joints that follow others: `equalities`, then what `mimic` says. A leader that cannot move stands at 0."""
        moving = {joint.name for joint in self.joints if joint.kind is not JointKind.FIXED}
        out = list(self.equalities)
        for joint in self.joints:
            if joint.mimic is not None and joint.name in moving:
                leader, multiplier, offset = joint.mimic
                known = leader if leader in moving else None
                out.append(JointEquality(joint.name, joint.name, known, (offset, multiplier, 0.0, 0.0, 0.0)))
        return out

    def dof_of(self, joint: str) -> int:
        """Number of the first DOF of a joint that moves.

        Raises:
            ValueError: there is no such joint.
        """
        for dof, item in enumerate(self.dof_joints()):
            if item.name == joint:
                return dof
        raise ValueError(f"asset {self.name!r} has no joint {joint!r} that moves")

    def dof_joints(self) -> list[Joint]:
        """The joint of each DOF, in DOF order."""
        return [joint for joint in self.joints for _ in range(joint.kind.num_dofs)]
