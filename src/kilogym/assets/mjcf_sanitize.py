"""Makes of an MJCF file written for Isaac Gym one that MuJoCo compiles, and remembers each line's place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lxml import etree

from kilogym.assets.asset import FLT_MAX, Mesh
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.errors import AssetError
from kilogym.assets.meshes import find_mesh, load_mesh
from kilogym.assets.mjcf_schema import ATTRIBUTES, CHILDREN, EQUALITIES, REFUSED, TEXT_ATTRIBUTES, WHY
from kilogym.assets.options import ImportOptions
from kilogym.assets.xml import children_of, read_xml, tag_of

MAX_INCLUDES = 16
"""How deep files may include each other."""
MAX_REPLICAS = 4096
"""How many copies nested <replicate> elements may make: more is a slip, and would hang the compiler."""
PLACEHOLDER = "0 0 0 1 0 0 0 1 0 0 0 1"
"""Vertices that stand in for a mesh file until its own are handed to MuJoCo in memory."""


@dataclass
class Node:
    """An element of the merged file, with the place it came from."""

    tag: str
    attributes: dict[str, str]
    file: str
    line: int | None
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, tag: str) -> list[Node]:
        """Children of a tag."""
        return [child for child in self.children if child.tag == tag]

    def fail(self, message: str, **details: str) -> AssetError:
        """An AssetError about this element, to be raised."""
        name = self.attributes.get("name")
        details.setdefault("element", f"{self.tag} '{name}'" if name else f"<{self.tag}>")
        return AssetError(message, file=self.file, line=self.line, **details)


@dataclass
class Sanitized:
    """What MuJoCo gets: `xml`, the element that each of its lines came from, and meshes by name, unscaled."""

    xml: str
    lines: list[Node]
    root: Node
    meshes: dict[str, Mesh]

    @property
    def actuators(self) -> list[Node]:
        """Actuator elements in file order."""
        return [node for section in self.root.find("actuator") for node in section.children]


def sanitize(path: Path, options: ImportOptions, diagnostics: Diagnostics) -> Sanitized:
    """Read a file with its includes, drop what is not used (noting each kind), and check the numbers."""
    folder = path.resolve().parent
    root = _node(read_xml(path, "mujoco"), path, folder, (path.resolve(),))
    _filter(root, diagnostics)
    _check(root, 1)
    removed = _keep_first_body(root, diagnostics)
    _drop_dangling(root, removed, diagnostics)
    if options.density != 1000.0:
        _default_density(root, options.density)
    meshes = _take_meshes(root, folder)
    xml, lines = _write(root)
    return Sanitized(xml, lines, root, meshes)


def _node(element: etree._Element, path: Path, folder: Path, chain: tuple[Path, ...]) -> Node:
    node = Node(tag_of(element), {str(k): str(v) for k, v in element.attrib.items()}, str(path), element.sourceline)
    for child in children_of(element):
        if tag_of(child) != "include":
            node.children.append(_node(child, path, folder, chain))
            continue
        include = Node("include", {str(k): str(v) for k, v in child.attrib.items()}, str(path), child.sourceline)
        name = include.attributes.get("file", "")
        target = _included(name, folder, path, include)
        if target in chain or len(chain) > MAX_INCLUDES:
            raise include.fail(
                "files include each other in a circle", got=" -> ".join(p.name for p in (*chain, target))
            )
        inner = etree.Element("none")
        for tag in ("mujocoinclude", "mujoco"):
            try:
                inner = read_xml(target, tag)
                break
            except AssetError as error:
                if tag == "mujoco" or "wrong kind" not in error.message:
                    raise
        node.children += _node(inner, target, folder, (*chain, target)).children
    return node


def _included(name: str, folder: Path, path: Path, include: Node) -> Path:
    for base in (folder, path.resolve().parent):
        try:
            if name and (base / name).is_file():
                return (base / name).resolve()
        except (OSError, ValueError):
            break
    raise include.fail("included file not found", got=repr(name), expected=f"a file in {folder}")


def _filter(node: Node, diagnostics: Diagnostics) -> None:
    """Drop what is not in the schema, in place."""
    special: dict[str, dict[str, tuple[str, ...]]] = {"fixed": {"joint": ("joint", "coef")}, "equality": EQUALITIES}
    own = special.get(node.tag, ATTRIBUTES)
    allowed_children = CHILDREN.get(node.tag, ())
    kept = []
    for child in node.children:
        if child.tag in REFUSED:
            raise NotImplementedError(
                f"{child.file}:{child.line}: <{child.tag}> makes bodies of its own and is not supported. "
                "Write the bodies out (MuJoCo's compiler can save them), or remove the element."
            )
        if child.tag not in allowed_children:
            why = WHY.get(child.tag, "") or _did_you_mean(child.tag, allowed_children)
            diagnostics.ignored_element(child.tag, child.file, child.line, why, node.tag)
            continue
        allowed = own[child.tag]
        for name in [name for name in child.attributes if name not in allowed]:
            del child.attributes[name]
            diagnostics.ignored_attribute(
                child.tag, name, child.file, child.line, _did_you_mean(name, allowed) if len(name) > 3 else ""
            )
        kept.append(child)
        _filter(child, diagnostics)
    node.children = kept


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.8)
    return f"did you mean '{close[0]}'?" if close else ""


def _check(node: Node, replicas: int) -> None:
    """Refuse numbers that are none, and counts that would never end."""
    for name, text in node.attributes.items():
        if name in TEXT_ATTRIBUTES:
            continue
        for token in text.split():
            try:
                value = float(token)
            except ValueError:
                continue  # a keyword, or something MuJoCo will complain about
            if not abs(value) <= FLT_MAX:
                raise node.fail(
                    f"attribute '{name}' is not a finite number", got=repr(text), expected="a finite number"
                )
    if node.tag == "compiler" and node.attributes.pop("coordinate", "local") != "local":
        raise NotImplementedError(
            f'{node.file}:{node.line}: coordinate="global" is no longer read by MuJoCo, nor by Kilogym. '
            "Load and save the file once with MuJoCo 2.3.2 or older to turn it into local coordinates."
        )
    if node.tag == "replicate":
        try:
            count = int(node.attributes.get("count", "1"))
        except ValueError:
            raise node.fail("count is not a whole number", got=node.attributes["count"]) from None
        replicas *= max(count, 1)
        if replicas > MAX_REPLICAS:
            raise node.fail("too many replicas", got=str(replicas), expected=f"at most {MAX_REPLICAS}")
    for child in node.children:
        _check(child, replicas)


def _keep_first_body(root: Node, diagnostics: Diagnostics) -> dict[str, set[str]]:
    """Leave the first body under worldbody and what it contains; returns the names that went, by tag."""
    removed: dict[str, set[str]] = {}

    def prune(node: Node, found: bool) -> bool:
        kept = []
        for child in node.children:
            if child.tag == "body" and not found:
                found = True
                kept.append(child)
                continue
            if child.tag in ("frame", "replicate") and not found and any(n.tag == "body" for n in child.walk()):
                found = prune(child, found)
                kept.append(child)
                continue
            for gone in child.walk():
                removed.setdefault(gone.tag, set()).add(gone.attributes.get("name", ""))
            why = "only the first body is imported" if child.tag == "body" else "it belongs to the world, not the robot"
            diagnostics.ignored_element(child.tag, child.file, child.line, why, "worldbody")
        node.children = kept
        return found

    found = False
    for world in root.find("worldbody"):
        found = prune(world, found)
    if not found:
        raise root.fail("file has no body", expected="<worldbody> with a <body> in it")
    return removed


def _drop_dangling(root: Node, removed: dict[str, set[str]], diagnostics: Diagnostics) -> None:
    """Drop what speaks of bodies and joints that were not imported, and materials that no one defined."""
    gone_bodies, gone_joints = (
        removed.get("body", set()),
        removed.get("joint", set()) | removed.get("freejoint", set()),
    )
    for section in root.find("contact"):
        section.children = [
            n
            for n in section.children
            if not {n.attributes.get("body1"), n.attributes.get("body2")} & (gone_bodies | {"world"})
        ]
    for section in root.find("tendon"):
        for tendon in list(section.children):
            if any(j.attributes.get("joint") in gone_joints for j in tendon.children):
                section.children.remove(tendon)
                diagnostics.ignored_element("fixed", tendon.file, tendon.line, "its joints are not imported", "tendon")
    for section in root.find("equality"):
        for node in list(section.children):
            joints, bodies, sites = (
                {node.attributes.get(f"{kind}{i}") for i in (1, 2)} for kind in ("joint", "body", "site")
            )
            if joints & gone_joints or bodies & gone_bodies or sites & removed.get("site", set()):
                section.children.remove(node)
                why = "what it constrains is not imported"
                diagnostics.ignored_element(node.tag, node.file, node.line, why, "equality")
    for section in root.find("actuator"):
        for node in list(section.children):
            joint = node.attributes.get("joint") or node.attributes.get("jointinparent")
            if joint is None or joint in gone_joints:
                section.children.remove(node)
                why = "its joint is not imported" if joint else "it does not drive a joint"
                diagnostics.ignored_element(node.tag, node.file, node.line, why, "actuator")
    materials = {m.attributes.get("name") for asset in root.find("asset") for m in asset.find("material")}
    for node in root.walk():
        if node.tag in ("geom", "site") and node.attributes.get("material", None) not in (None, *materials):
            name = node.attributes.pop("material")
            diagnostics.note(f"material '{name}' is not defined", node.file, node.line)


def _default_density(root: Node, density: float) -> None:
    """Let the option's density be that of geoms whose file and class say none."""
    mains = [n for n in root.find("default") if n.attributes.get("class", "main") == "main"]
    main = mains[0] if mains else Node("default", {}, root.file, root.line)
    if not mains:
        root.children.insert(0, main)
    geoms = main.find("geom") or [Node("geom", {}, root.file, root.line)]
    if geoms[0] not in main.children:
        main.children.insert(0, geoms[0])
    geoms[0].attributes.setdefault("density", repr(float(density)))


