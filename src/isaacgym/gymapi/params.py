"""Parameters a client fills in: simulation, ground, terrain, camera, asset import. Defaults are published ones.

What a field does in Kilogym, where it differs from the original, is in docs/migration.md; fields of the Flex
backend and of PhysX's buffers are kept and have no effect.
"""

from __future__ import annotations

from isaacgym.gymapi.enums import ContactCollection, MeshNormalMode, UpAxis, UsdMaterialMode
from isaacgym.gymapi.math_types import Transform, Vec3
from isaacgym.gymapi.struct import Struct, boolean, choice, integer, nested, real, string


class PhysXParams(Struct):
    """Solver settings. Lengths [m], speeds [m/s]."""

    __slots__ = ()
    always_use_articulations: bool = boolean(False)  # no effect: Kilogym always does
    bounce_threshold_velocity: float = real(0.2)
    contact_collection: ContactCollection = choice(ContactCollection.CC_ALL_SUBSTEPS)
    contact_offset: float = real(0.02)
    default_buffer_size_multiplier: float = real(2.0)  # no effect: buffers fit by construction
    friction_correlation_distance: float = real(0.025)  # no effect
    friction_offset_threshold: float = real(0.04)  # no effect
    max_depenetration_velocity: float = real(100.0)
    max_gpu_contact_pairs: int = integer(1024 * 1024)  # no effect
    num_position_iterations: int = integer(4)
    num_subscenes: int = integer(0)  # no effect
    num_threads: int = integer(0)  # no effect; see KILOGYM_CPU_THREADS
    num_velocity_iterations: int = integer(1)
    rest_offset: float = real(0.001)
    solver_type: int = integer(1)  # 0 PGS, 1 TGS
    use_gpu: bool = boolean(True)


class FlexParams(Struct):
    """Settings of the Flex backend, which does not exist here: accepted and without effect."""

    __slots__ = ()
    contact_regularization: float = real(1e-6)
    deterministic_mode: bool = boolean(False)
    dynamic_friction: float = real(0.5)
    friction_mode: int = integer(2)
    geometric_stiffness: float = real(1.0)
    max_rigid_contacts: int = integer(1048576)
    max_soft_contacts: int = integer(1048576)
    num_inner_iterations: int = integer(10)
    num_outer_iterations: int = integer(4)
    particle_friction: float = real(0.5)
    relaxation: float = real(0.75)
    return_contacts: bool = boolean(False)
    shape_collision_distance: float = real(0.0)
    shape_collision_margin: float = real(0.0)
    solver_type: int = integer(5)
    static_friction: float = real(0.5)
    warm_start: float = real(0.4)


def _down_y() -> Vec3:
    return Vec3(0.0, -9.8, 0.0)


def _up_y() -> Vec3:
    return Vec3(0.0, 1.0, 0.0)


class SimParams(Struct):
    """One simulation. Setting `up_axis` leaves `gravity` [m/s^2] as it is: set both."""

    __slots__ = ()
    dt: float = real(1.0 / 60.0)  # of one simulate() [s]
    enable_actor_creation_warning: bool = boolean(True)
    flex: FlexParams = nested(FlexParams)
    gravity: Vec3 = nested(_down_y)
    num_client_threads: int = integer(0)
    physx: PhysXParams = nested(PhysXParams)
    stress_visualization: bool = boolean(False)
    stress_visualization_max: float = real(100000.0)
    stress_visualization_min: float = real(0.0)
    substeps: int = integer(2)
    up_axis: UpAxis = choice(UpAxis.UP_AXIS_Y)
    use_gpu_pipeline: bool = boolean(False)


class PlaneParams(Struct):
    """The ground plane: normal . x = distance [m], in the global frame."""

    __slots__ = ()
    distance: float = real(0.0)
    dynamic_friction: float = real(1.0)
    normal: Vec3 = nested(_up_y)
    restitution: float = real(0.0)
    segmentation_id: int = integer(0)
    static_friction: float = real(1.0)


