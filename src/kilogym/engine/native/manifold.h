// Where two convex shapes touch: up to four points, from the features that face each other.
//
// A feature is the polygon, edge or vertex of a shape that looks along the normal. Both are projected along the normal;
// the corners of what they have in common are the candidates: corners of A over B's feature, of B over A's, crossings
// of edges. At each the gap is that of the two surfaces along the normal, so a face that is turned away or an edge that
// crosses needs no case of its own: candidates further off just have larger gaps. Neither shape is the reference.
//
// A candidate's number says which corners or edges met, in numbers of the shapes themselves: from step to step it stays
// with the same geometric point (warm starting). Kept are those that span most of the common polygon.

static constexpr int TOUCHES = 4, FEATURE = 16, TOUCH_NUMBERS = 8192;
struct Touch {
    Vec3 point;  // midway between the surfaces, from the shapes' reference point
    Real gap;
    int number;  // 0 ... TOUCH_NUMBERS - 1
};
struct Feature {
    Vec3 corner[FEATURE];  // in order
    int id[FEATURE];       // of the corner in its shape: 0 ... 63
    int count;
    Vec3 normal;           // of the polygon, towards the other shape; of an edge or a vertex the contact's own
};

// d: unit, outwards
KG_CALL void feature_along(const Convex& c, Vec3 d, Feature& f) {
    const Vec3 shell = c.pos + d * c.radius;
    f.normal = d;
    f.count = 1;
    f.id[0] = 0;
    if (HAS_TRIANGLE && c.kind == SHAPE_TRIANGLE) {
        f.count = 3;
        f.corner[0] = shell + c.rot.r0; f.corner[1] = shell + c.rot.r1; f.corner[2] = shell + c.rot.r2;
        f.id[1] = 1; f.id[2] = 2;
        f.normal = triangle_normal(c, d);
        if (dot(f.normal, d) < 0) f.normal = -f.normal;
        return;
    }
    const Vec3 l = turned_back(c.rot, d);
    if (HAS_CAPSULE && c.kind == SHAPE_CAPSULE) {
        f.count = 2;
        for (int i = 0; i < 2; ++i) {
            f.corner[i] = shell + c.rot * v3(0, 0, i == 0 ? c.size.y : -c.size.y);
            f.id[i] = i;
        }
        return;
    }
    if (HAS_BOX && c.kind == SHAPE_BOX) {
        const Real x = kg_abs(l.x), y = kg_abs(l.y), z = kg_abs(l.z);
        const int i = x >= y && x >= z ? 0 : y >= z ? 1 : 2, j = i == 2 ? 0 : i + 1, k = j == 2 ? 0 : j + 1;
        const bool up = pick(l, i) >= 0;
        f.count = 4;
        f.normal = matrix_column(c.rot, i) * (up ? (Real)1 : (Real)-1);
        KG_ROLLED for (int n = 0; n < 4; ++n) {
            const bool right = n == 1 || n == 2, far = n >= 2;
            const int id = (up ? 1 << i : 0) | (right ? 1 << j : 0) | (far ? 1 << k : 0);
            f.corner[n] = shell + c.rot * v3(id & 1 ? c.size.x : -c.size.x, id & 2 ? c.size.y : -c.size.y, id & 4 ? c.size.z : -c.size.z);
            f.id[n] = id;
        }
        return;
    }
    if (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) {
        const Real rho = kg_sqrt(l.x * l.x + l.y * l.y);
        const Real cx = rho > (Real)2e-3 ? kg_div(l.x, rho) : (Real)1, cy = rho > (Real)2e-3 ? kg_div(l.y, rho) : (Real)0;
        if (rho > kg_abs(l.z)) {  // side: the line along it
            f.count = 2;
            for (int i = 0; i < 2; ++i) {
                f.corner[i] = shell + c.rot * v3(cx * c.size.x, cy * c.size.x, i == 0 ? c.size.y : -c.size.y);
                f.id[i] = i;
            }
            return;
        }
        // cap: eight points of its rim, the farthest one and then an eighth of a turn apart
        const bool up = l.z >= 0;
        f.count = 8;
        f.normal = matrix_column(c.rot, 2) * (up ? (Real)1 : (Real)-1);
        Real x = cx * c.size.x, y = cy * c.size.x;
        KG_ROLLED for (int n = 0; n < 8; ++n) {
            f.corner[n] = shell + c.rot * v3(x, y, up ? c.size.y : -c.size.y);
            f.id[n] = (up ? 8 : 16) + n;
            const Real t = (x - y) * (Real)0.70710678118654752;
            y = (x + y) * (Real)0.70710678118654752;
            x = t;
        }
        return;
    }
    if (HAS_HULL && c.kind == SHAPE_HULL) {
        // of the faces at the farthest vertex, the one that looks most along d. A face need not list the vertex: of one with many
        // corners some are kept
        const int lowest = lowest_hull_vertex(c, l);
        int best = -1;
        Real most = (Real)-2;
        KG_ROLLED for (int i = 0; i < c.hull.faces; ++i) {
            const Real x = dot(c.hull.normal_of(i), l);
            if (x <= most) continue;
            const Vec3 off = c.hull.at(lowest) - c.hull.at(c.hull.corner[c.hull.face[2 * i]]);
            if (dot(c.hull.normal_of(i), off) * c.size.x > (Real)-1e-5 * c.size.y) { most = x; best = i; }
        }
        if (best < 0) {
            f.corner[0] = shell + c.rot * (c.hull.at(lowest) * c.size.x);
            f.id[0] = lowest;
            return;
        }
        const int first = c.hull.face[2 * best];
        f.count = c.hull.face[2 * best + 1];
        f.normal = c.rot * c.hull.normal_of(best);
        KG_ROLLED for (int n = 0; n < f.count; ++n) {
            f.id[n] = c.hull.corner[first + n];
            f.corner[n] = shell + c.rot * (c.hull.at(f.id[n]) * c.size.x);
        }
        return;
    }
    f.corner[0] = shell + support(c, d);
}

