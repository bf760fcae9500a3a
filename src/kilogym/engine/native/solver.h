// The constraint solver: S soft-step iterations of h = dt / S.
//
//   for each iteration:  apply h * force  ->  warm start  ->  biased sweeps  ->  advance gaps and positions
//                        ->  relax sweeps
//
// A biased sweep pushes penetration out through a soft constraint (laws.h); a relax sweep takes the velocity that this
// added away again. Jacobians are frozen over the step; gaps move with the velocity of the biased sweep. Sweeps are
// Gauss-Seidel in a fixed order: DOF rows, couplings, contacts by rounds (schedule.h), normal before friction, friction
// projected onto its disc.
//
// Source: Catto, Solver2D (2024), the soft-step idea; whitening and the round cone are ours (docs/physics.md).

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
struct LoadedRow { RowY y; Four now; ContactResponse response; };
KG_FN void sweep_contacts(const Env& env, const Visit& p, const Rows& rows, const Schedule& s, Real* w) {
    const auto load = [&](const Visited& its) {
        LoadedRow row;
        row.y = row_y(env, rows, its.contact, its.owners);
        row.now = rows.impulse_gap(its.contact);
        row.response = rows.response(its.contact);
        if constexpr (!AHEAD) {
            kg_here(row.now);
            kg_here(row.response);
        }
        return row;
    };
    each_loaded_visit(env, rows, s, load, [&](const Visited& its, const LoadedRow& row) {
        const int i = its.contact, phase = !its.mine ? (int)CONTACT_WAITING : HAS_RESTITUTION ? (int)rows.phase(i) : (int)CONTACT_RESTING;
        const bool acts = phase != CONTACT_WAITING;
        const RowPlace at = row_place(rows, its, acts);
        const Vec3 u = contact_velocity(env, at, row.y, w), old = xyz(row.now);
        const Vec3 f = take_turns(env, acts, at, row.y, u, old, w, [&](Vec3 u) { return visit_contact(p, rows, i, phase, row.response, u, old, row.now.w); });
        if (acts && at.owners.writes(env)) rows.impulse_gap(i) = four(f, row.now.w);
    });
    kg_sync();  // a contact of two limbs: written by one of its lanes, read by both
}

// whether a contact bounces in this iteration, and when in it it touches (TOI-aware restitution): an approach faster
// than the threshold that arrives at time t within h leaves with e times the arrival speed for the rest of h
KG_FN void choose_phase(const Env& env, const Visit& p, const Rows& rows, const Visited& its, const Real* before, const Real* after) {
    const int i = its.contact;
    const Real h = p.h, e = its.mine ? rows.elastic(i).restitution : (Real)0;
    if (!kg_warp_any(e > 0)) return;
    const bool elastic = e > 0;
    const Four now = elastic ? rows.impulse_gap(i) : four(v3(0, 0, 0), 0);
    const RowPlace at = row_place(rows, its, elastic);
    const RowY y = row_y(env, rows, i, at.owners);
    const Real gap = now.w, u0 = normal_velocity(env, at, y, before);
    const Real a = kg_div(normal_velocity(env, at, y, after) - u0, h);
    kg_sync();  // both lanes have read the impulse
    if (!elastic || !at.owners.writes(env)) return;
    int phase = now.x == 0 ? CONTACT_IDLE : CONTACT_RESTING;
    if (u0 < -p.bounce_threshold) {
        rows.impulse_gap(i) = four(v3(0, 0, 0), gap);
        phase = gap + h * u0 + (Real)0.5 * a * h * h > 0 ? CONTACT_WAITING : CONTACT_BOUNCING;
        const Real reach = kg_max(gap, (Real)0), speed = -u0, t = kg_div(reach, speed);
        rows.bounce(i) = kg_div(e * speed * (h - t) - reach, h);
        rows.settle(i) = e * (speed - a * t) + a * (h - t);
    }
    rows.phase(i) = (Real)phase;
}

