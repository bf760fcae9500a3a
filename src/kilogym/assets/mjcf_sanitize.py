"""Makes of an MJCF file written for Isaac Gym one that MuJoCo compiles, and remembers each line's place."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from kilogym.assets.asset import FLT_MAX, Mesh
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.errors import AssetError
from kilogym.assets.meshes import find_mesh, load_mesh
from kilogym.assets.mjcf_node import Node, read_nodes
from kilogym.assets.mjcf_prune import drop_dangling, keep_first_body
from kilogym.assets.mjcf_schema import ATTRIBUTES, CHILDREN, EQUALITIES, REFUSED, TEXT_ATTRIBUTES, WHY
from kilogym.assets.options import ImportOptions

MAX_REPLICAS = 4096
"""How many copies nested <replicate> elements may make: more is a slip, and would hang the compiler."""
PLACEHOLDER = "0 0 0 1 0 0 0 1 0 0 0 1"
"""Vertices that stand in for a mesh file until its own are handed to MuJoCo in memory."""


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
    root = read_nodes(path)
    _filter(root, diagnostics)
    _check(root, 1)
    removed = keep_first_body(root, diagnostics)
    drop_dangling(root, removed, diagnostics)
    if options.density != 1000.0:
        _default_density(root, options.density)
    meshes = _take_meshes(root, folder)
    xml, lines = _write(root)
    return Sanitized(xml, lines, root, meshes)


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
