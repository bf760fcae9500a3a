"""The benchmark: its records, its measure of penetration, and a small run of every engine on the CPU."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from kilogym.bench.engine import Setting
from kilogym.bench.kilogym_engine import KilogymAllOutputs, KilogymEngine
from kilogym.bench.measure import Controls, Measurement, Plan, measure
from kilogym.bench.mujoco_engine import MujocoEngine
from kilogym.bench.mujoco_warp_engine import MujocoWarpEngine, room_needed
from kilogym.bench.physics import main
from kilogym.bench.quality import Quality
from kilogym.bench.records import Record, record, si, to_json, to_markdown, with_ratios
from kilogym.bench.robot import load_robot

KEYS = {
    "robot", "engine", "num_envs", "physics_steps_per_s", "ratio", "contacts_per_env", "penetration_mean_m",
    "penetration_p99_m", "nonfinite_envs", "device", "versions", "driver", "commit",
}  # fmt: skip


@pytest.fixture(scope="module")
def setting() -> Setting:
    return Setting(load_robot("ant", 1 / 120), 3, "cpu", 1 / 120, 4)


def a_measurement(speeds: list[float], num_envs: int = 3) -> Measurement:
    return Measurement(num_envs, speeds, 1.5, Quality([0.001, 0.0, 0.003], 2), 0, 1.5, False)


def a_record(setting: Setting, kind: type, speed: float) -> Record:
    return record(kind, setting, Plan(), a_measurement([speed] * 5))


def test_speed_is_the_median_and_spread_the_range():
    result = a_measurement([90.0, 100.0, 110.0, 1000.0, 95.0])
    assert result.speed == 100.0
    assert result.spread == pytest.approx(9.1)


def test_quality_is_zero_without_contacts_and_counts_touching_pairs():
    assert (Quality().contacts_per_env, Quality().mean, Quality().p99) == (0.0, 0.0, 0.0)
    quality = Quality([0.001, 0.0, 0.003], 2)
    assert quality.contacts_per_env == 1.5
    assert quality.mean == pytest.approx(4e-3 / 3)


def test_penetration_is_read_off_the_positions(setting):
    scene = setting.scene
    torso = scene.model.geom("torso").id
    radius = scene.model.geom_size[torso, 0]
    # on its back, legs in the air: the torso's sphere is the lowest shape
    sunk, flying = scene.start.copy(), scene.start.copy()
    sunk[2], sunk[3:7] = radius - 0.01, (0.0, 1.0, 0.0, 0.0)
    flying[2] = 5.0
    broken = np.full_like(sunk, np.nan)
    quality = Quality()
    quality.add(scene, np.array([sunk, flying, broken]))
    assert quality.envs == 2
    assert max(quality.depths) == pytest.approx(0.01, abs=1e-6)


def test_start_poses_are_inside_the_limits():
    for name in ("ant", "humanoid"):
        model = load_robot(name, 0.01).model
        robot = load_robot(name, 0.01)
        for joint in range(1, model.njnt):
            at = model.jnt_qposadr[joint]
            assert model.jnt_range[joint, 0] <= robot.start[at] <= model.jnt_range[joint, 1]
        assert (np.sort(robot.motor_joint) == np.arange(robot.num_dofs)).all()


def test_what_is_no_floating_robot_is_refused(tmp_path):
    with pytest.raises(ValueError, match="humanoid"):
        load_robot("no-such-robot", 0.01)
    file = tmp_path / "fixed.xml"
    file.write_text('<mujoco><worldbody><body><joint/><geom size="1"/></body></worldbody></mujoco>')
    with pytest.raises(ValueError, match="free joint"):
        load_robot(str(file), 0.01)


def test_controls_are_the_same_for_every_engine(setting):
    a, b = Controls(setting, 3), Controls(setting, 3)
    first = a.next()
    assert first.shape == (3, 8)
    assert torch.equal(first, b.next())
    assert not torch.equal(first, a.next())
    assert first.abs().max() <= 1


def test_ratio_is_to_the_baseline_of_the_same_robot_and_count(setting):
    fast, base = a_record(setting, KilogymEngine, 50.0), a_record(setting, MujocoWarpEngine, 10.0)
    alone = replace(fast, num_envs=7)
    scalar = replace(a_record(setting, MujocoEngine, 1.0), num_envs=2)
    ratios = [r.ratio for r in with_ratios([fast, base, alone, scalar], {3: 3})]
    assert ratios == [5.0, 1.0, None, pytest.approx(0.1)]


def test_json_has_the_promised_keys_and_no_nan(setting):
    broken = replace(a_record(setting, KilogymEngine, 50.0), physics_steps_per_s=float("nan"))
    (entry,) = json.loads(to_json([broken]))
    assert set(entry) >= KEYS
    assert entry["physics_steps_per_s"] is None
    assert entry["settings"]["repeats"] == 7


def test_table_names_every_engine_and_how_to_read_it(setting):
    dropped = replace(a_record(setting, MujocoWarpEngine, 10.0), contacts_dropped=True)
    table = to_markdown(with_ratios([a_record(setting, KilogymEngine, 50.0), dropped]))
    assert "| ant | 3 | Kilogym | 50 | 5.00x | 0% | 1.5 s | 1.5 | 1.33, 2.96 mm | 0 |" in table
    assert "MuJoCo Warp (dropped contacts)" in table
    assert "soft by design" in table
    assert to_markdown([]) == "No measurements.\n"
    assert (si(1234567.0), si(999.0), si(2.5e9)) == ("1.23 M", "999", "2.5 G")


def test_room_is_more_than_a_lying_robot_needs(setting):
    contacts, rows = room_needed(setting, envs=2, steps=60)
    assert contacts >= 12
    assert rows % 8 == 0


def test_kilogym_engine_moves_as_mujoco_does(setting):
    """Same start, and in free fall the same torques turn the same joints as far.

    Both integrate to first order: the paths differ by a share of 1 / steps, so short steps are taken.
    """
    finer = replace(setting, dt=setting.dt / 16, hold=64, scene=load_robot("ant", setting.dt / 16))
    engine, reference = KilogymEngine(finer), MujocoEngine(finer)
    assert np.abs(engine.positions() - reference.positions()).max() < 1e-6
    controls = torch.zeros(3, 8)
    controls[:, 2] = 0.3
    for one in (engine, reference):
        one.set_controls(controls)
        one.advance()
    moved = [one.positions()[0] - setting.scene.start for one in (engine, reference)]
    assert np.abs(moved[1]).max() > 0.1
    assert np.abs(moved[0] - moved[1]).max() < 0.015 * np.abs(moved[1]).max()
    engine.close()
    reference.close()


@pytest.mark.parametrize("kind", [KilogymEngine, KilogymAllOutputs, MujocoEngine])
def test_measures_on_the_cpu(kind, setting):
    result = measure(kind, setting, Plan(warm_up=8, steps=8, repeats=5))
    assert len(result.speeds) == 5
    assert result.speed > 0
    assert result.nonfinite_envs == 0
    assert result.quality.envs == 15


def test_mujoco_has_as_many_threads_as_kilogym(setting, monkeypatch):
    monkeypatch.setenv("KILOGYM_THREADS", "1")
    assert MujocoEngine(setting)._threads == 1


def test_program_writes_json_and_table(tmp_path, capsys):
    arguments = ["--robots", "ant", "--engines", "mujoco", "kilogym", "--device", "cpu", "--num-envs", "2"]
    arguments += ["--steps", "8", "--warm-up", "8"]
    assert main([*arguments, "--repeats", "5", "--out", str(tmp_path)]) == 0
    assert "| ant | 2 | Kilogym |" in capsys.readouterr().out
    (file,) = tmp_path.glob("*.json")
    assert [entry["engine"] for entry in json.loads(file.read_text())] == ["MuJoCo C", "Kilogym"]
    assert Path(str(file).replace(".json", ".md")).is_file()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mujoco_warp") is None, reason="mujoco-warp is not installed")
def test_mujoco_warp_agrees_with_mujoco(setting):
    """It is the same model: a few steps of both engines end in the same place."""
    peer, reference = MujocoWarpEngine(setting), MujocoEngine(setting)
    controls = Controls(setting, 0)
    for _ in range(2):
        values = 0.1 * controls.next()  # gently: where joints hit their stops rounding grows quickly
        for one in (peer, reference):
            one.set_controls(values)
            one.advance()
    assert np.abs(peer.positions() - setting.scene.start).max() > 0.01
    assert np.abs(peer.positions() - reference.positions()).max() < 1e-3
    assert not peer.overflowed()
    assert isinstance(setting.scene.model, mujoco.MjModel)
