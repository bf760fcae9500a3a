"""A file name -> Asset, by its extension."""

from __future__ import annotations

from pathlib import Path

from kilogym.assets.asset import Asset
from kilogym.assets.errors import AssetError
from kilogym.assets.mjcf import load_mjcf
from kilogym.assets.options import ImportOptions
from kilogym.assets.urdf import load_urdf

_LATER = {".usd": "USD", ".usda": "USD", ".usdc": "USD", ".usdz": "USD", ".osim": "OpenSim"}


def load_asset(root: str | Path, filename: str, options: ImportOptions | None = None) -> Asset:
    """Import a robot or object.

    Args:
        root: Asset folder, absolute or relative to the working directory.
        filename: File in it: .urdf, or .xml / .mjcf (MJCF).
        options: How to import; Isaac Gym's defaults when None.

    Raises:
        AssetError: The file is missing or broken; the message says where and what to do.
        NotImplementedError: The format or a requested option is not supported yet.
    """
    path = Path(root) / filename
    suffix = path.suffix.lower()
    if suffix in _LATER:
        raise NotImplementedError(
            f"{path}: {_LATER[suffix]} files are not read yet. Export the robot to URDF (.urdf) or MJCF (.xml)."
        )
    if not path.is_file():
        raise AssetError(
            "asset file not found",
            file=str(path),
            got=f"root {str(root)!r}, file {filename!r}",
            expected="a file",
            hint=_nearby(path),
        )
    if suffix == ".urdf":
        return load_urdf(path, options, Path(root).resolve())
    if suffix in (".xml", ".mjcf"):
        return load_mjcf(path, options)
    raise AssetError(
        f"extension {suffix or '(none)'} is not known",
        file=str(path),
        expected=".urdf, .xml or .mjcf",
        hint="rename the file after what it contains",
    )


def _nearby(path: Path) -> str:
    """What there is where the file was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder.absolute()}; check the asset root"
    names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in (".urdf", ".xml", ".mjcf"))
    return f"{folder.absolute()} holds {', '.join(names[:20])}" if names else f"{folder.absolute()} holds no assets"
