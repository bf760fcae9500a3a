"""Gym, sections "tensor API": acquire, refresh, set and apply.

Acquired tensors keep their memory for the life of the simulation. A refresh copies the newest state into them, also
right after a setter and before the next step. A setter acts at once; several of them compose in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from isaacgym.gymapi.enums import CoordinateSpace, TensorDataType
from isaacgym.gymapi.gym.checks import as_sim, need
from isaacgym.gymapi.gym.status import fail, missing, on_failure, without_effect
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.tensor import Tensor

if TYPE_CHECKING:
    import torch

_SOFT = "soft bodies and their particles are not simulated yet"


class AcquireCalls:
    """Descriptors of the simulation's tensors; `gymtorch.wrap_tensor` makes torch tensors of them."""

    def acquire_actor_root_state_tensor(self, sim: Sim) -> Tensor:
        """(A, 13): position [m], quaternion xyzw, linear and angular velocity of each actor's root body."""
        return _acquire(sim, "root_states")

    def acquire_rigid_body_state_tensor(self, sim: Sim) -> Tensor:
        """(B, 13): the same of each body."""
        return _acquire(sim, "body_states")

    def acquire_dof_state_tensor(self, sim: Sim) -> Tensor:
        """(D, 2): position and velocity of each DOF."""
        return _acquire(sim, "dof_states")

    def acquire_dof_force_tensor(self, sim: Sim) -> Tensor:
        """(D,): force on each DOF in the last step; see `enable_actor_dof_force_sensors`."""
        return _acquire(sim, "dof_forces")

    def acquire_net_contact_force_tensor(self, sim: Sim) -> Tensor:
        """(B, 3): net contact force on each body over the last step, global axes [N]."""
        return _acquire(sim, "contact_forces")

    def acquire_force_sensor_tensor(self, sim: Sim) -> Tensor:
        """(S, 6): force and torque of each force sensor; (0, 6) when there is none."""
        return _acquire(sim, "force_sensors")

    @on_failure(None)
    def acquire_jacobian_tensor(self, sim: Sim, actor_name: str) -> Tensor:
        """Jacobians of all actors of a name: (E, links - 1, 6, dofs) fixed, (E, links, 6, dofs + 6) floating."""
        as_sim(sim).prepare()
        return _descriptor(sim, f"jacobian {actor_name}", lambda: sim.simulation.jacobian(actor_name))

    @on_failure(None)
    def acquire_mass_matrix_tensor(self, sim: Sim, actor_name: str) -> Tensor:
        """Joint-space inertias of all actors of a name: (E, n, n), n = dofs, + 6 for a floating base."""
        as_sim(sim).prepare()
        return _descriptor(sim, f"mass matrix {actor_name}", lambda: sim.simulation.mass_matrix(actor_name))

    @missing(_SOFT)
    def acquire_particle_state_tensor(self, sim: Sim) -> Tensor:
        """Particles."""
        raise AssertionError

    @missing(_SOFT)
    def acquire_pneumatic_pressure_tensor(self, sim: Sim) -> Tensor:
        """Pressures."""
        raise AssertionError

    @missing(_SOFT)
    def acquire_pneumatic_target_tensor(self, sim: Sim) -> Tensor:
        """Target pressures."""
        raise AssertionError


class RefreshCalls:
    """Copy the newest state into the acquired tensors."""

    def refresh_actor_root_state_tensor(self, sim: Sim) -> bool:
        """Write the root states; before the first step these are the creation poses."""
        return _refresh(sim, "refresh_root_states")

    def refresh_rigid_body_state_tensor(self, sim: Sim) -> bool:
        """Write the body states, fresh also right after a setter."""
        return _refresh(sim, "refresh_body_states")

    def refresh_dof_state_tensor(self, sim: Sim) -> bool:
        """Write the DOF states."""
        return _refresh(sim, "refresh_dof_states")

    def refresh_dof_force_tensor(self, sim: Sim) -> bool:
        """Write the DOF forces."""
        return _refresh(sim, "refresh_dof_forces")

    def refresh_net_contact_force_tensor(self, sim: Sim) -> bool:
        """Write the net contact forces."""
        return _refresh(sim, "refresh_contact_forces")

    def refresh_force_sensor_tensor(self, sim: Sim) -> bool:
        """Write the force sensors."""
        return _refresh(sim, "refresh_force_sensors")

    def refresh_jacobian_tensors(self, sim: Sim) -> bool:
        """Write every acquired Jacobian."""
        return _refresh(sim, "refresh_jacobians")

    def refresh_mass_matrix_tensors(self, sim: Sim) -> bool:
        """Write every acquired mass matrix."""
        return _refresh(sim, "refresh_mass_matrices")

    @missing(_SOFT)
    def refresh_particle_state_tensor(self, sim: Sim) -> bool:
        """Particles."""
        raise AssertionError

    @missing(_SOFT)
    def refresh_pneumatic_pressure_tensor(self, sim: Sim) -> bool:
        """Pressures."""
        raise AssertionError

    @missing(_SOFT)
    def refresh_pneumatic_target_tensor(self, sim: Sim) -> bool:
        """Target pressures."""
        raise AssertionError


