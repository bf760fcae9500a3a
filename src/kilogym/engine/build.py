# mypy: ignore-errors
# (Warp kernels: their annotations are run-time types and their operators are Warp's)
"""Tables and headers -> Warp kernels of one topology, compiled once and cached by content.

Warp puts a native snippet inside a function. Ours is a whole translation unit, so it closes that function first
and opens another at its end; everything between stands at file scope, in an anonymous namespace. Headers are
pasted in, not included: Warp hashes the text, so that a changed header is a changed module, and NVRTC needs no
files.
"""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import warp as wp

from kilogym.engine.model import INPUT, OUTPUT, PARAMETERS, STATE

NATIVE = Path(__file__).parent / "native"
SEARCH_HEADERS = (
    "scalar.h", "vec.h", "env.h", "lanes.h", "settings.h", "contact_rows.h",
    "convex.h", "gjk.h", "epa.h", "separate.h", "cylinder_edge.h", "manifold.h",
    "candidates.h", "placed.h", "dealt.h", "pairs.h", "parts.h", "ground.h",
    "terrain.h", "terrain_faces.h", "terrain_shapes.h", "terrain_points.h", "terrain_ridges.h", "terrain_touch.h",
    "terrain_parts.h", "terrain_found.h", "terrain_search.h", "terrain_contacts.h", "search.h", "launch.h",
)  # fmt: skip
"""What the search for contacts needs, in order."""
STEP_HEADERS = (
    "kinematics.h", "dynamics.h", "factor.h", "drives.h",
    "schedule.h", "visits.h", "rows.h", "spin_rows.h", "laws.h", "dof_rows.h", "couplings.h", "coupling_rows.h",
    "passive.h", "contact_sweeps.h", "solver.h", "outputs.h", "integrate.h", "contact_outputs.h",
    "coupling_outputs.h", "contact_report.h", "step.h", "apart.h", "launch_step.h", "queries.h",
)  # fmt: skip
"""What comes behind those for everything else."""
SDF_HEADERS = {
    "parts.h": ("sdf.h", "sdf_distances.h", "sdf_shapes.h", "sdf_touches.h", "sdf_pairs.h", "sdf_ground.h"),
    "terrain_contacts.h": ("sdf_terrain.h",),
}
"""What comes behind others for models that have signed distance fields alone."""

PRELUDE = """
}
namespace {
"""
POSTLUDE = """
}
static CUDA_CALLABLE void kg_end_of_headers() {
"""


@dataclass(frozen=True)
class Compiled:
    """How a mapping has the kernels compiled; see mapping.Mapping."""

    lanes: int
    registers: int
    written_out: bool
    searchers: int = 0
    search_registers: int = 0


@cache
def args_struct(real: Any, sdf: bool = False) -> Any:
    """The kernel's argument block: every array of a batch. One type per precision, and for signed distance fields."""
    fields: dict[str, Any] = {}
    for table in (PARAMETERS, STATE, INPUT, OUTPUT):
        fields.update(dict.fromkeys(table, wp.array2d[real]))
    fields["warm_impulse"] = fields["warm_spin"] = wp.array2d[real]
    fields["warm_dof"] = wp.array2d[real]
    fields["warm_coupling"] = wp.array2d[real]
    fields["control_real"] = wp.array[real]
    fields["contact_report"] = wp.array2d[real]
    fields["rows"] = fields["kept"] = wp.array[real]
    fields["found"] = wp.array2d[wp.int32]
    fields["hull_vertex"] = fields["hull_normal"] = fields["hull_place"] = wp.array[real]
    fields["hull_table"] = wp.array[wp.int32]
    if sdf:
        fields["sdf_reals"] = wp.array[real]
        fields["sdf_ints"] = wp.array[wp.int32]
    fields["terrain_reals"] = wp.array[real]
    fields["terrain_ints"] = wp.array[wp.int32]
    fields["warm_slot"] = wp.array2d[wp.int32]
    for name in ("control_int", "fault", "contact_count", "contact_overflow"):
        fields[name] = wp.array[wp.int32]
    name = f"KilogymArgs{'32' if real is wp.float32 else '64'}{'Sdf' if sdf else ''}"
    cls = type(name, (), {"__annotations__": fields, "__module__": __name__, "__qualname__": name})
    return wp.struct(cls)


