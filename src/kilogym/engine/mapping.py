"""Which mapping a batch's step uses: how many GPU threads share an env, and where its contact rows lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilogym.engine.model import EnvModel
from kilogym.engine.tables import Mapping, Topology, row_bytes

if TYPE_CHECKING:
    from kilogym.engine.batch import EngineOptions

SHARED_ROWS = 4096
"""Contact rows of an env up to this many bytes stay in shared memory; more would leave room for too few envs."""


def choose_mapping(model: EnvModel, topology: Topology, num_envs: int, device: str, options: EngineOptions) -> Mapping:
    """One thread per env on the CPU; on CUDA as many as keep busy with the env's velocities.

    Raises:
        ValueError: `options.lanes` is no power of two up to 32, or `options.block_dim` no multiple of 32.
    """
    if options.lanes not in (0, 1, 2, 4, 8, 16, 32):
        raise ValueError(f"EngineOptions.lanes: expected 0 (chosen), 1, 2, 4, 8, 16 or 32, got {options.lanes}")
    if options.block_dim % 32 or not 0 <= options.block_dim <= 1024:
        raise ValueError(f"EngineOptions.block_dim: expected 0 (chosen) or a multiple of 32, got {options.block_dim}")
    if device != "cuda":
        return Mapping()
    nv = len(topology.v_link)
    lanes = options.lanes or (8 if nv <= 20 or num_envs > 8192 else 16)
    if lanes == 1:
        return Mapping(1, options.block_dim or 64, True)
    fits = row_bytes(topology, model, 8 if options.precision == "float64" else 4) <= SHARED_ROWS
    return Mapping(lanes, options.block_dim or 64, options.rows == "shared" or (options.rows == "auto" and fits))
