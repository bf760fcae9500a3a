// What lies between a shape's points against the terrain's convex edges, its *ridges*, and their ends (terrain_shapes.h).
//
// A ridge touches a shape along a normal that points out of both triangles that meet in it; which of those, is what keeps
// the two farthest apart.

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
// up to two places of a ridge
struct RidgeSpots { int count; Spot at[2]; };
KG_FN void add_ridge_spot(const Terrain& t, const Solid& s, const Ridge& r, Real at, Vec3 n, Real gap, RidgeSpots& out) {
    if (!(gap <= s.reach && gap < s.scale)) return;
    const Spot found = spot(t, s.points, r.a + r.ab * at, n, gap, SPOT_PLAIN);
    if (out.count == 0) out.at[0] = found;
    else out.at[1] = found;
    out.count += 1;
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

// of a cylinder in closed form, of a hull or an ellipsoid by the general narrow phase (separate.h)
KG_CALL RidgePlane separate_convex(const Terrain& t, const Solid& s, const Ridge& r) {
    Convex a;
    a.kind = s.kind;
    a.pos = v3(0, 0, 0);
    a.rot = matrix(s.rot);
    a.size = s.size;
    a.radius = 0;
    a.hull = s.hull;
    EdgePlane found;
    if (HAS_CYLINDER && s.kind == SHAPE_CYLINDER) {
        const auto local = [&](Vec3 v) { return v3(dot(v, s.axis[0]), dot(v, s.axis[1]), dot(v, s.axis[2])); };
        found = separate_cylinder_edge(s.size.x, s.size.y, local(r.a), local(r.ab), s.reach);
        found.normal = s.axis[0] * found.normal.x + s.axis[1] * found.normal.y + s.axis[2] * found.normal.z;
    } else {
        Convex b;
        b.kind = SHAPE_TRIANGLE;
        b.radius = 0;
        b.hull = s.hull;
        b.size = v3(0, 0, 0);
        b.pos = r.a + r.ab * (Real)0.5;
        b.rot.r0 = r.ab * (Real)-0.5;
        b.rot.r1 = b.rot.r2 = r.ab * (Real)0.5;
        const Separation separated = separate(a, b, s.reach);
        found = EdgePlane{separated.normal, separated.gap};
    }
    RidgePlane plane = {found.normal, found.gap, (Real)-1, (Real)-1};
    if (!(found.gap <= s.reach)) {
        plane.gap = (Real)1e30;
        return plane;
    }
    if (!may_rest(t, r, plane.normal, plane.end)) {
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
KG_FN void touch_ridge(const Terrain& t, const Solid& s, const Ridge& r, RidgeSpots& out) {
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
KG_FN bool touch_capsule_ridge(const Terrain& t, const Solid& s, const Ridge& r, Spot& out) {
    const Vec3 half = s.axis[2] * s.size.y, middle = r.ab * (Real)0.5;
    Real u, v;
    const Real hh = dot(half, half), mm = dot(middle, middle), hm = dot(half, middle);
    if (hh * mm - hm * hm < (Real)1e-4 * hh * mm) return false;  // alongside: the ends and vertices hold it
    closest_on_segments(v3(0, 0, 0), half, r.a + middle, middle, u, v);
    if (kg_abs(u) >= 1 || kg_abs(v) >= 1) return false;
    const Vec3 q = r.a + middle * (1 + v), d = half * u - q;
    const Real dist = norm(d);
    if (dist > s.radius + s.reach) return false;
    Vec3 n = cross(half, middle);
    n = n * kg_inv(norm(n));
    if (dot(n, r.o1) > 0 || (!r.open && dot(n, r.o2) > 0)) n = -n;  // outwards, if it is an edge that can be met
    if (!leaves(n, r.o1, (Real)SEAM) || (!r.open && !leaves(n, r.o2, (Real)SEAM))) return false;
    const Real gap = dot(n, d);  // negative: the axis has gone through
    if (gap < -s.thick) return false;
    out = spot(t, s.points, half * u - n * s.radius, n, gap - s.radius, SPOT_PLAIN);
    return true;
}
KG_FN bool touch_capsule_vertex(const Terrain& t, const Solid& s, int v, Vec3 p, Spot& out) {
    const Vec3 half = s.axis[2] * s.size.y;
    const Real u = dot(p, half) * kg_inv(dot(half, half));
    if (!(kg_abs(u) < 1)) return false;
    const Vec3 d = half * u - p;
    const Real dist = norm(d);
    if (dist > s.radius + s.reach || dist < (Real)1e-6 * s.scale) return false;
    bool free = true, peak = false;  // a vertex in a plane is not for the middle of a capsule
    over_ring(t, v, [&](Vec3 q) {
        free = free && leaves(d, q - p, (Real)SEAM * dist);
        peak = peak || leaves(d, q - p, (Real)-1e-3 * dist);
    });
    if (!free || !peak) return false;
    const Vec3 n = d * kg_inv(dist);
    out = spot(t, s.points, half * u - n * s.radius, n, dist - s.radius, SPOT_PLAIN);
    return true;
}
