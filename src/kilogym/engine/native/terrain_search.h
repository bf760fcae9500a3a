// Where shapes touch terrain: triangles, edges and points inside, of all shapes of an env together, are dealt to its lanes.
//
// A lane owns a shape, and looks at whatever comes next: a triangle that some shape may touch, then an edge, then a point that may
// be inside. What it finds goes to the owner. So lanes have as much to do as each other, and the code of each of the three
// loops stays in the instruction caches: a search is more code than they hold, and where a lane looked at all of one
// shape, warps waited for code 71 % of their time (H200).

// of one terrain, by the solids item(0) ... item(count - 1), each a lane's own
template <class Args, class Item>
struct Searching {
    const Args& args;
    const Env& env;
    const Rows& rows;
    Real half;  // of the step [s]
    Item item;
    int terrain;
    Real scale, radius;  // of this lane's own shape
};

// what a lane looks at: an owner's shape and the terrain about it
struct Look {
    int owner;  // -1: nothing yet
    Solid s;
    Terrain t;
    Vec3 ext;
};
template <class Args, class Item>
KG_FN void look_at(const Searching<Args, Item>& by, int owner, Look& look) {
    if (owner == look.owner) return;
    const SolidAt which = by.item(owner);
    look.owner = owner;
    Vec3 pos = xyz(by.rows.segment(which.placed, 2));
    look.s = solid_at(by.args, by.rows, by.half, which, pos);
    look.ext = reach_box(look.s);
    look.t = view_terrain(by.args, by.env, by.terrain, xyz(by.rows.segment(which.placed, 4)), pos, look.ext);
}
// lanes take the spots that are theirs
template <class Args, class Item>
KG_FN void take_spots(const Searching<Args, Item>& by, FoundSpots& spots, Touched& out) {
    take_spots(by.env, by.rows, by.terrain, by.scale, by.radius, spots, out);
}

// the n-th triangle of all: the shape's points against it; its edges are listed. behind: the owner's shape is partly behind a triangle
template <class Args, class Item>
KG_FN void search_face(const Searching<Args, Item>& by, int n, int all, int end, Look& look, bool& behind, FoundSpots& spots, FoundEdges& edges,
                       Touched& out) {
    const Env& env = by.env;
    const bool valid = n < all;
    const OwnerOf whose = owner_of(end, n);
    FaceAt at = {0, 0, 0};
    Face f = Face();
    bool its = false, may = false;
    unsigned near_edges = 0;
    if (valid) {
        look_at(by, whose.lane, look);
        at = nth_face(look.t, n - whose.start);
        may = place_face(look.t, at, f) && may_touch(look.s, f, its);
        if (may) {
            number_face(look.t, at, f);
            if (look.s.kind != SHAPE_SPHERE) near_edges = edges_near(look.t, look.s, f, look.ext);
        }
    }
    kg_rejoin(env);
    if (HAS_MESHES && edges.mesh) {
        KG_ROLLED for (int l = 0; l < LANES; ++l) {
            const bool some = kg_any(its && whose.lane == l);
            behind = behind || (some && l == env.lane);
        }
    }
    FoundSpot found = FoundSpot();
    found.owner = whose.lane;
    const Steps steps = steps_of(look.s, f.n);
    const int most = kg_warp_most(may ? look.s.points : 0);
    KG_ROLLED for (int first = 0; first < most; first += 32) {
        unsigned near = may ? near_face(look.s, steps, f, first) : 0u;
        KG_ROLLED while (kg_warp_any(near != 0)) {
            bool have = false;
            if (near) {
                have = touch_face(look.t, look.s, steps, f, first + kg_lowest(near), found.spot);
                near &= near - 1u;
            }
            kg_rejoin(env);
            spots.add(env, by.rows, have, found);
            if (kg_warp_any(spots.count > FOUND_SPOTS - LANES)) take_spots(by, spots, out);
        }
    }
    if (HAS_CAPSULE && kg_warp_any(may && look.s.kind == SHAPE_CAPSULE)) {
        KG_ROLLED for (int k = 0; k < 3; ++k) {
            const Vec3 p = k == 0 ? f.p[0] : k == 1 ? f.p[1] : f.p[2], e = look.ext;
            const bool at_hand = may && look.s.kind == SHAPE_CAPSULE && kg_abs(p.x) <= e.x && kg_abs(p.y) <= e.y && kg_abs(p.z) <= e.z;
            const bool have = at_hand && touch_capsule_vertex(look.t, look.s, k == 0 ? f.v[0] : k == 1 ? f.v[1] : f.v[2], p, found.spot);
            kg_rejoin(env);
            spots.add(env, by.rows, have, found);
            if (kg_warp_any(spots.count > FOUND_SPOTS - LANES)) take_spots(by, spots, out);
        }
    }
    KG_ROLLED for (int k = 0; k < 3 && kg_warp_any(near_edges != 0); ++k) edges.add(env, by.rows, near_edges >> k & 1u, FoundEdge{whose.lane, k, at});
}

