"""Observations and rewards of robots that learn to run: pure functions of torch tensors.

Suffixes: `_w` world axes, `_b` the torso's axes. Quaternions are xyzw. E = num_envs, D = num_dofs.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rotate_inverse(quat: Tensor, vec: Tensor) -> Tensor:
    """Coordinates of a world vector in the frame whose orientation is `quat`.

    q⁻¹ v q = v - 2 w (u × v) + 2 u × (u × v), u the vector part of the unit quaternion.

    Args:
        quat: Orientation of the frame in the world, xyzw, shape [E, 4].
        vec: World coordinates, shape [E, 3].
    """
    u, w = quat[:, :3], quat[:, 3:]
    t = 2.0 * torch.linalg.cross(u, vec)
    return vec - w * t + torch.linalg.cross(u, t)


def up_axis(quat: Tensor) -> Tensor:
    """World up (0, 0, 1) in the torso's axes, shape [E, 3]: the third row of its rotation matrix.

    Its z is the cosine of the tilt.
    """
    x, y, z, w = quat.unbind(-1)
    return torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=-1)


def target_direction(pos: Tensor, target: Tensor) -> Tensor:
    """Unit horizontal vector from the torso to the target, world axes, shape [E, 3].

    Args:
        pos: Torso positions [m], shape [E, 3].
        target: Where to run [m], shape [3].
    """
    delta = target[:2] - pos[:, :2]
    unit = delta / delta.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return torch.nn.functional.pad(unit, (0, 1))


def scale_to_limits(dof_pos: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Joint positions as -1 at the lower limit, +1 at the upper: (2 q - lower - upper) / (upper - lower)."""
    return (2.0 * dof_pos - lower - upper) / (upper - lower)


def observe(
    height: Tensor,
    lin_vel_b: Tensor,
    ang_vel_b: Tensor,
    up_b: Tensor,
    target_b: Tensor,
    dof_scaled: Tensor,
    dof_vel: Tensor,
    actions: Tensor,
    ang_vel_scale: float,
    dof_vel_scale: float,
) -> Tensor:
    """What the policy sees, shape [E, 13 + 3 D].

    Columns: 0 torso height [m]; 1:4 its velocity [m/s]; 4:7 its angular velocity, scaled; 7:10 world up;
    10:13 direction of the target; then joint positions as a share of their range, joint speeds, scaled, and
    the last actions, each [D]. Vectors are in the torso's axes, so nothing jumps when the robot turns about.
    """
    return torch.cat(
        [
            height.unsqueeze(-1),
            lin_vel_b,
            ang_vel_b * ang_vel_scale,
            up_b,
            target_b,
            dof_scaled,
            dof_vel * dof_vel_scale,
            actions,
        ],
        dim=-1,
    )


def progress(displacement: Tensor, direction: Tensor, step_dt: float) -> Tensor:
    """Speed towards the target over the last action [m/s]: (x_t - x_{t-1}) · d / dt, shape [E]."""
    return (displacement * direction).sum(-1) / step_dt


def heading_reward(heading: Tensor, weight: float, threshold: float = 0.8) -> Tensor:
    """weight * min(heading / threshold, 1): facing the target, `heading` the cosine of the angle to it."""
    return weight * (heading / threshold).clamp(max=1.0)


def upright_reward(up: Tensor, weight: float, threshold: float = 0.93) -> Tensor:
    """weight where `up`, the cosine of the torso's tilt, exceeds the threshold; else 0."""
    return weight * (up > threshold)


def action_cost(actions: Tensor) -> Tensor:
    """Σ a²: effort asked for, actions in [-1, 1]."""
    return (actions * actions).sum(-1)


def energy_cost(actions: Tensor, dof_vel: Tensor, gear_share: Tensor) -> Tensor:
    """Σ |a · q̇| g: mechanical power, `gear_share` g each motor's strength over the strongest one's.

    Args:
        dof_vel: Joint speeds as the policy sees them (scaled), shape [E, D].
    """
    return ((actions * dof_vel).abs() * gear_share).sum(-1)


def limit_cost(dof_scaled: Tensor, gear_share: Tensor, threshold: float = 0.98) -> Tensor:
    """Σ g max(0, |s| - threshold) / (1 - threshold): joints near a stop; 1 for the strongest at its stop."""
    return (gear_share * (dof_scaled.abs() - threshold).clamp(min=0.0) / (1.0 - threshold)).sum(-1)
