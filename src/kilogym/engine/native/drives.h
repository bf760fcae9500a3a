// What acts on DOFs: drives, passive springs and dampers, efforts.
//
// A drive follows  tau = kp (target - q) + kd (target_vel - qd),  |tau| <= effort limit. It is implicit: with h the
// time of one solver iteration, h^2 kp + h kd stands on the diagonal of the joint-space inertia and the force is
// re-evaluated at every iteration. A DOF whose drive will hit its effort limit leaves the diagonal and becomes a
// bounded row instead: solving implicitly and clamping afterwards would ignore the limit.
//
// With x the displacement since the start of the substep and v the velocity, the implicit force is
//   push - kp x - drag v,   push = kp (target - q) + kd target_vel,   drag = h kp + kd.

struct Drives {
    Real push[ND1], kp[ND1], drag[ND1];
    Real limit[ND1];       // of the drive
    bool saturated[ND1];
};

// applied directly
template <class Args>
KG_FN Real direct_effort(const Args& args, const Env& env, int i) {
    if ((int)load(args.dof_mode, i, env) != 3) return 0;
    const Real limit = load(args.dof_effort, i, env);
    return kg_clamp(load(args.dof_effort_in, i, env), -limit, limit);
}

template <class Args>
KG_FN Real drive_target(const Args& args, const Env& env, int i) {
    return (int)load(args.dof_mode, i, env) == 1 ? load(args.dof_target_pos, i, env) : load(args.dof_spring_ref, i, env);
}

// m: the joint-space inertia, whose diagonal judges which drives may reach their limit; those that were at it last
// step are taken to be again. A tenth, because other joints can turn a drive's error up within the step (measured,
// 3-link arm at 30 N m: from 0.7 on, torques of 73)
template <class Args>
KG_FN void read_drives(const Args& args, const Env& env, Real h, const Position& q, const Real* v, const Real* m, Drives& d) {
    KG_EACH(j, NJ) {
        const int i0 = joint_dof0[j];
        const int n = is_ball(j) ? 3 : 1;
        Vec3 error;
        if (is_ball(j)) {
            Quat r = exp_map(v3(q.dof[i0], q.dof[i0 + 1], q.dof[i0 + 2]));
            error = log_map(conj(r) * exp_map(v3(drive_target(args, env, i0), drive_target(args, env, i0 + 1), drive_target(args, env, i0 + 2))));
        } else {
            error = v3(drive_target(args, env, i0) - q.dof[i0], 0, 0);
        }
        KG_ROLLED for (int c = 0; c < n; ++c) {
            const int i = i0 + c;
            const int mode = (int)load(args.dof_mode, i, env);
            const Real kp = load(args.dof_stiffness, i, env), kd = load(args.dof_damping, i, env), limit = load(args.dof_effort, i, env);
            const Real target_vel = mode == 1 || mode == 2 ? load(args.dof_target_vel, i, env) : (Real)0;
            const Real push = kp * (c == 0 ? error.x : c == 1 ? error.y : error.z) + kd * target_vel;
            const Real wanted = push - kd * v[dof_v[i]];
            const Real inertia = m[m_row[dof_v[i]]];
            const bool was = load(args.warm_dof, i * 4, env) != (Real)0;
            d.push[i] = push;
            d.kp[i] = kp;
            d.drag[i] = h * kp + kd;
            d.limit[i] = limit;
            d.saturated[i] = limit < (Real)1e30 && (was || kg_abs(wanted) * inertia > (Real)0.1 * limit * (inertia + h * d.drag[i]));
        }
    }
    kg_sync();
}

// force of a drive off the saturated list at velocity v after displacement x
KG_FN Real drive_force(const Drives& d, int i, Real v, Real x) { return d.push[i] - d.kp[i] * x - d.drag[i] * v; }
