// The constraint solver: S soft-step iterations of h = dt / S in whitened velocity space.
//
//   for each iteration:  apply h * force  ->  warm start  ->  biased sweeps  ->  advance gaps and positions
//                        ->  relax sweeps
//
// A biased sweep pushes penetration out through a soft constraint of frequency 0.1875 / h and damping ratio 5; a
// relax sweep takes the velocity that this added away again. Jacobians are frozen over the step; gaps move with
// the velocity of the biased sweep. Normal before friction, friction projected onto its disc.
// Source: Catto, Solver2D (2024), the soft-step idea; whitening and the round cone are ours (docs/physics.md).

struct Soft { Real rate, mass_scale, impulse_scale; };

KG_FN Soft soft_constraint(Real h) {
    const Real zeta = 5, h_omega = (Real)(2 * 3.14159265358979323846 * 0.1875);
    const Real a1 = 2 * zeta + h_omega, a2 = h_omega * a1;
    Soft s;
    s.rate = h_omega / (h * a1);
    s.mass_scale = a2 / (1 + a2);
    s.impulse_scale = (Real)1 / (1 + a2);
    return s;
}

// one unilateral unknown: impulse after a visit at relative velocity u
KG_FN Real unilateral(const StepSettings& st, const Soft& soft, Real h, bool biased, Real gap, Real u, Real inv, Real impulse) {
    if (gap > 0 || !biased) return kg_max(impulse - (u + kg_max(gap, (Real)0) / h) * inv, (Real)0);
    const Real bias = kg_max(soft.rate * gap, -st.max_depenetration);
    return kg_max(impulse - soft.mass_scale * (u + bias) * inv - soft.impulse_scale * impulse, (Real)0);
}

KG_FN void visit_contact(const StepSettings& st, const Soft& soft, Real h, bool biased, ContactRows& c, int i, Real* w) {
    if (c.phase[i] == CONTACT_WAITING) return;
    Real u = contact_dot(c, i, 0, w);
    Real lam = c.impulse[i][0];
    if (c.phase[i] == CONTACT_BOUNCING) {
        lam = kg_max(lam - (u - c.bounce[i][biased ? 0 : 1]) * c.inv_bounce[i], (Real)0);
    } else {
        // an elastic contact that others make approach fast waits for the next iteration, where it bounces
        const Real alone = u - lam / c.inv_n[i];
        if (c.phase[i] == CONTACT_IDLE && alone < -st.bounce_threshold && c.gap[i] + h * alone < 0) lam = 0;
        else lam = unilateral(st, soft, h, biased, c.gap[i], u, c.inv_n[i], lam);
    }
    Real d = lam - c.impulse[i][0];
    c.impulse[i][0] = lam;
    if (d != 0) contact_add(c, i, 0, d, w);

    if (c.static_mu[i] == 0 && c.dynamic_mu[i] == 0) return;
    Real t1 = c.impulse[i][1] - contact_dot(c, i, 1, w) * c.inv_t[i];
    Real t2 = c.impulse[i][2] - contact_dot(c, i, 2, w) * c.inv_t[i];
    Real t = kg_sqrt(t1 * t1 + t2 * t2);
    if (t > c.static_mu[i] * lam) {
        Real s = t > 0 ? c.dynamic_mu[i] * lam / t : (Real)0;
        t1 *= s;
        t2 *= s;
    }
    contact_add(c, i, 1, t1 - c.impulse[i][1], w);
    contact_add(c, i, 2, t2 - c.impulse[i][2], w);
    c.impulse[i][1] = t1;
    c.impulse[i][2] = t2;
}

template <class Args>
KG_FN void visit_dof(const Args& args, int env, const StepSettings& st, const Soft& soft, Real h, bool biased,
                     const Drives& d, const Real* x, DofRows& rows, int r, Real* w) {
    const int i = rows.dof[r];
    const int v = dof_v[i];
    const int length = anc_len[v] + 1;
    const Real A = rows.diagonal[r], inv = (Real)1 / A;
    const Real start = path_dot(rows.y[r], v_path[v], length, w);
    Real u = start;
    if (rows.saturated[r]) {
        const Real c = h * (d.kp[i] * (d.error[i] - x[v]) + d.kd[i] * d.target_vel[i]);
        const Real limit = h * d.limit[i];
        Real lam = kg_clamp((c - d.implicit[i] * (u - A * rows.drive[r])) / (1 + d.implicit[i] * A), -limit, limit);
        u += A * (lam - rows.drive[r]);
        rows.drive[r] = lam;
    }
    const Real dry = h * load(args.dof_friction, i, env);
    if (dry > 0) {
        Real lam = kg_clamp(rows.friction[r] - u * inv, -dry, dry);
        u += A * (lam - rows.friction[r]);
        rows.friction[r] = lam;
    }
    const Real fastest = load(args.dof_velocity, i, env);
    if (fastest < (Real)1e30) {
        Real free = u - A * rows.speed[r];
        Real lam = free > fastest ? (fastest - free) * inv : free < -fastest ? (-fastest - free) * inv : (Real)0;
        u += A * (lam - rows.speed[r]);
        rows.speed[r] = lam;
    }
    if (rows.lower_gap[r] < (Real)1e29) {
        Real lam = unilateral(st, soft, h, biased, rows.lower_gap[r], u, inv, rows.lower[r]);
        u += A * (lam - rows.lower[r]);
        rows.lower[r] = lam;
    }
    if (rows.upper_gap[r] < (Real)1e29) {
        Real lam = unilateral(st, soft, h, biased, rows.upper_gap[r], -u, inv, rows.upper[r]);
        u -= A * (lam - rows.upper[r]);
        rows.upper[r] = lam;
    }
    if (u != start) path_add(rows.y[r], v_path[v], length, (u - start) * inv, w);
}

