"""A trunk on every lane, a limb on each: who gets which link."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilogym.assets.asset import Asset
from kilogym.engine.limbs import plan, whole, work
from kilogym.engine.local import build_local, row_places
from kilogym.engine.model import JOINT_BALL, JOINT_PRISMATIC, JOINT_REVOLUTE, EnvModel
from kilogym.engine.topology import build_topology
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import Scene
from kilogym.validation.trees import load, load_text
from kilogym.validation.zoo import ANT, HUMANOID


def model_of(*robots: str | Asset) -> EnvModel:
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    for robot in robots:
        scene.create_actor(0, robot if isinstance(robot, Asset) else load(robot), filter=1)
    return compile_scene(scene)[0].model


def test_legs_of_an_ant():
    limbs = plan(model_of(ANT), 4)
    assert limbs.trunk == [0]
    assert [slot.links for slot in limbs.slots] == [[1, 3, 5, 7], [2, 4, 6, 8]]
    assert [slot.parent for slot in limbs.slots] == [-1, 0]


def test_arms_hang_higher_up_than_legs():
    """A Humanoid's spine belongs to the trunk; arms have fewer joints than legs, and no third link."""
    model = model_of(HUMANOID)
    limbs = plan(model, 4)
    assert len(limbs.trunk) == 3
    assert [len(slot.kinds) for slot in limbs.slots] == [3, 1, 2]
    assert sum(link >= 0 for link in limbs.slots[2].links) == 2
    assert work(model, limbs) * 2 < work(model, whole(model))


def test_an_arm_and_the_bodies_before_it_share_places_in_rows(tmp_path):
    """No lane has both. Legs and arms, of which lanes have one each as well, stand in the same slots already."""
    link = '<body pos="0 0 .2"><joint axis="{}"/><geom type="capsule" size=".03" fromto="0 0 0 0 0 .2"/>'
    chain = "".join(link.format("0 0 1" if n % 2 else "0 1 0") for n in range(9)) + 9 * "</body>"
    arm = load_text(f"<mujoco><worldbody><body>{chain}</body></worldbody></mujoco>", tmp_path)
    cube = load_text('<mujoco><worldbody><body><freejoint/><geom size=".1"/></body></worldbody></mujoco>', tmp_path)
    model = model_of(arm, cube, cube, cube)
    places, lanes = row_places(build_local(model, build_topology(model), plan(model, 4)))
    assert places == [*range(9), *range(6)]
    assert lanes == [0b0001] * 9 + [0b1110] * 6
    robot = model_of(HUMANOID)
    assert row_places(build_local(robot, build_topology(robot), plan(robot, 4)))[0] == list(range(6))


def test_whole_trees_are_limbs_where_that_is_less_work():
    """Two ants: one lane each; four would have no less to do."""
    limbs = plan(model_of(ANT, ANT), 2)
    assert limbs.trunk == []
    assert [slot.links for slot in limbs.slots if slot.root] == [[0, 9]]
    assert work(model_of(ANT, ANT), plan(model_of(ANT, ANT), 4)) * 4 > work(model_of(ANT, ANT), limbs) * 3


def test_what_couplings_hold_and_what_nothing_moves_stays_in_the_trunk():
    held = EnvModel([True] * 3, [0, 1, 2], [-1] * 3, [], [], [], [], [], [], attractors=[1])
    assert plan(held, 2).trunk == [1]
    still = EnvModel([True, False, True], [0, 1, 2], [-1] * 3, [], [], [], [], [], [])
    assert plan(still, 2).trunk == [1]


@st.composite
def forests(draw) -> EnvModel:
    tree_of, parents, kinds, owners = [], [], [], []
    floating = draw(st.lists(st.booleans(), min_size=1, max_size=4))
    for tree in range(len(floating)):
        root = len(parents)
        for i in range(draw(st.integers(1, 14 // len(floating)))):
            link = root + i
            tree_of.append(tree)
            parents.append(-1 if i == 0 else draw(st.integers(root, link - 1)))
            for _ in range(draw(st.integers(0, 3)) if i else 0):
                kinds.append(draw(st.sampled_from([JOINT_REVOLUTE, JOINT_PRISMATIC, JOINT_BALL])))
                owners.append(link)
    return EnvModel(floating, tree_of, parents, kinds, owners, [], [], [], [])


@given(model=forests(), lanes=st.sampled_from([1, 2, 4, 8, 32]))
@settings(max_examples=200)
def test_any_forest(model, lanes):
    """Every link, joint and DOF has one place; above a velocity on its lane is what is above it in the robot."""
    limbs = plan(model, lanes)
    placed = limbs.trunk + [link for slot in limbs.slots for link in slot.links if link >= 0]
    assert sorted(placed) == list(range(model.num_links))
    topology = build_topology(model)
    local = build_local(model, topology, limbs)
    for places, count in ((local.joints, model.num_joints), (local.dofs, model.num_dofs)):
        found = [i for on in places for i in ([on[0]] if len(set(on)) == 1 else on) if i >= 0]
        assert sorted(set(found)) == list(range(count))
    # an entry of a row further on stands at the ancestor: what is above an ancestor follows it in any row
    for above in local.ancestors:
        for i, u in enumerate(above):
            if model.num_links > 1:
                assert above[i + 1 :] == local.ancestors[u]
    for lane in range(limbs.lanes):
        for link in range(model.num_links):
            if local.owner[link] not in (-1, lane):
                continue
            dofs = {local.dofs[local.v_dof[v]][lane] for v in local.paths[link] if local.v_dof[v] >= 0}
            assert dofs == {topology.v_dof[v] for v in topology.link_path[link] if topology.v_dof[v] >= 0}


def test_one_lane_is_the_env_itself():
    model = model_of(HUMANOID)
    topology = build_topology(model)
    local = build_local(model, topology, whole(model))
    assert local.ancestors == topology.ancestors
    assert local.dof_v == topology.dof_v


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_no_more_work_than_alone(lanes):
    model = model_of(HUMANOID)
    assert work(model, plan(model, lanes)) <= work(model, whole(model))
