// Contacts of two shapes of an env: spheres and capsules in closed form, meshes in parts by parts.h, everything else by
// separate.h and manifold.h.

// closest points of two segments centre +- half; parameters in [-1, 1]. Source: Ericson, Real-Time Collision
// Detection (2005), section 5.1.9, centred form
KG_FN void closest_on_segments(Vec3 pa, Vec3 ha, Vec3 pb, Vec3 hb, Real& s, Real& t) {
    Vec3 d = pa - pb;
    Real a = dot(ha, ha), b = dot(ha, hb), e = dot(hb, hb), c = dot(ha, d), f = dot(hb, d);
    Real den = a * e - b * b;
    s = den > (Real)1e-9 * a * e ? kg_clamp(kg_div(b * f - c * e, den), -1, 1) : (Real)0;
    t = e > (Real)0 ? kg_clamp(kg_div(b * s + f, e), -1, 1) : (Real)0;
    s = a > (Real)0 ? kg_clamp(kg_div(b * t - c, a), -1, 1) : (Real)0;
}

// shapes of different trees
KG_FN bool are_apart(int a, int b) { return ENV_TREES > 1 && env_link_tree[env_shape_link[a]] != env_link_tree[env_shape_link[b]]; }

// how many contacts a pair makes: 0, 1 or 2
// threshold: approach speed from which bodies collide
KG_CALL int test_pair(Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out) {
    const int a = placed_shape[pair_a[p]], b = placed_shape[pair_b[p]];
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
            Real mid = kg_div(dot(d, ha), aa), reach_b = kg_div(kg_abs(ab), aa);  // B's centre and half length, in A's parameter
            Real lo = kg_max((Real)-1, mid - reach_b), hi = kg_min((Real)1, mid + reach_b);
            if (hi - lo > (Real)1e-3) {
                points = 2;
                s1[0] = lo;
                s1[1] = hi;
                for (int i = 0; i < 2; ++i) t1[i] = kg_clamp(kg_div(dot(ha * s1[i] - d, hb), bb), -1, 1);
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
        if (u < -threshold && are_apart(a, b)) {
            // where they meet, not where they are at the midpoint
            Real t = 0;
            Vec3 at = d;
            KG_ROLLED for (int pass = 0; pass < 4; ++pass) {
                t = kg_clamp(t - kg_div(dist - radii - reach, u), -half, half);
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

KG_FN bool are_segments(int p) {
    const int a = env_shape_kind[placed_shape[pair_a[p]]], b = env_shape_kind[placed_shape[pair_b[p]]];
    return (a == SHAPE_SPHERE || a == SHAPE_CAPSULE) && (b == SHAPE_SPHERE || b == SHAPE_CAPSULE);
}
// how much nearer the surfaces of two placed shapes may come in half a step
KG_FN Real approach(const Rows& rows, Real half, int a, int b) {
    const Four u = rows.segment(a, 1), v = rows.segment(b, 1);
    return half * (norm(xyz(u) - xyz(v)) + u.w + v.w);
}
// bounding spheres, grown by that
KG_FN bool spheres_meet(const Rows& rows, Real half, int a, int b) {
    const Four A = rows.segment(a, 0), B = rows.segment(b, 0);
    const Vec3 d = xyz(A) - xyz(B);
    const Real grow = A.w + B.w + approach(rows, half, a, b);
    return dot(d, d) <= grow * grow;
}
// boxes around them, grown likewise
KG_FN bool boxes_meet(const Rows& rows, Real half, int a, int b) {
    const Four A = rows.segment(a, 9), B = rows.segment(b, 9), qa = rows.segment(a, 7), qb = rows.segment(b, 7);
    const Vec3 between = xyz(rows.segment(b, 0)) - xyz(rows.segment(a, 0));
    return boxes_meet(xyz(A), matrix(q4(qa.x, qa.y, qa.z, qa.w)), xyz(B), matrix(q4(qb.x, qb.y, qb.z, qb.w)), between,
                      A.w + B.w + approach(rows, half, a, b));
}

// shape i of the pairs, from a reference point that lies `shift` from its own
template <class Args>
KG_FN Convex convex_of(const Args& args, const Rows& rows, int i, const Segment& s, Vec3 shift) {
    const Four q = rows.segment(i, 7), size = rows.segment(i, 8);
    Convex c;
    c.kind = env_shape_kind[placed_shape[i]];
    c.pos = s.pos - shift;
    c.rot = matrix(q4(q.x, q.y, q.z, q.w));
    c.size = xyz(size);
    c.radius = s.radius;
    if (HAS_HULL) c.hull = hull_of(args, is_hull(c.kind) ? (int)size.w : 0);
    return c;
}
// how far a speculative contact may be off: on a curved shape no further than it is thick (see test_pair)
KG_FN Real farthest_contact(const Convex& c) {
    if (c.kind == SHAPE_SPHERE || c.kind == SHAPE_CAPSULE || c.kind == SHAPE_CYLINDER) return c.size.x;
    if (c.kind == SHAPE_ELLIPSOID) return kg_min(c.size.x, kg_min(c.size.y, c.size.z));
    return extent(c);
}
// where a shape is a time t later
KG_FN void advance(Convex& c, Quat rot, Vec3 pos, Vec3 vel, Vec3 spin, Real t) {
    c.pos = pos + vel * t;
    c.rot = matrix(exp_map(spin * t) * rot);
}
// how many contacts two convex shapes of a pair make, at most TOUCHES; va, vb: velocities of their centres
KG_FN int touch_convex(const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Convex a, Convex b,
                       Vec3 va, Vec3 vb, Candidate* out) {
    const Vec3 shift = A.ref - B.ref;  // from A's reference point to B's
    const Real reach = A.rest + B.rest, slack = A.slack + B.slack;
    const Real fastest = norm(va - vb) + norm(A.vel.ang) * (extent(a) + a.radius) + norm(B.vel.ang) * (extent(b) + b.radius);
    const Real limit = reach + kg_min(slack + half * fastest, kg_min(farthest_contact(a), farthest_contact(b)));
    Separation sep = separate(a, b, limit);
    if (!(sep.gap <= limit)) return 0;
    const int shape_a = placed_shape[pair_a[p]], shape_b = placed_shape[pair_b[p]];
    Real t = 0;
    if (are_apart(shape_a, shape_b)) {
        // where they meet, not where they are at the midpoint
        const Four qa = rows.segment(pair_a[p], 7), qb = rows.segment(pair_b[p], 7);
        const Vec3 pos_a = a.pos, pos_b = b.pos;
        KG_ROLLED for (int pass = 0; pass < 3; ++pass) {
            const Real u = dot(sep.normal, point_velocity(A.vel, sep.a - A.vel.lin * t) - point_velocity(B.vel, sep.b + shift - B.vel.lin * t));
            if (u >= -threshold) break;
            t = kg_clamp(t - kg_div(sep.gap - reach, u), -half, half);
            advance(a, q4(qa.x, qa.y, qa.z, qa.w), pos_a, va, A.vel.ang, t);
            advance(b, q4(qb.x, qb.y, qb.z, qb.w), pos_b, vb, B.vel.ang, t);
            sep = separate(a, b, (Real)1e30);
        }
    }
    Touch touch[TOUCHES];
    const int count = touches(a, b, sep, (t == 0 ? (Real)0 : half * fastest) + limit, touch);
    int have = 0;
    KG_ROLLED for (int i = 0; i < count; ++i) {
        Candidate n;
        n.slot = pair_slot[p] + touch[i].number;
        n.a = shape_a;
        n.b = shape_b;
        n.normal = sep.normal;
        n.point = touch[i].point - A.vel.lin * t;
        n.point_b = touch[i].point + shift - B.vel.lin * t;
        const Real u = dot(n.normal, point_velocity(A.vel, n.point) - point_velocity(B.vel, n.point_b));
        n.gap = touch[i].gap - reach - t * u;
        n.urgency = n.gap - half * kg_abs(u);
        if (n.urgency < slack) out[have++] = n;
    }
    return have;
}

// the same of a pair of any shapes. threshold: as in test_pair
template <class Args>
KG_CALL int test_convex_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out) {
    const Convex a = convex_of(args, rows, pair_a[p], A, v3(0, 0, 0)), b = convex_of(args, rows, pair_b[p], B, A.ref - B.ref);
    return touch_convex(rows, half, threshold, p, A, B, a, b, point_velocity(A.vel, A.pos), point_velocity(B.vel, B.pos), out);
}
KG_FN bool has_parts(int p) {
    return HAS_PARTS && (env_shape_kind[placed_shape[pair_a[p]]] == SHAPE_PARTS || env_shape_kind[placed_shape[pair_b[p]]] == SHAPE_PARTS);
}
template <class Args>
KG_CALL int test_parts_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out);
#if KG_SDF
template <class Args>
KG_CALL int test_sdf_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out);
KG_FN bool has_sdf(int p) { return env_shape_sdf[placed_shape[pair_a[p]]] || env_shape_sdf[placed_shape[pair_b[p]]]; }
#endif

template <class Args>
KG_FN int test_any_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out) {
#if KG_SDF
    if (has_sdf(p)) return test_sdf_pair(args, rows, half, threshold, p, A, B, out);
#endif
    if constexpr (HAS_PARTS) {
        if (has_parts(p)) return test_parts_pair(args, rows, half, threshold, p, A, B, out);
    }
    if (HAS_CONVEX && !are_segments(p)) return test_convex_pair(args, rows, half, threshold, p, A, B, out);
    return test_pair(half, threshold, p, A, B, out);
}

