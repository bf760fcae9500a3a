// Where one shape touches triangles of terrain. Coordinates: from the shape's centre, env axes.
//
// A shape touches with *points*: a sphere's centre, a capsule's ends, a box's corners, rim points of a cylinder, each
// with a radius; and with what lies between them, against the terrain's convex edges and vertices. A point touches
//   a face that it is before and over,
//   the edge or vertex (round points) nearest to it, if it is nearest in all the triangles that meet there: what keeps
//   seams between triangles of a plane from being felt,
//   if it is inside, the nearest of the surface, and in an inner corner the faces that meet there.

static constexpr int MAX_SPOTS = 16;

struct Spot {
    Vec3 point, normal;  // on the shape; out of the terrain
    Real gap;
    int feature, key;    // which point of the shape, `points` = between them; number that keeps it apart (warm start)
    int terrain;
    int sort;            // SPOT_*
};
enum { SPOT_PLAIN = 0, SPOT_ROUND = 1, SPOT_CORNER = 2 };  // round: an edge or a vertex; corner: only if the point is inside
// what of the surface is nearest to a point
struct Near { Vec3 at, normal; Real distance, height; };  // normal, height over it: of the face

struct Solid {
    int kind, points;
    Quat rot;
    Vec3 size, axis[3];  // axes of the shape
    Real radius;         // of its points
    Real thick;          // how far its centre may be behind a mesh's face
    Real scale;          // its largest size
    Real reach;          // what is further off is not looked for
    Hull hull;
};

