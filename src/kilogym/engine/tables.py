"""Topology -> the constant tables that the native headers are written against.

The tables are C++ text: namespace-scope constants, one batch of envs per compiled module. They hold structure
only (who is whose parent, which DOFs lie on a path); masses, frames and gains are data.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from kilogym.engine.model import (
    JOINT_BALL,
    JOINT_PRISMATIC,
    SHAPE_BOX,
    SHAPE_CAPSULE,
    SHAPE_CYLINDER,
    SHAPE_SPHERE,
    EnvModel,
)

GROUND_POINTS = {SHAPE_SPHERE: 1, SHAPE_CAPSULE: 2, SHAPE_BOX: 8, SHAPE_CYLINDER: 8}
"""Candidate contact points of a shape against the ground plane."""


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
    ground_shapes: list[int]  # per candidate point against the ground
    ground_points: list[int]  # its number on the shape
    pair_slots: list[int]
    ground_slot: int
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
    ground_slot = slot
    counts = [GROUND_POINTS[model.shape_kind[shape]] for shape in ground_shapes]
    ground_points = [i for n in counts for i in range(n)]
    ground_shapes = [shape for shape, n in zip(ground_shapes, counts, strict=True) for _ in range(n)]
    slot += len(ground_points)
    # measured: an Ant never loads more than 5 contacts, a lying Humanoid 10
    wanted = model.max_contacts or (12 if slot <= 40 and not model.pairs else 24)
    return Topology(
        v_link, v_tree, v_dof, dof_v, ancestors, link_path, tree_v0, tree_vs, tree_link0, sizes, link_v0, link_vs,
        [js[0] if js else 0 for js in joints_of], [len(js) for js in joints_of], joint_dof0,
        ground_shapes, ground_points, pair_slots, ground_slot, slot, min(wanted, slot),
    )  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """How a kernel's threads share an env."""

    lanes: int = 1  # threads per env
    block: int = 1  # threads per block
    local: bool = True  # all rows in the env's own memory (the CPU's stack), else in a buffer of the batch


SHARED_DELASSUS = 384
"""Numbers of an env's Delassus matrix that a lane group keeps in shared memory; a larger one goes to the buffer."""


def delassus_words(model: EnvModel, topology: Topology) -> int:
    """Numbers of the Delassus matrix with every DOF row and every contact (native/rows.h)."""
    nd, nc = max(1, model.num_dofs), max(1, topology.max_contacts)
    return nd * (nd + 1) // 2 + 3 * nd * nc + 9 * (nc * (nc + 1) // 2)


