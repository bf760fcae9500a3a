"""How a batch's step is compiled and launched on its device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilogym.engine.build import Compiled
from kilogym.engine.limbs import Limbs, plan, whole, work
from kilogym.engine.model import EnvModel
from kilogym.engine.topology import on_terrain

if TYPE_CHECKING:
    from kilogym.engine.batch import EngineOptions

LARGEST_WRITTEN_OUT = 1500
"""`limbs.work` beyond which code written out for every entry would take minutes to compile."""

BLOCK = 128
"""Threads of a CUDA block, whose warps go on together (lanes.h). 4096 envs of four lanes are one such block for almost
every multiprocessor of an H200; blocks of 256 are as fast for many envs and leave half of the GPU idle there."""


MANY_LANES, FEW_REGISTERS = 16, 128
"""From so many lanes on the local robot is small and a warp steps one env or two: more of them at once hide waits. For
4096 heaps of 20 boxes an H100 took 1.29 ms with 128 registers, 1.34 ms with 168, 1.56 ms with all 234."""


SEARCHERS, SEARCH_REGISTERS, SEARCH_BLOCK = 16, 128, 256
"""Threads per env, most registers of each, and threads per block of a search for contacts in a kernel of its own. It is
for terrain: 4096 ANYmals on a height field take 1.54 ms a step on an H200, 2.51 ms with the search in the step. Without
terrain what is kept between the parts costs more than they gain (hand with cube 1.03 and 0.81 ms, arm with cubes 1.82
and 1.57, heap 1.55 and 1.40)."""


@dataclass(frozen=True)
class Mapping:
    """Lanes share an env as `limbs` says; on CUDA their loops over the robot are written out (native/loops.h).

    Plain loops are for one thread: they visit the paths of an env's own velocities, not those of a lane's limb.
    """

    limbs: Limbs
    order: Limbs  # whose order rows are swept in: what comes out is the same, to rounding, on the CPU and on CUDA
    written_out: bool = False
    block: int = 1  # CUDA threads per block
    registers: int = 0  # most per CUDA thread; 0: what the compiler takes
    searchers: int = 0  # threads per env that search for contacts in a kernel of their own; 0: the step's do it
    search_registers: int = 0  # most per thread of those
    search_block: int = 1  # threads per block of those

    @property
    def lanes(self) -> int:
        return self.limbs.lanes

    @property
    def envs_per_warp(self) -> int:
        return 32 // self.lanes

    @property
    def compiled(self) -> Compiled:
        return Compiled(self.lanes, self.registers, self.written_out, self.searchers, self.search_registers)


def choose_mapping(model: EnvModel, device: str, options: EngineOptions) -> Mapping:
    """The mapping for a device type, "cpu" or "cuda".

    One thread per env on the CPU; lanes on CUDA, or one thread where code written out would be too much. The number
    of envs has no say: an env gives the same bits among any number of others.

    Raises:
        ValueError: `options.lanes` or `options.searchers` is not 0, 1, 2, 4, 8, 16 or 32, or more than 1 on CUDA for an
            env that is too large, or `options.block_dim` no multiple of 32 up to 1024, or `options.registers` not 0 or
            24 to 255.
    """
    for name in ("lanes", "searchers"):
        if getattr(options, name) not in (0, 1, 2, 4, 8, 16, 32):
            raise ValueError(
                f"EngineOptions.{name}: expected 0 (chosen), 1, 2, 4, 8, 16 or 32, got {getattr(options, name)}"
            )
    if options.block_dim % 32 or not 0 <= options.block_dim <= 1024:
        raise ValueError(f"EngineOptions.block_dim: expected 0 (chosen) or a multiple of 32, got {options.block_dim}")
    if options.registers and not 24 <= options.registers <= 255:
        raise ValueError(f"EngineOptions.registers: expected 0 (chosen) or 24 to 255, got {options.registers}")
    limbs = plan(model, options.lanes) if options.lanes else natural(model)
    if device != "cuda":
        return Mapping(whole(model), limbs)
    written_out = work(model, limbs) <= LARGEST_WRITTEN_OUT
    for name in ("lanes", "searchers"):
        if getattr(options, name) > 1 and not written_out:
            raise ValueError(
                f"EngineOptions.{name}: expected 0 (chosen) or 1 for an env of {model.num_links} links and "
                f"{model.num_dofs} DOFs, which is too large for more, got {getattr(options, name)}"
            )
    shared = limbs if written_out else whole(model)
    registers = options.registers or (FEW_REGISTERS if shared.lanes >= MANY_LANES else 0)
    block = options.block_dim or BLOCK
    searchers = options.searchers or (SEARCHERS if written_out and on_terrain(model) else 1)
    if searchers == 1:
        return Mapping(shared, limbs, written_out, block, registers)
    return Mapping(shared, limbs, written_out, block, registers, searchers, SEARCH_REGISTERS, SEARCH_BLOCK)


def natural(model: EnvModel) -> Limbs:
    """As many lanes as leave a lane at most three quarters of the work of half as many; more than four only for limbs
    that are trees, where lanes repeat no work."""
    limbs = whole(model)
    for lanes in (2, 4, 8, 16, 32):
        finer = plan(model, lanes)
        if lanes > 4 and not any(slot.root for slot in finer.slots):
            break
        if work(model, finer) * 4 <= work(model, limbs) * 3:
            limbs = finer
    return limbs
