// M = L^T D L over the tree's sparsity, and the whitened velocity w = D^1/2 L v.
//
// L is unit lower triangular with entries only at ancestors, so a factorisation from the leaves makes no fill-in
// (Featherstone 2008, section 6.5). In w the kinetic metric is the identity: v^T M v = w^T w. What is kept is
// W = L^-1 D^-1/2, which has the same sparsity: v = W w, an impulse j in v-space changes w by W^T j, a row J of a
// link becomes Y = W^T J^T with the support of the link's path to the root, J M^-1 J^T = Y^T Y and J v = Y . w.
// The row of a DOF is the row of W itself.
//
// Packed like M: row v holds (v, v), then (v, ancestor) nearest first; entry (v, a) stands at
// m_row[v] + depth[v] - depth[a], depth being the number of DOFs above on the path.

// entry of row v at its a-th ancestor, counted from itself: 0
template <class V, class A>
KG_FN auto entry(V v, A a) { return m_row[v] + a; }

// in place: rows of M -> rows of D L (the diagonal holds D), deepest first; inv = 1 / D
KG_FN void factorize(Real* m, Real* inv) {
    // what rows below v take from its entry at the a-th ancestor: theirs at v, a further on, stands at the ancestor
    const auto taken = [&](int at, int below, int a) { return m[at] * inv[below] * m[at + a]; };
    const auto row = [&](auto v, auto sum) {
        span(Zero(), row_len[v], [&](int a) { m[entry(v, a)] = sum(a); });
        inv[v] = kg_inv(m[m_row[v]]);
    };
    each_from_down<TV, SV>([&](auto v) {
        row(v, [&](int a) {
            Real sum = m[entry(v, a)];
            span(below_limb0[v], below_limbs[v], [&](int c) { sum -= taken(below_limb_entry[c], below_limb_v[c], a); });
            return sum;
        });
    });
    each_from_down<0, TV>([&](auto v) {
        row(v, [&](int a) {
            Real limb = 0, sum = m[entry(v, a)];
            span(below_limb0[v], below_limbs[v], [&](int c) { limb += taken(below_limb_entry[c], below_limb_v[c], a); });
            if (below_limbs[v] > 0) sum -= kg_sum(limb);
            span(below_trunk0[v], below_trunks[v], [&](int c) { sum -= taken(below_trunk_entry[c], below_trunk_v[c], a); });
            return sum;
        });
    });
}

// w = D^1/2 L v, from the rows of D L
KG_FN void whiten_velocity(const Real* m, const Real* inv, const Real* v, Real* w) {
    each<NV>([&](auto i) {
        Real sum = m[m_row[i]] * v[i];
        span(Zero(), anc_len[i], [&](int a) { sum += m[m_row[i] + a + 1] * v[anc[anc_row[i] + a]]; });
        w[i] = sum * kg_sqrt(inv[i]);
    });
}

// in place: rows of D L -> rows of W, the root first: W_v = D_v^-1/2 e_v - L_v W
KG_FN void invert(Real* m, const Real* inv) {
    each<NV>([&](auto v) {
        // last entries first: an entry reads those before it in its row, and rows above
        span_down(Zero(), anc_len[v], [&](auto a) {
            Real sum = 0;
            span(Zero(), a + Index<1>(), [&](int b) { sum -= m[m_row[v] + b + 1] * m[m_row[anc[anc_row[v] + b]] + a - b]; });
            m[m_row[v] + a + 1] = sum * inv[v];
        });
        m[m_row[v]] = kg_sqrt(inv[v]);
    });
}

// (W w)_i
template <class Vector, class V>
KG_FN Real velocity_of(const Real* map, const Vector& w, V i) {
    Real sum = map[m_row[i]] * w[i];
    span(Zero(), anc_len[i], [&](int a) { sum += map[m_row[i] + a + 1] * w[anc[anc_row[i] + a]]; });
    return sum;
}

// the same of two vectors, whose sums need not wait for each other
struct TwoVelocities { Real a, b; };
template <class A, class B, class V>
KG_FN TwoVelocities velocities_of(const Real* map, const A& a, const B& b, V i) {
    TwoVelocities sum = {map[m_row[i]] * a[i], map[m_row[i]] * b[i]};
    span(Zero(), anc_len[i], [&](int n) {
        const Real entry = map[m_row[i] + n + 1];
        const auto u = anc[anc_row[i] + n];
        sum.a += entry * a[u];
        sum.b += entry * b[u];
    });
    return sum;
}

// (W^T x)_i
template <class Vector, class V>
KG_FN Real whitened(const Real* map, const Vector& x, V i) {
    Real sum = map[m_row[i]] * x[i], limb = 0;
    span(below_trunk0[i], below_trunks[i], [&](int c) { sum += map[below_trunk_entry[c]] * x[below_trunk_v[c]]; });
    span(below_limb0[i], below_limbs[i], [&](int c) { limb += map[below_limb_entry[c]] * x[below_limb_v[c]]; });
    return below_limbs[i] == 0 ? sum : sum + (i < TV ? kg_sum(limb) : limb);
}
