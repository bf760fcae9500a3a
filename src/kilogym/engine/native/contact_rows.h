// Where contacts and their rows are kept: by numbers of four, in a buffer of the batch on CUDA ([warp, number, env of the
// warp]: a number of all its envs is one cache line, and those of a contact lie together), on the stack on the CPU, or
// there too in a buffer, one room per thread, where they would fill the stack.
//
// A contact's row: what is below, then Y (rows.h), three numbers a velocity, over the trunk's velocities, over those of
// A's limb, and, if there are pairs, over those of B's, each part filled up to numbers of four. Of a limb's velocities those that
// no lane has both of share a place (limb_place): RV places for SV velocities.

KG_FN constexpr int fours(int velocities) { return (3 * velocities + 3) / 4; }
static constexpr int ROW_Y = 8, LIMB_Y = ROW_Y + fours(TV), ROW = LIMB_Y + (NP > 0 ? 2 : 1) * fours(RV);
static constexpr int SEGMENTS = MAX_CONTACTS1 * ROW, SEGMENT = IS_SEARCHED ? 10 : 7;
static constexpr int SPINS = SEGMENTS + NPS * SEGMENT;    // rows of spins (spin_rows.h), one for each contact
static constexpr int TURNS = SPINS + (HAS_SPIN_FRICTION ? SEGMENTS : 0);  // who visits what when (schedule.h)
static constexpr int FOUND = TURNS + (SWEPT_LANES > 1 ? (MAX_CONTACTS1 * SWEPT_LANES + 3) / 4 : 0);  // at terrain (terrain_found.h)
static constexpr int ROOM = FOUND + (NTS > 0 ? 3 * FOUND_SPOTS + FOUND_EDGES : 0);  // of an env
static constexpr bool ROOM_ON_STACK = ROOM <= STACK_ROOM;
#if defined(__CUDA_ARCH__) || defined(KG_EMULATED)
static constexpr int ENVS_PER_WARP = 32 / KG_ROOM_LANES;
#else
static constexpr int ENVS_PER_WARP = 1;
#endif

static constexpr int LIST_OF_ROW = 4 * (ROW - ROW_Y), LIST_ROOM = MAX_CONTACTS1 * LIST_OF_ROW;

enum { CONTACT_RESTING = 0, CONTACT_WAITING = 1, CONTACT_BOUNCING = 2, CONTACT_IDLE = 3 };  // idle: elastic, unloaded

// where a contact is, from when it is found. Points: from the reference points of A's and of B's tree
struct ContactPlace { Vec3 normal, point, point_b; int slot, shape_a, shape_b, link_a, link_b; };  // b: -1 = ground, -2 - n = terrain n
// 1 / diagonal: along n, tangents together; what an impulse along n does to u along t; compliance [m/N]
struct ContactResponse { Real inv_n, inv_t, couple1, couple2, static_mu, dynamic_mu, compliance; };
KG_FN void kg_here(ContactResponse& c) {
    kg_here(c.inv_n); kg_here(c.inv_t); kg_here(c.couple1); kg_here(c.couple2); kg_here(c.static_mu); kg_here(c.dynamic_mu);
}
struct Elastic { Real inv, restitution; };  // 1 / diagonal without regularisation: a bounce is one visit

// the lanes whose limbs a contact's row moves, -1: none; and this lane's share of it
struct Owners {
    int a, b;
    KG_METHOD bool two() const { return NP > 0 && a >= 0 && b >= 0 && a != b; }
    template <class E>
    KG_METHOD bool mine(const E& env) const { return env.lane == a || (NP > 0 && env.lane == b); }
    // of the lanes of a contact: the other one, or this one where there is no other; and the one that writes what both know
    template <class E>
    KG_METHOD int other(const E& env) const { return !two() ? env.lane : env.lane == a ? b : env.lane == b ? a : env.lane; }
    template <class E>
    KG_METHOD bool writes(const E& env) const { return !(two() && env.lane == b); }
    // where its part of Y begins
    template <class E>
    KG_METHOD int limb_y(const E& env) const { return LIMB_Y + (NP > 0 && env.lane != a ? fours(RV) : 0); }
};

