// Forward kinematics: joint positions -> link poses and joint motion subspaces.
//
// A link starts at its parent's pose times its own offset; its joints then move it in order. The motion subspace
// of a hinge with axis a through point p is (p x a, a) about the reference point, of a slide (a, 0). The three
// columns of a ball joint are the child's axes after the joint. Links of equal depth are independent: lanes share
// them, one depth after the other.

template <class Args>
KG_FN void place_link(const Args& args, const Env& env, const Position& q, Kinematics& k, int l) {
    const int t = link_tree[l];
    Vec3 p;
    Quat r;
    if (link_parent[l] < 0) {
        r = renormalized(q.root_quat[t]);
        if (tree_floating[t]) {
            Vec3 c = rotate(r, load3(args.link_com, l, env));
            k.ref[t] = q.root_pos[t] + c;
            p = -c;
            const int v = tree_v0[t];
            k.axis[v] = sp(v3(1, 0, 0), v3(0, 0, 0));
            k.axis[v + 1] = sp(v3(0, 1, 0), v3(0, 0, 0));
            k.axis[v + 2] = sp(v3(0, 0, 1), v3(0, 0, 0));
            k.axis[v + 3] = sp(v3(0, 0, 0), v3(1, 0, 0));
            k.axis[v + 4] = sp(v3(0, 0, 0), v3(0, 1, 0));
            k.axis[v + 5] = sp(v3(0, 0, 0), v3(0, 0, 1));
        } else {
            k.ref[t] = q.root_pos[t];
            p = v3(0, 0, 0);
        }
    } else {
        const int parent = link_parent[l];
        p = k.pos[parent] + rotate(k.rot[parent], load3(args.link_pos, l, env));
        r = renormalized(k.rot[parent] * load4(args.link_quat, l, env));
    }
    KG_ROLLED for (int j = link_joint0[l]; j < link_joint0[l] + link_joints[l]; ++j) {
        const int d = joint_dof0[j];
        const int v = dof_v[d];
        Vec3 local_anchor = load3(args.joint_pos, j, env);
        if (HAS_PRISMATIC && joint_kind[j] == JOINT_PRISMATIC) {
            Vec3 a = rotate(r, load3(args.joint_axis, j, env));
            k.axis[v] = sp(a, v3(0, 0, 0));
            p = p + a * q.dof[d];
            continue;
        }
        Vec3 anchor = p + rotate(r, local_anchor);
        if (!is_ball(j)) {
            Vec3 local_axis = load3(args.joint_axis, j, env);
            Vec3 a = rotate(r, local_axis);
            k.axis[v] = sp(cross(anchor, a), a);
            r = r * axis_angle(local_axis, q.dof[d]);
        } else {
            r = r * exp_map(v3(q.dof[d], q.dof[d + 1], q.dof[d + 2]));
            KG_ROLLED for (int i = 0; i < 3; ++i) {
                Vec3 a = rotate(r, v3(i == 0, i == 1, i == 2));
                k.axis[v + i] = sp(cross(anchor, a), a);
            }
        }
        p = anchor - rotate(r, local_anchor);
    }
    k.pos[l] = p;
    k.rot[l] = r;
}

template <class Args>
KG_FN void forward_kinematics(const Args& args, const Env& env, const Position& q, Kinematics& k) {
    KG_ROLLED for (int d = 0; d < DEPTHS; ++d) {
        KG_ROLLED for (int n = depth_link0[d] + env.lane; n < depth_link0[d + 1]; n += LANES) place_link(args, env, q, k, depth_link[n]);
        kg_sync();
    }
}

// velocity of every link about its reference point; a floating root's com is taken to be at rest: add_root_motion
KG_FN void link_velocities(const Env& env, const Kinematics& k, const Real* v, Spatial* out) {
    KG_ROLLED for (int d = 0; d < DEPTHS; ++d) {
        KG_ROLLED for (int n = depth_link0[d] + env.lane; n < depth_link0[d + 1]; n += LANES) {
            const int l = depth_link[n];
            Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0));
            if (link_parent[l] >= 0) u = out[link_parent[l]];
            else if (tree_floating[link_tree[l]]) {
                const int i = tree_v0[link_tree[l]];
                u = sp(v3(0, 0, 0), v3(v[i + 3], v[i + 4], v[i + 5]));
            }
            KG_ROLLED for (int i = link_v0[l]; i < link_v0[l] + link_vs[l]; ++i) u = u + k.axis[i] * v[i];
            out[l] = u;
        }
        kg_sync();
    }
}
KG_FN void add_root_motion(const Env& env, const Real* v, Spatial* vel) {
    KG_EACH(l, NL) {
        const int i = tree_v0[link_tree[l]];
        if (tree_floating[link_tree[l]]) vel[l].lin = vel[l].lin + v3(v[i], v[i + 1], v[i + 2]);
    }
    kg_sync();
}

// q + x, where x is a displacement in v-space; the root turns about its com. q and out may be the same
template <class Args>
KG_FN void displace(const Args& args, const Env& env, const Position& q, const Real* x, Position& out) {
    KG_EACH(t, NT) {
        if (!tree_floating[t]) {
            out.root_pos[t] = q.root_pos[t];
            out.root_quat[t] = q.root_quat[t];
            continue;
        }
        const int i = tree_v0[t];
        Vec3 c = load3(args.link_com, tree_link0[t], env);
        Quat r = normalized(exp_map(v3(x[i + 3], x[i + 4], x[i + 5])) * q.root_quat[t]);
        Vec3 turned = rotate(q.root_quat[t], c) - rotate(r, c);
        out.root_quat[t] = r;
        out.root_pos[t] = q.root_pos[t] + (v3(x[i], x[i + 1], x[i + 2]) + turned);  // small ones first
    }
    KG_EACH(j, NJ) {
        const int d = joint_dof0[j];
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
    }
    kg_sync();
}
