// Forward kinematics: joint positions -> link poses and joint motion subspaces.
//
// A link starts at its parent's pose times its own offset; its joints then move it in order. The motion subspace
// of a hinge with axis a through point p is (p x a, a) about the reference point, of a slide (a, 0). The three
// columns of a ball joint are the child's axes after the joint.

template <class Args, class Link>
KG_FN void place_link(const Args& args, const Env& env, const Position& q, Kinematics& k, Link l) {
    const auto t = link_tree[l];
    const auto id = link_id(env, l);
    Vec3 p;
    Quat r;
    if (link_parent[l] < 0) {
        r = renormalized(q.root_quat[t]);
        if (tree_floating[t]) {
            Vec3 c = rotate(r, param3(KG_PARAM(link_com), id, env));
            k.ref[t] = q.root_pos[t] + c;
            p = -c;
#if KG_UNROLL
            const int v = tree_v0[t];
            k.axis[v] = sp(v3(1, 0, 0), v3(0, 0, 0));
            k.axis[v + 1] = sp(v3(0, 1, 0), v3(0, 0, 0));
            k.axis[v + 2] = sp(v3(0, 0, 1), v3(0, 0, 0));
            k.axis[v + 3] = sp(v3(0, 0, 0), v3(1, 0, 0));
            k.axis[v + 4] = sp(v3(0, 0, 0), v3(0, 1, 0));
            k.axis[v + 5] = sp(v3(0, 0, 0), v3(0, 0, 1));
#endif
        } else {
            k.ref[t] = q.root_pos[t];
            p = v3(0, 0, 0);
        }
    } else {
        p = of_parent(env, k.pos, l);
        r = of_parent(env, k.rot, l);
        if (link_offset[l]) p = p + rotate(r, param3(KG_PARAM(link_pos), id, env));
        if (link_turned[l]) r = r * param4(KG_PARAM(link_quat), id, env);
        r = renormalized(r);
    }
    span(link_joint0[l], link_joints[l], [&](auto j) {
        const auto d = joint_dof0[j];
        const int v = dof_v[d];
        const auto joint = joint_id(env, j);
        const Real here = has_joint(env, j) ? 1 : 0;  // an empty place moves nothing
        const int along = joint_along[j] - 1;         // the link's axis that the joint's lies along, or -1
        if (HAS_PRISMATIC && joint_kind[j] == JOINT_PRISMATIC) {
            Vec3 a = along < 0 ? rotate(r, param3(KG_PARAM(joint_axis), joint, env))
                : rotated_unit(r, along) * param(KG_PARAM(joint_axis), joint * 3 + along, env);
            if (!joint_on_all[j]) a = a * here;
            set_axis(k, v, sp(a, v3(0, 0, 0)));
            p = p + a * q.dof[d];
            return;
        }
        const Vec3 local_anchor = joint_offset[j] ? param3(KG_PARAM(joint_pos), joint, env) : v3(0, 0, 0);
        const Vec3 anchor = joint_offset[j] ? p + rotate(r, local_anchor) : p;
        if (!is_ball(j)) {
            Vec3 a;
            if (along < 0) {
                const Vec3 local_axis = param3(KG_PARAM(joint_axis), joint, env);
                a = rotate(r, local_axis);
                r = r * axis_angle(local_axis, q.dof[d]);
            } else {
                const Real sign = param(KG_PARAM(joint_axis), joint * 3 + along, env);
                Real s, c;
                kg_sincos((Real)0.5 * q.dof[d], s, c);
                a = rotated_unit(r, along) * sign;
                r = turned_about(r, along, s * sign, c);
            }
            if (!joint_on_all[j]) a = a * here;
            set_axis(k, v, sp(cross(anchor, a), a));
        } else {
            r = r * exp_map(v3(q.dof[d], q.dof[d + 1], q.dof[d + 2]));
            for (int i = 0; i < 3; ++i) {
                Vec3 a = rotated_unit(r, i);
                if (!joint_on_all[j]) a = a * here;
                set_axis(k, v + i, sp(cross(anchor, a), a));
            }
        }
        if (joint_offset[j]) p = anchor - rotate(r, local_anchor);
    });
    k.pos[l] = p;
    k.rot[l] = r;
}

template <class Args>
KG_FN void forward_kinematics(const Args& args, const Env& env, const Position& q, Kinematics& k) {
    each<NL>([&](auto l) { place_link(args, env, q, k, l); });
}

// What a motion subspace does: those of a floating root are unit vectors.
template <class V>
KG_FN Real along_axis(const Kinematics& k, Spatial force, V v) {
    const int i = v_root[v];
    return i < 0 ? dot(k.axis[v], force) : i < 3 ? pick(force.lin, i) : pick(force.ang, i - 3);
}
template <class V>
KG_FN Vec3 axis_point_velocity(const Kinematics& k, Vec3 r, V v) {
    const int i = v_root[v];
    return i < 0 ? point_velocity(k.axis[v], r) : i < 3 ? unit(i, 1) : unit_cross(i - 3, r);
}

// velocity of every link about its reference point; a floating root's com is taken to be at rest: add_root_motion
KG_FN void link_velocities(const Env& env, const Kinematics& k, const Real* v, Spatial* out) {
    each<NL>([&](auto l) {
        Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0));
        if (link_parent[l] >= 0) {
            u = of_parent(env, out, l);
        } else if (tree_floating[link_tree[l]]) {
            const int i = tree_v0[link_tree[l]];
            u.ang = v3(v[i + 3], v[i + 4], v[i + 5]);
        }
        span(link_v0[l], link_vs[l], [&](auto i) { u = u + k.axis[i] * v[i]; });
        out[l] = u;
    });
}
KG_FN void add_root_motion(const Real* v, Spatial* vel) {
    each<NL>([&](auto l) {
        const int i = tree_v0[link_tree[l]];
        if (tree_floating[link_tree[l]]) vel[l].lin = vel[l].lin + v3(v[i], v[i + 1], v[i + 2]);
    });
}

// q + x, where x is a displacement in v-space; the root turns about its com. q and out may be the same
template <class Args>
KG_FN void displace(const Args& args, const Env& env, const Position& q, const Real* x, Position& out) {
    each<NT>([&](auto t) {
        if (!tree_floating[t]) {
            out.root_pos[t] = q.root_pos[t];
            out.root_quat[t] = q.root_quat[t];
            return;
        }
        const int i = tree_v0[t];
        Vec3 c = param3(KG_PARAM(link_com), link_id(env, tree_link0[t]), env);
        Quat r = normalized(exp_map(v3(x[i + 3], x[i + 4], x[i + 5])) * q.root_quat[t]);
        Vec3 turned = rotate(q.root_quat[t], c) - rotate(r, c);
        out.root_quat[t] = r;
        out.root_pos[t] = q.root_pos[t] + (v3(x[i], x[i + 1], x[i + 2]) + turned);  // small ones first
    });
    each<NJ>([&](auto j) {
        const auto d = joint_dof0[j];
        const int v = dof_v[d];
        if (is_ball(j)) {
            Quat r = exp_map(v3(q.dof[d], q.dof[d + 1], q.dof[d + 2]));
            Vec3 o = log_map(r * exp_map(v3(x[v], x[v + 1], x[v + 2])));
            out.dof[d] = o.x;
            out.dof[d + 1] = o.y;
            out.dof[d + 2] = o.z;
        } else {
            out.dof[d] = q.dof[d] + x[v];
        }
    });
}
