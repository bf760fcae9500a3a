// Vectors, quaternions (xyzw), spatial vectors and spatial inertias.
//
// Spatial vectors are taken about one point per tree, the *reference point*, with world axes:
//   motion V = (lin: velocity of the body-fixed point now at the reference point, ang: angular velocity)
//   force  F = (lin: force, ang: moment about the reference point)

struct Vec3 { Real x, y, z; };
KG_FN Vec3 v3(Real x, Real y, Real z) { Vec3 r; r.x = x; r.y = y; r.z = z; return r; }
KG_FN Vec3 operator+(Vec3 a, Vec3 b) { return v3(a.x + b.x, a.y + b.y, a.z + b.z); }
KG_FN Vec3 operator-(Vec3 a, Vec3 b) { return v3(a.x - b.x, a.y - b.y, a.z - b.z); }
KG_FN Vec3 operator-(Vec3 a) { return v3(-a.x, -a.y, -a.z); }
KG_FN Vec3 operator*(Vec3 a, Real s) { return v3(a.x * s, a.y * s, a.z * s); }
KG_FN Real dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
KG_FN Vec3 cross(Vec3 a, Vec3 b) {
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
KG_FN Real norm(Vec3 a) { return kg_sqrt(dot(a, a)); }

// four numbers, loaded and stored at once
struct alignas(4 * sizeof(Real)) Four { Real x, y, z, w; };
KG_FN Four four(Vec3 a, Real w) { Four f; f.x = a.x; f.y = a.y; f.z = a.z; f.w = w; return f; }
KG_FN void kg_here(Four& f) { kg_here(f.x); kg_here(f.y); kg_here(f.z); kg_here(f.w); }
KG_FN Vec3 xyz(Four f) { return v3(f.x, f.y, f.z); }

struct Quat { Real x, y, z, w; };
KG_FN Quat q4(Real x, Real y, Real z, Real w) { Quat r; r.x = x; r.y = y; r.z = z; r.w = w; return r; }
KG_FN Quat operator*(Quat a, Quat b) {
    return q4(a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y, a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
              a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w, a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z);
}
KG_FN Quat conj(Quat a) { return q4(-a.x, -a.y, -a.z, a.w); }
KG_FN Vec3 rotate(Quat q, Vec3 v) {
    Vec3 u = v3(q.x, q.y, q.z);
    Vec3 t = cross(u, v) * (Real)2;
    return v + t * q.w + cross(u, t);
}
KG_FN Quat normalized(Quat q) {
    Real s = kg_inv(kg_sqrt(q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w));
    return q4(q.x * s, q.y * s, q.z * s, q.w * s);
}
KG_FN Quat axis_angle(Vec3 unit_axis, Real angle) {
    Real s, c;
    kg_sincos((Real)0.5 * angle, s, c);
    return q4(unit_axis.x * s, unit_axis.y * s, unit_axis.z * s, c);
}
// quaternion of a rotation vector; series below 1e-2 rad is exact to rounding
KG_FN Quat exp_map(Vec3 r) {
    Real a2 = dot(r, r);
    Real s, c;
    if (a2 < (Real)1e-4) {
        s = (Real)0.5 - a2 * ((Real)1 / 48 - a2 * ((Real)1 / 3840));
        c = (Real)1 - a2 * ((Real)0.125 - a2 * ((Real)1 / 384));
    } else {
        Real a = kg_sqrt(a2);
        kg_sincos((Real)0.5 * a, s, c);
        s = s * kg_inv(a);
    }
    return q4(r.x * s, r.y * s, r.z * s, c);
}
// rotation vector of a unit quaternion, the shorter way round
KG_FN Vec3 log_map(Quat q) {
    Real sign = q.w < (Real)0 ? (Real)-1 : (Real)1;
    Vec3 u = v3(q.x, q.y, q.z) * sign;
    Real s = norm(u);
    Real scale = s < (Real)1e-4 ? (Real)2 + s * s * ((Real)1 / 3) : kg_div((Real)2 * wp::atan2(s, q.w * sign), s);
    return u * scale;
}

// unit length again after a few products, whose rounding would stretch the links of a long chain
KG_FN Quat renormalized(Quat q) {
    Real s = (Real)1.5 - (Real)0.5 * (q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w);
    return q4(q.x * s, q.y * s, q.z * s, q.w * s);
}

// Products with unit vectors along an axis, i = 0, 1, 2: without the zeros, whose products must not be left out by a
// compiler (they could be NaN)
KG_FN Real pick(Vec3 a, int i) { return i == 0 ? a.x : i == 1 ? a.y : a.z; }
KG_FN Vec3 unit(int i, Real length) { return v3(i == 0 ? length : (Real)0, i == 1 ? length : (Real)0, i == 2 ? length : (Real)0); }
KG_FN Vec3 unit_cross(int i, Vec3 a) { return i == 0 ? v3(0, -a.z, a.y) : i == 1 ? v3(a.z, 0, -a.x) : v3(-a.y, a.x, 0); }
KG_FN Vec3 rotated_unit(Quat q, int i) {
    if (i == 0) return v3((Real)1 - 2 * (q.y * q.y + q.z * q.z), 2 * (q.x * q.y + q.z * q.w), 2 * (q.x * q.z - q.y * q.w));
    if (i == 1) return v3(2 * (q.x * q.y - q.z * q.w), (Real)1 - 2 * (q.x * q.x + q.z * q.z), 2 * (q.y * q.z + q.x * q.w));
    return v3(2 * (q.x * q.z + q.y * q.w), 2 * (q.y * q.z - q.x * q.w), (Real)1 - 2 * (q.x * q.x + q.y * q.y));
}
// q turned further about its own axis i, by sine and cosine of half the angle
KG_FN Quat turned_about(Quat q, int i, Real s, Real c) {
    if (i == 0) return q4(q.x * c + q.w * s, q.y * c + q.z * s, q.z * c - q.y * s, q.w * c - q.x * s);
    if (i == 1) return q4(q.x * c - q.z * s, q.y * c + q.w * s, q.z * c + q.x * s, q.w * c - q.y * s);
    return q4(q.x * c + q.y * s, q.y * c - q.x * s, q.z * c + q.w * s, q.w * c - q.z * s);
}

struct Mat3 { Vec3 r0, r1, r2; };  // rows
KG_FN Mat3 matrix(Quat q) {
    Mat3 m;
    m.r0 = v3(1 - 2 * (q.y * q.y + q.z * q.z), 2 * (q.x * q.y - q.z * q.w), 2 * (q.x * q.z + q.y * q.w));
    m.r1 = v3(2 * (q.x * q.y + q.z * q.w), 1 - 2 * (q.x * q.x + q.z * q.z), 2 * (q.y * q.z - q.x * q.w));
    m.r2 = v3(2 * (q.x * q.z - q.y * q.w), 2 * (q.y * q.z + q.x * q.w), 1 - 2 * (q.x * q.x + q.y * q.y));
    return m;
}
KG_FN Vec3 operator*(Mat3 m, Vec3 v) { return v3(dot(m.r0, v), dot(m.r1, v), dot(m.r2, v)); }

struct Sym3 { Real xx, yy, zz, xy, xz, yz; };
KG_FN Vec3 operator*(Sym3 m, Vec3 v) {
    return v3(m.xx * v.x + m.xy * v.y + m.xz * v.z, m.xy * v.x + m.yy * v.y + m.yz * v.z,
              m.xz * v.x + m.yz * v.y + m.zz * v.z);
}
KG_FN Vec3 column(Sym3 m, int i) { return i == 0 ? v3(m.xx, m.xy, m.xz) : i == 1 ? v3(m.xy, m.yy, m.yz) : v3(m.xz, m.yz, m.zz); }
// R S R^T
KG_FN Sym3 rotated(Mat3 m, Sym3 s) {
    Vec3 a = s * m.r0, b = s * m.r1, c = s * m.r2;
    Sym3 o;
    o.xx = dot(m.r0, a); o.xy = dot(m.r0, b); o.xz = dot(m.r0, c);
    o.yy = dot(m.r1, b); o.yz = dot(m.r1, c);
    o.zz = dot(m.r2, c);
    return o;
}
// S^-1 v of a symmetric positive definite matrix. The determinant is a cube: of the inertia of a grain of sand it would be 0,
// so a small matrix is multiplied by a power of two, which rounds nothing
KG_FN Vec3 solve(Sym3 s, Vec3 v) {
    const Real unit = s.xx + s.yy + s.zz < (Real)1e-9 ? (Real)1152921504606846976.0 : (Real)1;  // 2^60
    s.xx *= unit; s.yy *= unit; s.zz *= unit; s.xy *= unit; s.xz *= unit; s.yz *= unit;
    Real a = s.yy * s.zz - s.yz * s.yz, b = s.xz * s.yz - s.xy * s.zz, c = s.xy * s.yz - s.xz * s.yy;
    Real d = s.xx * s.zz - s.xz * s.xz, e = s.xy * s.xz - s.xx * s.yz, f = s.xx * s.yy - s.xy * s.xy;
    Real inv = kg_inv(s.xx * a + s.xy * b + s.xz * c) * unit;
    return v3((a * v.x + b * v.y + c * v.z) * inv, (b * v.x + d * v.y + e * v.z) * inv,
              (c * v.x + e * v.y + f * v.z) * inv);
}

struct Spatial { Vec3 lin, ang; };
KG_FN Spatial sp(Vec3 lin, Vec3 ang) { Spatial s; s.lin = lin; s.ang = ang; return s; }
KG_FN Spatial operator+(Spatial a, Spatial b) { return sp(a.lin + b.lin, a.ang + b.ang); }
KG_FN Spatial operator-(Spatial a, Spatial b) { return sp(a.lin - b.lin, a.ang - b.ang); }
KG_FN Spatial operator*(Spatial a, Real s) { return sp(a.lin * s, a.ang * s); }
KG_FN Real dot(Spatial a, Spatial b) { return dot(a.lin, b.lin) + dot(a.ang, b.ang); }
// time derivative of a motion vector fixed in a body moving with v
KG_FN Spatial cross_motion(Spatial v, Spatial s) {
    return sp(cross(v.ang, s.lin) + cross(v.lin, s.ang), cross(v.ang, s.ang));
}
KG_FN Spatial cross_force(Spatial v, Spatial f) {
    return sp(cross(v.ang, f.lin), cross(v.ang, f.ang) + cross(v.lin, f.lin));
}
// velocity of the body-fixed point at r (from the reference point)
KG_FN Vec3 point_velocity(Spatial v, Vec3 r) { return v.lin + cross(v.ang, r); }

// inertia about the reference point: mass, mass * com, rotational inertia
struct Inertia { Real m; Vec3 mc; Sym3 i; };
KG_FN Spatial operator*(Inertia I, Spatial v) {
    return sp(v.lin * I.m + cross(v.ang, I.mc), I.i * v.ang + cross(I.mc, v.lin));
}
KG_FN Inertia operator+(Inertia a, Inertia b) {
    Inertia o;
    o.m = a.m + b.m;
    o.mc = a.mc + b.mc;
    o.i.xx = a.i.xx + b.i.xx; o.i.yy = a.i.yy + b.i.yy; o.i.zz = a.i.zz + b.i.zz;
    o.i.xy = a.i.xy + b.i.xy; o.i.xz = a.i.xz + b.i.xz; o.i.yz = a.i.yz + b.i.yz;
    return o;
}
// the same about a point r before the present reference point
KG_FN Inertia shifted(Inertia I, Vec3 r) {
    Inertia o;
    const Vec3 h = I.mc, s = h + r * I.m;
    o.m = I.m;
    o.mc = s;
    o.i.xx = I.i.xx + h.y * r.y + h.z * r.z + s.y * r.y + s.z * r.z;
    o.i.yy = I.i.yy + h.x * r.x + h.z * r.z + s.x * r.x + s.z * r.z;
    o.i.zz = I.i.zz + h.x * r.x + h.y * r.y + s.x * r.x + s.y * r.y;
    o.i.xy = I.i.xy - h.x * r.y - r.x * s.y;
    o.i.xz = I.i.xz - h.x * r.z - r.x * s.z;
    o.i.yz = I.i.yz - h.y * r.z - r.y * s.z;
    return o;
}
// parallel axes: com at c from the reference point, ic about the com
KG_FN Inertia inertia_at(Real m, Vec3 c, Sym3 ic) {
    Inertia o;
    o.m = m;
    o.mc = c * m;
    o.i.xx = ic.xx + m * (c.y * c.y + c.z * c.z);
    o.i.yy = ic.yy + m * (c.x * c.x + c.z * c.z);
    o.i.zz = ic.zz + m * (c.x * c.x + c.y * c.y);
    o.i.xy = ic.xy - m * c.x * c.y;
    o.i.xz = ic.xz - m * c.x * c.z;
    o.i.yz = ic.yz - m * c.y * c.z;
    return o;
}
