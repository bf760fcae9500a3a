// Signed distance fields (engine/sdf.py): how far a place is from a shape's surface, and which way out, looked up on a grid
// that is fine near the surface. Between samples: trilinear. Coordinates: the shape's axes, from its hull's centre, unscaled.

static constexpr int SDF_BLOCK = 4, SDF_SIDE = SDF_BLOCK + 1;

struct Sdf {
    int nx, ny, nz;        // blocks
    int points, clusters;
    const int* block;      // which of the fine blocks each is, -1: none
    const int* start;      // where clusters begin among the points
    const Real* coarse;    // at the corners of blocks
    const Real* fine;      // [fine blocks, 5, 5, 5]
    const Real* point;     // [points, 7]: place; ways the surface looks: a unit vector, the cosine of the widest angle to it
    const Real* sphere;    // [clusters, 4]: centre, radius
    Vec3 origin;           // of the grid
    Real cell, spacing;
    KG_METHOD Vec3 at(int i) const { return v3(point[7 * i], point[7 * i + 1], point[7 * i + 2]); }
    KG_METHOD Real blunt(int i) const { return point[7 * i + 6]; }
    // the surface looks this way at a point, or nearly so
    KG_METHOD bool looks(int i, Vec3 way) const {
        const Real* p = point + 7 * i;
        return dot(way, v3(p[3], p[4], p[5])) >= p[6] * norm(way);
    }
    KG_METHOD Vec3 size() const { return v3((Real)(nx * SDF_BLOCK), (Real)(ny * SDF_BLOCK), (Real)(nz * SDF_BLOCK)) * cell; }
};
// of a hull of the library
template <class Args>
KG_FN Sdf sdf_of(const Args& args, int hull) {
    const int* t = args.sdf_ints.data + args.sdf_ints.data[hull];
    const Real* reals = args.sdf_reals.data;
    Sdf f;
    f.nx = t[0]; f.ny = t[1]; f.nz = t[2];
    f.points = t[3];
    f.clusters = t[4];
    f.block = args.sdf_ints.data + t[5];
    f.start = args.sdf_ints.data + t[6];
    const Real* own = reals + t[7];
    f.origin = v3(own[0], own[1], own[2]);
    f.cell = own[3];
    f.spacing = own[4];
    f.coarse = reals + t[8];
    f.fine = reals + t[9];
    f.point = reals + t[10];
    f.sphere = reals + t[11];
    return f;
}

// of eight samples, x slowest, and the place among them, 0 to 1: value; slope per sample
KG_FN Real trilinear(const Real* c, int dx, int dy, Vec3 t, Vec3& slope) {
    const Real c00 = c[0] + t.z * (c[1] - c[0]), c01 = c[dy] + t.z * (c[dy + 1] - c[dy]);
    const Real c10 = c[dx] + t.z * (c[dx + 1] - c[dx]), c11 = c[dx + dy] + t.z * (c[dx + dy + 1] - c[dx + dy]);
    const Real c0 = c00 + t.y * (c01 - c00), c1 = c10 + t.y * (c11 - c10);
    slope.x = c1 - c0;
    slope.y = (c01 - c00) + t.x * ((c11 - c10) - (c01 - c00));
    const Real z0 = (c[1] - c[0]) + t.y * ((c[dy + 1] - c[dy]) - (c[1] - c[0]));
    const Real z1 = (c[dx + 1] - c[dx]) + t.y * ((c[dx + dy + 1] - c[dx + dy]) - (c[dx + 1] - c[dx]));
    slope.z = z0 + t.x * (z1 - z0);
    return c0 + t.x * (c1 - c0);
}
KG_FN int sdf_index(Real x, int most) {
    const int i = x > 0 ? (int)x : 0;
    return i < most ? i : most;
}
// Value and slope (not of unit length where surfaces are near each other) at a place of the grid, in cells from its origin.
// coarse: from the corners of its block alone
KG_FN Real sample_grid(const Sdf& f, Vec3 g, Vec3& slope, bool& coarse) {
    const Real inv = (Real)(1.0 / SDF_BLOCK);
    const int bx = sdf_index(g.x * inv, f.nx - 1), by = sdf_index(g.y * inv, f.ny - 1), bz = sdf_index(g.z * inv, f.nz - 1);
    const int which = f.block[(bx * f.ny + by) * f.nz + bz];
    coarse = which < 0;
    const Vec3 l = v3(g.x - (Real)(bx * SDF_BLOCK), g.y - (Real)(by * SDF_BLOCK), g.z - (Real)(bz * SDF_BLOCK));
    if (coarse) {
        const int dy = f.nz + 1, dx = (f.ny + 1) * dy;
        const Real value = trilinear(f.coarse + bx * dx + by * dy + bz, dx, dy, l * inv, slope);
        slope = slope * kg_div(inv, f.cell);
        return value;
    }
    const int x = sdf_index(l.x, SDF_BLOCK - 1), y = sdf_index(l.y, SDF_BLOCK - 1), z = sdf_index(l.z, SDF_BLOCK - 1);
    const Real* c = f.fine + ((which * SDF_SIDE + x) * SDF_SIDE + y) * SDF_SIDE + z;
    const Real value = trilinear(c, SDF_SIDE * SDF_SIDE, SDF_SIDE, l - v3((Real)x, (Real)y, (Real)z), slope);
    slope = slope * kg_inv(f.cell);
    return value;
}

