// Contact generation: shapes at the midpoint pose -> at most MAX_CONTACTS contacts, the deepest.
//
// Every possible contact point has a fixed number, its *slot*: pairs first, then points of shapes against the
// ground, so that the pairs users see penetrate are swept last. The slot keys warm starting. A candidate becomes
// a contact only if it may touch within the step:
//   gap(q_m) - dt/2 |u_n| < slack,   u_n at the predicted midpoint velocity,
// slack being a twentieth of the pair's contact offsets (1 mm by default), for the acceleration the prediction lacks.
// The normal points from B to A; A is pushed along +n.

struct Contacts {
    int count;
    int dropped;  // candidates beyond MAX_CONTACTS
};
struct Candidate { int slot, a, b; Vec3 point, point_b, normal; Real gap, urgency; };

// one more; to a full list only if it is more urgent than the least urgent, which goes
KG_FN void put_contact(const Rows& rows, int count, const Candidate& n) {
    int at = count;
    if (count == MAX_CONTACTS) {
        at = 0;
        KG_ROLLED for (int i = 1; i < MAX_CONTACTS; ++i) {
            if (rows.urgency(i) >= rows.urgency(at)) at = i;
        }
        if (rows.urgency(at) <= n.urgency) return;
    }
    rows.impulse_gap(at) = four(v3(0, 0, 0), n.gap);
    rows.urgency(at) = n.urgency;
    rows.at(at, 5) = four(n.normal, (Real)n.slot);
    rows.at(at, 6) = four(n.point, (Real)n.a);
    if (NP > 0) rows.at(at, 7) = four(n.point_b, (Real)n.b);
}
// the lanes' candidates, in the order of the lanes
KG_CALL void keep_contacts(const Env& env, const Rows& rows, Contacts& c, unsigned have, const Candidate& n) {
    while (kg_warp_any(have != 0)) {
        if (have) {
            if (env.lane == kg_lowest(have)) put_contact(rows, c.count, n);
            if (c.count == MAX_CONTACTS) c.dropped += 1;
            else c.count += 1;
            have &= have - 1;
        }
        kg_sync();
    }
}

struct ShapePose { Vec3 pos; Quat rot; };  // from the reference point of the link's tree

template <class Args, class Shape>
KG_FN ShapePose shape_pose(const Args& args, const Env& env, const Kinematics& k, Shape shape) {
    const int l = shape_link[shape];
    const auto id = shape_id(env, shape);
    ShapePose p;
    p.pos = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(shape_pos), id, env));
    p.rot = k.rot[l] * param4(KG_PARAM(shape_quat), id, env);
    return p;
}

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
    if (!HAS_CYLINDER) return pose.pos;
    // cylinder: four rim points per cap, the lowest one and three more a quarter turn apart
    Vec3 down = rotate(conj(pose.rot), -n);
    Real rho = kg_sqrt(down.x * down.x + down.y * down.y);
    Real cx = rho > (Real)1e-4 ? down.x / rho : (Real)1, cy = rho > (Real)1e-4 ? down.y / rho : (Real)0;
    const int turn = i & 3;
    Real rx = turn == 0 ? cx : turn == 1 ? -cx : turn == 2 ? -cy : cy;
    Real ry = turn == 0 ? cy : turn == 1 ? -cy : turn == 2 ? cx : -cx;
    return pose.pos + rotate(pose.rot, v3(rx * size.x, ry * size.x, i < 4 ? size.y : -size.y));
}

// closest points of two segments centre +- half; parameters in [-1, 1]. Source: Ericson, Real-Time Collision
// Detection (2005), section 5.1.9, centred form
KG_FN void closest_on_segments(Vec3 pa, Vec3 ha, Vec3 pb, Vec3 hb, Real& s, Real& t) {
    Vec3 d = pa - pb;
    Real a = dot(ha, ha), b = dot(ha, hb), e = dot(hb, hb), c = dot(ha, d), f = dot(hb, d);
    Real den = a * e - b * b;
    s = den > (Real)1e-9 * a * e ? kg_clamp((b * f - c * e) / den, -1, 1) : (Real)0;
    t = e > (Real)0 ? kg_clamp((b * s + f) / e, -1, 1) : (Real)0;
    s = a > (Real)0 ? kg_clamp((b * t - c) / a, -1, 1) : (Real)0;
}

