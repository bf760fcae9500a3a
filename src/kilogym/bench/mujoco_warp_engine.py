"""MuJoCo Warp: MuJoCo's algorithms on the GPU, the closest peer."""

from __future__ import annotations

import copy
import math
from typing import Any

import mujoco
import numpy as np
import torch
import warp as wp
from torch import Tensor

from kilogym.bench.engine import Setting
from kilogym.bench.warp_engine import WarpEngine


class MujocoWarpEngine(WarpEngine):
    """Newton solver, 10 iterations, 10 line-search steps; buffers sized so that nothing is dropped."""

    name = "MuJoCo Warp"
    note = "float32; Newton, 10 iterations, 10 line-search steps, Euler; overflow messages off"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        import mujoco_warp as mjw

        self._step = mjw.step
        scene = setting.scene
        contacts, rows = room_needed(setting)
        with wp.ScopedDevice(self._device):
            model = copy.copy(scene.model)
            model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)  # it has no auto-reset to disable
            self._model: Any = mjw.put_model(model)
            self._model.opt.warn_overflow = 0
            data = mujoco.MjData(scene.model)
            data.qpos[:] = scene.start
            mujoco.mj_forward(scene.model, data)
            self._data: Any = mjw.put_data(scene.model, data, nworld=setting.num_envs, nconmax=contacts, njmax=rows)
            self._controls = wp.to_torch(self._data.ctrl)
            self._qpos, self._qvel = wp.to_torch(self._data.qpos), wp.to_torch(self._data.qvel)
            self._qpos.copy_(torch.tensor(scene.starts(setting.num_envs), dtype=torch.float32))
            fields = ("qpos", "qvel", "qacc_warmstart")
            start = {name: wp.to_torch(getattr(self._data, name)).clone() for name in fields}
            self._prepare_steps()
            for name, value in start.items():
                wp.to_torch(getattr(self._data, name)).copy_(value)
            wp.synchronize_device(self._device)
        self._most_contacts = contacts * setting.num_envs
        self._most_rows = rows

    def _steps(self) -> None:
        for _ in range(self.setting.hold):
            self._step(self._model, self._data)

    def set_controls(self, controls: Tensor) -> None:
        self._controls.copy_(controls)

    def positions(self) -> np.ndarray:
        self.synchronize()
        return self._qpos.double().cpu().numpy()

    def nonfinite_envs(self) -> int:
        self.synchronize()
        bad = ~(torch.isfinite(self._qpos).all(dim=1) & torch.isfinite(self._qvel).all(dim=1))
        return int(bad.sum())

    def own_contacts(self) -> float | None:
        self.synchronize()
        return float(self._data.nacon.numpy()[0]) / self.setting.num_envs

    def overflowed(self) -> bool:
        self.synchronize()
        contacts = int(self._data.nacon.numpy()[0])
        rows = int(self._data.nefc.numpy().max())
        return contacts > self._most_contacts or rows >= self._most_rows


def room_needed(setting: Setting, envs: int = 32, steps: int = 400) -> tuple[int, int]:
    """Contacts and constraint rows to allocate per env: half as many again as MuJoCo C was seen to need.

    The scene is shaken by random controls, as in the measurement.

    Returns:
        Contacts per env (the pool is shared by all envs) and rows per env (each env has its own).
    """
    scene = setting.scene
    rng = np.random.default_rng(1)
    contacts = rows = 8
    for start in scene.starts(envs):
        data = mujoco.MjData(scene.model)
        data.qpos[:] = start
        for step in range(steps):
            if step % setting.hold == 0:
                data.ctrl[:] = rng.uniform(-1, 1, scene.num_controls)
            mujoco.mj_step(scene.model, data)
            contacts, rows = max(contacts, data.ncon), max(rows, data.nefc)
    return math.ceil(1.5 * contacts), 8 * math.ceil(1.5 * rows / 8)