// what lies between a shape's points against the n-th of the edges
template <class Args, class Item>
KG_FN void search_edge(const Searching<Args, Item>& by, int n, Look& look, FoundSpots& spots, const FoundEdges& edges) {
    RidgeSpots ridge;
    ridge.count = 0;
    FoundSpot found = FoundSpot();
    if (n < edges.count) {
        const FoundEdge e = edges.read(by.rows, n);
        found.owner = e.owner;
        look_at(by, e.owner, look);
        Face f;
        place_corners(look.t, e.at, f);
        number_face(look.t, e.at, f);
        const Ridge r = ridge_of(look.t, f, e.edge);
        if (HAS_CAPSULE && look.s.kind == SHAPE_CAPSULE) ridge.count = touch_capsule_ridge(look.t, look.s, r, ridge.at[0]) ? 1 : 0;
        else if (may_meet_round(look.s, r.a, r.ab)) touch_ridge(look.t, look.s, r, ridge);
    }
    kg_rejoin(by.env);
    KG_ROLLED for (int i = 0; i < 2 && kg_warp_any(ridge.count > i); ++i) {
        found.spot = i == 0 ? ridge.at[0] : ridge.at[1];
        spots.add(by.env, by.rows, ridge.count > i, found);
    }
}

// the n-th of all points that may be inside. corners, behind: of the owner's shape
template <class Args, class Item>
KG_FN void search_inside(const Searching<Args, Item>& by, int n, int all, int end, bool corners, bool behind, Look& look, FoundSpots& spots) {
    const OwnerOf whose = owner_of(end, n);
    const bool its_corners = kg_from(corners ? (Real)1 : (Real)0, whose.lane) != 0, its_behind = kg_from(behind ? (Real)1 : (Real)0, whose.lane) != 0;
    FoundSpot found = FoundSpot();
    found.owner = whose.lane;
    found.is_inner = true;
    bool have = false;
    if (n < all) {
        look_at(by, whose.lane, look);
        const Solid& s = look.s;
        const int i = nth_core(s, n - whose.start);
        found.inner = look_inside(look.t, s, i, its_behind);
        have = found.inner.inside || its_corners;
        const Vec3 normal = found.inner.normal, c = core(s, i), point = is_smooth(s) ? solid_point(s, normal, i) : c - normal * s.radius;
        found.spot = spot(look.t, i, point, normal, dot(point - c, normal) - found.inner.distance, SPOT_PLAIN);
    }
    kg_rejoin(by.env);
    spots.add(by.env, by.rows, have, found);
}

// All that the solids item(0) ... item(count - 1), each a lane's own, touch of one terrain
template <class Args, class Item>
KG_FN void search_terrain(const Args& args, const Env& env, Real half, const Rows& rows, int count, Item item, int terrain, Touched& out) {
    Searching<Args, Item> by = {args, env, rows, half, item, terrain, 1, 0};
    Look look = Look();
    look.owner = -1;
    int faces = 0, insides = 0;
    if (env.lane < count) {
        look_at(by, env.lane, look);
        faces = count_faces(look.t);
        insides = faces > 0 ? cores(look.s) : 0;
        by.scale = look.s.scale;
        by.radius = look.s.radius;
    }
    kg_rejoin(env);
    bool behind = false;
    static_assert(FOUND_SPOTS >= 2 * LANES && FOUND_EDGES >= 3 * LANES, "what a round may find");
    FoundSpots spots = {0};
    FoundEdges edges = {0, is_mesh(args, terrain)};
    const int face_end = kg_sum_to(faces, env.lane), all_faces = (int)kg_from((Real)face_end, LANES - 1);
    KG_ROLLED for (int first = 0; kg_block_any(first < all_faces);) {
        KG_ROLLED for (; kg_block_any(first < all_faces) && !kg_block_any(edges.count > FOUND_EDGES - 3 * LANES); first += LANES) {
            if (!kg_warp_any(first < all_faces)) continue;
            search_face(by, first + env.lane, all_faces, face_end, look, behind, spots, edges, out);
        }
        take_spots(by, spots, out);
        KG_ROLLED for (int n = 0; kg_block_any(n < edges.count); n += LANES) {
            if (!kg_warp_any(n < edges.count)) continue;
            search_edge(by, n + env.lane, look, spots, edges);
            if (kg_warp_any(spots.count > FOUND_SPOTS - 2 * LANES)) take_spots(by, spots, out);
        }
        kg_sync();
        edges.count = 0;
    }
    take_spots(by, spots, out);
    bool corners = false;
    KG_ROLLED for (int k = 0; k < out.count; ++k) corners = corners || (out.spots[k].sort == SPOT_CORNER && out.spots[k].terrain == terrain);
    const int end = kg_sum_to(insides, env.lane), all = (int)kg_from((Real)end, LANES - 1);
    KG_ROLLED for (int n = 0; kg_block_any(n < all); n += LANES) {
        if (!kg_warp_any(n < all)) continue;
        if (kg_warp_any(spots.count > FOUND_SPOTS - LANES)) take_spots(by, spots, out);
        search_inside(by, n + env.lane, all, end, corners, behind, look, spots);
    }
    take_spots(by, spots, out);
}
