"""Write pictures and films: PNG, GIF, MP4."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

_TRANSPARENT = 255  # palette entry that means "as in the frame before"
_LUT_BITS = 6  # bits per channel of the table from colours to palette entries: 262144 entries

# Bayer's 8x8 ordered dither, -0.5..0.5: fixed in place, so that still things stay still, and easy to compress
_BAYER = np.array([[0, 2], [3, 1]])
for _ in range(2):
    _BAYER = np.block([[4 * _BAYER, 4 * _BAYER + 2], [4 * _BAYER + 3, 4 * _BAYER + 1]])
_DITHER = (_BAYER + 0.5) / 64.0 - 0.5


class FilmWriter(Protocol):
    """`write_gif` or `write_mp4`: path, frames of (H, W, 3) uint8, frames per second."""

    def __call__(self, path: str | Path, frames: Sequence[np.ndarray], fps: float = ..., /) -> None: ...


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write one (H, W, 3) uint8 picture."""
    _image_module().fromarray(_checked([picture])[0]).save(Path(path), format="PNG", optimize=True)


def write_gif(
    path: str | Path,
    frames: Sequence[np.ndarray],
    fps: float = 25.0,
    *,
    dither: float = 3.0,
    tolerance: float = 4.0,
    loop: bool = True,
) -> None:
    """Write a film as GIF with one palette for all its frames.

    Pixels that change too little to be seen are stored as transparent, which compresses well.

    Args:
        path: Where.
        frames: (H, W, 3) uint8 each.
        fps: Frames per second, at most 50 (what viewers play; delays are rounded to 0.01 s without drift).
        dither: Amplitude of the ordered dither in 8-bit steps; hides bands, costs size; 0 = none.
        tolerance: Change of a channel, in 8-bit steps, up to which a pixel keeps what it shows; more is
            smaller and smears.
        loop: Play for ever, or once.

    Raises:
        ValueError: for no frames, frames of unequal or wrong shape or dtype, or fps outside (0, 50].
    """
    checked = _checked(frames)
    if not 0.0 < fps <= 50.0:
        raise ValueError(f"fps of a GIF must be above 0 and at most 50, got {fps}")
    palette = _palette(checked)
    table, colors = _nearest_table(palette), palette.astype(np.int16)
    height, width = checked[0].shape[:2]
    with open(path, "wb") as file:
        file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0b1111_0111, 0, 0))
        file.write(np.vstack([palette, np.zeros((256 - len(palette), 3), np.uint8)]).tobytes())
        if loop:
            file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        before: np.ndarray | None = None
        for k, frame in enumerate(checked):
            entries = shown = _quantise(frame, table, dither)
            if before is not None:
                change = np.abs(colors[before] - frame).max(axis=-1)
                still = (entries == before) | (change <= tolerance)
                shown, entries = (
                    np.where(still, np.uint8(_TRANSPARENT), entries),
                    np.where(still, before, entries),
                )
            delay = round(100 * (k + 1) / fps) - round(100 * k / fps)
            # disposal 1: leave the frame in place; bit 0: there is a transparent entry
            file.write(b"\x21\xf9\x04" + struct.pack("<BHB", 0b0000_0101, delay, _TRANSPARENT) + b"\x00")
            file.write(_frame_block(shown, before is not None))
            before = entries
        file.write(b"\x3b")


def write_mp4(path: str | Path, frames: Sequence[np.ndarray], fps: float = 30.0, *, crf: int = 18) -> None:
    """Write a film as H.264 in MP4 through imageio-ffmpeg; an odd last row or column is cut off.

    Args:
        path: Where.
        frames: (H, W, 3) uint8 each, at least 2x2.
        fps: Frames per second.
        crf: Quality, 0 (lossless) .. 51 (worst).

    Raises:
        ValueError: for no frames, frames of unequal or wrong shape or dtype, or fps <= 0.
        ImportError: without imageio-ffmpeg, or without an ffmpeg that it finds.
    """
    checked = _checked(frames)
    if not fps > 0.0:
        raise ValueError(f"fps must be positive, got {fps}")
    height, width = (n - n % 2 for n in checked[0].shape[:2])
    if not height or not width:
        raise ValueError(f"frames of an MP4 must be at least 2x2, got {checked[0].shape}")
    writer = _ffmpeg_module().write_frames(
        str(path),
        (width, height),
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=2,
        output_params=["-crf", str(crf), "-preset", "slow", "-movflags", "+faststart"],
    )
    writer.send(None)
    try:
        for frame in checked:
            writer.send(np.ascontiguousarray(frame[:height, :width]))
    finally:
        writer.close()


def film_writer(path: str | Path) -> FilmWriter:
    """The function for a film of this name, by its suffix; whatever it lacks is said now, before the work.

    Raises:
        ValueError: for a name that ends neither in .gif nor in .mp4.
        ImportError: when the packages for it are not installed.
    """
    suffix = Path(path).suffix
    if suffix == ".gif":
        _image_module()
        return write_gif
    if suffix == ".mp4":
        _ffmpeg_module()
        return write_mp4
    raise ValueError(f"film {path}: expected a name that ends in .gif or .mp4")


