// Couplings: fixed tendons, joints that follow joints, links held together (loop closures), attractors.
//
// Rows: one per tendon and per joint equality, three (points) or six (axes as well) per closure, six per attractor. All are
// two-sided, so those of an env are solved together, exactly, by one Cholesky factor of Y^T Y and what gives
// (coupling_rows.h). Tendons' limits are one-sided springs and take turns with the others.
//
// On lanes each holds its own limb's part of every Y.

static constexpr int EQUALITY_ROW = NTENDONS, CLOSURE_ROW = NTENDONS + NEQUALITIES, ATTRACTOR_ROW = NCR - 6 * NATTRACTORS;
static constexpr int NCR1 = NCR > 0 ? NCR : 1, NTENDONS1 = NTENDONS > 0 ? NTENDONS : 1, NFACTOR = NCR1 * (NCR1 + 1) / 2;

// f(row): few are written out, so that none waits for the loads of the one before
static constexpr int FEW_COUPLINGS = 6;
template <class F>
KG_FN void each_coupling(const F& f) {
    if constexpr (WRITTEN_OUT && NCR <= FEW_COUPLINGS) {
        KG_WRITTEN_OUT(0, NCR, f);
    } else {
        KG_ROLLED for (int r = 0; r < NCR; ++r) f(r);
    }
}

// what is known on the lane of a limb, -1: on all; on all
KG_FN Real of_owner(int owner, Real x) { return SV > 0 ? kg_from(x, owner < 0 ? 0 : owner) : x; }

KG_FN Real dof_value(const Env& env, const Position& q, int dof) {
    Real x = 0;
    each<ND>([&](auto i) { if (has_dof(env, i) && dof_id(env, i) == dof) x = q.dof[i]; });
    return of_owner(env_dof_owner[dof], x);
}

// a frame fixed to a link, or to the env (link -1). pos: from the reference point of the coupling's tree; world axes
struct CoupledFrame { Vec3 pos; Quat rot; };
KG_FN CoupledFrame coupled_frame(const Env& env, const Kinematics& k, int tree, int link, Vec3 pos, Quat rot) {
    CoupledFrame f = {pos, rot};
    if (link < 0) {
        each<NT>([&](auto t) { if (is_tree(env, t, tree)) f.pos = pos - k.ref[t]; });
        return f;
    }
    each<NL>([&](auto l) {
        if (!has_link(env, l) || link_id(env, l) != link) return;
        f.pos = k.pos[l] + rotate(k.rot[l], pos);
        f.rot = k.rot[l] * rot;
    });
    const int o = env_link_owner[link];
    f.pos = v3(of_owner(o, f.pos.x), of_owner(o, f.pos.y), of_owner(o, f.pos.z));
    f.rot = normalized(q4(of_owner(o, f.rot.x), of_owner(o, f.rot.y), of_owner(o, f.rot.z), of_owner(o, f.rot.w)));
    return f;
}

// A closure's or an attractor's two frames: that on link a is to be at that on link b, or where it is in the env. Rows
// lie along the world's axes, an attractor's along its target's
struct CoupledPair {
    int tree, a, b;
    CoupledFrame on_a, on_b;
    bool along_b;
    KG_METHOD Vec3 direction(int i) const { return along_b ? rotated_unit(on_b.rot, i) : unit(i, 1); }
    KG_METHOD Real gap(int i) const {
        const Vec3 d = i < 3 ? on_a.pos - on_b.pos : log_map(on_a.rot * conj(on_b.rot));
        return dot(direction(i % 3), d);
    }
    // where an impulse acts, on both links at the same place, so that it makes no moment
    KG_METHOD Vec3 point() const { return b < 0 ? on_a.pos : (on_a.pos + on_b.pos) * (Real)0.5; }
};
template <class Args>
KG_FN CoupledPair closure_pair(const Args& args, const Env& env, const Kinematics& k, int c) {
    const auto number = [&](int i) { return param(KG_PARAM(closure), c * 14 + i, env); };
    const auto frame = [&](int link, int i) {
        return coupled_frame(env, k, closure_tree[c], link, v3(number(i), number(i + 1), number(i + 2)),
                             q4(number(i + 3), number(i + 4), number(i + 5), number(i + 6)));
    };
    const int a = closure_a[c], b = closure_b[c];
    return CoupledPair{closure_tree[c], a, b, frame(a, 0), frame(b, 7), false};
}
template <class Args>
KG_FN CoupledPair attractor_pair(const Args& args, const Env& env, const Kinematics& k, int c) {
    const auto offset = [&](int i) { return param(KG_PARAM(attractor), c * 15 + 8 + i, env); };
    const auto target = [&](int i) { return param(KG_PARAM(attractor_target), c * 7 + i, env); };
    const int a = attractor_link[c], tree = attractor_tree[c];
    return CoupledPair{tree, a, -1,
        coupled_frame(env, k, tree, a, v3(offset(0), offset(1), offset(2)), q4(offset(3), offset(4), offset(5), offset(6))),
        coupled_frame(env, k, tree, -1, v3(target(0), target(1), target(2)), q4(target(3), target(4), target(5), target(6))), true};
}
// f(pair, its first row, number of rows)
template <class Args, class F>
KG_FN void over_pairs(const Args& args, const Env& env, const Kinematics& k, F f) {
    KG_ROLLED for (int c = 0; c < NCLOSURES + NATTRACTORS; ++c) {
        const bool closure = c < NCLOSURES;
        const int n = c - NCLOSURES;
        f(closure ? closure_pair(args, env, k, c) : attractor_pair(args, env, k, n),
          closure ? closure_row[c] : ATTRACTOR_ROW + 6 * n, closure && !closure_weld[c] ? 3 : 6);
    }
}

