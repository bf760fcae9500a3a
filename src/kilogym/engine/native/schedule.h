// In which order an env's contacts are visited: in rounds, found once a substep.
//
// A contact occupies the lanes whose limbs it moves, one of the trunk alone the lane that is free first; it comes into the
// round after the last of its lanes' contacts, contacts being taken as they are numbered. So lanes visit the contacts of a
// round at once, each its own (visits.h), and each limb's contacts keep their order: where no trunk moves, the result is
// that of visits as contacts are numbered. Else the order is by rounds, within a round by lanes. One thread visits in the same
// order: its lanes are those of the sharing by which rows are swept (SWEPT_LANES, engine/mapping.py).
//
// To let a contact into an earlier round with room for it (first fit) saves a seventh of a heap's rounds, and Newton's cradle
// then no longer swings: chains of impacts pass on by the order of contacts.

static_assert(LANES == 1 || LANES == SWEPT_LANES, "lanes visit contacts in their own order");

// rounds: with lanes, the most of the warp's envs; first: the visit (of this lane) that comes first, -1: none. A visit with lanes:
// the contact's number and its owners, so that a sweep need not wait for them before it knows what to load
struct Schedule { int contacts, rounds, first; };
static constexpr int NUMBERS = 1 << 18;
KG_FN int visit_of(int contact, Owners o) { return contact + NUMBERS * (o.a + 1 + 64 * (o.b + 1)); }
KG_FN Visited visit_at(int visit) {
    if (visit < 0) return Visited{0, false, {-1, -1}};
    return Visited{visit % NUMBERS, true, {visit / NUMBERS % 64 - 1, NP > 0 ? visit / (64 * NUMBERS) - 1 : -1}};
}
static_assert(MAX_CONTACTS < NUMBERS, "contacts are numbered in 18 bits");

#if KG_LANES == 1
KG_FN Schedule schedule_contacts(const Env&, const Rows& rows, int contacts) {
    Schedule s = {contacts, contacts, -1};
    if (SWEPT_LANES == 1 || contacts == 0) return s;
    int next[SWEPT_LANES];  // round
    KG_ROLLED for (int lane = 0; lane < SWEPT_LANES; ++lane) next[lane] = 0;
    // [round, lane] -> contact, as far as a lane has rounds; a contact of two lanes stands at A's, -1: none
    KG_ROLLED for (int i = 0; i < contacts; ++i) {
        const ContactPlace at = rows.place(i);
        int a = env_link_swept[at.link_a], b = NP > 0 && at.link_b >= 0 ? env_link_swept[at.link_b] : -1;
        if (a < 0) a = b;
        if (a < 0) {
            a = 0;
            KG_ROLLED for (int lane = 1; lane < SWEPT_LANES; ++lane) if (next[lane] < next[a]) a = lane;
        }
        if (b < 0) b = a;
        const int round = next[a] > next[b] ? next[a] : next[b];
        KG_ROLLED for (; next[a] < round; ++next[a]) rows.turn(next[a] * SWEPT_LANES + a) = -1;
        KG_ROLLED for (; next[b] < round; ++next[b]) rows.turn(next[b] * SWEPT_LANES + b) = -1;
        rows.turn(round * SWEPT_LANES + b) = -1;
        rows.turn(round * SWEPT_LANES + a) = i;
        next[a] = next[b] = round + 1;
    }
    // close up: n-th visit -> contact
    int n = 0;
    KG_ROLLED for (int round = 0; n < contacts; ++round) {
        KG_ROLLED for (int lane = 0; lane < SWEPT_LANES; ++lane) {
            const int i = round < next[lane] ? rows.turn(round * SWEPT_LANES + lane) : -1;
            if (i >= 0) rows.turn(n++) = i;
        }
    }
    s.first = rows.turn(0);
    return s;
}
#else
// a lane's own column of [round, lane] -> contact; -1: none
KG_FN Schedule schedule_contacts(const Env& env, const Rows& rows, int contacts) {
    int next = 0, first = -1;
    const auto fill = [&](int rounds) { KG_ROLLED for (; next < rounds; ++next) rows.turn(next * LANES + env.lane) = -1; };
    const int most = kg_warp_most(contacts);
    const auto owners = [&](int i) { return i < contacts ? rows.owners(i) : Owners{-1, -1}; };
    Owners ahead = owners(0);
    KG_ROLLED for (int i = 0; i < most; ++i) {
        const bool here = i < contacts;
        const Owners o = ahead;
        ahead = owners(i + 1);
        bool mine = o.mine(env);
        int round = next;
        if (NP > 0 && kg_warp_any(o.two())) {
            const int others = (int)kg_from((Real)next, o.other(env));
            if (others > round) round = others;
        }
        const bool trunk = here && o.a < 0 && o.b < 0;
        if (kg_warp_any(trunk)) {
            const Real own = (Real)next, least = kg_least(own);
            const unsigned lanes = kg_ballot(trunk && own == least);
            mine = mine || (trunk && env.lane == kg_lowest(lanes));
        }
        if (!mine) continue;
        fill(round);
        if (round == 0) first = visit_of(i, o);
        rows.turn(round * LANES + env.lane) = visit_of(i, o);
        next = round + 1;
    }
    const int rounds = kg_warp_most(next);
    if (contacts > 0) fill(rounds);  // groups beyond the last env have no contacts, and no room of their own
    return Schedule{contacts, rounds, first};
}
#endif

// Rows are loaded a round ahead where they are short, or where rounds have no turns: 16384 ANYmals of 9 velocities a lane take 1.01
// instead of 1.18 ms a step on an H200, arms with cubes (15, none of a trunk) 1.45 instead of 1.63 at 4096. Of a Humanoid (15, 9 of the trunk) two rows
// do not fit in registers: 0.79 instead of 0.76
static constexpr bool AHEAD = TV == 0 || TV + RV <= 12;

// f(visit, what `load` loads for it) for this lane's contacts in the order of visits. Nothing that a visit writes may be loaded for the
// next. With lanes all of a warp come to each round
template <class Load, class F>
KG_FN void each_loaded_visit(const Env& env, const Rows& rows, const Schedule& s, Load load, F f) {
#if KG_LANES == 1
    int next = SWEPT_LANES == 1 ? 0 : s.first;
    KG_ROLLED for (int n = 1; n <= s.contacts; ++n) {
        const Visited at = {next, true, {-1, -1}};
        next = SWEPT_LANES == 1 ? n : n < s.contacts ? rows.turn(n) : 0;
        f(at, load(at));
    }
#else
    const auto turn = [&](int r) { return s.contacts > 0 && r < s.rounds ? rows.turn(r * LANES + env.lane) : -1; };
    Visited at = visit_at(s.first);
    int after = turn(1);
    if constexpr (!AHEAD) {
        KG_ROLLED for (int r = 0; r < s.rounds; ++r) {
            const Visited next = visit_at(after);
            after = turn(r + 2);
            f(at, load(at));
            at = next;
        }
    } else {
        auto loaded = load(at);
        KG_ROLLED for (int r = 0; r < s.rounds; ++r) {
            const Visited next = visit_at(after);
            const auto for_next = load(next);
            after = turn(r + 2);
            f(at, loaded);
            at = next;
            loaded = for_next;
        }
    }
#endif
}
struct Nothing {};
template <class F>
KG_FN void each_visit(const Env& env, const Rows& rows, const Schedule& s, F f) {
    each_loaded_visit(env, rows, s, [](const Visited&) { return Nothing(); }, [&](const Visited& at, Nothing) { f(at); });
}
