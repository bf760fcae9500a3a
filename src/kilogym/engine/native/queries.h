// What users ask about the current state outside the step: body states, Jacobians, mass matrices.

// On lanes the envs of a warp collect what they say in shared memory: one env's numbers lie far from the next lane's, and
// written one by one they cost several times their bytes
static constexpr int BODY_WORDS = ENV_LINKS * 13;
static constexpr bool COLLECTED = LANES > 1 && BODY_WORDS * ENVS_PER_WARP * sizeof(Real) <= 8192;
#if defined(__CUDA_ARCH__)
static constexpr int COLLECTING_WARPS = 4;  // of a block, at most
struct Collected {
    Real* room;  // null: write to `out` at once
    KG_METHOD Real* of(const Env& env, Real* out) const {
        return room ? room + env.index % ENVS_PER_WARP * BODY_WORDS : out + (size_t)env.index * BODY_WORDS;
    }
    KG_METHOD void write(const Env& env, int envs, Real* out) const {
        if (!room) return;
        __syncwarp();
        const int first = env.index - env.index % ENVS_PER_WARP, here = envs - first < ENVS_PER_WARP ? envs - first : ENVS_PER_WARP;
        for (int i = threadIdx.x % 32; i < here * BODY_WORDS; i += 32) out[(size_t)first * BODY_WORDS + i] = room[i];
    }
};
KG_FN Collected collected() {
    __shared__ Real room[COLLECTED ? COLLECTING_WARPS * ENVS_PER_WARP * BODY_WORDS : 1];
    const bool fits = COLLECTED && blockDim.x <= 32 * COLLECTING_WARPS;
    return Collected{fits ? room + threadIdx.x / 32 * (ENVS_PER_WARP * BODY_WORDS) : nullptr};
}
#else
struct Collected {
    KG_METHOD Real* of(const Env& env, Real* out) const { return out + (size_t)env.index * BODY_WORDS; }
    KG_METHOD void write(const Env&, int, Real*) const {}
};
KG_FN Collected collected() { return Collected(); }
#endif

// 13 numbers per link: position (env frame), quaternion xyzw, velocity of the com, angular velocity. out: [env, link, 13]
template <class Args>
KG_FN void body_states(const Args& args, const Env& env, Real* out) {
    Position q;
    Real v[NV];
    load_state(args, env, q, v);
    Kinematics k;
    forward_kinematics(args, env, q, k);
    Spatial vel[NL];
    link_velocities(env, k, v, vel);
    add_root_motion(v, vel);
    const Collected here = collected();
    each<NL>([&](auto l) {
        if (!env.live || !writes_link(env, l)) return;
        const auto id = link_id(env, l);
        Vec3 p = k.ref[link_tree[l]] + k.pos[l];
        Vec3 com = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(link_com), id, env));
        Vec3 u = point_velocity(vel[l], com);
        const bool root = link_parent[l] < 0 && tree_floating[link_tree[l]];
        if (root) {
            p = q.root_pos[link_tree[l]];  // to the bit what was set
            u = vel[l].lin;
        }
        Real* o = here.of(env, out) + id * 13;
        const Quat r = link_parent[l] < 0 ? q.root_quat[link_tree[l]] : k.rot[l];
        o[0] = p.x; o[1] = p.y; o[2] = p.z;
        o[3] = r.x; o[4] = r.y; o[5] = r.z; o[6] = r.w;
        o[7] = u.x; o[8] = u.y; o[9] = u.z;
        o[10] = vel[l].ang.x; o[11] = vel[l].ang.y; o[12] = vel[l].ang.z;
    });
    here.write(env, args.fault.shape[0], out);
}

// rows: 6 per link of the tree (velocity of the com, angular velocity), the root's left out when the base is fixed;
// columns: the tree's v-space (6 of a floating root, then DOFs)
template <class Args>
KG_FN void jacobian(const Args& args, const Env& env, int tree, Real* out) {
    Position q;
    Real v[NV];
    load_state(args, env, q, v);
    Kinematics k;
    forward_kinematics(args, env, q, k);
    const int columns = env_tree_vs[tree], first = tree_link0[tree] + (tree_floating[tree] ? 0 : 1);
    for (int l = first; l < tree_link0[tree] + env_tree_links[tree]; ++l) {
        Real* o = out + (l - first) * 6 * columns;
        for (int i = 0; i < 6 * columns; ++i) o[i] = 0;
        Vec3 com = k.pos[l] + rotate(k.rot[l], param3(KG_PARAM(link_com), l, env));
        for (int a = 0; a < env_link_path_length[l]; ++a) {
            const int j = env_path_v[env_link_path[l] + a];
            const int c = j - tree_v0[tree];
            Vec3 u = point_velocity(k.axis[j], com), w = k.axis[j].ang;
            o[c] = u.x; o[columns + c] = u.y; o[2 * columns + c] = u.z;
            o[3 * columns + c] = w.x; o[4 * columns + c] = w.y; o[5 * columns + c] = w.z;
        }
    }
}

// joint-space inertia of a tree, armature included, square over the tree's v-space
template <class Args>
KG_FN void mass_matrix(const Args& args, const Env& env, int tree, Real* out) {
    Position q;
    Real v[NV], m[NM];
    load_state(args, env, q, v);
    Kinematics k;
    Inertia inertia[NL];
    forward_kinematics(args, env, q, k);
    own_inertias(args, env, k, inertia);
    joint_inertia(env, k, inertia, m);
    add_armature(args, env, m);
    const int n = env_tree_vs[tree], first = tree_v0[tree];
    for (int i = 0; i < n * n; ++i) out[i] = 0;
    for (int i = 0; i < n; ++i) {
        const int r = first + i;
        out[i * n + i] = m[m_row[r]];
        for (int a = 0; a < anc_len[r]; ++a) {
            const int c = anc[anc_row[r] + a] - first;
            out[i * n + c] = out[c * n + i] = m[m_row[r] + 1 + a];
        }
    }
}

// bias force and link positions for the tests: C(q, v) with gravity, about the com of floating roots
template <class Args>
KG_FN void bias_of(const Args& args, const Env& env, Real* out) {
    const StepSettings st = load_settings(args);
    Position q;
    Real v[NV], bias[NV];
    Spatial vel[NL], outside[NL];
    load_state(args, env, q, v);
    Kinematics k;
    Inertia inertia[NL];
    forward_kinematics(args, env, q, k);
    own_inertias(args, env, k, inertia);
    move_to_reference(k, inertia);
    bias_force(args, env, st, k, inertia, v, vel, outside, bias);
    for (int i = 0; i < NV; ++i) out[i] = bias[i];
}
