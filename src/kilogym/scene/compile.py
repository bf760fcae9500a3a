"""From declarations to what the engine runs: one plan per batch of envs of equal topology.

Work is done once per *class* of envs, those that differ in property records, poses and sizes alone, and
vectorised over the envs of a class; a scene of 65536 equal envs costs little more than one of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kilogym.engine.model import PARAMETERS, EnvModel
from kilogym.scene import values as v
from kilogym.scene.collisions import check_groups_across_envs
from kilogym.scene.couplings import (
    attractor_values,
    held_values,
    tendon_coefficients,
    tendon_properties,
    tendon_values,
)
from kilogym.scene.declarations import ActorDecl, EnvDecl, Scene
from kilogym.scene.hulls import HullLibrary
from kilogym.scene.properties import body_properties, dof_properties
from kilogym.scene.terrain import engine_terrain
from kilogym.scene.topology import Topology, build_topology


@dataclass(frozen=True)
class BatchPlan:
    """Envs that share a compiled step.

    Attributes:
        model: Their topology and the first env's parameters.
        envs: Their indices in the scene, ascending; position = column in the batch's arrays.
        shape_items: For each shape of the model, (actor, index in its asset); the same in all envs.
        varying: Parameters that are not equal over the envs: float32 [components * count, len(envs)].
        root_pos, root_quat: Creation poses, float32 [3 or 4 * trees, len(envs)], in the engine's row order.
    """

    model: EnvModel
    envs: list[int]
    shape_items: list[tuple[int, int]]
    varying: dict[str, np.ndarray]
    root_pos: np.ndarray
    root_quat: np.ndarray


def compile_scene(scene: Scene, max_contacts: int = 0, shared_groups: str = "refuse") -> list[BatchPlan]:
    """Group the scene's envs by topology and gather their parameters.

    Args:
        scene: Declarations; not changed.
        max_contacts: Contacts kept per env; 0 = chosen by the engine.
        shared_groups: "refuse" or "ignore" actors of different envs in one collision group.

    Raises:
        ValueError: actors of different envs would collide.
    """
    if shared_groups == "refuse":
        check_groups_across_envs(scene.envs)
    has_ground = scene.ground is not None
    terrain = engine_terrain(scene.terrain)
    topologies: dict[object, Topology] = {}
    batches: dict[object, list[tuple[int, Topology]]] = {}
    for index, env in enumerate(scene.envs):
        if not env.actors:
            continue  # nothing to simulate
        key = _env_key(env)
        topology = topologies.get(key)
        if topology is None:
            topology = topologies[key] = build_topology(env, has_ground, max_contacts, terrain)
        # shapes that the model leaves out may differ, so the numbering belongs to the signature
        signature = (topology.key(), tuple(topology.shape_items))
        batches.setdefault(signature, []).append((index, topology))
    return [_plan_batch(scene, members) for members in batches.values()]


def _env_key(env: EnvDecl) -> tuple[object, ...]:
    """Equal for envs that differ in data alone, without looking inside the assets."""
    groups: dict[int, int] = {}
    actors = tuple(
        (
            id(actor.asset),
            -1 if actor.group == -1 else groups.setdefault(actor.group, len(groups)),
            actor.filter,
            None if actor.shapes is None else actor.shapes["filter"].tobytes(),
        )
        for actor in env.actors
    )
    return actors, tuple((a.actor, a.link) for a in env.attractors)


def _plan_batch(scene: Scene, members: list[tuple[int, Topology]]) -> BatchPlan:
    envs = [index for index, _ in members]
    decls = [scene.envs[index] for index in envs]
    topology = members[0][1]
    model = topology.model
    tables = {name: [] for name in PARAMETERS}  # type: dict[str, list[np.ndarray]]
    for slot in range(model.num_trees):
        actors = [decl.actors[slot] for decl in decls]
        shapes = [shape for actor, shape in topology.shape_items if actor == slot]
        for name, table in _actor_tables(actors, shapes, scene.hulls).items():
            tables[name].append(table)
    grounds = v.ground_values(np.array([d.origin for d in decls], np.float64), scene.ground)
    on_terrain: Callable[[EnvDecl], object] = lambda d: d.origin if model.terrain else None  # noqa: E731
    terrains = _per_class(decls, on_terrain, lambda d: v.terrain_values(d, model.terrain, scene.terrain))
    for name, table in [*grounds.items(), *terrains.items()]:
        tables[name].append(table)
    model.hulls = scene.hulls.hulls
    for name, table in attractor_values([decl.attractors for decl in decls]).items():
        tables[name].append(table)
    varying = {}
    for name, (per, components, _) in PARAMETERS.items():
        table = _concatenate(tables[name], len(envs), components)
        model.params[name] = table[0].astype(np.float64).reshape(model.count(per), components)
        moves = name == "attractor_target" and table.size  # to be set at any time, without a recompile
        if table.shape[0] > 1 and (moves or not (table == table[0]).all()):
            varying[name] = np.ascontiguousarray(table.reshape(len(envs), -1).T.astype(np.float32))
    pos = np.array([[actor.pos for actor in decl.actors] for decl in decls], np.float32)
    quat = np.array([[actor.quat for actor in decl.actors] for decl in decls], np.float32)
    return BatchPlan(
        model=model,
        envs=envs,
        shape_items=topology.shape_items,
        varying=varying,
        root_pos=np.ascontiguousarray(pos.reshape(len(envs), -1).T),
        root_quat=np.ascontiguousarray(quat.reshape(len(envs), -1).T),
    )


def _actor_tables(actors: list[ActorDecl], shapes: list[int], hulls: HullLibrary) -> v.Values:
    """Values of one actor slot over the envs: name -> (envs or 1, items, components)."""
    by_size: Callable[[ActorDecl], object] = lambda a: (id(a.asset), a.scale)  # noqa: E731
    tables = _per_class(actors, by_size, v.frame_values)
    tables |= _per_class(actors, lambda a: id(a.asset), lambda a: v.motion_values(a.asset))
    tables |= _per_class(actors, by_size, lambda a: v.geometry_values(a, shapes, hulls))
    tables |= v.body_values(
        _records(actors, lambda a: a.bodies, lambda a: id(a.asset), lambda a: body_properties(a.asset))
    )
    tables |= v.dof_values(_records(actors, lambda a: a.dofs, lambda a: id(a.asset), lambda a: dof_properties(a.asset)))
    tables |= tendon_values(
        _records(actors, lambda a: a.tendons, lambda a: id(a.asset), lambda a: tendon_properties(a.asset))
    )
    coefficients = _records(
        actors, lambda a: a.coefficients, lambda a: id(a.asset), lambda a: tendon_coefficients(a.asset)
    )
    tables["tendon_coefficient"] = coefficients.astype(np.float64)[..., None]
    placed = any(c.link_b < 0 for a in actors for c in a.asset.closures)
    tables |= _per_class(
        actors,
        lambda a: (id(a.asset), a.scale, *((a.pos, a.quat) if placed else ())),
        lambda a: held_values(a.asset, a.pos, a.quat, a.scale),
    )
    rows = _records(
        actors,
        lambda a: a.shapes,
        lambda a: (id(a.asset), a.contact_offset, a.rest_offset),
        lambda a: a.shape_properties(),
    )
    return tables | v.shape_values(rows[:, shapes])


def _per_class(items: Sequence, key: Callable, make: Callable) -> v.Values:
    """`make` of each item, once per distinct key, stacked: (items or 1, ...)."""
    index: dict[object, int] = {}
    made: list[v.Values] = []
    which = np.empty(len(items), np.int64)
    for i, item in enumerate(items):
        k = key(item)
        if k not in index:
            index[k] = len(made)
            made.append(make(item))
        which[i] = index[k]
    stacked = {name: np.stack([m[name] for m in made]) for name in made[0]}
    return stacked if len(made) == 1 else {name: table[which] for name, table in stacked.items()}


def _records(items: list[ActorDecl], own: Callable, key: Callable, default: Callable) -> np.ndarray:
    """Property records of each actor, its own or its asset's: (items or 1, records)."""
    defaults: dict[object, np.ndarray] = {}
    rows = []
    for item in items:
        record = own(item)
        if record is None:
            k = key(item)
            if k not in defaults:
                defaults[k] = default(item)
            record = defaults[k]
        rows.append(record)
    if all(row is rows[0] for row in rows):
        rows = rows[:1]
    return np.stack(rows)


def _concatenate(parts: list[np.ndarray], num_envs: int, components: int) -> np.ndarray:
    """Join the actors' tables along the items: (envs or 1, items, components)."""
    parts = [part for part in parts if part.shape[1]]
    if not parts:
        return np.zeros((1, 0, components))
    if all(len(part) == 1 for part in parts):
        return np.concatenate(parts, axis=1)
    full = [np.broadcast_to(part, (num_envs, *part.shape[1:])) for part in parts]
    return np.concatenate(full, axis=1)
