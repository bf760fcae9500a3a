"""Train tasks of an unmodified IsaacGymEnvs checkout on Kilogym, and report what came of it as JSON.

    python tools/run_client.py ~/IsaacGymEnvs                                  Cartpole, Ant and Humanoid
    python tools/run_client.py ~/IsaacGymEnvs --tasks Ant --device cpu --num-envs 64 --iterations 5
    python tools/run_client.py ~/IsaacGymEnvs --tasks Ant -- seed=7 task.env.episodeLength=500

Each task runs as `python -m kilogym.compat train.py task=...` in a process of its own, in a folder of its own;
nothing is written into the checkout. Rewards are read from the TensorBoard log that rl_games writes, so they are
the numbers its user would see. Needs: kilogym[rl-games,isaacgymenvs].
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TASKS = ("Cartpole", "Ant", "Humanoid")
HORIZON = {
    "Cartpole": 16, "Ant": 16, "Humanoid": 32, "FactoryTaskNutBoltPick": 120, "FactoryTaskNutBoltPlace": 120,
    "FactoryTaskNutBoltScrew": 128, "FactoryTaskInsertion": 32, "FactoryTaskGears": 32,
}  # fmt: skip
"""Steps of a rollout in the client's own configs; a batch is this times the number of envs."""
TAGS = ("rewards/iter", "episode_lengths/iter", "performance/step_fps", "performance/step_inference_rl_update_fps")


@dataclass
class Result:
    """What one run of train.py did."""

    task: str
    num_envs: int
    device: str
    returncode: int
    wall_s: float  # whole process: imports, creation of envs, compilation, training
    iterations: int = 0
    train_s: float | None = None  # from the first logged iteration to the last
    final_mean_reward: float | None = None  # unscaled return of the last finished episodes
    best_mean_reward: float | None = None
    final_episode_length: float | None = None
    physics_fps: float | None = None  # env steps per second of stepping alone, median over iterations
    total_fps: float | None = None  # env steps per second with inference and learning, median
    curve: list[tuple[int, float, float]] = field(default_factory=list)  # iteration, seconds, mean reward
    overrides: list[str] = field(default_factory=list)
    log: str = ""


def overrides(task: str, args: argparse.Namespace) -> list[str]:
    """Hydra overrides of one run: what a user types, and what a CPU or a small batch forces."""
    on_cpu = args.device == "cpu"
    words = [
        f"task={task}",
        "headless=True",
        f"sim_device={args.device}",
        f"rl_device={args.device}",
        f"pipeline={'cpu' if on_cpu else 'gpu'}",
        f"seed={args.seed}",
    ]
    if args.iterations:
        words.append(f"max_iterations={args.iterations}")
    if args.num_envs:
        words.append(f"num_envs={args.num_envs}")
        batch = args.num_envs * HORIZON.get(task, 16)
        words.append(f"train.params.config.minibatch_size={min(batch, 32768)}")
    if on_cpu:
        words.append("train.params.config.mixed_precision=False")
        words.append("+train.params.config.device_name=cpu")
    if not args.torch_compile:
        words.append("+train.params.config.torch_compile=False")
    return words + args.extra