struct Flat { Real x, y; };
KG_FN Flat operator-(Flat a, Flat b) { return Flat{a.x - b.x, a.y - b.y}; }
KG_FN Real cross(Flat a, Flat b) { return a.x * b.y - a.y * b.x; }
KG_FN Real dot(Flat a, Flat b) { return a.x * b.x + a.y * b.y; }

// A feature seen along the normal: corners about `origin`, and its surface's height over the plane there
struct Outline {
    Flat corner[FEATURE];
    Real height[FEATURE];
    Real slope_x, slope_y;  // of the surface
    Real turn;              // +1: counter-clockwise, -1: clockwise
    int count;
};
KG_CALL void outline(const Feature& f, Vec3 n, Vec3 t1, Vec3 t2, Vec3 origin, Outline& o) {
    o.count = f.count;
    Real area = 0;
    KG_ROLLED for (int i = 0; i < f.count; ++i) {
        const Vec3 p = f.corner[i] - origin;
        o.corner[i] = Flat{dot(p, t1), dot(p, t2)};
        o.height[i] = dot(p, n);
        if (i >= 2) area += cross(o.corner[i - 1] - o.corner[0], o.corner[i] - o.corner[0]);
    }
    o.turn = area < 0 ? (Real)-1 : (Real)1;
    const Real up = dot(f.normal, n);
    const Real inv = kg_abs(up) > (Real)0.02 ? kg_inv(up) : (Real)0;  // a face seen from its edge counts as flat
    o.slope_x = -dot(f.normal, t1) * inv;
    o.slope_y = -dot(f.normal, t2) * inv;
}
KG_FN Real height_at(const Outline& o, Flat p) {
    return o.height[0] + o.slope_x * (p.x - o.corner[0].x) + o.slope_y * (p.y - o.corner[0].y);
}
KG_FN bool is_over(const Outline& o, Flat p, Real margin) {
    if (o.count < 3) return false;
    KG_ROLLED for (int i = 0; i < o.count; ++i) {
        const Flat edge = o.corner[i + 1 == o.count ? 0 : i + 1] - o.corner[i];
        if (o.turn * cross(edge, p - o.corner[i]) < -margin * kg_sqrt(dot(edge, edge))) return false;
    }
    return true;
}

