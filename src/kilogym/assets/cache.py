"""A folder of the user's for what takes long to work out, by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np


def cache_folder() -> Path:
    """Where results are kept: $WARP_CACHE_PATH/kilogym, beside compiled kernels, or a folder of the user's cache."""
    if chosen := os.environ.get("WARP_CACHE_PATH"):
        return Path(chosen) / "kilogym"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kilogym"


def content_key(arrays: Sequence[np.ndarray], *words: object) -> str:
    """A name for what arrays hold and words say."""
    digest = hashlib.sha256(repr(words).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def cached_arrays(kind: str, key: str, make: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    """The arrays kept under a key, made and kept if there are none.

    A file that cannot be read is made anew; a folder that cannot be written is warned of.
    """
    path = cache_folder() / kind / f"{key}.npz"
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as kept:
                return [kept[f"arr_{i}"] for i in range(len(kept.files))]
        except Exception:  # cut short or overwritten by something else: numpy and zipfile have many errors for that
            pass
    arrays = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            np.savez(part, *arrays)
        os.replace(part.name, path)  # so that another process sees all of it or nothing
    except OSError as error:
        warnings.warn(
            f"{path.parent} cannot be written ({error}), so this is worked out anew each time: "
            "set WARP_CACHE_PATH to a folder that can",
            stacklevel=2,
        )
    return arrays
