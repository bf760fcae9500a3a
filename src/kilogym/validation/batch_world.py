"""Trees in one env of a batch of the engine, many envs, each another state; in float32 or float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from kilogym.assets.asset import Asset
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.engine.model import INPUT, STATE
from kilogym.scene.compile import compile_scene
from kilogym.scene.couplings import AttractorDecl
from kilogym.scene.declarations import GroundPlane, Scene
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.validation.case import Precision
from kilogym.validation.oracle import TreeState


class BatchWorld:
    """One batch whose env holds each asset once; `num_envs` states of them.

    With `filter` 1 nothing collides but with the ground, with 0 everything does.

    Masses and DOF data keep double precision (property records are float32).
    """

    def __init__(
        self, assets: list[Asset], num_envs: int, device: str, precision: Precision = "float32",
        ground: GroundPlane | None = None, max_contacts: int = 0, filter: int = 1,
        attractors: Sequence[AttractorDecl] = (), terrain: Sequence[HeightField | TriangleMesh] = (), **options,
    ) -> None:  # fmt: skip
        scene = Scene()
        scene.create_env((0, 0, 0), (0, 0, 0), 1)
        if ground is not None:
            scene.add_ground(ground)
        for item in terrain:
            scene.add_terrain(item)
        for asset in assets:
            scene.create_actor(0, asset, filter=filter, rest_offset=0.0)
        for attractor in attractors:
            scene.create_attractor(0, attractor)
        (plan,) = compile_scene(scene, max_contacts)
        self.assets = assets
        self.model = plan.model
        links = [link for asset in assets for link in asset.links]
        p = self.model.params
        p["link_mass"] = np.array([link.mass for link in links])
        p["link_com"] = np.array([link.com for link in links])
        p["link_inertia"] = np.array([link.inertia for link in links])
        p["dof_armature"] = np.array([j.armature for asset in assets for j in asset.dof_joints()])
        self.batch = Batch(self.model, num_envs, device, EngineOptions(precision=precision, **options))
        self.batch.control.dt, self.batch.control.substeps = 1 / 120, 1
        self.num_envs, self.device = num_envs, device
        self.real = torch.float64 if precision == "float64" else torch.float32

    def put(self, table: dict[str, torch.Tensor], name: str, values: np.ndarray) -> None:
        """values: (num_envs, rows)."""
        table[name][: values.shape[1]].copy_(torch.from_numpy(np.ascontiguousarray(values.T)))

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        """STATE name -> (num_envs, rows); marks everything as written."""
        for name, values in state.items():
            self.put(self.batch.state, name, values)
        self.forget()

    def set_input(self, **values: np.ndarray) -> None:
        """INPUT name -> (num_envs, rows)."""
        for name, v in values.items():
            assert name in INPUT
            self.put(self.batch.input, name, v)

    def forget(self) -> None:
        """What a setter of the simulation does after writing states."""
        ones = torch.ones(self.model.num_trees, self.num_envs, dtype=torch.int32, device=self.device)
        self.batch.clear_warm_start(ones)
        self.batch.fault.zero_()

    def state(self) -> dict[str, np.ndarray]:
        """STATE name -> (num_envs, rows), float64."""
        return {name: self.batch.state[name].double().cpu().numpy().T.copy() for name in STATE}

    def output(self, name: str) -> np.ndarray:
        return self.batch.output[name].double().cpu().numpy().T.copy()

    def tree_dofs(self, tree: int) -> slice:
        first = sum(asset.num_dofs for asset in self.assets[:tree])
        return slice(first, first + self.assets[tree].num_dofs)

    def tree_v(self, tree: int) -> slice:
        t = self.batch.topology
        return slice(t.tree_v0[tree], t.tree_v0[tree] + t.tree_vs[tree])

    def tree_links(self, tree: int) -> slice:
        t = self.batch.topology
        return slice(t.tree_link0[tree], t.tree_link0[tree] + t.tree_links[tree])

    def tree_state(self, tree: int, env: int, state: dict[str, np.ndarray] | None = None) -> TreeState:
        """What the batch holds (or `state`), of one tree in one env."""
        s, d = state or self.state(), self.tree_dofs(tree)
        return TreeState(
            s["root_pos"][env, 3 * tree : 3 * tree + 3], s["root_quat"][env, 4 * tree : 4 * tree + 4],
            s["root_lin_vel"][env, 3 * tree : 3 * tree + 3], s["root_ang_vel"][env, 3 * tree : 3 * tree + 3],
            s["dof_pos"][env, d], s["dof_vel"][env, d],
        )  # fmt: skip

    def velocity(self, tree: int, state: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """v-space velocity of a tree: (num_envs, n)."""
        s, d = state or self.state(), self.tree_dofs(tree)
        root = [s["root_lin_vel"][:, 3 * tree : 3 * tree + 3], s["root_ang_vel"][:, 3 * tree : 3 * tree + 3]]
        return np.concatenate([*([] if self.assets[tree].fixed_base else root), s["dof_vel"][:, d]], axis=1)

    def random_state(self, seed: int, spread: float = 0.5, speed: float = 2.0) -> dict[str, np.ndarray]:
        """q ~ N(0, spread), v ~ N(0, speed), rounded to the batch's precision; roots anywhere, fixed ones too."""
        rng = np.random.default_rng(seed)
        n, trees = self.num_envs, self.model.num_trees
        quat = rng.normal(size=(n, trees, 4))
        quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
        state = {
            "root_pos": rng.normal(size=(n, 3 * trees)) * spread,
            "root_quat": quat.reshape(n, -1),
            "root_lin_vel": rng.normal(size=(n, 3 * trees)) * speed,
            "root_ang_vel": rng.normal(size=(n, 3 * trees)) * speed,
            "dof_pos": rng.normal(size=(n, max(1, self.model.num_dofs))) * spread,
            "dof_vel": rng.normal(size=(n, max(1, self.model.num_dofs))) * speed,
        }
        return {k: torch.from_numpy(v).to(self.real).double().numpy() for k, v in state.items()}

    def query(self, name: str, *shape: int, tree: int | None = None) -> np.ndarray:
        """Result of kinematics, jacobian, mass_matrix or bias, float64 (num_envs, *shape)."""
        out = torch.full((self.num_envs, *shape), torch.nan, dtype=self.real, device=self.device)
        getattr(self.batch, name)(*([] if tree is None else [tree]), out)
        return out.double().cpu().numpy()


def is_double(world: BatchWorld) -> bool:
    """Whether a world computes in float64."""
    return world.batch.options.precision == "float64"
