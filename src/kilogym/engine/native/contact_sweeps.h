// What an iteration of the solver does to contacts (solver.h): three passes over their rows, in the order of visits (schedule.h).
//
//   start:         gaps follow what the last iteration moved late, its impulses are counted, and act again
//   biased sweep:  penetration is pushed out
//   relax sweep:   gaps follow the biased velocity; what it added is taken away again
//
// A row is long and far away: what can be done with it is done while it is here.

// a contact's impulse after a visit at velocity u
KG_FN Vec3 visit_contact(const Visit& p, const Rows& rows, int i, int phase, const ContactResponse& c, Vec3 u, Vec3 old, Real gap) {
    Vec3 f = old;
    f.x = visited(unilateral(p, gap, c.inv_n), u.x, old.x);
    if (HAS_COMPLIANCE && c.compliance > 0) f.x = p.biased ? visited(compliant(p, gap, c.inv_n, c.compliance), u.x, old.x) : old.x;
    if constexpr (HAS_RESTITUTION) {
        // an elastic contact that others make approach fast waits for the next iteration, where it bounces
        const Real alone = phase == CONTACT_IDLE && !(c.compliance > 0) ? u.x - kg_div(old.x, c.inv_n) : (Real)0;
        if (phase == CONTACT_BOUNCING) f.x = kg_max(old.x - (u.x - (p.biased ? rows.bounce(i) : rows.settle(i))) * rows.elastic(i).inv, (Real)0);
        else if (alone < -p.bounce_threshold && gap + p.h * alone < 0) f.x = 0;
    }
    const Real d = f.x - old.x, reach = c.static_mu * f.x;
    f.y -= (u.y + c.couple1 * d) * c.inv_t;
    f.z -= (u.z + c.couple2 * d) * c.inv_t;
    const Real t2 = f.y * f.y + f.z * f.z;
    const Real slip = t2 > (Real)1e-30 ? c.dynamic_mu * f.x * kg_rsqrt(t2) : (Real)0, s = t2 > reach * reach ? slip : (Real)1;
    return v3(f.x, f.y * s, f.z * s);
}

// a contact that carries load holds the trees of these shapes
KG_FN void mark_trees(const Env& env, int shape_a, int shape_b, bool* loaded) {
    if constexpr (NT == 1) {
        loaded[0] = true;
    } else {
        const int a = env_link_tree[env_shape_link[shape_a]], b = NP > 0 && shape_b >= 0 ? env_link_tree[env_shape_link[shape_b]] : -1;
        each_of_two<NT>(a, b, [&](auto t) { if (is_tree(env, t, a) || is_tree(env, t, b)) loaded[t] = true; });
    }
}

// moves: gaps first follow `moved`, a whitened velocity; marks: trees that contacts with impulse hold become `loaded`
struct LoadedRow { RowY y; Four now; ContactResponse response; Real shape_a, shape_b; };
KG_FN void sweep_contacts(const Env& env, const Visit& p, const Rows& rows, const Schedule& s, bool moves, const Real* moved, bool marks, bool* loaded, Real* w) {
    InPlaces<Real> limb(env, w);
    InPlaces<const Real> moved_limb(env, moved);
    const auto load = [&](const Visited& its) {
        LoadedRow row;
        row.y = row_y(env, rows, its.contact, its.owners);
        row.now = rows.impulse_gap(its.contact);
        row.response = rows.response(its.contact);
        row.shape_a = row.shape_b = 0;
        if (NT > 1 && marks) {
            row.shape_a = rows.at(its.contact, 6).w;
            row.shape_b = NP > 0 || NTERRAINS > 0 ? rows.at(its.contact, 7).w : (Real)-1;
        }
        if constexpr (!AHEAD) {
            kg_here(row.now);
            kg_here(row.response);
        }
        return row;
    };
    each_loaded_visit(env, rows, s, load, [&](const Visited& its, const LoadedRow& row) {
        const int i = its.contact, phase = !its.mine ? (int)CONTACT_WAITING : HAS_RESTITUTION ? (int)rows.phase(i) : (int)CONTACT_RESTING;
        const RowPlace at = row_place(rows, its, its.mine);
        const Real gap = row.now.w + (moves ? p.h * normal_velocity(env, at, row.y, moved, moved_limb) : (Real)0);
        const Vec3 u = contact_velocity(env, at, row.y, w, limb), old = xyz(row.now);
        const Vec3 f = take_turns(env, phase != CONTACT_WAITING, at, row.y, u, old, w, limb, [&](Vec3 u) { return visit_contact(p, rows, i, phase, row.response, u, old, gap); });
        if (its.mine && at.owners.writes(env)) rows.impulse_gap(i) = four(f, gap);
        if (marks && its.mine && f.x > 0) mark_trees(env, (int)row.shape_a, (int)row.shape_b, loaded);
    });
    limb.put_back(env);
    kg_sync();  // a contact of two limbs: written by one of its lanes, read by both
}