KG_FN Vec3 clamped(Vec3 a, Vec3 low, Vec3 high) {
    return v3(kg_clamp(a.x, low.x, high.x), kg_clamp(a.y, low.y, high.y), kg_clamp(a.z, low.z, high.z));
}
// Distance, and its slope. Beyond the grid: to what of the surface is nearest to where the grid is nearest. That is no less
// than the distance, and equal to it before a face.
// error: the surface may be nearer than that by so much
KG_CALL Real sdf_distance(const Sdf& f, Vec3 x, Vec3& slope, Real& error) {
    const Vec3 g = (x - f.origin) * kg_inv(f.cell);
    const Vec3 inside = clamped(g, v3(0, 0, 0), v3((Real)(f.nx * SDF_BLOCK), (Real)(f.ny * SDF_BLOCK), (Real)(f.nz * SDF_BLOCK)));
    bool coarse;
    const Real value = sample_grid(f, inside, slope, coarse);
    error = (Real)0.87 * f.cell * (Real)(coarse ? SDF_BLOCK : 1);  // values change by no more than the way
    const Vec3 beyond = (g - inside) * f.cell;
    if (beyond.x == 0 && beyond.y == 0 && beyond.z == 0) return value;
    const Vec3 foot = along(slope, v3(0, 0, 1)) * value + beyond;  // from the surface
    const Real distance = norm(foot);
    error += distance - kg_sqrt(dot(beyond, beyond) + value * value);
    slope = foot * kg_inv(kg_max(distance, (Real)1e-30));
    return distance;
}

// What of a field's surface is nearest to x, from a place near it: it slides along the surface while that comes nearer.
// n: out of the surface there
KG_CALL Vec3 sdf_foot(const Sdf& f, Vec3 x, Vec3 from, Vec3& n) {
    Vec3 slope;
    Real error, step = 1, off = sdf_distance(f, from, slope, error);
    n = along(slope, v3(0, 0, 1));
    Vec3 foot = from - n * off;
    KG_ROLLED for (int pass = 0; pass < 6; ++pass) {
        const Vec3 d = x - foot, t = d - n * dot(d, n);
        if (dot(t, t) < (Real)1e-8 * dot(d, d)) break;
        const Vec3 try_at = foot + t * step;
        off = sdf_distance(f, try_at, slope, error);
        const Vec3 m = along(slope, n), to = try_at - m * off, e = x - to;
        // by how much of the way along the surface it came nearer: on a ball the next step goes there
        const Real gained = dot(t, t - (e - m * dot(e, m)));
        step = kg_clamp(step * kg_div(dot(t, t), kg_max(gained, (Real)1e-30)), (Real)0.2 * step, (Real)2 * step);
        if (dot(e, e) < dot(d, d)) {
            foot = to;
            n = m;
        }
    }
    return foot;
}
