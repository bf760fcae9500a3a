// The step of a whole batch, by warps of fibers.
namespace { Args args_now; }

extern "C" void step_all(const Args* args, int num_envs, int direction) {
    args_now = *args;
    for (int first = 0; first < num_envs * KG_LANES; first += WARP)
        run_warp(first, direction, [](int thread) { run_step(args_now, 0, thread); });
}
