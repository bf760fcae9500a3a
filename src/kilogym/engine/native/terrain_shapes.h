// Where one shape touches triangles of terrain. Coordinates: from the shape's centre, env axes.
//
// A shape touches with *points*: a sphere's centre, a capsule's ends, a box's corners, rim points of a cylinder, each
// with a radius; and with what lies between them, against the terrain's convex edges and vertices. A point touches
//   a face that it is before and over,
//   the edge or vertex (round points) nearest to it, if it is nearest in all the triangles that meet there: what keeps
//   seams between triangles of a plane from being felt,
//   if it is inside, the nearest of the surface, and in an inner corner the faces that meet there.

static constexpr int MAX_SPOTS = 16, MAX_POINTS = HAS_HULL ? 64 : 8;

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
// what has been found of one shape
struct Touched {
    int count;
    Spot spots[MAX_SPOTS];
    Near near[MAX_POINTS];
};

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
    s.points = kind == SHAPE_SPHERE || kind == SHAPE_ELLIPSOID ? 1 : kind == SHAPE_CAPSULE ? 2 : 8;
    const bool round = kind == SHAPE_SPHERE || kind == SHAPE_CAPSULE;
    s.radius = round ? size.x : (Real)0;
    s.thick = kind == SHAPE_BOX || kind == SHAPE_ELLIPSOID ? kg_min(size.x, kg_min(size.y, size.z)) : kind == SHAPE_CYLINDER ? kg_min(size.x, size.y) : size.x;
    s.scale = kind == SHAPE_SPHERE ? size.x : kind == SHAPE_CAPSULE ? size.x + size.y : kg_max(size.x, kg_max(size.y, size.z));
    if (HAS_HULL && kind == SHAPE_HULL) {  // size: scale, bounding radius, thickness
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
    if (s.kind == SHAPE_HULL) return v3(s.size.y, s.size.y, s.size.y);
    const Real half = s.kind == SHAPE_SPHERE ? (Real)0 : s.size.y;  // capsule, cylinder (as a capsule: never too small)
    return v3(kg_abs(z.x) * half + s.size.x, kg_abs(z.y) * half + s.size.x, kg_abs(z.z) * half + s.size.x);
}
KG_FN Vec3 solid_point(const Solid& s, Vec3 n, int i) {
    if (s.kind == SHAPE_SPHERE) return v3(0, 0, 0);
    if (s.kind == SHAPE_CAPSULE) return s.axis[2] * (i == 0 ? s.size.y : -s.size.y);
    if (HAS_HULL && s.kind == SHAPE_HULL) return rotate(s.rot, s.hull.at(i) * s.size.x);
    return surface_point(s.kind, ShapePose{v3(0, 0, 0), s.rot}, s.size, n, i);
}

// Of a smooth surface the point that faces a triangle depends on its normal
KG_FN bool is_smooth(const Solid& s) { return s.kind == SHAPE_ELLIPSOID || s.kind == SHAPE_CYLINDER; }
// Points that are looked for inside the terrain: of a smooth shape its centre, of a cylinder those of its caps
KG_FN bool is_core(const Solid& s, int i) { return s.kind != SHAPE_CYLINDER || (i & 3) == 0; }
KG_FN Vec3 core(const Solid& s, int i) {
    if (s.kind == SHAPE_CYLINDER) return s.axis[2] * (i == 0 ? s.size.y : -s.size.y);
    return s.kind == SHAPE_ELLIPSOID ? v3(0, 0, 0) : solid_point(s, v3(0, 0, 1), i);
}

