// One env's step as a table of contents. Derivations: docs/physics.md.

template <class Args>
KG_FN void load_state(const Args& args, int env, Position& q, Real* v) {
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        q.root_pos[t] = load3(args.root_pos, t, env);
        q.root_quat[t] = load4(args.root_quat, t, env);
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        Vec3 lin = load3(args.root_lin_vel, t, env), ang = load3(args.root_ang_vel, t, env);
        v[i] = lin.x; v[i + 1] = lin.y; v[i + 2] = lin.z;
        v[i + 3] = ang.x; v[i + 4] = ang.y; v[i + 5] = ang.z;
    }
    KG_UNROLL for (int d = 0; d < ND; ++d) {
        q.dof[d] = load(args.dof_pos, d, env);
        v[dof_v[d]] = load(args.dof_vel, d, env);
    }
}

template <class Args>
KG_FN void store_state(const Args& args, int env, const Position& q, const Real* v) {
    KG_UNROLL for (int t = 0; t < NT; ++t) {
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        store3(args.root_pos, t, env, q.root_pos[t]);
        store(args.root_quat, t * 4, env, q.root_quat[t].x);
        store(args.root_quat, t * 4 + 1, env, q.root_quat[t].y);
        store(args.root_quat, t * 4 + 2, env, q.root_quat[t].z);
        store(args.root_quat, t * 4 + 3, env, q.root_quat[t].w);
        store3(args.root_lin_vel, t, env, v3(v[i], v[i + 1], v[i + 2]));
        store3(args.root_ang_vel, t, env, v3(v[i + 3], v[i + 4], v[i + 5]));
    }
    KG_UNROLL for (int d = 0; d < ND; ++d) {
        store(args.dof_pos, d, env, q.dof[d]);
        store(args.dof_vel, d, env, v[dof_v[d]]);
    }
}

template <class Args>
KG_FN void clear_outputs(const Args& args, int env) {
    for (int i = 0; i < 3 * NL; ++i) store(args.link_contact_force, i, env, 0);
    for (int i = 0; i < ND; ++i) store(args.dof_force, i, env, 0);
    for (int i = 0; i < 6 * NSENSORS; ++i) store(args.sensor_force, i, env, 0);
}

