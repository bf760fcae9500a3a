// Where shapes with signed distance fields touch the ground plane: with points of their surface.

template <class Args>
KG_CALL void touch_ground(const Args& args, const Rows& rows, int i, const Segment& at, Real half, Vec3 normal, Real offset,
                          SdfTouches& found) {
    const Four turn = rows.segment(i, 7), size = rows.segment(i, 8);
    const Quat q = q4(turn.x, turn.y, turn.z, turn.w);
    const Sdf f = sdf_of(args, (int)size.w);
    const Real scale = size.x, spin = norm(at.vel.ang) * size.y, fastest = half * (norm(point_velocity(at.vel, at.pos)) + spin);
    const Real level = dot(normal, at.ref) + dot(normal, at.pos) - offset, limit = at.rest + at.slack + fastest;
    const Vec3 up = rotate(conj(q), normal) * scale;  // heights of places in the shape's axes
    found = sdf_touches(size.y, f, scale);
    if (level - size.y > limit) return;
    KG_ROLLED for (int k = 0; k < f.clusters; ++k) {
        const Real* sphere = f.sphere + 4 * k;
        if (level + dot(up, v3(sphere[0], sphere[1], sphere[2])) - sphere[3] * scale > limit) continue;
        int best = -1;
        Real least = limit;
        KG_ROLLED for (int p = f.start[k]; p < f.start[k + 1]; ++p) {
            const Real gap = level + dot(up, f.at(p));
            if (gap >= least - (best < 0 ? (Real)0 : found.equal) || !f.looks(p, -up)) continue;
            best = p;
            least = gap;
        }
        if (best >= 0) offer_spot(at, half, rotate(q, f.at(best) * scale), normal, least, f.blunt(best), best, found);
    }
    drop_implied(found);
    in_order(found);
}

// Dealt to the lanes as pairs are; contacts come in the order of shapes
template <class Args>
KG_FN void find_sdf_ground_contacts(const Args& args, const Env& env, const StepSettings& st, const Rows& rows, Vec3 normal,
                                    Real offset, Contacts& c) {
    const Real half = (Real)0.5 * st.dt;
    const int count = env.live ? NGROUND_FIELDS : 0, most = kg_warp_most(count);
    KG_ROLLED for (int n0 = 0; n0 < most; n0 += LANES) {
        const int n = n0 + env.lane;
        SdfTouches found;
        found.count = 0;
        Segment at;
        int id = 0;
        if (n < count) {
            const int i = ground_field[n];
            id = placed_shape[i];
            at = segment(rows, i);
            touch_ground(args, rows, i, at, half, normal, offset, found);
        }
        kg_rejoin(env);
        keep_contacts<SDF_TOUCHES>(rows, c, found.count, [&](int k) {
            const SdfTouch& s = found.touch[k];
            const Vec3 point = at.pos + s.point;
            return Candidate{env_ground_slot[id] + s.number, id, -1, point, point, normal, s.distance - at.rest, s.urgency};
        });
    }
}
