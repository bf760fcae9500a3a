"""Signed distance and normal of every pair of convex shapes."""

import itertools

import numpy as np
import pytest
from fused import FUSED, HAS_FMA
from hypothesis import given, settings
from hypothesis import strategies as st
from narrow import Narrow, Placed
from scipy.spatial.transform import Rotation
from solids import (
    SOLIDS,
    candidates,
    extent,
    improved,
    moved,
    mujoco_distance,
    pair_at,
    random_solid,
    separation,
    support,
    turned,
)  # fmt: skip

from kilogym.engine.hulls import convex_hull

PAIRS = list(itertools.combinations_with_replacement(SOLIDS, 2))
GAPS = (-0.1, -0.02, -1e-3, -1e-5, 0.0, 1e-5, 1e-3, 0.02, 0.3)
# relative to the extents; the float's is 3 units in the last place of positions, taken twice
SLACK = {"float": 4e-6, "double": 2e-6}


def check(result, a: Placed, b: Placed, real: str, rng: np.random.Generator, thin: bool = False) -> None:
    """The normal separates by the gap, and no other normal that a search finds does so by more."""
    # a needle's normal turns more for the same rounding: of 6300 pairs, 4.6 is the most seen, and
    # of two ellipsoids 42 mm deep in each other 0.4 % of the depth
    scale = (extent(a) + extent(b)) * (6 if thin else 1)
    assert np.isfinite([*result.normal, result.gap, *result.a, *result.b]).all()
    assert abs(np.linalg.norm(result.normal) - 1) < 1e-5
    normal = result.normal[None] / np.linalg.norm(result.normal)
    assert abs(separation(a, b, normal)[0] - result.gap) < SLACK[real] * scale
    # deep in each other the polytope that grows has too few corners for two curved surfaces
    deep = 6e-3 if thin and a.kind == b.kind == "ellipsoid" else 1e-3
    slack = SLACK[real] * scale + (deep if result.gap < 0 else 1e-5) * abs(result.gap)
    assert improved(a, b, candidates(a, b, rng), rng) - result.gap < slack


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_nothing_separates_more(narrow, kinds):
    rng = np.random.default_rng(len(kinds[0]) * 31 + len(kinds[1]))
    pairs = [pair_at(random_solid(rng, kinds[0]), random_solid(rng, kinds[1]), gap, rng) for gap in GAPS]
    for real, engine in narrow.items():
        for (a, b), result in zip(pairs, engine(*map(list, zip(*pairs, strict=True))), strict=True):
            check(result, a, b, real, rng)


@settings(max_examples=60)
@given(st.sampled_from(PAIRS), st.integers(0, 2**31), st.floats(-0.2, 0.2), st.sampled_from([1e-3, 1e-2, 0.1]))
def test_slabs_and_needles(narrow, kinds, seed, gap, least):
    rng = np.random.default_rng(seed)
    a, b = pair_at(random_solid(rng, kinds[0], least, 0.5), random_solid(rng, kinds[1], least, 0.5), gap, rng)
    for real, engine in narrow.items():
        check(engine([a], [b])[0], a, b, real, rng, thin=True)


# kinds, seed and gap, and by how many slacks float32 fell short while the normal came from the shortest vector alone
@pytest.mark.parametrize(
    ("kinds", "seed", "gap"),
    [
        (("capsule", "box"), 1294, -0.044921875),  # 53
        (("capsule", "box"), 1055208140, -0.0006161669508200629),  # 10
        (("box", "hull"), 523966, -0.10249880542840602),  # 5
        (("hull", "hull"), 783847129, -0.052920172123997355),  # 3
    ],
)
def test_edges_of_slabs_and_needles(narrow, kinds, seed, gap):
    rng = np.random.default_rng(seed)
    a, b = pair_at(random_solid(rng, kinds[0], 1e-3, 0.5), random_solid(rng, kinds[1], 1e-3, 0.5), gap, rng)
    for real, engine in narrow.items():
        check(engine([a], [b])[0], a, b, real, rng)


