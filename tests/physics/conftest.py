"""Measured numbers against bars: a test that misses one fails.

Cases with a bar belong into kilogym.validation.cases, where the accuracy card sees them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

Measure = Callable[..., None]


@pytest.fixture
def measure() -> Measure:
    """measure(case, what, value, bar, unit): print a number and fail if its size is above the bar.

    A number that is not finite misses every bar.
    """

    def check(case: str, what: str, value: float, bar: float, unit: str = "") -> None:
        value = float(value)
        print(f"{case}: {what} = {value:.3g} {unit} (bar {bar:.3g})")
        if not (math.isfinite(value) and abs(value) <= bar):
            pytest.fail(f"{case}: {what} is {value:.4g} {unit}, above the bar {bar:.4g}", pytrace=False)

    return check
