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
from functools import cache
from pathlib import Path
from typing import Any

import warp as wp

from kilogym.engine.model import INPUT, OUTPUT, PARAMETERS, STATE

NATIVE = Path(__file__).parent / "native"
HEADERS = (
    "scalar.h", "vec.h", "env.h", "lanes.h", "kinematics.h", "settings.h", "dynamics.h", "factor.h", "drives.h",
    "contact_rows.h", "convex.h", "gjk.h", "epa.h", "separate.h", "cylinder_edge.h", "manifold.h",
    "candidates.h", "placed.h", "pairs.h", "parts.h", "contacts.h",
    "terrain.h", "terrain_faces.h", "terrain_shapes.h", "terrain_points.h", "terrain_ridges.h", "terrain_touch.h",
    "terrain_parts.h", "terrain_contacts.h",
    "schedule.h", "visits.h", "rows.h", "spin_rows.h", "laws.h", "dof_rows.h", "couplings.h", "coupling_rows.h",
    "passive.h",
    "solver.h", "outputs.h",
    "integrate.h", "coupling_outputs.h", "contact_report.h", "step.h", "launch.h", "queries.h",
)  # fmt: skip
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
    fields["rows"] = wp.array[real]
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


def headers(sdf: bool = False) -> list[str]:
    """The headers in order, with those of signed distance fields or without."""
    return [own for name in HEADERS for own in (name, *(SDF_HEADERS.get(name, ()) if sdf else ()))]


def native_source(tables: str, written_out: bool, lanes: int = 1, sdf: bool = False) -> str:
    """The text between the braces: loops.h, then tables, then every other header in order.

    Args:
        tables: Of `emit_tables`.
        written_out: Loops over the robot are written out, see loops.h.
        lanes: Threads per env, those of the tables.
        sdf: With the code of signed distance fields; without it the text is what it would be if there were none.
    """
    defines = f"#define KG_UNROLL {int(written_out)}\n#define KG_LANES {lanes}"
    parts = [PRELUDE, defines, (NATIVE / "loops.h").read_text(), tables]
    parts += [f"// ---- {name}\n" + _header(name, sdf) for name in headers(sdf)]
    return "\n".join([*parts, POSTLUDE])


def _header(name: str, sdf: bool) -> str:
    """The text of a header; what stands between `#if KG_SDF` and `#endif` only with that."""
    return re.sub(r"#if KG_SDF\n(.*?)#endif\n", r"\1" if sdf else "", (NATIVE / name).read_text(), flags=re.DOTALL)


class Kernels:
    """The kernels of one topology. Each is a module of its own, compiled when first launched.

    The step, of at most `registers` (0: no cap), and body states take `lanes` threads per env, with `step_tables`;
    other queries take one thread, with `tables`.
    """

    def __init__(
        self, tables: str, step_tables: str, lanes: int, registers: int, written_out: bool, real: Any, sdf: bool
    ) -> None:
        Args = args_struct(real, sdf)
        self.args_type = Args

        @wp.func_native(native_source(tables, written_out, sdf=sdf))
        def kg_headers(): ...

        @wp.func_native(native_source(step_tables, written_out, lanes, sdf))
        def kg_step_headers(): ...

        @wp.func_native("run_step(args, first, thread);")
        def kg_step(args: Args, first: int, thread: int): ...

        @wp.func_native("body_states(args, env_of(args, first, thread), out.data);")
        def kg_body_states(args: Args, first: int, thread: int, out: wp.array[real]): ...

        @wp.func_native("jacobian(args, Env{env, 0, true}, tree, out.data + env * size);")
        def kg_jacobian(args: Args, env: int, tree: int, size: int, out: wp.array[real]): ...

        @wp.func_native("mass_matrix(args, Env{env, 0, true}, tree, out.data + env * size);")
        def kg_mass_matrix(args: Args, env: int, tree: int, size: int, out: wp.array[real]): ...

        @wp.func_native("bias_of(args, Env{env, 0, true}, out.data + env * NV);")
        def kg_bias(args: Args, env: int, out: wp.array[real]): ...

        capped = {"cuda_max_registers": registers} if registers else {}

        @wp.kernel(enable_backward=False, module="unique", **capped)
        def kilogym_step(args: Args, first: int):
            kg_step_headers()
            kg_step(args, first, wp.tid())

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
        self.body_states = kilogym_body_states
        self.jacobian = kilogym_jacobian
        self.mass_matrix = kilogym_mass_matrix
        self.bias = kilogym_bias


@cache
def kernels(
    tables: str, step_tables: str, lanes: int, registers: int, written_out: bool, real: Any, sdf: bool = False
) -> Kernels:
    """The kernels for these tables; the same object for the same text."""
    return Kernels(tables, step_tables, lanes, registers, written_out, real, sdf)


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
