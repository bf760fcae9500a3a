"""What of MJCF is read: every element and attribute not listed here is dropped before MuJoCo sees the file.

MuJoCo compiles the rest, so files written for Isaac Gym load although they carry attributes that MuJoCo
refuses, and its parser never meets the parts that cannot matter here (textures, keyframes, buffer sizes ...).
"""

from __future__ import annotations

POSE = ("pos", "quat", "axisangle", "xyaxes", "zaxis", "euler")
_GEOM = (
    "name",
    "class",
    "type",
    "contype",
    "conaffinity",
    "group",
    "size",
    "material",
    "rgba",
    "friction",
    "mass",
    "density",
    "shellinertia",
    "fromto",
    "mesh",
    "fitscale",
    *POSE,
)
_JOINT = (
    "name",
    "class",
    "type",
    "pos",
    "axis",
    "range",
    "limited",
    "actuatorfrclimited",
    "actuatorfrcrange",
    "ref",
    "springref",
    "springdamper",
    "stiffness",
    "damping",
    "armature",
    "frictionloss",
)
_SITE = ("name", "class", "type", "size", "fromto", *POSE)
_TENDON = ("name", "class", "limited", "range", "springlength", "stiffness", "damping")
_DRIVE = (
    "name",
    "class",
    "joint",
    "jointinparent",
    "gear",
    "ctrllimited",
    "ctrlrange",
    "forcelimited",
    "forcerange",
)
_EQUALITY = ("name", "class", "active")
EQUALITIES: dict[str, tuple[str, ...]] = {
    "joint": (*_EQUALITY, "joint1", "joint2", "polycoef"),
    "connect": (*_EQUALITY, "body1", "body2", "anchor", "site1", "site2"),
    "weld": (*_EQUALITY, "body1", "body2", "anchor", "relpose", "site1", "site2"),
}
"""Attributes read of constraints, by kind."""
ACTUATORS: dict[str, tuple[str, ...]] = {
    "motor": _DRIVE,
    "position": (*_DRIVE, "kp", "kv", "dampratio", "inheritrange"),
    "velocity": (*_DRIVE, "kv"),
    "general": (*_DRIVE, "gaintype", "gainprm", "biastype", "biasprm"),
}
_BODY_PARTS = ("body", "frame", "replicate", "inertial", "joint", "freejoint", "geom", "site")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "mujoco": ("model",),
    "compiler": (
        "angle",
        "eulerseq",
        "coordinate",
        "inertiafromgeom",
        "inertiagrouprange",
        "balanceinertia",
        "boundmass",
        "boundinertia",
        "settotalmass",
        "autolimits",
        "meshdir",
        "assetdir",
        "strippath",
    ),
    "default": ("class",),
    "asset": (),
    "mesh": ("name", "class", "file", "vertex", "face", "scale", "refpos", "refquat", "inertia"),
    "material": ("name", "class", "rgba"),
    "worldbody": (),
    "body": ("name", "childclass", *POSE),
    "frame": ("name", "childclass", *POSE),
    "replicate": ("count", "offset", "euler", "sep", "childclass"),
    "inertial": ("mass", "diaginertia", "fullinertia", *POSE),
    "joint": _JOINT,
    "freejoint": ("name",),
    "geom": _GEOM,
    "site": _SITE,
    "contact": (),
    "exclude": ("name", "body1", "body2"),
    "tendon": _TENDON,  # as a section it has none of these; as a default it has
    "fixed": _TENDON,
    "equality": (),
    "actuator": (),
    **ACTUATORS,
}
"""Attributes read, by element."""

CHILDREN: dict[str, tuple[str, ...]] = {
    "mujoco": ("compiler", "default", "asset", "worldbody", "contact", "tendon", "equality", "actuator"),
    "default": ("default", "mesh", "material", "joint", "geom", "site", "tendon", *ACTUATORS),
    "asset": ("mesh", "material"),
    "worldbody": _BODY_PARTS,
    "body": _BODY_PARTS,
    "frame": _BODY_PARTS,
    "replicate": _BODY_PARTS,
    "contact": ("exclude",),
    "tendon": ("fixed",),
    "fixed": ("joint",),
    "equality": tuple(EQUALITIES),
    "actuator": tuple(ACTUATORS),
}
"""Elements read, by the element they are in."""

WHY: dict[str, str] = {
    "option": "time step, gravity and solver settings are the simulation's",
    "equality": "constraints are as hard as the simulation makes them",
    "flex": "this kind of constraint is not supported",
    "tendon": "constraints of tendons are not supported",
    "sensor": "add force sensors through the API; the file's sites are kept",
    "pair": "contact pairs follow from the shapes and filters",
    "spatial": "only fixed tendons are read",
    "keyframe": "the initial state is set through the API",
    "muscle": "this kind of actuator is not supported",
    "adhesion": "this kind of actuator is not supported",
    "damper": "this kind of actuator is not supported",
    "cylinder": "this kind of actuator is not supported",
    "intvelocity": "this kind of actuator is not supported",
}
"""Why an element is dropped, where there is more to say than that it is."""

REFUSED = ("composite", "flexcomp", "attach")
"""Elements that make bodies of their own: without them the robot would be another one."""

TEXT_ATTRIBUTES = frozenset(
    (
        "name",
        "class",
        "childclass",
        "model",
        "file",
        "material",
        "mesh",
        "joint",
        "jointinparent",
        "joint1",
        "joint2",
        "site1",
        "site2",
        "body1",
        "body2",
        "meshdir",
        "assetdir",
        "sep",
        "type",
    )
)
"""Attributes whose words are names, so that a body may be called `nan`."""
