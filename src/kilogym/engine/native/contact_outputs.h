// What contacts did in a substep, told in one pass over them: forces of links, and momentum of trees.

// Of the trunk's links and trees each lane adds up what its own contacts do, and lanes are summed at the end. What a contact of two
// limbs, which both their lanes visit, does to the trunk's trees is counted by one of them
KG_FN void add_momentum(const Env& env, const Rows& rows, const Visited& its, const ContactPlace& at, Vec3 f, Momentum& trunk, Momentum& p) {
    const int a = env_link_tree[at.link_a], b = at.link_b >= 0 ? env_link_tree[at.link_b] : -1;
    if (a == b) return;
    Vec3 turn = v3(0, 0, 0);
    if constexpr (HAS_SPIN_FRICTION) turn = spin_impulse(rows, its.contact, at.normal);
    each_of_two<NT>(a, b, [&](auto t) {
        const bool on_a = is_tree(env, t, a);
        if (!tree_floating[t] || !(on_a || is_tree(env, t, b)) || (t < TT && !its.owners.writes(env))) return;
        Momentum& to = t < TT ? trunk : p;
        const Vec3 push = on_a ? f : -f;
        if constexpr (HAS_SPIN_FRICTION) to.ang[t] = to.ang[t] + (on_a ? turn : -turn);
        to.lin[t] = to.lin[t] + push;
        to.ang[t] = to.ang[t] + cross((on_a ? at.point : at.point_b) - p.com[t], push);
    });
}

// Impulses become forces per link, each by the lane that knows it; scale: 1 / (time they are averaged over), 0: not counted
template <class Args>
KG_FN void tell_contacts(const Args& args, const Env& env, bool first, Real scale, const Rows& rows, const Schedule& s, Momentum& p) {
    struct Told { ContactPlace place; Vec3 total; };
    Vec3 sum[NL];
    Momentum trunk;
    each<NL>([&](auto l) { sum[l] = v3(0, 0, 0); });
    each<TT>([&](auto t) { trunk.lin[t] = trunk.ang[t] = v3(0, 0, 0); });
    kg_sync();  // all lanes have added up their contacts' impulses
    const auto load = [&](const Visited& its) { return Told{rows.place(its.contact, its.mine), rows.total(its.contact)}; };
    each_loaded_visit(env, rows, s, load, [&](const Visited& its, const Told& told) {
        if (!its.mine) return;
        const ContactPlace& at = told.place;
        const Vec3 impulse = world_impulse(at.normal, told.total), f = impulse * scale;
        each_of_two<NL>(at.link_a, at.link_b, [&](auto l) {
            const int id = link_id(env, l);
            if (id == at.link_a) sum[l] = sum[l] + f;
            if (NP > 0 && id == at.link_b) sum[l] = sum[l] - f;
        });
        if (PROJECT_MOMENTUM) add_momentum(env, rows, its, at, impulse, trunk, p);
    });
    if (s.rounds > 0) {
        each<TL>([&](auto l) { sum[l] = kg_sum(sum[l]); });
        if (PROJECT_MOMENTUM) each<TT>([&](auto t) {
            p.lin[t] = p.lin[t] + kg_sum(trunk.lin[t]);
            p.ang[t] = p.ang[t] + kg_sum(trunk.ang[t]);
        });
    }
    each<NL>([&](auto l) {
        if ((first || scale != 0) && writes_link(env, l)) add3(args.link_contact_force, link_id(env, l), env, first, sum[l]);
    });
}
