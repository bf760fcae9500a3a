"""What the engine compiles and runs: the model of one env, as plain arrays.

:class:`EnvModel` is the *topology* (what is compiled: trees, joints, shape kinds, contact pairs, caps) and the
default *parameters* (what is data: masses, frames, gains, sizes). Envs with equal topology share one compiled
step, whatever their parameters. The scene builds an EnvModel from the actors of an env; the engine never sees
files or actors' names.

Indices are env-wide: links, joints, DOFs and shapes of all actors ("trees") concatenated in creation order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kilogym.engine.hulls import Hull
from kilogym.engine.terrain import Terrain

JOINT_REVOLUTE, JOINT_PRISMATIC, JOINT_BALL = 0, 1, 2
SHAPE_SPHERE, SHAPE_CAPSULE, SHAPE_BOX, SHAPE_CYLINDER, SHAPE_ELLIPSOID, SHAPE_HULL = 0, 1, 2, 3, 4, 5
SHAPE_PARTS = 7  # a mesh in convex parts; 6 are triangles of terrain
SHAPE_SDF = 8  # a mesh with a signed distance field; what cannot use that sees its hull

PARAMETERS: dict[str, tuple[str, int, str]] = {
    # name: (what it is counted per, components, meaning and unit)
    "link_pos": ("link", 3, "link frame in the parent link's frame, joints at zero [m]; unused for roots"),
    "link_quat": ("link", 4, "the same, orientation xyzw"),
    "link_mass": ("link", 1, "mass [kg]"),
    "link_com": ("link", 3, "centre of mass in the link frame [m]"),
    "link_inertia": ("link", 6, "inertia about the com, link axes: xx yy zz xy xz yz [kg m^2]"),
    "link_gravity": ("link", 1, "1: gravity acts on the link, 0: it does not"),
    "joint_pos": ("joint", 3, "joint anchor in the link frame [m]"),
    "joint_axis": ("joint", 3, "unit joint axis in the link frame; unused for ball joints"),
    "dof_lower": ("dof", 1, "lower limit [rad or m]; -FLT_MAX = none"),
    "dof_upper": ("dof", 1, "upper limit [rad or m]; FLT_MAX = none"),
    "dof_velocity": ("dof", 1, "largest speed [rad/s or m/s]; FLT_MAX = none"),
    "dof_effort": ("dof", 1, "largest drive effort [N m or N]; FLT_MAX = none"),
    "dof_stiffness": ("dof", 1, "position gain of the drive, or passive spring in modes NONE and EFFORT"),
    "dof_damping": ("dof", 1, "velocity gain of the drive, or passive damping"),
    "dof_friction": ("dof", 1, "dry joint friction [N m or N]"),
    "dof_armature": ("dof", 1, "added to the joint-space inertia [kg m^2 or kg]"),
    "dof_spring_ref": ("dof", 1, "rest position of the passive spring [rad or m]"),
    "dof_mode": ("dof", 1, "DriveMode: 0 none, 1 position, 2 velocity, 3 effort"),
    "shape_pos": ("shape", 3, "shape frame in the link frame [m]"),
    "shape_quat": ("shape", 4, "the same, orientation xyzw"),
    "shape_size": (
        "shape",
        3,
        "sphere r; capsule, cylinder r, half length along z; box half extents; ellipsoid semi axes [m]; "
        "meshes: scale, bounding radius, half the thickness",
    ),
    "shape_hull": ("shape", 1, "of a mesh (hull, parts, signed distance field): which of EnvModel.hulls"),
    "shape_friction": ("shape", 1, "Coulomb coefficient, static and dynamic"),
    "shape_torsion_friction": ("shape", 1, "most torque about the normal, by normal force [m]; of a pair the larger"),
    "shape_rolling_friction": ("shape", 1, "most torque across the normal, by normal force [m]; of a pair the larger"),
    "shape_compliance": ("shape", 1, "overlap of a contact at rest by its normal force [m/N]; added over a pair"),
    "shape_restitution": ("shape", 1, "coefficient of restitution"),
    "shape_contact_offset": ("shape", 1, "distance at which contacts are made [m]; added over a pair"),
    "shape_rest_offset": ("shape", 1, "distance at which the shape rests [m]; added over a pair"),
    "tree_linear_damping": ("tree", 1, "[1/s]"),
    "tree_angular_damping": ("tree", 1, "[1/s]"),
    "tree_max_linear_velocity": ("tree", 1, "[m/s]"),
    "tree_max_angular_velocity": ("tree", 1, "[rad/s]"),
    "sensor_pos": ("sensor", 3, "force sensor's frame in its link's frame [m]"),
    "sensor_quat": ("sensor", 4, "the same, orientation xyzw"),
    "tendon": (
        "tendon",
        6,
        "stiffness, damping, rest length, lower and upper limit of the length, stiffness of the limits; the length is "
        "the sum of coefficient times joint position [rad or m], gains per that",
    ),
    "tendon_coefficient": ("tendon_joint", 1, "of each joint of each tendon"),
    "joint_equality": ("joint_equality", 5, "c: position = c0 + c1 x + ... + c4 x^4, x that of the joint followed"),
    "closure": ("closure", 14, "frame on link a, then on b (-1: env), each in its link's frame: position [m], xyzw"),
    "attractor": (
        "attractor",
        15,
        "stiffness [N/m, N m/rad], damping, six axes of the target's frame (1: pulled along; x y z, about x y z), then "
        "the frame in the link that is pulled: position [m], quaternion xyzw",
    ),
    "attractor_target": ("attractor", 7, "frame it is pulled to, in the env's frame: position [m], quaternion xyzw"),
    "ground_normal": ("one", 3, "unit normal of the ground plane"),
    "ground_distance": ("one", 1, "plane: normal . x = distance, in the env's frame [m]"),
    "ground_friction": ("one", 2, "static, dynamic"),
    "ground_restitution": ("one", 1, ""),
    "terrain_origin": ("terrain", 6, "the env's origin as each terrain counts it, see engine/terrain.py"),
    "terrain_friction": ("terrain", 2, "static, dynamic"),
    "terrain_restitution": ("terrain", 1, ""),
}
"""Every parameter of a batch. Stored [components * count, num_envs or 1]: component c of item i is row
i * components + c; one column when all envs share it."""

STATE: dict[str, tuple[str, int, str]] = {
    "root_pos": ("tree", 3, "origin of the root link's frame, in the env's frame [m]"),
    "root_quat": ("tree", 4, "orientation of the root link, xyzw"),
    "root_lin_vel": ("tree", 3, "velocity of the root link's centre of mass, world axes [m/s]"),
    "root_ang_vel": ("tree", 3, "angular velocity of the root link, world axes [rad/s]"),
    "dof_pos": ("dof", 1, "joint position [rad or m]; the three of a ball joint are its rotation vector"),
    "dof_vel": ("dof", 1, "joint velocity; of a ball joint its angular velocity in the child's axes"),
}
"""The dynamic state a user can set, stored [components * count, num_envs]. With the warm-start impulses it is
the whole integration state."""

INPUT: dict[str, tuple[str, int, str]] = {
    "dof_target_pos": ("dof", 1, "followed by DOFs in position mode"),
    "dof_target_vel": ("dof", 1, "followed by DOFs in position and velocity mode"),
    "dof_effort_in": ("dof", 1, "applied to DOFs in effort mode [N m or N]"),
    "link_force": ("link", 3, "external force at the link's com, world axes, for the next step [N]"),
    "link_torque": ("link", 3, "external torque, world axes, for the next step [N m]"),
}

OUTPUT: dict[str, tuple[str, int, str]] = {
    "link_contact_force": ("link", 3, "net contact force of the last step, world axes [N]"),
    "dof_force": ("dof", 1, "drive, limit and friction force of the last step [N m or N]"),
    "sensor_force": ("sensor", 6, "force [N] then torque [N m] of each force sensor"),
}


@dataclass
class EnvModel:
    """Topology and default parameters of one env. Arrays of indices are int lists; -1 means none."""

    # topology: compiled
    tree_floating: list[bool]  # [num_trees]
    link_tree: list[int]  # [num_links] ascending; the first link of a tree is its root
    link_parent: list[int]  # [num_links] env-wide index, -1 for roots; parents come first
    joint_kind: list[int]  # [num_joints] JOINT_*; fixed joints do not appear
    joint_link: list[int]  # [num_joints] ascending: joints of a link act in order
    shape_kind: list[int]  # [num_shapes] SHAPE_*
    shape_link: list[int]  # [num_shapes] ascending
    shape_ground: list[bool]  # [num_shapes] collides with the ground plane and with terrain
    pairs: list[tuple[int, int]]  # shape pairs tested against each other, a < b
    sensor_link: list[int] = field(default_factory=list)
    sensor_flags: list[int] = field(default_factory=list)  # 1 forward dynamics | 2 constraints | 4 world frame
    has_ground: bool = True
    terrain: Terrain | None = None  # data; which kinds there are is compiled
    max_contacts: int = 0  # rows kept per env; 0 = chosen from the shapes
    hulls: list[Hull] = field(default_factory=list)  # the library that shape_hull counts in; data
    tendons: list[list[int]] = field(default_factory=list)  # DOFs of each fixed tendon
    joint_equalities: list[tuple[int, int]] = field(default_factory=list)  # DOF held, DOF that it follows or -1
    closures: list[tuple[int, int, bool]] = field(default_factory=list)  # link a, link b or -1 (env), axes held as well
    attractors: list[int] = field(default_factory=list)  # link pulled by each
    # data: defaults of every entry of PARAMETERS, each (count, components) float64
    params: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def num_trees(self) -> int:
        return len(self.tree_floating)

    @property
    def num_links(self) -> int:
        return len(self.link_parent)

    @property
    def num_joints(self) -> int:
        return len(self.joint_kind)

    @property
    def num_dofs(self) -> int:
        return sum(3 if kind == JOINT_BALL else 1 for kind in self.joint_kind)

    @property
    def num_shapes(self) -> int:
        return len(self.shape_kind)

    @property
    def num_sensors(self) -> int:
        return len(self.sensor_link)

    def count(self, per: str) -> int:
        """Number of items of a kind named in PARAMETERS, STATE, INPUT or OUTPUT."""
        return {
            "tree": self.num_trees, "link": self.num_links, "joint": self.num_joints, "dof": self.num_dofs,
            "shape": self.num_shapes, "sensor": self.num_sensors, "one": 1, "tendon": len(self.tendons),
            "tendon_joint": sum(len(dofs) for dofs in self.tendons), "joint_equality": len(self.joint_equalities),
            "closure": len(self.closures), "attractor": len(self.attractors),
            "terrain": self.terrain.count if self.terrain else 0,
        }[per]  # fmt: skip
