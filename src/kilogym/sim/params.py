"""What a user chooses for a whole simulation."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Literal


class CoordinateSpace(enum.IntEnum):
    """Frame of a force and of the position it acts at; the values are Isaac Gym's."""

    ENV = 0
    """The env's frame."""
    LOCAL = 1
    """The frame of the body."""
    GLOBAL = 2
    """The global frame: axes of the env's, moved by the env's origin."""


class ContactCollection(enum.IntEnum):
    """What the net contact forces of a step are; the values are Isaac Gym's."""

    NEVER = 0
    """Zeros."""
    LAST_SUBSTEP = 1
    """The forces of the last substep."""
    ALL_SUBSTEPS = 2
    """The mean over all substeps, so that a body at rest reads its weight whatever their number."""


@dataclass
class SimulationParams:
    """Step, solver and policies. Change after `Simulation.prepare` with `Simulation.set_params`."""

    dt: float = 1.0 / 60.0  # of one step() [s]
    substeps: int = 2  # a step is this many equal parts
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)  # [m/s^2]
    up_axis: Literal["y", "z"] = "z"  # where the env grid lies; does not change gravity
    position_iterations: int = 4
    velocity_iterations: int = 1
    solver_type: int = 1  # 1 soft-step iterations (TGS), 0 sweeps over one linearisation (PGS)
    contact_offset: float = 0.02  # default of shapes [m]
    rest_offset: float = 0.001  # default of shapes [m]
    bounce_threshold_velocity: float = 0.2  # slower impacts do not bounce [m/s]
    max_depenetration_velocity: float = 100.0  # [m/s]
    contact_collection: ContactCollection = ContactCollection.ALL_SUBSTEPS
    max_contacts: int = 0  # contacts kept per env; 0 = chosen from the shapes
    semi_implicit: bool = False  # semi-implicit Euler instead of the midpoint rule
    # policies
    persistent_efforts: bool = True  # actuation forces act until set again; False: for one step
    faults: Literal["warn", "raise", "ignore"] = "warn"  # what check_faults() does with new faults
    shared_groups: Literal["refuse", "ignore"] = "refuse"  # actors of different envs that would collide
    debug: bool = False  # check indices on CUDA too, at the price of a host sync per indexed call

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Raise ValueError for the first value that cannot be meant."""
        checks = [
            ("dt", self.dt > 0 and math.isfinite(self.dt), "> 0 s"),
            ("substeps", int(self.substeps) >= 1, ">= 1"),
            ("gravity", len(tuple(self.gravity)) == 3 and all(map(math.isfinite, self.gravity)), "three numbers"),
            ("up_axis", self.up_axis in ("y", "z"), "'y' or 'z'"),
            ("position_iterations", int(self.position_iterations) >= 1, ">= 1"),
            ("velocity_iterations", int(self.velocity_iterations) >= 0, ">= 0"),
            ("solver_type", self.solver_type in (0, 1), "0 or 1"),
            ("contact_offset", 0 <= self.contact_offset < math.inf, ">= 0 m"),
            ("rest_offset", math.isfinite(self.rest_offset), "a finite length [m]"),
            ("bounce_threshold_velocity", self.bounce_threshold_velocity >= 0, ">= 0 m/s"),
            ("max_depenetration_velocity", self.max_depenetration_velocity >= 0, ">= 0 m/s"),
            ("max_contacts", self.max_contacts >= 0, ">= 0, 0 = chosen by the engine"),
            ("faults", self.faults in ("warn", "raise", "ignore"), "'warn', 'raise' or 'ignore'"),
            ("shared_groups", self.shared_groups in ("refuse", "ignore"), "'refuse' or 'ignore'"),
        ]
        for name, good, expected in checks:
            if not good:
                raise ValueError(f"SimulationParams.{name}: expected {expected}, got {getattr(self, name)!r}")
