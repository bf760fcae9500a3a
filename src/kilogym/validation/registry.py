"""All cases, in the order of the card."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from kilogym.validation.case import PARTS, Case
from kilogym.validation.cases import (
    a_dynamics,
    a_outputs,
    a_rows,
    a_step,
    b_conservation,
    c_bounces,
    c_boxes,
    c_closures,
    c_contacts,
    c_couplings,
    c_drives,
    c_joints,
    c_readings,
    c_terrain,
    d_stress,
    e_solver,
    f_balls,
    f_robots,
    g_engineering,
    h_exploits,
)

MODULES = (
    *(a_dynamics, a_rows, a_step, a_outputs),
    *(b_conservation, c_joints, c_contacts, c_boxes, c_bounces, c_terrain, c_drives, c_couplings, c_closures),
    c_readings,
    *(d_stress, e_solver, f_balls, f_robots, g_engineering, h_exploits),
)

CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.CASES)


def select(parts: Sequence[str] = (), names: Sequence[str] = (), slow: bool = True) -> list[Case]:
    """Cases of the parts named and with one of the names in their id; all where nothing is named.

    Raises:
        ValueError: A part or a name that no case has.
    """
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"no part {part!r}; parts: {', '.join(PARTS)}")
    for name in names:
        if not any(name in case.id for case in CASES):
            near = difflib.get_close_matches(name, [case.id for case in CASES], n=1)
            raise ValueError(f"no case has {name!r} in its name" + (f"; did you mean {near[0]!r}?" if near else ""))
    return [
        case
        for case in CASES
        if (not parts or case.part in parts)
        and (not names or any(name in case.id for name in names))
        and (slow or not case.slow)
    ]
