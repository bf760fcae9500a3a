// The triangles of terrain (terrain.h), and walks over those that a shape may touch.

// A triangle, counter-clockwise seen from outside. Edge k goes from p[k] to p[k + 1].
struct Face {
    Vec3 p[3], n;
    int v[3];
    int across[3];   // vertex opposite edge k in the triangle beyond it; -1: none
    bool owns[3];    // of the two triangles of edge k this is the one to speak for it
};

// A triangle seen from one edge after the other, from p to q, so that there is code for one
struct Turned {
    Vec3 p, q, r;
    int across, across_q, across_r;
    bool owns, owns_q, owns_r;
    KG_METHOD Turned(const Face& f)
        : p(f.p[0]), q(f.p[1]), r(f.p[2]), across(f.across[0]), across_q(f.across[1]), across_r(f.across[2]), owns(f.owns[0]), owns_q(f.owns[1]), owns_r(f.owns[2]) {}
    KG_METHOD void turn() {
        const Vec3 first = p;
        const int other = across;
        const bool own = owns;
        p = q; q = r; r = first;
        across = across_q; across_q = across_r; across_r = other;
        owns = owns_q; owns_q = owns_r; owns_r = own;
    }
};

// a half of cell (i, j) of a height field: cells are split by the diagonal from (i, j) to (i + 1, j + 1), and half 1 is the one
// with (i + 1, j)
KG_FN void number_half(const Terrain& t, int i, int j, int half, Face& f) {
    const int v00 = sample(i, j), v01 = sample(i, j + 1), v10 = sample(i + 1, j), v11 = sample(i + 1, j + 1);
    f.v[0] = v00;
    f.v[1] = half ? v10 : v11;
    f.v[2] = half ? v11 : v01;
    const bool before = half ? j > 0 : i > 0, behind = half ? i + 2 < t.nx : j + 2 < t.ny;
    f.across[0] = half ? (before ? sample(i, j - 1) : -1) : v10;
    f.across[1] = behind ? (half ? sample(i + 2, j + 1) : sample(i + 1, j + 2)) : -1;
    f.across[2] = half ? v01 : (before ? sample(i - 1, j) : -1);
    for (int k = 0; k < 3; ++k) f.owns[k] = half || f.across[k] < 0;  // an edge has a half of either kind
}
KG_FN void place_half(const Terrain& t, int i, int j, int half, Vec3 heights, Face& f) {
    f.p[0] = field_vertex(t, i, j, heights.x);
    f.p[1] = field_vertex(t, i + 1, half ? j : j + 1, heights.y);
    f.p[2] = field_vertex(t, half ? i + 1 : i, j + 1, heights.z);
}
KG_FN void number_triangle(const Terrain& t, int id, Face& f) {
    const int* data = t.ints + t.head[T_FACES] + 8 * id;
    for (int k = 0; k < 3; ++k) {
        f.v[k] = data[k];
        f.across[k] = data[3 + k];
        f.owns[k] = (data[6] >> k) & 1;
    }
}
// false: it has no normal
KG_FN bool place_normal(Face& f) {
    const Vec3 area = cross(f.p[1] - f.p[0], f.p[2] - f.p[0]);
    const Real size = norm(area);
    f.n = area * kg_inv(size);
    return size > (Real)1e-20;
}
// unit, in the plane of a triangle, off its edge from p to q
KG_FN Vec3 inward_of(Vec3 n, Vec3 p, Vec3 q) {
    const Vec3 in = cross(n, q - p);
    return in * kg_inv(norm(in));
}
KG_FN bool is_outside(Real a, Real b, Real c, Real half) {
    return kg_min(a, kg_min(b, c)) > half || kg_max(a, kg_max(b, c)) < -half;
}

// Where a triangle is: half n of cell (i, j) of a height field, or n in a mesh's list, come upon in that cell
struct FaceAt { int i, j, n; };
// its corners and normal; false: it has none
KG_FN bool place_corners(const Terrain& t, FaceAt at, Face& f) {
    if (t.mesh) {
        number_triangle(t, t.ints[t.head[T_LIST] + at.n], f);
        for (int k = 0; k < 3; ++k) f.p[k] = terrain_vertex(t, f.v[k]);
    } else {
        const Real* h = t.reals + at.i * t.ny + at.j;
        place_half(t, at.i, at.j, at.n, v3(h[0], at.n ? h[t.ny] : h[t.ny + 1], at.n ? h[t.ny + 1] : h[1]), f);
    }
    return place_normal(f);
}
// the same; false also: it cannot be touched. A mesh's lies in many cells and counts in the first of those looked at
KG_FN bool place_face(const Terrain& t, FaceAt at, Face& f) {
    if (t.mesh) {
        const int its = t.ints[t.head[T_FACES] + 8 * t.ints[t.head[T_LIST] + at.n] + 7], iu = its / t.ny, iv = its - iu * t.ny;
        if ((iu > t.i0 ? iu : t.i0) != at.i || (iv > t.j0 ? iv : t.j0) != at.j) return false;
    } else {
        const Real* h = t.reals + at.i * t.ny + at.j;
        if (t.low > kg_max(kg_max(h[0], h[t.ny + 1]), at.n ? h[t.ny] : h[1])) return false;
    }
    if (!place_corners(t, at, f)) return false;
    if (!t.mesh) return true;
    const Vec3 a = f.p[0] - t.box, b = f.p[1] - t.box, c = f.p[2] - t.box;
    return !(is_outside(a.x, b.x, c.x, t.ext.x) || is_outside(a.y, b.y, c.y, t.ext.y) || is_outside(a.z, b.z, c.z, t.ext.z));
}
// what stands around it; of a mesh that is known already
KG_FN void number_face(const Terrain& t, FaceAt at, Face& f) {
    if (!t.mesh) number_half(t, at.i, at.j, at.n, f);
}

