// A shape against one triangle of terrain and its edges.

// whether an edge from p to q comes near a shape: by the box around it, and a cylinder's round sides
KG_FN bool may_meet(const Solid& s, Vec3 p, Vec3 q) {
    const Real more = s.reach + (Real)1e-3 * s.scale;
    const Vec3 half = half_sides(s.kind, s.size);
    bool apart = false;
    for (int i = 0; i < 3; ++i) {
        const Real a = dot(p, s.axis[i]), b = dot(q, s.axis[i]);
        apart = apart || is_outside(a, b, b, pick(half, i) + more);
    }
    if (!HAS_CYLINDER || s.kind != SHAPE_CYLINDER) return !apart;
    Real u, v;
    const Vec3 axis = s.axis[2] * s.size.y, along = (q - p) * (Real)0.5, middle = (p + q) * (Real)0.5;
    closest_on_segments(v3(0, 0, 0), axis, middle, along, u, v);
    const Vec3 d = middle + along * v - axis * u;
    const Real room = s.size.x + more;
    return !apart && dot(d, d) <= room * room;
}

// Ridges near a shape, kept until many are met at once: what threads of a warp find at different triangles they look at together
static constexpr int RIDGES = 6;
struct Ridges { int count; Ridge at[RIDGES]; };
KG_FN void touch_ridges(const Terrain& t, const Solid& s, Ridges& ridges, Touched& out) {
    KG_ROLLED for (int i = 0; i < ridges.count; ++i) touch_ridge(t, s, ridges.at[i], out);
    ridges.count = 0;
}

// everything of the shape against a face and its edges; what lies between its points against ridges: later
KG_FN void touch_whole_face(const Terrain& t, const Solid& s, const Face& f, Vec3 ext, Ridges& ridges, Touched& out) {
    touch_face(t, s, f, out);
    if (s.kind == SHAPE_SPHERE) return;
    for (int k = 0; k < 3; ++k) {
        const int next = k == 2 ? 0 : k + 1;
        const Vec3 p = f.p[k], q = f.p[next];
        const bool at_hand = kg_abs(p.x) <= ext.x && kg_abs(p.y) <= ext.y && kg_abs(p.z) <= ext.z;
        if (HAS_CAPSULE && s.kind == SHAPE_CAPSULE && at_hand) touch_capsule_vertex(t, s, f.v[k], p, out);
        if (!f.owns[k] || is_outside(p.x, q.x, q.x, ext.x) || is_outside(p.y, q.y, q.y, ext.y) || is_outside(p.z, q.z, q.z, ext.z)) continue;
        if (!may_meet(s, p, q)) continue;
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
        else ridges.at[ridges.count++] = r;
    }
}
