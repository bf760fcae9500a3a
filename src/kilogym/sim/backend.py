"""The one place that makes the engine's batches and turns a user's choices into its settings."""

from __future__ import annotations

from typing import Any

import torch

from kilogym.engine.model import EnvModel
from kilogym.sim.params import SimulationParams


def make_batch(model: EnvModel, num_envs: int, device: torch.device, params: SimulationParams) -> Any:
    """Compile a topology, or load it from the cache, and allocate its arrays."""
    from kilogym.engine.batch import Batch, EngineOptions

    batch = Batch(model, num_envs, str(device), EngineOptions())
    apply_params(batch, params)
    return batch


def apply_params(batch: Any, params: SimulationParams) -> None:
    """Hand step and solver settings to a batch."""
    control = batch.control
    control.dt = params.dt
    control.substeps = int(params.substeps)
    control.gravity = tuple(float(g) for g in params.gravity)
    # one linearisation swept N times, or N soft-step iterations of one sweep
    gauss_seidel = params.solver_type == 0
    control.iterations = 1 if gauss_seidel else int(params.position_iterations)
    control.sweeps = int(params.position_iterations) if gauss_seidel else 1
    control.extra_relax = int(params.velocity_iterations)
    control.bounce_threshold = params.bounce_threshold_velocity
    control.max_depenetration = params.max_depenetration_velocity
    control.contact_collection = int(params.contact_collection)
    control.semi_implicit = params.semi_implicit
