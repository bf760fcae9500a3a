"""One joint element of a URDF file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lxml import etree

from kilogym.assets.asset import FLT_MAX, Joint, JointKind
from kilogym.assets.tree import tuple3
from kilogym.assets.urdf_link import Context, read_origin, report_unused
from kilogym.assets.xml import fail, number, numbers

KINDS = {
    "revolute": JointKind.REVOLUTE,
    "continuous": JointKind.REVOLUTE,
    "prismatic": JointKind.PRISMATIC,
    "fixed": JointKind.FIXED,
    "spherical": JointKind.BALL,
    "ball": JointKind.BALL,
}


@dataclass(frozen=True)
class UrdfJoint:
    """A joint as read; `pos`, `quat` is the child link's pose in the parent link, joint at zero."""

    joint: Joint
    parent: str
    child: str
    pos: np.ndarray
    quat: np.ndarray
    dont_collapse: bool
    element: etree._Element


def read_joint(element: etree._Element, context: Context) -> UrdfJoint:
    """Read a <joint>; raises AssetError for types that are no tree joints."""
    file, name = context.file, element.get("name") or ""
    kind = KINDS.get(element.get("type", ""))
    if kind is None:
        raise fail(
            element,
            file,
            "this type of joint is not supported",
            expected=", ".join(KINDS),
            got=repr(element.get("type")),
            hint="leave a floating base without a joint and do not fix it; build a planar joint from "
            "two prismatic and one revolute joint with light links between them",
        )
    report_unused(
        element,
        context,
        ("name", "type", "dont_collapse"),
        ("origin", "parent", "child", "axis", "limit", "dynamics", "mimic"),
    )
    pos, quat = read_origin(element, context)
    limits = _limits(element, context)
    mimic = _mimic(element, context)
    if kind is JointKind.BALL or element.get("type") == "continuous":
        limits |= {"lower": -FLT_MAX, "upper": FLT_MAX}
    damping = friction = 0.0
    if (dynamics := element.find("dynamics")) is not None:
        report_unused(dynamics, context, ("damping", "friction"), ())
        damping = numbers(dynamics, "damping", 1, file, (0.0,))[0]
        friction = numbers(dynamics, "friction", 1, file, (0.0,))[0]
    joint = Joint(
        name=name,
        kind=kind,
        link=0,
        axis=_axis(element, context),
        has_limits=limits["lower"] > -FLT_MAX or limits["upper"] < FLT_MAX,
        lower=limits["lower"],
        upper=limits["upper"],
        velocity=limits["velocity"],
        effort=limits["effort"],
        damping=damping,
        friction=friction,
        armature=context.options.armature,
        drive_mode=context.options.default_dof_drive_mode,
        mimic=mimic,
    )
    return UrdfJoint(
        joint=joint,
        parent=_end(element, "parent", context),
        child=_end(element, "child", context),
        pos=pos,
        quat=quat,
        dont_collapse=element.get("dont_collapse", "false").strip().lower() in ("true", "1"),
        element=element,
    )


def _end(joint: etree._Element, role: str, context: Context) -> str:
    element = joint.find(role)
    link = element.get("link") if element is not None else None
    if element is None or not link:
        raise fail(joint, context.file, f"joint has no {role} link", expected=f'<{role} link="..."/>')
    report_unused(element, context, ("link",), ())
    return link


def _axis(joint: etree._Element, context: Context) -> tuple[float, float, float]:
    element = joint.find("axis")
    if element is None:
        return (1.0, 0.0, 0.0)
    report_unused(element, context, ("xyz",), ())
    axis = np.array(numbers(element, "xyz", 3, context.file, (1.0, 0.0, 0.0)))
    peak = np.abs(axis).max()
    if peak == 0.0:
        if KINDS[joint.get("type", "")].num_dofs != 1:
            return (1.0, 0.0, 0.0)
        raise fail(
            joint,
            context.file,
            "joint axis has no length",
            expected="a direction",
            got=element.get("xyz", ""),
        )
    axis = axis / peak
    return tuple3(axis / np.linalg.norm(axis))


def _limits(joint: etree._Element, context: Context) -> dict[str, float]:
    limits = {"lower": -FLT_MAX, "upper": FLT_MAX, "velocity": FLT_MAX, "effort": FLT_MAX}
    element = joint.find("limit")
    if element is None:
        return limits
    report_unused(element, context, tuple(limits), ())
    for key in limits:
        if (text := element.get(key)) is not None:
            limits[key] = number(text.strip(), element, key, context.file, endless=True)
    if limits["lower"] > limits["upper"]:
        raise fail(
            joint,
            context.file,
            "joint limits are reversed",
            expected="lower <= upper",
            got=f"lower {limits['lower']:g}, upper {limits['upper']:g}",
        )
    for key in ("velocity", "effort"):
        if limits[key] < 0.0:
            raise fail(joint, context.file, f"{key} limit is negative", expected=">= 0", got=f"{limits[key]:g}")
    if limits["velocity"] == 0.0:
        context.diagnostics.note(
            "a velocity limit of 0 is read as no limit", context.file, element.sourceline, key="zero velocity"
        )
        limits["velocity"] = FLT_MAX
    return limits


def _mimic(joint: etree._Element, context: Context) -> tuple[str, float, float] | None:
    element = joint.find("mimic")
    if element is None:
        return None
    if KINDS[joint.get("type", "")].num_dofs > 1:
        raise fail(element, context.file, "a joint with several DOFs cannot follow another", expected="one DOF")
    report_unused(element, context, ("joint", "multiplier", "offset"), ())
    multiplier = numbers(element, "multiplier", 1, context.file, (1.0,))[0]
    offset = numbers(element, "offset", 1, context.file, (0.0,))[0]
    return element.get("joint", ""), multiplier, offset
