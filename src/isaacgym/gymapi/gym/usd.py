"""Gym, section "USD export": not built yet."""

from __future__ import annotations

from typing import Any

from isaacgym.gymapi.gym.status import missing
from isaacgym.gymapi.handles import Asset, Sim, UsdExporter
from isaacgym.gymapi.params import UsdExportOptions

_USD = "USD is not written yet"


class UsdCalls:
    """Write USD."""

    @missing(_USD)
    def create_usd_exporter(self, options: UsdExportOptions | None = None) -> UsdExporter:
        """Make an exporter."""
        raise AssertionError

    @missing(_USD)
    def destroy_usd_exporter(self, exporter: UsdExporter) -> None:
        """Free an exporter."""

    @missing(_USD)
    def export_usd_asset(self, exporter: UsdExporter, asset: Asset, name: str) -> bool:
        """Write an asset."""
        raise AssertionError

    @missing(_USD)
    def export_usd_sim(self, exporter: UsdExporter, sim: Sim, name: str, dirName: str | None = None) -> Any:
        """Write a scene."""

    @missing(_USD)
    def get_usd_export_root(self, exporter: UsdExporter) -> str:
        """Folder of an exporter."""
        raise AssertionError

    @missing(_USD)
    def set_usd_export_root(self, exporter: UsdExporter, path: str) -> bool:
        """Set the folder of an exporter."""
        raise AssertionError