// one more; the same found twice, where triangles meet, counts once. A full list loses its largest gap
KG_FN void add_spot(const Solid& s, Touched& out, const Spot& n) {
    const Real same = (Real)1e-3 * s.scale;
    int at = out.count;
    KG_ROLLED for (int i = 0; i < out.count; ++i) {
        const Spot& o = out.spots[i];
        if (o.feature != n.feature || o.terrain != n.terrain) continue;
        const Vec3 d = o.point - n.point;
        if (dot(d, d) > same * same || dot(o.normal, n.normal) < (Real)0.95) continue;
        if (n.gap < o.gap) out.spots[i] = n;
        return;
    }
    if (out.count == MAX_SPOTS) {
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
KG_FN Spot spot(const Terrain& t, int feature, Vec3 point, Vec3 normal, Real gap, int sort) {
    Spot n;
    n.point = point; n.normal = normal; n.gap = gap; n.feature = feature; n.key = 0; n.terrain = t.number; n.sort = sort;
    return n;
}

// a point of the shape on the surface points away from p along n, so that neither neighbour of the edge is in the way
KG_FN bool leaves(Vec3 n, Vec3 to, Real slack) { return dot(n, to) <= slack * norm(to); }
static constexpr float SEAM = 1e-4f;    // of round points: rounding
static constexpr float TILTED = 0.02f;  // of flat sides: a box may lie a little tilted on a face beside the edge

// c is beyond edge k of f, which is concave, and behind the face there, a little
KG_FN bool in_corner(const Terrain& t, const Solid& s, const Face& f, int k, Vec3 c, Real beyond) {
    if (f.across[k] < 0 || beyond > (Real)0.1 * s.scale) return false;
    const Vec3 a = f.p[k], b = f.p[k == 2 ? 0 : k + 1], o = terrain_vertex(t, f.across[k]) - a;
    if (dot(o, f.n) <= (Real)1e-3 * norm(o)) return false;
    return dot(c - a, cross(a - b, o)) < 0;
}

// a round point beside a face: what of the triangle's border is nearest, if it is in the neighbours too
KG_FN void touch_border(const Terrain& t, const Solid& s, const Face& f, int feature, Vec3 c, Touched& out) {
    Real best = (Real)1e30;
    int at = -1;       // edge, or 3 + vertex
    Vec3 near = c;
    for (int k = 0; k < 3; ++k) {
        const int next = k == 2 ? 0 : k + 1;
        const Vec3 edge = f.p[next] - f.p[k];
        const Real along = dot(c - f.p[k], edge) * kg_inv(dot(edge, edge));
        const Vec3 q = f.p[k] + edge * kg_clamp(along, 0, 1);
        const Vec3 d = c - q;
        if (dot(d, d) >= best) continue;
        best = dot(d, d);
        near = q;
        at = along <= 0 ? 3 + k : along >= 1 ? 3 + next : k;
    }
    if (!(best <= (s.radius + s.reach) * (s.radius + s.reach))) return;
    const Vec3 d = c - near;
    const Real dist = kg_sqrt(best);
    bool free = true;
    if (at < 3) {
        int o = -1;
        for (int k = 0; k < 3; ++k) if (k == at) o = f.across[k];
        if (o >= 0) free = leaves(d, terrain_vertex(t, o) - near, (Real)SEAM * dist);
    } else {
        int v = 0;
        for (int k = 0; k < 3; ++k) if (3 + k == at) v = f.v[k];
        over_ring(t, v, [&](Vec3 q) { free = free && leaves(d, q - near, (Real)SEAM * dist); });
    }
    if (!free) return;
    const Vec3 n = dist > (Real)1e-6 * s.scale ? d * kg_inv(dist) : f.n;
    add_spot(s, out, spot(t, feature, c - n * s.radius, n, dist - s.radius, SPOT_ROUND));
}

// The face if it is nearer to c than what was. At an edge or a vertex, where several are as near, the one that faces c
// most: it tells inside from outside. Source: Baerentzen and Aanaes, Signed distance computation (2005)
KG_FN void take_nearer(const Face& f, Vec3 c, Real tiny, Near& best) {
    const Real height = dot(c - f.p[0], f.n), high = kg_abs(height);
    if (high > best.distance + tiny) return;
    Vec3 at = c - f.n * height;
    Real least = (Real)1e30;
    bool over = true;
    for (int k = 0; k < 3; ++k) over = over && dot(at - f.p[k], f.inward[k]) >= 0;
    if (!over) {
        Vec3 nearest = at;
        for (int k = 0; k < 3; ++k) {
            const Vec3 edge = f.p[k == 2 ? 0 : k + 1] - f.p[k];
            const Vec3 q = f.p[k] + edge * kg_clamp(dot(at - f.p[k], edge) * kg_inv(dot(edge, edge)), 0, 1), d = q - at;
            if (dot(d, d) < least) { least = dot(d, d); nearest = q; }
        }
        at = nearest;
    }
    const Real distance = over ? high : kg_sqrt(least + high * high);
    if (distance > best.distance + tiny || (distance > best.distance - tiny && high <= kg_abs(best.height))) return;
    best = Near{at, f.n, distance, height};
}

KG_CALL Near nearest(const Terrain& t, Vec3 ext, Vec3 c, Real tiny) {
    Near best = {c, v3(0, 0, 1), (Real)1e30, 0};
    over_faces(t, ext, [&](const Face& f) { take_nearer(f, c, tiny, best); });
    return best;
}
KG_FN bool is_inside(const Terrain& t, Vec3 c, const Near& near) {
    if (!(near.distance < (Real)1e29)) return false;
    if (t.mesh) return near.height < 0;
    Face f;
    return face_below(t, c, f) && dot(c - f.p[0], f.n) < 0;
}

// the shape's points against a face
KG_FN void touch_face(const Terrain& t, const Solid& s, const Face& f, Vec3 ext, Touched& out) {
    const Real centre = -dot(f.p[0], f.n);
    const Real far = kg_max(norm(f.p[0]), kg_max(norm(f.p[1]), norm(f.p[2])));
    const Real edge = (Real)1e-5 * s.scale + (Real)1e-6 * far;  // on the border counts as over
    KG_ROLLED for (int i = 0; i < s.points; ++i) {
        const Vec3 c = solid_point(s, f.n, i);
        const Real d = centre + dot(c, f.n);
        if (is_core(s, i)) take_nearer(f, core(s, i), (Real)1e-6 * (s.scale + far), out.near[i]);
        if (d > s.radius + s.reach) continue;
        bool over = true, corner = false;
        for (int k = 0; k < 3; ++k) {
            const Real beyond = dot(f.p[k] - c, f.inward[k]);
            if (beyond <= edge) continue;
            const bool inner = over && d > (Real)-0.1 * s.scale && in_corner(t, s, f, k, c, beyond);
            corner = corner || inner;
            over = over && inner;
        }
        if (over && is_smooth(s) && (d < 0 || corner)) {
            // it depends on the face, so it is looked at by itself: whether it is inside, and no nearer to something else
            if (d < -s.thick) continue;
            const Near near = nearest(t, ext, c, (Real)1e-6 * (s.scale + far));
            if (is_inside(t, c, near) && near.distance * (Real)1.01 + edge >= -d) add_spot(s, out, spot(t, i, c, f.n, d, SPOT_PLAIN));
        } else if (over && (d >= 0 || corner)) {
            add_spot(s, out, spot(t, i, c - f.n * s.radius, f.n, d - s.radius, corner ? SPOT_CORNER : SPOT_PLAIN));
        } else if (!over && s.radius > 0 && d >= 0) {
            touch_border(t, s, f, i, c, out);
        }
    }
}

// points inside the terrain, once all triangles have been seen
KG_FN void touch_inside(const Terrain& t, const Solid& s, Touched& out) {
    KG_ROLLED for (int i = 0; i < s.points; ++i) {
        if (!is_core(s, i)) continue;
        const Near near = out.near[i];
        const Vec3 c = core(s, i);
        bool inside = is_inside(t, c, near);
        const bool at_face = near.distance <= kg_abs(near.height) * (Real)1.0001;
        const bool sharp = !at_face && near.distance > (Real)1e-6 * s.scale;
        const Vec3 n = sharp ? (near.at - c) * kg_inv(near.distance) : near.normal;
        // a mesh is not felt from far behind
        const bool deep = s.radius > 0 || is_smooth(s);  // a centre, not the surface
        if (t.mesh && (near.distance > (deep ? s.thick : 2 * s.thick) || -dot(near.at, n) < -s.thick)) inside = false;
        bool corner = false;
        KG_ROLLED for (int k = 0; k < out.count; ++k) {
            Spot& o = out.spots[k];
            if (o.feature != i || o.terrain != t.number || o.sort != SPOT_CORNER) continue;
            if (!inside || -(o.gap + s.radius) > near.distance * (Real)1.01 + (Real)1e-5 * s.scale) o.gap = (Real)1e30;
            else corner = true;
        }
        if (!inside || (corner && !at_face)) continue;
        const Vec3 point = is_smooth(s) ? solid_point(s, n, i) : c - n * s.radius;
        add_spot(s, out, spot(t, i, point, n, dot(point - c, n) - near.distance, SPOT_PLAIN));
    }
}

// t0 <= t <= t1 so that |x + t d| <= half; false: none
KG_FN bool clip(Real x, Real d, Real half, Real& t0, Real& t1) {
    if (kg_abs(d) < (Real)1e-9 * (half + kg_abs(x))) return kg_abs(x) <= half;
    const Real inv = kg_inv(d), a = (-half - x) * inv, b = (half - x) * inv;
    t0 = kg_max(t0, kg_min(a, b));
    t1 = kg_min(t1, kg_max(a, b));
    return t0 <= t1;
}

// An edge of the terrain from a to a + ab; its neighbours lie towards o1 and o2 from there
struct Ridge { Vec3 a, ab, o1, o2; int va, vb; bool open; };
KG_FN bool rests_on(const Ridge& r, Vec3 n) { return leaves(n, r.o1, (Real)TILTED) && (r.open || leaves(n, r.o2, (Real)TILTED)); }
// the same of its end at 0 or 1
KG_FN bool ends_on(const Terrain& t, const Ridge& r, Real at, Vec3 n, float slack) {
    const Vec3 p = r.a + r.ab * at;
    bool free = true;
    over_ring(t, at > (Real)0.5 ? r.vb : r.va, [&](Vec3 q) { free = free && leaves(n, q - p, (Real)slack); });
    return free;
}
KG_FN void add_ridge_spot(const Terrain& t, const Solid& s, const Ridge& r, Real at, Vec3 n, Real gap, Touched& out) {
    if (gap <= s.reach && gap < s.scale) add_spot(s, out, spot(t, s.points, r.a + r.ab * at, n, gap, SPOT_PLAIN));
}

// the part of a ridge within the shape if that were `room` larger; false: none
KG_FN bool clip_ridge(const Solid& s, const Ridge& r, Real room, Real& t0, Real& t1) {
    if (s.kind == SHAPE_BOX) {
        bool within = true;
        for (int i = 0; i < 3; ++i) within = within && clip(dot(r.a, s.axis[i]), dot(r.ab, s.axis[i]), pick(s.size, i) + room, t0, t1);
        return within;
    }
    if (s.kind == SHAPE_CYLINDER) {
        const Vec3 axis = s.axis[2];
        const Real z = dot(r.a, axis), dz = dot(r.ab, axis), radius = s.size.x + room;
        const Vec3 x = r.a - axis * z, d = r.ab - axis * dz;  // across the axis
        const Real dd = dot(d, d), xd = dot(x, d), out = dot(x, x) - radius * radius;
        if (dd < (Real)1e-8 * dot(r.ab, r.ab)) {
            if (out > 0) return false;
        } else {
            const Real root = xd * xd - dd * out;
            if (root < 0) return false;
            const Real w = kg_sqrt(root), inv = kg_inv(dd);
            t0 = kg_max(t0, (-xd - w) * inv);
            t1 = kg_min(t1, (-xd + w) * inv);
        }
        return t0 <= t1 && clip(z, dz, s.size.y + room, t0, t1);
    }
    const Real flat = (Real)1e-6 * norm(r.ab);
    KG_ROLLED for (int i = 0; i < s.hull.faces; ++i) {
        const Vec3 own = s.hull.normal_of(i), normal = rotate(s.rot, own);
        const Real high = dot(own, s.hull.at(s.hull.corner[s.hull.face[2 * i]])) * s.size.x + room - dot(normal, r.a), speed = dot(normal, r.ab);
        if (speed > flat) t1 = kg_min(t1, high * kg_inv(speed));
        else if (speed < -flat) t0 = kg_max(t0, high * kg_inv(speed));
    }
    return t0 <= t1;
}

// A plane between a ridge and a shape. end: the ridge comes up to it with this end, -1: it lies along it. at: where, if
// it crosses an edge of the shape or a round side, -1: it lies along a side
struct RidgePlane { Vec3 normal; Real gap, end, at; };

// whether a shape may rest on the ridge with the plane across n, and with what of the ridge
KG_FN bool may_rest(const Terrain& t, const Ridge& r, Vec3 n, Real& end) {
    const Real rise = dot(n, r.ab);
    end = (Real)-1;
    if (!rests_on(r, n)) return false;
    if (kg_abs(rise) <= (Real)TILTED * norm(r.ab)) return true;
    end = rise > 0 ? (Real)1 : (Real)0;
    return ends_on(t, r, end, n, TILTED);
}

// Of a box: of the planes along its sides, and along an edge of it and the ridge, the one that separates most and on which
// it may rest (separating axes; Gottschalk et al. 1996). None if another separates much more: then it touches elsewhere
KG_CALL RidgePlane separate_box(const Terrain& t, const Solid& s, const Ridge& r) {
    RidgePlane best = {v3(0, 0, 1), (Real)-1e30, (Real)-1, (Real)-1};
    Real least = (Real)-1e30;
    KG_ROLLED for (int i = 0; i < 9; ++i) {
        Vec3 n;
        Real gap, more = 0;
        if (i < 6) {
            const int j = i / 2;
            n = i & 1 ? -s.axis[j] : s.axis[j];
            const Real x = -dot(r.a, n), d = -dot(r.ab, n);
            gap = kg_min(x, x + d) - pick(s.size, j);
        } else {
            n = cross(s.axis[i - 6], r.ab);
            const Real n2 = dot(n, n);
            if (n2 < (Real)1e-4 * dot(r.ab, r.ab)) continue;
            n = n * kg_inv(kg_sqrt(n2));
            const Real q = dot(n, r.a);
            if (q > 0) n = -n;
            gap = kg_abs(q);
            for (int j = 0; j < 3; ++j) if (j != i - 6) gap -= kg_abs(dot(n, s.axis[j])) * pick(s.size, j);
            more = (Real)1e-4 * s.scale;  // sides first
        }
        least = kg_max(least, gap);
        Real end;
        if (gap <= best.gap + more || !may_rest(t, r, n, end)) continue;
        best = RidgePlane{n, gap, end, i < 6 ? (Real)-1 : (Real)0.5};
    }
    if (best.gap < 3 * least - (Real)0.1 * s.scale || least > s.reach) best.gap = (Real)1e30;
    return best;
}

// n, or what of the ridge's normals is nearest to it
KG_FN Vec3 onto_ridge(const Ridge& r, Vec3 n) {
    const Vec3 along = r.ab * kg_inv(norm(r.ab)), off = n - along * dot(n, along);
    const Real length = norm(off);
    if (length > (Real)0.1 && rests_on(r, off * kg_inv(length))) return off * kg_inv(length);
    Vec3 best = n;
    Real most = (Real)-2;
    for (int i = 0; i < 2; ++i) {
        Vec3 m = cross(along, i == 0 ? r.o1 : r.o2);
        m = m * kg_inv(norm(m));
        if (dot(m, i == 0 ? r.o2 : r.o1) > 0 || (r.open && dot(m, n) < 0)) m = -m;
        if (dot(m, n) > most) { most = dot(m, n); best = m; }
    }
    return best;
}

// of a hull, a cylinder or an ellipsoid, by the general narrow phase (convex.h)
KG_CALL RidgePlane separate_convex(const Terrain& t, const Solid& s, const Ridge& r) {
    Convex a, b;
    a.kind = s.kind;
    a.pos = v3(0, 0, 0);
    a.rot = matrix(s.rot);
    a.size = s.size;
    a.radius = b.radius = 0;
    a.hull = b.hull = s.hull;
    b.kind = SHAPE_TRIANGLE;
    b.size = v3(0, 0, 0);
    b.pos = r.a + r.ab * (Real)0.5;
    b.rot.r0 = r.ab * (Real)-0.5;
    b.rot.r1 = b.rot.r2 = r.ab * (Real)0.5;
    const Separation found = separate(a, b, s.reach);
    RidgePlane plane = {found.normal, found.gap, (Real)-1, (Real)-1};
    if (!(found.gap <= s.reach)) {
        plane.gap = (Real)1e30;
        return plane;
    }
    if (!may_rest(t, r, plane.normal, plane.end)) {
        // a cylinder that turns over a ridge is met by another of its edges
        if (s.kind == SHAPE_CYLINDER) {
            plane.gap = (Real)1e30;
            return plane;
        }
        plane.normal = onto_ridge(r, found.normal);
        plane.end = (Real)-1;
        const Vec3 n = plane.normal;
        plane.gap = dot(n, support(a, -n)) - kg_max(dot(n, r.a), dot(n, r.a + r.ab));
        if (plane.gap < 3 * found.gap - (Real)0.1 * s.scale) plane.gap = (Real)1e30;
    }
    const Real across = kg_abs(dot(plane.normal, s.axis[2])), length2 = dot(r.ab, r.ab);
    const Real dz = dot(r.ab, s.axis[2]), dd = length2 - dz * dz;
    const Real at_support = kg_clamp(dot(support(a, -plane.normal) - r.a, r.ab) * kg_inv(length2), 0, 1);
    if (s.kind == SHAPE_ELLIPSOID) plane.at = at_support;
    if (s.kind == SHAPE_CYLINDER && across < (Real)0.999 && dd > (Real)2e-3 * length2) {
        // nearest to the axis, or to the rim
        const Real nearest_axis = -dot(r.a - s.axis[2] * dot(r.a, s.axis[2]), r.ab) * kg_inv(dd);
        plane.at = across < (Real)0.02 ? kg_clamp(nearest_axis, 0, 1) : at_support;
    }
    return plane;
}

// A ridge against a shape with sides, or an ellipsoid
KG_FN void touch_ridge(const Terrain& t, const Solid& s, const Ridge& r, Touched& out) {
    RidgePlane plane;
    if (HAS_BOX && s.kind == SHAPE_BOX) plane = separate_box(t, s, r);
    else if (HAS_HULL || HAS_CYLINDER || HAS_ELLIPSOID) plane = separate_convex(t, s, r);
    else return;
    const Vec3 n = plane.normal;
    if (!(plane.gap <= s.reach)) return;
    if (plane.end >= 0) return add_ridge_spot(t, s, r, plane.end, n, plane.gap, out);
    Real t0 = 0, t1 = 1;
    if (s.kind != SHAPE_ELLIPSOID && !clip_ridge(s, r, kg_max(plane.gap, (Real)0) + (Real)1e-4 * s.scale, t0, t1)) return;
    if (plane.at < 0) {  // both ends of what they share
        const Real rise = dot(n, r.ab), highest = kg_max(rise, (Real)0);  // where the gap is plane.gap
        add_ridge_spot(t, s, r, t0, n, plane.gap + highest - rise * t0, out);
        add_ridge_spot(t, s, r, t1, n, plane.gap + highest - rise * t1, out);
        return;
    }
    const Real at = s.kind == SHAPE_BOX ? (Real)0.5 * (t0 + t1) : kg_clamp(plane.at, t0, t1);
    if ((at < (Real)1e-6 || at > (Real)1 - (Real)1e-6) && !ends_on(t, r, at, n, TILTED)) return;
    add_ridge_spot(t, s, r, at, n, plane.gap, out);
}

// a ridge across a capsule, between its ends
KG_FN void touch_capsule_ridge(const Terrain& t, const Solid& s, const Ridge& r, Touched& out) {
    const Vec3 half = s.axis[2] * s.size.y, middle = r.ab * (Real)0.5;
    Real u, v;
    const Real hh = dot(half, half), mm = dot(middle, middle), hm = dot(half, middle);
    if (hh * mm - hm * hm < (Real)1e-4 * hh * mm) return;  // alongside: the ends and vertices hold it
    closest_on_segments(v3(0, 0, 0), half, r.a + middle, middle, u, v);
    if (kg_abs(u) >= 1 || kg_abs(v) >= 1) return;
    const Vec3 q = r.a + middle * (1 + v), d = half * u - q;
    const Real dist = norm(d);
    if (dist > s.radius + s.reach) return;
    Vec3 n = cross(half, middle);
    n = n * kg_inv(norm(n));
    if (dot(n, r.o1) > 0 || (!r.open && dot(n, r.o2) > 0)) n = -n;  // outwards, if it is an edge that can be met
    if (!leaves(n, r.o1, (Real)SEAM) || (!r.open && !leaves(n, r.o2, (Real)SEAM))) return;
    const Real gap = dot(n, d);  // negative: the axis has gone through
    if (gap < -s.thick) return;
    add_spot(s, out, spot(t, s.points, half * u - n * s.radius, n, gap - s.radius, SPOT_PLAIN));
}
KG_FN void touch_capsule_vertex(const Terrain& t, const Solid& s, int v, Vec3 p, Touched& out) {
    const Vec3 half = s.axis[2] * s.size.y;
    const Real u = dot(p, half) * kg_inv(dot(half, half));
    if (!(kg_abs(u) < 1)) return;
    const Vec3 d = half * u - p;
    const Real dist = norm(d);
    if (dist > s.radius + s.reach || dist < (Real)1e-6 * s.scale) return;
    bool free = true, peak = false;  // a vertex in a plane is not for the middle of a capsule
    over_ring(t, v, [&](Vec3 q) {
        free = free && leaves(d, q - p, (Real)SEAM * dist);
        peak = peak || leaves(d, q - p, (Real)-1e-3 * dist);
    });
    if (!free || !peak) return;
    const Vec3 n = d * kg_inv(dist);
    add_spot(s, out, spot(t, s.points, half * u - n * s.radius, n, dist - s.radius, SPOT_PLAIN));
}

// how far the shape reaches from its centre along a unit vector, or a little more
KG_FN Real reach_along(const Solid& s, Vec3 n) {
    const Real x = kg_abs(dot(n, s.axis[0])), y = kg_abs(dot(n, s.axis[1])), z = kg_abs(dot(n, s.axis[2]));
    if (s.kind == SHAPE_SPHERE) return s.size.x;
    if (s.kind == SHAPE_HULL) return s.size.y;
    if (s.kind == SHAPE_CAPSULE || s.kind == SHAPE_CYLINDER) return s.size.x + z * s.size.y;
    return x * s.size.x + y * s.size.y + z * s.size.z;
}

// everything of the shape against a face and its edges
KG_FN void touch_whole_face(const Terrain& t, const Solid& s, const Face& f, Vec3 ext, Touched& out) {
    touch_face(t, s, f, ext, out);
    // all of the shape is before it, and too far off
    if (-dot(f.p[0], f.n) - reach_along(s, f.n) > s.reach) return;
    if (s.kind == SHAPE_SPHERE) return;
    for (int k = 0; k < 3; ++k) {
        const int next = k == 2 ? 0 : k + 1;
        const Vec3 p = f.p[k], q = f.p[next];
        const bool at_hand = kg_abs(p.x) <= ext.x && kg_abs(p.y) <= ext.y && kg_abs(p.z) <= ext.z;
        if (HAS_CAPSULE && s.kind == SHAPE_CAPSULE && at_hand) touch_capsule_vertex(t, s, f.v[k], p, out);
        if (!f.owns[k] || is_outside(p.x, q.x, q.x, ext.x) || is_outside(p.y, q.y, q.y, ext.y) || is_outside(p.z, q.z, q.z, ext.z)) continue;
        Ridge r;
        r.va = f.v[k];
        r.vb = f.v[next];
        r.a = f.p[k];
        r.ab = f.p[next] - r.a;
        r.o1 = f.p[k == 0 ? 2 : k - 1] - r.a;
        r.open = f.across[k] < 0;
        r.o2 = r.open ? r.o1 : terrain_vertex(t, f.across[k]) - r.a;
        // off the edge's line, so that a long edge does not hide that it bends
        const Real inv = kg_inv(dot(r.ab, r.ab));
        r.o1 = r.o1 - r.ab * (dot(r.o1, r.ab) * inv);
        r.o2 = r.o2 - r.ab * (dot(r.o2, r.ab) * inv);
        if (!r.open && dot(r.o2, f.n) > (Real)-1e-3 * norm(r.o2)) continue;  // flat or concave
        if (HAS_CAPSULE && s.kind == SHAPE_CAPSULE) touch_capsule_ridge(t, s, r, out);
        else touch_ridge(t, s, r, out);
    }
}