template <class Args>
KG_FN void sweep(const Args& args, int env, const StepSettings& st, const Soft& soft, Real h, bool biased,
                 const Drives& d, const Real* x, DofRows& dofs, ContactRows& contacts, Real* w) {
    for (int r = 0; r < dofs.count; ++r) visit_dof(args, env, st, soft, h, biased, d, x, dofs, r, w);
    for (int i = 0; i < contacts.count; ++i) visit_contact(st, soft, h, biased, contacts, i, w);
}

// which contacts bounce in this iteration, and when in it they touch (TOI-aware restitution): an approach faster
// than the threshold that arrives at time t within h leaves with e times the arrival speed for the rest of h
KG_FN void choose_phases(const StepSettings& st, Real h, ContactRows& c, const Real* before, const Real* after) {
    for (int i = 0; i < c.count; ++i) {
        c.phase[i] = CONTACT_RESTING;
        if (c.restitution[i] <= 0) continue;
        if (c.impulse[i][0] == 0) c.phase[i] = CONTACT_IDLE;
        const Real u0 = contact_dot(c, i, 0, before);
        if (u0 >= -st.bounce_threshold) continue;
        const Real a = (contact_dot(c, i, 0, after) - u0) / h;
        const Real gap = c.gap[i];
        c.impulse[i][0] = c.impulse[i][1] = c.impulse[i][2] = 0;
        if (gap + h * u0 + (Real)0.5 * a * h * h > 0) {
            c.phase[i] = CONTACT_WAITING;
            continue;
        }
        const Real reach = kg_max(gap, (Real)0), speed = -u0, t = reach / speed, e = c.restitution[i];
        c.phase[i] = CONTACT_BOUNCING;
        c.bounce[i][0] = (e * speed * (h - t) - reach) / h;
        c.bounce[i][1] = e * (speed - a * t) + a * (h - t);
    }
}

