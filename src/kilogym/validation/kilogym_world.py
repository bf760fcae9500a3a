"""The bench on Kilogym: a simulation as users have it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kilogym.scene.couplings import AttractorDecl
from kilogym.scene.declarations import GroundPlane
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.sim import Simulation, SimulationParams
from kilogym.validation.case import ExperimentError
from kilogym.validation.world import Actor, World, actor_parts


class KilogymWorld(World):
    """See :class:`World`.

    Args:
        actors: Of every env.
        envs: Number of envs.
        ground: False for none, or a GroundPlane.
        dt: Of one step [s]; one substep unless `substeps` says otherwise.
        iterations, relax: Soft-step iterations and extra relax sweeps.
        attractors: Of each env, equally many; none where it is empty.
        terrain: Besides the ground.
        spacing: Distance of envs along x [m].
        filter: 1: actors do not touch each other.
        params: Further fields of SimulationParams.
    """

    def __init__(
        self,
        actors: Sequence[Actor],
        device: str = "cpu",
        envs: int = 1,
        ground: bool | GroundPlane = True,
        dt: float = 1 / 120,
        iterations: int = 4,
        relax: int = 0,
        attractors: Sequence[Sequence[AttractorDecl]] = (),
        terrain: Sequence[HeightField | TriangleMesh] = (),
        spacing: float = 0.0,
        filter: int = -1,
        **params,
    ) -> None:
        given = {"substeps": 1, "rest_offset": 0.0, "faults": "ignore", **params}
        self.sim = Simulation(
            SimulationParams(dt=dt, position_iterations=iterations, velocity_iterations=relax, **given), device
        )
        if ground is not False:
            self.sim.add_ground(GroundPlane() if ground is True else ground)
        for item in terrain:
            self.sim.add_terrain(item)
        for env in range(envs):
            self.sim.create_env((0, 0, 0), (spacing, 0, 0), envs)
            for i, (asset, pos, quat) in enumerate(actor_parts(actors)):
                self.sim.create_actor(env, asset, pos, quat, name=f"a{i}", group=env, filter=filter)
                self.sim.enable_dof_force_sensors(env, i)
            for attractor in attractors[env] if attractors else ():
                self.sim.create_attractor(env, attractor)
        self.sim.prepare()
        self.envs, self.actors, self.dt = envs, len(actors), dt
        self.dofs = self.sim.num_dofs // envs
        self.start_roots = self.roots()
        self.start_dofs = self.dof_states()

    def set_parameter(self, name: str, values) -> None:
        target = self.sim.parameter(name)
        target.copy_(torch.as_tensor(values, dtype=torch.float32).expand_as(target))

    def change(self, *, dt=None, gravity=None) -> None:
        changes = {name: value for name, value in (("dt", dt), ("gravity", gravity)) if value is not None}
        self.sim.set_params(dataclasses.replace(self.sim.params, **changes))
        self.dt = self.sim.params.dt

    def _numpy(self, tensor: Tensor, *shape: int) -> np.ndarray:
        return tensor.detach().cpu().numpy().astype(np.float64).reshape(self.envs, *shape)

    def roots(self) -> np.ndarray:
        self.sim.refresh_root_states()
        return self._numpy(self.sim.root_states, self.actors, 13)

    def dof_states(self) -> np.ndarray:
        self.sim.refresh_dof_states()
        return self._numpy(self.sim.dof_states, self.dofs, 2)

    def bodies(self) -> np.ndarray:
        self.sim.refresh_body_states()
        return self._numpy(self.sim.body_states, -1, 13)

    def forces(self) -> np.ndarray:
        self.sim.refresh_contact_forces()
        return self._numpy(self.sim.contact_forces, -1, 3)

    def dof_forces(self) -> np.ndarray:
        self.sim.refresh_dof_forces()
        return self._numpy(self.sim.dof_forces, self.dofs)

    def sensors(self) -> np.ndarray:
        self.sim.refresh_force_sensors()
        return self._numpy(self.sim.force_sensors, -1, 6)

    def corner_loads(self) -> np.ndarray:
        loads = self.sim.batches[0].snapshot()["warm_impulse"][2::3, 0].double().cpu().numpy()
        return loads[loads > 0]

    def device_tensor(self, values, *shape: int) -> Tensor:
        """Values on the simulation's device, float32, broadcast to `shape` where one is given."""
        array = np.asarray(values, np.float32)
        return torch.tensor(np.broadcast_to(array, shape) if shape else array, device=self.sim.device)

    def set_roots(self, states: np.ndarray) -> None:
        self.sim.set_root_states(self.device_tensor(states))

    def set_dofs(self, states: np.ndarray) -> None:
        self.sim.set_dof_states(self.device_tensor(states))

    def aim(self, targets: np.ndarray) -> None:
        self.sim.set_position_targets(self.device_tensor(targets, self.envs, self.dofs).reshape(-1))

    def drive(self, efforts: np.ndarray) -> None:
        self.sim.set_actuation_forces(self.device_tensor(efforts, self.envs, self.dofs).reshape(-1))

    def push(self, forces: np.ndarray) -> None:
        bodies = self.sim.num_bodies // self.envs
        self.sim.apply_body_forces(self.device_tensor(forces, self.envs, bodies, 3).reshape(-1, 3))

    def reset(self) -> None:
        """Put the states at the start back."""
        self.set_roots(self.start_roots)
        if self.dofs:
            self.set_dofs(self.start_dofs)

    def step(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.sim.step()

    def diverged(self) -> list[int]:
        return self.sim.check_faults().diverged

    def check(self) -> None:
        faults = self.sim.check_faults()
        if faults.diverged or faults.overflowed:
            raise ExperimentError(f"envs {faults.diverged} diverged, {faults.overflowed} dropped contacts")
