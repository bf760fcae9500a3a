"""Observations, rewards and start states of robots that learn to run, each in one kernel.

Suffixes: `_w` world axes, `_b` the torso's axes. Quaternions are xyzw. E = num_envs, D = num_dofs.
"""

# Warp's annotations are shapes, not types
# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc, arg-type, return-value"

from __future__ import annotations

import warp as wp

FACING = wp.constant(0.8)
"""Cosine of the angle to the target from which the heading's reward is whole."""
UPRIGHT = wp.constant(0.93)
"""Cosine of the torso's tilt that counts as upright."""
NEAR_STOP = wp.constant(0.98)
"""Share of a joint's range from which it costs."""
HEAD = wp.constant(13)
"""Columns of the observations before the joints'."""


@wp.struct
class RewardTerms:
    """What rewards are made of; names as in `LocomotionConfig`."""

    heading_weight: float
    up_weight: float
    alive_reward: float
    action_cost: float
    energy_cost: float
    limit_cost: float
    fall_reward: float
    fall_height: float
    dof_vel_scale: float
    step_dt: float


@wp.func
def target_direction(pos_w: wp.vec3, target_w: wp.vec3) -> wp.vec3:
    """Unit horizontal vector from the torso to the target; zero at the target."""
    delta = wp.vec3(target_w[0] - pos_w[0], target_w[1] - pos_w[1], 0.0)
    return delta / wp.max(wp.length(delta), 1.0e-6)


@wp.func
def up_axis(quat: wp.quat) -> wp.vec3:
    """World up in the torso's axes; its z is the cosine of the tilt."""
    return wp.quat_rotate_inv(quat, wp.vec3(0.0, 0.0, 1.0))


@wp.func
def scale_to_limits(dof_pos: float, lower: float, upper: float) -> float:
    """A joint's position as -1 at the lower limit, +1 at the upper: (2 q - lower - upper) / (upper - lower)."""
    return (2.0 * dof_pos - lower - upper) / (upper - lower)


@wp.func
def root_pos(roots: wp.array2d[float], env: int) -> wp.vec3:
    """World position of a torso [m]."""
    return wp.vec3(roots[env, 0], roots[env, 1], roots[env, 2])


@wp.func
def root_quat(roots: wp.array2d[float], env: int) -> wp.quat:
    """Orientation of a torso."""
    return wp.quat(roots[env, 3], roots[env, 4], roots[env, 5], roots[env, 6])


@wp.kernel(enable_backward=False)
def judge(
    roots: wp.array2d[float],  # [E, 13]
    dofs: wp.array3d[float],  # [E, D, 2]
    actions: wp.array2d[float],  # [E, D]
    last_pos: wp.array2d[float],  # [E, 3], torso before the action
    lower: wp.array[float],  # [D]
    upper: wp.array[float],
    gear_share: wp.array[float],  # [D], each motor's strength over the strongest one's
    target: wp.vec3,
    terms: RewardTerms,
    # out:
    reward: wp.array[float],  # [E]
    failed: wp.array[wp.bool],
    speed: wp.array[float],  # along x [m/s]
):
    """Speed towards the target + alive + upright + facing it - costs, or `fall_reward` for a robot that fell.

    Costs: sum a^2; sum |a qd| g, mechanical power, with speeds as the policy sees them and g the gear's share; sum g
    max(0, |s| - 0.98) / 0.02, joints near a stop, 1 for the strongest at its stop. `last_pos` moves on.
    """
    env = wp.tid()
    pos, quat = root_pos(roots, env), root_quat(roots, env)
    moved = pos - wp.vec3(last_pos[env, 0], last_pos[env, 1], last_pos[env, 2])
    speed[env] = moved[0] / terms.step_dt
    failed[env] = pos[2] < terms.fall_height
    if pos[2] < terms.fall_height:
        reward[env] = terms.fall_reward
        return
    direction = target_direction(pos, target)
    effort, power, stops = float(0.0), float(0.0), float(0.0)  # noqa: UP018 (variables for Warp)
    for d in range(actions.shape[1]):
        action = actions[env, d]
        effort += action * action
        power += wp.abs(action * dofs[env, d, 1] * terms.dof_vel_scale) * gear_share[d]
        share = wp.abs(scale_to_limits(dofs[env, d, 0], lower[d], upper[d]))
        stops += gear_share[d] * wp.max(share - NEAR_STOP, 0.0) / (1.0 - NEAR_STOP)
    total = wp.dot(moved, direction) / terms.step_dt + terms.alive_reward
    if up_axis(quat)[2] > UPRIGHT:
        total += terms.up_weight
    total += terms.heading_weight * wp.min(wp.quat_rotate_inv(quat, direction)[0] / FACING, 1.0)
    total -= terms.action_cost * effort + terms.energy_cost * power + terms.limit_cost * stops
    reward[env] = total


