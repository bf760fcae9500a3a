"""Leaves one body of an MJCF file's world, and nothing that speaks of the others."""

from __future__ import annotations

from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.mjcf_node import Node


def keep_first_body(root: Node, diagnostics: Diagnostics) -> dict[str, set[str]]:
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


def drop_dangling(root: Node, removed: dict[str, set[str]], diagnostics: Diagnostics) -> None:
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
