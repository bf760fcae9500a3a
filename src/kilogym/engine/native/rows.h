// Rows of contacts in whitened form: normal and two tangents.
//
// A row's Y = W^T J^T has the support of its links' paths to the root (factor.h); on DOFs that the paths of two links
// share the point moves with both and the row is what is left. u = Y . w.

// Y while it is found: over all velocities with code written out, otherwise over the paths of its two links
struct FoundY {
#if KG_UNROLL
    Vec3 y[NV];
    KG_METHOD FoundY(int) {}
    template <class V>
    KG_METHOD Vec3& operator[](V v) { return y[v]; }
#else
    Vec3 y[(NP > 0 ? 2 : 1) * LONGEST_PATH];
    int a;
    KG_METHOD FoundY(int link_a) : a(link_a) {}
    KG_METHOD Vec3& operator[](int v) { return y[env_v_depth[v] + (NP == 0 || moves(v, a) ? 0 : LONGEST_PATH)]; }
#endif
};

// y += (W^T J^T) of one velocity: its row of W times J
template <class V>
KG_FN void add_row(const Real* map, V v, Vec3 j, FoundY& y) {
    y[v] = y[v] + j * map[m_row[v]];
    span(Zero(), anc_len[v], [&](auto a) {
        const auto u = anc[anc_row[v] + a];
        y[u] = y[u] + j * map[m_row[v] + a + 1];
    });
}
// Y along three directions, for a point that belongs to link a and, if b >= 0, against link b: the trunk's part and that of
// this lane's limb. SPIN: for the spin of the links instead of the point's velocity. two: some_two
template <bool SPIN>
KG_FN void whiten_row(const Env& env, const Kinematics& k, const Real* map, bool mine, const ContactPlace& at, const Owners& o, bool two,
                      const Vec3* dir, FoundY& y) {
    const int a = at.link_a, b = at.link_b;
    const auto add = [&](auto v, bool on_a, bool on_b) {
        if (!WRITTEN_OUT && on_a == on_b) return;  // on neither, or on both: the two cancel
        const Vec3 point = ENV_TREES == 1 || on_a ? at.point : at.point_b;
        const Vec3 u = (SPIN ? k.axis[v].ang : axis_point_velocity(k, point, v)) * ((Real)on_a - (Real)on_b);
        add_row(map, v, v3(dot(dir[0], u), dot(dir[1], u), dot(dir[2], u)), y);
    };
    if (SV > 0) {
        each<NV>([&](auto v) { y[v] = v3(0, 0, 0); });
        if (mine) each_from<TV, SV>([&](auto v) {
            add(v, env.lane == o.a && moves(v, a), NP > 0 && b >= 0 && env.lane == o.b && moves(v, b));
        });
        if (two) each<TV>([&](auto v) { y[v] = of_both(env, o, true, y[v]); });
    } else {
        over_trunk(a, b, [&](auto v) { y[v] = v3(0, 0, 0); });
    }
    if (mine) over_trunk(a, b, [&](auto v) { add(v, moves(v, a), NP > 0 && b >= 0 && moves(v, b)); });
}