def headers(sdf: bool = False, search: bool = False) -> list[str]:
    """The headers in order, with those of signed distance fields or without; of the search alone or of all."""
    names = SEARCH_HEADERS if search else SEARCH_HEADERS + STEP_HEADERS
    return [own for name in names for own in (name, *(SDF_HEADERS.get(name, ()) if sdf else ()))]


def defines(written_out: bool, lanes: int, room_lanes: int, apart: bool) -> str:
    """How the headers are compiled: loops written out (loops.h); threads per env; those of the step, by which envs'
    rooms lie (contact_rows.h); the search for contacts by a kernel of its own (apart.h)."""
    values = {"UNROLL": written_out, "LANES": lanes, "ROOM_LANES": room_lanes, "APART": apart}
    return "\n".join(f"#define KG_{name} {int(value)}" for name, value in values.items())


def native_source(
    tables: str, written_out: bool, lanes: int = 1, sdf: bool = False, apart: bool = False, searchers: int = 0
) -> str:
    """The text between the braces: loops.h, then tables, then every other header in order.

    Args:
        tables: Of `emit_tables`.
        written_out: Loops over the robot are written out, see loops.h.
        lanes: Threads per env in the step, those of the tables.
        sdf: With the code of signed distance fields; without it the text is what it would be if there were none.
        apart: The step leaves the search for contacts to another kernel.
        searchers: If not 0: the text of that kernel, with so many threads per env.
    """
    how = defines(written_out, searchers or lanes, lanes, apart)
    parts = [PRELUDE, how, (NATIVE / "loops.h").read_text(), tables]
    parts += [f"// ---- {name}\n" + _header(name, sdf) for name in headers(sdf, searchers > 0)]
    return "\n".join([*parts, POSTLUDE])


def _header(name: str, sdf: bool) -> str:
    """The text of a header; what stands between `#if KG_SDF` and `#endif` only with that."""
    return re.sub(r"#if KG_SDF\n(.*?)#endif\n", r"\1" if sdf else "", (NATIVE / name).read_text(), flags=re.DOTALL)


class Kernels:
    """The kernels of one topology. Each is a module of its own, compiled when first launched.

    The step, of at most `compiled.registers` (0: no cap), and body states take `compiled.lanes` threads per env, with
    `step_tables`; the search for contacts, where it is apart, `compiled.searchers`; other queries one, with `tables`.
    The step is compiled with `options`.
    """

    def __init__(
        self,
        tables: str,
        step_tables: str,
        compiled: Compiled,
        real: Any,
        sdf: bool,
        options: tuple[tuple[str, Any], ...],
    ) -> None:
        Args = args_struct(real, sdf)
        self.args_type = Args
        lanes, written_out, apart = compiled.lanes, compiled.written_out, compiled.searchers > 0

        @wp.func_native(native_source(tables, written_out, sdf=sdf))
        def kg_headers(): ...

        @wp.func_native(native_source(step_tables, written_out, lanes, sdf, apart))
        def kg_step_headers(): ...

        @wp.func_native("run_step(args, first, thread, part, substeps);")
        def kg_step(args: Args, first: int, thread: int, part: int, substeps: int): ...

        @wp.func_native("body_states(args, env_of(args, first, thread), out.data);")
        def kg_body_states(args: Args, first: int, thread: int, out: wp.array[real]): ...

        @wp.func_native("jacobian(args, env_alone(args, env), tree, out.data + env * size);")
        def kg_jacobian(args: Args, env: int, tree: int, size: int, out: wp.array[real]): ...

        @wp.func_native("mass_matrix(args, env_alone(args, env), tree, out.data + env * size);")
        def kg_mass_matrix(args: Args, env: int, tree: int, size: int, out: wp.array[real]): ...

        @wp.func_native("bias_of(args, env_alone(args, env), out.data + env * NV);")
        def kg_bias(args: Args, env: int, out: wp.array[real]): ...

        @wp.kernel(enable_backward=False, module="unique", module_options=dict(options), **_capped(compiled.registers))
        def kilogym_step(args: Args, first: int, part: int, substeps: int):
            kg_step_headers()
            kg_step(args, first, wp.tid(), part, substeps)

        @wp.kernel(enable_backward=False, module="unique")
        def kilogym_body_states(args: Args, first: int, out: wp.array[real]):
            kg_step_headers()
            kg_body_states(args, first, wp.tid(), out)

        @wp.kernel(enable_backward=False, module="unique")
        def kilogym_jacobian(args: Args, first: int, tree: int, size: int, out: wp.array[real]):
            kg_headers()
            kg_jacobian(args, first + wp.tid(), tree, size, out)

        @wp.kernel(enable_backward=False, module="unique")
        def kilogym_mass_matrix(args: Args, first: int, tree: int, size: int, out: wp.array[real]):
            kg_headers()
            kg_mass_matrix(args, first + wp.tid(), tree, size, out)

        @wp.kernel(enable_backward=False, module="unique")
        def kilogym_bias(args: Args, first: int, out: wp.array[real]):
            kg_headers()
            kg_bias(args, first + wp.tid(), out)

        self.step = kilogym_step
        self.search = _search_kernel(step_tables, compiled, real, sdf) if apart else None
        self.body_states = kilogym_body_states
        self.jacobian = kilogym_jacobian
        self.mass_matrix = kilogym_mass_matrix
        self.bias = kilogym_bias


