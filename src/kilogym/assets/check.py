"""Whether an asset can be simulated: what no file reader lets through, but a hand-made asset may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kilogym.assets.asset import Asset, JointKind, Link, Shape, ShapeKind
from kilogym.assets.inertia import matrix

_LENGTHS = {ShapeKind.SPHERE: 1, ShapeKind.CAPSULE: 2, ShapeKind.CYLINDER: 2, ShapeKind.BOX: 3, ShapeKind.ELLIPSOID: 3}
"""How many numbers of a shape's `size` are lengths."""


def check_asset(asset: Asset) -> None:
    """Raise ValueError for the first thing in the asset that cannot be meant.

    Checked: at least one link; parents before children; finite poses, masses >= 0 and physical inertias; axes of
    some length; lower <= upper; sizes > 0; and that whatever moves has mass to move, or armature.
    """
    if not asset.links:
        raise ValueError(f"asset {asset.name!r}: expected at least one link")
    for i, link in enumerate(asset.links):
        _check_link(link, i, f"asset {asset.name!r}, link {i} ({link.name!r})")
    for joint in asset.joints:
        what = f"asset {asset.name!r}, joint {joint.name!r}"
        if not 0 <= joint.link < len(asset.links):
            raise ValueError(f"{what}: expected a link of 0..{len(asset.links) - 1}, got {joint.link}")
        if joint.kind in (JointKind.REVOLUTE, JointKind.PRISMATIC) and not _length(joint.axis) > 1e-6:
            raise ValueError(f"{what}: expected an axis of some length, got {joint.axis}")
        if joint.has_limits and not joint.lower <= joint.upper:
            raise ValueError(f"{what}: expected lower <= upper limit, got {joint.lower} and {joint.upper}")
    for i, shape in enumerate(asset.shapes):
        _check_shape(shape, len(asset.links), f"asset {asset.name!r}, shape {i}")
    _check_couplings(asset)
    _check_moving_mass(asset)


def _check_couplings(asset: Asset) -> None:
    kinds = {joint.name: joint.kind for joint in asset.joints}

    def demand_joint(name: str, what: str) -> None:
        if kinds.get(name) not in (JointKind.REVOLUTE, JointKind.PRISMATIC):
            got = f"a {kinds[name].value} one" if name in kinds else "none of that name"
            raise ValueError(f"{what}: expected a revolute or prismatic joint {name!r}, got {got}")

    for tendon in asset.tendons:
        what = f"asset {asset.name!r}, tendon {tendon.name!r}"
        if not tendon.joints or len(tendon.joints) != len(tendon.coefficients):
            raise ValueError(
                f"{what}: expected joints and as many coefficients, got {tendon.joints}, {tendon.coefficients}"
            )
        for name in tendon.joints:
            demand_joint(name, what)
        check_tendon(what, tendon.stiffness, tendon.damping, tendon.limit_stiffness, tendon.lower, tendon.upper)
        if not np.isfinite([*tendon.coefficients, tendon.rest_length]).all():
            raise ValueError(f"{what}: expected finite coefficients and rest length")
    for equality in asset.joint_equalities():
        what = f"asset {asset.name!r}, joint equality {equality.name!r}"
        demand_joint(equality.joint, what)
        if equality.leader is not None:
            demand_joint(equality.leader, what)
        if equality.leader == equality.joint:
            raise ValueError(f"{what}: expected two joints, {equality.joint!r} follows itself")
        if len(equality.coefficients) != 5 or not np.isfinite(equality.coefficients).all():
            raise ValueError(f"{what}: expected five finite coefficients, got {equality.coefficients}")
    for closure in asset.closures:
        what = f"asset {asset.name!r}, closure {closure.name!r}"
        n = len(asset.links)
        if not (0 <= closure.link_a < n and -1 <= closure.link_b < n and closure.link_a != closure.link_b):
            raise ValueError(
                f"{what}: expected two different links of 0..{n - 1} (the second may be -1: where the actor is made), "
                f"got {closure.link_a} and {closure.link_b}"
            )
        poses = [*closure.pos_a, *closure.quat_a, *closure.pos_b, *closure.quat_b]
        if not np.isfinite(poses).all() or min(_length(closure.quat_a), _length(closure.quat_b)) < 1e-6:
            raise ValueError(f"{what}: expected finite poses with quaternions, got {poses}")


