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
        Spot n = out.spots[i];
        if (n.terrain < 0) continue;
        n.key = natural_key(s, n);
        // those of a feature that agree take the next
        for (bool taken = true; taken;) {
            taken = false;
            KG_ROLLED for (int j = 0; j < count; ++j) taken = taken || (out.spots[j].feature == n.feature && out.spots[j].key == n.key);
            if (taken) n.key = (n.key + 1) % KEYS;
        }
        int at = count++;
        KG_ROLLED for (; at > 0; --at) {
            const Spot& before = out.spots[at - 1];
            if (before.feature * KEYS + before.key < n.feature * KEYS + n.key) break;
            out.spots[at] = before;
        }
        out.spots[at] = n;
    }
    out.count = count;
}

// everything that one shape touches
template <class Args>
KG_CALL void touch_terrain(const Args& args, const Env& env, const Solid& s, Vec3 ref, Vec3 pos, Touched& out) {
    out.count = 0;
    const Real r = s.reach;
    const Vec3 ext = half_box(s) + v3(r, r, r);
    KG_ROLLED for (int n = 0; n < NTERRAINS; ++n) {
        const Terrain t = view_terrain(args, env, n, ref, pos, ext);
        if (t.i1 < t.i0) continue;
        Face f;
        Ridges ridges;
        ridges.count = 0;
        bool behind = false;
        KG_ROLLED for (Walk w = walk_over(t);;) {
            const bool more = next_face(t, w, f, [&](const Face& g) {
                bool its;
                const bool may = may_touch(s, g, its);
                behind = behind || its;
                return may;
            });
            if (!more || ridges.count > RIDGES - 3) touch_ridges(t, s, ridges, out);  // a face has three edges
            if (!more) break;
            place_inward(f);
            touch_whole_face(t, s, f, ext, ridges, out);
        }
        touch_inside(t, s, behind, out);
    }
    settle(s, out);
}

// placed shape i as terrain sees it
template <class Args>
KG_FN Solid placed_solid(const Args& args, const Rows& rows, Real half, int i) {
    const Four q = rows.segment(i, 7), size = rows.segment(i, 8);
    const int kind = env_shape_kind[placed_shape[i]];
    Solid s = solid_shape(args, kind, is_hull(kind) ? (int)size.w : 0, q4(q.x, q.y, q.z, q.w), xyz(size));
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

#if KG_SDF
template <class Args>
KG_CALL void touch_terrain_by_field(const Args& args, const Env& env, const Segment& at, const Solid& s, int hull, Real half, Touched& out);
#endif
// contacts of the n-th of `count` listed shapes
template <class Args>
KG_FN void touch_listed(const Args& args, const Env& env, Real half, const Rows& rows, int n, int count, Contacts& c) {
    Touched touch;
    touch.count = 0;
    Segment at;
    int id = 0;
    if (n < count) {
        const int i = (int)rows.listed(n);
        id = placed_shape[i];
        at = segment(rows, i);
        const Solid s = placed_solid(args, rows, half, i);
        bool whole = true;
        if constexpr (HAS_PARTS) {
            whole = s.kind != SHAPE_PARTS;
            const Four q = rows.segment(i, 7), size = rows.segment(i, 8);
            if (!whole) touch_terrain_in_parts(args, env, (int)size.w, q4(q.x, q.y, q.z, q.w), xyz(size), s.reach, at.ref, at.pos, touch);
        }
#if KG_SDF
        if (env_shape_sdf[id]) {
            whole = false;
            touch_terrain_by_field(args, env, at, s, (int)rows.segment(i, 8).w, half, touch);
        }
#endif
        if (whole) touch_terrain(args, env, s, at.ref, at.pos, touch);
    }
    kg_rejoin(env);
    const auto candidate = [&](int k) {
        const Spot& s = touch.spots[k];
        const Vec3 point = at.pos + s.point;
        const Real gap = s.gap - at.rest;
        return Candidate{env_terrain_slot[id] + s.feature * KEYS + s.key, id, -2 - s.terrain, point, point, s.normal, gap,
                         gap - half * kg_abs(dot(s.normal, point_velocity(at.vel, point)))};
    };
    int have = 0;
    KG_ROLLED for (int k = 0; k < touch.count; ++k)
        if (candidate(k).urgency < at.slack) touch.spots[have++] = touch.spots[k];
    keep_contacts<MAX_SPOTS>(env, rows, c, have, candidate);
}

// Shapes that are near terrain are listed, then dealt to the lanes. Contacts come in the order of shapes, for any number of lanes.
template <class Args>
KG_FN void find_terrain_contacts(const Args& args, const Env& env, Real half, const Rows& rows, Contacts& c) {
    KG_ROLLED for (int first = 0; first < NTS; first += LIST_ROOM) {
        const int all = NTS - first < LIST_ROOM ? NTS - first : LIST_ROOM;
        const int count = list_items(env, rows, env.live ? all : 0, [&](int n) { return (Int)terrain_shape[first + n]; },
                                     [&](int i) { return is_near_terrain(args, env, rows, half, i); });
        const int most = kg_warp_most(count);
        KG_ROLLED for (int n0 = 0; n0 < most; n0 += LANES) touch_listed(args, env, half, rows, n0 + env.lane, count, c);
    }
}
