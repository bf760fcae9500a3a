"""Forgetting last step's impulses, where a user wrote the state."""

# Warp's annotations are shapes, not types
# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc, valid-type"

from __future__ import annotations

from typing import Any

import warp as wp


@wp.kernel(enable_backward=False)
def _forget(
    written: wp.array2d[wp.int32],  # [trees, envs], nonzero = forget
    dof_tree: wp.array[wp.int32],  # [DOFs]
    coupling_tree: wp.array[wp.int32],  # [rows of warm_coupling]
    # out:
    warm_slot: wp.array2d[wp.int32],  # [contacts, envs]
    warm_dof: wp.array2d[Any],  # [4 DOFs, envs]
    warm_coupling: wp.array2d[Any],
):
    """Contacts of the whole env, joints' and couplings' rows of the trees; an impulse per thread."""
    row, env = wp.tid()
    contacts, dofs = warm_slot.shape[0], 4 * dof_tree.shape[0]
    if row < contacts:
        touched = wp.int32(0)
        for tree in range(written.shape[0]):
            touched = touched | written[tree, env]
        if touched != 0:
            warm_slot[row, env] = -1
    elif row < contacts + dofs:
        row = row - contacts
        if written[dof_tree[row / 4], env] != 0:
            warm_dof[row, env] = warm_dof.dtype(0.0)
    else:
        row = row - contacts - dofs
        if written[coupling_tree[row], env] != 0:
            warm_coupling[row, env] = warm_coupling.dtype(0.0)


forget = {
    real: wp.overload(_forget, {"warm_dof": wp.array2d[real], "warm_coupling": wp.array2d[real]})
    for real in (wp.float32, wp.float64)
}
"""The kernel by precision."""