def row_words(model: EnvModel, topology: Topology) -> int:
    """Numbers per env in a batch's buffer of rows: contact rows, and a Delassus matrix too large to be shared."""
    largest = delassus_words(model, topology)
    rows = max(1, topology.max_contacts) * row_length(topology, model) * 4
    return -(-(rows + (largest if largest > SHARED_DELASSUS else 0)) // 4) * 4


def work_bytes(model: EnvModel, topology: Topology, real_bytes: int, local: bool = False) -> int:
    """Room for `Work` of native/step.h, padding included: the compiler checks that it is no less than needed."""
    nt, nl, nd, nv = model.num_trees, model.num_links, max(1, model.num_dofs), max(1, len(topology.v_link))
    nc = max(1, topology.max_contacts)
    entries = sum(1 + len(above) for above in topology.ancestors)
    kinematics = (7 * nt + nd) + (3 * nt + 7 * nl + 6 * nv) + 25 * nt
    dynamics = (2 if model.num_sensors else 1) * nv + 1 + entries + 4 * nd
    contacts, impulses = 8 * nc, 7 * nc + 6 * nd
    exchange = (7 + (model.num_sensors > 0)) * nv + nd
    smooth = 10 * nl + max(10 * nl + 6 * nv, 18 * nl, 7 * nt + nd)
    path, largest = row_length(topology, model), delassus_words(model, topology)
    solver = max(4 * (path + nv) + (largest if local else min(largest, SHARED_DELASSUS)), impulses)
    solver += 4 * nc * path if local else 4
    integers = 4 * (nd + 6 * nc + 4) + nd + 2 * nt
    reals = kinematics + dynamics + contacts + exchange
    return real_bytes * (reals + max(smooth, solver)) + integers + 256


def row_length(topology: Topology, model: EnvModel) -> int:
    """Entries per contact: a path for each of its links."""
    return longest_path(topology, model) * (2 if model.pairs else 1)


def longest_path(topology: Topology, model: EnvModel) -> int:
    """The most velocities that move a shape."""
    return max([1, *(len(topology.link_path[link]) for link in model.shape_link)])


def emit_tables(model: EnvModel, topology: Topology, real: str, mapping: Mapping | None = None) -> str:
    """C++ text of every constant the headers name. `real`: "float" or "double"."""
    t = topology
    mapping = mapping or Mapping()
    lanes = mapping.lanes
    nv, nl = len(t.v_link), model.num_links

    # packed lower triangle: row v is (v, v), then (v, ancestor) nearest first
    row, anc_row = _starts([1 + len(above) for above in t.ancestors]), _starts([len(above) for above in t.ancestors])
    depth = [0] * nv  # velocities above on the path
    for path in t.link_path:
        for i, v in enumerate(path):
            depth[v] = len(path) - 1 - i
    below: list[list[int]] = [[] for _ in range(nv)]  # descendants, last first
    for v in reversed(range(nv)):
        for above in t.ancestors[v]:
            below[above].append(v)
    by_depth = [[v for v in range(nv) if depth[v] == d] for d in range(max([0, *depth]) + 1)]
    entries = [[(v, a) for v in group for a in range(1 + len(t.ancestors[v]))] for group in by_depth]

    # links by depth in their tree
    link_depth = [0] * nl
    children: list[list[int]] = [[] for _ in range(nl)]
    for link, parent in enumerate(model.link_parent):
        if parent >= 0:
            link_depth[link] = link_depth[parent] + 1
            children[parent].insert(0, link)
    link_groups = [[n for n in range(nl) if link_depth[n] == d] for d in range(max(link_depth) + 1)]

    path_start = _starts([len(path) for path in t.link_path])
    longest, largest = longest_path(t, model), delassus_words(model, t)
    masks = -(-max(1, nv) // 32)
    # code for kinds that the env does not have is left out
    present = [
        ("PRISMATIC", JOINT_PRISMATIC, model.joint_kind), ("BALL", JOINT_BALL, model.joint_kind),
        ("SPHERE", SHAPE_SPHERE, model.shape_kind), ("CAPSULE", SHAPE_CAPSULE, model.shape_kind),
        ("BOX", SHAPE_BOX, model.shape_kind), ("CYLINDER", SHAPE_CYLINDER, model.shape_kind),
    ]  # fmt: skip
    sizes = {
        "LANES": lanes, "NT": model.num_trees, "NL": nl, "NJ": model.num_joints, "ND": model.num_dofs,
        "ND1": max(1, model.num_dofs), "NV": max(1, nv), "NM": max(1, row[-1]),
        "NP": len(model.pairs), "NG": len(t.ground_shapes), "GROUND_SLOT": t.ground_slot,
        "NSENSORS": model.num_sensors, "MAX_CONTACTS": t.max_contacts, "MAX_CONTACTS1": max(1, t.max_contacts),
        "PATH": longest, "ROW": row_length(t, model),
        "DEPTHS": len(link_groups), "ROW_DEPTHS": len(by_depth), "MASKS": masks, "OWN": -(-max(1, nv) // lanes),
        "DOF_SLOTS": -(-max(1, model.num_dofs) // lanes), "CONTACT_SLOTS": -(-max(1, t.max_contacts) // lanes),
        "DELASSUS_WORDS": largest if mapping.local else min(largest, SHARED_DELASSUS), "ROW_WORDS": row_words(model, t),
        "WORK_BYTES": work_bytes(model, topology, 8 if real == "double" else 4, mapping.local),
    }  # fmt: skip
    lines = [f"#define KG_REAL {real}", f"#define KG_LANES {lanes}", f"#define KG_BLOCK {mapping.block}"]
    lines += [f"static constexpr int {name} = {value};" for name, value in sizes.items()]
    lines += [
        "enum { JOINT_REVOLUTE = 0, JOINT_PRISMATIC = 1, JOINT_BALL = 2 };",
        "enum { SHAPE_SPHERE = 0, SHAPE_CAPSULE = 1, SHAPE_BOX = 2, SHAPE_CYLINDER = 3 };",
        "enum { FAULT_NONFINITE = 1, FAULT_OVERFLOW = 2, FAULT_CLAMPED = 4 };",
        f"static constexpr bool HAS_GROUND = {str(bool(t.ground_shapes)).lower()};",
        *(f"static constexpr bool HAS_{name} = {str(kind in kinds).lower()};" for name, kind, kinds in present),
        f"static constexpr bool PROJECT_MOMENTUM = {str(any(model.tree_floating)).lower()};",
        f"static constexpr bool ROWS_LOCAL = {str(mapping.local).lower()};",
    ]
    tables: dict[str, Sequence[int]] = {
        "tree_floating": model.tree_floating, "tree_v0": t.tree_v0, "tree_vs": t.tree_vs,
        "tree_link0": t.tree_link0, "tree_links": t.tree_links,
        "link_parent": model.link_parent, "link_tree": model.link_tree, "link_joint0": t.link_joint0,
        "link_joints": t.link_joints, "link_v0": t.link_v0, "link_vs": t.link_vs,
        "depth_link0": _starts([len(group) for group in link_groups]), "depth_link": _flat(link_groups),
        "child0": _starts([len(group) for group in children]), "child": _flat(children),
        "link_path": path_start[:-1], "link_path_length": [len(p) for p in t.link_path], "path_v": _flat(t.link_path),
        "v_link": t.v_link, "v_tree": t.v_tree, "v_dof": t.v_dof,
        "joint_kind": model.joint_kind, "joint_dof0": t.joint_dof0, "dof_v": t.dof_v,
        "m_row": row[:-1], "anc_row": anc_row[:-1], "anc_len": [len(a) for a in t.ancestors],
        "anc": _flat(t.ancestors), "depth": depth,
        "depth_entry0": _starts([len(group) for group in entries]),
        "entry_v": [v for group in entries for v, _ in group], "entry_a": [a for group in entries for _, a in group],
        "below0": _starts([len(group) for group in below]), "below_v": _flat(below),
        "below_entry": [row[d] + depth[d] - depth[v] for v, group in enumerate(below) for d in group],
        "shape_kind": model.shape_kind, "shape_link": model.shape_link,
        "pair_a": [a for a, _ in model.pairs], "pair_b": [b for _, b in model.pairs], "pair_slot": t.pair_slots,
        "ground_shape": t.ground_shapes, "ground_point": t.ground_points,
        "sensor_link": model.sensor_link, "sensor_flags": model.sensor_flags,
    }  # fmt: skip
    lines += [_table(name, values) for name, values in tables.items()]
    bits = {
        "v_mask": _bit_masks([[v, *above] for v, above in enumerate(t.ancestors)], masks),
        "link_mask": _bit_masks(t.link_path, masks),
    }
    lines += [_table(name, values, "unsigned") for name, values in bits.items()]
    return "\n".join(lines)


def _starts(lengths: Sequence[int]) -> list[int]:
    """Where each of several lists starts when they are laid end to end, and where the last ends."""
    return [0, *itertools.accumulate(lengths)]


def _flat(lists: Sequence[Sequence[int]]) -> list[int]:
    return [item for items in lists for item in items]


def _bit_masks(sets: Sequence[Sequence[int]], words: int) -> list[int]:
    """Sets of small numbers as bits, `words` of 32 bits each."""
    return [sum(1 << (i % 32) for i in items if i // 32 == word) for items in sets for word in range(words)]


def _table(name: str, values: Sequence[int], kind: str = "int") -> str:
    items = ", ".join(str(int(v)) + ("u" if kind == "unsigned" else "") for v in values) if values else "0"
    return f"KG_TABLE {kind} {name}[{max(len(values), 1)}] = {{{items}}};"
