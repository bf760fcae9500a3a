"""The benchmark of starts: stages of real processes, and what is made of them."""

import json
from pathlib import Path

import pytest

from kilogym.bench.start import CACHES, STAGES, StartRecord, main, median_start, start, to_markdown
from kilogym.bench.start_process import Stages


def a_record(**seconds: float) -> StartRecord:
    stages = dict.fromkeys(STAGES, 0.0) | {name.replace("_", " "): value for name, value in seconds.items()}
    total = sum(stages.values())
    return StartRecord("ant", 4096, "empty", total, stages, [total], 16, "GPU", {"python": "3.11"}, "none", "c", "s")


def test_a_start_is_told_stage_by_stage_and_compiles_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"--tasks cartpole --num-envs 2 --device cpu --out {tmp_path}"
    assert main(words.split()) == 0
    file = next(tmp_path.glob("start-*.json"))
    empty, warm = json.loads(file.read_text())
    assert [record["caches"] for record in (empty, warm)] == list(CACHES)
    for record in (empty, warm):
        assert list(record["stages_s"]) == list(STAGES)
        assert all(seconds >= 0.0 for seconds in record["stages_s"].values())
        assert record["total_s"] == pytest.approx(sum(record["stages_s"].values()))
    compiling = [r["stages_s"]["compile"] + r["stages_s"]["reset"] + r["stages_s"]["first step"] for r in (empty, warm)]
    assert compiling[0] > 2.0 * compiling[1]
    table = file.with_suffix(".md").read_text()
    assert table in capsys.readouterr().out
    assert table.count("| cartpole | 2 |") == 2


def test_of_several_starts_the_median_is_taken() -> None:
    slow, middle, fast = ({"declare": a, "compile": 1.0} for a in (9.0, 2.0, 1.0))
    assert median_start([slow, fast, middle]) is middle
    assert median_start([slow, middle]) is middle


def test_imports_of_torch_and_warp_are_not_ours() -> None:
    record = a_record(import_torch=4.0, import_warp=1.0, compile=7.0, first_step=0.5)
    assert record.ours_s == pytest.approx(7.5)
    row = to_markdown([record]).splitlines()[-1]
    assert row == "| ant | 4096 | empty | 4.00 | 1.00 | 0.00 | 0.00 | 0.00 | 7.00 | 0.00 | 0.50 | 12.50 | 7.50 |"


def test_stages_follow_each_other_without_a_gap() -> None:
    stages = Stages()
    stages.end("a")
    stages.end("b")
    assert list(stages.seconds) == ["a", "b"]
    assert min(stages.seconds.values()) >= 0.0


def test_a_start_that_fails_says_what_the_process_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"start of unicycle on cpu: exit code 1; it said: .*no task named 'unicycle'"):
        start("unicycle", 2, "cpu", tmp_path)


def test_wrong_words_are_told_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="no task named 'unicycle'"):
        main(["--tasks", "unicycle", "--device", "cpu"])
    with pytest.raises(SystemExit):
        main(["--tasks", "cartpole", "--repeats", "0"])
