// End of a substep: momentum projection, velocity limits, non-finite check.

// momentum of the trees: linear, and for a single body angular too
struct Momentum { Vec3 lin[NT]; Vec3 ang[NT]; };

// per tree, the sum over its links of what the lanes found for each
KG_FN void sum_links(const Env& env, const Spatial* each, Momentum& p) {
    kg_sync();
    KG_EACH(t, NT) {
        Spatial sum = sp(v3(0, 0, 0), v3(0, 0, 0));
        for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) sum = sum + each[l];
        p.lin[t] = sum.lin;
        p.ang[t] = sum.ang;
    }
    kg_sync();
}

template <class Args>
KG_FN void momentum_of(const Args& args, const Env& env, const Kinematics& k, const Spatial* vel, Spatial* scratch, Momentum& p) {
    KG_EACH(l, NL) {
        const Spatial u = vel[l];
        if (tree_links[link_tree[l]] == 1) {
            scratch[l] = at_reference(k, own_inertia(args, env, k, l), l) * u;
        } else {
            const Real m = load(args.link_mass, l, env);
            scratch[l] = sp(u.lin * m + cross(u.ang, link_com_at(args, env, k, l) * m), v3(0, 0, 0));
        }
    }
    sum_links(env, scratch, p);
}

// shift the root velocity so that the tree has momentum p at the new position
template <class Args>
KG_FN void project_momentum(const Args& args, const Env& env, const Kinematics& k, const Momentum& now, const Momentum& p, Real* v) {
    KG_EACH(t, NT) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        Real mass = 0;
        for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) mass += load(args.link_mass, l, env);
        Vec3 dv = (p.lin[t] - now.lin[t]) * ((Real)1 / mass);
        v[i] += dv.x;
        v[i + 1] += dv.y;
        v[i + 2] += dv.z;
        if (tree_links[t] == 1) {  // a free body's angular momentum is kept too, gyroscopic motion and all
            Vec3 w = solve(own_inertia(args, env, k, tree_link0[t]).i, p.ang[t]);
            v[i + 3] = w.x;
            v[i + 4] = w.y;
            v[i + 5] = w.z;
        }
    }
    kg_sync();
}

// scale a tree's velocity down until no link and no joint exceeds its limit; false if a link did. scratch: [NL]
template <class Args>
KG_FN bool limit_velocity(const Args& args, const Env& env, const Spatial* vel, const Kinematics& k, Spatial* scratch, Real* v) {
    KG_EACH(l, NL) {
        const int t = link_tree[l];
        const Real fastest = load(args.tree_max_linear_velocity, t, env), spin = load(args.tree_max_angular_velocity, t, env);
        Real a = norm(point_velocity(vel[l], link_com_at(args, env, k, l))), b = norm(vel[l].ang), scale = 1;
        if (a > fastest) scale = kg_min(scale, fastest / a);
        if (b > spin) scale = kg_min(scale, spin / b);
        scratch[l].lin.x = scale;
    }
    kg_sync();
    bool within = true;
    for (int t = 0; t < NT; ++t) {
        Real scale = 1;
        for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) scale = kg_min(scale, scratch[l].lin.x);
        if (scale < 1) {
            within = false;
            for (int i = tree_v0[t] + env.lane; i < tree_v0[t] + tree_vs[t]; i += LANES) v[i] *= scale;
        }
    }
    kg_sync();
    KG_EACH(i, ND) {
        const Real limit = load(args.dof_velocity, i, env);
        v[dof_v[i]] = kg_clamp(v[dof_v[i]], -limit, limit);
    }
    kg_sync();
    return within;
}

// on every lane of the group
KG_FN bool all_finite(const Env& env, const Position& q, const Real* v) {
    bool ok = true;
    KG_EACH(i, NV) ok = ok && kg_finite(v[i]);
    KG_EACH(i, ND) ok = ok && kg_finite(q.dof[i]);
    KG_EACH(t, NT) {
        Quat r = q.root_quat[t];
        ok = ok && kg_finite(q.root_pos[t].x) && kg_finite(q.root_pos[t].y) && kg_finite(q.root_pos[t].z)
            && kg_finite(r.x) && kg_finite(r.y) && kg_finite(r.z) && kg_finite(r.w);
    }
    return kg_ballot(!ok) == 0;
}
