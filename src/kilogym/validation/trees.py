"""Articulated trees for exact comparisons: read from files, stripped of all but their inertia, or drawn at random."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from kilogym.assets.asset import FLT_MAX, Asset, BodyOptions, Joint, JointKind, Link
from kilogym.assets.inertia import six
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions

FREE = BodyOptions(angular_damping=0.0, max_linear_velocity=FLT_MAX, max_angular_velocity=FLT_MAX)
"""No damping and no speed limit: what an exact comparison needs."""


def load(path: Path, **options) -> Asset:
    """An asset from a file, with `BodyOptions` FREE."""
    return dataclasses.replace(load_asset(path.parent, path.name, ImportOptions(**options)), options=FREE)


def load_text(text: str, folder: Path, name: str = "model.xml", **options) -> Asset:
    """An asset from MJCF or URDF text."""
    (folder / name).write_text(text)
    return load(folder / name, **options)


def bare(asset: Asset) -> Asset:
    """The inertial tree alone: no shapes, limits, drives, springs, friction. Armature stays."""
    joints = tuple(
        Joint(j.name, j.kind, j.link, j.pos, j.axis, armature=j.armature, spring_ref=0.0) for j in asset.joints
    )
    return dataclasses.replace(asset, shapes=(), visuals=(), joints=joints, sensors=(), actuators=(), tendons=())


def random_inertia(rng: np.random.Generator, mass: float) -> tuple[float, float, float, float, float, float]:
    """Inertia of a random mass distribution: positive definite and obeying the triangle inequality."""
    second = (a := rng.normal(size=(3, 3)) * 0.1) @ a.T + 1e-3 * np.eye(3)  # second moments per mass
    return six(mass * (np.trace(second) * np.eye(3) - second))


KINDS = (JointKind.REVOLUTE, JointKind.REVOLUTE, JointKind.PRISMATIC, JointKind.BALL)


def random_tree(
    rng: np.random.Generator, links: int, fixed: bool, scale: float = 1.0, shape: np.random.Generator | None = None
) -> Asset:
    """A random tree. `shape` draws its topology (parents, joint kinds), `rng` every number."""
    shape = shape if shape is not None else rng
    made, joints = [], []
    path: list[int] = []  # from the root to the last link: a parent among them keeps the order depth first
    for i in range(links):
        if i:
            del path[int(shape.integers(max(1, len(path) - 2), len(path) + 1)) :]
        mass = float(np.exp(rng.normal()))
        made.append(
            Link(
                f"link{i}", path[-1] if i else -1,
                tuple(rng.normal(size=3) * 0.3 * scale), tuple(random_quat(rng)), mass,
                tuple(rng.normal(size=3) * 0.1 * scale), random_inertia(rng, mass),
            )
        )  # fmt: skip
        path.append(i)
        count = int(shape.choice([0, 1, 1, 1, 2])) if i else 0
        for k in range(count):
            kind = KINDS[shape.choice(4)]
            if k + 1 < count and kind is JointKind.BALL:
                kind = JointKind.REVOLUTE  # MuJoCo knows no rotation after a ball joint
            axis = rng.normal(size=3)
            joints.append(
                Joint(
                    f"joint{i}_{k}", kind, i, tuple(rng.normal(size=3) * 0.1 * scale),
                    tuple(axis / np.linalg.norm(axis)), armature=float(rng.uniform(0, 0.1)),
                )
            )  # fmt: skip
    return Asset(f"tree{links}", tuple(made), tuple(joints), fixed_base=fixed, options=FREE)


def random_quat(rng: np.random.Generator) -> np.ndarray:
    q = rng.normal(size=4)
    return q / np.linalg.norm(q)
