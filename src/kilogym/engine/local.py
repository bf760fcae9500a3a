"""The local robot (limbs.py): what stands on a lane, numbered for its code."""

from __future__ import annotations

from dataclasses import dataclass

from kilogym.engine.limbs import Limbs
from kilogym.engine.model import JOINT_BALL, EnvModel
from kilogym.engine.topology import Topology


@dataclass
class Local:
    """The local robot (limbs.py), flattened: what a lane's code is written for.

    Lists of lists hold what stands there on each lane: an index into the env, -1 for nothing.
    """

    lanes: int
    trunk_links: int
    trunk_v: int
    trunk_trees: int
    trees: list[list[int]]
    links: list[list[int]]
    link_parent: list[int]  # local; of a limb's first link, one of those that lanes' limbs hang on
    link_hangs: list[list[int]]  # per lane: the trunk link a limb's first link hangs on; [] for other links
    link_tree: list[int]  # local
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


def row_places(local: Local) -> tuple[list[int], list[int]]:
    """Where a contact's row keeps each velocity of a limb, and on which lanes it is (bits).

    Velocities of which no lane has both share a place: an arm's and those of the cubes before it.
    """
    places: list[int] = []
    lanes: list[int] = []
    taken: list[int] = []  # bits of a place's lanes
    for v in range(local.trunk_v, len(local.v_link)):
        on = local.dofs[local.v_dof[v]] if local.v_dof[v] >= 0 else local.links[local.v_link[v]]
        lanes.append(sum(1 << lane for lane, what in enumerate(on) if what >= 0))
        place = next((n for n, bits in enumerate(taken) if not bits & lanes[-1]), len(taken))
        if place == len(taken):
            taken.append(0)
        taken[place] |= lanes[-1]
        places.append(place)
    return places, lanes


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
        lanes, first, 0, 0, [], links, [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], {}, owner,
        [], [], [], [], [],
    )  # fmt: skip
    tree_at: dict[int, int] = {}  # local tree of a link of the trunk, by the env's tree
    limb_tree = next((model.link_tree[max(s.links)] for s in limbs.slots if s.parent < 0 and not s.root), -1)
    for n, on_lanes in enumerate(links):
        some = next(link for link in on_lanes if link >= 0)
        hangs: list[int] = []
        if n < first:
            parent = at[model.link_parent[some]] if model.link_parent[some] >= 0 else -1
        elif limbs.slots[n - first].parent >= 0 or limbs.slots[n - first].root:
            above = limbs.slots[n - first].parent
            parent = first + above if above >= 0 else -1
        else:
            hangs = [at[model.link_parent[link]] if link >= 0 else -1 for link in on_lanes]
            parent = max(hangs)
        local.link_parent.append(parent)
        local.link_hangs.append(hangs)
        if parent < 0:
            local.trees.append([model.link_tree[link] if link >= 0 else -1 for link in on_lanes])
            if n < first:
                tree_at[model.link_tree[some]] = local.trunk_trees
                local.trunk_trees += 1
            local.link_tree.append(len(local.trees) - 1)
        else:
            local.link_tree.append(local.link_tree[parent])

        # velocities: of a root, then of the joints
        v = local.v_link
        single = parent < 0 and model.link_tree.count(model.link_tree[some]) == 1
        if parent < 0 and model.tree_floating[model.link_tree[some]]:
            for i in range(6):
                before = [u for u in range(len(v) - 1, -1, -1) if local.link_tree[v[u]] == local.link_tree[n]]
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
                local.ancestors.append(_above(local, n, first, tree_at.get(limb_tree, -1)))
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


def _above(local: Local, link: int, first: int, limb_tree: int) -> list[int]:
    """Velocities above the next one of a link, nearest first.

    The trunk below limbs, of the local tree `limb_tree`, counts as one chain: its rows then continue those of any limb.
    Where it branches, or a limb hangs higher up, the entries in between are zero.
    """
    known = range(len(local.v_link) - 1, -1, -1)
    tree = local.link_tree[link]
    if tree == limb_tree and link < first:
        return [u for u in known if local.link_tree[local.v_link[u]] == tree]
    up, above = link, []
    while up >= (first if tree == limb_tree else 0):
        above += [u for u in known if local.v_link[u] == up]
        up = local.link_parent[up]
    if tree == limb_tree:
        above += [u for u in known if u < local.trunk_v and local.link_tree[local.v_link[u]] == tree]
    return above
