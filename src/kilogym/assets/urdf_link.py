"""One link element of a URDF file: its inertia, collision shapes and visuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from lxml import etree

from kilogym.assets.asset import Mesh, Shape, ShapeKind, Visual
from kilogym.assets.convex import convex_parts
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.distance_field import DEFAULT_RESOLUTION, DistanceField, distance_field
from kilogym.assets.inertia import NOTHING, MassProperties, matrix
from kilogym.assets.meshes import find_mesh, load_mesh, load_submeshes
from kilogym.assets.options import ImportOptions
from kilogym.assets.tree import TINY_INERTIA, Body, shapes_mass, tuple3, tuple4
from kilogym.assets.xml import children_of, fail, numbers, tag_of
from kilogym.math.quaternion import quat_from_rpy, quat_to_matrix

Rgba = tuple[float, float, float, float]


@dataclass
class Context:
    """What the readers of one file share."""

    file: str
    folder: Path
    root: Path | None
    options: ImportOptions
    diagnostics: Diagnostics
    materials: dict[str, Rgba] = field(default_factory=dict)


@dataclass(frozen=True)
class _Geometry:
    kind: ShapeKind
    size: tuple[float, float, float]
    mesh: Mesh | None = None
    parts: tuple[Mesh, ...] = ()
    field: DistanceField | None = None


def report_unused(
    element: etree._Element, context: Context, attributes: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    """Note every attribute and child of `element` that is not among those read."""
    tag = tag_of(element)
    for attribute in element.attrib:
        if attribute not in attributes:
            context.diagnostics.ignored_attribute(tag, str(attribute), context.file, element.sourceline)
    seen: set[str] = set()
    for child in children_of(element):
        name = tag_of(child)
        if name not in tags:
            context.diagnostics.ignored_element(name, context.file, child.sourceline, _WHY.get(name, ""), tag)
        elif name in seen and name == "inertial":  # exported files have two, and other readers take the first
            why = f"<{tag}> has one already"
            context.diagnostics.ignored_element(name, context.file, child.sourceline, why)
        elif name in seen and name not in _REPEATABLE:
            raise fail(child, context.file, f"<{tag}> has more than one <{name}>", expected="one")
        seen.add(name)


_WHY = {"sdf": "only shapes of <collision> that are meshes have signed distance fields"}
_REPEATABLE = ("link", "joint", "material", "visual", "collision", "transmission", "gazebo", "sensor")


def read_link(element: etree._Element, context: Context) -> Body:
    """A link with its shapes; mass as the file says, else from the collision shapes, else none."""
    report_unused(element, context, ("name",), ("inertial", "visual", "collision"))
    body = Body(name=element.get("name") or "")
    for child in children_of(element):
        if tag_of(child) == "collision":
            geometry, pos, quat = _placed(child, context, visual=False)
            body.shapes.append(
                Shape(
                    link=0,
                    kind=geometry.kind,
                    size=geometry.size,
                    pos=tuple3(pos),
                    quat=tuple4(quat),
                    mesh=geometry.mesh,
                    name=child.get("name", ""),
                    parts=geometry.parts,
                    field=geometry.field,
                )
            )
        elif tag_of(child) == "visual":
            geometry, pos, quat = _placed(child, context, visual=True)
            body.visuals.append(
                Visual(
                    link=0,
                    kind=geometry.kind,
                    size=geometry.size,
                    pos=tuple3(pos),
                    quat=tuple4(quat),
                    rgba=_color(child, context),
                    mesh=geometry.mesh,
                )
            )
    body.mass = _mass(element, body, context)
    return body


def read_origin(parent: etree._Element, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Pose of an <origin> child, identity when absent."""
    origin = parent.find("origin")
    if origin is None:
        return np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])
    report_unused(origin, context, ("xyz", "rpy"), ())
    xyz = numbers(origin, "xyz", 3, context.file, (0.0, 0.0, 0.0))
    rpy = numbers(origin, "rpy", 3, context.file, (0.0, 0.0, 0.0))
    return np.array(xyz), quat_from_rpy(*rpy)


def read_material(element: etree._Element, context: Context) -> tuple[str, Rgba | None]:
    """Name and colour of a <material>; textures are not used."""
    report_unused(element, context, ("name",), ("color",))
    color = element.find("color")
    if color is None or color.get("rgba") is None:
        return element.get("name", ""), None
    report_unused(color, context, ("rgba",), ())
    rgba = [min(max(c, 0.0), 1.0) for c in numbers(color, "rgba", 4, context.file, ())]
    return element.get("name", ""), (rgba[0], rgba[1], rgba[2], rgba[3])


def _color(visual: etree._Element, context: Context) -> Rgba | None:
    element = visual.find("material")
    if element is None:
        return None
    name, rgba = read_material(element, context)
    if rgba is not None and name:
        context.materials.setdefault(name, rgba)
    return rgba if rgba is not None else context.materials.get(name)


