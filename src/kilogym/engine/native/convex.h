// Convex shapes, placed, and how far two of them are apart.
//
// A shape is a core and a radius around it: a sphere's core is a point, a capsule's a segment; boxes, cylinders,
// ellipsoids, hulls and triangles are cores without a radius. All that the search asks of a core is its support point,
// the farthest along a direction.
//
// For any unit direction n, s(n) = least n.a over A - largest n.b over B is how far a plane across n keeps the two
// apart; the signed distance is the largest s(n), and its n is the contact normal, from B to A. Every method below only
// proposes directions; what counts is s, computed from the shapes themselves. So a search that ends early or is upset by
// rounding gives a plane that separates a little less, never a wrong distance. Proposed are, in this order:
//   a sphere:       the normal at the nearest point of a box or a cylinder, in closed form
//   two boxes:      the normals of faces and the products of edges (separating axes; Gottschalk et al. 1996), and where
//                   they are clearly apart what follows:
//   apart:          the shortest vector between the cores (GJK; Gilbert, Johnson, Keerthi 1988)
//   near, overlap:  the faces of a polytope grown inside A - B towards its nearest boundary (EPA; van den Bergen 2001).
//                   It starts from a large tetrahedron that need not hold the origin: the face that separates most grows
//   curved:         a few steps up the slope of s from there
//   then:           the faces of A and of B that look along the normal, so that faces lie on each other exactly

struct Hull {
    const Real* vertex;  // [vertices, 3] about the shape's origin, before scaling
    const Real* normal;  // [faces, 3] unit, outwards
    const int* face;     // [faces, 2]: where its vertices start in `corner`, how many
    const int* corner;   // counter-clockwise, seen from outside
    int vertices, faces;
    KG_METHOD Vec3 at(int i) const { return v3(vertex[3 * i], vertex[3 * i + 1], vertex[3 * i + 2]); }
    KG_METHOD Vec3 normal_of(int i) const { return v3(normal[3 * i], normal[3 * i + 1], normal[3 * i + 2]); }
};
// of the batch's library (engine/hulls.py)
template <class Args>
KG_FN Hull hull_of(const Args& args, int i) {
    const int* t = args.hull_table.data + 7 * i;
    Hull h;
    h.vertex = args.hull_vertex.data + 3 * t[0];
    h.normal = args.hull_normal.data + 3 * t[2];
    h.face = args.hull_table.data + t[4];
    h.vertices = t[1];
    h.faces = t[3];
    h.corner = h.face + 2 * h.faces;
    return h;
}
template <class Kind>
KG_FN constexpr bool is_hull(Kind kind) { return HAS_HULL && (kind == SHAPE_HULL || (HAS_PARTS && kind == SHAPE_PARTS)); }
struct Convex {
    int kind;     // SHAPE_*
    Vec3 pos;     // from a reference point that both shapes share
    Mat3 rot;     // turns shape axes into the reference's; of a triangle: its corners, from pos
    Vec3 size;    // as in shape_size; of a hull: its scale, bounding radius and thickness
    Real radius;  // around the core
    Hull hull;
};
struct Separation {
    Vec3 normal;  // unit, from B to A
    Real gap;     // along it, between the surfaces; < 0: depth
    Vec3 a, b;    // points of the surfaces that are that far apart, where the shapes are apart; else support points
};

static constexpr Real KG_TINY = sizeof(Real) == 4 ? (Real)1e-6 : (Real)1e-13;  // relative to the shapes' extent

// world from shape axes: Mat3 * v; back:
KG_FN Vec3 turned_back(const Mat3& m, Vec3 v) { return m.r0 * v.x + m.r1 * v.y + m.r2 * v.z; }
KG_FN Vec3 matrix_column(const Mat3& m, int i) { return v3(pick(m.r0, i), pick(m.r1, i), pick(m.r2, i)); }
KG_FN Vec3 along(Vec3 a, Vec3 otherwise) {
    const Real l2 = dot(a, a);
    return l2 > (Real)1e-30 ? a * kg_inv(kg_sqrt(l2)) : otherwise;
}
KG_FN Vec3 triangle_normal(const Convex& c, Vec3 otherwise) {
    return along(cross(c.rot.r1 - c.rot.r0, c.rot.r2 - c.rot.r0), otherwise);
}
KG_FN int lowest_hull_vertex(const Convex& c, Vec3 l) {  // farthest along l, in shape axes; the first of equals
    int best = 0;
    Real most = (Real)-1e30;
    const Real* v = c.hull.vertex;
    KG_ROLLED for (int i = 0; i < c.hull.vertices; ++i) {
        const Real x = v[3 * i] * l.x + v[3 * i + 1] * l.y + v[3 * i + 2] * l.z;
        if (x > most) { most = x; best = i; }
    }
    return best;
}