// One substep from (q, v): drift to the midpoint, forces and constraints there, drift to the end. mid_link, mid
// hold what the outputs need; now and inertia are at q going in and at q+ coming out.
template <class Args>
KG_FN int substep(const Args& args, int env, const StepSettings& st, bool last, Position& q, Real* v,
                  Kinematics& now, Inertia* inertia) {
    const Real h = st.dt / (Real)st.iterations;
    const Real half = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt;
    int status = 0;

    Momentum p;
    if (PROJECT_MOMENTUM) momentum_of(inertia, now, v, p);

    // midpoint position, inertia there
    Position q_mid;
    Real drift[NV];
    KG_UNROLL for (int i = 0; i < NV; ++i) drift[i] = half * v[i];
    displace(args, env, q, drift, q_mid);
    Kinematics mid;
    Inertia mid_link[NL];
    forward_kinematics(args, env, q_mid, mid);
    own_inertias(args, env, mid, mid_link);
    Real m[NM];
    joint_inertia(mid, mid_link, m);
    at_reference(mid, mid_link, mid_link);
    KG_UNROLL for (int i = 0; i < ND; ++i) m[m_row[dof_v[i]]] += load(args.dof_armature, i, env);

    // implicit drives on the diagonal
    Drives drives;
    read_drives(args, env, h, q, drives);
    predict_saturation(args, env, m, v, drives);
    bool stiff[NT];
    KG_UNROLL for (int t = 0; t < NT; ++t) stiff[t] = false;
    KG_UNROLL for (int i = 0; i < ND; ++i) {
        const int j = m_row[dof_v[i]];
        // a drive that moves its DOF by more than a tenth within an iteration: follow the end velocity, which is
        // monotone for any gain, instead of the mean, which conserves energy
        if (drives.implicit[i] > (Real)0.1 * m[j]) stiff[v_tree[dof_v[i]]] = true;
        if (!drives.saturated[i]) m[j] += drives.implicit[i];
    }
    Factor f;
    factorize(m, f);

    // two-stage bias: at the start velocity, then at the predicted midpoint velocity
    Real bias[NV], force[NV], v_mid[NV];
    Spatial external[NT];
    bias_force(args, env, st, mid, mid_link, v, bias, external);
    KG_UNROLL for (int i = 0; i < NV; ++i) v_mid[i] = v[i];
    if (!st.semi_implicit) {
        KG_UNROLL for (int i = 0; i < NV; ++i) force[i] = -bias[i];
        KG_UNROLL for (int i = 0; i < ND; ++i)
            force[dof_v[i]] += drives.effort[i] + kg_clamp(drive_force(drives, i, h, v[dof_v[i]], 0), -drives.limit[i], drives.limit[i]);
        whiten_impulse(f, force);
        velocity_of(f, force, force);
        KG_UNROLL for (int i = 0; i < NV; ++i) v_mid[i] += half * force[i];
        bias_force(args, env, st, mid, mid_link, v_mid, bias, external);
        if (PROJECT_MOMENTUM) spin_bias(mid_link, p, external, v, st.dt, bias);
    }
    KG_UNROLL for (int i = 0; i < NV; ++i) force[i] = -bias[i];
    KG_UNROLL for (int i = 0; i < ND; ++i) force[dof_v[i]] += drives.effort[i];

    // constraints
    Contacts contacts;
    Spatial vel[NL];
    link_velocities(mid, v_mid, vel);
    find_contacts(args, env, st, mid, vel, contacts);
    Real w[NV], x[NV], w_force[NV], drive_out[ND1], v_new[NV];
    whiten_velocity(f, v, w);
    ContactRows rows;
    build_contact_rows(args, env, st, mid, f, contacts, w, rows);
    DofRows dof_rows;
    build_dof_rows(args, env, st, f, q, v, drives, dof_rows);
    Real w_start[NV];
    KG_UNROLL for (int i = 0; i < NV; ++i) w_start[i] = w[i];
    solve(args, env, st, f, drives, force, v, stiff, dof_rows, rows, w, v_new, x, w_force, drive_out);

    // outputs, at the midpoint where the forces act
    if (st.collect_contacts && (last || st.all_substeps))
        add_contact_forces(args, env, (Real)1 / (st.dt * (Real)(st.all_substeps ? st.substeps : 1)), contacts, rows);
    add_dof_forces(args, env, st.dt, (Real)1 / (Real)st.substeps, drives, drive_out, dof_rows);
    if (NSENSORS > 0) {
        Real a_total[NV], a_free[NV];
        KG_UNROLL for (int i = 0; i < NV; ++i) a_total[i] = (v_new[i] - v[i]) / st.dt;
        KG_UNROLL for (int i = 0; i < NV; ++i) w_force[i] += w_start[i];
        velocity_of(f, w_force, a_free);
        KG_UNROLL for (int i = 0; i < NV; ++i) a_free[i] = (a_free[i] - v[i]) / st.dt;
        write_sensors(args, env, (Real)1 / (Real)st.substeps, mid, mid_link, v_mid, a_total, a_free);
    }
    store_warm_start(args, env, contacts, rows);
    store_dof_warm_start(args, env, h, drives, dof_rows);
    args.contact_count.data[env] = rows.count;
    if (contacts.dropped > args.contact_overflow.data[env]) args.contact_overflow.data[env] = contacts.dropped;
    if (contacts.dropped > 0) status |= FAULT_OVERFLOW;

    // end position and velocity
    displace(args, env, Position(q), x, q);
    forward_kinematics(args, env, q, now);
    link_inertias(args, env, now, inertia);
    if (PROJECT_MOMENTUM && !st.semi_implicit) {
        Spatial push[NT];
        outside_impulse(mid, mid_link, external, contacts, rows, st.dt, push);
        project_momentum(inertia, now, p, push, v, v_new);
    }
    link_velocities(now, v_new, vel);
    if (!limit_velocity(args, env, vel, now, v_new)) status |= FAULT_CLAMPED;
    KG_UNROLL for (int i = 0; i < NV; ++i) v[i] = v_new[i];
    if (!all_finite(q, v)) status |= FAULT_NONFINITE;
    return status;
}

// All substeps of one env. An env whose state is not finite keeps its last finite state, is flagged, and stays as it
// is until its state is set again.
template <class Args>
KG_FN void step_env(const Args& args, int env) {
    const StepSettings st = load_settings(args);
    int status = args.fault.data[env];
    if (status & FAULT_NONFINITE) return;
    Position q;
    Real v[NV];
    load_state(args, env, q, v);
    clear_outputs(args, env);
    args.contact_overflow.data[env] = 0;
    status = all_finite(q, v) ? 0 : FAULT_NONFINITE;
    if (status == 0) {
        Kinematics now;
        Inertia inertia[NL];
        forward_kinematics(args, env, q, now);
        link_inertias(args, env, now, inertia);
        for (int s = 0; s < st.substeps; ++s) {
            const int happened = substep(args, env, st, s == st.substeps - 1, q, v, now, inertia);
            status |= happened;
            if (happened & FAULT_NONFINITE) break;
        }
    }
    args.fault.data[env] = status;
    if (status & FAULT_NONFINITE) {
        clear_outputs(args, env);
        args.contact_count.data[env] = 0;
        args.warm_slot.data[env] = -1;
        for (int i = 0; i < 4 * ND; ++i) store(args.warm_dof, i, env, 0);
        return;
    }
    store_state(args, env, q, v);
}
