"""Finds and reads mesh files (.obj .stl .dae .glb .gltf .ply .off); each file is read once per process."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kilogym.assets.asset import Mesh
from kilogym.assets.errors import AssetError

EXTENSIONS = (".obj", ".stl", ".dae", ".glb", ".gltf", ".ply", ".off")
"""What is read; anything else is an AssetError that lists these."""
MAX_ANCESTORS = 8
"""How many folders above a file are searched for a package:// path."""


def find_mesh(
    path: str,
    folder: Path,
    *,
    file: str = "",
    line: int | None = None,
    element: str = "",
    root: Path | None = None,
) -> Path:
    """The file that a mesh path of a URDF or MJCF means.

    Args:
        path: As written: relative to `folder`, absolute, file://, or package:// (model://), which is looked
            for in the folders above `folder` as package/rest and as rest.
        folder: Folder of the file that says it.
        root: Folder that relative paths may start from as well, as they may from those between it and `folder`.
    """
    clean = path.strip().replace("\\", "/")
    scheme = re.match(r"^(package|model)://+", clean)
    tried: list[Path] = []
    if scheme:
        rest = clean[scheme.end() :]
        ancestors = [folder, *folder.parents][: MAX_ANCESTORS + 1]
        inner = rest.split("/", 1)[1] if "/" in rest else rest
        tried += [above / rest for above in ancestors]
        tried += [above / inner for above in ancestors if above.name == rest.split("/", 1)[0]]
        tried += [above / inner for above in ancestors]
    else:
        clean = re.sub(r"^file://", "", clean)
        tried.append(folder / clean)
        if root is not None:
            tried.append(root / clean)
            above = [parent for parent in folder.resolve().parents if parent.is_relative_to(root.resolve())]
            tried += [parent / clean for parent in above]
    for candidate in tried:
        try:
            if clean and candidate.is_file():
                return candidate.resolve()
        except (OSError, ValueError):  # a name too long, or with a null in it
            break
    looked = ", ".join(str(candidate) for candidate in tried[:4])
    raise AssetError(
        "mesh file not found",
        file=file,
        line=line,
        element=element,
        got=repr(path),
        expected=f"a file; tried {looked}",
        hint="put the mesh there, or correct the path; package:// is searched for above the file",
    )


def load_mesh(
    path: Path,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    *,
    colors: bool = False,
    flip: bool = False,
) -> Mesh:
    """Read a mesh file.

    Args:
        path: The file.
        scale: Factors along the file's own axes.
        colors: Also read vertex colours from the file's materials.
        flip: Turn y-up into z-up, (x, y, z) -> (x, -z, y). COLLADA files that declare Z_UP stay as they are.

    Source of the flip: Isaac Gym's flip_visual_attachments as its clients use it. Its COLLADA reader turned
    Z_UP files to y-up, so that clients set the flag for them too; here such files come out as drawn.
    """
    stat = path.stat()
    try:
        vertices, triangles, rgb, z_up = _read(str(path), stat.st_mtime_ns, stat.st_size, colors)
    except AssetError:
        raise
    except Exception as error:  # every format has its own error types
        raise AssetError(
            "mesh file cannot be read",
            file=str(path),
            got=f"{type(error).__name__}: {error}",
            expected=f"a mesh in one of {' '.join(EXTENSIONS)}",
            hint="open it in a mesh editor and export it again",
        ) from None
    vertices = vertices * np.asarray(scale, dtype=np.float64)
    if flip and not z_up:
        vertices = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1)
    if np.prod(scale) < 0:  # a mirrored mesh keeps its faces outside
        triangles = triangles[:, ::-1]
    return Mesh(name=path.stem, vertices=vertices, triangles=np.ascontiguousarray(triangles), colors=rgb)


def load_submeshes(path: Path, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> list[Mesh]:
    """The objects of a mesh file: of an .obj its `o` and `g`, of .dae, .glb and .gltf its nodes, else all as one.

    Args:
        path: A file that :func:`load_mesh` reads.
        scale: Factors along the file's own axes.
    """
    import trimesh  # most of a second that robots without meshes need not wait for

    unit, _ = _collada_asset(str(path)) if path.suffix.lower() == ".dae" else (1.0, False)
    options: dict[str, Any] = {}
    if path.suffix.lower() == ".obj":
        options = {"group_material": False, "skip_materials": True, "split_objects": True, "split_groups": True}
        options["split_object"] = True  # trimesh 4's name for both
    loaded: Any = trimesh.load(path, process=False, **options)
    pieces = loaded.dump() if isinstance(loaded, trimesh.Scene) else [loaded]
    return [
        Mesh(
            f"{path.stem}.{i}",
            np.array(piece.vertices, dtype=np.float64) * unit * np.asarray(scale, dtype=np.float64),
            np.array(piece.faces, dtype=np.int64)[:, :: -1 if np.prod(scale) < 0 else 1],
        )
        for i, piece in enumerate(pieces)
        if isinstance(piece, trimesh.Trimesh) and len(piece.faces)
    ]


@lru_cache(maxsize=512)
def _read(path: str, _mtime: int, _size: int, colors: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, bool]:
    """Vertices, triangles and colours of a file, and whether it declares z as up. Read-only arrays."""
    suffix = Path(path).suffix.lower()
    if suffix not in EXTENSIONS:
        raise AssetError(
            f"mesh format {suffix or '(none)'} is not read",
            file=path,
            expected=" ".join(EXTENSIONS),
            hint="export the mesh to one of these",
        )
    unit, z_up = _collada_asset(path) if suffix == ".dae" else (1.0, False)
    options: dict[str, Any] = {} if colors or suffix != ".obj" else {"skip_materials": True}
    import trimesh  # most of a second that robots without meshes need not wait for

    loaded: Any = trimesh.load(path, process=False, **options)
    mesh = loaded.to_mesh() if isinstance(loaded, trimesh.Scene) else loaded
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise AssetError("mesh file has no triangles", file=path, expected="at least one triangle")
    vertices = np.array(mesh.vertices, dtype=np.float64) * unit
    triangles = np.array(mesh.faces, dtype=np.int64)
    if not np.isfinite(vertices).all():
        raise AssetError("mesh file has vertices that are not finite", file=path)
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise AssetError("mesh file has triangles of vertices that do not exist", file=path)
    rgb = _vertex_colors(mesh) if colors else None
    for array in (vertices, triangles, rgb):
        if array is not None:
            array.setflags(write=False)
    return vertices, triangles, rgb, z_up


def _collada_asset(path: str) -> tuple[float, bool]:
    """Metres per unit, and whether z is up, from the head of a COLLADA file; trimesh reads neither."""
    with open(path, "rb") as stream:
        head = stream.read(1 << 16).decode("utf-8", "replace")
    if "<!DOCTYPE" in head or "<!ENTITY" in head:
        raise AssetError("mesh file declares XML entities", file=path, hint="remove the document type declaration")
    unit = re.search(r"<unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']+)[\"']", head)
    up = re.search(r"<up_axis>\s*(\w+)\s*</up_axis>", head)
    return (float(unit.group(1)) if unit else 1.0), bool(up and up.group(1) == "Z_UP")


def _vertex_colors(mesh: Any) -> np.ndarray | None:
    try:
        visual = mesh.visual.to_color() if hasattr(mesh.visual, "to_color") else mesh.visual
        rgba = np.asarray(visual.vertex_colors, dtype=np.float64)
    except Exception:  # a texture that is missing or broken is no reason to refuse the shape
        return None
    return rgba[:, :3] / 255.0 if rgba.shape[:1] == (len(mesh.vertices),) else None
