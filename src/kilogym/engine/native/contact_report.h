// Single contacts of the last substep, told if someone asked for them (Batch.report_contacts). Row 0 of the report is their
// number, then come REPORT rows for each; what they mean: engine/contact_report.py.

static constexpr int REPORT = 26;

KG_FN int report_row(int contact, int word) { return 1 + contact * REPORT + word; }

template <class Args>
KG_FN void report3(const Args& args, const Env& env, int contact, int word, Vec3 v) {
    const int row = report_row(contact, word);
    store(args.contact_report, row, env, v.x);
    store(args.contact_report, row + 1, env, v.y);
    store(args.contact_report, row + 2, env, v.z);
}

// before the solver: where they are. A lane knows the poses of its own links
template <class Args>
KG_FN void report_places(const Args& args, const Env& env, const Kinematics& k, const Rows& rows, int contacts) {
    KG_ROLLED for (int i = env.lane; i < contacts; i += LANES) {
        const ContactPlace at = rows.place(i);
        store(args.contact_report, report_row(i, 0), env, (Real)at.shape_a);
        store(args.contact_report, report_row(i, 1), env, (Real)at.shape_b);
        report3(args, env, i, 5, at.normal);
        Real rest = param(KG_PARAM(shape_rest_offset), at.shape_a, env);
        if (NP > 0 && at.shape_b >= 0) rest += param(KG_PARAM(shape_rest_offset), at.shape_b, env);
        store(args.contact_report, report_row(i, 25), env, rest);
        store(args.contact_report, report_row(i, 14), env, rows.impulse_gap(i).w);
    }
    each<NL>([&](auto l) {
        if (!writes_link(env, l)) return;
        const int id = link_id(env, l);
        KG_ROLLED for (int i = 0; i < contacts; ++i) {
            const ContactPlace at = rows.place(i);
            if (at.link_a == id) {
                const Vec3 point = at.point + k.ref[link_tree[l]];
                report3(args, env, i, 2, point);
                report3(args, env, i, 8, rotate(conj(k.rot[l]), at.point - k.pos[l]));
                if (at.link_b < 0) report3(args, env, i, 11, point);
            }
            if (NP > 0 && at.link_b == id) report3(args, env, i, 11, rotate(conj(k.rot[l]), at.point_b - k.pos[l]));
        }
    });
    kg_sync();
}

// after it: what they carried
template <class Args>
KG_FN void report_loads(const Args& args, const Env& env, Real inv_dt, const Rows& rows, int contacts) {
    if (env.lane == 0) store(args.contact_report, 0, env, (Real)contacts);
    KG_ROLLED for (int i = env.lane; i < contacts; i += LANES) {
        const ContactPlace at = rows.place(i);
        store(args.contact_report, report_row(i, 15), env, rows.impulse_gap(i).w);
        report3(args, env, i, 16, world_impulse(at.normal, rows.total(i)) * inv_dt);
        Vec3 torque = v3(0, 0, 0);
        SpinLimits limits = {0, 0};
        if constexpr (HAS_SPIN_FRICTION) {
            torque = spin_impulse(rows, i, at.normal) * inv_dt;
            limits = spin_limits(args, env, at);
        }
        report3(args, env, i, 19, torque);
        report3(args, env, i, 22, v3(rows.response(i).static_mu, limits.torsion, limits.rolling));
    }
}
