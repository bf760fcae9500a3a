"""Speed and quality of the physics beside other engines.

    kilogym bench physics                                      Ant and Humanoid, all engines that are there
    kilogym bench physics --robots ant --num-envs 4096 16384 --engines kilogym mujoco-warp
    kilogym bench physics --robots path/to/robot.xml --device cpu --num-envs 64

Writes `physics-<device>.json` (a list of records) and `.md` (a table) into the folder named by `--out`.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from kilogym.bench.engine import Engine, Setting
from kilogym.bench.kilogym_engine import KilogymAllOutputs, KilogymEngine
from kilogym.bench.measure import Plan, measure
from kilogym.bench.mujoco_engine import MujocoEngine
from kilogym.bench.mujoco_warp_engine import MujocoWarpEngine
from kilogym.bench.newton_engine import NewtonEngine
from kilogym.bench.provenance import declare_commit
from kilogym.bench.records import Record, record, si, to_markdown, with_ratios, write_results
from kilogym.bench.robot import known_robots
from kilogym.bench.scenes import SCENES, load_scene

ENGINES: dict[str, type[Engine]] = {
    "kilogym": KilogymEngine,
    "kilogym-all": KilogymAllOutputs,
    "mujoco-warp": MujocoWarpEngine,
    "newton": NewtonEngine,
    "mujoco": MujocoEngine,
}
"""Name on the command line and engine; measured in this order."""
OF_PACKAGES = {"mujoco-warp": "mujoco_warp", "newton": "newton"}
"""Engines of packages that need not be there, and the modules they are in."""


def available() -> list[str]:
    """Engines that can be measured here."""
    return [name for name in ENGINES if name not in OF_PACKAGES or importlib.util.find_spec(OF_PACKAGES[name])]


def parse(args: list[str]) -> argparse.Namespace:
    """The command line."""
    first, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="kilogym bench physics",
        description=first,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--robots", nargs="+", default=["ant", "humanoid"], help=f"{', '.join([*known_robots(), *SCENES])}, or files"
    )
    parser.add_argument("--engines", nargs="+", default=available(), choices=list(ENGINES))
    parser.add_argument("--num-envs", nargs="+", type=int, help="default 4096 16384 65536 on CUDA, 64 on the CPU")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dt", type=float, default=1 / 120, help="of a physics step [s]")
    parser.add_argument("--hold", type=int, default=8, help="steps between two draws of the controls")
    parser.add_argument("--warm-up", type=int, default=Plan.warm_up, help="steps before the first timing")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="steps per timing")
    parser.add_argument("--repeats", type=int, default=Plan.repeats, help="timings; 5 or more to quote")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    parser.add_argument("--commit", help="of the sources, where their git folder is not with them")
    return parser.parse_args(args)


def run(options: argparse.Namespace, keep: Callable[[list[Record]], object] = lambda _: None) -> list[Record]:
    """Measure every engine on every robot at every number of envs, one after the other.

    `keep` gets all records so far after each, so that a run that is cut off leaves what it measured.
    """
    counts = options.num_envs or ([64] if options.device == "cpu" else [4096, 16384, 65536])
    plan = Plan(options.warm_up, options.steps, options.repeats, options.seed)
    records: list[Record] = []
    asked: dict[int, int] = {}
    for name in options.robots:
        scene = load_scene(name, options.dt)
        for count in counts:
            setting = Setting(scene, count, options.device, options.dt, options.hold)
            for engine in options.engines:
                kind = ENGINES[engine]
                try:
                    result = record(kind, setting, plan, measure(kind, setting, plan))
                except NotImplementedError as error:  # one engine's limits are no reason to leave out the others
                    print(f"left out: {error}", file=sys.stderr, flush=True)
                    continue
                asked[len(records)] = count
                records.append(result)
                print(
                    f"{scene.name} {count} {kind.name}: {si(result.physics_steps_per_s)} steps/s, spread "
                    f"{result.spread:.0%}, ready after {result.prepare_s:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
                keep(with_ratios(records, asked))
    return with_ratios(records, asked)


def write(records: list[Record], folder: Path) -> list[Path]:
    """Write the JSON and the table; returns their paths."""
    device = next((r.device for r in records if r.engine != "MuJoCo C"), records[0].device)
    return write_results(folder, "physics", device, records, to_markdown(records))


def main(args: list[str] | None = None) -> int:
    """Measure, print the table, write the results."""
    options = parse(sys.argv[1:] if args is None else args)
    declare_commit(options.commit)
    records = run(options, lambda so_far: write(so_far, options.out))
    print(to_markdown(records))
    print(f"written: {options.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
