// Smooth dynamics: spatial inertias, joint-space inertia (CRBA) and bias force (RNEA).
//
// M(q) a + bias(q, v) = tau, with bias = Coriolis, centrifugal, gyroscopic, gravity, link damping and external
// wrenches. Source: Featherstone, Rigid Body Dynamics Algorithms (2008), tables 5.1 and 6.2; departures: one
// common reference point per tree, and the floating root's translation is the velocity of its com, so its
// spatial acceleration carries -w x v.

// per link, while the forces of a substep are found
struct Smooth {
    Inertia inertia[NL];             // about the link's own origin, later about the tree's reference point; world axes
    union {                          // one after the other
        struct {
            Inertia composite[NL];   // of the link and all below it, about its own origin
            Spatial axis[NV];        // motion subspaces about the link's own origin
        };
        struct {
            Spatial vel[NL];         // in the frame that moves along with a floating root, without turning
            Spatial force[NL];       // acceleration on the way up the tree, force on the way down
            Spatial outside[NL];     // gravity, damping and wrenches
        };
        Position mid;                // the midpoint position
    };
};

// from the tree's reference point
template <class Args>
KG_FN Vec3 link_com_at(const Args& args, const Env& env, const Kinematics& k, int l) {
    if (link_parent[l] < 0 && tree_floating[link_tree[l]]) return v3(0, 0, 0);  // exact: it is the reference
    return k.pos[l] + rotate(k.rot[l], load3(args.link_com, l, env));
}

// where a link's own inertia is taken about, from the tree's reference point: its origin (a root's: that point)
KG_FN Vec3 own_origin(const Kinematics& k, int l) { return link_parent[l] < 0 ? v3(0, 0, 0) : k.pos[l]; }

template <class Args>
KG_FN Inertia own_inertia(const Args& args, const Env& env, const Kinematics& k, int l) {
    Vec3 c = rotate(k.rot[l], load3(args.link_com, l, env));
    if (link_parent[l] < 0 && tree_floating[link_tree[l]]) c = v3(0, 0, 0);  // exact: it is the reference
    return inertia_at(load(args.link_mass, l, env), c, rotated(matrix(k.rot[l]), load_sym(args.link_inertia, l, env)));
}
KG_FN Inertia at_reference(const Kinematics& k, Inertia own, int l) {
    return link_parent[l] < 0 ? own : shifted(own, k.pos[l]);
}

template <class Args>
KG_FN void own_inertias(const Args& args, const Env& env, const Kinematics& k, Inertia* out) {
    KG_EACH(l, NL) out[l] = own_inertia(args, env, k, l);
    kg_sync();
}
KG_FN void move_to_reference(const Env& env, const Kinematics& k, Inertia* inertia) {
    KG_EACH(l, NL) inertia[l] = at_reference(k, inertia[l], l);
    kg_sync();
}

// Packed lower triangle over ancestors: row v holds M[v][v], then M[v][ancestor] nearest first (m_row, anc).
//
// Composite inertias are taken about their own link's origin and forces carried from link to link: about the tree's
// reference point the inertia of a wrist a metre away would be the small difference of large numbers (measured in
// float32, a 7-DOF arm: accelerations 1e-4 off; so: 5e-6).
KG_FN void joint_inertia(const Env& env, const Kinematics& k, Smooth& s, Real* m) {
    KG_EACH(v, NV) s.axis[v] = sp(point_velocity(k.axis[v], own_origin(k, v_link[v])), k.axis[v].ang);
    KG_ROLLED for (int d = DEPTHS - 1; d >= 0; --d) {
        KG_ROLLED for (int n = depth_link0[d] + env.lane; n < depth_link0[d + 1]; n += LANES) {
            const int l = depth_link[n];
            Inertia sum = s.inertia[l];
            KG_ROLLED for (int c = child0[l]; c < child0[l + 1]; ++c)
                sum = sum + shifted(s.composite[child[c]], own_origin(k, child[c]) - own_origin(k, l));
            s.composite[l] = sum;
        }
        kg_sync();
    }
    KG_EACH(v, NV) {
        int at = v_link[v];
        Spatial f = s.composite[at] * s.axis[v];
        m[m_row[v]] = dot(s.axis[v], f);
        KG_ROLLED for (int a = 0; a < anc_len[v]; ++a) {
            const int u = anc[anc_row[v] + a];
            if (v_link[u] != at) f.ang = f.ang + cross(own_origin(k, at) - own_origin(k, v_link[u]), f.lin);
            at = v_link[u];
            m[m_row[v] + 1 + a] = dot(s.axis[u], f);
        }
    }
    kg_sync();
}

