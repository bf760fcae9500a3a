// What the envs of a warp have listed (placed.h), dealt to all of its lanes, so that an env with a long list does not keep the
// lanes of the others waiting. What a lane finds for another env goes to that env's contacts, in the order of its list: an
// env knows nothing of its neighbours.

static constexpr int GROUPS = WARP_LANES / LANES;  // envs of a warp

// bits of `count` lanes of the warp from `first` on, which may lie outside
KG_FN unsigned bits_of_lanes(int first, int count) {
    const int from = first < 0 ? 0 : first, to = first + count < WARP_LANES ? first + count : WARP_LANES;
    if (to <= from) return 0;
    return (to - from == 32 ? 0xffffffffu : (1u << (to - from)) - 1u) << from;
}

// find(its, n, found): candidates of the n-th that the env with room `its` has listed, at most MOST, and how many. count: of
// this lane's own env
template <int MOST, class Find>
KG_FN void deal_listed(const Env& env, const Rows& rows, int count, Contacts& c, Find find) {
    const int lane = kg_warp_lane(), first_env = kg_warp_from(env.index, 0);
    const unsigned below = (1u << lane) - 1u;
    int own_start = 0, all = 0;
    KG_ROLLED for (int g = 0; g < GROUPS; ++g) {
        if (g == lane / LANES) own_start = all;
        all += kg_warp_from(count, g * LANES);
    }
    KG_ROLLED for (int first = 0; first < all; first += WARP_LANES) {
        int its = 0, start = 0, length = 0;  // the env of this lane's item, where its list starts, and how long it is
        KG_ROLLED for (int g = 0, at = 0; g < GROUPS; ++g) {
            const int its_count = kg_warp_from(count, g * LANES);
            if (its_count > 0 && first + lane >= at) { its = g; start = at; length = its_count; }
            at += its_count;
        }
        const Rows room = {rows.data + (first_env + its - env.index)};
        Candidate found[MOST];
        int have = 0;
        if (first + lane < all) have = find(room, first + lane - start, found);
        kg_rejoin(env);

        const unsigned same = bits_of_lanes(start - first, length), own = bits_of_lanes(own_start - first, count);
        int before = 0, its_all = 0, own_all = 0;
        KG_ROLLED for (int i = 0; i < MOST && kg_warp_any(have > i); ++i) {
            const unsigned ballot = kg_warp_ballot(have > i);
            before += kg_bits(ballot & same & below);
            its_all += kg_bits(ballot & same);
            own_all += kg_bits(ballot & own);
        }
        const int at = kg_warp_from(c.count, its * LANES);
        const bool fits = at + its_all <= MAX_CONTACTS;
        KG_ROLLED for (int i = 0; i < have && fits; ++i) write_contact(room, at + before + i, found[i]);
        if (c.count + own_all <= MAX_CONTACTS) c.count += own_all;
        int next = 0;
        for (unsigned left; (left = kg_warp_ballot(!fits && next < have)) != 0; kg_sync()) {  // an env's one by one
            const int full = kg_warp_from(c.count, its * LANES);
            if (!fits && next < have && !(left & same & below)) put_contact(room, full, found[next++]);
            if (!(left & own)) continue;
            if (c.count == MAX_CONTACTS) c.dropped += 1;
            else c.count += 1;
        }
        kg_sync();
    }
}
