"""IsaacGymEnvs, unmodified, on Kilogym; and the tool that runs it, without the client."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "run_client.py"
CHECKOUT = os.environ.get("KILOGYM_CLIENT_ISAACGYMENVS", "")

without_checkout = pytest.mark.skipif(
    not CHECKOUT, reason="set KILOGYM_CLIENT_ISAACGYMENVS to a checkout of IsaacGymEnvs"
)


@pytest.fixture(scope="module")
def tool() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(TOOL)))


def fake_checkout(folder: Path, train: str) -> Path:
    package = folder / "isaacgymenvs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(train)
    return folder


def run_tool(*args: object) -> tuple[int, dict]:
    command = [sys.executable, str(TOOL), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_reads_the_log_that_train_py_leaves(tmp_path):
    pytest.importorskip("tensorboardX")
    train = """
import isaacgymenvs, sys, numpy as np
from tensorboardX import SummaryWriter
assert np.Inf and "task=Ant" in sys.argv and "seed=3" in sys.argv and "a=b" in sys.argv
writer = SummaryWriter("runs/Ant_1/summaries")
for k in range(1, 4):
    writer.add_scalar("performance/step_fps", 100.0 * k, 512 * k)
    writer.add_scalar("performance/step_inference_rl_update_fps", 10.0 * k, 512 * k)
for k, reward in ((2, 5.0), (3, 4.0)):
    writer.add_scalar("rewards/iter", reward, k)
    writer.add_scalar("episode_lengths/iter", 20.0, k)
writer.close()
"""
    checkout = fake_checkout(tmp_path / "client", train)
    code, report = run_tool(
        checkout, "--tasks", "Ant", "--device", "cpu", "--num-envs", 8, "--seed", 3,
        "--folder", tmp_path / "out", "--", "a=b",
    )  # fmt: skip
    (result,) = report["results"]
    assert (code, result["returncode"], result["iterations"]) == (0, 0, 3)
    assert (result["final_mean_reward"], result["best_mean_reward"]) == (4.0, 5.0)
    assert (result["physics_fps"], result["total_fps"], result["final_episode_length"]) == (200.0, 20.0, 20.0)
    assert [point[0] for point in result["curve"]] == [2, 3]
    assert report["client_commit"]
    assert report["versions"]["python"]


def test_a_failing_client_is_reported(tmp_path):
    checkout = fake_checkout(tmp_path / "client", "print('before'); raise SystemExit(5)\n")
    code, report = run_tool(checkout, "--tasks", "Ant", "--folder", tmp_path / "out")
    (result,) = report["results"]
    assert (code, result["returncode"], result["final_mean_reward"]) == (1, 5, None)
    assert "before" in Path(result["log"]).read_text()


def test_batches_divide_into_minibatches(tool, tmp_path):
    fake_checkout(tmp_path, "")
    for count, expected in ((64, 1024), (4096, 32768)):
        args = tool.parse_arguments([str(tmp_path), "--num-envs", str(count), "--device", "cpu"])
        assert f"train.params.config.minibatch_size={expected}" in tool.overrides("Ant", args)


def test_a_folder_that_is_no_checkout_is_refused(tool, tmp_path):
    with pytest.raises(SystemExit):
        tool.parse_arguments([str(tmp_path)])


def test_a_folder_inside_another_repository_has_no_commit_of_its_own(tool):
    root = TOOL.parents[1]
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    assert tool.revision(root) != "unknown"
    assert tool.revision(root / "tests") == "unknown"


@pytest.mark.client
@without_checkout
@pytest.mark.parametrize(
    ("task", "num_envs", "iterations"), [("Cartpole", 64, 20), ("Ant", 16, 8), ("Humanoid", 16, 8)]
)
def test_trains_on_the_cpu(task, num_envs, iterations, tmp_path):
    code, report = run_tool(
        CHECKOUT, "--tasks", task, "--device", "cpu", "--num-envs", num_envs, "--iterations", iterations,
        "--folder", tmp_path,
    )  # fmt: skip
    (result,) = report["results"]
    assert code == 0, Path(result["log"]).read_text()[-3000:]
    assert result["iterations"] == iterations
    assert result["final_mean_reward"] is not None
    if task == "Cartpole":
        rewards = [point[2] for point in result["curve"]]
        assert max(rewards) > rewards[0] + 1.0  # it learns to keep the pole up for longer


@pytest.mark.client
@without_checkout
@pytest.mark.parametrize(
    "task",
    [
        "BallBalance", "Quadcopter", "Anymal", "AnymalTerrain", "FrankaCabinet", "FrankaCubeStack", "ShadowHand",
        "AllegroHand", "Trifinger", "FactoryTaskNutBoltPick", "FactoryTaskNutBoltPlace", "FactoryTaskInsertion",
    ],
)  # fmt: skip
def test_runs_on_the_cpu(task, tmp_path):
    """Two iterations of a few envs: every call is there. Not whether it learns."""
    code, report = run_tool(
        CHECKOUT, "--tasks", task, "--device", "cpu", "--num-envs", 8, "--iterations", 2, "--folder", tmp_path,
        "--", "train.params.config.minibatch_size=64",
    )  # fmt: skip
    (result,) = report["results"]
    assert code == 0, Path(result["log"]).read_text()[-3000:]
    assert result["iterations"] == 2


@pytest.mark.client
@without_checkout
def test_train_py_runs_as_its_users_type_it(tmp_path):
    """Without `python -m kilogym.compat`: importing isaacgym puts back what the client misses."""
    package = Path(CHECKOUT).resolve() / "isaacgymenvs"
    words = (
        "task=Cartpole headless=True sim_device=cpu rl_device=cpu pipeline=cpu num_envs=64 max_iterations=3 "
        "train.params.config.minibatch_size=1024 train.params.config.mixed_precision=False "
        "+train.params.config.device_name=cpu +train.params.config.torch_compile=False"
    )
    command = [sys.executable, str(package / "train.py"), *words.split()]
    paths = os.pathsep.join(filter(None, [str(package.parent), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "epoch: 3/3" in done.stdout


MOTORS = [67.5, 67.5, 67.5, 45, 45, 135, 90, 22.5, 22.5, 45, 45, 135, 90, 22.5, 22.5, 67.5, 67.5, 45, 67.5, 67.5, 45]


@pytest.mark.client
@without_checkout
@pytest.mark.parametrize(
    ("file", "bodies", "dofs", "motors"),
    [
        ("mjcf/nv_ant.xml", 9, [f"{name}_{k}" for k in range(1, 5) for name in ("hip", "ankle")], [15] * 8),
        ("mjcf/nv_humanoid.xml", 16, ["abdomen_z", "abdomen_y", "abdomen_x", "right_hip_x", "right_hip_z"], MOTORS),
        ("urdf/cartpole.urdf", 3, ["slider_to_cart", "cart_to_pole"], []),
    ],
)
def test_robots_are_in_the_orders_that_the_tasks_index(file, bodies, dofs, motors):
    from isaacgym import gymapi

    gym = gymapi.acquire_gym()
    sim = gym.create_sim(0, -1, gymapi.SIM_PHYSX, gymapi.SimParams())
    asset = gym.load_asset(sim, str(Path(CHECKOUT) / "assets"), file)
    assert gym.get_asset_rigid_body_count(asset) == bodies
    assert gym.get_asset_dof_names(asset)[: len(dofs)] == dofs
    assert [p.motor_effort for p in gym.get_asset_actuator_properties(asset)] == motors
    if motors:
        assert gym.get_asset_dof_count(asset) == len(motors)
    gym.destroy_sim(sim)
