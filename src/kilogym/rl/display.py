"""What a person sees while a policy trains: one line that renews itself, or plain lines when piped."""

from __future__ import annotations

import math
import time
from typing import TextIO

from kilogym.rl.trainer import Record

PLAIN_INTERVAL = 10.0
"""Seconds between two lines when the output is no terminal."""


def duration(seconds: float) -> str:
    """3725 -> "1:02:05", 65 -> "1:05"."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def describe(record: Record, total: int, seconds_left: float) -> str:
    """One record as one line: iteration, reward, the task's metrics, speed, time left (NaN: not known yet)."""
    parts = [f"iteration {record['iteration']:.0f}/{total}"]
    if not math.isnan(record["reward"]):
        parts.append(f"reward {record['reward']:.1f}")
    parts += [
        f"{name.removeprefix('metrics/').replace('_', ' ')} {value:.2f}"
        for name, value in record.items()
        if name.startswith("metrics/")
    ]
    parts.append(f"{record['steps_per_second']:,.0f} env-steps/s")
    if not math.isnan(seconds_left):
        parts.append(f"{duration(seconds_left)} left")
    return " · ".join(parts)


class Progress:
    """Prints records as they come.

    Args:
        total: Iterations of the whole run.
        stream: Where to print.
        quiet: Print nothing.
    """

    def __init__(self, total: int, stream: TextIO, quiet: bool = False) -> None:
        self.total = total
        self.stream = stream
        self.quiet = quiet
        self.live = stream.isatty()
        self.start: tuple[float, float] | None = None  # (time, iteration) of the first record seen
        self.printed = -math.inf
        self.width = 0

    def __call__(self, record: Record) -> None:
        now = time.monotonic()
        if self.start is None:
            self.start = (now, record["iteration"])
        done = record["iteration"] - self.start[1]
        pace = (now - self.start[0]) / done if done else math.nan
        last = record["iteration"] >= self.total
        if self.quiet or not (self.live or last or now - self.printed >= PLAIN_INTERVAL):
            return
        self.printed = now
        line = describe(record, self.total, pace * (self.total - record["iteration"]))
        if self.live:
            print("\r" + line.ljust(self.width), end="\n" if last else "", file=self.stream, flush=True)
            self.width = len(line)
        else:
            print(line, file=self.stream, flush=True)

    def close(self) -> None:
        """End a line that is still open."""
        if self.live and self.width and not self.quiet:
            print(file=self.stream, flush=True)
