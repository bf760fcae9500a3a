"""Six bodies in an env, one of each kind of shape, every number drawn at random: what must hold whatever they are.

Sizes reach from slabs and needles to cubes, masses over any number of decades; they fly at each other, lie in each
other, or fall on the ground. One compiled step serves all draws.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from kilogym.assets.asset import Asset, BodyOptions, Link, Shape, ShapeKind
from kilogym.assets.inertia import matrix, shape_mass_properties
from kilogym.math.quaternion import quat_to_matrix
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.bodies import G, rock
from kilogym.validation.trees import FREE

KINDS = (ShapeKind.SPHERE, ShapeKind.CAPSULE, ShapeKind.BOX, ShapeKind.CYLINDER, ShapeKind.ELLIPSOID, ShapeKind.MESH)
BODIES = len(KINDS)
HULL = BODIES - 1
DT = 1 / 120


@dataclass(frozen=True)
class Draw:
    """What a clutter is drawn from.

    Attributes:
        least: Smallest size [m]; the largest is 0.2, evenly by their logarithm.
        decades: Masses are 1 kg times 10 to the power of up to plus or minus half of this.
        speed: Of the bodies towards the middle of the env [m/s]; they turn at up to ten times as many rad/s.
        overlapping: They start in each other, not a little apart.
        ground: Whether they fall on the ground plane, under gravity.
    """

    seed: int = 0
    least: float = 0.05
    decades: float = 0.0
    friction: float = 0.5
    restitution: float = 0.0
    speed: float = 2.0
    overlapping: bool = False
    ground: bool = False


def rocks() -> list[np.ndarray]:
    """Points of hulls that are easy to get wrong: a cloud, a tetrahedron, a sheet, a needle, a sliver."""
    rng = np.random.default_rng(5)
    cloud = rng.normal(size=(40, 3)) * 0.3
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]]) - 0.25
    return [cloud, corners, cloud * [1, 1, 1e-3], cloud * [1e-2, 1e-2, 1], corners * [1, 0.02, 1]]


class Clutter:
    """Envs of six bodies each.

    Args:
        rock_index: Which of `rocks` the hull is; data, so one compiled step serves all.
        limits: Isaac Gym's default limits of velocity and damping; without them nothing acts but contacts.
    """

    def __init__(self, envs: int, device: str, rock_index: int = 0, limits: bool = False) -> None:
        body = BodyOptions() if limits else FREE
        size = (0.1, 0.1, 0.1)
        link = Link("body", -1, mass=1.0, inertia=(0.01, 0.01, 0.01, 0, 0, 0))
        assets = [Asset(k.value, (link,), shapes=(Shape(0, k, size),), options=body) for k in KINDS[:HULL]]
        self.rock = dataclasses.replace(rock(rocks()[rock_index] * 0.2), options=body)
        self.world = BatchWorld([*assets, self.rock], envs, device, ground=GroundPlane(), filter=0, max_contacts=80)
        self.envs, self.ground = envs, False
        batch = self.world.batch
        for name in ("shape_size", "shape_friction", "shape_restitution", "link_mass", "link_inertia"):
            batch.expand(name)
        batch.changed(elsewhere="shape_restitution")  # compile code for it
        batch.control.dt = DT
        self.hull_size = batch.params["shape_size"][3 * HULL : 3 * HULL + 3, 0].double().cpu().numpy().copy()
        self.hull_pos = batch.params["shape_pos"][3 * HULL :, 0].double().cpu().numpy().copy()

    def put(self, draw: Draw) -> None:
        """Set sizes, masses, materials and states of all envs."""
        rng, n, batch = np.random.default_rng(draw.seed), self.envs, self.world.batch
        self.ground = draw.ground
        batch.control.gravity = (0.0, 0.0, -G if draw.ground else 0.0)
        batch.params["ground_distance"][:] = 0.0 if draw.ground else -1e4
        sizes = np.exp(rng.uniform(np.log(draw.least), np.log(0.2), (n, BODIES, 3)))
        sizes[:, 0, 1:] = sizes[:, [1, 3], 2] = 0.0
        sizes[:, HULL] = self.hull_size
        mass = 10.0 ** rng.uniform(-draw.decades / 2, draw.decades / 2, (n, BODIES))
        inertia = np.zeros((n, BODIES, 6))
        for env in range(n):
            for i, kind in enumerate(KINDS[:HULL]):
                solid = shape_mass_properties(kind, tuple(sizes[env, i]), 1.0).scaled_to(mass[env, i])
                inertia[env, i, :3] = np.diag(solid.inertia)
        inertia[:, HULL] = np.array(self.rock.links[0].inertia) * mass[:, HULL, None]
        self.mass, self.inertia = mass, inertia
        reach = np.linalg.norm(sizes, axis=2)
        reach[:, 1] = sizes[:, 1, 0] + sizes[:, 1, 1]
        reach[:, HULL] = self.hull_size[1] + np.linalg.norm(self.hull_pos)
        at = self._places(rng, reach, draw)
        quat = rng.normal(size=(n, BODIES, 4))
        quat /= np.linalg.norm(quat, axis=2, keepdims=True)
        inwards = -at / np.maximum(np.linalg.norm(at, axis=2, keepdims=True), 1e-9)
        self.world.set_state(
            {
                "root_pos": at.reshape(n, -1),
                "root_quat": quat.reshape(n, -1),
                "root_lin_vel": (inwards * draw.speed * rng.uniform(0, 1, (n, BODIES, 1))).reshape(n, -1),
                "root_ang_vel": (rng.uniform(-1, 1, (n, BODIES, 3)) * 10 * draw.speed).reshape(n, -1),
            }
        )
        for name, values in (
            ("shape_size", sizes),
            ("link_mass", mass),
            ("link_inertia", inertia),
            ("shape_friction", np.full((n, BODIES), draw.friction)),
            ("shape_restitution", np.full((n, BODIES), draw.restitution)),
        ):
            self.world.put(batch.params, name, values.reshape(n, -1))

    def _places(self, rng: np.random.Generator, reach: np.ndarray, draw: Draw) -> np.ndarray:
        """(envs, bodies, 3): in each other, or as near as bounding balls allow; above the ground."""
        n = self.envs
        way = rng.normal(size=(n, BODIES, 3))
        way /= np.linalg.norm(way, axis=2, keepdims=True)
        at = 0.5 * way * reach[..., None]
        if not draw.overlapping:
            at[:] = 0.0
            for i in range(1, BODIES):
                # the nearest place along its way that is clear of those before
                away = np.zeros(n)
                for j in range(i):
                    along = (way[:, i] * at[:, j]).sum(1)
                    least = reach[:, i] + reach[:, j] + 0.01
                    across = (at[:, j] ** 2).sum(1) - along**2
                    away = np.maximum(away, along + np.sqrt(np.maximum(0.0, least**2 - across)))
                at[:, i] = way[:, i] * away[:, None]
        if draw.ground:
            lift = 0.01 if not draw.overlapping else -0.02
            at[..., 2] += (lift + (reach - at[..., 2]).max(axis=1))[:, None]
        return at

    # what is looked at ------------------------------------------------------------------------------------------

    def roots(self) -> dict[str, np.ndarray]:
        """pos, quat, lin, ang: (envs, bodies, 3 or 4)."""
        state = self.world.state()
        names = {"pos": "root_pos", "quat": "root_quat", "lin": "root_lin_vel", "ang": "root_ang_vel"}
        return {short: state[name].reshape(self.envs, BODIES, -1) for short, name in names.items()}

    def forces(self) -> np.ndarray:
        """Net contact forces of the last step, (envs, bodies, 3) [N]."""
        return self.world.output("link_contact_force").reshape(self.envs, BODIES, 3)

    def energy(self) -> np.ndarray:
        """Kinetic, and with a ground potential, energy of each env [J]."""
        r = self.roots()
        turn = quat_to_matrix(r["quat"])
        spin = np.einsum("ebij,ebi->ebj", turn, r["ang"])
        kinetic = self.mass * (r["lin"] ** 2).sum(2) + np.einsum("ebi,ebij,ebj->eb", spin, matrix(self.inertia), spin)
        com = r["pos"][..., 2].copy()
        com[:, HULL] += (turn[:, HULL] @ np.array(self.rock.links[0].com))[:, 2]
        return (0.5 * kinetic + (G * self.mass * com if self.ground else 0.0)).sum(1)
