// How deep two cores are in each other, for the search of separate.h: the faces of a polytope grown inside A - B towards its
// nearest boundary (EPA; van den Bergen 2001). It starts from a large tetrahedron that need not hold the origin: the face that
// separates most grows. From where that ends on curved shapes a few steps lead up the slope.

static constexpr int KG_GROW = 28;  // vertices that a polytope grows by
struct Facet { int i, j, k; Vec3 n; Real height; };  // n: unit, outwards; height: n . vertex, of A - B
struct Polytope {
    Vec3 vertex[4 + KG_GROW];
    Facet facet[2 * (4 + KG_GROW)];
    int vertices, facets;
};
KG_FN bool add_facet(Polytope& p, int i, int j, int k) {
    if (p.facets >= 2 * (4 + KG_GROW)) return false;
    const Vec3 a = p.vertex[i], b = p.vertex[j], c = p.vertex[k];
    const Vec3 n = cross(b - a, c - a);
    const Real area = norm(n);
    Facet f;
    f.i = i; f.j = j; f.k = k;
    f.n = area > (Real)1e-30 ? n * kg_inv(area) : v3(0, 0, 0);
    f.height = area > (Real)1e-30 ? dot(f.n, (a + b + c) * ((Real)1 / 3)) : (Real)1e30;  // never grown
    p.facet[p.facets++] = f;
    return true;
}
// a tetrahedron of points of A - B far from each other; false: A - B is flat, and its normals have been proposed
KG_CALL bool start_polytope(Search& s, Polytope& p) {
    Vec3 a;
    const Vec3 d0 = s.normal;
    p.vertex[0] = difference(s, d0, a);
    p.vertex[1] = difference(s, -d0, a);
    Vec3 line = p.vertex[1] - p.vertex[0], side = v3(0, 0, 0), t1, t2;
    if (!(dot(line, line) > KG_TINY * KG_TINY * s.scale * s.scale)) line = d0;
    line = along(line, d0);
    tangents(line, t1, t2);
    Real most = 0;
    KG_ROLLED for (int i = 0; i < 4; ++i) {
        const Vec3 w = difference(s, i == 0 ? t1 : i == 1 ? -t1 : i == 2 ? t2 : -t2, a);
        const Vec3 off = w - p.vertex[0], away = off - line * dot(off, line);
        if (dot(away, away) > most) { most = dot(away, away); p.vertex[2] = w; side = away; }
    }
    if (!(most > KG_TINY * KG_TINY * s.scale * s.scale)) {  // a segment
        propose(s, t1, 0);
        propose(s, -t1, 0);
        propose(s, t2, 0);
        propose(s, -t2, 0);
        return false;
    }
    const Vec3 up = along(cross(line, side), t1);
    const Vec3 high = difference(s, -up, a), low = difference(s, up, a);
    const Real above = dot(up, high - p.vertex[0]), below = -dot(up, low - p.vertex[0]);
    if (!(kg_max(above, below) > 8 * KG_TINY * s.scale)) {
        propose(s, up, 0);
        propose(s, -up, 0);
        return false;
    }
    p.vertex[3] = above >= below ? high : low;
    if (norm(p.vertex[1] - p.vertex[0]) < 8 * KG_TINY * s.scale) return false;
    p.vertices = 4;
    p.facets = 0;
    const bool right = dot(cross(p.vertex[1] - p.vertex[0], p.vertex[2] - p.vertex[0]), p.vertex[3] - p.vertex[0]) < 0;
    add_facet(p, 0, right ? 1 : 2, right ? 2 : 1);
    add_facet(p, 0, right ? 3 : 1, right ? 1 : 3);
    add_facet(p, 0, right ? 2 : 3, right ? 3 : 2);
    add_facet(p, 1, right ? 3 : 2, right ? 2 : 3);
    return true;
}
// grows the facet that separates most until it is one of A - B's own
KG_CALL void search_overlap(Search& s) {
    Polytope p;
    if (!start_polytope(s, p)) return;
    KG_ROLLED for (int pass = 0; pass < KG_GROW; ++pass) {
        int at = 0;
        KG_ROLLED for (int i = 1; i < p.facets; ++i) if (p.facet[i].height < p.facet[at].height) at = i;
        const Vec3 n = p.facet[at].n;
        const Real height = p.facet[at].height;
        Vec3 a;
        const Vec3 w = difference(s, -n, a);
        const Real farthest = dot(n, w);
        if (-farthest > s.gap) { s.gap = -farthest; s.normal = -n; }
        if (!(farthest - height > 2 * KG_TINY * s.scale)) return;
        if (-height <= s.gap + KG_TINY * s.scale) return;  // no facet can separate more than the best so far
        // facets that see the new vertex go; edges that one of them has alone are joined with it
        const int fresh = p.vertices;
        p.vertex[p.vertices++] = w;
        unsigned char edge_i[3 * 2 * (4 + KG_GROW)], edge_j[3 * 2 * (4 + KG_GROW)];
        int edges = 0, kept = 0;
        KG_ROLLED for (int i = 0; i < p.facets; ++i) {
            const Facet f = p.facet[i];
            if (i != at && (f.height >= (Real)1e30 || dot(f.n, w) - f.height <= (Real)0.1 * KG_TINY * s.scale)) {
                p.facet[kept++] = f;
                continue;
            }
            KG_ROLLED for (int e = 0; e < 3; ++e) {
                const int from = e == 0 ? f.i : e == 1 ? f.j : f.k, to = e == 0 ? f.j : e == 1 ? f.k : f.i;
                int twin = -1;
                KG_ROLLED for (int m = 0; m < edges; ++m) if (edge_i[m] == to && edge_j[m] == from) twin = m;
                if (twin >= 0) {
                    --edges;
                    edge_i[twin] = edge_i[edges];
                    edge_j[twin] = edge_j[edges];
                } else {
                    edge_i[edges] = (unsigned char)from;
                    edge_j[edges] = (unsigned char)to;
                    ++edges;
                }
            }
        }
        p.facets = kept;
        KG_ROLLED for (int m = 0; m < edges; ++m) if (!add_facet(p, edge_i[m], edge_j[m], fresh)) return;
        if (p.facets == 0) return;
    }
}

