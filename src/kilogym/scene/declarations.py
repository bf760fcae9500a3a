"""What the user declared: envs, actors, ground. Plain records; nothing is computed until prepare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kilogym.assets.asset import Asset
from kilogym.assets.check import check_asset
from kilogym.scene.couplings import (
    AttractorDecl,
    check_coefficients,
    check_tendons,
    tendon_coefficients,
    tendon_properties,
)
from kilogym.scene.hulls import HullLibrary
from kilogym.scene.properties import (
    SHAPE_PROPERTIES,
    body_properties,
    check_records,
    dof_properties,
    shape_properties,
)
from kilogym.scene.surface import Surface
from kilogym.scene.terrain import HeightField, TriangleMesh

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]


class SceneFrozenError(RuntimeError):
    """The scene has been prepared: envs, actors and collision filters can no longer change."""


@dataclass(frozen=True)
class GroundPlane(Surface):
    """An infinite plane in the global frame: normal . x = distance. Shapes of every group collide with it."""

    normal: Vec3 = (0.0, 0.0, 1.0)
    distance: float = 0.0  # [m]


@dataclass
class ActorDecl:
    """One instance of an asset in an env. Property arrays are None until somebody edits them."""

    asset: Asset
    pos: Vec3  # of the root body, in the env's frame [m]
    quat: Quat  # of the root body, xyzw
    name: str
    group: int
    filter: int
    segmentation_id: int
    # where the actor's items start in its env's flat lists
    body_start: int
    dof_start: int
    joint_start: int
    shape_start: int
    sensor_start: int
    # offsets in force when the actor was made, used while its shape properties are untouched
    contact_offset: float
    rest_offset: float
    scale: float = 1.0
    dof_force_sensors: bool = False
    shapes: np.ndarray | None = None  # SHAPE_PROPERTIES
    dofs: np.ndarray | None = None  # DOF_PROPERTIES, scale applied
    bodies: np.ndarray | None = None  # BODY_PROPERTIES, scale applied
    tendons: np.ndarray | None = None  # TENDON_PROPERTIES
    coefficients: np.ndarray | None = None  # of the tendons' joints, float32
    colors: dict[int, Vec3] = field(default_factory=dict)  # of body index, RGB in 0..1
    body_segmentation_ids: dict[int, int] = field(default_factory=dict)

    def shape_properties(self) -> np.ndarray:
        """Current properties of the shapes, a copy. The filter is the actor's where that is not -1."""
        if self.shapes is not None:
            return self.shapes.copy()
        rows = shape_properties(self.asset, self.contact_offset, self.rest_offset)
        if self.filter != -1:
            rows["filter"] = self.filter
        return rows

    def dof_properties(self) -> np.ndarray:
        """Current properties of the DOFs, a copy."""
        return dof_properties(self.asset) if self.dofs is None else self.dofs.copy()

    def tendon_properties(self) -> np.ndarray:
        """Current properties of the tendons, a copy."""
        return tendon_properties(self.asset) if self.tendons is None else self.tendons.copy()

    def tendon_coefficients(self) -> np.ndarray:
        """Current coefficients of the tendons' joints, one tendon after another, a copy."""
        return tendon_coefficients(self.asset) if self.coefficients is None else self.coefficients.copy()

    def body_properties(self) -> np.ndarray:
        """Current properties of the bodies, a copy."""
        return body_properties(self.asset) if self.bodies is None else self.bodies.copy()


@dataclass
class EnvDecl:
    """A closed world. `origin` places it in the global frame, for drawing and for calls that ask for it."""

    lower: Vec3  # extents in the env's own frame [m]
    upper: Vec3
    per_row: int
    origin: Vec3  # [m]
    actors: list[ActorDecl] = field(default_factory=list)
    attractors: list[AttractorDecl] = field(default_factory=list)

    @property
    def num_bodies(self) -> int:
        return sum(len(a.asset.links) for a in self.actors)

    @property
    def num_dofs(self) -> int:
        return sum(a.asset.num_dofs for a in self.actors)


class Starts(NamedTuple):
    """Where an env's items begin in sim order."""

    actor: int
    body: int
    dof: int
    joint: int
    sensor: int


