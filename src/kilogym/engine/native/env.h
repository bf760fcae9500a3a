// Access to one env's share of the batch, and its position and kinematics.
//
// Batch arrays are [row, env] with the env fastest. Parameters that all envs share have one column; which ones do is
// known when compiled (SHARED_<name>), so that their addresses are.

template <class J>
KG_FN bool is_ball(J j) { return HAS_BALL && joint_kind[j] == JOINT_BALL; }

struct Env {
    int index;  // in the batch
    int lane;   // of its group
    bool live;  // false: computes along with its warp but writes nothing (beyond the last env, or frozen)
    int count;  // envs of the batch
};

template <class Array>
KG_FN Real load(const Array& a, int row, const Env& env) { return a.data[row * env.count + env.index]; }
// or zero. With code written out it is loaded in any case: a branch would have the loads behind it wait for this one
template <class Array>
KG_FN Real load_if(bool wanted, const Array& a, int row, const Env& env) {
    if constexpr (WRITTEN_OUT) {
        const Real x = load(a, row, env);
        return wanted ? x : (Real)0;
    } else {
        return wanted ? load(a, row, env) : (Real)0;
    }
}
template <class Array>
KG_FN Vec3 load3(const Array& a, int item, const Env& env) {
    return v3(load(a, item * 3, env), load(a, item * 3 + 1, env), load(a, item * 3 + 2, env));
}
template <class Array>
KG_FN Quat load4(const Array& a, int item, const Env& env) {
    return q4(load(a, item * 4, env), load(a, item * 4 + 1, env), load(a, item * 4 + 2, env), load(a, item * 4 + 3, env));
}

template <class Array, bool SHARED>
struct Parameter { const Array& array; };
#define KG_PARAM(name) Parameter<decltype(args.name), SHARED_##name>{args.name}
template <class Array, bool SHARED>
KG_FN Real param(Parameter<Array, SHARED> p, int row, const Env& env) {
    return SHARED ? p.array.data[row] : load(p.array, row, env);
}
template <class Array, bool SHARED>
KG_FN Vec3 param3(Parameter<Array, SHARED> p, int item, const Env& env) {
    return v3(param(p, item * 3, env), param(p, item * 3 + 1, env), param(p, item * 3 + 2, env));
}
template <class Array, bool SHARED>
KG_FN Quat param4(Parameter<Array, SHARED> p, int item, const Env& env) {
    return q4(param(p, item * 4, env), param(p, item * 4 + 1, env), param(p, item * 4 + 2, env), param(p, item * 4 + 3, env));
}
template <class Array, bool SHARED>
KG_FN Sym3 param_sym(Parameter<Array, SHARED> p, int item, const Env& env) {
    Sym3 s;
    s.xx = param(p, item * 6, env); s.yy = param(p, item * 6 + 1, env); s.zz = param(p, item * 6 + 2, env);
    s.xy = param(p, item * 6 + 3, env); s.xz = param(p, item * 6 + 4, env); s.yz = param(p, item * 6 + 5, env);
    return s;
}
template <class Array>
KG_FN void store(const Array& a, int row, const Env& env, Real value) {
    if (env.live) a.data[row * env.count + env.index] = value;
}
template <class Array>
KG_FN void store3(const Array& a, int item, const Env& env, Vec3 v) {
    store(a, item * 3, env, v.x);
    store(a, item * 3 + 1, env, v.y);
    store(a, item * 3 + 2, env, v.z);
}
// generalised position; v-space vectors are plain Real[NV]: per floating tree 3 linear (velocity of the root
// link's com) and 3 angular (world axes), then its joints' DOFs
struct Position {
    Vec3 root_pos[NT];   // origin of the root link's frame, env frame
    Quat root_quat[NT];
    Real dof[ND1];
};

// Motion subspaces: of joints. Those of a floating root are unit vectors, and of many free bodies would be most of what
// a step keeps
struct Axes {
    Spatial of_dof[ND1];
    KG_METHOD Spatial operator[](int v) const {
        const int i = v_root[v];
        return i < 0 ? of_dof[v_dof[v]] : i < 3 ? sp(unit(i, 1), v3(0, 0, 0)) : sp(v3(0, 0, 0), unit(i - 3, 1));
    }
};

// f of the links of a tree. With code written out it comes to those of others as well and has to ask
template <class T, class F>
KG_FN void each_link_of(T t, const F& f) {
#if KG_UNROLL
    KG_WRITTEN_OUT(0, NL, f);
#else
    KG_ROLLED for (int l = tree_link0[t]; l < tree_link0[t] + env_tree_links[t]; ++l) f(l);
#endif
}

// poses of links about their tree's reference point, and the joints' motion subspaces
struct Kinematics {
    Vec3 ref[NT];   // reference point, env frame: com of a floating root link, origin of a fixed one
    Vec3 pos[NL];   // link frame origin, from ref
    Quat rot[NL];
#if KG_UNROLL
    Spatial axis[NV];
#else
    Axes axis;
#endif
};
template <class V>
KG_FN void set_axis(Kinematics& k, V v, Spatial axis) {
#if KG_UNROLL
    k.axis[v] = axis;
#else
    k.axis.of_dof[v_dof[v]] = axis;
#endif
}
