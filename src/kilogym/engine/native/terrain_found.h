// What lanes find at terrain on the way to the lane whose shape it is, in the env's room: spots, and edges still to be looked at.

// of a list's owners, whose entries end at `end`: the one with entry n, and where its entries start
struct OwnerOf { int lane, start; };
KG_FN OwnerOf owner_of(int end, int n) {
    int lane = 0;
    for (int step = LANES / 2; step > 0; step /= 2) lane += n >= (int)kg_from((Real)end, lane + step - 1) ? step : 0;
    const int start = (int)kg_from((Real)end, lane > 0 ? lane - 1 : 0);
    return OwnerOf{lane, lane > 0 ? start : 0};
}

// a point inside the terrain comes along with what was taken for an inner corner at it (look_inside)
struct FoundSpot { Spot spot; int owner; bool is_inner; Inside inner; };
struct FoundSpots {
    int count;
    KG_METHOD void write(const Rows& rows, int at, const FoundSpot& n) const {
        const int what = n.spot.sort + (n.is_inner ? 4 : 0) + (n.inner.inside ? 8 : 0) + (n.inner.at_face ? 16 : 0);
        rows.found(3 * at) = four(n.spot.point, n.spot.gap);
        rows.found(3 * at + 1) = four(n.spot.normal, n.inner.distance);
        rows.found(3 * at + 2) = Four{(Real)n.spot.feature, (Real)n.owner, (Real)what, 0};
    }
    KG_METHOD int owner(const Rows& rows, int at) const { return (int)rows.found(3 * at + 2).y; }
    KG_METHOD FoundSpot read(const Rows& rows, int at, int terrain) const {
        const Four a = rows.found(3 * at), b = rows.found(3 * at + 1), d = rows.found(3 * at + 2);
        const int what = (int)d.z;
        FoundSpot n;
        n.spot.point = xyz(a); n.spot.gap = a.w; n.spot.normal = xyz(b);
        n.spot.feature = (int)d.x; n.spot.key = 0; n.spot.terrain = terrain; n.spot.sort = what & 3;
        n.owner = (int)d.y;
        n.is_inner = (what & 4) != 0;
        n.inner = Inside{(what & 8) != 0, (what & 16) != 0, b.w, n.spot.normal};
        return n;
    }
    // one more of each lane that has one
    KG_METHOD void add(const Env& env, const Rows& rows, bool have, const FoundSpot& n) {
        const unsigned ballot = kg_ballot(have);
        if (have) write(rows, count + kg_before(ballot, env.lane), n);
        count += kg_bits(ballot);
    }
};

// an inner corner that is none goes; what is found of a point inside
KG_FN void add_inner(Real scale, Real radius, const FoundSpot& n, Touched& out) {
    bool corner = false;
    KG_ROLLED for (int k = 0; k < out.count; ++k) {
        Spot& o = out.spots[k];
        if (o.feature != n.spot.feature || o.terrain != n.spot.terrain || o.sort != SPOT_CORNER) continue;
        if (!n.inner.inside || -(o.gap + radius) > n.inner.distance * (Real)1.01 + (Real)1e-5 * scale) o.gap = (Real)1e30;
        else corner = true;
    }
    if (n.inner.inside && (!corner || n.inner.at_face)) add_spot(scale, out, n.spot);
}
// lanes take what is theirs; scale, radius: of their shapes
KG_CALL void take_spots(const Env& env, const Rows& rows, int terrain, Real scale, Real radius, FoundSpots& spots, Touched& out) {
    kg_sync();
    const int most = kg_warp_most(spots.count);
    KG_ROLLED for (int at = 0; at < most; ++at) {
        if (at >= spots.count || spots.owner(rows, at) != env.lane) continue;
        const FoundSpot n = spots.read(rows, at, terrain);
        if (n.is_inner) add_inner(scale, radius, n, out);
        else add_spot(scale, out, n.spot);
    }
    kg_rejoin(env);
    spots.count = 0;
}

// an edge of a triangle, 0 to 2, that an owner's shape may touch
struct FoundEdge { int owner, edge; FaceAt at; };
struct FoundEdges {
    int count;
    bool mesh;  // of triangles of a mesh: by their place in its list alone; in parts, since reals hold 24 bits
    KG_METHOD void add(const Env& env, const Rows& rows, bool have, const FoundEdge& e) {
        const unsigned ballot = kg_ballot(have);
        const int high = mesh ? e.at.n / 4096 : 2 * e.at.i + e.at.n, low = mesh ? e.at.n % 4096 : e.at.j;
        if (have) rows.found(3 * FOUND_SPOTS + count + kg_before(ballot, env.lane)) = Four{(Real)(e.owner * 4 + e.edge), (Real)high, (Real)low, 0};
        count += kg_bits(ballot);
    }
    KG_METHOD FoundEdge read(const Rows& rows, int at) const {
        const Four a = rows.found(3 * FOUND_SPOTS + at);
        const int whose = (int)a.x, high = (int)a.y, low = (int)a.z;
        return FoundEdge{whose / 4, whose % 4, mesh ? FaceAt{0, 0, high * 4096 + low} : FaceAt{high / 2, low, high % 2}};
    }
};
