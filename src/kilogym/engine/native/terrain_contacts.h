// Contacts of shapes with terrain: from what they touch to rows, with numbers that stay with a place.
//
// A contact's slot is its shape's first, then 16 per feature (a point, or what lies between), then the *key*: of a
// feature's contacts, which differ in their normals, a sector of the normal; between points, where on the shape.

static constexpr int KEYS = 16;  // engine/topology.py: TERRAIN_KEYS

KG_FN int natural_key(const Solid& s, const Spot& n) {
    if (n.feature < s.points) {
        // four by four sectors, whose borders are not where normals of built terrain lie
        const Real a = (Real)0.79 * n.normal.x + (Real)0.53 * n.normal.y + (Real)0.31 * n.normal.z;
        const Real b = (Real)-0.56 * n.normal.x + (Real)0.83 * n.normal.y - (Real)0.07 * n.normal.z;
        const int i = kg_floor(a * 2 + 2), j = kg_floor(b * 2 + 2);
        return (i < 0 ? 0 : i > 3 ? 3 : i) * 4 + (j < 0 ? 0 : j > 3 ? 3 : j);
    }
    int key = 0;
    const Real off[3] = {(Real)0.07 * s.scale, (Real)-0.05 * s.scale, (Real)0.06 * s.scale};
    for (int i = 0; i < 3; ++i) key |= dot(n.point, s.axis[i]) > off[i] ? 1 << i : 0;
    return key;
}

// a list's entry on all lanes
KG_FN Spot entry(const Spots& list, int e) { return kg_from(list.own[SPOTS_OF_LANE == 1 ? 0 : e % SPOTS_OF_LANE], e / SPOTS_OF_LANE); }

// Drops spots that do not count, and edges and vertices that do not stick out of a face which the same point touches (a T-junction
// of triangles)
template <class Test>
KG_FN void drop_spots(const Env& env, const Solid& s, Spots& list, Test counts) {
    bool round = false;
    list.each(env, [&](Spot& n, int) {
        round = round || n.sort == SPOT_ROUND;
        n.key = n.gap < (Real)1e29 && counts(n) ? 0 : -1;
    });
    if (!kg_warp_any(round)) return;
    const int most = kg_warp_most(list.count);
    KG_ROLLED for (int e = 0; e < most; ++e) {
        const Spot o = entry(list, e);
        if (e >= list.count || o.sort == SPOT_ROUND) continue;
        list.each(env, [&](Spot& n, int) {
            if (n.sort != SPOT_ROUND || o.feature != n.feature) return;
            const Vec3 d = (n.point - n.normal * n.gap) - (o.point - o.normal * o.gap);
            if (dot(d, o.normal) <= (Real)1e-4 * s.scale) n.key = -1;
        });
    }
}
// gives keys to those that are left, and puts them in the order of slots
KG_FN void settle(const Env& env, const Solid& s, Spots& list) {
    const int most = kg_warp_most(list.count);
    list.each(env, [&](Spot& n, int) { if (n.key >= 0) n.key = natural_key(s, n); });
    KG_ROLLED for (int e = 0; e < most; ++e) {
        const int lane = e / SPOTS_OF_LANE, p = SPOTS_OF_LANE == 1 ? 0 : e % SPOTS_OF_LANE;
        const int feature = (int)kg_from((Real)list.own[p].feature, lane);
        int key = (int)kg_from((Real)list.own[p].key, lane);
        const bool kept = e < list.count && key >= 0;
        // those of a feature that agree take the next
        for (bool taken = true; kg_warp_any(taken);) {
            taken = false;
            list.each(env, [&](const Spot& o, int its) { taken = taken || (kept && its < e && o.feature == feature && o.key == key); });
            taken = kg_any(taken);
            if (taken) key = (key + 1) % KEYS;
        }
        if (kept && env.lane == lane) list.own[p].key = key;
    }
    int rank[SPOTS_OF_LANE];
    KG_ROLLED for (int p = 0; p < SPOTS_OF_LANE; ++p) rank[p] = 0;
    int count = 0;
    KG_ROLLED for (int e = 0; e < most; ++e) {
        const int lane = e / SPOTS_OF_LANE, p = SPOTS_OF_LANE == 1 ? 0 : e % SPOTS_OF_LANE;
        const int feature = (int)kg_from((Real)list.own[p].feature, lane), key = (int)kg_from((Real)list.own[p].key, lane);
        if (e >= list.count || key < 0) continue;
        ++count;
        list.each(env, [&](const Spot& o, int its) { if (o.feature * KEYS + o.key > feature * KEYS + key) ++rank[its % SPOTS_OF_LANE]; });
    }
    Spots sorted;
    KG_ROLLED for (int e = 0; e < most; ++e) {
        const int lane = e / SPOTS_OF_LANE, p = SPOTS_OF_LANE == 1 ? 0 : e % SPOTS_OF_LANE;
        Spot n = entry(list, e);
        n.key = (int)kg_from((Real)list.own[p].key, lane);
        const int place = (int)kg_from((Real)rank[p], lane);
        if (e >= list.count || n.key < 0 || env.lane != place / SPOTS_OF_LANE) continue;
        sorted.own[SPOTS_OF_LANE == 1 ? 0 : place % SPOTS_OF_LANE] = n;
    }
    sorted.count = count;
    list = sorted;
}

