"""The core of a simulation: what it holds, its preparation and its steps."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from types import ModuleType

import torch

from kilogym.scene.declarations import Scene
from kilogym.sim.backend import apply_params
from kilogym.sim.errors import SimulationError
from kilogym.sim.faults import FaultReport
from kilogym.sim.params import SimulationParams
from kilogym.sim.prepared import Prepared
from kilogym.sim.properties import Properties


class SimulationCore:
    """Declarations, device and, once prepared, the batches; what the `*Calls` of this package act on."""

    def __init__(self, params: SimulationParams | None = None, device: str | torch.device = "cpu") -> None:
        self.params = dataclasses.replace(params if params is not None else SimulationParams())
        device = torch.device(device)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        self.device = device
        self.scene = Scene(self.params.up_axis)
        self._properties = Properties(self.scene)
        self._prepared: Prepared | None = None
        self._destroyed = False
        self._time, self._frames = 0.0, 0
        self._reported = FaultReport()

    scene: Scene
    """The declarations: `scene.env(i)`, `scene.actor(env, i)`."""
    device: torch.device
    params: SimulationParams
    """A copy of what was given; change it with `set_params`."""

    def prepare(self, also: Sequence[ModuleType] = ()) -> None:
        """Freeze the scene, compile (or load from the cache) and allocate. Later calls do nothing.

        Args:
            also: Python modules whose Warp kernels every step will need: compiled beside the step's own.

        Raises:
            NotImplementedError: shapes that would have to collide and cannot yet; names both.
            ValueError: actors of different envs in one collision group.
        """
        self._check_alive()
        if self._prepared is None:
            self._prepared = Prepared(self.scene, self.params, self.device, also)
            self.scene.frozen = True
            p = self._prepared
            self._properties.attach(p.plans, p.parameters, p.layout)
            p.gather_states()

    @property
    def prepared(self) -> bool:
        """Whether the scene is frozen and the tensors exist."""
        return self._prepared is not None

    def destroy(self) -> None:
        """Free everything; every other call then raises SimulationError. Calling it again is harmless."""
        self._prepared = None
        self._destroyed = True
        self.scene = Scene(self.params.up_axis)
        self._properties = Properties(self.scene)

    @property
    def destroyed(self) -> bool:
        """Whether `destroy` was called."""
        return self._destroyed

    def step(self) -> None:
        """Advance every env by `params.dt`. Body forces applied since the last step act in this one only."""
        p = self._ready()
        p.flush()
        for batch in p.batches:
            batch.step()
        if not self.params.persistent_efforts:
            for batch in p.batches:
                batch.input["dof_effort_in"].zero_()
        self._time += self.params.dt
        self._frames += 1

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return self._time

    @property
    def frame_count(self) -> int:
        """Number of completed steps."""
        return self._frames

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def set_params(self, params: SimulationParams) -> None:
        """Change step and solver; takes effect at the next step, without a recompile.

        A changed contact or rest offset is given to the shapes that still have the old one.

        Raises:
            ValueError: `up_axis` or `max_contacts` differs, which are fixed once the scene is prepared.
        """
        self._check_alive()
        params.validate()
        old = self.params
        if self.scene.envs and params.up_axis != old.up_axis:
            raise ValueError(
                f"up_axis: expected {old.up_axis!r}, as when the envs were created, got {params.up_axis!r}"
            )
        if self.prepared and params.max_contacts != old.max_contacts:
            raise ValueError(
                f"max_contacts: expected {old.max_contacts}, as when the simulation was prepared, "
                f"got {params.max_contacts}"
            )
        self.params = dataclasses.replace(params)
        self.scene.up_axis = params.up_axis
        for name in ("contact_offset", "rest_offset"):
            if getattr(params, name) != getattr(old, name):
                self._properties.shift_offsets(name, getattr(old, name), getattr(params, name))
        if self._prepared is not None:
            for batch in self._prepared.batches:
                apply_params(batch, params)
                if batch.captured_substeps not in (0, params.substeps):
                    warnings.warn(
                        f"set_params: on terrain a CUDA graph has the number of substeps it was captured with, "
                        f"{batch.captured_substeps}, now it is {params.substeps}: capture it again",
                        stacklevel=2,
                    )

    def _check_alive(self) -> None:
        if self._destroyed:
            raise SimulationError("the simulation has been destroyed; make a new one")

    def _ready(self) -> Prepared:
        if self._prepared is None:
            self.prepare()
        assert self._prepared is not None
        return self._prepared