class SetTensorCalls:
    """Hand tensors of the whole simulation to it: all rows, or with `_indexed` those of some actors.

    Actor indices are int32, in DOMAIN_SIM (`get_actor_index`); the first `count` of them are used. Setters return
    False, with a logged reason, for a wrong dtype, shape, device or index.
    """

    @on_failure(False)
    def set_actor_root_state_tensor(self, sim: Sim, states: Tensor) -> bool:
        """Set all root states."""
        return _set(sim, "set_root_states", states)

    @on_failure(False)
    def set_actor_root_state_tensor_indexed(self, sim: Sim, states: Tensor, indices: Tensor, count: int) -> bool:
        """Set root states of some actors."""
        return _set(sim, "set_root_states", states, indices, count)

    @on_failure(False)
    def set_dof_state_tensor(self, sim: Sim, states: Tensor) -> bool:
        """Set all DOF states."""
        return _set(sim, "set_dof_states", states)

    @on_failure(False)
    def set_dof_state_tensor_indexed(self, sim: Sim, states: Tensor, indices: Tensor, count: int) -> bool:
        """Set DOF states of some actors; the indices are the actors'."""
        return _set(sim, "set_dof_states", states, indices, count)

    @on_failure(False)
    def set_dof_position_target_tensor(self, sim: Sim, targets: Tensor) -> bool:
        """Set all position targets [rad or m]; they act until set again."""
        return _set(sim, "set_position_targets", targets)

    @on_failure(False)
    def set_dof_position_target_tensor_indexed(self, sim: Sim, targets: Tensor, indices: Tensor, count: int) -> bool:
        """Set position targets of some actors."""
        return _set(sim, "set_position_targets", targets, indices, count)

    @on_failure(False)
    def set_dof_velocity_target_tensor(self, sim: Sim, targets: Tensor) -> bool:
        """Set all velocity targets [rad/s or m/s]; they act until set again."""
        return _set(sim, "set_velocity_targets", targets)

    @on_failure(False)
    def set_dof_velocity_target_tensor_indexed(self, sim: Sim, targets: Tensor, indices: Tensor, count: int) -> bool:
        """Set velocity targets of some actors."""
        return _set(sim, "set_velocity_targets", targets, indices, count)

    @on_failure(False)
    def set_dof_actuation_force_tensor(self, sim: Sim, forces: Tensor) -> bool:
        """Set all actuation forces [N m or N] of DOFs in effort mode; they act until set again."""
        return _set(sim, "set_actuation_forces", forces)

    @on_failure(False)
    def set_dof_actuation_force_tensor_indexed(self, sim: Sim, forces: Tensor, indices: Tensor, count: int) -> bool:
        """Set actuation forces of some actors."""
        return _set(sim, "set_actuation_forces", forces, indices, count)

    @on_failure(False)
    def apply_rigid_body_force_tensors(
        self,
        sim: Sim,
        forceTensor: Tensor | None = None,
        torqueTensor: Tensor | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV_SPACE,
    ) -> bool:
        """Add forces [N] at the centres of mass and torques [N m], (B, 3) each, for the next step."""
        as_sim(sim).prepare()
        force, torque = (None if t is None else _torch(sim, t) for t in (forceTensor, torqueTensor))
        sim.simulation.apply_body_forces(force, torque, _space(space))
        return True

    @on_failure(False)
    def apply_rigid_body_force_at_pos_tensors(
        self,
        sim: Sim,
        forceTensor: Tensor,
        posTensor: Tensor | None = None,
        space: CoordinateSpace = CoordinateSpace.ENV_SPACE,
    ) -> bool:
        """Add forces [N] at positions [m], (B, 3) each, for the next step; no positions: the centres of mass."""
        as_sim(sim).prepare()
        force, position = _torch(sim, forceTensor), None if posTensor is None else _torch(sim, posTensor)
        sim.simulation.apply_body_forces_at(force, position, _space(space))
        return True

    @without_effect("body states are read-only, as with PhysX: False is returned")
    def set_rigid_body_state_tensor(self, sim: Sim, states: Tensor) -> bool:
        """Not possible: body states follow from root and DOF states."""
        as_sim(sim)
        fail("set_rigid_body_state_tensor", "body states are read-only; set root and DOF states")
        return False

    @missing(_SOFT)
    def set_particle_state_tensor(self, sim: Sim, states: Tensor) -> bool:
        """Particles."""
        raise AssertionError

    @missing(_SOFT)
    def set_particle_state_tensor_indexed(self, sim: Sim, states: Tensor, indices: Tensor, count: int) -> bool:
        """Particles."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_pressure_tensor(self, sim: Sim, pressures: Tensor) -> bool:
        """Pressures."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_pressure_tensor_indexed(
        self, sim: Sim, pressures: Tensor, indices: Tensor | None = None, count: int = 0
    ) -> bool:
        """Pressures."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_target_tensor(self, sim: Sim, targets: Tensor) -> bool:
        """Target pressures."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_target_tensor_indexed(
        self, sim: Sim, targets: Tensor, indices: Tensor | None = None, count: int = 0
    ) -> bool:
        """Target pressures."""
        raise AssertionError

    @missing(_SOFT)
    def get_pneumatic_pressure(self, env: Env, actor: int, index: int) -> float:
        """Pressure."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_pressure(self, env: Env, actor: int, index: int, value: float) -> None:
        """Pressure."""

    @missing(_SOFT)
    def get_pneumatic_target(self, env: Env, actor: int, index: int) -> float:
        """Target pressure."""
        raise AssertionError

    @missing(_SOFT)
    def set_pneumatic_target(self, env: Env, actor: int, index: int, value: float) -> None:
        """Target pressure."""


def _descriptor(sim: Sim, key: str, make: Callable[[], torch.Tensor]) -> Tensor:
    """The descriptor of a simulation's tensor, the same at every call."""
    if key not in sim.descriptors:
        from isaacgym.gymtorch import unwrap_tensor

        sim.descriptors[key] = unwrap_tensor(make())
    return sim.descriptors[key]


