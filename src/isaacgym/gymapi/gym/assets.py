"""Gym, section "assets: loading and creation"."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from isaacgym.gymapi.body_properties import ForceSensorProperties, SoftMaterial
from isaacgym.gymapi.gym.checks import as_sim, kilogym_asset, need, pick, pose_numbers
from isaacgym.gymapi.gym.status import missing, on_failure
from isaacgym.gymapi.handles import Asset, Sim
from isaacgym.gymapi.math_types import Transform
from isaacgym.gymapi.params import AssetOptions

_SOFT = "soft bodies are not simulated yet"


class AssetCalls:
    """Make assets of files and sizes. Failures return None and log the reason."""

    @on_failure(None)
    def load_asset(self, sim: Sim, rootpath: str, filename: str, options: AssetOptions | None = None) -> Asset | None:
        """Import a .urdf, or a .xml or .mjcf (MJCF) file.

        Args:
            rootpath: Asset folder, absolute or relative to the working directory.
            filename: File in it.
            options: How to import.
        """
        from kilogym.assets import load_asset

        as_sim(sim)
        return _handle(sim, load_asset(rootpath, filename, _import_options(options)))

    @on_failure(None)
    def load_urdf(self, sim: Sim, rootpath: str, filename: str, options: AssetOptions | None = None) -> Asset | None:
        """Import a URDF file, whatever its extension."""
        from pathlib import Path

        from kilogym.assets.urdf import load_urdf

        as_sim(sim)
        root = Path(rootpath)
        return _handle(sim, load_urdf(root / filename, _import_options(options), root.resolve()))

    @on_failure(None)
    def load_mjcf(self, sim: Sim, rootpath: str, filename: str, options: AssetOptions | None = None) -> Asset | None:
        """Import an MJCF file, whatever its extension."""
        from pathlib import Path

        from kilogym.assets.mjcf import load_mjcf

        as_sim(sim)
        return _handle(sim, load_mjcf(Path(rootpath) / filename, _import_options(options)))

    @missing("USD files are not read yet; export the robot to URDF or MJCF")
    def load_usd(self, sim: Sim, rootpath: str, filename: str, options: AssetOptions | None = None) -> Asset:
        """Import a USD file."""
        raise AssertionError

    @missing("OpenSim files are not read yet; export the model to URDF or MJCF")
    def load_opensim(self, sim: Sim, rootpath: str, filename: str, options: AssetOptions | None = None) -> Asset:
        """Import an OpenSim file."""
        raise AssertionError

    @on_failure(None)
    def create_box(
        self, sim: Sim, width: float, height: float, depth: float, options: AssetOptions | None = None
    ) -> Asset | None:
        """A box of full sides along x, y, z [m]; its body is called "box"."""
        from kilogym.assets import make_box

        return _handle(as_sim(sim), make_box(width, height, depth, _import_options(options)))

    @on_failure(None)
    def create_sphere(self, sim: Sim, radius: float, options: AssetOptions | None = None) -> Asset | None:
        """A ball of `radius` [m]; its body is called "sphere"."""
        from kilogym.assets import make_sphere

        return _handle(as_sim(sim), make_sphere(radius, _import_options(options)))

    @on_failure(None)
    def create_capsule(
        self, sim: Sim, radius: float, width: float, options: AssetOptions | None = None
    ) -> Asset | None:
        """A capsule along x whose cylinder part is `width` long [m]; its body is called "capsule"."""
        from kilogym.assets import make_capsule

        return _handle(as_sim(sim), make_capsule(radius, width, _import_options(options)))

    @missing(_SOFT)
    def create_cloth_grid(self, sim: Sim, nx: int, ny: int, dx: float, dy: float) -> Asset:
        """A cloth of particles."""
        raise AssertionError

    @missing(_SOFT)
    def create_tet_grid(
        self,
        sim: Sim,
        material: SoftMaterial,
        nx: int,
        ny: int,
        nz: int,
        dx: float,
        dy: float,
        dz: float,
        density: float,
        fix_bottom: bool,
        fix_top: bool,
        fix_left: bool,
        fix_right: bool,
        options: AssetOptions | None = None,
    ) -> Asset:
        """A block of tetrahedra."""
        raise AssertionError

    @on_failure(-1)
    def create_asset_force_sensor(
        self, asset: Asset, body_idx: int, local_pose: Transform, props: ForceSensorProperties | None = None
    ) -> int:
        """Add a force sensor to every actor made of `asset` from now on.

        Args:
            body_idx: Index of the body. local_pose: Of the sensor, in the body's frame [m].
            props: What it sums, and in which axes.

        Returns:
            Index of the sensor in the asset.
        """
        from kilogym.assets.asset import Sensor

        links = kilogym_asset(asset).links
        pick(links, body_idx, f"body of asset {asset.asset.name!r}")
        if props is not None:
            need(ForceSensorProperties, props, "props")
        props = props or ForceSensorProperties()
        pos, quat = pose_numbers(local_pose)
        sensor = Sensor(
            link=int(body_idx),
            pos=pos,
            quat=quat,
            forward_dynamics=props.enable_forward_dynamics_forces,
            constraint_solver=props.enable_constraint_solver_forces,
            world_frame=props.use_world_frame,
        )
        return asset.add_sensor(sensor)

    def debug_print_asset(self, asset: Asset, outpath: str | None = None) -> None:
        """Write what was imported, readable, to standard output or to the file `outpath`."""
        text = "\n".join(_describe(kilogym_asset(asset))) + "\n"
        if outpath is None:
            sys.stdout.write(text)
            return
        with open(outpath, "w", encoding="utf-8") as file:
            file.write(text)


def _handle(sim: Sim, asset: Any) -> Asset:
    from kilogym.scene.properties import shape_properties

    physx = sim.params.physx
    return Asset(asset, shape_properties(asset, physx.contact_offset, physx.rest_offset))


def _import_options(options: AssetOptions | None) -> Any:
    from kilogym.assets import ImportOptions
    from kilogym.assets.decomposition_options import DecompositionOptions

    if options is None:
        return ImportOptions()
    need(AssetOptions, options, "options")
    own = {"sdf_resolution"}  # of kilogym alone
    names = [field.name for field in dataclasses.fields(ImportOptions) if field.name not in own]
    values: dict[str, Any] = {name: getattr(options, name) for name in names}
    names = [field.name for field in dataclasses.fields(DecompositionOptions)]
    values["vhacd_params"] = DecompositionOptions(**{name: getattr(options.vhacd_params, name) for name in names})
    return ImportOptions(**values)


def _describe(asset: Any) -> list[str]:
    lines = [f"asset {asset.name!r} from {asset.source}, {'fixed' if asset.fixed_base else 'floating'} base"]
    lines.append(f"bodies ({len(asset.links)})")
    for index, link in enumerate(asset.links):
        lines.append(f"  {index} {link.name!r} parent {link.parent} mass {link.mass:.6g} kg com {link.com}")
    lines.append(f"joints ({len(asset.joints)}), {asset.num_dofs} DOFs")
    for index, joint in enumerate(asset.joints):
        limits = f"limits {joint.lower:.6g} .. {joint.upper:.6g}" if joint.has_limits else "no limits"
        lines.append(f"  {index} {joint.name!r} {joint.kind.value} on body {joint.link} axis {joint.axis} {limits}")
    lines.append(f"shapes ({len(asset.shapes)})")
    for index, shape in enumerate(asset.shapes):
        lines.append(f"  {index} {shape.kind.value} on body {shape.link} size {shape.size} at {shape.pos}")
    return lines
