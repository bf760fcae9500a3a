# mypy: disable-error-code="valid-type,operator"
# (Warp kernels: their annotations are run-time types and their operators are Warp's)
"""What the solver holds at the end of a substep: contact rows, impulses, gaps.

The step's own code, `from_contacts` of native/step.h, is compiled once more under another name with a few lines added
where its outputs are made. Nothing of it is copied, so nothing can fall behind.
"""

import dataclasses

import numpy as np
import torch
import warp as wp

from kilogym.engine.build import NATIVE, POSTLUDE, args_struct, native_source
from kilogym.engine.limbs import whole
from kilogym.engine.tables import emit_tables
from kilogym.validation.batch_world import BatchWorld as World

AFTER = "    // outputs, at the midpoint where the forces act\n"
BEFORE = "    solve(args, env, st,"
START = """
    Real w[NV];
    for (int i = 0; i < NV; ++i) w[i] = solution.w[i];
"""
LOOK = """
    for (int i = 0; i < NV; ++i) w[i] += solution.w[i];  // what the solver leaves is the change
    probe[0] = (Real)contacts.count;
    for (int i = 0; i < NV; ++i) probe[1 + i] = w[i];
    for (int c = 0; c < contacts.count; ++c) {
        const ContactPlace at = rows.place(c);
        const Four now = rows.impulse_gap(c);
        Real* p = probe + 1 + NV + c * (8 + 3 * NV);
        p[0] = now.w;
        p[1] = rows.response(c).static_mu;
        p[2] = now.x; p[3] = now.y; p[4] = now.z;
        for (int i = 0; i < 3 * NV; ++i) p[8 + i] = 0;
        const RowY row = row_y(env, rows, c, owners_of(at));
        over_trunk(at.link_a, at.link_b, [&](auto v) {
            const Vec3 y = row.trunk.at(v);
            p[8 + v] = y.x; p[8 + NV + v] = y.y; p[8 + 2 * NV + v] = y.z;
        });
        for (int k = 0; k < 3; ++k) {
            p[5 + k] = 0;
            for (int i = 0; i < NV; ++i) p[5 + k] += p[8 + k * NV + i] * w[i];
        }
    }
"""
ENTRY = """
const StepSettings st = load_settings(args);
const Env e = env_alone(args, env);
State s;
Four room[ROOM];
const Rows rows = {room};
load_state(args, e, s.q, s.v);
Middle m;
Stage at;
come_to(args, e, false, s, at);
at_end(args, e, st, false, true, at, s);
come_to(args, e, true, s, at);
to_contacts(args, e, st, at, s, m, rows);
probed_from_contacts(out.data + env * size, args, e, st, 0, at, s, m, rows, search_contacts(args, e, st, rows));
"""


@dataclasses.dataclass
class Rows:
    """Contact rows of one substep, float64; n = envs, K = most contacts, the third axis normal, tangent, tangent."""

    count: np.ndarray  # (n,)
    gap: np.ndarray  # (n, K) after the iterations [m]
    mu: np.ndarray  # (n, K)
    impulse: np.ndarray  # (n, K, 3) of the last iteration [N s]
    speed: np.ndarray  # (n, K, 3) relative velocity at the end [m/s]
    y: np.ndarray  # (n, K, 3, NV) whitened rows
    w: np.ndarray  # (n, NV) whitened velocity at the end

    @property
    def used(self) -> np.ndarray:
        """(n, K): the row exists."""
        return np.arange(self.gap.shape[1]) < self.count[:, None]

    @property
    def loaded(self) -> np.ndarray:
        return self.used & (self.impulse[:, :, 0] > 0)


class Probe:
    """Looks into the next substep of a world without advancing it."""

    def __init__(self, world: World) -> None:
        self.world = world
        topology = world.batch.topology
        self.nv, self.contacts = len(topology.v_link), max(1, topology.max_contacts)
        self.size = 1 + self.nv + self.contacts * (8 + 3 * self.nv)
        double = world.batch.options.precision == "float64"
        real = wp.float64 if double else wp.float32
        step = (NATIVE / "step.h").read_text()
        first = step.index("template <class Args>\nKG_FN int from_contacts(")
        function = step[first : step.index("\n}\n", first) + 3]
        assert all(line in function for line in (BEFORE, AFTER)), "step.h has changed: say where the probe looks"
        function = function.replace("KG_FN int from_contacts(", "KG_FN int probed_from_contacts(Real* probe, ")
        function = function.replace(BEFORE, START + BEFORE).replace(AFTER, LOOK + AFTER)
        alone, order = whole(world.model), world.batch.mapping.order
        tables = emit_tables(world.model, topology, alone, "double" if double else "float", order=order)
        source = native_source(tables, world.batch.mapping.written_out)
        by_warps = "ENVS_PER_WARP = 32 / KG_ROOM_LANES;"  # here each thread has rows of its own
        assert by_warps in source, "contact_rows.h has changed: say how the probe keeps its rows apart"
        source = source.replace(by_warps, "ENVS_PER_WARP = 1;")
        assert source.endswith(POSTLUDE)
        source = source.removesuffix(POSTLUDE) + function + POSTLUDE
        Args = args_struct(real)

        @wp.func_native(source)
        def kg_headers(): ...

        @wp.func_native(ENTRY)
        def kg_probe(args: Args, env: int, size: int, out: wp.array[real]): ...

        @wp.kernel(enable_backward=False, module="unique")
        def solver_probe(args: Args, first: int, size: int, out: wp.array[real]):
            kg_headers()
            kg_probe(args, first + wp.tid(), size, out)

        self.kernel = solver_probe

    def look(self) -> Rows:
        """The rows of the substep that would come next."""
        batch, n = self.world.batch, self.world.num_envs
        out = torch.zeros(n, self.size, dtype=self.world.real, device=self.world.device)
        saved = batch.snapshot()
        batch._launch(self.kernel, self.size, wp.from_torch(out.view(-1)))
        batch.restore(saved)
        table = out.double().cpu().numpy()
        rows = table[:, 1 + self.nv :].reshape(n, self.contacts, 8 + 3 * self.nv)
        return Rows(
            table[:, 0].astype(int), rows[:, :, 0], rows[:, :, 1], rows[:, :, 2:5], rows[:, :, 5:8],
            rows[:, :, 8:].reshape(n, self.contacts, 3, self.nv), table[:, 1 : 1 + self.nv],
        )  # fmt: skip
