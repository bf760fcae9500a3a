// End of a substep: momentum projection, velocity limits, non-finite check.

// A tree seen from its root link's com: composite inertia, linear momentum relative to that point's motion, and
// angular momentum about the tree's own com. Relative, so that float32 does not round what the root's speed adds.
struct TreeMotion { Inertia whole; Vec3 lin, ang; };

// Momentum of each tree as the equations say it becomes: what it was and what acts from outside in the substep (gravity,
// damping, wrenches, contacts), moments about the tree's com at the midpoint. Drives, limits and joints act within a
// tree and cancel.
struct Momentum { Vec3 lin[NT], ang[NT], com[NT]; };

template <class Tree>
KG_FN bool has_limbs(Tree t) { return NROOTS > 0 && link_tree[limb_root[Zero()]] == t; }

// what a lane knows of a tree without asking: its links in the trunk, or all of it where it is a limb
template <class Tree, class Link>
KG_FN bool is_known(Tree t, Link l) { return l < TL || t >= TT; }

KG_FN Vec3 com_of(Inertia whole) { return whole.mc * kg_inv(whole.m); }

KG_FN Sym3 about_com(Inertia I) {
    Vec3 c = I.mc * kg_inv(I.m);
    Sym3 s = I.i;
    s.xx -= I.m * (c.y * c.y + c.z * c.z);
    s.yy -= I.m * (c.x * c.x + c.z * c.z);
    s.zz -= I.m * (c.x * c.x + c.y * c.y);
    s.xy += I.m * c.x * c.y;
    s.xz += I.m * c.x * c.z;
    s.yz += I.m * c.y * c.z;
    return s;
}

// inertia: about the reference point; vel: velocities relative to the root link's com
KG_FN void motion_of(const Inertia* inertia, const Spatial* vel, TreeMotion* out) {
    each<NT>([&](auto t) {
        Inertia whole[2] = {Inertia(), Inertia()};  // trunk, limb
        Spatial p[2] = {Spatial(), Spatial()};
        each_link_of(t, [&](auto l) {
            if (link_tree[l] != t) return;
            const int part = is_known(t, l) ? 0 : 1;
            whole[part] = whole[part] + inertia[l];
            p[part] = p[part] + inertia[l] * vel[l];
        });
        if (has_limbs(t)) {
            whole[0] = whole[0] + kg_sum(whole[1]);
            p[0] = p[0] + kg_sum(p[1]);
        }
        out[t].whole = whole[0];
        out[t].lin = p[0].lin;
        out[t].ang = tree_floating[t] ? p[0].ang - cross(com_of(whole[0]), p[0].lin) : p[0].ang;
    });
}

// Turn of single bodies in the first half of a step: by the spin that their angular momentum means at its end, found by
// iteration. Then x, spin and L agree at the midpoint, and the energy of a tumbling body does not drift.
KG_FN void turn_to_middle(const TreeMotion* now, Real dt, Real* x) {
    each<NT>([&](auto t) {
        if (!tree_floating[t] || !tree_single[t]) return;
        const int i = tree_v0[t] + 3;
        const Sym3 inertia = about_com(now[t].whole);
        Vec3 turn = v3(x[i], x[i + 1], x[i + 2]);
        KG_ROLLED for (int pass = 0; pass < 6; ++pass) {
            const Quat r = exp_map(turn);
            const Vec3 next = rotate(r, solve(inertia, rotate(conj(r), now[t].ang))) * ((Real)0.5 * dt);
            const Vec3 change = next - turn;
            turn = next;
            if (dot(change, change) <= (Real)1e-14 * dot(turn, turn)) break;
        }
        x[i] = turn.x; x[i + 1] = turn.y; x[i + 2] = turn.z;
    });
}

// Gyroscopic torque of single bodies: the one that takes the spin to what the same angular momentum is at the midpoint
KG_FN void spin_bias(const Inertia* mid, const Momentum& p, const Spatial* outside, const Real* v, Real dt, Real* bias) {
    each<NT>([&](auto t) {
        if (!tree_floating[t] || !tree_single[t]) return;
        const int i = tree_v0[t] + 3, l = tree_link0[t];
        const Vec3 n = (mid[l].i * v3(v[i], v[i + 1], v[i + 2]) - p.ang[t]) * kg_div((Real)2, dt) - outside[l].ang;
        bias[i] = n.x; bias[i + 1] = n.y; bias[i + 2] = n.z;
    });
}

