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

struct Visit { const StepSettings& st; const Soft& soft; Real h; bool biased; };

KG_FN void visit_contact(const Env& env, const Own& own, const Visit& p, ContactRows& c, const Y3* y, int i, bool mine, Real* w) {
    const Vec3 old = mine ? c.impulse[i] : v3(0, 0, 0);  // read before the sum: after it the other lanes write
    const Vec3 u = contact_dots(env, own, c, y, i, w, mine);
    if (!mine || c.phase[i] == CONTACT_WAITING) return;
    Vec3 f = old;
    if (c.phase[i] == CONTACT_BOUNCING) {
        f.x = kg_max(f.x - (u.x - c.bounce[i][p.biased ? 0 : 1]) * c.inv_bounce[i], (Real)0);
    } else {
        // an elastic contact that others make approach fast waits for the next iteration, where it bounces
        const Real alone = c.phase[i] == CONTACT_IDLE ? u.x - f.x / c.inv_n[i] : (Real)0;
        if (alone < -p.st.bounce_threshold && c.gap[i] + p.h * alone < 0) f.x = 0;
        else f.x = unilateral(p.st, p.soft, p.h, p.biased, c.gap[i], u.x, c.inv_n[i], f.x);
    }
    const Real d = f.x - old.x, reach = c.static_mu[i] * f.x, inv = c.inv_t[i];
    f.y -= (u.y + c.couple1[i] * d) * inv;
    f.z -= (u.z + c.couple2[i] * d) * inv;
    const Real t2 = f.y * f.y + f.z * f.z;
    if (t2 > reach * reach) {
        const Real s = c.dynamic_mu[i] * f.x / kg_sqrt(t2);
        f.y *= s;
        f.z *= s;
    }
    c.impulse[i] = f;
    contact_add(env, own, c, y, i, f - old, w);
}

template <class Args>
KG_FN void visit_dof(const Args& args, const Env& env, const Own& own, const Visit& p, const Drives& d, const Real* map,
                     const Real* x, DofRows& rows, int r, bool mine, Real* w) {
    const int i = mine ? rows.dof[r] : 0;
    const int v = ND > 0 ? dof_v[i] : 0;
    const Real drive = mine ? rows.drive[r] : (Real)0, friction = mine ? rows.friction[r] : (Real)0;
    const Real speed = mine ? rows.speed[r] : (Real)0, lower = mine ? rows.lower[r] : (Real)0, upper = mine ? rows.upper[r] : (Real)0;
    const Real start = dof_dot(env, own, map, v, w, mine);
    if (!mine) return;
    const Real A = rows.diagonal[r], inv = (Real)1 / A;
    Real u = start;
    if (d.saturated[i]) {
        const Real c = p.h * (d.push[i] - d.kp[i] * x[v]), implicit = p.h * d.drag[i];
        const Real limit = p.h * d.limit[i];
        Real lam = kg_clamp((c - implicit * (u - A * drive)) / (1 + implicit * A), -limit, limit);
        u += A * (lam - drive);
        rows.drive[r] = lam;
    }
    const Real dry = p.h * load(args.dof_friction, i, env);
    if (dry > 0) {
        Real lam = kg_clamp(friction - u * inv, -dry, dry);
        u += A * (lam - friction);
        rows.friction[r] = lam;
    }
    const Real fastest = load(args.dof_velocity, i, env);
    if (fastest < (Real)1e30) {
        Real free = u - A * speed;
        Real lam = free > fastest ? (fastest - free) * inv : free < -fastest ? (-fastest - free) * inv : (Real)0;
        u += A * (lam - speed);
        rows.speed[r] = lam;
    }
    if (rows.lower_gap[r] < (Real)1e29) {
        Real lam = unilateral(p.st, p.soft, p.h, p.biased, rows.lower_gap[r], u, inv, lower);
        u += A * (lam - lower);
        rows.lower[r] = lam;
    }
    if (rows.upper_gap[r] < (Real)1e29) {
        Real lam = unilateral(p.st, p.soft, p.h, p.biased, rows.upper_gap[r], -u, inv, upper);
        u -= A * (lam - upper);
        rows.upper[r] = lam;
    }
    if (u != start) dof_add(env, own, map, v, (u - start) * inv, w);
}

