// How far two convex shapes are apart.
//
// For any unit direction n, s(n) = least n.a over A - largest n.b over B is how far a plane across n keeps the two
// apart; the signed distance is the largest s(n), and its n is the contact normal, from B to A. Every method below only
// proposes directions; what counts is s, computed from the shapes themselves. So a search that ends early or is upset by
// rounding gives a plane that separates a little less, never a wrong distance. Proposed are, in this order:
//   a sphere:       the normal at the nearest point of a box or a cylinder, in closed form
//   two boxes:      the normals of faces and the products of edges (separating axes; Gottschalk et al. 1996), and where
//                   they are clearly apart what follows:
//   apart:          the shortest vector between the cores (gjk.h)
//   near, overlap:  the faces of a polytope in A - B (epa.h)
//   curved:         a few steps up the slope of s from there
//   then:           the faces of A and of B that look along the normal, so that faces lie on each other exactly

struct Separation {
    Vec3 normal;  // unit, from B to A
    Real gap;     // along it, between the surfaces; < 0: depth
    Vec3 a, b;    // points of the surfaces that are that far apart, where the shapes are apart; else support points
};

// an edge's direction has to separate clearly more than a face's to be taken, and B's face than A's
KG_CALL void search_boxes(Search& s) {
    const Convex& A = *s.a;
    const Convex& B = *s.b;
    const Real more = 10 * KG_TINY * s.scale;
    Vec3 col_a[3], col_b[3];
    for (int i = 0; i < 3; ++i) { col_a[i] = matrix_column(A.rot, i); col_b[i] = matrix_column(B.rot, i); }
    const auto half = [](const Convex& c, const Vec3* col, Vec3 n) {
        return c.size.x * kg_abs(dot(col[0], n)) + c.size.y * kg_abs(dot(col[1], n)) + c.size.z * kg_abs(dot(col[2], n));
    };
    KG_ROLLED for (int i = 0; i < 15; ++i) {
        Vec3 n;
        if (i < 3) n = col_a[i];
        else if (i < 6) n = col_b[i - 3];
        else {
            n = cross(col_a[(i - 6) / 3], col_b[(i - 6) % 3]);
            const Real l = norm(n);
            if (l < (Real)1e-3) continue;  // parallel: faces say the same
            n = n * kg_inv(l);
        }
        const Real t = dot(n, s.shift);
        const Real gap = kg_abs(t) - half(A, col_a, n) - half(B, col_b, n);
        if (gap > s.gap + (i == 0 ? (Real)0 : more)) { s.gap = gap; s.normal = t < 0 ? -n : n; }
    }
}

// A sphere against a box or a cylinder, in closed form: the normal at the centre's nearest point of the core, or out of the
// nearest face from inside. False: neither is a sphere, or the other is no such shape
KG_FN bool search_sphere(Search& s) {
    const bool first = s.a->kind == SHAPE_SPHERE;
    const Convex& other = first ? *s.b : *s.a;
    if (!HAS_SPHERE || (!first && s.b->kind != SHAPE_SPHERE)) return false;
    const bool box = HAS_BOX && other.kind == SHAPE_BOX, cylinder = HAS_CYLINDER && other.kind == SHAPE_CYLINDER;
    if (!box && !cylinder) return false;
    const Vec3 p = turned_back(other.rot, first ? s.shift : -s.shift);  // of the centre, in the other's axes
    Vec3 near, face;                                                   // nearest point; normal of the nearest face
    if (box) {
        near = v3(kg_clamp(p.x, -other.size.x, other.size.x), kg_clamp(p.y, -other.size.y, other.size.y), kg_clamp(p.z, -other.size.z, other.size.z));
        const Real x = other.size.x - kg_abs(p.x), y = other.size.y - kg_abs(p.y), z = other.size.z - kg_abs(p.z);
        const int i = x <= y && x <= z ? 0 : y <= z ? 1 : 2;
        face = unit(i, pick(p, i) < 0 ? (Real)-1 : (Real)1);
    } else {
        const Real rho = kg_sqrt(p.x * p.x + p.y * p.y), r = rho > other.size.x ? other.size.x * kg_inv(rho) : (Real)1;
        near = v3(p.x * r, p.y * r, kg_clamp(p.z, -other.size.y, other.size.y));
        if (other.size.y - kg_abs(p.z) <= other.size.x - rho) face = v3(0, 0, p.z < 0 ? (Real)-1 : (Real)1);
        else face = along(v3(p.x, p.y, 0), v3(1, 0, 0));
    }
    const Vec3 d = p - near;
    const Real distance = norm(d);
    Vec3 n = face;
    if (distance > 4 * KG_TINY * s.scale) n = d * kg_inv(distance);
    n = other.rot * n;
    propose(s, first ? n : -n, 0);
    return true;
}

