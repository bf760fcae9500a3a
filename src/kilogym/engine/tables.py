"""Topology -> the constant tables that the native headers are written against.

The tables are C++ text: namespace-scope constants, one batch of envs per compiled module. They hold structure
only (who is whose parent, which DOFs lie on a path); masses, frames and gains are data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kilogym.engine.model import (
    JOINT_BALL,
    SHAPE_BOX,
    SHAPE_CAPSULE,
    SHAPE_CYLINDER,
    SHAPE_SPHERE,
    EnvModel,
)

GROUND_POINTS = {SHAPE_SPHERE: 1, SHAPE_CAPSULE: 2, SHAPE_BOX: 8, SHAPE_CYLINDER: 8}
"""Candidate contact points of a shape against the ground plane."""

MOST_UNROLLED = 40
"""Velocities of an env up to which loops are unrolled on CUDA: beyond, compiling takes minutes (118: over 400 s)."""


@dataclass(frozen=True)
class Topology:
    """Index structure of an env's generalised velocity and contact slots, derived from an EnvModel.

    "v" counts generalised velocities: per floating tree 6 of the root, then the DOFs of the tree's joints.
    """

    v_link: list[int]
    v_tree: list[int]
    v_dof: list[int]  # -1 for the six of a root
    dof_v: list[int]
    ancestors: list[list[int]]  # nearest first, per v
    link_path: list[list[int]]  # v's from the link to its root, leaf first
    tree_v0: list[int]
    tree_vs: list[int]
    tree_link0: list[int]
    tree_links: list[int]
    link_v0: list[int]
    link_vs: list[int]  # joint DOFs only
    link_joint0: list[int]
    link_joints: list[int]
    joint_dof0: list[int]
    ground_shapes: list[int]
    pair_slots: list[int]
    ground_slots: list[int]
    num_slots: int
    max_contacts: int


def build_topology(model: EnvModel) -> Topology:
    """Number velocities, paths and contact slots of an env."""
    nl = model.num_links
    joint_dof0, count = [], 0
    for kind in model.joint_kind:
        joint_dof0.append(count)
        count += 3 if kind == JOINT_BALL else 1
    joints_of: list[list[int]] = [[] for _ in range(nl)]
    for j, link in enumerate(model.joint_link):
        joints_of[link].append(j)

    v_link: list[int] = []
    v_tree: list[int] = []
    v_dof: list[int] = []
    ancestors: list[list[int]] = []
    dof_v = [0] * count
    link_path: list[list[int]] = []
    link_v0, link_vs = [0] * nl, [0] * nl
    tree_v0: list[int] = []
    tree_link0: list[int] = []
    sizes = [model.link_tree.count(t) for t in range(model.num_trees)]

    def add(link: int, dof: int, above: list[int]) -> int:
        v_link.append(link)
        v_tree.append(model.link_tree[link])
        v_dof.append(dof)
        ancestors.append(list(above))
        return len(v_link) - 1

    for link in range(nl):
        tree, parent = model.link_tree[link], model.link_parent[link]
        if parent < 0:
            tree_v0.append(len(v_link))
            tree_link0.append(link)
            path: list[int] = []
            if model.tree_floating[tree]:
                # about its com a single body's translation and rotation do not couple, nor do translations
                alone = sizes[tree] == 1
                linear: list[int] = []
                for _ in range(3):
                    linear.insert(0, add(link, -1, [] if alone else linear))
                angular: list[int] = []
                for _ in range(3):
                    angular.insert(0, add(link, -1, angular if alone else angular + linear))
                path = angular + linear
        else:
            path = list(link_path[parent])
        link_v0[link] = len(v_link)
        for j in joints_of[link]:
            for i in range(3 if model.joint_kind[j] == JOINT_BALL else 1):
                dof = joint_dof0[j] + i
                dof_v[dof] = add(link, dof, path)
                path = [dof_v[dof], *path]
        link_vs[link] = len(v_link) - link_v0[link]
        link_path.append(path)
    tree_vs = [v_tree.count(t) for t in range(model.num_trees)]

    slot = 0
    pair_slots = []
    for a, b in model.pairs:
        pair_slots.append(slot)
        slot += 2 if model.shape_kind[a] == model.shape_kind[b] == SHAPE_CAPSULE else 1
    ground_shapes = [s for s in range(model.num_shapes) if model.shape_ground[s] and model.has_ground]
    ground_slots = []
    for shape in ground_shapes:
        ground_slots.append(slot)
        slot += GROUND_POINTS[model.shape_kind[shape]]
    # measured: an Ant never loads more than 5 contacts, a lying Humanoid 10
    wanted = model.max_contacts or (12 if slot <= 40 and not model.pairs else 24)
    return Topology(
        v_link, v_tree, v_dof, dof_v, ancestors, link_path, tree_v0, tree_vs, tree_link0, sizes, link_v0, link_vs,
        [js[0] if js else 0 for js in joints_of], [len(js) for js in joints_of], joint_dof0,
        ground_shapes, pair_slots, ground_slots, slot, min(wanted, slot),
    )  # fmt: skip


def _table(name: str, values: Sequence[int]) -> str:
    items = ", ".join(str(int(v)) for v in values) if values else "0"
    return f"KG_TABLE int {name}[{max(len(values), 1)}] = {{{items}}};"


def emit_tables(model: EnvModel, topology: Topology, real: str) -> str:
    """C++ text of every constant the headers name. `real`: "float" or "double"."""
    t = topology
    rows, total = [], 0
    for above in t.ancestors:
        rows.append(total)
        total += 1 + len(above)
    anc_rows: list[int] = []
    flat: list[int] = []
    for above in t.ancestors:
        anc_rows.append(len(flat))
        flat += above
    paths: list[int] = []
    link_path, path_link, v_path = [], [], []
    for link, path in enumerate(t.link_path):
        link_path.append(len(paths))
        paths += path
        path_link += [link] * len(path)
    for v, above in enumerate(t.ancestors):
        v_path.append(len(paths))
        paths += [v, *above]
        path_link += [t.v_link[v]] * (1 + len(above))
    longest_path = max([1, *(len(t.link_path[link]) for link in model.shape_link)])
    sizes = {
        "NT": model.num_trees, "NL": model.num_links, "NJ": model.num_joints, "ND": model.num_dofs,
        "ND1": max(1, model.num_dofs), "NV": max(1, len(t.v_link)), "NM": max(1, total),
        "NP": len(model.pairs), "NG": len(t.ground_shapes),
        "NSENSORS": model.num_sensors, "MAX_CONTACTS": t.max_contacts, "MAX_CONTACTS1": max(1, t.max_contacts),
        "PATH": longest_path, "ROW": longest_path * (2 if model.pairs else 1),
        "PATH_V": max([1, *(1 + len(above) for above in t.ancestors)]),
    }  # fmt: skip
    lines = [f"#define KG_REAL {real}", f"#define KG_ROLLED {int(len(t.v_link) > MOST_UNROLLED)}"]
    lines += [f"static constexpr int {name} = {value};" for name, value in sizes.items()]
    lines += [
        "enum { JOINT_REVOLUTE = 0, JOINT_PRISMATIC = 1, JOINT_BALL = 2 };",
        "enum { SHAPE_SPHERE = 0, SHAPE_CAPSULE = 1, SHAPE_BOX = 2, SHAPE_CYLINDER = 3 };",
        "enum { FAULT_NONFINITE = 1, FAULT_OVERFLOW = 2, FAULT_CLAMPED = 4 };",
        f"static constexpr bool HAS_GROUND = {str(bool(t.ground_shapes)).lower()};",
        f"static constexpr bool PROJECT_MOMENTUM = {str(any(model.tree_floating)).lower()};",
    ]
    tables: dict[str, Sequence[int]] = {
        "tree_floating": model.tree_floating, "tree_v0": t.tree_v0, "tree_vs": t.tree_vs,
        "tree_link0": t.tree_link0, "tree_links": t.tree_links,
        "link_parent": model.link_parent, "link_tree": model.link_tree, "link_joint0": t.link_joint0,
        "link_joints": t.link_joints, "link_v0": t.link_v0, "link_vs": t.link_vs,
        "link_path": link_path, "link_path_length": [len(p) for p in t.link_path], "path_link": path_link,
        "path_v": paths, "v_path": v_path, "v_link": t.v_link, "v_tree": t.v_tree, "v_dof": t.v_dof,
        "joint_kind": model.joint_kind, "joint_dof0": t.joint_dof0, "dof_v": t.dof_v,
        "m_row": rows, "anc_row": anc_rows, "anc_len": [len(a) for a in t.ancestors], "anc": flat,
        "shape_kind": model.shape_kind, "shape_link": model.shape_link,
        "pair_a": [a for a, _ in model.pairs], "pair_b": [b for _, b in model.pairs], "pair_slot": t.pair_slots,
        "ground_shape": t.ground_shapes, "ground_slot": t.ground_slots,
        "ground_points": [GROUND_POINTS[model.shape_kind[s]] for s in t.ground_shapes],
        "sensor_link": model.sensor_link, "sensor_flags": model.sensor_flags,
    }  # fmt: skip
    lines += [_table(name, values) for name, values in tables.items()]
    return "\n".join(lines)
