"""Which shapes of an env are tested against the ground and against each other.

Rules, in Isaac Gym's terms: two actors collide if their groups are equal or one is -1. Two shapes collide if
`filter_a & filter_b == 0` and, where an actor was created with filter -1, its asset's own say (contype,
conaffinity, excluded link pairs) allows it. Links joined by a joint never collide, nor do links welded
together. Shapes that nothing can move, those of welded bases, do not collide with the ground or with
each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kilogym.assets.asset import Asset, JointKind, Shape
from kilogym.scene.declarations import ActorDecl, EnvDecl

_ALL_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class CollisionPlan:
    """Shapes of an env that take part in collisions; shapes are counted over all actors of the env."""

    kept: list[int]  # ascending; shapes that touch something
    ground: list[bool]  # per kept shape
    pairs: list[tuple[int, int]]  # indices into `kept`, a < b, ascending


def welded_groups(asset: Asset) -> np.ndarray:
    """For each link, the first link it cannot move against: a link without moving joints has its parent's."""
    moving = {joint.link for joint in asset.joints if joint.kind is not JointKind.FIXED}
    group = np.arange(len(asset.links))
    for i, link in enumerate(asset.links):
        if i > 0 and i not in moving:
            group[i] = group[link.parent]
    return group


@dataclass
class _Item:
    """A shape as the rules see it."""

    actor: int
    shape: Shape
    filter: int
    contype: int  # all bits where the user gave a filter
    conaffinity: int
    immovable: bool


def _items(actors: Sequence[ActorDecl]) -> list[_Item]:
    items = []
    for index, actor in enumerate(actors):
        asset = actor.asset
        weld = welded_groups(asset)
        filters = actor.shape_properties()["filter"]
        for shape, bits in zip(asset.shapes, filters, strict=True):
            own = actor.filter == -1
            items.append(
                _Item(
                    actor=index,
                    shape=shape,
                    filter=int(bits),
                    contype=shape.contype if own else _ALL_BITS,
                    conaffinity=shape.conaffinity if own else _ALL_BITS,
                    immovable=asset.fixed_base and weld[shape.link] == 0,
                )
            )
    return items


def _filters_allow(a: _Item, b: _Item) -> bool:
    return (a.filter & b.filter) == 0 and ((a.contype & b.conaffinity) | (b.contype & a.conaffinity)) != 0


def _groups_allow(a: int, b: int) -> bool:
    return a == b or a == -1 or b == -1


def plan_collisions(env: EnvDecl, has_ground: bool) -> CollisionPlan:
    """Decide what is tested in an env."""
    items = _items(env.actors)
    ground = [has_ground and not i.immovable and (i.contype | i.conaffinity) != 0 for i in items]
    pairs = _candidates(env.actors, items)
    used = {i for pair in pairs for i in pair} | {i for i, g in enumerate(ground) if g}
    kept = sorted(used)
    new = {old: k for k, old in enumerate(kept)}
    return CollisionPlan(kept=kept, ground=[ground[i] for i in kept], pairs=sorted((new[a], new[b]) for a, b in pairs))


def _candidates(actors: Sequence[ActorDecl], items: list[_Item]) -> list[tuple[int, int]]:
    """Pairs a < b of shapes that the rules let collide."""
    excluded = [_excluded_links(actor) for actor in actors]
    welds = [welded_groups(actor.asset) for actor in actors]
    out = []
    for b in range(len(items)):
        for a in range(b):
            x, y = items[a], items[b]
            if (x.immovable and y.immovable) or not _filters_allow(x, y):
                continue
            if x.actor != y.actor:
                if not _groups_allow(actors[x.actor].group, actors[y.actor].group):
                    continue
            else:
                weld = welds[x.actor]
                if weld[x.shape.link] == weld[y.shape.link]:
                    continue
                if (x.shape.link, y.shape.link) in excluded[x.actor]:
                    continue
            out.append((a, b))
    return out


def _excluded_links(actor: ActorDecl) -> set[tuple[int, int]]:
    """Ordered link pairs of one actor that never collide: parent and child, and what the file excludes."""
    asset = actor.asset
    pairs = {(link.parent, i) for i, link in enumerate(asset.links) if i > 0}
    if actor.filter == -1:
        pairs |= set(asset.excluded_pairs)
    return pairs | {(b, a) for a, b in pairs}


def check_groups_across_envs(envs: Sequence[EnvDecl]) -> None:
    """Refuse actors of different envs that share a collision group and whose filters would let them collide.

    Raises:
        ValueError: naming two such actors.
    """
    # per group: one env and actor for each distinct way to collide
    seen: dict[int, dict[bytes, tuple[int, ActorDecl]]] = {}
    harmless: set[tuple[bytes, bytes]] = set()
    for index, env in enumerate(envs):
        for actor in env.actors:
            if actor.group < 0 or not actor.asset.shapes:
                continue
            known = seen.setdefault(actor.group, {})
            key = _collision_key(actor)
            for other_key, (other_env, other) in known.items():
                if other_env == index or (key, other_key) in harmless:
                    continue
                if _would_collide(actor, other):
                    raise ValueError(
                        f"actor {other.name!r} of env {other_env} and actor {actor.name!r} of env {index} "
                        f"share the collision group {actor.group} and would collide, but envs are closed "
                        "worlds; give each env its own group (its index, say), or set "
                        "SimulationParams.shared_groups = 'ignore' to let them pass through each other"
                    )
                harmless.add((key, other_key))
            known.setdefault(key, (index, actor))


def _collision_key(actor: ActorDecl) -> bytes:
    filters = b"" if actor.shapes is None else actor.shapes["filter"].tobytes()
    return repr((id(actor.asset), actor.filter)).encode() + filters


def _would_collide(a: ActorDecl, b: ActorDecl) -> bool:
    items_a, items_b = _items([a]), _items([b])
    return any(_filters_allow(x, y) and not (x.immovable and y.immovable) for x in items_a for y in items_b)
