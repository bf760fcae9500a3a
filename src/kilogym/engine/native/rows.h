// Constraint rows in whitened form: contacts (normal and two tangents) and DOF rows.
//
// A row's Y has the support of its link's path to the root, leaf first (factor.h). A contact of two links has two
// segments, u = Y_a . w_a + Y_b . w_b with B's sign inside Y_b; ancestors they share need no merging.
// A DOF row is one block per DOF with up to four unknowns that share one Y: saturated drive, dry friction, lower
// and upper limit, speed limit.

struct ContactRows {
    int count;
    int path_a[MAX_CONTACTS1], length_a[MAX_CONTACTS1];
    int path_b[MAX_CONTACTS1], length_b[MAX_CONTACTS1];  // length 0: ground
    Real y[MAX_CONTACTS1][3][ROW];                        // ROW = segments * longest path
    Real inv_n[MAX_CONTACTS1], inv_t[MAX_CONTACTS1];      // 1 / diagonal, regularised
    Real inv_bounce[MAX_CONTACTS1];                       // not regularised: a bounce is one visit
    Real gap[MAX_CONTACTS1];                              // now, as the iterations move it
    Real static_mu[MAX_CONTACTS1], dynamic_mu[MAX_CONTACTS1];
    Real restitution[MAX_CONTACTS1];
    Real impulse[MAX_CONTACTS1][3];                       // of one iteration; warm start of the next
    Real total[MAX_CONTACTS1][3];                         // over the substep
    Real bounce[MAX_CONTACTS1][2];                        // restitution targets: biased, relax [m/s]
    int phase[MAX_CONTACTS1];                             // CONTACT_*
};
enum { CONTACT_RESTING = 0, CONTACT_WAITING = 1, CONTACT_BOUNCING = 2, CONTACT_IDLE = 3 };  // idle: elastic, unloaded

struct DofRows {
    int count;
    int dof[ND1];
    Real y[ND1][PATH_V];
    Real diagonal[ND1];
    Real lower_gap[ND1], upper_gap[ND1];   // as the iterations move them
    bool saturated[ND1];
    Real drive[ND1], friction[ND1], lower[ND1], upper[ND1], speed[ND1];  // impulses of one iteration
    Real total[ND1];                       // friction and limits, over the substep
};

KG_FN Real path_dot(const Real* y, int path, int length, const Real* w) {
    Real sum = 0;
    for (int a = 0; a < length; ++a) sum += y[a] * w[path_v[path + a]];
    return sum;
}
KG_FN void path_add(const Real* y, int path, int length, Real s, Real* w) {
    for (int a = 0; a < length; ++a) w[path_v[path + a]] += y[a] * s;
}
KG_FN Real contact_dot(const ContactRows& c, int i, int k, const Real* w) {
    Real u = path_dot(c.y[i][k], c.path_a[i], c.length_a[i], w);
    if (NP > 0) u += path_dot(c.y[i][k] + PATH, c.path_b[i], c.length_b[i], w);
    return u;
}
KG_FN void contact_add(const ContactRows& c, int i, int k, Real s, Real* w) {
    path_add(c.y[i][k], c.path_a[i], c.length_a[i], s, w);
    if (NP > 0) path_add(c.y[i][k] + PATH, c.path_b[i], c.length_b[i], s, w);
}

KG_FN void fill_segment(const Kinematics& k, const Factor& f, int link, Vec3 r, const Vec3* dir, Real sign,
                        Real y[3][ROW], int offset) {
    const int path = link_path[link], length = link_path_length[link];
    for (int a = 0; a < length; ++a) {
        Vec3 u = point_velocity(k.axis[path_v[path + a]], r) * sign;
        for (int i = 0; i < 3; ++i) y[i][offset + a] = dot(dir[i], u);
    }
    for (int i = 0; i < 3; ++i) whiten_path(f, path, length, y[i] + offset);
}

