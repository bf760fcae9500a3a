"""The step's source compiled for groups of lanes and run on the CPU, one group of fibers at a time."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from pathlib import Path

import torch

from kilogym.engine.batch import Batch
from kilogym.engine.build import NATIVE, args_struct, headers
from kilogym.engine.limbs import plan
from kilogym.engine.tables import FEATURES, emit_tables, row_words

HERE = Path(__file__).parent
CPP = ["-x", "c++", "-std=c++17", "-O0", "-fPIC", "-shared", "-w", "-ffp-contract=off", "-Dtrue_=1"]


def compiled(
    folder: Path,
    name: str,
    tables: str,
    real: str,
    lanes: int,
    written_out: bool,
    headers: Iterable[str],
    args: str,
    entry: str,
) -> ctypes.CDLL:
    """Headers of the engine with an entry point of this folder, compiled for the CPU.

    Args:
        folder: Where the source and the library are left.
        name: Of both.
        tables: Of `emit_tables`.
        real: "float" or "double".
        lanes: Threads per env; more than one run as fibers.
        written_out: Loops over the robot are written out.
        headers: Of the engine, in order.
        args: Members of the argument block.
        entry: The file with the entry point.
    """  # fmt: skip
    parts = [
        f"#define KG_REAL {real}\n#define KG_LANES {lanes}\n#define KG_UNROLL {int(written_out)}",
        (HERE / "harness.cpp").read_text(),
        f"struct Args {{ {args} }};",
        "#undef KG_REAL",
        "namespace {",
        (NATIVE / "loops.h").read_text(),
        tables,
        *((NATIVE / header).read_text() for header in headers),
        "}",
        (HERE / "primitives.cpp").read_text(),
        (HERE / entry).read_text(),
    ]
    source, library = folder / f"{name}.cpp", folder / f"{name}_{real}.so"
    source.write_text("\n".join(parts))
    emulated = ["-DKG_EMULATED"] if lanes > 1 else []
    subprocess.run(["g++", *CPP, *emulated, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


class Emulated:
    """`step()` of a batch, by groups of `lanes` fibers, loops written out as on CUDA, on the batch's own tensors."""

    def __init__(self, batch: Batch, lanes: int, folder: Path) -> None:
        real = "double" if batch._real is torch.float64 else "float"
        limbs = plan(batch.model, lanes)
        lanes = limbs.lanes
        self.batch = batch
        features = {*FEATURES, *batch._features}
        words = row_words(batch.model, batch.topology, limbs, features)
        envs = -(-batch.num_envs * lanes // 32) * 32 // lanes  # of whole warps
        self.rows = torch.full((envs * words,), float("nan"), dtype=batch._real)
        fields = list(args_struct(batch._warp_real, batch._has_sdf).vars)
        self.fields = [self._tensor(name) for name in fields]
        per_env = [name for name, values in batch.params.items() if values.shape[1] > 1]
        kinds = {(2, True): "Array2", (2, False): "Ints2", (1, True): "Array1", (1, False): "Ints1"}
        members = "".join(
            f"{kinds[t.dim(), t.is_floating_point()]} {n}; " for n, t in zip(fields, self.fields, strict=True)
        )
        tables = emit_tables(batch.model, batch.topology, limbs, real, per_env, features)
        tables = f"#define KG_SDF {int(batch._has_sdf)}\n{tables}"
        names = headers(batch._has_sdf)
        self.library = compiled(folder, f"lanes{lanes}", tables, real, lanes, True, names, members, "step.cpp")

    def _tensor(self, name: str) -> torch.Tensor:
        batch = self.batch
        for table in (batch.params, batch.state, batch.input, batch.output, batch._warm):
            if name in table:
                return table[name]
        real, integer = batch.control.arrays
        own = {"rows": self.rows, "control_real": real, "control_int": integer}
        return own[name] if name in own else getattr(batch, name)

    def step(self, direction: int = 1) -> None:
        """direction: 1 or -1, the order in which lanes run between two collectives."""
        block = bytearray()
        for tensor in self.fields:
            shape = list(tensor.shape)
            block += tensor.data_ptr().to_bytes(8, "little")
            block += b"".join(int(n).to_bytes(4, "little") for n in shape)
            block += b"\0" * (-len(block) % 8)
        self.library.step_all(ctypes.create_string_buffer(bytes(block)), self.batch.num_envs, direction)
