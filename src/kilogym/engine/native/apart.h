// The step in parts, between which contacts are searched for by a kernel of its own (search.h).
//
// A search is long branches that few threads take: inside the step it holds up the lanes of a warp and keeps what the step
// needs later from registers. Apart it has more lanes for an env, and few registers, so that many warps are at it at once.
// Part n of a step goes from the contacts of substep n - 1 to the search of substep n; what it knows by then is kept in a
// buffer of the batch, [number, thread].

// f(number) for all that a lane keeps
template <class F>
KG_FN void keep(F& f, Vec3& a) { f(a.x); f(a.y); f(a.z); }
template <class F>
KG_FN void keep(F& f, Quat& a) { f(a.x); f(a.y); f(a.z); f(a.w); }
template <class F>
KG_FN void keep(F& f, Spatial& a) { keep(f, a.ang); keep(f, a.lin); }
template <class F>
KG_FN void keep(F& f, bool& a) {
    Real x = a ? (Real)1 : (Real)0;
    f(x);
    a = x != 0;
}
template <class F>
KG_FN void keep_position(F& f, Position& q) {
    each<NT>([&](auto t) { keep(f, q.root_pos[t]); keep(f, q.root_quat[t]); });
    each<ND>([&](auto d) { f(q.dof[d]); });
}
template <class F>
KG_FN void keep_couplings(F& f, Couplings& c) {
    KG_ROLLED for (int i = 0; i < NCR * NV; ++i) f(c.y[i]);
    KG_ROLLED for (int i = 0; i < NCR; ++i) {
        CouplingRow& r = c.row[i];
        keep(f, r.on); keep(f, r.hard);
        f(r.gap); f(r.impulse); f(r.total); f(r.bend); f(r.bias); f(r.rest); f(r.pull); f(r.follow); f(r.give);
    }
    KG_ROLLED for (int i = 0; i < NTENDONS; ++i) {
        TendonLimit& l = c.limit[i];
        keep(f, l.on);
        f(l.below); f(l.above); f(l.give); f(l.diagonal); f(l.lower); f(l.upper); f(l.total);
    }
    KG_ROLLED for (int i = 0; i < NFACTOR; ++i) { f(c.biased[i]); f(c.relaxed[i]); }
}
template <class F>
KG_FN void keep_all(F& f, Stage& at, State& s, Middle& m, int& status) {
    Real flags = (Real)status;
    f(flags);
    status = (int)flags;
    keep_position(f, s.q);
    each<NV>([&](auto v) { f(s.v[v]); });
    if (PROJECT_MOMENTUM) each<NT>([&](auto t) { keep(f, s.momentum.lin[t]); keep(f, s.momentum.ang[t]); keep(f, s.momentum.com[t]); });
    each<NT>([&](auto t) { keep(f, at.k.ref[t]); });
    each<NL>([&](auto l) { keep(f, at.k.pos[l]); keep(f, at.k.rot[l]); });
    each<NV>([&](auto v) { keep(f, at.k.axis[v]); });
    each<NM>([&](auto i) { f(m.map[i]); });
    each<NV>([&](auto v) { f(m.solution.w[v]); f(m.force[v]); });
    if (TESTS_GROUND) each<NL>([&](auto l) { keep(f, m.vel[l]); });
    each<ND>([&](auto d) { f(m.drives.push[d]); f(m.drives.kp[d]); f(m.drives.drag[d]); f(m.drives.limit[d]); f(m.drives.direct[d]); keep(f, m.drives.saturated[d]); });
    each<NT>([&](auto t) { keep(f, m.stiff[t]); });
    f(m.unsettled);
    if constexpr (NCR > 0) {
        keep_position(f, at.q);
        keep_couplings(f, m.couplings);
    }
}
// how many that are: engine/tables.py reserves room for as many
static constexpr int KEPT_POSITION = 7 * NT + ND;
static constexpr int KEPT = 2 + KEPT_POSITION + (PROJECT_MOMENTUM ? 9 : 0) * NT + 4 * NT + 7 * NL + 9 * NV + NM + (TESTS_GROUND ? 6 * NL : 0) + 6 * ND
    + (NCR > 0 ? KEPT_POSITION + NCR * NV + 11 * NCR + 8 * NTENDONS + 2 * NFACTOR : 0);
static_assert(KEPT == KEPT_ROOM, "engine/tables.py: kept_words");

struct Kept {
    Real* at;
    size_t stride;
};
struct Keeping : Kept { KG_METHOD void operator()(Real& x) { *at = x; at += stride; } };
struct Recalling : Kept { KG_METHOD void operator()(Real& x) { x = *at; at += stride; } };
template <class Args>
KG_FN Kept kept(const Args& args, int thread) { return Kept{args.kept.data + thread, (size_t)args.kept.shape[0] / KEPT}; }

// part n of a step of so many substeps, as many as launches were made for
template <class Args>
KG_FN void step_part(const Args& args, Env env, const Rows& rows, int thread, int n, int substeps) {
    const bool tells = env.live && env.lane == 0;
    env.live = env.live && !(args.fault.data[env.index] & FAULT_NONFINITE);
    if (!kg_warp_any(env.live)) {
        if (tells) found(args, env, 0) = -1;
        return;
    }
    StepSettings st = load_settings(args);
    st.substeps = substeps;
    const bool more = n < substeps;
    Stage at;
    State s;
    Middle m;
    int status = 0;
    // a frozen env stops writing; its warp may have others that go on
    Env now = env;
    if (n == 0) {
        load_state(args, env, s.q, s.v);
    } else {
        Recalling recall{kept(args, thread)};
        keep_all(recall, at, s, m, status);
        now.live = env.live && !(status & FAULT_NONFINITE);
        const Contacts contacts = now.live ? Contacts{found(args, now, 0), found(args, now, 1)} : Contacts{0, 0};
        if (kg_warp_any(now.live)) status |= from_contacts(args, now, st, n - 1, at, s, m, rows, contacts);
    }
    KG_ROLLED for (int stage = 0; stage < (more ? 2 : 1); ++stage) {
        kg_together();
        now.live = env.live && !(status & FAULT_NONFINITE);
        if (!kg_warp_any(now.live)) break;
        come_to(args, now, n > 0 || stage > 0, s, at);
        if (stage > 0) to_contacts(args, now, st, at, s, m, rows);
        else status |= at_end(args, now, st, n > 0, more, at, s);
    }
    if (more) {
        Keeping keeping{kept(args, thread)};
        keep_all(keeping, at, s, m, status);
        if (tells) found(args, env, 0) = env.live && !(status & FAULT_NONFINITE) ? 0 : -1;
        return;
    }
    leave(args, env, status, s);
}
