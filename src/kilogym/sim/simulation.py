"""A simulation: what a user declares, steps, reads and sets. Every other file of this package serves this one.

Orders. "Sim order" is env creation order, then actor creation order in the env, then body / DOF / sensor order in
the actor. A, D, B, S are the numbers of actors, DOFs, bodies and force sensors of the whole simulation. An actor is
named either by (env, actor), its index in its env, or by its sim index, its row in `root_states`.

Frames. Positions are relative to the env's origin, axes are the global ones, quaternions xyzw. The 13 numbers of a
root or body state are: position of the body frame's origin [m], quaternion, velocity of the centre of mass [m/s],
angular velocity [rad/s].

Tensors are allocated once and written in place by `refresh_*`; edits of them change nothing until a setter is
called. Setters act at once, in the order of the calls, as many per step as wanted. Nothing here but what says so
reads the device from the host, so steps, refreshes and setters can be captured in a CUDA graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kilogym.assets.asset import Asset
from kilogym.scene.declarations import ActorDecl, EnvDecl, GroundPlane, Quat, Scene, Vec3
from kilogym.sim.params import CoordinateSpace, SimulationParams


class Simulation:
    """Many envs on one device.

    Args:
        params: Step, solver and policies; copied.
        device: "cpu", "cuda" or "cuda:N".

    Use: `add_ground`, then `create_env` and `create_actor` for each env, property setters; `prepare`; then
    `set_*`, `step`, `refresh_*` in any order.
    """

    def __init__(self, params: SimulationParams | None = None, device: str | torch.device = "cpu") -> None:
        raise NotImplementedError

    # ---- declaring ---------------------------------------------------------------------------------------------

    scene: Scene
    """The declarations: `scene.env(i)`, `scene.actor(env, i)`."""
    device: torch.device
    params: SimulationParams
    """A copy of what was given; change it with `set_params`."""

    def add_ground(self, ground: GroundPlane | None = None) -> None:
        """Add the ground plane (default: z = 0 or y = 0 by `params.up_axis`, friction 1)."""
        raise NotImplementedError

    def create_env(
        self, lower: Vec3 = (0.0, 0.0, 0.0), upper: Vec3 = (0.0, 0.0, 0.0), per_row: int = 1
    ) -> int:
        """Append an env to the grid, pitch upper - lower [m]; returns its index. See `Scene.create_env`."""
        raise NotImplementedError

    def create_actor(
        self,
        env: int,
        asset: Asset,
        pos: Vec3 = (0.0, 0.0, 0.0),
        quat: Quat = (0.0, 0.0, 0.0, 1.0),
        name: str | None = None,
        group: int = -1,
        filter: int = -1,
        segmentation_id: int = 0,
        shapes: np.ndarray | None = None,
    ) -> int:
        """Append an actor to an env; returns its index in the env.

        Actors can be added to the envs in any order; sim order is always env by env.

        Args:
            env: Index of the env.
            asset: What to instance; not copied, immutable.
            pos: Position of the root body in the env's frame [m].
            quat: Its orientation, xyzw; normalised.
            name: Need not be unique; default the asset's name.
            group: Actors of an env collide if their groups are equal or one of them is -1.
            filter: -1 uses the asset's own collision filters (MJCF contype and conaffinity, exclusions); any other
                value is given to all shapes, and two shapes collide only if `filter_a & filter_b == 0`.
            segmentation_id: For cameras.
            shapes: SHAPE_PROPERTIES records taken instead of the asset's, copied.
        """
        raise NotImplementedError

    def prepare(self) -> None:
        """Freeze the scene, compile (or load from the cache) and allocate. Later calls do nothing.

        Raises:
            NotImplementedError: shapes that would have to collide and cannot yet; names both.
            ValueError: actors of different envs in one collision group.
        """
        raise NotImplementedError

    @property
    def prepared(self) -> bool:
        """Whether the scene is frozen and the tensors exist."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Free everything; every other call then raises SimulationError. Calling it again is harmless."""
        raise NotImplementedError

    # ---- counts and indices; valid before prepare too, but sim indices move while actors are added ---------------

    @property
    def num_envs(self) -> int:
        raise NotImplementedError

    @property
    def num_actors(self) -> int:
        """A, rows of `root_states`."""
        raise NotImplementedError

    @property
    def num_bodies(self) -> int:
        """B, rows of `body_states`."""
        raise NotImplementedError

    @property
    def num_dofs(self) -> int:
        """D, rows of `dof_states`."""
        raise NotImplementedError

    @property
    def num_sensors(self) -> int:
        """S, rows of `force_sensors`."""
        raise NotImplementedError

    @property
    def num_joints(self) -> int:
        """Joints of all actors as the assets list them, fixed ones included."""
        raise NotImplementedError

    def env(self, env: int) -> EnvDecl:
        """Declaration of an env: `origin`, `actors`, extents."""
        raise NotImplementedError

    def actor(self, env: int, actor: int) -> ActorDecl:
        """Declaration of an actor: `asset`, `name`, `body_start` ... (offsets in the env)."""
        raise NotImplementedError

    def env_origin(self, env: int) -> Vec3:
        """Origin of the env in the global frame [m]."""
        raise NotImplementedError

    @property
    def env_origins(self) -> Tensor:
        """Origins of all envs in the global frame [m], shape (num_envs, 3), on the device."""
        raise NotImplementedError

    def find_actor(self, env: int, name: str) -> int:
        """Index in the env of its first actor of that name, -1 if there is none."""
        raise NotImplementedError

    def actor_index(self, env: int, actor: int) -> int:
        """Sim index of an actor: its row in `root_states`, and what indexed setters take."""
        raise NotImplementedError

    def body_index(self, env: int, actor: int, body: int | str) -> int:
        """Sim index of an actor's body (index or name): its row in `body_states`."""
        raise NotImplementedError

    def dof_index(self, env: int, actor: int, dof: int | str) -> int:
        """Sim index of an actor's DOF (index or name): its row in `dof_states`."""
        raise NotImplementedError

    def sensor_index(self, env: int, actor: int, sensor: int) -> int:
        """Sim index of an actor's force sensor: its row in `force_sensors`."""
        raise NotImplementedError

    # ---- tensors, allocated by prepare (implicitly by their first use) --------------------------------------------

    @property
    def root_states(self) -> Tensor:
        """State of each actor's root body, float32 (A, 13). Filled with the creation poses by prepare."""
        raise NotImplementedError

    @property
    def dof_states(self) -> Tensor:
        """Position and velocity of each DOF [rad, m; per s], float32 (D, 2)."""
        raise NotImplementedError

    @property
    def body_states(self) -> Tensor:
        """State of each body, float32 (B, 13)."""
        raise NotImplementedError

    @property
    def contact_forces(self) -> Tensor:
        """Net contact force on each body over the last step, global axes [N], float32 (B, 3)."""
        raise NotImplementedError

    @property
    def dof_forces(self) -> Tensor:
        """Force on each DOF in the last step [N m or N], float32 (D,); 0 without `enable_dof_force_sensors`."""
        raise NotImplementedError

    @property
    def force_sensors(self) -> Tensor:
        """Force [N] and torque [N m] of each force sensor, float32 (S, 6)."""
        raise NotImplementedError

    def jacobian(self, name: str) -> Tensor:
        """Geometric Jacobians of all actors called `name`, in sim order; filled by `refresh_jacobians`.

        Rows are linear then angular velocity of each link's centre of mass, global axes.

        Returns:
            float32 (E, links - 1, 6, dofs) for a fixed base, (E, links, 6, 6 + dofs) for a floating one, whose
            first columns are the root's linear and angular velocity. The same tensor at every call.

        Raises:
            KeyError: there is no such actor. ValueError: actors of the name differ in links or DOFs.
        """
        raise NotImplementedError

    def mass_matrix(self, name: str) -> Tensor:
        """Joint-space inertia of all actors called `name`, armature included; filled by `refresh_mass_matrices`.

        Returns:
            float32 (E, n, n), n = dofs for a fixed base, 6 + dofs for a floating one.
        """
        raise NotImplementedError

    # ---- stepping --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Advance every env by `params.dt`. Body forces applied since the last step act in it, then are gone."""
        raise NotImplementedError

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        raise NotImplementedError

    @property
    def frame_count(self) -> int:
        """Number of completed steps."""
        raise NotImplementedError

    def synchronize(self) -> None:
        """Wait for the device."""
        raise NotImplementedError

    def set_params(self, params: SimulationParams) -> None:
        """Change step and solver; takes effect at the next step, without a recompile.

        A changed contact or rest offset is given to the shapes that still have the old one.

        Raises:
            ValueError: `up_axis` or `max_contacts` differs, which are fixed once the scene is prepared.
        """
        raise NotImplementedError

    # ---- refresh: copy the newest state into the tensors -----------------------------------------------------------

    def refresh_root_states(self) -> None:
        """Write `root_states`."""
        raise NotImplementedError

    def refresh_dof_states(self) -> None:
        """Write `dof_states`."""
        raise NotImplementedError

    def refresh_body_states(self) -> None:
        """Write `body_states`, computed from the live state: fresh right after a setter, before any step."""
        raise NotImplementedError

    def refresh_contact_forces(self) -> None:
        """Write `contact_forces`."""
        raise NotImplementedError

    def refresh_dof_forces(self) -> None:
        """Write `dof_forces`."""
        raise NotImplementedError

    def refresh_force_sensors(self) -> None:
        """Write `force_sensors`."""
        raise NotImplementedError

    def refresh_jacobians(self) -> None:
        """Write every tensor handed out by `jacobian`, at the current state."""
        raise NotImplementedError

    def refresh_mass_matrices(self) -> None:
        """Write every tensor handed out by `mass_matrix`, at the current state."""
        raise NotImplementedError

    def refresh_all(self) -> None:
        """Write all of them."""
        raise NotImplementedError

    # ---- state and control setters ---------------------------------------------------------------------------------
    # Each takes the whole simulation's values, in any contiguous shape with the right number of float32 on the
    # simulation's device; with `actors` (int32 or int64 sim indices, 1-D, same device) only those actors' rows
    # count. Duplicate and empty indices are harmless. TypeError, ValueError or IndexError otherwise; the range of
    # indices is checked on the CPU, on CUDA only with `params.debug` (there, a wrong index is skipped and reported
    # by check_faults).

    def set_root_states(self, states: Tensor, actors: Tensor | None = None) -> None:
        """Set root states, (A, 13). Moves the base of fixed-base actors (their velocities are ignored).

        The actors' contact history is forgotten, and a diverged env runs again once set. A row that is not
        finite is not written; its env is flagged instead.
        """
        raise NotImplementedError

    def set_dof_states(self, states: Tensor, actors: Tensor | None = None) -> None:
        """Set DOF positions and velocities, (D, 2). Contact history and faults as in `set_root_states`."""
        raise NotImplementedError

    def set_position_targets(self, targets: Tensor, actors: Tensor | None = None) -> None:
        """Set what DOFs in position mode follow, (D,) [rad or m]; acts until set again."""
        raise NotImplementedError

    def set_velocity_targets(self, targets: Tensor, actors: Tensor | None = None) -> None:
        """Set what DOFs in velocity (and position) mode follow, (D,) [rad/s or m/s]; acts until set again."""
        raise NotImplementedError

    def set_actuation_forces(self, forces: Tensor, actors: Tensor | None = None) -> None:
        """Set the effort of DOFs in effort mode, (D,) [N m or N].

        Acts until set again, or for one step if `params.persistent_efforts` is False.
        """
        raise NotImplementedError

    def get_position_targets(self) -> Tensor:
        """The position targets in force, a new tensor (D,)."""
        raise NotImplementedError

    def get_velocity_targets(self) -> Tensor:
        """The velocity targets in force, a new tensor (D,)."""
        raise NotImplementedError

    def get_actuation_forces(self) -> Tensor:
        """The efforts in force, a new tensor (D,)."""
        raise NotImplementedError

    def apply_body_forces(
        self,
        forces: Tensor | None = None,
        torques: Tensor | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV,
    ) -> None:
        """Add forces at the bodies' centres of mass, and torques, for the next step only.

        Args:
            forces: (B, 3) [N]. torques: (B, 3) [N m]. Either may be None.
            space: Frame of both.
        """
        raise NotImplementedError

    def apply_body_forces_at(
        self, forces: Tensor, positions: Tensor | None = None, space: CoordinateSpace = CoordinateSpace.ENV
    ) -> None:
        """Add forces at positions, for the next step only.

        Args:
            forces: (B, 3) [N].
            positions: (B, 3) [m]; None = the centres of mass.
            space: Frame of both.
        """
        raise NotImplementedError

    # ---- properties, before and after prepare ----------------------------------------------------------------------
    # Records are those of kilogym.scene.properties. Getters return copies. After prepare a change is written to the
    # device with the next step, refresh or setter; the first change of a kind makes that parameter per-env, which
    # a CUDA graph captured before does not see.

    def get_body_properties(self, env: int, actor: int) -> np.ndarray:
        """BODY_PROPERTIES of an actor, one record per body."""
        raise NotImplementedError

    def set_body_properties(
        self, env: int, actor: int, properties: np.ndarray, recompute_inertia: bool = False
    ) -> None:
        """Set masses, centres of mass, inertias and gravity flags.

        Args:
            recompute_inertia: Take each body's present inertia times new mass / old mass, not the record's.

        Raises:
            ValueError: a mass or inertia is not positive or not finite.
        """
        raise NotImplementedError

    def get_shape_properties(self, env: int, actor: int) -> np.ndarray:
        """SHAPE_PROPERTIES of an actor, one record per collision shape."""
        raise NotImplementedError

    def set_shape_properties(self, env: int, actor: int, properties: np.ndarray) -> None:
        """Set friction, restitution, offsets; before prepare also collision filters.

        Raises:
            NotImplementedError: a filter differs after prepare.
        """
        raise NotImplementedError

    def get_dof_properties(self, env: int, actor: int) -> np.ndarray:
        """DOF_PROPERTIES of an actor, one record per DOF."""
        raise NotImplementedError

    def set_dof_properties(self, env: int, actor: int, properties: np.ndarray) -> None:
        """Set drive modes, gains, limits, armature, friction."""
        raise NotImplementedError

    def get_scale(self, env: int, actor: int) -> float:
        """Size of an actor relative to its asset."""
        raise NotImplementedError

    def set_scale(self, env: int, actor: int, scale: float) -> None:
        """Set the size: geometry, mass, com, inertia (constant density), joint and sensor frames, prismatic limits.

        The root keeps its pose. Raises ValueError unless scale > 0.
        """
        raise NotImplementedError

    def enable_dof_force_sensors(self, env: int, actor: int) -> None:
        """Let `dof_forces` show this actor's DOFs; at any time."""
        raise NotImplementedError

    def parameter(self, name: str, batch: int = 0) -> Tensor:
        """A parameter of a batch on the device, per env, to be written in place: for randomising many envs at once.

        Args:
            name: One of `kilogym.engine.model.PARAMETERS`.
            batch: Index into `batches`; `env_batch` and `env_column` say where an env is.

        Returns:
            float32 (components * count, envs of the batch). What is written acts at the next step; getters of this
            class do not show it.
        """
        raise NotImplementedError

    @property
    def batches(self) -> list[Any]:
        """The engine's batches, one per topology."""
        raise NotImplementedError

    @property
    def env_batch(self) -> np.ndarray:
        """Index of each env's batch, int32 (num_envs,)."""
        raise NotImplementedError

    @property
    def env_column(self) -> np.ndarray:
        """Column of each env in its batch's arrays, int32 (num_envs,)."""
        raise NotImplementedError

    # ---- whole state -----------------------------------------------------------------------------------------------

    def save(self) -> SavedState:
        """A copy of the whole dynamic state: going on from it gives equal bits. Properties are not part of it."""
        raise NotImplementedError

    def restore(self, state: SavedState) -> None:
        """Go back to a saved state, of this simulation or of one with the same scene."""
        raise NotImplementedError

    def copy_env_state(self, source: Tensor, target: Tensor) -> None:
        """Give envs `target` the whole dynamic state of envs `source`: int64 (n,) env indices on the device.

        Raises:
            ValueError: an env and its source differ in topology.
        """
        raise NotImplementedError

    # ---- faults: these read the device -----------------------------------------------------------------------------

    def check_faults(self) -> FaultReport:
        """Read the envs' status bits; warn, raise or be quiet about new ones as `params.faults` says.

        Host sync: yes, the only one this class makes of its own.
        """
        raise NotImplementedError

    def env_faults(self) -> Tensor:
        """Status bits of each env in sim order, int32 (num_envs,), a new tensor on the device; no host sync.

        1: state not finite, frozen until it is set again; 2: contacts dropped; 4: a speed was clamped.
        """
        raise NotImplementedError


class SavedState:
    """Opaque; made by `Simulation.save`."""


class FaultReport:
    """What `check_faults` found: `diverged`, `overflowed` (lists of env indices), `contacts_needed`, `bad_indices`."""
