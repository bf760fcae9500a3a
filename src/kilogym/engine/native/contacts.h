// Contact generation: shapes at the midpoint pose -> at most MAX_CONTACTS contacts, the deepest.
//
// Every possible contact point has a fixed number, its *slot*: pairs first, then points of shapes against the
// ground, so that the pairs users see penetrate are swept last. The slot keys warm starting. A candidate becomes
// a contact only if it may touch within the step:
//   gap(q_m) - dt/2 |u_n| < slack,   u_n at the predicted midpoint velocity,
// slack being a twentieth of the pair's contact offsets (1 mm by default), for the acceleration the prediction lacks.
// The normal points from B to A; A is pushed along +n.

struct Contacts {
    int count;
    int dropped;                  // candidates beyond MAX_CONTACTS
    int slot[MAX_CONTACTS1];
    int shape_a[MAX_CONTACTS1];
    int shape_b[MAX_CONTACTS1];   // -1: ground
    Vec3 point[MAX_CONTACTS1];    // from A's reference point
    Vec3 normal[MAX_CONTACTS1];
    Real gap[MAX_CONTACTS1];      // at q_m, rest offsets taken off
    Real urgency[MAX_CONTACTS1];  // predicted gap: the smallest are kept
};

struct Candidate { int slot, a, b; Vec3 point, normal; Real gap, urgency; };

KG_FN void put_contact(Contacts& c, int at, const Candidate& n) {
    c.slot[at] = n.slot; c.shape_a[at] = n.a; c.shape_b[at] = n.b;
    c.point[at] = n.point; c.normal[at] = n.normal; c.gap[at] = n.gap; c.urgency[at] = n.urgency;
}

// one lane at a time, full list: replaces the least urgent if it is less urgent than n
KG_FN void squeeze_contact(Contacts& c, const Candidate& n) {
    int at = c.count;
    if (at == MAX_CONTACTS) {
        c.dropped += 1;
        int worst = 0;
        KG_ROLLED for (int i = 1; i < MAX_CONTACTS; ++i) {
            if (c.urgency[i] >= c.urgency[worst]) worst = i;
        }
        if (c.urgency[worst] <= n.urgency) return;
        KG_ROLLED for (int i = worst; i < MAX_CONTACTS - 1; ++i) {  // stays sorted by slot
            c.slot[i] = c.slot[i + 1]; c.shape_a[i] = c.shape_a[i + 1]; c.shape_b[i] = c.shape_b[i + 1];
            c.point[i] = c.point[i + 1]; c.normal[i] = c.normal[i + 1];
            c.gap[i] = c.gap[i + 1]; c.urgency[i] = c.urgency[i + 1];
        }
        at = MAX_CONTACTS - 1;
    } else {
        c.count += 1;
    }
    put_contact(c, at, n);
}

// append every lane's candidates (none, one or two each) in the order of the lanes
KG_FN void keep_contacts(const Env& env, Contacts& c, int have, const Candidate* n) {
    if (!kg_any(have > 0)) return;
    const unsigned first = kg_ballot(have > 0), second = kg_ballot(have > 1);
    const unsigned below = (1u << env.lane) - 1u;
    const int count = c.count, total = kg_bits(first) + kg_bits(second);
    kg_sync();
    if (kg_any(count + total > MAX_CONTACTS)) {
        KG_ROLLED for (int lane = 0; lane < LANES; ++lane) {
            if (lane == env.lane) {
                if (have > 0) squeeze_contact(c, n[0]);
                if (have > 1) squeeze_contact(c, n[1]);
            }
            kg_sync();
        }
        return;
    }
    const int at = count + kg_bits(first & below) + kg_bits(second & below);
    if (have > 0) put_contact(c, at, n[0]);
    if (have > 1) put_contact(c, at + 1, n[1]);
    if (env.lane == 0) c.count = count + total;
    kg_sync();
}

struct ShapePose { Vec3 pos; Quat rot; };  // from the reference point of the link's tree

template <class Args>
KG_FN ShapePose shape_pose(const Args& args, const Env& env, const Kinematics& k, int shape) {
    const int l = shape_link[shape];
    ShapePose p;
    p.pos = k.pos[l] + rotate(k.rot[l], load3(args.shape_pos, shape, env));
    p.rot = k.rot[l] * load4(args.shape_quat, shape, env);
    return p;
}

