"""Couplings without a closed form: stiff ones, curves, targets that move. Others are cases of kilogym.validation."""

import dataclasses
import math

import numpy as np

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
