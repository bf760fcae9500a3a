// The constraint solver: S soft-step iterations of h = dt / S.
//
//   for each iteration:  apply h * force  ->  warm start  ->  biased sweeps  ->  advance gaps and positions
//                        ->  relax sweeps
//
// A biased sweep pushes penetration out through a soft constraint of frequency 0.1875 / h and damping ratio 5; a
// relax sweep takes the velocity that this added away again. Jacobians are frozen over the step; gaps move with
// the velocity of the biased sweep. Normal before friction, friction projected onto its disc.
//
// Sweeps are Gauss-Seidel, DOF rows first, then contacts. Each lane visits the rows it holds and finds who would change;
// only those change, one after the other in the order of the rows, and after each the velocities of all rows follow
// through the Delassus matrix (rows.h). A row that would not change costs nothing, and what comes out is what visiting
// every row in order gives.
//
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

// warm: no visit, last iteration's impulses act again
struct Visit { Real h, bounce_threshold, max_depenetration; Soft soft; bool warm, biased; };

// one unilateral unknown: impulse after a visit at relative velocity u
KG_FN Real unilateral(const Visit& p, Real gap, Real u, Real inv, Real impulse) {
    if (gap > 0 || !p.biased) return kg_max(impulse - (u + kg_max(gap, (Real)0) / p.h) * inv, (Real)0);
    const Real bias = kg_max(p.soft.rate * gap, -p.max_depenetration);
    return kg_max(impulse - p.soft.mass_scale * (u + bias) * inv - p.soft.impulse_scale * impulse, (Real)0);
}

// a contact's impulse after a visit
KG_FN Vec3 visit_contact(const Visit& p, const Contact& c) {
    Vec3 f = c.impulse;
    if (c.phase == CONTACT_WAITING) return f;
    if (c.phase == CONTACT_BOUNCING) {
        f.x = kg_max(f.x - (c.u.x - (p.biased ? c.bounce : c.settle)) * c.inv_bounce, (Real)0);
    } else {
        // an elastic contact that others make approach fast waits for the next iteration, where it bounces
        const Real alone = c.phase == CONTACT_IDLE ? c.u.x - f.x / c.inv_n : (Real)0;
        if (alone < -p.bounce_threshold && c.gap + p.h * alone < 0) f.x = 0;
        else f.x = unilateral(p, c.gap, c.u.x, c.inv_n, f.x);
    }
    const Real d = f.x - c.impulse.x, reach = c.static_mu * f.x;
    f.y -= (c.u.y + c.couple1 * d) * c.inv_t;
    f.z -= (c.u.z + c.couple2 * d) * c.inv_t;
    const Real t2 = f.y * f.y + f.z * f.z;
    if (t2 > reach * reach) {
        const Real s = c.dynamic_mu * f.x / kg_sqrt(t2);
        f.y *= s;
        f.z *= s;
    }
    return f;
}

// changes r's impulses; returns the sum of the changes
KG_FN Real visit_dof(const Visit& p, DofRow& r) {
    const Real A = r.diagonal, inv = r.inv;
    Real u = r.u, sum = 0;
    if (r.saturated) {
        const Real lam = kg_clamp((r.pull - r.drag * (u - A * r.drive)) / (1 + r.drag * A), -r.limit, r.limit);
        const Real d = lam - r.drive;
        u += A * d;
        sum += d;
        r.drive = lam;
    }
    if (r.dry > 0) {
        const Real lam = kg_clamp(r.friction - u * inv, -r.dry, r.dry), d = lam - r.friction;
        u += A * d;
        sum += d;
        r.friction = lam;
    }
    if (r.fastest < (Real)1e30) {
        const Real free = u - A * r.speed;
        const Real lam = free > r.fastest ? (r.fastest - free) * inv : free < -r.fastest ? (-r.fastest - free) * inv : (Real)0;
        const Real d = lam - r.speed;
        u += A * d;
        sum += d;
        r.speed = lam;
    }
    if (r.lower_gap < (Real)1e29) {
        const Real lam = unilateral(p, r.lower_gap, u, inv, r.lower), d = lam - r.lower;
        u += A * d;
        sum += d;
        r.lower = lam;
    }
    if (r.upper_gap < (Real)1e29) {
        const Real lam = unilateral(p, r.upper_gap, -u, inv, r.upper), d = lam - r.upper;
        sum -= d;
        r.upper = lam;
    }
    return sum;
}

KG_FN bool nonzero(Vec3 a) { return a.x != 0 || a.y != 0 || a.z != 0; }
KG_FN Vec3 from_lane(Vec3 a, int lane) { return v3(kg_from(a.x, lane), kg_from(a.y, lane), kg_from(a.z, lane)); }

