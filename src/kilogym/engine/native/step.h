// One env's step as a table of contents. Derivations: docs/physics.md.

template <class Args>
KG_FN void load_state(const Args& args, const Env& env, Position& q, Real* v) {
    each<NT>([&](auto t) {
        const auto id = tree_id(env, t);  // an empty place takes another tree's
        q.root_pos[t] = load3(args.root_pos, id, env);
        q.root_quat[t] = load4(args.root_quat, id, env);
        if (!tree_floating[t]) return;
        const int i = tree_v0[t];
        Vec3 lin = load3(args.root_lin_vel, id, env), ang = load3(args.root_ang_vel, id, env);
        v[i] = lin.x; v[i + 1] = lin.y; v[i + 2] = lin.z;
        v[i + 3] = ang.x; v[i + 4] = ang.y; v[i + 5] = ang.z;
    });
    each<ND>([&](auto d) {
        const auto id = dof_id(env, d);
        const bool here = has_dof(env, d);
        q.dof[d] = here ? load(args.dof_pos, id, env) : (Real)0;
        v[dof_v[d]] = here ? load(args.dof_vel, id, env) : (Real)0;
    });
}

template <class Args>
KG_FN void store_state(const Args& args, const Env& env, const Position& q, const Real* v) {
    each<NT>([&](auto t) {
        if (!tree_floating[t] || !writes_tree(env, t)) return;
        const int i = tree_v0[t];
        const auto id = tree_id(env, t);
        store3(args.root_pos, id, env, q.root_pos[t]);
        store(args.root_quat, id * 4, env, q.root_quat[t].x);
        store(args.root_quat, id * 4 + 1, env, q.root_quat[t].y);
        store(args.root_quat, id * 4 + 2, env, q.root_quat[t].z);
        store(args.root_quat, id * 4 + 3, env, q.root_quat[t].w);
        store3(args.root_lin_vel, id, env, v3(v[i], v[i + 1], v[i + 2]));
        store3(args.root_ang_vel, id, env, v3(v[i + 3], v[i + 4], v[i + 5]));
    });
    each<ND>([&](auto d) {
        if (!writes_dof(env, d)) return;
        store(args.dof_pos, dof_id(env, d), env, q.dof[d]);
        store(args.dof_vel, dof_id(env, d), env, v[dof_v[d]]);
    });
}

template <class Args>
KG_FN void add_armature(const Args& args, const Env& env, Real* map) {
    each<ND>([&](auto i) {
        if (has_dof(env, i)) map[m_row[dof_v[i]]] += param(KG_PARAM(dof_armature), dof_id(env, i), env);
    });
}

// What an env carries from stage to stage of its step. A substep goes from (q, v) to the midpoint, where forces and
// constraints are found, and on to the end.
struct State {
    Position q;
    Real v[NV];
    Momentum momentum;
    Real x[NV];      // displacement of the next stage, in v-space
    Real v_end[NV];  // velocity at the end of a substep, before it is projected and limited
    CouplingState couplings;  // at the start of a substep
};
// kinematics and inertias of a stage
struct Stage {
    Position q;
    Kinematics k;
    Inertia inertia[NL];  // about the links' own origins, later about the tree's reference point; world axes
};
// What is known at the midpoint before contacts are
struct Middle {
    Real map[NM];      // M, then its factor, then W (factor.h)
    Real force[NV];
    Spatial vel[NL];   // at the predicted midpoint velocity
    Drives drives;
    bool stiff[NT];
    Real unsettled;    // passive.h
    Couplings couplings;
    Solution solution; // so far the whitened velocity at the start
};

// moved: by s.x
template <class Args>
KG_FN void come_to(const Args& args, const Env& env, bool moved, const State& s, Stage& at) {
    at.q = s.q;
    if (moved) displace(args, env, s.q, s.x, at.q);
    forward_kinematics(args, env, at.q, at.k);
    own_inertias(args, env, at.k, at.inertia);
}

// At the ends of substeps. moved: one has ended; more: another one begins
template <class Args>
KG_FN int at_end(const Args& args, const Env& env, const StepSettings& st, bool moved, bool more, Stage& at, State& s) {
    Spatial vel[NL];
    TreeMotion motion[NT];
    int status = 0;
    s.q = at.q;
    if (PROJECT_MOMENTUM) move_to_reference(at.k, at.inertia);
    KG_ROLLED for (int pass = moved ? 0 : 1; pass < (PROJECT_MOMENTUM && more ? 2 : 1); ++pass) {
        if (pass > 0) each<NV>([&](auto i) { s.v_end[i] = s.v[i]; });
        link_velocities(env, at.k, s.v_end, vel);
        if (PROJECT_MOMENTUM) motion_of(at.inertia, vel, motion);
        if (pass > 0) break;
        if (PROJECT_MOMENTUM && !st.semi_implicit) project_momentum(motion, s.momentum, s.v, vel, s.v_end);
        add_root_motion(s.v_end, vel);
        if (!limit_velocity(args, env, vel, at.k, s.v_end)) status |= FAULT_CLAMPED;
        each<NV>([&](auto i) { s.v[i] = s.v_end[i]; });
    }
    if (more) coupling_state(args, env, s.q, at.k, s.v, s.couplings);
    if (!all_finite(s.q, s.v)) status |= FAULT_NONFINITE;
    if (PROJECT_MOMENTUM) {
        each<NT>([&](auto t) {
            s.momentum.lin[t] = motion[t].lin;
            s.momentum.ang[t] = motion[t].ang;
        });
    }
    each<NV>([&](auto i) { s.x[i] = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt * s.v[i]; });
    if (PROJECT_MOMENTUM && more && !st.semi_implicit) turn_to_middle(motion, st.dt, s.x);
    return status;
}