// the core's farthest point along a unit vector d, from c.pos
KG_CALL Vec3 support(const Convex& c, Vec3 d) {
    if (HAS_SPHERE && c.kind == SHAPE_SPHERE) return v3(0, 0, 0);
    if (HAS_TRIANGLE && c.kind == SHAPE_TRIANGLE) {
        const Real x0 = dot(c.rot.r0, d), x1 = dot(c.rot.r1, d), x2 = dot(c.rot.r2, d);
        return x0 >= x1 && x0 >= x2 ? c.rot.r0 : x1 >= x2 ? c.rot.r1 : c.rot.r2;
    }
    const Vec3 l = turned_back(c.rot, d);
    Vec3 p = v3(0, 0, 0);
    if (HAS_CAPSULE && c.kind == SHAPE_CAPSULE) p.z = l.z >= 0 ? c.size.y : -c.size.y;
    if (HAS_BOX && c.kind == SHAPE_BOX)
        p = v3(l.x >= 0 ? c.size.x : -c.size.x, l.y >= 0 ? c.size.y : -c.size.y, l.z >= 0 ? c.size.z : -c.size.z);
    if (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) {
        const Real rho = kg_sqrt(l.x * l.x + l.y * l.y);
        const Real r = rho > (Real)1e-12 ? c.size.x * kg_inv(rho) : (Real)0;
        p = v3(l.x * r, l.y * r, l.z >= 0 ? c.size.y : -c.size.y);
    }
    if (HAS_ELLIPSOID && c.kind == SHAPE_ELLIPSOID) {
        const Vec3 s = v3(c.size.x * l.x, c.size.y * l.y, c.size.z * l.z);
        const Real inv = kg_inv(kg_max(norm(s), (Real)1e-30));
        p = v3(c.size.x * s.x * inv, c.size.y * s.y * inv, c.size.z * s.z * inv);
    }
    if (HAS_HULL && c.kind == SHAPE_HULL) p = c.hull.at(lowest_hull_vertex(c, l)) * c.size.x;
    return c.rot * p;
}
// radius of the core's bounding sphere about c.pos
template <class Kind>
KG_FN Real extent_of(Kind kind, Vec3 size) {
    if (kind == SHAPE_SPHERE) return 0;
    if (kind == SHAPE_CAPSULE || kind == SHAPE_HULL || kind == SHAPE_PARTS) return size.y;
    if (kind == SHAPE_CYLINDER) return kg_sqrt(size.x * size.x + size.y * size.y);
    if (kind == SHAPE_ELLIPSOID) return kg_max(size.x, kg_max(size.y, size.z));
    return norm(size);
}
KG_FN Real extent(const Convex& c) {
    if (!HAS_TRIANGLE || c.kind != SHAPE_TRIANGLE) return extent_of(c.kind, c.size);
    return kg_sqrt(kg_max(dot(c.rot.r0, c.rot.r0), kg_max(dot(c.rot.r1, c.rot.r1), dot(c.rot.r2, c.rot.r2))));
}

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

