"""Topology -> the constant tables that the native headers are written against.

The tables are C++ text: namespace-scope constants, one batch of envs per compiled module. They hold structure
only (who is whose parent, which DOFs lie on a path); masses, frames and gains are data.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kilogym.engine.couplings import coupling_tables
from kilogym.engine.hulls import MAX_VERTICES
from kilogym.engine.limbs import Limbs
from kilogym.engine.model import (
    JOINT_BALL,
    JOINT_PRISMATIC,
    PARAMETERS,
    SHAPE_BOX,
    SHAPE_CAPSULE,
    SHAPE_CYLINDER,
    SHAPE_ELLIPSOID,
    SHAPE_HULL,
    SHAPE_SPHERE,
    EnvModel,
)

GROUND_POINTS = {
    SHAPE_SPHERE: 1, SHAPE_CAPSULE: 2, SHAPE_BOX: 8, SHAPE_CYLINDER: 8, SHAPE_ELLIPSOID: 1, SHAPE_HULL: 8,
}  # fmt: skip
"""Most contact points of a shape with the ground plane."""
TOUCHES, TOUCH_NUMBERS = 4, 8192
"""Most contact points of a pair with a shape of SHARP in it, and how many numbers they have (native/manifold.h)."""
MOST_SLOTS = 1 << 24
"""Numbers of contact points, kept as float32."""
SHARP = (SHAPE_BOX, SHAPE_CYLINDER, SHAPE_HULL)
ROUND = (SHAPE_SPHERE, SHAPE_ELLIPSOID)
"""Kinds that touch anything at one point."""
TERRAIN_POINTS = 16
"""Most contact points of a shape with terrain (native/terrain_shapes.h)."""
TERRAIN_KEYS = 16
"""Slots that each candidate point has against terrain, and the shape as a whole (native/terrain_contacts.h)."""


def pair_points(kind_a: int, kind_b: int) -> int:
    """Most contact points of a pair."""
    if kind_a in ROUND or kind_b in ROUND:
        return 1
    return TOUCHES if kind_a in SHARP or kind_b in SHARP else 2


def ground_numbers(model: EnvModel, shape: int) -> int:
    """Numbers that contact points of a shape with the ground may have: of a hull its vertices'."""
    kind = model.shape_kind[shape]
    return MAX_VERTICES if kind == SHAPE_HULL else GROUND_POINTS[kind]


def has_convex(model: EnvModel) -> bool:
    """Whether a pair needs the general narrow phase: other than spheres and capsules."""
    return any(not {model.shape_kind[a], model.shape_kind[b]} <= {SHAPE_SPHERE, SHAPE_CAPSULE} for a, b in model.pairs)


SHAPE_ENUM = (
    "enum { SHAPE_SPHERE = 0, SHAPE_CAPSULE = 1, SHAPE_BOX = 2, SHAPE_CYLINDER = 3, SHAPE_ELLIPSOID = 4, "
    "SHAPE_HULL = 5, SHAPE_TRIANGLE = 6 };"
)
"""Kinds of shapes as the headers name them; no model has triangles of its own, terrain has."""

