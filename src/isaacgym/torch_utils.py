"""Quaternion and sampling helpers on torch tensors, batch first. Quaternions are xyzw, angles radians.

Every function with tensor arguments is plain Python that TorchScript can compile: call it as it is, or from your
own `@torch.jit.script` functions. `from isaacgym.torch_utils import *` also gives `torch`, `np` and `F`, as
clients expect.
"""

# no `from __future__ import annotations`: TorchScript reads the annotations, and star imports would pass it on
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: F401  (re-exported: clients use it)


def to_torch(
    x: Any, dtype: torch.dtype = torch.float, device: str | torch.device = "cuda:0", requires_grad: bool = False
) -> torch.Tensor:
    """A new tensor of the data `x`.

    The default device is the original's. On a machine without CUDA, and only there, "cuda:0" means "cpu".
    """
    if str(device) == "cuda:0" and not torch.cuda.is_available():
        device = "cpu"
    if isinstance(x, torch.Tensor):
        return x.detach().clone().to(device=device, dtype=dtype).requires_grad_(requires_grad)
    return torch.tensor(x, dtype=dtype, device=device, requires_grad=requires_grad)


def normalize(x: torch.Tensor, eps: float = 1e-9) -> torch.Tensor:
    """`x` at unit length over its last dimension; lengths below `eps` count as `eps`."""
    return x / x.norm(p=2, dim=-1).clamp(min=eps).unsqueeze(-1)


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Hamilton product of quaternions of equal shape: the rotation `b` first, then `a`."""
    assert a.shape == b.shape
    ax, ay, az, aw = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bx, by, bz, bw = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    return torch.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        dim=-1,
    )


def quat_conjugate(a: torch.Tensor) -> torch.Tensor:
    """Conjugate; of a unit quaternion the opposite rotation."""
    return torch.cat([-a[..., :3], a[..., 3:]], dim=-1)


def quat_unit(a: torch.Tensor) -> torch.Tensor:
    """`a` at unit length."""
    return normalize(a)


def quat_apply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Vectors `b` (..., 3) turned by quaternions `a` (..., 4), one each; the result has the shape of `b`."""
    shape = b.shape
    q = a.reshape(-1, 4)
    v = b.reshape(-1, 3)
    axis = q[:, :3]
    t = 2.0 * torch.cross(axis, v, dim=-1)
    return (v + q[:, 3:] * t + torch.cross(axis, t, dim=-1)).view(shape)


