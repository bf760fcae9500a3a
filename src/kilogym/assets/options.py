"""How a file is to be imported: what Isaac Gym's AssetOptions means for an importer, under its names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from kilogym.assets.asset import BodyOptions, DriveMode
from kilogym.assets.decomposition_options import DecompositionOptions
from kilogym.assets.errors import AssetError


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; the defaults are Isaac Gym's.

    `density` [kg/m^3] serves where the file gives neither mass nor density. `armature` [kg m^2 or kg] serves
    DOFs whose file gives none. `default_dof_drive_mode` is for DOFs that no actuator of the file drives.
    Meshes that collide do so as their convex hulls; with `convex_decomposition_from_submeshes` as the hulls of the
    objects in their files, and else with `vhacd_enabled` as the parts that :mod:`decomposition` finds. With
    `sdf_resolution` > 0, which Isaac Gym has not, they collide by signed distance fields of that many cells along the
    longest side, as meshes do whose file asks for it (:mod:`distance_field`); then nothing is decomposed.
    """

    fix_base_link: bool = False
    collapse_fixed_joints: bool = False
    disable_gravity: bool = False
    flip_visual_attachments: bool = False
    default_dof_drive_mode: DriveMode = DriveMode.NONE
    density: float = 1000.0  # kg/m^3
    armature: float = 0.0  # kg m^2 or kg
    use_physx_armature: bool = True
    linear_damping: float = 0.0  # 1/s
    angular_damping: float = 0.5  # 1/s
    max_linear_velocity: float = 1000.0  # m/s
    max_angular_velocity: float = 64.0  # rad/s
    enable_gyroscopic_forces: bool = True
    thickness: float = 0.02  # m
    override_com: bool = False
    override_inertia: bool = False
    replace_cylinder_with_capsule: bool = False
    slices_per_cylinder: int = 20
    use_mesh_materials: bool = False
    mesh_normal_mode: int = 0
    convex_decomposition_from_submeshes: bool = False
    vhacd_enabled: bool = False
    vhacd_params: DecompositionOptions = field(default_factory=DecompositionOptions)
    sdf_resolution: int = 0
    tendon_limit_stiffness: float = 1.0
    min_particle_mass: float = 1e-12  # kg

    def __post_init__(self) -> None:
        object.__setattr__(self, "default_dof_drive_mode", DriveMode(int(self.default_dof_drive_mode)))
        for name, low in (
            ("density", 0.0),
            ("armature", 0.0),
            ("linear_damping", 0.0),
            ("angular_damping", 0.0),
            ("max_linear_velocity", 0.0),
            ("max_angular_velocity", 0.0),
        ):
            value = float(getattr(self, name))
            if not math.isfinite(value) or value < low:
                raise AssetError(f"option {name} is out of range", expected=f"a number >= {low}", got=repr(value))

    def body_options(self) -> BodyOptions:
        """The part that speaks of the bodies' motion."""
        return BodyOptions(
            disable_gravity=bool(self.disable_gravity),
            linear_damping=float(self.linear_damping),
            angular_damping=float(self.angular_damping),
            max_linear_velocity=float(self.max_linear_velocity),
            max_angular_velocity=float(self.max_angular_velocity),
            gyroscopic_forces=bool(self.enable_gyroscopic_forces),
        )
