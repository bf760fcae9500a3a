"""Gym, sections "library, simulation, stepping" and "ground and terrain"."""

from __future__ import annotations

import copy
import os
import time
import warnings
from typing import Any

import numpy as np

from isaacgym.gymapi.enums import SimType, UpAxis
from isaacgym.gymapi.gym.checks import as_sim, need, vec3
from isaacgym.gymapi.gym.status import fail, log, missing, on_failure, without_effect
from isaacgym.gymapi.gym.terrain import heightfield, surface, triangle_mesh
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.params import (
    HeightFieldParams,
    OmniConnectionParams,
    PlaneParams,
    SimParams,
    TriangleMeshParams,
)
from isaacgym.gymapi.records import PerformanceTimers, Version
from isaacgym.gymapi.struct import make_record

_USD = "USD scenes are not read or written yet"


class SimulationCalls:
    """Create, step and time a simulation; the ground."""

    def get_version(self) -> Version:
        """Version of the API that this package follows."""
        return make_record(Version, major=1, minor=0)

    def create_sim(
        self,
        compute_device: int = 0,
        graphics_device: int = 0,
        type: SimType = SimType.SIM_FLEX,
        params: SimParams | None = None,
    ) -> Sim | None:
        """Create a simulation.

        Tensors and physics live on cuda:`compute_device` with `params.use_gpu_pipeline`, else on the CPU, also
        with `physx.use_gpu`. Where there is no CUDA, `use_gpu_pipeline` falls back to the CPU with one warning.

        Args:
            compute_device: CUDA ordinal.
            graphics_device: -1 for none: then there is no viewer.
            type: SIM_FLEX is served by the same solver as SIM_PHYSX, with one notice.
            params: Copied; the defaults when None.

        Returns:
            None if it failed; the reason is logged.
        """
        params = copy.deepcopy(need(SimParams, params, "params")) if params is not None else SimParams()
        if SimType(int(type)) is SimType.SIM_FLEX:
            log.warning("create_sim: SIM_FLEX is served by Kilogym's rigid-body solver; soft bodies are missing")
        try:
            from kilogym.sim import Simulation

            device = _device(int(compute_device), params.use_gpu_pipeline)
            return Sim(Simulation(_simulation_params(params), device), params, int(graphics_device))
        except ValueError as error:
            fail("create_sim", error)
            return None

    def destroy_sim(self, sim: Sim) -> None:
        """Free everything. Tensors that clients wrapped stay readable; every call with `sim` then raises."""
        need(Sim, sim).simulation.destroy()
        sim.envs.clear()
        sim.descriptors.clear()

    def prepare_sim(self, sim: Sim) -> bool:
        """Freeze the scene, compile its physics and allocate its tensors; the first simulate does it otherwise.

        Raises:
            ValueError, NotImplementedError: the scene cannot be simulated; says why.
        """
        as_sim(sim).prepare()
        return True

    def simulate(self, sim: Sim) -> None:
        """Advance by `dt`, in `substeps` equal parts."""
        as_sim(sim)
        start = time.perf_counter()
        sim.prepare()
        sim.classic.before_step()
        sim.simulation.step()
        sim.classic.after_step()
        for timers in sim.timers.values():
            timers.physics_sim += time.perf_counter() - start

    def fetch_results(self, sim: Sim, wait: bool) -> None:
        """Wait for the device if `wait` is true, and warn (`warnings`) of envs that diverged since the last time."""
        as_sim(sim)
        if wait and sim.simulation.prepared:
            sim.simulation.synchronize()
            sim.simulation.check_faults()

    def get_sim_params(self, sim: Sim) -> SimParams:
        """A copy of the parameters in force; edit it and hand it to `set_sim_params`."""
        return copy.deepcopy(as_sim(sim).params)

    def set_sim_params(self, sim: Sim, params: SimParams) -> None:
        """Change parameters at run time: dt, substeps, gravity, iterations, offsets and thresholds.

        Raises:
            ValueError: a value cannot be meant, or the up axis differs from that of the envs.
        """
        as_sim(sim)
        need(SimParams, params, "params")
        sim.simulation.set_params(_simulation_params(params))
        sim.params = copy.deepcopy(params)

    def set_sim_device(self, sim: Sim) -> None:
        """Make the simulation's device the current CUDA device."""
        if as_sim(sim).simulation.device.type == "cuda":
            import torch

            torch.cuda.set_device(sim.simulation.device)

    def get_sim_time(self, sim: Sim) -> float:
        """Simulated time [s]."""
        return as_sim(sim).simulation.time

    def get_elapsed_time(self, sim: Sim) -> float:
        """Wall-clock time since the simulation was created [s]."""
        return time.perf_counter() - as_sim(sim).started

    def get_frame_count(self, sim: Sim) -> int:
        """Number of completed `simulate` calls."""
        return as_sim(sim).simulation.frame_count

    def sync_frame_time(self, sim: Sim) -> None:
        """Sleep until `dt` of wall-clock time has passed since the last call."""
        start = time.perf_counter()
        time.sleep(max(0.0, as_sim(sim).frame_end + sim.params.dt - start))
        sim.frame_end = time.perf_counter()
        for timers in sim.timers.values():
            timers.frame_idling += sim.frame_end - start

    def create_performance_timers(self, sim: Sim) -> int:
        """Start timers; returns their handle."""
        handle = as_sim(sim).new_handle()
        sim.timers[handle] = PerformanceTimers()
        sim.timers[handle].total_time = 0.0
        return handle

    def get_performance_timers(self, sim: Sim, handle: int) -> PerformanceTimers:
        """Seconds spent since the last query: stepping and idling; `total_time` is their sum."""
        timers = self._timers(sim, handle)
        sim.timers[handle] = PerformanceTimers()
        timers.total_time = timers.physics_sim + timers.frame_idling
        return timers

    def destroy_performance_timers(self, sim: Sim, handle: int) -> None:
        """Stop timers."""
        self._timers(sim, handle)
        del sim.timers[handle]

    def _timers(self, sim: Sim, handle: int) -> PerformanceTimers:
        if handle not in as_sim(sim).timers:
            raise ValueError(f"timers: expected a handle of create_performance_timers, got {handle}")
        return sim.timers[handle]

    @missing(_USD)
    def load_sim(self, compute_device: int, graphics_device: int, type: SimType, usd_root: str, usd_file: str) -> Sim:
        """Open a USD scene."""
        raise AssertionError

    @missing(_USD)
    def attach_sim(self, compute_device: int, graphics_device: int, type: SimType, usd_root: str, usd_file: str) -> Sim:
        """Open a USD scene with write-back."""
        raise AssertionError

    @without_effect("there is no Omniverse connection: False is returned")
    def omni_connect(self, params: OmniConnectionParams) -> bool:
        """No connection: False."""
        return False

    @without_effect("there is no Omniverse connection")
    def omni_disconnect(self) -> None:
        """No connection to close."""

    # ---- ground and terrain ------------------------------------------------------------------------------

    def add_ground(self, sim: Sim, params: PlaneParams) -> None:
        """Add an infinite plane, in the global frame; every actor collides with it."""
        from kilogym.scene.declarations import GroundPlane

        need(PlaneParams, params, "params")
        plane = GroundPlane(vec3(params.normal), params.distance, **surface(params))
        as_sim(sim).simulation.add_ground(plane)

    def add_heightfield(self, sim: Sim, samples: np.ndarray, params: HeightFieldParams) -> None:
        """Add a static grid of heights, in the global frame; see `heightfield` for how it lies."""
        as_sim(sim).simulation.add_terrain(heightfield(samples, need(HeightFieldParams, params, "params")))

    def add_triangle_mesh(
        self, sim: Sim, vertices: np.ndarray, triangles: np.ndarray, params: TriangleMeshParams
    ) -> None:
        """Add static triangles, counter-clockwise seen from outside, in the global frame."""
        mesh = triangle_mesh(vertices, triangles, need(TriangleMeshParams, params, "params"))
        as_sim(sim).simulation.add_terrain(mesh)

    @on_failure(None)
    def destroy_env(self, env: Any) -> None:
        """Accepted: an env is freed with its simulation."""
        need(Env, env)