// every row once, in order
KG_FN void sweep(const Env& env, const Visit& p, const Delassus& a, int most_dofs, int most_contacts, Held& held) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        if (s * LANES >= most_dofs) continue;
        KG_ROLLED for (int done = 0;;) {  // rows of this slot on lanes before `done` have had their visit
            DofRow next = held.dofs[s];
            const bool open = next.on && env.lane >= done;
            const Real change = !open ? (Real)0 : p.warm ? impulse_of(next) : visit_dof(p, next);
            bool anyone;
            const unsigned bits = kg_vote(change != 0, anyone);
            const int first = bits ? kg_lowest(bits) : LANES;
            if (open && env.lane <= first) held.dofs[s] = next;
            if (!anyone) break;
            const Real d = kg_from(change, first % LANES);
            if (bits) spread_dof(env, a, s * LANES + first, d, held);
            done = first + 1;
        }
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        if (s * LANES >= most_contacts) continue;
        KG_ROLLED for (int done = 0;;) {
            const bool open = held.contacts[s].on && env.lane >= done;
            const Vec3 old = held.contacts[s].impulse, f = open && !p.warm ? visit_contact(p, held.contacts[s]) : old;
            const Vec3 change = !open ? v3(0, 0, 0) : p.warm ? f : f - old;
            bool anyone;
            const unsigned bits = kg_vote(nonzero(change), anyone);
            const int first = bits ? kg_lowest(bits) : LANES;
            if (open && env.lane <= first) held.contacts[s].impulse = f;
            if (!anyone) break;
            const Vec3 d = from_lane(change, first % LANES);
            if (bits) spread_contact(env, a, s * LANES + first, d, held);
            done = first + 1;
        }
    }
}

// f(some, lane) for every lane whose bit is set, the whole warp together; some: this group has one in this round
template <class F>
KG_FN void for_lanes(unsigned bits, F f) {
    while (kg_any(bits != 0)) {
        f(bits != 0, bits ? kg_lowest(bits) : 0);
        bits &= bits - 1;
    }
}

// w += Y impulse, biased += Y (impulse after the biased sweeps)
KG_FN void add_impulses(const Env& env, const Own& own, const Real* map, const DofRows& dofs, const ContactRows& rows, const Y3* y,
                        int most_dofs, int most_contacts, const Held& held, Real* w, Real* biased) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        if (s * LANES >= most_dofs) continue;
        const Real f = held.dofs[s].on ? impulse_of(held.dofs[s]) : (Real)0, g = held.dofs[s].on ? held.dofs[s].biased : (Real)0;
        for_lanes(kg_ballot(f != 0 || g != 0), [&](bool some, int lane) {
            const Real fl = kg_from(f, lane), gl = kg_from(g, lane);
            if (some) add_dof(env, own, map, dof_v[dofs.dof[s * LANES + lane]], fl, gl, w, biased);
        });
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        if (s * LANES >= most_contacts) continue;
        const Vec3 f = held.contacts[s].impulse, g = held.contacts[s].on ? held.contacts[s].biased : f;
        for_lanes(kg_ballot(nonzero(f) || nonzero(g)), [&](bool some, int lane) {
            const Vec3 fl = from_lane(f, lane), gl = from_lane(g, lane);
            if (some) add_contact(env, own, rows, y, s * LANES + lane, fl, gl, w, biased);
        });
    }
}

// whether a contact bounces in this iteration, and when in it it touches (TOI-aware restitution): an approach faster
// than the threshold that arrives at time t within h leaves with e times the arrival speed for the rest of h
KG_FN void choose_phase(Real bounce_threshold, Real h, Contact& c) {
    c.phase = CONTACT_RESTING;
    if (c.restitution <= 0) return;
    if (c.impulse.x == 0) c.phase = CONTACT_IDLE;
    const Real u0 = c.before;
    if (u0 >= -bounce_threshold) return;
    const Real a = (c.u.x - u0) / h, gap = c.gap;
    c.impulse = v3(0, 0, 0);
    if (gap + h * u0 + (Real)0.5 * a * h * h > 0) {
        c.phase = CONTACT_WAITING;
        return;
    }
    const Real reach = kg_max(gap, (Real)0), speed = -u0, t = reach / speed, e = c.restitution;
    c.phase = CONTACT_BOUNCING;
    c.bounce = (e * speed * (h - t) - reach) / h;
    c.settle = e * (speed - a * t) + a * (h - t);
}

KG_FN void move_gaps(DofRow& r, Real x) {
    r.lower_gap += x;
    r.upper_gap -= x;
}

