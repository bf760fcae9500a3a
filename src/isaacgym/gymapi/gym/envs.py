"""Gym, section "environments and counts"."""

from __future__ import annotations

from isaacgym.gymapi.gym.checks import as_env, as_sim, env_decl, item_count, vec3
from isaacgym.gymapi.gym.status import missing, on_failure, without_effect
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.math_types import Vec3


class EnvCalls:
    """Create envs and count what is in them."""

    def create_env(self, sim: Sim, lower: Vec3, upper: Vec3, num_per_row: int) -> Env:
        """Append an env to the grid of pitch upper - lower [m]; `num_per_row` below 1 counts as 1."""
        index = as_sim(sim).simulation.create_env(vec3(lower), vec3(upper), num_per_row)
        sim.envs.append(Env(sim, index))
        return sim.envs[index]

    def get_env(self, sim: Sim, index: int) -> Env | None:
        """Env by creation index; None if there is none."""
        envs = as_sim(sim).envs
        return envs[index] if 0 <= index < len(envs) else None

    def get_env_count(self, sim: Sim) -> int:
        """Number of envs."""
        return as_sim(sim).simulation.num_envs

    def get_env_origin(self, env: Env) -> Vec3:
        """Origin of the env in the global frame [m]."""
        return Vec3(*env_decl(env).origin)

    def get_actor_count(self, env: Env) -> int:
        """Actors in the env."""
        return len(env_decl(env).actors)

    def get_env_rigid_body_count(self, env: Env) -> int:
        """Bodies in the env."""
        return env_decl(env).num_bodies

    def get_env_joint_count(self, env: Env) -> int:
        """Joints in the env, fixed ones included."""
        return sum(item_count(actor.asset, "joint") for actor in env_decl(env).actors)

    def get_env_dof_count(self, env: Env) -> int:
        """DOFs in the env."""
        return env_decl(env).num_dofs

    def get_sim_actor_count(self, sim: Sim) -> int:
        """Rows of the root-state tensor."""
        return as_sim(sim).simulation.num_actors

    def get_sim_rigid_body_count(self, sim: Sim) -> int:
        """Rows of the body-state tensor."""
        return as_sim(sim).simulation.num_bodies

    def get_sim_joint_count(self, sim: Sim) -> int:
        """Joints of all actors, fixed ones included."""
        return as_sim(sim).simulation.num_joints

    def get_sim_dof_count(self, sim: Sim) -> int:
        """Rows of the DOF-state tensor."""
        return as_sim(sim).simulation.num_dofs

    def get_sim_force_sensor_count(self, sim: Sim) -> int:
        """Rows of the force-sensor tensor."""
        return as_sim(sim).simulation.num_sensors

    @missing("an undocumented call of old previews; use get_actor_force_sensor")
    def get_sensor(self, env: Env, index: int) -> int:
        """Undocumented in the original."""
        raise AssertionError

    @without_effect("a hint to a broad phase that Kilogym does not have")
    @on_failure(False)
    def begin_aggregate(self, env: Env, max_bodies: int, max_shapes: int, enable_self_collisions: bool) -> bool:
        """Accepted: Kilogym has no broad phase that it could help."""
        as_env(env)
        return True

    @without_effect("a hint to a broad phase that Kilogym does not have")
    @on_failure(False)
    def end_aggregate(self, env: Env) -> bool:
        """Accepted, as `begin_aggregate`."""
        as_env(env)
        return True

    @without_effect("a hint to a broad phase that Kilogym does not have")
    @on_failure(False)
    def create_aggregate(self, env: Env, actor_handles: list[int]) -> bool:
        """Accepted, as `begin_aggregate`; unknown handles fail."""
        for handle in actor_handles:
            as_env(env).sim.simulation.actor(env.index, handle)
        return True
