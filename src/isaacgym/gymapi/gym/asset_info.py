"""Gym, section "asset introspection"."""

from __future__ import annotations

import numpy as np

from isaacgym.gymapi.body_properties import (
    ActuatorProperties,
    RigidShapeProperties,
    SoftMaterial,
    TendonProperties,
)
from isaacgym.gymapi.enums import DofType, JointType
from isaacgym.gymapi.gym import convert
from isaacgym.gymapi.gym.checks import find, finite, kilogym_asset, name_dict, need, pick
from isaacgym.gymapi.gym.status import on_failure
from isaacgym.gymapi.handles import Asset
from isaacgym.gymapi.records import IndexRange


def body_names(asset: Asset) -> list[str]:
    """Names of an asset's bodies, in order."""
    return [link.name for link in kilogym_asset(asset).links]


def joint_names(asset: Asset) -> list[str]:
    """Names of an asset's joints, in order."""
    return [joint.name for joint in kilogym_asset(asset).joints]


def _tendon_rows(asset: Asset) -> np.ndarray:
    """TENDON_PROPERTIES of an asset, edited or as in its file, a copy."""
    from kilogym.scene.couplings import tendon_properties

    return tendon_properties(kilogym_asset(asset)) if asset.tendons is None else asset.tendons.copy()


def _coefficients(asset: Asset) -> np.ndarray:
    """Coefficients of all tendons' joints of an asset, a copy."""
    from kilogym.scene.couplings import tendon_coefficients

    kept = asset.tendon_coefficients
    return tendon_coefficients(kilogym_asset(asset)) if kept is None else kept.copy()


