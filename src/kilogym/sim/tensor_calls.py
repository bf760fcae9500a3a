"""Simulation, section "tensors": what is read, and its refresh. Allocated by prepare, implicitly by their first use."""

from __future__ import annotations

from torch import Tensor

from kilogym.sim.contacts import Contacts
from kilogym.sim.core import SimulationCore


class TensorCalls(SimulationCore):
    """Hand out tensors, and `refresh_*` them: copy the newest state into them."""

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