def quat_rotate(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Vectors `v` (N, 3) turned by quaternions `q` (N, 4)."""
    w = q[:, 3:]
    axis = q[:, :3]
    along = (axis * v).sum(dim=-1, keepdim=True)
    return v * (2.0 * w * w - 1.0) + 2.0 * w * torch.cross(axis, v, dim=-1) + 2.0 * axis * along


def quat_rotate_inverse(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Vectors `v` (N, 3) turned by the opposites of quaternions `q` (N, 4)."""
    w = q[:, 3:]
    axis = q[:, :3]
    along = (axis * v).sum(dim=-1, keepdim=True)
    return v * (2.0 * w * w - 1.0) - 2.0 * w * torch.cross(axis, v, dim=-1) + 2.0 * axis * along


def quat_from_angle_axis(angle: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    """Rotation by `angle` (N) about `axis` (N, 3), of any length."""
    half = (angle / 2.0).unsqueeze(-1)
    return quat_unit(torch.cat([normalize(axis) * half.sin(), half.cos()], dim=-1))


def normalize_angle(x: torch.Tensor) -> torch.Tensor:
    """The same angle in [-pi, pi]."""
    return torch.atan2(torch.sin(x), torch.cos(x))


def tf_inverse(q: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The transform that undoes (q, t)."""
    inverse = quat_conjugate(q)
    return inverse, -quat_apply(inverse, t)


def tf_apply(q: torch.Tensor, t: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Points `v` of the frame (q, t), in the parent frame."""
    return quat_apply(q, v) + t


def tf_vector(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Directions `v` of a frame of orientation `q`, in the parent frame."""
    return quat_apply(q, v)


def tf_combine(
    q1: torch.Tensor, t1: torch.Tensor, q2: torch.Tensor, t2: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The frame (q2, t2) given in the frame (q1, t1), in the parent of the latter."""
    return quat_mul(q1, q2), quat_apply(q1, t2) + t1


def get_basis_vector(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """`quat_rotate`."""
    return quat_rotate(q, v)


def get_axis_params(
    value: float, axis_idx: int, x_value: float = 0.0, dtype: Any = float, n_dims: int = 3
) -> list[Any]:
    """`n_dims` numbers: `value` at `axis_idx`, zeros elsewhere, then `x_value` at index 0 whatever was there."""
    assert axis_idx < n_dims, "axis_idx must be below n_dims"
    numbers = np.zeros(n_dims)
    numbers[axis_idx] = value
    numbers[0] = x_value
    return [dtype(number) for number in numbers]


def copysign(a: float, b: torch.Tensor) -> torch.Tensor:
    """|a| with the sign of each element of `b` (N); zero where that is zero."""
    return abs(a) * torch.sign(b)


def get_euler_xyz(q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Roll, pitch, yaw of quaternions (N, 4): about fixed x, then y, then z, each in [0, 2 pi)."""
    x, y, z, w = q[:, 0], q[:, 1], q[:, 2], q[:, 3]
    roll = torch.atan2(2.0 * (w * x + y * z), w * w - x * x - y * y + z * z)
    sin_pitch = 2.0 * (w * y - z * x)
    pitch = torch.where(torch.abs(sin_pitch) >= 1.0, copysign(np.pi / 2.0, sin_pitch), torch.asin(sin_pitch))
    yaw = torch.atan2(2.0 * (w * z + x * y), w * w + x * x - y * y - z * z)
    return roll % (2.0 * np.pi), pitch % (2.0 * np.pi), yaw % (2.0 * np.pi)


def quat_from_euler_xyz(roll: torch.Tensor, pitch: torch.Tensor, yaw: torch.Tensor) -> torch.Tensor:
    """Rotation about fixed x by `roll`, then y by `pitch`, then z by `yaw`; (..., 4)."""
    cr, sr = torch.cos(roll * 0.5), torch.sin(roll * 0.5)
    cp, sp = torch.cos(pitch * 0.5), torch.sin(pitch * 0.5)
    cy, sy = torch.cos(yaw * 0.5), torch.sin(yaw * 0.5)
    return torch.stack(
        [
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ],
        dim=-1,
    )


def torch_rand_float(lower: float, upper: float, shape: tuple[int, int], device: str) -> torch.Tensor:
    """Uniform numbers in [lower, upper) of a two-dimensional shape."""
    return (upper - lower) * torch.rand([shape[0], shape[1]], device=device) + lower


def torch_random_dir_2(shape: tuple[int, int], device: str) -> torch.Tensor:
    """Uniform unit vectors of the plane: (*shape, 2) with a dimension of size 1 at the end of `shape` dropped."""
    angle = torch_rand_float(-np.pi, np.pi, shape, device).squeeze(-1)
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)


def tensor_clamp(t: torch.Tensor, min_t: torch.Tensor, max_t: torch.Tensor) -> torch.Tensor:
    """`t` element by element not below `min_t` and not above `max_t`."""
    return torch.max(torch.min(t, max_t), min_t)


def scale(x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """From [-1, 1] to [lower, upper]."""
    return 0.5 * (x + 1.0) * (upper - lower) + lower


def unscale(x: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """From [lower, upper] to [-1, 1]."""
    return (2.0 * x - upper - lower) / (upper - lower)


def unscale_np(x: Any, lower: Any, upper: Any) -> Any:
    """`unscale` for numpy."""
    return (2.0 * x - upper - lower) / (upper - lower)


def compute_heading_and_up(
    torso_rotation: torch.Tensor,
    inv_start_rot: torch.Tensor,
    to_target: torch.Tensor,
    vec0: torch.Tensor,
    vec1: torch.Tensor,
    up_idx: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """How upright a torso is and how well it faces its target.

    Args:
        torso_rotation: Orientation (N, 4). inv_start_rot: Inverse of the one at the start (N, 4).
        to_target: Vector to the target (N, 3).
        vec0, vec1: Forward and up axis of the torso (N, 3).
        up_idx: Index of the global up axis.

    Returns:
        Orientation relative to the start (N, 4); the up component of its up axis (N); the cosine of its forward
        axis with the direction to the target (N); its up axis and its forward axis (N, 3).
    """
    num_envs = torso_rotation.shape[0]
    torso_quat = quat_mul(torso_rotation, inv_start_rot)
    up_vec = get_basis_vector(torso_quat, vec1).view(num_envs, 3)
    heading_vec = get_basis_vector(torso_quat, vec0).view(num_envs, 3)
    heading_proj = (heading_vec * normalize(to_target)).sum(dim=-1)
    return torso_quat, up_vec[:, up_idx], heading_proj, up_vec, heading_vec


def compute_rot(
    torso_quat: torch.Tensor,
    velocity: torch.Tensor,
    ang_velocity: torch.Tensor,
    targets: torch.Tensor,
    torso_pos: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Velocities in the torso's axes (N, 3) twice, roll, pitch, yaw (N), and the angle to the target (N).

    The last is atan2 of the z and x differences minus yaw, as in the original, whatever axis is up.
    """
    local_velocity = quat_rotate_inverse(torso_quat, velocity)
    local_ang_velocity = quat_rotate_inverse(torso_quat, ang_velocity)
    roll, pitch, yaw = get_euler_xyz(torso_quat)
    to_target = torch.atan2(targets[:, 2] - torso_pos[:, 2], targets[:, 0] - torso_pos[:, 0])
    return local_velocity, local_ang_velocity, roll, pitch, yaw, to_target - yaw
