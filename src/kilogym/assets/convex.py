"""Which convex parts a mesh collides as: what the import options ask for."""

from __future__ import annotations

from collections.abc import Sequence

from kilogym.assets.asset import Mesh
from kilogym.assets.decomposition_options import MAX_PARTS, MAX_VERTICES
from kilogym.assets.diagnostics import Diagnostics
from kilogym.assets.errors import AssetError
from kilogym.assets.options import ImportOptions


def convex_parts(
    mesh: Mesh,
    options: ImportOptions,
    diagnostics: Diagnostics,
    file: str,
    line: int | None = None,
    submeshes: Sequence[Mesh] | None = None,
) -> tuple[Mesh, ...]:
    """The parts of a mesh that collides; none where its convex hull does.

    Args:
        submeshes: Objects of the mesh's file; None where the format of `file` does not keep them apart.

    Raises:
        NotImplementedError: parts from objects that are not known, or V-HACD without its package.
        AssetError: more objects than a mesh may have parts.
    """
    if options.convex_decomposition_from_submeshes:
        if submeshes is None:
            raise NotImplementedError(
                f"{file}: option convex_decomposition_from_submeshes is done for URDF files only; set vhacd_enabled "
                "instead, or give the parts as geoms of their own"
            )
        if len(submeshes) > MAX_PARTS:
            raise AssetError(
                f"mesh '{mesh.name}' has too many objects to collide as one part each",
                file=file,
                line=line,
                expected=f"at most {MAX_PARTS}",
                got=str(len(submeshes)),
                hint="join some in a mesh editor, or set vhacd_enabled instead",
            )
        return tuple(submeshes) if len(submeshes) > 1 else ()
    if not options.vhacd_enabled:
        return ()
    if unused := options.vhacd_params.unused():
        diagnostics.note(
            f"vhacd parameters {', '.join(unused)} are ignored: V-HACD 4 has nothing like them", file, line, "vhacd"
        )
    if options.vhacd_params.max_num_vertices_per_ch > MAX_VERTICES:
        diagnostics.note(
            f"vhacd parameter max_num_vertices_per_ch is {options.vhacd_params.max_num_vertices_per_ch}: "
            f"parts have at most {MAX_VERTICES} vertices", file, line, "vhacd vertices",
        )  # fmt: skip
    from kilogym.assets.decomposition import decompose  # needs scipy, which takes long to import

    parts = decompose(mesh, options.vhacd_params)
    return parts if len(parts) > 1 else ()
