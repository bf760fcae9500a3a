// What the envs of a warp have listed (placed.h), dealt to all of its lanes, so that an env with a long list does not keep the
// lanes of the others waiting. What a lane finds for another env goes to that env's contacts, in the order of its list: an
// env knows nothing of its neighbours.

static constexpr int GROUPS = WARP_LANES / LANES;  // envs of a warp

// find(its, n, found): candidates of the n-th that the env with room `its` has listed, at most MOST, and how many. count: of
// this lane's own env
template <int MOST, class Find>
KG_FN void deal_listed(const Env& env, const Rows& rows, int count, Contacts& c, Find find) {
    const int lane = kg_warp_lane(), first_env = kg_warp_from(env.index, 0);
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
        keep_found<MOST>(room, same, own, [&] { return kg_warp_from(c.count, its * LANES); }, c, have, [&](int i) { return found[i]; });
    }
}
