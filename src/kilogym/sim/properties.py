"""Setting an actor's properties: the declaration always, the batch's parameters once there are any."""

from __future__ import annotations

import numpy as np

from kilogym.assets.asset import JointKind
from kilogym.scene import values as v
from kilogym.scene.compile import BatchPlan
from kilogym.scene.couplings import (
    AttractorDecl,
    check_coefficients,
    check_tendons,
    held_values,
    tendon_values,
)
from kilogym.scene.declarations import ActorDecl, Scene
from kilogym.scene.properties import (
    BODY_PROPERTIES,
    DOF_PROPERTIES,
    SHAPE_PROPERTIES,
    check_records,
    scale_bodies,
    scale_dofs,
)
from kilogym.sim.layout import Layout
from kilogym.sim.parameters import BatchParameters


class Properties:
    """Edits of a scene's actors. `attach` it to the batches when they exist."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._attached: tuple[list[BatchPlan], list[BatchParameters], Layout] | None = None

    def attach(self, plans: list[BatchPlan], parameters: list[BatchParameters], layout: Layout) -> None:
        """From now on edits go to the batches too."""
        self._attached = plans, parameters, layout

    def set_bodies(self, env: int, actor: int, rows: np.ndarray, recompute_inertia: bool) -> None:
        """See `Simulation.set_body_properties`."""
        decl = self._scene.actor(env, actor)
        what = f"body properties of actor {decl.name!r}"
        rows = check_records(rows, BODY_PROPERTIES, len(decl.asset.links), what)
        if recompute_inertia:
            old = decl.body_properties()
            ratio = np.divide(rows["mass"], old["mass"], out=np.ones_like(old["mass"]), where=old["mass"] > 0)
            rows["inertia"] = old["inertia"] * ratio[:, None]
        for i, row in enumerate(rows):
            diagonal = row["inertia"][:3]
            finite = all(np.isfinite(row[name]).all() for name in ("mass", "com", "inertia"))
            if not finite or row["mass"] <= 0 or (diagonal < 0).any():
                raise ValueError(
                    f"{what}: expected a mass > 0, inertias >= 0 and finite numbers, body {i} "
                    f"({decl.asset.links[i].name!r}) has mass {row['mass']}, com {row['com'].tolist()} and inertia "
                    f"{row['inertia'].tolist()}"
                )
        decl.bodies = rows
        self._write(env, actor, v.body_values(rows), decl.body_start)

    def set_dofs(self, env: int, actor: int, rows: np.ndarray) -> None:
        """See `Simulation.set_dof_properties`."""
        decl = self._scene.actor(env, actor)
        what = f"DOF properties of actor {decl.name!r}"
        rows = check_records(rows, DOF_PROPERTIES, decl.asset.num_dofs, what)
        for name in ("stiffness", "damping", "armature", "friction"):
            self._check(rows[name], (rows[name] >= 0) & np.isfinite(rows[name]), f"a finite {name} >= 0", decl, what)
        for name in ("effort", "velocity"):  # infinite: no limit
            self._check(rows[name], rows[name] >= 0, f"{name} >= 0", decl, what)
        self._check(rows["driveMode"], np.isin(rows["driveMode"], (0, 1, 2, 3)), "driveMode 0 to 3", decl, what)
        ordered = ~rows["hasLimits"] | (rows["lower"] <= rows["upper"])
        self._check(rows[["lower", "upper"]], ordered, "lower <= upper", decl, what)
        decl.dofs = rows
        self._write(env, actor, v.dof_values(rows), decl.dof_start)

    def set_shapes(self, env: int, actor: int, rows: np.ndarray) -> None:
        """See `Simulation.set_shape_properties`."""
        decl = self._scene.actor(env, actor)
        what = f"shape properties of actor {decl.name!r}"
        rows = check_records(rows, SHAPE_PROPERTIES, len(decl.asset.shapes), what)
        for name in rows.dtype.names or ():
            if name in ("rest_offset", "filter"):
                continue
            good = (rows[name] >= 0) & np.isfinite(rows[name])
            if not good.all():
                bad = int(np.argmin(good))
                raise ValueError(f"{what}: expected a finite {name} >= 0, shape {bad} has {rows[name][bad]}")
        if not np.isfinite(rows["rest_offset"]).all():
            raise ValueError(f"{what}: expected a finite rest_offset, got {rows['rest_offset'].tolist()}")
        if self._attached and not np.array_equal(rows["filter"], decl.shape_properties()["filter"]):
            raise NotImplementedError(
                f"{what}: collision filters cannot change once the simulation is prepared; set them before"
            )
        decl.shapes = rows
        if self._attached:
            here, kept = self._shapes(env, actor)
            self._write_items(env, v.shape_values(rows[kept]), here)

    def set_tendons(self, env: int, actor: int, rows: np.ndarray) -> None:
        """See `Simulation.set_tendon_properties`."""
        decl = self._scene.actor(env, actor)
        decl.tendons = check_tendons(decl.asset, decl.name, rows)
        before = sum(len(other.asset.tendons) for other in self._scene.env(env).actors[:actor])
        self._write(env, actor, tendon_values(decl.tendon_properties()), before)

    def set_coefficients(self, env: int, actor: int, values: np.ndarray) -> None:
        """See `Simulation.set_tendon_coefficients`."""
        decl = self._scene.actor(env, actor)
        decl.coefficients = check_coefficients(decl.asset, decl.name, values)
        before = sum(len(t.joints) for other in self._scene.env(env).actors[:actor] for t in other.asset.tendons)
        self._write(env, actor, {"tendon_coefficient": decl.tendon_coefficients()[:, None]}, before)

    def set_attractor(self, env: int, index: int, attractor: AttractorDecl) -> None:
        """See `Simulation.set_attractor`."""
        old = self._scene.attractor(env, index)
        if self._attached and (old.actor, old.link) != (attractor.actor, attractor.link):
            raise NotImplementedError(
                f"attractor {index} of env {env}: it pulls link {old.link} of actor {old.actor}, and cannot pull "
                "another once the simulation is prepared; create one for each link before, with stiffness 0"
            )
        self._scene.actor(env, attractor.actor)
        self._scene.env(env).attractors[index] = attractor
        values = {"attractor": np.array([attractor.data]), "attractor_target": np.array([attractor.target])}
        self._write(env, attractor.actor, values, index)

    def set_scale(self, env: int, actor: int, scale: float) -> None:
        """See `Simulation.set_scale`."""
        decl = self._scene.actor(env, actor)
        if not (np.isfinite(scale) and scale > 0):
            raise ValueError(f"scale of actor {decl.name!r}: expected a number > 0, got {scale}")
        ratio = scale / decl.scale
        if ratio == 1.0:
            return
        bodies, dofs = decl.body_properties(), decl.dof_properties()
        scale_bodies(bodies, ratio)
        scale_dofs(dofs, decl.asset, ratio)
        decl.bodies, decl.dofs, decl.scale = bodies, dofs, float(scale)
        if not self._attached:
            return
        self._write(env, actor, v.body_values(bodies), decl.body_start)
        self._write(env, actor, v.dof_values(dofs), decl.dof_start)
        starts = {
            "link": decl.body_start,
            "joint": self._moving_joints_before(env, actor),
            "sensor": decl.sensor_start,
            "dof": decl.dof_start,
        }
        for name, table in v.frame_values(decl).items():
            self._write(env, actor, {name: table}, starts[name.split("_")[0]])
        others = [other.asset for other in self._scene.env(env).actors[:actor]]
        held = held_values(decl.asset, decl.pos, decl.quat, decl.scale)
        self._write(
            env, actor, {"joint_equality": held["joint_equality"]}, sum(len(a.joint_equalities()) for a in others)
        )
        self._write(env, actor, {"closure": held["closure"]}, sum(len(a.closures) for a in others))
        here, kept = self._shapes(env, actor)
        self._write_items(env, v.geometry_values(decl, kept, self._scene.hulls), here)

    def shift_offsets(self, name: str, old: float, new: float) -> None:
        """Give shapes whose `contact_offset` or `rest_offset` is `old` the value `new`."""
        for e, env in enumerate(self._scene.envs):
            for a, actor in enumerate(env.actors):
                if actor.shapes is None and getattr(actor, name) == old:
                    setattr(actor, name, new)
                    rows = actor.shape_properties()
                    if self._attached:
                        here, kept = self._shapes(e, a)
                        self._write_items(e, v.shape_values(rows[kept]), here)
                elif actor.shapes is not None:
                    rows = actor.shapes.copy()
                    rows[name][rows[name] == np.float32(old)] = new
                    self.set_shapes(e, a, rows)

    @staticmethod
    def _check(values: np.ndarray, good: np.ndarray, expected: str, decl: ActorDecl, what: str) -> None:
        """ValueError naming the first DOF that is not `good`."""
        if not good.all():
            bad = int(np.argmin(good))
            name = decl.asset.dof_names()[bad]
            raise ValueError(f"{what}: expected {expected}, DOF {bad} ({name!r}) has {values[bad]}")

    def _moving_joints_before(self, env: int, actor: int) -> int:
        before = self._scene.env(env).actors[:actor]
        return sum(j.kind is not JointKind.FIXED for decl in before for j in decl.asset.joints)

    def _shapes(self, env: int, actor: int) -> tuple[list[int], list[int]]:
        """The actor's shapes that the model has: their indices in the model and in the asset."""
        assert self._attached is not None
        plans, _, layout = self._attached
        items = plans[layout.env_batch[env]].shape_items
        both = [(here, shape) for here, (owner, shape) in enumerate(items) if owner == actor]
        return [here for here, _ in both], [shape for _, shape in both]

    def _write(self, env: int, actor: int, values: v.Values, start: int) -> None:
        """Write tables whose items stand side by side in the batch, from item `start` on."""
        if not self._attached:
            return
        _, parameters, layout = self._attached
        batch, column = parameters[layout.env_batch[env]], int(layout.env_column[env])
        for name, table in values.items():
            batch.write(name, start * table.shape[1], table, column)

    def _write_items(self, env: int, values: v.Values, items: list[int]) -> None:
        """Write tables of scattered items."""
        assert self._attached is not None
        _, parameters, layout = self._attached
        batch, column = parameters[layout.env_batch[env]], int(layout.env_column[env])
        for name, table in values.items():
            for item, row in zip(items, table, strict=True):
                batch.write(name, item * table.shape[1], row, column)
