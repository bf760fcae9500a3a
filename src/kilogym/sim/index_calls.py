"""Simulation, section "counts and indices": valid before prepare too, but sim indices move while actors are added."""

from __future__ import annotations

from torch import Tensor

from kilogym.scene.declarations import ActorDecl, EnvDecl, Vec3
from kilogym.sim.core import SimulationCore


class IndexCalls(SimulationCore):
    """Count and find."""

    @property
    def num_envs(self) -> int:
        return len(self.scene.envs)

    @property
    def num_actors(self) -> int:
        """A, rows of `root_states`."""
        return self.scene.starts(self.num_envs).actor

    @property
    def num_bodies(self) -> int:
        """B, rows of `body_states`."""
        return self.scene.starts(self.num_envs).body

    @property
    def num_dofs(self) -> int:
        """D, rows of `dof_states`."""
        return self.scene.starts(self.num_envs).dof

    @property
    def num_sensors(self) -> int:
        """S, rows of `force_sensors`."""
        return self.scene.starts(self.num_envs).sensor

    @property
    def num_joints(self) -> int:
        """Joints of all actors as the assets list them, fixed ones included."""
        return self.scene.starts(self.num_envs).joint

    def env(self, env: int) -> EnvDecl:
        """Declaration of an env: `origin`, `actors`, extents."""
        return self.scene.env(env)

    def actor(self, env: int, actor: int) -> ActorDecl:
        """Declaration of an actor: `asset`, `name`, `body_start` ... (offsets in the env)."""
        return self.scene.actor(env, actor)

    def env_origin(self, env: int) -> Vec3:
        """Origin of the env in the global frame [m]."""
        return self.scene.env(env).origin

    @property
    def env_origins(self) -> Tensor:
        """Origins of all envs in the global frame [m], shape (num_envs, 3), on the device."""
        return self._ready().origins

    def find_actor(self, env: int, name: str) -> int:
        """Index in the env of its first actor of that name, -1 if there is none."""
        for index, actor in enumerate(self.scene.env(env).actors):
            if actor.name == name:
                return index
        return -1

    def actor_index(self, env: int, actor: int) -> int:
        """Sim index of an actor: its row in `root_states`, and what indexed setters take."""
        self.scene.actor(env, actor)
        return self.scene.starts(env).actor + actor

    def body_index(self, env: int, actor: int, body: int | str) -> int:
        """Sim index of an actor's body (index or name): its row in `body_states`."""
        decl = self.scene.actor(env, actor)
        offset = _offset([link.name for link in decl.asset.links], body, "body", decl.name)
        return self.scene.starts(env).body + decl.body_start + offset

    def dof_index(self, env: int, actor: int, dof: int | str) -> int:
        """Sim index of an actor's DOF (index or name): its row in `dof_states`."""
        decl = self.scene.actor(env, actor)
        offset = _offset(decl.asset.dof_names(), dof, "DOF", decl.name)
        return self.scene.starts(env).dof + decl.dof_start + offset

    def sensor_index(self, env: int, actor: int, sensor: int) -> int:
        """Sim index of an actor's force sensor: its row in `force_sensors`."""
        decl = self.scene.actor(env, actor)
        offset = _offset([""] * len(decl.asset.sensors), sensor, "force sensor", decl.name)
        return self.scene.starts(env).sensor + decl.sensor_start + offset


def _offset(names: list[str], which: int | str, kind: str, actor: str) -> int:
    """Index of a body or DOF given by index or name."""
    if isinstance(which, str):
        if which not in names:
            raise KeyError(f"actor {actor!r} has no {kind} {which!r}; it has {', '.join(names)}")
        return names.index(which)
    if not 0 <= which < len(names):
        raise IndexError(f"{kind} {which} of actor {actor!r}: expected 0 <= index < {len(names)}")
    return which
