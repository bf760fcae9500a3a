"""Meshes in convex parts: V-HACD, then parts joined again where that adds next to nothing.

V-HACD (Mamou's, through the package `vhacdx`, version 4 of the library) halves voxels until each part is convex to a
share of *its own* volume, and so cuts a ball to pieces. What Isaac Gym's `concavity` bounds is a share of the whole
hull's volume: parts are joined, the cheapest two first, while no more than that is hollow in the hull of both.

The result is the same bits for the same mesh and options, and is kept on disk (cache.py).
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from kilogym.assets.asset import Mesh
from kilogym.assets.cache import cached_arrays, content_key
from kilogym.assets.errors import AssetError
from kilogym.math.spanning import spanning_points

FORMAT = 1
"""Counts changes of what this file makes of the same mesh."""
MAX_PARTS, MAX_VERTICES = 64, 64
"""Most parts of a mesh, and most vertices of a part, whatever is asked for."""
DEPTH = 8
"""How often a part is halved at most: 256 pieces of a ball, which V-HACD joins to 64 in seconds; 10 takes a minute."""
CELLS = 30_000
"""Of the grid that tells what is hollow."""
LEAST_SHARE = 1e-6
"""A part of less of the whole hull's volume is left out: it is a crumb of the voxels."""


_known: dict[str, list[np.ndarray]] = {}  # of this process, by content


