"""A simulation: what a user declares, steps, reads and sets. The rest of this package serves it.

Orders. "Sim order" is envs as created, then the env's actors as created, then body, DOF or sensor order
in the actor. A, D, B, S are the numbers of actors, DOFs, bodies and force sensors of the whole simulation. An
actor is named either by (env, actor), its index in its env, or by its sim index, its row in `root_states`.

Frames. Positions are relative to the env's origin, axes are the global ones, quaternions xyzw. The 13 numbers
of a root or body state are: position of the body frame's origin [m], quaternion, velocity of the com
[m/s], angular velocity [rad/s].

Tensors are allocated once and written in place by `refresh_*`; edits of them change nothing until a setter is
called. Setters act at once, in the order of the calls, as many per step as wanted. Nothing here but what says
so reads the device from the host, so steps, refreshes and setters can be captured in a CUDA graph.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kilogym.assets.asset import Asset
from kilogym.engine.build import load_together
from kilogym.scene.couplings import AttractorDecl
from kilogym.scene.declarations import ActorDecl, EnvDecl, GroundPlane, Quat, Scene, Vec3
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.sim import kernels
from kilogym.sim.backend import apply_params
from kilogym.sim.checks import check_actors, check_mask, check_values
from kilogym.sim.contacts import Contacts
from kilogym.sim.errors import SimulationError
from kilogym.sim.faults import FaultReport, report
from kilogym.sim.kernels import launch
from kilogym.sim.params import CoordinateSpace, SimulationParams
from kilogym.sim.prepared import Prepared as _Prepared
from kilogym.sim.properties import Properties
from kilogym.sim.saved import SavedState


class Simulation:
    """Many envs on one device.

    Args:
        params: Step, solver and policies; copied.
        device: "cpu", "cuda" or "cuda:N".

    Use: `add_ground`, then `create_env` and `create_actor` for each env, property setters; `prepare`; then
    `set_*`, `step`, `refresh_*` in any order.
    """

    def __init__(self, params: SimulationParams | None = None, device: str | torch.device = "cpu") -> None:
        self.params = dataclasses.replace(params if params is not None else SimulationParams())
        device = torch.device(device)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        self.device = device
        self.scene = Scene(self.params.up_axis)
        self._properties = Properties(self.scene)
        self._prepared: _Prepared | None = None
        self._destroyed = False
        self._time, self._frames = 0.0, 0
        self._reported = FaultReport()

    # ---- declaring ---------------------------------------------------------------------------------------

    scene: Scene
    """The declarations: `scene.env(i)`, `scene.actor(env, i)`."""
    device: torch.device
    params: SimulationParams
    """A copy of what was given; change it with `set_params`."""

    def add_ground(self, ground: GroundPlane | None = None) -> None:
        """Add the ground plane (default: z = 0 or y = 0 by `params.up_axis`, friction 1)."""
        self._check_alive()
        if ground is None:
            up = (0.0, 0.0, 1.0) if self.params.up_axis == "z" else (0.0, 1.0, 0.0)
            ground = GroundPlane(normal=up)
        self.scene.add_ground(ground)

    def add_terrain(self, terrain: HeightField | TriangleMesh) -> None:
        """Add terrain, as many as wanted and besides the ground plane. All envs share it; it never moves."""
        self._check_alive()
        self.scene.add_terrain(terrain)

    def create_env(self, lower: Vec3 = (0.0, 0.0, 0.0), upper: Vec3 = (0.0, 0.0, 0.0), per_row: int = 1) -> int:
        """Append an env to the grid, pitch upper - lower [m]; returns its index. See `Scene.create_env`."""
        self._check_alive()
        return self.scene.create_env(lower, upper, per_row)

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
        tendons: np.ndarray | None = None,
        tendon_coefficients: np.ndarray | None = None,
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
            filter: -1 uses the asset's own collision filters (contype, conaffinity, exclusions); any other
                value is given to all shapes, and two shapes collide only if `filter_a & filter_b == 0`.
            segmentation_id: For cameras.
            shapes: SHAPE_PROPERTIES records taken instead of the asset's, copied.
            tendons: TENDON_PROPERTIES records taken instead of the asset's, copied.
            tendon_coefficients: See `set_tendon_coefficients`.
        """
        self._check_alive()
        return self.scene.create_actor(
            env, asset, pos, quat, name, group, filter, segmentation_id, shapes,
            self.params.contact_offset, self.params.rest_offset, tendons, tendon_coefficients,
        )  # fmt: skip

    def create_attractor(self, env: int, attractor: AttractorDecl) -> int:
        """Append an attractor to an env; returns its index in the env. Before prepare.

        Raises:
            IndexError: no such actor or link. ValueError: its numbers cannot be meant.
        """
        self._check_alive()
        return self.scene.create_attractor(env, attractor)

    def prepare(self, also: Sequence[ModuleType] = ()) -> None:
        """Freeze the scene, compile (or load from the cache) and allocate. Later calls do nothing.

        Args:
            also: Python modules whose Warp kernels will be needed; on CUDA compiled at once with the step.

        Raises:
            NotImplementedError: shapes that would have to collide and cannot yet; names both.
            ValueError: actors of different envs in one collision group.
        """
        self._check_alive()
        if self._prepared is None:
            self._prepared = _Prepared(self.scene, self.params, self.device)
            self.scene.frozen = True
            p = self._prepared
            self._properties.attach(p.plans, p.parameters, p.layout)
            if self.device.type == "cuda":  # on a CPU of few cores, what is never used would take turns with what is
                modules = [module for batch in p.batches for module in batch.modules]
                load_together(str(self.device), [*modules, *((module, None) for module in (kernels, *also))])
            self.refresh_root_states()
            self.refresh_dof_states()
            self.refresh_body_states()

    @property
    def prepared(self) -> bool:
        """Whether the scene is frozen and the tensors exist."""
        return self._prepared is not None

    def destroy(self) -> None:
        """Free everything; every other call then raises SimulationError. Calling it again is harmless."""
        self._prepared = None
        self._destroyed = True
        self.scene = Scene(self.params.up_axis)
        self._properties = Properties(self.scene)

    @property
    def destroyed(self) -> bool:
        """Whether `destroy` was called."""
        return self._destroyed

    # ---- counts and indices; valid before prepare too, but sim indices move while actors are added -------

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

    # ---- tensors, allocated by prepare (implicitly by their first use) -----------------------------------

    @property
    def root_states(self) -> Tensor:
        """State of each actor's root body, float32 (A, 13). Filled with the creation poses by prepare."""
        return self._ready().tensors["root_states"]

    @property
    def dof_states(self) -> Tensor:
        """Position and velocity of each DOF [rad, m; per s], float32 (D, 2)."""
        return self._ready().tensors["dof_states"]

    @property
    def body_states(self) -> Tensor:
        """State of each body, float32 (B, 13)."""
        return self._ready().tensors["body_states"]

    @property
    def contact_forces(self) -> Tensor:
        """Net contact force on each body over the last step, global axes [N], float32 (B, 3)."""
        return self._ready().tensors["contact_forces"]

    @property
    def dof_forces(self) -> Tensor:
        """Force on each DOF in the last step [N m or N], float32 (D,); see `enable_dof_force_sensors`."""
        return self._ready().tensors["dof_forces"].view(-1)

    @property
    def force_sensors(self) -> Tensor:
        """Force [N] and torque [N m] of each force sensor, float32 (S, 6)."""
        return self._ready().tensors["force_sensors"]

    def jacobian(self, name: str) -> Tensor:
        """Geometric Jacobians of all actors called `name`, in sim order; filled by `refresh_jacobians`.

        Rows are linear then angular velocity of each link's centre of mass, global axes.

        Returns:
            float32 (E, links - 1, 6, dofs) for a fixed base, (E, links, 6, 6 + dofs) for a floating one whose
            first columns are the root's linear and angular velocity. The same tensor at every call.

        Raises:
            KeyError: there is no such actor. ValueError: actors of the name differ in links or DOFs.
        """
        return self._ready().group("jacobian", name)

    def mass_matrix(self, name: str) -> Tensor:
        """Joint-space inertia of all actors called `name`, with armature; filled by `refresh_mass_matrices`.

        Returns:
            float32 (E, n, n), n = dofs for a fixed base, 6 + dofs for a floating one.
        """
        return self._ready().group("mass_matrix", name)

    @property
    def contacts(self) -> Contacts:
        """Single contacts: bodies, points, normals, forces; filled by `refresh_contacts`. The same at every use.

        The step after the first use compiles anew: use it before the first step, and before capturing a graph. Where
        steps were made before, contacts are at first those of a step from the present state, which is taken back.
        Simulations that do not use it pay nothing.
        """
        return self._ready().contacts(self._frames > 0)

    # ---- stepping ----------------------------------------------------------------------------------------

    def step(self) -> None:
        """Advance every env by `params.dt`. Body forces applied since the last step act in this one only."""
        p = self._ready()
        p.flush()
        for batch in p.batches:
            batch.step()
        if not self.params.persistent_efforts:
            for batch in p.batches:
                batch.input["dof_effort_in"].zero_()
        self._time += self.params.dt
        self._frames += 1

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self._time

    @property
    def frame_count(self) -> int:
        """Number of completed steps."""
        return self._frames

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def set_params(self, params: SimulationParams) -> None:
        """Change step and solver; takes effect at the next step, without a recompile.

        A changed contact or rest offset is given to the shapes that still have the old one.

        Raises:
            ValueError: `up_axis` or `max_contacts` differs, which are fixed once the scene is prepared.
        """
        self._check_alive()
        params.validate()
        old = self.params
        if self.num_envs and params.up_axis != old.up_axis:
            raise ValueError(
                f"up_axis: expected {old.up_axis!r}, as when the envs were created, got {params.up_axis!r}"
            )
        if self.prepared and params.max_contacts != old.max_contacts:
            raise ValueError(
                f"max_contacts: expected {old.max_contacts}, as when the simulation was prepared, "
                f"got {params.max_contacts}"
            )
        self.params = dataclasses.replace(params)
        self.scene.up_axis = params.up_axis
        for name in ("contact_offset", "rest_offset"):
            if getattr(params, name) != getattr(old, name):
                self._properties.shift_offsets(name, getattr(old, name), getattr(params, name))
        if self._prepared is not None:
            for batch in self._prepared.batches:
                apply_params(batch, params)

    # ---- refresh: copy the newest state into the tensors -------------------------------------------------

    def refresh_root_states(self) -> None:
        """Write `root_states`."""
        for transfer in self._ready().transfers:
            transfer.gather_roots()

    def refresh_dof_states(self) -> None:
        """Write `dof_states`."""
        for transfer in self._ready().transfers:
            transfer.gather_dofs()

    def refresh_body_states(self) -> None:
        """Write `body_states`, computed from the live state: fresh right after a setter, before any step."""
        p = self._ready()
        p.flush()
        for transfer in p.transfers:
            transfer.gather_bodies()

    def refresh_contact_forces(self) -> None:
        """Write `contact_forces`."""
        for transfer in self._ready().transfers:
            transfer.gather_contact_forces()

    def refresh_contacts(self) -> None:
        """Write the tensors of `contacts`, where these were used."""
        self._ready().refresh_contacts()

    def refresh_dof_forces(self) -> None:
        """Write `dof_forces`."""
        for transfer in self._ready().transfers:
            transfer.gather_dof_forces()

    def refresh_force_sensors(self) -> None:
        """Write `force_sensors`."""
        for transfer in self._ready().transfers:
            transfer.gather_sensors()

    def refresh_jacobians(self) -> None:
        """Write every tensor handed out by `jacobian`, at the current state."""
        self._ready().refresh_groups("jacobian")

    def refresh_mass_matrices(self) -> None:
        """Write every tensor handed out by `mass_matrix`, at the current state."""
        self._ready().refresh_groups("mass_matrix")

    def refresh_all(self) -> None:
        """Write all of them."""
        self.refresh_root_states()
        self.refresh_dof_states()
        self.refresh_body_states()
        self.refresh_contact_forces()
        self.refresh_contacts()
        self.refresh_dof_forces()
        self.refresh_force_sensors()
        self.refresh_jacobians()
        self.refresh_mass_matrices()

    # ---- state and control setters -----------------------------------------------------------------------
    # Each takes the whole simulation's values, in any shape with the right number of float32, on its device;
    # with `actors` (int32 or int64 sim indices, 1-D) or `mask` (bool, one per actor), both on that
    # device, only those actors' rows count. Duplicate and empty indices are harmless. Wrong arguments raise
    # TypeError, ValueError or IndexError; the range of indices is checked on the CPU, on CUDA only with
    # `params.debug`: without, a wrong index is skipped and reported by check_faults, as is a row that is not
    # finite.

    def set_root_states(self, states: Tensor, actors: Tensor | None = None, mask: Tensor | None = None) -> None:
        """Set root states, (A, 13). Moves the base of fixed-base actors (their velocities are ignored).

        The actors' contact history is forgotten, and a diverged env runs again.
        """
        p = self._ready()
        values = check_values(states, p.layout.num_actors, 13, self.device, "set_root_states")
        chosen = self._choose(actors, mask, "set_root_states")
        for transfer in p.transfers:
            transfer.scatter_roots(values, chosen)

    def set_dof_states(self, states: Tensor, actors: Tensor | None = None, mask: Tensor | None = None) -> None:
        """Set DOF positions and velocities, (D, 2). Contact history and faults as in `set_root_states`."""
        p = self._ready()
        values = check_values(states, p.layout.num_dofs, 2, self.device, "set_dof_states")
        chosen = self._choose(actors, mask, "set_dof_states")
        for transfer in p.transfers:
            transfer.scatter_dofs(values, chosen)

    def set_position_targets(self, targets: Tensor, actors: Tensor | None = None, mask: Tensor | None = None) -> None:
        """Set what DOFs in position mode follow, (D,) [rad or m]; acts until set again."""
        self._set_controls("dof_target_pos", targets, actors, mask, "set_position_targets")

    def set_velocity_targets(self, targets: Tensor, actors: Tensor | None = None, mask: Tensor | None = None) -> None:
        """Set what DOFs in velocity (and position) mode follow, (D,) [rad/s or m/s]; acts until set again."""
        self._set_controls("dof_target_vel", targets, actors, mask, "set_velocity_targets")

    def set_actuation_forces(self, forces: Tensor, actors: Tensor | None = None, mask: Tensor | None = None) -> None:
        """Set the effort of DOFs in effort mode, (D,) [N m or N].

        Acts until set again, or for one step if `params.persistent_efforts` is False.
        """
        self._set_controls("dof_effort_in", forces, actors, mask, "set_actuation_forces")

    def get_position_targets(self) -> Tensor:
        """The position targets in force, a new tensor (D,)."""
        return self._get_controls("dof_target_pos")

    def get_velocity_targets(self) -> Tensor:
        """The velocity targets in force, a new tensor (D,)."""
        return self._get_controls("dof_target_vel")

    def get_actuation_forces(self) -> Tensor:
        """The efforts in force, a new tensor (D,)."""
        return self._get_controls("dof_effort_in")

    def apply_body_forces(
        self,
        forces: Tensor | None = None,
        torques: Tensor | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV,
    ) -> None:
        """Add forces at the bodies' centres of mass, and torques, for the next step only; calls add up.

        Args:
            forces: (B, 3) [N]. torques: (B, 3) [N m]. Either may be None.
            space: Frame of both.
        """
        self._add_body_forces(forces, torques, None, space, "apply_body_forces")

    def apply_body_forces_at(
        self, forces: Tensor, positions: Tensor | None = None, space: CoordinateSpace = CoordinateSpace.ENV
    ) -> None:
        """Add forces at positions, for the next step only.

        Args:
            forces: (B, 3) [N].
            positions: (B, 3) [m]; None = the centres of mass.
            space: Frame of both.
        """
        self._add_body_forces(forces, None, positions, space, "apply_body_forces_at")

    # ---- properties, before and after prepare ------------------------------------------------------------
    # Records are those of kilogym.scene.properties. Getters return copies. After prepare a change reaches the
    # device with the next step or refresh; the first change of a kind makes that parameter per-env, which a
    # CUDA graph captured before does not see.

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

    # ---- whole state -------------------------------------------------------------------------------------

    def save(self) -> SavedState:
        """A copy of the whole dynamic state: going on from it gives equal bits. Without properties."""
        p = self._ready()
        saved = []
        for batch in p.batches:
            state = dict(batch.snapshot())
            state |= {f"input.{name}": tensor.clone() for name, tensor in batch.input.items()}
            saved.append(state)
        return SavedState(saved, self._time, self._frames)

    def restore(self, state: SavedState) -> None:
        """Go back to a saved state, of this simulation or of one with the same scene."""
        p = self._ready()
        if len(state.batches) != len(p.batches):
            raise ValueError(
                f"restore: expected the state of {len(p.batches)} batch(es), got {len(state.batches)}; "
                "the scenes differ"
            )
        for batch, saved in zip(p.batches, state.batches, strict=True):
            if saved["input.dof_effort_in"].shape != batch.input["dof_effort_in"].shape:
                raise ValueError("restore: the saved state is of a scene with other envs or actors")
            batch.restore({name: t for name, t in saved.items() if not name.startswith("input.")})
            for name, tensor in batch.input.items():
                tensor.copy_(saved[f"input.{name}"])
        self._time, self._frames = state.time, state.frame_count

    def copy_env_state(self, source: Tensor, target: Tensor) -> None:
        """Give envs `target` the whole dynamic state of envs `source`: int64 (n,) env indices on the device.

        Raises:
            ValueError: an env and its source differ in topology.
        """
        p = self._ready()
        for envs in (source, target):
            if envs.dtype != torch.int64 or envs.dim() != 1 or envs.device != self.device:
                raise TypeError(
                    f"copy_env_state: expected 1-D int64 env indices on {self.device}, "
                    f"got {envs.dtype}, shape {tuple(envs.shape)}, on {envs.device}"
                )
        if source.shape != target.shape:
            raise ValueError(f"copy_env_state: {len(source)} sources for {len(target)} targets")
        p.copy_envs(source, target)

    # ---- faults: these read the device -------------------------------------------------------------------

    def check_faults(self) -> FaultReport:
        """Read the envs' status bits; warn, raise or be quiet about new ones as `params.faults` says.

        Host sync: yes, the only one this class makes of its own.
        """
        p = self._ready()
        found = p.read_faults()
        news = found.new_since(self._reported)
        self._reported = found
        report(news, self.params.faults)
        return found

    def env_faults(self) -> Tensor:
        """Status bits of each env in sim order, int32 (num_envs,), a new tensor on the device; no host sync.

        1: state not finite, frozen until it is set again; 2: contacts dropped; 4: a speed was clamped.
        """
        return self._per_env("fault")

    def contact_counts(self) -> Tensor:
        """Contacts of each env in the last step, int32 (num_envs,), a new tensor; no host sync."""
        return self._per_env("contact_count")

    # ---- inside ------------------------------------------------------------------------------------------

    def _per_env(self, name: str) -> Tensor:
        """An array of one number per env, from all batches."""
        p = self._ready()
        out = torch.zeros(self.num_envs, dtype=torch.int32, device=self.device)
        for batch, envs in zip(p.batches, p.envs, strict=True):
            out.index_copy_(0, envs, getattr(batch, name))
        return out

    def _check_alive(self) -> None:
        if self._destroyed:
            raise SimulationError("the simulation has been destroyed; make a new one")

    def _ready(self) -> _Prepared:
        if self._prepared is None:
            self.prepare()
        assert self._prepared is not None
        return self._prepared

    def _choose(self, actors: Tensor | None, mask: Tensor | None, what: str) -> Tensor:
        """One byte per actor, nonzero for those that are meant; valid until the next call."""
        p = self._ready()
        if actors is not None and mask is not None:
            raise ValueError(f"{what}: expected actors or mask, got both")
        if mask is not None:
            return check_mask(mask, p.layout.num_actors, self.device, f"{what}, mask")
        if actors is None:
            return p.everyone
        read = self.device.type == "cpu" or self.params.debug
        indices = check_actors(actors, p.layout.num_actors, self.device, read, f"{what}, actors")
        p.chosen.zero_()
        launch(kernels.mark_actors, (indices.numel(),), [indices, p.chosen, p.rejected], self.device)
        return p.chosen

    def _set_controls(self, name: str, values: Tensor, actors: Tensor | None, mask: Tensor | None, what: str) -> None:
        p = self._ready()
        checked = check_values(values, p.layout.num_dofs, 1, self.device, what)
        chosen = self._choose(actors, mask, what)
        for transfer in p.transfers:
            transfer.scatter_controls(name, checked, chosen)

    def _get_controls(self, name: str) -> Tensor:
        p = self._ready()
        out = torch.zeros((p.layout.num_dofs, 1), dtype=torch.float32, device=self.device)
        for transfer in p.transfers:
            transfer.gather_control(name, out)
        return out.view(-1)

    def _add_body_forces(
        self,
        forces: Tensor | None,
        torques: Tensor | None,
        positions: Tensor | None,
        space: CoordinateSpace,
        what: str,
    ) -> None:
        p = self._ready()
        given: list[Tensor | None] = []
        for name, values in (("forces", forces), ("torques", torques), ("positions", positions)):
            if values is not None:
                values = check_values(values, p.layout.num_bodies, 3, self.device, f"{what}, {name}")
            given.append(values)
        p.flush()
        for batch, transfer in zip(p.batches, p.transfers, strict=True):
            batch.control.has_wrench = True
            transfer.add_body_forces(given[0], given[1], given[2], CoordinateSpace(space))


def _offset(names: list[str], which: int | str, kind: str, actor: str) -> int:
    """Index of a body or DOF given by index or name."""
    if isinstance(which, str):
        if which not in names:
            raise KeyError(f"actor {actor!r} has no {kind} {which!r}; it has {', '.join(names)}")
        return names.index(which)
    if not 0 <= which < len(names):
        raise IndexError(f"{kind} {which} of actor {actor!r}: expected 0 <= index < {len(names)}")
    return which
