// Constraint rows: contacts (normal and two tangents) and DOF rows, in whitened form and against each other.
//
// A row's Y has the support of its link's path to the root (factor.h) and is kept root first, by depth. A contact
// of two links has a second segment for the DOFs that only B's path has; on those they share, both add up.
// u = Y . w over both. A DOF row is one block per DOF with up to five unknowns that share one Y, the DOF's row of W:
// saturated drive, dry friction, speed limit, lower and upper limit.
//
// The solver works on the rows' own velocities u. What an impulse of one row does to another's velocity is the
// Delassus matrix A = Y^T Y, made once per substep. A row's numbers live in the registers of one lane (row i: lane
// i % LANES, slot i / LANES); the arrays here hold what other lanes and later parts of the step read.

struct alignas(4 * sizeof(Real)) Y3 { Real n, t1, t2, unused; };

struct ContactRows {
    int count;
    int link_a[MAX_CONTACTS1], link_b[MAX_CONTACTS1];  // -1: ground
    int shared[MAX_CONTACTS1];                         // DOFs that both paths have
};
struct DofRows {
    int count;
    int dof[ND1];
};
// what the solver leaves behind
struct Impulses {
    Real gap[MAX_CONTACTS1];         // at the end
    Vec3 contact[MAX_CONTACTS1];     // n, t1, t2, of the last iteration
    Vec3 contacts[MAX_CONTACTS1];    // over the substep
    Real drive[ND1], friction[ND1], lower[ND1], upper[ND1];  // of the last iteration, per DOF row
    Real dofs[ND1];                  // friction and limits, over the substep
    int row_of[ND1];                 // per DOF; -1: none
};

enum { CONTACT_RESTING = 0, CONTACT_WAITING = 1, CONTACT_BOUNCING = 2, CONTACT_IDLE = 3 };  // idle: elastic, unloaded

// one contact, in its lane's registers
struct Contact {
    bool on;
    Vec3 u, impulse;                       // velocity and impulse along n, t1, t2; impulse: of one iteration
    Vec3 biased, total;                    // impulse after the biased sweeps; over the substep
    Real gap;                              // as the iterations move it
    Real inv_n, inv_bounce, inv_t;         // 1 / diagonal: regularised, exact, tangents together
    Real couple1, couple2;                 // what an impulse along n does to u along t1, t2
    Real static_mu, dynamic_mu, restitution;
    Real bounce, settle;                   // restitution targets: biased, relax [m/s]
    Real before;                           // normal velocity before the iteration's forces
    int phase;                             // CONTACT_*
};
struct DofRow {
    bool on, saturated;
    int dof;
    Real u, diagonal, inv;
    Real drive, friction, lower, upper, speed;  // impulses of one iteration
    Real biased, total;
    Real lower_gap, upper_gap;                  // as the iterations move them
    Real pull, drag, limit;                     // of a saturated drive, times h
    Real dry, fastest;
};
KG_FN Real impulse_of(const DofRow& r) { return r.drive + r.friction + r.speed + r.lower - r.upper; }
struct Held { DofRow dofs[DOF_SLOTS]; Contact contacts[CONTACT_SLOTS]; };

// A by blocks: dd among DOF rows, lower triangle; dc (dof, contact, axis); cc among contacts, lower triangle of 3 x 3
// blocks (axis of the later contact, axis of the earlier one)
struct Delassus {
    Real *dd, *dc, *cc;
    int dofs, contacts;
};
KG_FN int triangle(int i, int j) { return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i; }
KG_FN int delassus_words(int dofs, int contacts) {
    return dofs * (dofs + 1) / 2 + 3 * dofs * contacts + 9 * (contacts * (contacts + 1) / 2);
}
KG_FN Delassus delassus_at(Real* room, int dofs, int contacts) {
    Delassus a;
    a.dd = room;
    a.dc = a.dd + dofs * (dofs + 1) / 2;
    a.cc = a.dc + 3 * dofs * contacts;
    a.dofs = dofs;
    a.contacts = contacts;
    return a;
}