// After the biased sweeps: gaps move with the velocity, trees with a loaded row, or with drives so stiff that positions
// must follow the end velocity, are marked
KG_FN void end_biased(const Env& env, Real h, bool always, const bool* stiff, const ContactRows& rows, Held& held, bool* loaded) {
    KG_EACH(t, NT) loaded[t] = stiff[t] || always;
    kg_sync();
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        DofRow& r = held.dofs[s];
        if (!r.on) continue;
        r.biased = impulse_of(r);
        move_gaps(r, h * r.u);
        if (r.lower > 0 || r.upper > 0 || r.friction != 0 || r.speed != 0) loaded[v_tree[dof_v[r.dof]]] = true;
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        Contact& c = held.contacts[s];
        if (!c.on) continue;
        const int i = s * LANES + env.lane;
        c.biased = c.impulse;
        c.gap += h * c.u.x;
        if (c.impulse.x <= 0) continue;
        loaded[link_tree[rows.link_a[i]]] = true;
        if (rows.link_b[i] >= 0) loaded[link_tree[rows.link_b[i]]] = true;
    }
    kg_sync();
}

// what the solver shares among the lanes of a group, all [NV]
struct Exchange {
    Real force[NV];   // constant over the substep: efforts less bias
    Real w[NV];       // whitened velocity at the start of the substep, in; its change, out
    Real x[NV];       // displacement in v-space, out
    Real v[NV];       // velocity, out
    Real a[NV], b[NV];
    Real drive[ND1];  // force of the drives in the last iteration, out
    Real forced[NSENSORS > 0 ? NV : 1];  // the part of w's change that forces made, out
    bool stiff[NT], loaded[NT];
};

// The velocity at the end is v_start plus its change: what does not change is not rounded.
// done may lie where the Delassus matrix was.
KG_FN void solve(const Env& env, const StepSettings& st, const Real* map, const Drives& d, const Real* v_start, const DofRows& dofs,
                 const ContactRows& rows, const Y3* y, const Delassus& delassus, Held& held, Exchange& e, Impulses& done) {
    const Real h = st.dt / (Real)st.iterations;
    const Own own = own_dofs(env);
    const int most_contacts = kg_most(delassus.contacts), most_dofs = kg_most(delassus.dofs);
    const bool any_rows = most_contacts + most_dofs > 0;
    Visit visit = {h, st.bounce_threshold, st.max_depenetration, soft_constraint(h), true, true};
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
            if (i < NV) {
                const Real change = whitened(map, e.a, i);
                w[s] += change;
                e.b[i] = change;
                if (NSENSORS > 0) e.forced[i] += change;
            }
            biased[s] = w[s];
        }

        if (any_rows) {
            kg_sync();
            KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
                DofRow& r = held.dofs[s];
                if (!r.on) continue;
                const int v = dof_v[r.dof];
                r.u += velocity_of(map, e.b, v);
                r.speed = 0;
                if (r.saturated) r.pull = h * (d.push[r.dof] - d.kp[r.dof] * e.x[v]);
            }
            KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
                Contact& c = held.contacts[s];
                if (!c.on) continue;
                c.before = c.u.x;
                c.u = c.u + contact_velocity(rows, y, s * LANES + env.lane, e.b);
                choose_phase(st.bounce_threshold, h, c);
            }
        }

        // warm start, biased sweeps, the positions' move, relaxing sweeps
        const int relaxes = st.semi_implicit && st.sweeps == 0 ? 0 : st.sweeps + (last ? st.extra_relax : 0);
        KG_ROLLED for (int pass = -1;; ++pass) {
            if (pass == st.sweeps) end_biased(env, h, st.semi_implicit, e.stiff, rows, held, e.loaded);
            if (pass == st.sweeps + relaxes) break;
            visit.warm = pass < 0;
            visit.biased = pass < st.sweeps;
            if (any_rows) sweep(env, visit, delassus, most_dofs, most_contacts, held);
        }
        if (any_rows) add_impulses(env, own, map, dofs, rows, y, most_dofs, most_contacts, held, w, biased);

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
        const bool anyone_late = kg_any(late);
        kg_sync();
        if (anyone_late && any_rows) {
            KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
                if (held.dofs[s].on) move_gaps(held.dofs[s], h * velocity_of(map, e.b, dof_v[held.dofs[s].dof]));
            }
            KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
                if (held.contacts[s].on) held.contacts[s].gap += h * contact_velocity(rows, y, s * LANES + env.lane, e.b).x;
            }
        }
        KG_EACH(i, NV) {
            const int j = v_dof[i];
            const Real v = v_start[i] + velocity_of(map, e.w, i);
            if (last && j >= 0) e.drive[j] = d.saturated[j] ? (Real)0 : drive_force(d, j, v, e.x[i]);
            e.v[i] = v;
            e.x[i] += h * (v_start[i] + velocity_of(map, e.a, i));
        }
        KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
            DofRow& r = held.dofs[s];
            if (r.on) r.total += r.friction + r.lower - r.upper + r.speed;
        }
        KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
            Contact& c = held.contacts[s];
            if (c.on) c.total = c.total + c.impulse;
        }
        kg_sync();
    }
    leave_impulses(env, held, done);
    KG_EACH(r, dofs.count) {
        if (d.saturated[dofs.dof[r]]) e.drive[dofs.dof[r]] = done.drive[r] / h;
    }
    kg_sync();
}
