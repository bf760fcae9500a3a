"""A bench for experiments: bodies made in a line, many envs at once, histories as numpy arrays.

An experiment with other numbers (friction, masses, slopes, start states) is another env of one topology, not
another compile; what differs between envs is written into `World.parameter`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from kilogym.assets.asset import Asset, BodyOptions, Joint, JointKind, Link, Sensor, Shape, ShapeKind
from kilogym.scene.declarations import GroundPlane
from kilogym.sim import Simulation, SimulationParams

G = 9.81  # [m/s^2]
FREE = BodyOptions(angular_damping=0.0)  # Isaac Gym's default damps rotation, closed forms do not
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def solid(kind: ShapeKind, size: tuple[float, float, float], mass: float) -> tuple[float, ...]:
    """Inertia of a homogeneous solid about its centre, xx yy zz xy xz yz [kg m^2]."""
    if kind is ShapeKind.SPHERE:
        i = 0.4 * mass * size[0] ** 2
        return (i, i, i, 0.0, 0.0, 0.0)
    if kind is ShapeKind.BOX:
        x, y, z = (2 * s for s in size)
        return (
            mass * (y * y + z * z) / 12, mass * (x * x + z * z) / 12, mass * (x * x + y * y) / 12, 0.0, 0.0, 0.0,
        )  # fmt: skip
    r, half = size[0], size[1]
    if kind is ShapeKind.CYLINDER:
        side = mass * (3 * r * r + 4 * half * half) / 12
        return (side, side, mass * r * r / 2, 0.0, 0.0, 0.0)
    # capsule: a cylinder and two half balls, by volume
    tube, ball = math.pi * r * r * 2 * half, 4 / 3 * math.pi * r**3
    mt, mb = mass * tube / (tube + ball), mass * ball / (tube + ball)
    axial = mt * r * r / 2 + 0.4 * mb * r * r
    side = mt * (3 * r * r + 4 * half * half) / 12 + mb * (0.4 * r * r + half * half + 0.75 * half * r)
    return (side, side, axial, 0.0, 0.0, 0.0)


def body(
    kind: ShapeKind | None,
    size: tuple[float, float, float] = (0.1, 0.0, 0.0),
    mass: float = 1.0,
    inertia: tuple[float, ...] | None = None,
    friction: float = 1.0,
    restitution: float = 0.0,
    quat: tuple[float, float, float, float] = IDENTITY,
    sensors: tuple[Sensor, ...] = (),
    com: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Asset:
    """One free body with one shape (or none) at its origin; `quat` turns the shape and its inertia's axes."""
    if inertia is None:
        assert kind is not None
        inertia = turned(solid(kind, size, mass), quat)
    shapes = ()
    if kind is not None:
        shapes = (Shape(0, kind, size, quat=quat, friction=friction, restitution=restitution),)
    link = Link("body", -1, mass=mass, com=com, inertia=tuple(inertia))  # type: ignore[arg-type]
    return Asset("body", (link,), shapes=shapes, sensors=sensors, options=FREE)


def sphere(radius: float = 0.1, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.SPHERE, (radius, 0.0, 0.0), mass, **more)


def box(half: tuple[float, float, float] = (0.1, 0.1, 0.1), mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.BOX, half, mass, **more)


def capsule(radius: float = 0.1, half: float = 0.2, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.CAPSULE, (radius, half, 0.0), mass, **more)


def cylinder(radius: float = 0.1, half: float = 0.2, mass: float = 1.0, **more) -> Asset:
    return body(ShapeKind.CYLINDER, (radius, half, 0.0), mass, **more)