FEATURES = ("DRY", "SPEED_LIMIT", "DRIVE_LIMIT", "DAMPING", "RESTITUTION")
"""What there is code for only if some parameter asks for it: dry joint friction, joint speed limits, drives that may
reach their effort limit, damping of links, elastic contacts."""


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
    ground_shapes: list[int]  # that collide with the ground
    ground_points: list[int]  # their candidate points
    ground_slots: list[int]  # the slot of the first
    terrain_slots: dict[int, int]  # shape that collides with terrain -> its first slot
    pair_slots: list[int]
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

    slot = most = 0  # contact points there may be at most
    pair_slots = []
    for a, b in model.pairs:
        pair_slots.append(slot)
        points = pair_points(model.shape_kind[a], model.shape_kind[b])
        slot += TOUCH_NUMBERS if points == TOUCHES else points
        most += points
    static_shapes = [s for s in range(model.num_shapes) if model.shape_ground[s]]
    ground_shapes = static_shapes if model.has_ground else []
    ground_points = [GROUND_POINTS[model.shape_kind[shape]] for shape in ground_shapes]
    ground_slots = []
    for shape, points in zip(ground_shapes, ground_points, strict=True):
        ground_slots.append(slot)
        slot += ground_numbers(model, shape)
        most += points
    terrain_slots = {}
    for shape in static_shapes if model.terrain else []:
        terrain_slots[shape] = slot
        slot += TERRAIN_KEYS * (ground_numbers(model, shape) + 1)
        most += TERRAIN_POINTS
    if slot > MOST_SLOTS:
        raise ValueError(
            f"too many pairs of shapes collide in an env: {len(model.pairs)} pairs have {slot} numbers for their "
            f"contact points, expected at most {MOST_SLOTS}; keep shapes apart by collision filters"
        )
    # measured: an Ant never loads more than 5 contacts, a lying Humanoid 10
    wanted = model.max_contacts or (12 if most <= 40 and not model.pairs else 24)
    if not model.max_contacts and has_convex(model):
        # faces on faces: a stack has four contacts per body
        sharp = {model.link_tree[model.shape_link[s]] for p in model.pairs for s in p if model.shape_kind[s] in SHARP}
        wanted = min(128, max(wanted, 8 + 6 * len(sharp)))
    return Topology(
        v_link, v_tree, v_dof, dof_v, ancestors, link_path, tree_v0, tree_vs, tree_link0, sizes, link_v0, link_vs,
        [js[0] if js else 0 for js in joints_of], [len(js) for js in joints_of], joint_dof0,
        ground_shapes, ground_points, ground_slots, terrain_slots, pair_slots, slot,
        min(wanted, most),
    )  # fmt: skip


@dataclass
class Local:
    """The local robot (limbs.py), flattened: what a lane's code is written for.

    Lists of lists hold what stands there on each lane: an index into the env, -1 for nothing.
    """

    lanes: int
    trunk_links: int
    trunk_v: int
    links: list[list[int]]
    link_parent: list[int]  # local; of a limb's first link, one of those that lanes' limbs hang on
    link_hangs: list[list[int]]  # per lane: the trunk link a limb's first link hangs on; [] for other links
    link_tree: list[int]
    joints: list[list[int]]
    joint_kind: list[int]
    joint_dof0: list[int]
    link_joint0: list[int]
    link_joints: list[int]
    dofs: list[list[int]]
    dof_v: list[int]
    v_link: list[int]
    v_dof: list[int]
    v_root: list[int]
    link_v0: list[int]  # joint DOFs only
    link_vs: list[int]
    ancestors: list[list[int]]  # nearest first
    paths: dict[int, set[int]]  # link of the env -> local v's that move it
    owner: list[int]  # per link of the env: the lane whose limb it is in, -1: the trunk
    shapes: list[list[int]]
    shape_link: list[int]
    shape_kind: list[int]
    sensors: list[list[int]]
    sensor_link: list[int]


