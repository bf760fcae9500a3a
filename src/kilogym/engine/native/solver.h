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

// gaps of DOFs move by h times the whitened velocity w
template <class Vector>
KG_FN void move_gaps(Real h, const Real* map, const Vector& w, DofRow* dofs) {
    each<ND>([&](auto i) {
        if (!dofs[i].on) return;
        const Real move = h * velocity_of(map, w, dof_v[i]);
        dofs[i].lower_gap += move;
        dofs[i].upper_gap -= move;
    });
}

// trees with a loaded row, contacts' being told already, or with drives so stiff that positions must follow the end velocity
KG_FN void mark_loaded(bool always, const bool* stiff, const DofRow* dofs, bool* loaded) {
    each<NT>([&](auto t) { loaded[t] = loaded[t] || stiff[t] || always; });
    each<ND>([&](auto i) {
        const DofRow& r = dofs[i];
        if (r.stop != 0 || r.friction != 0 || r.speed != 0) loaded[v_tree[dof_v[i]]] = true;
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

    Real late[NV];  // by which gaps of contacts have yet to move
    bool moves_late = false;
    each<NV>([&](auto i) { late[i] = 0; });
    KG_ROLLED for (int n = 0; n < st.iterations; ++n) {
        if (TV > 0) kg_together();  // without a trunk an iteration is short, and heaps lose by waiting
        const bool last = n == st.iterations - 1;
        Real before[NV], biased[NV];
        {
#if KG_KEPT
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
        Real free[HAS_RESTITUTION ? NV : 1];
        if constexpr (HAS_RESTITUTION) each<NV>([&](auto i) { free[i] = w[i]; });
        warm_dofs(env, map, dofs, w);
        start_couplings(st, n, before, couplings, w);
        if (NCR > 0) kg_whole();
        start_contacts(env, visit, rows, contacts, n > 0, moves_late, late, before, free, w);
        if constexpr (HAS_SPIN_FRICTION) warm_spins(env, rows, contacts, w);

        // sweeps: biased ones, the positions' move, relaxing ones
        const int relaxes = st.sweeps + (last ? st.extra_relax : 0);
        bool loaded[NT];
        each<NT>([&](auto t) { loaded[t] = false; });
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
                move_gaps(h, map, biased, dofs);
                mark_loaded(st.semi_implicit, stiff, dofs, loaded);
            }
            if (ends) break;
            visit.biased = pass < st.sweeps;
            if (NCR > 0) kg_whole();
            sweep_dofs(args, env, visit, d, map, s.x, dofs, w);
            sweep_couplings(visit.inv_h, visit.biased, couplings, w);
            sweep_contacts(env, visit, rows, contacts, moves, biased, pass == st.sweeps - 1, loaded, w);
            if constexpr (HAS_SPIN_FRICTION) sweep_spins(env, rows, contacts, w);
        }

        // Trees that carry load move with the biased velocity, free ones with the mean over the iteration, and where
        // couplings hold them by what these mend as well
        bool any_late = false;
#if KG_KEPT
        Real moved[NV], change[NV];
#else
        const auto moved = looked_up([&](int i) { return before[i] - s.w[i]; });
        const auto change = looked_up([&](int i) { return w[i] - s.w[i]; });
#endif
        each<NV>([&](auto i) {
            const bool free = !loaded[v_tree[i]];
            const Real mended = NCR > 0 && tree_held[v_tree[i]] ? biased[i] - w[i] : (Real)0;
            const Real mean = free ? (Real)0.5 * (before[i] + w[i]) + mended : biased[i];
            if (NCR > 0 || !WRITTEN_OUT) before[i] = mean;
            any_late = any_late || free;
            late[i] = mean - biased[i];
#if KG_KEPT
            moved[i] = mean - s.w[i];
            change[i] = w[i] - s.w[i];
#endif
        });
        end_couplings(h, before, couplings);
        moves_late = kg_warp_any(any_late);
        if (moves_late) move_gaps(h, map, late, dofs);
        each<NV>([&](auto i) {
            const auto j = v_dof[i];
            const TwoVelocities by = velocities_of(map, change, moved, i);
            const Real v = v_start[i] + by.a;
            if (last && j >= 0) s.drive[j] = is_saturated(d, j) ? (Real)0 : drive_force(d, j, v, s.x[i]);
            s.v[i] = v;
            s.x[i] += h * (v_start[i] + by.b);
        });
        each<ND>([&](auto i) { dofs[i].total += dofs[i].friction + dofs[i].stop + dofs[i].speed; });
        if constexpr (HAS_SPIN_FRICTION) {
            KG_ROLLED for (int i = env.lane; i < contacts.contacts; i += LANES) rows.spins().add_total(i, xyz(rows.spins().impulse_gap(i)));
        }
    }
    end_contacts(env, h, rows, contacts, moves_late, late);
    each<NV>([&](auto i) { s.w[i] = w[i] - s.w[i]; });
    each<ND>([&](auto i) { if (is_saturated(d, i)) s.drive[i] = dofs[i].drive * kg_inv(h); });
}