struct Rows {
    Four* data;
    KG_METHOD Four& at(int contact, int number) const { return data[(contact * ROW + number) * ENVS_PER_WARP]; }
    KG_METHOD Four& segment(int i, int number) const { return data[(SEGMENTS + i * SEGMENT + number) * ENVS_PER_WARP]; }
    // Until rows are built nothing lies where their Y will be: there is room for a list of LIST_ROOM whole numbers
    KG_METHOD Real& listed(int n) const { return (&at(n / LIST_OF_ROW, ROW_Y + n % LIST_OF_ROW / 4).x)[n % 4]; }

    KG_METHOD Four& found(int n) const { return data[(FOUND + n) * ENVS_PER_WARP]; }

    KG_METHOD Rows spins() const { return Rows{data + SPINS * ENVS_PER_WARP}; }

    // along n, t1, t2, of one iteration, warm start of the next; and the gap as the iterations move it [m]
    KG_METHOD Four& impulse_gap(int i) const { return at(i, 0); }
    KG_METHOD Vec3 total(int i) const { return xyz(at(i, 1)); }  // impulse over the substep
    KG_METHOD Real& phase(int i) const { return at(i, 1).w; }    // CONTACT_*
    KG_METHOD void add_total(int i, Vec3 f) const {  // by one lane
        const Four t = at(i, 1);
        at(i, 1) = four(xyz(t) + f, t.w);
    }
    KG_METHOD ContactResponse response(int i) const {
        const Four a = at(i, 2), b = at(i, 3);
        return ContactResponse{a.x, a.y, a.z, a.w, b.x, b.y, b.w};
    }
    KG_METHOD void set_response(int i, ContactResponse r, Elastic e) const {
        at(i, 2) = Four{r.inv_n, r.inv_t, r.couple1, r.couple2};
        at(i, 3) = Four{r.static_mu, r.dynamic_mu, at(i, 3).z, r.compliance};
        at(i, 4) = Four{0, 0, e.inv, e.restitution};
    }
    KG_METHOD Owners owners(int i) const {
        const int both = (int)at(i, 3).z;
        return Owners{both % 64 - 1, NP > 0 ? both / 64 - 1 : -1};
    }
    KG_METHOD void set_owners(int i, Owners o) const { at(i, 3).z = (Real)(o.a + 1 + 64 * (o.b + 1)); }
    // n-th number of the schedule (schedule.h)
    KG_METHOD int& turn(unsigned n) const { return *(int*)&(&data[(TURNS + n / 4) * ENVS_PER_WARP].x)[n % 4]; }
    KG_METHOD Elastic elastic(int i) const { return Elastic{at(i, 4).z, at(i, 4).w}; }
    // restitution targets [m/s]: biased, relax
    KG_METHOD Real& bounce(int i) const { return at(i, 4).x; }
    KG_METHOD Real& settle(int i) const { return at(i, 4).y; }
    KG_METHOD Real& urgency(int i) const { return at(i, 1).x; }  // predicted gap: the smallest are kept; until rows are built
    // not mine: of no use, but looked up without harm
    KG_METHOD ContactPlace place(int i, bool mine = true) const {
        ContactPlace p = {v3(0, 0, 1), v3(0, 0, 0), v3(0, 0, 0), 0, 0, -1, 0, -1};
        if (!mine) return p;
        const Four n = at(i, 5), a = at(i, 6);
        p.normal = xyz(n); p.slot = (int)n.w;
        p.point = p.point_b = xyz(a); p.shape_a = (int)a.w; p.shape_b = -1;
        if (NP > 0 || NTERRAINS > 0) {
            const Four b = at(i, 7);
            p.point_b = xyz(b); p.shape_b = (int)b.w;
        }
        p.link_a = env_shape_link[p.shape_a];
        p.link_b = NP > 0 && p.shape_b >= 0 ? env_shape_link[p.shape_b] : -1;
        return p;
    }
};

