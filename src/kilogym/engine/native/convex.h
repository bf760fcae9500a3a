// Convex shapes, placed: a core and a radius around it. A sphere's core is a point, a capsule's a segment; boxes, cylinders,
// ellipsoids, hulls and triangles are cores without a radius. All that a search asks of a core is its support point, the
// farthest along a direction.

struct Hull {
    // numbers of four. (As pointers to those NVRTC 13.4 gives an arm with cubes 10 instead of 6 kB of stack)
    const Real* vertex;  // about the shape's origin, before scaling; the first again until their number is one of fours
    const Real* normal;  // of faces, unit, outwards; likewise
    const int* face;     // [faces, 2]: where its vertices start in `corner`, how many
    const int* corner;   // counter-clockwise, seen from outside
    int vertices, faces;
    KG_METHOD Vec3 at(int i) const { return xyz(((const Four*)vertex)[i]); }
    KG_METHOD Vec3 normal_of(int i) const { return xyz(((const Four*)normal)[i]); }
};
static constexpr int HULL_PLACE = 8;  // numbers that tell of a hull as a part: centre, bounding radius, thickness, half its sides
// of the batch's library (engine/hulls.py)
template <class Args>
KG_FN Hull hull_of(const Args& args, int i) {
    const int* t = args.hull_table.data + 7 * i;
    Hull h;
    h.vertex = args.hull_vertex.data + 4 * t[0];
    h.normal = args.hull_normal.data + 4 * t[2];
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
// the farthest along l of a hull's vertices or normals, the first of equals. Four at a time, so that their loads wait together
KG_FN int farthest(const Real* of, int count, Vec3 l) {
    const Four* const v = (const Four*)of;
    int best = 0;
    Real most = (Real)-1e30;
    const auto look = [&](int i, Real x) { if (x > most) { most = x; best = i; } };
    KG_ROLLED for (int i = 0; i < count; i += 4) {
        const Four a = v[i], b = v[i + 1], c = v[i + 2], d = v[i + 3];
        const Real xa = dot(xyz(a), l), xb = dot(xyz(b), l), xc = dot(xyz(c), l), xd = dot(xyz(d), l);
        look(i, xa);
        look(i + 1, xb);
        look(i + 2, xc);
        look(i + 3, xd);
    }
    return best;
}
KG_FN int lowest_hull_vertex(const Convex& c, Vec3 l) { return farthest(c.hull.vertex, c.hull.vertices, l); }  // l: in shape axes

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
// half the sides of a box around a shape, along its axes
template <class Kind>
KG_FN Vec3 half_sides(Kind kind, Vec3 size) {
    if (kind == SHAPE_BOX || kind == SHAPE_ELLIPSOID) return size;
    if (kind == SHAPE_HULL || kind == SHAPE_PARTS) return v3(size.y, size.y, size.y);
    return v3(size.x, size.x, kind == SHAPE_SPHERE ? size.x : kind == SHAPE_CYLINDER ? size.y : size.x + size.y);
}
// the same where `hull`, the number of a hull's, is known: its own sides
template <class Args, class Kind>
KG_FN Vec3 half_sides(const Args& args, Kind kind, Vec3 size, Real hull) {
    if (!is_hull(kind)) return half_sides(kind, size);
    const Real* sides = args.hull_place.data + HULL_PLACE * (int)hull + 5;
    return v3(sides[0], sides[1], sides[2]) * size.x;
}
KG_FN Real extent(const Convex& c) {
    if (!HAS_TRIANGLE || c.kind != SHAPE_TRIANGLE) return extent_of(c.kind, c.size);
    return kg_sqrt(kg_max(dot(c.rot.r0, c.rot.r0), kg_max(dot(c.rot.r1, c.rot.r1), dot(c.rot.r2, c.rot.r2))));
}
// Whether boxes may be within `grow` of each other. a, b: half their sides; ra, rb: how they are turned; between: from A's centre to
// B's.
// Of the 15 axes that may keep them apart products of edges are not made units, which misses none that meet. Source:
// Gottschalk, Lin, Manocha, OBBTree (1996)
KG_FN bool boxes_meet(Vec3 a, const Mat3& ra, Vec3 b, const Mat3& rb, Vec3 between, Real grow) {
    const Vec3 t = turned_back(ra, between);
    Vec3 c[3], s[3];  // B's axes in A's, and how long their parts are, or a little more
    for (int j = 0; j < 3; ++j) {
        c[j] = turned_back(ra, matrix_column(rb, j));
        s[j] = v3(kg_abs(c[j].x) + (Real)1e-6, kg_abs(c[j].y) + (Real)1e-6, kg_abs(c[j].z) + (Real)1e-6);
    }
    const Vec3 reach = a + s[0] * b.x + s[1] * b.y + s[2] * b.z;
    Real gap = kg_max(kg_abs(t.x) - reach.x, kg_max(kg_abs(t.y) - reach.y, kg_abs(t.z) - reach.z));
    for (int j = 0; j < 3; ++j) {
        const int m = j == 2 ? 0 : j + 1, n = j == 0 ? 2 : j - 1;
        const Real bm = pick(b, m), bn = pick(b, n);
        const Vec3 x = cross(t, c[j]);
        gap = kg_max(gap, kg_abs(dot(t, c[j])) - dot(a, s[j]) - pick(b, j));
        gap = kg_max(gap, kg_abs(x.x) - (a.y * s[j].z + a.z * s[j].y + bm * s[n].x + bn * s[m].x));
        gap = kg_max(gap, kg_abs(x.y) - (a.z * s[j].x + a.x * s[j].z + bm * s[n].y + bn * s[m].y));
        gap = kg_max(gap, kg_abs(x.z) - (a.x * s[j].y + a.y * s[j].x + bm * s[n].z + bn * s[m].z));
    }
    return gap <= grow;
}