// acceleration of a link with joint accelerations at rest, and the force that gives it that motion
template <class Args>
KG_FN void drive_link(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* v, Smooth& s, int l) {
    const int t = link_tree[l];
    Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), a = u;
    if (link_parent[l] >= 0) {
        u = s.vel[link_parent[l]];
        a = s.force[link_parent[l]];
    } else if (tree_floating[t]) {
        const int i = tree_v0[t];
        u.ang = v3(v[i + 3], v[i + 4], v[i + 5]);
    }
    KG_ROLLED for (int j = link_joint0[l]; j < link_joint0[l] + link_joints[l]; ++j) {
        const int i = dof_v[joint_dof0[j]];
        Spatial rel = k.axis[i] * v[i];
        if (is_ball(j)) rel = rel + k.axis[i + 1] * v[i + 1] + k.axis[i + 2] * v[i + 2];
        a = a + cross_motion(u, rel);
        u = u + rel;
    }
    s.vel[l] = u;
    s.force[l] = a;
}

// what acts on a link from outside: gravity, damping, wrench
template <class Args>
KG_FN Spatial outside_force(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* v, Inertia I, Spatial momentum, int l) {
    const int t = link_tree[l];
    Vec3 g = st.gravity * load(args.link_gravity, l, env);
    Spatial f = sp(g * I.m, cross(I.mc, g));
    // damping takes a fraction c dt of a link's momentum per step, like v *= 1 - c dt on a free body
    Real cl = kg_min(load(args.tree_linear_damping, t, env), (Real)1 / st.dt);
    Real ca = kg_min(load(args.tree_angular_damping, t, env), (Real)1 / st.dt);
    if (cl > (Real)0 || ca > (Real)0) {
        Vec3 com = I.m > (Real)0 ? I.mc * ((Real)1 / I.m) : v3(0, 0, 0);
        Vec3 spin = momentum.ang - cross(com, momentum.lin), linear = momentum.lin;
        const int i = tree_v0[t];
        if (tree_floating[t]) linear = linear + v3(v[i], v[i + 1], v[i + 2]) * I.m;
        f = f - sp(linear * cl, cross(com, linear) * cl + spin * ca);
    }
    if (st.has_wrench) {
        Vec3 push = load3(args.link_force, l, env), turn = load3(args.link_torque, l, env);
        Vec3 com = k.pos[l] + rotate(k.rot[l], load3(args.link_com, l, env));
        f = f + sp(push, turn + cross(com, push));
    }
    return f;
}

// bias force at velocity v; leaves the links' velocities and the outside forces in s
template <class Args>
KG_FN void bias_force(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* v, Smooth& s, Real* bias) {
    KG_ROLLED for (int d = 0; d < DEPTHS; ++d) {
        KG_ROLLED for (int n = depth_link0[d] + env.lane; n < depth_link0[d + 1]; n += LANES) drive_link(args, env, st, k, v, s, depth_link[n]);
        kg_sync();
    }
    KG_EACH(l, NL) {
        const Inertia I = s.inertia[l];
        const Spatial u = s.vel[l], momentum = I * u, outside = outside_force(args, env, st, k, v, I, momentum, l);
        s.outside[l] = outside;
        s.force[l] = I * s.force[l] + cross_force(u, momentum) - outside;
    }
    kg_sync();
    KG_ROLLED for (int d = DEPTHS - 2; d >= 0; --d) {
        KG_ROLLED for (int n = depth_link0[d] + env.lane; n < depth_link0[d + 1]; n += LANES) {
            const int l = depth_link[n];
            Spatial sum = s.force[l];
            KG_ROLLED for (int c = child0[l]; c < child0[l + 1]; ++c) sum = sum + s.force[child[c]];
            s.force[l] = sum;
        }
        kg_sync();
    }
    KG_EACH(i, NV) bias[i] = dot(k.axis[i], s.force[v_link[i]]);
    kg_sync();
}
