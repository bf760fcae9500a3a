"""What peers written in Warp share: their steps are one CUDA graph, launched on torch's stream."""

from __future__ import annotations

import abc
from typing import Any

import torch
import warp as wp

from kilogym.bench.engine import Engine, Setting


class WarpEngine(Engine):
    """A peer whose `_steps` are Warp launches on the device of the setting."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._device = wp.get_device(setting.device)
        self._graph: Any = None

    @abc.abstractmethod
    def _steps(self) -> None:
        """`hold` steps."""

    def _prepare_steps(self) -> None:
        """Compile the steps by making them, and on CUDA capture them; the state has to be set again."""
        self._steps()
        wp.synchronize_device(self._device)
        if self._device.is_cuda:
            with wp.ScopedCapture() as capture:
                self._steps()
            self._graph = capture.graph
            self._stream = wp.stream_from_torch(torch.cuda.current_stream(self.setting.device))

    def advance(self) -> None:
        if self._graph is None:
            with wp.ScopedDevice(self._device):
                self._steps()
        else:  # on torch's stream, behind the copy of the controls
            wp.capture_launch(self._graph, stream=self._stream)

    def synchronize(self) -> None:
        wp.synchronize_device(self._device)

    def close(self) -> None:
        self._graph = None
