"""Meshes in convex parts: V-HACD, then parts joined again where that adds next to nothing.

V-HACD (Mamou's, through the package `vhacdx`, version 4 of the library) halves voxels until each part is convex to a
share of *its own* volume, and so cuts a ball to pieces. What Isaac Gym's `concavity` bounds is a share of the whole
hull's volume: parts are joined, the cheapest two first, while no more than that is hollow in the hull of both.

The result is the same bits for the same mesh and options, and is kept on disk (cache.py).
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

from kilogym.assets.asset import Mesh
from kilogym.assets.cache import cached_arrays, content_key
from kilogym.assets.decomposition_options import MAX_VERTICES, DecompositionOptions
from kilogym.assets.joining import hollow_cells, join, volume_of
from kilogym.math.spanning import spanning_points

FORMAT = 1
"""Counts changes of what this file makes of the same mesh."""
DEPTH = 8
"""How often a part is halved at most: 256 pieces of a ball, which V-HACD joins to 64 in seconds; 10 takes a minute."""
LEAST_SHARE = 1e-6
"""A part of less of the whole hull's volume is left out: it is a crumb of the voxels."""

_known: dict[str, list[np.ndarray]] = {}  # of this process, by content


def decompose(mesh: Mesh, options: DecompositionOptions | None = None) -> tuple[Mesh, ...]:
    """Convex meshes, at most `max_convex_hulls`, that together fill about what the mesh does.

    One mesh, its convex hull, where nothing else is needed. An open mesh is filled as far as V-HACD's flood from
    outside does not get in. Seconds for the first time, then from the cache.

    Raises:
        NotImplementedError: the package vhacdx is not installed.
    """
    options = options or DecompositionOptions()
    library = _library()
    if volume_of(mesh.vertices) <= 0.0:  # flat: the engine thickens it
        return (mesh,)
    used = (options.resolution, float(options.concavity), options.max_convex_hulls, options.max_num_vertices_per_ch)
    key = content_key(
        [mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)],
        FORMAT, importlib.metadata.version("vhacdx"), *used, options.pca, options.project_hull_vertices,
    )  # fmt: skip
    if key not in _known:
        arrays = cached_arrays("convex", key, lambda: _decompose(mesh, options, library))
        for array in arrays:
            array.setflags(write=False)
        _known[key] = arrays
    arrays = _known[key]
    return tuple(
        Mesh(f"{mesh.name}.{i}", vertices, triangles)
        for i, (vertices, triangles) in enumerate(zip(arrays[::2], arrays[1::2], strict=True))
    )


def _library() -> Any:
    try:
        import vhacdx
    except ImportError:
        raise NotImplementedError(
            "option vhacd_enabled needs the package vhacdx: pip install 'kilogym[vhacd]'; or set "
            "vhacd_enabled = False (a mesh then collides as its convex hull), or give the convex parts as collision "
            "meshes of their own"
        ) from None
    return vhacdx


def _decompose(mesh: Mesh, options: DecompositionOptions, library: Any) -> list[np.ndarray]:
    """Vertices and triangles of each part, one after the other."""
    points = np.asarray(mesh.vertices, dtype=np.float64)
    axes = _principal_axes(points) if options.pca else np.eye(3)
    corners = np.full((len(mesh.triangles), 4), 3, dtype=np.uint32)
    corners[:, 1:] = mesh.triangles
    found = library.compute_vhacd(
        points @ axes,
        corners,
        maxConvexHulls=options.max_convex_hulls,
        resolution=options.resolution,
        minimumVolumePercentErrorAllowed=max(1.0, 100.0 * options.concavity),
        maxRecursionDepth=DEPTH,
        maxNumVerticesPerCH=min(options.max_num_vertices_per_ch, MAX_VERTICES),
        shrinkWrap=bool(options.project_hull_vertices),
        asyncACD=False,  # in one order, and so the same bits
    )
    whole, extent = volume_of(points), np.ptp(points @ axes, axis=0)
    voxel = float(np.prod(extent) / options.resolution) ** (1.0 / 3.0)
    parts = [np.asarray(vertices) for vertices, _ in found if volume_of(np.asarray(vertices)) > LEAST_SHARE * whole]
    if not parts:
        parts = [points @ axes]
    hollow, cell = hollow_cells(parts, voxel / 2)
    parts = join(parts, hollow, options.tolerance() * whole / cell, options.max_convex_hulls, 2 * voxel)
    most = min(options.max_num_vertices_per_ch, MAX_VERTICES)
    return [array for part in parts for array in _hull_mesh(part @ axes.T, most)]


def _hull_mesh(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, at most `most`, and triangles of the points' convex hull, counter-clockwise from outside."""
    points = points[ConvexHull(points).vertices]
    if len(points) > most:
        points = points[spanning_points(points, most)]
    hull = ConvexHull(points)
    triangles = hull.simplices.astype(np.int64)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    inwards = np.einsum("ij,ij->i", np.cross(b - a, c - a), hull.equations[:, :3]) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]
    return points, triangles


def _principal_axes(points: np.ndarray) -> np.ndarray:
    """Columns: orthonormal, right-handed, the widest first; each with its largest component positive."""
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2].T
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(3)])
    axes[:, 2] *= np.sign(np.linalg.det(axes))
    return axes
