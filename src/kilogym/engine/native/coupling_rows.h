// Rows of couplings (couplings.h) in the solver: how they are built, swept and carried on.
//
// Hard rows (equalities, closures) are a little soft in biased visits, of 1.5 oscillations per iteration and damping ratio
// 3 (a load that would accelerate by a leaves a gap of 0.011 a h^2), and rigid but for a thousandth in relaxing ones, so
// that what cannot be held (a stretched limb tied to what is out of reach, against its limits) stays bounded. Soft rows
// (tendons, attractors that are not too stiff) are springs, implicit in every visit: by the trapezoidal rule, which keeps
// their energy, or, where they are stiff, by the end velocity, which no gain makes unstable.
//
// A substep goes along the midpoint's tangent of a curve. Gaps and speeds are therefore those at its start: along the
// tangent, a velocity that keeps to the curve goes from `bend` at the start to -bend at the end, and its gap out and back.
// Rows ask for that, which turns velocities without slowing them, and has a position error of third order.

// fastest that a hard row closes its gap [m/s, rad/s]: one that starts wide open must not be a shot; an attractor is there to pull
static constexpr double FASTEST_CLOSING = 1, FASTEST_PULLING = 10;
// A spring with a damper that takes more than this many times the inertia's share of a motion is a hard row: left as a spring it
// mends within an iteration what the curve of the motion made of its gap, by a velocity that stays
static constexpr double HARD_SPRING = 30;

struct CouplingRow {
    bool on, hard;
    Real gap;           // by how much it fails [rad or m], as the iterations move it
    Real impulse;       // of one iteration, warm start of the next
    Real total;         // over the substep
    Real bend;          // u at the start of the substep less what it really was: what the tangent adds
    Real bias, rest;    // of this iteration: -u at which it has no impulse; of hard rows in relaxing visits
    Real pull, follow;  // bias = pull gap + follow (u before the iteration)
    Real give;          // u per impulse; of a hard row, in biased visits
};
// one-sided springs at the ends of a tendon's range
struct TendonLimit {
    bool on;
    Real below, above;         // length less lower = gap + below, upper less length = above - gap
    Real give, diagonal;
    Real lower, upper, total;  // impulses of one iteration; lower less upper, over the substep
};
struct Couplings {
    Real y[NCR1 * NV];  // of every row over local velocities
    CouplingRow row[NCR1];
    TendonLimit limit[NTENDONS1];
    Real biased[NFACTOR], relaxed[NFACTOR];  // Cholesky factors, packed lower triangles
};

KG_FN void add_coupling(const Couplings& c, int r, Real f, Real* w) {
    each<NV>([&](auto v) { w[v] += c.y[r * NV + v] * f; });
}
// w += scale times what the impulses of one iteration do
KG_FN void add_coupling_impulses(const Couplings& c, Real scale, Real* w) {
    each_coupling([&](int r) {
        Real f = c.row[r].impulse;
        if (r < NTENDONS) f += c.limit[r].lower - c.limit[r].upper;
        if (WRITTEN_OUT || f != 0) add_coupling(c, r, scale * f, w);
    });
}

// A -> L with A = L L^T, in place. least: of a squared pivot, against rounding where rows depend on each other
KG_FN void cholesky(Real* a, const Real* least) {
    KG_ROLLED for (int i = 0; i < NCR; ++i) {
        Real* to = a + i * (i + 1) / 2;
        KG_ROLLED for (int j = 0; j <= i; ++j) {
            const Real* of = a + j * (j + 1) / 2;
            Real sum = to[j];
            KG_ROLLED for (int m = 0; m < j; ++m) sum -= to[m] * of[m];
            to[j] = i == j ? kg_sqrt(kg_max(sum, least[i])) : sum * kg_inv(of[j]);
        }
    }
}
// x -> A^-1 x
KG_FN void solve_factor(const Real* l, Real* x) {
    each_coupling([&](auto i) {
        span(Zero(), i, [&](int j) { x[i] -= l[i * (i + 1) / 2 + j] * x[j]; });
        x[i] *= kg_inv(l[i * (i + 1) / 2 + i]);
    });
    each_coupling([&](auto n) {
        const auto i = Index<NCR - 1>() - n;
        span(i + Index<1>(), Index<NCR - 1>() - i, [&](int j) { x[i] -= l[j * (j + 1) / 2 + i] * x[j]; });
        x[i] *= kg_inv(l[i * (i + 1) / 2 + i]);
    });
}

