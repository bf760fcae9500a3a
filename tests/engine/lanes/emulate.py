"""The step's source compiled for groups of lanes and run on the CPU, one group of fibers at a time."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from kilogym.engine.batch import Batch
from kilogym.engine.build import NATIVE, args_struct, defines, headers
from kilogym.engine.limbs import plan
from kilogym.engine.local import build_local
from kilogym.engine.tables import FEATURES, emit_tables, kept_words, row_words

HERE = Path(__file__).parent
CPP = ["-x", "c++", "-std=c++17", "-O0", "-fPIC", "-shared", "-w", "-ffp-contract=off", "-Dtrue_=1"]


def compiled(
    folder: Path,
    name: str,
    tables: str,
    real: str,
    lanes: int,
    how: str,
    headers: Iterable[str],
    args: str,
    entry: str,
    flags: Sequence[str] = (),
) -> ctypes.CDLL:
    """Headers of the engine with an entry point of this folder, compiled for the CPU.

    Args:
        folder: Where the source and the library are left.
        name: Of both.
        tables: Of `emit_tables`.
        real: "float" or "double".
        lanes: Threads per env; more than one run as fibers.
        how: Of `build.defines`.
        headers: Of the engine, in order.
        args: Members of the argument block.
        entry: The file with the entry point.
        flags: Of the compiler, beyond or in place of CPP.
    """  # fmt: skip
    parts = [
        f"#define KG_REAL {real}\n{how}",
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
    subprocess.run(["g++", *CPP, *flags, *emulated, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


class Emulated:
    """`step()` of a batch, by groups of `lanes` fibers, loops written out as on CUDA, on the batch's own tensors.

    With `searchers` fibers per env that search for contacts apart; 0: those of the step do it.
    """

    def __init__(self, batch: Batch, lanes: int, folder: Path, searchers: int = 0, flags: Sequence[str] = ()) -> None:
        real = "double" if batch._real is torch.float64 else "float"
        limbs = plan(batch.model, lanes)
        lanes = limbs.lanes
        self.batch = batch
        features = {*FEATURES, *batch._features}
        words = row_words(batch.model, batch.topology, limbs, features)
        envs = -(-batch.num_envs * lanes // 32) * 32 // lanes  # of whole warps
        self.rows = torch.full((envs * words,), float("nan"), dtype=batch._real)
        kept = kept_words(batch.model, batch.topology, build_local(batch.model, batch.topology, limbs)) * envs * lanes
        room = torch.full((kept + envs * lanes,), float("nan"), dtype=batch._real)
        self.kept, self.beyond_kept = room[:kept], room[kept:]
        self.found = torch.full((2, batch.num_envs), -7, dtype=torch.int32)
        fields = list(args_struct(batch._warp_real, batch._has_sdf).vars)
        self.fields = [self._tensor(name) for name in fields]
        per_env = [name for name, values in batch.params.items() if values.shape[1] > 1]
        kinds = {(2, True): "Array2", (2, False): "Ints2", (1, True): "Array1", (1, False): "Ints1"}
        members = "".join(
            f"{kinds[t.dim(), t.is_floating_point()]} {n}; " for n, t in zip(fields, self.fields, strict=True)
        )
        tables = emit_tables(batch.model, batch.topology, limbs, real, per_env, features)
        tables = f"#define KG_SDF {int(batch._has_sdf)}\n{tables}"
        self.searchers = searchers

        def library(name: str, threads: int, entry: str) -> ctypes.CDLL:
            how = defines(True, threads, lanes, searchers > 0)
            names = headers(batch._has_sdf, entry == "search.cpp")
            return compiled(folder, name, tables, real, threads, how, names, members, entry, flags)

        self.library = library(f"lanes{lanes}", lanes, "step.cpp")
        if searchers:
            self.search = library(f"searchers{searchers}", searchers, "search.cpp")

    def _tensor(self, name: str) -> torch.Tensor:
        batch = self.batch
        for table in (batch.params, batch.state, batch.input, batch.output, batch._warm):
            if name in table:
                return table[name]
        real, integer = batch.control.arrays
        own = {"rows": self.rows, "kept": self.kept, "found": self.found, "control_real": real, "control_int": integer}
        return own[name] if name in own else getattr(batch, name)

    def step(self, direction: int = 1) -> None:
        """direction: 1 or -1, the order in which lanes run between two collectives."""
        block = bytearray()
        for tensor in self.fields:
            shape = list(tensor.shape)
            block += tensor.data_ptr().to_bytes(8, "little")
            block += b"".join(int(n).to_bytes(4, "little") for n in shape)
            block += b"\0" * (-len(block) % 8)
        args, envs = ctypes.create_string_buffer(bytes(block)), self.batch.num_envs
        substeps = self.batch.control.substeps
        for part in range(substeps if self.searchers else 0):
            self.library.step_all(args, envs, direction, part, substeps)
            self.search.search_all(args, envs, direction)
        self.library.step_all(args, envs, direction, substeps, substeps)
        assert self.beyond_kept.isnan().all(), "a thread keeps more than kept_words says"
        assert not self.searchers or self.kept[-len(self.beyond_kept)].isfinite(), "a thread keeps less"
