"""A slower figure is seen, by its ratio where there is one."""

import json

import pytest

from kilogym.bench.compare import Change, changes, main, table

OURS = {
    "robot": "ant",
    "engine": "Kilogym",
    "num_envs": 4096,
    "device": "a",
    "physics_steps_per_s": 100.0,
    "ratio": 10.0,
}
TASK = {"task": "ant", "num_envs": 4096, "device": "a", "env_steps_per_s": 50.0}


def test_ratio_is_compared_where_both_have_one():
    slower_machine = {**OURS, "physics_steps_per_s": 50.0, "ratio": 9.0, "device": "b"}
    assert changes([OURS], [slower_machine]) == [Change("ant, 4096, Kilogym", "ratio", 10.0, 9.0)]


def test_speeds_are_compared_on_one_device_only():
    alone = {**OURS, "ratio": None}
    assert changes([OURS], [alone]) == [Change("ant, 4096, Kilogym", "steps/s", 100.0, 100.0)]
    assert changes([OURS], [{**alone, "device": "b"}]) == []
    assert changes([TASK], [{**TASK, "env_steps_per_s": 40.0}]) == [Change("ant, 4096, task", "steps/s", 50.0, 40.0)]


def test_other_counts_and_the_baseline_itself_are_left_out():
    assert changes([OURS], [{**OURS, "num_envs": 1}]) == []
    baseline = {**OURS, "engine": "MuJoCo Warp", "ratio": 1.0}
    assert changes([baseline], [baseline]) == []


def test_table_marks_what_fell_by_more_than_the_limit():
    lines = table([Change("x", "ratio", 10.0, 9.4), Change("y", "ratio", 10.0, 9.6)], 0.05).splitlines()
    assert lines[2] == "| x | ratio | 10 | 9.4 | -6.0% | **slower** |"
    assert "slower" not in lines[3]


def test_program_fails_for_a_slower_figure(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "p.json").write_text(json.dumps([OURS]))
    (tmp_path / "p.json").write_text(json.dumps([{**OURS, "ratio": 9.0}]))
    assert main(["p.json"]) == 1
    assert "-10.0%" in capsys.readouterr().out
    assert main(["p.json", "--limit", "0.2"]) == 0
    assert main(["p.json", "p.json"]) == 0


def test_what_cannot_be_compared_is_refused(tmp_path):
    here, other = tmp_path / "a.json", tmp_path / "b.json"
    here.write_text(json.dumps([OURS]))
    with pytest.raises(ValueError, match="expected the JSON"):
        main([str(here), str(other)])
    other.write_text(json.dumps([TASK]))
    with pytest.raises(ValueError, match="no figure in common"):
        main([str(here), str(other)])
    other.write_text("{}")
    with pytest.raises(ValueError, match="list of records"):
        main([str(here), str(other)])
