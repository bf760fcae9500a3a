"""Contact points of two shapes: where, how deep, and that their numbers stay."""

import itertools

import numpy as np
import pytest
from narrow import Placed
from scipy.spatial.transform import Rotation
from solids import SOLIDS, extent, moved, pair_at, random_solid, support, turned

from kilogym.engine.hulls import convex_hull

CUBE = convex_hull(np.array(list(itertools.product((-0.1, 0.1), repeat=3))))
YAW = Rotation.from_rotvec([0, 0, 0.3])


def cube(kind: str, pos=(0, 0, 0)) -> Placed:
    return Placed("box", (0.1, 0.1, 0.1), pos) if kind == "box" else Placed("hull", hull=CUBE, pos=pos)


def rows(points: np.ndarray) -> np.ndarray:
    """Sorted, so that sets of points can be compared."""
    points = np.round(np.asarray(points, float), 6) + 0.0
    return points[np.lexsort(points.T)]


def test_a_face_with_many_corners_touches_all_around(narrow):
    """A drum of 32 sides on a plate: of a face's corners 16 are kept, and the lowest need not be one of those."""
    around = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    rim = np.stack([0.01 * np.cos(around), 0.01 * np.sin(around)], axis=1)
    drum = convex_hull(np.concatenate([np.insert(rim, 2, z, axis=1) for z in (-0.015, 0.015)]))
    assert max(len(face) for face in drum.faces) == 16
    rng = np.random.default_rng(0)
    tilts = rng.normal(size=(200, 3)) * 10.0 ** rng.uniform(-9, -4, (200, 1))
    drums = [
        Placed("hull", hull=drum, pos=(0, 0, 0.1149), quat=tuple(Rotation.from_rotvec(tilt).as_quat()))
        for tilt in tilts
    ]
    for result in narrow["float"](drums, [cube("hull")] * len(drums)):
        np.testing.assert_allclose(result.normal, [0, 0, 1], atol=1e-3)
        assert len(result.points) == 4
        np.testing.assert_allclose(result.points[:, :2].mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(result.points[:, :2], axis=1), 0.01, rtol=0.02)


@pytest.mark.parametrize("upper", ["box", "hull"])
@pytest.mark.parametrize("lower", ["box", "hull"])
def test_a_face_on_a_face_touches_at_the_corners_of_what_they_share(narrow, upper, lower):
    for shift in ((0.0, 0.0), (0.05, 0.0), (0.05, -0.12)):
        (result,) = narrow["float"]([cube(upper, (*shift, 0.199))], [cube(lower)])
        corners = np.array(list(itertools.product(*(
            (max(-0.1, s - 0.1), min(0.1, s + 0.1)) for s in shift
        ), (0.0995,))))  # fmt: skip
        np.testing.assert_allclose(rows(result.points), rows(corners), atol=3e-6)
        np.testing.assert_allclose(result.gaps, -0.001, atol=1e-7)
        assert len(set(result.numbers)) == 4


@pytest.mark.parametrize("kind", ["box", "hull"])
def test_turned_faces_touch_at_points_that_span_what_they_share(narrow, kind):
    """Two squares turned by 45 degrees share an octagon: four of its corners, the area at least half of it."""
    upper = turned(cube(kind, (0, 0, 0.2)), Rotation.from_rotvec([0, 0, np.pi / 4]))
    (result,) = narrow["float"]([upper], [cube("box")])
    p = result.points[:, :2]
    assert len(p) == 4
    angle = np.sort(np.arctan2(p[:, 1], p[:, 0]))
    assert np.diff([*angle, angle[0] + 2 * np.pi]).max() < np.radians(140)
    np.testing.assert_allclose(np.abs(p).max(axis=1), 0.1, atol=1e-6)  # corners of the octagon
    np.testing.assert_allclose(np.abs(p).min(axis=1), 0.1 * (np.sqrt(2) - 1), atol=1e-6)


def test_numbers_stay_with_their_points(narrow):
    """Rounding, and sliding by less than a corner's neighbourhood, renumber nothing; nor does it matter how fast."""
    rng = np.random.default_rng(0)
    for upper, lower in itertools.product(("box", "hull"), repeat=2):
        for shift in ((0.0, 0.0), (0.06, 0.0), (0.03, 0.04)):
            places = np.array([*shift, 0.2]) + rng.normal(size=(50, 3)) * 1e-6
            a = [turned(moved(cube(upper), at), Rotation.from_rotvec(rng.normal(size=3) * 1e-6)) for at in places]
            seen = {}
            for result in narrow["float"](a, [cube(lower)] * len(a)):
                for number, point in zip(result.numbers, result.points, strict=True):
                    np.testing.assert_allclose(point, seen.setdefault(number, point), atol=2e-5)
            assert len(seen) == 4


def test_crossed_edges_touch_at_one_point(narrow):
    lower = turned(Placed("box", (0.1, 0.1, 1.0)), Rotation.from_euler("z", 45, degrees=True))
    lower = turned(lower, Rotation.from_euler("y", 90, degrees=True))
    upper = moved(turned(lower, Rotation.from_euler("z", 80, degrees=True)), (0.1, 0.05, 0.28))
    (result,) = narrow["float"]([upper], [lower], limit=0.0)
    # the upper edge runs through (0.1, 0.05) at 80 degrees, the lower along x through 0
    x = 0.1 - 0.05 / np.tan(np.radians(80))
    np.testing.assert_allclose(result.points, [[x, 0.0, 0.14]], atol=1e-5)
    np.testing.assert_allclose(result.gaps, [0.28 - 0.2 * np.sqrt(2)], atol=1e-6)


