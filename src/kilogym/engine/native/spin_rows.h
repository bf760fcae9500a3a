// Torsional and rolling friction: rows of the relative spin of two bodies in a contact, about its normal and its tangents.
//
// They lie beside the contact's own row and are of the same kind (rows.h): impulses about n, t1, t2 for what are forces there,
// the axes' spins for the point's velocity. A torque about n is at most torsion * N, one across n at most rolling * N, N being
// the normal force; the coefficients are lengths [m], of a pair the larger of both.

struct SpinLimits { Real torsion, rolling; };

template <class Args>
KG_FN SpinLimits spin_limits(const Args& args, const Env& env, const ContactPlace& at) {
    SpinLimits l = {param(KG_PARAM(shape_torsion_friction), at.shape_a, env), param(KG_PARAM(shape_rolling_friction), at.shape_a, env)};
    if (NP > 0 && at.shape_b >= 0) {
        l.torsion = kg_max(l.torsion, param(KG_PARAM(shape_torsion_friction), at.shape_b, env));
        l.rolling = kg_max(l.rolling, param(KG_PARAM(shape_rolling_friction), at.shape_b, env));
    }
    return l;
}

// an impulse under a normal impulse n
KG_FN Vec3 within(SpinLimits l, Real n, Vec3 f) {
    f.x = kg_clamp(f.x, -l.torsion * n, l.torsion * n);
    const Real across = f.y * f.y + f.z * f.z, most = l.rolling * n;
    if (across > most * most) {
        // a denormal number is nothing to the GPU's rsqrt
        const Real s = across > (Real)1e-30 ? most * kg_rsqrt(across) : (Real)0;
        f.y *= s;
        f.z *= s;
    }
    return f;
}

template <class Args>
KG_FN void build_spin_row(const Args& args, const Env& env, const Kinematics& k, const Real* map, bool mine, int i, const Real* w, const Rows& rows) {
    const Rows spins = rows.spins();
    const ContactPlace at = rows.place(i, mine);
    Elastic elastic = {0, 0};
    Real u;
    ContactResponse r = whiten_contact<true>(env, k, map, mine, at, i, w, spins, elastic.inv, u);
    if (!mine || !owners_of(at).writes(env)) return;
    const SpinLimits l = spin_limits(args, env, at);
    r.static_mu = l.torsion;
    r.dynamic_mu = l.rolling;
    spins.impulse_gap(i) = four(within(l, rows.impulse_gap(i).x, last_impulse(args, args.warm_spin, env, at.slot, at.normal, i)), 0);
    spins.at(i, 1) = four(v3(0, 0, 0), 0);
    spins.set_response(i, r, elastic);
}

KG_FN void warm_spins(const Env& env, const Rows& rows, const Schedule& s, Real* w) {
    const Rows spins = rows.spins();
    InPlaces<Real> limb(env, w);
    Again again;
    begin(again);
    each_visit(env, rows, s, [&](const Visited& its) {
        if (!its.mine) return;
        const Vec3 f = xyz(spins.impulse_gap(its.contact));
        if (f.x == 0 && f.y == 0 && f.z == 0) return;
        const RowPlace at = row_place(rows, its, true);
        push(env, at, row_y(env, spins, its.contact, at.owners), f, again, w, limb);
    });
    end(s, again, w);
    limb.put_back(env);
}

KG_FN void sweep_spins(const Env& env, const Rows& rows, const Schedule& schedule, Real* w) {
    const Rows spins = rows.spins();
    InPlaces<Real> limb(env, w);
    each_visit(env, rows, schedule, [&](const Visited& its) {
        const int i = its.contact;
        const RowPlace at = row_place(rows, its, its.mine);
        const RowY y = row_y(env, spins, i, at.owners);
        const Vec3 old = xyz(spins.impulse_gap(i)), u = contact_velocity(env, at, y, w, limb);
        const ContactResponse c = spins.response(i);
        const Real n = rows.impulse_gap(i).x;
        const Vec3 f = take_turns(env, its.mine, at, y, u, old, w, limb, [&](Vec3 u) {
            return within(SpinLimits{c.static_mu, c.dynamic_mu}, n, v3(old.x - u.x * c.inv_n, old.y - u.y * c.inv_t, old.z - u.z * c.inv_t));
        });
        if (its.mine && at.owners.writes(env)) spins.impulse_gap(i) = four(f, 0);
    });
    limb.put_back(env);
    kg_sync();  // a contact of two limbs: written by one of its lanes, read by both
}

// impulse on A's link over the substep, world axes
KG_FN Vec3 spin_impulse(const Rows& rows, int i, Vec3 normal) { return world_impulse(normal, rows.spins().total(i)); }

template <class Args>
KG_FN void store_spin_warm_start(const Args& args, const Env& env, const Rows& rows, int contacts) {
    KG_ROLLED for (int i = env.lane; i < contacts; i += LANES) {
        store3(args.warm_spin, i, env, world_impulse(xyz(rows.at(i, 5)), xyz(rows.spins().impulse_gap(i))));
    }
}
