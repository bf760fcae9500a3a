"""The index structure of an env: velocities, paths to the root, and the numbers of contact points."""

from __future__ import annotations

from dataclasses import dataclass

from kilogym.engine.hulls import MAX_VERTICES
from kilogym.engine.model import (
    JOINT_BALL,
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
from kilogym.engine.sdf import MOST_POINTS, SDF_NUMBERS, SDF_TOUCHES

GROUND_POINTS = {
    SHAPE_SPHERE: 1, SHAPE_CAPSULE: 2, SHAPE_BOX: 8, SHAPE_CYLINDER: 8, SHAPE_ELLIPSOID: 1, SHAPE_HULL: 8,
    SHAPE_PARTS: 8, SHAPE_SDF: SDF_TOUCHES,
}  # fmt: skip
"""Most contact points of a shape with the ground plane."""
TOUCHES, TOUCH_NUMBERS = 4, 8192
"""Most contact points of a pair with a shape of SHARP in it, and how many numbers they have (native/manifold.h)."""
MOST_SLOTS = 1 << 24
"""Numbers of contact points, kept as float32."""
PART_TOUCHES, PART_NUMBERS = 16, 32749
"""The same of a pair with a mesh in parts in it (native/parts.h)."""
MAX_PARTS = 64
"""Most parts of a mesh."""
SHARP = (SHAPE_BOX, SHAPE_CYLINDER, SHAPE_HULL, SHAPE_PARTS, SHAPE_SDF)
ROUND = (SHAPE_SPHERE, SHAPE_ELLIPSOID)
"""Kinds that touch anything at one point."""
TERRAIN_POINTS = 16
"""Most contact points of a shape with terrain (native/terrain_shapes.h)."""
TERRAIN_KEYS = 16
"""Slots that each candidate point has against terrain, and the shape as a whole (native/terrain_contacts.h)."""


def pair_points(kind_a: int, kind_b: int) -> int:
    """Most contact points of a pair."""
    if SHAPE_SDF in (kind_a, kind_b):
        return SDF_TOUCHES
    if SHAPE_PARTS in (kind_a, kind_b):
        return PART_TOUCHES
    if kind_a in ROUND or kind_b in ROUND:
        return 1
    return TOUCHES if kind_a in SHARP or kind_b in SHARP else 2


def pair_numbers(kind_a: int, kind_b: int) -> int:
    """How many numbers the contact points of a pair have."""
    if SHAPE_SDF in (kind_a, kind_b):
        return SDF_NUMBERS
    points = pair_points(kind_a, kind_b)
    return {TOUCHES: TOUCH_NUMBERS, PART_TOUCHES: PART_NUMBERS}.get(points, points)


def ground_numbers(model: EnvModel, shape: int) -> int:
    """Numbers that contact points of a shape on the ground may have: of a hull or a field as many as it has points."""
    kind = model.shape_kind[shape]
    if kind == SHAPE_SDF:
        return MOST_POINTS
    return MAX_VERTICES if kind in (SHAPE_HULL, SHAPE_PARTS) else GROUND_POINTS[kind]


def has_convex(model: EnvModel) -> bool:
    """Whether a pair needs the general narrow phase: other than spheres and capsules."""
    return any(not {model.shape_kind[a], model.shape_kind[b]} <= {SHAPE_SPHERE, SHAPE_CAPSULE} for a, b in model.pairs)


def has_sdf(model: EnvModel) -> bool:
    """Whether a shape that meets something has a signed distance field: then there is code for them (build.py)."""
    met = {s for pair in model.pairs for s in pair}
    if model.has_ground or on_terrain(model):
        met |= {s for s, on_ground in enumerate(model.shape_ground) if on_ground}
    return any(model.shape_kind[s] == SHAPE_SDF for s in met)


def on_terrain(model: EnvModel) -> bool:
    """Whether there is terrain and a shape that collides with it."""
    return model.terrain is not None and bool(model.terrain.kinds) and any(model.shape_ground)


def is_searched(model: EnvModel) -> bool:
    """Whether contacts take a search (native/search.h): of pairs not of spheres and capsules, of meshes on the ground
    plane, of terrain."""
    on_ground = [kind for kind, meets in zip(model.shape_kind, model.shape_ground, strict=True) if meets]
    meshes = model.has_ground and not {SHAPE_HULL, SHAPE_PARTS, SHAPE_SDF}.isdisjoint(on_ground)
    return has_convex(model) or on_terrain(model) or meshes


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
        kinds = model.shape_kind[a], model.shape_kind[b]
        slot += pair_numbers(*kinds)
        most += pair_points(*kinds)
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
        solids = MAX_PARTS if model.shape_kind[shape] == SHAPE_PARTS else 1
        numbers = TERRAIN_KEYS * (ground_numbers(model, shape) + 1) * solids
        slot += SDF_NUMBERS if model.shape_kind[shape] == SHAPE_SDF else numbers
        most += TERRAIN_POINTS
    if slot > MOST_SLOTS:
        raise ValueError(
            f"too many pairs of shapes collide in an env: {len(model.pairs)} pairs have {slot} numbers for their "
            f"contact points, expected at most {MOST_SLOTS}; keep shapes apart by collision filters"
        )
    # measured: an Ant never loads more than 5 contacts, a lying Humanoid 10
    wanted = model.max_contacts or (12 if most <= 40 and not model.pairs else 24)
    if not model.max_contacts and has_convex(model):
        # faces on faces: a stack has four contacts per body; of an arm's links few touch something at a time
        sharp = {model.shape_link[s] for pair in model.pairs for s in pair if model.shape_kind[s] in SHARP}
        bodies = len({model.link_tree[link] for link in sharp})
        fields = {s for pair in model.pairs for s in pair if model.shape_kind[s] == SHAPE_SDF}
        wanted = min(128, max(wanted, 8 + 3 * bodies + 3 * len(sharp) + SDF_TOUCHES * min(len(fields), 4)))
    return Topology(
        v_link, v_tree, v_dof, dof_v, ancestors, link_path, tree_v0, tree_vs, tree_link0, sizes, link_v0, link_vs,
        [js[0] if js else 0 for js in joints_of], [len(js) for js in joints_of], joint_dof0,
        ground_shapes, ground_points, ground_slots, terrain_slots, pair_slots, slot,
        min(wanted, most),
    )  # fmt: skip
