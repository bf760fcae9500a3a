"""The list of cases is sound, and can be chosen from."""

from __future__ import annotations

import re

import pytest

from kilogym.validation.case import PARTS, SOURCES
from kilogym.validation.registry import CASES, select


def test_cases_are_well_formed() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))
    for case in CASES:
        assert re.fullmatch(r"[a-z0-9.-]+", case.id), case.id
        assert case.part in PARTS
        assert case.numbers
        assert case.what, case.id
        assert case.mujoco != bool(case.without_mujoco), f"{case.id}: say why MuJoCo does not run it"
        for number in case.numbers:
            assert set(number.reference) <= set(SOURCES), case.id
            assert number.bar >= 0


def test_select() -> None:
    assert select() == list(CASES)
    assert {case.part for case in select(["B"])} == {"B"}
    assert [case.id for case in select(names=["projectile"])] == ["projectile"]
    assert not any(case.slow for case in select(slow=False))
    with pytest.raises(ValueError, match="no part 'X'"):
        select(["X"])
    with pytest.raises(ValueError, match="did you mean 'projectile'"):
        select(names=["projectiel"])
