// Smooth dynamics: spatial inertias, joint-space inertia (CRBA) and bias force (RNEA).
//
// M(q) a + bias(q, v) = tau, with bias = Coriolis, centrifugal, gyroscopic, gravity, link damping and external
// wrenches. Source: Featherstone, Rigid Body Dynamics Algorithms (2008), tables 5.1 and 6.2; departures: one
// common reference point per tree, and the floating root's translation is the velocity of its com, so its
// spatial acceleration carries -w x v.

// from the tree's reference point
template <class Args, class Link>
KG_FN Vec3 link_com_at(const Args& args, const Env& env, const Kinematics& k, Link l) {
    if (link_parent[l] < 0 && tree_floating[link_tree[l]]) return v3(0, 0, 0);  // exact: it is the reference
    return k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(link_com), link_id(env, l), env));
}

// where a link's own inertia is taken about, from the tree's reference point: its origin (a root's: that point)
template <class Link>
KG_FN Vec3 own_origin(const Kinematics& k, Link l) { return link_parent[l] < 0 ? v3(0, 0, 0) : k.pos[l]; }

template <class Args, class Link>
KG_FN Inertia own_inertia(const Args& args, const Env& env, const Kinematics& k, Link l) {
    Vec3 c = rotate(k.rot[l], param3(KG_PARAM(link_com), link_id(env, l), env));
    if (link_parent[l] < 0 && tree_floating[link_tree[l]]) c = v3(0, 0, 0);  // exact: it is the reference
    const auto id = link_id(env, l);
    Real m = param(KG_PARAM(link_mass), id, env);
    Sym3 own = param_sym(KG_PARAM(link_inertia), id, env);
    if (!has_link(env, l)) {  // of a tree that is not there a root that nobody sees, so that it can be divided by its mass
        m = link_parent[l] < 0 ? 1 : 0;
        own = Sym3{m, m, m, 0, 0, 0};
    }
    return inertia_at(m, c, rotated(matrix(k.rot[l]), own));
}
template <class Link>
KG_FN Inertia at_reference(const Kinematics& k, Inertia own, Link l) {
    return link_parent[l] < 0 ? own : shifted(own, k.pos[l]);
}

// about each link's own origin
template <class Args>
KG_FN void own_inertias(const Args& args, const Env& env, const Kinematics& k, Inertia* out) {
    each<NL>([&](auto l) { out[l] = own_inertia(args, env, k, l); });
}
KG_FN void move_to_reference(const Kinematics& k, Inertia* inertia) {
    each<NL>([&](auto l) { inertia[l] = at_reference(k, inertia[l], l); });
}

// a local velocity moves a link of the env
KG_FN bool moves(int v, int link) { return (unsigned)env_link_mask[link * MASKS + v / 32] >> (v % 32) & 1u; }

// motion subspace about the link's own origin
template <class V>
KG_FN Spatial subspace(const Kinematics& k, V v) {
    const auto l = v_link[v];
    return link_parent[l] < 0 ? k.axis[v] : sp(point_velocity(k.axis[v], k.pos[l]), k.axis[v].ang);
}
template <class V>
KG_FN Real along_subspace(const Kinematics& k, Spatial force, V v) {
    return v_root[v] >= 0 ? along_axis(k, force, v) : dot(subspace(k, v), force);
}
// momentum of a composite body at unit speed of DOF v, about its link's origin
template <class V>
KG_FN Spatial momentum_along(const Kinematics& k, Inertia I, V v) {
    const int i = v_root[v];
    if (i < 0) return I * subspace(k, v);
    return i < 3 ? sp(unit(i, I.m), -unit_cross(i, I.mc)) : sp(unit_cross(i - 3, I.mc), column(I.i, i - 3));
}

// Packed lower triangle over ancestors: row v holds M[v][v], then M[v][ancestor] nearest first (m_row, anc).
// inertia: about the links' own origins.
//
// Composite inertias are taken about their own link's origin and forces carried from link to link: about the tree's
// reference point the inertia of a wrist a metre away would be the small difference of large numbers (measured in
// float32, a 7-DOF arm: accelerations 1e-4 off; so: 5e-6).
KG_FN void joint_inertia(const Env& env, const Kinematics& k, const Inertia* inertia, Real* m) {
    Inertia composite[NL];  // of the link and all below it, about its own origin
    const auto from = [&](auto l, auto up) { return shifted(composite[l], link_parent[up] < 0 ? k.pos[l] : k.pos[l] - k.pos[up]); };
    const auto hand_on = [&](auto l) {
        const auto up = link_parent[l];
        if (up >= 0 && !link_limb_root[l]) composite[up] = composite[up] + from(l, up);
    };
    each<NL>([&](auto l) { composite[l] = inertia[l]; });
    each_from_down<TL, NL - TL>(hand_on);
    hang_limbs(env, composite, from);
    each_from_down<0, TL>(hand_on);

    each<NV>([&](auto v) {
        const auto own = v_link[v];
        const auto row = m_row[v];
        Spatial f = momentum_along(k, composite[own], v);  // about `at`, moved along the path
        Vec3 at = own_origin(k, own);
        m[row] = along_subspace(k, f, v);
        if (v_dof[v] >= 0 && !has_dof(env, v_dof[v])) m[row] = 1;
        span(Zero(), anc_len[v], [&](auto a) {
            const auto u = anc[anc_row[v] + a];
            const auto last = path_link[anc_row[v] + a];  // that of the DOF before on the path
            const auto on = above_on[anc_row[v] + a];
            if (last != v_link[u]) {
                const Vec3 origin = own_origin(k, v_link[u]);
                f.ang = f.ang + cross(link_parent[v_link[u]] < 0 ? at : at - origin, f.lin);
                at = origin;
            }
            m[row + a + 1] = on == 0 || (on == 2 && !moves(u, link_id(env, own))) ? (Real)0 : along_subspace(k, f, u);
        });
    });
}

