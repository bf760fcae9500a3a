"""What the ground plane and all kinds of terrain have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """Material of something static, and its number in segmentation pictures.

    Over a pair of shape and surface friction and restitution are averaged.
    """

    static_friction: float = 1.0
    dynamic_friction: float = 1.0
    restitution: float = 0.0
    segmentation_id: int = 0

    def surface(self) -> dict[str, Any]:
        """These fields alone, for another surface of the same material."""
        return {item.name: getattr(self, item.name) for item in fields(Surface)}

    def check_surface(self) -> None:
        """Raise ValueError for the first number that cannot be meant."""
        for what in ("static_friction", "dynamic_friction", "restitution"):
            value = getattr(self, what)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{type(self).__name__}.{what}: expected a number >= 0, got {value}")
