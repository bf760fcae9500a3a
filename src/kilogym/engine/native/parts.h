// Contacts of meshes in convex parts: those of each part, as far as they are on the surface of the whole.
//
// A part's contact is left out where it is no part of the surface: a little before the touched point lies another part of
// the same mesh. So a box that slides over the seam of two parts does not meet the end of the second. Contacts at one place
// with one normal, of neighbours that share a face, count once. Of more than a pair may have the most urgent are kept.
//
// A contact's number is a mix of both parts' and of the touch's own: the same from step to step, and of 32749 numbers
// seldom another's; then it takes the next.

static constexpr int PART_TOUCHES = 16, PART_NUMBERS = 32749;  // engine/topology.py

struct Parts {
    Convex whole;
    int first, count;  // of the library's hulls; 0: a shape without parts
};
template <class Args>
KG_FN Parts parts_of(const Args& args, const Rows& rows, int i, const Segment& s, Vec3 shift) {
    Parts p;
    p.whole = convex_of(args, rows, i, s, shift);
    const bool has = p.whole.kind == SHAPE_PARTS;
    const int* t = args.hull_table.data + 7 * (has ? (int)rows.segment(i, 8).w : 0);
    p.first = has ? t[5] : 0;
    p.count = has ? t[6] : 0;
    return p;
}
// the i-th part; of a shape without parts itself
template <class Args>
KG_FN Convex part(const Args& args, const Parts& p, int i) {
    Convex c = p.whole;
    if (p.count == 0) return c;
    const Real* place = args.hull_place.data + HULL_PLACE * (p.first + i);
    const Real scale = c.size.x;
    c.kind = SHAPE_HULL;
    c.pos = c.pos + c.rot * (v3(place[0], place[1], place[2]) * scale);
    c.size = v3(scale, place[3] * scale, place[4] * scale);
    c.hull = hull_of(args, p.first + i);
    return c;
}
KG_FN bool within(Vec3 d, Real reach) { return dot(d, d) <= reach * reach; }

// A little before where the i-th part is touched, along n, lies another part. Looked at is a place a little off the rim of
// the part's side, since there the other's surface may begin.
template <class Args>
KG_CALL bool is_covered(const Args& args, const Parts& p, int i, Vec3 point, Vec3 n) {
    const Convex own = part(args, p, i);
    const Real before = (Real)1e-3 * own.size.y;
    point = point + n * dot(n, own.pos + support(own, n) - point);  // on the part, where it is now
    const Vec3 middle = own.pos - point;
    const Vec3 at = point + (n + along(middle - n * dot(middle, n), v3(0, 0, 0))) * before;
    KG_ROLLED for (int k = 0; k < p.count; ++k) {
        if (k == i) continue;
        const Convex c = part(args, p, k);
        if (!within(at - c.pos, c.size.y)) continue;
        const Vec3 l = turned_back(c.rot, at - c.pos);
        Real most = (Real)-1e30;
        KG_ROLLED for (int f = 0; f < c.hull.faces && most < 0; ++f)
            most = kg_max(most, dot(c.hull.normal_of(f), l - c.hull.at(c.hull.corner[c.hull.face[2 * f]]) * c.size.x));
        if (most < (Real)-0.1 * before) return true;
    }
    return false;
}

// one more of a pair's contacts
KG_FN void put_part_contact(Candidate n, Real near, int first_slot, Candidate* out, int& count) {
    int at = count;
    KG_ROLLED for (int i = 0; i < count && at == count; ++i)
        if (within(out[i].point - n.point, near) && dot(out[i].normal, n.normal) > (Real)0.999) at = i;
    if (at == PART_TOUCHES) {
        at = 0;
        KG_ROLLED for (int i = 1; i < count; ++i) if (out[i].urgency > out[at].urgency) at = i;
    }
    if (at < count && out[at].urgency <= n.urgency) return;
    for (bool taken = true; taken;) {
        taken = false;
        KG_ROLLED for (int i = 0; i < count; ++i) taken = taken || (i != at && out[i].slot == n.slot);
        if (taken) n.slot = first_slot + (n.slot - first_slot + 1) % PART_NUMBERS;
    }
    out[at] = n;
    if (at == count) ++count;
}

// how many contacts a pair with a mesh in parts makes, at most PART_TOUCHES
template <class Args>
KG_CALL int test_parts_pair(const Args& args, const Rows& rows, Real half, Real threshold, int p, const Segment& A, const Segment& B, Candidate* out) {
    const Vec3 shift = A.ref - B.ref;  // from A's reference point to B's
    const Parts pa = parts_of(args, rows, pair_a[p], A, v3(0, 0, 0)), pb = parts_of(args, rows, pair_b[p], B, shift);
    const Real size_a = extent(pa.whole) + pa.whole.radius, size_b = extent(pb.whole) + pb.whole.radius;
    const Real fastest = norm(point_velocity(A.vel, A.pos) - point_velocity(B.vel, B.pos)) + norm(A.vel.ang) * size_a + norm(B.vel.ang) * size_b;
    const Real grow = A.rest + B.rest + A.slack + B.slack + half * fastest;
    const Real near = (Real)2e-3 * kg_min(size_a, size_b);
    int count = 0;
    KG_ROLLED for (int i = 0; i < pa.count || i == 0; ++i) {
        const Convex a = part(args, pa, i);
        const Real reach = extent(a) + a.radius + grow;
        if (!within(a.pos - pb.whole.pos, reach + size_b)) continue;
        KG_ROLLED for (int j = 0; j < pb.count || j == 0; ++j) {
            const Convex b = part(args, pb, j);
            if (!within(a.pos - b.pos, reach + extent(b) + b.radius)) continue;
            Candidate found[TOUCHES];
            const int have = touch_convex(rows, half, threshold, p, A, B, a, b, point_velocity(A.vel, a.pos), point_velocity(B.vel, b.pos + shift), found);
            KG_ROLLED for (int k = 0; k < have; ++k) {
                Candidate n = found[k];
                if (pa.count > 1 && is_covered(args, pa, i, n.point, -n.normal)) continue;
                if (pb.count > 1 && is_covered(args, pb, j, n.point_b - shift, n.normal)) continue;
                const int number = n.slot - pair_slot[p];
                n.slot = pair_slot[p] + (int)(((unsigned)(i * 64 + j) * 8209u + (unsigned)number) % (unsigned)PART_NUMBERS);
                put_part_contact(n, near, pair_slot[p], out, count);
            }
        }
    }
    return count;
}
