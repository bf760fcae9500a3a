// Loops over a robot's structure, written once for a CPU and for a GPU.
//
// On the CPU they are plain loops. On CUDA (KG_UNROLL) they are written out: the index is a type, Index<5>, tables
// looked up with it give types again, and so every loop bound, branch and array position is known when compiled. What
// is left is straight-line arithmetic on registers. Bodies take the index as `auto`.

#if defined(__CUDA_ARCH__) || defined(__CUDACC__)
#define KG_FN static __device__ __forceinline__
#define KG_CALL static __device__ __noinline__   // seldom run, and large: one copy
#define KG_METHOD __device__ __forceinline__
#define KG_TABLE static __device__ constexpr
#define KG_ROLLED _Pragma("unroll 1")
#else
#define KG_FN static inline
#define KG_CALL static
#define KG_METHOD inline
#define KG_TABLE static constexpr
#define KG_ROLLED
#endif

typedef int Int;  // Warp makes int(...) a macro
template <int N>
struct Index { KG_METHOD constexpr operator Int() const { return N; } };
template <int A, int B>
KG_FN constexpr Index<A + B> operator+(Index<A>, Index<B>) { return Index<A + B>(); }
template <int A, int B>
KG_FN constexpr Index<A - B> operator-(Index<A>, Index<B>) { return Index<A - B>(); }

// A table of the robot, `name`, whose numbers are `name_values`. A link without a parent may be looked up in a branch
// that is never taken: any number will do there.
#define KG_LOOKUP(name, count, ...)                                                                              \
    KG_TABLE int name##_values[count] = {__VA_ARGS__};                                                          \
    struct name##_table {                                                                                       \
        template <int I>                                                                                        \
        KG_METHOD constexpr auto operator[](Index<I>) const { return Index<(I < 0 || I >= count) ? 0 : name##_values[I < 0 || I >= count ? 0 : I]>(); } \
        KG_METHOD int operator[](int i) const { return name##_values[i]; }                                      \
    };                                                                                                          \
    KG_TABLE name##_table name {};

// 0 ... N - 1 as a type: made once for every N, from halves
template <int... I> struct Numbers {};
template <class A, class B> struct Joined;
template <int... I, int... J>
struct Joined<Numbers<I...>, Numbers<J...>> { typedef Numbers<I..., ((Int)sizeof...(I) + J)...> type; };
template <int N> struct UpTo { typedef typename Joined<typename UpTo<N / 2>::type, typename UpTo<N - N / 2>::type>::type type; };
template <> struct UpTo<0> { typedef Numbers<> type; };
template <> struct UpTo<1> { typedef Numbers<0> type; };

// f(FIRST + i), or f(LAST - i), of all i: one fold, which compiles a third faster than nested templates
template <int FIRST, int... I, class F>
KG_FN void folded(Numbers<I...>, const F& f) { (f(Index<FIRST + I>()), ...); }
template <int LAST, int... I, class F>
KG_FN void folded_down(Numbers<I...>, const F& f) { (f(Index<LAST - I>()), ...); }
#define KG_WRITTEN_OUT(FIRST, N, f) folded<FIRST>(typename UpTo<N>::type(), f)
#define KG_WRITTEN_OUT_DOWN(FIRST, N, f) folded_down<FIRST + N - 1>(typename UpTo<N>::type(), f)

// f(i) for first <= i < first + count, ascending or descending
template <int FIRST, int N, class F>
KG_FN void span(Index<FIRST>, Index<N>, const F& f) { KG_WRITTEN_OUT(FIRST, N, f); }
template <class F>
KG_FN void span(int first, int count, const F& f) { KG_ROLLED for (int i = first; i < first + count; ++i) f(i); }
template <int FIRST, int N, class F>
KG_FN void span_down(Index<FIRST>, Index<N>, const F& f) { KG_WRITTEN_OUT_DOWN(FIRST, N, f); }
template <class F>
KG_FN void span_down(int first, int count, const F& f) { KG_ROLLED for (int i = first + count - 1; i >= first; --i) f(i); }

#if KG_UNROLL
typedef Index<0> Zero;
#else
typedef int Zero;
#endif
static constexpr bool WRITTEN_OUT = KG_UNROLL;

// f(a) and, unless it is -1, f(b); of equals twice. With code written out f comes to all of 0 ... N - 1 and has to ask
template <int N, class F>
KG_FN void each_of_two(int a, int b, const F& f) {
#if KG_UNROLL
    KG_WRITTEN_OUT(0, N, f);
#else
    f(a);
    if (b >= 0) f(b);
#endif
}

// Plain loops keep as little as they can: on a GPU an array is on each thread's stack.
//
// An array of N reals in a function: with code written out its own, otherwise that of another one which is not in use
#if KG_UNROLL
#define KG_BORROWED(name, N, other) Real name[N]
#else
#define KG_BORROWED(name, N, other) Real* const name = other
#endif
// Whether numbers that are looked up more than once are kept; on a GPU plain loops find them each time
#if KG_UNROLL || !defined(__CUDA_ARCH__)
#define KG_KEPT 1
#else
#define KG_KEPT 0
#endif
template <class F>
struct LookedUp {
    F find;
    KG_METHOD auto operator[](int i) const { return find(i); }
};
template <class F>
KG_FN LookedUp<F> looked_up(F find) { return LookedUp<F>{find}; }

// f(0) ... f(N - 1)
template <int N, class F>
KG_FN void each(const F& f) {
#if KG_UNROLL
    KG_WRITTEN_OUT(0, N, f);
#else
    KG_ROLLED for (int i = 0; i < N; ++i) f(i);
#endif
}
// f(FIRST) ... f(FIRST + N - 1), and downwards
template <int FIRST, int N, class F>
KG_FN void each_from(const F& f) {
#if KG_UNROLL
    KG_WRITTEN_OUT(FIRST, N, f);
#else
    KG_ROLLED for (int i = FIRST; i < FIRST + N; ++i) f(i);
#endif
}
template <int FIRST, int N, class F>
KG_FN void each_from_down(const F& f) {
#if KG_UNROLL
    KG_WRITTEN_OUT_DOWN(FIRST, N, f);
#else
    KG_ROLLED for (int i = FIRST + N - 1; i >= FIRST; --i) f(i);
#endif
}
