// What differs between the CPU and CUDA, and nothing else.
//
// The tables of a signature (tables.py) stand before this file as namespace-scope constants; KG_REAL is float or
// double. Warp's generated code defines function-like macros float(x) and int(x): casts here are written (Real)x.

#if defined(__CUDA_ARCH__) || defined(__CUDACC__)
#define KG_FN static __device__ __forceinline__
#if KG_ROLLED
#define KG_UNROLL _Pragma("unroll 1")
#else
#define KG_UNROLL _Pragma("unroll")
#endif
#else
#define KG_FN static inline
#define KG_UNROLL
#endif

typedef KG_REAL Real;

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
