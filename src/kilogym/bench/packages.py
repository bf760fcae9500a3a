"""Robots of public packages, as both engines can simulate them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco

from kilogym.assets.asset import Asset, JointEquality
from kilogym.assets.packages import example_robot_file, packaged_file
from kilogym.bench.robot import read_asset

HANDS = "gymnasium_robotics/envs/assets/hand"


def read_anymal() -> Asset:
    """ANYmal C of example-robot-data, links without joints merged."""
    file = example_robot_file("anymal_c_simple_description/urdf/anymal.urdf")
    return read_asset(file, collapse_fixed_joints=True)


def read_panda() -> Asset:
    """The Panda of example-robot-data with its gripper, its base fixed."""
    file = example_robot_file("panda_description/urdf/panda.urdf")
    return replace(read_asset(file, collapse_fixed_joints=True), fixed_base=True)


@dataclass(frozen=True)
class Hand:
    """The Shadow Hand of gymnasium-robotics."""

    asset: Asset
    motors: dict[str, float]  # joint -> force of its actuator [N m]
    colliding: tuple[tuple[str, str], ...]  # links that the file lets collide with each other


def read_shadow_hand() -> Hand:
    """The hand of the file without the floor and what is only drawn.

    Four distal joints follow their neighbours by tendons that may slip by a millimetre; here they follow exactly.
    The other tendons repeat the limits of joints and are left out.
    """
    folder = packaged_file("gymnasium-robotics", HANDS)
    spec = mujoco.MjSpec.from_file(str(folder / "reach.xml"))
    model = spec.compile()
    motors = {
        model.joint(model.actuator_trnid[i, 0]).name: float(model.actuator_forcerange[i, 1]) for i in range(model.nu)
    }
    colliding = tuple(
        (spec.geom(pair.geomname1).parent.name, spec.geom(pair.geomname2).parent.name) for pair in spec.pairs
    )
    equalities = tuple(_follows(model, i) for i in range(model.ntendon) if model.tendon_num[i] == 2)
    equalities = tuple(e for e in equalities if e.coefficients[1] > 0)
    for item in [*spec.tendons, *spec.pairs, *spec.actuators]:
        spec.delete(item)
    for geom in list(spec.geoms):
        if (geom.contype == 0 and geom.conaffinity == 0) or geom.type == mujoco.mjtGeom.mjGEOM_PLANE:
            spec.delete(geom)
    spec.delete(spec.body("floor0"))
    spec.meshdir = str((folder / spec.meshdir).resolve())
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "shadow_hand.xml"
        file.write_text(spec.to_xml())
        asset = read_asset(file)
    return Hand(replace(asset, equalities=equalities), motors, colliding)


def _follows(model: mujoco.MjModel, tendon: int) -> JointEquality:
    """a x + b y = 0 -> x = -b / a y."""
    at = int(model.tendon_adr[tendon])
    names = [model.joint(model.wrap_objid[at + k]).name for k in (0, 1)]
    a, b = (float(model.wrap_prm[at + k]) for k in (0, 1))
    return JointEquality(model.tendon(tendon).name, names[0], names[1], (0.0, -b / a, 0.0, 0.0, 0.0))