// contacts -> rows; gap goes back from the midpoint to the start of the step; warm start from the last step's
// impulses of the same slots, cut to the cone of today's friction
template <class Args>
KG_FN void build_contact_rows(const Args& args, int env, const StepSettings& st, const Kinematics& k, const Factor& f,
                              const Contacts& c, const Real* w_start, ContactRows& rows) {
    rows.count = c.count;
    int old = 0;
    for (int i = 0; i < c.count; ++i) {
        const int a = c.shape_a[i], b = c.shape_b[i];
        const int la = shape_link[a];
        Vec3 dir[3];
        dir[0] = c.normal[i];
        tangents(dir[0], dir[1], dir[2]);
        rows.path_a[i] = link_path[la];
        rows.length_a[i] = link_path_length[la];
        fill_segment(k, f, la, c.point[i], dir, (Real)1, rows.y[i], 0);
        Real mu_s = load(args.shape_friction, a, env), mu_d = mu_s, e = load(args.shape_restitution, a, env);
        rows.path_b[i] = 0;
        rows.length_b[i] = 0;
        if (NP > 0 && b >= 0) {
            const int lb = shape_link[b];
            rows.path_b[i] = link_path[lb];
            rows.length_b[i] = link_path_length[lb];
            Vec3 r = c.point[i] + k.ref[link_tree[la]] - k.ref[link_tree[lb]];
            fill_segment(k, f, lb, r, dir, (Real)-1, rows.y[i], PATH);
            Real mu = load(args.shape_friction, b, env);
            mu_s += mu;
            mu_d += mu;
            e += load(args.shape_restitution, b, env);
        } else {
            mu_s += load(args.ground_friction, 0, env);
            mu_d += load(args.ground_friction, 1, env);
            e += load(args.ground_restitution, 0, env);
        }
        // material of a pair: the average
        rows.static_mu[i] = (Real)0.5 * mu_s;
        rows.dynamic_mu[i] = (Real)0.5 * mu_d;
        rows.restitution[i] = (Real)0.5 * e;

        Real diag[3];
        for (int d = 0; d < 3; ++d) {
            diag[d] = 0;
            for (int j = 0; j < rows.length_a[i]; ++j) diag[d] += rows.y[i][d][j] * rows.y[i][d][j];
            for (int j = 0; j < rows.length_b[i]; ++j) diag[d] += rows.y[i][d][PATH * (NP > 0) + j] * rows.y[i][d][PATH * (NP > 0) + j];
        }
        if (NP > 0 && b >= 0 && link_tree[shape_link[b]] == link_tree[la]) {
            // links of one tree share ancestors: the segments overlap, so the norm is not the sum of norms
            for (int d = 0; d < 3; ++d) {
                for (int j = 0; j < rows.length_a[i]; ++j) {
                    for (int m = 0; m < rows.length_b[i]; ++m) {
                        if (path_v[rows.path_a[i] + j] == path_v[rows.path_b[i] + m])
                            diag[d] += (Real)2 * rows.y[i][d][j] * rows.y[i][d][PATH + m];
                    }
                }
            }
        }
        // links with fewer than three DOFs between them make exactly dependent rows
        Real eps = (Real)1e-6 * (diag[0] + diag[1] + diag[2]) + (Real)1e-30;
        rows.inv_n[i] = (Real)1 / (diag[0] + eps);
        rows.inv_bounce[i] = (Real)1 / kg_max(diag[0], eps);
        rows.inv_t[i] = (Real)1 / (kg_max(diag[1], diag[2]) + eps);
        const Real half = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt;
        rows.gap[i] = c.gap[i] - half * contact_dot(rows, i, 0, w_start);

        for (int d = 0; d < 3; ++d) rows.impulse[i][d] = rows.total[i][d] = 0;
        const int columns = args.warm_slot.shape[1];
        while (old < MAX_CONTACTS && args.warm_slot.data[old * columns + env] >= 0
               && args.warm_slot.data[old * columns + env] < c.slot[i]) ++old;
        if (old < MAX_CONTACTS && args.warm_slot.data[old * columns + env] == c.slot[i]) {
            Vec3 last = load3(args.warm_impulse, old, env);
            Real n = kg_max(dot(last, dir[0]), (Real)0), t1 = dot(last, dir[1]), t2 = dot(last, dir[2]);
            Real limit = rows.static_mu[i] * n, t = kg_sqrt(t1 * t1 + t2 * t2);
            Real cut = t > limit ? limit / t : (Real)1;
            rows.impulse[i][0] = n;
            rows.impulse[i][1] = t1 * cut;
            rows.impulse[i][2] = t2 * cut;
        }
    }
}

// keep this step's last impulses, in world axes, for the next
template <class Args>
KG_FN void store_warm_start(const Args& args, int env, const Contacts& c, const ContactRows& rows) {
    const int columns = args.warm_slot.shape[1];
    for (int i = 0; i < MAX_CONTACTS; ++i) {
        args.warm_slot.data[i * columns + env] = i < rows.count ? c.slot[i] : -1;
        if (i >= rows.count) break;  // the first -1 ends the list
        Vec3 t1, t2;
        tangents(c.normal[i], t1, t2);
        store3(args.warm_impulse, i, env, c.normal[i] * rows.impulse[i][0] + t1 * rows.impulse[i][1] + t2 * rows.impulse[i][2]);
    }
}
