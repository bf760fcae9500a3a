"""An env that does everything at once, and a record of every bit that a step leaves in it.

It holds an Ant and a Humanoid, which collide with each other, themselves and the ground, and an arm with position
drives.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT, ARM, HUMANOID, from_text

STEPS = 40
TABLES = ("state", "output", "_warm")


def make(num_envs: int, device: str, filter: int = 0, **options) -> BatchWorld:
    """Such envs; `filter` 1: only the ground is touched."""
    arm = dataclasses.replace(from_text("arm", ARM), shapes=())
    assets = [load(ANT), load(HUMANOID), arm]
    world = BatchWorld(assets, num_envs, device, ground=GroundPlane(), filter=filter, **options)
    world.batch.control.substeps = 2
    for name in ("dof_mode", "dof_stiffness", "dof_damping"):
        world.batch.expand(name)
    driven = world.tree_dofs(2)
    world.batch.params["dof_mode"][:] = 3
    world.batch.params["dof_mode"][driven] = 1
    world.batch.params["dof_stiffness"][driven] = 200
    world.batch.params["dof_damping"][driven] = 10
    return world


def inputs(world: BatchWorld, seed: int) -> dict[str, torch.Tensor]:
    """States that touch the ground within a few steps, and efforts and targets: (rows, envs)."""
    g = torch.Generator().manual_seed(seed)
    n, dofs = world.num_envs, world.model.num_dofs

    def normal(rows: int, scale: float) -> torch.Tensor:
        return torch.randn(rows, n, generator=g) * scale

    pos = normal(9, 0.1)
    pos[2], pos[5], pos[8] = 0.4 + pos[2], 0.8 + pos[5], 1.0  # the Humanoid falls on the Ant
    quat = normal(12, 1.0).view(3, 4, n)
    quat[2] = torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None]
    quat /= quat.norm(dim=1, keepdim=True)
    made = {
        "root_pos": pos, "root_quat": quat.reshape(12, n), "root_lin_vel": normal(9, 0.5),
        "root_ang_vel": normal(9, 0.5), "dof_pos": normal(dofs, 0.2), "dof_vel": normal(dofs, 0.5),
        "dof_effort_in": normal(dofs, 10.0), "dof_target_pos": normal(dofs, 0.5),
    }  # fmt: skip
    return {name: value.to(world.device) for name, value in made.items()}


def put(world: BatchWorld, values: dict[str, torch.Tensor], envs: slice | torch.Tensor = slice(None)) -> None:
    """Write columns of STATE and INPUT, as a setter of the simulation does."""
    for name, value in values.items():
        table = world.batch.state if name in world.batch.state else world.batch.input
        table[name][:, envs] = value
    written = torch.zeros(world.model.num_trees, world.num_envs, dtype=torch.int32, device=world.device)
    written[:, envs] = 1
    world.batch.clear_warm_start(written)
    world.batch.fault[envs] = 0


def columns(values: dict[str, torch.Tensor], envs) -> dict[str, torch.Tensor]:
    return {name: value[:, envs] for name, value in values.items()}


def run(world: BatchWorld, steps: int = STEPS, start: int = 0) -> None:
    """Step with efforts that change every step, the same function of time for every env."""
    effort = world.batch.input["dof_effort_in"]
    first = effort.clone()
    for i in range(start, start + steps):
        effort.copy_(first * float(np.float32(np.cos(0.37 * i))))
        world.batch.step()
    effort.copy_(first)


def record(world: BatchWorld) -> dict[str, torch.Tensor]:
    """Every bit that a step leaves behind: name -> (rows, envs).

    Warm-start impulses beyond the end of the list of slots are left out: nobody reads them.
    """
    out = {name: t.clone() for table in TABLES for name, t in getattr(world.batch, table).items()}
    unused = out["warm_slot"].lt(0).cumsum(0).gt(0)
    out["warm_slot"].masked_fill_(unused, -1)
    out["warm_impulse"].view(-1, 3, world.num_envs).masked_fill_(unused[:, None], 0.0)
    out["faults"] = world.batch.fault[None].clone()
    out["contacts"] = world.batch.contact_count[None].clone()
    return out


def differing(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> dict[str, int]:
    """How many numbers differ in their bits, by name; NaN equals NaN, -0.0 does not equal 0.0."""
    return {
        name: int((value.contiguous().view(torch.int32) != b[name].contiguous().view(torch.int32)).sum())
        for name, value in a.items()
    }