def _search_kernel(step_tables: str, compiled: Compiled, real: Any, sdf: bool) -> Any:
    Args = args_struct(real, sdf)

    @wp.func_native(native_source(step_tables, compiled.written_out, compiled.lanes, sdf, True, compiled.searchers))
    def kg_search_headers(): ...

    @wp.func_native("run_search(args, first, thread);")
    def kg_search(args: Args, first: int, thread: int): ...

    @wp.kernel(enable_backward=False, module="unique", **_capped(compiled.search_registers))
    def kilogym_search(args: Args, first: int):
        kg_search_headers()
        kg_search(args, first, wp.tid())

    return kilogym_search


def _capped(registers: int) -> dict[str, Any]:
    return {"cuda_max_registers": registers} if registers else {}


def kernels(tables: str, step_tables: str, compiled: Compiled, real: Any, sdf: bool = False) -> Kernels:
    """The kernels for these tables; the same object for the same text and compiler options."""
    return _kernels(tables, step_tables, compiled, real, sdf, _for_speed())


@cache
def _kernels(*made_of: Any) -> Kernels:
    return Kernels(*made_of)


def _for_speed() -> tuple[tuple[str, Any], ...]:
    """How the step is compiled for the CPU where nobody has chosen a level: loops are unrolled further than Clang does.

    On one core an Ant's step takes 4.3 instead of 4.95 us, a Humanoid's 11.4 instead of 12.0; compiling takes 1 to
    1.6 s longer. With thresholds of 600 and 2000 the gain is half of that. The bits are the same.
    """
    if wp.config.optimization_level is not None:
        return ()
    flags = f"{wp.config.cpu_compiler_flags or '-march=native'} -mllvm=-unroll-threshold=1000"
    return ("optimization_level", 3), ("cpu_compiler_flags", flags)


LoadedModule = tuple[Any, int | None]
"""What wp.load_module takes, with the threads per block of its launches; None: Warp's own number."""


def load_together(device: str, modules: Iterable[LoadedModule]) -> None:
    """Compile modules, or load them from the cache, each in a thread: a compiler keeps no more than one core busy.

    Args:
        device: "cuda:0" and the like.
        modules: Those that take longest first.
    """
    with ThreadPoolExecutor() as pool:
        loads = [pool.submit(wp.load_module, module, device, block_dim=block) for module, block in modules]
        for load in loads:
            load.result()
