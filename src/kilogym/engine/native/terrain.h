// Static terrain as a shape sees it: triangles near it, in coordinates from the shape's centre, env axes.
//
// Terrain is shared by all envs and lies in the global frame (engine/terrain.py lays out its two buffers). Positions
// are made small before they are rounded: an env knows its origin in terms of each terrain, a height field's as a grid
// node and the rest, a mesh's as a sum of two numbers, like its vertices. So an env a kilometre away is as exact as one
// at the origin, and triangles that meet share their vertices to the bit.

// floor as an int, of what is not a number too
KG_FN int kg_floor(Real x) {
    x = x > (Real)-1e6 ? (x < (Real)1e6 ? x : (Real)1e6) : (Real)-1e6;
    const int i = (int)x;
    return (Real)i > x ? i - 1 : i;
}

// order of engine/terrain.py
enum { T_MESH = 0, T_NX, T_NY, T_INTS, T_REALS, T_AXIS_U, T_AXIS_V, T_CELLS, T_LIST, T_FACES, T_RING_START, T_RING, T_HEADER_INTS = 12 };
enum { T_DX = 0, T_DY, T_TURN, T_GRID_U = 6, T_GRID_V, T_HEADER_REALS = 8 };

struct Terrain {
    int number, nx, ny;  // samples of a height field along x and y, or cells of a mesh's grid
    bool mesh;
    const int* head;
    const int* ints;
    const Real* reals;   // heights [m], or vertices
    Real dx, dy;         // pitch of samples, or of cells
    // height field: the shape's centre from node (ci, cj), in the field's axes
    int ci, cj;
    Vec3 at;
    Real low;            // height of the shape's lowest point
    Quat turn;           // field axes -> env axes
    bool turned;
    // mesh: the env's origin as a sum, the tree's reference point in the env, the shape's centre from there
    Vec3 hi, lo, ref, pos;
    int i0, i1, j0, j1;  // cells that the shape may touch; i1 < i0: none
    Vec3 box, ext;       // what may be touched lies in: centre and half extents, env axes
};

template <class Args>
KG_FN bool is_mesh(const Args& args, int number) { return HAS_MESHES && (!HAS_FIELDS || args.terrain_ints.data[number * T_HEADER_INTS + T_MESH] != 0); }

// ext: half extents of a box around the shape, env axes
template <class Args>
KG_FN Terrain view_terrain(const Args& args, const Env& env, int number, Vec3 ref, Vec3 pos, Vec3 ext) {
    Terrain t;
    t.number = number;
    t.head = args.terrain_ints.data + number * T_HEADER_INTS;
    const Real* head = args.terrain_reals.data + number * T_HEADER_REALS;
    t.mesh = is_mesh(args, number);
    t.nx = t.head[T_NX];
    t.ny = t.head[T_NY];
    t.ints = args.terrain_ints.data + t.head[T_INTS];
    t.reals = args.terrain_reals.data + t.head[T_REALS];
    t.dx = head[T_DX];
    t.dy = head[T_DY];
    t.hi = param3(KG_PARAM(terrain_origin), 2 * number, env);
    t.lo = param3(KG_PARAM(terrain_origin), 2 * number + 1, env);
    t.ref = ref;
    t.pos = pos;
    t.turn = q4(head[T_TURN], head[T_TURN + 1], head[T_TURN + 2], head[T_TURN + 3]);
    t.turned = t.turn.x != 0 || t.turn.y != 0 || t.turn.z != 0;
    t.box = v3(0, 0, 0);
    t.ext = ext;
    if (t.mesh) {
        // the grid needs no precision, but must not lose a cell by rounding
        const int u = t.head[T_AXIS_U], v = t.head[T_AXIS_V];
        const Real cu = pick(t.hi, u) - head[T_GRID_U] + (pick(ref, u) + pick(t.lo, u)) + pick(pos, u);
        const Real cv = pick(t.hi, v) - head[T_GRID_V] + (pick(ref, v) + pick(t.lo, v)) + pick(pos, v);
        const Real eu = pick(ext, u) + (Real)1e-6 * (kg_abs(pick(t.hi, u)) + kg_abs(head[T_GRID_U]) + kg_abs(pick(ref, u)));
        const Real ev = pick(ext, v) + (Real)1e-6 * (kg_abs(pick(t.hi, v)) + kg_abs(head[T_GRID_V]) + kg_abs(pick(ref, v)));
        t.i0 = kg_floor(kg_div(cu - eu, t.dx)); t.i1 = kg_floor(kg_div(cu + eu, t.dx));
        t.j0 = kg_floor(kg_div(cv - ev, t.dy)); t.j1 = kg_floor(kg_div(cv + ev, t.dy));
        // what lies on the upper border belongs to the last cells
        if (t.i0 == t.nx) t.i0 = t.nx - 1;
        if (t.j0 == t.ny) t.j0 = t.ny - 1;
        t.i1 = t.i1 < t.nx ? t.i1 : t.nx - 1;
        t.j1 = t.j1 < t.ny ? t.j1 : t.ny - 1;
    } else {
        const Quat back = conj(t.turn);
        const Vec3 l = rotate(back, ref) + t.lo, p = rotate(back, pos);
        const Vec3 x = rotate(back, v3(ext.x, 0, 0)), y = rotate(back, v3(0, ext.y, 0)), z = rotate(back, v3(0, 0, ext.z));
        const Real ex = kg_abs(x.x) + kg_abs(y.x) + kg_abs(z.x), ey = kg_abs(x.y) + kg_abs(y.y) + kg_abs(z.y);
        const Real ez = kg_abs(x.z) + kg_abs(y.z) + kg_abs(z.z);
        const int fi = kg_floor(kg_div(l.x + p.x, t.dx)), fj = kg_floor(kg_div(l.y + p.y, t.dy));
        t.ci = (int)t.hi.x + fi;
        t.cj = (int)t.hi.y + fj;
        t.at = v3((l.x - (Real)fi * t.dx) + p.x, (l.y - (Real)fj * t.dy) + p.y, l.z + p.z);
        t.low = t.at.z - ez;
        t.i0 = t.ci + kg_floor(kg_div(t.at.x - ex, t.dx)); t.i1 = t.ci + kg_floor(kg_div(t.at.x + ex, t.dx));
        t.j0 = t.cj + kg_floor(kg_div(t.at.y - ey, t.dy)); t.j1 = t.cj + kg_floor(kg_div(t.at.y + ey, t.dy));
        t.i1 = t.i1 < t.nx - 1 ? t.i1 : t.nx - 2;
        t.j1 = t.j1 < t.ny - 1 ? t.j1 : t.ny - 2;
    }
    t.i0 = t.i0 > 0 ? t.i0 : 0;
    t.j0 = t.j0 > 0 ? t.j0 : 0;
    if (t.j1 < t.j0) t.i1 = t.i0 - 1;
    return t;
}

