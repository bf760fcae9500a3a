// Points of shapes at the midpoint pose against the ground plane. Written out for every point, or, where contacts are searched
// for anyway (search.h), dealt to the lanes shape by shape.

// i-th candidate point of a shape against a plane, on its surface, from its reference point
template <class Kind, class Number>
KG_FN Vec3 surface_point(Kind kind, ShapePose pose, Vec3 size, Vec3 n, Number i) {
    if (HAS_SPHERE && kind == SHAPE_SPHERE) return pose.pos - n * size.x;
    if (HAS_CAPSULE && kind == SHAPE_CAPSULE) {
        Vec3 axis = rotate(pose.rot, v3(0, 0, i == 0 ? size.y : -size.y));
        return pose.pos + axis - n * size.x;
    }
    if (HAS_BOX && kind == SHAPE_BOX) {
        Vec3 corner = v3(i & 1 ? size.x : -size.x, i & 2 ? size.y : -size.y, i & 4 ? size.z : -size.z);
        return pose.pos + rotate(pose.rot, corner);
    }
    if (HAS_ELLIPSOID && kind == SHAPE_ELLIPSOID) {
        const Vec3 l = rotate(conj(pose.rot), -n), s = v3(size.x * l.x, size.y * l.y, size.z * l.z);
        const Real inv = kg_inv(norm(s));
        return pose.pos + rotate(pose.rot, v3(size.x * s.x * inv, size.y * s.y * inv, size.z * s.z * inv));
    }
    if (!HAS_CYLINDER) return pose.pos;
    // cylinder: four rim points per cap, the lowest one and three more a quarter turn apart
    Vec3 down = rotate(conj(pose.rot), -n);
    Real rho = kg_sqrt(down.x * down.x + down.y * down.y);
    Real cx = rho > (Real)1e-4 ? kg_div(down.x, rho) : (Real)1, cy = rho > (Real)1e-4 ? kg_div(down.y, rho) : (Real)0;
    const int turn = i & 3;
    Real rx = turn == 0 ? cx : turn == 1 ? -cx : turn == 2 ? -cy : cy;
    Real ry = turn == 0 ? cy : turn == 1 ? -cy : turn == 2 ? cx : -cx;
    return pose.pos + rotate(pose.rot, v3(rx * size.x, ry * size.x, i < 4 ? size.y : -size.y));
}

// how many of them, of a kind that is no mesh
KG_FN int points_of(int kind) { return kind == SHAPE_SPHERE || kind == SHAPE_ELLIPSOID ? 1 : kind == SHAPE_CAPSULE ? 2 : 8; }

// The vertices of a hull that touch a plane, at most HULL_POINTS: of those whose gap may close, the farthest along eight
// directions of the plane, which turn with the hull, and first the lowest unless they lie in a plane with it. Of nearly
// equals the first, so that rounding does not choose. -1: none
static constexpr int HULL_POINTS = 8, GROUND_TOUCHES = 8;  // of any shape without a field
struct HullPoints { int vertex[HULL_POINTS]; };
KG_CALL void hull_points(const Hull& hull, ShapePose pose, Real scale, Real bound, Vec3 n, Real height, Real half, Real slack, Spatial vel, HullPoints& out) {
    unsigned low[2] = {0, 0}, kept[2] = {0, 0};
    const Vec3 down = rotate(conj(pose.rot), -n) * scale;
    Vec3 t1, t2;
    tangents(along(down, v3(0, 0, 1)), t1, t2);
    const Real level = height + dot(n, pose.pos);
    const Real fastest = half * (norm(point_velocity(vel, pose.pos)) + norm(vel.ang) * bound);  // of any vertex
    int lowest = -1;
    Real least = (Real)1e30, highest = (Real)-1e30;
    const bool near = level - bound * (Real)1.0001 - fastest < slack;  // its bounding sphere
    KG_ROLLED for (int i = 0; i < hull.vertices && near; ++i) {
        const Real gap = level - dot(down, hull.at(i));
        if (gap - fastest >= slack) continue;
        const Vec3 point = pose.pos + rotate(pose.rot, hull.at(i) * scale);
        if (gap - half * kg_abs(dot(n, point_velocity(vel, point))) >= slack) continue;
        low[i >> 5] |= 1u << (i & 31);
        if (gap < least) { least = gap; lowest = i; }
        highest = kg_max(highest, gap);
    }
    int count = 0;
    const bool level_face = highest - least < (Real)0.005 * bound;
    KG_ROLLED for (int d = level_face ? 0 : -1; d < 8 && count < HULL_POINTS && lowest >= 0; ++d) {
        int best = lowest;
        if (d >= 0) {
            const Real c = (Real)(d == 0 ? 1 : d == 4 ? -1 : d == 2 || d == 6 ? 0 : d == 1 || d == 7 ? 0.70710678 : -0.70710678);
            const Real s = (Real)(d == 2 ? 1 : d == 6 ? -1 : d == 0 || d == 4 ? 0 : d < 4 ? 0.70710678 : -0.70710678);
            const Vec3 way = t1 * c + t2 * s;
            Real most = (Real)-1e30;
            KG_ROLLED for (int i = 0; i < hull.vertices; ++i) {
                if (!(low[i >> 5] >> (i & 31) & 1u)) continue;
                const Real x = dot(way, hull.at(i));
                if (x > most + kg_div((Real)0.002 * bound, scale)) { most = x; best = i; }
            }
        }
        if (kept[best >> 5] >> (best & 31) & 1u) continue;
        kept[best >> 5] |= 1u << (best & 31);
        out.vertex[count++] = best;
    }
    for (; count < HULL_POINTS; ++count) out.vertex[count] = -1;
}

