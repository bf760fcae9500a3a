"""Where an experiment runs: an engine, a device, a precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kilogym.validation.case import Precision
from kilogym.validation.world import World


@dataclass(frozen=True)
class Lab:
    """Makes the worlds of experiments.

    Attributes:
        engine: "kilogym", or "mujoco": MuJoCo C on the CPU in float64, on the same scene.
        device: Of Kilogym: "cpu" or "cuda:N".
        precision: Of what runs on Kilogym's batches directly; a simulation is float32.
    """

    engine: Literal["kilogym", "mujoco"] = "kilogym"
    device: str = "cpu"
    precision: Precision = "float32"

    def world(self, actors, **options) -> World:
        """A world of this engine; see :class:`kilogym.validation.world.World`."""
        if self.engine == "mujoco":
            from kilogym.validation.mujoco_world import MujocoWorld

            return MujocoWorld(actors, **options)
        from kilogym.validation.kilogym_world import KilogymWorld

        return KilogymWorld(actors, self.device, **options)
