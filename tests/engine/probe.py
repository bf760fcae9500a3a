"""What the solver holds at the end of a substep: contact rows, impulses, gaps.

The step's own code, `substep` of native/step.h, is compiled once more under another name with a few lines added
where its outputs are made. Nothing of it is copied, so nothing can fall behind.
"""

import dataclasses

import numpy as np
import torch
import warp as wp
from engine_support import World

from kilogym.engine.build import NATIVE, POSTLUDE, args_struct, native_source
from kilogym.engine.tables import emit_tables

WHERE = "    // outputs, at the midpoint where the forces act\n"
LOOK = """
    probe[0] = (Real)rows.count;
    for (int i = 0; i < NV; ++i) probe[1 + i] = w[i];
    for (int c = 0; c < rows.count; ++c) {
        Real* p = probe + 1 + NV + c * (8 + 3 * NV);
        p[0] = rows.gap[c];
        p[1] = rows.static_mu[c];
        for (int k = 0; k < 3; ++k) {
            p[2 + k] = rows.impulse[c][k];
            p[5 + k] = contact_dot(rows, c, k, w);
            for (int i = 0; i < NV; ++i) p[8 + k * NV + i] = 0;
            for (int a = 0; a < rows.length_a[c]; ++a) p[8 + k * NV + path_v[rows.path_a[c] + a]] += rows.y[c][k][a];
            for (int b = 0; b < rows.length_b[c]; ++b)
                p[8 + k * NV + path_v[rows.path_b[c] + b]] += rows.y[c][k][PATH * (NP > 0) + b];
        }
    }
"""
ENTRY = """
const StepSettings st = load_settings(args);
Position q;
Real v[NV];
Kinematics now;
Inertia inertia[NL];
load_state(args, env, q, v);
forward_kinematics(args, env, q, now);
link_inertias(args, env, now, inertia);
probed_substep(out.data + env * size, args, env, st, true, q, v, now, inertia);
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
        first = step.index("template <class Args>\nKG_FN int substep(")
        function = step[first : step.index("\n}\n", first) + 3]
        assert WHERE in function, "step.h has changed: say where the probe looks"
        function = function.replace("KG_FN int substep(", "KG_FN int probed_substep(Real* probe, ")
        function = function.replace(WHERE, LOOK + WHERE)
        tables = emit_tables(world.model, topology, "double" if double else "float")
        source = native_source(tables)
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
