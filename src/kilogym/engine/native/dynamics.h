// Smooth dynamics: spatial inertias, joint-space inertia (CRBA) and bias force (RNEA).
//
// M(q) a + bias(q, v) = tau, with bias = Coriolis, centrifugal, gyroscopic, gravity, link damping and external
// wrenches. Source: Featherstone, Rigid Body Dynamics Algorithms (2008), tables 5.1 and 6.2; departures: one
// common reference point per tree, and the floating root's translation is the velocity of its com, so its
// spatial acceleration carries -w x v.

// inertia of every link about its own origin (a root's: the tree's reference point), world axes
template <class Args>
KG_FN void own_inertias(const Args& args, int env, const Kinematics& k, Inertia* out) {
    KG_UNROLL for (int l = 0; l < NL; ++l) {
        Vec3 c = rotate(k.rot[l], load3(args.link_com, l, env));
        if (link_parent[l] < 0 && tree_floating[link_tree[l]]) c = v3(0, 0, 0);  // exact: it is the reference
        out[l] = inertia_at(load(args.link_mass, l, env), c, rotated(matrix(k.rot[l]), load_sym(args.link_inertia, l, env)));
    }
}

KG_FN Vec3 own_origin(const Kinematics& k, int l) { return link_parent[l] < 0 ? v3(0, 0, 0) : k.pos[l]; }

// the same about the tree's reference point
KG_FN void at_reference(const Kinematics& k, const Inertia* own, Inertia* out) {
    KG_UNROLL for (int l = 0; l < NL; ++l) out[l] = link_parent[l] < 0 ? own[l] : shifted(own[l], k.pos[l]);
}
template <class Args>
KG_FN void link_inertias(const Args& args, int env, const Kinematics& k, Inertia* out) {
    own_inertias(args, env, k, out);
    at_reference(k, out, out);
}

// Packed lower triangle over ancestors: row v holds M[v][v], then M[v][ancestor] nearest first (m_row, anc).
//
// Composite inertias are taken about their own link's origin and forces carried from link to link: about the tree's
// reference point the inertia of a wrist a metre away would be the small difference of large numbers (measured in
// float32, a 7-DOF arm: accelerations 1e-4 off; so: 5e-6).
KG_FN void joint_inertia(const Kinematics& k, const Inertia* own, Real* m) {
    Inertia composite[NL];
    Spatial axis[NV];
    KG_UNROLL for (int l = 0; l < NL; ++l) composite[l] = own[l];
    KG_UNROLL for (int l = NL - 1; l >= 0; --l) {
        const int p = link_parent[l];
        if (p >= 0) composite[p] = composite[p] + shifted(composite[l], own_origin(k, l) - own_origin(k, p));
    }
    KG_UNROLL for (int v = 0; v < NV; ++v) axis[v] = sp(point_velocity(k.axis[v], own_origin(k, v_link[v])), k.axis[v].ang);
    KG_UNROLL for (int v = 0; v < NV; ++v) {
        Spatial f = composite[v_link[v]] * axis[v];
        int at = v_link[v];
        m[m_row[v]] = dot(axis[v], f);
        KG_UNROLL for (int a = 0; a < anc_len[v]; ++a) {
            const int u = anc[anc_row[v] + a];
            if (v_link[u] != at) f.ang = f.ang + cross(own_origin(k, at) - own_origin(k, v_link[u]), f.lin);
            at = v_link[u];
            m[m_row[v] + 1 + a] = dot(axis[u], f);
        }
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
