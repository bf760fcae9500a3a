// M = L^T D L over the tree's sparsity, and the whitened velocity w = D^1/2 L v.
//
// L is unit lower triangular with entries only at ancestors, so a factorisation from the leaves makes no fill-in
// (Featherstone 2008, section 6.5). In w the kinetic metric is the identity: v^T M v = w^T w. An impulse j in
// v-space changes w by D^-1/2 L^-T j; for a row J of a link, Y = D^-1/2 L^-T J^T keeps the support of the link's
// path to the root, J M^-1 J^T = Y^T Y, and J v = Y . w.

struct Factor {
    Real l[NM];        // packed like M; the diagonal slots hold D
    Real scale[NV];    // 1 / sqrt(D)
};

KG_FN void factorize(const Real* m, Factor& f) {
    KG_UNROLL for (int i = 0; i < NM; ++i) f.l[i] = m[i];
    KG_UNROLL for (int v = NV - 1; v >= 0; --v) {
        const int row = m_row[v];
        Real d = f.l[row];
        f.scale[v] = (Real)1 / kg_sqrt(d);
        Real inv = (Real)1 / d;
        KG_UNROLL for (int a = 0; a < anc_len[v]; ++a) {
            const int i = anc[anc_row[v] + a];
            Real lvi = f.l[row + 1 + a] * inv;
            KG_UNROLL for (int b = a; b < anc_len[v]; ++b) f.l[m_row[i] + b - a] -= lvi * f.l[row + 1 + b];
            f.l[row + 1 + a] = lvi;
        }
    }
}

// x = D^-1/2 L^-T x, in place: a generalised impulse to its change of w
KG_FN void whiten_impulse(const Factor& f, Real* x) {
    KG_UNROLL for (int v = NV - 1; v >= 0; --v) {
        KG_UNROLL for (int a = 0; a < anc_len[v]; ++a) x[anc[anc_row[v] + a]] -= f.l[m_row[v] + 1 + a] * x[v];
        x[v] *= f.scale[v];
    }
}

// w = D^1/2 L v
KG_FN void whiten_velocity(const Factor& f, const Real* v, Real* w) {
    KG_UNROLL for (int i = NV - 1; i >= 0; --i) {
        Real sum = v[i];
        KG_UNROLL for (int a = 0; a < anc_len[i]; ++a) sum += f.l[m_row[i] + 1 + a] * v[anc[anc_row[i] + a]];
        w[i] = sum / f.scale[i];
    }
}

// v = L^-1 D^-1/2 w
KG_FN void velocity_of(const Factor& f, const Real* w, Real* v) {
    KG_UNROLL for (int i = 0; i < NV; ++i) {
        Real sum = w[i] * f.scale[i];
        KG_UNROLL for (int a = 0; a < anc_len[i]; ++a) sum -= f.l[m_row[i] + 1 + a] * v[anc[anc_row[i] + a]];
        v[i] = sum;
    }
}

// y = D^-1/2 L^-T y for a vector supported on one path, stored along the path, leaf first
KG_FN void whiten_path(const Factor& f, int path, int length, Real* y) {
    for (int a = 0; a < length; ++a) {
        const int v = path_v[path + a];
        const int row = m_row[v];
        const int n = anc_len[v];
        const Real ya = y[a];
        for (int b = 0; b < n; ++b) y[a + 1 + b] -= f.l[row + 1 + b] * ya;
        y[a] = ya * f.scale[v];
    }
}
