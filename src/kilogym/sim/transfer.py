"""Copies between one batch and the sim-wide tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kilogym.sim import kernels as k
from kilogym.sim.layout import BatchLayout
from kilogym.sim.params import CoordinateSpace


class Transfer:
    """Gathers and scatters of a batch. Host sync: none. Graph-safe: yes, once each call has been made.

    Args:
        batch: The engine's batch.
        layout: Its maps.
        tensors: The sim-wide tensors by name; dof_forces as (D, 1).
        rejected: int32 (2,), counts of values and indices that were not taken.
        origins: Of the batch's envs in the global frame [m], (envs, 3).
        device: Of all of them.
    """

    def __init__(
        self,
        batch: Any,
        layout: BatchLayout,
        tensors: dict[str, Tensor],
        rejected: Tensor,
        origins: Tensor,
        device: torch.device,
    ) -> None:
        self.batch, self.layout, self.device = batch, layout, device
        self._rejected = rejected
        self._origins = origins
        state, output, n = batch.state, batch.output, layout.num_envs
        self._roots = [state[name] for name in ("root_pos", "root_quat", "root_lin_vel", "root_ang_vel")]
        self._written = torch.zeros_like(layout.actor_rows)
        self._written_by_dofs = torch.zeros_like(layout.actor_rows)
        self._states: Tensor | None = None  # (envs, links, 13), made when first needed
        self._bodies = tensors["body_states"]
        trees, dofs = layout.actor_rows.shape[0], layout.dof_rows.shape[0]
        self._dof_dim = (dofs, n)
        self._root_dim = (trees, n)
        self.gather_roots = k.Recorded(
            k.gather_roots, (trees, n), [*self._roots, layout.actor_rows, tensors["root_states"]], device
        )
        self.gather_dofs = k.Recorded(
            k.gather_dofs,
            (dofs, n),
            [state["dof_pos"], state["dof_vel"], layout.dof_rows, tensors["dof_states"]],
            device,
        )
        self.gather_contact_forces = self._items(
            output["link_contact_force"], layout.body_rows, tensors["contact_forces"]
        )
        self.gather_dof_forces = self._items(output["dof_force"], layout.dof_force_rows, tensors["dof_forces"])
        self.gather_sensors = self._items(output["sensor_force"], layout.sensor_rows, tensors["force_sensors"])

    def _items(self, values: Tensor, rows: Tensor, out: Tensor) -> k.Recorded:
        return k.Recorded(k.gather_items, tuple(rows.shape), [values, rows, out.shape[1], out], self.device)

    def gather_control(self, name: str, out: Tensor) -> None:
        """Write the control `name`, one value per DOF, into `out` (D, 1)."""
        rows = self.layout.dof_rows
        k.launch(k.gather_items, tuple(rows.shape), [self.batch.input[name], rows, 1, out], self.device)

    def gather_bodies(self) -> None:
        """Compute body states from the live state and write them."""
        shape = (self.layout.num_envs, self.layout.num_links, 13)
        if self.layout.is_whole:
            self.batch.kinematics(self._bodies.view(shape))
            return
        states = self._fresh_states()
        k.launch(k.gather_bodies, shape[:2], [states, self.layout.body_rows, self._bodies], self.device)

    def _fresh_states(self) -> Tensor:
        if self._states is None:
            shape = (self.layout.num_envs, self.layout.num_links, 13)
            self._states = torch.zeros(shape, dtype=torch.float32, device=self.device)
        self.batch.kinematics(self._states)
        return self._states

    def scatter_roots(self, values: Tensor, mask: Tensor) -> None:
        """Set the roots of the actors in `mask`, and forget their contact history."""
        lay = self.layout
        args = [values, lay.actor_rows, mask, lay.tree_floating, *self._roots, self.batch.fault]
        k.launch(k.scatter_roots, self._root_dim, [*args, self._written, self._rejected], self.device)
        self.batch.clear_warm_start(self._written)

    def scatter_dofs(self, values: Tensor, mask: Tensor) -> None:
        """Set the DOFs of the actors in `mask`, and forget their contact history."""
        if 0 in self._dof_dim:
            return
        lay, state = self.layout, self.batch.state
        args = [values, lay.dof_rows, lay.actor_rows, lay.dof_tree, lay.tree_first_dof, mask]
        args += [state["dof_pos"], state["dof_vel"], self.batch.fault]
        k.launch(k.scatter_dofs, self._dof_dim, [*args, self._written_by_dofs, self._rejected], self.device)
        self.batch.clear_warm_start(self._written_by_dofs)

    def scatter_controls(self, name: str, values: Tensor, mask: Tensor) -> None:
        """Set the control `name` of the actors in `mask`."""
        lay = self.layout
        args = [values, lay.dof_rows, lay.actor_rows, lay.dof_tree, mask, self.batch.input[name]]
        k.launch(k.scatter_controls, self._dof_dim, [*args, self._rejected], self.device)

    def add_body_forces(
        self, forces: Tensor | None, torques: Tensor | None, positions: Tensor | None, space: CoordinateSpace
    ) -> None:
        """Add to the external forces of the next step."""
        lay, batch = self.layout, self.batch
        none = self._bodies.new_zeros((1, 3))
        if positions is None and space != CoordinateSpace.LOCAL:
            states = none.view(1, 1, 3)
        else:
            states = self._fresh_states()
        args: list[Any] = [none if x is None else x for x in (forces, torques, positions)]
        args += [int(x is not None) for x in (forces, torques, positions)]
        args += [int(space), self._origins, lay.body_rows, states, batch.params["link_com"]]
        args += [batch.input["link_force"], batch.input["link_torque"]]
        k.launch(k.add_body_forces, (lay.num_links, lay.num_envs), args, self.device)
