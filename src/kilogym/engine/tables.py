"""Topology -> the constant tables that the native headers are written against.

The tables are C++ text: namespace-scope constants, one batch of envs per compiled module. They hold structure
only (who is whose parent, which DOFs lie on a path); masses, frames and gains are data.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from kilogym.engine.couplings import coupling_rows, coupling_tables
from kilogym.engine.limbs import Limbs
from kilogym.engine.local import Local, build_local, row_places
from kilogym.engine.model import (
    JOINT_BALL,
    JOINT_PRISMATIC,
    PARAMETERS,
    SHAPE_BOX,
    SHAPE_CAPSULE,
    SHAPE_CYLINDER,
    SHAPE_ELLIPSOID,
    SHAPE_HULL,
    SHAPE_PARTS,
    SHAPE_SDF,
    SHAPE_SPHERE,
    EnvModel,
)
from kilogym.engine.topology import (
    GROUND_POINTS,
    Topology,
    has_convex,
    has_sdf,
    is_searched,
    pair_points,
)

SHAPE_ENUM = (
    "enum { SHAPE_SPHERE = 0, SHAPE_CAPSULE = 1, SHAPE_BOX = 2, SHAPE_CYLINDER = 3, SHAPE_ELLIPSOID = 4, "
    "SHAPE_HULL = 5, SHAPE_TRIANGLE = 6, SHAPE_PARTS = 7 };"
)
"""Kinds of shapes as the headers name them; no model has triangles of its own, terrain has."""

MESHES = (SHAPE_HULL, SHAPE_PARTS, SHAPE_SDF)

FEATURES = ("DRY", "SPEED_LIMIT", "DRIVE_LIMIT", "DAMPING", "RESTITUTION", "SPIN_FRICTION", "COMPLIANCE")
"""What there is code for only if some parameter asks for it: dry joint friction, joint speed limits, drives that may
reach their effort limit, damping of links, elastic contacts, torsional and rolling friction, contacts that give."""
ON_REQUEST = ("CONTACT_REPORT",)
"""What there is code for only if someone asks for it by name."""


def emit_tables(
    model: EnvModel,
    topology: Topology,
    limbs: Limbs,
    real: str,
    per_env: Collection[str] = (),
    features: Collection[str] = FEATURES,
    order: Limbs | None = None,
) -> str:
    """C++ text of every constant the headers name.

    Args:
        model: Structure, and parameters whose zeros and ones need no arithmetic (frames of links and joints).
        topology: Of the model.
        limbs: How lanes share it.
        real: "float" or "double".
        per_env: Parameters of which every env has its own.
        features: Which of FEATURES and ON_REQUEST there is code for.
        order: Limbs whose order rows are swept in and contacts are found in, however many lanes there are; by default
            `limbs`.
    """
    t, local = topology, build_local(model, topology, limbs)
    order = order or limbs
    swept = local if limbs.lanes > 1 else build_local(model, topology, order)
    lanes, nv, nl = local.lanes, len(local.v_link), len(local.links)
    trees = [max(on) for on in local.trees]  # one of those that stand in a place
    first = local.trunk_links

    # packed lower triangle: row v is (v, v), then (v, ancestor) nearest first
    row = _starts([1 + len(above) for above in local.ancestors])
    anc_row = _starts([len(above) for above in local.ancestors])
    below: list[list[int]] = [[] for _ in range(nv)]  # descendants, last first
    for v in reversed(range(nv)):
        for above in local.ancestors[v]:
            below[above].append(v)
    below_trunk = [[u for u in group if u < local.trunk_v] for group in below]
    below_limb = [[u for u in group if u >= local.trunk_v] for group in below]

    def entries(groups: list[list[int]]) -> list[int]:
        return [row[u] + 1 + local.ancestors[u].index(v) for v, group in enumerate(groups) for u in group]

    def is_above(u: int, v: int, lane: int) -> bool:
        link = local.links[local.v_link[v]][lane]
        return link < 0 or u in local.paths[link]

    # 1: above on every lane, 0: on none, 2: on some
    above_on = []
    for v in range(nv):
        for u in local.ancestors[v]:
            on = [is_above(u, v, lane) for lane in range(lanes) if local.links[local.v_link[v]][lane] >= 0]
            above_on.append(1 if all(on) else 2 if any(on) else 0)

    # the order in which DOFs are swept, and points that lanes test against the ground at once, as local numbers
    if limbs.lanes > 1:
        sweep = list(range(len(local.dofs)))
        tests = [[s] for s in range(len(local.shapes))]
    else:
        at_dof, at_shape = ({on[0]: n for n, on in enumerate(places)} for places in (local.dofs, local.shapes))
        sweep = _unique(at_dof[d] for on in swept.dofs for d in on if d >= 0)
        tests = [_unique(at_shape[s] for s in on if s >= 0) for on in swept.shapes]
    searched = is_searched(model)
    points = [
        (shape, i)
        for shapes in tests
        if not searched
        for i in range(GROUND_POINTS[local.shape_kind[shapes[0]]])
        for shape in shapes
    ]

    terrain_shapes = [s for on in swept.shapes for s in dict.fromkeys(on) if s in t.terrain_slots]
    on_terrain = [s for s in terrain_shapes if model.shape_kind[s] != SHAPE_SDF]
    terrain_kinds = model.terrain.kinds if model.terrain else ()
    # as a triangle of no width an edge of terrain meets these by the general narrow phase
    by_convex = {*MESHES, SHAPE_CYLINDER, SHAPE_ELLIPSOID}
    meets_ridges = bool(terrain_kinds) and not by_convex.isdisjoint(model.shape_kind)

    masks = -(-max(1, nv) // 32)
    placed = _placed_shapes(model, t)
    hang_links = sorted({h for hangs in local.link_hangs for h in hangs if h >= 0})
    limb_roots = [n for n in range(nl) if local.link_hangs[n]]
    ground_slot = dict(zip(t.ground_shapes, t.ground_slots, strict=True))
    ground_fields = [s for s in t.ground_shapes if model.shape_kind[s] == SHAPE_SDF]
    by_points = set(ground_slot) - set(ground_fields)
    searched_ground = [s for on in swept.shapes for s in dict.fromkeys(on) if searched and s in by_points]
    # code for kinds that the env does not have is left out
    present = [
        ("PRISMATIC", JOINT_PRISMATIC, model.joint_kind), ("BALL", JOINT_BALL, model.joint_kind),
        ("SPHERE", SHAPE_SPHERE, model.shape_kind), ("CAPSULE", SHAPE_CAPSULE, model.shape_kind),
        ("BOX", SHAPE_BOX, model.shape_kind), ("CYLINDER", SHAPE_CYLINDER, model.shape_kind),
        ("ELLIPSOID", SHAPE_ELLIPSOID, model.shape_kind), ("PARTS", SHAPE_PARTS, model.shape_kind),
    ]  # fmt: skip
    limb_places, v_lanes = row_places(local) if limbs.slots else ([], [])
    sizes = {
        "NT": len(trees), "TT": local.trunk_trees, "NL": nl, "TL": first, "NJ": len(local.joints),
        "ND": len(local.dofs), "ND1": max(1, len(local.dofs)), "NV": max(1, nv),
        "TV": local.trunk_v if limbs.slots else max(1, nv), "RV": len(set(limb_places)),
        "NM": max(1, row[-1]), "NS": len(local.shapes), "NHANGS": len(hang_links), "NROOTS": len(limb_roots),
        "NTESTS": len(points), "SWEPT_LANES": order.lanes,
        "NTERRAINS": len(terrain_kinds), "NTS": len(on_terrain), "NGS": len(searched_ground),
        "NP": len(model.pairs), "NPS": len(placed),
        "PAIR_POINTS": max([2, *(pair_points(model.shape_kind[a], model.shape_kind[b]) for a, b in model.pairs)]),
        "NSENSORS": len(local.sensors), "MAX_CONTACTS": t.max_contacts, "MAX_CONTACTS1": max(1, t.max_contacts),
        "STACK_ROOM": STACK_WORDS // 4, "FOUND_SPOTS": FOUND_SPOTS, "FOUND_EDGES": FOUND_EDGES,
        "KEPT_ROOM": kept_words(model, topology, local),
        "LONGEST_PATH": max([1, *map(len, t.link_path)]),
        "MASKS": masks, "ENV_TREES": model.num_trees, "ENV_LINKS": model.num_links, "ENV_DOFS": model.num_dofs,
        "ENV_SENSORS": model.num_sensors,
    }  # fmt: skip
    coupling_sizes, couplings = coupling_tables(model, local.owner, trees)
    lines = [f"static constexpr int {name} = {value};" for name, value in (sizes | coupling_sizes).items()]
    lines += [
        f"#define KG_REAL {real}",
        "enum { JOINT_REVOLUTE = 0, JOINT_PRISMATIC = 1, JOINT_BALL = 2 };",
        SHAPE_ENUM,
        "enum { FAULT_NONFINITE = 1, FAULT_OVERFLOW = 2, FAULT_CLAMPED = 4 };",
        f"static constexpr bool HAS_TRIANGLE = {str(meets_ridges).lower()};",
        f"static constexpr bool HAS_CONVEX = {str(has_convex(model) or has_sdf(model)).lower()};",
        f"static constexpr bool IS_SEARCHED = {str(searched).lower()};",
        f"static constexpr bool HAS_GROUND = {str(bool(t.ground_shapes)).lower()};",
        f"static constexpr bool HAS_FIELDS = {str('field' in terrain_kinds).lower()};",
        f"static constexpr bool HAS_MESHES = {str('mesh' in terrain_kinds).lower()};",
        *(f"static constexpr bool HAS_{name} = {str(kind in kinds).lower()};" for name, kind, kinds in present),
        f"static constexpr bool HAS_HULL = {str(not set(MESHES).isdisjoint(model.shape_kind)).lower()};",
        *(f"static constexpr bool SHARED_{name} = {str(name not in per_env).lower()};" for name in PARAMETERS),
        *(f"static constexpr bool HAS_{name} = {str(name in features).lower()};" for name in (*FEATURES, *ON_REQUEST)),
        f"static constexpr bool PROJECT_MOMENTUM = {str(any(model.tree_floating)).lower()};",
    ]

    def frames(name: str, components: int) -> np.ndarray:
        return np.asarray(model.params[name], dtype=np.float64).reshape(-1, components)

    def on_any(name: str, components: int, places: list[list[int]], neutral: list[float]) -> list[bool]:
        values = frames(name, components)
        return [name in per_env or any((values[i] != neutral).any() for i in on if i >= 0) for on in places]

    tree_v = [[v for v in range(nv) if local.link_tree[local.v_link[v]] == tree] for tree in range(len(trees))]
    tree_roots = [n for n in range(nl) if local.link_parent[n] < 0]
    tables: dict[str, Sequence[int]] = {
        "tree_floating": [model.tree_floating[tree] for tree in trees], "tree_link0": tree_roots,
        "tree_v0": [vs[0] if vs else 0 for vs in tree_v],
        "tree_single": [local.link_tree.count(tree) == 1 for tree in range(len(trees))],
        "link_parent": local.link_parent, "link_tree": local.link_tree, "link_joint0": local.link_joint0,
        "link_strays": [len(set(hangs) - {-1}) > 1 for hangs in local.link_hangs],
        "link_limb_root": [bool(hangs) for hangs in local.link_hangs],
        "link_joints": local.link_joints, "link_v0": local.link_v0, "link_vs": local.link_vs,
        "hang_link": hang_links, "limb_root": limb_roots,
        "v_link": local.v_link, "v_tree": [local.link_tree[n] for n in local.v_link], "v_dof": local.v_dof,
        "v_root": local.v_root,
        "limb_place": limb_places, "limb_lanes": [(bits + (1 << 31)) % (1 << 32) - (1 << 31) for bits in v_lanes],
        "joint_kind": local.joint_kind, "joint_dof0": local.joint_dof0, "dof_v": local.dof_v,
        "joint_dofs": [3 if kind == JOINT_BALL else 1 for kind in local.joint_kind],
        "m_row": row[:-1], "row_len": [1 + len(a) for a in local.ancestors],
        "anc_row": anc_row[:-1], "anc_len": [len(a) for a in local.ancestors], "anc": _flat(local.ancestors),
        "above_on": above_on,
        "path_link": [local.v_link[u] for v, above in enumerate(local.ancestors) for u in [v, *above][: len(above)]],
        "below_trunk0": _starts([len(group) for group in below_trunk])[:-1],
        "below_trunks": [len(group) for group in below_trunk],
        "below_trunk_v": _flat(below_trunk), "below_trunk_entry": entries(below_trunk),
        "below_limb0": _starts([len(group) for group in below_limb])[:-1],
        "below_limbs": [len(group) for group in below_limb],
        "below_limb_v": _flat(below_limb), "below_limb_entry": entries(below_limb),
        "shape_kind": _seen_as(local.shape_kind), "shape_link": local.shape_link,
        "shape_ground": [not searched and any(s in by_points for s in on) for on in local.shapes],
        "test_shape": [shape for shape, _ in points], "test_point": [i for _, i in points],
        "sweep_dof": sweep,
        "shape_placed": [any(s in placed for s in on) for on in local.shapes],
        "shape_is_segment": [
            all(s in placed and model.shape_kind[s] in (SHAPE_SPHERE, SHAPE_CAPSULE) for s in on if s >= 0)
            for on in local.shapes
        ],
        "sensor_link": local.sensor_link,
        "link_offset": on_any("link_pos", 3, local.links, [0, 0, 0]),
        "link_turned": on_any("link_quat", 4, local.links, [0, 0, 0, 1]),
        "joint_offset": on_any("joint_pos", 3, local.joints, [0, 0, 0]),
        "joint_along": [
            0 if "joint_axis" in per_env else _along(frames("joint_axis", 3)[[j for j in on if j >= 0]])
            for on in local.joints
        ],
        # of the env, by its own numbers
        "env_link_mask": _bit_masks([sorted(local.paths.get(n, ())) for n in range(model.num_links)], masks),
        "env_tree_vs": t.tree_vs, "env_tree_links": t.tree_links,
        "env_link_owner": local.owner, "env_link_tree": model.link_tree,
        "env_link_path": _starts([len(p) for p in t.link_path])[:-1],
        "env_link_path_length": [len(p) for p in t.link_path],
        "env_path_v": _flat(t.link_path),
        "env_shape_link": model.shape_link, "env_shape_kind": _seen_as(model.shape_kind),
        "env_ground_slot": [ground_slot.get(s, -1) for s in range(model.num_shapes)],
        "env_terrain_slot": [t.terrain_slots.get(s, -1) for s in range(model.num_shapes)],
        "env_segment": [placed.index(s) if s in placed else -1 for s in range(model.num_shapes)],
        "env_sensor_flags": model.sensor_flags,
        "placed_shape": placed, "terrain_shape": [placed.index(s) for s in on_terrain],
        "searched_ground": [placed.index(s) for s in searched_ground], "pair_slot": t.pair_slots,
        "pair_a": [placed.index(a) for a, _ in model.pairs],
        "pair_b": [placed.index(b) for _, b in model.pairs],
    }  # fmt: skip
    if has_sdf(model):
        tables["env_shape_sdf"] = [kind == SHAPE_SDF for kind in model.shape_kind]
        tables["ground_field"] = [placed.index(s) for s in ground_fields]
        tables["terrain_field"] = [placed.index(s) for s in terrain_shapes if model.shape_kind[s] == SHAPE_SDF]
        for name in ("ground", "terrain"):
            lines.append(f"static constexpr int N{name.upper()}_FIELDS = {len(tables[f'{name}_field'])};")
    for name, places in {
        "tree": local.trees, "link": local.links,
        "joint": local.joints, "dof": local.dofs, "shape": local.shapes, "sensor": local.sensors,
    }.items():  # fmt: skip
        tables[f"{name}_on_all"] = [min(on) >= 0 for on in places]
        tables[f"{name}_same"] = [on[0] if len(set(on)) == 1 else -1 for on in places]
        tables[f"lane_{name}"] = _flat(places)
    tables |= couplings
    tables["lane_hang"] = _flat([hangs or [-1] * lanes for hangs in local.link_hangs])
    depth = [len(path) - 1 - path.index(v) for v, path in enumerate(t.link_path[link] for link in t.v_link)]
    lines += [_table(name, values) for name, values in tables.items()]
    # of plain loops; an unused table would move the others on a GPU
    lines += ["#if !KG_UNROLL", _table("env_v_depth", depth), "#endif"]
    # of one thread that visits contacts in the order of lanes (native/schedule.h)
    return "\n".join([*lines, "#if KG_LANES == 1", _table("env_link_swept", swept.owner), "#endif"])


ROW_HEAD = 8
"""Numbers of four at the head of a contact's row, before its Y (native/rows.h)."""
STACK_WORDS = 1 << 17
"""Most numbers of an env in that buffer that a CPU thread keeps on its stack: half a megabyte in float32."""
FOUND_SPOTS, FOUND_EDGES = 64, 96
"""Most places, three numbers of four each, and edges, one each, that lanes find at terrain before they are looked at
(native/terrain_found.h)."""
SEGMENT, TURNED = 7, 3
"""Numbers of four of a shape that may meet others or terrain (native/placed.h); more where it has a turn."""


