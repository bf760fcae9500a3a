"""Rotations for torch: pure functions on any leading batch dimensions, quaternions xyzw and unit.

They rotate vectors actively, as `kilogym.math.quaternion` does for numpy. Angles are radians.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def quat_conj(q: Tensor) -> Tensor:
    """The inverse rotation, [..., 4]."""
    return torch.cat([-q[..., :3], q[..., 3:]], dim=-1)


def quat_mul(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product, [..., 4]: the rotation `b` first, then `a`."""
    av, aw, bv, bw = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    vector = aw * bv + bw * av + torch.linalg.cross(av, bv)
    return torch.cat([vector, aw * bw - (av * bv).sum(-1, keepdim=True)], dim=-1)


def quat_rotate(q: Tensor, v: Tensor) -> Tensor:
    """`v` of the child frame in the parent frame, [..., 3]."""
    q, v = torch.broadcast_tensors(q, torch.cat([v, v[..., :1]], dim=-1))
    axis, vector = q[..., :3], v[..., :3]
    t = 2.0 * torch.linalg.cross(axis, vector)
    return vector + q[..., 3:] * t + torch.linalg.cross(axis, t)


def quat_rotate_inverse(q: Tensor, v: Tensor) -> Tensor:
    """`v` of the parent frame in the child frame, [..., 3]."""
    return quat_rotate(quat_conj(q), v)


def quat_about(axis: int, angle: Tensor) -> Tensor:
    """Rotation by `angle` [...] about the x, y or z axis (0, 1, 2), [..., 4]."""
    parts = [torch.zeros_like(angle)] * 3 + [torch.cos(0.5 * angle)]
    parts[axis] = torch.sin(0.5 * angle)
    return torch.stack(parts, dim=-1)


def quat_angle(q: Tensor) -> Tensor:
    """Angle of the rotation, 0 to π, [...]."""
    return 2.0 * torch.atan2(q[..., :3].norm(dim=-1), q[..., 3].abs())


def world_up(q: Tensor) -> Tensor:
    """World z in the axes of a body of orientation `q`, [..., 3]; its z is the cosine of the tilt."""
    x, y, z, w = q.unbind(-1)
    return torch.stack([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)], dim=-1)


def uniform_quat(u: Tensor) -> Tensor:
    """Uniformly distributed rotations [..., 4] from numbers uniform in [0, 1), [..., 3].

    Source: Shoemake, Uniform random rotations, Graphics Gems III, 1992.
    """
    a, b = torch.sqrt(1.0 - u[..., 0]), torch.sqrt(u[..., 0])
    s, t = 2.0 * math.pi * u[..., 1], 2.0 * math.pi * u[..., 2]
    return torch.stack([a * torch.sin(s), a * torch.cos(s), b * torch.sin(t), b * torch.cos(t)], dim=-1)