def build_local(model: EnvModel, topology: Topology, limbs: Limbs) -> Local:
    """Number what stands on a lane: the trunk first, then the slots of a limb."""
    lanes = limbs.lanes
    joints_of: list[list[int]] = [[] for _ in range(model.num_links)]
    for j, link in enumerate(model.joint_link):
        joints_of[link].append(j)
    at = {link: n for n, link in enumerate(limbs.trunk)}  # local link of a trunk's
    first = len(limbs.trunk)
    links = [[link] * lanes for link in limbs.trunk] + [slot.links for slot in limbs.slots]
    kinds = [[model.joint_kind[j] for j in joints_of[link]] for link in limbs.trunk]
    kinds += [slot.kinds for slot in limbs.slots]
    owner = [-1] * model.num_links
    for slot in limbs.slots:
        for lane, link in enumerate(slot.links):
            if link >= 0:
                owner[link] = lane

    local = Local(
        lanes, first, 0, links, [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], {}, owner,
        [], [], [], [], [],
    )  # fmt: skip
    limb_tree = model.link_tree[next(link for link in limbs.slots[0].links if link >= 0)] if limbs.slots else 0
    for n, on_lanes in enumerate(links):
        some = next(link for link in on_lanes if link >= 0)
        hangs: list[int] = []
        if n < first:
            parent = at[model.link_parent[some]] if model.link_parent[some] >= 0 else -1
        elif limbs.slots[n - first].parent >= 0:
            parent = first + limbs.slots[n - first].parent
        else:
            hangs = [at[model.link_parent[link]] if link >= 0 else -1 for link in on_lanes]
            parent = max(hangs)
        local.link_parent.append(parent)
        local.link_hangs.append(hangs)
        local.link_tree.append(model.link_tree[some])

        # velocities: of a root, then of the joints
        v = local.v_link
        single = model.link_parent[some] < 0 and model.link_tree.count(model.link_tree[some]) == 1
        if model.link_parent[some] < 0 and model.tree_floating[model.link_tree[some]]:
            for i in range(6):
                before = [u for u in range(len(v) - 1, -1, -1) if local.link_tree[v[u]] == model.link_tree[some]]
                # about its com a single body's translation and rotation do not couple, nor do translations
                local.ancestors.append([u for u in before if local.v_root[u] >= 3] if single else before)
                v.append(n)
                local.v_root.append(i)
                local.v_dof.append(-1)
        local.link_v0.append(len(v))
        local.link_joint0.append(len(local.joints))
        local.link_joints.append(len(kinds[n]))
        for i, kind in enumerate(kinds[n]):
            local.joints.append([joints_of[e][i] if e >= 0 and i < len(joints_of[e]) else -1 for e in on_lanes])
            local.joint_kind.append(kind)
            local.joint_dof0.append(len(local.dofs))
            for c in range(3 if kind == JOINT_BALL else 1):
                dofs = [topology.joint_dof0[j] + c if j >= 0 else -1 for j in local.joints[-1]]
                local.ancestors.append(_above(local, n, first, limb_tree, lanes))
                local.dof_v.append(len(v))
                local.v_dof.append(len(local.dofs))
                local.dofs.append(dofs)
                local.v_root.append(-1)
                v.append(n)
        local.link_vs.append(len(v) - local.link_v0[-1])
        if n == first - 1:
            local.trunk_v = len(v)

    for n, on_lanes in enumerate(links):
        for lane, link in enumerate(on_lanes):
            if link < 0 or link in local.paths:
                continue
            up, path = n, set()
            while up >= 0:
                own = range(local.link_v0[up], local.link_v0[up] + local.link_vs[up])
                path |= {u for u in own if local.dofs[local.v_dof[u]][lane] >= 0}
                path |= {u for u in range(len(local.v_link)) if local.v_link[u] == up and local.v_root[u] >= 0}
                up = local.link_hangs[up][lane] if local.link_hangs[up] else local.link_parent[up]
            local.paths[link] = path

    # shapes of equal kind at equal places stand in one slot, and so do sensors
    for n, on_lanes in enumerate(links):
        shapes = [[s for s in range(model.num_shapes) if model.shape_link[s] == e] if e >= 0 else [] for e in on_lanes]
        for kind in sorted(set(model.shape_kind)):
            alike = [[s for s in some if model.shape_kind[s] == kind] for some in shapes]
            for i in range(max(len(some) for some in alike)):
                local.shapes.append([some[i] if i < len(some) else -1 for some in alike])
                local.shape_link.append(n)
                local.shape_kind.append(kind)
        sensors = [[s for s, e in enumerate(model.sensor_link) if e == link and e >= 0] for link in on_lanes]
        for i in range(max(len(some) for some in sensors)):
            local.sensors.append([some[i] if i < len(some) else -1 for some in sensors])
            local.sensor_link.append(n)
    return local


