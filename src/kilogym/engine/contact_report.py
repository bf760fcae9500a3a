"""What a batch tells of single contacts: rows of `Batch.contact_report` (native/contact_report.h).

Row 0 is the number of contacts of an env; those of contact i begin at 1 + i * REPORT_ROWS. A contact is between shape a
and shape b, or the ground or terrain; all is of the last substep, vectors in the env's axes.
"""

from __future__ import annotations

REPORT: dict[str, tuple[int, int, str]] = {
    # name: (first row, rows, meaning and unit)
    "shape_a": (0, 1, "shape of the model"),
    "shape_b": (1, 1, "shape of the model; -1: the ground plane, -2 - n: terrain n"),
    "point": (2, 3, "where the force acts, env's frame, at the middle of the substep [m]"),
    "normal": (5, 3, "unit, from b to a"),
    "local_a": (8, 3, "the point in the frame of a's link [m]"),
    "local_b": (11, 3, "the point in the frame of b's link; of ground and terrain the env's frame [m]"),
    "start_gap": (14, 1, "distance to where they rest, at the start of the substep [m]; negative: overlap"),
    "gap": (15, 1, "the same at its end"),
    "force": (16, 3, "mean force on a; b feels the opposite [N]"),
    "torque": (19, 3, "mean torque of torsional and rolling friction on a; b feels the opposite [N m]"),
    "friction": (22, 1, "static coefficient of the pair"),
    "torsion_friction": (23, 1, "of the pair [m]"),
    "rolling_friction": (24, 1, "of the pair [m]"),
    "rest_offset": (25, 1, "distance at which they rest, from both shapes [m]"),
}
REPORT_ROWS = sum(rows for _, rows, _ in REPORT.values())