@pytest.mark.parametrize("kinds", [p for p in PAIRS if "hull" not in p], ids="-".join)
def test_distances_are_mujocos(narrow, kinds):
    """Where shapes are apart; overlaps are checked by search, which is sharper than MuJoCo's own tolerance."""
    rng = np.random.default_rng(7)
    for gap in (1e-3, 0.02, 0.1, 0.4):
        a, b = pair_at(random_solid(rng, kinds[0], 0.03), random_solid(rng, kinds[1], 0.03), gap, rng)
        expected = mujoco_distance(a, b)
        if expected < 1e-4:
            continue
        assert abs(narrow["double"]([a], [b])[0].gap - expected) < 2e-6
        assert abs(narrow["float"]([a], [b])[0].gap - expected) < 4e-6


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_the_order_of_two_shapes_does_not_matter(narrow, kinds):
    rng = np.random.default_rng(3)
    pairs = [pair_at(random_solid(rng, kinds[0]), random_solid(rng, kinds[1]), gap, rng) for gap in GAPS]
    first, second = map(list, zip(*pairs, strict=True))
    ahead, back = narrow["double"](first, second), narrow["double"](second, first)
    for a, b, one, other in zip(first, second, ahead, back, strict=True):
        scale = extent(a) + extent(b)
        slack = 2e-6 * scale + 1e-3 * max(0.0, -one.gap)
        assert abs(one.gap - other.gap) < slack
        # where two normals separate equally, either may be found
        assert abs(separation(a, b, -other.normal[None])[0] - one.gap) < slack


@settings(max_examples=40)
@given(st.sampled_from(PAIRS), st.integers(0, 2**31))
def test_a_turned_world_is_the_same(narrow, kinds, seed):
    rng = np.random.default_rng(seed)
    a, b = pair_at(random_solid(rng, kinds[0]), random_solid(rng, kinds[1]), float(rng.choice(GAPS)), rng)
    turn = Rotation.random(random_state=seed)
    one, other = narrow["double"]([a, turned(a, turn)], [b, turned(b, turn)])
    assert abs(one.gap - other.gap) < 2e-6 * (extent(a) + extent(b)) + 1e-3 * max(0.0, -one.gap)


