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
        for (int i = 0; i < MAX_POINTS; ++i) out.near[i] = Near{v3(0, 0, 0), v3(0, 0, 1), (Real)1e30, 0};
        over_faces(t, ext, [&](const Face& f) { touch_whole_face(t, s, f, ext, out); });
        touch_inside(t, s, out);
    }
    settle(s, out);
}

template <class Args>
KG_FN void find_terrain_contacts(const Args& args, const Env& env, Real half, const Kinematics& k, const Spatial* vel, const Rows& rows, Contacts& c) {
    // as many shapes at once as lanes do: the order of contacts is the same for any number of lanes
    each<NGROUPS>([&](auto g) {
        Touched touch[GROUP];
        Candidate first;
        int ids[GROUP];
        Vec3 pos[GROUP];
        Spatial v[GROUP];
        Real rest[GROUP], slack[GROUP];
        int most = 0;
        span(Zero(), group_size[g], [&](auto m) {
            const auto a = group_shape[group_first[g] + m];
            const auto l = shape_link[a];
            const auto id = shape_id(env, a);
            const ShapePose pose = shape_pose(args, env, k, a);
            const Vec3 size = param3(KG_PARAM(shape_size), id, env);
            const Vec3 u = point_velocity(vel[l], pose.pos);
            touch[m].count = 0;
            ids[m] = id;
            pos[m] = pose.pos;
            v[m] = vel[l];
            rest[m] = param(KG_PARAM(shape_rest_offset), id, env);
            slack[m] = (Real)0.05 * param(KG_PARAM(shape_contact_offset), id, env);
            if (env.live && env_terrain_slot[id] >= 0 && (l < TL ? env.lane == 0 : has_shape(env, a))) {
                const int hull = is_hull(shape_kind[a]) ? (int)param(KG_PARAM(shape_hull), id, env) : 0;
                Solid s = solid_shape(args, env_shape_kind[id], hull, pose.rot, size);
                const Vec3 box = half_box(s);
                s.reach = slack[m] + rest[m] + half * (norm(u) + norm(vel[l].ang) * norm(box));
                const Vec3 ref = k.ref[link_tree[l]];
                bool whole = true;
                if constexpr (HAS_PARTS) {
                    whole = env_shape_kind[id] != SHAPE_PARTS;
                    if (!whole) touch_terrain_in_parts(args, env, hull, pose.rot, size, s.reach, ref, pose.pos, touch[m]);
                }
                if (whole) touch_terrain(args, env, s, ref, pose.pos, touch[m]);
            }
            most = touch[m].count > most ? touch[m].count : most;
        });
        kg_rejoin();
        most = kg_warp_most(most);
        KG_ROLLED for (int n = 0; n < most; ++n) {
            KG_ROLLED for (int m = 0; m < group_size[g]; ++m) {
                bool have = n < touch[m].count;
                if (have) {
                    const Spot& s = touch[m].spots[n];
                    const Vec3 point = pos[m] + s.point;
                    const Real gap = s.gap - rest[m];
                    first = Candidate{env_terrain_slot[ids[m]] + s.feature * KEYS + s.key, ids[m], -2 - s.terrain, point, point, s.normal, gap,
                                      gap - half * kg_abs(dot(s.normal, point_velocity(v[m], point)))};
                    have = first.urgency < slack[m];
                }
                keep_contacts<1>(env, rows, c, have, [&](int) { return first; });
            }
        }
    });
}
