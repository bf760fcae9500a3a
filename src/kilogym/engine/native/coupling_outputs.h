// What couplings report, and what they do to momentum.

// torques of tendons and of joints that follow joints, as part of the DOFs' forces. scale: weight / dt; q: at the midpoint
template <class Args>
KG_FN void add_coupling_efforts(const Args& args, const Env& env, Real scale, const Position& q, const Couplings& c) {
    if (CLOSURE_ROW == 0) return;
    Real jac[NV], effort[NV];
    each<NV>([&](auto v) { effort[v] = 0; });
    KG_ROLLED for (int r = 0; r < CLOSURE_ROW; ++r) {
        joint_jacobian(args, env, q, r, jac);
        const Real f = scale * (c.row[r].total + (r < NTENDONS ? c.limit[r < NTENDONS ? r : 0].total : (Real)0));
        each<NV>([&](auto v) { effort[v] += jac[v] * f; });
    }
    each<ND>([&](auto i) { if (writes_dof(env, i)) add(args.dof_force, dof_id(env, i), env, false, effort[dof_v[i]]); });
}

// what couplings to the env do to the momentum of floating trees
template <class Args>
KG_FN void add_coupling_momentum(const Args& args, const Env& env, const Kinematics& k, const Couplings& c, Momentum& m) {
    over_pairs(args, env, k, [&](const CoupledPair& p, int row, int rows) {
        if (p.b >= 0) return;
        Vec3 push = v3(0, 0, 0), turn = push;
        KG_ROLLED for (int i = 0; i < rows; ++i) {
            const Vec3 f = p.direction(i % 3) * c.row[row + i].total;
            if (i < 3) push = push + f;
            else turn = turn + f;
        }
        each<NT>([&](auto t) {
            if (!tree_floating[t] || !is_tree(env, t, p.tree)) return;
            m.lin[t] = m.lin[t] + push;
            m.ang[t] = m.ang[t] + turn + cross(p.point() - m.com[t], push);
        });
    });
}