class HeightFieldParams(Struct):
    """A grid of heights; scales [m]."""

    __slots__ = ()
    column_scale: float = real(1.0)
    dynamic_friction: float = real(1.0)
    nbColumns: int = integer(0)
    nbRows: int = integer(0)
    restitution: float = real(0.0)
    row_scale: float = real(1.0)
    segmentation_id: int = integer(0)
    static_friction: float = real(1.0)
    transform: Transform = nested(Transform)
    vertical_scale: float = real(1.0)


class TriangleMeshParams(Struct):
    """A static triangle mesh."""

    __slots__ = ()
    dynamic_friction: float = real(1.0)
    nb_triangles: int = integer(0)
    nb_vertices: int = integer(0)
    restitution: float = real(0.0)
    segmentation_id: int = integer(0)
    static_friction: float = real(1.0)
    transform: Transform = nested(Transform)


class CameraProperties(Struct):
    """A camera: size [pixels], horizontal field of view [degrees], clip planes [m]."""

    __slots__ = ()
    enable_tensors: bool = boolean(False)
    far_plane: float = real(2000000.0)
    height: int = integer(900)
    horizontal_fov: float = real(90.0)
    near_plane: float = real(0.001)
    supersampling_horizontal: int = integer(1)
    supersampling_vertical: int = integer(1)
    use_collision_geometry: bool = boolean(False)
    width: int = integer(1600)


class VhacdParams(Struct):
    """Convex decomposition."""

    __slots__ = ()
    alpha: float = real(0.05)
    beta: float = real(0.05)
    concavity: float = real(0.0)
    convex_hull_approximation: bool = boolean(True)
    convex_hull_downsampling: int = integer(4)
    max_convex_hulls: int = integer(64)
    max_num_vertices_per_ch: int = integer(64)
    min_volume_per_ch: float = real(0.0001)
    mode: int = integer(0)
    ocl_acceleration: bool = boolean(True)
    pca: int = integer(0)
    plane_downsampling: int = integer(4)
    project_hull_vertices: bool = boolean(True)
    resolution: int = integer(100000)


class AssetOptions(Struct):
    """How a file is imported."""

    __slots__ = ()
    angular_damping: float = real(0.5)  # 1/s
    armature: float = real(0.0)  # kg m^2 or kg
    collapse_fixed_joints: bool = boolean(False)
    convex_decomposition_from_submeshes: bool = boolean(False)
    default_dof_drive_mode: int = integer(0)  # a DofDriveMode
    density: float = real(1000.0)  # kg/m^3, where the file gives no mass
    disable_gravity: bool = boolean(False)
    enable_gyroscopic_forces: bool = boolean(True)
    fix_base_link: bool = boolean(False)
    flip_visual_attachments: bool = boolean(False)
    linear_damping: float = real(0.0)  # 1/s
    max_angular_velocity: float = real(64.0)  # rad/s
    max_linear_velocity: float = real(1000.0)  # m/s
    mesh_normal_mode: MeshNormalMode = choice(MeshNormalMode.FROM_ASSET)
    min_particle_mass: float = real(1e-12)  # kg
    override_com: bool = boolean(False)
    override_inertia: bool = boolean(False)
    replace_cylinder_with_capsule: bool = boolean(False)
    slices_per_cylinder: int = integer(20)
    tendon_limit_stiffness: float = real(1.0)
    thickness: float = real(0.02)  # m
    use_mesh_materials: bool = boolean(False)
    use_physx_armature: bool = boolean(True)
    vhacd_enabled: bool = boolean(False)
    vhacd_params: VhacdParams = nested(VhacdParams)


class OmniConnectionParams(Struct):
    """An Omniverse connection, which does not exist here."""

    __slots__ = ()
    enable_cache: bool = boolean(False)
    enable_debug_output: bool = boolean(False)
    password: str = string()
    server: str = string()
    username: str = string()


class UsdExportOptions(Struct):
    """How USD would be written."""

    __slots__ = ()
    export_physics: bool = boolean(True)
    material_mode: UsdMaterialMode = choice(UsdMaterialMode.USD_MATERIAL_DISPLAY_COLOR)
    scale: float = real(1.0)
    single_file: bool = boolean(False)
    use_geom_subsets: bool = boolean(False)
    use_physics_visuals: bool = boolean(False)