// The pairs that are near each other are listed, by tests without branches, and then dealt to the warp's lanes, which are at
// the same code at the same time. Contacts come in the order of pairs, for any number of lanes.
template <class Args>
KG_FN void find_pair_contacts(const Args& args, const Env& env, const StepSettings& st, const Rows& rows, Contacts& c) {
    const Real half = (Real)0.5 * st.dt;
    KG_ROLLED for (int first = 0; first < NP; first += LIST_ROOM) {
        const int all = NP - first < LIST_ROOM ? NP - first : LIST_ROOM;
        int count = list_items<4>(env, rows, env.live ? all : 0, [&](int n) { return first + n; },
                               [&](int p) { return spheres_meet(rows, half, pair_a[p], pair_b[p]); });
        if (HAS_CONVEX) count = list_items<1>(env, rows, count, [&](int n) { return (Int)rows.listed(n); },
                                           [&](int p) { return boxes_meet(rows, half, pair_a[p], pair_b[p]); });
        deal_listed<PAIR_POINTS>(env, rows, count, c, [&](const Rows& its, int n, Candidate* found) {
            const int p = (int)its.listed(n);
            return test_any_pair(args, its, half, st.bounce_threshold, p, segment(its, pair_a[p]), segment(its, pair_b[p]), found);
        });
    }
}
