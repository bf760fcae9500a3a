"""Constraints of MJCF files as an asset holds them, and couplings that no asset may have."""

import dataclasses
import re

import numpy as np
import pytest
from asset_checks import load_text

from kilogym.assets import AssetError
from kilogym.assets.asset import Asset, Closure, Joint, JointEquality, JointKind, Link, Tendon
from kilogym.assets.check import check_asset

BALL = "<geom size='0.1'/>"


def file(equality: str, base: str = "<freejoint/>") -> str:
    """Two bodies on a trunk, the second with a part welded to it half a metre up."""
    return f"""<mujoco><compiler angle="radian"/><worldbody>
      <body name="t" pos="1 2 3">{base}{BALL}<site name="st" pos="0 0 1"/>
      <body name="a" pos="0.5 0 0"><joint name="ja" axis="0 0 1" ref="0.2"/>{BALL}</body>
      <body name="b" pos="0 1 0"><joint name="jb" type="slide" axis="0 0 1"/>{BALL}
        <body name="c" pos="0 0 0.5" quat="0 1 0 0">{BALL}<site name="sc" pos="0 0 0.1"/></body></body>
      </body></worldbody><equality>{equality}</equality></mujoco>"""


def test_a_polynomial_is_put_into_positions(tmp_path):
    """MuJoCo's is in displacements from the joints' ref: jb = 1 + 2 (x - 0.2) + 3 (x - 0.2)^2."""
    asset, _ = load_text(tmp_path, file("<joint joint1='jb' joint2='ja' polycoef='1 2 3 0 0'/>"), ".xml")
    (e,) = asset.joint_equalities()
    assert (e.joint, e.leader) == ("jb", "ja")
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(np.polynomial.Polynomial(e.coefficients)(x), 1 + 2 * (x - 0.2) + 3 * (x - 0.2) ** 2)


def test_a_joint_held_where_it_is(tmp_path):
    """Without a second joint the polynomial is its constant, counted from ref."""
    asset, _ = load_text(tmp_path, file("<joint joint1='ja' polycoef='0.3 5 0 0 0'/>"), ".xml")
    assert asset.joint_equalities() == [JointEquality("ja", "ja", None, (0.5, 0.0, 0.0, 0.0, 0.0))]


def test_connect(tmp_path):
    """The anchor is in the first body; in the second it is where that stands in the file."""
    asset, _ = load_text(tmp_path, file("<connect name='k' body1='a' body2='c' anchor='0.1 0.2 0.3'/>"), ".xml")
    (c,) = asset.closures
    assert (c.name, c.link_a, c.link_b, c.weld) == ("k", 1, 3, False)
    np.testing.assert_allclose(c.pos_a, [0.1, 0.2, 0.3])
    # a stands at (0.5, 0, 0); c at (0, 1, 0.5), half a turn about x
    np.testing.assert_allclose(c.pos_b, [0.6, 0.8, 0.2], atol=1e-12)


def test_bodies_that_are_merged_take_their_frames_along(tmp_path):
    text = file("<connect body1='a' body2='c' anchor='0.1 0.2 0.3'/>")
    asset, _ = load_text(tmp_path, text, ".xml", collapse_fixed_joints=True)
    (c,) = asset.closures
    assert (c.link_a, c.link_b) == (1, 2)
    np.testing.assert_allclose(c.pos_b, [0.6, -0.8, 0.3], atol=1e-12)


def test_a_closure_within_a_merged_body_is_none(tmp_path):
    text = file("<weld body1='b' body2='c'/>")
    asset, notes = load_text(tmp_path, text, ".xml", collapse_fixed_joints=True)
    assert asset.closures == ()
    assert any("holds a body to itself" in n for n in notes)


def test_weld(tmp_path):
    """As they stand in the file: the frames coincide."""
    asset, _ = load_text(tmp_path, file("<weld body1='c' body2='a' anchor='0 0.1 0'/>"), ".xml")
    (c,) = asset.closures
    assert (c.link_a, c.link_b, c.weld) == (3, 1, True)
    np.testing.assert_allclose(c.pos_b, [0, 0.1, 0])
    np.testing.assert_allclose(c.pos_a, [0.5, 0.9, 0.5], atol=1e-12)
    np.testing.assert_allclose(np.abs(c.quat_a), [1, 0, 0, 0], atol=1e-12)


def test_sites(tmp_path):
    asset, _ = load_text(tmp_path, file("<connect site1='st' site2='sc'/>"), ".xml")
    (c,) = asset.closures
    assert (c.link_a, c.link_b, c.pos_a, c.pos_b) == (0, 3, (0, 0, 1), (0, 0, 0.1))


@pytest.mark.parametrize("order", ["body1='a' body2='world'", "body1='world' body2='a'"])
def test_the_world_is_where_a_floating_actor_is_made(tmp_path, order):
    """What the file places in its world goes along with the root's pose there."""
    asset, _ = load_text(tmp_path, file(f"<weld {order}/>"), ".xml")
    (c,) = asset.closures
    assert (c.link_a, c.link_b) == (1, -1)
    np.testing.assert_allclose(np.array(c.pos_b) - c.pos_a, [0.5, 0, 0], atol=1e-12)