def _seen_as(kinds: Sequence[int]) -> list[int]:
    """Kinds as the headers see them: all but native/sdf*.h take a shape with a field for a hull."""
    return [SHAPE_HULL if kind == SHAPE_SDF else kind for kind in kinds]


def _placed_shapes(model: EnvModel, topology: Topology) -> list[int]:
    """Shapes that may meet others, and, where contacts are searched for, ground or terrain."""
    static = {*topology.terrain_slots, *topology.ground_shapes} if is_searched(model) else set()
    return sorted({shape for pair in model.pairs for shape in pair} | static)


def row_words(
    model: EnvModel, topology: Topology, limbs: Limbs, features: Collection[str], order: Limbs | None = None
) -> int:
    """Numbers per env in a batch's buffer of contact rows, of their schedule and of placed shapes."""
    local = build_local(model, topology, limbs)
    trunk = local.trunk_v if limbs.slots else max(1, len(local.v_link))
    limb = len(set(row_places(local)[0])) if limbs.slots else 0
    y = fours(trunk) + fours(limb) * (2 if model.pairs else 1)
    shapes = len(_placed_shapes(model, topology))
    each = SEGMENT + TURNED * is_searched(model)
    contacts, lanes = max(1, topology.max_contacts), (order or limbs).lanes
    rows = contacts * (2 if "SPIN_FRICTION" in features else 1)
    turns = (contacts * lanes + 3) // 4 if lanes > 1 else 0
    searched = any(model.shape_kind[s] != SHAPE_SDF for s in topology.terrain_slots)
    found = (3 * FOUND_SPOTS + FOUND_EDGES) * searched
    return 4 * (rows * (ROW_HEAD + y) + each * shapes + turns + found)


