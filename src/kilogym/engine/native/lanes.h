// The lanes of a group and what they exchange (engine/limbs.py): LANES neighbouring threads of a warp step one env.
//
// A lane computes the local robot: the trunk, with all the same numbers as the other lanes, and a limb of its own. Local
// trees, links and velocities below TT, TL and TV are the trunk's; a limb may be a tree of its own. What limbs do to the trunk is summed over the lanes; the sum
// has the same bits on every lane. All lanes of a warp come to every exchange: loops around one have a length that is the
// same over the warp (exchanges of groups alone were measured to take turns and cost two thirds of a step).

static constexpr int LANES = KG_LANES, WARP_LANES = KG_LANES > 1 ? 32 : 1, SV = NV - TV;
static_assert(WRITTEN_OUT || KG_ROOM_LANES == 1, "plain loops are for one thread");

#if KG_LANES == 1
KG_FN void kg_sync() {}
KG_FN Real kg_from(Real x, int) { return x; }
KG_FN Real kg_across(Real x, int) { return x; }
KG_FN unsigned kg_ballot(bool b) { return b ? 1u : 0u; }
KG_FN int kg_warp_lane() { return 0; }
KG_FN int kg_warp_from(int x, int) { return x; }
KG_FN unsigned kg_warp_ballot(bool b) { return b ? 1u : 0u; }
KG_FN bool kg_warp_any(bool b) { return b; }
KG_FN int kg_warp_most(int n) { return n; }
#elif defined(KG_EMULATED)  // tests run the lanes of a warp one after the other: tests/engine/lanes
void kg_sync();
Real kg_from(Real x, int lane);
Real kg_across(Real x, int distance);
unsigned kg_ballot(bool b);
int kg_warp_lane();
int kg_warp_from(int x, int lane);
unsigned kg_warp_ballot(bool b);
bool kg_warp_any(bool b);
int kg_warp_most(int n);
#else
KG_FN void kg_sync() { __syncwarp(); }
// x of another lane of the group
KG_FN Real kg_from(Real x, int lane) { return __shfl_sync(0xffffffffu, x, lane, KG_LANES); }
KG_FN Real kg_across(Real x, int distance) { return __shfl_xor_sync(0xffffffffu, x, distance, KG_LANES); }
KG_FN unsigned kg_ballot(bool b) { return __ballot_sync(0xffffffffu, b) >> (threadIdx.x & 31u & ~(KG_LANES - 1u)) & (0xffffffffu >> (32 - KG_LANES)); }
// of the warp: this thread's number, x of another, bits of all
KG_FN int kg_warp_lane() { return threadIdx.x & 31; }
KG_FN int kg_warp_from(int x, int lane) { return __shfl_sync(0xffffffffu, x, lane); }
KG_FN unsigned kg_warp_ballot(bool b) { return __ballot_sync(0xffffffffu, b); }
KG_FN bool kg_warp_any(bool b) { return __any_sync(0xffffffffu, b) != 0; }
KG_FN int kg_warp_most(int n) { return __reduce_max_sync(0xffffffffu, n); }
#endif
// The end of a branch that only some threads of a warp took, with calls in it. The compiler counts on all being together
// again, and leaves out what exchanges do to bring them together. On an H100 two of 32 were still in the narrow phase (NVRTC
// 13.4): votes missed them, and what they wrote to uniform registers, which a warp has once, others took for an address.
// After a condition that it cannot foresee, the compiler asks who is there at every exchange up to the next barrier.
KG_FN void kg_rejoin(const Env& env) {
    if (env.index >= 0) kg_sync();
}
// The warps of a block go on together, so that they use what one of them has fetched: a step is more code than the
// instruction caches hold, and warps that drift apart fetch all of it for themselves (a quarter to two fifths of the
// Humanoid's time)
#if !defined(__CUDA_ARCH__)
KG_FN void kg_together() {}
#elif KG_LANES == 1  // threads of a warp may be apart, and one may have gone
KG_FN void kg_together() { asm volatile("barrier.sync 0;" ::: "memory"); }
#else
KG_FN void kg_together() { __syncthreads(); }
#endif

// Tells the compiler that the warp is whole: after a condition that it cannot foresee it asks at every exchange who is there, and
// carries a second copy of it for warps that are not. A barrier of 32 threads, by one of the fifteen numbers that a block has besides
// kg_together's
#if !defined(__CUDA_ARCH__) || KG_LANES == 1
KG_FN void kg_whole() {}
#else
KG_FN void kg_whole() {
    __syncwarp();
    asm volatile("barrier.sync.aligned %0, 32;" ::"r"(threadIdx.x / 32 % 15 + 1) : "memory");
}
#endif

