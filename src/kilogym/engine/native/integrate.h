// End of a substep: momentum projection, velocity limits, non-finite check.

// A tree seen from its root link's com: composite inertia, linear momentum relative to that point's motion, and
// angular momentum about the tree's own com. Relative, so that float32 does not round what the root's speed adds.
struct Momentum { Inertia whole[NT]; Vec3 lin[NT]; Vec3 ang[NT]; };

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

KG_FN Vec3 com_of(Inertia whole) { return whole.mc * ((Real)1 / whole.m); }

KG_FN void momentum_of(const Inertia* inertia, const Kinematics& k, const Real* v, Momentum& p) {
    Real relative[NV];
    Spatial vel[NL];
    KG_UNROLL for (int i = 0; i < NV; ++i) relative[i] = v[i];
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        relative[i] = relative[i + 1] = relative[i + 2] = 0;
    }
    link_velocities(k, relative, vel);
    KG_UNROLL for (int l = 0; l < NL; ++l) {
        const int t = link_tree[l];
        const Spatial m = inertia[l] * vel[l];
        const bool first = l == tree_link0[t];
        p.lin[t] = first ? m.lin : p.lin[t] + m.lin;
        p.ang[t] = first ? m.ang : p.ang[t] + m.ang;
        p.whole[t] = first ? inertia[l] : p.whole[t] + inertia[l];
    }
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (tree_floating[t]) p.ang[t] = p.ang[t] - cross(com_of(p.whole[t]), p.lin[t]);
    }
}

// Gyroscopic torque of single bodies: the one that takes the spin to what the same angular momentum is at the midpoint
KG_FN void spin_bias(const Inertia* mid, const Momentum& p, const Spatial* external, const Real* v, Real dt, Real* bias) {
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t] || tree_links[t] > 1) continue;
        const int i = tree_v0[t] + 3;
        const Vec3 n = (mid[tree_link0[t]].i * v3(v[i], v[i + 1], v[i + 2]) - p.ang[t]) * ((Real)2 / dt) - external[t].ang;
        bias[i] = n.x; bias[i + 1] = n.y; bias[i + 2] = n.z;
    }
}

// What acted on each tree from outside in the step (gravity, damping, wrenches, contacts): impulse, and moment about
// the tree's com, at the midpoint. Drives, limits and joints act within a tree and cancel.
KG_FN void outside_impulse(const Kinematics& mid, const Inertia* inertia, const Spatial* external, const Contacts& c,
                           const ContactRows& rows, Real dt, Spatial* push) {
    KG_UNROLL for (int t = 0; t < NT; ++t) push[t] = external[t] * dt;
    for (int i = 0; i < rows.count; ++i) {
        Vec3 t1, t2;
        tangents(c.normal[i], t1, t2);
        const Vec3 f = c.normal[i] * rows.total[i][0] + t1 * rows.total[i][1] + t2 * rows.total[i][2];
        const int a = link_tree[shape_link[c.shape_a[i]]];
        push[a] = push[a] + sp(f, cross(c.point[i], f));
        if (NP > 0 && c.shape_b[i] >= 0) {
            const int b = link_tree[shape_link[c.shape_b[i]]];
            push[b] = push[b] - sp(f, cross(c.point[i] + mid.ref[a] - mid.ref[b], f));
        }
    }
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t] || tree_links[t] == 1) continue;  // a single body's com is the reference point
        Inertia whole = inertia[tree_link0[t]];
        KG_UNROLL for (int l = tree_link0[t] + 1; l < tree_link0[t] + tree_links[t]; ++l) whole = whole + inertia[l];
        push[t].ang = push[t].ang - cross(com_of(whole), push[t].lin);
    }
}

// Move the root's velocity so that momentum changed by no more than what acted: joints and root do not move at the
// same time in a step, and the small difference would let a free robot drift and turn by itself.
KG_FN void project_momentum(const Inertia* inertia, const Kinematics& k, const Momentum& old, const Spatial* push,
                            const Real* v_old, Real* v) {
    Momentum now;
    momentum_of(inertia, k, v, now);
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        const Vec3 dw = solve(about_com(now.whole[t]), old.ang[t] + push[t].ang - now.ang[t]);
        const Vec3 relative = now.lin[t] + cross(dw, now.whole[t].mc);
        const Vec3 dv = (old.lin[t] - relative + push[t].lin) * ((Real)1 / now.whole[t].m);
        v[i] = v_old[i] + dv.x; v[i + 1] = v_old[i + 1] + dv.y; v[i + 2] = v_old[i + 2] + dv.z;
        v[i + 3] += dw.x; v[i + 4] += dw.y; v[i + 5] += dw.z;
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
