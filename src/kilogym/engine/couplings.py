"""Rows of couplings: fixed tendons, joint equalities, closures, attractors; and the tables of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from kilogym.engine.model import JOINT_BALL, EnvModel


@dataclass(frozen=True)
class CouplingRows:
    """The rows of an env's couplings in order: tendons, joint equalities, closures, attractors.

    Attributes:
        trees: The tree of each row.
        groups: Per row, the first of the rows that are judged together, and their number: a closure's three for places,
            its three for axes; others alone.
        closure_row: First row of each closure.
    """

    trees: list[int]
    groups: list[tuple[int, int]]
    closure_row: list[int]

    @property
    def count(self) -> int:
        return len(self.trees)


def coupling_rows(model: EnvModel) -> CouplingRows:
    """Number the rows.

    Raises:
        ValueError: a coupling names a DOF or a link that the env does not have, or a DOF of a ball joint.
        NotImplementedError: a coupling spans two actors.
    """
    dof_tree, ball = _dofs(model)
    trees: list[int] = []
    groups: list[tuple[int, int]] = []

    def one_tree(found: set[int], what: str) -> int:
        if len(found) != 1:
            raise NotImplementedError(f"{what}: expected joints or links of one actor, got those of {len(found)}")
        return found.pop()

    for what, dof_lists in (("tendon", model.tendons), ("joint equality", model.joint_equalities)):
        for i, listed in enumerate(dof_lists):
            dofs = [d for d in listed if what == "tendon" or d >= 0]
            if not dofs or not all(0 <= d < model.num_dofs for d in dofs):
                raise ValueError(f"{what} {i}: expected DOFs of 0..{model.num_dofs - 1}, got {list(listed)}")
            if any(ball[d] for d in dofs):
                raise ValueError(f"{what} {i}: expected joints that turn about one axis or slide, got a ball joint")
            groups.append((len(trees), 1))
            trees.append(one_tree({dof_tree[d] for d in dofs}, f"{what} {i}"))
    closure_row = []
    for i, (a, b, weld) in enumerate(model.closures):
        if not (0 <= a < model.num_links and -1 <= b < model.num_links and a != b):
            raise ValueError(
                f"closure {i}: expected two different links of 0..{model.num_links - 1} (the second may be -1: the "
                f"env), got {a} and {b}"
            )
        tree = one_tree({model.link_tree[link] for link in (a, b) if link >= 0}, f"closure {i}")
        closure_row.append(len(trees))
        for _ in range(2 if weld else 1):
            groups += [(len(trees), 3)] * 3
            trees += [tree] * 3
    for i, link in enumerate(model.attractors):
        if not 0 <= link < model.num_links:
            raise ValueError(f"attractor {i}: expected a link of 0..{model.num_links - 1}, got {link}")
        groups += [(len(trees) + j, 1) for j in range(6)]
        trees += [model.link_tree[link]] * 6
    return CouplingRows(trees, groups, closure_row)


def held_trees(model: EnvModel) -> set[int]:
    """The trees that couplings hold."""
    return set(coupling_rows(model).trees)


def coupling_tables(
    model: EnvModel, link_owner: Sequence[int], trees: Sequence[int]
) -> tuple[dict[str, int], dict[str, Sequence[int]]]:
    """Sizes and tables for `tables.emit_tables`.

    Args:
        model: Of the env.
        link_owner: Per link the lane whose limb it is in, -1: the trunk.
        trees: The env's tree at each of the local robot's, on some lane.
    """
    rows = coupling_rows(model)
    links = [link for kind, link in zip(model.joint_kind, model.joint_link, strict=True) for _ in range(_width(kind))]
    held = {rows.trees[r] for r in range(len(model.tendons), rows.count - 6 * len(model.attractors))}
    sizes = {
        "NCR": rows.count, "NTENDONS": len(model.tendons), "NEQUALITIES": len(model.joint_equalities),
        "NCLOSURES": len(model.closures), "NATTRACTORS": len(model.attractors),
    }  # fmt: skip
    tables: dict[str, Sequence[int]] = {
        "env_dof_owner": [link_owner[link] for link in links],
        "coupling_tree": rows.trees,
        "coupling_group": [first for first, _ in rows.groups],
        "coupling_group_rows": [n for _, n in rows.groups],
        "tree_held": [tree in held for tree in trees],
        "tendon_joint0": [0, *itertools.accumulate(len(dofs) for dofs in model.tendons)][:-1],
        "tendon_joints": [len(dofs) for dofs in model.tendons],
        "tendon_dof": [d for dofs in model.tendons for d in dofs],
        "equality_dof": [d for d, _ in model.joint_equalities],
        "equality_leader": [d for _, d in model.joint_equalities],
        "closure_a": [a for a, _, _ in model.closures],
        "closure_b": [b for _, b, _ in model.closures],
        "closure_weld": [weld for _, _, weld in model.closures],
        "closure_row": rows.closure_row,
        "closure_tree": [model.link_tree[a] for a, _, _ in model.closures],
        "attractor_link": model.attractors,
        "attractor_tree": [model.link_tree[link] for link in model.attractors],
    }
    return sizes, tables


def _width(kind: int) -> int:
    return 3 if kind == JOINT_BALL else 1


def _dofs(model: EnvModel) -> tuple[list[int], list[bool]]:
    """The tree of each DOF, and whether it is one of a ball joint."""
    trees, ball = [], []
    for kind, link in zip(model.joint_kind, model.joint_link, strict=True):
        trees += [model.link_tree[link]] * _width(kind)
        ball += [kind == JOINT_BALL] * _width(kind)
    return trees, ball
