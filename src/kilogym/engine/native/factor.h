// M = L^T D L over the tree's sparsity, and the whitened velocity w = D^1/2 L v.
//
// L is unit lower triangular with entries only at ancestors, so a factorisation from the leaves makes no fill-in
// (Featherstone 2008, section 6.5). In w the kinetic metric is the identity: v^T M v = w^T w. What is kept is
// W = L^-1 D^-1/2, which has the same sparsity: v = W w, an impulse j in v-space changes w by W^T j, a row J of a
// link becomes Y = W^T J^T with the support of the link's path to the root, J M^-1 J^T = Y^T Y and J v = Y . w.
// The row of a DOF is the row of W itself. Products with W have no order among their rows: lanes share them.
//
// Packed like M: row v holds (v, v), then (v, ancestor) nearest first; entry (v, a) stands at
// m_row[v] + depth[v] - depth[a], depth being the number of DOFs above on the path.

// in place: rows of M -> rows of D L (the diagonal holds D), deepest first; inv = 1 / D
KG_FN void factorize(const Env& env, Real* m, Real* inv) {
    KG_ROLLED for (int d = ROW_DEPTHS - 1; d >= 0; --d) {
        const int begin = depth_entry0[d], end = depth_entry0[d + 1];
        KG_ROLLED for (int e = begin + env.lane; e < end; e += LANES) {
            const int v = entry_v[e], a = entry_a[e];
            Real sum = m[m_row[v] + a];
            KG_ROLLED for (int c = below0[v]; c < below0[v + 1]; ++c) {
                const int at = below_entry[c];  // the row below at v; a further on it stands at the ancestor
                sum -= m[at] * inv[below_v[c]] * m[at + a];
            }
            m[m_row[v] + a] = sum;
            if (a == 0) inv[v] = (Real)1 / sum;
        }
        kg_sync();
    }
}

// w = D^1/2 L v, from the rows of D L
KG_FN void whiten_velocity(const Env& env, const Real* m, const Real* inv, const Real* v, Real* w) {
    KG_EACH(i, NV) {
        const Real* row = m + m_row[i];
        Real sum = row[0] * v[i];
        KG_ROLLED for (int a = 0; a < anc_len[i]; ++a) sum += row[1 + a] * v[anc[anc_row[i] + a]];
        w[i] = sum * kg_sqrt(inv[i]);
    }
    kg_sync();
}

// in place: rows of D L -> rows of W, the root first: W_v = D_v^-1/2 e_v - L_v W
KG_FN void invert(const Env& env, Real* m, const Real* inv) {
    KG_ROLLED for (int d = 0; d < ROW_DEPTHS; ++d) {
        // last entries first: an entry reads those before it in its row, and rows above
        const int begin = depth_entry0[d], end = depth_entry0[d + 1];
        KG_ROLLED for (int e0 = begin + (end - begin - 1) / LANES * LANES; e0 >= begin; e0 -= LANES) {
            const int e = e0 + env.lane;
            int v = 0, a = 0;
            Real fresh = 0;
            if (e < end) {
                v = entry_v[e];
                a = entry_a[e];
                const Real* row = m + m_row[v];
                Real sum = 0;
                KG_ROLLED for (int b = 1; b <= a; ++b) sum -= row[b] * m[m_row[anc[anc_row[v] + b - 1]] + a - b];
                fresh = a == 0 ? kg_sqrt(inv[v]) : sum * inv[v];
            }
            kg_sync();
            if (e < end) m[m_row[v] + a] = fresh;
        }
        kg_sync();
    }
}

// (W w)_i
KG_FN Real velocity_of(const Real* map, const Real* w, int i) {
    const Real* row = map + m_row[i];
    Real sum = row[0] * w[i];
    KG_ROLLED for (int a = 0; a < anc_len[i]; ++a) sum += row[1 + a] * w[anc[anc_row[i] + a]];
    return sum;
}

// (W^T x)_i
KG_FN Real whitened(const Real* map, const Real* x, int i) {
    Real sum = map[m_row[i]] * x[i];
    KG_ROLLED for (int c = below0[i]; c < below0[i + 1]; ++c) sum += map[below_entry[c]] * x[below_v[c]];
    return sum;
}
