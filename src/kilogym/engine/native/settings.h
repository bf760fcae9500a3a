// What is the same for every env of a step: read once per env from a small device block, so that a captured graph
// sees new values without being captured again. The order is that of engine/control.py.

struct StepSettings {
    Real dt;                  // one substep [s]
    Vec3 gravity;             // [m/s^2]
    Real bounce_threshold;    // [m/s]
    Real max_depenetration;   // [m/s]
    int substeps;
    int iterations;           // soft-step iterations per substep
    int sweeps;               // biased and relax sweeps per iteration
    int extra_relax;          // further relax sweeps in the last iteration
    bool semi_implicit;       // parity with semi-implicit Euler instead of the midpoint rule
    bool has_wrench;          // link_force, link_torque hold something
    bool all_substeps;        // contact forces averaged over substeps, else those of the last
    bool collect_contacts;
};

template <class Args>
KG_FN StepSettings load_settings(const Args& a) {
    StepSettings s;
    s.dt = a.control_real.data[0];
    s.gravity = v3(a.control_real.data[1], a.control_real.data[2], a.control_real.data[3]);
    s.bounce_threshold = a.control_real.data[4];
    s.max_depenetration = a.control_real.data[5];
    s.substeps = a.control_int.data[0];
    s.iterations = a.control_int.data[1];
    s.sweeps = a.control_int.data[2];
    s.extra_relax = a.control_int.data[3];
    s.semi_implicit = a.control_int.data[4] != 0;
    s.has_wrench = a.control_int.data[5] != 0;
    s.all_substeps = a.control_int.data[6] == 2;
    s.collect_contacts = a.control_int.data[6] != 0;
    return s;
}
