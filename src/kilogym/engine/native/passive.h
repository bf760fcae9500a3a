// Contacts and stops take energy from what moves, they do not give it.
//
// With w the whitened velocity the kinetic energy is w.w / 2. Where the rows are solved, |w| is not larger after an iteration
// than with its forces alone: no velocity where there is impulse, friction against the slip, and a bounce is no faster than
// the impact. A few sweeps over rows that contradict each other, as of shapes deep within each other, do not get there, and
// what they leave can be any speed. Then the iteration is made smaller: w goes only a part of its way, and all impulses are that
// part of what they were. Momentum, the cones, and that forces are opposite, stay.
//
// The same of the biased velocity, with which positions move: there rows may add what pushing overlap out takes.

// a.b over all velocities, in the kinetic metric; all lanes
KG_FN Real energy(const Real* a, const Real* b) {
    Real trunk = 0, limb = 0;
    each<TV>([&](auto i) { trunk += a[i] * b[i]; });
    each<SV>([&](auto i) { limb += a[TV + i] * b[TV + i]; });
    return SV > 0 ? trunk + kg_sum(limb) : trunk;
}

// What is allowed for the sweeps' sake: the energy of all links at a few times the speed that gravity makes in an iteration. A
// light body under a heavy one moves by as much until the sweeps have converged, and would let the heavy one sink otherwise
KG_FN Real unsettled_energy(const Env& env, const StepSettings& st, Real h, const Inertia* inertia) {
    Real trunk = 0, limb = 0;
    each<NL>([&](auto l) { (l < TL ? trunk : limb) += has_link(env, l) ? inertia[l].m : (Real)0; });
    return (Real)10 * h * h * dot(st.gravity, st.gravity) * (TL < NL ? trunk + kg_sum(limb) : trunk);
}

// What pushing overlap out may add to |w|: of a row its speed by the root of the mass behind it, and rows may add up
KG_FN Real pushed(const Env& env, const Visit& p, const DofRow* dofs, const Rows& rows, const Schedule& s) {
    const auto push = [&](Real gap, Real inv) { return kg_max(-closing_speed(p, gap), (Real)0) * kg_sqrt(inv); };
    Real trunk = 0, limb = 0;
    each<ND>([&](auto i) {
        if (dofs[i].on) (dof_v[i] < TV ? trunk : limb) += push(kg_min(dofs[i].lower_gap, dofs[i].upper_gap), dofs[i].inv);
    });
    KG_ROLLED for (int i = env.lane; i < s.contacts; i += LANES) limb += push(rows.impulse_gap(i).w, rows.response(i).inv_n);
    return trunk + kg_sum(limb);
}

// what drives at their limits and couplings, which may give energy, do to |w| at most
KG_FN Real driven(const Drives& d, const DofRow* dofs, const Couplings& couplings) {
    Real trunk = 0, limb = 0;
    each<ND>([&](auto i) {
        if (dofs[i].on && is_saturated(d, i)) (dof_v[i] < TV ? trunk : limb) += kg_abs(dofs[i].drive) * kg_sqrt(dofs[i].diagonal);
    });
    Real sum = trunk + kg_sum(limb);
    if constexpr (NCR > 0) {
        Real change[NV];
        each<NV>([&](auto i) { change[i] = 0; });
        add_coupling_impulses(couplings, 1, change);
        sum += kg_sqrt(energy(change, change));
    }
    return sum;
}

// How much of the way from `before` to w is gone so that |w| is at most `most`, or what it was
KG_FN Real part_of_way(Real most, const Real* before, const Real* w) {
    const Real ww = energy(w, w), bb = energy(before, before), bw = energy(before, w);
    const Real way = ww - 2 * bw + bb, allowed = kg_max(most * most, bb), along = bw - bb;
    if (!(ww > allowed && way > 0)) return 1;
    // |before + part (w - before)|^2 = allowed, without a difference of equals
    const Real more = allowed - bb, root = kg_sqrt(kg_max(along * along + way * more, (Real)0));
    const Real part = along > 0 ? kg_div(more, along + root) : kg_div(root - along, way);
    return kg_clamp(part, (Real)0, (Real)1);
}

KG_FN void shrink_impulses(const Env& env, Real part, DofRow* dofs, Couplings& couplings, const Rows& rows, const Schedule& s) {
    each<ND>([&](auto i) {
        dofs[i].drive *= part;
        dofs[i].friction *= part;
        dofs[i].stop *= part;
        dofs[i].speed *= part;
    });
    if constexpr (NCR > 0) KG_ROLLED for (int r = 0; r < NCR; ++r) couplings.row[r].impulse *= part;
    if constexpr (NTENDONS > 0) KG_ROLLED for (int r = 0; r < NTENDONS; ++r) {
        couplings.limit[r].lower *= part;
        couplings.limit[r].upper *= part;
    }
    KG_ROLLED for (int i = env.lane; i < s.contacts; i += LANES) {
        const Four now = rows.impulse_gap(i);
        rows.impulse_gap(i) = four(xyz(now) * part, now.w);
        if constexpr (HAS_SPIN_FRICTION) {
            const Four spin = rows.spins().impulse_gap(i);
            rows.spins().impulse_gap(i) = four(xyz(spin) * part, spin.w);
        }
    }
}
