// How far a place is from shapes of closed form, which side of their surface it is on, and the slope of that, of unit length.
// Coordinates: the shape's axes, from its centre.

// a rectangle of half sides `half` in a plane: distance, and its slope
KG_FN Real flat_distance(Real x, Real y, Real hx, Real hy, Real& nx, Real& ny) {
    const Real dx = x - hx, dy = y - hy;
    if (dx > 0 && dy > 0) {
        const Real d = kg_sqrt(dx * dx + dy * dy);
        nx = dx * kg_inv(d);
        ny = dy * kg_inv(d);
        return d;
    }
    nx = dx > dy ? (Real)1 : (Real)0;
    ny = (Real)1 - nx;
    return kg_max(dx, dy);
}
KG_FN Real box_distance(Vec3 x, Vec3 half, Vec3& n) {
    const Vec3 q = v3(kg_abs(x.x) - half.x, kg_abs(x.y) - half.y, kg_abs(x.z) - half.z);
    const Vec3 out = v3(kg_max(q.x, 0), kg_max(q.y, 0), kg_max(q.z, 0));
    const Real beyond = norm(out);
    const Vec3 side = v3(x.x < 0 ? -1 : 1, x.y < 0 ? -1 : 1, x.z < 0 ? -1 : 1);
    if (beyond > 0) {
        n = v3(out.x * side.x, out.y * side.y, out.z * side.z) * kg_inv(beyond);
        return beyond;
    }
    const int i = q.x >= q.y && q.x >= q.z ? 0 : q.y >= q.z ? 1 : 2;
    n = unit(i, pick(side, i));
    return pick(q, i);
}
KG_FN Real cylinder_distance(Vec3 x, Real radius, Real half, Vec3& n) {
    const Real rho = kg_sqrt(x.x * x.x + x.y * x.y);
    Real out, up;
    const Real d = flat_distance(rho, kg_abs(x.z), radius, half, out, up);
    const Real inv = rho > (Real)1e-12 ? kg_inv(rho) : (Real)0;
    n = v3(rho > (Real)1e-12 ? x.x * inv * out : out, x.y * inv * out, x.z < 0 ? -up : up);
    return d;
}
// to first order, exact on the surface. Source: a function's value by its slope, of |x / size| - 1 (Taubin, Distance
// approximations for rasterizing implicit curves, 1994). least: no more than the distance, outside
KG_FN Real ellipsoid_distance(Vec3 x, Vec3 size, Vec3& n, Real& least) {
    const Vec3 a = v3(kg_div(x.x, size.x), kg_div(x.y, size.y), kg_div(x.z, size.z));
    const Vec3 b = v3(kg_div(a.x, size.x), kg_div(a.y, size.y), kg_div(a.z, size.z));
    const Real k = norm(a), slope = norm(b), thin = kg_min(size.x, kg_min(size.y, size.z));
    least = (k - 1) * thin;
    n = along(b, v3(0, 0, 1));
    return slope > (Real)1e-12 ? kg_max(kg_div(k * (k - 1), slope), -thin) : -thin;
}
// the largest of the faces' heights; n: that face's normal
KG_FN Real hull_distance(const Hull& hull, Vec3 x, Vec3& n) {
    Real most = (Real)-1e30;
    KG_ROLLED for (int f = 0; f < hull.faces; ++f) {
        const Vec3 normal = hull.normal_of(f);
        const Real height = dot(normal, x - hull.at(hull.corner[hull.face[2 * f]]));
        if (height > most) { most = height; n = normal; }
    }
    return most;
}
