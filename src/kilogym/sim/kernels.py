"""Copies between the batches and the sim-wide tensors. One thread per (item, env); the env varies fastest.

Setters are masked: `mask` holds one byte per actor of the simulation, zero = leave the actor alone. Values
that are not finite are not written but counted in `rejected[0]`, actor indices out of range in `rejected[1]`.
"""

# Warp's annotations are shapes, not types
# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc"

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
import warp as wp

from kilogym.engine import warm_start
from kilogym.engine.build import load_together
from kilogym.sim.faults import FAULT_NONFINITE


@wp.func
def _is_rotation(x: float, y: float, z: float, w: float) -> bool:
    n = x * x + y * y + z * z + w * w
    return bool(wp.isfinite(n) and n > 1.0e-12)


@wp.kernel(enable_backward=False)
def gather_roots(
    pos: wp.array2d[float],  # [3 trees, envs]
    quat: wp.array2d[float],  # [4 trees, envs]
    lin_vel: wp.array2d[float],
    ang_vel: wp.array2d[float],
    rows: wp.array2d[wp.int32],  # [trees, envs]
    out: wp.array2d[float],  # [actors, 13]
):
    """Write the 13 numbers of each root."""
    tree, env = wp.tid()
    row = rows[tree, env]
    for c in range(3):
        out[row, c] = pos[tree * 3 + c, env]
        out[row, 7 + c] = lin_vel[tree * 3 + c, env]
        out[row, 10 + c] = ang_vel[tree * 3 + c, env]
    for c in range(4):
        out[row, 3 + c] = quat[tree * 4 + c, env]


@wp.kernel(enable_backward=False)
def gather_dofs(
    pos: wp.array2d[float],  # [dofs, envs]
    vel: wp.array2d[float],
    rows: wp.array2d[wp.int32],  # [dofs, envs]
    out: wp.array2d[float],  # [dofs of the simulation, 2]
):
    """Write position and velocity of each DOF."""
    dof, env = wp.tid()
    row = rows[dof, env]
    out[row, 0] = pos[dof, env]
    out[row, 1] = vel[dof, env]


@wp.kernel(enable_backward=False)
def gather_items(
    values: wp.array2d[float],  # [items * components, envs]
    rows: wp.array2d[wp.int32],  # [items, envs]; -1: nothing to write
    components: int,
    out: wp.array2d[float],  # [items of the simulation, components]
):
    """Write any quantity."""
    item, env = wp.tid()
    row = rows[item, env]
    if row >= 0:
        for c in range(components):
            out[row, c] = values[item * components + c, env]


@wp.kernel(enable_backward=False)
def gather_bodies(
    states: wp.array3d[float],  # [envs, links, 13]
    rows: wp.array2d[wp.int32],  # [links, envs]
    out: wp.array2d[float],  # [bodies, 13]
):
    """Write body states where the batch's order is not the simulation's."""
    env, link = wp.tid()
    row = rows[link, env]
    for c in range(13):
        out[row, c] = states[env, link, c]


@wp.kernel(enable_backward=False)
def mark_actors(
    actors: wp.array[wp.int32],
    # out:
    mask: wp.array[wp.uint8],  # [actors of the simulation]
    rejected: wp.array[wp.int32],
):
    """Turn indices into a mask that was zeroed before."""
    i = wp.tid()
    actor = actors[i]
    if actor < 0 or actor >= mask.shape[0]:
        wp.atomic_add(rejected, 1, 1)
    else:
        mask[actor] = wp.uint8(1)


