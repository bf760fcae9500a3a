"""A robot with every kind of coupling."""

from __future__ import annotations

import dataclasses

from kilogym.assets.asset import Asset, Closure, JointEquality, JointKind, Tendon
from kilogym.scene.couplings import AttractorDecl
from kilogym.validation.trees import load
from kilogym.validation.zoo import ANT


def coupled_ant() -> tuple[Asset, list[AttractorDecl]]:
    """An ant with a tendon over its knees, a hip that follows another, two feet tied although out of reach, and
    attractors on the trunk and a foot."""
    ant = load(ANT)
    names = [joint.name for joint in ant.joints if joint.kind is JointKind.REVOLUTE]
    feet = [i for i in range(len(ant.links)) if all(link.parent != i for link in ant.links)]
    tendon = Tendon(
        "all", tuple(names[1::2]), (1.0, -0.5, 0.7, 1.2), limited=True, lower=-0.3, upper=0.4, stiffness=2.0,
        damping=0.1, limit_stiffness=20.0,
    )  # fmt: skip
    follow = JointEquality("follow", names[2], names[0], (0.1, 0.5, 0.0, 0.0, 0.0))
    tie = Closure("tie", feet[1], feet[2], pos_a=(0.1, 0.1, 0.0), pos_b=(0.1, 0.0, 0.1))
    asset = dataclasses.replace(ant, tendons=(tendon,), equalities=(follow,), closures=(tie,))
    pulls = [
        AttractorDecl(0, 0, 20.0, 1.0, (1, 1, 1, 0, 0, 1), target_pos=(0.0, 0.0, 0.8)),
        AttractorDecl(0, feet[3], 5.0, 0.5, target_quat=(0.0, 0.6, 0.0, 0.8), offset_pos=(0.1, 0.0, 0.0)),
    ]  # fmt: skip
    return asset, pulls
