// Contacts of a shape that has a signed distance field: points of either shape that are near the other's surface.
//
// Points of a field's surface come in clusters with spheres around them: one look at the distance of its centre passes over a
// cluster. Of a cluster the deepest point counts. Balls and capsules are points with a radius, and a field's points only tell
// where on the field's surface to look for what is nearest to them. The gap is the distance at the point, the normal its
// slope.

// what stays the same while a pair is looked at
struct SdfPair {
    const Segment *A, *B;
    const SdfSide *a, *b;
    Vec3 shift;          // from A's reference point to B's
    Real half, limit;    // half a step; distances beyond are of no interest
};
// a shape's axes -> another's: x -> turn * x + move
struct Change { Mat3 turn; Vec3 move; };
KG_FN Change change_of(const Convex& from, const Convex& to) {
    Change c;
    const Mat3 r = from.rot, t = to.rot;
    for (int i = 0; i < 3; ++i) {
        const Vec3 row = turned_back(r, matrix_column(t, i));
        (i == 0 ? c.turn.r0 : i == 1 ? c.turn.r1 : c.turn.r2) = row;
    }
    c.move = turned_back(to.rot, from.pos - to.pos);
    return c;
}

// The distance of a point, or of a ball around it, from the shape `o`. place: from A's reference point; n: which way out it was
// at the last look, and is now
template <class Args>
KG_FN Real look_at(const Args& args, const SdfSide& o, Vec3 place, Real radius, Vec3& n) {
    const Convex& c = o.whole();
    const Vec3 x = turned_back(c.rot, place - c.pos);
    Vec3 slope;
    Real error;
    if (radius > 0) {  // o has a field
        const Real inv = kg_inv(c.size.x);
        const Vec3 back = turned_back(c.rot, n), y = x * inv;
        const Real d = sdf_distance(o.field, y, slope, error);
        const Vec3 foot = sdf_foot(o.field, y, y - back * d, slope);
        const Real side = d < 0 ? (Real)-1 : (Real)1;
        n = c.rot * along((y - foot) * side, slope);
        return norm(y - foot) * side * c.size.x - radius;
    }
    const Real d = distance_from(args, o, x, slope, error);
    if (dot(slope, slope) > (Real)0.04) n = c.rot * along(slope, v3(0, 0, 1));
    return d;
}
KG_FN Vec3 velocities(const SdfPair& p, Vec3 at, Vec3& vb) {
    vb = point_velocity(p.B->vel, at + p.shift);
    return point_velocity(p.A->vel, at);
}
KG_FN void offer(const SdfPair& p, SdfTouch n, SdfTouches& out) {
    n.at = n.point - n.n * (n.radius + (Real)0.5 * n.distance);
    Vec3 vb;
    const Vec3 va = velocities(p, n.at, vb);
    n.urgency = n.distance - p.A->rest - p.B->rest - p.half * kg_abs(dot(n.n, va - vb));
    if (n.urgency < p.A->slack + p.B->slack) put_touch(out, n);
}

// a ball, or a place on a capsule's segment, nearest to a place on a field's surface
template <class Args>
KG_CALL void touch_round(const Args& args, const SdfPair& p, bool of_b, Real along_axis, Vec3 from, int number, SdfTouches& out) {
    const SdfSide &s = of_b ? *p.b : *p.a, &o = of_b ? *p.a : *p.b;
    const Convex &c = s.whole(), &f = o.whole();
    SdfTouch n;
    n.point = c.pos + c.rot * v3(0, 0, along_axis);
    const Vec3 x = turned_back(f.rot, n.point - f.pos) * kg_inv(f.size.x);
    Vec3 slope, m;
    Real error;
    const Real side = sdf_distance(o.field, x, slope, error) < 0 ? (Real)-1 : (Real)1;
    const Vec3 foot = sdf_foot(o.field, x, from, m);
    // inside, what is nearest lies behind the surface that it was looked for on, or it is another's
    if (dot(x - foot, m) * side < 0) return;
    n.n = f.rot * along((x - foot) * side, m);
    n.radius = c.radius;
    n.distance = norm(x - foot) * side * f.size.x - c.radius;
    n.of_b = of_b;
    n.blunt = 0;
    n.number = number;
    if (n.distance < p.limit) offer(p, n, out);
}

