"""When episodes end and what is forgotten then: one thread per env."""

# Warp's annotations are shapes, not types
# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc"

from __future__ import annotations

import warp as wp

from kilogym.sim.faults import FAULT_NONFINITE


@wp.kernel(enable_backward=False)
def end_episodes(
    failed: wp.array[wp.bool],
    faults: wp.array[wp.int32],
    longest: int,
    # out:
    length: wp.array[wp.int64],
    terminated: wp.array[wp.bool],
    truncated: wp.array[wp.bool],
    ended: wp.array[wp.bool],
):
    """Count one more action; an episode is terminated by failure or divergence, else truncated by time."""
    env = wp.tid()
    length[env] = length[env] + wp.int64(1)
    over = failed[env] or (faults[env] & FAULT_NONFINITE) != 0
    late = not over and length[env] >= wp.int64(longest)
    terminated[env] = over
    truncated[env] = late
    ended[env] = over or late


@wp.kernel(enable_backward=False)
def clear_episodes(
    mask: wp.array[wp.bool],
    # out:
    actions: wp.array2d[float],
    length: wp.array[wp.int64],
):
    """No last action and no time passed where `mask`."""
    env = wp.tid()
    if not mask[env]:
        return
    length[env] = wp.int64(0)
    for i in range(actions.shape[1]):
        actions[env, i] = 0.0
