// Smooth dynamics: spatial inertias, joint-space inertia (CRBA) and bias force (RNEA).
//
// M(q) a + bias(q, v) = tau, with bias = Coriolis, centrifugal, gyroscopic, gravity, link damping and external
// wrenches. Source: Featherstone, Rigid Body Dynamics Algorithms (2008), tables 5.1 and 6.2; departures: one
// common reference point per tree, and the floating root's translation is the velocity of its com, so its
// spatial acceleration carries -w x v.

// inertia of every link about its tree's reference point, world axes
template <class Args>
KG_FN void link_inertias(const Args& args, int env, const Kinematics& k, Inertia* out) {
    KG_UNROLL for (int l = 0; l < NL; ++l) {
        Vec3 c = k.pos[l] + rotate(k.rot[l], load3(args.link_com, l, env));
        if (link_parent[l] < 0 && tree_floating[link_tree[l]]) c = v3(0, 0, 0);  // exact: it is the reference
        out[l] = inertia_at(load(args.link_mass, l, env), c, rotated(matrix(k.rot[l]), load_sym(args.link_inertia, l, env)));
    }
}

// packed lower triangle over ancestors: row v holds M[v][v], then M[v][ancestor] nearest first (m_row, anc)
KG_FN void joint_inertia(const Kinematics& k, const Inertia* link, Real* m) {
    Inertia composite[NL];
    KG_UNROLL for (int l = 0; l < NL; ++l) composite[l] = link[l];
    KG_UNROLL for (int l = NL - 1; l >= 0; --l) {
        if (link_parent[l] >= 0) composite[link_parent[l]] = composite[link_parent[l]] + composite[l];
    }
    KG_UNROLL for (int v = 0; v < NV; ++v) {
        Spatial f = composite[v_link[v]] * k.axis[v];
        m[m_row[v]] = dot(k.axis[v], f);
        KG_UNROLL for (int a = 0; a < anc_len[v]; ++a) m[m_row[v] + 1 + a] = dot(k.axis[anc[anc_row[v] + a]], f);
    }
}

// bias force at velocity v; external: gravity, damping and wrenches summed per tree, about its reference point
template <class Args>
KG_FN void bias_force(const Args& args, int env, const StepSettings& s, const Kinematics& k, const Inertia* inertia,
                      const Real* v, Real* bias, Spatial* external) {
    Spatial vel[NL], acc[NL], force[NL];
    KG_UNROLL for (int t = 0; t < NT; ++t) external[t] = sp(v3(0, 0, 0), v3(0, 0, 0));
    KG_UNROLL for (int l = 0; l < NL; ++l) {
        const int t = link_tree[l];
        Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), a = u;
        if (link_parent[l] >= 0) {
            u = vel[link_parent[l]];
            a = acc[link_parent[l]];
        } else if (tree_floating[t]) {
            const int i = tree_v0[t];
            u.ang = v3(v[i + 3], v[i + 4], v[i + 5]);
        }
        KG_UNROLL for (int j = link_joint0[l]; j < link_joint0[l] + link_joints[l]; ++j) {
            const int i = dof_v[joint_dof0[j]];
            Spatial rel = k.axis[i] * v[i];
            if (joint_kind[j] == JOINT_BALL) rel = rel + k.axis[i + 1] * v[i + 1] + k.axis[i + 2] * v[i + 2];
            a = a + cross_motion(u, rel);
            u = u + rel;
        }
        vel[l] = u;
        acc[l] = a;

        const Inertia I = inertia[l];
        Spatial momentum = I * u;
        Vec3 g = s.gravity * load(args.link_gravity, l, env);
        Spatial outside = sp(g * I.m, cross(I.mc, g));
        // damping takes a fraction c dt of a link's momentum per step, like v *= 1 - c dt on a free body
        Real cl = kg_min(load(args.tree_linear_damping, t, env), (Real)1 / s.dt);
        Real ca = kg_min(load(args.tree_angular_damping, t, env), (Real)1 / s.dt);
        if (cl > (Real)0 || ca > (Real)0) {
            Vec3 com = I.m > (Real)0 ? I.mc * ((Real)1 / I.m) : v3(0, 0, 0);
            Vec3 spin = momentum.ang - cross(com, momentum.lin), linear = momentum.lin;
            const int i = tree_v0[t];
            if (tree_floating[t]) linear = linear + v3(v[i], v[i + 1], v[i + 2]) * I.m;
            outside = outside - sp(linear * cl, cross(com, linear) * cl + spin * ca);
        }
        if (s.has_wrench) {
            Vec3 push = load3(args.link_force, l, env), turn = load3(args.link_torque, l, env);
            Vec3 com = k.pos[l] + rotate(k.rot[l], load3(args.link_com, l, env));
            outside = outside + sp(push, turn + cross(com, push));
        }
        external[t] = external[t] + outside;
        force[l] = I * a + cross_force(u, momentum) - outside;
    }
    KG_UNROLL for (int l = NL - 1; l >= 0; --l) {
        KG_UNROLL for (int i = link_v0[l]; i < link_v0[l] + link_vs[l]; ++i) bias[i] = dot(k.axis[i], force[l]);
        if (link_parent[l] >= 0) force[link_parent[l]] = force[link_parent[l]] + force[l];
        else if (tree_floating[link_tree[l]]) {
            const int i = tree_v0[link_tree[l]];
            bias[i] = force[l].lin.x; bias[i + 1] = force[l].lin.y; bias[i + 2] = force[l].lin.z;
            bias[i + 3] = force[l].ang.x; bias[i + 4] = force[l].ang.y; bias[i + 5] = force[l].ang.z;
        }
    }
}
