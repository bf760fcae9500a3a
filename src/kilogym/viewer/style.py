"""How a picture looks: light, ground, sky and the colours of the actors. Colours are sRGB in 0..1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]

PALETTE: tuple[Color, ...] = (
    (0.90, 0.27, 0.21),  # coral
    (0.10, 0.45, 0.76),  # azure
    (0.97, 0.63, 0.10),  # amber
    (0.08, 0.58, 0.52),  # teal
    (0.38, 0.30, 0.72),  # iris
    (0.87, 0.35, 0.55),  # rose
    (0.42, 0.63, 0.20),  # leaf
    (0.91, 0.44, 0.13),  # orange
)
"""Colours that look well beside each other on the light ground, in the order actors get them."""


def actor_color(index: int) -> Color:
    """The palette's colour for actor `index`; neighbours in a row or a column of a grid rarely share one."""
    # a multiplicative hash: plain `index % 8` paints stripes on grids 8 or 16 wide
    return PALETTE[(index * 2654435761 % 2**32 >> 8) % len(PALETTE)]


def srgb_to_linear(color: Sequence[float] | np.ndarray) -> np.ndarray:
    """Linear light of sRGB values; both in 0..1."""
    c = np.clip(np.asarray(color, dtype=np.float64), 0.0, 1.0)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def tinted(colors: Sequence[Color | None], depths: Sequence[int], tint: Color) -> list[Color]:
    """Colour the visuals of one actor with one tint, keeping the tonal relations the file gives them.

    Visuals that are nearly black, white or grey in the file (feet, eyes) keep that colour, unless all are.
    Where the file says nothing, or one colour for all, links further from the root get lighter.

    Args:
        colors: The file's colour of each visual, or None.
        depths: Links between each visual's link and the root.
        tint: The actor's colour.
    """
    known = [c for c in colors if c is not None]
    neutral = [c is not None and max(c) - min(c) < 0.08 for c in colors]
    if all(neutral):
        neutral = [False] * len(colors)
    shades = {tuple(round(v, 3) for v in c) for c in known}
    base = np.asarray(tint)
    if len(shades) <= 1:
        return [_lighter(base, 0.07 * min(depth, 3)) for depth in depths]
    mean = float(np.mean([_luma(c) for c, n in zip(colors, neutral, strict=True) if c is not None and not n]))
    result: list[Color] = []
    for color, is_neutral in zip(colors, neutral, strict=True):
        if color is None:
            result.append(_lighter(base, 0.0))
        elif is_neutral:
            result.append(color)
        else:
            ratio = min(max(_luma(color) / max(mean, 1e-3), 0.55), 1.6)
            result.append(_lighter(base * min(ratio, 1.0), 0.7 * max(ratio - 1.0, 0.0)))
    return result


def _lighter(color: np.ndarray, share: float) -> Color:
    mixed = color + (1.0 - color) * share
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def _luma(color: Sequence[float]) -> float:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


@dataclass(frozen=True)
class Style:
    """Light and surroundings. The defaults are a bright, slightly hazy morning.

    Attributes:
        sun_azimuth: Degrees about up, counter-clockwise from the first ground axis (x for z-up, z for y-up).
        sun_elevation: Degrees above the horizon, 5..90.
        sun_size: Half opening angle of the sun [degrees]; shadows get softer with it. The real one has 0.27.
        sun: Colour of sunlight; sun_strength: its linear gain.
        sky_top, sky_horizon: The sky's colours; distant things fade into the horizon's.
        sky_strength: Linear gain of the sky's light on surfaces.
        ground, ground_alternate: The two tiles of the ground; line: the colour of the grid on it.
        tile: Side of a tile [m]; 0 draws a plain ground without lines.
        haze: Distance at which ground has mostly become horizon, in multiples of the eye's distance to its
            target, so that close-ups and overviews look alike; 0 = clear air.
        ao_range: Reach of contact darkening [m]; None = fitted to the sizes of the shapes.
        ao_strength: Darkest contact shadow, 0 (none) .. 1.
        floor_gloss: Strength of the ground's reflection, 0 (matt) .. 1.
        gloss: Strength of highlights and of the sky's reflection on shapes, 0..1.
        exposure: Gain before tone mapping.
    """

    sun_azimuth: float = -14.0
    sun_elevation: float = 46.0
    sun_size: float = 1.6
    sun: Color = (1.0, 0.95, 0.87)
    sun_strength: float = 2.6
    sky_top: Color = (0.33, 0.56, 0.85)
    sky_horizon: Color = (0.86, 0.91, 0.95)
    sky_strength: float = 0.72
    ground: Color = (0.72, 0.745, 0.775)
    ground_alternate: Color = (0.675, 0.705, 0.745)
    line: Color = (0.53, 0.58, 0.65)
    tile: float = 1.0
    haze: float = 5.0
    ao_range: float | None = None
    ao_strength: float = 0.95
    floor_gloss: float = 0.35
    gloss: float = 0.6
    exposure: float = 0.72

    def __post_init__(self) -> None:
        if not 5.0 <= self.sun_elevation <= 90.0:
            raise ValueError(f"sun_elevation must be in 5..90 degrees, got {self.sun_elevation}")
        if not 0.0 < self.sun_size <= 10.0:
            raise ValueError(f"sun_size must be above 0 and at most 10 degrees, got {self.sun_size}")
        for name in ("tile", "haze", "exposure", "sun_strength", "sky_strength"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")

    def sun_direction(self, up: str) -> np.ndarray:
        """Unit vector from the ground towards the sun, in a world with `up` "y" or "z"."""
        a, e = math.radians(self.sun_azimuth), math.radians(self.sun_elevation)
        ahead, left, high = math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)
        return np.array((ahead, left, high) if up == "z" else (left, high, ahead))


DUSK = Style(
    sun_azimuth=-20.0,
    sun_elevation=36.0,
    sun=(1.0, 0.90, 0.78),
    sun_strength=2.6,
    sky_top=(0.05, 0.07, 0.14),
    sky_horizon=(0.22, 0.28, 0.40),
    sky_strength=1.7,
    ground=(0.20, 0.245, 0.33),
    ground_alternate=(0.18, 0.225, 0.305),
    line=(0.33, 0.42, 0.56),
    floor_gloss=0.6,
)
"""A dark stage with warm light."""
