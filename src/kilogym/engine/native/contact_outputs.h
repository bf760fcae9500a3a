// What contacts did in a substep, told in one pass over them: forces of links, and momentum of trees.

KG_FN void add_momentum(const Env& env, const Rows& rows, int i, const ContactPlace& at, Vec3 f, Momentum& p) {
    const int a = env_link_tree[at.link_a], b = at.link_b >= 0 ? env_link_tree[at.link_b] : -1;
    if (a == b) return;
    Vec3 turn = v3(0, 0, 0);
    if constexpr (HAS_SPIN_FRICTION) turn = spin_impulse(rows, i, at.normal);
    each_of_two<NT>(a, b, [&](auto t) {
        const bool on_a = is_tree(env, t, a);
        if (!tree_floating[t] || !(on_a || is_tree(env, t, b))) return;
        const Vec3 push = on_a ? f : -f;
        if constexpr (HAS_SPIN_FRICTION) p.ang[t] = p.ang[t] + (on_a ? turn : -turn);
        p.lin[t] = p.lin[t] + push;
        p.ang[t] = p.ang[t] + cross((on_a ? at.point : at.point_b) - p.com[t], push);
    });
}

// Impulses become forces per link, each by the lane that knows it; scale: 1 / (time they are averaged over), 0: not counted
template <class Args>
KG_FN void tell_contacts(const Args& args, const Env& env, bool first, Real scale, const Rows& rows, int contacts, Momentum& p) {
    Vec3 sum[NL];
    each<NL>([&](auto l) { sum[l] = v3(0, 0, 0); });
    kg_sync();  // all lanes have added up their contacts' impulses
    KG_ROLLED for (int i = 0; i < contacts; ++i) {
        const ContactPlace at = rows.place(i);
        const Vec3 impulse = world_impulse(at.normal, rows.total(i)), f = impulse * scale;
        each_of_two<NL>(at.link_a, at.link_b, [&](auto l) {
            const int id = link_id(env, l);
            if (id == at.link_a) sum[l] = sum[l] + f;
            if (NP > 0 && id == at.link_b) sum[l] = sum[l] - f;
        });
        if (PROJECT_MOMENTUM) add_momentum(env, rows, i, at, impulse, p);
    }
    each<NL>([&](auto l) {
        if ((first || scale != 0) && writes_link(env, l)) add3(args.link_contact_force, link_id(env, l), env, first, sum[l]);
    });
}