// inertia and outside: of the links at the midpoint, about the reference point
KG_FN void add_outside(const Inertia* inertia, const Spatial* outside, Real dt, Momentum& p) {
    each<NT>([&](auto t) {
        if (!tree_floating[t]) return;
        Inertia whole = Inertia(), limb = Inertia();
        Spatial push = Spatial(), limb_push = Spatial();
        each_link_of(t, [&](auto l) {
            if (link_tree[l] != t) return;
            Inertia& sum = is_known(t, l) ? whole : limb;
            Spatial& pushes = is_known(t, l) ? push : limb_push;
            sum = sum + inertia[l];
            pushes = pushes + outside[l];
        });
        if (has_limbs(t)) {
            whole = whole + kg_sum(limb);
            push = push + kg_sum(limb_push);
        }
        p.com[t] = com_of(whole);
        p.lin[t] = p.lin[t] + push.lin * dt;
        p.ang[t] = p.ang[t] + (push.ang - cross(p.com[t], push.lin)) * dt;
    });
}
// Move the root's velocity so that momentum changed by no more than what acted: joints and root do not move at the
// same time in a step, and the small difference would let a free robot drift and turn by itself. vel: see motion_of,
// moved along
KG_FN void project_momentum(const TreeMotion* now, const Momentum& p, const Real* v_old, Spatial* vel, Real* v) {
    each<NT>([&](auto t) {
        if (!tree_floating[t]) return;
        const int i = tree_v0[t];
        const Inertia whole = now[t].whole;
        const Vec3 dw = solve(about_com(whole), p.ang[t] - now[t].ang);
        const Vec3 relative = now[t].lin + cross(dw, whole.mc);
        const Vec3 dv = (p.lin[t] - relative) * kg_inv(whole.m);
        v[i] = v_old[i] + dv.x; v[i + 1] = v_old[i + 1] + dv.y; v[i + 2] = v_old[i + 2] + dv.z;
        v[i + 3] += dw.x; v[i + 4] += dw.y; v[i + 5] += dw.z;
        each_link_of(t, [&](auto l) { if (link_tree[l] == t) vel[l].ang = vel[l].ang + dw; });
    });
}

// scale a tree's velocity down until no link and no joint exceeds its limit; false if a link did
template <class Args>
KG_FN bool limit_velocity(const Args& args, const Env& env, const Spatial* vel, const Kinematics& k, Real* v) {
    bool within = true;
    each<NT>([&](auto t) {
        const Real fastest = param(KG_PARAM(tree_max_linear_velocity), tree_id(env, t), env), spin = param(KG_PARAM(tree_max_angular_velocity), tree_id(env, t), env);
        Real scale = 1;
        each_link_of(t, [&](auto l) {
            if (link_tree[l] != t || !has_link(env, l)) return;
            const Vec3 u = point_velocity(vel[l], link_com_at(args, env, k, l));
            const Real a = dot(u, u), b = dot(vel[l].ang, vel[l].ang);
            // under a limit of 0, what has no root on CUDA (scalar.h) is within it
            if (a > kg_max(fastest * fastest, (Real)1e-30)) scale = kg_min(scale, fastest * kg_inv(kg_sqrt(a)));
            if (b > kg_max(spin * spin, (Real)1e-30)) scale = kg_min(scale, spin * kg_inv(kg_sqrt(b)));
        });
        if (has_limbs(t)) scale = kg_least(scale);
        if (scale < 1) {
            within = false;
            each<NV>([&](auto i) { if (v_tree[i] == t) v[i] *= scale; });
        }
    });
    if (HAS_SPEED_LIMIT) each<ND>([&](auto i) {
        const Real limit = param(KG_PARAM(dof_velocity), dof_id(env, i), env);
        v[dof_v[i]] = kg_clamp(v[dof_v[i]], -limit, limit);
    });
    return TT == NT ? within : !kg_any(!within);
}

KG_FN bool all_finite(const Position& q, const Real* v) {
    bool ok = true;
    each<NV>([&](auto i) { ok = ok && kg_finite(v[i]); });
    each<ND>([&](auto i) { ok = ok && kg_finite(q.dof[i]); });
    each<NT>([&](auto t) {
        Quat r = q.root_quat[t];
        ok = ok && kg_finite(q.root_pos[t].x) && kg_finite(q.root_pos[t].y) && kg_finite(q.root_pos[t].z)
            && kg_finite(r.x) && kg_finite(r.y) && kg_finite(r.z) && kg_finite(r.w);
    });
    return !kg_any(!ok);
}
