// Contacts that are searched for among placed shapes (placed.h): of pairs, on terrain, on the ground plane. All that the
// search knows of an env lies in its room, so that any number of lanes may do it: those of the step, or those of a kernel of
// its own (apart.h).

template <class Args>
KG_FN Contacts search_contacts(const Args& args, const Env& env, const StepSettings& st, const Rows& rows) {
    Contacts c = {0, 0};
    if (NP > 0) find_pair_contacts(args, env, st, rows, c);
#if KG_SDF
    if (HAS_GROUND) find_sdf_ground_contacts(args, env, st, rows, param3(KG_PARAM(ground_normal), 0, env), param(KG_PARAM(ground_distance), 0, env), c);
#endif
    if constexpr (NTERRAINS > 0) find_terrain_contacts(args, env, (Real)0.5 * st.dt, rows, c);
    if constexpr (NGS > 0) search_ground_contacts(args, env, (Real)0.5 * st.dt, rows, c);
    return c;
}

// What a search apart found for an env: how many contacts, -1: none are wanted; and how many it dropped. [2, env]
template <class Args>
KG_FN int& found(const Args& args, const Env& env, int which) { return args.found.data[which * env.count + env.index]; }

template <class Args>
KG_FN void search_apart(const Args& args, Env env, const Rows& rows) {
    env.live = env.live && found(args, env, 0) >= 0;
    if (!kg_warp_any(env.live)) return;
    const Contacts c = search_contacts(args, env, load_settings(args), rows);
    if (env.lane != 0 || !env.live) return;
    found(args, env, 0) = c.count;
    found(args, env, 1) = c.dropped;
}
