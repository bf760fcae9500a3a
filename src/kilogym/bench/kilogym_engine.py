"""Kilogym, through its simulation: the interface that tasks use."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from kilogym.assets import AssetWarning, ImportOptions, load_asset
from kilogym.bench.engine import Engine, Setting
from kilogym.sim import Simulation, SimulationParams

FAULT_NONFINITE, FAULT_OVERFLOW = 1, 2


class KilogymEngine(Engine):
    """One step per dt, with the solver of Isaac Gym's tasks: 4 position iterations and 1 of velocity."""

    name = "Kilogym"
    note = "float32; 1 substep, 4 position and 1 velocity iterations; net contact, DOF and sensor forces written"
    all_outputs = False

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        robot, envs = setting.robot, setting.num_envs
        options = ImportOptions(angular_damping=0.0, max_angular_velocity=1000.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AssetWarning)  # what a file says about lights is no news here
            self.asset = load_asset(robot.file.parent, robot.file.name, options)
        params = SimulationParams(
            dt=setting.dt, substeps=1, position_iterations=4, velocity_iterations=1, rest_offset=0.0,
            faults="ignore",
        )  # fmt: skip
        self.sim = sim = Simulation(params, setting.device)
        sim.add_ground()
        for _ in range(envs):
            sim.create_actor(sim.create_env(), self.asset, tuple(robot.start[:3]))
        sim.prepare()
        self._match_joints()
        self._start()
        gear = torch.zeros(robot.num_controls, robot.num_dofs)
        gear[torch.arange(robot.num_controls), torch.tensor(self._dof_of_mujoco[robot.motor_dof])] = torch.tensor(
            robot.gear, dtype=torch.float32
        )
        self._gear = gear.to(sim.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm_up()
        if sim.device.type == "cuda":
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._steps()

    def _match_joints(self) -> None:
        """Find our DOF of each of MuJoCo's, by the joint's name (the order in the file may differ)."""
        model = self.setting.robot.model
        ours = self.asset.dof_names()
        names = [model.joint(j).name for j in range(1, model.njnt)]
        if len(ours) != len(names):
            raise ValueError(f"{self.setting.robot.file}: {len(names)} DOFs in MuJoCo, {len(ours)} in Kilogym")
        self._dof_of_mujoco = np.array([ours.index(name) for name in names])

    def _start(self) -> None:
        robot, sim = self.setting.robot, self.sim
        roots = sim.root_states.clone()
        w, x, y, z = robot.start[3:7]
        pose = [*robot.start[:3], x, y, z, w]
        roots[:, :7] = torch.tensor(pose, dtype=torch.float32, device=sim.device)
        roots[:, 7:] = 0.0
        dofs = torch.zeros(self.setting.num_envs, robot.num_dofs, 2)
        dofs[:, self._dof_of_mujoco, 0] = torch.tensor(robot.start[7:], dtype=torch.float32)
        self._start_roots, self._start_dofs = roots, dofs.view(-1, 2).to(sim.device)
        sim.set_root_states(self._start_roots)
        sim.set_dof_states(self._start_dofs)

    def _warm_up(self) -> None:
        """Compile and touch everything, then start again."""
        self._steps()
        self.sim.synchronize()
        self.sim.set_root_states(self._start_roots)
        self.sim.set_dof_states(self._start_dofs)

    def _steps(self) -> None:
        for _ in range(self.setting.hold):
            self.sim.step()
            if self.all_outputs:
                self.sim.refresh_all()

    def set_controls(self, controls: Tensor) -> None:
        self.sim.set_actuation_forces(controls @ self._gear)

    def advance(self) -> None:
        if self._graph is None:
            self._steps()
        else:
            self._graph.replay()

    def synchronize(self) -> None:
        self.sim.synchronize()

    def positions(self) -> np.ndarray:
        sim, robot = self.sim, self.setting.robot
        sim.refresh_root_states()
        sim.refresh_dof_states()
        roots = sim.root_states.double().cpu().numpy()
        dofs = sim.dof_states.double().cpu().numpy().reshape(self.setting.num_envs, robot.num_dofs, 2)
        joints = dofs[:, self._dof_of_mujoco, 0]
        return np.concatenate([roots[:, :3], roots[:, [6, 3, 4, 5]], joints], axis=1)

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