// the same for what is within r of c alone
KG_FN Terrain narrowed(const Terrain& t, Vec3 c, Real r) {
    Terrain n = t;
    if (t.mesh) {
        const Vec3 lo = v3(kg_max(c.x - r, -t.ext.x), kg_max(c.y - r, -t.ext.y), kg_max(c.z - r, -t.ext.z));
        const Vec3 hi = v3(kg_min(c.x + r, t.ext.x), kg_min(c.y + r, t.ext.y), kg_min(c.z + r, t.ext.z));
        n.box = (lo + hi) * (Real)0.5;
        n.ext = (hi - lo) * (Real)0.5;
        return n;
    }
    const Vec3 l = t.at + rotate(conj(t.turn), c);
    const int i0 = t.ci + kg_floor(kg_div(l.x - r, t.dx)), i1 = t.ci + kg_floor(kg_div(l.x + r, t.dx));
    const int j0 = t.cj + kg_floor(kg_div(l.y - r, t.dy)), j1 = t.cj + kg_floor(kg_div(l.y + r, t.dy));
    n.i0 = i0 > t.i0 ? i0 : t.i0; n.i1 = i1 < t.i1 ? i1 : t.i1;
    n.j0 = j0 > t.j0 ? j0 : t.j0; n.j1 = j1 < t.j1 ? j1 : t.j1;
    if (n.j1 < n.j0) n.i1 = n.i0 - 1;
    return n;
}

// Number of sample (i, j) of a height field as a vertex: without the division that i * ny + j would need to be undone
static constexpr int SAMPLES = 32768;  // most along a side: engine/terrain.py
KG_FN int sample(int i, int j) { return i * SAMPLES + j; }
// numbers of vertices without gaps
KG_FN int vertex_number(const Terrain& t, int v) { return t.mesh ? v : v / SAMPLES * t.ny + v % SAMPLES; }
// sample (i, j), as high as this
KG_FN Vec3 field_vertex(const Terrain& t, int i, int j, Real height) {
    const Vec3 p = v3((Real)(i - t.ci) * t.dx - t.at.x, (Real)(j - t.cj) * t.dy - t.at.y, height - t.at.z);
    return t.turned ? rotate(t.turn, p) : p;
}
KG_FN Vec3 terrain_vertex(const Terrain& t, int v) {
    if (t.mesh) {
        const Real* p = t.reals + 6 * v;
        return v3(((p[0] - t.hi.x) - t.ref.x) + (p[3] - t.lo.x) - t.pos.x, ((p[1] - t.hi.y) - t.ref.y) + (p[4] - t.lo.y) - t.pos.y,
                  ((p[2] - t.hi.z) - t.ref.z) + (p[5] - t.lo.z) - t.pos.z);
    }
    const int i = v / SAMPLES, j = v % SAMPLES;
    return field_vertex(t, i, j, t.reals[i * t.ny + j]);
}

// f(position of a neighbour) for the vertices joined to v by an edge
template <class F>
KG_FN void over_ring(const Terrain& t, int v, F f) {
    if (t.mesh) {
        const int* start = t.ints + t.head[T_RING_START] + v;
        KG_ROLLED for (int n = start[0]; n < start[1]; ++n) f(terrain_vertex(t, t.ints[t.head[T_RING] + n]));
        return;
    }
    const int i = v / SAMPLES, j = v % SAMPLES;
    KG_ROLLED for (int n = 0; n < 6; ++n) {
        const int side = n < 3 ? 1 : -1, which = n % 3;  // along x, along y, along the diagonal
        const int a = i + (which != 1 ? side : 0), b = j + (which != 0 ? side : 0);
        if (a >= 0 && a < t.nx && b >= 0 && b < t.ny) f(terrain_vertex(t, sample(a, b)));
    }
}
