"""Simulation, section "properties": before and after prepare.

Records are those of kilogym.scene.properties. Getters return copies. After prepare a change reaches the device with
the next step or refresh; the first change of a kind makes that parameter per-env, which a CUDA graph captured
before does not see.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from kilogym.scene.couplings import AttractorDecl
from kilogym.sim.core import SimulationCore


class PropertyCalls(SimulationCore):
    """Get and set what bodies, shapes, DOFs, tendons and attractors are."""

    def get_body_properties(self, env: int, actor: int) -> np.ndarray:
        """BODY_PROPERTIES of an actor, one record per body."""
        return self.scene.actor(env, actor).body_properties()

    def set_body_properties(
        self, env: int, actor: int, properties: np.ndarray, recompute_inertia: bool = False
    ) -> None:
        """Set masses, centres of mass, inertias and gravity flags.

        Args:
            recompute_inertia: Take each body's present inertia times new mass / old mass, not the record's.

        Raises:
            ValueError: a mass or inertia is not positive or not finite.
        """
        self._check_alive()
        self._properties.set_bodies(env, actor, properties, recompute_inertia)

    def get_shape_properties(self, env: int, actor: int) -> np.ndarray:
        """SHAPE_PROPERTIES of an actor, one record per collision shape."""
        return self.scene.actor(env, actor).shape_properties()

    def set_shape_properties(self, env: int, actor: int, properties: np.ndarray) -> None:
        """Set friction, restitution, compliance, offsets; before prepare also collision filters.

        Raises:
            NotImplementedError: a filter differs after prepare.
        """
        self._check_alive()
        self._properties.set_shapes(env, actor, properties)

    def get_dof_properties(self, env: int, actor: int) -> np.ndarray:
        """DOF_PROPERTIES of an actor, one record per DOF."""
        return self.scene.actor(env, actor).dof_properties()

    def set_dof_properties(self, env: int, actor: int, properties: np.ndarray) -> None:
        """Set drive modes, gains, limits, armature, friction."""
        self._check_alive()
        self._properties.set_dofs(env, actor, properties)

    def get_tendon_properties(self, env: int, actor: int) -> np.ndarray:
        """TENDON_PROPERTIES (kilogym.scene.couplings) of an actor, one record per tendon."""
        return self.scene.actor(env, actor).tendon_properties()

    def set_tendon_properties(self, env: int, actor: int, properties: np.ndarray) -> None:
        """Set stiffness, damping, limits, rest lengths and offsets of tendons."""
        self._check_alive()
        self._properties.set_tendons(env, actor, properties)

    def get_tendon_coefficients(self, env: int, actor: int) -> np.ndarray:
        """Coefficients of the joints of an actor's tendons, one tendon after another, float32."""
        return self.scene.actor(env, actor).tendon_coefficients()

    def set_tendon_coefficients(self, env: int, actor: int, coefficients: np.ndarray) -> None:
        """Set all coefficients, in the order of `get_tendon_coefficients`."""
        self._check_alive()
        self._properties.set_coefficients(env, actor, coefficients)

    def get_attractor(self, env: int, index: int) -> AttractorDecl:
        """An attractor as it is; replace it with `set_attractor` rather than edit it."""
        return self.scene.attractor(env, index)

    def set_attractor(self, env: int, index: int, attractor: AttractorDecl) -> None:
        """Replace an attractor; after prepare on the same link only.

        Raises:
            NotImplementedError: on another link after prepare.
        """
        self._check_alive()
        self._properties.set_attractor(env, index, attractor)

    def get_scale(self, env: int, actor: int) -> float:
        """Size of an actor relative to its asset."""
        return self.scene.actor(env, actor).scale

    def set_scale(self, env: int, actor: int, scale: float) -> None:
        """Set the size: geometry, mass properties at constant density, frames, prismatic limits.

        The root keeps its pose. Raises ValueError unless scale > 0.
        """
        self._check_alive()
        self._properties.set_scale(env, actor, scale)

    def enable_dof_force_sensors(self, env: int, actor: int) -> None:
        """Let `dof_forces` show this actor's DOFs; at any time."""
        self._check_alive()
        self.scene.actor(env, actor).dof_force_sensors = True
        if self._prepared is not None:
            self._prepared.layout.show_dof_forces(env, self.scene.actor(env, actor))

    def parameter(self, name: str, batch: int = 0) -> Tensor:
        """A parameter of a batch on the device, per env, to write in place: randomises many envs at once.

        Args:
            name: One of `kilogym.engine.model.PARAMETERS`.
            batch: Index into `batches`; `env_batch` and `env_column` say where an env is.

        Returns:
            float32 (components * count, envs of the batch). What is written acts at the next step; property
            getters do not show it.
        """
        return self._ready().parameters[batch].on_device(name)

    @property
    def batches(self) -> list[Any]:
        """The engine's batches, one per topology."""
        return self._ready().batches

    @property
    def env_batch(self) -> np.ndarray:
        """Index of each env's batch, int32 (num_envs,)."""
        return self._ready().layout.env_batch

    @property
    def env_column(self) -> np.ndarray:
        """Column of each env in its batch's arrays, int32 (num_envs,)."""
        return self._ready().layout.env_column