@wp.kernel(enable_backward=False)
def observe(
    roots: wp.array2d[float],  # [E, 13]
    dofs: wp.array3d[float],  # [E, D, 2]
    actions: wp.array2d[float],  # [E, D]
    lower: wp.array[float],  # [D]
    upper: wp.array[float],
    target: wp.vec3,
    ang_vel_scale: float,
    dof_vel_scale: float,
    # out:
    obs: wp.array2d[float],  # [E, 13 + 3 D]
):
    """What the policy sees, an entry per thread.

    Columns: 0 torso height [m]; 1:4 its velocity [m/s]; 4:7 its angular velocity, scaled; 7:10 world up; 10:13
    direction of the target; then joint positions as a share of their range, joint speeds, scaled, and the last
    actions, each [D]. Vectors are in the torso's axes, so nothing jumps when the robot turns about.
    """
    env, column = wp.tid()
    count = actions.shape[1]
    value = roots[env, 2]
    if column >= HEAD + 2 * count:
        value = actions[env, column - HEAD - 2 * count]
    elif column >= HEAD + count:
        value = dofs[env, column - HEAD - count, 1] * dof_vel_scale
    elif column >= HEAD:
        d = column - HEAD
        value = scale_to_limits(dofs[env, d, 0], lower[d], upper[d])
    elif column >= 1:
        which, axis = (column - 1) / 3, (column - 1) % 3
        quat = root_quat(roots, env)
        vector_w = wp.vec3(0.0, 0.0, 1.0)
        if which == 0:
            vector_w = wp.vec3(roots[env, 7], roots[env, 8], roots[env, 9])
        elif which == 1:
            vector_w = wp.vec3(roots[env, 10], roots[env, 11], roots[env, 12]) * ang_vel_scale
        elif which == 3:
            vector_w = target_direction(root_pos(roots, env), target)
        value = wp.quat_rotate_inv(quat, vector_w)[axis]
    obs[env, column] = value


@wp.kernel(enable_backward=False)
def start_again(
    mask: wp.array[wp.bool],  # [E]
    start_root: wp.array2d[float],  # [E, 13]
    rest: wp.array[float],  # [D]
    lower: wp.array[float],
    upper: wp.array[float],
    random: wp.array3d[float],  # [2, E, D], uniform in [-1, 1)
    pos_noise: float,
    vel_noise: float,
    # out:
    roots: wp.array2d[float],  # [E, 13]
    dofs: wp.array3d[float],  # [E, D, 2]
):
    """The start root, and joints near their rest, where `mask`; a joint per thread."""
    env, d = wp.tid()
    if not mask[env]:
        return
    dofs[env, d, 0] = wp.clamp(rest[d] + pos_noise * random[0, env, d], lower[d], upper[d])
    dofs[env, d, 1] = vel_noise * random[1, env, d]
    if d == 0:
        for c in range(13):
            roots[env, c] = start_root[env, c]
