// Where a mesh in convex parts touches terrain: as each part does. A part's features are counted on from those of the parts
// before.

static constexpr int PART_FEATURES = 65;  // points of a hull, and what lies between (terrain_contacts.h)

template <class Args>
KG_FN void find_solid_contacts(const Args& args, const Env& env, Real half, const Rows& rows, const Segment& at, const Solid& s, bool on, int id,
                               int feature, Vec3 off, Contacts& c);

// s: the i-th placed shape, in parts or not
template <class Args>
KG_FN void find_parts_contacts(const Args& args, const Env& env, Real half, const Rows& rows, int i, const Segment& at, const Solid& s, bool on, int id,
                               Contacts& c) {
    const bool whole = s.kind != SHAPE_PARTS;
    const Four q = rows.segment(i, 7), size = rows.segment(i, 8);
    const Quat rot = q4(q.x, q.y, q.z, q.w);
    const int* t = args.hull_table.data + 7 * (on && !whole ? (int)size.w : 0);
    const int parts = !on ? 0 : whole ? 1 : t[6];
    KG_ROLLED for (int p = 0; kg_block_any(p < parts); ++p) {
        Solid part = s;
        Vec3 off = v3(0, 0, 0);
        if (!whole && p < parts) {
            const Real* place = args.hull_place.data + 5 * (t[5] + p);
            off = rotate(rot, v3(place[0], place[1], place[2]) * size.x);
            part = solid_shape(args, SHAPE_HULL, t[5] + p, rot, v3(size.x, place[3] * size.x, place[4] * size.x));
            part.reach = s.reach;
        }
        find_solid_contacts(args, env, half, rows, at, part, p < parts, id, PART_FEATURES * p, off, c);
    }
}