def _take_meshes(root: Node, folder: Path) -> dict[str, Mesh]:
    """Load the mesh files ourselves (MuJoCo reads few formats); placeholders take their places."""
    meshdir, strip = "", False
    for compiler in root.find("compiler"):
        meshdir = compiler.attributes.pop("assetdir", meshdir)
        meshdir = compiler.attributes.pop("meshdir", meshdir)
        strip = compiler.attributes.pop("strippath", str(strip)).lower() == "true"
    meshes: dict[str, Mesh] = {}
    for asset in root.find("asset"):
        for node in asset.find("mesh"):
            node.attributes.setdefault("inertia", "convex")
            file = node.attributes.pop("file", None)
            if file is None:
                continue
            name = node.attributes.setdefault("name", Path(file).stem)
            wanted = re.split(r"[\\/]", file)[-1] if strip else file
            found = find_mesh(
                wanted,
                folder / meshdir,
                file=node.file,
                line=node.line,
                element=f"mesh '{name}'",
                root=folder,
            )
            meshes[name] = load_mesh(found)
            node.attributes.pop("face", None)
            node.attributes["vertex"] = PLACEHOLDER
    return meshes


def _write(root: Node) -> tuple[str, list[Node]]:
    """One line per tag, so that a line number in a message of MuJoCo's finds its element."""
    text: list[str] = []
    lines: list[Node] = []

    def put(line: str, node: Node) -> None:
        text.append(line)
        lines.append(node)

    def write(node: Node) -> None:
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in node.attributes.items())
        put(f"<{node.tag}{attributes}{'' if node.children else '/'}>", node)
        for child in node.children:
            write(child)
        if node.children:
            put(f"</{node.tag}>", node)

    write(root)
    return "\n".join(text), lines


def explain(error: Exception, sanitized: Sanitized, path: Path) -> AssetError:
    """MuJoCo's message as an AssetError with the place in the file the user wrote."""
    text = " ".join(str(error).split())
    match = re.search(r"line (\d+)", text)
    index = int(match.group(1)) - 1 if match else -1
    message = re.sub(r",? ?line \d+", "", re.sub(r"^(XML )?Error: ?", "", text))
    hint = "correct the element; the MJCF reference of MuJoCo describes each attribute"
    if 0 <= index < len(sanitized.lines):
        return sanitized.lines[index].fail("MuJoCo cannot compile the file", got=message, hint=hint)
    return AssetError("MuJoCo cannot compile the file", file=str(path), got=message, hint=hint)
