"""The card: verdicts, what it says of them, and what it leaves in files."""

from __future__ import annotations

import json
import math

import pytest

from kilogym.validation import pictures
from kilogym.validation.card import Card, Outcome, measure
from kilogym.validation.case import Case, ExperimentError, Number, require
from kilogym.validation.lab import Lab
from kilogym.validation.text import lines, markdown


def case(*numbers: Number, values=None, **more) -> Case:
    values = values if values is not None else {n.name: 0.5 for n in numbers}
    return Case("a-case", "C", "a case", "what it is", numbers, lambda lab: values, **more)


@pytest.mark.parametrize(
    ("number", "value", "met"),
    [
        (Number("x", 1.0), 1.0, True),
        (Number("x", 1.0), -1.0, True),
        (Number("x", 1.0), 1.0001, False),
        (Number("x", 1.0), -1.0001, False),
        (Number("x", 1.0), math.nan, False),
        (Number("x", math.inf), math.inf, False),
        (Number("flips", 7, least=6), 6, True),
        (Number("flips", 7, least=6), 5, False),
        (Number("flips", 7, least=6), -7, False),
    ],
)
def test_a_bar_is_a_size_or_a_range(number: Number, value: float, met: bool) -> None:
    assert number.met(value) is met


def test_a_bar_may_be_missed_on_one_kind_of_device() -> None:
    number = Number("x", 1.0, missed="rounding", missed_on=("cuda",))
    assert number.verdict(2.0, device="cuda:1") == "known miss"
    assert number.verdict(2.0, device="cpu") == "missed"


def test_double_precision_has_a_bar_and_no_excuse() -> None:
    number = Number("x", 1e-6, bar64=1e-12, missed="rounding")
    assert not number.met(1e-9, "float64")
    assert number.met(1e-9)
    assert number.verdict(1e-5) == "known miss"
    assert number.verdict(1e-5, "float64") == "missed"


@pytest.mark.parametrize(
    ("number", "value", "verdict"),
    [
        (Number("x", 1.0), 0.5, "met"),
        (Number("x", 1.0), 2.0, "missed"),
        (Number("x", 1.0, missed="why"), 2.0, "known miss"),
        (Number("x", 1.0, missed="why"), 0.5, "no longer missed"),
        (Number("x", 1.0, missed="why", wavers=("cpu",)), 0.5, "met"),
        (Number("x", 1.0, missed="why", worst=1.5), 2.0, "missed"),
        (Number("x", 1.0, missed="why"), math.nan, "missed"),
    ],
)
def test_verdicts(number: Number, value: float, verdict: str) -> None:
    (outcome,) = measure([case(number, values={"x": value})], "cpu", False, lambda outcome: None)
    card = Card([outcome], "a cpu", "abc", {})
    assert outcome.verdict(number) == verdict
    assert card.as_expected() is (verdict != "missed")
    assert ("MISSED" in "\n".join(lines(outcome))) is (verdict == "missed")
    assert (f"**{verdict}**" in markdown(card)) is (verdict != "met")


def test_a_failed_experiment_is_on_the_card() -> None:
    def fails(lab: Lab) -> dict[str, float]:
        require(False, "the ball to hit")
        return {}

    (outcome,) = measure([Case("f", "C", "ball", "", (Number("x", 1.0),), fails)], "cpu", False, lambda outcome: None)
    card = Card([outcome], "a cpu", "abc", {})
    assert not card.as_expected()
    assert "FAILED" in card.summary()
    assert "expected the ball to hit" in "\n".join(lines(outcome))
    assert "expected the ball to hit" in markdown(card)


def test_the_shipped_precision_alone() -> None:
    both = case(Number("x", 1.0), precisions=("float64", "float32"))
    double = case(Number("x", 1.0), precisions=("float64",))
    for shipped_only, expected in ((False, ["float64", "float32", "float64"]), (True, ["float32", "float64"])):
        outcomes = measure([both, double], "cpu", False, lambda outcome: None, shipped_only)
        assert [outcome.precision for outcome in outcomes] == expected


def test_a_bug_is_no_outcome() -> None:
    with pytest.raises(ValueError, match="expected the numbers"):
        measure([case(Number("x", 1.0), values={"y": 1.0})], "cpu", False, lambda outcome: None)


def test_a_number_that_means_nothing_in_mujoco_may_be_missing_there() -> None:
    both = case(Number("x", 1.0), Number("y", 1.0, mujoco=False))
    assert both.run(Lab("mujoco")) == {"x": 0.5}
    assert both.run(Lab()) == {"x": 0.5, "y": 0.5}


def test_where_mujoco_fails_the_card_says_so() -> None:
    def diverges_there(lab: Lab) -> dict[str, float]:
        if lab.engine == "mujoco":
            raise ExperimentError("1 of 1 envs diverged")
        return {"x": 0.5}

    made = Case("d", "C", "d", "", (Number("x", 1.0),), diverges_there, mujoco=True)
    (outcome,) = measure([made], "cpu", True, lambda outcome: None)
    assert "| diverged |" in markdown(Card([outcome], "", "", {}))


def test_json_is_complete_and_valid() -> None:
    number = Number("x", 1.0, "m", reference={"PhysX": 0.1})
    outcome = Outcome(case(number), "float32", "cpu", {"x": math.nan}, mujoco={"x": 0.25}, seconds=1.5)
    read = json.loads(Card([outcome], "a cpu", "abc", {"numpy": "2"}).to_json())
    (entry,) = read["cases"]
    (got,) = entry["numbers"]
    assert got["value"] is None
    assert (got["bar"], got["mujoco_value"], got["reference"]) == (1.0, 0.25, {"PhysX": 0.1})
    assert got["verdict"] == "missed"
    assert (entry["id"], entry["seconds"], read["commit"]) == ("a-case", 1.5, "abc")


def test_pictures(tmp_path) -> None:
    numbers = (Number("x", 1.0, reference={"PhysX": 1e9}), Number("zero", 1.0), Number("nan", 1.0, missed="why"))
    values = {"x": 1e-12, "zero": 0.0, "nan": math.nan}
    made = pictures.write(Card([Outcome(case(*numbers), "float32", "cpu", values)], "", "", {}), tmp_path)
    assert [p.name for p in made] == ["part-c.png"]
    assert made[0].stat().st_size > 1000
