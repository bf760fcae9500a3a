// Shapes that may meet others or terrain, placed once a step in the env's room, so that any lane may look at any of them; and lists
// of what is near, which are then dealt to the lanes.

// Spheres and capsules are segments with a radius; for anything else the segment reaches as far as its bounding sphere,
// and what it is follows.
struct Segment {
    Vec3 pos, half;            // centre, from the reference point of the link's tree; from there to one end
    Vec3 ref;                  // that reference point
    Real radius, rest, slack;  // rest: offset at which it rests; slack: see above
    Spatial vel;               // of the link
};
KG_FN Segment segment(const Rows& rows, int i) {
    const Four a = rows.segment(i, 2), b = rows.segment(i, 3), c = rows.segment(i, 4), d = rows.segment(i, 5), e = rows.segment(i, 6);
    return Segment{xyz(a), xyz(b), xyz(c), a.w, b.w, c.w, sp(xyz(d), xyz(e))};
}

template <class Args>
KG_FN void place_segments(const Args& args, const Env& env, const Kinematics& k, const Spatial* vel, const Rows& rows) {
    each<NS>([&](auto n) {
        if (!shape_placed[n]) return;
        const auto id = shape_id(env, n);
        const auto l = shape_link[n];
        const int at = env_segment[id];
        const bool writes = env.live && has_shape(env, n) && at >= 0 && !(l < TL && env.lane != 0);
        if (!WRITTEN_OUT && !writes) return;  // otherwise all shapes' parameters are loaded together
        const ShapePose pose = shape_pose(args, env, k, n);
        const Vec3 size = param3(KG_PARAM(shape_size), id, env);
        const auto kind = shape_kind[n];
        const bool is_segment = kind == SHAPE_SPHERE || kind == SHAPE_CAPSULE;
        Vec3 reach = kind == SHAPE_CAPSULE ? rotate(pose.rot, v3(0, 0, size.y)) : v3(0, 0, 0);
        if (!is_segment) reach.x = extent_of(kind, size);
        const Real radius = is_segment ? size.x : (Real)0, length = is_segment && kind == SHAPE_SPHERE ? (Real)0 : norm(reach);
        const Real rest = param(KG_PARAM(shape_rest_offset), id, env), slack = (Real)0.05 * param(KG_PARAM(shape_contact_offset), id, env);
        if (!writes) return;
        const Vec3 ref = k.ref[link_tree[l]];
        rows.segment(at, 0) = four(pose.pos + ref, radius + length + rest + slack);
        rows.segment(at, 1) = four(point_velocity(vel[l], pose.pos), norm(vel[l].ang) * length);
        rows.segment(at, 2) = four(pose.pos, radius);
        rows.segment(at, 3) = four(reach, rest);
        rows.segment(at, 4) = four(ref, slack);
        rows.segment(at, 5) = four(vel[l].lin, 0);
        rows.segment(at, 6) = four(vel[l].ang, 0);
        if (IS_SEARCHED) {
            rows.segment(at, 7) = Four{pose.rot.x, pose.rot.y, pose.rot.z, pose.rot.w};
            const Real hull = HAS_HULL ? param(KG_PARAM(shape_hull), id, env) : (Real)0;
            rows.segment(at, 8) = four(size, hull);
            rows.segment(at, 9) = four(half_sides(args, kind, size, hull), rest + slack);
        }
    });
    kg_sync();
}

// a point of a placed shape against what does not move: the ground plane or terrain (`other`, as ContactPlace::shape_b)
KG_FN Candidate static_candidate(Real half, const Segment& at, int slot, int shape, int other, Vec3 point, Vec3 normal, Real gap) {
    return Candidate{slot, shape, other, point, point, normal, gap, gap - half * kg_abs(dot(normal, point_velocity(at.vel, point)))};
}

// Of the numbers item(0) ... item(count - 1) those that pass go into the list, in order; how many they are. Items may be of the
// list itself. A lane tests AT_ONCE before it lists any, so that their loads do not wait for each other
template <int AT_ONCE, class Item, class Test>
KG_FN int list_items(const Env& env, const Rows& rows, int count, Item item, Test passes) {
    constexpr int EACH = LANES > 1 ? AT_ONCE : 1;
    int kept = 0;
    const int most = kg_warp_most(count);
    KG_ROLLED for (int n0 = 0; n0 < most; n0 += LANES * EACH) {
        int x[EACH];
        bool keep[EACH];
        KG_WRITTEN_OUT(0, EACH, [&](auto i) {
            const int n = n0 + i * LANES + env.lane;
            x[i] = n < count ? item(n) : 0;
            keep[i] = EACH > 1 ? (int)passes(x[i]) & (int)(n < count) : n < count && passes(x[i]);
        });
        KG_WRITTEN_OUT(0, EACH, [&](auto i) {
            const unsigned ballot = kg_ballot(keep[i]);
            if (keep[i]) rows.listed(kept + kg_before(ballot, env.lane)) = (Real)x[i];
            kept += kg_bits(ballot);
        });
    }
    kg_sync();
    return kept;
}