ALONG_Y = (-math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
"""Turns local z into y: for capsules and cylinders lying across x."""


def turned(inertia: Sequence[float], quat: Sequence[float]) -> tuple[float, ...]:
    """R I R^T of six numbers."""
    xx, yy, zz, xy, xz, yz = inertia
    r = rotation(np.asarray(quat))
    i = r @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ r.T
    return (i[0, 0], i[1, 1], i[2, 2], i[0, 1], i[0, 2], i[1, 2])


def rotation(q: np.ndarray) -> np.ndarray:
    """Rotation matrices of xyzw quaternions (..., 4) -> (..., 3, 3)."""
    x, y, z, w = np.moveaxis(np.asarray(q, np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def serial(
    lengths: Sequence[float],
    masses: Sequence[float],
    inertias: Sequence[tuple[float, ...]],
    coms: Sequence[float],
    axis: tuple[float, float, float] = (0.0, 1.0, 0.0),
    kind: JointKind = JointKind.REVOLUTE,
    shapes: tuple[Shape, ...] = (),
    sensors: tuple[Sensor, ...] = (),
    **joint,
) -> Asset:
    """Links hanging in a row from a fixed base: each starts `lengths` below its parent's joint, com below its own.

    Args:
        lengths: Length of each link [m]; the next joint is at its end.
        coms: Distance of each com below its joint [m].
        inertias: About the com, six numbers each.
        joint: Further fields of every joint.
    """
    links = [Link("base", -1)]
    joints = []
    for i, (mass, inertia, com) in enumerate(zip(masses, inertias, coms, strict=True)):
        drop = -lengths[i - 1] if i else 0.0
        links.append(Link(f"link{i}", i, (0.0, 0.0, drop), mass=mass, com=(0.0, 0.0, -com), inertia=inertia))  # type: ignore[arg-type]
        joints.append(Joint(f"joint{i}", kind, i + 1, axis=axis, **joint))
    return Asset(
        "serial", tuple(links), tuple(joints), shapes, sensors=sensors, fixed_base=True, options=FREE
    )


def rod(length: float, mass: float) -> tuple[float, ...]:
    """Inertia of a thin rod along z about its centre; a little about its own axis keeps it invertible."""
    i = mass * length**2 / 12
    return (i, i, 1e-3 * i, 0.0, 0.0, 0.0)


class World:
    """Equal envs with the given actors, and their histories.

    Args:
        actors: (asset, position) or (asset, position, quaternion xyzw) of every actor of an env.
        envs: Number of envs.
        ground: False for none, or a GroundPlane.
        dt: Of one step [s]; one substep unless `substeps` says otherwise.
        iterations, relax: Soft-step iterations and extra relax sweeps.
        params: Further fields of SimulationParams.
    """

    def __init__(
        self,
        actors: Sequence[tuple],
        device: str = "cpu",
        envs: int = 1,
        ground: bool | GroundPlane = True,
        dt: float = 1 / 120,
        iterations: int = 4,
        relax: int = 0,
        **params,
    ) -> None:
        defaults = {"substeps": 1, "rest_offset": 0.0, "faults": "raise"}
        self.sim = Simulation(
            SimulationParams(
                dt=dt, position_iterations=iterations, velocity_iterations=relax, **{**defaults, **params}
            ),
            device,
        )
        if ground is not False:
            self.sim.add_ground(GroundPlane() if ground is True else ground)
        for env in range(envs):
            self.sim.create_env((0, 0, 0), (0, 0, 0), 1)
            for i, (asset, pos, *quat) in enumerate(actors):
                self.sim.create_actor(env, asset, pos, quat[0] if quat else IDENTITY, name=f"a{i}", group=env)
                self.sim.enable_dof_force_sensors(env, i)
        self.sim.prepare()
        self.envs, self.actors, self.dt = envs, len(actors), dt
        self.dofs = self.sim.num_dofs // envs
        self.start_roots = self.roots()
        self.start_dofs = self.dof_states()

    def parameter(self, name: str) -> torch.Tensor:
        """A parameter to write, (components * count, envs)."""
        return self.sim.parameter(name)

    def set_parameter(self, name: str, values) -> None:
        """Write a parameter of every env: anything that broadcasts to (components * count, envs)."""
        target = self.sim.parameter(name)
        target.copy_(torch.as_tensor(values, dtype=torch.float32).expand_as(target))

    def _numpy(self, tensor: torch.Tensor, *shape: int) -> np.ndarray:
        return tensor.detach().cpu().numpy().astype(np.float64).reshape(self.envs, *shape)

    def roots(self) -> np.ndarray:
        """(envs, actors, 13)"""
        self.sim.refresh_root_states()
        return self._numpy(self.sim.root_states, self.actors, 13)

    def dof_states(self) -> np.ndarray:
        """(envs, dofs, 2)"""
        self.sim.refresh_dof_states()
        return self._numpy(self.sim.dof_states, self.dofs, 2)

    def bodies(self) -> np.ndarray:
        """(envs, bodies, 13)"""
        self.sim.refresh_body_states()
        return self._numpy(self.sim.body_states, -1, 13)

    def forces(self) -> np.ndarray:
        """Net contact forces, (envs, bodies, 3)."""
        self.sim.refresh_contact_forces()
        return self._numpy(self.sim.contact_forces, -1, 3)

    def dof_forces(self) -> np.ndarray:
        self.sim.refresh_dof_forces()
        return self._numpy(self.sim.dof_forces, self.dofs)

    def sensors(self) -> np.ndarray:
        self.sim.refresh_force_sensors()
        return self._numpy(self.sim.force_sensors, -1, 6)

    def _device(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32, device=self.sim.device)

    def set_roots(self, states: np.ndarray) -> None:
        self.sim.set_root_states(self._device(states))

    def set_dofs(self, states: np.ndarray) -> None:
        self.sim.set_dof_states(self._device(states))

    def place(self, actor: int = 0, **what) -> None:
        """Set parts of an actor's root in all envs: pos, quat, lin, ang; each (3 or 4,) or (envs, 3 or 4)."""
        where = {"pos": slice(0, 3), "quat": slice(3, 7), "lin": slice(7, 10), "ang": slice(10, 13)}
        states = self.roots()
        for name, value in what.items():
            states[:, actor, where[name]] = value
        self.set_roots(states)

    def bend(self, positions=None, speeds=None) -> None:
        """Set joint positions or speeds in all envs; each (dofs,) or (envs, dofs)."""
        states = self.dof_states()
        if positions is not None:
            states[..., 0] = positions
        if speeds is not None:
            states[..., 1] = speeds
        self.set_dofs(states)

    def reset(self) -> None:
        self.set_roots(self.start_roots)
        if self.dofs:
            self.set_dofs(self.start_dofs)

    def step(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.sim.step()

    def steps_in(self, seconds: float) -> int:
        return round(seconds / self.dt)

    def run(self, seconds: float, *what: str) -> list[np.ndarray]:
        """Step for a time; histories (steps + 1, ...) of what is named: roots, dof_states, bodies, forces ...

        Row 0 is the state before the first step.
        """
        rows: list[list[np.ndarray]] = [[getattr(self, name)()] for name in what]
        for _ in range(self.steps_in(seconds)):
            self.sim.step()
            for row, name in zip(rows, what, strict=True):
                row.append(getattr(self, name)())
        assert not self.sim.check_faults().diverged
        return [np.array(row) for row in rows]
