"""Simulation, section "setters": states, controls, forces on bodies.

Each setter takes the whole simulation's values, in any shape with the right number of float32, on its device; with
`actors` (int32 or int64 sim indices, 1-D) or `mask` (bool, one per actor), both on that device, only those actors'
rows count. Duplicate and empty indices are harmless. Wrong arguments raise TypeError, ValueError or IndexError; the
range of indices is checked on the CPU, on CUDA only with `params.debug`: without, a wrong index is skipped and
reported by check_faults, as is a row that is not finite.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kilogym.sim import kernels
from kilogym.sim.checks import check_actors, check_mask, check_values
from kilogym.sim.core import SimulationCore
from kilogym.sim.kernels import launch
from kilogym.sim.params import CoordinateSpace


class SetterCalls(SimulationCore):
    """Set states, controls and forces."""

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