// points of a field's surface near the other shape
template <class Args>
KG_CALL void touch_field_points(const Args& args, const SdfPair& p, bool of_b, SdfTouches& out) {
    const SdfSide &s = of_b ? *p.b : *p.a, &o = of_b ? *p.a : *p.b;
    const Change change = change_of(s.whole(), o.whole());
    const Real scale = s.whole().size.x;
    const bool round = o.is_round();
    const Real bound = extent(o.whole()) + o.whole().radius;
    const auto place = [&](Vec3 x) { return change.turn * (x * scale) + change.move; };
    KG_ROLLED for (int k = 0; k < s.field.clusters; ++k) {
        const Real* sphere = s.field.sphere + 4 * k;
        Vec3 slope, best_slope = v3(0, 0, 0);
        Real error, least = p.limit;
        const Vec3 centre = place(v3(sphere[0], sphere[1], sphere[2]));
        const Real near = sphere[3] * scale + p.limit;
        if (!within(centre, bound + near)) continue;
        const Real d0 = distance_from(args, o, centre, slope, error);
        if (d0 - error > near) continue;
        int best = -1;
        KG_ROLLED for (int i = s.field.start[k]; i < s.field.start[k + 1]; ++i) {
            const Real d = distance_from(args, o, place(s.field.at(i)), slope, error);
            if (d >= least - (best < 0 ? (Real)0 : out.equal) || dot(slope, slope) < (Real)0.04) continue;
            if (!s.field.looks(i, -turned_back(change.turn, slope))) continue;  // the side of a face, say
            best = i;
            least = d;
            best_slope = slope;
        }
        if (best < 0) continue;
        const Vec3 x = s.field.at(best);
        const int number = best + (of_b ? SDF_POINTS : 0);
        if (round) {
            const Convex& c = o.whole();
            const Real along_axis = c.kind == SHAPE_CAPSULE ? kg_clamp(place(x).z, -c.size.y, c.size.y) : (Real)0;
            touch_round(args, p, !of_b, along_axis, x, number, out);
            continue;
        }
        SdfTouch n;
        n.point = s.whole().pos + s.whole().rot * (x * scale);
        n.n = o.whole().rot * along(best_slope, v3(0, 0, 1));
        n.distance = least;
        n.radius = 0;
        n.blunt = s.field.blunt(best);
        n.of_b = of_b;
        n.number = number;
        offer(p, n, out);
    }
}
// points of a shape without a field near the other's
template <class Args>
KG_CALL void touch_own_points(const Args& args, const SdfPair& p, bool of_b, SdfTouches& out) {
    const SdfSide &s = of_b ? *p.b : *p.a, &o = of_b ? *p.a : *p.b;
    const Convex &c = s.whole(), &f = o.whole();
    const Change change = change_of(c, f);
    const int count = own_points(args, s);
    KG_ROLLED for (int i = 0; i < count; ++i) {
        const int number = i + (of_b ? SDF_POINTS : 0);
        Vec3 slope, middle, x = own_point(args, s, i, middle);
        Real error, d = distance_from(args, o, change.turn * x + change.move, slope, error);
        if (d > p.limit + (slides(s, i) ? extent(c) : c.radius)) continue;
        if (s.is_round()) {
            const Vec3 y = (change.turn * x + change.move) * kg_inv(f.size.x);
            touch_round(args, p, of_b, x.z, y - along(slope, v3(0, 0, 1)) * kg_div(d, f.size.x), number, out);
            continue;
        }
        KG_ROLLED for (int pass = 0; pass < 3 && slides(s, i); ++pass) {
            x = slid_point(s, x, -turned_back(change.turn, slope));
            d = distance_from(args, o, change.turn * x + change.move, slope, error);
        }
        if (d > p.limit || dot(slope, slope) < (Real)0.04) continue;
        if (dot(turned_back(change.turn, slope), x - middle) > 0) continue;  // the far side of the shape
        SdfTouch n;
        n.point = c.pos + c.rot * x;
        n.n = f.rot * along(slope, v3(0, 0, 1));
        n.distance = d;
        n.radius = 0;
        n.blunt = 0;
        n.of_b = of_b;
        n.number = number;
        offer(p, n, out);
    }
}