// impulse of a spring with a damper per velocity at the end of an iteration
KG_FN Real gain_at_end(Real h, Real stiffness, Real damping) { return h * (damping + h * stiffness); }
// A row as a spring with a damper; diagonal: of Y^T Y. True if it is stiff, as drives are: by a tenth of the inertia
KG_FN bool make_spring(CouplingRow& row, Real h, Real stiffness, Real damping, Real diagonal) {
    row.hard = false;
    row.on = stiffness > 0 || damping > 0;
    if (!row.on) {
        row.impulse = 0;
        return false;
    }
    const Real at_end = gain_at_end(h, stiffness, damping);
    const bool stiff = at_end * diagonal > (Real)0.1;
    row.give = kg_inv(stiff ? at_end : (Real)0.5 * h * (damping + (Real)0.5 * h * stiffness));
    row.pull = h * stiffness * row.give;
    row.follow = stiff ? 0 : 1;
    return stiff;
}

// Rows at the midpoint q. w, start: at the start of the substep. Marks trees that stiff springs move
template <class Args>
KG_FN void build_couplings(const Args& args, const Env& env, Real h, const Kinematics& k, const Real* map, const Position& q,
                           const Real* w, const CouplingState& start, Couplings& c, bool* stiff) {
    if (NCR == 0) return;
    Real jac[NV];
    const auto whiten = [&](int r) { each<NV>([&](auto v) { c.y[r * NV + v] = whitened(map, jac, v); }); };
    KG_ROLLED for (int r = 0; r < CLOSURE_ROW; ++r) {
        joint_jacobian(args, env, q, r, jac);
        whiten(r);
    }
    over_pairs(args, env, k, [&](const CoupledPair& p, int row, int rows) {
        KG_ROLLED for (int i = 0; i < rows; ++i) {
            pair_jacobian(env, k, p, i, jac);
            whiten(row + i);
        }
    });

    Real* a = c.relaxed;
    KG_ROLLED for (int r = 0; r < NCR; ++r) {
        KG_ROLLED for (int s = 0; s <= r; ++s) a[r * (r + 1) / 2 + s] = coupling_velocity(c.y + r * NV, c.y + s * NV);
    }
    const auto diagonal = [&](int r) { return a[r * (r + 1) / 2 + r]; };
    const Real turn = (Real)(3 * 3.14159265358979323846), drag = turn * (6 + turn);  // h omega; h omega (2 zeta + h omega)
    KG_ROLLED for (int r = 0; r < NCR; ++r) {
        CouplingRow& row = c.row[r];
        row.on = row.hard = true;
        row.gap = start.gap[r];
        row.bend = coupling_velocity(c.y + r * NV, w) - start.speed[r];
        row.impulse = load(args.warm_coupling, r, env);
        row.total = row.bias = row.rest = row.follow = 0;
        row.pull = turn * turn * kg_inv(h * drag);
        row.give = diagonal(r) * kg_inv(drag);
        bool is_stiff = false;
        if (r < NTENDONS) {
            const auto number = [&](int i) { return param(KG_PARAM(tendon), r * 6 + i, env); };
            is_stiff = make_spring(row, h, number(0), number(1), diagonal(r));
            TendonLimit& limit = c.limit[r];
            limit.on = number(5) > 0;
            limit.below = number(2) - number(3);
            limit.above = number(4) - number(2);
            limit.give = limit.on ? kg_inv(h * h * number(5)) : (Real)0;
            limit.diagonal = diagonal(r);
            limit.lower = limit.on ? load(args.warm_coupling, NCR + 2 * r, env) : (Real)0;
            limit.upper = limit.on ? load(args.warm_coupling, NCR + 2 * r + 1, env) : (Real)0;
            limit.total = 0;
        } else if (r >= ATTRACTOR_ROW) {
            const int n = (r - ATTRACTOR_ROW) / 6;
            const auto number = [&](int i) { return param(KG_PARAM(attractor), n * 15 + i, env); };
            const Real there = number(2 + r - ATTRACTOR_ROW - 6 * n);
            const Real stiffness = there * number(0), damping = there * number(1);
            const bool hard = gain_at_end(h, stiffness, damping) * diagonal(r) > (Real)HARD_SPRING;
            is_stiff = hard || make_spring(row, h, stiffness, damping, diagonal(r));
        }
        if (is_stiff) each<NT>([&](auto t) { if (is_tree(env, t, coupling_tree[r])) stiff[t] = true; });
    }

    // rows that depend on each other, and directions in which links cannot move, whose Y is rounding
    Real least[NCR1], rigid[NCR1];
    KG_ROLLED for (int r = 0; r < NCR; ++r) {
        Real scale = 0;
        KG_ROLLED for (int s = coupling_group[r]; s < coupling_group[r] + coupling_group_rows[r]; ++s) scale += diagonal(s);
        least[r] = (Real)1e-6 * scale + (Real)1e-30;
        rigid[r] = (Real)1e-3 * diagonal(r);
    }
    KG_ROLLED for (int r = 0; r < NCR; ++r) {
        KG_ROLLED for (int s = 0; s <= r; ++s) {
            const int at = r * (r + 1) / 2 + s;
            if (!c.row[r].on || !c.row[s].on) a[at] = r == s ? (Real)1 : (Real)0;
            c.biased[at] = a[at];
            if (r != s) continue;
            c.biased[at] += c.row[r].give + least[r];
            a[at] += (c.row[r].hard ? rigid[r] : c.row[r].give) + least[r];
        }
    }
    cholesky(c.biased, least);
    cholesky(c.relaxed, least);
}

