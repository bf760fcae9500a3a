"""Elements of an MJCF file and of those it includes, merged, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from kilogym.assets.errors import AssetError
from kilogym.assets.xml import children_of, read_xml, tag_of

MAX_INCLUDES = 16
"""How deep files may include each other."""


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


def read_nodes(path: Path) -> Node:
    """The root of a file, includes in their places."""
    return _node(read_xml(path, "mujoco"), path, path.resolve().parent, (path.resolve(),))


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