@wp.kernel(enable_backward=False)
def scatter_roots(
    values: wp.array2d[float],  # [actors, 13]
    rows: wp.array2d[wp.int32],  # [trees, envs]
    mask: wp.array[wp.uint8],
    floating: wp.array[wp.int32],  # [trees]
    # state out:
    pos: wp.array2d[float],
    quat: wp.array2d[float],
    lin_vel: wp.array2d[float],
    ang_vel: wp.array2d[float],
    fault: wp.array[wp.int32],  # [envs]
    # out:
    written: wp.array2d[wp.int32],  # [trees, envs]
    rejected: wp.array[wp.int32],
):
    """Set roots; unit quaternions are taken bit by bit, so that what was read can be set without change."""
    tree, env = wp.tid()
    row = rows[tree, env]
    written[tree, env] = 0
    if mask[row] == wp.uint8(0):
        return
    good = _is_rotation(values[row, 3], values[row, 4], values[row, 5], values[row, 6])
    for c in range(13):
        if not wp.isfinite(values[row, c]):
            good = False
    if not good:
        wp.atomic_add(rejected, 0, 1)
        return
    n = float(0.0)  # noqa: UP018 (a variable for Warp)
    for c in range(4):
        n += values[row, 3 + c] * values[row, 3 + c]
    scale = float(1.0)  # noqa: UP018
    if wp.abs(n - 1.0) > 1.0e-5:
        scale = 1.0 / wp.sqrt(n)
    for c in range(4):
        quat[tree * 4 + c, env] = values[row, 3 + c] * scale
    moves = float(floating[tree])
    for c in range(3):
        pos[tree * 3 + c, env] = values[row, c]
        lin_vel[tree * 3 + c, env] = values[row, 7 + c] * moves
        ang_vel[tree * 3 + c, env] = values[row, 10 + c] * moves
    written[tree, env] = 1
    # several threads of an env store the same value
    fault[env] = fault[env] & ~FAULT_NONFINITE


@wp.kernel(enable_backward=False)
def scatter_dofs(
    values: wp.array2d[float],  # [dofs of the simulation, 2]
    rows: wp.array2d[wp.int32],  # [dofs, envs]
    actor_rows: wp.array2d[wp.int32],  # [trees, envs]
    dof_tree: wp.array[wp.int32],  # [dofs]
    tree_first_dof: wp.array[wp.int32],  # [trees]
    mask: wp.array[wp.uint8],
    # state out:
    pos: wp.array2d[float],
    vel: wp.array2d[float],
    fault: wp.array[wp.int32],  # [envs]
    # out:
    written: wp.array2d[wp.int32],  # [trees, envs]; rows of trees without DOFs stay zero
    rejected: wp.array[wp.int32],
):
    """Set DOF positions and velocities."""
    dof, env = wp.tid()
    tree = dof_tree[dof]
    chosen = mask[actor_rows[tree, env]] != wp.uint8(0)
    if dof == tree_first_dof[tree]:
        written[tree, env] = wp.where(chosen, 1, 0)
    if not chosen:
        return
    row = rows[dof, env]
    if not (wp.isfinite(values[row, 0]) and wp.isfinite(values[row, 1])):
        wp.atomic_add(rejected, 0, 1)
        return
    pos[dof, env] = values[row, 0]
    vel[dof, env] = values[row, 1]
    fault[env] = fault[env] & ~FAULT_NONFINITE


@wp.kernel(enable_backward=False)
def scatter_controls(
    values: wp.array[float],  # [dofs of the simulation]
    rows: wp.array2d[wp.int32],  # [dofs, envs]
    actor_rows: wp.array2d[wp.int32],  # [trees, envs]
    dof_tree: wp.array[wp.int32],  # [dofs]
    mask: wp.array[wp.uint8],
    # out:
    control: wp.array2d[float],  # [dofs, envs]
    rejected: wp.array[wp.int32],
):
    """Set one control per DOF: a target or an effort."""
    dof, env = wp.tid()
    if mask[actor_rows[dof_tree[dof], env]] == wp.uint8(0):
        return
    value = values[rows[dof, env]]
    if wp.isfinite(value):
        control[dof, env] = value
    else:
        wp.atomic_add(rejected, 0, 1)