def _ffmpeg_module() -> Any:
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except ImportError as error:
        raise ImportError("MP4 films need imageio-ffmpeg: pip install 'kilogym[train]', or write a .gif") from error
    except RuntimeError as error:  # the package without the program: its wheel for this machine has none
        raise ImportError(
            "MP4 films need the program ffmpeg, and imageio-ffmpeg found none: install ffmpeg, name it in the "
            "environment variable IMAGEIO_FFMPEG_EXE, or write a .gif"
        ) from error
    return imageio_ffmpeg


def _image_module() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("pictures and GIFs need Pillow: pip install 'kilogym[train]'") from error
    return Image


def _checked(frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    result = [np.asarray(frame) for frame in frames]
    if not result:
        raise ValueError("a film needs at least one frame")
    for k, frame in enumerate(result):
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
            raise ValueError(f"frame {k} must be (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
        if frame.shape != result[0].shape:
            raise ValueError(f"frame {k} has shape {frame.shape}, the first {result[0].shape}")
    return result


def _palette(frames: list[np.ndarray], colors: int = 255) -> np.ndarray:
    """At most 255 colours for a film, (N, 3) uint8.

    Counts the colours of up to 24 frames in 32768 bins and weighs each bin by the square root of its count:
    otherwise the ground and the sky take all the entries and the robots turn blotchy.
    """
    sampled = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, min(24, len(frames))).astype(int))]
    pixels = np.concatenate([frame.reshape(-1, 3)[::3] for frame in sampled]).astype(np.int64)
    bins = (pixels[:, 0] >> 3) << 10 | (pixels[:, 1] >> 3) << 5 | pixels[:, 2] >> 3
    count = np.bincount(bins, minlength=32768)
    mean = np.stack([np.bincount(bins, pixels[:, c], 32768) for c in range(3)], axis=1) / np.maximum(count, 1)[:, None]
    used = np.flatnonzero(count)
    weight = np.sqrt(count[used])
    copies = np.maximum(1, np.round(weight * 60000 / weight.sum())).astype(int)
    strip = np.repeat(np.round(mean[used]).astype(np.uint8), copies, axis=0)[None]
    image = _image_module()
    reduced = image.fromarray(strip).quantize(colors, method=image.Quantize.MEDIANCUT, kmeans=3)
    flat = np.array(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)
    return flat[: int(np.asarray(reduced).max()) + 1]


def _nearest_table(palette: np.ndarray) -> np.ndarray:
    """Palette entry nearest to each colour of a grid; green counts most and blue least, as to the eye."""
    from scipy.spatial import cKDTree

    steps = 1 << _LUT_BITS
    axis = (np.arange(steps) + 0.5) * (256 / steps) - 0.5
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    scale = np.sqrt([0.30, 0.50, 0.20])
    return cKDTree(palette * scale).query(grid * scale)[1].astype(np.uint8)


def _quantise(frame: np.ndarray, table: np.ndarray, dither: float) -> np.ndarray:
    height, width = frame.shape[:2]
    pattern = np.tile(_DITHER, (-(-height // 8), -(-width // 8)))[:height, :width, None] * (2.0 * dither)
    # whole steps of the table, so that the dither and not the table decides between neighbours
    coarse = np.clip(frame + pattern, 0, 255).astype(np.int64) >> (8 - _LUT_BITS)
    return table[(coarse[..., 0] << 2 * _LUT_BITS) | (coarse[..., 1] << _LUT_BITS) | coarse[..., 2]]


def _frame_block(entries: np.ndarray, crop: bool) -> bytes:
    """Image descriptor and compressed pixels of one frame; `crop` leaves out a transparent border."""
    top, left, (bottom, right) = 0, 0, entries.shape
    if crop:
        rows, columns = (np.flatnonzero((entries != _TRANSPARENT).any(axis=a)) for a in (1, 0))
        if len(rows):
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        else:
            bottom, right = 1, 1
    part = entries[top:bottom, left:right]
    descriptor = b"\x2c" + struct.pack("<HHHHB", left, top, right - left, bottom - top, 0)
    return descriptor + _compressed(np.ascontiguousarray(part))


def _compressed(entries: np.ndarray) -> bytes:
    """GIF's LZW data for 8-bit entries: Pillow writes a file of one frame; its pixel blocks are cut out."""
    image = _image_module().fromarray(entries, mode="P")
    image.putpalette(bytes(range(256)) * 3)
    buffer = io.BytesIO()
    image.save(buffer, format="GIF", optimize=False, interlace=0)
    data = buffer.getvalue()
    at = 13 + 3 * 256  # header, screen descriptor, palette of 256
    while data[at] == 0x21:  # skip extensions: label, then blocks up to an empty one
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    # image descriptor of 10 bytes; the last byte of the file is the trailer
    return data[at + 10 : -1]