def test_a_corner_touches_a_face_at_one_point(narrow):
    """A cube on its corner; the other corners are farther off than the limit."""
    turn = Rotation.align_vectors([[0, 0, -1.0]], [[-1.0, -1.0, -1.0]])[0]
    height = 0.1 * np.sqrt(3) + 0.1 - 0.002
    for kind in ("box", "hull"):
        (result,) = narrow["float"]([moved(turned(cube(kind), turn), (0.02, 0.01, height))], [cube("box")], limit=0.01)
        np.testing.assert_allclose(result.points, [[0.02, 0.01, 0.099]], atol=1e-6)
        np.testing.assert_allclose(result.gaps, [-0.002], atol=1e-6)


LYING = tuple(Rotation.from_rotvec([0, np.pi / 2, 0]).as_quat())


@pytest.mark.parametrize("kind", ["capsule", "cylinder"])
def test_a_lying_capsule_or_cylinder_touches_along_its_line(narrow, kind):
    """At its ends, or where it leaves the box."""
    for half, ends in ((0.06, (-0.06, 0.06)), (0.3, (-0.1, 0.1))):
        (result,) = narrow["float"]([Placed(kind, (0.05, half), (0, 0.02, 0.149), LYING)], [cube("box")])
        np.testing.assert_allclose(rows(result.points), rows([[x, 0.02, 0.0995] for x in ends]), atol=3e-6)
        np.testing.assert_allclose(result.gaps, -0.001, atol=1e-6)


def test_two_lying_cylinders_touch_along_what_they_share(narrow):
    a, b = Placed("cylinder", (0.05, 0.2), (0.15, 0, 0.1), LYING), Placed("cylinder", (0.05, 0.2), quat=LYING)
    (result,) = narrow["float"]([a], [b])
    # where curved surfaces touch, the gap is found to rounding, and the normal to the root of that
    found = result.points[np.argsort(result.points[:, 0])]
    np.testing.assert_allclose(found, [[-0.05, 0, 0.05], [0.2, 0, 0.05]], atol=3e-4)


def test_a_standing_cylinder_touches_around_its_rim(narrow):
    (result,) = narrow["float"]([Placed("cylinder", (0.05, 0.1), (0.01, 0.02, 0.2))], [cube("box")])
    off = result.points[:, :2] - [0.01, 0.02]
    np.testing.assert_allclose(np.linalg.norm(off, axis=1), 0.05, atol=1e-6)
    np.testing.assert_allclose(off.sum(axis=0), 0.0, atol=1e-6)
    assert len(off) == 4


def test_a_box_lies_on_triangles(narrow):
    """What terrain asks for: a triangle is a shape without thickness, whichever way it is wound."""
    corners = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0.5, 0]])
    for wound in (corners, corners[::-1]):
        (result,) = narrow["float"]([cube("box", (0, -0.2, 0.0999))], [Placed("triangle", corners=wound)])
        np.testing.assert_allclose(result.normal, [0, 0, 1], atol=1e-6)
        assert len(result.points) == 4
        np.testing.assert_allclose(result.gaps, -1e-4, atol=1e-7)
    small = np.array([[-0.02, -0.02, 0], [0.02, -0.02, 0], [0, 0.02, 0]])
    (result,) = narrow["float"]([cube("box", (0, 0, 0.0999))], [Placed("triangle", corners=small)])
    np.testing.assert_allclose(rows(result.points), rows(small - [0, 0, 5e-5]), atol=1e-6)


def inside(shape: Placed, point: np.ndarray, rng: np.random.Generator) -> float:
    """How far a point lies outside a shape, at least (from many directions)."""
    d = rng.normal(size=(3000, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    return float(((point - support(shape, d)) * d).sum(axis=1).max())


@pytest.mark.parametrize("kinds", list(itertools.combinations_with_replacement(SOLIDS, 2)), ids="-".join)
def test_points_lie_on_both_surfaces(narrow, kinds):
    """Half the gap to either side is a point of A and a point of B, and no gap is less than the shapes' distance."""
    rng = np.random.default_rng(11)
    pairs = [pair_at(random_solid(rng, kinds[0], 0.03), random_solid(rng, kinds[1], 0.03), gap, rng) for gap in
             (-0.02, -0.005, -1e-3, -1e-5, 0.0, 1e-4, 5e-3)]  # fmt: skip
    for (a, b), result in zip(pairs, narrow["float"](*map(list, zip(*pairs, strict=True)), limit=0.01), strict=True):
        scale = extent(a) + extent(b)
        if result.gap > 0.01:
            continue
        assert len(result.points) >= 1
        assert abs(result.gaps.min() - result.gap) < 2e-3 * scale  # the deepest is among them
        assert result.gaps.min() > result.gap - 1e-4 * scale
        for point, gap in zip(result.points, result.gaps, strict=True):
            on_a, on_b = point + result.normal * gap / 2, point - result.normal * gap / 2
            assert inside(a, on_a, rng) < 2e-3 * scale
            assert inside(b, on_b, rng) < 2e-3 * scale