// placed shape i as terrain sees it; not on: of no use, but looked up without harm
template <class Args>
KG_FN Solid placed_solid(const Args& args, const Rows& rows, Real half, int i, bool on = true) {
    const Four q = rows.segment(i, 7), size = rows.segment(i, 8);
    const int kind = env_shape_kind[placed_shape[i]];
    Solid s = solid_shape(args, kind, on && is_hull(kind) ? (int)size.w : 0, q4(q.x, q.y, q.z, q.w), xyz(size));
    const Real spin = norm(xyz(rows.segment(i, 6))) * norm(half_box(s));
    s.reach = rows.segment(i, 9).w + half * (norm(xyz(rows.segment(i, 1))) + spin);
    return s;
}
template <class Args>
KG_FN bool is_near_terrain(const Args& args, const Env& env, const Rows& rows, Real half, int i) {
    const Solid s = placed_solid(args, rows, half, i);
    const Vec3 ext = half_box(s) + v3(s.reach, s.reach, s.reach);
    bool near = false;
    KG_ROLLED for (int n = 0; n < NTERRAINS && !near; ++n)
        near = is_near(view_terrain(args, env, n, xyz(rows.segment(i, 4)), xyz(rows.segment(i, 2)), ext));
    return near;
}

// Contacts of a solid, whose features are counted from `feature` on, by all lanes together
template <class Args>
KG_FN void find_solid_contacts(const Args& args, const Env& env, Real half, const Rows& rows, const Segment& at, const Solid& s, bool on, int id,
                               int feature, Vec3 off, Contacts& c) {
    Spots list;
    touch_terrain(args, env, s, on, at.ref, at.pos + off, list);
    if (!kg_warp_any(list.count > 0)) return;  // no barriers from here on
    const auto candidate = [&](const Spot& n) {
        const Vec3 point = at.pos + off + n.point;
        const Real gap = n.gap - at.rest;
        return Candidate{env_terrain_slot[id] + (feature + n.feature) * KEYS + n.key, id, -2 - n.terrain, point, point, n.normal, gap,
                         gap - half * kg_abs(dot(n.normal, point_velocity(at.vel, point)))};
    };
    drop_spots(env, s, list, [&](const Spot& n) { return candidate(n).urgency < at.slack; });
    settle(env, s, list);
    const int rest = list.count - env.lane * SPOTS_OF_LANE, have = rest < 0 ? 0 : rest < SPOTS_OF_LANE ? rest : SPOTS_OF_LANE;
    keep_contacts<SPOTS_OF_LANE>(env, rows, c, have, [&](int k) { return candidate(list.own[SPOTS_OF_LANE == 1 ? 0 : k]); });
}

// Shapes that are near terrain are listed, and all lanes look at one after the other: they share its triangles, its points and
// what they find. Contacts come in the order of shapes, for any number of lanes.
template <class Args>
KG_FN void find_terrain_contacts(const Args& args, const Env& env, Real half, const Rows& rows, Contacts& c) {
    KG_ROLLED for (int first = 0; first < NTS; first += LIST_ROOM) {
        const int all = NTS - first < LIST_ROOM ? NTS - first : LIST_ROOM;
        const int count = list_items(env, rows, env.live ? all : 0, [&](int n) { return (Int)terrain_shape[first + n]; },
                                     [&](int i) { return is_near_terrain(args, env, rows, half, i); });
        KG_ROLLED for (int n = 0; kg_block_any(n < count); ++n) {
            const bool on = n < count;
            const int i = on ? (int)rows.listed(n) : 0, id = placed_shape[i];
            const Segment at = segment(rows, i);
            const Solid s = placed_solid(args, rows, half, i, on);
            if constexpr (HAS_PARTS) find_parts_contacts(args, env, half, rows, i, at, s, on, id, c);
            else find_solid_contacts(args, env, half, rows, at, s, on, id, 0, v3(0, 0, 0), c);
        }
    }
#if KG_SDF
    find_field_terrain_contacts(args, env, half, rows, c);
#endif
}
