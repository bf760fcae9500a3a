"""Loops that a file closes, from frames on bodies that may yet be merged to frames on links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kilogym.assets.asset import Closure
from kilogym.assets.diagnostics import Diagnostics
from kilogym.math.quaternion import quat_normalize

Frames = dict[tuple[int, str], tuple[np.ndarray, np.ndarray]]
"""Frames of closures on one body: (closure's number, side "a" or "b") -> position [m], quaternion xyzw."""


@dataclass(frozen=True)
class ClosureSpec:
    """A closure whose two frames stand with bodies. `to_place`: the second is where the root is made."""

    name: str
    weld: bool
    to_place: bool


def close_loops(
    anchors: Sequence[Frames], specs: Iterable[ClosureSpec], source: str, diagnostics: Diagnostics
) -> tuple[Closure, ...]:
    """Closures of links, whose frames are `anchors`, in link order."""
    ends = {key: (link, pose) for link, frames in enumerate(anchors) for key, pose in frames.items()}
    out = []
    for number, spec in enumerate(specs):
        (a, pose_a), (b, pose_b) = ends[number, "a"], ends[number, "b"]
        if spec.to_place:
            b = -1
        if a == b:
            diagnostics.note(f"closure '{spec.name}' holds a body to itself and is ignored", source)
            continue
        out.append(Closure(spec.name, a, b, spec.weld, *_frame(pose_a), *_frame(pose_b)))
    return tuple(out)


def _frame(
    pose: tuple[np.ndarray, np.ndarray],
) -> tuple[tuple[float, float, float], tuple[float, float, float, float]]:
    x, y, z = (float(v) for v in pose[0])
    qx, qy, qz, qw = (float(v) for v in quat_normalize(pose[1]))
    return (x, y, z), (qx, qy, qz, qw)
