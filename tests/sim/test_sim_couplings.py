"""Tendons and attractors of actors: declared, changed, refused; and what an actor's size does to what it is tied by."""

import dataclasses

import numpy as np
import pytest
import torch
from test_sim_properties import param
from toys import arm, ball

from kilogym.assets.asset import FLT_MAX, Asset, Closure, JointEquality, Tendon
from kilogym.scene.couplings import AttractorDecl
from kilogym.scene.declarations import SceneFrozenError
from kilogym.sim import Simulation, SimulationParams

pytestmark = pytest.mark.usefixtures("fake_engine")
PULL = AttractorDecl(0, 1, 5.0, 0.5, (1, 0, 1, 0, 0, 1), (1.0, 2.0, 3.0))


def strung() -> Asset:
    """The arm with a tendon over both joints, a hand that follows the shoulder and a tip tied to where it was made."""
    a = arm()
    turn, slide = (joint.name for joint in a.joints if joint.kind.num_dofs)
    return dataclasses.replace(
        a,
        tendons=(
            Tendon("cord", (turn, slide), (1.0, -2.0), True, -0.5, 0.5, 3.0, 0.1, 0.2, 7.0),
            Tendon("loose", (slide,), (4.0,)),
        ),
        equalities=(JointEquality("follow", slide, turn, (0.1, 0.2, 0.3, 0.0, 0.0)),),
        closures=(Closure("tie", 3, -1, pos_a=(0.0, 0.0, 0.1), pos_b=(0.0, 0.0, 1.0)),),
    )


def scene(envs: int = 3) -> Simulation:
    """Two actors in each env, so that the second's couplings have somewhere to be misplaced."""
    sim = Simulation(SimulationParams(dt=0.01), "cpu")
    asset = strung()
    for env in range(envs):
        sim.create_env()
        for k in range(2):
            sim.create_actor(env, asset, pos=(float(k), 0, 0), filter=1)
    return sim


CORD = [3.0, 0.1, 0.2, -0.5, 0.5, 7.0]
LOOSE = [0.0, 0.0, 0.0, -FLT_MAX, FLT_MAX, 0.0]