template <class Args>
KG_FN Solid solid_shape(const Args& args, int kind, int hull, Quat rot, Vec3 size) {
    Solid s;
    s.kind = kind;
    s.rot = rot;
    s.size = size;
    for (int i = 0; i < 3; ++i) s.axis[i] = rotated_unit(rot, i);
    s.reach = 0;
    s.points = points_of(kind);
    const bool round = kind == SHAPE_SPHERE || kind == SHAPE_CAPSULE;
    s.radius = round ? size.x : (Real)0;
    s.thick = kind == SHAPE_BOX || kind == SHAPE_ELLIPSOID ? kg_min(size.x, kg_min(size.y, size.z)) : kind == SHAPE_CYLINDER ? kg_min(size.x, size.y) : size.x;
    s.scale = kind == SHAPE_SPHERE ? size.x : kind == SHAPE_CAPSULE ? size.x + size.y : kg_max(size.x, kg_max(size.y, size.z));
    if (is_hull(kind)) {  // size: scale, bounding radius, thickness
        s.hull = hull_of(args, hull);
        s.points = s.hull.vertices;
        s.scale = size.y;
        s.thick = size.z;
    }
    return s;
}
KG_FN Vec3 half_box(const Solid& s) {
    const Vec3 x = s.axis[0], y = s.axis[1], z = s.axis[2];
    if (s.kind == SHAPE_BOX) {
        return v3(kg_abs(x.x) * s.size.x + kg_abs(y.x) * s.size.y + kg_abs(z.x) * s.size.z,
                  kg_abs(x.y) * s.size.x + kg_abs(y.y) * s.size.y + kg_abs(z.y) * s.size.z,
                  kg_abs(x.z) * s.size.x + kg_abs(y.z) * s.size.y + kg_abs(z.z) * s.size.z);
    }
    if (s.kind == SHAPE_ELLIPSOID) {
        const Vec3 a = x * s.size.x, b = y * s.size.y, c = z * s.size.z;
        return v3(norm(v3(a.x, b.x, c.x)), norm(v3(a.y, b.y, c.y)), norm(v3(a.z, b.z, c.z)));
    }
    if (s.kind == SHAPE_HULL || s.kind == SHAPE_PARTS) return v3(s.size.y, s.size.y, s.size.y);
    const Real half = s.kind == SHAPE_SPHERE ? (Real)0 : s.size.y;  // capsule, cylinder (as a capsule: never too small)
    return v3(kg_abs(z.x) * half + s.size.x, kg_abs(z.y) * half + s.size.x, kg_abs(z.z) * half + s.size.x);
}
// the same of all that it looks at
KG_FN Vec3 reach_box(const Solid& s) { return half_box(s) + v3(s.reach, s.reach, s.reach); }
// Where a shape's points are that look along -n: a step along its third axis, and two across. A cylinder's go to the lowest of its rim,
// and a quarter turn on (as of surface_point)
struct Steps { Vec3 along, u, v; };
KG_FN Steps steps_of(const Solid& s, Vec3 n) {
    const Real x = -dot(n, s.axis[0]), y = -dot(n, s.axis[1]), rho = kg_sqrt(x * x + y * y);
    const bool round = HAS_CYLINDER && s.kind == SHAPE_CYLINDER, box = HAS_BOX && s.kind == SHAPE_BOX;
    const Real inv = round && rho > (Real)1e-4 ? kg_inv(rho) : (Real)0;
    const Real cx = (rho > (Real)1e-4 ? x * inv : (Real)1) * s.size.x, cy = y * inv * s.size.x;
    const Real ux = box ? s.size.x : round ? cx : (Real)0, uy = round ? cy : (Real)0, vx = -uy, vy = box ? s.size.y : round ? cx : (Real)0;
    const Real length = box ? -s.size.z : s.kind == SHAPE_SPHERE ? (Real)0 : s.size.y;
    return Steps{s.axis[2] * length, s.axis[0] * ux + s.axis[1] * uy, s.axis[0] * vx + s.axis[1] * vy};
}
// how often those steps are gone to the i-th point
struct Way { Real along, u, v; };
KG_FN Way way_to(const Solid& s, int i) {
    const bool far = s.kind == SHAPE_CAPSULE ? i != 0 : (i & 4) != 0;
    const Real sign = i & 1 ? (Real)1 : (Real)-1;
    const bool first = (i & 2) == 0, round = s.kind == SHAPE_CYLINDER;
    return Way{far ? (Real)-1 : (Real)1, !round ? sign : first ? -sign : (Real)0, !round ? (first ? (Real)-1 : (Real)1) : first ? (Real)0 : -sign};
}
KG_FN bool has_steps(const Solid& s) { return !(HAS_HULL && s.kind == SHAPE_HULL) && !(HAS_ELLIPSOID && s.kind == SHAPE_ELLIPSOID); }
KG_FN Vec3 solid_point(const Solid& s, const Steps& steps, Vec3 n, int i) {
    if (HAS_HULL && s.kind == SHAPE_HULL) return rotate(s.rot, s.hull.at(i) * s.size.x);
    if (HAS_ELLIPSOID && s.kind == SHAPE_ELLIPSOID) return surface_point(s.kind, ShapePose{v3(0, 0, 0), s.rot}, s.size, n, i);
    const Way way = way_to(s, i);
    return steps.along * way.along + steps.u * way.u + steps.v * way.v;
}
KG_FN Vec3 solid_point(const Solid& s, Vec3 n, int i) { return solid_point(s, steps_of(s, n), n, i); }

// Of a smooth surface the point that faces a triangle depends on its normal
KG_FN bool is_smooth(const Solid& s) { return s.kind == SHAPE_ELLIPSOID || s.kind == SHAPE_CYLINDER; }
// Points that are looked for inside the terrain: of a smooth shape its centre, of a cylinder those of its caps; how many, and the n-th
KG_FN int cores(const Solid& s) { return s.kind == SHAPE_CYLINDER ? 2 : s.points; }
KG_FN int nth_core(const Solid& s, int n) { return s.kind == SHAPE_CYLINDER ? 4 * n : n; }
KG_FN Vec3 core(const Solid& s, int i) {
    if (s.kind == SHAPE_CYLINDER) return s.axis[2] * (i == 0 ? s.size.y : -s.size.y);
    return s.kind == SHAPE_ELLIPSOID ? v3(0, 0, 0) : solid_point(s, v3(0, 0, 1), i);
}

