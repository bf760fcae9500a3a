// Rows of DOFs: one block per DOF with up to four unknowns that share one Y, the DOF's row of W (factor.h): saturated
// drive, dry friction, speed limit, stops.

struct DofRow {
    bool on, some;                              // has unknowns; some lane of the warp has, at this place
    Real diagonal, inv;                         // what an impulse does to u; off: both zero, nothing moves
    Real across[LANES];                         // the same for one of this place on another lane: through the trunk
    Real lower_gap, upper_gap;                  // as the iterations move them; far: 1e30
    Real drive, friction, stop, speed;          // impulses of one iteration; stop: positive from the lower, negative from the upper
    Real total;                                 // friction and limits, over the substep
};
KG_FN Real impulse_of(const DofRow& r) { return r.drive + r.friction + r.stop; }

// DOFs that need a row: saturated, with dry friction, near a limit, or too fast
template <class Args>
KG_FN void build_dof_rows(const Args& args, const Env& env, const StepSettings& st, const Real* map, const Position& q,
                          const Real* v, const Drives& d, DofRow* rows) {
    each<ND>([&](auto i) {
        DofRow& row = rows[i];
        const auto id = dof_id(env, i);
        const auto at = dof_v[i];
        const Real speed = kg_abs(v[at]), reach = (Real)1.5 * st.dt * speed + (Real)0.02;
        const Real lo = q.dof[i] - param(KG_PARAM(dof_lower), id, env), hi = param(KG_PARAM(dof_upper), id, env) - q.dof[i];
        row.on = has_dof(env, i) && (is_saturated(d, i) || lo < reach || hi < reach || (HAS_SPEED_LIMIT && speed > param(KG_PARAM(dof_velocity), id, env))
            || (HAS_DRY && param(KG_PARAM(dof_friction), id, env) > (Real)0));
        row.lower_gap = row.on && lo < reach ? lo : (Real)1e30;
        row.upper_gap = row.on && hi < reach ? hi : (Real)1e30;
        row.drive = row.friction = row.stop = row.speed = row.total = row.diagonal = row.inv = 0;
        if (WRITTEN_OUT || row.on) {
            if (HAS_DRIVE_LIMIT) row.drive = load_if(is_saturated(d, i), args.warm_dof, id * 4, env);
            if (HAS_DRY) row.friction = load_if(row.on, args.warm_dof, id * 4 + 1, env);
            row.stop += load_if(row.on && lo < reach, args.warm_dof, id * 4 + 2, env);
            row.stop -= load_if(row.on && hi < reach, args.warm_dof, id * 4 + 3, env);
        }
        row.some = kg_warp_any(row.on);
        if (!WRITTEN_OUT && !row.on) return;
        Real diagonal = 0;
        span(Zero(), row_len[at], [&](int a) { diagonal += map[m_row[at] + a] * map[m_row[at] + a]; });
        row.diagonal = row.on ? diagonal : (Real)0;
        row.inv = row.on ? kg_inv(diagonal) : (Real)0;
    });
}

// what limbs' rows of one place do to each other
KG_FN void couple_limbs(const Real* map, DofRow* rows) {
    each<ND>([&](auto i) {
        const auto v = dof_v[i];
        if (v < TV || !rows[i].some) return;
        each_lane([&](int lane) {
            if (lane_dof_values[i * LANES + lane] < 0) return;
            Real sum = 0;
            span(Zero(), anc_len[v], [&](int a) {
                const Real y = map[m_row[v] + a + 1];
                if (anc[anc_row[v] + a] < TV) sum += y * kg_from(y, lane);
            });
            rows[i].across[lane] = sum;
        });
    });
}

// what visits of a DOF's unknowns do, the same over a sweep
struct DofLaws {
    Law lower, upper, drive;
    Real limit, dry, fastest;  // of the drive's impulse, of friction's, of the speed
};
// x: displacement of the DOF since the start of the substep
template <class Args, class Dof>
KG_FN DofLaws dof_laws(const Args& args, const Env& env, const Visit& p, const Drives& d, Real x, Dof i, const DofRow& r) {
    const auto id = dof_id(env, i);
    DofLaws l;
    l.lower = unilateral(p, r.lower_gap, r.inv);
    l.upper = unilateral(p, r.upper_gap, r.inv);
    const bool bounded = is_saturated(d, i);
    if (HAS_DRIVE_LIMIT) {
        const Real drag = bounded ? p.h * d.drag[i] : (Real)0, k = kg_inv(1 + drag * r.diagonal);
        l.drive = Law{drag * r.diagonal * k, drag * k, bounded ? -p.h * (d.push[i] - d.kp[i] * x) * k : (Real)0};
        l.limit = bounded ? p.h * d.limit[i] : (Real)0;
    }
    if (HAS_DRY) l.dry = r.on ? p.h * param(KG_PARAM(dof_friction), id, env) : (Real)0;
    if (HAS_SPEED_LIMIT) l.fastest = param(KG_PARAM(dof_velocity), id, env);
    return l;
}

