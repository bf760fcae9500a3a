"""Gym, section "actor properties"."""

from __future__ import annotations

import numpy as np

from isaacgym.gymapi.body_properties import (
    RigidBodyProperties,
    RigidShapeProperties,
    SoftMaterial,
    TendonProperties,
)
from isaacgym.gymapi.gym import convert
from isaacgym.gymapi.gym.checks import actor_decl, find, finite, pick
from isaacgym.gymapi.gym.status import missing, on_failure
from isaacgym.gymapi.handles import Env
from isaacgym.gymapi.records import IndexRange
from isaacgym.gymapi.struct import lone

_SOFT = "soft bodies are not simulated yet"
_FLT_MAX = float(np.finfo(np.float32).max)


class PropertyCalls:
    """Masses, materials, drives, sizes; at any time, before and after `prepare_sim`."""

    def get_actor_rigid_body_properties(self, env: Env, actor: int) -> list[RigidBodyProperties]:
        """Copies, one per body."""
        actor_decl(env, actor)
        return convert.body_objects(env.sim.simulation.get_body_properties(env.index, actor))

    @on_failure(False)
    def set_actor_rigid_body_properties(
        self, env: Env, actorHandle: int, props: list[RigidBodyProperties], recomputeInertia: bool = False
    ) -> bool:
        """Set masses, centres of mass, inertias and flags.

        Args:
            recomputeInertia: Scale each present inertia by new mass / old mass rather than take the given one.
        """
        decl = actor_decl(env, actorHandle)
        simulation = env.sim.simulation
        rows = simulation.get_body_properties(env.index, actorHandle)
        rows = convert.body_rows(props, rows, f"body properties of actor {decl.name!r}")
        simulation.set_body_properties(env.index, actorHandle, rows, bool(recomputeInertia))
        env.sim.classic.touch()
        return True

    def get_actor_rigid_shape_properties(self, env: Env, actor: int) -> list[RigidShapeProperties]:
        """Copies, one per collision shape."""
        actor_decl(env, actor)
        return convert.shape_objects(env.sim.simulation.get_shape_properties(env.index, actor))

    @on_failure(False)
    def set_actor_rigid_shape_properties(self, env: Env, actor: int, props: list[RigidShapeProperties]) -> bool:
        """Set friction, restitution, compliance, thickness and offsets; collision filters before `prepare_sim` only."""
        decl = actor_decl(env, actor)
        simulation = env.sim.simulation
        rows = simulation.get_shape_properties(env.index, actor)
        rows = convert.shape_rows(props, rows, f"shape properties of actor {decl.name!r}")
        simulation.set_shape_properties(env.index, actor, rows)
        return True

    def get_actor_dof_properties(self, env: Env, actor: int) -> np.ndarray:
        """A copy: a structured array, one record per DOF."""
        actor_decl(env, actor)
        return env.sim.simulation.get_dof_properties(env.index, actor)

    @on_failure(False)
    def set_actor_dof_properties(self, env: Env, actor: int, props: np.ndarray) -> bool:
        """Set drive modes, gains, limits, effort, speed, friction and armature of every DOF."""
        actor_decl(env, actor)
        env.sim.simulation.set_dof_properties(env.index, actor, props)
        return True

    def get_actor_scale(self, env: Env, actor: int) -> float:
        """Size relative to the asset."""
        actor_decl(env, actor)
        return env.sim.simulation.get_scale(env.index, actor)

    @on_failure(False)
    def set_actor_scale(self, env: Env, actor: int, scale: float) -> bool:
        """Set the size: geometry, masses at constant density, joint frames, limits of sliding DOFs."""
        actor_decl(env, actor)
        env.sim.simulation.set_scale(env.index, actor, float(lone(scale)))
        env.sim.classic.touch()
        return True

    # ---- tendons -----------------------------------------------------------------------------------------

    def get_actor_tendon_count(self, env: Env, actor: int) -> int:
        """Tendons of an MJCF file."""
        return len(actor_decl(env, actor).asset.tendons)

    def get_actor_tendon_name(self, env: Env, actor: int, index: int) -> str:
        """Name of a tendon."""
        return pick(actor_decl(env, actor).asset.tendons, index, "tendon").name

    def get_actor_tendon_properties(self, env: Env, actor: int) -> list[TendonProperties]:
        """In file order."""
        decl = actor_decl(env, actor)
        return convert.tendon_objects(decl.asset, decl.tendon_properties())

    @on_failure(False)
    def set_actor_tendon_properties(self, env: Env, actor: int, props: list[TendonProperties]) -> bool:
        """Set stiffness, damping, limits and rest lengths of tendons."""
        decl = actor_decl(env, actor)
        rows = convert.tendon_rows(props, decl.tendon_properties(), f"tendon properties of actor {decl.name!r}")
        env.sim.simulation.set_tendon_properties(env.index, actor, rows)
        return True

    def find_actor_tendon_index(self, env: Env, actor: int, name: str) -> int:
        """Index of a tendon, -1 if there is none."""
        return find([t.name for t in actor_decl(env, actor).asset.tendons], name)

    @on_failure(_FLT_MAX)
    def get_actor_tendon_offset(self, env: Env, actor: int, tendon: int) -> float:
        """Offset of a tendon's length; FLT_MAX for a wrong index."""
        return float(pick(actor_decl(env, actor).tendon_properties(), tendon, "tendon")["offset"])

    @on_failure(False)
    def set_actor_tendon_offset(self, env: Env, actor: int, tendon: int, offset: float) -> bool:
        """Set what is added to the sum of coefficient times joint position in a tendon's length."""
        rows = actor_decl(env, actor).tendon_properties()
        pick(rows, tendon, "tendon")
        rows["offset"][tendon] = offset
        env.sim.simulation.set_tendon_properties(env.index, actor, rows)
        return True

    def get_actor_fixed_tendon_joint_name(self, env: Env, actor: int, tendon: int, joint: int) -> str:
        """Name of a joint of a tendon."""
        joints = pick(actor_decl(env, actor).asset.tendons, tendon, "tendon").joints
        return pick(joints, joint, "joint of the tendon")

    @on_failure(-1)
    def find_actor_fixed_tendon_joint_index(self, env: Env, actor: int, tendon: int, joint_name: str) -> int:
        """Index of a joint in a tendon, -1 if there is none."""
        return find(list(pick(actor_decl(env, actor).asset.tendons, tendon, "tendon").joints), joint_name)

    def get_actor_fixed_tendon_joint_coefficients(self, env: Env, actor: int, tendon: int) -> list[float]:
        """Coefficients of a tendon's joints."""
        decl = actor_decl(env, actor)
        return decl.tendon_coefficients()[convert.tendon_joints(decl.asset, tendon)].tolist()

    @on_failure(False)
    def set_actor_fixed_tendon_joint_coefficients(
        self, env: Env, actor: int, tendon: int, coefficients: list[float]
    ) -> bool:
        """Set the coefficients of a tendon's joints."""
        decl = actor_decl(env, actor)
        here = convert.tendon_joints(decl.asset, tendon)
        convert.check_count(coefficients, here.stop - here.start, "tendon coefficients")
        values = decl.tendon_coefficients()
        values[here] = finite([float(c) for c in coefficients], "tendon coefficients")
        env.sim.simulation.set_tendon_coefficients(env.index, actor, values)
        return True

    # ---- soft bodies -------------------------------------------------------------------------------------

    def get_actor_soft_body_count(self, env: Env, actor: int) -> int:
        """0: actors have no soft bodies."""
        actor_decl(env, actor)
        return 0

    def get_actor_soft_materials(self, env: Env, actor: int) -> list[SoftMaterial]:
        """Empty: actors have no soft bodies."""
        actor_decl(env, actor)
        return []

    @missing(_SOFT)
    def set_actor_soft_materials(self, env: Env, actor: int, materials: list[SoftMaterial]) -> bool:
        """Set soft materials."""
        raise AssertionError

    @missing(_SOFT)
    def get_actor_tetrahedra_range(self, env: Env, actor: int, soft_index: int) -> IndexRange:
        """Tetrahedra of a soft body."""
        raise AssertionError

    @missing(_SOFT)
    def get_actor_triangle_range(self, env: Env, actor: int, soft_index: int) -> IndexRange:
        """Triangles of a soft body."""
        raise AssertionError

    @missing(_SOFT)
    def reset_actor_particles_to_rest(self, env: Env, actor: int) -> bool:
        """Reset a soft body."""
        raise AssertionError
