"""Safe XML reading, with places for messages: no entities, no network, no huge trees."""

from __future__ import annotations

import math
import re
from pathlib import Path

from lxml import etree

from kilogym.assets.asset import FLT_MAX
from kilogym.assets.errors import AssetError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_ENDLESS = re.compile(r"([+-]?)(inf|infinity)\Z", re.IGNORECASE)


def read_xml(path: Path, expected_root: str) -> etree._Element:
    """The root element of a file; anything but a well-formed file with that root is an AssetError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AssetError(
            "file cannot be read",
            file=str(path),
            got=f"{type(error).__name__}: {error.strerror}",
            hint="check the asset root and the file name",
        ) from None
    if b"<!ENTITY" in data:
        raise AssetError("file declares XML entities, which are not read", file=str(path), hint="write them out")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser, base_url=str(path))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        line = getattr(error, "lineno", None)
        raise AssetError("not well-formed XML", file=str(path), line=line, got=str(error)) from None
    if tag_of(root) != expected_root:
        raise AssetError(
            "wrong kind of file",
            file=str(path),
            line=root.sourceline,
            expected=f"<{expected_root}>",
            got=f"<{tag_of(root)}>",
            hint="URDF files start with <robot>, MJCF files with <mujoco>",
        )
    return root


def tag_of(element: etree._Element) -> str:
    """The tag's name; empty for what is no element."""
    return element.tag if isinstance(element.tag, str) else ""


def children_of(element: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and entities."""
    return [child for child in element if isinstance(child.tag, str)]


def describe(element: etree._Element) -> str:
    """How messages call an element: its tag, and its name if it has one."""
    name = element.get("name")
    return f"{tag_of(element)} '{name}'" if name else f"<{tag_of(element)}>"


def fail(element: etree._Element, file: str, message: str, **details: str) -> AssetError:
    """An AssetError about an element, to be raised."""
    details.setdefault("element", describe(element))
    return AssetError(message, file=file, line=element.sourceline, **details)


def numbers(element: etree._Element, attribute: str, count: int, file: str, default: tuple[float, ...]) -> list[float]:
    """`count` finite numbers of an attribute, or the default when it is absent."""
    text = element.get(attribute)
    if text is None:
        return list(default)
    tokens = text.replace(",", " ").split()
    if len(tokens) != count:
        raise fail(
            element,
            file,
            f"attribute '{attribute}' has {len(tokens)} numbers",
            expected=f"{count} number{'s' if count > 1 else ''}",
            got=repr(text),
        )
    return [number(token, element, attribute, file) for token in tokens]


def number(token: str, element: etree._Element, attribute: str, file: str, endless: bool = False) -> float:
    """One number that float32 holds. With `endless`, infinities and huge values become FLT_MAX."""
    if endless and (match := _ENDLESS.match(token)):
        return -FLT_MAX if match.group(1) == "-" else FLT_MAX
    value = float(token) if _NUMBER.match(token) else math.nan
    if endless and abs(value) > FLT_MAX:
        return math.copysign(FLT_MAX, value)
    if not abs(value) <= FLT_MAX:
        raise fail(
            element,
            file,
            f"attribute '{attribute}' is not a number",
            expected="a finite number",
            got=repr(token),
        )
    return value
