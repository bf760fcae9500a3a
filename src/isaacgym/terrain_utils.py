"""Height fields for legged robots, and their triangle meshes.

A height is an int16 number of `vertical_scale` [m]; the pitch of the grid is `horizontal_scale` [m]; the first
index runs along x (`width`), the second along y (`length`). Generators edit `height_field_raw` in place and
return the terrain. Arguments in metres become grid or height units by truncation. Randomness is numpy's global
generator.
"""

# star imports of this module give `np`, `choice`, `interpolate` and `sqrt`, which clients expect
from math import sqrt  # noqa: F401

import numpy as np
from numpy.random import choice
from scipy import interpolate


class SubTerrain:
    """A rectangle of heights, `width` by `length` points, flat when made."""

    def __init__(
        self,
        terrain_name: str = "terrain",
        width: int = 256,
        length: int = 256,
        vertical_scale: float = 1.0,
        horizontal_scale: float = 1.0,
    ) -> None:
        self.terrain_name = terrain_name
        self.width, self.length = width, length
        self.vertical_scale, self.horizontal_scale = vertical_scale, horizontal_scale
        self.height_field_raw = np.zeros((width, length), dtype=np.int16)


def random_uniform_terrain(
    terrain: SubTerrain,
    min_height: float,
    max_height: float,
    step: float = 1,
    downsampled_scale: float | None = None,
) -> SubTerrain:
    """Add noise: heights of a coarse grid, drawn between the bounds [m] in steps [m], interpolated linearly.

    Args:
        terrain: Edited in place.
        min_height, max_height, step: Heights to draw from, the upper bound included [m].
        downsampled_scale: Pitch of the coarse grid [m]; default the terrain's own.
    """
    pitch = terrain.horizontal_scale if downsampled_scale is None else downsampled_scale
    low, high = int(min_height / terrain.vertical_scale), int(max_height / terrain.vertical_scale)
    unit = int(step / terrain.vertical_scale)
    if unit < 1:
        raise ValueError(f"step: expected at least vertical_scale = {terrain.vertical_scale} m, got {step} m")
    # for grids too coarse for two points, two
    coarse = [max(int(n * terrain.horizontal_scale / pitch), 2) for n in terrain.height_field_raw.shape]
    heights = choice(np.arange(low, high + unit, unit), coarse)
    axes = [np.linspace(0.0, 1.0, n) for n in coarse]
    fine = np.meshgrid(*(np.linspace(0.0, 1.0, n) for n in terrain.height_field_raw.shape), indexing="ij")
    bumps = interpolate.RegularGridInterpolator(axes, heights.astype(float))(tuple(fine))
    terrain.height_field_raw += np.rint(bumps).astype(np.int16)
    return terrain


def sloped_terrain(terrain: SubTerrain, slope: float = 1) -> SubTerrain:
    """Add a ramp rising along x with `slope` [m/m]."""
    top = int(slope * (terrain.horizontal_scale / terrain.vertical_scale) * terrain.width)
    ramp = (top * np.arange(terrain.width) / terrain.width).astype(np.int16)
    terrain.height_field_raw += ramp[:, None]
    return terrain


