"""What straight-line code costs a GPU by its size: cycles per instruction, once the instruction caches are too small.

    python benchmarks/instruction_fetch.py
    python benchmarks/instruction_fetch.py --kib 64 128 144 --out benchmarks/results

Each warp runs a stretch of multiply-adds of the given size again and again, without a branch. Warps of a
multiprocessor run the same code at about the same time, as those of a step do. In two chains, as here, a multiply-add
takes two cycles; what is more is fetching.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import warp as wp

from kilogym.bench.provenance import device_name
from kilogym.bench.records import file_stem

INSTRUCTION = 16
"""Bytes of one, on every GPU since Volta."""
CHAINS = 2
WARPS = {"1 warp": (32, 1), "4 warps": (128, 1), "2 blocks of 4": (128, 2), "8 warps": (256, 1)}
"""Per multiprocessor: threads of a block, blocks."""

HELPER = """
}
template <int N> CUDA_CALLABLE void kg_straight(float* x, float a, float b) {
    if constexpr (N > 64) { kg_straight<N / 2>(x, a, b); kg_straight<N - N / 2>(x, a, b); }
    else {
        #pragma unroll
        for (int i = 0; i < N; ++i) {
            #pragma unroll
            for (int c = 0; c < CHAINS; ++c) x[c] = x[c] * ((i * 7 + c) % 3 ? a : b) + ((i + c) % 5 ? b : a);
        }
    }
}
static CUDA_CALLABLE void kg_end_of_helper() {
"""
BODY = """
    float x[CHAINS];
    for (int c = 0; c < CHAINS; ++c) x[c] = data.data[thread * CHAINS + c];
    const float a = data.data[0], b = data.data[1];
    const long long start = clock64();
    #pragma unroll 1
    for (int pass = 0; pass < passes; ++pass) kg_straight<COUNT / CHAINS>(x, a, b);
    cycles.data[thread] = (int)(clock64() - start);
    for (int c = 0; c < CHAINS; ++c) data.data[thread * CHAINS + c] = x[c];
"""


def straight_code(count: int) -> wp.Kernel:
    """A kernel whose loop is `count` instructions long."""

    def written(text: str) -> str:
        return text.replace("CHAINS", str(CHAINS)).replace("COUNT", str(count))

    @wp.func_native(written(HELPER))
    def helper(): ...

    @wp.func_native(written(BODY))
    def run(data: wp.array[wp.float32], cycles: wp.array[wp.int32], thread: int, passes: int): ...

    @wp.kernel(enable_backward=False, module="unique")
    def straight(data: wp.array[wp.float32], cycles: wp.array[wp.int32], passes: int):
        helper()
        run(data, cycles, wp.tid(), passes)

    return straight


def cycles_per_instruction(kib: int, block: int, blocks: int, device: str, passes: int = 10) -> float:
    """Mean over all warps, of the last of a few launches. block: threads; blocks: per multiprocessor."""
    count = kib * 1024 // INSTRUCTION
    threads = block * blocks * torch.cuda.get_device_properties(device).multi_processor_count
    data = wp.zeros(threads * CHAINS, dtype=wp.float32, device=device)
    cycles = wp.zeros(threads, dtype=wp.int32, device=device)
    kernel = straight_code(count)
    for _ in range(3):
        wp.launch(kernel, threads, [data, cycles, passes], device=device, block_dim=block)
    return float(cycles.numpy().mean()) / count / passes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kib", type=int, nargs="+", default=[64, 112, 128, 136, 144, 192])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=Path, help="folder for the table")
    options = parser.parse_args()
    wp.config.quiet = True
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    lines = [f"| KiB of code | {' | '.join(WARPS)} |", "|--:|" + "--:|" * len(WARPS)]
    for kib in options.kib:
        found = [cycles_per_instruction(kib, block, blocks, options.device) for block, blocks in WARPS.values()]
        lines.append(f"| {kib} | {' | '.join(f'{cycles:.2f}' for cycles in found)} |")
        print(lines[-1], flush=True)
    if options.out:
        name = device_name(options.device)
        text = "\n".join([f"# Cycles per instruction of straight-line code, {name}", "", *lines])
        (options.out / f"{file_stem('instruction-fetch', name)}.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
