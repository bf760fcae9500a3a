// Constraint rows in whitened form: contacts (normal and two tangents) and DOF rows.
//
// A row's Y has the support of its link's path to the root (factor.h) and is kept root first, by depth. A contact
// of two links has a second segment for the DOFs that only B's path has; on those they share, both add up.
// u = Y . w over both. A DOF row is one block per DOF with up to five unknowns that share one Y, the DOF's row of W:
// saturated drive, dry friction, speed limit, lower and upper limit.
//
// In a sweep every lane holds w of its own DOFs (OWN of them, i = lane + s * LANES) and adds its share of a dot
// product; one sum over the group gives the three of a contact, since the tangents' change by the normal's impulse
// is known beforehand (couple).

struct alignas(4 * sizeof(Real)) Y3 { Real n, t1, t2, unused; };

struct ContactRows {
    int count;
    bool elastic;                                         // any contact with restitution
    int link_a[MAX_CONTACTS1], link_b[MAX_CONTACTS1];     // -1: ground
    int shared[MAX_CONTACTS1];                            // DOFs that both paths have
    Real inv_n[MAX_CONTACTS1], inv_t[MAX_CONTACTS1];      // 1 / diagonal, regularised
    Real inv_bounce[MAX_CONTACTS1];                       // not regularised: a bounce is one visit
    Real couple1[MAX_CONTACTS1], couple2[MAX_CONTACTS1];  // Y_t1 . Y_n, Y_t2 . Y_n
    Real gap[MAX_CONTACTS1];                              // now, as the iterations move it
    Real static_mu[MAX_CONTACTS1], dynamic_mu[MAX_CONTACTS1];
    Real restitution[MAX_CONTACTS1];
    Vec3 impulse[MAX_CONTACTS1];                          // n, t1, t2 of one iteration; warm start of the next
    Vec3 total[MAX_CONTACTS1];                            // over the substep
    Real bounce[MAX_CONTACTS1][2];                        // restitution targets: biased, relax [m/s]
    int phase[MAX_CONTACTS1];                             // CONTACT_*
};
enum { CONTACT_RESTING = 0, CONTACT_WAITING = 1, CONTACT_BOUNCING = 2, CONTACT_IDLE = 3 };  // idle: elastic, unloaded

struct DofRows {
    int count;
    int dof[ND1];
    Real diagonal[ND1];
    Real lower_gap[ND1], upper_gap[ND1];   // as the iterations move them
    Real drive[ND1], friction[ND1], lower[ND1], upper[ND1], speed[ND1];  // impulses of one iteration
    Real total[ND1];                       // friction and limits, over the substep
};

// what a lane owns of w, and how deep each of its DOFs lies
struct Own { int depth[OWN]; };

KG_FN Own own_dofs(const Env& env) {
    Own own;
    KG_UNROLLED for (int s = 0; s < OWN; ++s) own.depth[s] = depth[s * LANES + env.lane < NV ? s * LANES + env.lane : 0];
    return own;
}
KG_FN bool has_dof(const unsigned* mask, int i) { return mask[i / 32] >> (i % 32) & 1u; }

// velocities along n, t1, t2, all lanes of the warp together; w: own share. mine = false: takes part in the sum only
KG_FN Vec3 contact_dots(const Env& env, const Own& own, const ContactRows& c, const Y3* y, int i, const Real* w, bool mine) {
    Real n = 0, t1 = 0, t2 = 0;
    const int a = mine ? c.link_a[i] : 0, b = mine ? c.link_b[i] : -1;
    const Y3* row = y + i * ROW;
    if (LANES == 1) {
        const int* path = path_v + link_path[a] + link_path_length[a] - 1;
        for (int d = 0; d < link_path_length[a]; ++d) {
            const Real x = w[path[-d]];
            n += row[d].n * x; t1 += row[d].t1 * x; t2 += row[d].t2 * x;
        }
        if (NP > 0 && b >= 0) {
            path = path_v + link_path[b] + link_path_length[b] - 1;
            for (int d = c.shared[i]; d < link_path_length[b]; ++d) {
                const Real x = w[path[-d]];
                n += row[PATH + d].n * x; t1 += row[PATH + d].t1 * x; t2 += row[PATH + d].t2 * x;
            }
        }
        return v3(n, t1, t2);
    }
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        const bool on_a = mine && j < NV && has_dof(link_mask + a * MASKS, j);
        if (on_a || (NP > 0 && b >= 0 && j < NV && has_dof(link_mask + b * MASKS, j))) {
            const Y3 r = row[own.depth[s] + (on_a ? 0 : PATH)];
            n += r.n * w[s]; t1 += r.t1 * w[s]; t2 += r.t2 * w[s];
        }
    }
    return v3(kg_sum(n), kg_sum(t1), kg_sum(t2));
}

