"""Simulation, section "declaring": ground, terrain, envs, actors, attractors. Before prepare."""

from __future__ import annotations

import numpy as np

from kilogym.assets.asset import Asset
from kilogym.scene.couplings import AttractorDecl
from kilogym.scene.declarations import GroundPlane, Quat, Vec3
from kilogym.scene.terrain import HeightField, TriangleMesh
from kilogym.sim.core import SimulationCore


class DeclarationCalls(SimulationCore):
    """Say what there is."""

    def add_ground(self, ground: GroundPlane | None = None) -> None:
        """Add the ground plane (default: z = 0 or y = 0 by `params.up_axis`, friction 1)."""
        self._check_alive()
        if ground is None:
            up = (0.0, 0.0, 1.0) if self.params.up_axis == "z" else (0.0, 1.0, 0.0)
            ground = GroundPlane(normal=up)
        self.scene.add_ground(ground)

    def add_terrain(self, terrain: HeightField | TriangleMesh) -> None:
        """Add terrain, as many as wanted and besides the ground plane. All envs share it; it never moves."""
        self._check_alive()
        self.scene.add_terrain(terrain)

    def create_env(self, lower: Vec3 = (0.0, 0.0, 0.0), upper: Vec3 = (0.0, 0.0, 0.0), per_row: int = 1) -> int:
        """Append an env to the grid, pitch upper - lower [m]; returns its index. See `Scene.create_env`."""
        self._check_alive()
        return self.scene.create_env(lower, upper, per_row)

    def create_actor(
        self,
        env: int,
        asset: Asset,
        pos: Vec3 = (0.0, 0.0, 0.0),
        quat: Quat = (0.0, 0.0, 0.0, 1.0),
        name: str | None = None,
        group: int = -1,
        filter: int = -1,
        segmentation_id: int = 0,
        shapes: np.ndarray | None = None,
        tendons: np.ndarray | None = None,
        tendon_coefficients: np.ndarray | None = None,
    ) -> int:
        """Append an actor to an env; returns its index in the env.

        Actors can be added to the envs in any order; sim order is always env by env.

        Args:
            env: Index of the env.
            asset: What to instance; not copied, immutable.
            pos: Position of the root body in the env's frame [m].
            quat: Its orientation, xyzw; normalised.
            name: Need not be unique; default the asset's name.
            group: Actors of an env collide if their groups are equal or one of them is -1.
            filter: -1 uses the asset's own collision filters (contype, conaffinity, exclusions); any other
                value is given to all shapes, and two shapes collide only if `filter_a & filter_b == 0`.
            segmentation_id: For cameras.
            shapes: SHAPE_PROPERTIES records taken instead of the asset's, copied.
            tendons: TENDON_PROPERTIES records taken instead of the asset's, copied.
            tendon_coefficients: See `set_tendon_coefficients`.
        """
        self._check_alive()
        return self.scene.create_actor(
            env, asset, pos, quat, name, group, filter, segmentation_id, shapes,
            self.params.contact_offset, self.params.rest_offset, tendons, tendon_coefficients,
        )  # fmt: skip

    def create_attractor(self, env: int, attractor: AttractorDecl) -> int:
        """Append an attractor to an env; returns its index in the env. Before prepare.

        Raises:
            IndexError: no such actor or link. ValueError: its numbers cannot be meant.
        """
        self._check_alive()
        return self.scene.create_attractor(env, attractor)
