"""One env's actors, concatenated into the topology of an EnvModel."""

from __future__ import annotations

from dataclasses import dataclass

from kilogym.assets.asset import JointKind, ShapeKind
from kilogym.engine.model import (
    JOINT_BALL,
    JOINT_PRISMATIC,
    JOINT_REVOLUTE,
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
from kilogym.engine.terrain import Terrain
from kilogym.scene.collisions import plan_collisions
from kilogym.scene.couplings import couple
from kilogym.scene.declarations import EnvDecl

JOINT_KINDS = {
    JointKind.REVOLUTE: JOINT_REVOLUTE,
    JointKind.PRISMATIC: JOINT_PRISMATIC,
    JointKind.BALL: JOINT_BALL,
}
SHAPE_KINDS = {
    ShapeKind.SPHERE: SHAPE_SPHERE,
    ShapeKind.CAPSULE: SHAPE_CAPSULE,
    ShapeKind.CYLINDER: SHAPE_CYLINDER,
    ShapeKind.BOX: SHAPE_BOX,
    ShapeKind.ELLIPSOID: SHAPE_ELLIPSOID,
    ShapeKind.MESH: SHAPE_HULL,
}


@dataclass(frozen=True)
class Topology:
    """Topology of an env and where each actor's items stand in it.

    `model.params` is empty. `shape_items`: for each shape of the model, (actor, index in its asset).
    """

    model: EnvModel
    shape_items: list[tuple[int, int]]

    def key(self) -> tuple[object, ...]:
        """Equal for envs that can share a compiled step."""
        m = self.model
        return (
            tuple(m.tree_floating), tuple(m.link_tree), tuple(m.link_parent), tuple(m.joint_kind),
            tuple(m.joint_link), tuple(m.shape_kind), tuple(m.shape_link), tuple(m.shape_ground),
            tuple(m.pairs), tuple(m.sensor_link), tuple(m.sensor_flags), m.has_ground, m.max_contacts,
            tuple(tuple(dofs) for dofs in m.tendons), tuple(m.joint_equalities), tuple(m.closures), tuple(m.attractors),
            m.terrain.kinds if m.terrain else (),
        )  # fmt: skip


def build_topology(env: EnvDecl, has_ground: bool, max_contacts: int = 0, terrain: Terrain | None = None) -> Topology:
    """Concatenate the env's actors.

    Raises:
        NotImplementedError: a joint that the engine cannot do yet.
    """
    plan = plan_collisions(env, has_ground or terrain is not None)
    model = EnvModel(
        tree_floating=[], link_tree=[], link_parent=[], joint_kind=[], joint_link=[], shape_kind=[],
        shape_link=[], shape_ground=plan.ground, pairs=plan.pairs, has_ground=has_ground, terrain=terrain,
        max_contacts=max_contacts,
    )  # fmt: skip
    all_shapes = [(a, s) for a, actor in enumerate(env.actors) for s in range(len(actor.asset.shapes))]
    link_start = []
    for tree, actor in enumerate(env.actors):
        asset = actor.asset
        first = len(model.link_parent)
        link_start.append(first)
        model.tree_floating.append(not asset.fixed_base)
        model.link_tree += [tree] * len(asset.links)
        model.link_parent += [first + link.parent if i > 0 else -1 for i, link in enumerate(asset.links)]
        moving = [joint for joint in asset.joints if joint.kind is not JointKind.FIXED]
        couple(model, asset, first, model.num_dofs)
        model.joint_kind += [JOINT_KINDS[joint.kind] for joint in moving]
        model.joint_link += [first + joint.link for joint in moving]
        model.sensor_link += [first + sensor.link for sensor in asset.sensors]
        model.sensor_flags += [
            sensor.forward_dynamics | sensor.constraint_solver * 2 | sensor.world_frame * 4 for sensor in asset.sensors
        ]
    model.attractors += [env.actors[a.actor].body_start + a.link for a in env.attractors]
    shape_items = [all_shapes[i] for i in plan.kept]
    for actor_index, shape_index in shape_items:
        shape = env.actors[actor_index].asset.shapes[shape_index]
        instead = SHAPE_SDF if shape.field is not None else SHAPE_PARTS if shape.parts else None
        model.shape_kind.append(SHAPE_KINDS[shape.kind] if instead is None else instead)
        model.shape_link.append(link_start[actor_index] + shape.link)
    return Topology(model, shape_items)
