"""The robot of the experiments, about the size of ANYmal, and what it conserves."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.math.quaternion import quat_to_matrix
from kilogym.validation.bodies import FREE, G

BENT = (0.03, 0.4, -0.8)
"""Hip, thigh and shank of a leg that stands bent [rad]."""


def quadruped() -> Asset:
    """A trunk and four legs of three hinges each: 18 DOFs, 34 kg."""
    links = [Link("trunk", -1, mass=19.0, com=(0.02, 0.0, 0.03), inertia=(0.24, 0.65, 0.75, 0.01, 0.02, -0.01))]
    joints = []
    for x in (0.28, -0.28):
        for y in (0.12, -0.12):
            side = float(np.sign(y))
            for name, parent, pos, mass, com, axis, size in (
                ("hip", 0, (x, y, 0.0), 1.6, (0.0, 0.05 * side, 0.0), (1.0, 0.0, 0.0), 0.004),
                ("thigh", -1, (0.0, 0.08 * side, 0.0), 1.7, (0.0, 0.02 * side, -0.12), (0.0, 1.0, 0.0), 0.012),
                ("shank", -1, (0.0, 0.0, -0.25), 0.45, (math.copysign(0.02, x), 0.0, -0.13), (0.0, 1.0, 0.0), 0.006),
            ):
                i = len(links)
                links.append(
                    Link(
                        f"{name}{i}", 0 if parent == 0 else i - 1, pos, mass=mass, com=com,
                        inertia=(size, 0.9 * size, 0.4 * size, 0.0, 0.05 * size, 0.0),
                    )
                )  # fmt: skip
                joints.append(Joint(f"j{i}", JointKind.REVOLUTE, i, axis=axis))
    return Asset("quadruped", tuple(links), tuple(joints), options=FREE)


def with_feet() -> Asset:
    """The quadruped with balls for feet and a capsule for its trunk."""
    asset = quadruped()
    feet = [i for i, link in enumerate(asset.links) if link.name.startswith("shank")]
    shapes = [Shape(i, ShapeKind.SPHERE, (0.03, 0, 0), pos=(0, 0, -0.3)) for i in feet]
    shapes.insert(0, Shape(0, ShapeKind.CAPSULE, (0.1, 0.2, 0), quat=(0, math.sqrt(0.5), 0, math.sqrt(0.5))))
    return dataclasses.replace(asset, shapes=tuple(shapes))


def armoured() -> Asset:
    """The quadruped with capsules for its trunk, thighs and shanks, which do not touch each other."""
    asset = quadruped()
    along_x = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))
    shapes = [Shape(0, ShapeKind.CAPSULE, (0.1, 0.25, 0.0), quat=along_x, contype=1, conaffinity=2)]
    for i, link in enumerate(asset.links):
        if link.name.startswith(("thigh", "shank")):
            shapes.append(Shape(i, ShapeKind.CAPSULE, (0.03, 0.1, 0.0), pos=(0, 0, -0.12), contype=1, conaffinity=2))
    return dataclasses.replace(asset, shapes=tuple(shapes))


def momentum_and_energy(asset: Asset, bodies: np.ndarray, g: float = G) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of link states (..., links, 13): momentum P and angular momentum L about the robot's com, (..., 3) each, and
    kinetic + potential energy (...)."""
    mass = np.array([link.mass for link in asset.links])
    com = np.array([link.com for link in asset.links])
    six = np.array([link.inertia for link in asset.links])
    inertia = six[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
    r = quat_to_matrix(bodies[..., 3:7])
    c = bodies[..., :3] + np.einsum("...lij,lj->...li", r, com)
    v, w = bodies[..., 7:10], bodies[..., 10:13]
    local = np.einsum("...lji,...lj->...li", r, w)
    spin = np.einsum("...lij,ljk,...lk->...li", r, inertia, local)
    p = np.einsum("l,...li->...i", mass, v)
    centre = np.einsum("l,...li->...i", mass, c)[..., None, :] / mass.sum()
    momentum = (np.cross(c - centre, mass[:, None] * v) + spin).sum(-2)
    kinetic = 0.5 * (mass * (v**2).sum(-1)).sum(-1) + 0.5 * (spin * w).sum((-1, -2))
    return p, momentum, kinetic + g * (mass * c[..., 2]).sum(-1)
