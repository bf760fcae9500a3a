// From a thread of the launch to its env: LANES neighbouring threads step one env.

template <class Args>
KG_FN Env env_of(const Args& args, int first, int thread) {
    const int count = args.fault.shape[0], index = first + thread / LANES;
    return Env{index < count ? index : count - 1, thread % LANES, index < count};
}

template <class Args>
KG_FN void run_step(const Args& args, int first, int thread) {
    const Env env = env_of(args, first, thread);
#if defined(__CUDA_ARCH__) || defined(KG_EMULATED)
    const int warp = env.index / ENVS_PER_WARP, place = env.index % ENVS_PER_WARP;
    Four* room = (Four*)args.rows.data + (size_t)warp * (ROOM * ENVS_PER_WARP) + place;
#if defined(__CUDA_ARCH__)
    __builtin_assume(__isGlobal(room));  // the compiler cannot see that, and generic loads are slower
#endif
    step_env(args, env, Rows{room});
#else
    if constexpr (ROOM_ON_STACK) {
        Four room[ROOM];
        step_env(args, env, Rows{room});
    } else {
        // a room per CPU thread; its slice of the envs starts at `first` (Batch._launch)
        const long envs = args.fault.shape[0], rooms = args.rows.shape[0] / (4 * ROOM);
        step_env(args, env, Rows{(Four*)args.rows.data + (first * rooms + envs - 1) / envs * ROOM});
    }
#endif
}
