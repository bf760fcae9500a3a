// What a step reports besides the state: contact forces, DOF forces, force sensors.

// Outputs are sums over the substeps: the first writes, the others add.
template <class Array>
KG_FN void add(const Array& a, int row, const Env& env, bool first, Real value) {
    store(a, row, env, first ? value : load(a, row, env) + value);
}
template <class Array>
KG_FN void add3(const Array& a, int item, const Env& env, bool first, Vec3 v) {
    add(a, item * 3, env, first, v.x);
    add(a, item * 3 + 1, env, first, v.y);
    add(a, item * 3 + 2, env, first, v.z);
}

template <class Args>
KG_FN void clear_outputs(const Args& args, const Env& env) {
    if (env.lane != 0 || !env.live) return;
    KG_ROLLED for (int i = 0; i < 3 * ENV_LINKS; ++i) store(args.link_contact_force, i, env, 0);
    KG_ROLLED for (int i = 0; i < ENV_DOFS; ++i) store(args.dof_force, i, env, 0);
    KG_ROLLED for (int i = 0; i < 4 * ENV_DOFS; ++i) store(args.warm_dof, i, env, 0);
    KG_ROLLED for (int i = 0; i < NCR + 2 * NTENDONS; ++i) store(args.warm_coupling, i, env, 0);
    KG_ROLLED for (int i = 0; i < 6 * ENV_SENSORS; ++i) store(args.sensor_force, i, env, 0);
    if (HAS_CONTACT_REPORT) store(args.contact_report, 0, env, 0);
    args.contact_count.data[env.index] = 0;
    args.contact_overflow.data[env.index] = 0;
    KG_ROLLED for (int i = 0; i < MAX_CONTACTS; ++i) args.warm_slot.data[i * env.count + env.index] = -1;
}

template <class Args>
KG_FN void add_dof_forces(const Args& args, const Env& env, bool first, Real dt, Real weight, const Drives& d, const Real* drive, const DofRow* rows) {
    each<ND>([&](auto i) {
        if (writes_dof(env, i)) add(args.dof_force, dof_id(env, i), env, first, weight * (d.direct[i] + drive[i] + rows[i].total * kg_inv(dt)));
    });
}

// spatial force that gives link l the motion it has: I A + V x* (I V), A from joint accelerations a
template <class Args, class Link>
KG_FN Spatial inertial_force(const Args& args, const Env& env, const Kinematics& k, const Real* v, const Real* a, Link l) {
    Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), acc = u;
    each<NV>([&](auto j) {  // along the path, root first
        if (v_tree[j] != link_tree[l] || !moves(j, link_id(env, l))) return;
        Spatial rel = k.axis[j] * v[j];
        if (v_dof[j] >= 0) acc = acc + cross_motion(u, rel);
        acc = acc + k.axis[j] * a[j];
        u = u + rel;
    });
    const auto t = link_tree[l];
    if (tree_floating[t]) {
        const int i = tree_v0[t];
        acc.lin = acc.lin - cross(v3(v[i + 3], v[i + 4], v[i + 5]), v3(v[i], v[i + 1], v[i + 2]));
    }
    const Inertia I = at_reference(k, own_inertia(args, env, k, l), l);
    return I * acc + cross_force(u, I * u);
}

// A sensor reads the net force on its link: with both parts enabled, mass times acceleration (zero at rest); the
// forward-dynamics part is what gravity, efforts and joints do without contacts and limits, the constraint part
// the rest. Force at the link's com, moment about the sensor's origin, in the sensor's axes unless asked otherwise.
template <class Args>
KG_FN void write_sensors(const Args& args, const Env& env, bool first, Real weight, const Kinematics& k,
                         const Real* v, const Real* a_total, const Real* a_free) {
    each<NSENSORS>([&](auto s) {
        const auto l = sensor_link[s];
        const auto id = sensor_id(env, s);
        const int flags = env_sensor_flags[id];
        Spatial total = inertial_force(args, env, k, v, a_total, l);
        Spatial smooth = inertial_force(args, env, k, v, a_free, l);
        Spatial f = sp(v3(0, 0, 0), v3(0, 0, 0));
        if (flags & 1) f = f + smooth;
        if (flags & 2) f = f + total - smooth;
        Vec3 origin = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(sensor_pos), id, env));
        Vec3 force = f.lin, torque = f.ang - cross(origin, f.lin);
        if (!(flags & 4)) {
            Quat inv = conj(k.rot[l] * param4(KG_PARAM(sensor_quat), id, env));
            force = rotate(inv, force);
            torque = rotate(inv, torque);
        }
        if (l < TL ? env.lane != 0 : !has_sensor(env, s)) return;
        add3(args.sensor_force, 2 * id, env, first, force * weight);
        add3(args.sensor_force, 2 * id + 1, env, first, torque * weight);
    });
}
