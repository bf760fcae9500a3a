"""A field of square tiles of rough ground: kinds side by side along y, harder ones along x. Pure functions of numpy.

Every tile ends at height 0 on all sides and has a flat place in its middle to start from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("hill", "pit", "noise", "stairs down", "stairs up", "blocks")
"""What a tile is, seen by a robot that starts in its middle."""
PITCH = 0.1
"""Distance of samples [m]."""
PLATFORM = 2.0
"""Side of the flat place in the middle of a tile [m]."""
TREAD = 0.4
"""Depth of a step of the stairs [m]."""


@dataclass(frozen=True)
class Ground:
    """`heights` [m], (x, y), sample (0, 0) at `corner` [m]; `starts`, the tiles' middles [m], (levels, kinds, 3)."""

    heights: np.ndarray
    corner: tuple[float, float]
    starts: np.ndarray


def tile(kind: str, difficulty: float, size: float, random: np.random.Generator) -> np.ndarray:
    """Heights of one tile [m], (n, n) for n = size / PITCH samples.

    Args:
        kind: One of `KINDS`.
        difficulty: 0 to 1: slopes up to 0.4, noise up to ±0.08 m, steps of 0.04 to 0.18 m, blocks up to ±0.15 m.
        size: Its side [m].
        random: For noise and blocks.

    Raises:
        ValueError: no such kind.
    """
    count = round(size / PITCH)
    middle = (np.arange(count) + 0.5) * PITCH - 0.5 * size
    out = np.maximum(np.abs(middle)[:, None], np.abs(middle)[None])  # from the middle, in squares
    inwards = np.maximum(0.5 * size - np.maximum(out, 0.5 * PLATFORM), 0.0)  # from the rim to the flat place
    inwards = np.maximum(inwards - PITCH, 0.0)  # a rim of height 0
    if kind in ("hill", "pit"):
        return (1 if kind == "hill" else -1) * 0.4 * difficulty * inwards
    if kind in ("stairs down", "stairs up"):
        rise = 0.04 + 0.14 * difficulty
        return (1 if kind == "stairs down" else -1) * rise * np.floor(inwards / TREAD)
    inside = (inwards > 0.0) & (out > 0.5 * PLATFORM)
    if kind == "noise":
        return inside * (0.01 + 0.07 * difficulty) * random.uniform(-1.0, 1.0, (count, count))
    if kind == "blocks":
        heights = np.zeros((count, count))
        for _ in range(40):
            x, y = random.integers(0, count, 2)
            length, width = random.integers(4, 16, 2)
            heights[x : x + length, y : y + width] = (0.03 + 0.12 * difficulty) * random.choice((-1.0, -0.5, 0.5, 1.0))
        return inside * heights
    raise ValueError(f"kind of ground: expected one of {KINDS}, got {kind!r}")


def ground(levels: int, size: float, border: float, seed: int) -> Ground:
    """`levels` tiles of each kind, from difficulty 0 to 1, with a flat border around the field.

    Args:
        levels: At least 2.
        size: Side of a tile [m].
        border: Width of the border [m].
        seed: Of noise and blocks.
    """
    random = np.random.default_rng(seed)
    rows = [
        np.concatenate([tile(kind, level / (levels - 1), size, random) for kind in KINDS], axis=1)
        for level in range(levels)
    ]
    around = round(border / PITCH)
    heights = np.pad(np.concatenate(rows, axis=0), around)
    extent = np.array([levels, len(KINDS)]) * size
    # a tile's first sample is half a pitch inside it
    corner = 0.5 * PITCH - 0.5 * extent - around * PITCH
    starts = np.zeros((levels, len(KINDS), 3))
    starts[..., 0] = ((np.arange(levels) + 0.5) * size - 0.5 * extent[0])[:, None]
    starts[..., 1] = (np.arange(len(KINDS)) + 0.5) * size - 0.5 * extent[1]
    cells = np.round((starts[..., :2] - corner) / PITCH - 0.5).astype(int)
    starts[..., 2] = heights[cells[..., 0], cells[..., 1]]
    return Ground(heights, (float(corner[0]), float(corner[1])), starts)
