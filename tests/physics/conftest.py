"""Measured numbers against bars: a test that misses one fails, and a table of all can be printed.

`benchmarks/physics_table.py` runs these tests and prints the table of docs/physics.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

Measure = Callable[..., None]


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """measure(case, what, value, bar, unit): record a number and fail if its size is above the bar.

    A number that is not finite misses every bar. The table keeps what was recorded even if the test fails.
    """

    def check(case: str, what: str, value: float, bar: float, unit: str = "") -> None:
        value = float(value)
        record_property("measured", (case, what, value, float(bar), unit))
        print(f"{case}: {what} = {value:.3g} {unit} (bar {bar:.3g})")
        if not (math.isfinite(value) and abs(value) <= bar):
            pytest.fail(f"{case}: {what} is {value:.4g} {unit}, above the bar {bar:.4g}", pytrace=False)

    return check
