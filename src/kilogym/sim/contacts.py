"""Single contacts as tensors: a fixed number of slots per env, and how many of them are in use."""

# Warp's annotations are shapes, not types
# mypy: disable-error-code="index, call-overload, attr-defined, assignment, misc"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from torch import Tensor

from kilogym.engine.contact_report import REPORT, REPORT_ROWS
from kilogym.scene.compile import BatchPlan
from kilogym.scene.declarations import Scene
from kilogym.sim.kernels import Recorded


@dataclass(frozen=True)
class Contacts:
    """The contacts of each env in the last substep of the last step, in the order the solver has them.

    E envs, M slots each. Slots from `count` on are zeros, indices -1 there. The first body of a contact is always one
    that can move; the second may be static. Vectors have the env's axes, points are relative to its origin. Forces
    and torques are those on the first body, the second feels the opposite. All are views of two tensors, written in
    place by `Simulation.refresh_contacts`.

    With one substep, or `ContactCollection.LAST_SUBSTEP`, forces add up to `Simulation.contact_forces`.
    """

    count: Tensor  # int32 (E,)
    bodies: Tensor  # int32 (E, M, 2), bodies of the env; -1: static
    shapes: Tensor  # int32 (E, M, 2), collision shapes of the env; -1: the ground plane, -2 - n: the n-th terrain
    points: Tensor  # float32 (E, M, 3), where the force acts, as of the middle of the substep [m]
    local_points: Tensor  # float32 (E, M, 2, 3), the same in the frames of both bodies; of static ones the env's [m]
    normals: Tensor  # float32 (E, M, 3), unit, from the second body to the first
    gaps: Tensor  # float32 (E, M), distance to where they rest, at the end of the substep [m]; negative: overlap
    start_gaps: Tensor  # float32 (E, M), the same at its start
    forces: Tensor  # float32 (E, M, 3), mean over the substep [N]
    torques: Tensor  # float32 (E, M, 3), of torsional and rolling friction [N m]
    friction: Tensor  # float32 (E, M), static coefficient of the pair
    torsion_friction: Tensor  # float32 (E, M) [m]
    rolling_friction: Tensor  # float32 (E, M) [m]
    rest_offsets: Tensor  # float32 (E, M), distance at which the two rest, from both shapes [m]

    def __repr__(self) -> str:
        return f"Contacts of {self.bodies.shape[0]} envs, {self.bodies.shape[1]} slots each"


class ContactReader:
    """Asks batches for their contacts and gathers them. Host sync of `refresh`: none. Graph-safe: yes.

    Args:
        scene, plans, batches: Of the simulation; plan and batch i belong together.
        device: Of all tensors.
        running: Steps were made already; then the contacts at hand are those of a step from the present state, made
            and taken back, until the next step.
    """

    def __init__(
        self, scene: Scene, plans: list[BatchPlan], batches: list[Any], device: torch.device, running: bool
    ) -> None:
        num_envs, slots = len(scene.envs), max(batch.topology.max_contacts for batch in batches)
        reals = torch.zeros((num_envs, slots, REPORT_ROWS), dtype=torch.float32, device=device)
        ints = torch.full((num_envs, slots, 4), -1, dtype=torch.int32, device=device)
        count = torch.zeros(num_envs, dtype=torch.int32, device=device)

        def part(name: str) -> Tensor:
            first, rows, _ = REPORT[name]
            return reals[..., first : first + rows] if rows > 1 else reals[..., first]

        first = REPORT["local_a"][0]
        self.contacts = Contacts(
            count=count, bodies=ints[..., 0:2], shapes=ints[..., 2:4], points=part("point"),
            local_points=reals[..., first : first + 6].view(num_envs, slots, 2, 3), normals=part("normal"),
            gaps=part("gap"), start_gaps=part("start_gap"), forces=part("force"), torques=part("torque"),
            friction=part("friction"), torsion_friction=part("torsion_friction"),
            rolling_friction=part("rolling_friction"), rest_offsets=part("rest_offset"),
        )  # fmt: skip
        self._gathers = []
        for plan, batch in zip(plans, batches, strict=True):
            batch.report_contacts()
            if running:
                _try_a_step(batch)
            actors = scene.envs[plan.envs[0]].actors
            numbers = [actors[actor].shape_start + shape for actor, shape in plan.shape_items]
            tables = [
                torch.from_numpy(np.array(table or [-1], np.int32)).to(device)
                for table in (plan.envs, plan.model.shape_link, numbers)
            ]
            args = [batch.contact_report, *tables, count, ints, reals]
            self._gathers.append(Recorded(_gather, (slots, len(plan.envs)), args, device))

    def refresh(self) -> None:
        """Write the tensors."""
        for gather in self._gathers:
            gather()


def _try_a_step(batch: Any) -> None:
    """Step, and put everything but the report back."""
    state = batch.snapshot()
    others = [*batch.input.values(), *batch.output.values(), batch.fault, batch.contact_count, batch.contact_overflow]
    kept = [tensor.clone() for tensor in others]
    batch.step()
    batch.restore(state)
    for tensor, old in zip(others, kept, strict=True):
        tensor.copy_(old)


@wp.kernel(enable_backward=False)
def _gather(
    report: wp.array2d[float],  # [rows, envs of the batch]
    envs: wp.array[wp.int32],  # of the simulation
    shape_body: wp.array[wp.int32],  # of each shape of the model
    shape_number: wp.array[wp.int32],  # in the env
    # out:
    count: wp.array[wp.int32],  # [envs of the simulation]
    ints: wp.array3d[wp.int32],  # [envs, slots, 4]
    reals: wp.array3d[float],  # [envs, slots, rows of a contact]
):
    """One slot of one env."""
    slot, column = wp.tid()
    env = envs[column]
    used = wp.int32(report[0, column])
    if slot == 0:
        count[env] = used
    words = reals.shape[2]
    first = 1 + slot * words
    if slot >= used:
        for i in range(4):
            ints[env, slot, i] = -1
        for i in range(words):
            reals[env, slot, i] = 0.0
        return
    for i in range(words):
        reals[env, slot, i] = report[first + i, column]
    a = wp.int32(report[first, column])
    b = wp.int32(report[first + 1, column])
    ints[env, slot, 0] = shape_body[a]
    ints[env, slot, 2] = shape_number[a]
    if b >= 0:
        ints[env, slot, 1] = shape_body[b]
        ints[env, slot, 3] = shape_number[b]
    else:
        ints[env, slot, 1] = -1
        ints[env, slot, 3] = b