@wp.kernel(enable_backward=False)
def add_body_forces(
    # forces of the simulation, [bodies, 3]:
    forces: wp.array2d[float],
    torques: wp.array2d[float],  # unused without has_torques
    positions: wp.array2d[float],  # unused without has_positions
    has_forces: int,
    has_torques: int,
    has_positions: int,
    space: int,  # CoordinateSpace
    origins: wp.array2d[float],  # [envs, 3], global frame
    rows: wp.array2d[wp.int32],  # [links, envs]
    states: wp.array3d[float],  # [envs, links, 13]; read for local axes and positions alone
    link_com: wp.array2d[float],  # [3 links, envs or 1]
    # out:
    link_force: wp.array2d[float],  # [3 links, envs], at the com, global axes
    link_torque: wp.array2d[float],
):
    """Add forces, and the moments about the com of those that act elsewhere."""
    link, env = wp.tid()
    row = rows[link, env]
    f = wp.vec3(0.0, 0.0, 0.0)
    t = wp.vec3(0.0, 0.0, 0.0)
    if has_forces != 0:
        f = wp.vec3(forces[row, 0], forces[row, 1], forces[row, 2])
    if has_torques != 0:
        t = wp.vec3(torques[row, 0], torques[row, 1], torques[row, 2])
    if space == 1 or has_positions != 0:
        column = env
        if link_com.shape[1] == 1:
            column = 0
        i = link * 3
        com = wp.vec3(link_com[i, column], link_com[i + 1, column], link_com[i + 2, column])
        s = states[env, link]
        q = wp.quat(s[3], s[4], s[5], s[6])
        if has_positions != 0:
            arm = wp.vec3(positions[row, 0], positions[row, 1], positions[row, 2])
            if space == 1:
                arm = arm - com
            else:
                if space == 2:
                    arm = arm - wp.vec3(origins[env, 0], origins[env, 1], origins[env, 2])
                arm = arm - wp.vec3(s[0], s[1], s[2]) - wp.quat_rotate(q, com)
            t = t + wp.cross(arm, f)
        if space == 1:
            f = wp.quat_rotate(q, f)
            t = wp.quat_rotate(q, t)
    for c in range(3):
        link_force[link * 3 + c, env] = link_force[link * 3 + c, env] + f[c]
        link_torque[link * 3 + c, env] = link_torque[link * 3 + c, env] + t[c]


def start_warp() -> None:
    """Start Warp, quietly unless asked otherwise."""
    if wp.config.log_level == wp.LOG_INFO:
        wp.config.log_level = wp.LOG_WARNING
    wp.init()


def load_modules(device: torch.device, batches: Sequence[Any], also: Sequence[ModuleType] = ()) -> None:
    """Compile, or load from the cache, what will be launched: a graph capture cannot.

    On CUDA all of it at once. On the CPU these kernels alone, and what else is launched when it is: two compilers at
    once are no faster there, as each thread reads Warp's own headers anew (1.6 s).

    Args:
        device: Of the simulation.
        batches: The engine's, with the parameters they will start with.
        also: Python modules whose kernels every step will need.
    """
    ours = (__name__, warm_start.__name__)
    if device.type == "cuda":
        modules = [module for batch in batches for module in batch.modules]
        load_together(str(device), [*modules, *((name, None) for name in (*ours, *(m.__name__ for m in also)))])
    else:
        for name in ours:
            wp.load_module(name, str(device))


_streams: dict[int, wp.Stream] = {}


def _current_stream(device: torch.device) -> wp.Stream:
    """Torch's current stream as Warp knows it. Torch never frees a stream, so each is registered once."""
    stream = torch.cuda.current_stream(device)
    if stream.cuda_stream == 0:
        return _as_warps(stream)  # the default stream of every device is 0
    known = _streams.get(stream.cuda_stream)
    if known is None:
        known = _streams[stream.cuda_stream] = _as_warps(stream)
    return known


def _as_warps(stream: torch.cuda.Stream) -> wp.Stream:
    start_warp()  # a task's kernels may be launched where no simulation has been made
    return wp.stream_from_torch(stream)


class Recorded:
    """A launch whose arguments never change: a quarter of the host time of a plain one."""

    def __init__(self, kernel: Any, dim: tuple[int, ...], inputs: list[Any], device: torch.device) -> None:
        self._device = device
        self._inputs = inputs  # keeps the memory
        self._launch = None
        if 0 not in dim:
            args = [wp.from_torch(x) if isinstance(x, torch.Tensor) else x for x in inputs]
            self._launch = wp.launch(kernel, dim=dim, inputs=args, device=str(device), record_cmd=True)

    def __call__(self) -> None:
        """Launch on torch's current stream."""
        if self._launch is None:
            return
        if self._device.type == "cuda":
            self._launch.launch(stream=_current_stream(self._device))
        else:
            self._launch.launch()


def launch(kernel: Any, dim: tuple[int, ...], inputs: list[Any], device: torch.device) -> None:
    """Launch on torch's current stream; torch tensors among `inputs` are passed without a copy."""
    if 0 in dim:
        return
    args = [wp.from_torch(x, return_ctype=True) if isinstance(x, torch.Tensor) else x for x in inputs]
    if device.type == "cuda":
        wp.launch(kernel, dim=dim, inputs=args, device=str(device), stream=_current_stream(device))
    else:
        wp.launch(kernel, dim=dim, inputs=args, device="cpu")
