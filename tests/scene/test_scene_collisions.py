"""Which shapes are tested against which, by hand."""

import dataclasses

import pytest
from toys import arm, ball, box, mesh, walker

from kilogym.scene.collisions import check_groups_across_envs, plan_collisions, welded_groups
from kilogym.scene.declarations import Scene


def make_env(*actors, envs=1):
    """A scene of equal envs; actors are (asset, group, filter)."""
    scene = Scene()
    for _ in range(envs):
        env = scene.create_env((0, 0, 0), (1, 1, 1), 1)
        for asset, group, filter in actors:
            scene.create_actor(env, asset, group=group, filter=filter)
    return scene.envs[0] if envs == 1 else scene


def test_welded_links_move_together():
    assert welded_groups(arm()).tolist() == [0, 1, 2, 2]


def test_neighbours_and_welded_links_do_not_collide():
    plan = plan_collisions(make_env((arm(), 0, 0)), has_ground=False)
    # elbow-hand are parent and child, hand-tip are welded: elbow-tip is left
    assert plan.kept == [0, 2]
    assert plan.pairs == [(0, 1)]
    assert plan.ground == [False, False]


def test_actor_filter_above_zero_switches_self_collision_off():
    plan = plan_collisions(make_env((walker(), 0, 1)), has_ground=True)
    assert plan.pairs == []
    assert plan.ground == [True, True, True]


def test_legs_of_a_walker_collide_with_each_other_only():
    plan = plan_collisions(make_env((walker(), 3, 0)), has_ground=True)
    assert plan.pairs == [(1, 2)]


@pytest.mark.parametrize(
    ("groups", "filters", "collide"),
    [
        ((0, 0), (0, 0), True),
        ((0, 1), (0, 0), False),
        ((-1, 1), (0, 0), True),
        ((-1, -1), (-1, -1), True),
        ((0, 0), (1, 1), False),
        ((0, 0), (1, 2), True),
        ((0, 0), (3, 2), False),
        ((0, 0), (-1, 1), True),
    ],
)
def test_groups_and_filters(groups, filters, collide):
    env = make_env((ball(), groups[0], filters[0]), (ball(), groups[1], filters[1]))
    assert bool(plan_collisions(env, has_ground=False).pairs) == collide


def test_contype_counts_only_where_the_filter_is_the_files():
    a, b = ball(contype=1, conaffinity=0), ball(contype=2, conaffinity=0)
    assert not plan_collisions(make_env((a, 0, -1), (b, 0, -1)), False).pairs
    assert plan_collisions(make_env((a, 0, 0), (b, 0, 0)), False).pairs
    assert plan_collisions(make_env((a, 0, -1), (b, 0, 0)), False).pairs


def test_excluded_pairs_count_only_where_the_filter_is_the_files():
    asset = dataclasses.replace(walker(), excluded_pairs=((2, 1),))
    assert not plan_collisions(make_env((asset, 0, -1)), False).pairs
    assert plan_collisions(make_env((asset, 0, 0)), False).pairs


def test_shape_filters_override_the_actors():
    scene = Scene()
    env = scene.create_env((0, 0, 0), (1, 1, 1), 1)
    scene.create_actor(env, walker(), filter=1)
    actor = scene.envs[0].actors[0]
    rows = actor.shape_properties()
    assert rows["filter"].tolist() == [1, 1, 1]
    rows["filter"] = [0, 1, 2]
    actor.shapes = rows
    assert plan_collisions(scene.envs[0], False).pairs == [(0, 1)]


def test_shapes_of_all_kinds_collide():
    plan = plan_collisions(make_env((box(), 0, 0), (ball(), 0, 0), (mesh(), 0, 0)), has_ground=True)
    assert plan.ground == [True] * 3
    assert plan.pairs == [(0, 1), (0, 2), (1, 2)]


def test_shapes_that_cannot_collide_are_left_out():
    plan = plan_collisions(make_env((box(), 0, 0), (mesh(fixed=True), 1, 0), (box(fixed=True), 2, 0)), True)
    assert plan.kept == [0]
    assert plan.ground == [True]
    assert plan_collisions(make_env((mesh(), 0, 0)), has_ground=False).kept == []


def test_shared_groups_are_refused_only_where_they_would_collide():
    with pytest.raises(ValueError, match=r"'ball' of env 0.*'ball' of env 1.*group 4.*shared_groups"):
        check_groups_across_envs(make_env((ball(), 4, 0), envs=2).envs)
    check_groups_across_envs(make_env((ball(), 4, 1), envs=2).envs)  # filters keep them apart
    check_groups_across_envs(make_env((ball(), -1, 0), envs=2).envs)
    check_groups_across_envs(make_env((box(fixed=True), 4, 0), envs=2).envs)  # nothing moves
