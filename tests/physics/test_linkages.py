"""Couplings without a closed form: stiff ones, curves, targets that move. Others are cases of kilogym.validation."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from kilogym.assets import load_asset
from kilogym.assets.asset import JointEquality
from kilogym.scene.couplings import AttractorDecl
from kilogym.validation.bodies import body
from kilogym.validation.cases.c_couplings import STILL, pendulums, tendon
from kilogym.validation.kilogym_world import KilogymWorld

STONE = body(None, mass=1.0, inertia=(0.1,) * 3 + (0.0,) * 3)


def test_a_stiff_tendon_stands_still(device):
    """1e6 N m/rad at 1/60 s, undamped: the rods come together within two steps and stay so."""
    w = KilogymWorld([(pendulums(tendons=(tendon(stiffness=1e6),)), STILL)], device, ground=False, dt=1 / 60)
    w.bend([0.5, -0.3])
    (states,) = w.run(10.0, "dof_states")
    apart = np.abs(states[:, 0, 0, 0] - states[:, 0, 1, 0])
    assert apart[2:].max() < 1e-3
    assert np.abs(states[..., 0]).max() < 0.6


def test_a_polynomial(device):
    """q1 = 0.2 + q0^2 while both swing."""
    curve = JointEquality("curve", "j1", "j0", (0.2, 0.0, 1.0, 0.0, 0.0))
    w = KilogymWorld([(pendulums(equalities=(curve,)), STILL)], device, ground=False)
    w.bend([0.5, 0.45])
    (states,) = w.run(5.0, "dof_states")
    q = states[:, 0, :, 0]
    assert np.ptp(q[:, 0]) > 0.3
    assert np.abs(q[:, 1] - 0.2 - q[:, 0] ** 2).max() < 2e-4


def test_a_stiff_attractor_is_stable(device):
    """1e6 N/m at 1/60 s, undamped: the stone comes to the target and stays."""
    pull = AttractorDecl(0, 0, 1e6, 0.0, target_pos=(1.0, 0.0, 0.0))
    w = KilogymWorld([(STONE, STILL)], device, ground=False, gravity=STILL, dt=1 / 60, attractors=[[pull]])
    (roots,) = w.run(5.0, "roots")
    assert np.abs(roots[10:, 0, 0, :3] - [1.0, 0.0, 0.0]).max() < 1e-4
    assert np.abs(roots[10:, 0, 0, 7:]).max() < 1e-2


@pytest.mark.parametrize(("stiffness", "damping"), [(1e7, 0.0), (5e7, 5e3)])
def test_the_stiffest_attractors_pull_as_well(device, stiffness, damping):
    """They are hard rows, which close at 10 m/s: the stone is at the target, 1 m away, after a tenth of a second."""
    pull = AttractorDecl(0, 0, stiffness, damping, target_pos=(1.0, 0.0, 0.0))
    w = KilogymWorld([(STONE, STILL)], device, ground=False, gravity=STILL, dt=1 / 60, attractors=[[pull]])
    (roots,) = w.run(1.0, "roots")
    assert np.abs(roots[12:, 0, 0, :3] - [1.0, 0.0, 0.0]).max() < 1e-4
    assert np.abs(roots[12:, 0, 0, 7:]).max() < 1e-2


def test_a_target_that_moves(device):
    """Set before every step in one env: that stone follows a slow circle, by d / k behind; the other's stands still."""
    pull = AttractorDecl(0, 0, 4000.0, 120.0, target_pos=(1.0, 0.0, 0.0))
    w = KilogymWorld([(STONE, STILL)], device, envs=2, ground=False, gravity=STILL, attractors=[[pull], [pull]])
    worst = 0.0
    for n in range(240):
        where = (math.cos(n / 240), math.sin(n / 240), 0.0)
        w.sim.set_attractor(0, 0, dataclasses.replace(pull, target_pos=where))
        w.step()
        if n > 100:
            worst = max(worst, float(np.abs(w.roots()[0, 0, :3] - where).max()))
    assert worst < 0.02
    assert np.abs(w.roots()[1, 0, :3] - [1, 0, 0]).max() < 1e-3


ANGLES = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
REACH, LEG, FOOT = 0.4, 0.3, 0.02
"""Of a tripod [m]: from its middle to a foot; along each of a leg's two links; a foot's radius."""


def tripod() -> str:
    """A plate on three legs of two hinges each, thighs inwards, shanks outwards at a right angle; knees are driven."""
    side = LEG / math.sqrt(2)
    legs = "".join(
        f'<body name="thigh{i}" pos="{REACH * math.cos(a)} {REACH * math.sin(a)} 0" euler="0 0 {math.degrees(a)}">'
        f'<joint axis="0 1 0"/><geom type="capsule" fromto="0 0 0 {-side} 0 {-side}" size="{FOOT}" mass="0.4"/>'
        f'<body name="shank{i}" pos="{-side} 0 {-side}"><joint name="knee{i}" axis="0 1 0" damping="100"/>'
        f'<geom type="capsule" fromto="0 0 0 {side} 0 {-side}" size="{FOOT}" mass="0.4"/></body></body>'
        for i, a in enumerate(ANGLES)
    )
    motors = "".join(f'<position joint="knee{i}" kp="4000"/>' for i in range(3))
    return (
        '<mujoco><compiler angle="degree"/><worldbody><body name="plate"><freejoint/><geom type="cylinder" '
        f'size="0.5 0.01" mass="1.5" contype="0" conaffinity="0"/>{legs}</body></worldbody>'
        f"<actuator>{motors}</actuator></mujoco>"
    )


def test_attractors_hold_feet_pressed_into_the_ground(device, tmp_path):
    """5e7 N/m and 5e3 N s/m hold three feet 1 mm in the ground while a knee goes to 0.8 rad: what ground and attractors
    ask for contradict each other. As springs the envs diverged."""
    (tmp_path / "tripod.xml").write_text(tripod())
    robot = load_asset(str(tmp_path), "tripod.xml")
    side, low = LEG / math.sqrt(2), FOOT - 0.001
    links = [link.name for link in robot.links]
    pulls = [
        AttractorDecl(
            0, links.index(f"shank{i}"), 5e7, 5e3, (1, 1, 1, 0, 0, 0),
            target_pos=(REACH * math.cos(a), REACH * math.sin(a), low), offset_pos=(side, 0.0, -side),
        )
        for i, a in enumerate(ANGLES)
    ]  # fmt: skip
    w = KilogymWorld([(robot, (0.0, 0.0, low + 2 * side))], device, dt=0.01, iterations=8, attractors=[pulls])
    target = torch.zeros(6, device=device)
    target[1] = 0.8
    w.sim.set_position_targets(target)
    roots, joints = w.run(2.0, "roots", "dof_states")
    assert abs(joints[-1, 0, 1, 0] - 0.8) < 5e-3
    assert np.abs(joints[..., 0]).max() < 0.81
    assert np.abs(roots[-50:, 0, 0, 7:]).max() < 0.1