// What an elastic contact does in an iteration (TOI-aware restitution): an approach u faster than the threshold, changing by a,
// that arrives at time t within h leaves with e times the arrival speed for the rest of h. writes: this lane keeps what follows
KG_FN int choose_phase(const Visit& p, const Rows& rows, int i, bool writes, Real e, Real gap, Real u, Real a, Vec3& impulse) {
    if (!(u < -p.bounce_threshold)) return impulse.x == 0 ? CONTACT_IDLE : CONTACT_RESTING;
    impulse = v3(0, 0, 0);
    const Real h = p.h, reach = kg_max(gap, (Real)0), speed = -u, t = kg_div(reach, speed);
    if (writes) {
        rows.bounce(i) = kg_div(e * speed * (h - t) - reach, h);
        rows.settle(i) = e * (speed - a * t) + a * (h - t);
    }
    return gap + h * u + (Real)0.5 * a * h * h > 0 ? CONTACT_WAITING : CONTACT_BOUNCING;
}

// moves: gaps have yet to follow `late`; counts: impulses are those of an iteration of this substep; before, free: whitened
// velocity without and with the forces of this one
struct StartedRow { RowY y; Four now, total; };
KG_FN void start_contacts(const Env& env, const Visit& p, const Rows& rows, const Schedule& s, bool counts, bool moves, const Real* late, const Real* before,
                          const Real* free, Real* w) {
    InPlaces<Real> limb(env, w);
    InPlaces<const Real> late_limb(env, late);
    Again again;
    begin(again);
    const auto load = [&](const Visited& its) { return StartedRow{row_y(env, rows, its.contact, its.owners), rows.impulse_gap(its.contact), rows.at(its.contact, 1)}; };
    each_loaded_visit(env, rows, s, load, [&](const Visited& its, const StartedRow& row) {
        const int i = its.contact;
        const RowPlace at = row_place(rows, its, its.mine);
        const bool writes = its.mine && at.owners.writes(env);
        const Real gap = row.now.w + (moves ? p.h * normal_velocity(env, at, row.y, late, late_limb) : (Real)0);
        const Vec3 total = counts ? xyz(row.total) + xyz(row.now) : xyz(row.total);
        Vec3 f = xyz(row.now);
        int phase = CONTACT_RESTING;
        if constexpr (HAS_RESTITUTION) {
            const Real e = its.mine ? rows.elastic(i).restitution : (Real)0;
            if (kg_warp_any(e > 0)) {
                InPlaces<const Real> before_limb(env, before), free_limb(env, free);
                const Real u = normal_velocity(env, at, row.y, before, before_limb);
                const Real a = kg_div(normal_velocity(env, at, row.y, free, free_limb) - u, p.h);
                if (e > 0) phase = choose_phase(p, rows, i, writes, e, gap, u, a, f);
            }
        }
        if (!its.mine) return;
        if (writes) {
            rows.impulse_gap(i) = four(f, gap);
            rows.at(i, 1) = four(total, (Real)phase);
        }
        push(env, at, row.y, f, again, w, limb);
    });
    end(s, again, w);
    limb.put_back(env);
    kg_sync();  // as above
}

// after the last iteration. moves, late: as above
KG_FN void end_contacts(const Env& env, Real h, const Rows& rows, const Schedule& s, bool moves, const Real* late) {
    InPlaces<const Real> limb(env, late);
    if (HAS_CONTACT_REPORT && moves) each_visit(env, rows, s, [&](const Visited& its) {
        const RowPlace at = row_place(rows, its, its.mine);
        const Four now = rows.impulse_gap(its.contact);
        const Real u = normal_velocity(env, at, row_y(env, rows, its.contact, at.owners), late, limb);
        if (its.mine && at.owners.writes(env)) rows.impulse_gap(its.contact) = four(xyz(now), now.w + h * u);
    });
    kg_sync();
    KG_ROLLED for (int i = env.lane; i < s.contacts; i += LANES) rows.add_total(i, xyz(rows.impulse_gap(i)));
}
