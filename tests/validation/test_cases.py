"""Every case of the validation: its bars are met, but for those listed as missed, and those are missed.

Cases that `kilogym validate --fast` leaves out are run with --slow.
"""

from __future__ import annotations

import pytest

from kilogym.validation.case import Case
from kilogym.validation.lab import Lab
from kilogym.validation.registry import CASES


def params() -> list:
    return [
        pytest.param(
            case,
            precision,
            id=case.id + ("-float64" if precision == "float64" else ""),
            marks=[pytest.mark.slow] if case.slow else [],
        )
        for case in CASES
        for precision in case.precisions
    ]


@pytest.mark.parametrize(("case", "precision"), params())
def test_case(case: Case, precision, device: str) -> None:
    values = case.run(Lab("kilogym", device, precision))
    wrong, known = [], []
    for number in case.numbers:
        value = values[number.name]
        verdict = number.verdict(value, precision, device)
        told = f"{number.name} = {value:.4g} {number.unit} (bar {number.bar_in(precision):.4g}): {verdict}"
        print(told)
        if verdict == "known miss":
            known.append(told)
        elif verdict != "met":
            wrong.append(told)  # one that is no longer missed has to be taken off the list
    assert not wrong, "; ".join(wrong)
    if known:
        pytest.xfail("; ".join(known))