// up to where contacts are searched for
template <class Args>
KG_FN void to_contacts(const Args& args, const Env& env, const StepSettings& st, Stage& at, State& s, Middle& m, const Rows& rows) {
    const Real h = kg_div(st.dt, (Real)st.iterations);
    if (NP > 0) kg_together();  // without it, and with pairs alone, a second copy of exchanges is carried, as lanes.h tells
    joint_inertia(env, at.k, at.inertia, m.map);
    move_to_reference(at.k, at.inertia);
    m.unsettled = unsettled_energy(env, st, h, at.inertia);
    add_armature(args, env, m.map);

    // implicit drives on the diagonal
    read_drives(args, env, h, s.q, s.v, m.map, m.drives);
    each<NT>([&](auto t) { m.stiff[t] = false; });
    each<ND>([&](auto i) {
        const auto v = dof_v[i];
        const Real implicit = h * m.drives.drag[i];
        // a drive that moves its DOF by more than a tenth within an iteration: follow the end velocity, which is
        // monotone for any gain, instead of the mean, which conserves energy
        if (implicit > (Real)0.1 * m.map[m_row[v]]) m.stiff[v_tree[v]] = true;
        if (!is_saturated(m.drives, i)) m.map[m_row[v]] += implicit;
    });
    any_limb(m.stiff);
    kg_together();
    {
        KG_BORROWED(inv, NV, s.x);
        factorize(m.map, inv);
        whiten_velocity(m.map, inv, s.v, m.solution.w);
        invert(m.map, inv);
    }

    build_couplings(args, env, h, at.k, m.map, at.q, m.solution.w, s.couplings, m.couplings, m.stiff);

    kg_together();
    // two-stage bias: at the start velocity, then at the predicted midpoint velocity
    KG_BORROWED(v_mid, NV, s.v_end);
    Spatial outside[NL];
    each<NV>([&](auto i) { v_mid[i] = s.v[i]; });
    KG_ROLLED for (int pass = 0;; ++pass) {
        bias_force(args, env, st, at.k, at.inertia, v_mid, m.vel, outside, m.force);
        if (pass > 0 || st.semi_implicit) break;
        KG_BORROWED(push, NV, m.force);
        KG_BORROWED(change, NV, s.x);
        each<NV>([&](auto i) {
            const auto j = v_dof[i];
            push[i] = -m.force[i];
            if (j >= 0) push[i] += m.drives.direct[j]
                + kg_clamp(drive_force(m.drives, j, s.v[i], 0), -m.drives.limit[j], m.drives.limit[j]);
        });
        each<NV>([&](auto i) { change[i] = whitened(m.map, push, i); });
        couple_midpoint(h, (Real)0.5 * st.dt, m.solution.w, m.couplings, change);
        each<NV>([&](auto i) { v_mid[i] += (Real)0.5 * st.dt * velocity_of(m.map, change, i); });
    }
    if (PROJECT_MOMENTUM && !st.semi_implicit) spin_bias(at.inertia, s.momentum, outside, s.v, st.dt, m.force);
    each<NV>([&](auto i) { m.force[i] = (v_dof[i] >= 0 ? m.drives.direct[v_dof[i]] : (Real)0) - m.force[i]; });
    if (PROJECT_MOMENTUM) add_outside(at.inertia, outside, st.dt, s.momentum);
    add_root_motion(v_mid, m.vel);
    if (NPS > 0) place_segments(args, env, at.k, m.vel, rows);
}

