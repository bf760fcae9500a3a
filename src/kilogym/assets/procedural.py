"""Boxes, balls and capsules without a file: one body, one shape, no DOFs."""

from __future__ import annotations

import math

import numpy as np

from kilogym.assets.asset import Asset, Shape, ShapeKind, Visual
from kilogym.assets.errors import AssetError
from kilogym.assets.inertia import shape_mass_properties
from kilogym.assets.options import ImportOptions
from kilogym.assets.tree import Body, assemble
from kilogym.math.quaternion import quat_from_axis_angle


def make_box(width: float, height: float, depth: float, options: ImportOptions | None = None) -> Asset:
    """A solid box; `width`, `height`, `depth` [m] are its full sides along x, y, z."""
    sides = _positive(width=width, height=height, depth=depth)
    return _single("box", ShapeKind.BOX, (sides[0] / 2, sides[1] / 2, sides[2] / 2), options)


def make_sphere(radius: float, options: ImportOptions | None = None) -> Asset:
    """A solid ball of `radius` [m]."""
    return _single("sphere", ShapeKind.SPHERE, (_positive(radius=radius)[0], 0.0, 0.0), options)


def make_capsule(radius: float, width: float, options: ImportOptions | None = None) -> Asset:
    """A solid capsule along local x; `width` [m] is the length of its cylinder part."""
    r, length = _positive(radius=radius, width=width)
    along_x = quat_from_axis_angle([0.0, 1.0, 0.0], math.pi / 2)
    return _single("capsule", ShapeKind.CAPSULE, (r, length / 2, 0.0), options, along_x)


def _single(
    name: str,
    kind: ShapeKind,
    size: tuple[float, float, float],
    options: ImportOptions | None,
    quat: np.ndarray | None = None,
) -> Asset:
    options = options or ImportOptions()
    q = (0.0, 0.0, 0.0, 1.0) if quat is None else (float(quat[0]), float(quat[1]), float(quat[2]), float(quat[3]))
    body = Body(name=name, mass=shape_mass_properties(kind, size, options.density).moved(np.zeros(3), q))
    body.shapes.append(Shape(link=0, kind=kind, size=size, quat=q, name=name))
    body.visuals.append(Visual(link=0, kind=kind, size=size, quat=q))
    return assemble(name, body, options, fixed_base=options.fix_base_link, source=f"{name} (procedural)")


def _positive(**sizes: float) -> list[float]:
    for name, value in sizes.items():
        if not (isinstance(value, (int, float, np.floating, np.integer)) and math.isfinite(value) and value > 0.0):
            raise AssetError(f"{name} is not a length", expected="a finite number > 0 [m]", got=repr(value))
    return [float(value) for value in sizes.values()]
