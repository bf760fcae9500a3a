// Contacts and stops take energy from what moves, they do not give it.
//
// With w the whitened velocity the kinetic energy is w.w / 2. Let d be what the impulses of contacts, stops and dry friction did
// to w in an iteration. Where the rows are solved, |w|^2 <= |w - d|^2: no velocity where there is force, friction against the
// slip, and a bounce is no faster than the impact. A few sweeps over rows that contradict each other, as of shapes deep
// within each other, do not get there, and what they leave can be any speed. Then all these impulses of the env are made
// smaller by one factor. Momentum, the cones, and that forces are opposite, stay.
//
// The same of the biased velocity, with which positions move: there rows may add what pushing overlap out takes.

// a.b over all velocities, in the kinetic metric; all lanes
KG_FN Real energy(const Env& env, const Real* a, const Real* b) {
    Real trunk = 0, limb = 0;
    each<TV>([&](auto i) { trunk += a[i] * b[i]; });
    each<SV>([&](auto i) { limb += a[TV + i] * b[TV + i]; });
    return SV > 0 ? trunk + kg_sum(limb) : trunk;
}

// What is allowed for the sweeps' sake: the energy of all links at a few times the speed that gravity makes in an iteration. A
// light body under a heavy one moves by as much until the sweeps have converged, and would let the heavy one sink otherwise
template <class Links>
KG_FN Real unsettled_energy(const Env& env, const StepSettings& st, Real h, const Links& inertia) {
    Real trunk = 0, limb = 0;
    each<NL>([&](auto l) { (l < TL ? trunk : limb) += has_link(env, l) ? inertia[l].m : (Real)0; });
    return (Real)8 * h * h * dot(st.gravity, st.gravity) * (TL < NL ? trunk + kg_sum(limb) : trunk);
}

// What pushing overlap out may add to |w|^2: of one row its speed squared times the mass behind it, and rows may add up
KG_FN Real pushing_energy(const Env& env, const Visit& p, const DofRow* dofs, const Rows& rows, const Schedule& s) {
    const auto push = [&](Real gap, Real inv) { return kg_min(kg_max(p.soft.rate * -gap, (Real)0), p.max_depenetration) * kg_sqrt(inv); };
    Real trunk = 0, limb = 0;
    each<ND>([&](auto i) {
        if (dofs[i].on) (dof_v[i] < TV ? trunk : limb) += push(kg_min(dofs[i].lower_gap, dofs[i].upper_gap), dofs[i].inv);
    });
    KG_ROLLED for (int i = env.lane; i < s.contacts; i += LANES) limb += push(rows.impulse_gap(i).w, rows.response(i).inv_n);
    const Real sum = trunk + kg_sum(limb);
    return sum * sum;
}

// How much of d, a part of w, may stay so that |w|^2 is no more than `most`, or what it is without d
KG_FN Real kept(Real most, Real ww, Real wd, Real dd) {
    const Real without = ww - 2 * wd + dd, allowed = kg_max(most, without), along = dd - wd;
    if (!(ww > allowed && dd > 0)) return 1;
    return kg_clamp(kg_div(along + kg_sqrt(kg_max(along * along + dd * (allowed - without), (Real)0)), dd), (Real)0, (Real)1);
}

// Where |w|^2 is more than `most`: take(keep, d), d being what rows did to w and keep how much of it may stay. extra() returns what
// more |w|^2 may be than `most`
template <class Extra, class Take>
KG_FN void where_energy_came(const Env& env, Real most, const Real* map, const DofRow* dofs, const Rows& rows, const Schedule& s, const Real* w,
                             Extra extra, Take take) {
    const Real ww = energy(env, w, w);
    if (!kg_warp_any(ww > most)) return;
    Real d[NV];
    each<NV>([&](auto i) { d[i] = 0; });
    push_dofs(env, map, dofs, d, passive_impulse_of);
    warm_contacts(env, rows, rows, s, d);
    if constexpr (HAS_SPIN_FRICTION) warm_contacts(env, rows, rows.spins(), s, d);
    const Real keep = kept(most + extra(), ww, energy(env, w, d), energy(env, d, d));
    if (keep < 1) take(keep, d);
}
KG_FN void shrink_impulses(const Env& env, Real keep, DofRow* dofs, const Rows& rows, const Schedule& s) {
    each<ND>([&](auto i) {
        dofs[i].friction *= keep;
        dofs[i].stop *= keep;
        dofs[i].speed *= keep;
    });
    KG_ROLLED for (int i = env.lane; i < s.contacts; i += LANES) {
        const Four now = rows.impulse_gap(i);
        rows.impulse_gap(i) = four(xyz(now) * keep, now.w);
        if constexpr (HAS_SPIN_FRICTION) {
            const Four spin = rows.spins().impulse_gap(i);
            rows.spins().impulse_gap(i) = four(xyz(spin) * keep, spin.w);
        }
    }
}