// Spheres and capsules are segments with a radius. Where those of pairs are, and how they move.
struct Segment {
    Vec3 pos, half;            // centre, from the reference point of the link's tree; from there to one end
    Vec3 ref;                  // that reference point
    Real radius, rest, slack;  // rest: offset at which it rests; slack: see above
    Spatial vel;               // of the link
};
KG_FN Segment segment(const Rows& rows, int i) {
    const Four a = rows.segment(i, 0), b = rows.segment(i, 1), c = rows.segment(i, 2), d = rows.segment(i, 3), e = rows.segment(i, 4);
    return Segment{xyz(a), xyz(b), xyz(c), a.w, b.w, c.w, sp(xyz(d), xyz(e))};
}

template <class Args>
KG_FN void place_segments(const Args& args, const Env& env, const Kinematics& k, const Spatial* vel, const Rows& rows) {
    each<NS>([&](auto n) {
        if (!shape_pairs[n]) return;
        const auto id = shape_id(env, n);
        const auto l = shape_link[n];
        const int at = env_segment[id];
        if (!env.live || !has_shape(env, n) || at < 0 || (l < TL && env.lane != 0)) return;
        const ShapePose pose = shape_pose(args, env, k, n);
        const Vec3 size = param3(KG_PARAM(shape_size), id, env);
        rows.segment(at, 0) = four(pose.pos, size.x);
        rows.segment(at, 1) = four(shape_kind[n] == SHAPE_CAPSULE ? rotate(pose.rot, v3(0, 0, size.y)) : v3(0, 0, 0), param(KG_PARAM(shape_rest_offset), id, env));
        rows.segment(at, 2) = four(k.ref[link_tree[l]], (Real)0.05 * param(KG_PARAM(shape_contact_offset), id, env));
        rows.segment(at, 3) = four(vel[l].lin, 0);
        rows.segment(at, 4) = four(vel[l].ang, 0);
    });
    kg_sync();
}

// how many contacts a pair makes: 0, 1 or 2
// threshold: approach speed from which bodies collide
KG_CALL int test_pair(Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out) {
    const int a = pair_shape[pair_a[p]], b = pair_shape[pair_b[p]];
    const Vec3 shift = A.ref - B.ref;  // from A's reference point to B's
    const Vec3 ha = A.half, hb = B.half;
    const Vec3 cb = B.pos - shift;     // B's centre from A's reference point
    const Real reach = A.rest + B.rest, slack = A.slack + B.slack;
    const Real radii = A.radius + B.radius;
    Real s, t;
    closest_on_segments(A.pos, ha, cb, hb, s, t);
    Real s1[2], t1[2];
    int points = 1;
    s1[0] = s1[1] = s;
    t1[0] = t1[1] = t;
    if (env_shape_kind[a] == SHAPE_CAPSULE && env_shape_kind[b] == SHAPE_CAPSULE) {
        // near-parallel capsules touch along a line: the two ends of the overlap hold them
        Real aa = dot(ha, ha), bb = dot(hb, hb), ab = dot(ha, hb);
        if (ab * ab > (Real)0.99 * aa * bb) {
            Vec3 d = cb - A.pos;
            Real mid = dot(d, ha) / aa, reach_b = kg_abs(ab) / aa;  // B's centre and half length, in A's parameter
            Real lo = kg_max((Real)-1, mid - reach_b), hi = kg_min((Real)1, mid + reach_b);
            if (hi - lo > (Real)1e-3) {
                points = 2;
                s1[0] = lo;
                s1[1] = hi;
                for (int i = 0; i < 2; ++i) t1[i] = kg_clamp((dot(ha * s1[i] - d, hb)) / bb, -1, 1);
            }
        }
    }
    int have = 0;
    KG_ROLLED for (int i = 0; i < points; ++i) {
        Vec3 qa = A.pos + ha * s1[i], qb = cb + hb * t1[i];
        Vec3 d = qa - qb;
        Real dist = norm(d);
        Candidate n;
        n.slot = pair_slot[p] + i;
        n.a = a;
        n.b = b;
        n.normal = dist > (Real)1e-9 ? d * kg_inv(dist) : v3(0, 0, 1);
        n.gap = dist - radii - reach;
        n.point = qb + n.normal * (B.radius + (Real)0.5 * (dist - radii));
        n.point_b = n.point + shift;
        const Vec3 va = point_velocity(A.vel, qa), vb = point_velocity(B.vel, qb + shift);
        Real u = dot(n.normal, va - vb);
        if (u < -threshold && env_link_tree[env_shape_link[a]] != env_link_tree[env_shape_link[b]]) {
            // where they meet, not where they are at the midpoint
            Real t = 0;
            Vec3 at = d;
            KG_ROLLED for (int pass = 0; pass < 4; ++pass) {
                t = kg_clamp(t - (dist - radii - reach) / u, -half, half);
                at = d + (va - vb) * t;
                dist = norm(at);
                if (dist <= (Real)1e-9) break;
                n.normal = at * kg_inv(dist);
                u = dot(n.normal, va - vb);
                if (u >= 0) break;
            }
            n.gap = dist - radii - reach - t * u;
            n.point = qb + vb * t + n.normal * (B.radius + (Real)0.5 * (dist - radii)) - va * t;
            n.point_b = n.point + (va - vb) * t + shift;
        }
        n.urgency = n.gap - half * kg_abs(u);
        // a speculative contact further off than the shapes are thick would be a ghost on a curved partner
        if (n.urgency < slack && n.gap < kg_min(A.radius, B.radius)) out[have++] = n;
    }
    return have;
}

