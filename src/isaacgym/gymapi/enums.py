"""The enums. Members exist on the class and, re-exported by gymapi, at module level."""

from __future__ import annotations

import enum


class SimType(enum.IntEnum):
    """Physics backends of the original; Kilogym has one of its own for both names."""

    SIM_PHYSX = 0
    SIM_FLEX = 1


class UpAxis(enum.IntEnum):
    """Which axis points up; it places the grid of envs and does not turn gravity."""

    UP_AXIS_Y = 0
    UP_AXIS_Z = 1


class ContactCollection(enum.IntEnum):
    """Which substeps the net contact forces are taken of."""

    CC_NEVER = 0
    CC_LAST_SUBSTEP = 1
    CC_ALL_SUBSTEPS = 2


class DofDriveMode(enum.IntEnum):
    """What a DOF follows; commands for another mode are ignored."""

    DOF_MODE_NONE = 0
    DOF_MODE_POS = 1
    DOF_MODE_VEL = 2
    DOF_MODE_EFFORT = 3


class DofType(enum.IntEnum):
    """How a DOF moves."""

    DOF_INVALID = 0
    DOF_ROTATION = 1
    DOF_TRANSLATION = 2


class JointType(enum.IntEnum):
    """Kinds of joints."""

    JOINT_INVALID = 0
    JOINT_FIXED = 1
    JOINT_REVOLUTE = 2
    JOINT_PRISMATIC = 3
    JOINT_BALL = 4
    JOINT_PLANAR = 5
    JOINT_FLOATING = 6


class IndexDomain(enum.IntEnum):
    """What an index counts within."""

    DOMAIN_ACTOR = 0
    DOMAIN_ENV = 1
    DOMAIN_SIM = 2


class CoordinateSpace(enum.IntEnum):
    """Frame of forces and positions: the env's, the body's, the global one."""

    ENV_SPACE = 0
    LOCAL_SPACE = 1
    GLOBAL_SPACE = 2


class MeshType(enum.IntFlag):
    """Which geometry of a body is meant."""

    MESH_NONE = 0
    MESH_COLLISION = 1
    MESH_VISUAL = 2
    MESH_VISUAL_AND_COLLISION = 3


class MeshNormalMode(enum.IntEnum):
    """Where the normals of a mesh come from."""

    FROM_ASSET = 0
    COMPUTE_PER_VERTEX = 1
    COMPUTE_PER_FACE = 2


class ImageType(enum.IntEnum):
    """Kinds of camera images."""

    IMAGE_COLOR = 0
    IMAGE_DEPTH = 1
    IMAGE_SEGMENTATION = 2
    IMAGE_OPTICAL_FLOW = 3


class CameraFollowMode(enum.IntEnum):
    """How a camera on a body moves with it: position only, or the whole pose."""

    FOLLOW_POSITION = 0
    FOLLOW_TRANSFORM = 1


class TensorDataType(enum.IntEnum):
    """Element types of tensor descriptors."""

    DTYPE_FLOAT32 = 0
    DTYPE_UINT32 = 1
    DTYPE_UINT64 = 2
    DTYPE_UINT8 = 3
    DTYPE_INT16 = 4


class TendonType(enum.IntEnum):
    """Kinds of tendons."""

    TENDON_FIXED = 0
    TENDON_SPATIAL = 1


class SoftMaterialType(enum.IntEnum):
    """Constitutive models of soft bodies."""

    MAT_COROTATIONAL = 0
    MAT_NEOHOOKEAN = 1


class UsdMaterialMode(enum.IntEnum):
    """How materials are written to USD."""

    USD_MATERIAL_DISPLAY_COLOR = 0
    USD_MATERIAL_PREVIEW_SURFACE = 1
    USD_MATERIAL_MDL = 2


_MOUSE = (
    "LEFT_BUTTON RIGHT_BUTTON MIDDLE_BUTTON FORWARD_BUTTON BACK_BUTTON SCROLL_RIGHT SCROLL_LEFT SCROLL_UP "
    "SCROLL_DOWN MOVE_RIGHT MOVE_LEFT MOVE_UP MOVE_DOWN"
)
_KEYS = (
    "SPACE APOSTROPHE COMMA MINUS PERIOD SLASH 0 1 2 3 4 5 6 7 8 9 SEMICOLON EQUAL "
    "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z "
    "LEFT_BRACKET BACKSLASH RIGHT_BRACKET GRAVE_ACCENT ESCAPE TAB ENTER BACKSPACE INSERT DEL "
    "RIGHT LEFT DOWN UP PAGE_UP PAGE_DOWN HOME END CAPS_LOCK SCROLL_LOCK NUM_LOCK PRINT_SCREEN PAUSE "
    "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 "
    "NUMPAD_0 NUMPAD_1 NUMPAD_2 NUMPAD_3 NUMPAD_4 NUMPAD_5 NUMPAD_6 NUMPAD_7 NUMPAD_8 NUMPAD_9 "
    "NUMPAD_DEL NUMPAD_DIVIDE NUMPAD_MULTIPLY NUMPAD_SUBTRACT NUMPAD_ADD NUMPAD_ENTER NUMPAD_EQUAL "
    "LEFT_SHIFT LEFT_CONTROL LEFT_ALT LEFT_SUPER RIGHT_SHIFT RIGHT_CONTROL RIGHT_ALT RIGHT_SUPER MENU"
)

KeyboardInput = enum.IntEnum(  # type: ignore[misc]
    "KeyboardInput",
    {f"KEY_{name}": i for i, name in enumerate(_KEYS.split(), 1)},
    module=__name__,
)
MouseInput = enum.IntEnum(  # type: ignore[misc]
    "MouseInput", {f"MOUSE_{name}": i for i, name in enumerate(_MOUSE.split())}, module=__name__
)

ENUMS: tuple[type[enum.IntEnum] | type[enum.IntFlag], ...] = (
    SimType,
    UpAxis,
    ContactCollection,
    DofDriveMode,
    DofType,
    JointType,
    IndexDomain,
    CoordinateSpace,
    MeshType,
    MeshNormalMode,
    ImageType,
    CameraFollowMode,
    TensorDataType,
    TendonType,
    SoftMaterialType,
    UsdMaterialMode,
    KeyboardInput,
    MouseInput,
)
"""Every enum of the API."""
