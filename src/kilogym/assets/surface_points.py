"""Points of a mesh's surface, evenly spread, that touch other shapes, and which ways the surface looks there."""

from __future__ import annotations

import numpy as np

MOST_POINTS = 8192
"""Most points of a mesh (engine/sdf.py counts on it)."""
ABOUT = 6000
"""How many points a surface gets that is wide for its cells, about."""
CLUSTER = 32
"""Most points of a cluster."""
SHARP = np.cos(np.radians(15.0))
"""Edges that turn by more are sharp."""
PLAY = np.radians(35.0)
"""By so much a contact's normal may be off the ways that the surface looks: fields are rounded at edges."""


def surface_points(vertices: np.ndarray, triangles: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Points of the surface (P, 3) [m], at most MOST_POINTS, no two nearer than a spacing; cones; and that spacing.

    Corners come before points of sharp edges, these before other vertices and points of faces. What only sticks in, as
    the bottom of a groove, is left out: it never touches first. A cone (4,) is a unit vector and the cosine of the
    widest angle to it of a contact's normal.

    Args:
        vertices: (V, 3) [m], one in a place.
        triangles: (T, 3), counter-clockwise from outside.
        cell: Points need not be closer than this [m].
    """
    from scipy.spatial import cKDTree  # long to import

    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()) / 2
    spacing = max(cell, (area / ABOUT) ** 0.5)
    while True:
        points, cones, rank = _candidates(vertices, triangles, spacing / 2)  # finer, so that those chosen lie close
        order = np.argsort(rank, kind="stable")
        points, cones = points[order], cones[order]
        kept = _apart(len(points), cKDTree(points).query_pairs(spacing, output_type="ndarray"))
        if kept.sum() <= MOST_POINTS:
            return points[kept], cones[kept], spacing
        spacing *= 1.2


def cluster(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbouring points together, at most CLUSTER each, by halves along the widest side.

    Returns:
        The points' order (P,), in a cluster as they were; where each cluster starts (C + 1,) int32; spheres around them
        (C, 4): centre, radius.
    """
    groups, done = [np.arange(len(points))], []
    while groups:
        group = groups.pop()
        if len(group) <= CLUSTER:
            done.append(np.sort(group))
            continue
        axis = int(np.ptp(points[group], axis=0).argmax())
        group = group[np.argsort(points[group, axis], kind="stable")]
        groups += [group[len(group) // 2 :], group[: len(group) // 2]]
    spheres = []
    for group in done:
        centre = (points[group].max(axis=0) + points[group].min(axis=0)) / 2
        spheres.append([*centre, np.linalg.norm(points[group] - centre, axis=1).max()])
    starts = np.cumsum([0, *map(len, done)]).astype(np.int32)
    return np.concatenate(done), starts, np.array(spheres)


def _candidates(vertices: np.ndarray, triangles: np.ndarray, finer: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, 3), cones (N, 4), and what they are: 0 corner, 1 of a sharp edge, 2 another vertex, 3 of a face."""
    normals = _normals(vertices, triangles)
    edges, kind, sides = _edges(vertices, triangles, normals)
    out, back = kind > 0, kind < 0
    at_sharp = np.bincount(edges[out].reshape(-1), minlength=len(vertices))
    at_groove = np.bincount(edges[back].reshape(-1), minlength=len(vertices))
    rank = np.where((at_sharp == 1) | (at_sharp > 2), 0, np.where(at_sharp == 2, 1, 2))
    rank[_turns(vertices, edges[out], at_sharp)] = 0
    used = np.zeros(len(vertices), bool)
    used[np.unique(triangles)] = True
    mine = np.flatnonzero(used & ((at_groove == 0) | (at_sharp > 0)))
    cones = _vertex_cones(vertices, triangles, normals)
    cones[edges[kind == 2].reshape(-1), 3] = -1.0  # beside a crack the other side is not known

    start, end = vertices[edges[out, 0]], vertices[edges[out, 1]]
    along, which = _between(start, end, finer)
    two = normals[sides[out]]  # (E, 2, 3)
    mean = _unit(two.sum(axis=1))
    widest = np.arccos(np.clip((two * mean[:, None]).sum(axis=2).min(axis=1), -1.0, 1.0))
    edge_cones = np.concatenate([mean, np.where(kind[out] == 2, -1.0, _cosine(widest))[:, None]], axis=1)

    inner, of = _inside(vertices[triangles], finer)
    face_cones = np.concatenate([normals, np.full((len(normals), 1), np.cos(PLAY))], axis=1)
    ranks = [rank[mine], np.ones(len(along), int), np.full(len(inner), 3)]
    groups = [cones[mine], edge_cones[which], face_cones[of]]
    return np.concatenate([vertices[mine], along, inner]), np.concatenate(groups), np.concatenate(ranks)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-300)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    return _unit(np.cross(b - a, c - a))


def _cosine(widest: np.ndarray) -> np.ndarray:
    """Of an angle and the play."""
    return np.cos(np.minimum(widest + PLAY, np.pi))


def _vertex_cones(vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """A cone (V, 4) that holds the normals of all triangles at each vertex."""
    mean = np.zeros((len(vertices), 3))
    for k in range(3):
        u = _unit(vertices[triangles[:, (k + 1) % 3]] - vertices[triangles[:, k]])
        w = _unit(vertices[triangles[:, (k + 2) % 3]] - vertices[triangles[:, k]])
        angle = np.arccos(np.clip((u * w).sum(axis=1), -1.0, 1.0))
        np.add.at(mean, triangles[:, k], normals * angle[:, None])
    mean = _unit(mean)
    least = np.ones(len(vertices))
    for k in range(3):
        np.minimum.at(least, triangles[:, k], (mean[triangles[:, k]] * normals).sum(axis=1))
    return np.concatenate([mean, _cosine(np.arccos(np.clip(least, -1.0, 1.0)))[:, None]], axis=1)


def _turns(vertices: np.ndarray, sharp: np.ndarray, at_sharp: np.ndarray) -> np.ndarray:
    """Vertices of two sharp edges that do not go on straight, by more than 30 degrees."""
    ends = np.full((len(vertices), 2), -1)
    for v, other in np.concatenate([sharp, sharp[:, ::-1]]).tolist():
        ends[v, 0 if ends[v, 0] < 0 else 1] = other
    two = np.flatnonzero(at_sharp == 2)
    u, w = _unit(vertices[ends[two, 0]] - vertices[two]), _unit(vertices[ends[two, 1]] - vertices[two])
    return two[(u * w).sum(axis=1) > -np.cos(np.radians(30.0))]


def _edges(
    vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (E, 2), of what kind each is (E,), and its two triangles, of one alone that twice (E, 2).

    Kinds: 1 sharp and sticking out, 2 with one triangle only, -1 sharp and sticking in, 0 none of these.
    """
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    third = np.concatenate([triangles[:, 2], triangles[:, 0], triangles[:, 1]])
    face = np.tile(np.arange(len(triangles)), 3)
    key = ends.min(axis=1) * len(vertices) + ends.max(axis=1)
    order = np.argsort(key, kind="stable")
    keys, counts = np.unique(key, return_counts=True)
    starts = np.cumsum(counts) - counts
    one, other = order[starts], order[starts + (counts > 1)]
    turn = (normals[face[one]] * normals[face[other]]).sum(axis=1)
    inward = ((vertices[third[other]] - vertices[ends[one, 0]]) * normals[face[one]]).sum(axis=1) < 0
    kind = np.where(counts < 2, 2, np.where(turn > SHARP, 0, np.where(inward, 1, -1)))
    edges = np.stack([keys // len(vertices), keys % len(vertices)], axis=1)
    return edges, kind, np.stack([face[one], face[other]], axis=1)


def _between(start: np.ndarray, end: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Points inside of segments, at most `spacing` apart (N, 3), and of which segment each is (N,)."""
    parts = np.ceil(np.linalg.norm(end - start, axis=1) / spacing).astype(int)
    out, which = [np.zeros((0, 3))], [np.zeros(0, int)]
    for i in np.flatnonzero(parts > 1):
        out.append(start[i] + (np.arange(1, parts[i]) / parts[i])[:, None] * (end[i] - start[i]))
        which.append(np.full(parts[i] - 1, i))
    return np.concatenate(out), np.concatenate(which)


def _inside(corners: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Points inside of triangles (T, 3, 3), in rows along the longest side, at most `spacing` apart (N, 3), and of
    which triangle each is (N,)."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    longest = sides.argmax(axis=1)
    out, which = [np.zeros((0, 3))], [np.zeros(0, int)]
    for i in np.flatnonzero(sides.max(axis=1) > spacing):
        a, b, c = corners[i][(longest[i] + np.arange(3)) % 3]
        length = sides[i, longest[i]]
        height = float(np.linalg.norm(np.cross(b - a, c - a))) / length
        rows = max(2, int(np.ceil(height / spacing)))
        for v in np.arange(1, rows) / rows:
            count = max(1, int(np.ceil(length * (1 - v) / spacing)))
            u = (np.arange(count) + 0.5)[:, None] / count * (1 - v)
            out.append(a + u * (b - a) + v * (c - a))
            which.append(np.full(count, i))
    return np.concatenate(out), np.concatenate(which)


def _apart(count: int, pairs: np.ndarray) -> np.ndarray:
    """Which of `count` points stay (count,) bool: the earlier come first, and no two of `pairs` stay both."""
    kept = np.zeros(count, bool)
    left = np.ones(count, bool)
    while left.any():
        least = np.arange(count)
        np.minimum.at(least, pairs[:, 0], pairs[:, 1])
        np.minimum.at(least, pairs[:, 1], pairs[:, 0])
        now = left & (least >= np.arange(count))
        kept |= now
        gone = np.zeros(count, bool)
        gone[pairs[now[pairs[:, 0]], 1]] = gone[pairs[now[pairs[:, 1]], 0]] = True
        left &= ~(now | gone)
        pairs = pairs[left[pairs].all(axis=1)]
    return kept
