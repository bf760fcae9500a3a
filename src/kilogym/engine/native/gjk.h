// How far two cores are apart, for the search of separate.h: its state, and the shortest vector between the cores (GJK; Gilbert,
// Johnson, Keerthi 1988).

// The search's state: the pair, and the best direction so far
struct Search {
    const Convex* a;
    const Convex* b;
    Vec3 shift;   // A.pos - B.pos
    Real scale;   // extents of both
    Vec3 normal;
    Real gap;     // of the cores
};
// point of A - B farthest along -n, and A's part of it
KG_FN Vec3 difference(const Search& s, Vec3 n, Vec3& on_a) {
    on_a = support(*s.a, -n);
    return s.shift + on_a - support(*s.b, n);
}
KG_FN Real propose(Search& s, Vec3 n, Real more) {
    Vec3 a;
    const Real gap = dot(n, difference(s, n, a));
    if (gap > s.gap + more) { s.gap = gap; s.normal = n; }
    return gap;
}

struct Simplex { Vec3 w[4], a[4]; Real share[4]; int count; };

// barycentric coordinates of the point of a triangle nearest to the origin. Source: Ericson, Real-Time Collision
// Detection (2005), section 5.1.5
KG_FN void nearest_on_triangle(Vec3 a, Vec3 b, Vec3 c, Real* l) {
    const Vec3 ab = b - a, ac = c - a;
    const Real d1 = -dot(ab, a), d2 = -dot(ac, a);
    l[0] = 1; l[1] = 0; l[2] = 0;
    if (d1 <= 0 && d2 <= 0) return;
    const Real d3 = -dot(ab, b), d4 = -dot(ac, b);
    l[0] = 0; l[1] = 1;
    if (d3 >= 0 && d4 <= d3) return;
    const Real vc = d1 * d4 - d3 * d2;
    if (vc <= 0 && d1 >= 0 && d3 <= 0) {
        l[1] = d1 - d3 > 0 ? kg_div(d1, d1 - d3) : (Real)0;
        l[0] = 1 - l[1];
        return;
    }
    const Real d5 = -dot(ab, c), d6 = -dot(ac, c);
    l[1] = 0; l[2] = 1;
    if (d6 >= 0 && d5 <= d6) return;
    const Real vb = d5 * d2 - d1 * d6;
    if (vb <= 0 && d2 >= 0 && d6 <= 0) {
        l[2] = d2 - d6 > 0 ? kg_div(d2, d2 - d6) : (Real)0;
        l[0] = 1 - l[2];
        return;
    }
    const Real va = d3 * d6 - d5 * d4;
    if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
        const Real sum = (d4 - d3) + (d5 - d6);
        l[2] = sum > 0 ? kg_div(d4 - d3, sum) : (Real)0;
        l[1] = 1 - l[2];
        l[0] = 0;
        return;
    }
    // of a sliver rounding may leave one below zero, and a sum of nothing: shares would be beyond all bounds
    const Real pa = kg_max(va, (Real)0), pb = kg_max(vb, (Real)0), pc = kg_max(vc, (Real)0);
    const Real inv = kg_inv(kg_max(pa + pb + pc, (Real)1e-37));
    l[1] = pb * inv; l[2] = pc * inv;
    l[0] = 1 - l[1] - l[2];
}
// keeps the vertices of the part nearest to the origin; false: the origin is inside
KG_CALL bool reduce_simplex(Simplex& s, Vec3& nearest) {
    Real l[4] = {1, 0, 0, 0};
    if (s.count == 2) {
        const Vec3 d = s.w[1] - s.w[0];
        const Real dd = dot(d, d);
        l[1] = dd > 0 ? kg_clamp(kg_div(-dot(s.w[0], d), dd), 0, 1) : (Real)0;
        l[0] = 1 - l[1];
    } else if (s.count == 3) {
        nearest_on_triangle(s.w[0], s.w[1], s.w[2], l);
    } else if (s.count == 4) {
        Real best = (Real)1e30;
        KG_ROLLED for (int f = 0; f < 4; ++f) {
            const int i = f == 0 ? 1 : 0, j = f <= 1 ? 2 : 1, k = f == 3 ? 2 : 3;
            const Vec3 n = cross(s.w[j] - s.w[i], s.w[k] - s.w[i]);
            const Real opposite = dot(n, s.w[f] - s.w[i]), origin = -dot(n, s.w[i]);
            if (opposite * origin > 0) continue;  // on the inner side
            Real t[3];
            nearest_on_triangle(s.w[i], s.w[j], s.w[k], t);
            const Vec3 p = s.w[i] * t[0] + s.w[j] * t[1] + s.w[k] * t[2];
            if (dot(p, p) >= best) continue;
            best = dot(p, p);
            l[f] = 0; l[i] = t[0]; l[j] = t[1]; l[k] = t[2];
        }
        if (best >= (Real)1e30) return false;
    }
    int n = 0;
    nearest = v3(0, 0, 0);
    KG_ROLLED for (int i = 0; i < s.count; ++i) {
        if (!(l[i] > 0)) continue;
        s.w[n] = s.w[i];
        s.a[n] = s.a[i];
        s.share[n] = l[i];
        nearest = nearest + s.w[n] * l[i];
        ++n;
    }
    s.count = n;
    return n > 0;
}
static constexpr Real NEARLY = 1e-3;  // of both extents: cores less apart count as touching
// true: the cores are apart, by more than `limit` or as the search's direction says, at `on_a` of A's core
KG_CALL bool search_apart(Search& s, Real limit, Vec3& on_a) {
    Simplex x;
    x.count = 0;
    Vec3 v = s.shift;
    if (!(dot(v, v) > KG_TINY * KG_TINY * s.scale * s.scale)) v = v3(0, 0, s.scale);
    Real last = (Real)1e30;
    int restarts = 0;
    KG_ROLLED for (int pass = 0; pass < 48; ++pass) {
        const Real length = norm(v);
        if (!(length > 4 * KG_TINY * s.scale)) return false;
        const Vec3 n = v * kg_inv(length);
        Vec3 a;
        const Vec3 w = difference(s, n, a);
        const Real gap = dot(n, w);
        if (gap > s.gap) { s.gap = gap; s.normal = n; }
        if (gap > limit) return true;
        if (x.count > 0) {  // v is a point of A - B
            const Real open = length - s.gap, close = KG_TINY * (length + s.scale * (Real)0.25);
            if (open <= 4 * close) break;
            if (length < NEARLY * s.scale) break;  // separate.h looks closer
            bool stuck = length >= last;
            KG_ROLLED for (int i = 0; i < x.count; ++i) stuck = stuck || (w.x == x.w[i].x && w.y == x.w[i].y && w.z == x.w[i].z);
            last = length;
            if (stuck) {  // a thin simplex and rounding: once more from the best direction so far, unless that is good
                if (open <= 10 * close || restarts++ == 2) break;
                x.count = 0;
                v = s.normal * length;
                last = (Real)1e30;
                continue;
            }
        }
        x.w[x.count] = w;
        x.a[x.count] = a;
        ++x.count;
        if (!reduce_simplex(x, v)) return false;
    }
    if (x.count == 3) {  // of a face, or of two edges, the simplex knows the normal better than the short vector v does
        const Vec3 n = along(cross(x.w[1] - x.w[0], x.w[2] - x.w[0]), s.normal);
        propose(s, dot(n, x.w[0]) < 0 ? -n : n, 0);
    }
    on_a = v3(0, 0, 0);
    KG_ROLLED for (int i = 0; i < x.count; ++i) on_a = on_a + x.a[i] * x.share[i];
    return s.gap > 0;
}