// Changes a DOF's impulses; returns the sum of the changes
KG_FN Real visit_dof(const DofLaws& l, Real start, DofRow& r) {
    Real u = start, f = 0;
    const auto change = [&](Real& impulse, Real to) {
        f += to - impulse;
        u = start + r.diagonal * f;
        impulse = to;
    };
    if (HAS_DRIVE_LIMIT) change(r.drive, kg_clamp(l.drive.keep * r.drive - (l.drive.give * u + l.drive.push), -l.limit, l.limit));
    if (HAS_DRY) change(r.friction, kg_clamp(r.friction - u * r.inv, -l.dry, l.dry));
    if (HAS_SPEED_LIMIT) {
        const Real free = u - r.diagonal * r.speed;
        change(r.speed, (kg_clamp(free, -l.fastest, l.fastest) - free) * r.inv);
    }
    change(r.stop, visited(l.lower, l.upper, u, r.stop));
    return f;
}

// f(entry, velocity) over a row's entries, its own first
template <class V, class F>
KG_FN void over_row(V v, F f) {
    f(m_row[v], v);
    span(Zero(), anc_len[v], [&](int a) { f(m_row[v] + a + 1, anc[anc_row[v] + a]); });
}

// The trunk's rows on all lanes alike. Limbs' rows of one place: lanes take turns; in between only the places' own
// velocities follow, through the trunk. All lanes compute every turn: it is a dozen instructions, less than to ask whose
// turn is worth taking. Without a trunk limbs know nothing of each other.
template <class Args>
KG_FN void sweep_dofs(const Args& args, const Env& env, const Visit& p, const Drives& d, const Real* map, const Real* x, DofRow* dofs, Real* w) {
    each<ND>([&](auto n) {
        const auto i = sweep_dof[n];
        const auto v = dof_v[i];
        DofRow& row = dofs[i];
        if (!row.some) return;
        const DofLaws laws = dof_laws(args, env, p, d, x[v], i, row);
        Real u = velocity_of(map, w, v);
        if (v < TV || TV == 0 || LANES == 1) {
            const Real f = visit_dof(laws, u, row);
            if (f != 0) over_row(v, [&](int entry, int to) { w[to] += map[entry] * f; });
            return;
        }
        Real mine = 0;
        each_lane([&](int lane) {
            if (lane_dof_values[i * LANES + lane] < 0) return;
            DofRow visited = row;
            const Real f = visit_dof(laws, u, visited);
            if (env.lane == lane) {
                row = visited;
                mine = f;
            }
            u += row.across[lane] * kg_from(f, lane);
        });
        if (!kg_warp_any(mine != 0)) return;
        over_row(v, [&](int entry, int to) { w[to] += to < TV ? kg_sum(map[entry] * mine) : map[entry] * mine; });
    });
}

// last iteration's impulses act again
KG_FN void warm_dofs(const Env& env, const Real* map, DofRow* dofs, Real* w) {
    Real trunk[TV > 0 ? TV : 1];
    each<TV>([&](auto v) { trunk[v] = 0; });
    bool acts = false;
    each<ND>([&](auto i) {
        if (!dofs[i].on) return;
        dofs[i].speed = 0;
        const Real f = impulse_of(dofs[i]);
        if (f == 0) return;
        const auto v = dof_v[i];
        if (v >= TV) acts = true;
        over_row(v, [&](int entry, int u) {
            if (v >= TV && u < TV) trunk[u] += map[entry] * f;
            else w[u] += map[entry] * f;
        });
    });
    if (SV > 0 && kg_warp_any(acts)) each<TV>([&](auto v) { w[v] += kg_sum(trunk[v]); });
}

template <class Args>
KG_FN void store_dof_warm_start(const Args& args, const Env& env, Real h, const Drives& d, const DofRow* rows) {
    kg_sync();  // all lanes have read the trunk's
    each<ND>([&](auto i) {
        if (!writes_dof(env, i)) return;
        const DofRow& row = rows[i];
        const auto id = dof_id(env, i);
        const bool at_limit = row.on && is_saturated(d, i) && kg_abs(row.drive) > (Real)0.699 * h * d.limit[i];
        store(args.warm_dof, id * 4, env, at_limit ? row.drive : (Real)0);
        store(args.warm_dof, id * 4 + 1, env, row.friction);
        store(args.warm_dof, id * 4 + 2, env, kg_max(row.stop, (Real)0));
        store(args.warm_dof, id * 4 + 3, env, kg_max(-row.stop, (Real)0));
    });
}
