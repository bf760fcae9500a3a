"""Gym, section "classic state access": numpy arrays and Transforms, in the env's frame.

Unlike in the original these calls work with the GPU pipeline too, at any time, at the price of a copy to the host.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.constants import STATE_ALL
from isaacgym.gymapi.gym import convert
from isaacgym.gymapi.gym.checks import (
    actor_decl,
    as_env,
    as_sim,
    env_decl,
    finite,
    need,
    owner,
    pose_numbers,
    transform_of,
    vec3,
)
from isaacgym.gymapi.gym.poses import dof_frames
from isaacgym.gymapi.gym.status import on_failure
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.math_types import Transform, Vec3
from isaacgym.gymapi.records import DofFrame, DofState, RigidBodyState


class ClassicStateCalls:
    """States of bodies, joints and DOFs of one actor, env or simulation."""

    # ---- bodies ------------------------------------------------------------------------------------------

    def get_actor_rigid_body_states(self, env: Env, actor: int, flags: int) -> np.ndarray:
        """A view of the host copy, one RigidBodyState per body; the parts that `flags` names are new."""
        actor_decl(env, actor)
        classic = env.sim.classic
        classic.prepare()
        return classic.read_bodies(classic.body_rows(env.index, actor), flags)

    @on_failure(False)
    def set_actor_rigid_body_states(self, env: Env, actor: int, states: np.ndarray, flags: int) -> bool:
        """Put an actor where the states say. DOF positions follow from the bodies' relative poses."""
        decl = actor_decl(env, actor)
        rows = _records(states, RigidBodyState.dtype, len(decl.asset.links), "body states")
        env.sim.classic.write_bodies(env.index, actor, rows, flags)
        return True

    def get_env_rigid_body_states(self, env: Env, flags: int) -> np.ndarray:
        """As `get_actor_rigid_body_states`, for an env."""
        decl = env_decl(env)
        env.sim.classic.prepare()
        start = env.sim.simulation.scene.starts(env.index).body
        return env.sim.classic.read_bodies(slice(start, start + decl.num_bodies), flags)

    @on_failure(False)
    def set_env_rigid_body_states(self, env: Env, states: np.ndarray, flags: int) -> bool:
        """As `set_actor_rigid_body_states`, for an env."""
        decl = env_decl(env)
        rows = _records(states, RigidBodyState.dtype, decl.num_bodies, "body states")
        for index, actor in enumerate(decl.actors):
            here = slice(actor.body_start, actor.body_start + len(actor.asset.links))
            env.sim.classic.write_bodies(env.index, index, rows[here], flags)
        return True

    def get_sim_rigid_body_states(self, sim: Sim, flags: int) -> np.ndarray:
        """As `get_actor_rigid_body_states`, for all bodies."""
        return as_sim(sim).classic.read_bodies(slice(None), flags)

    @on_failure(False)
    def set_sim_rigid_body_states(self, sim: Sim, states: np.ndarray, flags: int) -> bool:
        """As `set_actor_rigid_body_states`, for all bodies."""
        classic = as_sim(sim).classic
        rows = _records(states, RigidBodyState.dtype, sim.simulation.num_bodies, "body states")
        for e, env in enumerate(sim.simulation.scene.envs):
            for a in range(len(env.actors)):
                classic.write_bodies(e, a, rows[classic.body_rows(e, a)], flags)
        return True

    def get_rigid_transform(self, env: Env, body_handle: int) -> Transform:
        """Pose of a body."""
        return transform_of(_body(env, body_handle))

    def get_rigid_linear_velocity(self, env: Env, body_handle: int) -> Vec3:
        """Velocity of a body's centre of mass [m/s]."""
        return Vec3(*_body(env, body_handle)[7:10])

    def get_rigid_angular_velocity(self, env: Env, body_handle: int) -> Vec3:
        """Angular velocity of a body [rad/s]."""
        return Vec3(*_body(env, body_handle)[10:13])

    @on_failure(None)
    def set_rigid_transform(self, env: Env, body_handle: int, transform: Transform) -> None:
        """Move the root body of an actor, and with it the actor; other bodies are refused."""
        pos, quat = pose_numbers(transform)
        _write_root(env, body_handle, slice(0, 7), (*pos, *quat))

    @on_failure(None)
    def set_rigid_linear_velocity(self, env: Env, body_handle: int, velocity: Vec3) -> None:
        """Set the velocity of a root body's centre of mass [m/s]; other bodies are refused."""
        _write_root(env, body_handle, slice(7, 10), vec3(velocity))

    @on_failure(None)
    def set_rigid_angular_velocity(self, env: Env, body_handle: int, velocity: Vec3) -> None:
        """Set the angular velocity of a root body [rad/s]; other bodies are refused."""
        _write_root(env, body_handle, slice(10, 13), vec3(velocity))

    def get_vec_rigid_transform(self, envs: list[Env], handles: Any) -> np.ndarray:
        """Poses of a body of each env (one handle, or one per env), an array of Transform.dtype."""
        return _vec(envs, handles, slice(0, 7), Transform.dtype)

    def get_vec_rigid_linear_velocity(self, envs: list[Env], handles: Any) -> np.ndarray:
        """Velocities [m/s], as `get_vec_rigid_transform`, an array of Vec3.dtype."""
        return _vec(envs, handles, slice(7, 10), Vec3.dtype)

    def get_vec_rigid_angular_velocity(self, envs: list[Env], handles: Any) -> np.ndarray:
        """Angular velocities [rad/s], as `get_vec_rigid_transform`, an array of Vec3.dtype."""
        return _vec(envs, handles, slice(10, 13), Vec3.dtype)

    # ---- DOFs --------------------------------------------------------------------------------------------

    def get_actor_dof_states(self, env: Env, actor: int, flags: int) -> np.ndarray:
        """A view of the host copy, one DofState per DOF; the parts that `flags` names are new."""
        actor_decl(env, actor)
        return env.sim.classic.read_dofs(env.index, actor, flags)

    @on_failure(False)
    def set_actor_dof_states(self, env: Env, actor: int, states: np.ndarray, flags: int) -> bool:
        """Set positions, velocities or both (`flags`) of an actor's DOFs."""
        decl = actor_decl(env, actor)
        rows = _records(states, DofState.dtype, decl.asset.num_dofs, "DOF states")
        if flags & STATE_ALL:
            env.sim.classic.write_dofs(env.index, actor, rows, flags)
        return True

    def get_vec_actor_dof_states(self, envs: list[Env], actors: Any, flags: int) -> np.ndarray:
        """DOF states of an actor of each env (one handle, or one per env), one after another."""
        parts = [self.get_actor_dof_states(env, a, flags) for env, a in zip(envs, _each(actors, envs), strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0, DofState.dtype)

    def get_dof_position(self, env: Env, dof_handle: int) -> float:
        """Position of a DOF [rad or m]."""
        return float(_dof(env, dof_handle)["pos"])

    def get_dof_velocity(self, env: Env, dof_handle: int) -> float:
        """Velocity of a DOF."""
        return float(_dof(env, dof_handle)["vel"])

    def get_actor_dof_frames(self, env: Env, actor: int) -> np.ndarray:
        """Origin and axis of each DOF, an array of DofFrame.dtype."""
        decl = actor_decl(env, actor)
        _, joints = env.sim.classic.frames(env.index, actor)
        out = np.zeros(decl.asset.num_dofs, DofFrame.dtype)
        for row, (origin, axis) in zip(out, dof_frames(decl.asset, joints), strict=True):
            row["origin"], row["axis"] = tuple(origin), tuple(axis)
        return out

    def get_dof_frame(self, env: Env, dof_handle: int) -> DofFrame:
        """Origin and axis of a DOF."""
        actor, index = owner(env, dof_handle, "dof")
        row = self.get_actor_dof_frames(env, actor)[index]
        return DofFrame(Vec3(*row["origin"].item()), Vec3(*row["axis"].item()))

    # ---- joints ------------------------------------------------------------------------------------------

    def get_actor_joint_transforms(self, env: Env, actor: int) -> np.ndarray:
        """Pose of each joint: its anchor, with the axes of the child as the joint finds it; Transform.dtype."""
        actor_decl(env, actor)
        _, joints = env.sim.classic.frames(env.index, actor)
        table = np.array([[*pos, *quat] for pos, quat in joints], np.float32).reshape(-1, 7)
        return np.ascontiguousarray(table).view(Transform.dtype)[:, 0]

    def get_joint_transform(self, env: Env, joint_handle: int) -> Transform:
        """Pose of a joint, as in `get_actor_joint_transforms`."""
        actor, index = owner(env, joint_handle, "joint")
        _, joints = env.sim.classic.frames(env.index, actor)
        return transform_of([*joints[index][0], *joints[index][1]])

    def get_joint_position(self, env: Env, joint_handle: int) -> float:
        """Position of a joint's (first) DOF [rad or m]; 0 for a fixed joint."""
        return _joint(env, joint_handle, "pos")

    def get_joint_velocity(self, env: Env, joint_handle: int) -> float:
        """Velocity of a joint's (first) DOF; 0 for a fixed joint."""
        return _joint(env, joint_handle, "vel")


def _body(env: Env, handle: int) -> np.ndarray:
    actor, index = owner(env, handle, "body")
    return env.sim.classic.body_state(env.index, actor, index)


def _dof(env: Env, handle: int) -> Any:
    actor, index = owner(env, handle, "dof")
    return env.sim.classic.read_dofs(env.index, actor, STATE_ALL)[index]


def _joint(env: Env, handle: int, part: str) -> float:
    actor, index = owner(env, handle, "joint")
    dof = convert.dof_of_joint(actor_decl(env, actor).asset, index)
    return 0.0 if dof < 0 else float(env.sim.classic.read_dofs(env.index, actor, STATE_ALL)[dof][part])


def _write_root(env: Env, handle: int, part: slice, values: Any) -> None:
    actor, index = owner(env, handle, "body")
    if index != 0:
        decl = actor_decl(env, actor)
        raise ValueError(
            f"body {decl.asset.links[index].name!r} of actor {decl.name!r}: expected the root body, got body "
            f"{index}; move the others through the DOF states"
        )
    finite(values, f"state of body {handle} of env {env.index}")
    env.sim.classic.write_root(env.index, actor, part, values)


def _each(values: Any, envs: list[Env]) -> list[int]:
    return [int(v) for v in values] if hasattr(values, "__len__") else [int(values)] * len(envs)


def _vec(envs: list[Env], handles: Any, part: slice, dtype: np.dtype) -> np.ndarray:
    each = _each(handles, envs)
    rows = [_body(as_env(env), handle)[part] for env, handle in zip(envs, each, strict=True)]
    return np.ascontiguousarray(rows, np.float32).reshape(-1, dtype.itemsize // 4).view(dtype)[:, 0]


def _records(states: Any, dtype: np.dtype, count: int, what: str) -> np.ndarray:
    """Structured states as float32 (count, numbers); a plain float array of that size serves too."""
    array = np.asarray(need(np.ndarray, states, what))
    if array.dtype.names is not None and array.dtype != dtype:
        raise ValueError(f"{what}: expected dtype {dtype}, got {array.dtype}")
    flat = np.ascontiguousarray(array)
    flat = flat.view("<f4") if array.dtype.names is not None else flat.astype(np.float32)
    width = dtype.itemsize // 4
    if flat.size != count * width:
        raise ValueError(f"{what}: expected {count} records of {width} numbers, got shape {array.shape}")
    return finite(flat.reshape(count, width), what).copy()
