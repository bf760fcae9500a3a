// What a step reports besides the state: contact forces, DOF forces, force sensors.

// add this substep's contact impulses, as forces, to the links' sums; weight 1 / (number of substeps counted)
template <class Args>
KG_FN void add_contact_forces(const Args& args, int env, Real scale, const Contacts& c, const ContactRows& rows) {
    for (int i = 0; i < rows.count; ++i) {
        Vec3 t1, t2;
        tangents(c.normal[i], t1, t2);
        Vec3 f = (c.normal[i] * rows.total[i][0] + t1 * rows.total[i][1] + t2 * rows.total[i][2]) * scale;
        add3(args.link_contact_force, shape_link[c.shape_a[i]], env, f);
        if (c.shape_b[i] >= 0) add3(args.link_contact_force, shape_link[c.shape_b[i]], env, -f);
    }
}

template <class Args>
KG_FN void add_dof_forces(const Args& args, int env, Real dt, Real weight, const Drives& d, const Real* drive,
                          const DofRows& rows) {
    const int n = args.dof_force.shape[1];
    for (int i = 0; i < ND; ++i) args.dof_force.data[i * n + env] += weight * (d.effort[i] + drive[i]);
    for (int r = 0; r < rows.count; ++r) args.dof_force.data[rows.dof[r] * n + env] += weight * rows.total[r] / dt;
}

// spatial force that gives link l the motion it has: I A + V x* (I V), A from joint accelerations a
KG_FN Spatial inertial_force(const Kinematics& k, const Inertia* inertia, const Real* v, const Real* a, int l) {
    // along the path, root first
    Spatial u = sp(v3(0, 0, 0), v3(0, 0, 0)), acc = u;
    const int path = link_path[l];
    for (int i = link_path_length[l] - 1; i >= 0; --i) {
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
    return inertia[l] * acc + cross_force(u, inertia[l] * u);
}

// A sensor reads the net force on its link: with both parts enabled, mass times acceleration (zero at rest); the
// forward-dynamics part is what gravity, efforts and joints do without contacts and limits, the constraint part
// the rest. Force at the link's com, moment about the sensor's origin, in the sensor's axes unless asked otherwise.
template <class Args>
KG_FN void write_sensors(const Args& args, int env, Real weight, const Kinematics& k, const Inertia* inertia,
                         const Real* v_mid, const Real* a_total, const Real* a_free) {
    const int n = args.sensor_force.shape[1];
    for (int s = 0; s < NSENSORS; ++s) {
        const int l = sensor_link[s], flags = sensor_flags[s];
        Spatial total = inertial_force(k, inertia, v_mid, a_total, l);
        Spatial smooth = inertial_force(k, inertia, v_mid, a_free, l);
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
        const Real r[6] = {force.x, force.y, force.z, torque.x, torque.y, torque.z};
        for (int i = 0; i < 6; ++i) args.sensor_force.data[(s * 6 + i) * n + env] += weight * r[i];
    }
}
