// Where a mesh in convex parts touches terrain: as each part does. A part's features are counted on from those of the parts
// before.

static constexpr int PART_FEATURES = 65;  // points of a hull, and what lies between (terrain_contacts.h)

template <class Args>
KG_CALL void touch_terrain(const Args& args, const Env& env, const Solid& s, Vec3 ref, Vec3 pos, Touched& out);

template <class Args>
KG_CALL void touch_terrain_in_parts(const Args& args, const Env& env, int hull, Quat rot, Vec3 size, Real reach, Vec3 ref, Vec3 pos, Touched& out) {
    const int* t = args.hull_table.data + 7 * hull;
    const int first = t[5], parts = t[6];
    out.count = 0;
    KG_ROLLED for (int i = 0; i < parts; ++i) {
        const Real* place = args.hull_place.data + 5 * (first + i);
        const Vec3 off = rotate(rot, v3(place[0], place[1], place[2]) * size.x);
        Solid s = solid_shape(args, SHAPE_HULL, first + i, rot, v3(size.x, place[3] * size.x, place[4] * size.x));
        s.reach = reach;
        Touched touch;
        touch_terrain(args, env, s, ref, pos + off, touch);
        KG_ROLLED for (int k = 0; k < touch.count; ++k) {
            Spot n = touch.spots[k];
            n.point = n.point + off;
            n.feature += PART_FEATURES * i;
            keep_spot(out, n);
        }
    }
}
