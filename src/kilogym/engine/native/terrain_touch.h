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

// Which edges of a triangle may be met by what lies between a shape's points: bit k. Of two triangles one speaks for an edge
KG_FN unsigned edges_near(const Terrain& t, const Solid& s, const Face& f, Vec3 ext) {
    unsigned near = 0;
    for (int k = 0; k < 3; ++k) {
        const Vec3 p = f.p[k], q = f.p[k == 2 ? 0 : k + 1];
        if (!f.owns[k] || is_outside(p.x, q.x, q.x, ext.x) || is_outside(p.y, q.y, q.y, ext.y) || is_outside(p.z, q.z, q.z, ext.z)) continue;
        if (!may_meet(s, p, q)) continue;
        if (f.across[k] >= 0) {
            // off the edge's line, so that a long edge does not hide that it bends
            const Vec3 ab = q - p, o = terrain_vertex(t, f.across[k]) - p, off = o - ab * (dot(o, ab) * kg_inv(dot(ab, ab)));
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

// the shape's points against a triangle, each lane's own. may: of lanes that have one
KG_FN void touch_points(const Env& env, const Terrain& t, const Solid& s, const Face& f, bool may, Spots& list) {
    const Rim rim = rim_of(s, f.n);
    const int most = kg_warp_most(may ? s.points : 0);
    KG_ROLLED for (int first = 0; first < most; first += 32) {
        unsigned near = may ? near_face(s, rim, f, first) : 0u;
        KG_ROLLED while (kg_warp_any(near != 0)) {
            Spot found = Spot();
            bool have = false;
            if (near) {
                have = touch_face(t, s, rim, f, first + kg_lowest(near), found);
                near &= near - 1u;
            }
            kg_rejoin(env);
            offer(env, s.scale, have, found, list);
        }
    }
}
// what lies between the shape's points against edges near it, dealt to the lanes, whichever triangle they are of
KG_FN void touch_edges(const Env& env, const Terrain& t, const Solid& s, FaceAt at, unsigned edges, Spots& list) {
    const unsigned b0 = kg_ballot(edges & 1u), b1 = kg_ballot(edges & 2u), b2 = kg_ballot(edges & 4u);
    const int c0 = kg_bits(b0), c1 = c0 + kg_bits(b1), count = c1 + kg_bits(b2), most = kg_warp_most(count);
    KG_ROLLED for (int first = 0; first < most; first += LANES) {
        const int n = first + env.lane, k = n < c0 ? 0 : n < c1 ? 1 : 2;
        const int from = n >= count ? 0 : k == 0 ? kg_nth(b0, n) : k == 1 ? kg_nth(b1, n - c0) : kg_nth(b2, n - c1);
        const FaceAt its = {(int)kg_from((Real)at.i, from), (int)kg_from((Real)at.j, from), (int)kg_from((Real)at.n, from)};
        RidgeSpots found;
        found.count = 0;
        found.at[0] = found.at[1] = Spot();
        if (n < count) {
            Face f;
            place_face(t, its, f);
            number_face(t, its, f);
            const Ridge r = ridge_of(t, f, k);
            if (HAS_CAPSULE && s.kind == SHAPE_CAPSULE) found.count = touch_capsule_ridge(t, s, r, found.at[0]) ? 1 : 0;
            else touch_ridge(t, s, r, found);
        }
        kg_rejoin(env);
        offer(env, s.scale, found.count > 0, found.at[0], list);
        offer(env, s.scale, found.count > 1, found.at[1], list);
    }
}

// Everything of one shape against terrain, by all lanes together. on: of lanes whose env has a shape left
template <class Args>
KG_FN void touch_terrain(const Args& args, const Env& env, const Solid& s, bool on, Vec3 ref, Vec3 pos, Spots& list) {
    list.count = 0;
    const Real r = s.reach;
    const Vec3 ext = half_box(s) + v3(r, r, r);
    KG_ROLLED for (int n = 0; n < NTERRAINS; ++n) {
        const Terrain t = view_terrain(args, env, n, ref, pos, ext);
        const bool here = on && t.i1 >= t.i0;
        bool behind = false;
        over_faces(env, t, here, [&](bool valid, FaceAt at) {
            Face f = Face();
            bool its = false;
            const bool may = valid && place_face(t, at, f) && may_touch(s, f, its);
            behind = behind || its;
            if (!kg_warp_any(may)) return;
            unsigned edges = 0;
            if (may) {
                number_face(t, at, f);
                place_inward(f);
                if (s.kind != SHAPE_SPHERE) edges = edges_near(t, s, f, ext);
            }
            touch_points(env, t, s, f, may, list);
            if (HAS_CAPSULE && kg_warp_any(may && s.kind == SHAPE_CAPSULE)) {
                KG_ROLLED for (int k = 0; k < 3; ++k) {
                    const Vec3 p = k == 0 ? f.p[0] : k == 1 ? f.p[1] : f.p[2];
                    const bool at_hand = may && s.kind == SHAPE_CAPSULE && kg_abs(p.x) <= ext.x && kg_abs(p.y) <= ext.y && kg_abs(p.z) <= ext.z;
                    Spot found = Spot();
                    const bool have = at_hand && touch_capsule_vertex(t, s, k == 0 ? f.v[0] : k == 1 ? f.v[1] : f.v[2], p, found);
                    kg_rejoin(env);
                    offer(env, s.scale, have, found, list);
                }
            }
            if (kg_warp_any(edges != 0)) touch_edges(env, t, s, at, edges, list);
        });
        touch_inside(env, t, s, here, kg_any(behind), list);
    }
}
