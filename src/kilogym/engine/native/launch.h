// From a thread of the launch to its env: LANES neighbouring threads step one env. On CUDA their Work lies in shared
// memory; its size is padded so that the groups of a warp reach different banks at the same place of their Works.

static constexpr int KG_WORDS = (int)(sizeof(Work) / 4);
static constexpr int KG_PAD = LANES < 32 ? (LANES - KG_WORDS % 32 + 32) % 32 : 0;
struct alignas(4 * sizeof(Real)) PaddedWork {
    Work work;
    int pad[KG_PAD > 0 ? KG_PAD : 1];
};

static_assert(sizeof(PaddedWork) <= WORK_BYTES, "engine/tables.py: work_bytes is less than Work needs");

template <class Args>
KG_FN void run_step(const Args& args, int first, int thread) {
    const int count = args.fault.shape[0];
    const int index = first + thread / LANES;
    Env env;
    env.lane = thread % LANES;
    env.live = index < count;
    env.index = env.live ? index : count - 1;
    Y3* rows = (Y3*)(args.rows.data + (long long)env.index * ROW_WORDS);
#if defined(KG_EMULATED)
    Work& g = *(Work*)kg_emulated_work(thread);
#elif KG_LANES > 1
    __shared__ PaddedWork pool[KG_BLOCK / KG_LANES];
    Work& g = pool[threadIdx.x / KG_LANES].work;
#else
    Work g;
#endif
    step_env(args, env, g, ROWS_LOCAL ? g.y : rows);
}