// on from there, n-th substep; leaves the displacement since the start in s.x and the velocity in s.v_end
template <class Args>
KG_FN int from_contacts(const Args& args, const Env& env, const StepSettings& st, int n, const Stage& at, State& s, Middle& m, const Rows& rows,
                        Contacts contacts) {
    const Real h = kg_div(st.dt, (Real)st.iterations);
    const bool first = n == 0, last = n == st.substeps - 1;
    int status = 0;
    DofRow dof_rows[ND1];
    Solution& solution = m.solution;
#if !KG_UNROLL
    solution.x = s.x;
    solution.v = s.v_end;
#endif

    // constraints
    kg_together();
    find_ground_contacts(args, env, st, at.k, m.vel, rows, contacts);
    kg_together();
    const Schedule schedule = schedule_contacts(env, rows, contacts.count);
    build_contact_rows(args, env, st, at.k, m.map, schedule, solution.w, rows);
    build_dof_rows(args, env, st, m.map, s.q, s.v, m.drives, dof_rows);
    if (SV > 0 && TV > 0) couple_limbs(m.map, dof_rows);
    Real w_start[NSENSORS > 0 ? NV : 1];
    if (NSENSORS > 0) each<NV>([&](auto i) { w_start[i] = solution.w[i]; });
    kg_together();
    if constexpr (HAS_CONTACT_REPORT) report_places(args, env, at.k, rows, contacts.count);
    solve(args, env, st, m.map, m.drives, m.force, m.stiff, s.v, dof_rows, m.couplings, schedule, rows, m.unsettled, solution);

    kg_together();
    // outputs, at the midpoint where the forces act
    const bool counted = st.collect_contacts && (last || st.all_substeps);
    tell_contacts(args, env, first, counted ? kg_inv(st.dt * (Real)(st.all_substeps ? st.substeps : 1)) : (Real)0, rows, schedule, s.momentum);
    add_dof_forces(args, env, first, st.dt, kg_inv((Real)st.substeps), m.drives, solution.drive, dof_rows);
    add_coupling_efforts(args, env, kg_inv((Real)st.substeps * st.dt), at.q, m.couplings);
    if (NSENSORS > 0) {
        Real total[NV], free[NV], mean[NV];
        each<NV>([&](auto i) {
            solution.forced[i] += w_start[i];
            total[i] = (solution.v[i] - s.v[i]) * kg_inv(st.dt);
            mean[i] = (Real)0.5 * (s.v[i] + solution.v[i]);  // the predicted one knows of no stops and contacts
        });
        each<NV>([&](auto i) { free[i] = (velocity_of(m.map, solution.forced, i) - s.v[i]) * kg_inv(st.dt); });
        write_sensors(args, env, first, kg_inv((Real)st.substeps), at.k, mean, total, free);
    }
    if constexpr (HAS_CONTACT_REPORT) report_loads(args, env, kg_inv(st.dt), rows, contacts.count);
    store_warm_start(args, env, rows, contacts.count);
    if constexpr (HAS_SPIN_FRICTION) store_spin_warm_start(args, env, rows, contacts.count);
    store_dof_warm_start(args, env, h, m.drives, dof_rows);
    store_coupling_warm_start(args, env, m.couplings);
    if (PROJECT_MOMENTUM) add_coupling_momentum(args, env, at.k, m.couplings, s.momentum);
    if (contacts.dropped > 0) status |= FAULT_OVERFLOW;
    const bool writes = env.lane == 0 && env.live;
    if (writes) args.contact_count.data[env.index] = contacts.count;
    if (writes && (first || contacts.dropped > args.contact_overflow.data[env.index])) args.contact_overflow.data[env.index] = contacts.dropped;
    if constexpr (WRITTEN_OUT) each<NV>([&](auto i) {
        s.x[i] = solution.x[i];
        s.v_end[i] = solution.v[i];
    });
    return status;
}

template <class Args>
KG_FN int at_middle(const Args& args, const Env& env, const StepSettings& st, int n, Stage& at, State& s, const Rows& rows) {
    Middle m;
    to_contacts(args, env, st, at, s, m, rows);
    kg_together();
    const Contacts contacts = search_contacts(args, env, st, rows);
    return from_contacts(args, env, st, n, at, s, m, rows, contacts);
}

// what a step leaves
template <class Args>
KG_FN void leave(const Args& args, const Env& env, int status, const State& s) {
    if (env.lane == 0 && env.live) args.fault.data[env.index] = status;
    if (status & FAULT_NONFINITE) clear_outputs(args, env);
    else store_state(args, env, s.q, s.v);
}

// All substeps of one env. An env whose state is not finite keeps its last finite state, is flagged, and stays as it
// is until its state is set again.
template <class Args>
KG_FN void step_env(const Args& args, Env env, const Rows& rows) {
    env.live = env.live && !(args.fault.data[env.index] & FAULT_NONFINITE);
    if (!kg_warp_any(env.live)) return;
    const StepSettings st = load_settings(args);
    State s;
    load_state(args, env, s.q, s.v);
    kg_sync();  // all lanes have read what one will write
    int status = 0;
    KG_ROLLED for (int stage = 0;; ++stage) {
        kg_together();
        // a frozen env stops writing; its warp may have others that go on
        Env now = env;
        now.live = env.live && !(status & FAULT_NONFINITE);
        if (!kg_warp_any(now.live)) break;
        const bool middle = stage % 2 != 0, more = stage < 2 * st.substeps;
        Stage at;
        come_to(args, now, stage > 0, s, at);
        if (middle) status |= at_middle(args, now, st, stage / 2, at, s, rows);
        else status |= at_end(args, now, st, stage > 0, more, at, s);
        if (!more) break;
    }
    leave(args, env, status, s);
}