// which contacts bounce in this iteration, and when in it they touch (TOI-aware restitution): an approach faster
// than the threshold that arrives at time t within h leaves with e times the arrival speed for the rest of h
KG_FN void choose_phases(const Env& env, const StepSettings& st, Real h, ContactRows& c, const Y3* y, const Real* before, const Real* after) {
    KG_EACH(i, c.count) {
        c.phase[i] = CONTACT_RESTING;
        if (c.restitution[i] <= 0) continue;
        if (c.impulse[i].x == 0) c.phase[i] = CONTACT_IDLE;
        const Real u0 = normal_velocity(c, y, i, before);
        if (u0 >= -st.bounce_threshold) continue;
        const Real a = (normal_velocity(c, y, i, after) - u0) / h;
        const Real gap = c.gap[i];
        c.impulse[i] = v3(0, 0, 0);
        if (gap + h * u0 + (Real)0.5 * a * h * h > 0) {
            c.phase[i] = CONTACT_WAITING;
            continue;
        }
        const Real reach = kg_max(gap, (Real)0), speed = -u0, t = reach / speed, e = c.restitution[i];
        c.phase[i] = CONTACT_BOUNCING;
        c.bounce[i][0] = (e * speed * (h - t) - reach) / h;
        c.bounce[i][1] = e * (speed - a * t) + a * (h - t);
    }
    kg_sync();
}

// gaps move by h times the whitened velocity w (all DOFs)
KG_FN void move_gaps(const Env& env, Real h, const Real* map, const Y3* y, const Real* w, DofRows& dofs, ContactRows& contacts) {
    KG_EACH(i, contacts.count) contacts.gap[i] += h * normal_velocity(contacts, y, i, w);
    KG_EACH(r, dofs.count) {
        const Real u = h * velocity_of(map, w, dof_v[dofs.dof[r]]);
        dofs.lower_gap[r] += u;
        dofs.upper_gap[r] -= u;
    }
}

// trees with a loaded row or with drives so stiff that positions must follow the end velocity
KG_FN void mark_loaded(const Env& env, const StepSettings& st, const bool* stiff, const DofRows& dofs, const ContactRows& contacts, bool* loaded) {
    KG_EACH(t, NT) loaded[t] = stiff[t] || st.semi_implicit;
    kg_sync();
    KG_EACH(i, contacts.count) {
        if (contacts.impulse[i].x <= 0) continue;
        loaded[link_tree[contacts.link_a[i]]] = true;
        if (contacts.link_b[i] >= 0) loaded[link_tree[contacts.link_b[i]]] = true;
    }
    KG_EACH(r, dofs.count) {
        if (dofs.lower[r] > 0 || dofs.upper[r] > 0 || dofs.friction[r] != 0 || dofs.speed[r] != 0)
            loaded[v_tree[dof_v[dofs.dof[r]]]] = true;
    }
    kg_sync();
}

// what the solver shares among the lanes of a group, all [NV]
struct Exchange {
    Real force[NV];   // constant over the substep: efforts less bias
    Real w[NV];       // whitened velocity at the start of the substep, in
    Real x[NV];       // displacement in v-space, out
    Real v[NV];       // velocity, out
    Real a[NV], b[NV];
    Real drive[ND1];  // force of the drives in the last iteration, out
    Real forced[NSENSORS > 0 ? NV : 1];  // the part of w's change that forces made, out
    bool stiff[NT], loaded[NT];
};

