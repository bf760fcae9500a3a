"""Which mapping a batch's step uses: how many GPU threads share an env."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilogym.engine.model import EnvModel
from kilogym.engine.tables import Mapping, Topology, work_bytes

if TYPE_CHECKING:
    from kilogym.engine.batch import EngineOptions

SHARED_BYTES = 48 * 1024
"""Static shared memory of a CUDA block."""


def choose_mapping(model: EnvModel, topology: Topology, device: str, options: EngineOptions) -> Mapping:
    """One thread per env on the CPU; on CUDA eight, or as many more as an env needs to fit into a block.

    An env too large for the shared memory of a block, even alone in it, is stepped by one thread. The number
    of envs has no say: an env gives the same bits among any number of others.

    Raises:
        ValueError: `options.lanes` is no power of two up to 32, or `options.block_dim` no multiple of 32, or what
            they ask for does not fit into shared memory.
    """
    if options.lanes not in (0, 1, 2, 4, 8, 16, 32):
        raise ValueError(f"EngineOptions.lanes: expected 0 (chosen), 1, 2, 4, 8, 16 or 32, got {options.lanes}")
    if options.block_dim % 32 or not 0 <= options.block_dim <= 1024:
        raise ValueError(f"EngineOptions.block_dim: expected 0 (chosen) or a multiple of 32, got {options.block_dim}")
    if device != "cuda":
        return Mapping()
    if options.lanes == 1:
        return Mapping(1, options.block_dim or 64, False)
    size = work_bytes(model, topology, 8 if options.precision == "float64" else 4)
    for lanes in [options.lanes] if options.lanes else [8, 16, 32]:
        for block in [options.block_dim] if options.block_dim else [64, 32]:
            if block // lanes * size <= SHARED_BYTES:
                return Mapping(lanes, block, False)
    if options.lanes:
        raise ValueError(
            f"EngineOptions.lanes = {options.lanes}, block_dim = {options.block_dim}: expected envs that fit into "
            f"{SHARED_BYTES} bytes of shared memory per block; one of these takes {size}. Use more lanes, a smaller "
            "block or lanes=0"
        )
    return Mapping(1, options.block_dim or 64, False)
