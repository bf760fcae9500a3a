// From a thread of a launch to its env: LANES neighbouring threads are at one env.

template <class Args>
KG_FN Env env_of(const Args& args, int first, int thread) {
    const int count = args.fault.shape[0], index = first + thread / LANES;
    return Env{index < count ? index : count - 1, thread % LANES, index < count, count};
}

// the same where one thread is at each env
template <class Args>
KG_FN Env env_alone(const Args& args, int env) { return Env{env, 0, true, args.fault.shape[0]}; }

// an env's room among those of its warp of the step
template <class Args>
KG_FN Rows room_of(const Args& args, const Env& env) {
    const int warp = env.index / ENVS_PER_WARP, place = env.index % ENVS_PER_WARP;
    Four* room = (Four*)args.rows.data + (size_t)warp * (ROOM * ENVS_PER_WARP) + place;
#if defined(__CUDA_ARCH__)
    __builtin_assume(__isGlobal(room));  // the compiler cannot see that, and generic loads are slower
#endif
    return Rows{room};
}

template <class Args>
KG_FN void run_search(const Args& args, int first, int thread) {
    const Env env = env_of(args, first, thread);
    search_apart(args, env, room_of(args, env));
}
