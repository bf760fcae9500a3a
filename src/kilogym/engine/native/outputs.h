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
    KG_EACH(i, 3 * NL) store(args.link_contact_force, i, env, 0);
    KG_EACH(i, ND) store(args.dof_force, i, env, 0);
    KG_EACH(i, 6 * NSENSORS) store(args.sensor_force, i, env, 0);
}

// this substep's contact impulses as forces, per link; scale: 1 / (time they are averaged over), 0: not counted
template <class Args>
KG_FN void add_contact_forces(const Args& args, const Env& env, bool first, Real scale, const Contacts& c, const ContactRows& rows,
                              const Impulses& done) {
    KG_EACH(l, NL) {
        Vec3 sum = v3(0, 0, 0);
        if (scale > 0) {
            KG_ROLLED for (int i = 0; i < rows.count; ++i) {
                const bool a = rows.link_a[i] == l, b = rows.link_b[i] == l;
                if (!a && !b) continue;
                const Vec3 f = world_impulse(c.normal[i], done.contacts[i]) * scale;
                if (a) sum = sum + f;
                if (b) sum = sum - f;
            }
        }
        add3(args.link_contact_force, l, env, first, sum);
    }
}

// scratch: [NV]
template <class Args>
KG_FN void add_dof_forces(const Args& args, const Env& env, bool first, Real dt, Real weight, const Real* drive,
                          const DofRows& rows, const Impulses& done, Real* scratch) {
    KG_EACH(i, ND) scratch[i] = direct_effort(args, env, i) + drive[i];
    kg_sync();
    KG_EACH(r, rows.count) scratch[rows.dof[r]] += done.dofs[r] / dt;
    kg_sync();
    KG_EACH(i, ND) add(args.dof_force, i, env, first, weight * scratch[i]);
    kg_sync();
}

// spatial force that gives link l the motion it has: I A + V x* (I V), A from joint accelerations a
template <class Args>
KG_FN Spatial inertial_force(const Args& args, const Env& env, const Kinematics& k, const Real* v, const Real* a, int l) {
    // along the path, root first
    Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), acc = u;
    const int path = link_path[l];
    KG_ROLLED for (int i = link_path_length[l] - 1; i >= 0; --i) {
        const int j = path_v[path + i];
        Spatial rel = k.axis[j] * v[j];
        if (v_dof[j] >= 0) acc = acc + cross_motion(u, rel);
        acc = acc + k.axis[j] * a[j];
        u = u + rel;
    }
    const int t = link_tree[l];
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
                         const Real* v_mid, const Real* a_total, const Real* a_free) {
    KG_EACH(s, NSENSORS) {
        const int l = sensor_link[s], flags = sensor_flags[s];
        Spatial total = inertial_force(args, env, k, v_mid, a_total, l);
        Spatial smooth = inertial_force(args, env, k, v_mid, a_free, l);
        Spatial f = sp(v3(0, 0, 0), v3(0, 0, 0));
        if (flags & 1) f = f + smooth;
        if (flags & 2) f = f + total - smooth;
        Vec3 origin = k.pos[l] + rotate(k.rot[l], load3(args.sensor_pos, s, env));
        Vec3 force = f.lin, torque = f.ang - cross(origin, f.lin);
        if (!(flags & 4)) {
            Quat inv = conj(k.rot[l] * load4(args.sensor_quat, s, env));
            force = rotate(inv, force);
            torque = rotate(inv, torque);
        }
        add3(args.sensor_force, 2 * s, env, first, force * weight);
        add3(args.sensor_force, 2 * s + 1, env, first, torque * weight);
    }
}
