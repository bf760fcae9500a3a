"""The published stubs of Isaac Gym's API (`isaacgym-stubs` on PyPI), read without importing them."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Signature:
    """One published signature, without self."""

    names: tuple[str, ...]  # argN where the original takes arguments by position only
    required: int
    defaults: dict[str, str]  # source text

    @property
    def positional_only(self) -> bool:
        return all(re.fullmatch(r"arg\d+", name) for name in self.names)


@cache
def tree() -> ast.Module:
    """The parsed stub of gymapi."""
    (file,) = (f for f in importlib.metadata.files("isaacgym-stubs") or () if f.name == "gymapi.pyi")
    # one attribute is called lambda, which Python does not parse
    return ast.parse(file.read_text().replace("def lambda(", "def lambda_("))


def classes() -> dict[str, ast.ClassDef]:
    """Published classes."""
    return {node.name: node for node in tree().body if isinstance(node, ast.ClassDef)}


def module_names() -> set[str]:
    """Everything that the module defines."""
    names = {node.target.id for node in tree().body if isinstance(node, ast.AnnAssign)}
    return names | {node.name for node in tree().body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def members(name: str) -> list[str]:
    """Public attributes and methods of a class."""
    found = []
    for node in classes()[name].body:
        if isinstance(node, ast.AnnAssign):
            found.append(node.target.id)
        elif isinstance(node, ast.FunctionDef):
            found.append("lambda" if node.name == "lambda_" else node.name)
    return sorted({item for item in found if not item.startswith("__")})


def gym_methods() -> dict[str, list[Signature]]:
    """Every method of Gym with its overloads; none where the stub tells no signature at all."""
    out: dict[str, list[Signature]] = {}
    for node in classes()["Gym"].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            known = out.setdefault(node.name, [])
            signature = _signature(node)
            if signature is not None:
                known.append(signature)
    return out


def _signature(node: ast.FunctionDef) -> Signature | None:
    """From the docstring, which has the defaults too; else from the stub."""
    first = (ast.get_docstring(node) or "").partition("\n")[0]
    match = re.match(r"\w+\(self: Gym(?:, )?(.*)\) -> ", first)
    if match is None:
        if node.args.vararg:
            return None
        names = tuple(arg.arg for arg in node.args.args[1:])
        return Signature(names, len(names) - len(node.args.defaults), {})
    names, defaults = [], {}
    for part in _split(match[1]):
        name, _, rest = part.partition(":")
        names.append(name.strip())
        if "=" in rest:
            defaults[names[-1]] = rest.partition("=")[2].strip().replace("- ", "-")
    return Signature(tuple(names), len(names) - len(defaults), defaults)


def _split(text: str) -> list[str]:
    """At the commas that are outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[<(") - (character in "]>)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]
