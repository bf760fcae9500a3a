"""Between tensor descriptors and torch: `wrap_tensor` and `unwrap_tensor`, both without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch

from isaacgym import gymapi

__all__ = ["unwrap_tensor", "wrap_tensor"]

_TORCH_OF = {
    gymapi.TensorDataType.DTYPE_FLOAT32: torch.float32,
    gymapi.TensorDataType.DTYPE_UINT32: torch.int32,
    gymapi.TensorDataType.DTYPE_UINT64: torch.int64,
    gymapi.TensorDataType.DTYPE_UINT8: torch.uint8,
    gymapi.TensorDataType.DTYPE_INT16: torch.int16,
}
_TYPE_OF = {
    **{dtype: kind for kind, dtype in _TORCH_OF.items()},
    torch.bool: gymapi.TensorDataType.DTYPE_UINT8,
}


def wrap_tensor(
    gym_tensor: gymapi.Tensor, offsets: Sequence[int] | None = None, counts: Sequence[int] | None = None
) -> torch.Tensor:
    """The torch tensor of a descriptor, on the same memory: what the simulation writes is seen in it.

    Args:
        gym_tensor: What a `Gym.acquire_*` call returned.
        offsets: First index of a block, one per dimension; default 0.
        counts: Size of the block, one per dimension; default up to the end.

    Raises:
        TypeError: no descriptor. ValueError: the block is not inside the tensor.
    """
    if not isinstance(gym_tensor, gymapi.Tensor):
        hint = "; it is a torch tensor already" if isinstance(gym_tensor, torch.Tensor) else ""
        raise TypeError(
            f"wrap_tensor: expected the gymapi.Tensor of an acquire call, got {type(gym_tensor).__name__}{hint}"
        )
    tensor = gym_tensor._torch
    if tensor is None:
        tensor = _from_address(gym_tensor)
    if offsets is None and counts is None:
        return tensor
    shape = tuple(tensor.shape)
    starts = [0] * len(shape) if offsets is None else [int(k) for k in offsets]
    sizes = [n - s for n, s in zip(shape, starts, strict=False)] if counts is None else [int(k) for k in counts]
    inside = len(starts) == len(sizes) == len(shape) and all(
        s >= 0 and c >= 0 and s + c <= n for s, c, n in zip(starts, sizes, shape, strict=True)
    )
    if not inside:
        raise ValueError(
            f"wrap_tensor: expected offsets and counts, {len(shape)} of each, of a block inside shape {shape}; "
            f"got offsets {starts}, counts {sizes}"
        )
    for dim, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        tensor = tensor.narrow(dim, start, size)
    return tensor


def unwrap_tensor(torch_tensor: torch.Tensor) -> gymapi.Tensor:
    """The descriptor of a torch tensor, to hand to the setters. It keeps the tensor alive.

    Args:
        torch_tensor: Contiguous, of float32, int32, int64, uint8, bool or int16.

    Raises:
        TypeError: no torch tensor, or another dtype. ValueError: not contiguous.
    """
    if not isinstance(torch_tensor, torch.Tensor):
        raise TypeError(
            f"unwrap_tensor: expected a torch.Tensor, got {type(torch_tensor).__name__}; use torch.as_tensor(...)"
        )
    kind = _TYPE_OF.get(torch_tensor.dtype)
    if kind is None:
        raise TypeError(
            f"unwrap_tensor: expected float32, int32, int64, uint8, bool or int16, got {torch_tensor.dtype}; "
            "use .float() for states and .to(torch.int32) for indices"
        )
    if not torch_tensor.is_contiguous():
        raise ValueError(
            f"unwrap_tensor: expected a contiguous tensor, got shape {tuple(torch_tensor.shape)} with strides "
            f"{torch_tensor.stride()}; use .contiguous()"
        )
    out = gymapi.Tensor()
    device = torch_tensor.device
    out.device = -1 if device.type == "cpu" else device.index or 0
    out.dtype = kind
    out.shape = tuple(torch_tensor.shape)
    out.data_address = torch_tensor.data_ptr()
    out._torch = torch_tensor.detach()
    return out


def _from_address(gym_tensor: gymapi.Tensor) -> torch.Tensor:
    """A tensor on foreign memory, for descriptors filled in by hand; whoever did keeps the memory."""
    if gym_tensor.device >= 0 or not gym_tensor.data_address:
        raise ValueError(
            f"wrap_tensor: expected a descriptor of an acquire call or of unwrap_tensor, got {gym_tensor!r} "
            "filled in by hand, which is supported on the CPU only"
        )
    dtype = _TORCH_OF[gymapi.TensorDataType(gym_tensor.dtype)]
    count = 1
    for size in gym_tensor.shape:
        count *= int(size)
    memory = (ctypes.c_uint8 * (count * dtype.itemsize)).from_address(gym_tensor.data_address)
    return torch.frombuffer(memory, dtype=dtype).view(gym_tensor.shape)