// How far a walk over the triangles in a shape's cells has come: the next cell; the one it is in, and what is left of it
struct Walk {
    int next_i, next_j;
    FaceAt at;
    int end;
};
KG_FN Walk walk_over(const Terrain& t) { return Walk{t.i0, t.j0, {0, 0, 0}, 0}; }

// Goes on to the next triangle that may be touched and that passes; false: there is none. What it is tested by is short, so that
// threads that walk over different triangles are soon back together with one each.
template <class Test>
KG_FN bool next_face(const Terrain& t, Walk& w, Face& f, Test passes) {
    KG_ROLLED for (;;) {
        if (w.at.n == w.end) {
            if (w.next_i > t.i1) return false;
            const int cell = w.next_i * t.ny + w.next_j;
            w.at = FaceAt{w.next_i, w.next_j, t.mesh ? t.ints[t.head[T_CELLS] + cell] : 0};
            w.end = t.mesh ? t.ints[t.head[T_CELLS] + cell + 1] : 2;
            const bool last = w.next_j == t.j1;
            w.next_j = last ? t.j0 : w.next_j + 1;
            w.next_i += last ? 1 : 0;
            if (w.at.n == w.end) continue;
        }
        const FaceAt at = w.at;
        w.at.n += 1;
        if (!place_face(t, at, f) || !passes(f)) continue;
        number_face(t, at, f);
        return true;
    }
}
// how many triangles a shape's cells have, and the n-th
KG_FN int count_faces(const Terrain& t) {
    if (t.i1 < t.i0) return 0;
    if (!t.mesh) return 2 * (t.i1 - t.i0 + 1) * (t.j1 - t.j0 + 1);
    int count = 0;
    KG_ROLLED for (int i = t.i0; i <= t.i1; ++i) {
        const int* cell = t.ints + t.head[T_CELLS] + i * t.ny;
        count += cell[t.j1 + 1] - cell[t.j0];
    }
    return count;
}
KG_FN FaceAt nth_face(const Terrain& t, int n) {
    if (!t.mesh) {
        const int wide = t.j1 - t.j0 + 1, i = n / (2 * wide), left = n - i * 2 * wide;
        return FaceAt{t.i0 + i, t.j0 + left / 2, left & 1};
    }
    KG_ROLLED for (int i = t.i0; i <= t.i1; ++i) {
        KG_ROLLED for (int j = t.j0; j <= t.j1; ++j) {
            const int* cell = t.ints + t.head[T_CELLS] + i * t.ny + j;
            if (n < cell[1] - cell[0]) return FaceAt{i, j, cell[0] + n};
            n -= cell[1] - cell[0];
        }
    }
    return FaceAt{0, 0, 0};
}
// whether a walk over a shape's cells may come to a triangle: of a height field as it does, of a mesh by cells alone
KG_FN bool is_near(const Terrain& t) {
    if (t.i1 < t.i0) return false;
    KG_ROLLED for (int i = t.i0; i <= t.i1 + (t.mesh ? 0 : 1); ++i) {
        KG_ROLLED for (int j = t.j0; j <= t.j1 + (t.mesh ? 0 : 1); ++j) {
            const int* cell = t.ints + (t.mesh ? t.head[T_CELLS] + i * t.ny + j : 0);
            if (t.mesh ? cell[0] < cell[1] : t.reals[i * t.ny + j] >= t.low) return true;
        }
    }
    return false;
}

// whether c is below the triangle of a height field above or below it, and by how much along the field's z: at least 0
KG_FN bool is_below(const Terrain& t, Vec3 c, Real& depth) {
    const Vec3 l = t.at + rotate(conj(t.turn), c);
    const int i = kg_floor(kg_div(l.x, t.dx)), j = kg_floor(kg_div(l.y, t.dy));
    const int ci = t.ci + i, cj = t.cj + j;
    if (ci < 0 || ci > t.nx - 2 || cj < 0 || cj > t.ny - 2) return false;
    const int half = (l.x - (Real)i * t.dx) * t.dy >= (l.y - (Real)j * t.dy) * t.dx ? 1 : 0;
    const Real* at = t.reals + ci * t.ny + cj;
    Face f;
    place_half(t, ci, cj, half, v3(at[0], half ? at[t.ny] : at[t.ny + 1], half ? at[t.ny + 1] : at[1]), f);
    if (!place_normal(f)) return false;
    const Real height = dot(c - f.p[0], f.n);
    const Vec3 up = rotate(t.turn, v3(0, 0, 1));
    depth = -height * kg_inv(kg_max(dot(f.n, up), (Real)1e-6));
    return height < 0;
}