// gaps move by h times the whitened velocity w
template <class Vector>
KG_FN void move_gaps(const Env& env, Real h, const Real* map, const Vector& w, DofRow* dofs, const Schedule& s, const Rows& rows) {
    each<ND>([&](auto i) {
        if (!dofs[i].on) return;
        const Real move = h * velocity_of(map, w, dof_v[i]);
        dofs[i].lower_gap += move;
        dofs[i].upper_gap -= move;
    });
    each_visit(env, rows, s, [&](const Visited& its) {
        const int i = its.contact;
        const RowPlace at = row_place(rows, its, its.mine);
        const Four now = rows.impulse_gap(i);
        const Real u = normal_velocity(env, at, row_y(env, rows, i, at.owners), w);
        if (its.mine && at.owners.writes(env)) rows.impulse_gap(i) = four(xyz(now), now.w + h * u);
    });
    kg_sync();  // a contact of two limbs: written by one of its lanes, read by both
}

// trees with a loaded row or with drives so stiff that positions must follow the end velocity
KG_FN void mark_loaded(const Env& env, bool always, const bool* stiff, const DofRow* dofs, const Schedule& s, const Rows& rows, bool* loaded) {
    each<NT>([&](auto t) { loaded[t] = stiff[t] || always; });
    each<ND>([&](auto i) {
        const DofRow& r = dofs[i];
        if (r.stop != 0 || r.friction != 0 || r.speed != 0) loaded[v_tree[dof_v[i]]] = true;
    });
    each_visit(env, rows, s, [&](const Visited& its) {
        if (!its.mine || rows.impulse_gap(its.contact).x <= 0) return;
        const ContactPlace at = rows.place(its.contact);
        const int a = env_link_tree[at.link_a], b = at.link_b >= 0 ? env_link_tree[at.link_b] : -1;
        each_of_two<NT>(a, b, [&](auto t) { if (is_tree(env, t, a) || is_tree(env, t, b)) loaded[t] = true; });
    });
    any_limb(loaded);
}

// what the solver leaves
struct Solution {
#if KG_UNROLL
    Real x[NV];       // displacement in v-space
    Real v[NV];       // velocity at the end
#else
    Real *x, *v;      // the same, where the next stage looks for them (step.h)
#endif
    Real drive[ND1];  // force of the drives in the last iteration
    Real w[NV];       // whitened velocity: at the start, in; its change, out
    Real forced[NSENSORS > 0 ? NV : 1];  // the part of that change that forces made
};