KG_FN void contact_add(const Env& env, const Own& own, const ContactRows& c, const Y3* y, int i, Vec3 f, Real* w) {
    const int a = c.link_a[i], b = c.link_b[i];
    const Y3* row = y + i * ROW;
    if (LANES == 1) {
        const int* path = path_v + link_path[a] + link_path_length[a] - 1;
        for (int d = 0; d < link_path_length[a]; ++d) w[path[-d]] += row[d].n * f.x + row[d].t1 * f.y + row[d].t2 * f.z;
        if (NP > 0 && b >= 0) {
            path = path_v + link_path[b] + link_path_length[b] - 1;
            for (int d = c.shared[i]; d < link_path_length[b]; ++d)
                w[path[-d]] += row[PATH + d].n * f.x + row[PATH + d].t1 * f.y + row[PATH + d].t2 * f.z;
        }
        return;
    }
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        const bool on_a = j < NV && has_dof(link_mask + a * MASKS, j);
        if (on_a || (NP > 0 && b >= 0 && j < NV && has_dof(link_mask + b * MASKS, j))) {
            const Y3 r = row[own.depth[s] + (on_a ? 0 : PATH)];
            w[s] += r.n * f.x + r.t1 * f.y + r.t2 * f.z;
        }
    }
}

// normal velocity of a contact, by one lane alone; w: all DOFs
KG_FN Real normal_velocity(const ContactRows& c, const Y3* y, int i, const Real* w) {
    const int a = c.link_a[i], b = c.link_b[i];
    const Y3* row = y + i * ROW;
    Real n = 0;
    const int* path = path_v + link_path[a] + link_path_length[a] - 1;
    for (int d = 0; d < link_path_length[a]; ++d) n += row[d].n * w[path[-d]];
    if (NP > 0 && b >= 0) {
        path = path_v + link_path[b] + link_path_length[b] - 1;
        for (int d = c.shared[i]; d < link_path_length[b]; ++d) n += row[PATH + d].n * w[path[-d]];
    }
    return n;
}

// velocity of DOF v, likewise
KG_FN Real dof_dot(const Env& env, const Own& own, const Real* map, int v, const Real* w, bool mine) {
    if (LANES == 1) return velocity_of(map, w, v);
    const Real* row = map + m_row[v] + depth[v];
    Real u = 0;
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        if (mine && j < NV && has_dof(v_mask + v * MASKS, j)) u += row[-own.depth[s]] * w[s];
    }
    return kg_sum(u);
}
KG_FN void dof_add(const Env& env, const Own& own, const Real* map, int v, Real f, Real* w) {
    if (LANES == 1) {
        const Real* row = map + m_row[v];
        w[v] += row[0] * f;
        for (int a = 0; a < anc_len[v]; ++a) w[anc[anc_row[v] + a]] += row[1 + a] * f;
        return;
    }
    const Real* row = map + m_row[v] + depth[v];
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        if (j < NV && has_dof(v_mask + v * MASKS, j)) w[s] += row[-own.depth[s]] * f;
    }
}

