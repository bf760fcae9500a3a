"""Cost against work: a step's time over envs, over DOFs and over contacts, beside the least that memory allows.

    kilogym bench curves                                          all three, JSON and picture into benchmarks/results
    kilogym bench curves --curves dofs --num-envs 4096 --pictures docs/pictures

envs: the ant, 64 to a million. dofs: chains of 4 to 64 hinges hung from a fixed link, without contacts. contacts: a
plate that lies on 1 to 32 balls, without joints. Instructions are counted where Nsight Compute (ncu) is found.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from kilogym.assets.asset import Asset, Joint, JointKind, Link, Shape, ShapeKind
from kilogym.bench.engine import Setting
from kilogym.bench.kilogym_engine import KilogymEngine, make_simulation
from kilogym.bench.measure import Plan, measure
from kilogym.bench.mujoco_scene import build_scene, plain
from kilogym.bench.provenance import commit, declare_commit, device_name, driver, source_tree, versions
from kilogym.bench.records import file_stem, si
from kilogym.bench.robot import load_robot
from kilogym.bench.roofline import Rates, bytes_per_env_step, count_instructions, rates
from kilogym.bench.scene import Actor, Scene

DT = 1 / 120
ENVS = {"cuda": [4**k for k in range(3, 11)], "cpu": [16, 64, 256, 1024]}
DOFS = [4, 8, 16, 32, 64]
CONTACTS = [1, 2, 4, 8, 16, 32]
CURVES = ("envs", "dofs", "contacts")


@dataclass(frozen=True)
class Point:
    """One measurement of a curve."""

    curve: str
    x: int  # envs, DOFs or contacts
    num_envs: int
    env_step_s: float  # a step's time over the number of envs
    spread: float
    contacts_per_env: float
    bytes_per_env_step: float
    memory_floor_s: float  # of an env's step: those bytes at the memory's rate
    instructions: float | None  # of warps, in a step of all envs
    issue_floor_s: float | None  # of an env's step: those at the schedulers' rate
    device: str
    versions: dict[str, str]
    driver: str
    commit: str
    source: str


def chain(dofs: int) -> Scene:
    """Rods of 0.1 m and 0.1 kg on hinges about x and y in turn, hung high above the plane."""
    inertia = (9e-5, 9e-5, 2e-5, 0.0, 0.0, 0.0)
    links = [Link("base", -1)] + [
        Link(f"rod{i}", i, (0.0, 0.0, -0.1 if i else 0.0), mass=0.1, com=(0.0, 0.0, -0.05), inertia=inertia)
        for i in range(dofs)
    ]
    joints = tuple(
        Joint(f"hinge{i}", JointKind.REVOLUTE, i + 1, axis=(1.0, 0.0, 0.0) if i % 2 else (0.0, 1.0, 0.0), damping=0.01)
        for i in range(dofs)
    )
    asset = Asset(f"chain{dofs}", tuple(links), joints, fixed_base=True)
    motors = {joint.name: 0.05 for joint in joints}
    return build_scene(asset.name, [Actor(plain(asset), (0.0, 0.0, 20.0), self_collisions=False)], motors, DT)


def plate(contacts: int) -> Scene:
    """1 kg on `contacts` balls in rows of eight, which all rest on the plane; one alone is a ball."""
    columns = min(contacts, 8)
    places = [(0.1 * (i % columns), 0.1 * (i // columns)) for i in range(contacts)]
    middle = np.mean(places, axis=0)
    balls = tuple(
        Shape(0, ShapeKind.SPHERE, (0.03, 0.0, 0.0), (float(x - middle[0]), float(y - middle[1]), 0.0))
        for x, y in places
    )
    asset = Asset(f"plate{contacts}", (Link("plate", -1, inertia=(0.1, 0.1, 0.1, 0.0, 0.0, 0.0)),), shapes=balls)
    return build_scene(asset.name, [Actor(plain(asset), (0.0, 0.0, 0.03))], {}, DT, max_contacts=contacts)


def scene_of(name: str) -> Scene:
    """ "ant", "chain8", "plate4"."""
    for kind, make in (("chain", chain), ("plate", plate)):
        if name.startswith(kind):
            return make(int(name.removeprefix(kind)))
    return load_robot(name, DT)


def points_of(curve: str, num_envs: int, device: str) -> list[tuple[int, str, int]]:
    """(x, scene, envs) of a curve."""
    if curve == "envs":
        return [(n, "ant", n) for n in ENVS["cpu" if device == "cpu" else "cuda"]]
    names, values = ("chain", DOFS) if curve == "dofs" else ("plate", CONTACTS)
    return [(x, f"{names}{x}", num_envs) for x in values]


def measure_point(curve: str, x: int, name: str, envs: int, device: str, plan: Plan, at_best: Rates) -> Point:
    """Time one scene, and find its floors."""
    scene = scene_of(name)
    result = measure(KilogymEngine, Setting(scene, envs, device, DT, 8), plan)
    contacts = result.own_contacts or 0.0
    sim = make_simulation(Setting(scene, 1, "cpu", DT, 8))
    moved = bytes_per_env_step(sim, contacts)
    sim.destroy()
    executed = count_instructions(name, envs, device)
    issued = executed / at_best.instructions_per_s / envs if executed and at_best.instructions_per_s else None
    return Point(
        curve, x, envs, 1.0 / result.speed, result.spread, contacts, moved, moved / at_best.bytes_per_s, executed,
        issued, device_name(device), versions(), driver(), commit(), source_tree(),
    )  # fmt: skip


def draw(points: list[Point], file: Path) -> None:
    """A panel per curve: time of an env's step as measured, and its floors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    curves = [curve for curve in CURVES if any(p.curve == curve for p in points)]
    figure, axes = pyplot.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.4), squeeze=False)
    for axis, curve in zip(axes[0], curves, strict=True):
        of = [p for p in points if p.curve == curve]
        x = [p.x for p in of]
        axis.loglog(x, [p.env_step_s for p in of], "o-", label="measured")
        axis.loglog(x, [p.memory_floor_s for p in of], "--", color="gray", label="memory, at least")
        counted = [p for p in of if p.issue_floor_s]
        if counted:
            axis.loglog([p.x for p in counted], [p.issue_floor_s for p in counted], ":", label="instructions, at least")
        if curve != "envs":
            axis.set_xticks(x, labels=[str(n) for n in x])
            axis.minorticks_off()
        axis.set_xlabel(curve if curve == "envs" else f"{curve}, {of[0].num_envs} envs")
        axis.grid(True, which="major", alpha=0.3)
    axes[0][0].set_ylabel("time of an env's step [s]")
    axes[0][0].legend(fontsize="small")
    figure.suptitle(points[0].device, fontsize="medium")
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    pyplot.close(figure)