def test_what_the_asset_says():
    sim = scene()
    assert param(sim, "tendon", 0) == pytest.approx([*CORD, *LOOSE] * 2)
    assert param(sim, "tendon_coefficient", 0) == [1, -2, 4] * 2
    model = sim.batches[0].model
    assert model.tendons == [[0, 1], [1], [2, 3], [3]]
    assert model.joint_equalities == [(1, 0), (3, 2)]
    assert model.closures == [(3, -1, False), (7, -1, False)]
    # the second actor was made a metre further along x
    assert param(sim, "closure", 0)[14 + 7 :] == [1, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("prepared", [False, True])
def test_tendon_properties(prepared):
    sim = scene()
    if prepared:
        sim.prepare()
    rows = sim.get_tendon_properties(1, 1)
    rows["stiffness"][1], rows["offset"][0], rows["limited"][1], rows["limit_stiffness"][1] = 9.0, 0.05, True, 2.0
    sim.set_tendon_properties(1, 1, rows)
    sim.set_tendon_coefficients(1, 1, [5, 6, 7])
    moved = [3.0, 0.1, 0.15, -0.55, 0.45, 7.0]
    assert param(sim, "tendon", 1) == pytest.approx([*CORD, *LOOSE, *moved, 9.0, 0, 0, 0, 0, 2.0])
    assert param(sim, "tendon_coefficient", 1) == [1, -2, 4, 5, 6, 7]
    assert param(sim, "tendon", 0) == pytest.approx([*CORD, *LOOSE] * 2)
    assert sim.get_tendon_properties(1, 1)["offset"].tolist() == pytest.approx([0.05, 0.0])
    assert sim.get_tendon_coefficients(1, 1).tolist() == [5, 6, 7]
    assert sim.get_tendon_properties(1, 0)["offset"].tolist() == [0, 0]


@pytest.mark.parametrize("prepared", [False, True])
def test_size(prepared):
    """Slides go twice as far: y = s c0 + s c1 x + ..., x an angle; anchors stand twice as far out."""
    sim = scene()
    if prepared:
        sim.prepare()
    sim.set_scale(2, 1, 2.0)
    assert param(sim, "joint_equality", 2) == pytest.approx([0.1, 0.2, 0.3, 0, 0, 0.2, 0.4, 0.6, 0, 0])
    assert param(sim, "closure", 2)[14:] == pytest.approx([0, 0, 0.2, 0, 0, 0, 1, 1, 0, 2, 0, 0, 0, 1])
    assert param(sim, "closure", 1)[14:] == pytest.approx([0, 0, 0.1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1])


def test_attractors():
    sim = scene()
    for env in range(3):
        assert sim.create_attractor(env, PULL) == 0
        assert sim.create_attractor(env, dataclasses.replace(PULL, actor=1, link=0, stiffness=float(env))) == 1
    sim.prepare()
    assert len(sim.batches) == 1
    assert sim.batches[0].model.attractors == [1, 4]
    assert param(sim, "attractor", 2) == [5, 0.5, 1, 0, 1, 0, 0, 1, *[0] * 6, 1, 2, 0.5, 1, 0, 1, 0, 0, 1, *[0] * 6, 1]
    # targets are per env from the start: they move without a recompile
    assert sim.batches[0].params["attractor_target"].shape == (14, 3)
    sim.set_attractor(1, 1, dataclasses.replace(PULL, actor=1, link=0, target_pos=(7.0, 8.0, 9.0)))
    assert param(sim, "attractor_target", 1) == [1, 2, 3, 0, 0, 0, 1, 7, 8, 9, 0, 0, 0, 1]
    assert param(sim, "attractor_target", 0)[7:10] == [1, 2, 3]
    assert sim.get_attractor(1, 1).target_pos == (7.0, 8.0, 9.0)
    with pytest.raises(NotImplementedError, match="attractor 0 of env 0: it pulls link 1 of actor 0, and cannot pull"):
        sim.set_attractor(0, 0, dataclasses.replace(PULL, link=2))
    with pytest.raises(SceneFrozenError, match="create_attractor"):
        sim.create_attractor(0, PULL)


def test_envs_with_other_attractors_are_other_batches():
    sim = scene()
    sim.create_attractor(1, PULL)
    sim.prepare()
    assert sim.env_batch.tolist() == [0, 1, 0]


def test_what_is_refused():
    sim = scene()
    rows = sim.get_tendon_properties(0, 0)
    rows["damping"][1] = -1
    with pytest.raises(ValueError, match="tendon properties of actor 'arm', tendon 'loose': expected a finite damping"):
        sim.set_tendon_properties(0, 0, rows)
    rows["damping"][1], rows["offset"][0] = 0, np.nan
    with pytest.raises(ValueError, match="tendon 'cord': expected a finite rest length and offset"):
        sim.set_tendon_properties(0, 0, rows)
    with pytest.raises(ValueError, match="expected 2 records"):
        sim.set_tendon_properties(0, 0, rows[:1])
    with pytest.raises(ValueError, match="tendon coefficients of actor 'arm': expected 3 finite numbers"):
        sim.set_tendon_coefficients(0, 0, [1, 2])
    with pytest.raises(IndexError, match=r"attractor: expected a link of 0\.\.3, got 9"):
        sim.create_attractor(0, dataclasses.replace(PULL, link=9))
    with pytest.raises(IndexError, match="actor 5"):
        sim.create_attractor(0, dataclasses.replace(PULL, actor=5))
    with pytest.raises(IndexError, match="attractor 0 of env 0: expected 0 <= index < 0"):
        sim.get_attractor(0, 0)
    for change, message in (
        ({"stiffness": -1.0}, "attractor: expected a finite stiffness >= 0, got -1.0"),
        ({"damping": float("nan")}, "attractor: expected a finite damping >= 0"),
        ({"axes": (1, 2, 0, 0, 0, 0)}, "attractor: expected six axes of 0 or 1"),
        ({"target_pos": (0.0, float("inf"), 0.0)}, "target of an attractor: expected finite numbers"),
        ({"offset_quat": (0.0, 0.0, 0.0, 0.0)}, "offset of an attractor: expected finite numbers and a quaternion"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(PULL, **change)


def test_actors_made_with_tendons_of_their_own():
    sim = Simulation(SimulationParams(), "cpu")
    sim.create_env()
    from kilogym.scene.couplings import tendon_properties

    rows = tendon_properties(strung())
    rows["stiffness"] = 8.0
    sim.create_actor(0, strung(), tendons=rows, tendon_coefficients=np.array([1, 1, 1]), filter=1)
    rows["stiffness"] = 9.0
    assert sim.get_tendon_properties(0, 0)["stiffness"].tolist() == [8, 8]
    assert sim.get_tendon_coefficients(0, 0).tolist() == [1, 1, 1]
    assert isinstance(sim.root_states, torch.Tensor)
    assert ball().joint_equalities() == []
