"""How many CPU threads there are to be."""

from __future__ import annotations

import os


def cpu_threads(asked: int = 0) -> int:
    """The environment variable KILOGYM_THREADS, otherwise `asked`, otherwise one for each core; 0 stands for not given.

    Raises:
        ValueError: KILOGYM_THREADS is no whole number >= 0.
    """
    text = os.environ.get("KILOGYM_THREADS", "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"KILOGYM_THREADS: expected a whole number of CPU threads, 0 for all cores, got {text!r}")
    return int(text or 0) or asked or os.cpu_count() or 1