// The velocity at the end is v_start plus its change: what does not change is not rounded.
template <class Args>
KG_FN void solve(const Args& args, const Env& env, const StepSettings& st, const Real* map, const Drives& d,
                 const Real* v_start, DofRows& dofs, ContactRows& contacts, const Y3* y, Exchange& e) {
    const Real h = st.dt / (Real)st.iterations;
    const Soft soft = soft_constraint(h);
    const Own own = own_dofs(env);
    const int most_contacts = kg_most(contacts.count), most_dofs = kg_most(dofs.count);
    const bool elastic = kg_any(contacts.elastic);
    Real w[OWN], start[OWN], before[OWN], biased[OWN];
    KG_UNROLLED for (int s = 0; s < OWN; ++s) w[s] = start[s] = s * LANES + env.lane < NV ? e.w[s * LANES + env.lane] : (Real)0;
    KG_EACH(i, NV) {
        e.x[i] = 0;
        e.v[i] = v_start[i];
        if (NSENSORS > 0) e.forced[i] = 0;
    }
    kg_sync();

    KG_ROLLED for (int n = 0; n < st.iterations; ++n) {
        const bool last = n == st.iterations - 1;
        // forces
        KG_EACH(i, NV) {
            const int j = v_dof[i];
            Real f = e.force[i];
            if (j >= 0 && !d.saturated[j]) f += drive_force(d, j, e.v[i], e.x[i]);
            e.a[i] = h * f;
        }
        kg_sync();
        KG_UNROLLED for (int s = 0; s < OWN; ++s) {
            const int i = s * LANES + env.lane;
            before[s] = w[s];
            if (i >= NV) continue;
            const Real change = whitened(map, e.a, i);
            w[s] += change;
            if (NSENSORS > 0) e.forced[i] += change;
        }

        // warm start
        if (elastic) {
            KG_UNROLLED for (int s = 0; s < OWN; ++s) {
                if (s * LANES + env.lane < NV) {
                    e.b[s * LANES + env.lane] = before[s];
                    e.w[s * LANES + env.lane] = w[s];
                }
            }
            kg_sync();
            choose_phases(env, st, h, contacts, y, e.b, e.w);
        }
        KG_ROLLED for (int r = 0; r < dofs.count; ++r) {
            dof_add(env, own, map, dof_v[dofs.dof[r]], dofs.drive[r] + dofs.friction[r] + dofs.lower[r] - dofs.upper[r], w);
            dofs.speed[r] = 0;
        }
        KG_ROLLED for (int i = 0; i < contacts.count; ++i) contact_add(env, own, contacts, y, i, contacts.impulse[i], w);

        // sweeps: biased ones, the positions' move, relaxing ones
        const int relaxes = st.semi_implicit && st.sweeps == 0 ? 0 : st.sweeps + (last ? st.extra_relax : 0);
        KG_ROLLED for (int pass = 0;; ++pass) {
            if (pass == st.sweeps) {
                KG_UNROLLED for (int s = 0; s < OWN; ++s) {
                    biased[s] = w[s];
                    if (s * LANES + env.lane < NV) e.b[s * LANES + env.lane] = w[s];
                }
                kg_sync();
                move_gaps(env, h, map, y, e.b, dofs, contacts);
                mark_loaded(env, st, e.stiff, dofs, contacts, e.loaded);
            }
            if (pass == st.sweeps + relaxes) break;
            const Visit visit = {st, soft, h, pass < st.sweeps};
            KG_ROLLED for (int r = 0; r < most_dofs; ++r) visit_dof(args, env, own, visit, d, map, e.x, dofs, r, r < dofs.count, w);
            KG_ROLLED for (int i = 0; i < most_contacts; ++i) visit_contact(env, own, visit, contacts, y, i, i < contacts.count, w);
        }

        // trees that carry load move with the biased velocity, free ones with the mean over the iteration
        bool late = false;
        KG_UNROLLED for (int s = 0; s < OWN; ++s) {
            const int i = s * LANES + env.lane;
            if (i >= NV) continue;
            const bool free = !e.loaded[v_tree[i]];
            const Real moved = free ? (Real)0.5 * (before[s] + w[s]) : biased[s];
            late = late || free;
            e.a[i] = moved - start[s];
            e.b[i] = moved - biased[s];
            e.w[i] = w[s] - start[s];
        }
        const bool anyone_late = kg_ballot(late) != 0;
        kg_sync();
        if (anyone_late) move_gaps(env, h, map, y, e.b, dofs, contacts);
        KG_EACH(i, NV) {
            const int j = v_dof[i];
            const Real v = v_start[i] + velocity_of(map, e.w, i);
            if (last && j >= 0) e.drive[j] = d.saturated[j] ? (Real)0 : drive_force(d, j, v, e.x[i]);
            e.v[i] = v;
            e.x[i] += h * (v_start[i] + velocity_of(map, e.a, i));
        }
        KG_EACH(i, contacts.count) contacts.total[i] = contacts.total[i] + contacts.impulse[i];
        KG_EACH(r, dofs.count) dofs.total[r] += dofs.friction[r] + dofs.lower[r] - dofs.upper[r] + dofs.speed[r];
        kg_sync();
    }
    KG_EACH(r, dofs.count) {
        if (d.saturated[dofs.dof[r]]) e.drive[dofs.dof[r]] = dofs.drive[r] / h;
    }
    kg_sync();
}
