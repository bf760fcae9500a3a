"""How fast a step could be at best: what it must read and write, and what it executes, at the device's rates."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import torch

from kilogym.bench.provenance import first_line
from kilogym.sim import Simulation

WARP_SCHEDULERS = 4
"""Of a multiprocessor; each issues an instruction of a warp per cycle (NVIDIA's compute capability 7.0 and later)."""
METRIC = "smsp__inst_executed.sum"


@dataclass(frozen=True)
class Rates:
    """What a device can do."""

    bytes_per_s: float  # of memory, read and written, as a copy reaches them here
    instructions_per_s: float | None  # of warps, at the highest clock; None on a CPU


def bytes_per_env_step(sim: Simulation, contacts: float) -> float:
    """What one env's step has to move between memory and the processor, at least.

    State is read and written, inputs are read, outputs written, impulses that start the next step read and written,
    those of contacts for so many as there are. Parameters that all envs share and contact rows can stay on the chip.

    Args:
        sim: Prepared, of one batch.
        contacts: Mean number per env.
    """
    (batch,) = sim.batches
    size = batch.state["root_pos"].element_size()
    every = batch.num_envs

    def reals(arrays: dict[str, torch.Tensor]) -> int:
        return sum(len(a) for a in arrays.values())

    own = sum(len(a) for a in batch.params.values() if a.shape[1] == every > 1)
    moved = 2 * reals(batch.state) + reals(batch.input) + reals(batch.output) + own
    dofs = 2 * 4 * batch.model.num_dofs  # impulses of limits, friction, speed limits and drives
    counters = 4 * 4
    return size * (moved + dofs + 2 * 3 * contacts) + 2 * 4 * contacts + counters


def rates(device: str) -> Rates:
    """Measure the memory; ask the driver for the clock."""
    big = torch.empty((1 << 28) if device != "cpu" else (1 << 25), dtype=torch.float32, device=device)
    other = torch.empty_like(big)

    def copy(times: int) -> float:
        if device != "cpu":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        for _ in range(times):
            other.copy_(big)
        if device != "cpu":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    copy(2)
    best = min(copy(5) for _ in range(5)) / 5
    issued = None
    if device != "cpu":
        processors = torch.cuda.get_device_properties(device).multi_processor_count
        clock = first_line("nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits")
        issued = processors * WARP_SCHEDULERS * float(clock) * 1e6 if clock else None
    return Rates(2.0 * big.numel() * big.element_size() / best, issued)


def count_instructions(scene: str, num_envs: int, device: str) -> float | None:
    """Instructions of warps that one step of all envs executes, counted by Nsight Compute; None where it is not found.

    Raises:
        RuntimeError: Nsight Compute failed; the message is its own.
    """
    if device == "cpu" or shutil.which("ncu") is None:
        return None
    step = [sys.executable, "-m", "kilogym.bench.curves", "--profile", scene, str(num_envs), "--device", device]
    words = ["ncu", "--csv", "--metrics", METRIC, "--kernel-name", "regex:kilogym_step", "--launch-skip", "8"]
    done = subprocess.run([*words, "--launch-count", "1", *step], capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"ncu: {(done.stderr or done.stdout).strip()[-500:]}")
    return read_metric(done.stdout)


def read_metric(text: str) -> float:
    """The value of METRIC in what `ncu --csv` printed.

    Raises:
        RuntimeError: It is not there.
    """
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), len(lines))
    for row in csv.DictReader(lines[start:]):
        if row.get("Metric Name") == METRIC:
            return float(row["Metric Value"].replace(",", ""))
    raise RuntimeError(f"ncu: expected a row of {METRIC} in its CSV, got {text.strip()[-500:]!r}")
