"""Stand-in for `pysdf` (signed distance of meshes), which has no wheels for current Pythons."""

from __future__ import annotations

from kilogym.compat.legacy.absent import Absent


class SDF(Absent):
    """Signed distance field of a mesh."""

    package = "pysdf"
    remedy = "Install pysdf from source, or compute distances with trimesh.proximity.signed_distance."
