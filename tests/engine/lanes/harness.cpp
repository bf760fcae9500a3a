// A warp on the CPU: every lane is a fiber, and a collective hands over to the next lane until all have come to it.
// The order of the lanes within a phase can be reversed, so that a missing kg_sync() shows; lanes that come to
// different collectives end the program. Included by a file that has defined KG_REAL and the tables.
#include <ucontext.h>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace wp {
inline float sqrt(float x) { return std::sqrt(x); }
inline double sqrt(double x) { return std::sqrt(x); }
inline float sin(float x) { return std::sin(x); }
inline double sin(double x) { return std::sin(x); }
inline float cos(float x) { return std::cos(x); }
inline double cos(double x) { return std::cos(x); }
inline float atan2(float y, float x) { return std::atan2(y, x); }
inline double atan2(double y, double x) { return std::atan2(y, x); }
}
struct Array2 { KG_REAL* data; int shape[2]; };
struct Ints2 { int* data; int shape[2]; };
struct Array1 { KG_REAL* data; int shape[1]; };
struct Ints1 { int* data; int shape[1]; };

namespace {
enum { WARP = 32 };
struct Lane { ucontext_t context; std::vector<char> stack; bool done; int kind; long calls; double value[2]; };
Lane lanes[WARP];
ucontext_t home;
int current, order = 1;

void next_lane() {
    const int from = current;
    for (int i = 0; i < WARP; ++i) {
        current = (current + order + WARP) % WARP;
        if (!lanes[current].done) {
            if (current != from) swapcontext(&lanes[from].context, &lanes[current].context);
            return;
        }
    }
    swapcontext(&lanes[from].context, &home);
}
// every lane of the warp arrives with a value; what the others brought is then in lanes[].value
int arrive(int kind, double value) {
    Lane& me = lanes[current];
    const int turn = (int)(me.calls++ & 1);
    me.kind = kind;
    me.value[turn] = value;
    next_lane();
    for (int i = 0; i < WARP; ++i) {
        if (lanes[i].done || (lanes[i].calls == me.calls && lanes[i].kind == kind) || lanes[i].calls == me.calls + 1) continue;
        std::fprintf(stderr, "lane %d is at collective %ld of kind %d, lane %d at %ld of kind %d\n", current, me.calls, kind, i, lanes[i].calls, lanes[i].kind);
        std::abort();
    }
    return turn;
}
}
