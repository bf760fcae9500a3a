// End of a substep: momentum projection, velocity limits, non-finite check.

// momentum of the floating trees: linear, and for a single body angular too
struct Momentum { Vec3 lin[NT]; Vec3 ang[NT]; };

KG_FN Sym3 about_com(Inertia I) {
    Vec3 c = I.mc * ((Real)1 / I.m);
    Sym3 s = I.i;
    s.xx -= I.m * (c.y * c.y + c.z * c.z);
    s.yy -= I.m * (c.x * c.x + c.z * c.z);
    s.zz -= I.m * (c.x * c.x + c.y * c.y);
    s.xy += I.m * c.x * c.y;
    s.xz += I.m * c.x * c.z;
    s.yz += I.m * c.y * c.z;
    return s;
}

KG_FN void momentum_of(const Inertia* inertia, const Spatial* vel, Momentum& p) {
    KG_UNROLL for (int t = 0; t < NT; ++t) p.lin[t] = p.ang[t] = v3(0, 0, 0);
    KG_UNROLL for (int l = 0; l < NL; ++l) {
        Spatial m = inertia[l] * vel[l];
        p.lin[link_tree[l]] = p.lin[link_tree[l]] + m.lin;
        p.ang[link_tree[l]] = p.ang[link_tree[l]] + m.ang;
    }
}

// What the step's equations say the momentum has become: the root rows of M (v+ - v) + dt bias are the external
// impulse (contacts, gravity, wrenches) less the change that the motion of the parts already accounts for.
KG_FN void expected_momentum(const Real* m, const Real* v_old, const Real* v_new, const Real* bias,
                             const Spatial* external, Real dt, Momentum& p) {
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t]) continue;
        const int root = tree_v0[t];
        const Vec3 e = external[t].lin, n = external[t].ang;
        Real d[6] = {dt * (bias[root] + e.x), dt * (bias[root + 1] + e.y), dt * (bias[root + 2] + e.z),
                     dt * (bias[root + 3] + n.x), dt * (bias[root + 4] + n.y), dt * (bias[root + 5] + n.z)};
        KG_UNROLL for (int v = root; v < root + tree_vs[t]; ++v) {
            const Real dv = v_new[v] - v_old[v];
            const int i = v - root;
            if (i < 6) d[i] += m[m_row[v]] * dv;
            KG_UNROLL for (int a = 0; a < anc_len[v]; ++a) {
                const int j = anc[anc_row[v] + a];
                const int r = j - root;
                if (r < 6) d[r] += m[m_row[v] + 1 + a] * dv;
                if (i < 6) d[i] += m[m_row[v] + 1 + a] * (v_new[j] - v_old[j]);
            }
        }
        p.lin[t] = p.lin[t] + v3(d[0], d[1], d[2]);
        p.ang[t] = p.ang[t] + v3(d[3], d[4], d[5]);
    }
}

// shift the root velocity so that the tree has momentum p at the new position
template <class Args>
KG_FN void project_momentum(const Inertia* inertia, const Spatial* vel, const Momentum& p, Real* v) {
    Momentum now;
    momentum_of(inertia, vel, now);
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        Real mass = 0;
        KG_UNROLL for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) mass += inertia[l].m;
        Vec3 dv = (p.lin[t] - now.lin[t]) * ((Real)1 / mass);
        v[i] += dv.x;
        v[i + 1] += dv.y;
        v[i + 2] += dv.z;
        if (tree_links[t] == 1) {  // a free body's angular momentum is kept too, gyroscopic motion and all
            Vec3 w = solve(inertia[tree_link0[t]].i, p.ang[t]);
            v[i + 3] = w.x;
            v[i + 4] = w.y;
            v[i + 5] = w.z;
        }
    }
}

// scale a tree's velocity down until no link and no joint exceeds its limit; false if it had to
template <class Args>
KG_FN bool limit_velocity(const Args& args, int env, const Spatial* vel, const Kinematics& k, Real* v) {
    bool within = true;
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        Real scale = 1;
        const Real fastest = load(args.tree_max_linear_velocity, t, env), spin = load(args.tree_max_angular_velocity, t, env);
        KG_UNROLL for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) {
            Vec3 com = k.pos[l] + rotate(k.rot[l], load3(args.link_com, l, env));
            Real a = norm(point_velocity(vel[l], com)), b = norm(vel[l].ang);
            if (a > fastest) scale = kg_min(scale, fastest / a);
            if (b > spin) scale = kg_min(scale, spin / b);
        }
        if (scale < 1) {
            within = false;
            KG_UNROLL for (int i = tree_v0[t]; i < tree_v0[t] + tree_vs[t]; ++i) v[i] *= scale;
        }
    }
    KG_UNROLL for (int i = 0; i < ND; ++i) {
        const Real limit = load(args.dof_velocity, i, env);
        v[dof_v[i]] = kg_clamp(v[dof_v[i]], -limit, limit);
    }
    return within;
}

KG_FN bool all_finite(const Position& q, const Real* v) {
    bool ok = true;
    KG_UNROLL for (int i = 0; i < NV; ++i) ok = ok && kg_finite(v[i]);
    KG_UNROLL for (int i = 0; i < ND; ++i) ok = ok && kg_finite(q.dof[i]);
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        Quat r = q.root_quat[t];
        ok = ok && kg_finite(q.root_pos[t].x) && kg_finite(q.root_pos[t].y) && kg_finite(q.root_pos[t].z)
            && kg_finite(r.x) && kg_finite(r.y) && kg_finite(r.z) && kg_finite(r.w);
    }
    return ok;
}
