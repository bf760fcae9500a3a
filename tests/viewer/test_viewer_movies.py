"""Files: what was written can be read, frame by frame."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from PIL import Image

from kilogym.viewer import film_writer, write_gif, write_mp4, write_png


def film(n: int = 6, height: int = 45, width: int = 80) -> list[np.ndarray]:
    """A square moving over a gradient."""
    y, x = np.mgrid[0:height, 0:width]
    ground = np.stack([120 + x // 2, 140 + y, 200 - x // 2], axis=-1).astype(np.uint8)
    frames = []
    for k in range(n):
        frame = ground.copy()
        frame[10:25, 5 + 6 * k : 20 + 6 * k] = (220, 40 + 20 * k, 30)
        frames.append(frame)
    return frames


def read_gif(path) -> tuple[list[np.ndarray], list[int]]:
    frames, durations = [], []
    with Image.open(path) as image:
        for k in range(image.n_frames):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")).astype(int))
            durations.append(image.info["duration"])
    return frames, durations


def test_gif_frames_are_those_written(tmp_path):
    frames = film()
    write_gif(tmp_path / "a.gif", frames, fps=30.0, dither=0.0, tolerance=0.0)
    read, durations = read_gif(tmp_path / "a.gif")
    assert len(read) == len(frames)
    for wrote, got in zip(frames, read, strict=True):
        assert np.abs(wrote - got).max() <= 12  # 255 colours for two gradients
        assert np.abs(wrote - got).mean() < 4
    # 30 frames a second are not whole hundredths: rounded without drift
    assert set(durations) == {30, 40}
    assert sum(durations) == 200


def test_dither_and_tolerance_stay_near_the_frames(tmp_path):
    frames = film()
    write_gif(tmp_path / "a.gif", frames, dither=3.0, tolerance=4.0)
    for wrote, got in zip(frames, read_gif(tmp_path / "a.gif")[0], strict=True):
        assert np.abs(wrote - got).mean() < 5
        assert (np.abs(wrote - got).max(axis=2) > 24).sum() == 0  # no trail behind the square


def test_a_still_film_costs_little_and_repeats(tmp_path):
    frames = film(1) * 8
    write_gif(tmp_path / "one.gif", frames[:1])
    write_gif(tmp_path / "eight.gif", frames)
    assert (tmp_path / "eight.gif").stat().st_size < (tmp_path / "one.gif").stat().st_size + 7 * 64
    with Image.open(tmp_path / "eight.gif") as image:
        assert image.info["loop"] == 0


def test_gif_bytes_are_the_same_every_time(tmp_path):
    for name in ("a.gif", "b.gif"):
        write_gif(tmp_path / name, film())
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_png_is_lossless(tmp_path):
    frame = film(1)[0]
    write_png(tmp_path / "a.png", frame)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), frame)


def test_mp4_has_every_frame_and_even_sides(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    frames = film()  # 45 rows: one is cut
    write_mp4(tmp_path / "a.mp4", frames, fps=25.0)
    reader = ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    assert next(reader)["size"] == (80, 44)
    read = [np.frombuffer(data, np.uint8).reshape(44, 80, 3).astype(int) for data in reader]
    assert len(read) == len(frames)
    assert np.abs(read[2] - frames[2][:44]).mean() < 8


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        ([], {}, "at least one frame"),
        ([np.zeros((4, 4, 3))], {}, "uint8"),
        ([np.zeros((4, 4), np.uint8)], {}, "must be"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)], {}, "frame 1 has shape"),
        ([np.zeros((4, 4, 3), np.uint8)], {"fps": 0.0}, "fps"),
    ],
)
@pytest.mark.parametrize("write", [write_gif, write_mp4])
def test_bad_films_are_refused(tmp_path, write, frames, options, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "a", frames, **options)


def test_gif_refuses_speeds_viewers_cannot_play(tmp_path):
    with pytest.raises(ValueError, match="at most 50"):
        write_gif(tmp_path / "a.gif", film(1), fps=60.0)
    with pytest.raises(ValueError, match="2x2"):
        write_mp4(tmp_path / "a.mp4", [np.zeros((1, 4, 3), np.uint8)])


def test_what_a_film_lacks_is_said_before_the_work(tmp_path, monkeypatch):
    assert film_writer(tmp_path / "a.gif") is write_gif
    with pytest.raises(ValueError, match=r"ends in \.gif or \.mp4"):
        film_writer(tmp_path / "a.avi")
    without_program = types.ModuleType("imageio_ffmpeg")
    without_program.get_ffmpeg_exe = no_program
    for module, message in ((None, "pip install 'kilogym\\[train\\]'"), (without_program, "IMAGEIO_FFMPEG_EXE")):
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", module)
        with pytest.raises(ImportError, match=message):
            film_writer(tmp_path / "a.mp4")
        with pytest.raises(ImportError, match=message):
            write_mp4(tmp_path / "a.mp4", film())


def no_program() -> str:
    """As imageio_ffmpeg's own where its wheel has no program and the system neither."""
    raise RuntimeError("No ffmpeg exe could be found.")
