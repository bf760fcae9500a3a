"""The opaque things that Gym's methods hand out and take: Sim, Env, Asset, UsdExporter."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from isaacgym.gymapi.params import SimParams
from isaacgym.gymapi.records import PerformanceTimers

if TYPE_CHECKING:
    from isaacgym.gymapi.gym.classic import ClassicState
    from kilogym.assets.asset import Asset as KilogymAsset
    from kilogym.sim import Simulation


class Sim:
    """A simulation. Its attributes are Kilogym's own; `simulation` is the door to everything this API lacks."""

    def __init__(self, simulation: Simulation, params: SimParams, graphics_device: int) -> None:
        from isaacgym.gymapi.gym.classic import ClassicState

        self.simulation = simulation
        self.params = params
        self.graphics_device = graphics_device
        self.envs: list[Env] = []
        self.classic: ClassicState = ClassicState(simulation)
        self.descriptors: dict[str, Any] = {}
        self.started = time.perf_counter()
        self.frame_end = self.started
        self.timers: dict[int, PerformanceTimers] = {}
        self.next_handle = 0
        self.textures: dict[int, str] = {}
        self.looks: dict[tuple[int, int, int, int], Any] = {}  # (env, actor, body, mesh) -> colour
        self.body_textures: dict[tuple[int, int, int, int], int] = {}
        self.lights: dict[int, tuple[Any, Any, Any]] = {}

    def prepare(self) -> None:
        """Freeze the scene if that has not been done, and apply the states set so far."""
        self.classic.prepare()

    def new_handle(self) -> int:
        """A number not used before."""
        self.next_handle += 1
        return self.next_handle - 1


class Env:
    """One environment of a simulation."""

    __slots__ = ("index", "sim")

    def __init__(self, sim: Sim, index: int) -> None:
        self.sim, self.index = sim, index

    def __repr__(self) -> str:
        return f"<isaacgym.gymapi.Env {self.index}>"


class Asset:
    """A robot or object to make actors of. `asset` is Kilogym's, immutable and replaced when sensors are added."""

    def __init__(self, asset: KilogymAsset, shapes: np.ndarray) -> None:
        self.asset = asset
        self.shapes = shapes  # SHAPE_PROPERTIES for the next actors
        self.shapes_edited = False
        self.tendons: np.ndarray | None = None  # TENDON_PROPERTIES for the next actors, once edited
        self.tendon_coefficients: np.ndarray | None = None  # of all tendons' joints, once edited

    def add_sensor(self, sensor: Any) -> int:
        """Append a force sensor; returns its index."""
        self.asset = dataclasses.replace(self.asset, sensors=(*self.asset.sensors, sensor))
        return len(self.asset.sensors) - 1

    def __repr__(self) -> str:
        return f"<isaacgym.gymapi.Asset {self.asset.name!r}>"


class UsdExporter:
    """A writer of USD, which does not exist here."""