static constexpr bool TESTS_GROUND = HAS_GROUND && !IS_SEARCHED;  // every point, written out
template <class Args>
KG_FN void find_ground_contacts(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Spatial* vel,
                                const Rows& rows, Contacts& c) {
    if (!TESTS_GROUND) return;
    const Real half = (Real)0.5 * st.dt;
    const Vec3 normal = param3(KG_PARAM(ground_normal), 0, env);
    const Real offset = param(KG_PARAM(ground_distance), 0, env);
    struct Tested { ShapePose pose; Vec3 size, reach; Real height, slack; int id, slot; bool here; };
    Tested tested[NS > 0 ? NS : 1];
    each<NS>([&](auto a) {
        if (!shape_ground[a]) return;
        const auto l = shape_link[a];
        const auto id = shape_id(env, a);
        Tested& t = tested[a];
        t.id = id;
        t.slot = env_ground_slot[id];
        t.here = env.live && t.slot >= 0 && (l < TL ? env.lane == 0 : has_shape(env, a));
        if (shape_is_segment[a]) {  // placed for pairs already
            const Segment s = segment(rows, env_segment[id]);
            t.pose.pos = s.pos;
            t.reach = s.half;
            t.size.x = s.radius;
            t.height = dot(normal, s.ref) - offset - s.rest;
            t.slack = s.slack;
            return;
        }
        t.pose = shape_pose(args, env, k, a);
        t.size = param3(KG_PARAM(shape_size), id, env);
        t.height = dot(normal, k.ref[link_tree[l]]) - offset - param(KG_PARAM(shape_rest_offset), id, env);
        t.slack = (Real)0.05 * param(KG_PARAM(shape_contact_offset), id, env);
    });
    each<NTESTS>([&](auto n) {
        const auto a = test_shape[n];
        if (!shape_ground[a]) return;
        const Tested& t = tested[a];
        const auto i = test_point[n];
        const Vec3 point = shape_is_segment[a] ? t.pose.pos + (i == 0 ? t.reach : -t.reach) - normal * t.size.x
            : surface_point(shape_kind[a], t.pose, t.size, normal, i);
        const Real gap = t.height + dot(normal, point);
        const Real urgency = gap - half * kg_abs(dot(normal, point_velocity(vel[shape_link[a]], point)));
        const bool have = t.here && urgency < t.slack;
        if (kg_warp_any(have)) keep_contact(rows, c, have, Candidate{t.slot + i, t.id, -1, point, point, normal, gap, urgency});
    });
}

// contacts of the n-th of `count` listed shapes
template <class Args>
KG_FN void touch_listed_ground(const Args& args, const Env& env, Real half, const Rows& rows, Vec3 normal, Real offset, int n, int count, Contacts& c) {
    int number[GROUND_TOUCHES], have = 0, id = 0, kind = SHAPE_SPHERE;
    ShapePose pose;
    Segment at;
    Vec3 size = v3(0, 0, 0);
    Hull hull;
    const auto candidate = [&](int i) {
        const Vec3 point = !is_hull(kind) ? surface_point(kind, pose, size, normal, i) : pose.pos + rotate(pose.rot, hull.at(i) * size.x);
        const Real gap = dot(normal, at.ref) - offset - at.rest + dot(normal, point);
        return static_candidate(half, at, env_ground_slot[id] + i, id, -1, point, normal, gap);
    };
    if (n < count) {
        const int i = (int)rows.listed(n);
        const Four q = rows.segment(i, 7), s = rows.segment(i, 8);
        id = placed_shape[i];
        kind = env_shape_kind[id];
        at = segment(rows, i);
        pose = ShapePose{at.pos, q4(q.x, q.y, q.z, q.w)};
        size = xyz(s);
        HullPoints points;
        int most = points_of(kind);
        if (is_hull(kind)) {
            hull = hull_of(args, (int)s.w);
            hull_points(hull, pose, size.x, size.y, normal, dot(normal, at.ref) - offset - at.rest, half, at.slack, at.vel, points);
            most = HULL_POINTS;
        }
        KG_ROLLED for (int k = 0; k < most; ++k) {
            const int which = is_hull(kind) ? points.vertex[k] : k;
            if (which >= 0 && candidate(which).urgency < at.slack) number[have++] = which;
        }
    }
    kg_rejoin(env);
    keep_contacts<GROUND_TOUCHES>(rows, c, have, [&](int k) { return candidate(number[k]); });
}
template <class Args>
KG_FN void search_ground_contacts(const Args& args, const Env& env, Real half, const Rows& rows, Contacts& c) {
    const Vec3 normal = param3(KG_PARAM(ground_normal), 0, env);
    const Real offset = param(KG_PARAM(ground_distance), 0, env);
    KG_ROLLED for (int first = 0; first < NGS; first += LIST_ROOM) {
        const int all = NGS - first < LIST_ROOM ? NGS - first : LIST_ROOM;
        const int count = list_items<1>(env, rows, env.live ? all : 0, [&](int n) { return (Int)searched_ground[first + n]; }, [&](int i) {
            const Four sphere = rows.segment(i, 0), speed = rows.segment(i, 1);
            return dot(normal, xyz(sphere)) - offset - half * (kg_abs(dot(normal, xyz(speed))) + speed.w) < sphere.w * (Real)1.0001;
        });
        const int most = kg_warp_most(count);
        KG_ROLLED for (int n0 = 0; n0 < most; n0 += LANES) touch_listed_ground(args, env, half, rows, normal, offset, n0 + env.lane, count, c);
    }
}
