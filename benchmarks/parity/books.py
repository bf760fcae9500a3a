"""Energy and momentum of a client's task, substep by substep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from client import Policy, asset, play, simulation

from kilogym.bench.audit import mechanical_energy
from kilogym.sim.params import ContactCollection


@dataclass(frozen=True)
class Books:
    """Energies are means over envs of the sums over an episode [J]."""

    motor_work: float
    created: float
    """Sum of the gains in single substeps that no motor explains; 0 in a perfect engine."""
    largest_gain: float
    """In one substep of one env [J]."""
    damping: float
    """Lost in the joints' damping, d (dq)^2 / dt."""
    stops: float
    """Lost at the joints' stops: their impulses times the mean of the joint speeds before and after."""
    contacts: float
    """Lost otherwise: impacts and sliding."""
    friction_over_limit: float
    """Largest tangential over normal force of a link, over the coefficient; 1 is sliding."""
    momentum_error: float
    """Largest of |change of momentum - (contact forces + weight) dt| over the largest change in a substep."""
    episodes_speed: float
    """Forward speed meanwhile, to see that this is the same gait [m/s]."""


class Bookkeeper:
    """Stands in for a simulation's step: every substep is a step of its own, and a row in the books."""

    def __init__(self, task: Any, friction: float) -> None:
        self.sim, self.robot, self.friction = simulation(task), asset(task), friction
        params = self.sim.params
        self.substeps, self.dt = params.substeps, params.dt / params.substeps
        fine = replace(params, dt=self.dt, substeps=1, contact_collection=ContactCollection.LAST_SUBSTEP)
        self.sim.set_params(fine)
        self.gravity = -params.gravity[2]
        self.mass = np.array([link.mass for link in self.robot.links])
        self.damping = np.array([joint.damping for joint in self.robot.dof_joints()])
        self.physics = self.sim.step
        self.read_sensors = self.sim.refresh_force_sensors
        self.sim.refresh_force_sensors = lambda: None  # type: ignore[method-assign]
        self.rows: list[dict[str, np.ndarray]] = []

    def _state(self) -> dict[str, np.ndarray]:
        self.sim.refresh_body_states()
        self.sim.refresh_dof_states()
        envs = self.sim.num_envs
        bodies = self.sim.body_states.double().cpu().numpy().reshape(envs, -1, 13)
        dofs = self.sim.dof_states.double().cpu().numpy().reshape(envs, -1, 2)
        return {
            "pos": dofs[..., 0].copy(),
            "vel": dofs[..., 1].copy(),
            "energy": mechanical_energy(self.robot, bodies, dofs[..., 1], self.gravity),
            "momentum": (self.mass[:, None] * bodies[..., 7:10]).sum(1),
        }

    def _substep(self) -> None:
        envs = self.sim.num_envs
        efforts = self.sim.get_actuation_forces().double().cpu().numpy().reshape(envs, -1)
        old = self._state()
        self.physics()
        new = self._state()
        self.sim.refresh_contact_forces()
        self.sim.refresh_dof_forces()
        forces = self.sim.contact_forces.double().cpu().numpy().reshape(envs, -1, 3)
        moved, mean_vel = new["pos"] - old["pos"], 0.5 * (new["vel"] + old["vel"])
        # a DOF's force is effort, damping and what its stop does
        joint = self.sim.dof_forces.double().cpu().numpy().reshape(envs, -1) - efforts
        damping = -self.damping * moved / self.dt
        at_stop = np.abs(joint - damping) > 0.5 + 0.5 * np.abs(damping)
        pressed = forces[..., 2] > 0.05 * self.gravity * self.mass.sum()
        share = np.linalg.norm(forces[..., :2], axis=-1) / np.where(pressed, forces[..., 2], 1.0)
        push = forces.sum(1) - np.array([0, 0, self.gravity * self.mass.sum()])
        change = new["momentum"] - old["momentum"]
        work = (efforts * moved).sum(-1)
        self.rows.append(
            {
                "work": work,
                "gain": new["energy"] - old["energy"] - work,
                "damping": -(damping * moved).sum(-1),
                "stops": -(np.where(at_stop, joint - damping, 0.0) * mean_vel).sum(-1) * self.dt,
                "friction": np.where(pressed, share, 0.0).max(-1) / self.friction,
                "momentum_error": np.linalg.norm(change - push * self.dt, axis=-1),
                "momentum_change": np.linalg.norm(change, axis=-1),
            }
        )

    def step(self) -> None:
        """One step of the client."""
        total = 0.0
        for _ in range(self.substeps):
            self._substep()
            self.read_sensors()
            total = total + self.sim.force_sensors.clone()
        self.sim.force_sensors.copy_(total / self.substeps)

    def close(self, speed: float) -> Books:
        """Sum up."""
        column = {name: np.array([row[name] for row in self.rows]) for name in self.rows[0]}  # (substeps, envs)
        sums = {name: float(values.sum(0).mean()) for name, values in column.items()}
        gain = column["gain"]
        lost = float(-gain.sum(0).mean())
        return Books(
            motor_work=sums["work"],
            created=float(gain.clip(min=0).sum(0).mean()),
            largest_gain=float(gain.max()),
            damping=sums["damping"],
            stops=sums["stops"],
            contacts=lost - sums["damping"] - sums["stops"],
            friction_over_limit=float(column["friction"].max()),
            momentum_error=float(column["momentum_error"].max() / column["momentum_change"].max()),
            episodes_speed=speed,
        )


def audit(task: Any, policy: Policy, friction: float) -> Books:
    """Play an episode and keep books of it. Falls restart within it: those steps' books are of the restarted robots."""
    keeper = Bookkeeper(task, friction)
    keeper.sim.step = keeper.step  # type: ignore[method-assign]
    return keeper.close(play(task, policy).speed)