// Climbs from the best direction to where the support points lie across from each other: on curved surfaces a polytope ends
// a little beside it. The step is that of Barzilai and Borwein (1988). At the edge of a face or of a cylinder there is no
// such direction, and steps are refused.
KG_CALL void climb(Search& s) {
    Vec3 a, n = s.normal;
    Vec3 d = difference(s, n, a);
    Real gap = dot(n, d), step = kg_inv(s.scale);
    Vec3 g = d - n * gap;
    KG_ROLLED for (int pass = 0; pass < 10; ++pass) {
        if (!(dot(g, g) > KG_TINY * KG_TINY * s.scale * s.scale)) break;
        const Vec3 to = along(n + g * step, n);
        d = difference(s, to, a);
        const Real high = dot(to, d);
        const Vec3 slope = d - to * high, dn = to - n, dg = g - slope;
        const Real curved = dot(dn, dg);
        // a gap tells of the top to the root of rounding, the slope to rounding
        if (high > gap + KG_TINY * s.scale || (dot(slope, slope) < dot(g, g) && high > gap - (Real)0.2 * KG_TINY * s.scale)) {
            n = to;
            g = slope;
            gap = high;
            step = curved > 0 ? dot(dn, dn) * kg_inv(curved) : 2 * step;
        } else {
            step = (Real)0.25 * step;
        }
    }
    if (gap > s.gap - KG_TINY * s.scale) { s.gap = gap; s.normal = n; }
}
KG_FN bool is_curved(const Convex& c) { return (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) || (HAS_ELLIPSOID && c.kind == SHAPE_ELLIPSOID); }