static constexpr int COMMON = 32;
struct Common {
    Flat at[COMMON];
    Real gap[COMMON], height[COMMON];  // height: midway
    int number[COMMON];
    int count;
};
KG_FN void add_common(Common& c, Flat at, Real height_a, Real height_b, int number, Real limit) {
    if (c.count == COMMON || !(height_a - height_b <= limit)) return;
    c.at[c.count] = at;
    c.gap[c.count] = height_a - height_b;
    c.height[c.count] = (Real)0.5 * (height_a + height_b);
    c.number[c.count++] = number;
}
KG_CALL void common_corners(const Feature& fa, const Feature& fb, const Outline& a, const Outline& b, Real margin, Real limit, Common& c) {
    KG_ROLLED for (int i = 0; i < a.count; ++i)
        if (is_over(b, a.corner[i], margin)) add_common(c, a.corner[i], a.height[i], height_at(b, a.corner[i]), fa.id[i], limit);
    KG_ROLLED for (int j = 0; j < b.count; ++j)
        if (is_over(a, b.corner[j], margin)) add_common(c, b.corner[j], height_at(a, b.corner[j]), b.height[j], 64 + fb.id[j], limit);
    const int edges_a = a.count == 2 ? 1 : a.count, edges_b = b.count == 2 ? 1 : b.count;
    KG_ROLLED for (int i = 0; i < edges_a; ++i) {
        const int i1 = i + 1 == a.count ? 0 : i + 1;
        const Flat r = a.corner[i1] - a.corner[i];
        const Real rr = dot(r, r);
        KG_ROLLED for (int j = 0; j < edges_b; ++j) {
            const int j1 = j + 1 == b.count ? 0 : j + 1;
            const Flat s = b.corner[j1] - b.corner[j], d = b.corner[j] - a.corner[i];
            const Real across = cross(r, s);
            if (across * across <= (Real)1e-6 * rr * dot(s, s)) continue;  // parallel: corners say the same
            const Real t = kg_div(cross(d, s), across), u = kg_div(cross(d, r), across);
            if (t < 0 || t > 1 || u < 0 || u > 1) continue;
            const Flat p = Flat{a.corner[i].x + t * r.x, a.corner[i].y + t * r.y};
            add_common(c, p, a.height[i] + t * (a.height[i1] - a.height[i]), b.height[j] + u * (b.height[j1] - b.height[j]),
                       128 + 64 * fa.id[i] + fb.id[j], limit);
        }
    }
}
// two edges: where they cross, or the two ends of the part that they share
KG_CALL void common_of_edges(const Outline& a, const Outline& b, Real limit, Common& c) {
    const Flat r = a.corner[1] - a.corner[0], s = b.corner[1] - b.corner[0];
    const Real rr = dot(r, r), ss = dot(s, s), rs = dot(r, s);
    const auto add = [&](Real t, int number) {  // t: along A's
        const Flat p = Flat{a.corner[0].x + t * r.x, a.corner[0].y + t * r.y};
        const Real u = ss > 0 ? kg_clamp(kg_div(dot(p - b.corner[0], s), ss), 0, 1) : (Real)0;
        add_common(c, p, a.height[0] + t * (a.height[1] - a.height[0]), b.height[0] + u * (b.height[1] - b.height[0]), number, limit);
    };
    if (rs * rs > (Real)0.99 * rr * ss && rr > 0) {
        const Real t0 = kg_div(dot(b.corner[0] - a.corner[0], r), rr), t1 = kg_div(dot(b.corner[1] - a.corner[0], r), rr);
        const Real lo = kg_clamp(kg_min(t0, t1), 0, 1), hi = kg_clamp(kg_max(t0, t1), 0, 1);
        add(lo, 1);
        if (hi - lo > (Real)1e-3) add(hi, 2);
        return;
    }
    const Real across = cross(r, s);
    const Real t = across != 0 ? kg_clamp(kg_div(cross(b.corner[0] - a.corner[0], s), across), 0, 1) : (Real)0;
    add(t, 0);
}

// Where corners of both lie on each other, which of them is inside is a matter of rounding: what is near a corner of A
// has its number, else near one of B. Points that are kept are farther apart than that.
KG_FN int number_near(const Feature& fa, const Feature& fb, const Outline& a, const Outline& b, Flat p, Real near, int otherwise) {
    KG_ROLLED for (int i = 0; i < a.count; ++i) if (dot(a.corner[i] - p, a.corner[i] - p) < near * near) return fa.id[i];
    KG_ROLLED for (int j = 0; j < b.count; ++j) if (dot(b.corner[j] - p, b.corner[j] - p) < near * near) return 64 + fb.id[j];
    return otherwise;
}

