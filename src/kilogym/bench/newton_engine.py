"""Newton's SolverSteel: articulated dynamics with projected Gauss-Seidel, the peer nearest to Kilogym's kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import warp as wp
from torch import Tensor

from kilogym.bench.engine import Setting
from kilogym.bench.mujoco_warp_engine import room_needed
from kilogym.bench.warp_engine import WarpEngine

GAP = 0.02
"""Distance at which its contacts are made, as Kilogym's [m]; its default is wider, and every contact takes room."""


class NewtonEngine(WarpEngine):
    """Its default sweeps; joint limits and joint friction on, which are off by default; collisions found every step."""

    name = "Newton SolverSteel"
    note = "float32; SolverSteel's defaults (12 sweeps, serial), joint limits and friction on; armature as in the file"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        try:
            import newton
        except ImportError:
            raise ImportError("newton is not installed: pip install --no-deps 'newton>=1.8,<1.9'") from None
        scene, envs = setting.scene, setting.num_envs
        if scene.terrain is not None:
            raise NotImplementedError(f"{self.name}: scenes with a height field ({scene.name!r}) are not given to it")
        if scene.model.nmesh:
            raise NotImplementedError(f"{self.name}: it would collide the triangles of {scene.name!r}, not their hulls")
        friction = bool((scene.model.dof_frictionloss > 0).any())
        if friction and setting.device == "cpu":
            raise NotImplementedError(f"{self.name}: dry friction of joints ({scene.name!r}) needs CUDA there")
        builder, worlds = newton.ModelBuilder(), newton.ModelBuilder()
        builder.rigid_gap = worlds.rigid_gap = GAP
        builder.add_mjcf(
            scene.xml,
            parse_visuals=False,
            parse_sites=False,
            ignore_names=["ground"],
            ignore_inertial_definitions=False,
        )
        self._per_env = builder.joint_coord_count, builder.joint_dof_count
        expected = scene.model.nq, scene.model.nv
        if self._per_env != expected:
            raise NotImplementedError(f"{self.name}: {scene.name!r} has {expected} in MuJoCo, {self._per_env} there")
        worlds.replicate(builder, envs)
        worlds.add_ground_plane()
        # every limit of a joint and up to three directions of every contact within the gap
        rows = 2 * scene.num_dofs + 3 * 4 * room_needed(setting)[0]
        with wp.ScopedDevice(self._device):
            self._model: Any = worlds.finalize()
            self._solver: Any = newton.solvers.SolverSteel(
                self._model, enable_joint_limits=True,
                enable_joint_friction=friction,
                articulation_constraint_max=rows, free_body_constraint_max=max(512, rows),
                warn_constraint_overflow=False,
            )  # fmt: skip
            self._pipeline = newton.CollisionPipeline(self._model)  # room by its own estimate
            self._contacts: Any = self._pipeline.contacts()
            self._states = [self._model.state(), self._model.state()]
            self._control: Any = self._model.control()
            self._force = wp.to_torch(self._control.joint_f).view(envs, -1)
            self._positions = [wp.to_torch(state.joint_q).view(envs, -1) for state in self._states]
            self._velocities = [wp.to_torch(state.joint_qd).view(envs, -1) for state in self._states]
            gear = torch.zeros(scene.num_controls, scene.model.nv)
            driven = scene.model.jnt_dofadr[scene.joints[scene.motor_joint]]
            gear[torch.arange(scene.num_controls), torch.tensor(driven, dtype=torch.long)] = torch.tensor(
                scene.gear, dtype=torch.float32
            )
            self._gear = gear.to(setting.device)
            self._start(newton)
            self._prepare_steps()
            self._start(newton)
            wp.synchronize_device(self._device)

    def _start(self, newton: Any) -> None:
        qpos = torch.tensor(self.setting.scene.starts(self.setting.num_envs), dtype=torch.float32)
        for at in self.setting.scene.root_qpos:
            if at is not None:
                qpos[:, at + 3 : at + 7] = qpos[:, [at + 4, at + 5, at + 6, at + 3]]
        for position, velocity, state in zip(self._positions, self._velocities, self._states, strict=True):
            position.copy_(qpos)
            velocity.zero_()
            newton.eval_fk(self._model, state.joint_q, state.joint_qd, state)
        self._solver.reset(self._states[0])

    def _steps(self) -> None:
        """An even number of steps, so that the state ends where it began: `hold` is a multiple of two."""
        if self.setting.hold % 2:
            raise ValueError(f"{self.name}: expected an even hold, got {self.setting.hold}")
        a, b = self._states
        for _ in range(self.setting.hold):
            a.clear_forces()
            self._pipeline.collide(a, self._contacts)
            self._solver.step(a, b, self._control, self._contacts, self.setting.dt)
            a, b = b, a

    def set_controls(self, controls: Tensor) -> None:
        self._force.copy_(controls @ self._gear)

    def positions(self) -> np.ndarray:
        self.synchronize()
        qpos = self._positions[0].double().cpu().numpy().copy()
        for at in self.setting.scene.root_qpos:
            if at is not None:
                qpos[:, at + 3 : at + 7] = qpos[:, [at + 6, at + 3, at + 4, at + 5]]
        return qpos

    def nonfinite_envs(self) -> int:
        self.synchronize()
        good = torch.isfinite(self._positions[0]).all(dim=1) & torch.isfinite(self._velocities[0]).all(dim=1)
        return int((~good).sum())

    def own_contacts(self) -> float | None:
        self.synchronize()
        return float(self._contacts.rigid_contact_count.numpy()[0]) / self.setting.num_envs

    def overflowed(self) -> bool:
        self.synchronize()
        most = int(self._contacts.rigid_contact_max)
        full = int(self._contacts.rigid_contact_count.numpy()[0]) > most
        return full or bool(np.any(self._solver.constraint_overflow.numpy()))