// Whether any thread of the block says so, for loops in which its warps go on together; of threads that go by themselves: its own
#if defined(__CUDA_ARCH__) && KG_LANES > 1
KG_FN bool kg_block_any(bool b) { return __syncthreads_or(b) != 0; }
#else
KG_FN bool kg_block_any(bool b) { return kg_warp_any(b); }
#endif

#if defined(__CUDA_ARCH__)
KG_FN int kg_bits(unsigned x) { return __popc(x); }
KG_FN int kg_lowest(unsigned x) { return __ffs(x) - 1; }  // x > 0
#else
KG_FN int kg_bits(unsigned x) {
    int n = 0;
    for (; x; x &= x - 1) ++n;
    return n;
}
KG_FN int kg_lowest(unsigned x) {
    int n = 0;
    for (; !(x & 1u); x >>= 1) ++n;
    return n;
}
#endif

// Written out like every short loop of small functions: a loop left to the compiler costs it a walk through all of the
// step for each of its copies
template <int D>
KG_FN Real kg_sum_from(Real x) {
    if constexpr (D < LANES) return kg_sum_from<D * 2>(x + kg_across(x, D));
    return x;
}
KG_FN Real kg_sum(Real x) { return kg_sum_from<1>(x); }
KG_FN Vec3 kg_sum(Vec3 a) { return v3(kg_sum(a.x), kg_sum(a.y), kg_sum(a.z)); }
KG_FN Spatial kg_sum(Spatial a) { return sp(kg_sum(a.lin), kg_sum(a.ang)); }
KG_FN Inertia kg_sum(Inertia a) {
    Inertia o;
    o.m = kg_sum(a.m);
    o.mc = kg_sum(a.mc);
    o.i.xx = kg_sum(a.i.xx); o.i.yy = kg_sum(a.i.yy); o.i.zz = kg_sum(a.i.zz);
    o.i.xy = kg_sum(a.i.xy); o.i.xz = kg_sum(a.i.xz); o.i.yz = kg_sum(a.i.yz);
    return o;
}
template <int D>
KG_FN Real kg_least_from(Real x) {
    if constexpr (D < LANES) return kg_least_from<D * 2>(kg_min(x, kg_across(x, D)));
    return x;
}
KG_FN Real kg_least(Real x) { return kg_least_from<1>(x); }
// of the lanes up to this one
KG_FN int kg_sum_to(int x, int lane) {
    KG_ROLLED for (int d = 1; d < LANES; d *= 2) {
        const int before = (int)kg_from((Real)x, lane < d ? 0 : lane - d);
        if (lane >= d) x += before;
    }
    return x;
}
template <class F>
KG_FN void each_lane(const F& f) { KG_WRITTEN_OUT(0, LANES, f); }
// of the lanes' true, in their order: how many come before this lane's
KG_FN int kg_before(unsigned ballot, int lane) { return kg_bits(ballot & ((1u << lane) - 1u)); }
// bits of `count` lanes of the warp from `first` on, which may lie outside
KG_FN unsigned bits_of_lanes(int first, int count) {
    const int from = first < 0 ? 0 : first, to = first + count < WARP_LANES ? first + count : WARP_LANES;
    if (to <= from) return 0;
    return (to - from == 32 ? 0xffffffffu : (1u << (to - from)) - 1u) << from;
}
KG_FN bool kg_any(bool b) { return kg_ballot(b) != 0; }
// flags of local trees: the trunk's are set if any limb sets them
KG_FN void any_limb(bool* of_tree) {
    if (SV > 0) each<TT>([&](auto t) { of_tree[t] = kg_any(of_tree[t]); });
}

