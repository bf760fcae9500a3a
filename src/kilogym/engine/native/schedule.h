// In which order an env's contacts are visited: in rounds, found once a substep.
//
// A contact occupies the lanes whose limbs it moves, one of the trunk alone any lane that is free; it comes into the first
// round in which its lanes are free, contacts being taken as they are numbered. So lanes visit the contacts of a round at
// once, each its own (rounds.h), and the order of visits is by rounds, within a round by lanes. One thread visits them in
// the same order: its lanes are those of the sharing by which rows are swept (SWEPT_LANES, engine/mapping.py).
//
// That is a greedy colouring, first fit, of a graph with limbs as its nodes and contacts as its edges.

static_assert(LANES == 1 || LANES == SWEPT_LANES, "lanes visit contacts in their own order");

// A set of rounds
struct Rounds {
    static constexpr int WORDS = (MAX_CONTACTS1 + 31) / 32;
    unsigned word[WORDS];
    KG_METHOD Rounds() { each<WORDS>([&](auto k) { word[k] = 0; }); }
    KG_METHOD bool has(int round) const {
        bool in = false;
        each<WORDS>([&](auto k) { if (round / 32 == k) in = word[k] >> (round % 32) & 1u; });
        return in;
    }
    KG_METHOD void add(int round) { each<WORDS>([&](auto k) { if (round / 32 == k) word[k] |= 1u << (round % 32); }); }
    // the first round that is not in it
    KG_METHOD int free() const {
        int first = 32 * WORDS;
        each_from_down<0, WORDS>([&](auto k) { if (~word[k]) first = 32 * k + kg_lowest(~word[k]); });
        return first;
    }
};

// rounds: most of the warp's envs; first: this lane's contact in the first, -1: none
struct Schedule { int contacts, rounds, first; };

#if KG_LANES == 1
KG_FN Schedule schedule_contacts(const Env&, const Rows& rows, int contacts) {
    if (SWEPT_LANES == 1) return Schedule{contacts, contacts, 0};
    Rounds busy[SWEPT_LANES];
    int rounds = 0;
    KG_ROLLED for (int i = 0; i < contacts; ++i) {
        const ContactPlace at = rows.place(i);
        int a = env_link_swept[at.link_a], b = NP > 0 && at.link_b >= 0 ? env_link_swept[at.link_b] : -1;
        if (a < 0) a = b;
        if (a < 0) {
            a = 0;
            KG_ROLLED for (int lane = 1; lane < SWEPT_LANES; ++lane) if (busy[lane].free() < busy[a].free()) a = lane;
        }
        if (b < 0) b = a;
        Rounds both = busy[a];
        each<Rounds::WORDS>([&](auto k) { both.word[k] |= busy[b].word[k]; });
        const int round = both.free();
        busy[a].add(round);
        busy[b].add(round);
        rows.turn(round * SWEPT_LANES + b) = -1;
        rows.turn(round * SWEPT_LANES + a) = (Real)i;
        if (rounds <= round) rounds = round + 1;
    }
    // close up: n-th visit -> contact
    int n = 0;
    KG_ROLLED for (int at = 0; at < rounds * SWEPT_LANES; ++at) {
        if (busy[at % SWEPT_LANES].has(at / SWEPT_LANES) && rows.turn(at) >= 0) rows.turn(n++) = rows.turn(at);
    }
    return Schedule{contacts, rounds, 0};
}
#else
// a lane's own column of [round, lane] -> contact; -1: none
KG_FN Schedule schedule_contacts(const Env& env, const Rows& rows, int contacts) {
    Rounds busy;
    int first = -1;
    const int most = kg_warp_most(contacts);
    KG_ROLLED for (int i = 0; i < most; ++i) {
        const bool here = i < contacts;
        const Owners o = here ? rows.owners(i) : Owners{-1, -1};
        bool mine = o.mine(env);
        Rounds both = busy;
        if (NP > 0 && kg_warp_any(o.two())) {
            const int other = o.other(env);
            each<Rounds::WORDS>([&](auto k) { both.word[k] |= kg_from(busy.word[k], other); });
        }
        const bool trunk = here && o.a < 0 && o.b < 0;
        if (kg_warp_any(trunk)) {
            const Real free = (Real)busy.free(), least = kg_least(free);
            const unsigned lanes = kg_ballot(trunk && free == least);
            mine = mine || (trunk && env.lane == kg_lowest(lanes));
        }
        if (!mine) continue;
        const int round = both.free();
        busy.add(round);
        if (round == 0) first = i;
        rows.turn(round * LANES + env.lane) = (Real)i;
    }
    int own = 0;
    each<Rounds::WORDS>([&](auto k) { if (busy.word[k]) own = 32 * k + kg_highest(busy.word[k]) + 1; });
    const int rounds = kg_warp_most(own);
    // groups beyond the last env have no contacts, and no room of their own
    KG_ROLLED for (int r = 0; r < rounds; ++r) if (contacts > 0 && !busy.has(r)) rows.turn(r * LANES + env.lane) = -1;
    return Schedule{contacts, rounds, first};
}
#endif

// f(contact, mine) for this lane's contacts in the order of visits. With lanes all of a warp come to each round; one without a
// contact in it gets one that can be looked up without harm
template <class F>
KG_FN void each_visit(const Env& env, const Rows& rows, const Schedule& s, F f) {
#if KG_LANES == 1
    KG_ROLLED for (int n = 0; n < s.contacts; ++n) f(SWEPT_LANES == 1 ? n : (int)rows.turn(n), true);
#else
    int next = s.first;
    KG_ROLLED for (int r = 0; r < s.rounds; ++r) {
        const int i = next;
        if (s.contacts > 0 && r + 1 < s.rounds) next = (int)rows.turn((r + 1) * LANES + env.lane);
        f(i < 0 ? 0 : i, i >= 0);
    }
#endif
}
