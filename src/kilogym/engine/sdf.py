"""Signed distance fields of shapes as the engine reads them: two flat buffers, shared by all envs (native/sdf.h).

`ints` begins with a number per hull of the library: where its field's header is, -1: it has none. A header is
HEADER_INTS numbers: blocks along x, y, z; points; clusters; then where there are, among the ints, blocks and starts of
clusters, and among the reals the field's numbers (origin, cell, spacing), coarse samples, fine ones, points with their
cones, and spheres.

Numbers are those of kilogym.assets.distance_field.DistanceField, which says what they are, but for places, which are
counted from the hull's centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import torch

HEADER_INTS = 12
BLOCK = 4
"""Cells along the side of a block."""
MOST_POINTS = 8192
"""Most points of a shape that may touch a field: of a field's own surface, or vertices of a mesh in parts."""
SDF_TOUCHES, SDF_NUMBERS = 16, 2 * MOST_POINTS
"""Most contact points of a pair with a field in it, and how many numbers they have (native/sdf_pairs.h)."""


@dataclass(frozen=True, eq=False)
class Field:
    """A signed distance field and its surface's points; places from the centre of the hull that it belongs to."""

    origin: np.ndarray
    cell: float
    spacing: float
    coarse: np.ndarray
    blocks: np.ndarray
    fine: np.ndarray
    points: np.ndarray
    cones: np.ndarray
    starts: np.ndarray
    spheres: np.ndarray

    def __post_init__(self) -> None:
        if len(self.points) > MOST_POINTS:
            raise ValueError(f"Field.points: expected at most {MOST_POINTS}, got {len(self.points)}")


_buffers: WeakValueDictionary[tuple[object, ...], torch.Tensor] = WeakValueDictionary()


def fields_on(
    fields: Sequence[Field | None], device: torch.device, real: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """The buffers (reals, ints) on a device: made once for batches of one library, as long as one of them has them."""
    key = tuple(map(id, fields)), str(device), real
    reals, ints = _buffers.get((*key, "reals")), _buffers.get((*key, "ints"))
    if reals is None or ints is None:
        packed = pack_fields(fields)
        reals, ints = torch.from_numpy(packed[0]).to(device, real), torch.from_numpy(packed[1]).to(device)
        _buffers[(*key, "reals")], _buffers[(*key, "ints")] = reals, ints
    return reals, ints


def pack_fields(fields: Sequence[Field | None]) -> tuple[np.ndarray, np.ndarray]:
    """The buffers (reals float64, ints int32) of a library's fields, one place each; empty ones if there are none."""
    if not any(fields):
        return np.zeros(0), np.zeros(0, np.int32)
    ints: list[np.ndarray] = []
    reals: list[np.ndarray] = []
    where = np.full(len(fields), -1, np.int64)
    at_int, at_real = len(fields), 0
    known: dict[int, int] = {}  # by identity: meshes may share a field
    for i, field in enumerate(fields):
        if field is None:
            continue
        if id(field) in known:
            where[i] = known[id(field)]
            continue
        where[i] = known[id(field)] = at_int
        blocks = field.blocks.reshape(-1)
        numbers = np.array([*field.origin, field.cell, field.spacing])
        points = np.concatenate([field.points, field.cones], axis=1)
        own = [numbers, *(part.reshape(-1) for part in (field.coarse, field.fine, points, field.spheres))]
        begins = at_real + np.cumsum([0, *(part.size for part in own)])
        at_blocks = at_int + HEADER_INTS
        counts = [*field.blocks.shape, len(field.points), len(field.spheres)]
        head = [*counts, at_blocks, at_blocks + blocks.size, *begins[:5]]
        ints += [np.array(head), blocks, field.starts]
        reals += own
        at_int += HEADER_INTS + blocks.size + field.starts.size
        at_real = int(begins[-1])
    every_int = np.concatenate([where, *ints])
    return np.concatenate([np.asarray(part, np.float64) for part in reals]), every_int.astype(np.int32)