// What hard rows make of the change of whitened velocity in half a substep, at whose end it keeps to the tangent
KG_FN void couple_midpoint(Real h, Real half, const Real* w, const Couplings& c, Real* change) {
    if (NCR == 0) return;
    add_coupling_impulses(c, kg_inv(h), change);
    Real mid[NV], failing[NCR1];
    each<NV>([&](auto v) { mid[v] = w[v] + half * change[v]; });
    each_coupling([&](int r) {
        const Real u = coupling_velocity(c.y + r * NV, mid);
        failing[r] = c.row[r].hard ? u : (Real)0;
    });
    solve_factor(c.relaxed, failing);
    each_coupling([&](int r) { add_coupling(c, r, -failing[r] * kg_inv(half), change); });
}

// Begins iteration n. before: w without its forces; w: with them, last iteration's impulses act again
KG_FN void start_couplings(const StepSettings& st, int n, const Real* before, Couplings& c, Real* w) {
    if (NCR == 0) return;
    const Real step = kg_div((Real)1, (Real)st.iterations), done = (Real)n * step;
    each_coupling([&](int r) {
        CouplingRow& row = c.row[r];
        // of envs of a warp an attractor may be hard in some alone: all come to the exchange
        const Real u = kg_warp_any(!row.hard) ? coupling_velocity(c.y + r * NV, before) : (Real)0;
        if (!row.hard) {
            row.bias = row.pull * row.gap + row.follow * u;
            return;
        }
        const Real out = row.bend * st.dt * done * (1 - done);
        row.rest = -row.bend * (1 - 2 * (done + step));
        const Real fastest = r < ATTRACTOR_ROW ? (Real)FASTEST_CLOSING : (Real)FASTEST_PULLING;
        row.bias = row.rest + kg_clamp(row.pull * (row.gap - out), -fastest, fastest);
    });
    add_coupling_impulses(c, 1, w);
}

KG_FN void sweep_couplings(Real inv_h, bool biased, Couplings& c, Real* w) {
    if (NCR == 0) return;
    Real change[NCR1];
    each_coupling([&](int r) {
        const CouplingRow& row = c.row[r];
        const Real u = coupling_velocity(c.y + r * NV, w);
        change[r] = !row.on ? (Real)0 : row.hard && !biased ? u + row.rest : u + row.bias + row.give * row.impulse;
    });
    solve_factor(biased ? c.biased : c.relaxed, change);
    each_coupling([&](int r) {
        c.row[r].impulse -= change[r];
        add_coupling(c, r, -change[r], w);
    });
    KG_ROLLED for (int t = 0; t < NTENDONS; ++t) {
        TendonLimit& limit = c.limit[t];
        if (!kg_warp_any(limit.on)) continue;
        const Real gap = c.row[t].gap, inv = kg_inv(limit.diagonal + limit.give), A = limit.diagonal;
        const Real u = coupling_velocity(c.y + t * NV, w);
        if (!limit.on) continue;
        const Real lower = kg_max(-(u - A * limit.lower + (gap + limit.below) * inv_h) * inv, (Real)0), rise = lower - limit.lower;
        const Real upper = kg_max((u + A * (rise + limit.upper) - (limit.above - gap) * inv_h) * inv, (Real)0);
        add_coupling(c, t, rise - (upper - limit.upper), w);
        limit.lower = lower;
        limit.upper = upper;
    }
}

// ends an iteration in which whitened velocity was mean, in the mean
KG_FN void end_couplings(Real h, const Real* mean, Couplings& c) {
    each_coupling([&](int r) {
        CouplingRow& row = c.row[r];
        row.gap += h * coupling_velocity(c.y + r * NV, mean);
        row.total += row.impulse;
        if (r < NTENDONS) c.limit[r].total += c.limit[r].lower - c.limit[r].upper;
    });
}

template <class Args>
KG_FN void store_coupling_warm_start(const Args& args, const Env& env, const Couplings& c) {
    if (NCR == 0) return;
    kg_sync();  // all lanes have read the old one
    if (env.lane != 0) return;
    KG_ROLLED for (int r = 0; r < NCR; ++r) store(args.warm_coupling, r, env, c.row[r].impulse);
    KG_ROLLED for (int t = 0; t < NTENDONS; ++t) {
        store(args.warm_coupling, NCR + 2 * t, env, c.limit[t].lower);
        store(args.warm_coupling, NCR + 2 * t + 1, env, c.limit[t].upper);
    }
}