// force: constant over the substep, efforts less bias. The velocity at the end is v_start plus its change: what does not
// change is not rounded.
template <class Args>
KG_FN void solve(const Args& args, const Env& env, const StepSettings& st, const Real* map, const Drives& d, const Real* force,
                 const bool* stiff, const Real* v_start, DofRow* dofs, Couplings& couplings, const Schedule& contacts, const Rows& rows, Real unsettled, Solution& s) {
    const Real h = kg_div(st.dt, (Real)st.iterations);
    Visit visit = {h, kg_div((Real)1, h), st.bounce_threshold, st.max_depenetration, soft_constraint(h), true};
    Real w[NV];
    each<NV>([&](auto i) {
        w[i] = s.w[i];
        s.x[i] = 0;
        s.v[i] = v_start[i];
        if (NSENSORS > 0) s.forced[i] = 0;
    });

    KG_ROLLED for (int n = 0; n < st.iterations; ++n) {
        kg_together();
        const bool last = n == st.iterations - 1;
        Real before[NV], biased[NV];
        {
#if KG_UNROLL
            Real push[NV];
            each<NV>([&](auto i) {
                const auto j = v_dof[i];
                Real f = force[i];
                if (j >= 0 && !is_saturated(d, j)) f += drive_force(d, j, s.v[i], s.x[i]);
                push[i] = h * f;
            });
#else
            const auto push = looked_up([&](int i) {
                const int j = v_dof[i];
                return h * (force[i] + (j >= 0 && !is_saturated(d, j) ? drive_force(d, j, s.v[i], s.x[i]) : (Real)0));
            });
#endif
            each<NV>([&](auto i) {
                const Real change = whitened(map, push, i);
                before[i] = w[i];
                w[i] += change;
                if (NSENSORS > 0) s.forced[i] += change;
            });
        }

        const Real most = energy(w, w) * (Real)(1 + 1e-5) + unsettled;

        // warm start
        if (HAS_RESTITUTION) each_visit(env, rows, contacts, [&](const Visited& at) { choose_phase(env, visit, rows, at, before, w); });
        kg_sync();
        warm_dofs(env, map, dofs, w);
        start_couplings(st, n, before, couplings, w);
        warm_contacts(env, rows, rows, contacts, w);
        if constexpr (HAS_SPIN_FRICTION) warm_contacts(env, rows, rows.spins(), contacts, w);

        // sweeps: biased ones, the positions' move, relaxing ones
        const int relaxes = st.semi_implicit && st.sweeps == 0 ? 0 : st.sweeps + (last ? st.extra_relax : 0);
        bool loaded[NT];
        KG_ROLLED for (int pass = 0;; ++pass) {
            const bool moves = pass == st.sweeps, ends = pass == st.sweeps + relaxes;
            if (moves) each<NV>([&](auto i) { biased[i] = w[i]; });
            if ((moves || ends) && kg_warp_any(energy(w, w) > most)) {
                const Real more = driven(d, dofs, couplings) + (ends ? (Real)0 : pushed(env, visit, dofs, rows, contacts));
                const Real part = part_of_way(kg_sqrt(most) + more, before, w);
                if (part < 1 && moves) each<NV>([&](auto i) { biased[i] = before[i] + part * (w[i] - before[i]); });
                if (part < 1 && ends) {
                    each<NV>([&](auto i) { w[i] = before[i] + part * (w[i] - before[i]); });
                    shrink_impulses(env, part, dofs, couplings, rows, contacts);
                }
                kg_sync();  // a contact's impulse is made smaller by one lane, read by others
            }
            if (moves) {
                move_gaps(env, h, map, biased, dofs, contacts, rows);
                mark_loaded(env, st.semi_implicit, stiff, dofs, contacts, rows, loaded);
            }
            if (ends) break;
            visit.biased = pass < st.sweeps;
            sweep_dofs(args, env, visit, d, map, s.x, dofs, w);
            sweep_couplings(visit.inv_h, visit.biased, couplings, w);
            sweep_contacts(env, visit, rows, contacts, w);
            if constexpr (HAS_SPIN_FRICTION) sweep_spins(env, rows, contacts, w);
        }

        // Trees that carry load move with the biased velocity, free ones with the mean over the iteration, and where
        // couplings hold them by what these mend as well
        bool any_late = false;
#if KG_UNROLL
        Real moved[NV], late[NV], change[NV];
#else
        const auto late = looked_up([&](int i) { return before[i] - biased[i]; });  // before: the mean, below
        const auto moved = looked_up([&](int i) { return before[i] - s.w[i]; });
        const auto change = looked_up([&](int i) { return w[i] - s.w[i]; });
#endif
        each<NV>([&](auto i) {
            const bool free = !loaded[v_tree[i]];
            const Real mended = NCR > 0 && tree_held[v_tree[i]] ? biased[i] - w[i] : (Real)0;
            const Real mean = free ? (Real)0.5 * (before[i] + w[i]) + mended : biased[i];
            if (NCR > 0 || !WRITTEN_OUT) before[i] = mean;
            any_late = any_late || free;
#if KG_UNROLL
            late[i] = mean - biased[i];
            moved[i] = mean - s.w[i];
            change[i] = w[i] - s.w[i];
#endif
        });
        end_couplings(h, before, couplings);
        if (kg_warp_any(any_late)) move_gaps(env, h, map, late, dofs, contacts, rows);
        each<NV>([&](auto i) {
            const auto j = v_dof[i];
            const Real v = v_start[i] + velocity_of(map, change, i);
            if (last && j >= 0) s.drive[j] = is_saturated(d, j) ? (Real)0 : drive_force(d, j, v, s.x[i]);
            s.v[i] = v;
            s.x[i] += h * (v_start[i] + velocity_of(map, moved, i));
        });
        each<ND>([&](auto i) { dofs[i].total += dofs[i].friction + dofs[i].stop + dofs[i].speed; });
        KG_ROLLED for (int i = env.lane; i < contacts.contacts; i += LANES) rows.add_total(i, xyz(rows.impulse_gap(i)));
        if constexpr (HAS_SPIN_FRICTION) {
            KG_ROLLED for (int i = env.lane; i < contacts.contacts; i += LANES) rows.spins().add_total(i, xyz(rows.spins().impulse_gap(i)));
        }
    }
    each<NV>([&](auto i) { s.w[i] = w[i] - s.w[i]; });
    each<ND>([&](auto i) { if (is_saturated(d, i)) s.drive[i] = dofs[i].drive * kg_inv(h); });
}