// J of one segment: velocity of the point at r along n, t1, t2 per unit of each DOF of the path
KG_FN void fill_segment(const Env& env, const Kinematics& k, int link, int first, Vec3 r, const Vec3* dir, Real sign, Y3* y) {
    const int* path = path_v + link_path[link] + link_path_length[link] - 1;
    for (int d = first + env.lane; d < link_path_length[link]; d += LANES) {
        Vec3 u = point_velocity(k.axis[path[-d]], r) * sign;
        y[d].n = dot(dir[0], u);
        y[d].t1 = dot(dir[1], u);
        y[d].t2 = dot(dir[2], u);
    }
}
KG_FN void add_scaled(Y3& y, const Y3& j, Real s) {
    y.n += j.n * s; y.t1 += j.t1 * s; y.t2 += j.t2 * s;
}
// sum over the path from depth `from` on of W(b, d) J_b
KG_FN void whiten_segment(const Real* map, int link, int from, int d, const Y3* jacobian, Y3& y) {
    const int* path = path_v + link_path[link] + link_path_length[link] - 1;
    for (int b = from; b < link_path_length[link]; ++b) {
        const int v = path[-b];
        if (b - d <= anc_len[v]) add_scaled(y, jacobian[b], map[m_row[v] + b - d]);
    }
}

