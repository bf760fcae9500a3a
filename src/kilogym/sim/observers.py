"""Jacobians and mass matrices: one tensor for all actors of a name, whatever batches they live in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kilogym.scene.declarations import Scene
from kilogym.sim.layout import Layout


@dataclass
class _Piece:
    """The actors of the name that are tree `tree` of a batch."""

    batch: Any
    tree: int
    columns: Tensor  # int64, envs of the batch that have one of the actors
    rows: Tensor  # int64, where they go
    scratch: Tensor | None  # (envs of the batch, ...); None: the batch's envs are the tensor's rows


class ActorGroup:
    """All actors of one name: a tensor and the pieces that fill it.

    Args:
        kind: "jacobian" or "mass_matrix", methods of a batch.

    Raises:
        KeyError: no actor of the name. ValueError: they differ in base, links or DOFs.
    """

    def __init__(
        self, name: str, kind: str, scene: Scene, layout: Layout, batches: list[Any], device: torch.device
    ) -> None:
        self._kind = kind
        places: dict[tuple[int, int], list[tuple[int, int]]] = {}
        shapes: dict[tuple[bool, int, int], str] = {}
        count = 0
        for e, env in enumerate(scene.envs):
            for a, actor in enumerate(env.actors):
                if actor.name != name:
                    continue
                asset = actor.asset
                shapes[asset.fixed_base, len(asset.links), asset.num_dofs] = f"env {e}"
                place = places.setdefault((int(layout.env_batch[e]), a), [])
                place.append((int(layout.env_column[e]), count))
                count += 1
        if not count:
            known = sorted({actor.name for env in scene.envs[:64] for actor in env.actors})
            raise KeyError(f"no actor is called {name!r}; there are {', '.join(known)}")
        if len(shapes) > 1:
            raise ValueError(
                f"actors called {name!r} differ in (fixed base, links, DOFs): "
                f"{', '.join(f'{shape} in {where}' for shape, where in shapes.items())}; rename one"
            )
        (fixed, links, dofs) = next(iter(shapes))
        n = dofs if fixed else dofs + 6
        item = (n, n) if kind == "mass_matrix" else (links - 1 if fixed else links, 6, n)
        self.tensor = torch.zeros((count, *item), dtype=torch.float32, device=device)
        self._pieces = [self._piece(batches[b], tree, place) for (b, tree), place in places.items()]

    def _piece(self, batch: Any, tree: int, place: list[tuple[int, int]]) -> _Piece:
        columns, rows = np.array(place).T
        count = len(self.tensor)
        whole = len(columns) == count == batch.num_envs and np.array_equal(columns, rows)
        device = self.tensor.device
        scratch = None if whole else self.tensor.new_zeros((batch.num_envs, *self.tensor.shape[1:]))
        where, to = (torch.from_numpy(x.copy()).to(device) for x in (columns, rows))
        return _Piece(batch, tree, where, to, scratch)

    def refresh(self) -> None:
        """Write the tensor from the live state."""
        if not self.tensor.numel():
            return
        for piece in self._pieces:
            compute: Callable[[int, Tensor], None] = getattr(piece.batch, self._kind)
            if piece.scratch is None:
                compute(piece.tree, self.tensor)
            else:
                compute(piece.tree, piece.scratch)
                self.tensor.index_copy_(0, piece.rows, piece.scratch.index_select(0, piece.columns))
