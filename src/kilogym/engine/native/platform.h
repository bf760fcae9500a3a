// What differs between the CPU and CUDA, and nothing else.
//
// The tables of a signature (tables.py) stand before this file as namespace-scope constants; KG_REAL is float or
// double. Warp's generated code defines function-like macros float(x) and int(x): casts here are written (Real)x.
//
// LANES threads of a warp own one env: its *group*. Work is written once, as loops over what the lanes share out
// (KG_EACH), with kg_sync() wherever a lane reads what another wrote. With LANES = 1, on the CPU always, the loops
// are plain loops and kg_sync() is nothing. Every lane of a warp takes every kg_sync, kg_sum, kg_ballot and kg_any:
// loops around them have bounds that are the same over the warp (kg_most).

#if defined(__CUDA_ARCH__) || defined(__CUDACC__)
#define KG_FN static __device__ __forceinline__
#define KG_UNROLLED _Pragma("unroll")   // always
#define KG_ROLLED _Pragma("unroll 1")
#else
#define KG_FN static inline
#define KG_UNROLLED
#define KG_ROLLED
#endif
// i = this lane's share of 0 .. n - 1
#define KG_EACH(i, n) KG_ROLLED for (int i = env.lane; i < (n); i += LANES)

typedef KG_REAL Real;

#if KG_LANES == 1 && !defined(KG_EMULATED)
KG_FN void kg_sync() {}
KG_FN Real kg_sum(Real x) { return x; }
KG_FN unsigned kg_ballot(bool b) { return b ? 1u : 0u; }
KG_FN bool kg_any(bool b) { return b; }
KG_FN int kg_most(int n) { return n; }
#elif defined(KG_EMULATED)  // tests run the lanes of a group one after the other: tests/engine/lanes
void* kg_emulated_work(int thread);
void kg_sync();
Real kg_sum(Real x);
unsigned kg_ballot(bool b);
bool kg_any(bool b);
int kg_most(int n);
#else
KG_FN void kg_sync() { __syncwarp(); }
// the same on every lane of the group: xor exchanges add in the same order everywhere
KG_FN Real kg_sum(Real x) {
    KG_UNROLLED for (int o = KG_LANES / 2; o > 0; o /= 2) x += __shfl_xor_sync(0xffffffffu, x, o);
    return x;
}
// bit per lane of the group
KG_FN unsigned kg_ballot(bool b) {
    const unsigned all = __ballot_sync(0xffffffffu, b);
    return KG_LANES == 32 ? all : (all >> (threadIdx.x & 31 & ~(KG_LANES - 1))) & ((1u << (KG_LANES & 31)) - 1u);
}
// over the whole warp
KG_FN bool kg_any(bool b) { return __any_sync(0xffffffffu, b) != 0; }
KG_FN int kg_most(int n) { return __reduce_max_sync(0xffffffffu, n); }
#endif
KG_FN int kg_bits(unsigned x) {
    int n = 0;
    for (; x; x &= x - 1) ++n;
    return n;
}

KG_FN Real kg_min(Real a, Real b) { return a < b ? a : b; }
KG_FN Real kg_max(Real a, Real b) { return a > b ? a : b; }
KG_FN Real kg_abs(Real a) { return a < (Real)0 ? -a : a; }
// NaN stays NaN: a limit must not hide it
KG_FN Real kg_clamp(Real x, Real lo, Real hi) { return x < lo ? lo : x > hi ? hi : x; }
KG_FN Real kg_sqrt(Real a) { return wp::sqrt(a); }
KG_FN Real kg_sin(Real a) { return wp::sin(a); }
KG_FN Real kg_cos(Real a) { return wp::cos(a); }
// NaN and infinity fail every comparison with a finite bound
KG_FN bool kg_finite(Real a) { return kg_abs(a) <= (Real)1.0e30; }