// contacts -> rows; gap goes back from the midpoint to the start of the step; warm start from the last step's
// impulses of the same slots, cut to the cone of today's friction. w: at the start of the substep, all DOFs
template <class Args>
KG_FN void build_contact_rows(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* map,
                              const Contacts& c, const Real* w, ContactRows& rows, Y3* y) {
    if (env.lane == 0) {
        rows.count = c.count;
        rows.elastic = false;
    }
    const int most = kg_most(c.count);
    // one contact after the other, lanes along its paths
    KG_ROLLED for (int i = 0; i < most; ++i) {
        const bool mine = i < c.count;
        const int a = mine ? c.shape_a[i] : 0, b = mine ? c.shape_b[i] : -1;
        const int la = shape_link[a], lb = b >= 0 ? shape_link[b] : 0;
        Y3* row = y + i * ROW;
        int shared = 0;
        if (mine) {
            Vec3 dir[3];
            dir[0] = c.normal[i];
            tangents(dir[0], dir[1], dir[2]);
            fill_segment(env, k, la, 0, c.point[i], dir, (Real)1, row);
            if (NP > 0 && b >= 0) {
                const int* pa = path_v + link_path[la] + link_path_length[la] - 1;
                const int* pb = path_v + link_path[lb] + link_path_length[lb] - 1;
                while (shared < link_path_length[la] && shared < link_path_length[lb] && pa[-shared] == pb[-shared]) ++shared;
                const Vec3 r = c.point[i] + k.ref[link_tree[la]] - k.ref[link_tree[lb]];
                fill_segment(env, k, lb, shared, r, dir, (Real)-1, row + PATH);
                // the point is on both links: on what the paths share, the two cancel
                for (int d = env.lane; d < shared; d += LANES) row[d].n = row[d].t1 = row[d].t2 = 0;
            }
        }
        kg_sync();
        Y3 fresh[PATH_ROUNDS], other[NP > 0 ? PATH_ROUNDS : 1];
        KG_UNROLLED for (int s = 0; s < PATH_ROUNDS; ++s) {
            const int d = s * LANES + env.lane;
            Y3 z;
            z.n = z.t1 = z.t2 = z.unused = 0;
            fresh[s] = z;
            if (NP > 0) other[s] = z;
            if (!mine) continue;
            if (d < link_path_length[la]) whiten_segment(map, la, d, d, row, fresh[s]);
            if (NP > 0 && b >= 0) {
                if (d < shared) whiten_segment(map, lb, shared, d, row + PATH, fresh[s]);
                else if (d < link_path_length[lb]) whiten_segment(map, lb, d, d, row + PATH, other[s]);
            }
        }
        kg_sync();
        Real nn = 0, t11 = 0, t22 = 0, nt1 = 0, nt2 = 0;
        KG_UNROLLED for (int s = 0; s < PATH_ROUNDS; ++s) {
            const int d = s * LANES + env.lane;
            if (mine && d < link_path_length[la]) row[d] = fresh[s];
            nn += fresh[s].n * fresh[s].n; t11 += fresh[s].t1 * fresh[s].t1; t22 += fresh[s].t2 * fresh[s].t2;
            nt1 += fresh[s].n * fresh[s].t1; nt2 += fresh[s].n * fresh[s].t2;
            if (NP > 0) {
                const Y3 o = other[s];
                if (mine && b >= 0 && d >= shared && d < link_path_length[lb]) row[PATH + d] = o;
                nn += o.n * o.n; t11 += o.t1 * o.t1; t22 += o.t2 * o.t2;
                nt1 += o.n * o.t1; nt2 += o.n * o.t2;
            }
        }
        nn = kg_sum(nn);
        t11 = kg_sum(t11);
        t22 = kg_sum(t22);
        nt1 = kg_sum(nt1);
        nt2 = kg_sum(nt2);
        if (mine && env.lane == 0) {
            // links with fewer than three DOFs between them make exactly dependent rows
            const Real eps = (Real)1e-6 * (nn + t11 + t22) + (Real)1e-30;
            rows.inv_n[i] = (Real)1 / (nn + eps);
            rows.inv_bounce[i] = (Real)1 / kg_max(nn, eps);
            rows.inv_t[i] = (Real)1 / (kg_max(t11, t22) + eps);
            rows.couple1[i] = nt1;
            rows.couple2[i] = nt2;
            rows.link_a[i] = la;
            rows.link_b[i] = b >= 0 ? lb : -1;
            rows.shared[i] = shared;
        }
    }
    kg_sync();
    // a lane per contact
    KG_EACH(i, c.count) {
        const int a = c.shape_a[i], b = c.shape_b[i];
        Real mu_s = load(args.shape_friction, a, env), mu_d = mu_s, e = load(args.shape_restitution, a, env);
        if (NP > 0 && b >= 0) {
            const Real mu = load(args.shape_friction, b, env);
            mu_s += mu;
            mu_d += mu;
            e += load(args.shape_restitution, b, env);
        } else {
            mu_s += load(args.ground_friction, 0, env);
            mu_d += load(args.ground_friction, 1, env);
            e += load(args.ground_restitution, 0, env);
        }
        // material of a pair: the average
        mu_s *= (Real)0.5;
        rows.static_mu[i] = mu_s;
        rows.dynamic_mu[i] = (Real)0.5 * mu_d;
        rows.restitution[i] = (Real)0.5 * e;
        if (e > 0) rows.elastic = true;
        rows.phase[i] = CONTACT_RESTING;
        const Real half = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt;
        rows.gap[i] = c.gap[i] - half * normal_velocity(rows, y, i, w);
        rows.total[i] = rows.impulse[i] = v3(0, 0, 0);
        const int columns = args.warm_slot.shape[1];
        for (int old = 0; old < MAX_CONTACTS; ++old) {
            const int slot = args.warm_slot.data[old * columns + env.index];
            if (slot < 0 || slot > c.slot[i]) break;
            if (slot < c.slot[i]) continue;
            Vec3 last = load3(args.warm_impulse, old, env), t1, t2;
            tangents(c.normal[i], t1, t2);
            Real n = kg_max(dot(last, c.normal[i]), (Real)0), f1 = dot(last, t1), f2 = dot(last, t2);
            Real limit = mu_s * n, f = kg_sqrt(f1 * f1 + f2 * f2);
            Real cut = f > limit ? limit / f : (Real)1;
            rows.impulse[i] = v3(n, f1 * cut, f2 * cut);
        }
    }
    kg_sync();
}

// an impulse along n, t1, t2 in world axes
KG_FN Vec3 world_impulse(Vec3 normal, Vec3 f) {
    Vec3 t1, t2;
    tangents(normal, t1, t2);
    return normal * f.x + t1 * f.y + t2 * f.z;
}