// i-th candidate point of a shape against a plane, on its surface, from its reference point
KG_FN Vec3 surface_point(int kind, ShapePose pose, Vec3 size, Vec3 n, int i) {
    if (HAS_SPHERE && kind == SHAPE_SPHERE) return pose.pos - n * size.x;
    if (HAS_CAPSULE && kind == SHAPE_CAPSULE) {
        Vec3 axis = rotate(pose.rot, v3(0, 0, i == 0 ? size.y : -size.y));
        return pose.pos + axis - n * size.x;
    }
    if (HAS_BOX && kind == SHAPE_BOX) {
        Vec3 corner = v3(i & 1 ? size.x : -size.x, i & 2 ? size.y : -size.y, i & 4 ? size.z : -size.z);
        return pose.pos + rotate(pose.rot, corner);
    }
    if (!HAS_CYLINDER) return pose.pos;
    // cylinder: four rim points per cap, the lowest one and three more a quarter turn apart
    Vec3 down = rotate(conj(pose.rot), -n);
    Real rho = kg_sqrt(down.x * down.x + down.y * down.y);
    Real cx = rho > (Real)1e-4 ? down.x / rho : (Real)1, cy = rho > (Real)1e-4 ? down.y / rho : (Real)0;
    const int turn = i & 3;
    Real rx = turn == 0 ? cx : turn == 1 ? -cx : turn == 2 ? -cy : cy;
    Real ry = turn == 0 ? cy : turn == 1 ? -cy : turn == 2 ? cx : -cx;
    return pose.pos + rotate(pose.rot, v3(rx * size.x, ry * size.x, i < 4 ? size.y : -size.y));
}

// closest points of two segments centre +- half; parameters in [-1, 1]. Source: Ericson, Real-Time Collision
// Detection (2005), section 5.1.9, centred form
KG_FN void closest_on_segments(Vec3 pa, Vec3 ha, Vec3 pb, Vec3 hb, Real& s, Real& t) {
    Vec3 d = pa - pb;
    Real a = dot(ha, ha), b = dot(ha, hb), e = dot(hb, hb), c = dot(ha, d), f = dot(hb, d);
    Real den = a * e - b * b;
    s = den > (Real)1e-9 * a * e ? kg_clamp((b * f - c * e) / den, -1, 1) : (Real)0;
    t = e > (Real)0 ? kg_clamp((b * s + f) / e, -1, 1) : (Real)0;
    s = a > (Real)0 ? kg_clamp((b * t - c) / a, -1, 1) : (Real)0;
}

// spheres and capsules are segments with a radius. Returns how many contacts a pair makes: 0, 1 or 2
template <class Args>
KG_FN int test_pair(const Args& args, const Env& env, Real half, const Kinematics& k, const Spatial* vel, int p, Candidate* out) {
    const int a = pair_a[p], b = pair_b[p];
    const int la = shape_link[a], lb = shape_link[b];
    const Vec3 shift = k.ref[link_tree[la]] - k.ref[link_tree[lb]];  // from A's reference point to B's
    ShapePose A = shape_pose(args, env, k, a), B = shape_pose(args, env, k, b);
    Vec3 sa = load3(args.shape_size, a, env), sb = load3(args.shape_size, b, env);
    Vec3 ha = shape_kind[a] == SHAPE_CAPSULE ? rotate(A.rot, v3(0, 0, sa.y)) : v3(0, 0, 0);
    Vec3 hb = shape_kind[b] == SHAPE_CAPSULE ? rotate(B.rot, v3(0, 0, sb.y)) : v3(0, 0, 0);
    const Vec3 cb = B.pos - shift;  // B's centre from A's reference point
    const Real reach = load(args.shape_rest_offset, a, env) + load(args.shape_rest_offset, b, env);
    const Real slack = (Real)0.05 * (load(args.shape_contact_offset, a, env) + load(args.shape_contact_offset, b, env));
    const Real radii = sa.x + sb.x;
    // bounding spheres, grown by what the two can move in the step
    {
        Vec3 d = A.pos - cb;
        Vec3 va = point_velocity(vel[la], A.pos), vb = point_velocity(vel[lb], B.pos);
        Real grow = radii + reach + slack + norm(ha) + norm(hb)
            + half * (norm(va - vb) + norm(vel[la].ang) * norm(ha) + norm(vel[lb].ang) * norm(hb));
        if (dot(d, d) > grow * grow) return 0;
    }
    Real s, t;
    closest_on_segments(A.pos, ha, cb, hb, s, t);
    Real s1[2], t1[2];
    int points = 1;
    s1[0] = s1[1] = s;
    t1[0] = t1[1] = t;
    if (shape_kind[a] == SHAPE_CAPSULE && shape_kind[b] == SHAPE_CAPSULE) {
        // near-parallel capsules touch along a line: the two ends of the overlap hold them
        Real aa = dot(ha, ha), bb = dot(hb, hb), ab = dot(ha, hb);
        if (ab * ab > (Real)0.99 * aa * bb) {
            Vec3 d = cb - A.pos;
            Real mid = dot(d, ha) / aa, reach_b = kg_abs(ab) / aa;  // B's centre and half length, in A's parameter
            Real lo = kg_max((Real)-1, mid - reach_b), hi = kg_min((Real)1, mid + reach_b);
            if (hi - lo > (Real)1e-3) {
                points = 2;
                s1[0] = lo;
                s1[1] = hi;
                KG_UNROLLED for (int i = 0; i < 2; ++i) t1[i] = kg_clamp((dot(ha * s1[i] - d, hb)) / bb, -1, 1);
            }
        }
    }
    int have = 0;
    KG_UNROLLED for (int i = 0; i < 2; ++i) {
        if (i >= points) break;
        Vec3 qa = A.pos + ha * s1[i], qb = cb + hb * t1[i];
        Vec3 d = qa - qb;
        Real dist = norm(d);
        Candidate n;
        n.slot = pair_slot[p] + i;
        n.a = a;
        n.b = b;
        n.normal = dist > (Real)1e-9 ? d * ((Real)1 / dist) : v3(0, 0, 1);
        n.gap = dist - radii - reach;
        n.point = qb + n.normal * (sb.x + (Real)0.5 * (dist - radii));
        Real u = dot(n.normal, point_velocity(vel[la], n.point) - point_velocity(vel[lb], n.point + shift));
        n.urgency = n.gap - half * kg_abs(u);
        // a speculative contact further off than the shapes are thick would be a ghost on a curved partner
        if (n.urgency < slack && n.gap < kg_min(sa.x, sb.x)) {
            if (have == 0) out[0] = n;
            else out[1] = n;
            ++have;
        }
    }
    return have;
}

