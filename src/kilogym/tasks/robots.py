"""Robots that tasks move: those of installed packages, and changes to assets that several tasks make."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping

from kilogym.assets.asset import Asset, DriveMode, JointKind
from kilogym.assets.errors import AssetWarning
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.assets.packages import example_robot_file


def example_robot(file: str, options: ImportOptions) -> Asset:
    """A robot of the package example-robot-data.

    Args:
        file: Relative to the package's `robots` folder, as in "panda_description/urdf/panda.urdf".
        options: How to import it. Tags that are ignored are not reported: the file is not the user's.

    Raises:
        MissingPackageError: the package or the file is not there.
    """
    example_robot_file(file)  # or it says how to get it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssetWarning)
        return load_asset(example_robot_file(""), file, options)


def with_drives(asset: Asset, **values: float | Mapping[str, float]) -> Asset:
    """The asset with a position drive on every DOF.

    Args:
        asset: The robot.
        values: Fields of `Joint` (stiffness, damping, effort, friction, armature ...) and their new value, one for all
            joints or by the joint's name; joints that a mapping leaves out keep theirs.
    """

    def changed(joint):  # type: ignore[no-untyped-def]
        if joint.kind is JointKind.FIXED:
            return joint
        new = {}
        for name, value in values.items():
            new[name] = value.get(joint.name, getattr(joint, name)) if isinstance(value, Mapping) else value
        return dataclasses.replace(joint, drive_mode=DriveMode.POSITION, **new)

    return dataclasses.replace(asset, joints=tuple(changed(joint) for joint in asset.joints))
