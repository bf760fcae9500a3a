// The step of a thread's env, or a part of it.

template <class Args>
KG_FN void run_step(const Args& args, int first, int thread, int part, int substeps) {
    const Env env = env_of(args, first, thread);
#if defined(__CUDA_ARCH__) || defined(KG_EMULATED)
#if KG_APART
    step_part(args, env, room_of(args, env), thread, part, substeps);
#else
    step_env(args, env, room_of(args, env));
#endif
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
