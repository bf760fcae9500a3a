"""MuJoCo as a bench: the same scene as Kilogym's, state by state, and what is known of its own integrator."""

from __future__ import annotations

import numpy as np
import pytest

from kilogym.assets.asset import DriveMode, JointKind
from kilogym.validation.bodies import ALONG_Y, G, box, capsule, rod, serial
from kilogym.validation.case import ExperimentError
from kilogym.validation.kilogym_world import KilogymWorld
from kilogym.validation.lab import Lab
from kilogym.validation.mujoco_world import MujocoWorld
from kilogym.validation.quiet import quiet_mujoco
from kilogym.validation.registry import select


@pytest.mark.parametrize("kind", [JointKind.REVOLUTE, JointKind.BALL])
def test_states_mean_the_same_in_both(kind: JointKind) -> None:
    """An arm on a fixed base and a free body with its com off its frame: body states from equal roots and joints."""
    arm = serial([0.5, 0.3], [2.0, 1.0], [rod(0.5, 2.0), rod(0.3, 1.0)], [0.25, 0.15], kind=kind)
    stone = capsule(0.1, 0.2, 1.5, com=(0.1, -0.05, 0.2))
    actors = [(arm, (0.1, 0.2, 2.0), ALONG_Y), (stone, (1.0, 0.0, 1.0))]
    worlds = [KilogymWorld(actors, ground=False, envs=3), MujocoWorld(actors, ground=False, envs=3)]
    rng = np.random.default_rng(0)
    roots = worlds[0].roots()
    roots[:, 1, :3] += rng.normal(size=(3, 3))
    roots[:, 1, 3:7] = (q := rng.normal(size=(3, 4))) / np.linalg.norm(q, axis=1, keepdims=True)
    roots[:, 1, 7:] = rng.normal(size=(3, 6))
    dofs = rng.normal(size=(3, worlds[0].dofs, 2))
    for world in worlds:
        world.set_roots(roots)
        world.set_dofs(dofs)
        assert np.allclose(world.dof_states(), dofs, atol=1e-6)
        assert np.allclose(world.roots(), roots, atol=1e-6)
    ours, theirs = (world.bodies() for world in worlds)
    sign = np.sign(np.sum(ours[..., 3:7] * theirs[..., 3:7], axis=-1, keepdims=True))
    theirs[..., 3:7] *= sign
    assert np.allclose(ours, theirs, atol=3e-6)


def test_euler_falls_short_by_half_a_step() -> None:
    """Semi-implicit Euler is below the parabola by g dt t / 2."""
    (case,) = select(names=["projectile"])
    assert case.run(Lab("mujoco"))["height error"] == pytest.approx(G / 120 / 2, rel=1e-9)


def test_contact_forces_and_parameters() -> None:
    """Cubes of 1 and 3 kg on slopes of friction 0.8, where they stick: the ground bears the weight."""
    world = MujocoWorld([(box(friction=0.6), (0, 0, 0.1))], envs=2)
    world.set_parameter("link_mass", np.array([1.0, 3.0]))
    world.set_parameter("ground_friction", 1.0)  # the average is 0.8
    assert world.models[1].pair_friction[0, 0] == pytest.approx(0.8)
    world.step(240)
    assert world.forces()[:, 0, 2] == pytest.approx([G, 3 * G], rel=1e-4)
    assert len(world.corner_loads()) == 4


def test_drives_limits_and_pushes() -> None:
    inertia = [(0.1, 0.1, 0.1, 0, 0, 0)]
    driven = serial([0.0], [1.0], inertia, [0.0], drive_mode=DriveMode.POSITION, stiffness=50, damping=5)
    world = MujocoWorld([(driven, (0, 0, 0))], ground=False)
    world.aim(np.array([0.5]))
    world.step(600)
    assert world.dof_states()[0, 0, 0] == pytest.approx(0.5, abs=1e-4)
    stopped = serial([0.0], [1.0], inertia, [0.0], drive_mode=DriveMode.EFFORT, has_limits=True, lower=-1, upper=0.25)
    world = MujocoWorld([(stopped, (0, 0, 0))], ground=False)
    world.drive(np.array([2.0]))
    world.step(600)
    assert world.dof_states()[0, 0, 0] == pytest.approx(0.25, abs=0.02)
    world = MujocoWorld([(box(mass=2.0), (0, 0, 0))], ground=False, gravity=(0, 0, 0))
    world.push(np.array([4.0, 0.0, 0.0]))
    world.step(3)  # for the first step only
    assert world.roots()[0, 0, 7] == pytest.approx(4.0 / 2.0 / 120)
    world.change(dt=0.01, gravity=(0.0, 0.0, -1.0))
    world.step(100)
    assert world.roots()[0, 0, 9] == pytest.approx(-1.0)


def test_overlaps_are_measured_and_the_lost_left_alone() -> None:
    """A cube 2 cm in the ground on its four corners; an env that diverged stays as it is."""
    world = MujocoWorld([(box(), (0, 0, 0.08))], envs=2)
    world.place(pos=np.array([[0.0, 0.0, 0.08], [0.0, 0.0, 5.0]]))
    assert world.overlaps([0]) == pytest.approx([0.02] * 4)
    assert not len(world.overlaps([1]))
    world.data[1].qacc[:] = np.nan
    world.step()
    assert world.diverged() == [1]
    assert world.roots()[1, 0, 2] == 5.0


def test_what_it_cannot_do_it_says() -> None:
    wheel = serial([0.0], [1.0], [(0.1, 0.1, 0.1, 0, 0, 0)], [0.0], drive_mode=DriveMode.VELOCITY, damping=1.0)
    with pytest.raises(NotImplementedError, match="velocity drives"):
        MujocoWorld([(wheel, (0, 0, 0))], ground=False)
    with pytest.raises(NotImplementedError, match="force sensors"):
        MujocoWorld([(box(), (0, 0, 0))]).sensors()


def test_divergence_is_an_outcome(capfd: pytest.CaptureFixture[str], tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (case,) = select(names=["tumbling-20"])
    with quiet_mujoco(), pytest.raises(ExperimentError, match="1 of 1 envs diverged"):
        case.run(Lab("mujoco"))
    assert not capfd.readouterr().err
    assert not list(tmp_path.iterdir())