KG_FN Owners owners_of(const ContactPlace& p) {
    return Owners{SV > 0 ? env_link_owner[p.link_a] : -1, SV > 0 && NP > 0 && p.link_b >= 0 ? env_link_owner[p.link_b] : -1};
}

// A visit to a contact: which, whether it is this lane's, and, with code written out, its owners. Not mine: one that can be looked
// up without harm
struct Visited { int contact; bool mine; Owners owners; };

// What a sweep needs to know of where a row lies: on the CPU its links' paths, on lanes its owners. acts: it is wanted
struct RowPlace { int link_a, link_b; Owners owners; };
KG_FN RowPlace row_place(const Rows& rows, const Visited& at, bool acts) {
    if (WRITTEN_OUT || !acts) return RowPlace{0, -1, acts ? at.owners : Owners{-1, -1}};
    const ContactPlace p = rows.place(at.contact);
    return RowPlace{p.link_a, p.link_b, owners_of(p)};
}

// A part of a contact's Y over N velocities. With loops written out, a copy in registers, read and written by fours;
// otherwise where it lies.
template <int N>
struct Part {
#if KG_UNROLL
    Four data[fours(N) > 0 ? fours(N) : 1];
    KG_METHOD void load(const Rows& rows, int i, int part) { each<fours(N)>([&](auto n) { data[n] = rows.at(i, part + n); }); }
    KG_METHOD void store(const Rows& rows, int i, int part) const { each<fours(N)>([&](auto n) { rows.at(i, part + n) = data[n]; }); }
    KG_METHOD void begin(const Rows&, int, int) { each<fours(N)>([&](auto n) { data[n] = four(v3(0, 0, 0), 0); }); }
    template <class V>
    KG_METHOD Vec3 at(V v) const { return v3(number(v, Index<0>()), number(v, Index<1>()), number(v, Index<2>())); }
    template <class V>
    KG_METHOD void set(V v, Vec3 y) { number(v, Index<0>()) = y.x; number(v, Index<1>()) = y.y; number(v, Index<2>()) = y.z; }
private:
    template <int V, int C>
    KG_METHOD Real& number(Index<V>, Index<C>) { return (&data[(3 * V + C) / 4].x)[(3 * V + C) % 4]; }
    template <int V, int C>
    KG_METHOD Real number(Index<V>, Index<C>) const { return (&data[(3 * V + C) / 4].x)[(3 * V + C) % 4]; }
#else
    Real* first;
    KG_METHOD void begin(const Rows& rows, int i, int part) { first = &rows.at(i, part).x; }
    KG_METHOD void load(const Rows& rows, int i, int part) { begin(rows, i, part); }
    KG_METHOD void store(const Rows&, int, int) const {}
    KG_METHOD Vec3 at(int v) const { return v3(number(3 * v), number(3 * v + 1), number(3 * v + 2)); }
    KG_METHOD void set(int v, Vec3 y) { number(3 * v) = y.x; number(3 * v + 1) = y.y; number(3 * v + 2) = y.z; }
private:
    KG_METHOD Real& number(int e) const { return first[ENVS_PER_WARP == 1 ? e : e / 4 * (4 * ENVS_PER_WARP) + e % 4]; }
#endif
};

// an impulse along n, t1, t2 in world axes. Tangents: two of a unit normal, continuous except at n = -z. Source: Duff et
// al., Building an Orthonormal Basis, Revisited (2017)
KG_FN void tangents(Vec3 n, Vec3& t1, Vec3& t2) {
    Real sign = n.z < (Real)0 ? (Real)-1 : (Real)1;
    Real a = kg_div((Real)-1, sign + n.z), b = n.x * n.y * a;
    t1 = v3((Real)1 + sign * n.x * n.x * a, sign * b, -sign * n.x);
    t2 = v3(b, sign + n.y * n.y * a, -n.y);
}
KG_FN Vec3 world_impulse(Vec3 normal, Vec3 f) {
    Vec3 t1, t2;
    tangents(normal, t1, t2);
    return normal * f.x + t1 * f.y + t2 * f.z;
}
