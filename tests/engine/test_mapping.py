"""How a device's threads step an env: the choice, and what it is made of."""

import numpy as np
import pytest

from kilogym.engine.batch import EngineOptions
from kilogym.engine.mapping import Mapping, choose_mapping
from kilogym.engine.model import JOINT_REVOLUTE, EnvModel
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import Scene
from kilogym.scene.terrain import HeightField
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT, CARTPOLE, HUMANOID


def chosen(*paths, device="cuda", terrain=None, **options) -> Mapping:
    scene = Scene()
    scene.terrain = [terrain] if terrain else []
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


def chain(links: int) -> EnvModel:
    """Hinge after hinge on a fixed base."""
    hinges = list(range(1, links))
    kinds = [JOINT_REVOLUTE] * len(hinges)
    return EnvModel([False], [0] * links, list(range(-1, links - 1)), kinds, hinges, [], [], [], [])


def test_huge_envs_are_not_written_out_and_take_one_thread():
    """Plain loops do not know of limbs."""
    mapping = choose_mapping(chain(90), "cuda", EngineOptions())
    assert not mapping.written_out
    assert mapping.lanes == 1
    assert mapping.order == choose_mapping(chain(90), "cpu", EngineOptions()).order


@pytest.mark.parametrize(("robot", "count", "lanes"), [(HUMANOID, 3, 4), (HUMANOID, 16, 16), (ANT, 40, 32)])
def test_a_lane_takes_a_tree_or_several(robot, count, lanes):
    mapping = chosen(*[robot] * count)
    assert mapping.lanes == lanes
    assert mapping.written_out
    assert mapping.registers == (0 if lanes < 16 else 128)


@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16, 32])
def test_lanes_can_be_asked_for(lanes):
    assert chosen(HUMANOID, lanes=lanes).lanes == lanes


def test_terrain_is_searched_apart_on_cuda():
    field = HeightField(np.zeros((2, 2)), (1.0, 1.0))
    mapping = chosen(ANT, terrain=field)
    assert (mapping.lanes, mapping.searchers, mapping.search_registers, mapping.search_block) == (4, 16, 128, 256)
    assert chosen(ANT, terrain=field, searchers=8).searchers == 8
    assert chosen(ANT, terrain=field, searchers=1).searchers == 0
    assert chosen(ANT, terrain=field, device="cpu").searchers == 0
    assert chosen(ANT).searchers == 0
    assert chosen(ANT, searchers=32).searchers == 32


def test_lanes_of_a_huge_env_cannot():
    with pytest.raises(ValueError, match=r"lanes: expected 0 \(chosen\) or 1 for an env of \d+ links"):
        choose_mapping(chain(90), "cuda", EngineOptions(lanes=4))
    with pytest.raises(ValueError, match=r"searchers: expected 0 \(chosen\) or 1 for an env of \d+ links"):
        choose_mapping(chain(90), "cuda", EngineOptions(searchers=4))
    assert choose_mapping(chain(90), "cpu", EngineOptions(lanes=4)).lanes == 1
