// From a thread of the launch to its env: LANES neighbouring threads step one env.

template <class Args>
KG_FN void run_step(const Args& args, int first, int thread) {
    const int count = args.fault.shape[0], index = first + thread / LANES;
    const Env env = {index < count ? index : count - 1, thread % LANES, index < count};
#if defined(__CUDA_ARCH__) || defined(KG_EMULATED)
    const Rows rows = {(Four*)args.rows.data + env.index, args.fault.shape[0]};
    step_env(args, env, rows);
#else
    Four room[SEGMENTS + NPS * SEGMENT];
    step_env(args, env, Rows{room, 1});
#endif
}
