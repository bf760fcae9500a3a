// Candidates for contacts, and which of them are kept: at most MAX_CONTACTS, the deepest.
//
// Every possible contact point has a fixed number, its *slot*: pairs first, then points of shapes against the
// ground, so that the pairs users see penetrate are swept last. The slot keys warm starting. A candidate becomes
// a contact only if it may touch within the step:
//   gap(q_m) - dt/2 |u_n| < slack,   u_n at the predicted midpoint velocity,
// slack being a twentieth of the pair's contact offsets (1 mm by default), for the acceleration the prediction lacks.
// The normal points from B to A; A is pushed along +n.

struct Contacts {
    int count;
    int dropped;  // candidates beyond MAX_CONTACTS
};
struct Candidate { int slot, a, b; Vec3 point, point_b, normal; Real gap, urgency; };

KG_FN void write_contact(const Rows& rows, int at, const Candidate& n) {
    const Owners o = {SV > 0 ? env_link_owner[env_shape_link[n.a]] : -1, SV > 0 && NP > 0 && n.b >= 0 ? env_link_owner[env_shape_link[n.b]] : -1};
    rows.impulse_gap(at) = four(v3(0, 0, 0), n.gap);
    rows.urgency(at) = n.urgency;
    rows.set_owners(at, o);
    rows.at(at, 5) = four(n.normal, (Real)n.slot);
    rows.at(at, 6) = four(n.point, (Real)n.a);
    if (NP > 0 || NTERRAINS > 0) rows.at(at, 7) = four(n.point_b, (Real)n.b);
}
// one more; to a full list only if it is more urgent than the least urgent, which goes
KG_FN void put_contact(const Rows& rows, int count, const Candidate& n) {
    int at = count;
    if (count == MAX_CONTACTS) {
        at = 0;
        KG_ROLLED for (int i = 1; i < MAX_CONTACTS; ++i) {
            if (rows.urgency(i) >= rows.urgency(at)) at = i;
        }
        if (rows.urgency(at) <= n.urgency) return;
    }
    write_contact(rows, at, n);
}
// `have` more that this lane found, at most MOST, made by candidate(i), for the env with room `room`, which lanes `same` of the warp found
// for and which holds held() by now; `own` found for this lane's own env. Those of the first lane come first; all at once where there
// is room
template <int MOST, class Held, class F>
KG_FN void keep_found(const Rows& room, unsigned same, unsigned own, Held held, Contacts& c, int have, F candidate) {
    if (!kg_warp_any(have > 0)) return;
    const unsigned below = (1u << kg_warp_lane()) - 1u;
    int before = 0, its_all = 0, own_all = 0;
    KG_ROLLED for (int i = 0; i < MOST && (i == 0 || kg_warp_any(have > i)); ++i) {
        const unsigned ballot = kg_warp_ballot(have > i);
        before += kg_bits(ballot & same & below);
        its_all += kg_bits(ballot & same);
        own_all += kg_bits(ballot & own);
    }
    const int at = held();
    const bool fits = at + its_all <= MAX_CONTACTS;
    KG_ROLLED for (int i = 0; i < have && fits; ++i) write_contact(room, at + before + i, candidate(i));
    if (c.count + own_all <= MAX_CONTACTS) c.count += own_all;
    int next = 0;
    for (unsigned left; (left = kg_warp_ballot(!fits && next < have)) != 0; kg_sync()) {  // an env's one by one
        const int full = held();
        if (!fits && next < have && !(left & same & below)) put_contact(room, full, candidate(next++));
        if (!(left & own)) continue;
        if (c.count == MAX_CONTACTS) c.dropped += 1;
        else c.count += 1;
    }
    kg_sync();
}
// the same where lanes find for their own env
template <int MOST, class F>
KG_FN void keep_contacts(const Rows& rows, Contacts& c, int have, F candidate) {
    const unsigned own = bits_of_lanes(kg_warp_lane() / LANES * LANES, LANES);
    keep_found<MOST>(rows, own, own, [&] { return c.count; }, c, have, candidate);
}
// the lanes' candidates of a test that is written out many times: this once
KG_CALL void keep_contact(const Rows& rows, Contacts& c, bool have, const Candidate& n) {
    keep_contacts<1>(rows, c, have ? 1 : 0, [&](int) { return n; });
}

struct ShapePose { Vec3 pos; Quat rot; };  // from the reference point of the link's tree

template <class Args, class Shape>
KG_FN ShapePose shape_pose(const Args& args, const Env& env, const Kinematics& k, Shape shape) {
    const int l = shape_link[shape];
    const auto id = shape_id(env, shape);
    ShapePose p;
    p.pos = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(shape_pos), id, env));
    p.rot = k.rot[l] * param4(KG_PARAM(shape_quat), id, env);
    return p;
}