// the face of a core that looks most along d; false: it has none there
KG_CALL bool face_along(const Convex& c, Vec3 d, Vec3& n) {
    if (HAS_TRIANGLE && c.kind == SHAPE_TRIANGLE) {
        n = triangle_normal(c, d);
        if (dot(n, d) < 0) n = -n;
        return true;
    }
    const Vec3 l = turned_back(c.rot, d);
    if (HAS_BOX && c.kind == SHAPE_BOX) {
        const Real x = kg_abs(l.x), y = kg_abs(l.y), z = kg_abs(l.z);
        const int i = x >= y && x >= z ? 0 : y >= z ? 1 : 2;
        n = matrix_column(c.rot, i) * (pick(l, i) < 0 ? (Real)-1 : (Real)1);
        return true;
    }
    if (HAS_CYLINDER && c.kind == SHAPE_CYLINDER) {
        n = matrix_column(c.rot, 2) * (l.z < 0 ? (Real)-1 : (Real)1);
        return true;
    }
    if (HAS_HULL && c.kind == SHAPE_HULL) {
        n = c.rot * c.hull.normal_of(farthest(c.hull.normal, c.hull.faces, l));
        return true;
    }
    return false;
}

// The signed distance of two shapes, its normal, and where. limit: beyond that gap any direction that shows it will do
KG_CALL Separation separate(const Convex& A, const Convex& B, Real limit) {
    Search s;
    s.a = &A;
    s.b = &B;
    s.shift = A.pos - B.pos;
    s.scale = extent(A) + extent(B);
    s.normal = along(s.shift, v3(0, 0, 1));
    s.gap = (Real)-1e30;
    const Real radii = A.radius + B.radius;
    Vec3 on_a = v3(0, 0, 0);
    bool apart = false;
    if (search_sphere(s)) {
        // exact as it is
    } else if (HAS_BOX && A.kind == SHAPE_BOX && B.kind == SHAPE_BOX) {
        search_boxes(s);
        if (s.gap > NEARLY * s.scale && s.gap <= limit) apart = search_apart(s, limit, on_a);
    } else {
        apart = search_apart(s, limit + radii, on_a);
        if (!apart || s.gap < NEARLY * s.scale) {
            search_overlap(s);
            if ((HAS_CYLINDER || HAS_ELLIPSOID) && (is_curved(A) || is_curved(B))) climb(s);
        }
    }
    if (s.gap <= limit + radii && A.kind != SHAPE_SPHERE && B.kind != SHAPE_SPHERE) {
        const Real less = -4 * KG_TINY * s.scale;
        Vec3 n;
        const Vec3 found = s.normal;
        if (face_along(A, -found, n) && dot(n, -found) > (Real)0.9) propose(s, -n, less);
        if (face_along(B, found, n) && dot(n, found) > (Real)0.9) propose(s, n, s.normal.x == found.x && s.normal.y == found.y && s.normal.z == found.z ? less : -less);
    }
    Separation out;
    out.normal = s.normal;
    out.gap = s.gap - radii;
    const Vec3 a = apart ? on_a : support(A, -s.normal);
    out.a = A.pos + a - s.normal * A.radius;
    out.b = apart ? out.a - s.normal * out.gap : B.pos + support(B, s.normal) + s.normal * B.radius;
    return out;
}
