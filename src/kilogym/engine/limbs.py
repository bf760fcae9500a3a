"""How the lanes of a group share an env: a trunk that every lane computes, and limbs that one lane each computes.

Most robots are a trunk with limbs alike: legs, arms, fingers. A lane takes a limb, and because limbs are alike all
lanes run the same instructions on different links. What a lane works on looks like a robot of its own, the *local
robot*: the trunk's links, then the *slots* of its limb. Slots are the same on every lane, whatever stands in them:
a lane without a link for a slot has an empty one. Limbs meet only in the trunk, where sums over lanes are taken.

A limb may also be a whole tree: the boxes of a heap, the cubes before an arm. Such limbs meet in contacts only. With
one lane everything belongs to the trunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kilogym.engine.couplings import held_trees
from kilogym.engine.model import JOINT_BALL, EnvModel


class Root(NamedTuple):
    """What trees must have in common to stand in one place."""

    floating: bool
    single: bool  # one link only


@dataclass
class Slot:
    """A place for a limb's link."""

    parent: int  # slot; -1: hangs on the trunk, or is a root
    kinds: list[int]  # of its joints
    links: list[int]  # per lane; -1: empty
    root: Root | None = None  # of a tree that is a limb as a whole


@dataclass
class Limbs:
    """Who computes what. `trunk`: links in ascending order."""

    lanes: int
    trunk: list[int]
    slots: list[Slot] = field(default_factory=list)


def whole(model: EnvModel) -> Limbs:
    """One lane for everything."""
    return Limbs(1, list(range(model.num_links)))


def plan(model: EnvModel, lanes: int) -> Limbs:
    """The sharing among `lanes` lanes with the least work for a lane.

    The tree with most links may have limbs. The other trees belong to the trunk, or are limbs as a whole, except those
    that nothing moves and those that couplings hold.
    """
    best = whole(model)
    if lanes == 1 or not model.num_links:
        return best
    least = work(model, best)
    robot = _Robot(model)
    sizes = [model.link_tree.count(t) for t in range(model.num_trees)]
    largest = sizes.index(max(sizes))
    moving = {model.link_tree[link] for link in range(model.num_links) if robot.velocities[link] > 1}
    free = moving - held_trees(model)
    for limb_trees in (set(), free - {largest}, free):
        inner = limb_trees | {largest}
        trunk = {link for link, tree in enumerate(model.link_tree) if tree not in inner}
        if largest not in limb_trees:
            trunk.add(model.link_tree.index(largest))
        while True:
            outside = (link for link in range(model.num_links) if link not in trunk)
            limbs = [link for link in outside if model.link_parent[link] in trunk | {-1}]
            if limbs:
                found = Limbs(lanes, sorted(trunk), robot.share(limbs, lanes))
                if work(model, found) < least:
                    best, least = found, work(model, found)
            hanging = [link for link in limbs if model.link_parent[link] >= 0]
            if not hanging:
                break
            trunk.add(max(hanging, key=lambda link: robot.velocities[link]))
    return best


def work(model: EnvModel, limbs: Limbs) -> int:
    """Entries of the packed inertia matrix of the local robot, and a few for every link."""
    width = {0: 1, 1: 1, JOINT_BALL: 3}
    count = dict.fromkeys(range(model.num_links), 0)
    for kind, link in zip(model.joint_kind, model.joint_link, strict=True):
        count[link] += width[kind]
    for link, above in enumerate(model.link_parent):
        if above < 0 and model.tree_floating[model.link_tree[link]]:
            count[link] += 6
    trunk = sum(count[link] for link in limbs.trunk)
    limb = sum(width[kind] for slot in limbs.slots for kind in slot.kinds)
    limb += sum(6 for slot in limbs.slots if slot.root and slot.root.floating)
    n = trunk + limb
    return n * (n + 1) // 2 + 10 * (len(limbs.trunk) + len(limbs.slots))


class _Robot:
    def __init__(self, model: EnvModel) -> None:
        self.kinds: list[list[int]] = [[] for _ in range(model.num_links)]
        for kind, link in zip(model.joint_kind, model.joint_link, strict=True):
            self.kinds[link].append(kind)
        self.children: list[list[int]] = [[] for _ in range(model.num_links)]
        for link, parent in enumerate(model.link_parent):
            if parent >= 0:
                self.children[parent].append(link)
        self.roots = {  # of trees, by their links
            link: Root(model.tree_floating[tree], model.link_tree.count(tree) == 1)
            for link, tree in enumerate(model.link_tree)
            if model.link_parent[link] < 0
        }
        self.velocities = [0] * model.num_links  # of the link and all below
        for link in reversed(range(model.num_links)):
            own = sum(3 if kind == JOINT_BALL else 1 for kind in self.kinds[link])
            own += 6 if link in self.roots and self.roots[link].floating else 0
            self.velocities[link] = 1 + own + sum(self.velocities[child] for child in self.children[link])

    def share(self, limbs: list[int], lanes: int) -> list[Slot]:
        """Slots for these limbs, the largest first to the lane with least."""
        load = [0] * lanes
        slots: list[Slot] = []
        for limb in sorted(limbs, key=lambda link: (-self.velocities[link], link)):
            lane = load.index(min(load))
            load[lane] += self.velocities[limb]
            self._place(limb, -1, lane, lanes, slots)
        return _parents_first(slots)

    def _place(self, link: int, parent: int, lane: int, lanes: int, slots: list[Slot]) -> None:
        """The first free slot below `parent` for joints of these kinds, or a new one; then the links below."""

        root = self.roots.get(link)

        def fits(slot: Slot) -> bool:
            common = min(len(slot.kinds), len(self.kinds[link]))
            free = slot.parent == parent and slot.root == root and slot.links[lane] < 0
            return free and slot.kinds[:common] == self.kinds[link][:common]

        at = next((n for n, slot in enumerate(slots) if fits(slot)), len(slots))
        if at == len(slots):
            slots.append(Slot(parent, [], [-1] * lanes, root))
        slot = slots[at]
        slot.links[lane] = link
        slot.kinds = max(slot.kinds, self.kinds[link], key=len)
        for child in self.children[link]:
            self._place(child, at, lane, lanes, slots)


def _parents_first(slots: list[Slot]) -> list[Slot]:
    """The slots, depth first."""
    order: list[int] = []

    def visit(parent: int) -> None:
        for at, slot in enumerate(slots):
            if slot.parent == parent:
                order.append(at)
                visit(at)

    visit(-1)
    new = {old: at for at, old in enumerate(order)}
    return [replace(slots[at], parent=new.get(slots[at].parent, -1)) for at in order]
