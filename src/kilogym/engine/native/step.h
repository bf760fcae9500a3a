// One env's step as a table of contents. Derivations: docs/physics.md.

template <class Args>
KG_FN void load_state(const Args& args, const Env& env, Position& q, Real* v) {
    KG_EACH(t, NT) {
        q.root_pos[t] = load3(args.root_pos, t, env);
        q.root_quat[t] = load4(args.root_quat, t, env);
        if (!tree_floating[t]) continue;
        const int i = tree_v0[t];
        Vec3 lin = load3(args.root_lin_vel, t, env), ang = load3(args.root_ang_vel, t, env);
        v[i] = lin.x; v[i + 1] = lin.y; v[i + 2] = lin.z;
        v[i + 3] = ang.x; v[i + 4] = ang.y; v[i + 5] = ang.z;
    }
    KG_EACH(d, ND) {
        q.dof[d] = load(args.dof_pos, d, env);
        v[dof_v[d]] = load(args.dof_vel, d, env);
    }
    kg_sync();
}

template <class Args>
KG_FN void store_state(const Args& args, const Env& env, const Position& q, const Real* v) {
    KG_EACH(t, NT) {
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
    KG_EACH(d, ND) {
        store(args.dof_pos, d, env, q.dof[d]);
        store(args.dof_vel, d, env, v[dof_v[d]]);
    }
}

// What a group shares while it steps its env: shared memory on CUDA, the stack on the CPU.
struct Work {
    Position q;
    Kinematics k;
    Momentum momentum;
    TreeMotion motion[NT];
    Real v[NV], v_mid[NSENSORS > 0 ? NV : 1];
    Real map[NM];           // M, then its factor, then W (factor.h)
    Drives drives;
    DofRows dof_rows;
    Contacts contacts;
    ContactRows rows;
    Exchange e;
    union {                 // one after the other
        Smooth smooth;
        struct {
            Y3 y[ROWS_LOCAL ? MAX_CONTACTS1 * ROW : 1];
            union {
                struct {
                    Y3 scratch[ROW + NV];
                    Real delassus[DELASSUS_WORDS];
                };
                Impulses done;
            };
        };
    };
};

// A substep goes from (q, v) to the midpoint, where forces and constraints are found, and on to the end. Stage by stage:
// the state's kinematics and inertias, then what is done there.
template <class Args>
KG_FN void go_to(const Args& args, const Env& env, bool middle, bool moved, Work& g) {
    Position& q = middle ? g.smooth.mid : g.q;
    if (moved) displace(args, env, g.q, g.e.x, q);
    forward_kinematics(args, env, q, g.k);
    own_inertias(args, env, g.k, g.smooth.inertia);
}

// At the ends of substeps. moved: one has ended, with its velocity in g.e.v; more: another one begins
template <class Args>
KG_FN int at_end(const Args& args, const Env& env, const StepSettings& st, bool moved, bool more, Work& g) {
    Smooth& s = g.smooth;
    int status = 0;
    if (PROJECT_MOMENTUM) move_to_reference(env, g.k, s.inertia);
    KG_ROLLED for (int pass = moved ? 0 : 1; pass < (PROJECT_MOMENTUM && more ? 2 : 1); ++pass) {
        link_velocities(env, g.k, pass == 0 ? g.e.v : g.v, s.vel);
        if (PROJECT_MOMENTUM) motion_of(env, s.inertia, s.vel, s.outside, g.motion);
        if (pass > 0) break;
        if (PROJECT_MOMENTUM && !st.semi_implicit) project_momentum(env, g.motion, g.momentum, g.v, s.vel, g.e.v);
        add_root_motion(env, g.e.v, s.vel);
        if (!limit_velocity(args, env, s.vel, g.k, s.outside, g.e.v)) status |= FAULT_CLAMPED;
        KG_EACH(i, NV) g.v[i] = g.e.v[i];
        kg_sync();
    }
    if (!all_finite(env, g.q, g.v)) status |= FAULT_NONFINITE;
    if (PROJECT_MOMENTUM) {
        KG_EACH(t, NT) {
            g.momentum.lin[t] = g.motion[t].lin;
            g.momentum.ang[t] = g.motion[t].ang;
        }
    }
    KG_EACH(i, NV) g.e.x[i] = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt * g.v[i];
    kg_sync();
    return status;
}

// leaves the displacement since the start in g.e.x and the velocity in g.e.v
template <class Args>
KG_FN int at_middle(const Args& args, const Env& env, const StepSettings& st, int n, Work& g, Y3* y) {
    const Real h = st.dt / (Real)st.iterations;
    const bool first = n == 0, last = n == st.substeps - 1;
    Smooth& s = g.smooth;
    Exchange& e = g.e;
    Real* v_mid = NSENSORS > 0 ? g.v_mid : e.v;  // sensors want it after the solver
    int status = 0;

    joint_inertia(env, g.k, s, g.map);
    move_to_reference(env, g.k, s.inertia);
    KG_EACH(i, ND) g.map[m_row[dof_v[i]]] += load(args.dof_armature, i, env);
    KG_EACH(t, NT) e.stiff[t] = false;
    kg_sync();

    // implicit drives on the diagonal
    read_drives(args, env, h, g.q, g.v, g.map, g.drives);
    KG_EACH(i, ND) {
        const int j = m_row[dof_v[i]];
        const Real implicit = h * g.drives.drag[i];
        // a drive that moves its DOF by more than a tenth within an iteration: follow the end velocity, which is
        // monotone for any gain, instead of the mean, which conserves energy
        if (implicit > (Real)0.1 * g.map[j]) e.stiff[v_tree[dof_v[i]]] = true;
        if (!g.drives.saturated[i]) g.map[j] += implicit;
    }
    kg_sync();
    Real* inv = e.x;  // free until the solver
    factorize(env, g.map, inv);
    whiten_velocity(env, g.map, inv, g.v, e.w);
    invert(env, g.map, inv);

    // two-stage bias: at the start velocity, then at the predicted midpoint velocity
    KG_EACH(i, NV) v_mid[i] = g.v[i];
    kg_sync();
    KG_ROLLED for (int pass = 0;; ++pass) {
        bias_force(args, env, st, g.k, v_mid, s, e.force);
        if (pass > 0 || st.semi_implicit) break;
        KG_EACH(i, NV) {
            const int j = v_dof[i];
            e.a[i] = -e.force[i];
            if (j >= 0) e.a[i] += direct_effort(args, env, j)
                + kg_clamp(drive_force(g.drives, j, g.v[i], 0), -g.drives.limit[j], g.drives.limit[j]);
        }
        kg_sync();
        KG_EACH(i, NV) e.b[i] = whitened(g.map, e.a, i);
        kg_sync();
        KG_EACH(i, NV) v_mid[i] += (Real)0.5 * st.dt * velocity_of(g.map, e.b, i);
        kg_sync();
    }
    if (PROJECT_MOMENTUM && !st.semi_implicit) spin_bias(env, s.inertia, g.momentum, s.outside, g.v, st.dt, e.force);
    KG_EACH(i, NV) e.force[i] = (v_dof[i] >= 0 ? direct_effort(args, env, v_dof[i]) : (Real)0) - e.force[i];
    if (PROJECT_MOMENTUM) add_outside(env, s.inertia, s.outside, st.dt, g.momentum);

    // constraints
    add_root_motion(env, v_mid, s.vel);
    find_contacts(args, env, st, g.k, s.vel, g.contacts);
    choose_dof_rows(args, env, st, g.q, g.v, g.drives, g.dof_rows);
    if (env.lane == 0) g.rows.count = g.contacts.count;
    const int num_dofs = g.dof_rows.count, num_contacts = g.contacts.count;
    const bool fits = ROWS_LOCAL || delassus_words(num_dofs, num_contacts) <= DELASSUS_WORDS;
    const Delassus delassus = delassus_at(fits ? g.delassus : (Real*)(y + MAX_CONTACTS1 * ROW), num_dofs, num_contacts);
    couple_rows(env, g.k, g.map, g.contacts, g.dof_rows, delassus, g.rows, y, g.scratch);
    Held held;
    load_rows(args, env, st, h, g.q, g.v, g.drives, g.contacts, g.dof_rows, g.rows, delassus, y, e.w, held);
    Real w_start[NSENSORS > 0 ? OWN : 1];
    if (NSENSORS > 0) {
        KG_UNROLLED for (int o = 0; o < OWN; ++o) w_start[o] = o * LANES + env.lane < NV ? e.w[o * LANES + env.lane] : (Real)0;
    }
    solve(env, st, g.map, g.drives, g.v, g.dof_rows, g.rows, y, delassus, held, e, g.done);

    // outputs, at the midpoint where the forces act
    const bool counted = st.collect_contacts && (last || st.all_substeps);
    add_contact_forces(args, env, first, counted ? (Real)1 / (st.dt * (Real)(st.all_substeps ? st.substeps : 1)) : (Real)0, g.contacts, g.rows, g.done);
    add_dof_forces(args, env, first, st.dt, (Real)1 / (Real)st.substeps, e.drive, g.dof_rows, g.done, e.b);
    if (NSENSORS > 0) {
        KG_UNROLLED for (int o = 0; o < OWN; ++o) {
            const int i = o * LANES + env.lane;
            if (i < NV) e.forced[i] += w_start[o];
        }
        kg_sync();
        KG_EACH(i, NV) {
            e.a[i] = (e.v[i] - g.v[i]) / st.dt;
            e.b[i] = (velocity_of(g.map, e.forced, i) - g.v[i]) / st.dt;
        }
        kg_sync();
        write_sensors(args, env, first, (Real)1 / (Real)st.substeps, g.k, v_mid, e.a, e.b);
    }
    store_warm_start(args, env, g.contacts, g.rows, g.done);
    if (PROJECT_MOMENTUM) add_contacts(env, g.k, g.contacts, g.rows, g.done, g.momentum);
    store_dof_warm_start(args, env, h, g.drives, g.dof_rows, g.done);
    if (g.contacts.dropped > 0) status |= FAULT_OVERFLOW;
    if (env.lane == 0 && env.live) {
        args.contact_count.data[env.index] = g.rows.count;
        if (first || g.contacts.dropped > args.contact_overflow.data[env.index]) args.contact_overflow.data[env.index] = g.contacts.dropped;
    }

    return status;
}

// All substeps of one env. An env whose state is not finite keeps its last finite state, is flagged, and stays as it
// is until its state is set again. y: room for the contacts' rows, and behind them for a Delassus matrix that Work
// cannot hold
template <class Args>
KG_FN void step_env(const Args& args, Env env, Work& g, Y3* y) {
    const StepSettings st = load_settings(args);
    env.live = env.live && !(args.fault.data[env.index] & FAULT_NONFINITE);
    if (!kg_any(env.live)) return;
    load_state(args, env, g.q, g.v);
    int status = 0;
    KG_ROLLED for (int stage = 0;; ++stage) {
        // a frozen env stops writing; its warp may have others that go on
        Env now = env;
        now.live = env.live && !(status & FAULT_NONFINITE);
        if (!kg_any(now.live)) break;
        const bool middle = stage % 2 != 0, more = stage < 2 * st.substeps;
        go_to(args, now, middle, stage > 0, g);
        if (middle) status |= at_middle(args, now, st, stage / 2, g, y);
        else status |= at_end(args, now, st, stage > 0, more, g);
        if (!more) break;
    }
    if (env.lane == 0 && env.live) args.fault.data[env.index] = status;
    if (status & FAULT_NONFINITE) {
        clear_outputs(args, env);
        KG_EACH(i, 4 * ND) store(args.warm_dof, i, env, 0);
        if (env.lane == 0 && env.live) {
            args.contact_count.data[env.index] = 0;
            args.contact_overflow.data[env.index] = 0;
            args.warm_slot.data[env.index] = -1;
        }
        return;
    }
    store_state(args, env, g.q, g.v);
}