def read_summaries(folder: Path) -> dict[str, list[tuple[float, int, float]]]:
    """Scalars of a TensorBoard log: for each tag of TAGS, (wall time, step, value) in order."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    known = events.Tags()["scalars"]
    return {tag: [(e.wall_time, e.step, e.value) for e in events.Scalars(tag)] for tag in TAGS if tag in known}


def summarise(result: Result, scalars: dict[str, list[tuple[float, int, float]]]) -> None:
    """Fill a result with what its log says; a run too short for a finished episode has no reward."""

    def median(tag: str) -> float | None:
        values = sorted(value for _, _, value in scalars.get(tag, []))
        return values[len(values) // 2] if values else None

    every = scalars.get("performance/step_fps", [])
    result.iterations = len(every)
    start = every[0][0] if every else 0.0
    if len(every) > 1:
        result.train_s = round(every[-1][0] - start, 3)
    rewards = scalars.get("rewards/iter", [])
    result.curve = [(step, round(when - start, 2), round(value, 3)) for when, step, value in rewards]
    if rewards:
        result.final_mean_reward = rewards[-1][2]
        result.best_mean_reward = max(value for _, _, value in rewards)
    lengths = scalars.get("episode_lengths/iter", [])
    result.final_episode_length = lengths[-1][2] if lengths else None
    result.physics_fps = median("performance/step_fps")
    result.total_fps = median("performance/step_inference_rl_update_fps")


def run_task(task: str, args: argparse.Namespace, folder: Path) -> Result:
    """Run train.py for one task; its output goes to `train.log` in `folder`."""
    package = Path(args.checkout).resolve() / "isaacgymenvs"
    words = overrides(task, args)
    paths = [str(package.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    source = Path(__file__).resolve().parents[1] / "src"
    if source.is_dir():
        paths.insert(1, str(source))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "train.log"
    start = time.perf_counter()
    with log.open("w") as out:
        command = [sys.executable, "-m", "kilogym.compat", str(package / "train.py"), *words]
        try:
            code = subprocess.run(
                command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, timeout=args.timeout
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
    result = Result(task, args.num_envs, args.device, code, round(time.perf_counter() - start, 2))
    result.overrides = words
    result.log = str(log)
    summaries = sorted(folder.glob("runs/*/summaries"), key=lambda path: path.stat().st_mtime)
    if summaries:
        summarise(result, read_summaries(summaries[-1]))
    return result


def revision(folder: Path) -> str:
    """The commit a folder is at, or "unknown" where it is no git checkout of its own."""
    command = ["git", "-C", str(folder), "rev-parse", "--show-toplevel", "--short", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True)
    top, _, commit = found.stdout.strip().partition("\n")
    return commit if found.returncode == 0 and Path(top).resolve() == folder.resolve() else "unknown"


def versions() -> dict[str, str]:
    """Versions of what takes part."""
    names = ("torch", "numpy", "warp-lang", "rl-games", "hydra-core", "gymnasium", "gym", "kilogym")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    description, _, epilog = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", help="folder of an IsaacGymEnvs checkout")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK", help="default: all three")
    parser.add_argument("--num-envs", type=int, default=0, help="default: the task's own (512, 4096, 4096)")
    parser.add_argument("--iterations", type=int, default=0, help="default: the task's own (100, 500, 1000)")
    parser.add_argument("--device", default="cuda:0", help="cuda:N or cpu")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--timeout", type=float, default=None, help="seconds a task may take")
    parser.add_argument("--torch-compile", action="store_true", help="let rl_games compile its model, as it would")
    parser.add_argument("--folder", type=Path, help="where logs and checkpoints go; default a new temporary folder")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    words = sys.argv[1:] if argv is None else argv
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    args.extra = words[cut + 1 :]  # further Hydra overrides
    if not (Path(args.checkout) / "isaacgymenvs" / "train.py").is_file():
        parser.error(f"{args.checkout} has no isaacgymenvs/train.py")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the tasks one after the other; returns 1 if any failed."""
    args = parse_arguments(argv)
    folder = args.folder or Path(tempfile.mkdtemp(prefix="kilogym-client-"))
    results = []
    for task in args.tasks:
        print(f"{task}: running, log in {folder / task / 'train.log'}", file=sys.stderr, flush=True)
        results.append(run_task(task, args, folder.resolve() / task))
    report: dict[str, Any] = {
        "client": "IsaacGymEnvs",
        "client_commit": revision(Path(args.checkout)),
        "kilogym_commit": revision(Path(__file__).resolve().parents[1]),
        "versions": versions(),
        "results": [asdict(result) for result in results],
    }
    text = json.dumps(report, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    return 0 if all(result.returncode == 0 for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
