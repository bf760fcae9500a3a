// What contacts' rows do to velocities: u = Y . w, w += Y^T f, and how those of a round act (schedule.h).
//
// Which links touch is not known when compiled. With code written out, a contact's Y is held over all velocities of the
// trunk and of a limb, zero off its paths: loops of one length, without index tables. On the CPU only the paths are
// visited. The trunk's part is the same on every lane; the limb's is known to the lane that owns the limb.
//
// Each lane has a contact of its own, or none, or one of two limbs together with another lane. It finds the contact's
// velocity from the trunk's and its limb's. Contacts of a round meet in the trunk only, and there they take turns: of what
// one does to the trunk the others hear before they act, so that the result is that of one visit after the other.

// f(v) for the trunk's velocities where a row of these links may be other than zero; b: -1 = ground
template <class F>
KG_FN void over_trunk(int a, int b, F f) {
    if constexpr (WRITTEN_OUT) {
        each<TV>(f);
    } else {
        KG_ROLLED for (int i = 0; i < env_link_path_length[a]; ++i) f(env_path_v[env_link_path[a] + i]);
        if (NP == 0 || b < 0) return;
        KG_ROLLED for (int i = 0; i < env_link_path_length[b]; ++i) {
            const int v = env_path_v[env_link_path[b] + i];
            if (!moves(v, a)) f(v);
        }
    }
}

// some contact of this round and warp is of two limbs; all lanes
KG_FN bool some_two(const Owners& o) { return NP > 0 && SV > 0 && kg_warp_any(o.two()); }
// what the contact's lanes found of it, each in its limb; all lanes. some: some_two
KG_FN Real of_both(const Env& env, const Owners& o, bool some, Real limb) {
    if (!some) return limb;
    const Real others = kg_from(limb, o.other(env));
    return o.two() ? limb + others : limb;
}
KG_FN Vec3 of_both(const Env& env, const Owners& o, bool some, Vec3 limb) {
    if (!some) return limb;
    const int other = o.other(env);
    const Vec3 others = v3(kg_from(limb.x, other), kg_from(limb.y, other), kg_from(limb.z, other));
    return o.two() ? limb + others : limb;
}

// The limb's velocities of w in the places where rows have them: where they are, or in a room of their own, from which they have
// to be put back. Number: Real or const Real
template <class S>
KG_FN bool in_limb(const Env& env, S s) { return limb_lanes[s] >> env.lane & 1; }
template <class Number>
struct InPlaces {
    KG_METHOD InPlaces(const Env& env, Number* w) : all(w) {
        if constexpr (RV < SV) {
            each<RV>([&](auto r) { room[r] = 0; });
            each<SV>([&](auto s) { if (in_limb(env, s)) room[limb_place[s]] = all[TV + s]; });
        }
    }
    template <class R>
    KG_METHOD auto& operator[](R r) {
        if constexpr (RV < SV) return room[r];
        else return all[TV + r];
    }
    KG_METHOD void put_back(const Env& env) {
        if constexpr (RV < SV) each<SV>([&](auto s) { if (in_limb(env, s)) all[TV + s] = room[limb_place[s]]; });
    }
private:
    Number* all;
    Real room[RV < SV ? RV : 1];
};

// A contact's Y as this lane needs it: the trunk's part, and that of its own limb (no limb in it: of no use)
struct RowY { Part<TV> trunk; Part<RV> limb; };
KG_FN RowY row_y(const Env& env, const Rows& rows, int i, const Owners& o) {
    RowY y;
    y.trunk.load(rows, i, ROW_Y);
    y.limb.load(rows, i, o.limb_y(env));
    return y;
}

