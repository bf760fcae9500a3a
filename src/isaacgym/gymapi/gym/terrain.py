"""Terrain from what clients hand over: flat arrays and their parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from isaacgym.gymapi.gym.checks import pose_numbers
from isaacgym.gymapi.params import HeightFieldParams, PlaneParams, TriangleMeshParams


def heightfield(samples: Any, params: HeightFieldParams) -> Any:
    """A height field of int16 samples.

    Sample [i, j] is the height at x = i, y = j, in pitches, of the frame `params.transform`; z is up. That is how
    clients index the array they pass, whose first axis they count as columns: shape (nbColumns, nbRows), pitch
    (column_scale, row_scale). An array of shape (nbRows, nbColumns) has the pitch (row_scale, column_scale). A flat
    array is of the former kind. Of a transposed view what counts is the array behind it.
    """
    from kilogym.scene.terrain import HeightField

    array = np.asarray(samples)
    rows, columns = params.nbRows, params.nbColumns
    if array.dtype != np.int16:
        raise TypeError(
            f"samples: expected an array of int16 (heights in units of vertical_scale), got {array.dtype}; "
            "use .astype(numpy.int16)"
        )
    if array.ndim == 2 and array.flags.f_contiguous and not array.flags.c_contiguous:
        array = array.T
    pitch = (params.column_scale, params.row_scale)
    if array.shape == (rows, columns) and rows != columns:
        pitch = (params.row_scale, params.column_scale)
    elif array.size == rows * columns and array.ndim == 1:
        array = array.reshape(columns, rows)
    elif array.shape != (columns, rows):
        raise ValueError(
            f"samples: expected {rows} x {columns} samples (params.nbRows, params.nbColumns), got shape {array.shape}"
        )
    pos, quat = pose_numbers(params.transform)
    return HeightField(array * float(params.vertical_scale), pitch, pos, quat, **surface(params))


def triangle_mesh(vertices: Any, triangles: Any, params: TriangleMeshParams) -> Any:
    """A triangle mesh of flat arrays, or of arrays (nb_vertices, 3) and (nb_triangles, 3)."""
    from kilogym.scene.terrain import TriangleMesh

    points, corners = np.asarray(vertices), np.asarray(triangles)
    for what, array, count, kinds in (
        ("vertices", points, params.nb_vertices, "f"),
        ("triangles", corners, params.nb_triangles, "iu"),
    ):
        if array.dtype.kind not in kinds:
            wanted = "float32" if kinds == "f" else "uint32"
            raise TypeError(f"{what}: expected an array of {wanted}, got {array.dtype}; use .astype(numpy.{wanted})")
        if array.size != 3 * count:
            raise ValueError(
                f"{what}: expected 3 numbers for each of params.nb_{what} = {count}, got {array.size} numbers"
            )
    pos, quat = pose_numbers(params.transform)
    return TriangleMesh(points.reshape(-1, 3), corners.reshape(-1, 3), pos, quat, **surface(params))


def surface(params: PlaneParams | HeightFieldParams | TriangleMeshParams) -> dict[str, Any]:
    """Material and segmentation number."""
    names = ("static_friction", "dynamic_friction", "restitution", "segmentation_id")
    return {name: getattr(params, name) for name in names}