def test_the_world_is_the_root_of_a_fixed_actor(tmp_path):
    asset, _ = load_text(tmp_path, file("<connect body1='c' body2='world' anchor='0 0 0'/>", base=""), ".xml")
    (c,) = asset.closures
    assert (c.link_a, c.link_b) == (3, 0)
    np.testing.assert_allclose(c.pos_b, [0, 1, 0.5], atol=1e-12)


def test_constraints_that_are_left_out(tmp_path):
    inactive = "<connect body1='a' body2='c' anchor='0 0 0' active='false'/>"
    text = file(inactive + "<weld body1='t' body2='world' solref='1 1'/>")
    asset, notes = load_text(tmp_path, text, ".xml")
    assert len(asset.closures) == 1
    assert any('active="false"' in n for n in notes)
    assert any("solref" in n for n in notes)
    other = f"<body name='other'>{BALL}</body></worldbody>"
    second = file("<weld body1='a' body2='other'/>").replace("</worldbody>", other)
    asset, notes = load_text(tmp_path, second, ".xml")
    assert asset.closures == ()
    assert any("what it constrains is not imported" in n for n in notes)


def test_constraints_of_what_is_not_there(tmp_path):
    with pytest.raises(AssetError, match="none"):
        load_text(tmp_path, file("<joint joint1='none'/>"), ".xml")


def test_the_limit_stiffness_is_an_option(tmp_path):
    text = file("").replace("<equality></equality>", "<tendon><fixed><joint joint='ja' coef='1'/></fixed></tendon>")
    asset, _ = load_text(tmp_path, text, ".xml", tendon_limit_stiffness=7.0)
    assert asset.tendons[0].limit_stiffness == 7.0


# ---- assets made by hand -------------------------------------------------------------------------------------

LINKS = (Link("l0", -1), Link("l1", 0), Link("l2", 0), Link("l3", 0))
JOINTS = (
    Joint("turn", JointKind.REVOLUTE, 1), Joint("slide", JointKind.PRISMATIC, 2), Joint("ball", JointKind.BALL, 3),
)  # fmt: skip
GOOD = Asset("thing", LINKS, JOINTS)
TENDON = Tendon("cord", ("turn", "slide"), (1.0, 2.0))


def line(joint: str, leader: str | None, *coefficients: float) -> JointEquality:
    return JointEquality("e", joint, leader, coefficients or (0.0, 1.0, 0.0, 0.0, 0.0))


BAD = {
    "no joints": ({"tendons": (Tendon("cord", (), ()),)}, "tendon 'cord': expected joints and as many coefficients"),
    "coefficients": ({"tendons": (Tendon("cord", ("turn",), (1.0, 2.0)),)}, "expected joints and as many coefficients"),
    "ball": ({"tendons": (Tendon("cord", ("ball",), (1.0,)),)}, "a revolute or prismatic joint 'ball', got a ball one"),
    "unknown": ({"tendons": (Tendon("cord", ("x",), (1.0,)),)}, "prismatic joint 'x', got none of that name"),
    "stiffness": ({"tendons": (dataclasses.replace(TENDON, stiffness=-1.0),)}, "expected a finite stiffness >= 0"),
    "limits": (
        {"tendons": (dataclasses.replace(TENDON, lower=1.0, upper=0.0),)}, "expected lower <= upper limit, got 1",
    ),
    "NaN": ({"tendons": (dataclasses.replace(TENDON, rest_length=np.nan),)}, "expected finite coefficients"),
    "itself": ({"equalities": (line("turn", "turn"),)}, "equality 'e': expected two joints, 'turn' follows itself"),
    "follower": ({"equalities": (line("x", "turn"),)}, "equality 'e': expected a revolute or prismatic joint 'x'"),
    "leader": ({"equalities": (line("turn", "ball"),)}, "a revolute or prismatic joint 'ball', got a ball one"),
    "four": ({"equalities": (line("turn", "slide", 0, 1, 0, 0),)}, "expected five finite coefficients, got (0, 1"),
    "same link": ({"closures": (Closure("k", 1, 1),)}, "closure 'k': expected two different links of 0..3"),
    "no link": ({"closures": (Closure("k", 9, 1),)}, "closure 'k': expected two different links of 0..3"),
    "pose": ({"closures": (Closure("k", 1, 2, quat_b=(0, 0, 0, 0)),)}, "closure 'k': expected finite poses with quat"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_refused(what):
    change, message = BAD[what]
    with pytest.raises(ValueError, match=re.escape(message)):
        check_asset(dataclasses.replace(GOOD, **change))


def test_what_is_not():
    couplings = {"tendons": (TENDON,), "equalities": (line("slide", "turn"),), "closures": (Closure("k", 1, -1),)}
    check_asset(dataclasses.replace(GOOD, **couplings))


def test_a_leader_that_cannot_move_stands_at_zero():
    follower = Joint("turn", JointKind.REVOLUTE, 1, mimic=("fixed", 2.0, 0.3))
    joints = (*JOINTS[1:], follower, Joint("fixed", JointKind.FIXED, 2))
    asset = dataclasses.replace(GOOD, joints=joints)
    assert asset.joint_equalities() == [JointEquality("turn", "turn", None, (0.3, 2.0, 0.0, 0.0, 0.0))]
    with pytest.raises(ValueError, match="asset 'thing' has no joint 'fixed' that moves"):
        asset.dof_of("fixed")
