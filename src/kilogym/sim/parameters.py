"""Edits of one batch's parameters: made on the host, written to the device in one go."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


class BatchParameters:
    """Edits of a batch's parameter arrays, kept on the host until `flush`.

    Args:
        batch: The engine's batch.
    """

    def __init__(self, batch: Any) -> None:
        self._batch = batch
        self._host: dict[str, np.ndarray] = {}
        self._edited: set[str] = set()

    def write(self, name: str, row: int, values: np.ndarray, column: int) -> None:
        """Set rows `row`... of env `column`; a shared parameter becomes per-env only if the values differ."""
        values = np.asarray(values, np.float32).ravel()
        if not values.size:
            return
        host = self._host.get(name)
        if host is None:
            host = self._host[name] = self._batch.params[name].cpu().numpy().copy()
        here = slice(row, row + values.size)
        if np.array_equal(host[here, column if host.shape[1] > 1 else 0], values):
            return
        if host.shape[1] == 1 and self._batch.num_envs > 1:
            self._batch.expand(name)
            host = self._host[name] = np.repeat(host, self._batch.num_envs, axis=1)
        host[here, column] = values
        self._edited.add(name)

    def flush(self) -> None:
        """Write the edited parameters to the device; without any, nothing happens and it is graph-safe."""
        for name in sorted(self._edited):
            self._batch.params[name].copy_(torch.from_numpy(self._host[name]))
        if self._edited:
            self._batch.changed(self._edited)
        self._edited.clear()

    def on_device(self, name: str) -> Tensor:
        """The parameter on the device, per env, for someone else to write; host edits go there first."""
        if name not in self._batch.params:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(sorted(self._batch.params))}")
        self.flush()
        self._host.pop(name, None)
        if self._batch.params[name].shape[1] != self._batch.num_envs:
            self._batch.expand(name)
        self._batch.changed(elsewhere=name)
        return self._batch.params[name]
