"""Curves: their scenes do the work they are named after, the floors are what was counted."""

import json

import pytest

from kilogym.assets.procedural import make_sphere
from kilogym.bench import curves, roofline
from kilogym.bench.curves import chain, draw, main, plate, points_of, scene_of
from kilogym.bench.engine import Setting
from kilogym.bench.kilogym_engine import KilogymEngine, make_simulation
from kilogym.bench.mujoco_scene import build_scene, plain
from kilogym.bench.roofline import bytes_per_env_step, count_instructions, rates, read_metric
from kilogym.bench.scene import Actor

CSV = """==PROF== Connected
"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"0","kilogym_step","smsp__inst_executed.sum","inst","7,512,345"
"""


def test_bytes_of_a_ball_are_its_state_forces_and_contacts():
    """State 13 reals twice; body force and torque, 6, in; contact force, 3, out; a DOF's and a sensor's arrays have a
    row where there are none: 3 of input, 1 + 1 of output, 2 of state twice."""
    scene = build_scene("ball", [Actor(plain(make_sphere(0.1)), (0.0, 0.0, 1.0))], {}, 0.01)
    sim = make_simulation(Setting(scene, 1, "cpu", 0.01, 1))
    bare = bytes_per_env_step(sim, 0.0)
    assert bare == 4 * (2 * 13 + 6 + 3 + 2 * 2 + 3 + 2) + 16
    assert bytes_per_env_step(sim, 2.0) - bare == 2 * (2 * 3 * 4 + 2 * 4)


def test_bytes_grow_with_a_parameter_of_every_env():
    scene = chain(4)
    sim = make_simulation(Setting(scene, 3, "cpu", 0.01, 1))
    before = bytes_per_env_step(sim, 0.0)
    sim.batches[0].expand("link_mass")
    assert bytes_per_env_step(sim, 0.0) == before + 4 * 5


def test_scenes_are_named_by_their_size():
    assert scene_of("chain8").num_dofs == 8
    assert scene_of("plate4").model.ngeom == 5
    assert scene_of("ant").num_dofs == 8
    assert [x for x, _, _ in points_of("envs", 7, "cuda:0")] == [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576]
    assert points_of("dofs", 7, "cpu")[-1] == (64, "chain64", 7)
    assert points_of("contacts", 7, "cpu")[0] == (1, "plate1", 7)


@pytest.mark.parametrize("contacts", [1, 12])
def test_all_balls_of_a_plate_carry_load(contacts):
    engine = KilogymEngine(Setting(plate(contacts), 1, "cpu", 1 / 120, 60))
    engine.advance()
    assert engine.own_contacts() == contacts
    assert not engine.overflowed()
    assert engine.positions()[0, 2] == pytest.approx(0.03, abs=1e-3)
    engine.sim.refresh_contact_forces()
    assert float(engine.sim.contact_forces[0, 2]) == pytest.approx(9.81, rel=1e-3)
    engine.close()


def test_metric_is_read_from_the_profilers_csv():
    assert read_metric(CSV) == 7512345.0
    with pytest.raises(RuntimeError, match="expected a row of"):
        read_metric("==ERROR== no permission\n")


def test_instructions_are_not_counted_where_nothing_counts_them(monkeypatch):
    assert count_instructions("ant", 4, "cpu") is None
    monkeypatch.setattr(roofline.shutil, "which", lambda name: None)
    assert count_instructions("ant", 4, "cuda:0") is None


def test_a_profiler_that_fails_is_quoted(tmp_path, monkeypatch):
    tool = tmp_path / "ncu"
    tool.write_text("#!/bin/sh\necho ERR_NVGPUCTRPERM >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(RuntimeError, match="ERR_NVGPUCTRPERM"):
        count_instructions("ant", 4, "cuda:0")
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{CSV}END\n")
    assert count_instructions("ant", 4, "cuda:0") == 7512345.0


def test_memory_of_the_cpu_is_measured():
    found = rates("cpu")
    assert 1e8 < found.bytes_per_s < 1e13
    assert found.instructions_per_s is None


def test_program_writes_points_and_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "DOFS", [2, 3])
    monkeypatch.setenv("KILOGYM_COMMIT", "")  # what --commit sets goes again
    words = f"--curves dofs --device cpu --num-envs 2 --warm-up 8 --steps 8 --repeats 2 --out {tmp_path} --commit abc"
    assert main(words.split()) == 0
    (file,) = tmp_path.glob("curves-*.json")
    points = json.loads(file.read_text())
    assert [(p["x"], p["num_envs"], p["commit"]) for p in points] == [(2, 2, "abc"), (3, 2, "abc")]
    assert all(0 < p["memory_floor_s"] < p["env_step_s"] for p in points)
    assert file.with_suffix(".png").stat().st_size > 5000


def test_picture_shows_instructions_where_they_were_counted(tmp_path):
    point = curves.Point("envs", 64, 64, 1e-6, 0.1, 1.0, 500.0, 1e-9, 7e6, 1e-8, "a gpu", {}, "1", "abc", "def")
    draw([point], tmp_path / "with.png")
    draw([curves.Point(**{**vars(point), "issue_floor_s": None})], tmp_path / "without.png")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


def test_profiled_program_only_steps(monkeypatch):
    seen = []
    monkeypatch.setattr(curves, "profile", lambda *words: seen.append(words))
    assert main(["--profile", "chain4", "2", "--device", "cpu"]) == 0
    assert seen == [("chain4", 2, "cpu")]
