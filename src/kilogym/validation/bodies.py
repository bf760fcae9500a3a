"""Bodies made in a line: homogeneous solids, rods in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import trimesh

from kilogym.assets.asset import Asset, BodyOptions, Joint, JointKind, Link, Mesh, Sensor, Shape, ShapeKind
from kilogym.assets.inertia import matrix, shape_mass_properties, six
from kilogym.math.quaternion import quat_to_matrix

G = 9.81  # [m/s^2]
FREE = BodyOptions(angular_damping=0.0)  # Isaac Gym's default damps rotation, closed forms do not
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def solid(kind: ShapeKind, size: tuple[float, float, float], mass: float) -> tuple[float, ...]:
    """Inertia of a homogeneous solid about its centre, xx yy zz xy xz yz [kg m^2]."""
    if kind is ShapeKind.SPHERE:
        i = 0.4 * mass * size[0] ** 2
        return (i, i, i, 0.0, 0.0, 0.0)
    if kind is ShapeKind.BOX:
        x, y, z = (2 * s for s in size)
        return (
            mass * (y * y + z * z) / 12, mass * (x * x + z * z) / 12, mass * (x * x + y * y) / 12, 0.0, 0.0, 0.0,
        )  # fmt: skip
    r, half = size[0], size[1]
    if kind is ShapeKind.CYLINDER:
        side = mass * (3 * r * r + 4 * half * half) / 12
        return (side, side, mass * r * r / 2, 0.0, 0.0, 0.0)
    # capsule: a cylinder and two half balls, by volume
    tube, ball = math.pi * r * r * 2 * half, 4 / 3 * math.pi * r**3
    mt, mb = mass * tube / (tube + ball), mass * ball / (tube + ball)
    axial = mt * r * r / 2 + 0.4 * mb * r * r
    side = mt * (3 * r * r + 4 * half * half) / 12 + mb * (0.4 * r * r + half * half + 0.75 * half * r)
    return (side, side, axial, 0.0, 0.0, 0.0)


def body(
    kind: ShapeKind | None,
    size: tuple[float, float, float] = (0.1, 0.0, 0.0),
    mass: float = 1.0,
    inertia: tuple[float, ...] | None = None,
    friction: float = 1.0,
    restitution: float = 0.0,
    quat: tuple[float, float, float, float] = IDENTITY,
    sensors: tuple[Sensor, ...] = (),
    com: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Asset:
    """One free body with one shape (or none) at its origin; `quat` turns the shape and its inertia's axes."""
    if inertia is None:
        assert kind is not None
        inertia = turned(solid(kind, size, mass), quat)
    shapes: tuple[Shape, ...] = ()
    if kind is not None:
        shapes = (Shape(0, kind, size, quat=quat, friction=friction, restitution=restitution),)
    link = Link("body", -1, mass=mass, com=com, inertia=tuple(inertia))  # type: ignore[arg-type]
    return Asset("body", (link,), shapes=shapes, sensors=sensors, options=FREE)


def sphere(radius: float = 0.1, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.SPHERE, (radius, 0.0, 0.0), mass, **more)


def box(half: tuple[float, float, float] = (0.1, 0.1, 0.1), mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.BOX, half, mass, **more)


def capsule(radius: float = 0.1, half: float = 0.2, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.CAPSULE, (radius, half, 0.0), mass, **more)


def cylinder(radius: float = 0.1, half: float = 0.2, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.CYLINDER, (radius, half, 0.0), mass, **more)


def ellipsoid(axes: tuple[float, float, float] = (0.12, 0.1, 0.07), mass: float = 1.0, **more) -> Asset:
    inertia = tuple(mass / 5 * (sum(a * a for a in axes) - axis * axis) for axis in axes)
    return body(ShapeKind.ELLIPSOID, axes, mass, (*inertia, 0.0, 0.0, 0.0), **more)


def rock(points: np.ndarray, mass: float = 1.0, friction: float = 1.0) -> Asset:
    """The convex hull of points [m], which need not surround the origin."""
    hull = trimesh.convex.convex_hull(np.asarray(points, float))
    mesh = Mesh("rock", np.array(hull.vertices), np.array(hull.faces))
    size = (1.0, 1.0, 1.0)
    properties = shape_mass_properties(ShapeKind.MESH, size, 1000.0, mesh).scaled_to(mass)
    inertia = six(properties.inertia)
    link = Link("rock", -1, mass=mass, com=tuple(properties.com), inertia=inertia)
    return Asset("rock", (link,), shapes=(Shape(0, ShapeKind.MESH, size, mesh=mesh, friction=friction),), options=FREE)


ALONG_Y = (-math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
"""Turns local z into y: for capsules and cylinders lying across x."""


def turned(inertia: Sequence[float], quat: Sequence[float]) -> tuple[float, ...]:
    """R I R^T of six numbers."""
    r = quat_to_matrix(quat)
    return six(r @ matrix(inertia) @ r.T)


def serial(
    lengths: Sequence[float],
    masses: Sequence[float],
    inertias: Sequence[tuple[float, ...]],
    coms: Sequence[float],
    axis: tuple[float, float, float] = (0.0, 1.0, 0.0),
    kind: JointKind = JointKind.REVOLUTE,
    shapes: tuple[Shape, ...] = (),
    sensors: tuple[Sensor, ...] = (),
    **joint,
) -> Asset:
    """Links hanging in a row from a fixed base: each starts `lengths` below its parent's joint, com below its own.

    Args:
        lengths: Length of each link [m]; the next joint is at its end.
        coms: Distance of each com below its joint [m].
        inertias: About the com, six numbers each.
        joint: Further fields of every joint.
    """
    links = [Link("base", -1)]
    joints = []
    for i, (mass, inertia, com) in enumerate(zip(masses, inertias, coms, strict=True)):
        drop = -lengths[i - 1] if i else 0.0
        links.append(Link(f"link{i}", i, (0.0, 0.0, drop), mass=mass, com=(0.0, 0.0, -com), inertia=inertia))  # type: ignore[arg-type]
        joints.append(Joint(f"joint{i}", kind, i + 1, axis=axis, **joint))
    return Asset("serial", tuple(links), tuple(joints), shapes, sensors=sensors, fixed_base=True, options=FREE)


def rod(length: float, mass: float) -> tuple[float, ...]:
    """Inertia of a thin rod along z about its centre; a little about its own axis keeps it invertible."""
    i = mass * length**2 / 12
    return (i, i, 1e-3 * i, 0.0, 0.0, 0.0)
