"""Whitened constraint rows: Y^T Y = J M^-1 J^T, and Y is zero off the path of its link.

A row is internal to the step, so this file compiles a kernel of its own over the engine's headers.
"""

import numpy as np
import pytest
import torch
import warp as wp
from engine_support import World

from kilogym.engine.build import args_struct, native_source
from kilogym.engine.limbs import whole
from kilogym.engine.tables import emit_tables
from kilogym.validation.zoo import NAMES

# Y of three axes at every link's com, (NL, 3, NV), from the code that the step runs
SOURCE = """
const Env e = {env, 0, true};
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
    Vec3 y[NV];
    whiten_row(e, k, m, true, at, axes, y);
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
    def test_rows(args: Args, first: int, out: wp.array[real]):
        kg_headers()
        kg_rows(args, first + wp.tid(), out)

    return test_rows


@pytest.fixture(scope="module", params=["float32", "float64"])
def rows(request, zoo32, zoo64):
    """(world, state, Y [env, link, axis, v])."""
    world = zoo32 if request.param == "float32" else zoo64
    state = world.random_state(11)
    world.set_state(state)
    links, width = world.model.num_links, len(world.batch.topology.v_link)
    out = torch.zeros(world.num_envs, links, 3, width, dtype=world.real, device=world.device)
    world.batch._launch(rows_kernel(world), wp.from_torch(out.view(-1)))
    return world, state, out.double().cpu().numpy()


@pytest.mark.parametrize("tree", range(len(NAMES)), ids=NAMES)
def test_whitened_rows(tree, rows, zoo):
    (world, state, y), oracle = rows, zoo[1][tree]
    double = world.batch.options.precision == "float64"
    ours = y[:, world.tree_links(tree), :, world.tree_v(tree)]
    others = np.delete(y[:, world.tree_links(tree)], np.r_[world.tree_v(tree)], axis=-1)
    assert not others.any(), "rows reach into other trees"
    worst = 0.0
    for env in range(world.num_envs):
        oracle.set(world.tree_state(tree, env, state))
        jacobian = oracle.jacobian(root=True)
        moves = jacobian.any(axis=1)  # (links, n): the DOF lies between the link and its root
        assert not np.swapaxes(ours[env], 0, 1)[:, ~moves].any(), "off the path"
        j = jacobian[:, :3].reshape(-1, oracle.n)
        exact = j @ np.linalg.solve(oracle.mass_matrix(), j.T)
        row = ours[env].reshape(-1, oracle.n)
        worst = max(worst, np.abs(row @ row.T - exact).max() / np.abs(exact).max())
    assert worst < (1e-13 if double else 1e-5)
