// The schedules of eight envs' contacts (native/schedule.h), by one thread after the other or by a warp of fibers.
namespace {
enum { ENVS = 8 };
Four room[ENVS * ROOM];
const int *counts, *shapes_a, *shapes_b;
int* visits;

// visits: [env, round, lane] -> contact, by one thread [env, n-th visit]; where there is none it is left alone
void schedule_one(int thread) {
    const Env env = {thread / LANES, thread % LANES, true};
    const int count = counts[env.index], *a = shapes_a + env.index * MAX_CONTACTS, *b = shapes_b + env.index * MAX_CONTACTS;
    const Rows rows = {room + (ENVS_PER_WARP == 1 ? env.index * ROOM : env.index)};
    for (int i = env.lane; i < count; i += LANES) {
        rows.at(i, 5) = four(v3(0, 0, 1), 0);
        rows.at(i, 6) = four(v3(0, 0, 0), (Real)a[i]);
        rows.at(i, 7) = four(v3(0, 0, 0), (Real)b[i]);
        rows.set_owners(i, owners_of(rows.place(i)));
    }
    kg_sync();
    int* out = visits + env.index * MAX_CONTACTS * LANES + env.lane;
    each_visit(env, rows, schedule_contacts(env, rows, count), [&](const Visited& at) {
        if (at.mine) *out = at.contact;
        out += LANES;
    });
}
}

extern "C" void schedule(const int* count, const int* a, const int* b, int* out) {
    counts = count;
    shapes_a = a;
    shapes_b = b;
    visits = out;
#if KG_LANES == 1
    for (int thread = 0; thread < ENVS; ++thread) schedule_one(thread);
#else
    static_assert(KG_LANES * ENVS == WARP, "the envs of a warp");
    run_warp(0, 1, schedule_one);
#endif
}
