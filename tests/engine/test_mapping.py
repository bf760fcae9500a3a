"""How a device's threads step an env: the choice, and what it is made of."""

import pytest

from kilogym.engine.batch import EngineOptions
from kilogym.engine.mapping import Mapping, choose_mapping
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import Scene
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT, CARTPOLE, HUMANOID


def chosen(*paths, device="cuda", **options) -> Mapping:
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    for path in paths:
        scene.create_actor(0, load(path), filter=1)
    return choose_mapping(compile_scene(scene)[0].model, device, EngineOptions(**options))


def test_robots_with_limbs_share_them_out():
    assert chosen(ANT).lanes == 4
    assert chosen(HUMANOID).lanes == 4
    assert chosen(CARTPOLE).lanes == 1
    assert chosen(ANT).written_out


def test_the_cpu_takes_one_thread_and_plain_loops():
    mapping = chosen(ANT, device="cpu")
    assert mapping.lanes == 1
    assert not mapping.written_out


@pytest.mark.parametrize("humanoids", [3, 16])
def test_huge_envs_are_not_written_out_and_take_one_thread(humanoids):
    """Of three, four lanes would have a quarter less to do, but plain loops do not know of limbs."""
    mapping = chosen(*[HUMANOID] * humanoids)
    assert not mapping.written_out
    assert mapping.lanes == 1
    assert mapping.order == chosen(*[HUMANOID] * humanoids, device="cpu").order


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
def test_lanes_can_be_asked_for(lanes):
    assert chosen(HUMANOID, lanes=lanes).lanes == lanes


def test_lanes_of_a_huge_env_cannot():
    with pytest.raises(ValueError, match=r"lanes: expected 0 \(chosen\) or 1 for an env of \d+ links"):
        chosen(*[HUMANOID] * 3, lanes=4)
    assert chosen(*[HUMANOID] * 3, lanes=4, device="cpu").lanes == 1
