// What differs between the CPU and CUDA, and nothing else.
//
// The tables of a signature (tables.py) stand before this file as namespace-scope constants; KG_REAL is float or
// double. Warp's generated code defines function-like macros float(x) and int(x): casts here are written (Real)x.
//
// LANES threads of a warp own one env: its *group*. Work is written once, as loops over what the lanes share out
// (KG_EACH), with kg_sync() wherever a lane reads what another wrote. With LANES = 1, on the CPU always, the loops
// are plain loops and kg_sync() is nothing. Every lane of a warp takes every kg_sync, kg_from, kg_vote, kg_ballot and kg_any:
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
KG_FN unsigned kg_ballot(bool b) { return b ? 1u : 0u; }
KG_FN bool kg_any(bool b) { return b; }
KG_FN unsigned kg_vote(bool b, bool& anyone) { anyone = b; return b ? 1u : 0u; }
KG_FN Real kg_from(Real x, int) { return x; }
KG_FN int kg_most(int n) { return n; }
#elif defined(KG_EMULATED)  // tests run the lanes of a group one after the other: tests/engine/lanes
void* kg_emulated_work(int thread);
void kg_sync();
unsigned kg_ballot(bool b);
bool kg_any(bool b);
unsigned kg_vote(bool b, bool& anyone);
Real kg_from(Real x, int lane);
int kg_most(int n);
#else
KG_FN void kg_sync() { __syncwarp(); }
// bit per lane of the group; anyone: in the whole warp
KG_FN unsigned kg_vote(bool b, bool& anyone) {
    const unsigned all = __ballot_sync(0xffffffffu, b);
    anyone = all != 0;
    return KG_LANES == 32 ? all : (all >> (threadIdx.x & 31 & ~(KG_LANES - 1))) & ((1u << (KG_LANES & 31)) - 1u);
}
KG_FN unsigned kg_ballot(bool b) {
    bool anyone;
    return kg_vote(b, anyone);
}
// x of a lane of the group
KG_FN Real kg_from(Real x, int lane) { return __shfl_sync(0xffffffffu, x, lane, KG_LANES); }
// over the whole warp
KG_FN bool kg_any(bool b) { return __any_sync(0xffffffffu, b) != 0; }
KG_FN int kg_most(int n) { return __reduce_max_sync(0xffffffffu, n); }
#endif
#if defined(__CUDACC__) && !defined(KG_EMULATED)
KG_FN int kg_bits(unsigned x) { return __popc(x); }
KG_FN int kg_lowest(unsigned x) { return __ffs(x) - 1; }  // x > 0
#else
KG_FN int kg_bits(unsigned x) {
    int n = 0;
    for (; x; x &= x - 1) ++n;
    return n;
}
KG_FN int kg_lowest(unsigned x) { return kg_bits((x & (0u - x)) - 1u); }
#endif

KG_FN Real kg_min(Real a, Real b) { return a < b ? a : b; }
KG_FN Real kg_max(Real a, Real b) { return a > b ? a : b; }
KG_FN Real kg_abs(Real a) { return a < (Real)0 ? -a : a; }
// NaN stays NaN: a limit must not hide it
KG_FN Real kg_clamp(Real x, Real lo, Real hi) { return x < lo ? lo : x > hi ? hi : x; }
KG_FN Real kg_sqrt(Real a) { return wp::sqrt(a); }
// The same on the CPU and on CUDA in float32, without the tables that large arguments take elsewhere: the multiple of
// pi / 2 goes off in double precision. Error: 1.6 units in the last place up to 7 rad, 1e-7 beyond. Source of the polynomials: Cephes, sinf.c
KG_FN void kg_sincos(Real a, Real& s, Real& c) {
    if (sizeof(Real) == 8) {
        s = wp::sin(a);
        c = wp::cos(a);
        return;
    }
    const double round = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to the nearest integer
    const double turns = ((double)a * 0.63661977236758134308 + round) - round;
    const Real r = (Real)((double)a - turns * 1.57079632679489661923), z = r * r;
    const int quarter = (int)(turns - 4 * ((turns * 0.25 + round) - round));  // -2 to 2
    const Real sine = r + r * z * ((Real)-1.6666654611e-1 + z * ((Real)8.3321608736e-3 - z * (Real)1.9515295891e-4));
    const Real cosine = (Real)1 - (Real)0.5 * z
        + z * z * ((Real)4.166664568298827e-2 + z * ((Real)-1.388731625493765e-3 + z * (Real)2.443315711809948e-5));
    const bool swapped = quarter & 1;
    s = swapped ? cosine : sine;
    c = swapped ? sine : cosine;
    if (quarter == 2 || quarter == -2 || quarter == -1) s = -s;
    if (quarter == 2 || quarter == -2 || quarter == 1) c = -c;
}
// NaN and infinity fail every comparison with a finite bound
KG_FN bool kg_finite(Real a) { return kg_abs(a) <= (Real)1.0e30; }
