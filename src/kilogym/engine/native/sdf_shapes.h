// Shapes that meet one with a signed distance field: how far a place is from each kind, and points of each that may touch.
// Coordinates: the shape's own axes, from its centre; sizes as they are, scaled.

struct SdfSide {
    Parts shape;      // count > 0: a mesh in convex parts
    bool has;         // a field
    Sdf field;
    KG_METHOD const Convex& whole() const { return shape.whole; }
    KG_METHOD bool is_round() const { return !has && (whole().kind == SHAPE_SPHERE || whole().kind == SHAPE_CAPSULE); }
};
template <class Args>
KG_FN SdfSide sdf_side(const Args& args, const Rows& rows, int i, const Segment& s, Vec3 shift) {
    SdfSide side;
    side.shape = parts_of(args, rows, i, s, shift);
    side.has = env_shape_sdf[placed_shape[i]];
    if (side.has) side.field = sdf_of(args, (int)rows.segment(i, 8).w);
    return side;
}

// Distance from a shape's surface, and its slope: of unit length but of fields. error: it may be less by so much
template <class Args>
KG_CALL Real distance_from(const Args& args, const SdfSide& s, Vec3 x, Vec3& n, Real& error) {
    const Convex& c = s.whole();
    error = 0;
    n = v3(0, 0, 1);
    if (s.has) {
        const Real d = sdf_distance(s.field, x * kg_inv(c.size.x), n, error) * c.size.x;
        error *= c.size.x;
        return d;
    }
    if (HAS_BOX && c.kind == SHAPE_BOX) return box_distance(x, c.size, n);
    if (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) return cylinder_distance(x, c.size.x, c.size.y, n);
    if (HAS_ELLIPSOID && c.kind == SHAPE_ELLIPSOID) {
        Real least;
        const Real d = ellipsoid_distance(x, c.size, n, least);
        error = kg_max(d - least, 0);
        return d;
    }
    if (c.kind == SHAPE_HULL) return hull_distance(c.hull, x * kg_inv(c.size.x), n) * c.size.x;
    if constexpr (HAS_PARTS) {
        Real nearest = (Real)1e30;
        KG_ROLLED for (int i = 0; i < s.shape.count; ++i) {  // in the axes of the whole a part is only moved
            const Real* place = args.hull_place.data + HULL_PLACE * (s.shape.first + i);
            Vec3 m;
            const Vec3 own = x * kg_inv(c.size.x) - v3(place[0], place[1], place[2]);
            const Real d = hull_distance(hull_of(args, s.shape.first + i), own, m) * c.size.x;
            if (d < nearest) { nearest = d; n = m; }
        }
        if (s.shape.count > 0) return nearest;
    }
    const Vec3 off = v3(x.x, x.y, x.z - (c.kind == SHAPE_CAPSULE ? kg_clamp(x.z, -c.size.y, c.size.y) : (Real)0));
    const Real d = norm(off);
    n = off * kg_inv(kg_max(d, (Real)1e-30));
    return d - c.radius;
}

// Points by which shapes without a field touch one: a ball's centre, some of a capsule's segment, corners. Those of curved
// sides slide (slid_point) to where they are deepest.
static constexpr int CAPSULE_POINTS = 5, CYLINDER_LINES = 3, CYLINDER_RIM = 8;
template <class Args>
KG_FN int own_points(const Args& args, const SdfSide& s) {
    const int kind = s.whole().kind;
    if (kind == SHAPE_SPHERE || kind == SHAPE_ELLIPSOID) return 1;
    if (kind == SHAPE_CAPSULE) return CAPSULE_POINTS;
    if (kind == SHAPE_BOX) return 8;
    if (kind == SHAPE_CYLINDER) return CYLINDER_LINES + 2 * CYLINDER_RIM;
    if (kind == SHAPE_HULL) return s.whole().hull.vertices;
    int count = 0;
    KG_ROLLED for (int i = 0; i < s.shape.count; ++i) count += hull_of(args, s.shape.first + i).vertices;
    return count;
}
KG_FN bool slides(const SdfSide& s, int i) {
    const int kind = s.whole().kind;
    return (HAS_ELLIPSOID && kind == SHAPE_ELLIPSOID) || (HAS_CYLINDER && kind == SHAPE_CYLINDER && i < CYLINDER_LINES);
}
// middle: of the convex part that the point is of
template <class Args>
KG_FN Vec3 own_point(const Args& args, const SdfSide& s, int i, Vec3& middle) {
    const Convex& c = s.whole();
    middle = v3(0, 0, 0);
    if (c.kind == SHAPE_CAPSULE) return v3(0, 0, c.size.y * ((Real)(2 * i) * (Real)(1.0 / (CAPSULE_POINTS - 1)) - 1));
    if (c.kind == SHAPE_BOX) return v3(i & 1 ? c.size.x : -c.size.x, i & 2 ? c.size.y : -c.size.y, i & 4 ? c.size.z : -c.size.z);
    if (c.kind == SHAPE_CYLINDER) {
        if (i < CYLINDER_LINES) return v3(0, 0, c.size.y * (Real)(i - 1));
        const int turn = (i - CYLINDER_LINES) % CYLINDER_RIM, quarter = turn / 2;
        const Real x = turn % 2 ? (Real)0.70710678118654752 : (Real)1, y = turn % 2 ? x : (Real)0;
        const Vec3 rim = quarter == 0 ? v3(x, y, 0) : quarter == 1 ? v3(-y, x, 0) : quarter == 2 ? v3(-x, -y, 0) : v3(y, -x, 0);
        return rim * c.size.x + v3(0, 0, i < CYLINDER_LINES + CYLINDER_RIM ? c.size.y : -c.size.y);
    }
    if (c.kind == SHAPE_HULL) return c.hull.at(i) * c.size.x;
    KG_ROLLED for (int k = 0; k < s.shape.count; ++k) {
        const Hull hull = hull_of(args, s.shape.first + k);
        if (i >= hull.vertices) { i -= hull.vertices; continue; }
        const Real* place = args.hull_place.data + HULL_PLACE * (s.shape.first + k);
        middle = v3(place[0], place[1], place[2]) * c.size.x;
        return hull.at(i) * c.size.x + middle;
    }
    return v3(0, 0, 0);
}
// of a curved side the point farthest along d, at the height of x
KG_FN Vec3 slid_point(const SdfSide& s, Vec3 x, Vec3 d) {
    const Vec3 size = s.whole().size;
    if (s.whole().kind == SHAPE_ELLIPSOID) {
        const Vec3 l = v3(size.x * d.x, size.y * d.y, size.z * d.z);
        const Real inv = kg_inv(kg_max(norm(l), (Real)1e-30));
        return v3(size.x * l.x * inv, size.y * l.y * inv, size.z * l.z * inv);
    }
    const Real rho = kg_sqrt(d.x * d.x + d.y * d.y), r = rho > (Real)1e-6 ? kg_div(size.x, rho) : (Real)0;
    return v3(d.x * r, d.y * r, x.z);
}
