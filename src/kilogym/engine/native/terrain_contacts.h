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

// of a shape's spots: an order that does not depend on who came first, which other envs have a say in (terrain_search.h)
KG_FN bool stands_before(const Spot& a, const Spot& b) {
    if (a.feature != b.feature) return a.feature < b.feature;
    if (a.normal.x != b.normal.x) return a.normal.x < b.normal.x;
    if (a.normal.y != b.normal.y) return a.normal.y < b.normal.y;
    return a.point.x != b.point.x ? a.point.x < b.point.x : a.point.y < b.point.y;
}
// one more among the first `count`, which are in order
template <class Before>
KG_FN void insert(Spot n, int& count, Touched& out, Before before) {
    int at = count++;
    KG_ROLLED for (; at > 0 && before(n, out.spots[at - 1]); --at) out.spots[at] = out.spots[at - 1];
    out.spots[at] = n;
}
// drops edges and vertices that do not stick out of a face which the same point touches (a T-junction of triangles),
// gives keys, and puts the rest in the order of slots
KG_FN void settle(const Solid& s, Touched& out) {
    int count = 0;
    KG_ROLLED for (int i = 0; i < out.count; ++i) {
        const Spot n = out.spots[i];
        bool kept = n.gap < (Real)1e29;
        KG_ROLLED for (int j = 0; j < out.count && n.sort == SPOT_ROUND; ++j) {
            const Spot& o = out.spots[j];
            if (o.sort == SPOT_ROUND || o.feature != n.feature) continue;
            const Vec3 d = (n.point - n.normal * n.gap) - (o.point - o.normal * o.gap);
            if (dot(d, o.normal) <= (Real)1e-4 * s.scale) kept = false;
        }
        out.spots[i].terrain = kept ? n.terrain : -1;
    }
    KG_ROLLED for (int i = 0; i < out.count; ++i) {
        if (out.spots[i].terrain >= 0) insert(out.spots[i], count, out, [](const Spot& a, const Spot& b) { return stands_before(a, b); });
    }
    out.count = count;
    // those of a feature that agree take the next
    KG_ROLLED for (int i = 0; i < count; ++i) {
        Spot& n = out.spots[i];
        n.key = natural_key(s, n);
        for (bool taken = true; taken;) {
            taken = false;
            KG_ROLLED for (int j = 0; j < i; ++j) taken = taken || (out.spots[j].feature == n.feature && out.spots[j].key == n.key);
            if (taken) n.key = (n.key + 1) % KEYS;
        }
    }
    count = 0;
    KG_ROLLED for (int i = 0; i < out.count; ++i)
        insert(out.spots[i], count, out, [](const Spot& a, const Spot& b) { return a.feature * KEYS + a.key < b.feature * KEYS + b.key; });
}

// Contacts of the solids item(0) ... item(count - 1), at most one for each lane, in their order
template <class Args, class Item>
KG_FN void find_solid_contacts(const Args& args, const Env& env, Real half, const Rows& rows, int count, Item item, Contacts& c) {
    Touched touch;
    touch.count = 0;
    KG_ROLLED for (int n = 0; n < NTERRAINS; ++n) search_terrain(args, env, half, rows, count, item, n, touch);
    Segment at;
    Vec3 centre = v3(0, 0, 0);
    int id = 0, first = 0, have = 0;
    const auto candidate = [&](int k) {
        const Spot& n = touch.spots[k];
        return static_candidate(half, at, first + n.feature * KEYS + n.key, id, -2 - n.terrain, centre + n.point, n.normal, n.gap - at.rest);
    };
    if (env.lane < count && touch.count > 0) {
        const SolidAt which = item(env.lane);
        at = segment(rows, which.placed);
        centre = at.pos;
        settle(solid_at(args, rows, half, which, centre), touch);
        id = placed_shape[which.placed];
        first = env_terrain_slot[id] + PART_FEATURES * KEYS * which.part;
        KG_ROLLED for (int k = 0; k < touch.count; ++k)
            if (candidate(k).urgency < at.slack) touch.spots[have++] = touch.spots[k];
    }
    kg_rejoin(env);
    keep_contacts<MAX_SPOTS>(rows, c, have, candidate);
}

// Shapes that are near terrain are listed, and searched for by as many at a time as there are lanes. Contacts come in the order of
// shapes, for any number of lanes.
template <class Args>
KG_FN void find_terrain_contacts(const Args& args, const Env& env, Real half, const Rows& rows, Contacts& c) {
    KG_ROLLED for (int first = 0; first < NTS; first += LIST_ROOM) {
        const int all = NTS - first < LIST_ROOM ? NTS - first : LIST_ROOM;
        const int count = list_items<1>(env, rows, env.live ? all : 0, [&](int n) { return (Int)terrain_shape[first + n]; },
                                     [&](int i) { return is_near_terrain(args, env, rows, half, i); });
        if constexpr (HAS_PARTS) {
            KG_ROLLED for (int n = 0; kg_block_any(n < count); ++n) {
                const int i = n < count ? (int)rows.listed(n) : 0, parts = n < count ? parts_of(args, rows, i) : 0;
                KG_ROLLED for (int p0 = 0; kg_block_any(p0 < parts); p0 += LANES)
                    find_solid_contacts(args, env, half, rows, parts - p0, [&](int k) { return SolidAt{i, p0 + k}; }, c);
            }
        } else {
            KG_ROLLED for (int n0 = 0; kg_block_any(n0 < count); n0 += LANES)
                find_solid_contacts(args, env, half, rows, count - n0, [&](int k) { return SolidAt{(int)rows.listed(n0 + k), 0}; }, c);
        }
    }
#if KG_SDF
    find_field_terrain_contacts(args, env, half, rows, c);
#endif
}
