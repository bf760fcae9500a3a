# mypy: disable-error-code="valid-type,operator"
# (Warp kernels: their annotations are run-time types and their operators are Warp's)
"""Part A: whitened constraint rows. Y^T Y = J M^-1 J^T, and Y is zero off the path of its link.

A row is internal to the step, so this file compiles a kernel of its own over the engine's headers.
"""

import numpy as np
import torch
import warp as wp

from kilogym.engine.build import args_struct, native_source
from kilogym.engine.limbs import whole
from kilogym.engine.tables import emit_tables
from kilogym.validation import zoo
from kilogym.validation.batch_world import BatchWorld as World
from kilogym.validation.case import Case, Number
from kilogym.validation.cases.a_dynamics import BOTH, ORACLE
from kilogym.validation.lab import Lab

# Y of three axes at every link's com, (NL, 3, NV), from the code that the step runs
SOURCE = """
const Env e = env_alone(args, env);
Position q;
Real v[NV], m[NM], inv[NV];
load_state(args, e, q, v);
Kinematics k;
Inertia inertia[NL];
forward_kinematics(args, e, q, k);
own_inertias(args, e, k, inertia);
joint_inertia(e, k, inertia, m);
add_armature(args, e, m);
factorize(m, inv);
invert(m, inv);
const Vec3 axes[3] = {v3(1, 0, 0), v3(0, 1, 0), v3(0, 0, 1)};
for (int l = 0; l < NL; ++l) {
    ContactPlace at;
    at.link_a = l;
    at.link_b = -1;
    at.point = at.point_b = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(link_com), l, e));
    FoundY y(l);
    whiten_row<false>(e, k, m, true, at, owners_of(at), false, axes, y);
    over_trunk(l, -1, [&](auto i) {
        Real* row = out.data + (env * NL + l) * 3 * NV + i;
        row[0] = y[i].x;
        row[NV] = y[i].y;
        row[2 * NV] = y[i].z;
    });
}
"""


def rows_kernel(world: World):
    real = wp.float64 if world.batch.options.precision == "float64" else wp.float32
    name = "double" if real is wp.float64 else "float"
    tables = emit_tables(world.model, world.batch.topology, whole(world.model), name)
    Args = args_struct(real)

    @wp.func_native(native_source(tables, world.batch.mapping.written_out))
    def kg_headers(): ...

    @wp.func_native(SOURCE)
    def kg_rows(args: Args, env: int, out: wp.array[real]): ...

    @wp.kernel(enable_backward=False, module="unique")
    def whitened(args: Args, first: int, out: wp.array[real]):
        kg_headers()
        kg_rows(args, first + wp.tid(), out)

    return whitened


def whitened_rows(lab: Lab) -> dict[str, float]:
    world = zoo.world(lab.device, lab.precision)
    state = world.random_state(11)
    world.set_state(state)
    links, width = world.model.num_links, len(world.batch.topology.v_link)
    out = torch.zeros(world.num_envs, links, 3, width, dtype=world.real, device=world.device)
    world.batch._launch(rows_kernel(world), wp.from_torch(out.view(-1)))
    y, errors, outside = out.double().cpu().numpy(), [], 0.0
    for tree, oracle in enumerate(zoo.models()[1]):
        ours = y[:, world.tree_links(tree), :, world.tree_v(tree)]
        others = np.delete(y[:, world.tree_links(tree)], np.r_[world.tree_v(tree)], axis=-1)
        outside = max(outside, np.abs(others).max(initial=0))
        for env in range(world.num_envs):
            oracle.set(world.tree_state(tree, env, state))
            jacobian = oracle.jacobian(root=True)
            moves = jacobian.any(axis=1)  # (links, n): the DOF lies between the link and its root
            outside = max(outside, np.abs(np.swapaxes(ours[env], 0, 1)[:, ~moves]).max(initial=0))
            j = jacobian[:, :3].reshape(-1, oracle.n)
            exact = j @ np.linalg.solve(oracle.mass_matrix(), j.T)
            row = ours[env].reshape(-1, oracle.n)
            errors.append(np.abs(row @ row.T - exact).max() / np.abs(exact).max())
    return {"Y^T Y - J M^-1 J^T, relative": max(errors), "largest entry off the path": outside}


CASES = (
    Case(
        "whitened-rows", "A", "whitened rows",
        "Y of three axes at every link's com: Y^T Y = J M^-1 J^T, and Y is exactly zero for DOFs that are not between "
        "the link and its root.",
        (
            Number("Y^T Y - J M^-1 J^T, relative", 1e-5, bar64=1e-13),
            Number("largest entry off the path", 0.0),
        ),
        whitened_rows, precisions=BOTH, without_mujoco=ORACLE,
    ),
)  # fmt: skip
