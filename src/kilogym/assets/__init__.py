"""Files and sizes -> immutable assets."""

from kilogym.assets.asset import Asset
from kilogym.assets.errors import AssetError, AssetWarning
from kilogym.assets.load import load_asset
from kilogym.assets.options import ImportOptions
from kilogym.assets.procedural import make_box, make_capsule, make_sphere

__all__ = [
    "Asset",
    "AssetError",
    "AssetWarning",
    "ImportOptions",
    "load_asset",
    "make_box",
    "make_capsule",
    "make_sphere",
]
