"""From a tree of bodies, as an importer reads it, to the flat Asset: collapsing, ordering, checking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kilogym.assets.asset import (
    FLT_MAX,
    Actuator,
    Asset,
    Joint,
    JointEquality,
    JointKind,
    Link,
    Shape,
    ShapeKind,
    Tendon,
    Visual,
)
from kilogym.assets.closures import ClosureSpec, Frames, close_loops
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.errors import AssetError
from kilogym.assets.inertia import NOTHING, MassProperties, combine, shape_mass_properties, six
from kilogym.assets.options import ImportOptions
from kilogym.math.quaternion import IDENTITY, quat_normalize, transform_compose

TINY_MASS = 1e-3
"""Mass [kg] of a link that has neither mass nor geometry: light beside any robot, and safe in float32."""
TINY_INERTIA = 1e-6
"""Its inertia about each axis [kg m^2], that of a shell of 1 g and 4 cm radius."""


@dataclass
class Body:
    """A link on its way into an Asset. `pos`, `quat`: pose in the parent's frame with joints at zero."""

    name: str
    mass: MassProperties = NOTHING
    pos: np.ndarray = field(default_factory=lambda: np.zeros(3))
    quat: np.ndarray = field(default_factory=lambda: np.array(IDENTITY))
    joints: list[Joint] = field(default_factory=list)  # their `link` is filled in when flattened
    shapes: list[Shape] = field(default_factory=list)
    visuals: list[Visual] = field(default_factory=list)
    children: list[Body] = field(default_factory=list)
    keep: bool = False  # do not collapse
    sites: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # name: pose in this body
    anchors: Frames = field(default_factory=dict)  # of closures, in this body
    merged: list[str] = field(default_factory=list)  # names of the bodies collapsed into this one

    @property
    def is_fixed(self) -> bool:
        """Whether the body cannot move in its parent."""
        return all(joint.kind is JointKind.FIXED for joint in self.joints)


def tuple3(v: Any) -> tuple[float, float, float]:
    """Three plain floats."""
    return (float(v[0]), float(v[1]), float(v[2]))


def tuple4(v: Any) -> tuple[float, float, float, float]:
    """Four plain floats."""
    return (float(v[0]), float(v[1]), float(v[2]), float(v[3]))


def walk(root: Body, key: Callable[[Body], Any] | None = None) -> list[tuple[Body, int]]:
    """Bodies depth first with the index of each one's parent; children in the order of `key` or as listed."""
    out: list[tuple[Body, int]] = []
    stack: list[tuple[Body, int]] = [(root, -1)]
    while stack:
        body, parent = stack.pop()
        out.append((body, parent))
        children = sorted(body.children, key=key) if key else body.children
        stack.extend((child, len(out) - 1) for child in reversed(children))
    return out


def collapse_fixed_joints(root: Body) -> None:
    """Merge every body that cannot move in its parent into that parent, in place; `keep` exempts a body.

    Mass, shapes, visuals and sites move over; the body's name vanishes; its children become the parent's.
    """
    order = walk(root)
    for body, parent_index in reversed(order):  # leaves first, so that chains of fixed joints fold up
        if parent_index < 0 or body.keep or not body.is_fixed:
            continue
        parent = order[parent_index][0]
        pose = (body.pos, body.quat)
        parent.mass = combine([parent.mass, body.mass.moved(*pose)])
        parent.shapes += [_moved(shape, pose) for shape in body.shapes]
        parent.visuals += [_moved(visual, pose) for visual in body.visuals]
        parent.sites.update({name: transform_compose(pose, site) for name, site in body.sites.items()})
        parent.anchors.update({key: transform_compose(pose, at) for key, at in body.anchors.items()})
        parent.merged += [body.name, *body.merged]
        for child in body.children:
            child.pos, child.quat = transform_compose(pose, (child.pos, child.quat))
        at = next(i for i, child in enumerate(parent.children) if child is body)
        parent.children[at : at + 1] = body.children


def _moved(item: Any, pose: tuple[np.ndarray, np.ndarray]) -> Any:
    pos, quat = transform_compose(pose, (item.pos, item.quat))
    return replace(item, pos=tuple3(pos), quat=tuple4(quat))