def _device(compute_device: int, gpu_pipeline: bool) -> str:
    """Device of a simulation; ValueError for a CUDA ordinal that does not exist."""
    if not gpu_pipeline:
        return "cpu"
    import torch

    if not torch.cuda.is_available():
        warnings.warn(
            "create_sim: use_gpu_pipeline asks for CUDA and there is none; simulating on the CPU, tensors are "
            "CPU tensors. Set SimParams.use_gpu_pipeline = False to say so.",
            stacklevel=3,
        )
        return "cpu"
    count = torch.cuda.device_count()
    if not 0 <= compute_device < count:
        raise ValueError(f"compute_device: expected 0 to {count - 1}, the CUDA devices, got {compute_device}")
    return f"cuda:{compute_device}"


def _simulation_params(params: SimParams) -> Any:
    from kilogym.sim import ContactCollection, SimulationParams

    physx = params.physx
    shared = os.environ.get("KILOGYM_SHARED_GROUPS", "refuse")
    return SimulationParams(
        dt=params.dt,
        substeps=params.substeps,
        gravity=vec3(params.gravity),
        up_axis="z" if params.up_axis is UpAxis.UP_AXIS_Z else "y",
        position_iterations=physx.num_position_iterations,
        velocity_iterations=physx.num_velocity_iterations,
        solver_type=physx.solver_type,
        contact_offset=physx.contact_offset,
        rest_offset=physx.rest_offset,
        bounce_threshold_velocity=physx.bounce_threshold_velocity,
        max_depenetration_velocity=physx.max_depenetration_velocity,
        contact_collection=ContactCollection(int(physx.contact_collection)),
        shared_groups=shared,  # type: ignore[arg-type]  # checked by SimulationParams
    )