// w: whitened velocity, start of the substep in, end out. v: the velocity at the end, found as v_start plus its
// change: what does not change is not rounded. x: displacement in v-space, out. force: everything that is constant
// over the substep (efforts less bias). stiff[t]: trees whose drives are so stiff that positions must follow the end
// velocity. w_force: the part of the change of w that forces made (for sensors).
template <class Args>
KG_FN void solve(const Args& args, int env, const StepSettings& st, const Factor& f, const Drives& d,
                 const Real* force, const Real* v_start, const bool* stiff, DofRows& dofs, ContactRows& contacts,
                 Real* w, Real* v, Real* x, Real* w_force, Real* drive_out) {
    const Real h = st.dt / (Real)st.iterations;
    const Soft soft = soft_constraint(h);
    Real start[NV], before[NV], biased[NV];
    KG_UNROLL for (int i = 0; i < NV; ++i) x[i] = 0;
    KG_UNROLL for (int i = 0; i < NV; ++i) w_force[i] = 0;
    KG_UNROLL for (int i = 0; i < NV; ++i) v[i] = v_start[i];
    KG_UNROLL for (int i = 0; i < NV; ++i) start[i] = w[i];

    for (int s = 0; s < st.iterations; ++s) {
        // forces
        Real impulse[NV];
        KG_UNROLL for (int i = 0; i < NV; ++i) impulse[i] = h * force[i];
        KG_UNROLL for (int i = 0; i < ND; ++i) {
            const int j = dof_v[i];
            if (!d.saturated[i]) impulse[j] += h * drive_force(d, i, h, v[j], x[j]);
        }
        whiten_impulse(f, impulse);
        KG_UNROLL for (int i = 0; i < NV; ++i) {
            before[i] = w[i];
            w[i] += impulse[i];
            if (NSENSORS > 0) w_force[i] += impulse[i];
        }

        // warm start
        choose_phases(st, h, contacts, before, w);
        for (int r = 0; r < dofs.count; ++r) {
            const int j = dof_v[dofs.dof[r]];
            dofs.speed[r] = 0;
            path_add(dofs.y[r], v_path[j], anc_len[j] + 1, dofs.drive[r] + dofs.friction[r] + dofs.lower[r] - dofs.upper[r], w);
        }
        for (int i = 0; i < contacts.count; ++i) {
            for (int k = 0; k < 3; ++k) {
                if (contacts.impulse[i][k] != 0) contact_add(contacts, i, k, contacts.impulse[i][k], w);
            }
        }

        for (int i = 0; i < st.sweeps; ++i) sweep(args, env, st, soft, h, true, d, x, dofs, contacts, w);
        KG_UNROLL for (int i = 0; i < NV; ++i) biased[i] = w[i];

        // trees that carry load move with the biased velocity, free ones with the mean over the iteration
        bool loaded[NT];
        bool all_loaded = true;
        KG_UNROLL for (int t = 0; t < NT; ++t) loaded[t] = stiff[t] || st.semi_implicit;
        for (int i = 0; i < contacts.count; ++i) {
            if (contacts.impulse[i][0] <= 0) continue;
            loaded[link_tree[path_link[contacts.path_a[i]]]] = true;
            if (contacts.length_b[i] > 0) loaded[link_tree[path_link[contacts.path_b[i]]]] = true;
        }
        for (int r = 0; r < dofs.count; ++r) {
            if (dofs.lower[r] > 0 || dofs.upper[r] > 0 || dofs.friction[r] != 0 || dofs.speed[r] != 0)
                loaded[link_tree[v_link[dof_v[dofs.dof[r]]]]] = true;
        }
        KG_UNROLL for (int t = 0; t < NT; ++t) all_loaded = all_loaded && loaded[t];
        for (int i = 0; i < contacts.count; ++i) contacts.gap[i] += h * contact_dot(contacts, i, 0, biased);
        for (int r = 0; r < dofs.count; ++r) {
            const int j = dof_v[dofs.dof[r]];
            const Real u = h * path_dot(dofs.y[r], v_path[j], anc_len[j] + 1, biased);
            dofs.lower_gap[r] += u;
            dofs.upper_gap[r] -= u;
        }

        const int relaxes = st.sweeps + (s == st.iterations - 1 ? st.extra_relax : 0);
        if (!st.semi_implicit || st.sweeps > 0) {
            for (int i = 0; i < relaxes; ++i) sweep(args, env, st, soft, h, false, d, x, dofs, contacts, w);
        }

        Real moved[NV];
        KG_UNROLL for (int i = 0; i < NV; ++i)
            moved[i] = loaded[v_tree[i]] ? biased[i] : (Real)0.5 * (before[i] + w[i]);
        if (!all_loaded) {
            Real late[NV];
            KG_UNROLL for (int i = 0; i < NV; ++i) late[i] = moved[i] - biased[i];
            for (int i = 0; i < contacts.count; ++i) contacts.gap[i] += h * contact_dot(contacts, i, 0, late);
            for (int r = 0; r < dofs.count; ++r) {
                const int j = dof_v[dofs.dof[r]];
                const Real u = h * path_dot(dofs.y[r], v_path[j], anc_len[j] + 1, late);
                dofs.lower_gap[r] += u;
                dofs.upper_gap[r] -= u;
            }
        }
        KG_UNROLL for (int i = 0; i < NV; ++i) v[i] = w[i] - start[i];
        velocity_of(f, v, v);
        KG_UNROLL for (int i = 0; i < NV; ++i) v[i] += v_start[i];
        if (s == st.iterations - 1) {
            KG_UNROLL for (int i = 0; i < ND; ++i)
                drive_out[i] = d.saturated[i] ? (Real)0 : drive_force(d, i, h, v[dof_v[i]], x[dof_v[i]]);
            for (int r = 0; r < dofs.count; ++r) {
                if (dofs.saturated[r]) drive_out[dofs.dof[r]] = dofs.drive[r] / h;
            }
        }
        KG_UNROLL for (int i = 0; i < NV; ++i) moved[i] -= start[i];
        velocity_of(f, moved, moved);
        KG_UNROLL for (int i = 0; i < NV; ++i) x[i] += h * (v_start[i] + moved[i]);

        for (int i = 0; i < contacts.count; ++i) {
            for (int k = 0; k < 3; ++k) contacts.total[i][k] += contacts.impulse[i][k];
        }
        for (int r = 0; r < dofs.count; ++r) dofs.total[r] += dofs.friction[r] + dofs.lower[r] - dofs.upper[r] + dofs.speed[r];
    }
}