@dataclass(frozen=True)
class DecompositionOptions:
    """What Isaac Gym's VhacdParams says, under its names and with its defaults.

    Used: `resolution` (voxels, 1e4 to 6.4e7), `concavity` (0 to 1, see above; what the voxels cannot tell,
    0.3 / sqrt(resolution), is joined at any), `max_convex_hulls` (1 to 64), `max_num_vertices_per_ch` (4 to 1024; at
    most 64 are kept), `project_hull_vertices` (onto the mesh), `pca` (1: cut along the principal axes).
    Only refused: `mode` 1 (tetrahedra instead of voxels).
    Without a counterpart, warned of where not at their defaults: `alpha`, `beta`, `convex_hull_downsampling`,
    `plane_downsampling`, `min_volume_per_ch`, `convex_hull_approximation`. `ocl_acceleration`: nothing to do here.
    """

    resolution: int = 100_000
    concavity: float = 0.0
    alpha: float = 0.05
    beta: float = 0.05
    convex_hull_downsampling: int = 4
    plane_downsampling: int = 4
    max_convex_hulls: int = 64
    max_num_vertices_per_ch: int = 64
    min_volume_per_ch: float = 1e-4
    pca: int = 0
    mode: int = 0
    convex_hull_approximation: bool = True
    ocl_acceleration: bool = True
    project_hull_vertices: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (
            ("resolution", 10_000, 64_000_000), ("concavity", 0.0, 1.0), ("max_convex_hulls", 1, MAX_PARTS),
            ("max_num_vertices_per_ch", 4, 1024), ("pca", 0, 1), ("mode", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:  # also of NaN
                raise AssetError(
                    f"vhacd parameter {name} is out of range", expected=f"{low} to {high}", got=repr(value)
                )
        if self.mode == 1:
            raise NotImplementedError("vhacd parameter mode = 1 (tetrahedra) is not done; set it to 0 (voxels)")

    def unused(self) -> list[str]:
        """Names of the parameters that ask for something V-HACD 4 has no counterpart of."""
        names = (
            "alpha", "beta", "convex_hull_downsampling", "plane_downsampling", "min_volume_per_ch",
            "convex_hull_approximation",
        )  # fmt: skip
        default: dict[str, Any] = {field.name: field.default for field in fields(self)}
        return [name for name in names if not np.isclose(getattr(self, name), default[name], rtol=1e-5)]

    def tolerance(self) -> float:
        """Share of the whole hull's volume that joining two parts may add."""
        return max(float(self.concavity), 0.3 / float(self.resolution) ** 0.5)


def decompose(mesh: Mesh, options: DecompositionOptions | None = None) -> tuple[Mesh, ...]:
    """Convex meshes, at most `max_convex_hulls`, that together fill about what the mesh does.

    One mesh, its convex hull, where nothing else is needed. An open mesh is filled as far as V-HACD's flood from
    outside does not get in. Seconds for the first time, then from the cache.

    Raises:
        NotImplementedError: the package vhacdx is not installed.
    """
    options = options or DecompositionOptions()
    library = _library()
    if _volume(mesh.vertices) <= 0.0:  # flat: the engine thickens it
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
    whole, extent = _volume(points), np.ptp(points @ axes, axis=0)
    voxel = float(np.prod(extent) / options.resolution) ** (1.0 / 3.0)
    parts = [np.asarray(vertices) for vertices, _ in found if _volume(np.asarray(vertices)) > LEAST_SHARE * whole]
    if not parts:
        parts = [points @ axes]
    hollow, cell = hollow_cells(parts, voxel / 2)
    parts = join(parts, hollow, options.tolerance() * whole / cell, options.max_convex_hulls, 2 * voxel)
    most = min(options.max_num_vertices_per_ch, MAX_VERTICES)
    return [array for part in parts for array in _hull_mesh(part @ axes.T, most)]


def hollow_cells(parts: list[np.ndarray], slack: float) -> tuple[np.ndarray, float]:
    """Centres (N, 3) of those cells of a grid about all parts that are farther than `slack` from each; a cell's volume.

    Without slack what V-HACD leaves between the voxels of neighbours would count as hollow.
    """
    low, high = (f([f(part, axis=0) for part in parts], axis=0) for f in (np.min, np.max))
    size = (np.prod(high - low) / CELLS) ** (1.0 / 3.0)
    counts = np.maximum(np.ceil((high - low) / size).astype(int), 1)
    step = (high - low) / counts
    axes = [low[k] + (np.arange(counts[k]) + 0.5) * step[k] for k in range(3)]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    for part in parts:
        cells = cells[~_within(cells, part, slack)]
    return cells, float(np.prod(step))


def _within(cells: np.ndarray, part: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Which cells lie in the convex hull of a part, or at most `slack` before one of its faces."""
    found = np.zeros(len(cells), dtype=bool)
    boxed = ((cells >= part.min(axis=0) - slack) & (cells <= part.max(axis=0) + slack)).all(axis=1)
    planes = ConvexHull(part).equations
    found[boxed] = (cells[boxed] @ planes[:, :3].T + planes[:, 3]).max(axis=1) <= slack
    return found


def join(parts: list[np.ndarray], hollow: np.ndarray, most_hollow: float, most: int, near: float) -> list[np.ndarray]:
    """Parts joined, the cheapest two first, while their hull holds little that is hollow or there are more than `most`.

    Args:
        parts: Vertices of convex parts (V, 3) [m].
        hollow: Points outside all of them (N, 3).
        most_hollow: How many of these the hull of two may hold. Of equals the hull that adds least to both goes first.
        near: How far apart the boxes of two may be to be joined [m]; any, where there are too many.
    """
    hulls = dict(enumerate(parts))
    volume = {i: _volume(part) for i, part in hulls.items()}

    def cost(i: int, j: int) -> tuple[int, float]:
        both = np.concatenate([hulls[i], hulls[j]])
        return int(_within(hollow, both).sum()), _volume(both) - volume[i] - volume[j]

    def touch(i: int, j: int) -> bool:
        a, b = hulls[i], hulls[j]
        return bool((a.min(axis=0) - near <= b.max(axis=0)).all() and (b.min(axis=0) - near <= a.max(axis=0)).all())

    costs = {(i, j): cost(i, j) for j in hulls for i in range(j) if touch(i, j)}
    fresh = len(hulls)
    while len(hulls) > 1:
        if not costs and len(hulls) > most:
            costs = {(i, j): cost(i, j) for j in hulls for i in hulls if i < j}
        if not costs:
            break
        least = min(costs, key=lambda pair: (costs[pair], pair))
        if costs[least][0] > most_hollow and len(hulls) <= most:
            break
        both = np.concatenate([hulls.pop(i) for i in least])
        costs = {pair: value for pair, value in costs.items() if not set(pair) & set(least)}
        hulls[fresh] = both[ConvexHull(both).vertices]
        volume[fresh] = _volume(both)
        costs |= {(i, fresh): cost(i, fresh) for i in hulls if i < fresh and touch(i, fresh)}
        fresh += 1
    return list(hulls.values())


def _volume(points: np.ndarray) -> float:
    """Of the points' convex hull; 0 where they lie in a plane [m^3]."""
    try:
        return float(ConvexHull(points).volume) if len(points) > 3 else 0.0
    except (QhullError, ValueError):
        return 0.0


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
