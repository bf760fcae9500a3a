"""What a hand-made asset may not hold, one test of each message."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.assets.check import check_asset
from kilogym.assets.distance_field import DistanceField
from kilogym.scene.declarations import Scene

BODY = Link("body", -1)
TIP = Link("tip", 0, mass=0.5)
NAN = float("nan")


def one(**changes) -> Asset:
    """A free ball with other values of its link."""
    return Asset("ball", (dataclasses.replace(BODY, **changes),), shapes=(Shape(0, ShapeKind.SPHERE, (0.1, 0, 0)),))


def shaped(kind: ShapeKind, size, **more) -> Asset:
    return Asset("thing", (BODY,), shapes=(Shape(0, kind, size, **more),))


def two(tip: Link = TIP, **joint) -> Asset:
    """A fixed base and a hinged tip."""
    made = {"kind": JointKind.REVOLUTE, "link": 1, **joint}
    return Asset("arm", (BODY, tip), (Joint("hinge", **made),), fixed_base=True)


FIELD = DistanceField(*[np.zeros(3), 1.0, *[np.zeros(0)] * 7, 1.0])
BAD = {
    "field without a mesh": (
        shaped(ShapeKind.BOX, (1.0, 1.0, 1.0), field=FIELD),
        "expected a mesh by itself, since it has a signed distance field, got a box without one",
    ),
    "no links": (Asset("void", ()), "asset 'void': expected at least one link"),
    "parents": (two(Link("tip", 1)), "link 1 ('tip'): expected a parent before the link (-1 for link 0), got 1"),
    "negative mass": (one(mass=-1.0), "asset 'ball', link 0 ('body'): expected a finite mass >= 0 kg, got -1.0"),
    "NaN mass": (one(mass=NAN), "expected a finite mass >= 0 kg, got nan"),
    "zero mass": (one(mass=0.0), "asset 'ball': expected a floating base of mass > 0 kg, got 0.0"),
    "point mass": (one(inertia=(0.0,) * 6), "expected three moments of inertia > 0 for a free body, got (0.0, "),
    "inertia": (one(inertia=(1, 1, -1, 0, 0, 0)), "expected an inertia without negative moments"),
    "NaN inertia": (one(inertia=(1, NAN, 1, 0, 0, 0)), "expected an inertia without negative moments"),
    "NaN pose": (one(com=(0, NAN, 0)), "expected finite numbers and a quaternion, got pos (0.0, 0.0, 0.0)"),
    "no rotation": (one(quat=(0, 0, 0, 0)), "expected finite numbers and a quaternion"),
    "joint link": (two(link=7), "asset 'arm', joint 'hinge': expected a link of 0..1, got 7"),
    "axis": (two(axis=(0, 0, 0)), "joint 'hinge': expected an axis of some length, got (0, 0, 0)"),
    "limits": (two(has_limits=True, lower=1.0, upper=-1.0), "expected lower <= upper limit, got 1.0 and -1.0"),
    "massless tip": (two(Link("tip", 0, mass=0.0)), "joint 'hinge': expected mass in link 'tip' or below it"),
    "sphere": (shaped(ShapeKind.SPHERE, (-0.1, 0, 0)), "shape 0: expected sphere sizes > 0 m, got (-0.1,)"),
    "capsule": (shaped(ShapeKind.CAPSULE, (0.1, 0.0, 0)), "expected capsule sizes > 0 m, got (0.1, 0.0)"),
    "cylinder": (shaped(ShapeKind.CYLINDER, (0.0, 0.1, 0)), "expected cylinder sizes > 0 m, got (0.0, 0.1)"),
    "box": (shaped(ShapeKind.BOX, (0.1, NAN, 0.1)), "expected box sizes > 0 m, got (0.1, nan, 0.1)"),
    "shape pose": (shaped(ShapeKind.BOX, (1, 1, 1), quat=(0, 0, 0, 0)), "expected a finite pose with a quaternion"),
    "shape link": (
        Asset("thing", (BODY,), shapes=(Shape(3, ShapeKind.BOX, (1, 1, 1)),)),
        "shape 0: expected a link of 0..0, got 3",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_refused(what):
    asset, message = BAD[what]
    with pytest.raises(ValueError, match=re.escape(message)):
        check_asset(asset)
    scene = Scene()
    scene.create_env((0, 0, 0), (0, 0, 0), 1)
    with pytest.raises(ValueError, match=re.escape(message)):
        scene.create_actor(0, asset)
    assert not scene.envs[0].actors


def test_what_is_not():
    """Massless links welded to others, a massless base that is fixed, armature instead of mass."""
    check_asset(Asset("rig", (BODY, Link("mark", 0, mass=0.0, inertia=(0.0,) * 6)), (Joint("w", JointKind.FIXED, 1),)))
    base, slide = Link("base", -1, mass=0.0), Joint("slide", JointKind.PRISMATIC, 1)
    check_asset(Asset("rail", (base, TIP), (slide,), fixed_base=True))
    check_asset(two(Link("tip", 0, mass=0.0), armature=0.1))
    check_asset(one())
