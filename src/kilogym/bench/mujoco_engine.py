"""MuJoCo C on the CPU, float64, all cores: the reference implementation of the model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mujoco
import numpy as np
from torch import Tensor

from kilogym.bench.engine import Engine, Setting
from kilogym.engine.threads import cpu_threads

MOST_ENVS = 512
"""More are not simulated: its speed per env does not depend on how many there are."""


class MujocoEngine(Engine):
    """One MjData per env, slices of the envs on a pool of threads."""

    name = "MuJoCo C"
    note = "float64, CPU, a thread per core, or KILOGYM_THREADS; Newton, 10 iterations, 10 line-search steps, Euler"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        model = setting.scene.model
        self.num_envs = min(setting.num_envs, MOST_ENVS)
        self._data = [mujoco.MjData(model) for _ in range(self.num_envs)]
        for data, start in zip(self._data, setting.scene.starts(self.num_envs), strict=True):
            data.qpos[:] = start
        threads = cpu_threads()  # as many as Kilogym has
        self._threads = min(threads, self.num_envs)
        self._pool = ThreadPoolExecutor(self._threads)

    def _run(self, first: int) -> None:
        for data in self._data[first :: self._threads]:
            mujoco.mj_step(self.setting.scene.model, data, nstep=self.setting.hold)

    def set_controls(self, controls: Tensor) -> None:
        for data, values in zip(self._data, controls.double().cpu().numpy(), strict=False):
            data.ctrl[:] = values

    def advance(self) -> None:
        list(self._pool.map(self._run, range(self._threads)))

    def synchronize(self) -> None:
        pass

    def positions(self) -> np.ndarray:
        return np.array([data.qpos for data in self._data])

    def nonfinite_envs(self) -> int:
        return sum(not (np.isfinite(d.qpos).all() and np.isfinite(d.qvel).all()) for d in self._data)

    def own_contacts(self) -> float | None:
        return float(np.mean([data.ncon for data in self._data]))

    def close(self) -> None:
        self._pool.shutdown()
        self._data = []
