"""Small assets with hand-known numbers."""

from __future__ import annotations

from kilogym.assets.asset import (
    Asset,
    BodyOptions,
    DriveMode,
    Joint,
    JointKind,
    Link,
    Mesh,
    Sensor,
    Shape,
    ShapeKind,
)

STILL = BodyOptions(angular_damping=0.0)


def ball(radius: float = 0.1, mass: float = 1.0, name: str = "ball", **shape) -> Asset:
    """A free solid sphere."""
    inertia = 0.4 * mass * radius**2
    return Asset(
        name=name,
        links=(Link(name, -1, mass=mass, inertia=(inertia, inertia, inertia, 0, 0, 0)),),
        shapes=(Shape(0, ShapeKind.SPHERE, (radius, 0, 0), **shape),),
        options=STILL,
    )


def box(name: str = "box", fixed: bool = False) -> Asset:
    return Asset(
        name=name,
        links=(Link(name, -1),),
        shapes=(Shape(0, ShapeKind.BOX, (0.1, 0.2, 0.3)),),
        fixed_base=fixed,
        options=STILL,
    )


def mesh(name: str = "mesh", fixed: bool = False) -> Asset:
    import numpy as np

    geometry = Mesh("m", np.zeros((3, 3)), np.zeros((1, 3), int))
    return Asset(
        name=name,
        links=(Link(name, -1),),
        shapes=(Shape(0, ShapeKind.MESH, (1, 1, 1), mesh=geometry),),
        fixed_base=fixed,
    )


def arm(name: str = "arm") -> Asset:
    """A fixed base, a hinged upper arm, a sliding hand and a welded fingertip; spheres on the last three."""
    return Asset(
        name=name,
        links=(
            Link("base", -1),
            Link("upper", 0, pos=(0, 0, 0.5), mass=2.0, com=(0, 0, 0.2)),
            Link("hand", 1, pos=(0, 0, 0.4), mass=0.5),
            Link("tip", 2, pos=(0, 0, 0.1), mass=0.1),
        ),
        joints=(
            Joint("shoulder", JointKind.REVOLUTE, 1, axis=(0, 1, 0), has_limits=True, lower=-1.0, upper=1.5,
                  stiffness=5.0, damping=0.5, effort=30.0, drive_mode=DriveMode.POSITION),
            Joint("slide", JointKind.PRISMATIC, 2, axis=(0, 0, 2), has_limits=True, lower=-0.1, upper=0.2,
                  spring_ref=0.05, armature=0.01, drive_mode=DriveMode.EFFORT),
            Joint("weld", JointKind.FIXED, 3),
        ),
        shapes=(
            Shape(1, ShapeKind.SPHERE, (0.05, 0, 0), name="elbow"),
            Shape(2, ShapeKind.SPHERE, (0.04, 0, 0), friction=0.6),
            Shape(3, ShapeKind.SPHERE, (0.03, 0, 0), pos=(0, 0, 0.02)),
        ),
        sensors=(Sensor(3, pos=(0, 0, 0.01), world_frame=True),),
        fixed_base=True,
        options=STILL,
    )  # fmt: skip


def walker(name: str = "walker") -> Asset:
    """A floating torso with two hinged capsule legs."""
    leg = (0.03, 0.1, 0.0)
    light = (0.01, 0.01, 0.01, 0.0, 0.0, 0.0)
    hinge = {"axis": (0.0, 1.0, 0.0), "drive_mode": DriveMode.EFFORT, "armature": 0.01}
    return Asset(
        name=name,
        links=(
            Link("torso", -1, mass=3.0, com=(0.01, 0, 0), inertia=(0.05, 0.05, 0.05, 0, 0, 0)),
            Link("left", 0, pos=(0, 0.15, -0.05), mass=0.5, com=(0, 0, -0.1), inertia=light),
            Link("right", 0, pos=(0, -0.15, -0.05), mass=0.5, com=(0, 0, -0.1), inertia=light),
        ),
        joints=(
            Joint("left_hip", JointKind.REVOLUTE, 1, **hinge),
            Joint("right_hip", JointKind.REVOLUTE, 2, **hinge),
        ),
        shapes=(
            Shape(0, ShapeKind.SPHERE, (0.1, 0, 0)),
            Shape(1, ShapeKind.CAPSULE, leg, pos=(0, 0, -0.1)),
            Shape(2, ShapeKind.CAPSULE, leg, pos=(0, 0, -0.1)),
        ),
        sensors=(Sensor(1), Sensor(2)),
        options=STILL,
    )