// what acts on a link from outside: gravity, damping, wrench. I, momentum: about the tree's reference point
template <class Args, class Link>
KG_FN Spatial outside_force(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Real* v, const Inertia& I,
                            const Spatial& momentum, Link l) {
    const auto t = link_tree[l];
    Vec3 g = st.gravity * param(KG_PARAM(link_gravity), link_id(env, l), env);
    Spatial f = sp(g * I.m, cross(I.mc, g));
    // damping takes a fraction c dt of a link's momentum per step, like v *= 1 - c dt on a free body
    const Real cl = HAS_DAMPING ? kg_min(param(KG_PARAM(tree_linear_damping), tree_id(env, t), env), kg_inv(st.dt)) : (Real)0;
    const Real ca = HAS_DAMPING ? kg_min(param(KG_PARAM(tree_angular_damping), tree_id(env, t), env), kg_inv(st.dt)) : (Real)0;
    if (cl > (Real)0 || ca > (Real)0) {
        Vec3 com = I.m > (Real)0 ? I.mc * kg_inv(I.m) : v3(0, 0, 0);
        Vec3 spin = momentum.ang - cross(com, momentum.lin), linear = momentum.lin;
        const int i = tree_v0[t];
        if (tree_floating[t]) linear = linear + v3(v[i], v[i + 1], v[i + 2]) * I.m;
        f = f - sp(linear * cl, cross(com, linear) * cl + spin * ca);
    }
    if (st.has_wrench && has_link(env, l)) {
        Vec3 push = load3(args.link_force, link_id(env, l), env), turn = load3(args.link_torque, link_id(env, l), env);
        Vec3 com = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(link_com), link_id(env, l), env));
        f = f + sp(push, turn + cross(com, push));
    }
    return f;
}

// Bias force at velocity v; leaves the links' velocities, in the frame that moves along with a floating root without
// turning, and the outside forces. inertia: about the reference point
template <class Args>
KG_FN void bias_force(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k, const Inertia* inertia, const Real* v,
                      Spatial* vel, Spatial* outside, Real* bias) {
    Spatial force[NL];  // acceleration with joint accelerations at rest, then the force that gives a link that motion
    each<NL>([&](auto l) {
        Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), a = u;
        if (link_parent[l] >= 0) {
            u = of_parent(env, vel, l);
            a = of_parent(env, force, l);
        } else if (tree_floating[link_tree[l]]) {
            const int i = tree_v0[link_tree[l]];
            u.ang = v3(v[i + 3], v[i + 4], v[i + 5]);
        }
        span(link_joint0[l], link_joints[l], [&](auto j) {
            const int i = dof_v[joint_dof0[j]];
            Spatial rel = k.axis[i] * v[i];
            if (is_ball(j)) rel = rel + k.axis[i + 1] * v[i + 1] + k.axis[i + 2] * v[i + 2];
            a = a + cross_motion(u, rel);
            u = u + rel;
        });
        vel[l] = u;
        force[l] = a;
    });
    each<NL>([&](auto l) {
        const Inertia I = inertia[l];
        const Spatial u = vel[l], momentum = I * u;
        outside[l] = outside_force(args, env, st, k, v, I, momentum, l);
        force[l] = I * force[l] + cross_force(u, momentum) - outside[l];
    });
    const auto hand_on = [&](auto l) {
        const auto up = link_parent[l];
        if (up >= 0 && !link_limb_root[l]) force[up] = force[up] + force[l];
    };
    each_from_down<TL, NL - TL>(hand_on);
    hang_limbs(env, force, [&](auto l, auto) { return force[l]; });
    each_from_down<0, TL>(hand_on);
    each<NV>([&](auto i) { bias[i] = along_axis(k, force[v_link[i]], i); });
}
