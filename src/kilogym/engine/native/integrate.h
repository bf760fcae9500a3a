// End of a substep: momentum projection, velocity limits, non-finite check.

// A tree seen from its root link's com: composite inertia, linear momentum relative to that point's motion, and
// angular momentum about the tree's own com. Relative, so that float32 does not round what the root's speed adds.
struct TreeMotion { Inertia whole; Vec3 lin, ang; };

// Momentum of each tree as the equations say it becomes: what it was and what acts from outside in the substep (gravity,
// damping, wrenches, contacts), moments about the tree's com at the midpoint. Drives, limits and joints act within a
// tree and cancel.
struct Momentum { Vec3 lin[NT], ang[NT], com[NT]; };

KG_FN Vec3 com_of(Inertia whole) { return whole.mc * ((Real)1 / whole.m); }

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

// sums over the links of each tree, a lane per number: out[t * width + i] = sum of each[l * width + i]
KG_FN void sum_links(const Env& env, const Real* each, int width, int stride, Real* out) {
    KG_EACH(n, NT * width) {
        const int t = n / width, i = n % width;
        Real sum = each[tree_link0[t] * width + i];
        KG_ROLLED for (int l = tree_link0[t] + 1; l < tree_link0[t] + tree_links[t]; ++l) sum += each[l * width + i];
        out[t * stride + i] = sum;
    }
}

// inertia: about the reference point; vel: velocities relative to the root link's com; scratch: [NL]
KG_FN void motion_of(const Env& env, const Inertia* inertia, const Spatial* vel, Spatial* scratch, TreeMotion* out) {
    KG_EACH(l, NL) scratch[l] = inertia[l] * vel[l];
    kg_sync();
    const int stride = (int)(sizeof(TreeMotion) / sizeof(Real)), width = (int)(sizeof(Inertia) / sizeof(Real));
    sum_links(env, (const Real*)inertia, width, stride, (Real*)out);
    sum_links(env, (const Real*)scratch, 6, stride, (Real*)out + width);
    kg_sync();
    KG_EACH(t, NT) {
        if (tree_floating[t]) out[t].ang = out[t].ang - cross(com_of(out[t].whole), out[t].lin);
    }
    kg_sync();
}

// Gyroscopic torque of single bodies: the one that takes the spin to what the same angular momentum is at the midpoint
KG_FN void spin_bias(const Env& env, const Inertia* mid, const Momentum& p, const Spatial* outside, const Real* v, Real dt, Real* bias) {
    KG_EACH(t, NT) {
        if (!tree_floating[t] || tree_links[t] > 1) continue;
        const int i = tree_v0[t] + 3, l = tree_link0[t];
        const Vec3 n = (mid[l].i * v3(v[i], v[i + 1], v[i + 2]) - p.ang[t]) * ((Real)2 / dt) - outside[l].ang;
        bias[i] = n.x; bias[i + 1] = n.y; bias[i + 2] = n.z;
    }
    kg_sync();
}

// inertia and outside: of the links at the midpoint, about the reference point
KG_FN void add_outside(const Env& env, const Inertia* inertia, const Spatial* outside, Real dt, Momentum& p) {
    KG_EACH(t, NT) {
        if (!tree_floating[t]) continue;
        Inertia whole = inertia[tree_link0[t]];
        Spatial push = outside[tree_link0[t]];
        KG_ROLLED for (int l = tree_link0[t] + 1; l < tree_link0[t] + tree_links[t]; ++l) {
            whole = whole + inertia[l];
            push = push + outside[l];
        }
        p.com[t] = com_of(whole);
        p.lin[t] = p.lin[t] + push.lin * dt;
        p.ang[t] = p.ang[t] + (push.ang - cross(p.com[t], push.lin)) * dt;
    }
    kg_sync();
}
KG_FN void add_contacts(const Env& env, const Kinematics& mid, const Contacts& c, const ContactRows& rows, const Impulses& done, Momentum& p) {
    KG_EACH(t, NT) {
        if (!tree_floating[t]) continue;
        Vec3 lin = v3(0, 0, 0), ang = v3(0, 0, 0);
        KG_ROLLED for (int i = 0; i < rows.count; ++i) {
            const int a = link_tree[rows.link_a[i]], b = rows.link_b[i] >= 0 ? link_tree[rows.link_b[i]] : -1;
            if (a == b || (a != t && b != t)) continue;
            const Vec3 f = world_impulse(c.normal[i], done.contacts[i]) * (a == t ? (Real)1 : (Real)-1);
            const Vec3 r = a == t ? c.point[i] : c.point[i] + mid.ref[a] - mid.ref[b];
            lin = lin + f;
            ang = ang + cross(r - p.com[t], f);
        }
        p.lin[t] = p.lin[t] + lin;
        p.ang[t] = p.ang[t] + ang;
    }
    kg_sync();
}

// Move the root's velocity so that momentum changed by no more than what acted: joints and root do not move at the
// same time in a step, and the small difference would let a free robot drift and turn by itself. vel: see motion_of,
// moved along
KG_FN void project_momentum(const Env& env, const TreeMotion* now, const Momentum& p, const Real* v_old, Spatial* vel, Real* v) {
    KG_EACH(t, NT) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        const Inertia whole = now[t].whole;
        const Vec3 dw = solve(about_com(whole), p.ang[t] - now[t].ang);
        const Vec3 relative = now[t].lin + cross(dw, whole.mc);
        const Vec3 dv = (p.lin[t] - relative) * ((Real)1 / whole.m);
        v[i] = v_old[i] + dv.x; v[i + 1] = v_old[i + 1] + dv.y; v[i + 2] = v_old[i + 2] + dv.z;
        v[i + 3] += dw.x; v[i + 4] += dw.y; v[i + 5] += dw.z;
        KG_ROLLED for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) vel[l].ang = vel[l].ang + dw;
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
    KG_ROLLED for (int t = 0; t < NT; ++t) {
        Real scale = 1;
        KG_ROLLED for (int l = tree_link0[t]; l < tree_link0[t] + tree_links[t]; ++l) scale = kg_min(scale, scratch[l].lin.x);
        if (scale < 1) {
            within = false;
            KG_ROLLED for (int i = tree_v0[t] + env.lane; i < tree_v0[t] + tree_vs[t]; i += LANES) v[i] *= scale;
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
