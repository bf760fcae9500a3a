"""The classic, one-actor-at-a-time view of a simulation: host copies of its states, and what was set on the host.

Host copies are taken at most once per step and set call. They never touch the tensors that a client wrapped: those
change in `refresh_*` only. States set before the scene is frozen wait here until it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isaacgym.gymapi.gym import poses
from isaacgym.gymapi.gym.contacts import ContactRecords
from isaacgym.gymapi.records import DofState, RigidBodyState


@dataclass
class Waiting:
    """What was set on an actor before the scene was frozen."""

    dofs: np.ndarray  # (n,) DofState.dtype
    root: np.ndarray  # (13,) float32
    position_targets: np.ndarray | None = None  # (n,) float32
    velocity_targets: np.ndarray | None = None


@dataclass
class Push:
    """A force on one body for the next step."""

    env: int
    body: int  # env-relative
    force: tuple[float, float, float]
    torque: tuple[float, float, float]
    position: tuple[float, float, float] | None
    space: int


@dataclass
class ClassicState:
    """Belongs to one `gymapi.Sim`."""

    simulation: Any
    version: int = 0
    acquired: set[str] = field(default_factory=set)
    waiting: dict[tuple[int, int], Waiting] = field(default_factory=dict)
    efforts: np.ndarray | None = None  # (D,) added to the actuation forces of the next step
    pushes: list[Push] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._copies: dict[str, tuple[int, np.ndarray]] = {}
        self._bodies: np.ndarray | None = None
        self._dofs: np.ndarray | None = None
        self._restore: Any = None
        self._contacts: tuple[int, ContactRecords] | None = None

    # ---- the life of a step ------------------------------------------------------------------------------

    def touch(self) -> None:
        """Host copies are out of date."""
        self.version += 1

    def prepare(self) -> None:
        """Freeze the scene, once, and apply what waits."""
        if self.simulation.prepared:
            return
        self.simulation.prepare()
        if not self.waiting:
            return
        roots = self.simulation.root_states.cpu().numpy().copy()
        dofs = self.simulation.dof_states.cpu().numpy().copy()
        targets = {
            "position": self.simulation.get_position_targets().cpu().numpy().copy(),
            "velocity": self.simulation.get_velocity_targets().cpu().numpy().copy(),
        }
        for (env, actor), wait in self.waiting.items():
            row, here = self.actor_row(env, actor), self.dof_rows(env, actor)
            roots[row] = wait.root
            dofs[here] = wait.dofs.view("<f4").reshape(-1, 2)
            if wait.position_targets is not None:
                targets["position"][here] = wait.position_targets
            if wait.velocity_targets is not None:
                targets["velocity"][here] = wait.velocity_targets
        self.waiting.clear()
        simulation = self.simulation
        simulation.set_root_states(self.upload(roots))
        simulation.set_dof_states(self.upload(dofs))
        simulation.set_position_targets(self.upload(targets["position"]))
        simulation.set_velocity_targets(self.upload(targets["velocity"]))
        simulation.refresh_root_states()
        simulation.refresh_dof_states()
        simulation.refresh_body_states()

    def before_step(self) -> None:
        """Hand efforts and pushes to the simulation."""
        if self.efforts is not None:
            self._restore = self.simulation.get_actuation_forces()
            self.simulation.set_actuation_forces(self._restore + self.upload(self.efforts))
            self.efforts = None
        if self.pushes:
            self._hand_over_pushes()

    def after_step(self) -> None:
        """Efforts of classic calls last one step."""
        if self._restore is not None:
            self.simulation.set_actuation_forces(self._restore)
            self._restore = None
        self.touch()

    def _hand_over_pushes(self) -> None:
        """Pushes of one frame and kind go together, as long as each body gets one of them."""
        from kilogym.sim import CoordinateSpace

        waiting, self.pushes = self.pushes, []
        count = self.simulation.num_bodies
        while waiting:
            kind = waiting[0].space, waiting[0].position is None
            table = np.zeros((3, count, 3), np.float32)
            used: set[int] = set()
            later = []
            for push in waiting:
                row = self.simulation.scene.starts(push.env).body + push.body
                if (push.space, push.position is None) != kind or row in used:
                    later.append(push)
                    continue
                used.add(row)
                table[0, row], table[1, row] = push.force, push.torque
                table[2, row] = push.position or (0.0, 0.0, 0.0)
            force, torque, position = (self.upload(t) for t in table)
            space = CoordinateSpace(kind[0])
            if kind[1]:
                self.simulation.apply_body_forces(force, torque, space)
            else:
                self.simulation.apply_body_forces_at(force, position, space)
            waiting = later

    # ---- where things are --------------------------------------------------------------------------------

    def actor_row(self, env: int, actor: int) -> int:
        """Row of an actor in the root states."""
        return self.simulation.scene.starts(env).actor + actor

    def body_rows(self, env: int, actor: int) -> slice:
        """Rows of an actor in the body states."""
        decl = self.simulation.scene.actor(env, actor)
        start = self.simulation.scene.starts(env).body + decl.body_start
        return slice(start, start + len(decl.asset.links))

    def dof_rows(self, env: int, actor: int) -> slice:
        """Rows of an actor in the DOF states."""
        decl = self.simulation.scene.actor(env, actor)
        start = self.simulation.scene.starts(env).dof + decl.dof_start
        return slice(start, start + decl.asset.num_dofs)

    def upload(self, values: np.ndarray) -> Any:
        """A float32 tensor on the simulation's device."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.simulation.device)

    def only(self, *rows: int) -> Any:
        """Actor indices for a setter."""
        import torch

        return torch.tensor(rows, dtype=torch.int32, device=self.simulation.device)

    # ---- reading -----------------------------------------------------------------------------------------

    def host(self, kind: str) -> np.ndarray:
        """A host copy of `Simulation.<kind>` as of now; freezes the scene. Host sync: at most one per step."""
        self.prepare()
        version, copy = self._copies.get(kind, (-1, np.empty(0)))
        if version == self.version:
            return copy
        tensor = getattr(self.simulation, kind)
        kept = tensor.clone() if kind in self.acquired else None
        getattr(self.simulation, f"refresh_{kind}")()
        copy = tensor.detach().cpu().numpy().copy()
        if kept is not None:
            tensor.copy_(kept)
        self._copies[kind] = (self.version, copy)
        return copy

    def contacts(self) -> ContactRecords:
        """Contacts as of now; freezes the scene. Host sync: at most one per step."""
        self.prepare()
        if self._contacts is None or self._contacts[0] != self.version:
            self._contacts = self.version, ContactRecords(self.simulation)
        return self._contacts[1]

    def bodies(self) -> np.ndarray:
        """The buffer that the classic calls hand out views of, (B,) of RigidBodyState.dtype."""
        self.prepare()
        if self._bodies is None:
            self._bodies = np.zeros(self.simulation.num_bodies, RigidBodyState.dtype)
            _copy_bodies(self._bodies, self.host("body_states"), 3)
        return self._bodies

    def dofs(self) -> np.ndarray:
        """The buffer that the classic calls hand out views of, (D,) of DofState.dtype."""
        self.prepare()
        if self._dofs is None:
            self._dofs = np.zeros(self.simulation.num_dofs, DofState.dtype)
            _copy_dofs(self._dofs, self.host("dof_states"), 3)
        return self._dofs

    def read_bodies(self, rows: slice, flags: int) -> np.ndarray:
        """A view of rows of the buffer, with the parts named by `flags` brought up to date."""
        view = self.bodies()[rows]
        if flags:
            _copy_bodies(view, self.host("body_states")[rows], flags)
        return view

    def read_dofs(self, env: int, actor: int, flags: int) -> np.ndarray:
        """As `read_bodies`, for an actor's DOFs; does not freeze the scene."""
        if not self.simulation.prepared:
            return self.wait(env, actor).dofs
        rows = self.dof_rows(env, actor)
        view = self.dofs()[rows]
        if flags:
            _copy_dofs(view, self.host("dof_states")[rows], flags)
        return view

    def wait(self, env: int, actor: int) -> Waiting:
        """What waits for an actor, made when first asked for."""
        key = env, actor
        if key not in self.waiting:
            decl = self.simulation.scene.actor(env, actor)
            root = np.zeros(13, np.float32)
            root[:3], root[3:7] = decl.pos, decl.quat
            self.waiting[key] = Waiting(np.zeros(decl.asset.num_dofs, DofState.dtype), root)
        return self.waiting[key]

    def body_state(self, env: int, actor: int, body: int) -> np.ndarray:
        """The 13 numbers of one body; does not freeze the scene (velocities are then those of the root)."""
        if self.simulation.prepared:
            return self.host("body_states")[self.body_rows(env, actor)][body]
        links, _ = self.frames(env, actor)
        return np.concatenate([*links[body], self.wait(env, actor).root[7:]])

    def frames(self, env: int, actor: int) -> tuple[list[poses.Pose], list[poses.Pose]]:
        """Poses of an actor's links and joints, in the env's frame; does not freeze the scene."""
        decl = self.simulation.scene.actor(env, actor)
        if self.simulation.prepared:
            root = self.host("root_states")[self.actor_row(env, actor)]
            dofs = self.host("dof_states")[self.dof_rows(env, actor), 0]
        else:
            root, dofs = self.wait(env, actor).root, self.wait(env, actor).dofs["pos"]
        pose = root[:3].astype(np.float64), root[3:7].astype(np.float64)
        return poses.walk(decl.asset, decl.scale, pose, dofs.astype(np.float64))

    # ---- writing -----------------------------------------------------------------------------------------

    def write_root(self, env: int, actor: int, part: slice, values: Any) -> None:
        """Set some of the 13 numbers of an actor's root."""
        if not self.simulation.prepared:
            self.wait(env, actor).root[part] = values
            return
        row = self.actor_row(env, actor)
        roots = self.host("root_states").copy()
        roots[row, part] = values
        self.simulation.set_root_states(self.upload(roots), actors=self.only(row))
        self.touch()

    def write_dofs(self, env: int, actor: int, states: np.ndarray, flags: int) -> None:
        """Set positions, velocities or both of an actor's DOFs, (n, 2) float32."""
        parts = [k for k, bit in ((0, 1), (1, 2)) if flags & bit]
        if not self.simulation.prepared:
            self.wait(env, actor).dofs.view("<f4").reshape(-1, 2)[:, parts] = states[:, parts]
            return
        table = self.host("dof_states").copy()
        rows = self.dof_rows(env, actor)
        table[rows][:, parts] = states[:, parts]
        self.simulation.set_dof_states(self.upload(table), actors=self.only(self.actor_row(env, actor)))
        self.touch()

    def write_bodies(self, env: int, actor: int, states: np.ndarray, flags: int) -> None:
        """Put an actor where (links, 13) states say: its root, and its DOFs from the links' relative poses."""
        decl = self.simulation.scene.actor(env, actor)
        dofs = poses.solve_dofs(decl.asset, decl.scale, states.astype(np.float64)) if decl.asset.num_dofs else None
        part = {1: slice(0, 7), 2: slice(7, 13)}.get(flags, slice(0, 13))
        self.write_root(env, actor, part, states[0, part])
        if dofs is not None:
            self.write_dofs(env, actor, dofs, flags)

    def targets(self, env: int, actor: int, kind: str) -> np.ndarray:
        """A copy of an actor's "position" or "velocity" targets."""
        if not self.simulation.prepared:
            wait = self.wait(env, actor)
            values = getattr(wait, f"{kind}_targets")
            return np.zeros(len(wait.dofs), np.float32) if values is None else values.copy()
        tensor = getattr(self.simulation, f"get_{kind}_targets")()
        return tensor[self.dof_rows(env, actor)].cpu().numpy().copy()

    def write_targets(self, env: int, actor: int, kind: str, values: np.ndarray) -> None:
        """Set an actor's "position" or "velocity" targets."""
        if not self.simulation.prepared:
            setattr(self.wait(env, actor), f"{kind}_targets", np.array(values, np.float32))
            return
        table = getattr(self.simulation, f"get_{kind}_targets")()
        table[self.dof_rows(env, actor)] = self.upload(values)
        setter = getattr(self.simulation, f"set_{kind}_targets")
        setter(table, actors=self.only(self.actor_row(env, actor)))

    def add_efforts(self, env: int, actor: int, values: np.ndarray) -> None:
        """Add to the efforts of the next step; freezes the scene."""
        self.prepare()
        if self.efforts is None:
            self.efforts = np.zeros(self.simulation.num_dofs, np.float32)
        self.efforts[self.dof_rows(env, actor)] += values


def _copy_bodies(records: np.ndarray, rows: np.ndarray, flags: int) -> None:
    """Write parts of (n, 13) rows into records."""
    flat = records.view("<f4").reshape(-1, 13)
    if flags & 1:
        flat[:, :7] = rows[:, :7]
    if flags & 2:
        flat[:, 7:] = rows[:, 7:]


def _copy_dofs(records: np.ndarray, rows: np.ndarray, flags: int) -> None:
    flat = records.view("<f4").reshape(-1, 2)
    if flags & 1:
        flat[:, 0] = rows[:, 0]
    if flags & 2:
        flat[:, 1] = rows[:, 1]
