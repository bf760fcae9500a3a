"""Checks of what a user hands to a setter; each message says what was expected, what came and what to do."""

from __future__ import annotations

import torch
from torch import Tensor


def check_values(values: Tensor, rows: int, columns: int, device: torch.device, what: str) -> Tensor:
    """`values` as contiguous float32 of shape (rows, columns), or (rows,) for one column, without a copy.

    Raises:
        TypeError: no tensor, another dtype. ValueError: another device or number of values.
    """
    _check_tensor(values, device, what)
    if values.dtype is not torch.float32:
        raise TypeError(f"{what}: expected torch.float32, got {values.dtype}; use .float()")
    if values.numel() != rows * columns:
        shape = (rows, columns) if columns > 1 else (rows,)
        raise ValueError(
            f"{what}: expected {rows * columns} values, shape {shape}, for the whole simulation (also when "
            f"only some actors are set), got {values.numel()}, shape {tuple(values.shape)}"
        )
    values = values.detach().contiguous()
    return values.view(rows, columns) if columns > 1 else values.view(rows)


def check_actors(actors: Tensor, num_actors: int, device: torch.device, read: bool, what: str) -> Tensor:
    """`actors` as contiguous int32 indices.

    Args:
        read: Check the range, which on CUDA waits for the device.

    Raises:
        TypeError: not int32 or int64. ValueError: another device, not 1-D. IndexError: out of range.
    """
    _check_tensor(actors, device, what)
    if actors.dtype not in (torch.int32, torch.int64):
        raise TypeError(f"{what}: expected torch.int32 or torch.int64 actor indices, got {actors.dtype}")
    if actors.dim() != 1:
        raise ValueError(f"{what}: expected a 1-D tensor of actor indices, got shape {tuple(actors.shape)}")
    if read and actors.numel():
        low, high = int(actors.min()), int(actors.max())
        if low < 0 or high >= num_actors:
            raise IndexError(
                f"{what}: expected actor indices in 0..{num_actors - 1}, got {low if low < 0 else high}; "
                "they are rows of root_states (Simulation.actor_index), not handles in an env"
            )
    return actors.to(torch.int32).contiguous()


def check_mask(mask: Tensor, num_actors: int, device: torch.device, what: str) -> Tensor:
    """`mask` as uint8 over the actors, without a copy.

    Raises:
        TypeError: not bool. ValueError: another device or shape.
    """
    _check_tensor(mask, device, what)
    if mask.dtype is not torch.bool:
        raise TypeError(f"{what}: expected torch.bool, one value per actor, got {mask.dtype}")
    if mask.shape != (num_actors,):
        raise ValueError(f"{what}: expected shape ({num_actors},), one per actor, got {tuple(mask.shape)}")
    return mask.contiguous().view(torch.uint8)


def _check_tensor(tensor: Tensor, device: torch.device, what: str) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{what}: expected a torch tensor, got {type(tensor).__name__}")
    if tensor.device != device:
        raise ValueError(f"{what}: expected a tensor on {device}, got one on {tensor.device}; use .to('{device}')")
