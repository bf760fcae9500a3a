"""Newton as a peer: the same motion where it can take the scene, a clear word where it cannot."""

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest

from kilogym.assets.asset import Asset, Link, Mesh, Shape, ShapeKind
from kilogym.assets.procedural import make_box
from kilogym.bench.curves import chain
from kilogym.bench.engine import Setting
from kilogym.bench.measure import Controls
from kilogym.bench.mujoco_engine import MujocoEngine
from kilogym.bench.mujoco_scene import build_scene, plain
from kilogym.bench.newton_engine import NewtonEngine
from kilogym.bench.physics import main
from kilogym.bench.robot import load_robot
from kilogym.bench.scene import Actor
from kilogym.bench.scenes import rough_ground

BOX = Actor(plain(make_box(0.1, 0.1, 0.1)), (0.0, 0.0, 3.0))


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "newton", None)
    with pytest.raises(ImportError, match="pip install --no-deps 'newton"):
        NewtonEngine(Setting(chain(2), 1, "cpu", 0.01, 2))


def test_what_it_would_simulate_otherwise_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "newton", ModuleType("newton"))
    rough = build_scene("rough", [BOX], {}, 0.01, rough_ground())
    with pytest.raises(NotImplementedError, match="height field"):
        NewtonEngine(Setting(rough, 1, "cpu", 0.01, 2))
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    mesh = Mesh("m", corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    asset = Asset("m", (Link("m", -1),), shapes=(Shape(0, ShapeKind.MESH, (1, 1, 1), mesh=mesh),))
    with pytest.raises(NotImplementedError, match="triangles"):
        NewtonEngine(Setting(build_scene("mesh", [Actor(asset)], {}, 0.01), 1, "cpu", 0.01, 2))
    rubbing = build_scene("rub", chain(2).actors, {}, 0.01)
    rubbing.model.dof_frictionloss[:] = 0.1
    with pytest.raises(NotImplementedError, match="needs CUDA"):
        NewtonEngine(Setting(rubbing, 1, "cpu", 0.01, 2))


def test_a_scene_that_an_engine_cannot_take_leaves_the_others(monkeypatch, tmp_path, capsys):
    def refuses(self, setting):
        raise NotImplementedError("not this scene")

    monkeypatch.setattr(NewtonEngine, "__init__", refuses)
    words = f"--robots ant --engines newton mujoco --device cpu --num-envs 1 --steps 8 --warm-up 8 --out {tmp_path}"
    assert main(words.split()) == 0
    said = capsys.readouterr()
    assert "left out: not this scene" in said.err
    assert "| ant | 1 | MuJoCo C |" in said.out


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("newton") is None, reason="newton is not installed")
def test_newton_agrees_with_mujoco_and_lands():
    dt = 1 / 960
    setting = Setting(load_robot("ant", dt), 2, "cpu", dt, 8)
    peer, reference = NewtonEngine(setting), MujocoEngine(setting)
    assert np.abs(peer.positions() - reference.positions()).max() < 1e-6
    controls = 0.1 * Controls(setting, 0).next()
    for _ in range(3):
        for one in (peer, reference):
            one.set_controls(controls)
            one.advance()
    moved = np.abs(reference.positions() - setting.scene.start).max()
    assert moved > 0.01
    assert np.abs(peer.positions() - reference.positions()).max() < 0.1 * moved
    for _ in range(60):
        peer.advance()
    assert peer.own_contacts() >= 3
    assert not peer.overflowed()
    assert peer.nonfinite_envs() == 0
    with pytest.raises(ValueError, match="even hold"):
        NewtonEngine(Setting(setting.scene, 1, "cpu", dt, 3))