def assemble(
    name: str,
    root: Body,
    options: ImportOptions,
    *,
    fixed_base: bool,
    source: str,
    sort_key: Callable[[Body], Any] | None = None,
    actuators: Iterable[Actuator] = (),
    tendons: Iterable[Tendon] = (),
    equalities: Iterable[JointEquality] = (),
    closures: Iterable[ClosureSpec] = (),
    excluded_names: Iterable[tuple[str, str]] = (),
    diagnostics: Diagnostics | None = None,
    extra: dict[str, Any] | None = None,
) -> Asset:
    """Collapse as asked, put the bodies in order, and make the checked Asset.

    Args:
        sort_key: Order of siblings; None keeps the order of the file.
        excluded_names: Pairs of body names that never collide; collapsed names stand for what they became.
    """
    diagnostics = diagnostics or Diagnostics()
    if options.collapse_fixed_joints:
        collapse_fixed_joints(root)
    order = walk(root, sort_key)

    links: list[Link] = []
    joints: list[Joint] = []
    shapes: list[Shape] = []
    visuals: list[Visual] = []
    sites: dict[str, tuple[int, tuple[float, ...], tuple[float, ...]]] = {}
    index_of: dict[str, int] = {}
    for index, (body, parent) in enumerate(order):
        mass = _settled_mass(body, options, source, diagnostics)
        index_of |= dict.fromkeys((body.name, *body.merged), index)
        links.append(
            Link(
                name=body.name,
                parent=parent,
                pos=tuple3(body.pos),
                quat=tuple4(quat_normalize(body.quat)),
                mass=float(mass.mass),
                com=tuple3(mass.com),
                inertia=six(mass.inertia),
            )
        )
        joints += [replace(joint, link=index) for joint in body.joints]
        shapes += [_final_shape(shape, index, options) for shape in body.shapes]
        visuals += [replace(visual, link=index, quat=tuple4(quat_normalize(visual.quat))) for visual in body.visuals]
        for site, (pos, quat) in body.sites.items():
            sites[site] = (index, tuple3(pos), tuple4(quat))
    pairs = {(min(index_of[a], index_of[b]), max(index_of[a], index_of[b])) for a, b in excluded_names}

    asset = Asset(
        name=name,
        links=tuple(links),
        joints=tuple(joints),
        shapes=tuple(shapes),
        visuals=tuple(visuals),
        actuators=tuple(actuators),
        tendons=tuple(tendons),
        equalities=tuple(equalities),
        closures=close_loops([body.anchors for body, _ in order], closures, source, diagnostics),
        fixed_base=fixed_base,
        options=options.body_options(),
        excluded_pairs=tuple(sorted(pair for pair in pairs if pair[0] != pair[1])),
        source=source,
        extra={"sites": sites, **(extra or {})},
    )
    check_asset(asset)
    asset.extra["diagnostics"] = diagnostics.emit(stacklevel=4)
    return asset


def _final_shape(shape: Shape, link: int, options: ImportOptions) -> Shape:
    kind = shape.kind
    if kind is ShapeKind.CYLINDER and options.replace_cylinder_with_capsule:
        kind = ShapeKind.CAPSULE  # same radius, same length of the cylinder part
    return replace(shape, link=link, kind=kind, quat=tuple4(quat_normalize(shape.quat)))


def shapes_mass(shapes: Iterable[Shape], density: float) -> MassProperties:
    """Mass properties of solid collision shapes in their link's frame; meshes as what collides: convex parts, hulls, or
    with a signed distance field themselves."""
    return combine(
        shape_mass_properties(
            s.kind, s.size, density, mesh, hull=s.field is None, closed=s.field is not None
        ).moved(s.pos, quat_normalize(s.quat))
        for s in shapes
        for mesh in s.parts or (s.mesh,)
    )