// A contact of what was found. Of a collision: where they meet, not where they are at the midpoint. Else the gap is that at
// the end of the step, gone back along the normal: what slides past an edge, or a curved side, does not run into the
// plane that was before it
template <class Args>
KG_CALL Candidate sdf_contact(const Args& args, const SdfPair& p, Real threshold, bool collides, SdfTouch s) {
    const SdfSide& o = s.of_b ? *p.a : *p.b;
    const Real reach = p.A->rest + p.B->rest, side = s.of_b ? (Real)-1 : (Real)1;
    Vec3 vb, va = velocities(p, s.at, vb), n = s.n;
    Real t = 0, d = s.distance, u = dot(n, va - vb) * side;
    Vec3 own_b, own_a = velocities(p, s.point, own_b);
    const Vec3 pass_by = (own_a - own_b) * side;  // of the point, as the other shape sees it
    if (collides && u < -threshold) {
        KG_ROLLED for (int pass = 0; pass < 4; ++pass) {
            t = kg_clamp(t - kg_div(d - reach, u), -p.half, p.half);
            d = look_at(args, o, s.point + pass_by * t, s.radius, n);
            u = dot(n, va - vb) * side;
            if (u >= 0) break;
        }
    } else {
        const Vec3 w = (pass_by - n * dot(n, pass_by)) * p.half;
        Vec3 m = n;
        if (dot(w, w) > 0) d += kg_clamp(look_at(args, o, s.point + w, s.radius, m) - d, 0, norm(w));
    }
    const Vec3 at = s.point + (s.of_b ? own_b : own_a) * t - n * (s.radius + (Real)0.5 * (t == 0 ? s.distance : d));
    Candidate c;
    c.normal = n * side;
    c.point = at - va * t;
    c.point_b = at + p.shift - vb * t;
    c.gap = d - reach - t * u;
    c.urgency = c.gap - p.half * kg_abs(u);
    return c;
}

// how many contacts a pair with a field makes, at most SDF_TOUCHES
template <class Args>
KG_CALL int test_sdf_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A,
                          const Segment& B, Candidate* out) {
    const SdfSide a = sdf_side(args, rows, pair_a[p], A, v3(0, 0, 0)), b = sdf_side(args, rows, pair_b[p], B, A.ref - B.ref);
    const Real size_a = extent(a.whole()) + a.whole().radius, size_b = extent(b.whole()) + b.whole().radius;
    const Real turning = norm(A.vel.ang) * size_a + norm(B.vel.ang) * size_b;
    const Real fastest = norm(point_velocity(A.vel, A.pos) - point_velocity(B.vel, B.pos)) + turning;
    const SdfPair pair = {&A, &B, &a, &b, A.ref - B.ref, half, A.rest + B.rest + A.slack + B.slack + half * fastest};
    const SdfSide& has = a.has ? a : b;
    SdfTouches found = sdf_touches(kg_min(size_a, size_b), has.field, has.whole().size.x);
    for (int side = 0; side < 2; ++side) {
        if (side == 0 ? a.has : b.has) touch_field_points(args, pair, side == 1, found);
        else touch_own_points(args, pair, side == 1, found);
    }
    drop_implied(found);
    const int shape_a = placed_shape[pair_a[p]], shape_b = placed_shape[pair_b[p]];
    const bool collides = env_link_tree[env_shape_link[shape_a]] != env_link_tree[env_shape_link[shape_b]];
    in_order(found);
    int have = 0;
    KG_ROLLED for (int k = 0; k < found.count; ++k) {
        Candidate n = sdf_contact(args, pair, threshold, collides, found.touch[k]);
        n.slot = pair_slot[p] + found.touch[k].number;
        n.a = shape_a;
        n.b = shape_b;
        if (n.urgency < A.slack + B.slack) out[have++] = n;
    }
    return have;
}
