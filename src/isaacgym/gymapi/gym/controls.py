"""Gym, sections "classic controls and forces" and "classic contact queries"."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.enums import CoordinateSpace
from isaacgym.gymapi.gym import convert
from isaacgym.gymapi.gym.checks import actor_decl, as_sim, as_viewer, env_decl, finite, owner, vec3
from isaacgym.gymapi.gym.classic import Push
from isaacgym.gymapi.gym.status import on_failure, without_effect
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.math_types import Mat33, Vec3
from isaacgym.gymapi.records import SoftContact, SpatialForce
from isaacgym.gymapi.struct import make_record
from isaacgym.gymapi.viewer import Viewer


class ForceSensor:
    """A force sensor of an actor."""

    def __init__(self, sim: Sim | None = None, row: int = -1) -> None:
        self._sim, self._row = sim, row

    def get_forces(self) -> SpatialForce:
        """Force [N] and torque [N m] of the last step."""
        if self._sim is None:
            return SpatialForce()
        row = self._sim.classic.host("force_sensors")[self._row].tolist()
        return make_record(SpatialForce, force=row[:3], torque=row[3:])

    def get_global_index(self) -> int:
        """Row of the force-sensor tensor."""
        return self._row


class ControlCalls:
    """Efforts, targets and forces, one actor or body at a time."""

    @on_failure(False)
    def apply_actor_dof_efforts(self, env: Env, actor: int, efforts: np.ndarray) -> bool:
        """Add efforts [N m or N] to an actor's DOFs for the next step; only DOFs in effort mode react."""
        env_values = _values(env, actor, efforts, "efforts")
        env.sim.classic.add_efforts(env.index, actor, env_values)
        return True

    @on_failure(None)
    def apply_dof_effort(self, env: Env, dof_handle: int, effort: float) -> None:
        """Add an effort to one DOF for the next step."""
        actor, index = owner(env, dof_handle, "dof")
        values = np.zeros(actor_decl(env, actor).asset.num_dofs, np.float32)
        values[index] = finite(effort, f"effort of DOF {dof_handle} of env {env.index}")
        env.sim.classic.add_efforts(env.index, actor, values)

    def get_actor_dof_position_targets(self, env: Env, actor: int) -> np.ndarray:
        """Targets in force, float32."""
        actor_decl(env, actor)
        return env.sim.classic.targets(env.index, actor, "position")

    @on_failure(False)
    def set_actor_dof_position_targets(self, env: Env, actor: int, targets: np.ndarray) -> bool:
        """Set targets [rad or m] until they are set again; only DOFs in position mode react."""
        values = _values(env, actor, targets, "position targets")
        env.sim.classic.write_targets(env.index, actor, "position", values)
        return True

    def get_actor_dof_velocity_targets(self, env: Env, actor: int) -> np.ndarray:
        """Targets in force, float32."""
        actor_decl(env, actor)
        return env.sim.classic.targets(env.index, actor, "velocity")

    @on_failure(False)
    def set_actor_dof_velocity_targets(self, env: Env, actor: int, targets: np.ndarray) -> bool:
        """Set targets [rad/s or m/s] until they are set again; DOFs in velocity and position mode react."""
        values = _values(env, actor, targets, "velocity targets")
        env.sim.classic.write_targets(env.index, actor, "velocity", values)
        return True

    def get_dof_target_position(self, env: Env, dof_handle: int) -> float:
        """Target of a DOF [rad or m]."""
        return _target(env, dof_handle, "position")

    @on_failure(None)
    def set_dof_target_position(self, env: Env, dof_handle: int, position: float) -> None:
        """Set the target of a DOF [rad or m]."""
        _set_target(env, dof_handle, "position", position)

    def get_dof_target_velocity(self, env: Env, dof_handle: int) -> float:
        """Target of a DOF [rad/s or m/s]."""
        return _target(env, dof_handle, "velocity")

    @on_failure(None)
    def set_dof_target_velocity(self, env: Env, dof_handle: int, velocity: float) -> None:
        """Set the target of a DOF [rad/s or m/s]."""
        _set_target(env, dof_handle, "velocity", velocity)

    def get_joint_target_position(self, env: Env, joint_handle: int) -> float:
        """Target of a joint's (first) DOF [rad or m]."""
        return _target(env, _joint_dof(env, joint_handle), "position")

    @on_failure(None)
    def set_joint_target_position(self, env: Env, joint_handle: int, position: float) -> None:
        """Set the target of a joint's (first) DOF [rad or m]."""
        _set_target(env, _joint_dof(env, joint_handle), "position", position)

    def get_joint_target_velocity(self, env: Env, joint_handle: int) -> float:
        """Target of a joint's (first) DOF [rad/s or m/s]."""
        return _target(env, _joint_dof(env, joint_handle), "velocity")

    @on_failure(None)
    def set_joint_target_velocity(self, env: Env, joint_handle: int, velocity: float) -> None:
        """Set the target of a joint's (first) DOF [rad/s or m/s]."""
        _set_target(env, _joint_dof(env, joint_handle), "velocity", velocity)

    @on_failure(None)
    def apply_body_forces(
        self,
        env: Env,
        rigidHandle: int,
        force: Vec3 | None = None,
        torque: Vec3 | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV_SPACE,
    ) -> None:
        """Add a force [N] at a body's centre of mass and a torque [N m], for the next step."""
        owner(env, rigidHandle, "body")
        zero = (0.0, 0.0, 0.0)
        push, turn = (zero if v is None else vec3(v) for v in (force, torque))
        finite((push, turn), f"force on body {rigidHandle} of env {env.index}")
        frame = int(CoordinateSpace(int(space)))
        env.sim.classic.pushes.append(Push(env.index, rigidHandle, push, turn, None, frame))

    @on_failure(None)
    def apply_body_force_at_pos(
        self,
        env: Env,
        rigidHandle: int,
        force: Vec3,
        pos: Vec3 | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV_SPACE,
    ) -> None:
        """Add a force [N] at a position [m], both in `space`, for the next step; no position: the centre of mass."""
        owner(env, rigidHandle, "body")
        frame, where = int(CoordinateSpace(int(space))), None if pos is None else vec3(pos)
        finite((vec3(force), where or (0.0, 0.0, 0.0)), f"force on body {rigidHandle} of env {env.index}")
        push = Push(env.index, rigidHandle, vec3(force), (0.0, 0.0, 0.0), where, frame)
        env.sim.classic.pushes.append(push)

    @on_failure(False)
    def enable_actor_dof_force_sensors(self, env: Env, actor: int) -> bool:
        """Let the DOF-force tensor show this actor; at any time."""
        actor_decl(env, actor)
        env.sim.simulation.enable_dof_force_sensors(env.index, actor)
        return True

    def get_actor_dof_forces(self, env: Env, actor: int) -> np.ndarray:
        """Force on each DOF in the last step [N m or N]; zero unless the sensors were enabled."""
        actor_decl(env, actor)
        forces = env.sim.classic.host("dof_forces")
        return forces[env.sim.classic.dof_rows(env.index, actor)].copy()

    def get_actor_force_sensor_count(self, env: Env, actor: int) -> int:
        """Force sensors of an actor."""
        return len(actor_decl(env, actor).asset.sensors)

    @on_failure(None)
    def get_actor_force_sensor(self, env: Env, actor: int, index: int) -> ForceSensor | None:
        """A force sensor; None if there is none of that index."""
        actor_decl(env, actor)
        return ForceSensor(env.sim, env.sim.simulation.sensor_index(env.index, actor, index))

    # ---- contacts ----------------------------------------------------------------------------------------

    def get_env_rigid_contacts(self, env: Env) -> np.ndarray:
        """Contacts of an env in the last step, an array of RigidContact.dtype; see `ContactRecords`.

        The first call lets the simulation tell of contacts, which compiles anew. If steps were made before, it returns
        what the present state leads to.
        """
        env_decl(env)
        return env.sim.classic.contacts().of_env(env.index).copy()

    def get_rigid_contacts(self, sim: Sim) -> np.ndarray:
        """Contacts of all envs, one env after another, bodies counted in their env; as `get_env_rigid_contacts`."""
        return as_sim(sim).classic.contacts().rows.copy()

    def get_env_rigid_contact_forces(self, env: Env) -> np.ndarray:
        """Net contact force on each body of an env [N], an array of Vec3.dtype."""
        decl = env_decl(env)
        start = env.sim.simulation.scene.starts(env.index).body
        return _vec3s(env.sim.classic.host("contact_forces")[start : start + decl.num_bodies])

    def get_rigid_contact_forces(self, sim: Sim) -> np.ndarray:
        """Net contact force on each body [N], an array of Vec3.dtype."""
        return _vec3s(as_sim(sim).classic.host("contact_forces"))

    def get_vec_env_rigid_contact_forces(self, envs: list[Env]) -> np.ndarray:
        """Net contact forces of envs, one after another."""
        parts = [self.get_env_rigid_contact_forces(env) for env in envs]
        return np.concatenate(parts) if parts else np.zeros(0, Vec3.dtype)

    def get_soft_contacts(self, sim: Sim) -> np.ndarray:
        """Empty: there are no soft bodies."""
        as_sim(sim)
        return np.zeros(0, SoftContact.dtype)

    @without_effect("the viewer has no window: nothing is drawn")
    def draw_env_rigid_contacts(self, viewer: Viewer, env: Env, color: Vec3, scale: float, sqrt_scale: bool) -> None:
        """Accepted."""
        as_viewer(viewer)
        env_decl(env)

    @without_effect("there are no soft bodies")
    def draw_env_soft_contacts(
        self, viewer: Viewer, env: Env, color: Vec3, scale: float, sqrt_scale: bool, forces: bool
    ) -> None:
        """Accepted."""
        as_viewer(viewer)
        env_decl(env)

    def get_sim_tetrahedra(self, sim: Sim) -> tuple[list[int], list[Mat33]]:
        """Empty: there are no soft bodies."""
        as_sim(sim)
        return [], []

    def get_sim_tetrahedra_count(self, sim: Sim) -> int:
        """0: there are no soft bodies."""
        as_sim(sim)
        return 0

    def get_sim_triangles(self, sim: Sim) -> tuple[list[int], list[int], list[Vec3]]:
        """Empty: there are no soft bodies."""
        as_sim(sim)
        return [], [], []

    def get_sim_triangle_count(self, sim: Sim) -> int:
        """0: there are no soft bodies."""
        as_sim(sim)
        return 0