// keep this step's last impulses, in world axes, for the next
template <class Args>
KG_FN void store_warm_start(const Args& args, const Env& env, const Contacts& c, const ContactRows& rows) {
    const int columns = args.warm_slot.shape[1];
    const int used = rows.count < MAX_CONTACTS ? rows.count + 1 : MAX_CONTACTS;  // the first -1 ends the list
    KG_EACH(i, used) {
        if (env.live) args.warm_slot.data[i * columns + env.index] = i < rows.count ? c.slot[i] : -1;
        if (i < rows.count) store3(args.warm_impulse, i, env, world_impulse(c.normal[i], rows.impulse[i]));
    }
}

// DOFs that need a row: saturated, with dry friction, near a limit, or too fast
template <class Args>
KG_FN void build_dof_rows(const Args& args, const Env& env, const StepSettings& st, const Real* map, const Position& q,
                          const Real* v, const Drives& d, DofRows& rows) {
    int count = 0;
    KG_ROLLED for (int i0 = 0; i0 < ND; i0 += LANES) {
        const int i = i0 + env.lane;
        bool wanted = false;
        Real lo = 0, hi = 0, reach = 0;
        if (i < ND) {
            const Real speed = kg_abs(v[dof_v[i]]);
            reach = (Real)1.5 * st.dt * speed + (Real)0.02;
            lo = q.dof[i] - load(args.dof_lower, i, env);
            hi = load(args.dof_upper, i, env) - q.dof[i];
            wanted = d.saturated[i] || lo < reach || hi < reach || speed > load(args.dof_velocity, i, env)
                || load(args.dof_friction, i, env) > (Real)0;
        }
        const unsigned all = kg_ballot(wanted);
        if (wanted) {
            const int r = count + kg_bits(all & ((1u << env.lane) - 1u));
            const Real* row = map + m_row[dof_v[i]];
            Real diagonal = 0;
            for (int a = 0; a <= anc_len[dof_v[i]]; ++a) diagonal += row[a] * row[a];
            rows.dof[r] = i;
            rows.diagonal[r] = diagonal;
            rows.lower_gap[r] = lo < reach ? lo : (Real)1e30;
            rows.upper_gap[r] = hi < reach ? hi : (Real)1e30;
            rows.drive[r] = d.saturated[i] ? load(args.warm_dof, i * 4, env) : (Real)0;
            rows.friction[r] = load(args.warm_dof, i * 4 + 1, env);
            rows.lower[r] = lo < reach ? load(args.warm_dof, i * 4 + 2, env) : (Real)0;
            rows.upper[r] = hi < reach ? load(args.warm_dof, i * 4 + 3, env) : (Real)0;
            rows.speed[r] = 0;
            rows.total[r] = 0;
        }
        count += kg_bits(all);
    }
    if (env.lane == 0) rows.count = count;
    kg_sync();
}

// per DOF; scratch: [NV] row of each DOF
template <class Args>
KG_FN void store_dof_warm_start(const Args& args, const Env& env, Real h, const Drives& d, const DofRows& rows, int* row_of) {
    kg_sync();
    KG_EACH(i, ND) row_of[i] = -1;
    kg_sync();
    KG_EACH(r, rows.count) row_of[rows.dof[r]] = r;
    kg_sync();
    KG_EACH(i, ND) {
        const int r = row_of[i];
        const bool has = r >= 0;
        const bool at_limit = has && d.saturated[i] && kg_abs(rows.drive[r]) > (Real)0.699 * h * d.limit[i];
        store(args.warm_dof, i * 4, env, at_limit ? rows.drive[r] : (Real)0);
        store(args.warm_dof, i * 4 + 1, env, has ? rows.friction[r] : (Real)0);
        store(args.warm_dof, i * 4 + 2, env, has ? rows.lower[r] : (Real)0);
        store(args.warm_dof, i * 4 + 3, env, has ? rows.upper[r] : (Real)0);
    }
    kg_sync();
}
