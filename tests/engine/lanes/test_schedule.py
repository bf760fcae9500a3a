"""The order in which contacts are visited: by lanes in rounds, and by one thread."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import pytest
from emulate import compiled
from hypothesis import given, settings
from hypothesis import strategies as st

from kilogym.engine.build import defines
from kilogym.engine.limbs import plan, whole
from kilogym.engine.local import build_local
from kilogym.engine.tables import emit_tables
from kilogym.scene.declarations import GroundPlane
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.trees import load_text

ENVS, LANES, MOST = 8, 4, 40
ARM = '<body pos="{x} {y} 0"><joint axis="0 1 0"/><geom type="box" size=".1 .1 .1"/></body>'
STAR = f"""
<mujoco><worldbody><body><freejoint/><geom type="box" size=".3 .3 .3"/>
{"".join(ARM.format(x=x, y=y) for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)))}
</body></worldbody></mujoco>"""
HEADERS = ("scalar.h", "vec.h", "env.h", "lanes.h", "contact_rows.h", "schedule.h")


@dataclass
class Schedules:
    """Both ways to find schedules. lane: of a shape, -1: the trunk."""

    by_lanes: ctypes.CDLL
    by_one: ctypes.CDLL
    lane: list[int]

    def of(self, envs: list[list[tuple[int, int]]]) -> tuple[np.ndarray, list[list[int]]]:
        """[env, round, lane] -> contact or -1, and the order of one thread's visits.

        Args:
            envs: Of each env the shapes of its contacts; -1 for the ground.
        """
        counts = np.array([len(contacts) for contacts in envs], np.int32)
        shapes = np.full((2, ENVS, MOST), -1, np.int32)
        for env, contacts in enumerate(envs):
            shapes[:, env, : len(contacts)] = np.array(contacts, np.int32).reshape(-1, 2).T
        rounds, order = np.full((ENVS, MOST, LANES), -1, np.int32), np.full((ENVS, MOST), -1, np.int32)
        for library, out in ((self.by_lanes, rounds), (self.by_one, order)):
            arrays = (counts, shapes[0], shapes[1], out)
            library.schedule(*(array.ctypes.data_as(ctypes.POINTER(ctypes.c_int)) for array in arrays))
        return rounds, [[i for i in visits if i >= 0] for visits in order.tolist()]


@pytest.fixture(scope="module")
def schedules(tmp_path_factory) -> Schedules:
    """Of a body with four arms."""
    folder = tmp_path_factory.mktemp("schedule")
    asset = load_text(STAR, folder)
    world = BatchWorld([asset], 1, "cpu", "float32", ground=GroundPlane(), filter=0, max_contacts=MOST)
    model, topology, limbs = world.model, world.batch.topology, plan(world.model, LANES)
    assert topology.max_contacts == MOST
    lanes = emit_tables(model, topology, limbs, "float")
    one = emit_tables(model, topology, whole(model), "float", order=limbs)
    owner = build_local(model, topology, limbs).owner
    by_lanes, by_one = defines(True, LANES, LANES, False), defines(False, 1, 1, False)
    return Schedules(
        compiled(folder, "lanes", lanes, "float", LANES, by_lanes, HEADERS, "", "schedule.cpp"),
        compiled(folder, "one", one, "float", 1, by_one, HEADERS, "", "schedule.cpp"),
        [owner[link] for link in model.shape_link],
    )


SHAPES = range(5)
CONTACT = st.tuples(st.sampled_from(SHAPES), st.sampled_from([-1, *SHAPES])).filter(lambda pair: pair[0] != pair[1])


def in_order(contacts: list[set[int]]) -> dict[tuple[int, int], int]:
    """(round, lane) -> contact, from the lanes that each contact moves; none: of the trunk."""
    placed: dict[tuple[int, int], int] = {}
    after = [0] * LANES
    for i, lanes in enumerate(contacts):
        at = lanes or {after.index(min(after))}
        last = max(after[lane] for lane in at)
        for lane in at:
            placed[last, lane], after[lane] = i, last + 1
    return placed


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CONTACT, max_size=MOST), min_size=ENVS, max_size=ENVS))
def test_schedule(schedules, envs):
    """Every contact comes into the round after its lanes' last, and one thread visits in that order."""
    rounds, order = schedules.of(envs)
    for env, contacts in enumerate(envs):
        lanes = [{schedules.lane[shape] for shape in pair if shape >= 0} - {-1} for pair in contacts]
        found = {(r, lane): i for (r, lane), i in np.ndenumerate(rounds[env]) if i >= 0}
        assert found == in_order(lanes)
        # by rounds, in a round by lanes; a contact of two limbs at its first one's
        speaks = [schedules.lane[a] if schedules.lane[a] >= 0 else -1 for a, _ in contacts]
        first = {at: i for at, i in found.items() if len(lanes[i]) < 2 or at[1] == speaks[i]}
        assert order[env] == [first[at] for at in sorted(first)]
        assert sorted(order[env]) == list(range(len(contacts)))
        # each lane's as they are numbered
        for lane in range(LANES):
            own = [found[at] for at in sorted(found) if at[1] == lane]
            assert own == sorted(own)


def test_limbs_alone_make_one_round(schedules):
    """Four feet on the ground are visited at once, two of the trunk and an arm at once."""
    feet = [(shape, -1) for shape in SHAPES if schedules.lane[shape] >= 0]
    body = next(shape for shape in SHAPES if schedules.lane[shape] < 0)
    rounds, _ = schedules.of([feet, [(body, -1), (body, -1), feet[3]], *[[]] * (ENVS - 2)])
    assert sorted(rounds[0, 0]) == [0, 1, 2, 3]
    assert sorted(rounds[1, 0]) == [-1, 0, 1, 2]
    assert (rounds[:, 1:] == -1).all()