// ---- GJK

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
        l[1] = d1 - d3 > 0 ? d1 / (d1 - d3) : (Real)0;
        l[0] = 1 - l[1];
        return;
    }
    const Real d5 = -dot(ab, c), d6 = -dot(ac, c);
    l[1] = 0; l[2] = 1;
    if (d6 >= 0 && d5 <= d6) return;
    const Real vb = d5 * d2 - d1 * d6;
    if (vb <= 0 && d2 >= 0 && d6 <= 0) {
        l[2] = d2 - d6 > 0 ? d2 / (d2 - d6) : (Real)0;
        l[0] = 1 - l[2];
        return;
    }
    const Real va = d3 * d6 - d5 * d4;
    if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
        const Real sum = (d4 - d3) + (d5 - d6);
        l[2] = sum > 0 ? (d4 - d3) / sum : (Real)0;
        l[1] = 1 - l[2];
        l[0] = 0;
        return;
    }
    const Real inv = kg_inv(va + vb + vc);
    l[1] = vb * inv; l[2] = vc * inv;
    l[0] = 1 - l[1] - l[2];
}
// keeps the vertices of the part nearest to the origin; false: the origin is inside
KG_CALL bool reduce_simplex(Simplex& s, Vec3& nearest) {
    Real l[4] = {1, 0, 0, 0};
    if (s.count == 2) {
        const Vec3 d = s.w[1] - s.w[0];
        const Real dd = dot(d, d);
        l[1] = dd > 0 ? kg_clamp(-dot(s.w[0], d) / dd, 0, 1) : (Real)0;
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
            if (length - gap <= 2 * KG_TINY * (length + s.scale * (Real)0.25)) break;
            bool stuck = length >= last;
            KG_ROLLED for (int i = 0; i < x.count; ++i) stuck = stuck || (w.x == x.w[i].x && w.y == x.w[i].y && w.z == x.w[i].z);
            last = length;
            if (stuck) {  // a thin simplex and rounding: once more from the best direction so far
                if (restarts++ == 2) break;
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
    on_a = v3(0, 0, 0);
    KG_ROLLED for (int i = 0; i < x.count; ++i) on_a = on_a + x.a[i] * x.share[i];
    return s.gap > 0;
}

// ---- EPA

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

// ---- boxes

// an edge's direction has to separate clearly more than a face's to be taken, and B's face than A's
KG_CALL void search_boxes(Search& s) {
    const Convex& A = *s.a;
    const Convex& B = *s.b;
    const Real more = 10 * KG_TINY * s.scale;
    Vec3 col_a[3], col_b[3];
    for (int i = 0; i < 3; ++i) { col_a[i] = matrix_column(A.rot, i); col_b[i] = matrix_column(B.rot, i); }
    const auto half = [](const Convex& c, const Vec3* col, Vec3 n) {
        return c.size.x * kg_abs(dot(col[0], n)) + c.size.y * kg_abs(dot(col[1], n)) + c.size.z * kg_abs(dot(col[2], n));
    };
    KG_ROLLED for (int i = 0; i < 15; ++i) {
        Vec3 n;
        if (i < 3) n = col_a[i];
        else if (i < 6) n = col_b[i - 3];
        else {
            n = cross(col_a[(i - 6) / 3], col_b[(i - 6) % 3]);
            const Real l = norm(n);
            if (l < (Real)1e-3) continue;  // parallel: faces say the same
            n = n * kg_inv(l);
        }
        const Real t = dot(n, s.shift);
        const Real gap = kg_abs(t) - half(A, col_a, n) - half(B, col_b, n);
        if (gap > s.gap + (i == 0 ? (Real)0 : more)) { s.gap = gap; s.normal = t < 0 ? -n : n; }
    }
}

// A sphere against a box or a cylinder, in closed form: the normal at the centre's nearest point of the core, or out of the
// nearest face from inside. False: neither is a sphere, or the other is no such shape
KG_FN bool search_sphere(Search& s) {
    const bool first = s.a->kind == SHAPE_SPHERE;
    const Convex& other = first ? *s.b : *s.a;
    if (!HAS_SPHERE || (!first && s.b->kind != SHAPE_SPHERE)) return false;
    const bool box = HAS_BOX && other.kind == SHAPE_BOX, cylinder = HAS_CYLINDER && other.kind == SHAPE_CYLINDER;
    if (!box && !cylinder) return false;
    const Vec3 p = turned_back(other.rot, first ? s.shift : -s.shift);  // of the centre, in the other's axes
    Vec3 near, face;                                                   // nearest point; normal of the nearest face
    if (box) {
        near = v3(kg_clamp(p.x, -other.size.x, other.size.x), kg_clamp(p.y, -other.size.y, other.size.y), kg_clamp(p.z, -other.size.z, other.size.z));
        const Real x = other.size.x - kg_abs(p.x), y = other.size.y - kg_abs(p.y), z = other.size.z - kg_abs(p.z);
        const int i = x <= y && x <= z ? 0 : y <= z ? 1 : 2;
        face = unit(i, pick(p, i) < 0 ? (Real)-1 : (Real)1);
    } else {
        const Real rho = kg_sqrt(p.x * p.x + p.y * p.y), r = rho > other.size.x ? other.size.x * kg_inv(rho) : (Real)1;
        near = v3(p.x * r, p.y * r, kg_clamp(p.z, -other.size.y, other.size.y));
        if (other.size.y - kg_abs(p.z) <= other.size.x - rho) face = v3(0, 0, p.z < 0 ? (Real)-1 : (Real)1);
        else face = along(v3(p.x, p.y, 0), v3(1, 0, 0));
    }
    const Vec3 d = p - near;
    const Real distance = norm(d);
    Vec3 n = face;
    if (distance > 4 * KG_TINY * s.scale) n = d * kg_inv(distance);
    n = other.rot * n;
    propose(s, first ? n : -n, 0);
    return true;
}

// the face of a core that looks most along d; false: it has none there
KG_CALL bool face_along(const Convex& c, Vec3 d, Vec3& n) {
    if (HAS_TRIANGLE && c.kind == SHAPE_TRIANGLE) {
        n = triangle_normal(c, d);
        if (dot(n, d) < 0) n = -n;
        return true;
    }
    const Vec3 l = turned_back(c.rot, d);
    if (HAS_BOX && c.kind == SHAPE_BOX) {
        const Real x = kg_abs(l.x), y = kg_abs(l.y), z = kg_abs(l.z);
        const int i = x >= y && x >= z ? 0 : y >= z ? 1 : 2;
        n = matrix_column(c.rot, i) * (pick(l, i) < 0 ? (Real)-1 : (Real)1);
        return true;
    }
    if (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) {
        n = matrix_column(c.rot, 2) * (l.z < 0 ? (Real)-1 : (Real)1);
        return true;
    }
    if (HAS_HULL && c.kind == SHAPE_HULL) {
        int best = 0;
        Real most = (Real)-2;
        KG_ROLLED for (int i = 0; i < c.hull.faces; ++i) {
            const Real x = dot(c.hull.normal_of(i), l);
            if (x > most) { most = x; best = i; }
        }
        n = c.rot * c.hull.normal_of(best);
        return true;
    }
    return false;
}

// The signed distance of two shapes, its normal, and where. limit: beyond that gap any direction that shows it will do
KG_CALL Separation separate(const Convex& A, const Convex& B, Real limit) {
    Search s;
    s.a = &A;
    s.b = &B;
    s.shift = A.pos - B.pos;
    s.scale = extent(A) + extent(B);
    s.normal = along(s.shift, v3(0, 0, 1));
    s.gap = (Real)-1e30;
    const Real radii = A.radius + B.radius;
    Vec3 on_a = v3(0, 0, 0);
    bool apart = false;
    if (search_sphere(s)) {
        // exact as it is
    } else if (HAS_BOX && A.kind == SHAPE_BOX && B.kind == SHAPE_BOX) {
        search_boxes(s);
        if (s.gap > (Real)1e-3 * s.scale && s.gap <= limit) apart = search_apart(s, limit, on_a);
    } else {
        apart = search_apart(s, limit + radii, on_a);
        if (!apart || s.gap < (Real)1e-3 * s.scale) {
            search_overlap(s);
            if ((HAS_CYLINDER || HAS_ELLIPSOID) && (is_curved(A) || is_curved(B))) climb(s);
        }
    }
    if (s.gap <= limit + radii && A.kind != SHAPE_SPHERE && B.kind != SHAPE_SPHERE) {
        const Real less = -4 * KG_TINY * s.scale;
        Vec3 n;
        const Vec3 found = s.normal;
        if (face_along(A, -found, n) && dot(n, -found) > (Real)0.9) propose(s, -n, less);
        if (face_along(B, found, n) && dot(n, found) > (Real)0.9) propose(s, n, s.normal.x == found.x && s.normal.y == found.y && s.normal.z == found.z ? less : -less);
    }
    Separation out;
    out.normal = s.normal;
    out.gap = s.gap - radii;
    const Vec3 a = apart ? on_a : support(A, -s.normal);
    out.a = A.pos + a - s.normal * A.radius;
    out.b = apart ? out.a - s.normal * out.gap : B.pos + support(B, s.normal) + s.normal * B.radius;
    return out;
}
