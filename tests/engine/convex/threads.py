"""Threaded parts as closed meshes: a bolt and a nut of one thread."""

from __future__ import annotations

import numpy as np

from kilogym.assets.asset import Mesh

CORNERS = np.array([1 / 6, 1 / 3, 2 / 3, 5 / 6])
"""Where along a pitch a thread's profile turns; its heights there are 0, 1, 1, 0."""


def height(phase: np.ndarray) -> np.ndarray:
    """Of the profile, 0 at the root and 1 at the crest, at a share of a pitch."""
    return np.clip(2.0 - np.abs(phase % 1.0 - 0.5) * 6.0, 0.0, 1.0)


def thread(length: float, pitch: float, root: float, depth: float, around: int) -> tuple[np.ndarray, np.ndarray, int]:
    """A right-handed thread about z, from 0 to `length` [m]: vertices (around, rows, 3), triangles facing out, rows.

    Rows follow the corners of the profile, so flanks are smooth. What would be beyond an end lies on it.
    """
    turns = round(length / pitch) + 4
    phase = np.concatenate([k + CORNERS for k in range(-2, turns)])
    turn = np.arange(around)[:, None] / around
    z = np.clip(pitch * (phase + turn), 0.0, length)
    radius = root + depth * height(z / pitch - turn)
    angle = 2 * np.pi * turn
    vertices = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1)
    rows = len(phase)
    j, i = np.meshgrid(np.arange(around), np.arange(rows - 5), indexing="ij")
    right = np.where(j == around - 1, i + 4, (j + 1) * rows + i)  # a turn on, a pitch up
    left = j * rows + i
    quads = [np.stack([left, right, right + 1], -1), np.stack([left, right + 1, left + 1], -1)]
    return vertices, np.concatenate([q.reshape(-1, 3) for q in quads]), rows


def joined(name: str, vertices: np.ndarray, triangles: np.ndarray) -> Mesh:
    """A mesh with one vertex in a place and no triangle without area."""
    found, at = np.unique(vertices.reshape(-1, 3), axis=0, return_inverse=True)
    t = at.reshape(-1)[triangles]
    return Mesh(name, found, t[(t[:, 0] != t[:, 1]) & (t[:, 1] != t[:, 2]) & (t[:, 2] != t[:, 0])])


def bolt(length: float, pitch: float, root: float, depth: float, around: int = 64) -> Mesh:
    """A threaded rod from z = 0 to `length` [m]; root: radius of the thread's ground."""
    vertices, triangles, rows = thread(length, pitch, root, depth, around)
    j = np.arange(around)
    here, there, low = j * rows, (j + 1) % around * rows, np.full(around, vertices.size // 3)
    caps = [np.stack([low, there, here], axis=1), np.stack([low + 1, here + rows - 1, there + rows - 1], axis=1)]
    vertices = np.concatenate([vertices.reshape(-1, 3), [(0, 0, 0), (0, 0, length)]])
    return joined("bolt", vertices, np.concatenate([triangles, *caps]))


def nut(length: float, pitch: float, root: float, depth: float, play: float, outer: float, around: int = 64) -> Mesh:
    """A round nut from z = 0 to `length` for the bolt of that thread [m]; play: more radius; outer: its own radius."""
    vertices, triangles, rows = thread(length, pitch, root + play, depth, around)
    angle = 2 * np.pi * np.arange(around) / around
    circle = outer * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    j = np.arange(around)
    here, there = j * rows, (j + 1) % around * rows
    first, k = vertices.size // 3, (j + 1) % around
    low, high = first + j, first + around + j
    low_k, high_k = first + k, first + around + k
    sides = [
        (here, there, low_k), (here, low_k, low), (low, low_k, high_k), (low, high_k, high),
        (here + rows - 1, high_k, there + rows - 1), (here + rows - 1, high, high_k),
    ]  # fmt: skip
    vertices = np.concatenate([vertices.reshape(-1, 3), circle, circle + np.array([0, 0, length])])
    return joined("nut", vertices, np.concatenate([triangles[:, ::-1], *(np.stack(s, axis=1) for s in sides)]))
