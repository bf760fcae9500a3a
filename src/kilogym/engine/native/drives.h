// What acts on DOFs: drives, passive springs and dampers, efforts.
//
// A drive follows  tau = kp (target - q) + kd (target_vel - qd),  |tau| <= effort limit. It is implicit: with h the
// time of one solver iteration, h^2 kp + h kd stands on the diagonal of the joint-space inertia and the force is
// re-evaluated at every iteration. A DOF whose drive will hit its effort limit leaves the diagonal and becomes a
// bounded row instead: solving implicitly and clamping afterwards would ignore the limit.

struct Drives {
    Real kp[ND1], kd[ND1];
    Real error[ND1];       // target - q at the start of the substep
    Real target_vel[ND1];
    Real effort[ND1];      // applied directly
    Real limit[ND1];       // of the drive
    Real implicit[ND1];    // h^2 kp + h kd
    bool saturated[ND1];
};

template <class Args>
KG_FN void read_drives(const Args& args, int env, Real h, const Position& q, Drives& d) {
    KG_UNROLL for (int j = 0; j < NJ; ++j) {
        const int i0 = joint_dof0[j];
        const int n = joint_kind[j] == JOINT_BALL ? 3 : 1;
        KG_UNROLL for (int i = i0; i < i0 + n; ++i) {
            const int mode = (int)load(args.dof_mode, i, env);
            d.kp[i] = load(args.dof_stiffness, i, env);
            d.kd[i] = load(args.dof_damping, i, env);
            d.limit[i] = load(args.dof_effort, i, env);
            d.error[i] = mode == 1 ? load(args.dof_target_pos, i, env) : load(args.dof_spring_ref, i, env);
            d.target_vel[i] = mode == 1 || mode == 2 ? load(args.dof_target_vel, i, env) : (Real)0;
            d.effort[i] = mode == 3 ? kg_clamp(load(args.dof_effort_in, i, env), -d.limit[i], d.limit[i]) : (Real)0;
            d.implicit[i] = h * (h * d.kp[i] + d.kd[i]);
            d.saturated[i] = false;
        }
        if (joint_kind[j] == JOINT_BALL) {
            Quat r = exp_map(v3(q.dof[i0], q.dof[i0 + 1], q.dof[i0 + 2]));
            Vec3 e = log_map(conj(r) * exp_map(v3(d.error[i0], d.error[i0 + 1], d.error[i0 + 2])));
            d.error[i0] = e.x;
            d.error[i0 + 1] = e.y;
            d.error[i0 + 2] = e.z;
        } else {
            d.error[i0] -= q.dof[i0];
        }
    }
}

// Drives that may reach their limit, judged with the DOF's own inertia, or that were at it last step. A tenth, because
// other joints can turn a drive's error up within the step (measured, 3-link arm at 30 N m: from 0.7 on, torques of 73)
template <class Args>
KG_FN void predict_saturation(const Args& args, int env, const Real* m, const Real* v, Drives& d) {
    KG_UNROLL for (int i = 0; i < ND; ++i) {
        Real wanted = d.kp[i] * d.error[i] + d.kd[i] * (d.target_vel[i] - v[dof_v[i]]);
        Real inertia = m[m_row[dof_v[i]]];
        bool was = load(args.warm_dof, i * 4, env) != (Real)0;
        d.saturated[i] = d.limit[i] < (Real)1e30
            && (was || kg_abs(wanted) * inertia > (Real)0.1 * d.limit[i] * (inertia + d.implicit[i]));
    }
}

// force of the drives off the saturated list at velocity v after displacement x, without the implicit part
KG_FN Real drive_force(const Drives& d, int i, Real h, Real v, Real x) {
    return d.kp[i] * (d.error[i] - x - h * v) + d.kd[i] * (d.target_vel[i] - v);
}

// DOFs that need a row: saturated, with dry friction, near a limit, or too fast
template <class Args>
KG_FN void build_dof_rows(const Args& args, int env, const StepSettings& st, const Factor& f, const Position& q,
                          const Real* v, const Drives& d, DofRows& rows) {
    rows.count = 0;
    for (int i = 0; i < ND; ++i) {
        const int vi = dof_v[i];
        const Real reach = (Real)1.5 * st.dt * kg_abs(v[vi]) + (Real)0.02;
        const Real lo = q.dof[i] - load(args.dof_lower, i, env), hi = load(args.dof_upper, i, env) - q.dof[i];
        const bool near = lo < reach || hi < reach;
        const bool fast = kg_abs(v[vi]) > load(args.dof_velocity, i, env);
        if (!(d.saturated[i] || near || fast || load(args.dof_friction, i, env) > (Real)0)) continue;
        const int r = rows.count++;
        rows.dof[r] = i;
        const int length = anc_len[vi] + 1;
        for (int a = 0; a < length; ++a) rows.y[r][a] = a == 0 ? (Real)1 : (Real)0;
        whiten_path(f, v_path[vi], length, rows.y[r]);
        Real diag = 0;
        for (int a = 0; a < length; ++a) diag += rows.y[r][a] * rows.y[r][a];
        rows.diagonal[r] = diag;
        rows.lower_gap[r] = lo < reach ? lo : (Real)1e30;
        rows.upper_gap[r] = hi < reach ? hi : (Real)1e30;
        rows.saturated[r] = d.saturated[i];
        rows.drive[r] = d.saturated[i] ? load(args.warm_dof, i * 4, env) : (Real)0;
        rows.friction[r] = load(args.warm_dof, i * 4 + 1, env);
        rows.lower[r] = lo < reach ? load(args.warm_dof, i * 4 + 2, env) : (Real)0;
        rows.upper[r] = hi < reach ? load(args.warm_dof, i * 4 + 3, env) : (Real)0;
        rows.speed[r] = 0;
        rows.total[r] = 0;
    }
}

template <class Args>
KG_FN void store_dof_warm_start(const Args& args, int env, Real h, const Drives& d, const DofRows& rows) {
    int r = 0;
    for (int i = 0; i < ND; ++i) {
        const bool has = r < rows.count && rows.dof[r] == i;
        const bool at_limit = has && rows.saturated[r] && kg_abs(rows.drive[r]) > (Real)0.699 * h * d.limit[i];
        store(args.warm_dof, i * 4, env, at_limit ? rows.drive[r] : (Real)0);
        store(args.warm_dof, i * 4 + 1, env, has ? rows.friction[r] : (Real)0);
        store(args.warm_dof, i * 4 + 2, env, has ? rows.lower[r] : (Real)0);
        store(args.warm_dof, i * 4 + 3, env, has ? rows.upper[r] : (Real)0);
        if (has) ++r;
    }
}