template <class Args>
KG_FN void find_contacts(const Args& args, const Env& env, const StepSettings& st, const Kinematics& k,
                         const Spatial* vel, Contacts& c) {
    if (env.lane == 0) c.count = c.dropped = 0;
    kg_sync();
    const Real half = (Real)0.5 * st.dt;
    KG_ROLLED for (int p0 = 0; p0 < NP; p0 += LANES) {
        Candidate n[2];
        const int p = p0 + env.lane;
        keep_contacts(env, c, p < NP ? test_pair(args, env, half, k, vel, p, n) : 0, n);
    }
    if (!HAS_GROUND) {
        kg_sync();
        return;
    }

    // points of shapes against the ground plane
    const Vec3 normal = load3(args.ground_normal, 0, env);
    const Real offset = load(args.ground_distance, 0, env);
    int posed = -1;
    ShapePose pose;
    KG_ROLLED for (int g0 = 0; g0 < NG; g0 += LANES) {
        Candidate n[2];
        int have = 0;
        const int g = g0 + env.lane;
        if (g < NG) {
            const int a = ground_shape[g], l = shape_link[a];
            if (a != posed) {
                pose = shape_pose(args, env, k, a);
                posed = a;
            }
            n[0].slot = GROUND_SLOT + g;
            n[0].a = a;
            n[0].b = -1;
            n[0].normal = normal;
            n[0].point = surface_point(shape_kind[a], pose, load3(args.shape_size, a, env), normal, ground_point[g]);
            const Real height = dot(normal, k.ref[link_tree[l]]) - offset - load(args.shape_rest_offset, a, env);
            n[0].gap = height + dot(normal, n[0].point);
            n[0].urgency = n[0].gap - half * kg_abs(dot(normal, point_velocity(vel[l], n[0].point)));
            have = n[0].urgency < (Real)0.05 * load(args.shape_contact_offset, a, env);
        }
        keep_contacts(env, c, have, n);
    }
    kg_sync();
}

// two unit tangents of a unit normal; continuous except at n = -z. Source: Duff et al., Building an Orthonormal
// Basis, Revisited (2017)
KG_FN void tangents(Vec3 n, Vec3& t1, Vec3& t2) {
    Real sign = n.z < (Real)0 ? (Real)-1 : (Real)1;
    Real a = (Real)-1 / (sign + n.z), b = n.x * n.y * a;
    t1 = v3((Real)1 + sign * n.x * n.x * a, sign * b, -sign * n.x);
    t2 = v3(b, sign + n.y * n.y * a, -n.y);
}
