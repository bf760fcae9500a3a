"""Gym, section "actors: creation and lookup". Handles count within an env, as the original's."""

from __future__ import annotations

from typing import Any

from isaacgym.gymapi.body_properties import ActuatorProperties
from isaacgym.gymapi.constants import INVALID_HANDLE
from isaacgym.gymapi.enums import IndexDomain
from isaacgym.gymapi.gym import convert
from isaacgym.gymapi.gym.checks import (
    actor_decl,
    as_env,
    env_decl,
    find,
    in_domain,
    item_count,
    name_dict,
    need,
    owner,
    pick,
    pose_numbers,
)
from isaacgym.gymapi.gym.status import log, on_failure
from isaacgym.gymapi.handles import Asset, Env
from isaacgym.gymapi.math_types import Transform
from isaacgym.gymapi.records import IndexRange
from kilogym.math.quaternion import quat_mul


def names_of(asset: Any, kind: str) -> list[str]:
    """Names of the bodies, DOFs or joints of Kilogym's asset."""
    if kind == "dof":
        return asset.dof_names()
    return [item.name for item in (asset.links if kind == "body" else asset.joints)]


def handle_of(env: Env, actor: int, index: int, kind: str) -> int:
    """Env-relative handle of an actor's body, DOF or joint."""
    decl = actor_decl(env, actor)
    if not 0 <= index < item_count(decl.asset, kind):
        raise IndexError(f"{kind} {index} of actor {decl.name!r}: expected 0 <= index < {item_count(decl.asset, kind)}")
    return getattr(decl, f"{kind}_start") + index


def index_of(env: Env, actor: int, index: int, domain: IndexDomain, kind: str) -> int:
    """Index of an actor's body, DOF or joint in a domain."""
    handle = handle_of(env, actor, index, kind)
    start = getattr(env.sim.simulation.scene.starts(env.index), kind)
    return in_domain(domain, index, handle - index, start)


def find_in(env: Env, actor: int, name: str, kind: str) -> int:
    """Actor-relative index of a named body, DOF or joint, -1 if there is none."""
    return find(names_of(actor_decl(env, actor).asset, kind), name)


