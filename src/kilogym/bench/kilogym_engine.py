"""Kilogym, through its simulation: the interface that tasks use."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kilogym.bench.engine import Engine, Setting
from kilogym.sim import Simulation, SimulationParams

FAULT_NONFINITE, FAULT_OVERFLOW = 1, 2


def declare(setting: Setting) -> Simulation:
    """All envs of a setting; actors stand where the scene has them."""
    scene = setting.scene
    params = SimulationParams(
        dt=setting.dt, substeps=1, position_iterations=4, velocity_iterations=1, rest_offset=0.0,
        max_contacts=scene.max_contacts, faults="ignore",
    )  # fmt: skip
    sim = Simulation(params, setting.device)
    if scene.terrain is None:
        sim.add_ground()
    else:
        sim.add_terrain(scene.terrain)
    for _ in range(setting.num_envs):
        env = sim.create_env()
        for actor in scene.actors:
            sim.create_actor(env, actor.asset, actor.pos, actor.quat, filter=-1 if actor.self_collisions else 1)
    return sim


def make_simulation(setting: Setting) -> Simulation:
    """The same, prepared."""
    sim = declare(setting)
    sim.prepare()
    return sim


class KilogymEngine(Engine):
    """One step per dt, with the solver of Isaac Gym's tasks: 4 position iterations and 1 of velocity."""

    name = "Kilogym"
    note = "float32; 1 substep, 4 position and 1 velocity iterations; net contact, DOF and sensor forces written"
    all_outputs = False

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        scene = setting.scene
        self.sim = sim = make_simulation(setting)
        self._start()
        gear = torch.zeros(scene.num_controls, scene.num_dofs)
        driven = torch.tensor(scene.dof_of_joint[scene.motor_joint], dtype=torch.long)
        gear[torch.arange(scene.num_controls), driven] = torch.tensor(scene.gear, dtype=torch.float32)
        self._gear = gear.to(sim.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm_up()
        if sim.device.type == "cuda":
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._steps()

    def _start(self) -> None:
        scene, sim, envs = self.setting.scene, self.sim, self.setting.num_envs
        qpos = torch.tensor(scene.starts(envs), dtype=torch.float32)
        roots = sim.root_states.cpu().clone().view(envs, len(scene.actors), 13)
        for actor, at in enumerate(scene.root_qpos):
            if at is not None:
                roots[:, actor, :7] = qpos[:, [at, at + 1, at + 2, at + 4, at + 5, at + 6, at + 3]]
                roots[:, actor, 7:] = 0.0
        dofs = torch.zeros(envs, scene.num_dofs, 2)
        dofs[:, scene.dof_of_joint, 0] = qpos[:, scene.joint_qpos]
        self._start_roots, self._start_dofs = roots.view(-1, 13).to(sim.device), dofs.view(-1, 2).to(sim.device)
        sim.set_root_states(self._start_roots)
        self._set_start_dofs()

    def _set_start_dofs(self) -> None:
        if self.setting.scene.num_dofs:
            self.sim.set_dof_states(self._start_dofs)

    def _warm_up(self) -> None:
        """Compile and touch everything, then start again."""
        self._steps()
        self.sim.synchronize()
        self.sim.set_root_states(self._start_roots)
        self._set_start_dofs()

    def _steps(self) -> None:
        for _ in range(self.setting.hold):
            self.sim.step()
            if self.all_outputs:
                self.sim.refresh_all()

    def set_controls(self, controls: Tensor) -> None:
        if self.setting.scene.num_controls:
            self.sim.set_actuation_forces(controls @ self._gear)

    def advance(self) -> None:
        if self._graph is None:
            self._steps()
        else:
            self._graph.replay()

    def synchronize(self) -> None:
        self.sim.synchronize()

    def positions(self) -> np.ndarray:
        sim, scene, envs = self.sim, self.setting.scene, self.setting.num_envs
        sim.refresh_root_states()
        sim.refresh_dof_states()
        roots = sim.root_states.double().cpu().numpy().reshape(envs, len(scene.actors), 13)
        dofs = sim.dof_states.double().cpu().numpy().reshape(envs, scene.num_dofs, 2)
        qpos = np.empty((envs, scene.model.nq))
        qpos[:, scene.joint_qpos] = dofs[:, scene.dof_of_joint, 0]
        for actor, at in enumerate(scene.root_qpos):
            if at is not None:
                qpos[:, at : at + 7] = roots[:, actor][:, [0, 1, 2, 6, 3, 4, 5]]
        return qpos

    def nonfinite_envs(self) -> int:
        return int((self.sim.env_faults() & FAULT_NONFINITE).ne(0).sum())

    def own_contacts(self) -> float | None:
        return float(self.sim.contact_counts().float().mean())

    def overflowed(self) -> bool:
        return bool((self.sim.env_faults() & FAULT_OVERFLOW).any())

    def close(self) -> None:
        self._graph = None
        self.sim.destroy()


class KilogymAllOutputs(KilogymEngine):
    """The same, with every tensor of the API brought up to date after every step."""

    name = "Kilogym, all outputs"
    note = "as Kilogym, and root, DOF and body states, contact, DOF and sensor forces refreshed every step"
    all_outputs = True
