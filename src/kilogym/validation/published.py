"""Frozen figures of other engines on SimBenchmark, by case and step [s]; where they come from: `case.SOURCES`.

Those of PhysX are ours, the others the benchmark's own, on an i7-7700HQ with default solver settings. Its robot is
ANYmal. 3.145 in F1 is what a plate that does not move scores: a friction pyramid holds it.
"""

from __future__ import annotations

import math

NONE = math.nan


def _table(columns: str, rows: dict) -> dict:
    names = [name.strip() for name in columns.split("|")]
    return {
        key: {name: value for name, value in zip(names, row, strict=True) if not math.isnan(value)}
        for key, row in rows.items()
    }


F1 = _table(
    "RaiSim | Bullet | ODE | DART | MuJoCo 1.50 | MuJoCo 1.50 RK4 | PhysX | PhysX PGS",
    {
        ("xy", 0.01): (NONE, NONE, NONE, NONE, NONE, NONE, 2.4e-3, NONE),
        ("y", 0.01): (NONE,) * 8,
        ("xy", 0.001): (4.1e-7, 5.7e-9, 3.145, 3.145, 6.9e-3, 2.7e-3, 1.7e-4, 1.3e-4),
        ("y", 0.001): (4.1e-7, 4.9e-9, 7.7e-9, 0.426, 9.2e-3, 3.2e-3, 6.7e-5, 1.2e-3),
    },
)
F2 = _table(
    "RaiSim | Bullet | ODE | DART | PhysX | PhysX PGS",
    {
        0.01: (186, 7.4e6, 1.9e4, 7.4e6, 7.7e6, 7.4e6),
        0.004: (4.8, 1.2e6, 3.0e3, 1.2e6, 3.0e3, 1.2e6),
        0.001: (1.9e-2, 7.5e4, 185, 7.2e4, 185, 7.5e4),
    },
)
F3 = _table(
    "RaiSim | ODE | Bullet | MuJoCo 1.50 | DART | MuJoCo 4.0 | PhysX | PhysX PGS",
    {
        0.01: (1.5e-2, 1.6e-2, 37, 0.93, 215, 2.2e-4, 2.3e-6, 1.6e-5),
        0.004: (2.1e-3, 2.4e-3, 5.8, 0.37, 9.3e3, 2.8e-4, 1.1e-7, 5.4e-7),
        0.001: (1.4e-4, 1.5e-4, 0.38, 0.095, 2.8e-4, NONE, 1.3e-9, 3.4e-9),
    },
)
F4 = _table(
    "RaiSim | ODE | Bullet | DART | PhysX",
    {
        0.01: (5.2e6, 8.6e6, 9.9e6, 1.3e10, 4.4e8),
        0.004: (264, 1.6e3, 8.4e5, 6.6e6, 3.4e8),
        0.001: (8.4, 112, 4.1e4, 3.5e5, 9.3e7),
    },
)
F5 = _table(
    "RaiSim | MuJoCo 1.50 | Bullet | DART | ODE",
    {
        1: (0.408, 1.74, 3.68, 5.89, 23.1),
        25: (14.6, 49.8, 93, 122, 613),
    },
)
F6 = _table(
    "RaiSim | Bullet | ODE | DART | MuJoCo 1.50 | MuJoCo 1.50 RK4",
    {
        0.01: (5.4e-3, 2.3e-2, 7e-28, 105, 1.6e-2, 2.4e-5),
        0.004: (9.1e-4, 4.3e-3, 1e-27, 150, 1.3e-2, 3.5e-7),
        0.001: (4.7e-5, 2.7e-4, 5e-26, 169, 1.1e-3, 5e-13),
    },
)
F7 = _table(
    "RaiSim | Bullet | ODE | DART | MuJoCo 1.50 | MuJoCo 1.50 RK4 | PhysX",
    {
        0.01: (1.398, 343, 378, 918, 344, 6e-11, 333),
        0.004: (0.2147, 55.7, 61.6, 393, 55.5, 5e-14, 53.8),
        0.001: (0.01184, 3.65, 3.89, 237, 3.48, 2e-17, 3.40),
    },
)
