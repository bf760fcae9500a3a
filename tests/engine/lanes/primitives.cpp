namespace {
#if KG_LANES > 1
void kg_sync() { arrive(1, 0); }
Real kg_from(Real x, int lane) {
    const int turn = arrive(2, x);
    return (Real)lanes[current / KG_LANES * KG_LANES + lane].value[turn];
}
Real kg_across(Real x, int distance) {
    const int turn = arrive(3, x);
    return (Real)lanes[current ^ distance].value[turn];
}
unsigned kg_ballot(bool b) {
    const int first = current / KG_LANES * KG_LANES, turn = arrive(4, b);
    unsigned bits = 0;
    for (int i = 0; i < KG_LANES; ++i) bits |= lanes[first + i].value[turn] != 0 ? 1u << i : 0u;
    return bits;
}
int kg_warp_lane() { return current; }
int kg_warp_from(int x, int lane) {
    const int turn = arrive(7, x);
    return (int)lanes[lane].value[turn];
}
unsigned kg_warp_ballot(bool b) {
    const int turn = arrive(8, b);
    unsigned bits = 0;
    for (int i = 0; i < WARP; ++i) bits |= lanes[i].value[turn] != 0 ? 1u << i : 0u;
    return bits;
}
bool kg_warp_any(bool b) {
    const int turn = arrive(5, b);
    bool any = false;
    for (int i = 0; i < WARP; ++i) any = any || lanes[i].value[turn] != 0;
    return any;
}
int kg_warp_most(int n) {
    const int turn = arrive(6, n);
    double most = n;
    for (int i = 0; i < WARP; ++i) most = lanes[i].value[turn] > most ? lanes[i].value[turn] : most;
    return (int)most;
}
#endif

void (*lane_body)(int thread);
int first_thread;
void lane_main() {
    lane_body(first_thread + current);
    lanes[current].done = true;
    next_lane();
}
// body(first) ... body(first + WARP - 1), direction: 1 or -1
void run_warp(int first, int direction, void (*body)(int)) {
    order = direction;
    first_thread = first;
    lane_body = body;
    for (int i = 0; i < WARP; ++i) {
        Lane& lane = lanes[i];
        lane.stack.resize(1 << 20);
        lane.done = false;
        lane.calls = 0;
        lane.value[0] = lane.value[1] = 0;
        getcontext(&lane.context);
        lane.context.uc_stack.ss_sp = lane.stack.data();
        lane.context.uc_stack.ss_size = lane.stack.size();
        lane.context.uc_link = &home;
        makecontext(&lane.context, lane_main, 0);
    }
    current = 0;
    swapcontext(&home, &lanes[0].context);
}
}