class ActorCalls:
    """Make actors and find their parts. What is not found gives -1; a wrong handle too, with a logged reason."""

    @on_failure(INVALID_HANDLE)
    def create_actor(
        self,
        env: Env,
        asset: Asset,
        pose: Transform,
        name: str | None = None,
        group: int = -1,
        filter: int = -1,
        segmentationId: int = 0,
    ) -> int:
        """Make an actor of an asset.

        Args:
            pose: Of the root body, in the env's frame. The root's rotation in an MJCF file comes on top of it, its
                place there does not count: the Shadow Hand lies palm up when made without a rotation.
            name: Need not be unique; default the asset's.
            group: Actors of an env collide if their groups are equal or one is -1. Actors of different envs never
                do; if their groups say that they should, `prepare_sim` raises (docs/migration.md).
            filter: -1: the file's own filters; else two shapes collide only if their filters have no bit in common.
            segmentationId: For segmentation images.

        Returns:
            The handle: the actor's index in its env.
        """
        as_env(env)
        need(Asset, asset)
        simulation = env.sim.simulation
        last = len(env.sim.envs) - 1
        if env.index != last and env.sim.params.enable_actor_creation_warning:
            env.sim.params.enable_actor_creation_warning = False
            log.info(
                "create_actor: env %d gets an actor after env %d was created. Rows of the tensors are ordered by "
                "env, then actor, whatever the order of creation.",
                env.index,
                last,
            )
        pos, turned = pose_numbers(pose)
        x, y, z, w = map(float, quat_mul(turned, asset.asset.links[0].quat))
        shapes = asset.shapes if asset.shapes_edited else None
        return simulation.create_actor(
            env.index, asset.asset, pos, (x, y, z, w), name, group, filter, segmentationId, shapes, asset.tendons,
            asset.tendon_coefficients,
        )  # fmt: skip

    def find_actor_handle(self, env: Env, name: str) -> int:
        """Handle of the first actor of that name."""
        return as_env(env).sim.simulation.find_actor(env.index, name)

    def get_actor_handle(self, env: Env, index: int) -> int:
        """Handle of the actor at an index of the env; -1 if there is none."""
        return index if 0 <= index < len(env_decl(env).actors) else INVALID_HANDLE

    def get_actor_name(self, env: Env, actor: int) -> str:
        """Name of an actor."""
        return actor_decl(env, actor).name

    def get_actor_asset(self, env: Env, actor: int) -> Asset:
        """The asset an actor was made of."""
        from kilogym.scene.properties import shape_properties

        decl = actor_decl(env, actor)
        return Asset(decl.asset, shape_properties(decl.asset, decl.contact_offset, decl.rest_offset))

    @on_failure(INVALID_HANDLE)
    def get_actor_index(self, env: Env, actor: int, domain: IndexDomain) -> int:
        """Index of an actor; in DOMAIN_SIM its row of the root-state tensor, which indexed setters take."""
        actor_decl(env, actor)
        if IndexDomain(int(domain)) is IndexDomain.DOMAIN_ACTOR:
            return 0
        return in_domain(domain, actor, 0, env.sim.simulation.scene.starts(env.index).actor)

    @on_failure(INVALID_HANDLE)
    def find_actor_index(self, env: Env, name: str, domain: IndexDomain) -> int:
        """Index of the first actor of that name."""
        actor = self.find_actor_handle(env, name)
        return INVALID_HANDLE if actor < 0 else self.get_actor_index(env, actor, domain)

    # ---- bodies ------------------------------------------------------------------------------------------

    def get_actor_rigid_body_count(self, env: Env, actor: int) -> int:
        """Bodies."""
        return len(actor_decl(env, actor).asset.links)

    def get_actor_rigid_body_names(self, env: Env, actor: int) -> list[str]:
        """Names in body order."""
        return names_of(actor_decl(env, actor).asset, "body")

    def get_actor_rigid_body_dict(self, env: Env, actor: int) -> dict[str, int]:
        """Name -> index in the actor."""
        return name_dict(names_of(actor_decl(env, actor).asset, "body"))

    @on_failure(INVALID_HANDLE)
    def get_actor_rigid_body_handle(self, env: Env, actor: int, index: int) -> int:
        """Handle of a body: its index in the env."""
        return handle_of(env, actor, index, "body")

    @on_failure(INVALID_HANDLE)
    def find_actor_rigid_body_handle(self, env: Env, actor: int, name: str) -> int:
        """Handle of a named body."""
        index = find_in(env, actor, name, "body")
        return INVALID_HANDLE if index < 0 else handle_of(env, actor, index, "body")

    @on_failure(INVALID_HANDLE)
    def get_actor_root_rigid_body_handle(self, env: Env, actor: int) -> int:
        """Handle of an actor's body 0."""
        return handle_of(env, actor, 0, "body")

    @on_failure(INVALID_HANDLE)
    def get_actor_rigid_body_index(self, env: Env, actor: int, index: int, domain: IndexDomain) -> int:
        """Index of a body in a domain."""
        return index_of(env, actor, index, domain, "body")

    @on_failure(INVALID_HANDLE)
    def find_actor_rigid_body_index(self, env: Env, actor: int, name: str, domain: IndexDomain) -> int:
        """Index of a named body in a domain."""
        index = find_in(env, actor, name, "body")
        return INVALID_HANDLE if index < 0 else index_of(env, actor, index, domain, "body")

    @on_failure(INVALID_HANDLE)
    def get_rigid_handle(self, env: Env, actor_name: str, body_name: str) -> int:
        """Handle of a body by the names of actor and body."""
        actor = self.find_actor_handle(env, actor_name)
        return INVALID_HANDLE if actor < 0 else self.find_actor_rigid_body_handle(env, actor, body_name)

    def get_rigid_name(self, env: Env, body_handle: int) -> str:
        """Name of a body."""
        actor, index = owner(env, body_handle, "body")
        return names_of(actor_decl(env, actor).asset, "body")[index]

    def get_actor_rigid_shape_count(self, env: Env, actor: int) -> int:
        """Collision shapes."""
        return len(actor_decl(env, actor).asset.shapes)

    def get_actor_rigid_body_shape_indices(self, env: Env, actor: int) -> list[IndexRange]:
        """Per body, its stretch of the shape list."""
        return convert.shape_ranges(actor_decl(env, actor).asset)

    # ---- joints ------------------------------------------------------------------------------------------

    def get_actor_joint_count(self, env: Env, actor: int) -> int:
        """Joints, fixed ones included."""
        return len(actor_decl(env, actor).asset.joints)

    def get_actor_joint_names(self, env: Env, actor: int) -> list[str]:
        """Names in joint order."""
        return names_of(actor_decl(env, actor).asset, "joint")

    def get_actor_joint_dict(self, env: Env, actor: int) -> dict[str, int]:
        """Name -> index in the actor."""
        return name_dict(names_of(actor_decl(env, actor).asset, "joint"))

    @on_failure(INVALID_HANDLE)
    def get_actor_joint_handle(self, env: Env, actor: int, index: int) -> int:
        """Handle of a joint: its index in the env."""
        return handle_of(env, actor, index, "joint")

    @on_failure(INVALID_HANDLE)
    def find_actor_joint_handle(self, env: Env, actor: int, name: str) -> int:
        """Handle of a named joint."""
        index = find_in(env, actor, name, "joint")
        return INVALID_HANDLE if index < 0 else handle_of(env, actor, index, "joint")

    @on_failure(INVALID_HANDLE)
    def get_actor_joint_index(self, env: Env, actor: int, index: int, domain: IndexDomain) -> int:
        """Index of a joint in a domain."""
        return index_of(env, actor, index, domain, "joint")

    @on_failure(INVALID_HANDLE)
    def find_actor_joint_index(self, env: Env, actor: int, name: str, domain: IndexDomain) -> int:
        """Index of a named joint in a domain."""
        index = find_in(env, actor, name, "joint")
        return INVALID_HANDLE if index < 0 else index_of(env, actor, index, domain, "joint")

    @on_failure(INVALID_HANDLE)
    def get_joint_handle(self, env: Env, actor_name: str, joint_name: str) -> int:
        """Handle of a joint by the names of actor and joint."""
        actor = self.find_actor_handle(env, actor_name)
        return INVALID_HANDLE if actor < 0 else self.find_actor_joint_handle(env, actor, joint_name)

    def get_joint_name(self, env: Env, joint_handle: int) -> str:
        """Name of a joint."""
        actor, index = owner(env, joint_handle, "joint")
        return names_of(actor_decl(env, actor).asset, "joint")[index]

    # ---- DOFs --------------------------------------------------------------------------------------------

    def get_actor_dof_count(self, env: Env, actor: int) -> int:
        """DOFs."""
        return actor_decl(env, actor).asset.num_dofs

    def get_actor_dof_names(self, env: Env, actor: int) -> list[str]:
        """Names in DOF order."""
        return names_of(actor_decl(env, actor).asset, "dof")

    def get_actor_dof_dict(self, env: Env, actor: int) -> dict[str, int]:
        """Name -> index in the actor."""
        return name_dict(names_of(actor_decl(env, actor).asset, "dof"))

    @on_failure(INVALID_HANDLE)
    def get_actor_dof_handle(self, env: Env, actor: int, index: int) -> int:
        """Handle of a DOF: its index in the env."""
        return handle_of(env, actor, index, "dof")

    @on_failure(INVALID_HANDLE)
    def find_actor_dof_handle(self, env: Env, actor: int, name: str) -> int:
        """Handle of a named DOF."""
        index = find_in(env, actor, name, "dof")
        return INVALID_HANDLE if index < 0 else handle_of(env, actor, index, "dof")

    @on_failure(INVALID_HANDLE)
    def get_actor_dof_index(self, env: Env, actor: int, index: int, domain: IndexDomain) -> int:
        """Index of a DOF; in DOMAIN_SIM its row of the DOF-state tensor."""
        return index_of(env, actor, index, domain, "dof")

    @on_failure(INVALID_HANDLE)
    def find_actor_dof_index(self, env: Env, actor: int, name: str, domain: IndexDomain) -> int:
        """Index of a named DOF in a domain."""
        index = find_in(env, actor, name, "dof")
        return INVALID_HANDLE if index < 0 else index_of(env, actor, index, domain, "dof")

    # ---- actuators ---------------------------------------------------------------------------------------

    def get_actor_actuator_count(self, env: Env, actor: int) -> int:
        """Actuators of an MJCF file."""
        return len(actor_decl(env, actor).asset.actuators)

    def get_actor_actuator_name(self, env: Env, actor: int, index: int) -> str:
        """Name of an actuator."""
        return pick(actor_decl(env, actor).asset.actuators, index, "actuator").name

    def get_actor_actuator_joint_name(self, env: Env, actor: int, index: int) -> str:
        """Name of the joint that an actuator drives."""
        return pick(actor_decl(env, actor).asset.actuators, index, "actuator").joint

    def get_actor_actuator_properties(self, env: Env, actor: int) -> list[ActuatorProperties]:
        """In file order; `motor_effort` of a motor is its gear."""
        return convert.actuator_objects(actor_decl(env, actor).asset)

    def find_actor_actuator_index(self, env: Env, actor: int, name: str) -> int:
        """Index of an actuator, -1 if there is none."""
        return find([a.name for a in actor_decl(env, actor).asset.actuators], name)
