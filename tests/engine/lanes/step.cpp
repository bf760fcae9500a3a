// The step of a whole batch, or a part of it, by warps of fibers.
namespace {
Args args_now;
int part_now, substeps_now;
}

extern "C" void step_all(const Args* args, int num_envs, int direction, int part, int substeps) {
    args_now = *args;
    part_now = part;
    substeps_now = substeps;
    for (int first = 0; first < num_envs * KG_LANES; first += WARP)
        run_warp(first, direction, [](int thread) { run_step(args_now, 0, thread, part_now, substeps_now); });
}