// limb_w: w of the limb, InPlaces. A contact that is not there (RowPlace) has no owners: its lane takes part in the exchange, and what comes
// out is of no use
template <class Limb>
KG_FN Vec3 contact_velocity(const Env& env, const RowPlace& at, const RowY& y, const Real* w, Limb& limb_w) {
    Vec3 u = v3(0, 0, 0), limb = u;
    over_trunk(at.link_a, at.link_b, [&](auto v) { u = u + y.trunk.at(v) * w[v]; });
    if (SV == 0) return u;
    each<RV>([&](auto r) { limb = limb + y.limb.at(r) * limb_w[r]; });
    const bool on = at.owners.mine(env);
    return u + of_both(env, at.owners, some_two(at.owners), v3(on ? limb.x : 0, on ? limb.y : 0, on ? limb.z : 0));
}
template <class Limb>
KG_FN Real normal_velocity(const Env& env, const RowPlace& at, const RowY& y, const Real* w, Limb& limb_w) {
    Real u = 0, limb = 0;
    over_trunk(at.link_a, at.link_b, [&](auto v) { u += y.trunk.at(v).x * w[v]; });
    if (SV == 0) return u;
    each<RV>([&](auto r) { limb += y.limb.at(r).x * limb_w[r]; });
    return u + of_both(env, at.owners, some_two(at.owners), at.owners.mine(env) ? limb : 0);
}
KG_FN void push_trunk(const RowPlace& at, const RowY& y, Vec3 f, Real* w) {
    over_trunk(at.link_a, at.link_b, [&](auto v) { w[v] += dot(y.trunk.at(v), f); });
}
template <class Limb>
KG_FN void push_limb(const Env& env, const RowPlace& at, const RowY& y, Vec3 f, Limb& limb_w) {
    if (SV > 0 && at.owners.mine(env)) each<RV>([&](auto r) { limb_w[r] += dot(y.limb.at(r), f); });
}

// The visits of a round. acts: this lane's contact is visited, at velocity u if it were the first, and its impulse becomes
// impulse(u) in place of `old`; w follows. Returns the impulse
template <class Limb, class F>
KG_FN Vec3 take_turns(const Env& env, bool acts, const RowPlace& at, const RowY& y, Vec3 u, Vec3 old, Real* w, Limb& limb_w, F impulse) {
    if (LANES == 1 || TV == 0) {
        if (!acts) return old;
        const Vec3 f = impulse(u), change = f - old;
        if (!WRITTEN_OUT && change.x == 0 && change.y == 0 && change.z == 0) return f;
        push_trunk(at, y, change, w);
        push_limb(env, at, y, change, limb_w);
        return f;
    }
    Vec3 f = old;
    unsigned left = kg_ballot(acts && at.owners.writes(env));
    const int turns = kg_warp_most(kg_bits(left)), other = at.owners.other(env);
    KG_ROLLED for (int turn = 0; turn < turns; ++turn) {
        const int lane = left ? kg_lowest(left) : 0;
        const bool now = acts && left && (env.lane == lane || other == lane);
        const Vec3 to = impulse(u), change = to - old;
        if (now) f = to;
        Real push[TV > 0 ? TV : 1];
        each<TV>([&](auto v) {
            push[v] = kg_from(now ? dot(y.trunk.at(v), change) : (Real)0, lane);
            w[v] += push[v];
        });
        if (turn + 1 == turns) break;
        each<TV>([&](auto v) { u = u + y.trunk.at(v) * push[v]; });
        left &= left - 1;
    }
    if (acts) push_limb(env, at, y, f - old, limb_w);
    return f;
}

// Impulses that act again, of all contacts of an env: what a lane's do to the trunk is summed over the lanes at the end
struct Again { Real trunk[LANES > 1 && TV > 0 ? TV : 1]; };
KG_FN void begin(Again& a) {
    if constexpr (LANES > 1) each<TV>([&](auto v) { a.trunk[v] = 0; });
}
template <class Limb>
KG_FN void push(const Env& env, const RowPlace& at, const RowY& y, Vec3 f, Again& a, Real* w, Limb& limb_w) {
    if (f.x == 0 && f.y == 0 && f.z == 0) return;
    if (at.owners.writes(env)) push_trunk(at, y, f, LANES > 1 ? a.trunk : w);
    push_limb(env, at, y, f, limb_w);
}
KG_FN void end(const Schedule& s, const Again& a, Real* w) {
    if (LANES > 1 && s.rounds > 0) each<TV>([&](auto v) { w[v] += kg_sum(a.trunk[v]); });
}