// Stores a contact's Y. Returns what follows from it alone; exact: 1 / diagonal along n without regularisation;
// normal_u: velocity along n at whitened velocity w
template <bool SPIN = false>
KG_FN ContactResponse whiten_contact(const Env& env, const Kinematics& k, const Real* map, bool mine, const ContactPlace& at, int i,
                                     const Real* w, const Rows& rows, Real& exact, Real& normal_u) {
    const Owners o = mine ? owners_of(at) : Owners{-1, -1};
    const bool two = some_two(o);
    Vec3 dir[3];
    FoundY y(at.link_a);
    dir[0] = at.normal;
    tangents(dir[0], dir[1], dir[2]);
    whiten_row<SPIN>(env, k, map, mine, at, o, two, dir, y);
    struct Sums { Vec3 squares; Real nt1, nt2, u; };
    Sums sum = {v3(0, 0, 0), 0, 0, 0}, limb = sum;
    const auto add = [&](Sums& to, auto v) {
        const Vec3 z = y[v];
        to.squares = to.squares + v3(z.x * z.x, z.y * z.y, z.z * z.z);
        to.nt1 += z.x * z.y;
        to.nt2 += z.x * z.z;
        to.u += z.x * w[v];
    };
    RowY out;
    if (mine) {
        out.trunk.begin(rows, i, ROW_Y);
        over_trunk(at.link_a, at.link_b, [&](auto v) {
            add(sum, v);
            out.trunk.set(v, y[v]);
        });
        out.trunk.store(rows, i, ROW_Y);
    }
    if (SV > 0) {
        if (o.mine(env)) {
            out.limb.begin(rows, i, o.limb_y(env));
            Vec3 placed[RV > 0 ? RV : 1];
            each<RV>([&](auto r) { placed[r] = v3(0, 0, 0); });
            each<SV>([&](auto s) {
                add(limb, Index<TV>() + s);
                placed[limb_place[s]] = placed[limb_place[s]] + y[Index<TV>() + s];  // those not in this lane's limb are zero
            });
            each<RV>([&](auto r) { out.limb.set(r, placed[r]); });
            out.limb.store(rows, i, o.limb_y(env));
        }
        const auto all = [&](auto x) { return of_both(env, o, two, x); };
        sum.squares = sum.squares + all(limb.squares);
        sum.nt1 += all(limb.nt1);
        sum.nt2 += all(limb.nt2);
        sum.u += all(limb.u);
    }
    // links with fewer than three DOFs between them make exactly dependent rows
    const Vec3 squares = sum.squares;
    const Real total = squares.x + squares.y + squares.z, eps = (Real)1e-6 * total + (Real)1e-30;
    ContactResponse r = ContactResponse();
    // what can hardly move, as along the axis of the joint between both links, would be pushed harder and harder
    r.inv_n = kg_inv(kg_max(squares.x + eps, (Real)1e-3 * total));
    r.inv_t = kg_inv(kg_max(squares.y, squares.z) + eps);
    r.couple1 = sum.nt1;
    r.couple2 = sum.nt2;
    exact = kg_inv(kg_max(squares.x, eps));
    normal_u = sum.u;
    return r;
}

// where `slot` stands in last step's list from `begin` up to `end`; -1: nowhere. Four at a time, so that their loads wait together
template <class Args>
KG_FN int find_slot(const Args& args, const Env& env, int slot, int begin, int end) {
    const auto at = [&](int i) { return args.warm_slot.data[(i < end ? i : end - 1) * env.count + env.index]; };
    KG_ROLLED for (int i = begin; i < end; i += 4) {
        const int a = at(i), b = at(i + 1), c = at(i + 2), d = at(i + 3);
        if (a < 0 || a == slot) return a < 0 ? -1 : i;
        if (b < 0 || b == slot) return b < 0 ? -1 : i + 1;
        if (c < 0 || c == slot) return c < 0 ? -1 : i + 2;
        if (d < 0 || d == slot) return d < 0 ? -1 : i + 3;
    }
    return -1;
}
// last step's impulse of the same slot in `kept`, along the normal and today's tangents; of the i-th contact, which stood
// thereabouts
template <class Args, class Array>
KG_FN Vec3 last_impulse(const Args& args, const Array& kept, const Env& env, int slot, Vec3 normal, int i) {
    const int first = i > 3 ? i - 3 : 0;
    int old = find_slot(args, env, slot, first, MAX_CONTACTS);
    if (old < 0) old = find_slot(args, env, slot, 0, first);
    if (old < 0) return v3(0, 0, 0);
    Vec3 last = load3(kept, old, env), t1, t2;
    tangents(normal, t1, t2);
    return v3(dot(last, normal), dot(last, t1), dot(last, t2));
}
// the same of a contact, cut to the cone of today's friction
template <class Args>
KG_FN Vec3 warm_impulse(const Args& args, const Env& env, int slot, Vec3 normal, Real mu, int i) {
    const Vec3 last = last_impulse(args, args.warm_impulse, env, slot, normal, i);
    const Real n = kg_max(last.x, (Real)0), limit = mu * n, f = kg_sqrt(last.y * last.y + last.z * last.z);
    const Real cut = f > limit ? kg_div(limit, f) : (Real)1;
    return v3(n, last.y * cut, last.z * cut);
}