def _above(local: Local, link: int, first: int, limb_tree: int, lanes: int) -> list[int]:
    """Velocities above the next one of a link, nearest first.

    The trunk below limbs counts as one chain: its rows then continue those of any limb. Where it branches, or a limb
    hangs higher up, the entries in between are zero.
    """
    known = range(len(local.v_link) - 1, -1, -1)
    if lanes > 1 and link < first and local.link_tree[link] == limb_tree:
        return [u for u in known if local.link_tree[local.v_link[u]] == limb_tree]
    up, above = link, []
    while up >= (first if lanes > 1 and link >= first else 0):
        above += [u for u in known if local.v_link[u] == up]
        up = local.link_parent[up]
    if lanes > 1 and link >= first:
        above += [u for u in known if u < local.trunk_v and local.link_tree[local.v_link[u]] == limb_tree]
    return above


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
        features: Which of FEATURES there is code for.
        order: Limbs whose order rows are swept in and contacts are found in, however many lanes there are; by default
            `limbs`.
    """
    t, local = topology, build_local(model, topology, limbs)
    order = order or limbs
    swept = local if limbs.lanes > 1 else build_local(model, topology, order)
    lanes, nv, nl = local.lanes, len(local.v_link), len(local.links)
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
    points = [
        (shape, i) for shapes in tests for i in range(GROUND_POINTS[local.shape_kind[shapes[0]]]) for shape in shapes
    ]

    on_terrain = [[s for s in group if any(i in t.terrain_slots for i in local.shapes[s])] for group in tests]
    on_terrain = [group for group in on_terrain if group]
    terrain_kinds = model.terrain.kinds if model.terrain else ()
    # as a triangle of no width an edge of terrain meets these by the general narrow phase
    by_convex = {SHAPE_HULL, SHAPE_CYLINDER, SHAPE_ELLIPSOID}
    meets_ridges = bool(terrain_kinds) and not by_convex.isdisjoint(model.shape_kind)

    masks = -(-max(1, nv) // 32)
    pair_shapes = sorted({shape for pair in model.pairs for shape in pair})
    hang_links = sorted({h for hangs in local.link_hangs for h in hangs if h >= 0})
    limb_roots = [n for n in range(nl) if local.link_hangs[n]]
    ground_slot = dict(zip(t.ground_shapes, t.ground_slots, strict=True))
    # code for kinds that the env does not have is left out
    present = [
        ("PRISMATIC", JOINT_PRISMATIC, model.joint_kind), ("BALL", JOINT_BALL, model.joint_kind),
        ("SPHERE", SHAPE_SPHERE, model.shape_kind), ("CAPSULE", SHAPE_CAPSULE, model.shape_kind),
        ("BOX", SHAPE_BOX, model.shape_kind), ("CYLINDER", SHAPE_CYLINDER, model.shape_kind),
        ("ELLIPSOID", SHAPE_ELLIPSOID, model.shape_kind), ("HULL", SHAPE_HULL, model.shape_kind),
    ]  # fmt: skip
    sizes = {
        "NT": model.num_trees, "NL": nl, "TL": first, "NJ": len(local.joints), "ND": len(local.dofs),
        "ND1": max(1, len(local.dofs)), "NV": max(1, nv), "TV": local.trunk_v if limbs.slots else max(1, nv),
        "NM": max(1, row[-1]), "NS": len(local.shapes), "NHANGS": len(hang_links), "NROOTS": len(limb_roots),
        "NTESTS": len(points), "SWEPT_LANES": order.lanes,
        "NTERRAINS": len(terrain_kinds), "NGROUPS": len(on_terrain), "GROUP": max([1, *map(len, on_terrain)]),
        "NP": len(model.pairs), "NPS": len(pair_shapes),
        "PAIR_POINTS": max([2, *(pair_points(model.shape_kind[a], model.shape_kind[b]) for a, b in model.pairs)]),
        "NSENSORS": len(local.sensors), "MAX_CONTACTS": t.max_contacts, "MAX_CONTACTS1": max(1, t.max_contacts),
        "MASKS": masks, "ENV_LINKS": model.num_links, "ENV_DOFS": model.num_dofs, "ENV_SENSORS": model.num_sensors,
    }  # fmt: skip
    coupling_sizes, couplings = coupling_tables(model, local.owner)
    lines = [f"static constexpr int {name} = {value};" for name, value in (sizes | coupling_sizes).items()]
    lines += [
        f"#define KG_REAL {real}",
        "enum { JOINT_REVOLUTE = 0, JOINT_PRISMATIC = 1, JOINT_BALL = 2 };",
        SHAPE_ENUM,
        "enum { FAULT_NONFINITE = 1, FAULT_OVERFLOW = 2, FAULT_CLAMPED = 4 };",
        f"static constexpr bool HAS_TRIANGLE = {str(meets_ridges).lower()};",
        f"static constexpr bool HAS_CONVEX = {str(has_convex(model)).lower()};",
        f"static constexpr bool HAS_GROUND = {str(bool(t.ground_shapes)).lower()};",
        f"static constexpr bool HAS_FIELDS = {str('field' in terrain_kinds).lower()};",
        f"static constexpr bool HAS_MESHES = {str('mesh' in terrain_kinds).lower()};",
        *(f"static constexpr bool HAS_{name} = {str(kind in kinds).lower()};" for name, kind, kinds in present),
        *(f"static constexpr bool SHARED_{name} = {str(name not in per_env).lower()};" for name in PARAMETERS),
        *(f"static constexpr bool HAS_{name} = {str(name in features).lower()};" for name in FEATURES),
        f"static constexpr bool PROJECT_MOMENTUM = {str(any(model.tree_floating)).lower()};",
    ]

    def frames(name: str, components: int) -> np.ndarray:
        return np.asarray(model.params[name], dtype=np.float64).reshape(-1, components)

    def on_any(name: str, components: int, places: list[list[int]], neutral: list[float]) -> list[bool]:
        values = frames(name, components)
        return [name in per_env or any((values[i] != neutral).any() for i in on if i >= 0) for on in places]

    tree_v = [[v for v in range(nv) if local.link_tree[local.v_link[v]] == tree] for tree in range(model.num_trees)]
    tree_roots = [n for n in range(nl) if local.link_parent[n] < 0]
    tables: dict[str, Sequence[int]] = {
        "tree_floating": model.tree_floating, "tree_link0": tree_roots,
        "tree_v0": [vs[0] if vs else 0 for vs in tree_v],
        "tree_single": [local.link_tree.count(tree) == 1 for tree in range(model.num_trees)],
        "link_parent": local.link_parent, "link_tree": local.link_tree, "link_joint0": local.link_joint0,
        "link_strays": [len(set(hangs) - {-1}) > 1 for hangs in local.link_hangs],
        "link_limb_root": [bool(hangs) for hangs in local.link_hangs],
        "link_joints": local.link_joints, "link_v0": local.link_v0, "link_vs": local.link_vs,
        "hang_link": hang_links, "limb_root": limb_roots,
        "v_link": local.v_link, "v_tree": [local.link_tree[n] for n in local.v_link], "v_dof": local.v_dof,
        "v_root": local.v_root,
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
        "shape_kind": local.shape_kind, "shape_link": local.shape_link,
        "shape_ground": [any(s in ground_slot for s in on) for on in local.shapes],
        "test_shape": [shape for shape, _ in points], "test_point": [i for _, i in points],
        "group_first": _starts([len(group) for group in on_terrain])[:-1],
        "group_size": [len(group) for group in on_terrain], "group_shape": _flat(on_terrain),
        "sweep_dof": sweep,
        "shape_pairs": [any(s in pair_shapes for s in on) for on in local.shapes],
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
        "env_shape_link": model.shape_link, "env_shape_kind": model.shape_kind,
        "env_ground_slot": [ground_slot.get(s, -1) for s in range(model.num_shapes)],
        "env_terrain_slot": [t.terrain_slots.get(s, -1) for s in range(model.num_shapes)],
        "env_segment": [pair_shapes.index(s) if s in pair_shapes else -1 for s in range(model.num_shapes)],
        "env_sensor_flags": model.sensor_flags,
        "pair_shape": pair_shapes, "pair_slot": t.pair_slots,
        "pair_a": [pair_shapes.index(a) for a, _ in model.pairs],
        "pair_b": [pair_shapes.index(b) for _, b in model.pairs],
    }  # fmt: skip
    for name, places in {
        "link": local.links, "joint": local.joints, "dof": local.dofs, "shape": local.shapes, "sensor": local.sensors,
    }.items():  # fmt: skip
        tables[f"{name}_on_all"] = [min(on) >= 0 for on in places]
        tables[f"{name}_same"] = [on[0] if len(set(on)) == 1 else -1 for on in places]
        tables[f"lane_{name}"] = _flat(places)
    tables |= couplings
    tables["lane_hang"] = _flat([hangs or [-1] * lanes for hangs in local.link_hangs])
    return "\n".join(lines + [_table(name, values) for name, values in tables.items()])


ROW_HEAD = 8
"""Numbers of four at the head of a contact's row, before its Y (native/rows.h)."""
SEGMENT, TURNED = 5, 2
"""Numbers of four of a shape that pairs test (native/pairs.h), and how many more where any is no segment."""


def row_words(model: EnvModel, topology: Topology, limbs: Limbs) -> int:
    """Numbers per env in a batch's buffer of contact rows and of the segments that pairs test."""
    local = build_local(model, topology, limbs)
    limb = len(local.v_link) - local.trunk_v if limbs.slots else 0
    y = max(1, len(local.v_link)) + (limb if model.pairs else 0)
    shapes = len({shape for pair in model.pairs for shape in pair})
    each = SEGMENT + TURNED * has_convex(model)
    return 4 * (max(1, topology.max_contacts) * (ROW_HEAD + y) + each * shapes)


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
