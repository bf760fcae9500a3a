// The search for contacts of a whole batch, by warps of fibers.
namespace { Args args_now; }

extern "C" void search_all(const Args* args, int num_envs, int direction) {
    args_now = *args;
    for (int first = 0; first < num_envs * KG_LANES; first += WARP)
        run_warp(first, direction, [](int thread) { run_search(args_now, 0, thread); });
}
