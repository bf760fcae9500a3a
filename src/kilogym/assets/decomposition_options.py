"""How meshes are cut into convex parts: what Isaac Gym's VhacdParams says."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from kilogym.assets.errors import AssetError

MAX_PARTS, MAX_VERTICES = 64, 64
"""Most parts of a mesh, and most vertices of a part, whatever is asked for."""


@dataclass(frozen=True)
class DecompositionOptions:
    """What Isaac Gym's VhacdParams says, under its names and with its defaults.

    Used: `resolution` (voxels, 1e4 to 6.4e7), `concavity` (0 to 1, see decomposition.py; what the voxels cannot tell,
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