// The points of A and B that are nearer than `limit` along sep.normal. Returns how many, at most TOUCHES.
KG_CALL int touches(const Convex& A, const Convex& B, const Separation& sep, Real limit, Touch* out) {
    const Vec3 n = sep.normal;
    Feature fa, fb;
    feature_along(A, -n, fa);
    feature_along(B, n, fb);
    if (fa.count == 1 || fb.count == 1) {
        if (!(sep.gap <= limit)) return 0;
        out[0].gap = sep.gap;
        out[0].number = 0;
        out[0].point = fa.count == 1 ? fa.corner[0] - n * ((Real)0.5 * sep.gap) : fb.corner[0] + n * ((Real)0.5 * sep.gap);
        return 1;
    }
    Vec3 t1, t2;
    tangents(n, t1, t2);
    const Vec3 origin = fa.corner[0];
    Outline a, b;
    outline(fa, n, t1, t2, origin, a);
    outline(fb, n, t1, t2, origin, b);
    Common c;
    c.count = 0;
    const Real size = extent(A) + extent(B), margin = (Real)1e-4 * size, near = (Real)0.01 * size;
    if (a.count == 2 && b.count == 2) common_of_edges(a, b, limit, c);
    else common_corners(fa, fb, a, b, margin, limit, c);
    if (c.count == 0) {  // nothing in common: a corner beside a corner, or rounding
        if (!(sep.gap <= limit)) return 0;
        out[0].gap = sep.gap;
        out[0].number = TOUCH_NUMBERS - 1;
        out[0].point = (sep.a + sep.b) * (Real)0.5;
        return 1;
    }
    // the deepest, if the faces are not parallel; else the one farthest along an axis of A, then the farthest from that,
    // then the farthest to either side of the line through both. The first of (nearly) equals, so that a choice stays
    int chosen[TOUCHES], count = 1;
    Real least = c.gap[0], most = c.gap[0];
    chosen[0] = 0;
    KG_ROLLED for (int i = 1; i < c.count; ++i) {
        if (c.gap[i] < least) { least = c.gap[i]; chosen[0] = i; }
        most = kg_max(most, c.gap[i]);
    }
    if (most - least < (Real)0.01 * size) {
        Vec3 axis = v3(A.rot.r0.x, A.rot.r1.x, A.rot.r2.x);
        if (kg_abs(dot(axis, n)) > (Real)0.8) axis = v3(A.rot.r0.y, A.rot.r1.y, A.rot.r2.y);
        const Flat d = {dot(axis, t1), dot(axis, t2)};
        chosen[0] = 0;
        KG_ROLLED for (int i = 1; i < c.count; ++i) if (dot(c.at[i] - c.at[chosen[0]], d) > margin * 2) chosen[0] = i;
    }
    const Flat p0 = c.at[chosen[0]];
    Real best = 4 * near * near;
    KG_ROLLED for (int i = 0; i < c.count; ++i) {
        const Flat d = c.at[i] - p0;
        if (dot(d, d) > best * (Real)1.002) { best = dot(d, d); chosen[1] = i; count = 2; }
    }
    if (count == 2) {
        const Flat line = c.at[chosen[1]] - p0;
        const Real length = kg_sqrt(dot(line, line));
        KG_ROLLED for (int side = -1; side <= 1; side += 2) {
            Real farthest = 2 * near;
            int at = -1;
            KG_ROLLED for (int i = 0; i < c.count; ++i) {
                const Real off = (Real)side * cross(line, c.at[i] - p0) * kg_inv(length);
                if (off > farthest + (at < 0 ? (Real)0 : margin * (Real)0.5)) { farthest = off; at = i; }
            }
            if (at >= 0) chosen[count++] = at;
        }
    }
    KG_ROLLED for (int i = 0; i < count; ++i) {
        const int m = chosen[i];
        out[i].gap = c.gap[m];
        out[i].number = number_near(fa, fb, a, b, c.at[m], near, c.number[m]);
        out[i].point = origin + t1 * c.at[m].x + t2 * c.at[m].y + n * c.height[m];
    }
    return count;
}