def _values(env: Env, actor: int, values: Any, what: str) -> np.ndarray:
    """One float32 per DOF of an actor."""
    decl = actor_decl(env, actor)
    array = np.asarray(values, np.float32).reshape(-1)
    if array.size != decl.asset.num_dofs:
        raise ValueError(
            f"{what} of actor {decl.name!r}: expected {decl.asset.num_dofs} values, one per DOF, got {array.size}"
        )
    if not np.isfinite(array).all():
        bad = int(np.argmin(np.isfinite(array)))
        raise ValueError(
            f"{what} of actor {decl.name!r}: expected finite values, got {array[bad]} for DOF {bad} "
            f"({decl.asset.dof_names()[bad]!r})"
        )
    return array


def _target(env: Env, handle: int, kind: str) -> float:
    actor, index = owner(env, handle, "dof")
    return float(env.sim.classic.targets(env.index, actor, kind)[index])


def _set_target(env: Env, handle: int, kind: str, value: float) -> None:
    actor, index = owner(env, handle, "dof")
    values = env.sim.classic.targets(env.index, actor, kind)
    values[index] = value
    env.sim.classic.write_targets(env.index, actor, kind, _values(env, actor, values, f"{kind} targets"))


def _joint_dof(env: Env, handle: int) -> int:
    """Env-relative handle of a joint's first DOF."""
    actor, index = owner(env, handle, "joint")
    decl = actor_decl(env, actor)
    dof = convert.dof_of_joint(decl.asset, index)
    if dof < 0:
        raise ValueError(f"joint {decl.asset.joints[index].name!r} is fixed: expected a joint that moves")
    return decl.dof_start + dof


def _vec3s(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows, np.float32).copy().view(Vec3.dtype)[:, 0]