def pyramid_sloped_terrain(terrain: SubTerrain, slope: float = 1, platform_size: float = 1.0) -> SubTerrain:
    """Add a pyramid of `slope` [m/m] with a flat top of side `platform_size` [m]; a negative slope digs a pit."""
    x, y = _tent(terrain.width), _tent(terrain.length)
    top = int(slope * (terrain.horizontal_scale / terrain.vertical_scale) * (terrain.width / 2))
    terrain.height_field_raw += (top * x[:, None] * y[None, :]).astype(np.int16)
    half = int(platform_size / terrain.horizontal_scale / 2)
    corner = terrain.height_field_raw[terrain.width // 2 - half, terrain.length // 2 - half]
    terrain.height_field_raw = np.clip(terrain.height_field_raw, min(corner, 0), max(corner, 0))
    return terrain


def discrete_obstacles_terrain(
    terrain: SubTerrain,
    max_height: float,
    min_size: float,
    max_size: float,
    num_rects: int,
    platform_size: float = 1.0,
) -> SubTerrain:
    """Set `num_rects` boxes, raised or sunk by `max_height` or half of it [m], outside a flat centre.

    Args:
        terrain: Edited in place.
        max_height: Largest height and depth [m].
        min_size, max_size: Sides of the boxes [m].
        num_rects: How many; they overwrite one another.
        platform_size: Side of the flat centre [m].
    """
    top = int(max_height / terrain.vertical_scale)
    small, large = int(min_size / terrain.horizontal_scale), int(max_size / terrain.horizontal_scale)
    rows, columns = terrain.height_field_raw.shape
    heights = [-top, -top // 2, top // 2, top]
    sizes = range(small, large, 4)
    for _ in range(num_rects):
        width, length = choice(sizes), choice(sizes)
        i, j = choice(range(0, rows - width, 4)), choice(range(0, columns - length, 4))
        terrain.height_field_raw[i : i + width, j : j + length] = choice(heights)
    return _flatten_centre(terrain, platform_size)


def wave_terrain(terrain: SubTerrain, num_waves: int = 1, amplitude: float = 1.0) -> SubTerrain:
    """Add `num_waves` cosine waves along y and sine waves along x; `amplitude` [m] is peak to peak of each."""
    height = int(0.5 * amplitude / terrain.vertical_scale)
    if num_waves > 0:
        period = terrain.length / (num_waves * 2.0 * np.pi)
        x, y = np.arange(terrain.width)[:, None], np.arange(terrain.length)[None, :]
        terrain.height_field_raw += (height * np.cos(y / period) + height * np.sin(x / period)).astype(np.int16)
    return terrain


def stairs_terrain(terrain: SubTerrain, step_width: float, step_height: float) -> SubTerrain:
    """Add stairs rising along x; width and height of a step [m]."""
    width, height = int(step_width / terrain.horizontal_scale), int(step_height / terrain.vertical_scale)
    for i in range(terrain.width // width):
        terrain.height_field_raw[i * width : (i + 1) * width] += np.int16((i + 1) * height)
    return terrain


def pyramid_stairs_terrain(
    terrain: SubTerrain, step_width: float, step_height: float, platform_size: float = 1.0
) -> SubTerrain:
    """Set square rings of stairs rising to a flat centre of side `platform_size` [m]."""
    width, height = int(step_width / terrain.horizontal_scale), int(step_height / terrain.vertical_scale)
    platform = int(platform_size / terrain.horizontal_scale)
    ring = 0
    while min(terrain.width, terrain.length) - 2 * ring * width > platform:
        ring += 1
        inside = slice(ring * width, terrain.width - ring * width), slice(ring * width, terrain.length - ring * width)
        terrain.height_field_raw[inside] = ring * height
    return terrain


def stepping_stones_terrain(
    terrain: SubTerrain,
    stone_size: float,
    stone_distance: float,
    max_height: float,
    platform_size: float = 1.0,
    depth: float = -10,
) -> SubTerrain:
    """Dig a pit and set rows of square stones in it, each row from a random offset.

    Args:
        terrain: Edited in place.
        stone_size, stone_distance: Side of a stone and gap between two [m].
        max_height: Bound of the stones' heights, up and down [m].
        platform_size: Side of the flat centre [m].
        depth: Height of the pit [m].
    """
    size = int(stone_size / terrain.horizontal_scale)
    gap = int(stone_distance / terrain.horizontal_scale)
    top = int(max_height / terrain.vertical_scale)
    heights = np.arange(-top - 1, top, step=1)
    terrain.height_field_raw[:] = int(depth / terrain.vertical_scale)
    # rows of stones lie across the longer side
    field = terrain.height_field_raw if terrain.length >= terrain.width else terrain.height_field_raw.T
    across, along = field.shape
    for start in range(0, along, size + gap):
        stop = min(along, start + size)
        offset = np.random.randint(0, size)
        # the stone cut by the edge
        field[: max(0, offset - gap), start:stop] = choice(heights)
        for i in range(offset, across, size + gap):
            field[i : min(across, i + size), start:stop] = choice(heights)
    return _flatten_centre(terrain, platform_size)


def convert_heightfield_to_trimesh(
    height_field_raw: np.ndarray,
    horizontal_scale: float,
    vertical_scale: float,
    slope_threshold: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Two triangles per cell of a height field.

    Args:
        height_field_raw: Heights (R, C). horizontal_scale, vertical_scale: Pitch and unit of height [m].
        slope_threshold: Steeper rises [m/m] become vertical walls: their lower points move one cell.

    Returns:
        Vertices float32 (R * C, 3) [m], row by row, and triangles uint32 (2 (R-1)(C-1), 3).
    """
    field = height_field_raw.astype(np.int64)  # differences of int16 would overflow
    rows, columns = field.shape
    x, y = np.meshgrid(
        np.linspace(0, (rows - 1) * horizontal_scale, rows),
        np.linspace(0, (columns - 1) * horizontal_scale, columns),
        indexing="ij",
    )
    if slope_threshold is not None:
        limit = slope_threshold * horizontal_scale / vertical_scale
        move_x, move_y, move_corner = (np.zeros((rows, columns)) for _ in range(3))
        up, down = field[1:] - field[:-1] > limit, field[:-1] - field[1:] > limit
        move_x[:-1] += up
        move_x[1:] -= down
        up, down = field[:, 1:] - field[:, :-1] > limit, field[:, :-1] - field[:, 1:] > limit
        move_y[:, :-1] += up
        move_y[:, 1:] -= down
        move_corner[:-1, :-1] += field[1:, 1:] - field[:-1, :-1] > limit
        move_corner[1:, 1:] -= field[:-1, :-1] - field[1:, 1:] > limit
        x = x + (move_x + move_corner * (move_x == 0)) * horizontal_scale
        y = y + (move_y + move_corner * (move_y == 0)) * horizontal_scale
    vertices = np.stack([x, y, field * vertical_scale], axis=-1).reshape(-1, 3).astype(np.float32)

    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).reshape(-1)
    v00, v01, v10, v11 = corner, corner + 1, corner + columns, corner + columns + 1
    first, second = np.stack([v00, v11, v01], axis=-1), np.stack([v00, v10, v11], axis=-1)
    return vertices, np.stack([first, second], axis=1).reshape(-1, 3).astype(np.uint32)


def _tent(count: int) -> np.ndarray:
    """0 at the ends of `count` points, 1 in the middle."""
    middle = count // 2
    return (middle - np.abs(middle - np.arange(count))) / middle


def _flatten_centre(terrain: SubTerrain, platform_size: float) -> SubTerrain:
    rows, columns = terrain.height_field_raw.shape
    side = int(platform_size / terrain.horizontal_scale)
    i, j = (rows - side) // 2, (columns - side) // 2
    terrain.height_field_raw[i : (rows + side) // 2, j : (columns + side) // 2] = 0
    return terrain
