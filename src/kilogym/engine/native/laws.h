// What one unknown of the constraint solver does when it is visited.

struct Soft { Real rate, keep; };  // keep: of a soft constraint's impulse, what it does not give back
struct Visit { Real h, inv_h, bounce_threshold, max_depenetration; Soft soft; bool biased; };

// frequency 0.1875 / h, damping ratio 5. Source: Catto, Solver2D (2024)
KG_FN Soft soft_constraint(Real h) {
    const Real zeta = 5, h_omega = (Real)(2 * 3.14159265358979323846 * 0.1875);
    const Real a1 = 2 * zeta + h_omega, a2 = h_omega * a1;
    Soft s;
    s.rate = kg_div(h_omega, h * a1);
    s.keep = a2 * kg_inv(1 + a2);
    return s;
}

// A unilateral unknown's impulse after a visit at velocity u: keep * impulse - give * u - push, if that is positive
struct Law { Real keep, give, push; };
KG_FN Real visited(const Law& l, Real u, Real impulse) { return kg_max(l.keep * impulse - (l.give * u + l.push), (Real)0); }

// A contact with compliance c [m/N], in biased sweeps; relaxing ones leave its force. A spring with a damper, implicit: impulse
// = -h ((gap + h u) / c + d u) with the velocity u after the visit. inv: 1 / diagonal. rate = 1 / (h + c d): critical damping for
// the mass behind the row, or more, so that overlap closes no faster than that of hard contacts. Before they touch, no damper
KG_FN Law compliant(const Visit& p, Real gap, Real inv, Real compliance) {
    const Real rate = gap > 0 ? p.inv_h : kg_min(p.soft.rate, kg_inv(p.h + (Real)2 * kg_sqrt(compliance * inv)));
    Law l;
    l.keep = kg_inv((Real)1 + inv * compliance * rate * p.inv_h);
    l.give = l.keep * inv;
    l.push = l.give * rate * gap;
    return l;
}

// The same of an unknown between two stops: the lower one's impulse if positive, less the upper one's
KG_FN Real visited(const Law& lower, const Law& upper, Real u, Real impulse) {
    const Real least = lower.keep * impulse - (lower.give * u + lower.push);
    const Real most = upper.keep * impulse - (upper.give * u - upper.push);
    return kg_max(least, kg_min(most, (Real)0));
}

// of a row that overlaps, in biased sweeps [m/s]; negative: it opens
KG_FN Real closing_speed(const Visit& p, Real gap) { return kg_max(p.soft.rate * gap, -p.max_depenetration); }
// inv: 1 / diagonal. Penetration is pushed out softly in biased sweeps; a gap may close within the iteration
KG_FN Law unilateral(const Visit& p, Real gap, Real inv) {
    const bool soft = p.biased && gap <= 0;
    Law l;
    l.keep = soft ? p.soft.keep : (Real)1;
    l.give = l.keep * inv;
    l.push = l.give * (soft ? closing_speed(p, gap) : kg_max(gap, (Real)0) * p.inv_h);
    return l;
}
