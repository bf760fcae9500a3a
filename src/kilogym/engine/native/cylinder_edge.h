// A cylinder against an edge, a segment without width: the plane that keeps them farthest apart (separate.h).
//
// In the cylinder's own axes, z along it. Proposed are the caps; the round side across an end of the edge and across the
// edge; the rim nearest to an end; and, across the edge, the normal of the ellipse that a cap is when looked at along it. Among them
// is the nearest feature wherever the edge is, within the cylinder too; what counts is how far each keeps the two apart.

struct EdgePlane { Vec3 normal; Real gap; };  // unit, from the edge to the cylinder; along it, < 0: depth

// Where the outward normal of the ellipse x^2 / a^2 + y^2 / b^2 = 1 goes through (px, py), py >= 0: its components, both >= 0. By the
// centre of curvature of the last guess, five times
KG_FN void ellipse_normal(Real a, Real b, Real px, Real py, Real& nx, Real& ny) {
    Real tx = (Real)0.70710678, ty = tx;
    const Real over_a = kg_inv(a), over_b = kg_inv(b), f = a * a - b * b;
    KG_ROLLED for (int i = 0; i < 5; ++i) {
        const Real ex = f * tx * tx * tx * over_a, ey = -f * ty * ty * ty * over_b;  // of the evolute
        const Real rx = a * tx - ex, ry = b * ty - ey, qx = px - ex, qy = py - ey;
        const Real q2 = qx * qx + qy * qy;
        const Real s = q2 > 0 ? kg_sqrt(rx * rx + ry * ry) * kg_rsqrt(q2) : (Real)0;
        tx = kg_clamp((qx * s + ex) * over_a, 0, 1);
        ty = kg_clamp((qy * s + ey) * over_b, 0, 1);
        const Real t2 = tx * tx + ty * ty;
        if (!(t2 > (Real)1e-12)) { tx = ty = (Real)0.70710678; break; }
        const Real inv = kg_rsqrt(t2);
        tx *= inv;
        ty *= inv;
    }
    nx = b * tx;
    ny = a * ty;
    const Real inv = kg_rsqrt(nx * nx + ny * ny);
    nx *= inv;
    ny *= inv;
}

// The edge goes from p to p + d. limit: beyond that gap any plane that shows it will do
KG_CALL EdgePlane separate_cylinder_edge(Real radius, Real half, Vec3 p, Vec3 d, Real limit) {
    const Vec3 ends[2] = {p, p + d};
    const Real clearly = 10 * KG_TINY * (radius + half);  // flat features first
    EdgePlane best = {v3(0, 0, 1), (Real)-1e30};
    const auto propose = [&](Vec3 n, Real more) {
        const Real gap = -radius * kg_sqrt(n.x * n.x + n.y * n.y) - half * kg_abs(n.z) - kg_max(dot(n, ends[0]), dot(n, ends[1]));
        if (gap > best.gap + more) best = EdgePlane{n, gap};
    };
    propose(v3(0, 0, 1), 0);
    propose(v3(0, 0, -1), clearly);
    const Real flat = d.x * d.x + d.y * d.y, length2 = flat + d.z * d.z;
    if (flat > (Real)1e-8 * length2) {
        const Real inv = kg_rsqrt(flat), side = p.y * d.x - p.x * d.y < 0 ? inv : -inv;
        propose(v3(-d.y * side, d.x * side, 0), clearly);
    }
    for (int i = 0; i < 2; ++i) {
        const Real rho2 = ends[i].x * ends[i].x + ends[i].y * ends[i].y;
        if (rho2 > (Real)1e-10 * radius * radius) propose(v3(ends[i].x, ends[i].y, 0) * -kg_rsqrt(rho2), clearly);
    }
    if (best.gap > limit) return best;
    for (int i = 0; i < 2; ++i) {
        const Vec3 e = ends[i];
        const Real rho = kg_sqrt(e.x * e.x + e.y * e.y);
        if (rho <= radius || kg_abs(e.z) <= half) continue;
        const Real out = 1 - kg_div(radius, rho);
        const Vec3 v = v3(e.x * out, e.y * out, e.z < 0 ? e.z + half : e.z - half);
        propose(v * -kg_rsqrt(dot(v, v)), clearly);
    }
    const Vec3 u = d * kg_rsqrt(length2);
    const Real sin2 = u.x * u.x + u.y * u.y;
    if (sin2 > (Real)1e-10) {
        const Real sin = kg_sqrt(sin2);
        const Vec3 e1 = v3(-u.x * u.z, -u.y * u.z, sin2) * kg_inv(sin), e2 = cross(u, e1);
        const Real x = dot(p, e1), y = dot(p, e2), beyond = kg_abs(x) - half * sin;
        Real nx, ny;
        ellipse_normal(kg_max(radius * kg_abs(u.z), (Real)1e-3 * radius), radius, beyond, kg_abs(y), nx, ny);
        const Vec3 f1 = x > 0 ? -e1 : e1, f2 = y > 0 ? -e2 : e2;
        propose(f1 * nx + f2 * ny, clearly);
        // seen edge-on, the ellipse is thin: past its tip
        const Real past = kg_abs(y) - radius, q2 = beyond * beyond + past * past;
        if (beyond > 0 && past > 0) propose((f1 * beyond + f2 * past) * kg_rsqrt(q2), 0);
    }
    return best;
}
