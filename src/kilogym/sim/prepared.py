"""What exists once a scene is frozen: batches, tensors and the copies between them."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import Scene
from kilogym.sim import backend
from kilogym.sim.contacts import ContactReader, Contacts
from kilogym.sim.faults import FAULT_NONFINITE, FAULT_OVERFLOW, FaultReport
from kilogym.sim.kernels import load_modules, start_warp
from kilogym.sim.layout import build_layout
from kilogym.sim.observers import ActorGroup
from kilogym.sim.parameters import BatchParameters
from kilogym.sim.params import SimulationParams
from kilogym.sim.transfer import Transfer


class Prepared:
    """Compiles a scene and allocates everything.

    Args:
        scene: What was declared.
        params: Step and solver.
        device: Of all arrays.
        also: Python modules whose Warp kernels every step will need.
    """

    def __init__(
        self, scene: Scene, params: SimulationParams, device: torch.device, also: Sequence[ModuleType] = ()
    ) -> None:
        if not any(env.actors for env in scene.envs):
            raise ValueError("prepare: expected at least one actor; create_env and create_actor come first")
        start_warp()
        self._scene, self._device = scene, device
        self.plans = compile_scene(scene, params.max_contacts, params.shared_groups)
        self.layout = build_layout(scene, self.plans, device)
        self.tensors = self._allocate()
        self.everyone = torch.ones(self.layout.num_actors, dtype=torch.uint8, device=device)
        self.chosen = torch.zeros_like(self.everyone)
        self.rejected = torch.zeros(2, dtype=torch.int32, device=device)
        origins = np.array([env.origin for env in scene.envs], np.float32)
        self.origins = torch.from_numpy(origins).to(device)
        self.envs = [torch.tensor(plan.envs, dtype=torch.int64, device=device) for plan in self.plans]
        self.batches: list[Any] = []
        self.parameters: list[BatchParameters] = []
        for plan in self.plans:
            batch = backend.make_batch(plan.model, len(plan.envs), device, params)
            for name, values in plan.varying.items():
                batch.expand(name)
                batch.params[name].copy_(torch.from_numpy(values))
            batch.state["root_pos"].copy_(torch.from_numpy(plan.root_pos))
            batch.state["root_quat"].copy_(torch.from_numpy(plan.root_quat))
            self.batches.append(batch)
            self.parameters.append(BatchParameters(batch))
        load_modules(device, self.batches, also)
        self.transfers = [
            Transfer(batch, layout, self.tensors, self.rejected, self.origins[envs], device)
            for batch, layout, envs in zip(self.batches, self.layout.batches, self.envs, strict=True)
        ]
        self._groups: dict[tuple[str, str], ActorGroup] = {}
        self._contacts: ContactReader | None = None

    def _allocate(self) -> dict[str, Tensor]:
        lay = self.layout
        shapes = {
            "root_states": (lay.num_actors, 13),
            "dof_states": (lay.num_dofs, 2),
            "body_states": (lay.num_bodies, 13),
            "contact_forces": (lay.num_bodies, 3),
            "dof_forces": (lay.num_dofs, 1),
            "force_sensors": (lay.num_sensors, 6),
        }
        return {name: torch.zeros(s, dtype=torch.float32, device=self._device) for name, s in shapes.items()}

    def flush(self) -> None:
        """Write edited parameters to the device."""
        for parameters in self.parameters:
            parameters.flush()

    def gather_states(self) -> None:
        """Write the states of roots, DOFs and bodies into the tensors."""
        self.flush()
        for transfer in self.transfers:
            transfer.gather_roots()
            transfer.gather_dofs()
            transfer.gather_bodies()

    def group(self, kind: str, name: str) -> Tensor:
        """The Jacobian or mass-matrix tensor of a name, made when first asked for."""
        key = (kind, name)
        if key not in self._groups:
            self._groups[key] = ActorGroup(name, kind, self._scene, self.layout, self.batches, self._device)
        return self._groups[key].tensor

    def refresh_groups(self, kind: str) -> None:
        """Write all tensors of a kind."""
        self.flush()
        for (k, _), group in self._groups.items():
            if k == kind:
                group.refresh()

    def contacts(self, running: bool) -> Contacts:
        """The contact tensors; from their first use on batches tell of contacts. running: steps were made."""
        if self._contacts is None:
            self.flush()
            self._contacts = ContactReader(self._scene, self.plans, self.batches, self._device, running)
        return self._contacts.contacts

    def refresh_contacts(self) -> None:
        """Write the contact tensors, if anybody has them."""
        if self._contacts is not None:
            self._contacts.refresh()

    def copy_envs(self, source: Tensor, target: Tensor) -> None:
        """Copy whole dynamic states; with several batches this reads the device."""
        if len(self.batches) == 1 and len(self.envs[0]) == len(self._scene.envs):
            self._copy_columns(self.batches[0], source, target)
            return
        pairs = np.stack([source.cpu().numpy(), target.cpu().numpy()])
        batch_of, column = self.layout.env_batch[pairs], self.layout.env_column[pairs]
        wrong = np.flatnonzero(batch_of[0] != batch_of[1])
        if wrong.size:
            a, b = pairs[:, wrong[0]]
            raise ValueError(f"copy_env_state: env {a} and env {b} differ in actors or topology")
        for index, batch in enumerate(self.batches):
            src, dst = (torch.from_numpy(c[batch_of[0] == index].astype(np.int64)) for c in column)
            self._copy_columns(batch, src.to(self._device), dst.to(self._device))

    def _copy_columns(self, batch: Any, source: Tensor, target: Tensor) -> None:
        state = batch.snapshot()
        for tensor in [*state.values(), *batch.input.values()]:
            tensor.index_copy_(-1, target, tensor.index_select(-1, source))
        batch.restore(state)
        batch.fault.index_copy_(0, target, batch.fault.index_select(0, source))

    def read_faults(self) -> FaultReport:
        """Read all status bits. Host sync: yes."""
        diverged: list[int] = []
        overflowed: list[int] = []
        dropped = 0
        for plan, batch in zip(self.plans, self.batches, strict=True):
            envs = np.asarray(plan.envs)
            bits = batch.fault.cpu().numpy()
            diverged += envs[(bits & FAULT_NONFINITE) != 0].tolist()
            overflow = envs[(bits & FAULT_OVERFLOW) != 0].tolist()
            if overflow:
                dropped = max(dropped, int(batch.contact_overflow.max()))
            overflowed += overflow
        values, indices = self.rejected.tolist()
        return FaultReport(sorted(diverged), sorted(overflowed), dropped, values, indices)
