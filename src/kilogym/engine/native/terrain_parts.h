// Shapes as terrain sees them. A mesh in convex parts touches it as each part does; a part's features are counted on from those of the
// parts before.

// a placed shape, or a convex part of one
struct SolidAt { int placed, part; };
static constexpr int PART_FEATURES = 65;  // points of a hull, and what lies between (terrain_contacts.h)

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
    const Vec3 ext = reach_box(s);
    bool near = false;
    KG_ROLLED for (int n = 0; n < NTERRAINS && !near; ++n)
        near = is_near(view_terrain(args, env, n, xyz(rows.segment(i, 4)), xyz(rows.segment(i, 2)), ext));
    return near;
}

// how many solids placed shape i is, and one of them; pos: its centre, moved from the shape's to the part's
template <class Args>
KG_FN int parts_of(const Args& args, const Rows& rows, int i) {
    if (env_shape_kind[placed_shape[i]] != SHAPE_PARTS) return 1;
    return args.hull_table.data[7 * (int)rows.segment(i, 8).w + 6];
}
template <class Args>
KG_FN Solid solid_at(const Args& args, const Rows& rows, Real half, SolidAt which, Vec3& pos) {
    Solid s = placed_solid(args, rows, half, which.placed);
    if constexpr (HAS_PARTS) {
        if (s.kind == SHAPE_PARTS) {
            const Four size = rows.segment(which.placed, 8);
            const int part = args.hull_table.data[7 * (int)size.w + 5] + which.part;
            const Real* place = args.hull_place.data + HULL_PLACE * part;
            pos = pos + rotate(s.rot, v3(place[0], place[1], place[2]) * size.x);
            const Real reach = s.reach;
            s = solid_shape(args, SHAPE_HULL, part, s.rot, v3(size.x, place[3] * size.x, place[4] * size.x));
            s.reach = reach;
        }
    }
    return s;
}