class AssetInfoCalls:
    """What an asset consists of. Names that are not there give -1; indices out of range raise IndexError."""

    def get_asset_rigid_body_count(self, asset: Asset) -> int:
        """Bodies, after fixed joints were collapsed."""
        return len(kilogym_asset(asset).links)

    def get_asset_rigid_body_name(self, asset: Asset, index: int) -> str:
        """Name of a body."""
        return pick(body_names(asset), index, "body")

    def get_asset_rigid_body_names(self, asset: Asset) -> list[str]:
        """Names in body order."""
        return body_names(asset)

    def get_asset_rigid_body_dict(self, asset: Asset) -> dict[str, int]:
        """Name -> index."""
        return name_dict(body_names(asset))

    def find_asset_rigid_body_index(self, asset: Asset, name: str) -> int:
        """Index of a body, -1 if there is none."""
        return find(body_names(asset), name)

    def get_asset_rigid_shape_count(self, asset: Asset) -> int:
        """Collision shapes of all bodies."""
        return len(kilogym_asset(asset).shapes)

    def get_asset_rigid_shape_properties(self, asset: Asset) -> list[RigidShapeProperties]:
        """Copies, in shape order."""
        return convert.shape_objects(need(Asset, asset).shapes)

    @on_failure(False)
    def set_asset_rigid_shape_properties(self, asset: Asset, props: list[RigidShapeProperties]) -> bool:
        """Give the properties to actors created from now on."""
        what = f"shape properties of asset {kilogym_asset(asset).name!r}"
        asset.shapes = convert.shape_rows(props, asset.shapes.copy(), what)
        asset.shapes_edited = True
        return True

    def get_asset_rigid_body_shape_indices(self, asset: Asset) -> list[IndexRange]:
        """Per body, its stretch of the shape list."""
        return convert.shape_ranges(kilogym_asset(asset))

    def get_asset_joint_count(self, asset: Asset) -> int:
        """Joints, fixed ones included that were not collapsed."""
        return len(kilogym_asset(asset).joints)

    def get_asset_joint_name(self, asset: Asset, index: int) -> str:
        """Name of a joint."""
        return pick(joint_names(asset), index, "joint")

    def get_asset_joint_names(self, asset: Asset) -> list[str]:
        """Names in joint order."""
        return joint_names(asset)

    def get_asset_joint_dict(self, asset: Asset) -> dict[str, int]:
        """Name -> index."""
        return name_dict(joint_names(asset))

    def get_asset_joint_type(self, asset: Asset, index: int) -> JointType:
        """Kind of a joint."""
        return convert.joint_type(pick(kilogym_asset(asset).joints, index, "joint"))

    def find_asset_joint_index(self, asset: Asset, name: str) -> int:
        """Index of a joint, -1 if there is none."""
        return find(joint_names(asset), name)

    def get_joint_type_string(self, type: JointType) -> str:
        """ "Fixed", "Revolute", "Prismatic" ..."""
        return JointType(int(type)).name.removeprefix("JOINT_").capitalize()

    def get_asset_dof_count(self, asset: Asset) -> int:
        """DOFs; a ball joint has three."""
        return kilogym_asset(asset).num_dofs

    def get_asset_dof_name(self, asset: Asset, index: int) -> str:
        """Name of a DOF."""
        return pick(kilogym_asset(asset).dof_names(), index, "DOF")

    def get_asset_dof_names(self, asset: Asset) -> list[str]:
        """Names in the order of every DOF tensor."""
        return kilogym_asset(asset).dof_names()

    def get_asset_dof_dict(self, asset: Asset) -> dict[str, int]:
        """Name -> index."""
        return name_dict(kilogym_asset(asset).dof_names())

    def get_asset_dof_type(self, asset: Asset, index: int) -> DofType:
        """Whether a DOF turns or slides."""
        return convert.dof_type(pick(kilogym_asset(asset).dof_joints(), index, "DOF"))

    def get_dof_type_string(self, type: DofType) -> str:
        """ "Rotation", "Translation" or "Invalid"."""
        return DofType(int(type)).name.removeprefix("DOF_").capitalize()

    def find_asset_dof_index(self, asset: Asset, name: str) -> int:
        """Index of a DOF, -1 if there is none."""
        return find(kilogym_asset(asset).dof_names(), name)

    def get_asset_dof_properties(self, asset: Asset) -> np.ndarray:
        """DOF properties as imported: a structured array of your own, to edit and hand to an actor."""
        from kilogym.scene.properties import dof_properties

        return dof_properties(kilogym_asset(asset))

    def get_asset_actuator_count(self, asset: Asset) -> int:
        """Actuators of an MJCF file."""
        return len(kilogym_asset(asset).actuators)

    def get_asset_actuator_name(self, asset: Asset, index: int) -> str:
        """Name of an actuator."""
        return pick(kilogym_asset(asset).actuators, index, "actuator").name

    def get_asset_actuator_joint_name(self, asset: Asset, index: int) -> str:
        """Name of the joint that an actuator drives."""
        return pick(kilogym_asset(asset).actuators, index, "actuator").joint

    def get_asset_actuator_properties(self, asset: Asset) -> list[ActuatorProperties]:
        """In file order; `motor_effort` of a motor is its gear."""
        return convert.actuator_objects(kilogym_asset(asset))

    def find_asset_actuator_index(self, asset: Asset, name: str) -> int:
        """Index of an actuator, -1 if there is none."""
        return find([a.name for a in kilogym_asset(asset).actuators], name)

    def get_asset_tendon_count(self, asset: Asset) -> int:
        """Tendons of an MJCF file."""
        return len(kilogym_asset(asset).tendons)

    def get_asset_tendon_name(self, asset: Asset, index: int) -> str:
        """Name of a tendon."""
        return pick(kilogym_asset(asset).tendons, index, "tendon").name

    def get_asset_tendon_properties(self, asset: Asset) -> list[TendonProperties]:
        """In file order."""
        return convert.tendon_objects(kilogym_asset(asset), _tendon_rows(asset))

    @on_failure(False)
    def set_asset_tendon_properties(self, asset: Asset, props: list[TendonProperties]) -> bool:
        """Give the properties to actors created from now on."""
        what = f"tendon properties of asset {kilogym_asset(asset).name!r}"
        asset.tendons = convert.tendon_rows(props, _tendon_rows(asset), what)
        return True

    def find_asset_tendon_index(self, asset: Asset, name: str) -> int:
        """Index of a tendon, -1 if there is none."""
        return find([t.name for t in kilogym_asset(asset).tendons], name)

    def get_asset_fixed_tendon_joint_name(self, asset: Asset, tendon: int, joint_index: int) -> str:
        """Name of a joint of a tendon."""
        return pick(pick(kilogym_asset(asset).tendons, tendon, "tendon").joints, joint_index, "joint of the tendon")

    def get_asset_fixed_tendon_joint_coefficients(self, asset: Asset, tendon: int) -> list[float]:
        """Coefficients of a tendon's joints."""
        return _coefficients(asset)[convert.tendon_joints(kilogym_asset(asset), tendon)].tolist()

    @on_failure(False)
    def set_asset_fixed_tendon_joint_coefficients(self, asset: Asset, tendon: int, coefficients: list[float]) -> bool:
        """Give the coefficients to actors created from now on."""
        here = convert.tendon_joints(kilogym_asset(asset), tendon)
        convert.check_count(coefficients, here.stop - here.start, "tendon coefficients")
        values = _coefficients(asset)
        values[here] = finite([float(c) for c in coefficients], "tendon coefficients")
        asset.tendon_coefficients = values
        return True

    def get_asset_soft_body_count(self, asset: Asset) -> int:
        """0: assets have no soft bodies."""
        kilogym_asset(asset)
        return 0

    def get_asset_soft_materials(self, asset: Asset) -> list[SoftMaterial]:
        """Empty: assets have no soft bodies."""
        kilogym_asset(asset)
        return []
