"""Where the energy of a trained policy goes: has it found a hole in the physics?

    python -m kilogym.bench.audit runs/ant/<time>                     one episode in each of 32 envs
    python -m kilogym.bench.audit runs/ant/<time> --out benchmarks/results/ant-audit.json

Every substep is a step of its own here. Over each one the change of the robot's mechanical energy is compared with
the work of its motors, tau . (q+ - q), exact as a motor's torque is constant over a substep. What is left over must be
a loss: damping, impacts, sliding, joint stops. A gain is energy out of nothing. Contact forces must lie in the friction
cone, and over an episode they must carry the weight.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kilogym.assets.asset import Asset
from kilogym.assets.inertia import matrix
from kilogym.bench import policy_options
from kilogym.math.quaternion import quat_rotate, quat_rotate_inverse
from kilogym.rl.evaluate import Evaluation, evaluate
from kilogym.rl.train import load_policy
from kilogym.tasks.locomotion import LocomotionTask
from kilogym.tasks.registry import make_task


@dataclass(frozen=True)
class Audit:
    """Energies are means over envs of the sums over an episode [J]."""

    motor_work: float
    """Net work of the motors."""
    created: float
    """Sum of the gains that no motor explains: 0 in a perfect engine."""
    lost: float
    """Sum of the losses."""
    mean_energy: float
    """Kinetic, potential and armature energy on average."""
    largest_gain: float
    """In one substep of one env [J]."""
    friction_over_limit: float
    """Largest tangential over normal force of a link, over the coefficient; 1 is sliding."""
    weight_share: float
    """Vertical contact force on average, over the weight."""
    clamped_share: float
    """Substeps in which a velocity limit acted."""


def mechanical_energy(asset: Asset, bodies: np.ndarray, dof_vel: np.ndarray, gravity: float) -> np.ndarray:
    """Kinetic, potential (z up) and armature energy [J], (E,).

    Args:
        bodies: Link states (E, links, 13): frame position, xyzw, velocity of the com, angular velocity.
        dof_vel: (E, D).
        gravity: [m/s^2], positive.
    """
    mass = np.array([link.mass for link in asset.links])
    com = np.array([link.com for link in asset.links])
    quat = bodies[..., 3:7]
    height = bodies[..., 2] + quat_rotate(quat, com)[..., 2]
    spin = quat_rotate_inverse(quat, bodies[..., 10:13])
    inertia = matrix([link.inertia for link in asset.links])
    kinetic = (mass * (bodies[..., 7:10] ** 2).sum(-1)).sum(-1) + np.einsum("eli,lij,elj->e", spin, inertia, spin)
    armature = np.array([joint.armature for joint in asset.joints])
    return 0.5 * kinetic + 0.5 * (armature * dof_vel**2).sum(-1) + gravity * (mass * height).sum(-1)


class Auditor:
    """Stands in for a task's physics step and keeps books of it."""

    def __init__(self, task: LocomotionTask) -> None:
        self.sim, self.asset, self.envs = task.sim, task.asset, task.num_envs
        self.gravity = -task.sim.params.gravity[2]
        self.weight = self.gravity * sum(link.mass for link in task.asset.links)
        self.friction = 0.5 * (max(shape.friction for shape in task.asset.shapes) + 1.0)  # the ground's is 1
        self.physics = task.sim.step
        self.rows: list[dict[str, np.ndarray]] = []

    def _state(self) -> tuple[np.ndarray, np.ndarray]:
        self.sim.refresh_body_states()
        self.sim.refresh_dof_states()
        bodies = self.sim.body_states.double().cpu().numpy().reshape(self.envs, -1, 13)
        dofs = self.sim.dof_states.double().cpu().numpy().reshape(self.envs, -1, 2)
        return dofs[..., 0].copy(), mechanical_energy(self.asset, bodies, dofs[..., 1], self.gravity)

    def step(self) -> None:
        """One physics step, one row in the books."""
        pos, before = self._state()
        efforts = self.sim.get_actuation_forces().double().cpu().numpy().reshape(self.envs, -1)
        self.physics()
        new_pos, after = self._state()
        self.sim.refresh_contact_forces()
        forces = self.sim.contact_forces.double().cpu().numpy().reshape(self.envs, -1, 3)
        pressed = forces[..., 2] > 0.05 * self.weight
        share = np.linalg.norm(forces[..., :2], axis=-1) / np.where(pressed, forces[..., 2], 1.0)
        work = (efforts * (new_pos - pos)).sum(-1)
        self.rows.append(
            {
                "energy": after,
                "work": work,
                "gain": after - before - work,
                "friction": np.where(pressed, share, 0.0).max(-1) / self.friction,
                "force": forces[..., 2].sum(-1),
                "clamped": (self.sim.env_faults().cpu().numpy() & 4) != 0,
            }
        )

    def close(self) -> Audit:
        """Sum up."""
        columns = {name: np.array([row[name] for row in self.rows]) for name in self.rows[0]}  # (steps, envs)
        gain = columns["gain"]
        return Audit(
            motor_work=float(columns["work"].sum(0).mean()),
            created=float(gain.clip(min=0).sum(0).mean()),
            lost=float(-gain.clip(max=0).sum(0).mean()),
            mean_energy=float(columns["energy"].mean()),
            largest_gain=float(gain.max()),
            friction_over_limit=float(columns["friction"].max()),
            weight_share=float(columns["force"].mean() / self.weight),
            clamped_share=float(columns["clamped"].mean()),
        )


def audit(checkpoint: Path, envs: int, seed: int, device: str = "cpu") -> tuple[Evaluation, Audit]:
    """Run whole episodes of a policy and keep books of every substep."""
    saved, config, learner = load_policy(checkpoint, device)
    n = config.substeps
    fine = replace(config, dt=config.dt / n, substeps=1, decimation=config.decimation * n)
    task = make_task(saved.task, envs, device, seed, fine)
    if not isinstance(task, LocomotionTask):
        raise NotImplementedError(f"{saved.task}: only tasks of one walking robot can be audited")
    auditor = Auditor(task)
    task.sim.step = auditor.step  # type: ignore[method-assign]
    return evaluate(task, learner.act), auditor.close()


def report(options: Namespace) -> dict[str, Any]:
    """Audit, and print every number with its meaning."""
    evaluation, books = audit(options.checkpoint, options.envs, options.seed)
    print(evaluation.describe())
    print(
        f"work of the motors {books.motor_work:.1f} J an episode, lost {books.lost:.1f} J, "
        f"mean energy {books.mean_energy:.1f} J"
    )
    print(f"energy out of nothing {books.created:.2f} J an episode, at most {books.largest_gain:.2f} J in a substep")
    print(
        f"friction over its limit {books.friction_over_limit:.6f} at most; "
        f"contacts carry {books.weight_share:.4f} of the weight"
    )
    print(f"a velocity limit acted in {books.clamped_share:.3%} of the substeps")
    return {"evaluation": asdict(evaluation), "audit": asdict(books)}


def main(args: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return policy_options.run("kilogym.bench.audit", __doc__, 32, args, report)


if __name__ == "__main__":
    sys.exit(main())