// impulse d of DOF row i -> velocities of all rows; of contact i likewise
KG_FN void spread_dof(const Env& env, const Delassus& a, int i, Real d, Held& held) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        const int j = s * LANES + env.lane;
        if (j < a.dofs) held.dofs[s].u += a.dd[triangle(i, j)] * d;
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        const int j = s * LANES + env.lane;
        if (j >= a.contacts) continue;
        const Real* x = a.dc + 3 * (i * a.contacts + j);
        held.contacts[s].u = held.contacts[s].u + v3(x[0], x[1], x[2]) * d;
    }
}
KG_FN void spread_contact(const Env& env, const Delassus& a, int i, Vec3 d, Held& held) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        const int j = s * LANES + env.lane;
        if (j >= a.dofs) continue;
        const Real* x = a.dc + 3 * (j * a.contacts + i);
        held.dofs[s].u += dot(v3(x[0], x[1], x[2]), d);
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        const int j = s * LANES + env.lane;
        if (j >= a.contacts) continue;
        const Real* x = a.cc + 9 * triangle(i, j);
        const int mine = j >= i ? 3 : 1, its = j >= i ? 1 : 3;
        Vec3& u = held.contacts[s].u;
        u.x += x[0] * d.x + x[its] * d.y + x[2 * its] * d.z;
        x += mine;
        u.y += x[0] * d.x + x[its] * d.y + x[2 * its] * d.z;
        x += mine;
        u.z += x[0] * d.x + x[its] * d.y + x[2 * its] * d.z;
    }
}

// velocities of a contact along n, t1, t2; w: all DOFs
KG_FN Vec3 contact_velocity(const ContactRows& c, const Y3* y, int i, const Real* w) {
    const int a = c.link_a[i], b = c.link_b[i];
    const Y3* row = y + i * ROW;
    Vec3 u = v3(0, 0, 0);
    const int* path = path_v + link_path[a] + link_path_length[a] - 1;
    KG_ROLLED for (int d = 0; d < link_path_length[a]; ++d) u = u + v3(row[d].n, row[d].t1, row[d].t2) * w[path[-d]];
    if (NP > 0 && b >= 0) {
        path = path_v + link_path[b] + link_path_length[b] - 1;
        KG_ROLLED for (int d = c.shared[i]; d < link_path_length[b]; ++d)
            u = u + v3(row[PATH + d].n, row[PATH + d].t1, row[PATH + d].t2) * w[path[-d]];
    }
    return u;
}

// what a lane owns of w (OWN of them, i = lane + s * LANES), and how deep each of its DOFs lies
struct Own { int depth[OWN]; };

KG_FN Own own_dofs(const Env& env) {
    Own own;
    KG_UNROLLED for (int s = 0; s < OWN; ++s) own.depth[s] = depth[s * LANES + env.lane < NV ? s * LANES + env.lane : 0];
    return own;
}
KG_FN bool has_dof(const unsigned* mask, int i) { return mask[i / 32] >> (i % 32) & 1u; }

// w changes by an impulse f, other by an impulse g of the same row
KG_FN void add_contact(const Env& env, const Own& own, const ContactRows& c, const Y3* y, int i, Vec3 f, Vec3 g, Real* w, Real* other) {
    const int a = c.link_a[i], b = c.link_b[i];
    const Y3* row = y + i * ROW;
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        const bool on_a = j < NV && has_dof(link_mask + a * MASKS, j);
        if (on_a || (NP > 0 && b >= 0 && j < NV && has_dof(link_mask + b * MASKS, j))) {
            const Y3 r = row[own.depth[s] + (on_a ? 0 : PATH)];
            w[s] += r.n * f.x + r.t1 * f.y + r.t2 * f.z;
            other[s] += r.n * g.x + r.t1 * g.y + r.t2 * g.z;
        }
    }
}
KG_FN void add_dof(const Env& env, const Own& own, const Real* map, int v, Real f, Real g, Real* w, Real* other) {
    const Real* row = map + m_row[v] + depth[v];
    KG_UNROLLED for (int s = 0; s < OWN; ++s) {
        const int j = s * LANES + env.lane;
        if (j >= NV || !has_dof(v_mask + v * MASKS, j)) continue;
        w[s] += row[-own.depth[s]] * f;
        other[s] += row[-own.depth[s]] * g;
    }
}