// polynomial of an equality at x, and its slope
template <class Args>
KG_FN Real polynomial(const Args& args, const Env& env, int e, Real x, Real& slope) {
    Real sum = 0;
    slope = 0;
    KG_ROLLED for (int i = 4; i >= 0; --i) {
        slope = slope * x + sum;
        sum = sum * x + param(KG_PARAM(joint_equality), e * 5 + i, env);
    }
    return sum;
}

// f(DOF, its coefficient) for the joints of a tendon's or an equality's row
template <class Args, class F>
KG_FN void over_joints(const Args& args, const Env& env, const Position& q, int row, F f) {
    if (row < NTENDONS) {
        KG_ROLLED for (int j = tendon_joint0[row]; j < tendon_joint0[row] + tendon_joints[row]; ++j)
            f((int)tendon_dof[j], param(KG_PARAM(tendon_coefficient), j, env));
        return;
    }
    const int e = row - EQUALITY_ROW, x = equality_leader[e];
    f((int)equality_dof[e], (Real)1);
    if (x < 0) return;
    Real slope;
    polynomial(args, env, e, dof_value(env, q, x), slope);
    f(x, -slope);
}
// Jacobian of such a row, over local velocities
template <class Args>
KG_FN void joint_jacobian(const Args& args, const Env& env, const Position& q, int row, Real* jac) {
    each<NV>([&](auto v) { jac[v] = 0; });
    over_joints(args, env, q, row, [&](int dof, Real c) {
        each<ND>([&](auto i) { if (has_dof(env, i) && dof_id(env, i) == dof) jac[dof_v[i]] += c; });
    });
}
// Jacobian of row i of a pair
KG_FN void pair_jacobian(const Env& env, const Kinematics& k, const CoupledPair& p, int i, Real* jac) {
    const Vec3 along = p.direction(i % 3), at = p.point();
    const auto moved_here = [&](auto v, int link) {
        return link >= 0 && (v < TV || env.lane == env_link_owner[link]) && moves(v, link);
    };
    each<NV>([&](auto v) {
        const bool on_a = moved_here(v, p.a), on_b = moved_here(v, p.b);
        jac[v] = 0;
        if (on_a == on_b) return;  // on neither, or on both: the two cancel
        const Real u = i < 3 ? dot(along, axis_point_velocity(k, at, v)) : dot(along, k.axis[v].ang);
        jac[v] = on_a ? u : -u;
    });
}

// a row along local velocities times these, on all lanes
KG_FN Real coupling_velocity(const Real* row, const Real* v) {
    Real u = 0, limb = 0;
    each<TV>([&](auto i) { u += row[i] * v[i]; });
    each_from<TV, SV>([&](auto i) { limb += row[i] * v[i]; });
    return SV == 0 ? u : u + kg_sum(limb);
}

// by how much rows fail at a state [rad or m], and how fast that changes
struct CouplingState { Real gap[NCR1], speed[NCR1]; };
template <class Args>
KG_FN void coupling_state(const Args& args, const Env& env, const Position& q, const Kinematics& k, const Real* v, CouplingState& s) {
    Real jac[NV];
    KG_ROLLED for (int r = 0; r < CLOSURE_ROW; ++r) {
        joint_jacobian(args, env, q, r, jac);
        s.speed[r] = coupling_velocity(jac, v);
        if (r < NTENDONS) {
            Real length = 0;
            over_joints(args, env, q, r, [&](int dof, Real c) { length += c * dof_value(env, q, dof); });
            s.gap[r] = length - param(KG_PARAM(tendon), r * 6 + 2, env);
            continue;
        }
        const int e = r - EQUALITY_ROW, x = equality_leader[e];
        Real slope;
        s.gap[r] = dof_value(env, q, equality_dof[e]) - polynomial(args, env, e, x < 0 ? (Real)0 : dof_value(env, q, x), slope);
    }
    over_pairs(args, env, k, [&](const CoupledPair& p, int row, int rows) {
        KG_ROLLED for (int i = 0; i < rows; ++i) {
            pair_jacobian(env, k, p, i, jac);
            s.gap[row + i] = p.gap(i);
            s.speed[row + i] = coupling_velocity(jac, v);
        }
    });
}
