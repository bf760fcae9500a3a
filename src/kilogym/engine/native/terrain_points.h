// A shape's points against the triangles of terrain (terrain_shapes.h).

// c is beyond an edge of f, which is concave, and behind the face there, a little
KG_FN bool in_corner(const Terrain& t, const Solid& s, const Face& f, const Turned& e, Vec3 c, Real beyond) {
    if (e.across < 0 || beyond > (Real)0.1 * s.scale) return false;
    const Vec3 o = terrain_vertex(t, e.across) - e.p;
    if (dot(o, f.n) <= (Real)1e-3 * norm(o)) return false;
    return dot(c - e.p, cross(e.p - e.q, o)) < 0;
}

// a round point beside a face: what of the triangle's border is nearest, if it is in the neighbours too
KG_FN bool touch_border(const Terrain& t, const Solid& s, const Face& f, int feature, Vec3 c, Spot& out) {
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
    if (!(best <= (s.radius + s.reach) * (s.radius + s.reach))) return false;
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
    if (!free) return false;
    const Vec3 n = dist > (Real)1e-6 * s.scale ? d * kg_inv(dist) : f.n;
    out = spot(t, feature, c - n * s.radius, n, dist - s.radius, SPOT_ROUND);
    return true;
}

// The face if it is nearer to c than what was. At an edge or a vertex, where several are as near, the one that faces c
// most: it tells inside from outside. Source: Baerentzen and Aanaes, Signed distance computation (2005)
KG_FN void take_nearer(const Face& f, Vec3 c, Real tiny, Near& best) {
    const Real height = dot(c - f.p[0], f.n), high = kg_abs(height);
    if (high > best.distance + tiny) return;
    Vec3 at = c - f.n * height;
    Real least = (Real)1e30;
    bool over = true;
    for (int k = 0; k < 3; ++k) over = over && dot(at - f.p[k], inward_of(f.n, f.p[k], f.p[k == 2 ? 0 : k + 1])) >= 0;
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

KG_FN Real farthest_corner(const Face& f) { return kg_max(norm(f.p[0]), kg_max(norm(f.p[1]), norm(f.p[2]))); }
// What of the surface is nearest to c, if nearer than about `limit`. tiny, and as much of a face's size: what counts as equal
KG_CALL Near nearest(const Terrain& whole, Vec3 c, Real limit, Real tiny, Real of_face) {
    Near best = {c, v3(0, 0, 1), (Real)1e30, 0};
    const Terrain t = narrowed(whole, c, (Real)1.01 * limit + 2 * tiny);
    Walk w = walk_over(t);
    Face f;
    KG_ROLLED while (next_face(t, w, f, [](const Face&) { return true; })) take_nearer(f, c, tiny + of_face * farthest_corner(f), best);
    return best;
}

// which of up to 32 points from `first` on come near a face
KG_FN unsigned near_face(const Solid& s, const Steps& steps, const Face& f, int first) {
    const Real most = s.radius + s.reach + dot(f.p[0], f.n);
    const Real along = dot(steps.along, f.n), u = dot(steps.u, f.n), v = dot(steps.v, f.n);
    unsigned near = 0;
    if (has_steps(s)) {
        for (int i = 0; i < 8; ++i) {
            const Way way = way_to(s, i);
            near |= i >= s.points || way.along * along + way.u * u + way.v * v > most ? 0u : 1u << i;
        }
        return near;
    }
    KG_ROLLED for (int i = first; i < s.points && i < first + 32; ++i) near |= dot(solid_point(s, steps, f.n, i), f.n) > most ? 0u : 1u << (i - first);
    return near;
}
// such a point against the face
KG_FN bool touch_face(const Terrain& t, const Solid& s, const Steps& steps, const Face& f, int i, Spot& out) {
    const Real far = farthest_corner(f);
    const Real edge = (Real)1e-5 * s.scale + (Real)1e-6 * far;  // on the border counts as over
    const Vec3 c = solid_point(s, steps, f.n, i);
    const Real d = dot(c, f.n) - dot(f.p[0], f.n);
    bool over = true, corner = false;
    Turned e(f);
    KG_ROLLED for (int k = 0; k < 3; ++k, e.turn()) {
        const Real beyond = dot(e.p - c, inward_of(f.n, e.p, e.q));
        if (beyond <= edge) continue;
        const bool inner = over && d > (Real)-0.1 * s.scale && in_corner(t, s, f, e, c, beyond);
        corner = corner || inner;
        over = over && inner;
    }
    if (over && is_smooth(s) && (d < 0 || corner)) {
        // it depends on the face, so it is looked at by itself: whether it is inside, and no nearer to something else
        Real depth;
        if (d < -s.thick || (!t.mesh && !is_below(t, c, depth))) return false;
        const Near near = nearest(t, c, kg_abs(d) + edge, (Real)1e-6 * (s.scale + far), 0);
        out = spot(t, i, c, f.n, d, SPOT_PLAIN);
        return near.distance < (Real)1e29 && (!t.mesh || near.height < 0) && near.distance * (Real)1.01 + edge >= -d;
    }
    if (over && (d >= 0 || corner)) {
        out = spot(t, i, c - f.n * s.radius, f.n, d - s.radius, corner ? SPOT_CORNER : SPOT_PLAIN);
        return true;
    }
    return !over && s.radius > 0 && d >= 0 && touch_border(t, s, f, i, c, out);
}

// A point that may be inside the terrain: what of the surface is nearest. behind: some of the shape is behind a triangle; else no
// point is inside a mesh
struct Inside { bool inside, at_face; Real distance; Vec3 normal; };
KG_FN Inside look_inside(const Terrain& t, const Solid& s, int i, bool behind) {
    const Vec3 c = core(s, i);
    // a mesh is not felt from far behind
    const bool deep = s.radius > 0 || is_smooth(s);  // a centre, not the surface
    const Real felt = deep ? s.thick : 2 * s.thick;
    Real limit = felt;
    Near near = {c, v3(0, 0, 1), (Real)1e30, 0};
    if (t.mesh ? behind : is_below(t, c, limit)) near = nearest(t, c, limit, (Real)1e-6 * s.scale, (Real)1e-6);
    Inside found = {near.distance < (Real)1e29 && (!t.mesh || near.height < 0), near.distance <= kg_abs(near.height) * (Real)1.0001, near.distance, near.normal};
    if (!found.at_face && near.distance > (Real)1e-6 * s.scale) found.normal = (near.at - c) * kg_inv(near.distance);
    if (t.mesh && (near.distance > felt || -dot(near.at, found.normal) < -s.thick)) found.inside = false;
    return found;
}
