// Which contacts of a pair are kept: those that tell most. Each counts by how far it is from any more urgent one, in place and in
// normal (the density peaks of Rodriguez and Laio, Clustering by fast search and find of density peaks, 2014), less where it
// is not about to touch.

static constexpr int SDF_TOUCHES = 16, SDF_POINTS = 8192;  // engine/sdf.py

struct SdfTouch {
    Vec3 point, n;     // of the one shape, from A's reference point; out of the other
    Vec3 at;           // contact
    Real distance;     // of the surfaces
    Real radius;       // around the point
    Real urgency, apart;
    Real blunt;        // cosine of the point's cone: of a face nearly 1, of a corner less
    int number;
    bool of_b;         // the point is B's
};
struct SdfTouches {
    int count;
    Real unit2;    // 1 / size^2
    Real equal;    // what counts as equally urgent
    Real shallow;  // a contact not about to touch counts half from this gap
    Real near;     // what counts as in one place
    SdfTouch touch[SDF_TOUCHES];
};

// of equals: corners before edges and faces, since they stay where they are, then the first; rounding must not choose
KG_FN bool is_preferred(const SdfTouch& a, const SdfTouch& b) {
    const Real d = a.blunt - b.blunt;
    return d < (Real)-0.01 || (d <= (Real)0.01 && a.number < b.number);
}
KG_FN bool comes_before(const SdfTouches& s, const SdfTouch& a, const SdfTouch& b) {
    const Real d = a.urgency - b.urgency;
    return d < -s.equal || (d <= s.equal && is_preferred(a, b));
}
KG_FN Real telling(const SdfTouches& s, const SdfTouch& a) {
    return kg_div(a.apart, 1 + kg_div(kg_max(a.urgency, 0), s.shallow));
}
// none yet, of a shape of that size and of a field, at its scale
KG_FN SdfTouches sdf_touches(Real size, const Sdf& f, Real scale) {
    SdfTouches s;
    s.count = 0;
    s.unit2 = kg_inv(size * size);
    s.equal = kg_min((Real)0.1 * f.cell * scale, (Real)5e-4 * size);
    s.shallow = f.cell * scale;
    s.near = (Real)0.5 * f.spacing * scale;
    return s;
}
// by their numbers, which differ
KG_FN void in_order(SdfTouches& s) {
    KG_ROLLED for (int i = 1; i < s.count; ++i) {
        const SdfTouch n = s.touch[i];
        int at = i;
        KG_ROLLED for (; at > 0 && s.touch[at - 1].number > n.number; --at) s.touch[at] = s.touch[at - 1];
        s.touch[at] = n;
    }
}
// normal from B to A
KG_FN Vec3 normal_of(const SdfTouch& a) { return a.of_b ? -a.n : a.n; }
KG_FN Real apart_from(const SdfTouches& s, const SdfTouch& a, const SdfTouch& b) {
    const Vec3 d = a.at - b.at, turn = normal_of(a) - normal_of(b);
    return dot(d, d) * s.unit2 + (Real)0.25 * dot(turn, turn);
}
KG_CALL void put_touch(SdfTouches& s, SdfTouch n) {
    const Real same = (Real)1e-3;
    n.apart = (Real)1e30;
    KG_ROLLED for (int i = 0; i < s.count; ++i) {
        if (!comes_before(s, s.touch[i], n)) continue;
        const Real apart = apart_from(s, s.touch[i], n);
        if (apart < same) return;
        n.apart = kg_min(n.apart, apart);
    }
    int kept = 0;
    KG_ROLLED for (int i = 0; i < s.count; ++i) {
        SdfTouch o = s.touch[i];
        if (!comes_before(s, o, n)) {
            const Real apart = apart_from(s, o, n);
            if (apart < same) continue;
            o.apart = kg_min(o.apart, apart);
        }
        s.touch[kept++] = o;
    }
    s.count = kept;
    if (s.count < SDF_TOUCHES) {
        s.touch[s.count++] = n;
        return;
    }
    int least = 0;
    KG_ROLLED for (int i = 1; i < s.count; ++i) if (telling(s, s.touch[i]) < telling(s, s.touch[least])) least = i;
    if (telling(s, s.touch[least]) < telling(s, n)) s.touch[least] = n;
}

// Of those on a plane the outermost along eight directions say what the others do, and the most urgent. Too many that say the
// same upset the solver: a stack of cubes would tremble
KG_CALL void drop_implied(SdfTouches& s) {
    unsigned kept = 0;
    KG_ROLLED for (int i = 0; i < s.count; ++i) {
        const Vec3 n = normal_of(s.touch[i]);
        unsigned alike = 0;
        bool first = true;
        KG_ROLLED for (int j = 0; j < s.count; ++j) {
            if (dot(normal_of(s.touch[j]), n) < (Real)0.999) continue;
            alike |= 1u << j;
            first = first && (j == i || comes_before(s, s.touch[i], s.touch[j]));
        }
        if (first || kg_bits(alike) <= 4) kept |= 1u << i;
        Vec3 t1, t2;
        tangents(n, t1, t2);
        KG_ROLLED for (int d = 0; d < 8 && !(kept >> i & 1u); ++d) {
            const Vec3 half = t1 * (Real)0.70710678, up = t2 * (Real)0.70710678;
            Vec3 way = d % 4 == 0 ? t1 : d % 4 == 1 ? half + up : d % 4 == 2 ? t2 : up - half;
            if (d > 3) way = -way;
            const Real own = dot(way, s.touch[i].at);
            bool outermost = true;
            KG_ROLLED for (int j = 0; j < s.count; ++j) {
                if (!(alike >> j & 1u) || j == i) continue;
                const Real beyond = dot(way, s.touch[j].at) - own;
                outermost = outermost && beyond < (is_preferred(s.touch[j], s.touch[i]) ? -s.near : s.near);
            }
            if (outermost) kept |= 1u << i;
        }
    }
    int count = 0;
    KG_ROLLED for (int i = 0; i < s.count; ++i) if (kept >> i & 1u) s.touch[count++] = s.touch[i];
    s.count = count;
}

// one more place of a shape on terrain or on the ground. point: from the shape's centre; n: out of the terrain
KG_FN void offer_spot(const Segment& at, Real half, Vec3 point, Vec3 n, Real gap, Real blunt, int number, SdfTouches& out) {
    SdfTouch s;
    s.point = s.at = point;
    s.n = n;
    s.distance = gap;
    s.radius = 0;
    s.blunt = blunt;
    s.number = number;
    s.of_b = false;
    s.urgency = gap - at.rest - half * kg_abs(dot(n, point_velocity(at.vel, at.pos + point)));
    if (s.urgency < at.slack) put_touch(out, s);
}