// What stands at a place of the local robot on each lane, known when compiled: numbers below 256 of up to eight lanes are in
// `bits`, eight each, those of more lanes are `base + step * lane` up to lane `last`, if they are. So that no lane looks them up
struct OnLanes { bool packed, even; unsigned low, high, there; int base, step, last; };
KG_FN constexpr OnLanes on_lanes(const int* values) {
    OnLanes o = {LANES <= 8, true, 0, 0, 0, 0, 0, 0};
    for (int lane = 0; lane < LANES; ++lane) {
        const int id = values[lane] < 0 ? 0 : values[lane];
        if (id > 255) o.packed = false;
        if (lane < 4) o.low |= (unsigned)id % 256 << 8 * lane;
        else if (lane < 8) o.high |= (unsigned)id % 256 << 8 * (lane - 4);
        if (values[lane] < 0) continue;
        o.there |= 1u << lane;
        if (lane == 0) o.base = id;
        if (lane == 1) o.step = id - o.base;
        if (lane != 0 && !(o.there >> (lane - 1) & 1u)) o.even = false;
        if (id != o.base + o.step * lane) o.even = false;
        o.last = lane;
    }
    if (!(o.there & 1u)) o.even = false;
    return o;
}
KG_FN int number_on(const OnLanes& o, int lane, const int* values) {
    if (o.packed) return (LANES > 4 && lane >= 4 ? o.high >> 8 * (lane - 4) : o.low >> 8 * lane) & 255u;
    if (o.even) return o.base + o.step * (lane < o.last ? lane : o.last);
    return values[lane] < 0 ? 0 : values[lane];
}

// The same as a number of the env. A place that is empty here has some number that can be looked up; has_*() tells.
#define KG_PLACE(name)                                                                                              \
    template <int N>                                                                                                \
    KG_FN auto name##_id(const Env& env, Index<N>) {                                                                \
        constexpr int same = name##_same[Index<N>()];                                                               \
        if constexpr (same >= 0) {                                                                                  \
            return Index<same>();                                                                                   \
        } else {                                                                                                    \
            constexpr OnLanes on = on_lanes(lane_##name##_values + N * LANES);                                      \
            return number_on(on, env.lane, lane_##name##_values + N * LANES);                                       \
        }                                                                                                           \
    }                                                                                                               \
    template <int N>                                                                                                \
    KG_FN bool has_##name(const Env& env, Index<N>) {                                                               \
        if constexpr (N < 0 || name##_on_all[Index<N>()]) {                                                         \
            return N >= 0;                                                                                          \
        } else {                                                                                                    \
            constexpr OnLanes on = on_lanes(lane_##name##_values + N * LANES);                                      \
            return on.there >> env.lane & 1u;                                                                       \
        }                                                                                                           \
    }                                                                                                               \
    KG_FN int name##_id(const Env& env, int i) {                                                                    \
        const int id = name##_same[i] >= 0 ? name##_same[i] : lane_##name##_values[i * LANES + env.lane];           \
        return id < 0 ? 0 : id;                                                                                     \
    }                                                                                                               \
    KG_FN bool has_##name(const Env& env, int i) { return name##_on_all[i] || lane_##name##_values[i * LANES + env.lane] >= 0; }
KG_PLACE(tree)
KG_PLACE(link)
KG_PLACE(joint)
KG_PLACE(dof)
KG_PLACE(shape)
KG_PLACE(sensor)

// this lane is the one to write what is known of a local tree, link or DOF
template <class T>
KG_FN bool writes_tree(const Env& env, T t) { return t < TT ? env.lane == 0 : has_tree(env, t); }
template <class L>
KG_FN bool writes_link(const Env& env, L l) { return l < TL ? env.lane == 0 : has_link(env, l); }
template <class D>
KG_FN bool writes_dof(const Env& env, D d) { return v_link[dof_v[d]] < TL ? env.lane == 0 : has_dof(env, d); }

// a local tree is this one of the env
template <class T>
KG_FN bool is_tree(const Env& env, T t, int tree) { return tree_id(env, t) == tree && has_tree(env, t); }

// the trunk's link that a limb hangs on; -1: no limb here
template <class L>
KG_FN int hangs_on(const Env& env, L l) { return lane_hang_values[l * LANES + env.lane]; }
// a[parent of l]
template <class T, class L>
KG_FN T of_parent(const Env& env, const T* a, L l) {
    T x = a[link_parent[l]];
    if (link_strays[l]) {
        const int on = hangs_on(env, l);
        each<NHANGS>([&](auto n) { if (on == hang_link[n]) x = a[hang_link[n]]; });
    }
    return x;
}
// adds to a[trunk link] what add(l, trunk link) says of the limbs that hang on it, of all lanes
template <class T, class F>
KG_FN void hang_limbs(const Env& env, T* a, F add) {
    each<NHANGS>([&](auto n) {
        const auto t = hang_link[n];
        T sum = T();
        each<NROOTS>([&](auto r) {
            const auto l = limb_root[r];
            if (!link_strays[l] ? link_parent[l] == t : hangs_on(env, l) == t) sum = sum + add(l, t);
        });
        a[t] = a[t] + kg_sum(sum);
    });
}
