"""URDF files -> Asset, in Isaac Gym's order: depth first, a link's children by the name of their joint.

The reader is our own because the order, the collapsing of fixed joints and the defaults are part of what the
API promises: axis (1, 0, 0), identity origin, limits, effort and speed of FLT_MAX, damping and friction 0.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from kilogym.assets.asset import Asset
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.errors import AssetError
from kilogym.assets.options import ImportOptions
from kilogym.assets.tree import Body, assemble, walk
from kilogym.assets.urdf_joint import UrdfJoint, read_joint
from kilogym.assets.urdf_link import Context, read_link, read_material, report_unused
from kilogym.assets.xml import children_of, describe, fail, read_xml, tag_of

_ROBOT_TAGS = ("link", "joint", "material")
_UNUSED = {
    "transmission": "drives are set through the DOF properties",
    "gazebo": "it speaks to another simulator",
    "sensor": "add sensors through the API",
}


def load_urdf(path: Path, options: ImportOptions | None = None, root: Path | None = None) -> Asset:
    """Read a URDF file.

    Args:
        path: The file.
        options: How to import.
        root: The asset root; mesh paths are tried from the file's folder and from here.

    Raises:
        AssetError: The file is missing, broken or says what cannot be.
        NotImplementedError: It asks for what Kilogym does not do yet.
    """
    options = options or ImportOptions()
    file = str(path)
    robot = read_xml(path, "robot")
    diagnostics = Diagnostics()
    context = Context(file=file, folder=path.resolve().parent, root=root, options=options, diagnostics=diagnostics)
    report_unused(robot, context, ("name", "version"), (*_ROBOT_TAGS, *_UNUSED))
    for child in children_of(robot):
        if tag_of(child) in _UNUSED:
            diagnostics.ignored_element(tag_of(child), file, child.sourceline, _UNUSED[tag_of(child)])
        elif tag_of(child) == "material":
            name, rgba = read_material(child, context)
            if name and rgba is not None:
                context.materials[name] = rgba

    links = _named(robot, "link", file)
    bodies = {name: read_link(element, context) for name, element in links.items()}
    joints = [read_joint(element, context) for element in _named(robot, "joint", file).values()]
    top, joint_of = _connect(robot, bodies, joints, file)
    return assemble(
        robot.get("name") or path.stem,
        top,
        options,
        fixed_base=bool(options.fix_base_link),
        source=file,
        sort_key=lambda body: joint_of[id(body)].encode(),  # bytes order as std::string has it
        diagnostics=diagnostics,
        extra={"format": "urdf"},
    )


def _named(robot: etree._Element, tag: str, file: str) -> dict[str, etree._Element]:
    out: dict[str, etree._Element] = {}
    for element in children_of(robot):
        if tag_of(element) != tag:
            continue
        name = element.get("name")
        if not name:
            raise fail(element, file, f"a {tag} has no name", expected=f'<{tag} name="...">')
        if name in out:
            raise fail(
                element,
                file,
                f"two {tag}s have the same name",
                expected="names that differ",
                got=f"{name!r}, also on line {out[name].sourceline}",
            )
        out[name] = element
    if tag == "link" and not out:
        raise AssetError("file has no links", file=file, line=robot.sourceline, expected="at least one <link>")
    return out


def _connect(
    robot: etree._Element, bodies: dict[str, Body], joints: list[UrdfJoint], file: str
) -> tuple[Body, dict[int, str]]:
    """Hang every body on its parent; returns the root and the joint name of each body, by id."""
    joint_of: dict[int, str] = {id(body): "" for body in bodies.values()}
    by_child: dict[str, UrdfJoint] = {}
    names = {item.joint.name for item in joints}
    for item in joints:
        for role, name in (("parent", item.parent), ("child", item.child)):
            if name not in bodies:
                raise fail(
                    item.element,
                    file,
                    f"{role} link of a joint does not exist",
                    got=repr(name),
                    expected=f"one of the links: {', '.join(sorted(bodies))}",
                )
        if item.child in by_child:
            raise fail(
                item.element,
                file,
                f"link '{item.child}' is the child of two joints",
                got=f"'{by_child[item.child].joint.name}' and '{item.joint.name}'",
                expected="a tree: one parent joint for every link but the root",
            )
        if item.joint.mimic is not None and item.joint.mimic[0] not in names:
            raise fail(
                item.element,
                file,
                "a mimic joint follows a joint that does not exist",
                got=item.joint.mimic[0],
            )
        if item.joint.mimic is not None:
            leader = next(other.joint for other in joints if other.joint.name == item.joint.mimic[0])
            if leader.kind.num_dofs > 1 or leader.name == item.joint.name:
                raise fail(
                    item.element,
                    file,
                    "a mimic joint cannot follow this joint",
                    expected="another joint with one DOF",
                    got=repr(leader.name),
                )
        by_child[item.child] = item
        body = bodies[item.child]
        body.pos, body.quat, body.keep = item.pos, item.quat, item.dont_collapse
        body.joints.append(item.joint)
        bodies[item.parent].children.append(body)
        joint_of[id(body)] = item.joint.name
    roots = [name for name in bodies if name not in by_child]
    if len(roots) != 1:
        raise AssetError(
            "links do not form one tree",
            file=file,
            line=robot.sourceline,
            element=describe(robot),
            expected="exactly one link that is no joint's child",
            got=f"{len(roots)}: {', '.join(roots)}" if roots else "none: the joints run in a circle",
        )
    reached = {body.name for body, _ in walk(bodies[roots[0]])}
    if len(reached) != len(bodies):
        lost = sorted(set(bodies) - reached)
        raise AssetError(
            "joints run in a circle",
            file=file,
            line=robot.sourceline,
            element=describe(robot),
            expected="a tree",
            got=f"links not reached from '{roots[0]}': {', '.join(lost)}",
        )
    return bodies[roots[0]], joint_of
