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
    Real direct[ND1];      // effort applied besides
};

template <class Args>
KG_FN Real drive_target(const Args& args, const Env& env, int id) {
    const bool position = (int)param(KG_PARAM(dof_mode), id, env) == 1;
    const Real target = load_if(position, args.dof_target_pos, id, env);
    return position ? target : param(KG_PARAM(dof_spring_ref), id, env);
}

// m: the joint-space inertia, whose diagonal judges which drives may reach their limit; those that were at it last
// step are taken to be again. A tenth, because other joints can turn a drive's error up within the step (measured,
// 3-link arm at 30 N m: from 0.7 on, torques of 73)
template <class Args>
KG_FN void read_drives(const Args& args, const Env& env, Real h, const Position& q, const Real* v, const Real* m, Drives& d) {
    each<NJ>([&](auto j) {
        const int i0 = joint_dof0[j];
        const auto target = [&](int c) { return drive_target(args, env, dof_id(env, joint_dof0[j]) + c); };
        Vec3 error;
        if (is_ball(j)) {
            Quat r = exp_map(v3(q.dof[i0], q.dof[i0 + 1], q.dof[i0 + 2]));
            error = log_map(conj(r) * exp_map(v3(target(0), target(1), target(2))));
        } else {
            error = v3(target(0) - q.dof[i0], 0, 0);
        }
        span(joint_dof0[j], joint_dofs[j], [&](auto i) {
            const int c = i - i0;
            const auto id = dof_id(env, i);
            const bool here = has_dof(env, i);
            const int mode = (int)param(KG_PARAM(dof_mode), id, env);
            const Real stiffness = param(KG_PARAM(dof_stiffness), id, env), damping = param(KG_PARAM(dof_damping), id, env);
            const Real kp = here ? stiffness : (Real)0, kd = here ? damping : (Real)0;
            const Real limit = param(KG_PARAM(dof_effort), id, env);
            const Real target_vel = load_if(mode == 1 || mode == 2, args.dof_target_vel, id, env);
            const Real push = kp * (c == 0 ? error.x : c == 1 ? error.y : error.z) + kd * target_vel;
            const Real wanted = push - kd * v[dof_v[i]];
            const Real inertia = m[m_row[dof_v[i]]];
            const bool was = load(args.warm_dof, id * 4, env) != (Real)0;
            d.push[i] = push;
            d.kp[i] = kp;
            d.drag[i] = h * kp + kd;
            d.limit[i] = limit;
            const bool applied = here && mode == 3;
            const Real effort = load_if(WRITTEN_OUT || applied, args.dof_effort_in, id, env);
            d.direct[i] = applied ? kg_clamp(effort, -limit, limit) : (Real)0;
            d.saturated[i] = here && limit < (Real)1e30 && (was || kg_abs(wanted) * inertia > (Real)0.1 * limit * (inertia + h * d.drag[i]));
        });
    });
}

// a drive of a DOF may reach its limit only where one has a limit and a gain
template <class Dof>
KG_FN bool is_saturated(const Drives& d, Dof i) { return HAS_DRIVE_LIMIT && d.saturated[i]; }

// force of a drive off the saturated list at velocity v after displacement x
KG_FN Real drive_force(const Drives& d, int i, Real v, Real x) { return d.push[i] - d.kp[i] * x - d.drag[i] * v; }
