"""Where every actor, body, DOF and sensor of sim order stands in the batches.

A batch's arrays are [item, env of the batch]; a map here says, for each such place, which row of the sim-wide
tensor it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kilogym.scene.compile import BatchPlan
from kilogym.scene.declarations import ActorDecl, Scene


@dataclass(frozen=True)
class BatchLayout:
    """Maps of one batch, int32 on the device. E = envs of the batch."""

    num_envs: int
    num_links: int
    actor_rows: Tensor  # (trees, E)
    body_rows: Tensor  # (links, E)
    dof_rows: Tensor  # (dofs, E)
    dof_force_rows: Tensor  # (dofs, E); -1 where the actor's DOF force sensors are off
    sensor_rows: Tensor  # (sensors, E)
    dof_tree: Tensor  # (dofs,)
    tree_first_dof: Tensor  # (trees,); -1 for trees without DOFs
    tree_floating: Tensor  # (trees,)
    is_whole: bool  # the batch's bodies, env by env, are the simulation's: no gathering needed


@dataclass(frozen=True)
class Layout:
    """Sizes and maps of a whole simulation."""

    num_actors: int
    num_bodies: int
    num_dofs: int
    num_sensors: int
    env_batch: np.ndarray  # int32 (envs,); -1 for envs without actors
    env_column: np.ndarray  # int32 (envs,)
    batches: list[BatchLayout]

    def show_dof_forces(self, env: int, actor: ActorDecl) -> None:
        """Turn the DOF force sensors of an actor on."""
        batch, column = self.batches[self.env_batch[env]], int(self.env_column[env])
        dofs = slice(actor.dof_start, actor.dof_start + actor.asset.num_dofs)
        batch.dof_force_rows[dofs, column] = batch.dof_rows[dofs, column]


def build_layout(scene: Scene, plans: list[BatchPlan], device: torch.device) -> Layout:
    """Number everything."""
    num_envs = len(scene.envs)
    totals = scene.starts(num_envs)
    starts = np.array([scene.starts(i) for i in range(num_envs)], np.int64).reshape(num_envs, 5)
    env_batch = np.full(num_envs, -1, np.int32)
    env_column = np.full(num_envs, -1, np.int32)
    batches = []
    for index, plan in enumerate(plans):
        envs = np.asarray(plan.envs)
        env_batch[envs] = index
        env_column[envs] = np.arange(len(envs))
        model = plan.model
        first = scene.envs[plan.envs[0]]
        # index of each item's tree, and the items' offsets in their env, the same in all envs of the batch
        dof_tree = np.repeat(np.arange(model.num_trees), [actor.asset.num_dofs for actor in first.actors]).astype(
            np.int32
        )
        enabled = np.array([[a.dof_force_sensors for a in scene.envs[e].actors] for e in plan.envs], bool)
        dof_rows = _rows(model.num_dofs, starts[envs, 2])
        tensors = {
            "actor_rows": _rows(model.num_trees, starts[envs, 0]),
            "body_rows": _rows(model.num_links, starts[envs, 1]),
            "dof_rows": dof_rows,
            "dof_force_rows": np.where(enabled.T[dof_tree], dof_rows, -1).astype(np.int32),
            "sensor_rows": _rows(len(model.sensor_link), starts[envs, 4]),
            "dof_tree": dof_tree,
            "tree_first_dof": np.array([a.dof_start if a.asset.num_dofs else -1 for a in first.actors], np.int32),
            "tree_floating": np.array(model.tree_floating, np.int32),
        }
        batches.append(
            BatchLayout(
                num_envs=len(envs),
                num_links=model.num_links,
                is_whole=len(plans) == 1,
                **{name: torch.from_numpy(a).to(device) for name, a in tensors.items()},  # type: ignore[arg-type]
            )
        )
    return Layout(
        num_actors=totals.actor,
        num_bodies=totals.body,
        num_dofs=totals.dof,
        num_sensors=totals.sensor,
        env_batch=env_batch,
        env_column=env_column,
        batches=batches,
    )


def _rows(items: int, starts: np.ndarray) -> np.ndarray:
    """Row of each item in each env: (items, envs) int32."""
    return np.ascontiguousarray(np.arange(items)[:, None] + starts[None, :]).astype(np.int32)
