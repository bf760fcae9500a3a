"""Helpers of the importers' tests: write a file, load it, compare it with MuJoCo."""

from __future__ import annotations

import warnings
from pathlib import Path

import mujoco
import numpy as np

import kilogym
from kilogym.assets import Asset, AssetWarning, ImportOptions, load_asset
from kilogym.assets.asset import JointKind
from kilogym.assets.inertia import matrix
from kilogym.math.quaternion import (
    IDENTITY,
    quat_from_axis_angle,
    quat_rotate,
    quat_to_matrix,
    transform_compose,
)

PACKAGE = Path(kilogym.__file__).parent


def load_text(folder: Path, text: str, suffix: str = ".urdf", **options) -> tuple[Asset, list[str]]:
    """The asset of a file with this text, and what was warned of."""
    path = folder / f"robot{suffix}"
    path.write_text(text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asset = load_asset(folder, path.name, ImportOptions(**options))
    # Left out: what other packages' own files warn of, as pycollada does of its use of some versions of NumPy.
    # A warning of another category from a file of ours is a mistake of ours.
    ours = [w for w in caught if issubclass(w.category, AssetWarning)]
    stray = [w for w in caught if w not in ours and Path(w.filename).is_relative_to(PACKAGE)]
    assert not stray, [str(w) for w in stray]
    return asset, [str(w.message) for w in ours]


def poses(asset: Asset, dofs: dict[str, float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pose of every link in the file's frame, with one-DOF joints at the given positions."""
    out: list[tuple[np.ndarray, np.ndarray]] = []
    for index, link in enumerate(asset.links):
        pose = (np.array(link.pos), np.array(link.quat))
        if link.parent >= 0:
            pose = transform_compose(out[link.parent], pose)
        for joint in (j for j in asset.joints if j.link == index and j.kind is not JointKind.FIXED):
            q, axis, anchor = dofs.get(joint.name, 0.0), np.array(joint.axis), np.array(joint.pos)
            if joint.kind is JointKind.PRISMATIC:
                motion = (q * axis, np.array(IDENTITY))
            else:
                quat = quat_from_axis_angle(axis, q)
                motion = (anchor - quat_rotate(quat, anchor), quat)
            pose = transform_compose(pose, motion)
        out.append(pose)
    return {link.name: pose for link, pose in zip(asset.links, out, strict=True)}


def agree_with_mujoco(asset: Asset, model: mujoco.MjModel, seed: int = 0) -> None:
    """Poses at random joint positions, and mass properties, equal those of every body of `model`."""
    rng = np.random.default_rng(seed)
    data = mujoco.MjData(model)
    dofs = {}
    for j in range(model.njnt):
        if int(model.jnt_type[j]) in (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)):
            dofs[model.joint(j).name] = data.qpos[model.jnt_qposadr[j]] = rng.uniform(-1, 1)
    assert dofs
    mujoco.mj_kinematics(model, data)
    mine = poses(asset, dofs)
    links = {link.name: link for link in asset.links}
    for b in range(1, model.nbody):
        name = model.body(b).name or f"body_{b}"
        np.testing.assert_allclose(mine[name][0], data.xpos[b], atol=1e-6, err_msg=name)
        np.testing.assert_allclose(quat_to_matrix(mine[name][1]), data.xmat[b].reshape(3, 3), atol=1e-6, err_msg=name)
        rot = np.zeros(9)
        mujoco.mju_quat2Mat(rot, model.body_iquat[b])
        rot = rot.reshape(3, 3)
        link = links[name]
        np.testing.assert_allclose(link.mass, model.body_mass[b], rtol=1e-6)
        np.testing.assert_allclose(link.com, model.body_ipos[b], atol=1e-6)
        inertia = rot @ np.diag(model.body_inertia[b]) @ rot.T
        np.testing.assert_allclose(matrix(link.inertia), inertia, atol=1e-5 * np.abs(inertia).max(), err_msg=name)