def check_tendon(
    what: str, stiffness: float, damping: float, limit_stiffness: float, lower: float, upper: float
) -> None:
    """ValueError unless a tendon's numbers can be meant."""
    for name, value in (("stiffness", stiffness), ("damping", damping), ("limit_stiffness", limit_stiffness)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{what}: expected a finite {name} >= 0, got {value}")
    if not lower <= upper:
        raise ValueError(f"{what}: expected lower <= upper limit, got {lower} and {upper}")


def _length(vector: Sequence[float]) -> float:
    return float(np.linalg.norm(vector))


def _check_link(link: Link, index: int, what: str) -> None:
    if (index == 0) != (link.parent < 0) or link.parent >= index:
        raise ValueError(f"{what}: expected a parent before the link (-1 for link 0), got {link.parent}")
    if not np.isfinite([*link.pos, *link.quat, *link.com]).all() or not _length(link.quat) > 1e-6:
        raise ValueError(
            f"{what}: expected finite numbers and a quaternion, got pos {link.pos}, quat {link.quat}, com {link.com}"
        )
    if not (np.isfinite(link.mass) and link.mass >= 0):
        raise ValueError(f"{what}: expected a finite mass >= 0 kg, got {link.mass}")
    moments = np.linalg.eigvalsh(matrix(link.inertia)) if np.isfinite(link.inertia).all() else np.array([-np.inf])
    if moments[0] < -1e-6 * max(moments[-1], 0.0):
        raise ValueError(f"{what}: expected an inertia without negative moments [kg m^2], got {link.inertia}")


def _check_shape(shape: Shape, links: int, what: str) -> None:
    if not 0 <= shape.link < links:
        raise ValueError(f"{what}: expected a link of 0..{links - 1}, got {shape.link}")
    lengths = shape.size[: _LENGTHS.get(shape.kind, 0)]
    if not all(np.isfinite(s) and s > 0 for s in lengths):
        raise ValueError(f"{what}: expected {shape.kind.value} sizes > 0 m, got {tuple(lengths)}")
    if not np.isfinite([*shape.pos, *shape.quat]).all() or not _length(shape.quat) > 1e-6:
        raise ValueError(f"{what}: expected a finite pose with a quaternion, got pos {shape.pos}, quat {shape.quat}")
    if shape.field is not None and (shape.mesh is None or shape.parts):
        got = "convex parts as well" if shape.mesh is not None else f"a {shape.kind.value} without one"
        raise ValueError(f"{what}: expected a mesh by itself, since it has a signed distance field, got {got}")


def _check_moving_mass(asset: Asset) -> None:
    """Every joint that moves, and a floating base, has mass beyond it; a free body can also be turned."""
    beyond = np.array([link.mass for link in asset.links])
    for i in range(len(asset.links) - 1, 0, -1):
        beyond[asset.links[i].parent] += beyond[i]
    for joint in asset.joints:
        if joint.kind.num_dofs and not beyond[joint.link] > 0 and not joint.armature > 0:
            raise ValueError(
                f"asset {asset.name!r}, joint {joint.name!r}: expected mass in link "
                f"{asset.links[joint.link].name!r} or below it, or armature, got none of either"
            )
    if asset.fixed_base:
        return
    root = asset.links[0]
    if not beyond[0] > 0:
        raise ValueError(f"asset {asset.name!r}: expected a floating base of mass > 0 kg, got {beyond[0]}")
    if len(asset.links) == 1 and not np.linalg.eigvalsh(matrix(root.inertia))[0] > 0:
        raise ValueError(
            f"asset {asset.name!r}: expected three moments of inertia > 0 for a free body, got {root.inertia}"
        )
