"""`kilogym validate`: what it writes and what its exit code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kilogym.cli import validate
from kilogym.cli.main import main
from kilogym.validation.case import Case, Number


def test_it_writes_the_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "card"
    assert main(["validate", "--cases", "projectile", "--strict", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "height error" in told
    assert "MuJoCo 0.0409" in told
    assert "2 of 2 bars met; 1 cases" in told
    assert {p.name for p in out.iterdir()} == {"card.json", "card.md", "part-c.png"}
    (case,) = json.loads((out / "card.json").read_text())["cases"]
    assert case["numbers"][0]["mujoco_value"] == pytest.approx(0.0409, abs=1e-4)
    assert "| projectile | height error |" in (out / "card.md").read_text()


def test_processes_give_the_card_that_one_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the same order, with the same numbers."""
    cards = []
    for jobs in ("1", "2"):
        arguments = ["--cases", "projectile", "mass-matrix", "--jobs", jobs, "--out", str(tmp_path / jobs)]
        assert main(["validate", *arguments]) == 0
        (*told, _, _) = capsys.readouterr().out.splitlines()
        card = json.loads((tmp_path / jobs / "card.json").read_text())
        cards.append(
            ([line for line in told if line.startswith(" ")], [(c["id"], c["numbers"]) for c in card["cases"]])
        )
    assert cards[0] == cards[1]
    assert len(cards[0][1]) == 3


@pytest.mark.parametrize(("missed", "strict_code"), [("", 1), ("known", 0)])
def test_exit_codes(missed: str, strict_code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missed bar is on the card; only --strict makes it an exit code, and only where it is news."""
    bad = Case("bad", "C", "bad", "", (Number("x", 1.0, missed=missed),), lambda lab: {"x": 2.0})
    monkeypatch.setattr(validate, "select", lambda *a, **k: [bad])
    arguments = ["validate", "--no-mujoco", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert ("**known miss**" if missed else "**missed**") in (tmp_path / "card.md").read_text()
    assert main([*arguments, "--strict"]) == strict_code


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--parts", "Z"], 1, "no part 'Z'"),
        (["--cases", "projectiel"], 1, "did you mean 'projectile'"),
        (["--write-docs", "--fast"], 2, "--write-docs takes all cases"),
        (["--jobs", "-1", "--cases", "projectile"], 2, "--jobs: expected a number of processes"),
        (["--device", "tpu", "--cases", "projectile"], 1, "cpu, cuda or cuda:N"),
    ],
)
def test_errors(arguments, code, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["validate", *arguments]) == code
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_it_says_that_pictures_are_missing(tmp_path, capsys, monkeypatch) -> None:
    def missing(card, folder):
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")

    monkeypatch.setattr(validate.pictures, "write", missing)
    assert main(["validate", "--cases", "projectile", "--no-mujoco", "--out", str(tmp_path)]) == 0
    assert "no pictures, matplotlib is missing" in capsys.readouterr().out
    assert (tmp_path / "card.json").is_file()