// J of one segment: velocity of the point at r along n, t1, t2 per unit of each DOF of the path
KG_FN void fill_segment(const Env& env, const Kinematics& k, int link, int first, Vec3 r, const Vec3* dir, Real sign, Y3* y) {
    const int* path = path_v + link_path[link] + link_path_length[link] - 1;
    KG_ROLLED for (int d = first + env.lane; d < link_path_length[link]; d += LANES) {
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
    KG_ROLLED for (int b = from; b < link_path_length[link]; ++b) {
        const int v = path[-b];
        if (b - d <= anc_len[v]) add_scaled(y, jacobian[b], map[m_row[v] + b - d]);
    }
}


// Y of contact i, one path entry per lane and round, and the same spread out over all DOFs. jacobian: [ROW]
KG_FN void whiten_contact(const Env& env, const Kinematics& k, const Real* map, const Contacts& c, int i, bool mine,
                          ContactRows& rows, Y3* y, Y3* jacobian, Y3* dense) {
    const int a = mine ? c.shape_a[i] : 0, b = mine ? c.shape_b[i] : -1;
    const int la = shape_link[a], lb = b >= 0 ? shape_link[b] : 0;
    const int* pa = path_v + link_path[la] + link_path_length[la] - 1;
    const int* pb = path_v + link_path[lb] + link_path_length[lb] - 1;
    int shared = 0;
    if (mine) {
        Vec3 dir[3];
        dir[0] = c.normal[i];
        tangents(dir[0], dir[1], dir[2]);
        fill_segment(env, k, la, 0, c.point[i], dir, (Real)1, jacobian);
        if (NP > 0 && b >= 0) {
            while (shared < link_path_length[la] && shared < link_path_length[lb] && pa[-shared] == pb[-shared]) ++shared;
            const Vec3 r = c.point[i] + k.ref[link_tree[la]] - k.ref[link_tree[lb]];
            fill_segment(env, k, lb, shared, r, dir, (Real)-1, jacobian + PATH);
            // the point is on both links: on what the paths share, the two cancel
            KG_ROLLED for (int d = env.lane; d < shared; d += LANES) jacobian[d].n = jacobian[d].t1 = jacobian[d].t2 = 0;
        }
        if (env.lane == 0) {
            rows.link_a[i] = la;
            rows.link_b[i] = b >= 0 ? lb : -1;
            rows.shared[i] = shared;
        }
    }
    KG_EACH(d, NV) dense[d].n = dense[d].t1 = dense[d].t2 = 0;
    kg_sync();
    if (mine) {
        Y3* row = y + i * ROW;
        KG_ROLLED for (int d = env.lane; d < PATH; d += LANES) {
            Y3 z;
            if (d < link_path_length[la]) {
                z.n = z.t1 = z.t2 = z.unused = 0;
                whiten_segment(map, la, d, d, jacobian, z);
                if (NP > 0 && b >= 0 && d < shared) whiten_segment(map, lb, shared, d, jacobian + PATH, z);
                row[d] = dense[pa[-d]] = z;
            }
            if (NP > 0 && b >= 0 && d >= shared && d < link_path_length[lb]) {
                z.n = z.t1 = z.t2 = z.unused = 0;
                whiten_segment(map, lb, d, d, jacobian + PATH, z);
                row[PATH + d] = dense[pb[-d]] = z;
            }
        }
    }
    kg_sync();
}

KG_FN void add_outer(Y3 x, Y3 y, Real* z) {
    z[0] += x.n * y.n; z[1] += x.n * y.t1; z[2] += x.n * y.t2;
    z[3] += x.t1 * y.n; z[4] += x.t1 * y.t1; z[5] += x.t1 * y.t2;
    z[6] += x.t2 * y.n; z[7] += x.t2 * y.t1; z[8] += x.t2 * y.t2;
}

// Y of all contacts and A, row after row: its Y spread out over all DOFs, each lane multiplies with rows of its own.
// scratch: [ROW + NV]
KG_FN void couple_rows(const Env& env, const Kinematics& k, const Real* map, const Contacts& c, const DofRows& dofs,
                       const Delassus& a, ContactRows& rows, Y3* y, Y3* scratch) {
    Y3* dense = scratch + ROW;
    const int most_dofs = kg_most(a.dofs), most_contacts = kg_most(a.contacts);
    KG_ROLLED for (int r = 0; r < most_dofs; ++r) {
        const bool mine = r < a.dofs;
        KG_EACH(i, NV) dense[i].n = 0;
        kg_sync();
        if (mine) {
            const int v = dof_v[dofs.dof[r]];
            KG_EACH(b, anc_len[v] + 1) dense[b == 0 ? v : anc[anc_row[v] + b - 1]].n = map[m_row[v] + b];
        }
        kg_sync();
        if (mine) {
            KG_EACH(j, r + 1) {
                const int v = dof_v[dofs.dof[j]];
                const Real* row = map + m_row[v];
                Real sum = row[0] * dense[v].n;
                KG_ROLLED for (int b = 0; b < anc_len[v]; ++b) sum += row[1 + b] * dense[anc[anc_row[v] + b]].n;
                a.dd[triangle(r, j)] = sum;
            }
        }
        kg_sync();
    }
    KG_ROLLED for (int i = 0; i < most_contacts; ++i) {
        const bool mine = i < a.contacts;
        whiten_contact(env, k, map, c, i, mine, rows, y, scratch, dense);
        if (mine) {
            KG_EACH(r, a.dofs) {
                const int v = dof_v[dofs.dof[r]];
                const Real* row = map + m_row[v];
                Y3 sum;
                sum.n = sum.t1 = sum.t2 = 0;
                add_scaled(sum, dense[v], row[0]);
                KG_ROLLED for (int b = 0; b < anc_len[v]; ++b) add_scaled(sum, dense[anc[anc_row[v] + b]], row[1 + b]);
                Real* x = a.dc + 3 * (r * a.contacts + i);
                x[0] = sum.n; x[1] = sum.t1; x[2] = sum.t2;
            }
            KG_EACH(j, i + 1) {
                Real x[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
                const int la = rows.link_a[j], lb = rows.link_b[j];
                const int* path = path_v + link_path[la] + link_path_length[la] - 1;
                const Y3* row = y + j * ROW;
                KG_ROLLED for (int d = 0; d < link_path_length[la]; ++d) add_outer(dense[path[-d]], row[d], x);
                if (NP > 0 && lb >= 0) {
                    path = path_v + link_path[lb] + link_path_length[lb] - 1;
                    KG_ROLLED for (int d = rows.shared[j]; d < link_path_length[lb]; ++d) add_outer(dense[path[-d]], row[PATH + d], x);
                }
                KG_UNROLLED for (int b = 0; b < 9; ++b) a.cc[9 * triangle(i, j) + b] = x[b];
            }
        }
        kg_sync();
    }
}

// A contact at the start of the substep: gap goes back from the midpoint; warm start from the last step's impulse of the
// same slot, cut to the cone of today's friction. w: at the start, all DOFs
template <class Args>
KG_FN void load_contact(const Args& args, const Env& env, const StepSettings& st, const Contacts& c, const ContactRows& rows,
                        const Delassus& delassus, const Y3* y, const Real* w, int i, Contact& x) {
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
    x.static_mu = mu_s;
    x.dynamic_mu = (Real)0.5 * mu_d;
    x.restitution = (Real)0.5 * e;
    x.phase = CONTACT_RESTING;
    const Real* own = delassus.cc + 9 * triangle(i, i);
    const Real nn = own[0], t11 = own[4], t22 = own[8];
    // links with fewer than three DOFs between them make exactly dependent rows
    const Real eps = (Real)1e-6 * (nn + t11 + t22) + (Real)1e-30;
    x.inv_n = (Real)1 / (nn + eps);
    x.inv_bounce = (Real)1 / kg_max(nn, eps);
    x.inv_t = (Real)1 / (kg_max(t11, t22) + eps);
    x.couple1 = own[3];
    x.couple2 = own[6];
    x.u = contact_velocity(rows, y, i, w);
    const Real half = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt;
    x.gap = c.gap[i] - half * x.u.x;
    const int columns = args.warm_slot.shape[1];
    KG_ROLLED for (int old = 0; old < MAX_CONTACTS; ++old) {
        const int slot = args.warm_slot.data[old * columns + env.index];
        if (slot < 0 || slot > c.slot[i]) break;
        if (slot < c.slot[i]) continue;
        Vec3 last = load3(args.warm_impulse, old, env), t1, t2;
        tangents(c.normal[i], t1, t2);
        Real n = kg_max(dot(last, c.normal[i]), (Real)0), f1 = dot(last, t1), f2 = dot(last, t2);
        Real limit = mu_s * n, f = kg_sqrt(f1 * f1 + f2 * f2);
        Real cut = f > limit ? limit / f : (Real)1;
        x.impulse = v3(n, f1 * cut, f2 * cut);
    }
}

// an impulse along n, t1, t2 in world axes
KG_FN Vec3 world_impulse(Vec3 normal, Vec3 f) {
    Vec3 t1, t2;
    tangents(normal, t1, t2);
    return normal * f.x + t1 * f.y + t2 * f.z;
}

// keep this step's last impulses, in world axes, for the next
template <class Args>
KG_FN void store_warm_start(const Args& args, const Env& env, const Contacts& c, const ContactRows& rows, const Impulses& done) {
    const int columns = args.warm_slot.shape[1];
    const int used = rows.count < MAX_CONTACTS ? rows.count + 1 : MAX_CONTACTS;  // the first -1 ends the list
    KG_EACH(i, used) {
        if (env.live) args.warm_slot.data[i * columns + env.index] = i < rows.count ? c.slot[i] : -1;
        if (i < rows.count) store3(args.warm_impulse, i, env, world_impulse(c.normal[i], done.contact[i]));
    }
}

// which DOFs need a row: saturated, with dry friction, near a limit, or too fast
KG_FN Real limit_reach(Real dt, Real speed) { return (Real)1.5 * dt * speed + (Real)0.02; }
template <class Args>
KG_FN void choose_dof_rows(const Args& args, const Env& env, const StepSettings& st, const Position& q, const Real* v, const Drives& d,
                           DofRows& rows) {
    int count = 0;
    KG_ROLLED for (int i0 = 0; i0 < ND; i0 += LANES) {
        const int i = i0 + env.lane;
        bool wanted = false;
        if (i < ND) {
            const Real speed = kg_abs(v[dof_v[i]]), reach = limit_reach(st.dt, speed);
            wanted = d.saturated[i] || q.dof[i] - load(args.dof_lower, i, env) < reach || load(args.dof_upper, i, env) - q.dof[i] < reach
                || speed > load(args.dof_velocity, i, env) || load(args.dof_friction, i, env) > (Real)0;
        }
        const unsigned all = kg_ballot(wanted);
        if (wanted) rows.dof[count + kg_bits(all & ((1u << env.lane) - 1u))] = i;
        count += kg_bits(all);
    }
    if (env.lane == 0) rows.count = count;
    kg_sync();
}

template <class Args>
KG_FN void load_dof_row(const Args& args, const Env& env, const StepSettings& st, Real h, const Position& q, const Real* v,
                        const Drives& d, int i, Real diagonal, DofRow& x) {
    const Real reach = limit_reach(st.dt, kg_abs(v[dof_v[i]]));
    const Real lo = q.dof[i] - load(args.dof_lower, i, env), hi = load(args.dof_upper, i, env) - q.dof[i];
    x.dof = i;
    x.saturated = d.saturated[i];
    x.u = v[dof_v[i]];
    x.diagonal = diagonal;
    x.inv = (Real)1 / diagonal;
    x.lower_gap = lo < reach ? lo : (Real)1e30;
    x.upper_gap = hi < reach ? hi : (Real)1e30;
    x.drive = x.saturated ? load(args.warm_dof, i * 4, env) : (Real)0;
    x.friction = load(args.warm_dof, i * 4 + 1, env);
    x.lower = lo < reach ? load(args.warm_dof, i * 4 + 2, env) : (Real)0;
    x.upper = hi < reach ? load(args.warm_dof, i * 4 + 3, env) : (Real)0;
    x.drag = h * d.drag[i];
    x.limit = h * d.limit[i];
    x.dry = h * load(args.dof_friction, i, env);
    x.fastest = load(args.dof_velocity, i, env);
}

// the rows of this lane
template <class Args>
KG_FN void load_rows(const Args& args, const Env& env, const StepSettings& st, Real h, const Position& q, const Real* v, const Drives& d,
                     const Contacts& c, const DofRows& dofs, const ContactRows& rows, const Delassus& a, const Y3* y, const Real* w, Held& held) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        const int r = s * LANES + env.lane;
        DofRow& x = held.dofs[s];
        x.on = r < a.dofs;
        x.speed = x.total = 0;
        if (x.on) load_dof_row(args, env, st, h, q, v, d, dofs.dof[r], a.dd[triangle(r, r)], x);
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        const int i = s * LANES + env.lane;
        Contact& x = held.contacts[s];
        x.on = i < a.contacts;
        x.impulse = x.total = v3(0, 0, 0);
        if (x.on) load_contact(args, env, st, c, rows, a, y, w, i, x);
    }
}
KG_FN void leave_impulses(const Env& env, const Held& held, Impulses& done) {
    KG_UNROLLED for (int s = 0; s < DOF_SLOTS; ++s) {
        const int r = s * LANES + env.lane;
        const DofRow& x = held.dofs[s];
        if (!x.on) continue;
        done.drive[r] = x.drive;
        done.friction[r] = x.friction;
        done.lower[r] = x.lower;
        done.upper[r] = x.upper;
        done.dofs[r] = x.total;
    }
    KG_UNROLLED for (int s = 0; s < CONTACT_SLOTS; ++s) {
        const int i = s * LANES + env.lane;
        const Contact& x = held.contacts[s];
        if (!x.on) continue;
        done.gap[i] = x.gap;
        done.contact[i] = x.impulse;
        done.contacts[i] = x.total;
    }
    kg_sync();
}

// per DOF
template <class Args>
KG_FN void store_dof_warm_start(const Args& args, const Env& env, Real h, const Drives& d, const DofRows& rows, Impulses& done) {
    KG_EACH(i, ND) done.row_of[i] = -1;
    kg_sync();
    KG_EACH(r, rows.count) done.row_of[rows.dof[r]] = r;
    kg_sync();
    KG_EACH(i, ND) {
        const int r = done.row_of[i];
        const bool has = r >= 0;
        const bool at_limit = has && d.saturated[i] && kg_abs(done.drive[r]) > (Real)0.699 * h * d.limit[i];
        store(args.warm_dof, i * 4, env, at_limit ? done.drive[r] : (Real)0);
        store(args.warm_dof, i * 4 + 1, env, has ? done.friction[r] : (Real)0);
        store(args.warm_dof, i * 4 + 2, env, has ? done.lower[r] : (Real)0);
        store(args.warm_dof, i * 4 + 3, env, has ? done.upper[r] : (Real)0);
    }
    kg_sync();
}
