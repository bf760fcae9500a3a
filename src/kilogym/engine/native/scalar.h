// Scalars. KG_REAL is float or double. Warp's generated code defines function-like macros float(x) and int(x): casts are
// written (Real)x.

typedef KG_REAL Real;

KG_FN Real kg_min(Real a, Real b) { return a < b ? a : b; }
KG_FN Real kg_max(Real a, Real b) { return a > b ? a : b; }
KG_FN Real kg_abs(Real a) { return a < (Real)0 ? -a : a; }
// NaN stays NaN: a limit must not hide it
KG_FN Real kg_clamp(Real x, Real lo, Real hi) { return x < lo ? lo : x > hi ? hi : x; }
// On CUDA in float32 the hardware's own, 1 unit in the last place; without the branches that the last half unit and
// denormal numbers cost. kg_div: of the whole range, 2 units in the last place; the rounded quotient calls a function where
// operands are zero or far apart, in a branch of its own for each division
#if defined(__CUDA_ARCH__)
KG_FN float kg_sqrt(float a) { float r; asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a)); return r; }
KG_FN float kg_inv(float a) { float r; asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a)); return r; }
KG_FN float kg_rsqrt(float a) { float r; asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a)); return r; }
KG_FN float kg_div(float a, float b) { float r; asm("div.full.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b)); return r; }
KG_FN double kg_div(double a, double b) { return a / b; }
KG_FN double kg_sqrt(double a) { return wp::sqrt(a); }
KG_FN double kg_inv(double a) { return 1.0 / a; }
KG_FN double kg_rsqrt(double a) { return 1.0 / wp::sqrt(a); }
#else
KG_FN Real kg_sqrt(Real a) { return wp::sqrt(a); }
KG_FN Real kg_div(Real a, Real b) { return a / b; }
KG_FN Real kg_inv(Real a) { return (Real)1 / a; }
KG_FN Real kg_rsqrt(Real a) { return (Real)1 / wp::sqrt(a); }
#endif
// What was loaded is there from here on: the compiler may not put the load off to where the number is first used
#if defined(__CUDA_ARCH__)
KG_FN void kg_here(float& a) { asm volatile("" : "+f"(a)); }
KG_FN void kg_here(double& a) { asm volatile("" : "+d"(a)); }
#else
KG_FN void kg_here(Real&) {}
#endif
// The same on the CPU and on CUDA in float32, without the tables that large arguments take elsewhere: the multiple of
// pi / 2 goes off in three parts, of which products with up to 13 bits are exact (8192 rad). Error: 1.6 units in the
// last place up to 7 rad. Source of parts and polynomials: Cephes, sinf.c
KG_FN void kg_sincos(Real a, Real& s, Real& c) {
    if (sizeof(Real) == 8) {
        s = wp::sin(a);
        c = wp::cos(a);
        return;
    }
    const Real round = (Real)12582912.0;  // 1.5 * 2^23: adding it rounds to the nearest integer
    const Real turns = (a * (Real)0.636619772367581343 + round) - round;
    const Real r = ((a - turns * (Real)1.5703125) - turns * (Real)4.837512969970703125e-4) - turns * (Real)7.54978995489188216e-8;
    const Real z = r * r;
    const int quarter = (int)turns;
    const Real sine = r + r * z * ((Real)-1.6666654611e-1 + z * ((Real)8.3321608736e-3 - z * (Real)1.9515295891e-4));
    const Real cosine = (Real)1 - (Real)0.5 * z
        + z * z * ((Real)4.166664568298827e-2 + z * ((Real)-1.388731625493765e-3 + z * (Real)2.443315711809948e-5));
    s = quarter & 1 ? cosine : sine;
    c = quarter & 1 ? sine : cosine;
    if (quarter & 2) s = -s;
    if ((quarter + 1) & 2) c = -c;
}
// NaN and infinity fail every comparison with a finite bound
KG_FN bool kg_finite(Real a) { return kg_abs(a) <= (Real)1.0e30; }