// bounding spheres, grown by what the two can move in the step
KG_FN bool may_touch(Real half, const Segment& A, const Segment& B) {
    const Vec3 d = A.pos + A.ref - B.ref - B.pos;
    const Real ha = norm(A.half), hb = norm(B.half);
    const Vec3 u = point_velocity(A.vel, A.pos) - point_velocity(B.vel, B.pos);
    const Real grow = A.radius + B.radius + A.rest + B.rest + A.slack + B.slack + ha + hb
        + half * (norm(u) + norm(A.vel.ang) * ha + norm(B.vel.ang) * hb);
    return dot(d, d) <= grow * grow;
}

// pairs first, then points of shapes against the ground plane
template <class Args>
KG_FN Contacts find_contacts(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Spatial* vel,
                             const Rows& rows) {
    Contacts c = {0, 0};
    const Real half = (Real)0.5 * st.dt;
    if (NP > 0) {
        place_segments(args, env, k, vel, rows);
        // as many pairs at once as limbs are swept at once: the order of contacts is the same for any number of lanes
        static constexpr int AT_ONCE = SWEPT_LANES / LANES;
        KG_ROLLED for (int p0 = 0; p0 < NP; p0 += SWEPT_LANES) {
            Candidate n[AT_ONCE][2];
            int have[AT_ONCE];
            bool any = false;
            for (int k = 0; k < AT_ONCE; ++k) {
                const int p = p0 + k * LANES + env.lane;
                have[k] = 0;
                if (p < NP && env.live) {
                    const Segment A = segment(rows, pair_a[p]), B = segment(rows, pair_b[p]);
                    if (may_touch(half, A, B)) have[k] = test_pair(half, st.bounce_threshold, p, A, B, n[k]);
                }
                any = any || have[k] > 0;
            }
            if (!kg_warp_any(any)) continue;
            for (int i = 0; i < 2; ++i) {
                for (int k = 0; k < AT_ONCE; ++k) keep_contacts(env, rows, c, kg_ballot(have[k] > i), n[k][i]);
            }
        }
    }
    if (!HAS_GROUND) return c;
    const Vec3 normal = param3(KG_PARAM(ground_normal), 0, env);
    const Real offset = param(KG_PARAM(ground_distance), 0, env);
    struct Tested { ShapePose pose; Vec3 size; Real height, slack; int id, slot; bool here; };
    Tested tested[NS > 0 ? NS : 1];
    each<NS>([&](auto a) {
        if (!shape_ground[a]) return;
        const auto l = shape_link[a];
        const auto id = shape_id(env, a);
        Tested& t = tested[a];
        t.id = id;
        t.slot = env_ground_slot[id];
        t.here = env.live && t.slot >= 0 && (l < TL ? env.lane == 0 : has_shape(env, a));
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
        const Vec3 point = surface_point(shape_kind[a], t.pose, t.size, normal, i);
        const Real gap = t.height + dot(normal, point);
        const Real urgency = gap - half * kg_abs(dot(normal, point_velocity(vel[shape_link[a]], point)));
        const bool have = t.here && urgency < t.slack;
        if (kg_warp_any(have)) keep_contacts(env, rows, c, kg_ballot(have), Candidate{t.slot + i, t.id, -1, point, point, normal, gap, urgency});
    });
    return c;
}
