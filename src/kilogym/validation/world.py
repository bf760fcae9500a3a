"""A bench for experiments: bodies made in a line, many envs at once, histories as numpy arrays, in either engine.

An experiment with other numbers (friction, masses, slopes, start states) is another env of one topology, not
another compile; what differs between envs is written with `World.set_parameter`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from kilogym.assets.asset import Asset

Vec = tuple[float, float, float]
Quat = tuple[float, float, float, float]
Actor = tuple[Asset, Vec] | tuple[Asset, Vec, Quat]
"""Asset, position and, where it is turned, orientation xyzw."""


class World(ABC):
    """Equal envs with the given actors.

    States are Isaac Gym's: 13 numbers of a root or body are the position of its frame [m], its orientation xyzw, the
    velocity of its com [m/s] and its angular velocity [rad/s], world axes. All arrays are float64.

    Attributes:
        envs, actors, dofs: Their numbers; dofs per env.
        dt: Of one step [s].
    """

    envs: int
    actors: int
    dofs: int
    dt: float

    @abstractmethod
    def set_parameter(self, name: str, values) -> None:
        """Write a parameter (engine/model.py) of every env: anything that broadcasts to (components * count, envs)."""

    @abstractmethod
    def change(self, *, dt: float | None = None, gravity: Vec | None = None) -> None:
        """Go on with another step or gravity."""

    @abstractmethod
    def roots(self) -> np.ndarray:
        """(envs, actors, 13)"""

    @abstractmethod
    def dof_states(self) -> np.ndarray:
        """(envs, dofs, 2)"""

    @abstractmethod
    def bodies(self) -> np.ndarray:
        """(envs, bodies, 13)"""

    @abstractmethod
    def forces(self) -> np.ndarray:
        """Net contact forces of the last step, (envs, bodies, 3) [N]."""

    @abstractmethod
    def dof_forces(self) -> np.ndarray:
        """Of drives, limits and joint friction in the last step, (envs, dofs)."""

    @abstractmethod
    def corner_loads(self) -> np.ndarray:
        """Normal force or impulse of every loaded contact of env 0; only their ratios mean anything."""

    @abstractmethod
    def set_roots(self, states: np.ndarray) -> None: ...

    @abstractmethod
    def set_dofs(self, states: np.ndarray) -> None: ...

    @abstractmethod
    def aim(self, targets: np.ndarray) -> None:
        """Targets of position drives, broadcast to (envs, dofs)."""

    @abstractmethod
    def drive(self, efforts: np.ndarray) -> None:
        """Efforts of DOFs in effort mode, broadcast to (envs, dofs)."""

    @abstractmethod
    def push(self, forces: np.ndarray) -> None:
        """Forces at the coms of all bodies for the next step, broadcast to (envs, bodies, 3) [N]."""

    @abstractmethod
    def step(self, steps: int = 1) -> None: ...

    @abstractmethod
    def diverged(self) -> list[int]:
        """Envs whose state is not finite, or that were stopped before it was."""

    @abstractmethod
    def check(self) -> None:
        """Raise ExperimentError if an env diverged or contacts were dropped."""

    def sensors(self) -> np.ndarray:
        """Force sensors, (envs, sensors, 6)."""
        raise NotImplementedError(f"{type(self).__name__}: force sensors are measured on Kilogym only")

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

    def steps_in(self, seconds: float) -> int:
        return round(seconds / self.dt)

    def run(self, seconds: float, *what: str) -> list[np.ndarray]:
        """Step for a time; histories (steps + 1, ...) of what is named: roots, dof_states, bodies, forces ...

        Row 0 is the state before the first step.
        """
        rows: list[list[np.ndarray]] = [[getattr(self, name)()] for name in what]
        for _ in range(self.steps_in(seconds)):
            self.step()
            for row, name in zip(rows, what, strict=True):
                row.append(getattr(self, name)())
        self.check()
        return [np.array(row) for row in rows]


def actor_parts(actors: Sequence[Actor]) -> list[tuple[Asset, Vec, Quat]]:
    """Actors with the orientation filled in."""
    return [(a[0], a[1], a[2] if len(a) == 3 else (0.0, 0.0, 0.0, 1.0)) for a in actors]
