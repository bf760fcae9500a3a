"""How well envs keep their bodies apart, by one measure for all engines.

MuJoCo C's collision functions are run on the positions that an engine produced; what the engine itself calls a
contact does not matter. Pairs that the scene excludes do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np

from kilogym.bench.scene import Scene

TOUCHING = 1e-3
"""Shapes nearer than this touch [m]: between the resting gaps of the engines and the next free motion."""


@dataclass
class Quality:
    """Collected over several moments of a run."""

    depths: list[float] = field(default_factory=list)  # of touching pairs, 0 where they do not overlap [m]
    envs: int = 0  # envs looked at, over all moments

    @property
    def contacts_per_env(self) -> float:
        return len(self.depths) / self.envs if self.envs else 0.0

    @property
    def mean(self) -> float:
        """Mean penetration of touching pairs [m]."""
        return float(np.mean(self.depths)) if self.depths else 0.0

    @property
    def p99(self) -> float:
        """99th percentile of it [m]."""
        return float(np.percentile(self.depths, 99)) if self.depths else 0.0

    def add(self, scene: Scene, positions: np.ndarray, most_envs: int = 256) -> None:
        """Look at (at most `most_envs` of) the envs now.

        Args:
            scene: Whose positions they are.
            positions: MuJoCo's qpos of each env, (envs, nq). Envs that are not finite are left out.
            most_envs: How many are looked at, spread evenly.
        """
        chosen = positions[:: max(1, len(positions) // most_envs)][:most_envs]
        data = mujoco.MjData(scene.model)
        for qpos in chosen:
            if not np.isfinite(qpos).all():
                continue
            data.qpos[:] = qpos
            mujoco.mj_kinematics(scene.model, data)
            mujoco.mj_comPos(scene.model, data)
            mujoco.mj_collision(scene.model, data)
            distances = data.contact.dist[: data.ncon] if data.ncon else np.empty(0)
            self.depths += [max(0.0, -float(d)) for d in distances if d < TOUCHING]
            self.envs += 1