class Scene:
    """Envs and actors in creation order, the ground and terrain.

    Args:
        up_axis: "y" or "z"; the env grid lies in the other two axes (of which x is one).
    """

    def __init__(self, up_axis: str = "z") -> None:
        if up_axis not in ("y", "z"):
            raise ValueError(f"up_axis: expected 'y' or 'z', got {up_axis!r}")
        self.up_axis = up_axis
        self.envs: list[EnvDecl] = []
        self.ground: GroundPlane | None = None
        self.hulls = HullLibrary()
        self.terrain: list[HeightField | TriangleMesh] = []
        self.frozen = False
        self._starts = [Starts(0, 0, 0, 0, 0)]  # of the first envs; grown when asked for
        self._checked: dict[int, Asset] = {}  # by id: thousands of envs share an asset

    def add_ground(self, ground: GroundPlane) -> None:
        """Add the ground plane; the one that is already there is replaced."""
        self._check_open("add_ground")
        length = float(np.linalg.norm(ground.normal))
        if not np.isfinite(length) or length < 1e-6:
            raise ValueError(f"ground normal: expected a vector of length > 0, got {ground.normal}")
        ground.check_surface()
        self.ground = ground

    def add_terrain(self, terrain: HeightField | TriangleMesh) -> None:
        """Add terrain, besides the ground plane and terrain that is already there."""
        self._check_open("add_terrain")
        self.terrain.append(terrain)

    def create_env(self, lower: Vec3, upper: Vec3, per_row: int) -> int:
        """Append an env to the grid; returns its index.

        Env i stands in column i % per_row, row i // per_row, pitch upper - lower; env 0 at the origin.

        Args:
            lower, upper: Extents in the env's own frame [m]; equal ones put every env at the origin.
            per_row: Envs in a row; below 1 counts as 1.
        """
        self._check_open("create_env")
        index = len(self.envs)
        row, column = divmod(index, max(int(per_row), 1))
        second = 1 if self.up_axis == "z" else 2
        origin = [0.0, 0.0, 0.0]
        origin[0] = column * (float(upper[0]) - float(lower[0]))
        origin[second] = row * (float(upper[second]) - float(lower[second]))
        self.envs.append(EnvDecl(_vec3(lower), _vec3(upper), int(per_row), _vec3(origin)))
        return index

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
        contact_offset: float = 0.02,
        rest_offset: float = 0.001,
        tendons: np.ndarray | None = None,
        coefficients: np.ndarray | None = None,
    ) -> int:
        """Append an actor to an env; returns its index in the env. See `Simulation.create_actor`."""
        self._check_open("create_actor")
        decl = self.env(env)
        if id(asset) not in self._checked:
            check_asset(asset)
            self._checked[id(asset)] = asset
        length = math.hypot(*quat)  # not NumPy, whose calls take longer than all else here: envs are thousands
        if not (all(map(math.isfinite, pos)) and math.isfinite(length) and length > 1e-6):
            raise ValueError(
                f"pose of actor {name or asset.name!r}: expected finite numbers and a quaternion, got {pos}, {quat}"
            )
        last = decl.actors[-1] if decl.actors else None
        actor = ActorDecl(
            asset=asset,
            pos=_vec3(pos),
            quat=(quat[0] / length, quat[1] / length, quat[2] / length, quat[3] / length),
            name=name if name is not None else asset.name,
            group=int(group),
            filter=int(filter),
            segmentation_id=int(segmentation_id),
            body_start=last.body_start + len(last.asset.links) if last else 0,
            dof_start=last.dof_start + last.asset.num_dofs if last else 0,
            joint_start=last.joint_start + len(last.asset.joints) if last else 0,
            shape_start=last.shape_start + len(last.asset.shapes) if last else 0,
            sensor_start=last.sensor_start + len(last.asset.sensors) if last else 0,
            contact_offset=contact_offset,
            rest_offset=rest_offset,
        )
        if shapes is not None:
            what = f"shape properties of {actor.name!r}"
            rows = check_records(shapes, SHAPE_PROPERTIES, len(asset.shapes), what)
            if actor.filter != -1:
                rows["filter"] = actor.filter
            actor.shapes = rows
        if tendons is not None:
            actor.tendons = check_tendons(asset, actor.name, tendons)
        if coefficients is not None:
            actor.coefficients = check_coefficients(asset, actor.name, coefficients)
        decl.actors.append(actor)
        del self._starts[env + 1 :]
        return len(decl.actors) - 1

    def create_attractor(self, env: int, attractor: AttractorDecl) -> int:
        """Append an attractor to an env; returns its index in the env."""
        self._check_open("create_attractor")
        links = self.actor(env, attractor.actor).asset.links
        if not 0 <= attractor.link < len(links):
            raise IndexError(f"attractor: expected a link of 0..{len(links) - 1}, got {attractor.link}")
        self.env(env).attractors.append(attractor)
        return len(self.env(env).attractors) - 1

    def attractor(self, env: int, index: int) -> AttractorDecl:
        """The declaration of an attractor by its index in its env."""
        attractors = self.env(env).attractors
        if not 0 <= index < len(attractors):
            raise IndexError(f"attractor {index} of env {env}: expected 0 <= index < {len(attractors)}")
        return attractors[index]

    def env(self, env: int) -> EnvDecl:
        """The declaration of env number `env`."""
        if not 0 <= env < len(self.envs):
            raise IndexError(f"env {env}: expected 0 <= index < {len(self.envs)} (the envs created)")
        return self.envs[env]

    def actor(self, env: int, actor: int) -> ActorDecl:
        """The declaration of an actor by its index in its env."""
        actors = self.env(env).actors
        if not 0 <= actor < len(actors):
            raise IndexError(f"actor {actor} of env {env}: expected 0 <= index < {len(actors)}")
        return actors[actor]

    def starts(self, env: int) -> Starts:
        """First sim-wide indices of an env's items; of `env` = number of envs: the totals."""
        if not 0 <= env <= len(self.envs):
            raise IndexError(f"env {env}: expected 0 <= index <= {len(self.envs)} (the envs created)")
        while len(self._starts) <= env:
            decl, start = self.envs[len(self._starts) - 1], self._starts[-1]
            if decl.actors:
                last = decl.actors[-1]
                start = Starts(
                    start.actor + len(decl.actors),
                    start.body + last.body_start + len(last.asset.links),
                    start.dof + last.dof_start + last.asset.num_dofs,
                    start.joint + last.joint_start + len(last.asset.joints),
                    start.sensor + last.sensor_start + len(last.asset.sensors),
                )
            self._starts.append(start)
        return self._starts[env]

    def _check_open(self, call: str) -> None:
        if self.frozen:
            raise SceneFrozenError(f"{call}: the simulation has been prepared; create everything before that")


def _vec3(v: Sequence[float]) -> Vec3:
    return float(v[0]), float(v[1]), float(v[2])