def _settled_mass(body: Body, options: ImportOptions, source: str, diagnostics: Diagnostics) -> MassProperties:
    """The mass properties the link gets: overrides applied, nothing left at zero or below."""
    mass = body.mass
    if (options.override_com or options.override_inertia) and body.shapes and mass.mass > 0.0:
        solid = shapes_mass(body.shapes, 1.0)
        if solid.mass > 0.0:
            solid = solid.scaled_to(mass.mass)
            mass = MassProperties(
                mass.mass,
                solid.com if options.override_com else mass.com,
                solid.inertia if options.override_inertia else mass.inertia,
            )
    if mass.mass <= 0.0:
        inertia = mass.inertia if mass.inertia.any() else TINY_INERTIA * np.eye(3)
        mass = MassProperties(TINY_MASS, mass.com, inertia)
    if not (np.isfinite(mass.inertia).all() and np.isfinite(mass.com).all() and np.isfinite(mass.mass)):
        raise AssetError(f"mass properties of body '{body.name}' are not finite", file=source)
    values, axes = np.linalg.eigh(mass.inertia)
    floor = max(1e-6 * values[-1], 1e-12)
    if values[0] < floor:
        if values[0] < -1e-9 * abs(values[-1]) or values[-1] <= 0.0:
            diagnostics.note(
                f"inertia of body '{body.name}' is not positive definite (principal moments "
                f"{', '.join(f'{v:.3g}' for v in values)} kg m^2); moments are raised to {floor:.3g}",
                source,
            )
        mass = MassProperties(mass.mass, mass.com, axes @ np.diag(np.maximum(values, floor)) @ axes.T)
    return mass


def check_asset(asset: Asset) -> None:
    """Raise AssetError unless every number is one that float32 holds and every index points where it may."""

    def demand(good: bool, what: str, got: object) -> None:
        if not good:
            raise AssetError(f"{what}", file=asset.source, got=str(got), hint="mend the number in the file")

    def finite(what: str, values: Iterable[float]) -> None:
        values = list(values)
        ok = bool(np.all(np.abs(values) <= FLT_MAX))
        demand(ok, f"{what} is not finite in single precision", values)

    for i, link in enumerate(asset.links):
        demand(link.parent < i, f"link '{link.name}' comes before its parent", link.parent)
        finite(f"pose of link '{link.name}'", (*link.pos, *link.quat))
        finite(f"mass properties of link '{link.name}'", (link.mass, *link.com, *link.inertia))
        demand(link.mass > 0.0, f"mass of link '{link.name}' is not positive", link.mass)
    for joint in asset.joints:
        finite(
            f"joint '{joint.name}'",
            (
                *joint.pos,
                *joint.axis,
                joint.lower,
                joint.upper,
                joint.velocity,
                joint.effort,
                joint.stiffness,
                joint.damping,
                joint.friction,
                joint.armature,
                joint.spring_ref,
            ),
        )
        demand(
            joint.lower <= joint.upper,
            f"limits of joint '{joint.name}' are reversed",
            (joint.lower, joint.upper),
        )
    items: list[Shape | Visual] = [*asset.shapes, *asset.visuals]
    for item in items:
        finite(f"a shape of link '{asset.links[item.link].name}'", (*item.size, *item.pos, *item.quat))
        if item.mesh is not None:
            demand(
                bool(np.all(np.abs(item.mesh.vertices) <= FLT_MAX)),
                f"mesh '{item.mesh.name}' is not finite",
                "",
            )
    for actuator in asset.actuators:
        finite(
            f"actuator '{actuator.name}'",
            (actuator.kp, actuator.kv, actuator.motor_effort, *actuator.control_range, *actuator.force_range),
        )
    for tendon in asset.tendons:
        finite(
            f"tendon '{tendon.name}'",
            (
                *tendon.coefficients,
                tendon.lower,
                tendon.upper,
                tendon.stiffness,
                tendon.damping,
                tendon.rest_length,
                tendon.limit_stiffness,
            ),
        )
    for equality in asset.joint_equalities():
        finite(f"joint equality '{equality.name}'", equality.coefficients)
    for closure in asset.closures:
        finite(f"closure '{closure.name}'", (*closure.pos_a, *closure.quat_a, *closure.pos_b, *closure.quat_b))