BOX = Placed("box", (0.1, 0.2, 0.3))
CLOSED = {
    "faces of boxes": (BOX, moved(BOX, (0.05, 0.1, -0.59)), (0, 0, 1), -0.01),
    "faces of boxes, apart": (BOX, moved(BOX, (0.05, 0.1, -0.7)), (0, 0, 1), 0.1),
    "corners of boxes": (BOX, moved(BOX, (-0.3, -0.5, -0.7)), np.ones(3) / np.sqrt(3), np.sqrt(0.03)),
    "ball over a box": (Placed("sphere", (0.1,), (0.02, 0.03, 0.45)), BOX, (0, 0, 1), 0.05),
    "ball at an edge": (Placed("sphere", (0.1,), (0.4, 0.6, 0.0)), BOX, (0.6, 0.8, 0), 0.4),
    "ball at a corner": (Placed("sphere", (0.1,), (0.3, 0.4, 0.4)), BOX, np.array([2, 2, 1]) / 3, 0.2),
    "ball in a box": (Placed("sphere", (0.02,), (0.03, 0.01, 0.0)), BOX, (1, 0, 0), -0.09),
    "ball on a rim": (
        Placed("sphere", (0.1,), (0.5, 0, 0.6)), Placed("cylinder", (0.2, 0.2)), np.array([0.6, 0, 0.8]), 0.4,
    ),
    "ball on a cap": (Placed("sphere", (0.1,), (0.1, 0.05, 0.29)), Placed("cylinder", (0.2, 0.2)), (0, 0, 1), -0.01),
    "ball beside a cylinder": (
        Placed("sphere", (0.1,), (0.24, 0.18, 0.1)), Placed("cylinder", (0.2, 0.2)), (0.8, 0.6, 0), 0.0,
    ),
    "capsule along a box": (
        Placed("capsule", (0.1, 0.5), (0, 0, 0.35), tuple(Rotation.from_rotvec([0, np.pi / 2, 0]).as_quat())), BOX,
        (0, 0, 1), -0.05,
    ),
    "ellipsoid on a box": (Placed("ellipsoid", (0.3, 0.2, 0.1), (0.05, 0, 0.41)), BOX, (0, 0, 1), 0.01),
    "ellipsoids in a row": (
        Placed("ellipsoid", (0.3, 0.2, 0.1)), Placed("ellipsoid", (0.1, 0.3, 0.2), (-0.35, 0, 0)), (1, 0, 0), -0.05,
    ),
    "caps of cylinders": (
        Placed("cylinder", (0.1, 0.2), (0.05, 0.02, 0.39)), Placed("cylinder", (0.3, 0.2)), (0, 0, 1), -0.01,
    ),
    "crossed edges": (
        Placed("box", (0.1, 0.1, 1.0), (0, 0, 0.25), tuple((
            Rotation.from_euler("z", 90, degrees=True) * Rotation.from_euler("y", 90, degrees=True)
            * Rotation.from_euler("z", 45, degrees=True)).as_quat())),
        Placed("box", (0.1, 0.1, 1.0), (0, 0, 0), tuple((
            Rotation.from_euler("y", 90, degrees=True) * Rotation.from_euler("z", 45, degrees=True)).as_quat())),
        (0, 0, 1), 0.25 - 0.2 * np.sqrt(2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("real", ["float", "double"])
def test_closed_forms(narrow, real, name):
    a, b, normal, gap = CLOSED[name]
    (result,) = narrow[real]([a], [b])
    np.testing.assert_allclose(result.normal, normal, atol=1e-5 if real == "float" else 1e-6)
    assert abs(result.gap - gap) < (1e-6 if real == "float" else 1e-9)


def test_the_normal_of_faces_is_theirs_to_the_last_digit(narrow):
    """What a stack stands on: a face that lies on a face, pressed in or just off, gives that face's own normal."""
    rng = np.random.default_rng(0)
    cube = convex_hull(np.array(list(itertools.product((-0.1, 0.1), repeat=3))))
    for kind in ("box", "hull", "cylinder"):
        upper = {
            "box": Placed("box", (0.1, 0.1, 0.1)), "hull": Placed("hull", hull=cube),
            "cylinder": Placed("cylinder", (0.1, 0.1)),
        }[kind]  # fmt: skip
        for gap in (-1e-3, -1e-5, 0.0, 1e-6, 1e-4):
            yaw = Rotation.from_rotvec([0, 0, rng.uniform(0, 6)])
            a = turned(moved(upper, (0.02, 0.03, 0.2 + gap)), yaw)
            for b in (Placed("box", (0.1, 0.15, 0.1)), Placed("hull", hull=cube), Placed("cylinder", (0.15, 0.1))):
                (result,) = narrow["float"]([a], [b])
                assert np.abs(result.normal[:2]).max() < 2e-7
                assert abs(result.gap - gap) < 1e-7


def test_the_normal_of_touching_ellipsoids_is_that_of_their_surfaces(narrow):
    """There, support points lie across from each other along the normal."""
    rng = np.random.default_rng(4)
    off = []
    for gap in (-1e-3, -1e-5, 1e-5):
        for _ in range(10):
            a, b = pair_at(random_solid(rng, "ellipsoid", 0.05), random_solid(rng, "ellipsoid", 0.05), gap, rng)
            for _ in range(3):
                (found,) = narrow["double"]([a], [b])
                a = moved(a, np.array(a.pos) + found.normal * (gap - found.gap))
            (result,) = narrow["float"]([a], [b])
            n = result.normal.astype(float)[None]
            across = (support(a, -n) - support(b, n))[0]
            off.append(np.linalg.norm(across - n[0] * (n[0] @ across)) / (extent(a) + extent(b)))
    assert np.median(off) < 2e-6
    assert max(off) < 1e-3


DEGENERATE = {
    "slab": Placed("box", (0.5, 0.5, 1e-6)),
    "needle": Placed("box", (1e-6, 1e-6, 0.5)),
    "point": Placed("box", (1e-9, 1e-9, 1e-9)),
    "disc": Placed("cylinder", (0.3, 1e-7)),
    "wire": Placed("cylinder", (1e-7, 0.3)),
    "flat ellipsoid": Placed("ellipsoid", (0.3, 0.2, 1e-6)),
    "flat hull": Placed("hull", hull=convex_hull(np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.1, 0.1, 0]]))),
    "triangle": Placed("triangle", corners=np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0]])),
    "thin triangle": Placed("triangle", corners=np.array([[0, 0, 0], [0.2, 0, 0], [0.1, 1e-7, 0]])),
    "no triangle": Placed("triangle", corners=np.zeros((3, 3))),
    "ball": Placed("sphere", (0.1,)),
    "cube": Placed("box", (0.1, 0.1, 0.1)),
}


