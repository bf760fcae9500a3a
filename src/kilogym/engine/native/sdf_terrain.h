// Where a shape with a signed distance field touches terrain: points of its surface before or behind triangles, and vertices
// of terrain in its field. What is near a cluster of points is looked up about the cluster.

// terrain nearest to x, which is felt as far behind a mesh's face. Returns the distance, below zero inside; 1e30: nothing near
KG_FN Real terrain_distance(const Terrain& t, Vec3 x, Real reach, Real felt, Real tiny, Vec3& n) {
    Real limit = kg_max(reach, felt);
    const bool below = !t.mesh && is_below(t, x, limit);
    const Near near = nearest(t, x, below ? limit + tiny : t.mesh ? limit : reach, tiny, (Real)1e-6);
    if (near.distance > (Real)1e29) return (Real)1e30;
    const bool inside = t.mesh ? near.height < 0 : below;
    const bool at_face = near.distance <= kg_abs(near.height) * (Real)1.0001;
    n = at_face || near.distance <= tiny ? near.normal : (x - near.at) * kg_div(inside ? (Real)-1 : (Real)1, near.distance);
    if (inside && t.mesh && near.distance > felt) return (Real)1e30;
    return inside ? -near.distance : near.distance;
}

template <class Args>
KG_CALL void touch_cluster(const Args& args, const Env& env, const Segment& at, const Solid& s, const Sdf& f, int terrain, int k,
                           Real half, SdfTouches& out) {
    const Real scale = s.size.x, tiny = (Real)1e-6 * s.scale;
    const Real* sphere = f.sphere + 4 * k;
    const Vec3 c = rotate(s.rot, v3(sphere[0], sphere[1], sphere[2]) * scale);
    const Real r = sphere[3] * scale + kg_max(s.reach, s.thick);
    const Terrain t = view_terrain(args, env, terrain, at.ref, at.pos + c, v3(r, r, r));
    if (!is_near(t)) return;
    Vec3 n, best_n = v3(0, 0, 1);
    const Real out_to = sphere[3] * scale + s.reach, in_to = sphere[3] * scale + s.thick;
    if (terrain_distance(t, v3(0, 0, 0), out_to, in_to, tiny, n) > out_to) return;
    Real least = s.reach;
    int best = -1;
    KG_ROLLED for (int i = f.start[k]; i < f.start[k + 1]; ++i) {
        const Vec3 x = rotate(s.rot, f.at(i) * scale) - c;
        const Real d = terrain_distance(t, x, s.reach, s.thick, tiny, n);
        if (d >= least - (best < 0 ? (Real)0 : out.equal) || !f.looks(i, -rotate(conj(s.rot), n))) continue;
        best = i;
        least = d;
        best_n = n;
    }
    if (best >= 0) offer_spot(at, half, rotate(s.rot, f.at(best) * scale), best_n, least, f.blunt(best), best, out);
}

// vertices of terrain that are near the shape's surface, and look to it
template <class Args>
KG_CALL void touch_vertices(const Args& args, const Env& env, const Segment& at, const Solid& s, const Sdf& f, int terrain,
                            Real half, SdfTouches& out) {
    const Vec3 ext = reach_box(s);
    const Terrain t = view_terrain(args, env, terrain, at.ref, at.pos, ext);
    if (t.i1 < t.i0) return;
    const Real scale = s.size.x, inv = kg_inv(scale);
    Walk w = walk_over(t);
    Face face;
    KG_ROLLED while (next_face(t, w, face, [&](const Face& g) {
        bool behind;
        return may_touch(s, g, behind);
    })) {
        for (int k = 0; k < 3; ++k) {
            const Vec3 p = face.p[k];
            if (kg_abs(p.x) > ext.x || kg_abs(p.y) > ext.y || kg_abs(p.z) > ext.z) continue;
            Vec3 slope;
            Real error;
            const Real d = sdf_distance(f, rotate(conj(s.rot), p) * inv, slope, error) * scale;
            if (d > s.reach || d < -s.thick || dot(slope, slope) < (Real)0.04) continue;
            const Vec3 n = -rotate(s.rot, along(slope, v3(0, 0, 1)));
            if (dot(n, face.n) > (Real)0.1) offer_spot(at, half, p + n * d, n, d, 0, SDF_POINTS + vertex_number(t, face.v[k]) % SDF_POINTS, out);
        }
    }
}

// contacts of shapes with fields, dealt to the lanes, terrain after terrain
template <class Args>
KG_FN void find_field_terrain_contacts(const Args& args, const Env& env, Real half, const Rows& rows, Contacts& c) {
    const int count = env.live ? NTERRAIN_FIELDS : 0, most = kg_warp_most(count);
    KG_ROLLED for (int at_once = 0; at_once < NTERRAINS * most; at_once += LANES) {
        const int m = at_once + env.lane, terrain = m / (most > 0 ? most : 1), n = m - terrain * most;
        SdfTouches found;
        found.count = 0;
        Segment at;
        int id = 0;
        if (terrain < NTERRAINS && n < count) {
            const int i = terrain_field[n];
            id = placed_shape[i];
            at = segment(rows, i);
            const Solid s = placed_solid(args, rows, half, i);
            const Vec3 ext = reach_box(s);
            const Sdf f = sdf_of(args, (int)rows.segment(i, 8).w);
            found = sdf_touches(s.scale, f, s.size.x);
            if (is_near(view_terrain(args, env, terrain, at.ref, at.pos, ext))) {
                KG_ROLLED for (int k = 0; k < f.clusters; ++k) touch_cluster(args, env, at, s, f, terrain, k, half, found);
                touch_vertices(args, env, at, s, f, terrain, half, found);
                drop_implied(found);
                in_order(found);
            }
        }
        kg_rejoin(env);
        const auto candidate = [&](int k) {
            const SdfTouch& s = found.touch[k];
            return static_candidate(half, at, env_terrain_slot[id] + s.number, id, -2 - terrain, at.pos + s.point, s.n, s.distance - at.rest);
        };
        int have = 0;
        KG_ROLLED for (int k = 0; k < found.count; ++k)
            if (candidate(k).urgency < at.slack) found.touch[have++] = found.touch[k];
        keep_contacts<SDF_TOUCHES>(rows, c, have, candidate);
    }
}
