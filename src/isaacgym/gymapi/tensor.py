"""Tensor descriptors: what `Gym.acquire_*` returns and the setters take. gymtorch makes torch tensors of them."""

from __future__ import annotations

import ctypes
from typing import Any

from isaacgym.gymapi.enums import TensorDataType


class Tensor:
    """Address, shape, type and device of a tensor.

    A descriptor made here keeps its torch tensor alive (the original kept the address only, so that
    `unwrap_tensor(x.to(torch.int32))` could point to freed memory).

    Attributes:
        device: -1 for the CPU, else the CUDA ordinal.
        dtype: Element type.
        shape: Size of each dimension.
        data_address: Address of the first element.
        own_data: Whether this descriptor is what keeps the memory.
    """

    __slots__ = ("_torch", "data_address", "device", "dtype", "own_data", "shape")

    def __init__(self) -> None:
        self.device = -1
        self.dtype = TensorDataType.DTYPE_FLOAT32
        self.shape: tuple[int, ...] = ()
        self.data_address = 0
        self.own_data = False
        self._torch: Any = None

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def data_ptr(self) -> Any:
        """The address as a PyCapsule; None for a tensor without elements."""
        if not self.data_address:
            return None
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(self.data_address, None, None)

    def __repr__(self) -> str:
        where = "cpu" if self.device < 0 else f"cuda:{self.device}"
        return f"Tensor(shape={tuple(self.shape)}, dtype={self.dtype.name}, device={where})"