template <class Args>
KG_FN void build_spin_row(const Args& args, const Env& env, const Kinematics& k, const Real* map, bool mine, int i, const Real* w, const Rows& rows);

// the row of a lane's contact; its gap goes back from the midpoint to the start of the substep. w: whitened velocity there
template <class Args>
KG_FN void build_contact_row(const Args& args, const Env& env, Real half, const Kinematics& k, const Real* map, bool mine, int i,
                             const Real* w, const Rows& rows) {
    const ContactPlace at = rows.place(i, mine);
    const Real gap = mine ? rows.impulse_gap(i).w : (Real)0;
    Elastic elastic;
    Real u;
    ContactResponse r = whiten_contact(env, k, map, mine, at, i, w, rows, elastic.inv, u);
    if (NP > 0 && SV > 0) kg_sync();  // both lanes have read the gap
    if (!mine || !owners_of(at).writes(env)) return;
    const int a = at.shape_a, b = at.shape_b;
    Real mu_s = param(KG_PARAM(shape_friction), a, env), mu_d = mu_s, e = param(KG_PARAM(shape_restitution), a, env);
    if (NP > 0 && b >= 0) {
        const Real mu = param(KG_PARAM(shape_friction), b, env);
        mu_s += mu;
        mu_d += mu;
        e += param(KG_PARAM(shape_restitution), b, env);
    } else if (NTERRAINS > 0 && b < -1) {
        const int n = -2 - b;
        mu_s += param(KG_PARAM(terrain_friction), 2 * n, env);
        mu_d += param(KG_PARAM(terrain_friction), 2 * n + 1, env);
        e += param(KG_PARAM(terrain_restitution), n, env);
    } else {
        mu_s += param(KG_PARAM(ground_friction), 0, env);
        mu_d += param(KG_PARAM(ground_friction), 1, env);
        e += param(KG_PARAM(ground_restitution), 0, env);
    }
    // material of a pair: the average
    r.static_mu = (Real)0.5 * mu_s;
    r.dynamic_mu = (Real)0.5 * mu_d;
    elastic.restitution = (Real)0.5 * e;
    rows.impulse_gap(i) = four(warm_impulse(args, env, at.slot, at.normal, r.static_mu, i), gap - half * u);
    rows.at(i, 1) = four(v3(0, 0, 0), (Real)CONTACT_RESTING);
    r.compliance = HAS_COMPLIANCE ? param(KG_PARAM(shape_compliance), a, env) : (Real)0;  // springs in series
    if (HAS_COMPLIANCE && NP > 0 && b >= 0) r.compliance += param(KG_PARAM(shape_compliance), b, env);
    rows.set_response(i, r, elastic);
}

// contacts -> rows
template <class Args>
KG_FN void build_contact_rows(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* map,
                              const Schedule& s, const Real* w, const Rows& rows) {
    const Real half = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt;
    each_visit(env, rows, s, [&](const Visited& at) {
        build_contact_row(args, env, half, k, map, at.mine, at.contact, w, rows);
        if constexpr (HAS_SPIN_FRICTION) build_spin_row(args, env, k, map, at.mine, at.contact, w, rows);
    });
    kg_sync();
}

// keep this step's last impulses, in world axes, for the next
template <class Args>
KG_FN void store_warm_start(const Args& args, const Env& env, const Rows& rows, int contacts) {
    int* const slots = args.warm_slot.data + env.index;
    kg_sync();  // all lanes have read the old list
    int i = env.lane;
    KG_ROLLED for (; i < contacts; i += LANES) {
        const Four n = rows.at(i, 5);
        store3(args.warm_impulse, i, env, world_impulse(xyz(n), xyz(rows.impulse_gap(i))));
        if (env.live) slots[i * env.count] = (int)n.w;
    }
    // what is left of the old one: behind a list all are -1
    KG_ROLLED for (; i < MAX_CONTACTS && env.live && slots[i * env.count] >= 0; i += LANES) slots[i * env.count] = -1;
}
