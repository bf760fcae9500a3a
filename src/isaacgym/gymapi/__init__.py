"""The API of Isaac Gym: structs, enums, constants, and `acquire_gym`, which returns the one `Gym`."""

from __future__ import annotations

from isaacgym.gymapi import constants as _constants
from isaacgym.gymapi import enums as _enums
from isaacgym.gymapi.body_properties import (
    ActuatorProperties,
    AttractorProperties,
    ForceSensorProperties,
    RigidBodyProperties,
    RigidShapeProperties,
    SoftMaterial,
    TendonProperties,
)
from isaacgym.gymapi.constants import *  # noqa: F403
from isaacgym.gymapi.enums import (
    CameraFollowMode,
    ContactCollection,
    CoordinateSpace,
    DofDriveMode,
    DofType,
    ImageType,
    IndexDomain,
    JointType,
    KeyboardInput,
    MeshNormalMode,
    MeshType,
    MouseInput,
    SimType,
    SoftMaterialType,
    TendonType,
    TensorDataType,
    UpAxis,
    UsdMaterialMode,
)
from isaacgym.gymapi.gym import Gym
from isaacgym.gymapi.gym.controls import ForceSensor
from isaacgym.gymapi.handles import Asset, Env, Sim, UsdExporter
from isaacgym.gymapi.math_types import Int2, Int3, Mat33, Mat44, Quat, Transform, Vec2, Vec3, Velocity
from isaacgym.gymapi.params import (
    AssetOptions,
    CameraProperties,
    FlexParams,
    HeightFieldParams,
    OmniConnectionParams,
    PhysXParams,
    PlaneParams,
    SimParams,
    TriangleMeshParams,
    UsdExportOptions,
    VhacdParams,
)
from isaacgym.gymapi.records import (
    ActionEvent,
    DofFrame,
    DofState,
    IndexRange,
    ParticleState,
    PerformanceTimers,
    RigidBodyState,
    RigidContact,
    SoftContact,
    SpatialForce,
    Version,
)
from isaacgym.gymapi.tensor import Tensor
from isaacgym.gymapi.vector_math import (
    cross,
    dot,
    eulers_to_quats_zyx,
    quats_to_eulers_zyx,
    rotate,
    rotate_inverse,
    transform,
    transform_inverse,
)
from isaacgym.gymapi.viewer import Viewer

# every member of every enum, at module level too
_members = {name: member for kind in _enums.ENUMS for name, member in kind.__members__.items()}
globals().update(_members)

_THE_GYM = Gym()


def acquire_gym(*args: object) -> Gym:
    """The one `Gym` of this process."""
    return _THE_GYM


def carb_init(config_str: str = "") -> bool:
    """Accepted: there is no framework to start."""
    return True


__all__ = [
    "ActionEvent",
    "ActuatorProperties",
    "Asset",
    "AssetOptions",
    "AttractorProperties",
    "CameraFollowMode",
    "CameraProperties",
    "ContactCollection",
    "CoordinateSpace",
    "DofDriveMode",
    "DofFrame",
    "DofState",
    "DofType",
    "Env",
    "FlexParams",
    "ForceSensor",
    "ForceSensorProperties",
    "Gym",
    "HeightFieldParams",
    "ImageType",
    "IndexDomain",
    "IndexRange",
    "Int2",
    "Int3",
    "JointType",
    "KeyboardInput",
    "Mat33",
    "Mat44",
    "MeshNormalMode",
    "MeshType",
    "MouseInput",
    "OmniConnectionParams",
    "ParticleState",
    "PerformanceTimers",
    "PhysXParams",
    "PlaneParams",
    "Quat",
    "RigidBodyProperties",
    "RigidBodyState",
    "RigidContact",
    "RigidShapeProperties",
    "Sim",
    "SimParams",
    "SimType",
    "SoftContact",
    "SoftMaterial",
    "SoftMaterialType",
    "SpatialForce",
    "TendonProperties",
    "TendonType",
    "Tensor",
    "TensorDataType",
    "Transform",
    "TriangleMeshParams",
    "UpAxis",
    "UsdExportOptions",
    "UsdExporter",
    "UsdMaterialMode",
    "Vec2",
    "Vec3",
    "Velocity",
    "Version",
    "VhacdParams",
    "Viewer",
    "acquire_gym",
    "carb_init",
    "cross",
    "dot",
    "eulers_to_quats_zyx",
    "quats_to_eulers_zyx",
    "rotate",
    "rotate_inverse",
    "transform",
    "transform_inverse",
    *(name for name in dir(_constants) if name.isupper()),
    *_members,
]