def kept_words(model: EnvModel, topology: Topology, local: Local) -> int:
    """Numbers per thread of what a step in parts keeps while contacts are searched for (native/apart.h)."""
    trees, links, dofs, v = len(local.trees), len(local.links), len(local.dofs), max(1, len(local.v_link))
    matrix = max(1, sum(1 + len(above) for above in local.ancestors))
    position = 7 * trees + dofs
    words = 2 + position + 9 * trees * any(model.tree_floating) + 4 * trees + 7 * links + 9 * v + matrix
    words += 6 * links * (bool(topology.ground_shapes) and not is_searched(model)) + 6 * dofs
    rows = coupling_rows(model).count
    return words + bool(rows) * (position + rows * v + 11 * rows + 8 * len(model.tendons) + rows * (rows + 1))


def fours(velocities: int) -> int:
    """Numbers of four that a contact's Y takes over so many velocities, three numbers each (native/contact_rows.h)."""
    return (3 * velocities + 3) // 4


def _unique(items: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(items))


def _starts(lengths: Sequence[int]) -> list[int]:
    """Where each of several lists starts when they are laid end to end, and where the last ends."""
    return [0, *itertools.accumulate(lengths)]


def _flat(lists: Sequence[Sequence[int]]) -> list[int]:
    return [item for items in lists for item in items]


def _along(axes: np.ndarray) -> int:
    """1, 2, 3 if all these axes lie along x, y or z, this way or that; else 0."""
    at = np.abs(axes).argmax(axis=1)
    straight = (np.abs(axes) == np.eye(3)[at]).all()
    return int(at[0]) + 1 if straight and (at == at[0]).all() else 0


def _bit_masks(sets: Sequence[Sequence[int]], words: int) -> list[int]:
    """Sets of small numbers as bits, `words` of 32 bits each, as signed numbers."""
    masks = [sum(1 << (i % 32) for i in items if i // 32 == word) for items in sets for word in range(words)]
    return [mask - (1 << 32) if mask >> 31 else mask for mask in masks]


def _table(name: str, values: Sequence[int]) -> str:
    items = ", ".join("(-2147483647 - 1)" if v == -(1 << 31) else str(int(v)) for v in values) if values else "0"
    return f"KG_LOOKUP({name}, {max(len(values), 1)}, {items})"
