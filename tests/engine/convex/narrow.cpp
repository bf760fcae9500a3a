// The narrow phase alone, for many pairs: what tests call through ctypes. Included after the native headers.
extern "C" {
struct Shape { int kind; Real pos[3], quat[4], size[3], radius; };
struct Found { Real normal[3], gap, a[3], b[3]; int touches; int number[TOUCHES]; Real point[TOUCHES][3], depth[TOUCHES]; };
static Convex placed(const Shape& s, const Hull* hull) {
    Convex c;
    c.kind = s.kind;
    c.pos = v3(s.pos[0], s.pos[1], s.pos[2]);
    c.rot = matrix(q4(s.quat[0], s.quat[1], s.quat[2], s.quat[3]));
    c.size = v3(s.size[0], s.size[1], s.size[2]);
    c.radius = s.radius;
    if (hull) c.hull = *hull;
    return c;
}
static void put(Real* to, Vec3 v) { to[0] = v.x; to[1] = v.y; to[2] = v.z; }
// hulls: one per shape, or a triangle's corners as its vertices
void narrow(int count, const Shape* a, const Shape* b, const Hull* hull_a, const Hull* hull_b, Real limit, Found* out) {
    for (int i = 0; i < count; ++i) {
        Convex A = placed(a[i], hull_a + i), B = placed(b[i], hull_b + i);
        if (B.kind == SHAPE_TRIANGLE) {
            const Real* v = (const Real*)hull_b[i].vertex;
            B.rot.r0 = v3(v[0], v[1], v[2]); B.rot.r1 = v3(v[3], v[4], v[5]); B.rot.r2 = v3(v[6], v[7], v[8]);
        }
        const Separation s = separate(A, B, limit);
        Found& f = out[i];
        put(f.normal, s.normal); put(f.a, s.a); put(f.b, s.b);
        f.gap = s.gap;
        Touch t[TOUCHES];
        f.touches = touches(A, B, s, limit, t);
        for (int k = 0; k < f.touches; ++k) { put(f.point[k], t[k].point); f.depth[k] = t[k].gap; f.number[k] = t[k].number; }
    }
}
void cylinder_edges(int count, const Real* size, const Real* start, const Real* along, Real limit, Real* out) {
    for (int i = 0; i < count; ++i) {
        const Real *p = start + 3 * i, *d = along + 3 * i;
        const EdgePlane e = separate_cylinder_edge(size[2 * i], size[2 * i + 1], v3(p[0], p[1], p[2]), v3(d[0], d[1], d[2]), limit);
        put(out + 4 * i, e.normal);
        out[4 * i + 3] = e.gap;
    }
}
// shares of a triangle's corners in what of it is nearest to the origin
void nearest_shares(int count, const Real* corners, Real* out) {
    for (int i = 0; i < count; ++i) {
        const Real* p = corners + 9 * i;
        nearest_on_triangle(v3(p[0], p[1], p[2]), v3(p[3], p[4], p[5]), v3(p[6], p[7], p[8]), out + 3 * i);
    }
}
// whether the boxes around pairs are within `grow` of each other
void near(int count, const Shape* a, const Shape* b, Real grow, int* out) {
    for (int i = 0; i < count; ++i) {
        const Convex A = placed(a[i], nullptr), B = placed(b[i], nullptr);
        out[i] = boxes_meet(half_sides(A.kind, A.size), A.rot, half_sides(B.kind, B.size), B.rot, B.pos - A.pos, grow);
    }
}
}