def _placed(element: etree._Element, context: Context, visual: bool) -> tuple[_Geometry, np.ndarray, np.ndarray]:
    own = element.find("geometry/mesh")
    tags = ("origin", "geometry", "material") if visual else ("origin", "geometry", *(() if own is None else ("sdf",)))
    report_unused(element, context, ("name",), tags)
    pos, quat = read_origin(element, context)
    geometry = element.find("geometry")
    shapes = [] if geometry is None else [c for c in children_of(geometry) if tag_of(c) in _READERS]
    if geometry is None or len(shapes) != 1:
        raise fail(
            element,
            context.file,
            f"<{tag_of(element)}> needs one geometry",
            expected=f"<geometry> with one of {', '.join(_READERS)}",
            got="no <geometry>" if geometry is None else ", ".join(map(tag_of, children_of(geometry))) or "nothing",
        )
    report_unused(geometry, context, (), tuple(_READERS))
    shape = shapes[0]
    if tag_of(shape) == "mesh":
        return _mesh(shape, context, visual, 0 if visual else _resolution(element, context)), pos, quat
    kind, attributes = _READERS[tag_of(shape)]
    report_unused(shape, context, tuple(name for name, _ in attributes), ())
    values: list[float] = []
    for name, count in attributes:
        if shape.get(name) is None:
            raise fail(shape, context.file, f"<{tag_of(shape)}> has no {name}", expected=f'{name}="..." [m]')
        values += numbers(shape, name, count, context.file, ())
    if min(values) <= 0.0:
        raise fail(shape, context.file, "size of a shape is not positive", expected="> 0 m", got=f"{min(values):g}")
    if kind is ShapeKind.BOX:
        return _Geometry(kind, (values[0] / 2, values[1] / 2, values[2] / 2)), pos, quat
    return _Geometry(kind, (values[0], values[1] / 2 if len(values) > 1 else 0.0, 0.0)), pos, quat


_READERS: dict[str, tuple[ShapeKind, tuple[tuple[str, int], ...]]] = {
    "box": (ShapeKind.BOX, (("size", 3),)),
    "cylinder": (ShapeKind.CYLINDER, (("radius", 1), ("length", 1))),
    "capsule": (ShapeKind.CAPSULE, (("radius", 1), ("length", 1))),
    "sphere": (ShapeKind.SPHERE, (("radius", 1),)),
    "mesh": (ShapeKind.MESH, ()),
}


def _resolution(collision: etree._Element, context: Context) -> int:
    """Cells along the longest side of the signed distance field that is asked for; 0: none is."""
    element = collision.find("sdf")
    if element is None:
        return context.options.sdf_resolution
    report_unused(element, context, ("resolution",), ())
    cells = numbers(element, "resolution", 1, context.file, (float(DEFAULT_RESOLUTION),))[0]
    if cells != int(cells):
        raise fail(element, context.file, "resolution of <sdf> is no whole number", expected="cells", got=f"{cells:g}")
    return int(cells)


def _mesh(element: etree._Element, context: Context, visual: bool, resolution: int) -> _Geometry:
    report_unused(element, context, ("filename", "scale"), ())
    filename = element.get("filename")
    if not filename:
        raise fail(element, context.file, "mesh has no file name", expected='filename="..."')
    text = element.get("scale")
    count = 1 if text is not None and len(text.split()) == 1 else 3
    scale = tuple3((numbers(element, "scale", count, context.file, (1.0, 1.0, 1.0)) * 3)[:3])
    if 0.0 in scale:
        raise fail(element, context.file, "mesh scale is zero", expected="three numbers, none 0", got=repr(text))
    path = find_mesh(
        filename,
        context.folder,
        file=context.file,
        line=element.sourceline,
        element="mesh",
        root=context.root,
    )
    options = context.options
    flip = visual and options.flip_visual_attachments
    mesh = load_mesh(path, scale, colors=visual and options.use_mesh_materials, flip=flip)
    parts: tuple[Mesh, ...] = ()
    if resolution:
        field = distance_field(mesh, resolution, context.file, element.sourceline)
        return _Geometry(ShapeKind.MESH, scale, mesh, field=field)
    if not visual:
        submeshes = load_submeshes(path, scale) if options.convex_decomposition_from_submeshes else []
        parts = convex_parts(mesh, options, context.diagnostics, context.file, element.sourceline, submeshes)
    return _Geometry(ShapeKind.MESH, scale, mesh, parts)


def _mass(link: etree._Element, body: Body, context: Context) -> MassProperties:
    """Mass properties in the link's frame by the rules of Isaac Gym's documentation."""
    inertial = link.find("inertial")
    if inertial is None:
        return shapes_mass(body.shapes, context.options.density)
    file = context.file
    report_unused(inertial, context, (), ("origin", "mass", "inertia"))
    pos, quat = read_origin(inertial, context)
    element = inertial.find("mass")
    mass = 0.0
    if element is not None:
        report_unused(element, context, ("value",), ())
        mass = numbers(element, "value", 1, file, (0.0,))[0]
    if mass < 0.0:
        raise fail(link, file, "mass is negative", expected=">= 0 kg", got=f"{mass:g}")
    tensor = np.zeros((3, 3))
    if (element := inertial.find("inertia")) is not None:
        names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
        report_unused(element, context, names, ())
        rot = quat_to_matrix(quat)
        tensor = rot @ matrix([numbers(element, name, 1, file, (0.0,))[0] for name in names]) @ rot.T
    if mass == 0.0:
        if body.shapes:
            return shapes_mass(body.shapes, context.options.density)
        return MassProperties(0.0, pos, tensor) if tensor.any() else NOTHING
    if tensor.any():
        return MassProperties(mass, pos, tensor)
    context.diagnostics.note(
        "<inertial> gives a mass but no inertia: it is taken from the collision shapes, or tiny without any",
        file,
        inertial.sourceline,
    )
    solid = shapes_mass(body.shapes, 1.0)
    return MassProperties(mass, pos, solid.scaled_to(mass).inertia if solid.mass > 0.0 else TINY_INERTIA * np.eye(3))