// how far the shape reaches from its centre along a unit vector, or a little more
KG_FN Real reach_along(const Solid& s, Vec3 n) {
    const Real x = kg_abs(dot(n, s.axis[0])), y = kg_abs(dot(n, s.axis[1])), z = kg_abs(dot(n, s.axis[2]));
    if (s.kind == SHAPE_SPHERE) return s.size.x;
    if (s.kind == SHAPE_HULL) return s.size.y;
    if (s.kind == SHAPE_CAPSULE || s.kind == SHAPE_CYLINDER) return s.size.x + z * s.size.y;
    return x * s.size.x + y * s.size.y + z * s.size.z;
}

// Whether a shape may touch a face: none of the face's plane, and of axes along the shape, keeps them further apart than it looks.
// behind: some of the shape is behind the plane
KG_FN bool may_touch(const Solid& s, const Face& f, bool& behind) {
    const Real before = -dot(f.p[0], f.n) - reach_along(s, f.n);
    behind = before < 0;
    if (before > s.reach) return false;
    // corners are felt a little beside a face, and sides of smooth shapes from behind
    const Real more = s.reach + (Real)0.1001 * s.scale + (is_smooth(s) && behind ? s.thick : (Real)0);
    const Vec3 half = half_sides(s.kind, s.size);
    bool apart = false;
    for (int i = 0; i < 3; ++i)
        apart = apart || is_outside(dot(f.p[0], s.axis[i]), dot(f.p[1], s.axis[i]), dot(f.p[2], s.axis[i]), pick(half, i) + more);
    return !apart;
}

// what has been found of one shape
struct Touched {
    int count;
    Spot spots[MAX_SPOTS];
};
// one more; a full list loses its largest gap
KG_FN void keep_spot(Touched& out, const Spot& n) {
    int at = out.count;
    if (at == MAX_SPOTS) {
        at = 0;
        KG_ROLLED for (int i = 1; i < MAX_SPOTS; ++i) {
            if (out.spots[i].gap > out.spots[at].gap) at = i;
        }
        if (out.spots[at].gap <= n.gap) return;
    } else {
        out.count += 1;
    }
    out.spots[at] = n;
}
// of two spots at one place the one that counts: the deeper, of equals by its normal, so that it does not depend on who comes first
KG_FN bool goes_before(const Spot& a, const Spot& b) {
    if (a.gap != b.gap) return a.gap < b.gap;
    return a.normal.x != b.normal.x ? a.normal.x < b.normal.x : a.normal.y < b.normal.y;
}
// the same; what is found twice, where triangles meet, counts once
KG_FN void add_spot(Real scale, Touched& out, const Spot& n) {
    const Real same = (Real)1e-3 * scale;
    KG_ROLLED for (int i = 0; i < out.count; ++i) {
        const Spot& o = out.spots[i];
        if (o.feature != n.feature || o.terrain != n.terrain) continue;
        const Vec3 d = o.point - n.point;
        if (dot(d, d) > same * same || dot(o.normal, n.normal) < (Real)0.95) continue;
        if (goes_before(n, o)) out.spots[i] = n;
        return;
    }
    keep_spot(out, n);
}
KG_FN Spot spot(const Terrain& t, int feature, Vec3 point, Vec3 normal, Real gap, int sort) {
    Spot n;
    n.point = point; n.normal = normal; n.gap = gap; n.feature = feature; n.key = 0; n.terrain = t.number; n.sort = sort;
    return n;
}

// a point of the shape on the surface points away from p along n, so that neither neighbour of the edge is in the way
KG_FN bool leaves(Vec3 n, Vec3 to, Real slack) { return dot(n, to) <= slack * norm(to); }
static constexpr float SEAM = 1e-4f;    // of round points: rounding
static constexpr float TILTED = 0.02f;  // of flat sides: a box may lie a little tilted on a face beside the edge