def profile(name: str, envs: int, device: str) -> None:
    """A few launched steps of a scene, for a profiler to look at."""
    sim = make_simulation(Setting(scene_of(name), envs, device, DT, 8))
    for _ in range(16):
        sim.step()
    sim.synchronize()


def main(args: list[str] | None = None) -> int:
    """Measure, write JSON after every point, draw."""
    parser = argparse.ArgumentParser(
        prog="kilogym bench curves", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", nargs="+", default=list(CURVES), choices=CURVES)
    parser.add_argument("--num-envs", type=int, help="of dofs and contacts; default 4096 on CUDA, 64 on the CPU")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--warm-up", type=int, default=120, help="steps before the first timing")
    parser.add_argument("--steps", type=int, default=80, help="steps per timing")
    parser.add_argument("--repeats", type=int, default=5, help="timings")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON")
    parser.add_argument("--pictures", type=Path, help="folder of the picture; default that of the JSON")
    parser.add_argument("--commit", help="of the sources, where their git folder is not with them")
    parser.add_argument("--profile", nargs=2, metavar=("SCENE", "ENVS"), help="only step it, for a profiler")
    options = parser.parse_args(sys.argv[1:] if args is None else args)
    declare_commit(options.commit)
    if options.profile:
        profile(options.profile[0], int(options.profile[1]), options.device)
        return 0
    envs = options.num_envs or (64 if options.device == "cpu" else 4096)
    plan = Plan(options.warm_up, options.steps, options.repeats)
    at_best = rates(options.device)
    print(f"memory: {si(at_best.bytes_per_s)}B/s", file=sys.stderr)
    points: list[Point] = []
    pictures = options.pictures or options.out
    stem = file_stem("curves", device_name(options.device))
    for folder in (options.out, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    for curve in options.curves:
        for x, name, count in points_of(curve, envs, options.device):
            points.append(measure_point(curve, x, name, count, options.device, plan, at_best))
            p = points[-1]
            print(
                f"{curve} {x}: {1e9 * p.env_step_s:.4g} ns an env's step, at least {1e9 * p.memory_floor_s:.3g} "
                f"for {p.bytes_per_env_step:.0f} B, {p.contacts_per_env:.1f} contacts",
                file=sys.stderr, flush=True,
            )  # fmt: skip
            (options.out / f"{stem}.json").write_text(json.dumps([asdict(p) for p in points], indent=1) + "\n")
    draw(points, pictures / f"{stem}.png")
    print(f"written: {options.out / stem}.json, {pictures / stem}.png", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
