// A shape against one triangle of terrain and its edges.

// whether an edge from p to q comes near a shape: by the box around it, and by a cylinder's round sides
KG_FN bool may_meet(const Solid& s, Vec3 p, Vec3 q) {
    const Real more = s.reach + (Real)1e-3 * s.scale;
    const Vec3 half = half_sides(s.kind, s.size);
    bool apart = false;
    for (int i = 0; i < 3; ++i) {
        const Real a = dot(p, s.axis[i]), b = dot(q, s.axis[i]);
        apart = apart || is_outside(a, b, b, pick(half, i) + more);
    }
    return !apart;
}
KG_FN bool may_meet_round(const Solid& s, Vec3 p, Vec3 pq) {
    if (!HAS_CYLINDER || s.kind != SHAPE_CYLINDER) return true;
    Real u, v;
    const Vec3 axis = s.axis[2] * s.size.y, along = pq * (Real)0.5, middle = p + along;
    closest_on_segments(v3(0, 0, 0), axis, middle, along, u, v);
    const Vec3 d = middle + along * v - axis * u;
    const Real room = s.size.x + s.reach + (Real)1e-3 * s.scale;
    return dot(d, d) <= room * room;
}

// Which edges of a triangle may be met by what lies between a shape's points: bit k. Of two triangles one speaks for an edge
KG_FN unsigned edges_near(const Terrain& t, const Solid& s, const Face& f, Vec3 ext) {
    unsigned near = 0;
    Turned e(f);
    KG_ROLLED for (int k = 0; k < 3; ++k, e.turn()) {
        const Vec3 p = e.p, q = e.q;
        if (!e.owns || is_outside(p.x, q.x, q.x, ext.x) || is_outside(p.y, q.y, q.y, ext.y) || is_outside(p.z, q.z, q.z, ext.z)) continue;
        if (!may_meet(s, p, q)) continue;
        if (e.across >= 0) {
            // off the edge's line, so that a long edge does not hide that it bends
            const Vec3 ab = q - p, o = terrain_vertex(t, e.across) - p, off = o - ab * (dot(o, ab) * kg_inv(dot(ab, ab)));
            if (dot(off, f.n) > (Real)-1e-3 * norm(off)) continue;  // flat or concave
        }
        near |= 1u << k;
    }
    return near;
}
KG_FN Ridge ridge_of(const Terrain& t, const Face& f, int k) {
    Ridge r;
    const Vec3 p[3] = {k == 0 ? f.p[0] : k == 1 ? f.p[1] : f.p[2], k == 0 ? f.p[1] : k == 1 ? f.p[2] : f.p[0], k == 0 ? f.p[2] : k == 1 ? f.p[0] : f.p[1]};
    const int across = k == 0 ? f.across[0] : k == 1 ? f.across[1] : f.across[2];
    r.va = k == 0 ? f.v[0] : k == 1 ? f.v[1] : f.v[2];
    r.vb = k == 0 ? f.v[1] : k == 1 ? f.v[2] : f.v[0];
    r.a = p[0];
    r.ab = p[1] - p[0];
    r.o1 = p[2] - p[0];
    r.open = across < 0;
    r.o2 = r.open ? r.o1 : terrain_vertex(t, across) - p[0];
    const Real inv = kg_inv(dot(r.ab, r.ab));
    r.o1 = r.o1 - r.ab * (dot(r.o1, r.ab) * inv);
    r.o2 = r.o2 - r.ab * (dot(r.o2, r.ab) * inv);
    return r;
}