def _acquire(sim: Sim, kind: str) -> Tensor:
    as_sim(sim).prepare()
    sim.classic.acquired.add(kind)
    return _descriptor(sim, kind, lambda: getattr(sim.simulation, kind))


def _refresh(sim: Sim, call: str) -> bool:
    as_sim(sim).prepare()
    getattr(sim.simulation, call)()
    return True


def _torch(sim: Sim, tensor: Any) -> torch.Tensor:
    """The float32 tensor of a descriptor."""
    from isaacgym.gymtorch import wrap_tensor

    if not isinstance(tensor, Tensor):
        raise TypeError(f"expected a gymapi.Tensor, got {type(tensor).__name__}; use gymtorch.unwrap_tensor(...)")
    if tensor.dtype is not TensorDataType.DTYPE_FLOAT32:
        raise ValueError(f"expected a float32 tensor, got {tensor!r}; use .float()")
    return wrap_tensor(tensor)


def _actors(indices: Any, count: int) -> torch.Tensor:
    """The first `count` actor indices of a descriptor."""
    from isaacgym.gymtorch import wrap_tensor

    need(Tensor, indices, "indices (use gymtorch.unwrap_tensor)")
    if indices.dtype is not TensorDataType.DTYPE_UINT32:
        raise ValueError(f"actor indices: expected an int32 tensor, got {indices!r}; use .to(torch.int32)")
    flat = wrap_tensor(indices).view(-1)
    if not 0 <= count <= flat.numel():
        raise ValueError(
            f"actor indices: expected a count of 0 to {flat.numel()}, the length of the index tensor, got {count}"
        )
    return flat[: int(count)]


def _set(sim: Sim, call: str, values: Any, indices: Any = None, count: int | None = None) -> bool:
    as_sim(sim).prepare()
    setter = getattr(sim.simulation, call)
    if count is None:
        setter(_torch(sim, values))
    else:
        setter(_torch(sim, values), actors=_actors(indices, count))
    sim.classic.touch()
    return True


def _space(space: Any) -> Any:
    from kilogym.sim import CoordinateSpace as Space

    return Space(int(space))