@pytest.mark.parametrize("real", ["float", "double"])
def test_degenerate_shapes_give_numbers(narrow, real):
    """Flat, thin or as good as nothing, in each other's centres, on edges, far apart: finite, and a true separation."""
    places = [(0, 0, 0), (0.1, 0, 0), (0.1, 0.1, 0), (0.1, 0.1, 0.1), (0, 0, 1e-8), (0, 0, 0.1), (3, 2, 1)]
    shapes = [shape for shape in DEGENERATE.values() if shape.kind != "triangle"]
    pairs = [(moved(a, at), b) for a in shapes for b in DEGENERATE.values() for at in places]
    for (a, b), result in zip(pairs, narrow[real](*map(list, zip(*pairs, strict=True))), strict=True):
        assert np.isfinite([*result.normal, result.gap, *result.a, *result.b, *result.points.flat, *result.gaps]).all()
        assert abs(np.linalg.norm(result.normal) - 1) < 1e-5
        scale = extent(a) + extent(b) + np.linalg.norm(a.pos)
        assert abs(separation(a, b, result.normal[None])[0] - result.gap) < 4e-6 * scale
        axes = np.concatenate([np.eye(3), -np.eye(3)])
        assert separation(a, b, axes).max() - result.gap < 2e-5 * scale


def test_far_shapes_are_told_apart_early(narrow):
    """Beyond the limit any separating normal will do; within it the distance is exact."""
    rng = np.random.default_rng(2)
    for kinds in PAIRS:
        a, b = pair_at(random_solid(rng, kinds[0]), random_solid(rng, kinds[1]), 0.3, rng)
        exact = narrow["double"]([a], [b])[0].gap
        early = narrow["double"]([a], [b], limit=exact / 2)[0]
        assert exact / 2 < early.gap <= exact + 1e-6
        assert not len(early.points)
        assert abs(narrow["double"]([a], [b], limit=exact * 1.1)[0].gap - exact) < 1e-6


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_boxes_around_shapes_leave_out_none_that_is_near(narrow, kinds):
    """And of boxes most of those that are twice as far apart."""
    rng = np.random.default_rng(11)
    grow = 0.02
    pairs = [pair_at(random_solid(rng, kinds[0]), random_solid(rng, kinds[1]), g, rng) for g in (-0.05, 0.0, 0.01) * 60]
    a, b = map(list, zip(*pairs, strict=True))
    for engine in narrow.values():
        gaps, meet = np.array([result.gap for result in engine(a, b)]), engine.boxes_meet(a, b, grow)
        assert (gaps < 0.999 * grow).sum() > 20
        assert meet[gaps < 0.999 * grow].all()
        if kinds == ("box", "box"):
            assert meet[gaps > 2 * grow].mean() < 0.2


@pytest.mark.parametrize(
    "flags", [(), pytest.param(FUSED, marks=pytest.mark.skipif(not HAS_FMA, reason="a CPU without FMA"))]
)
def test_shares_of_slivers_are_bounded(flags, tmp_path):
    """Of triangles as thin as rounding. With FMA, as on a GPU, what rounding leaves of the areas of one in 170 added up
    to nothing, and its shares were 1e27: so compiled, one of 2048 ANYmals on rough ground was lost within 320 steps."""
    rng = np.random.default_rng(4)
    count = 200_000
    a = np.array([-0.006, -0.106, -0.0013]) + rng.normal(size=(count, 1, 3)) * 0.003
    b = -a * rng.uniform(0.3, 3, (count, 1, 1)) + rng.normal(size=(count, 1, 3)) * 0.001
    c = b + rng.normal(size=(count, 1, 3)) * 10.0 ** rng.uniform(-6, -4, (count, 1, 1))
    shares = Narrow(tmp_path, "float", flags).nearest_shares(np.concatenate([a, b, c], axis=1))
    assert np.abs(shares.sum(axis=1) - 1).max() < 1e-5
    assert shares.min() >= -1e-5
    assert shares.max() <= 1 + 1e-5
