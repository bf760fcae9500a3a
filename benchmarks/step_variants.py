"""Time a step on one CUDA device, graph-captured: lanes per env, block size, registers.

    python benchmarks/step_variants.py
    python benchmarks/step_variants.py --robots humanoid --num-envs 4096 --blocks 64

The envs are first stepped with random torques until they have fallen (`--warm-up` steps), so that contacts and limits
are loaded; every variant starts from the same state. One row per variant: median and spread of the time of a step,
contacts per env, and how far its state is from that of the first variant after `--check` steps (rounding only).
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
import traceback
from pathlib import Path

import torch
import warp as wp

import kilogym
from kilogym.assets import ImportOptions, load_asset
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.engine.model import EnvModel
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene

TASKS = Path(kilogym.__file__ or "").parent / "tasks"
START = {"ant": 0.75, "humanoid": 1.3}
TORQUE = {"ant": 15.0, "humanoid": 50.0}


def robot_model(robot: str, collide: bool) -> EnvModel:
    """A task's robot on the ground plane."""
    scene = Scene()
    scene.ground = GroundPlane()
    scene.create_env((-1, -1, 0), (1, 1, 1), 1)
    options = ImportOptions(angular_damping=0.0, max_angular_velocity=1000.0)
    asset = load_asset(str(TASKS / robot), f"{robot}.xml", options)
    scene.create_actor(0, asset, (0, 0, 1), (0, 0, 0, 1), robot, 0, 0 if collide else 1)
    return compile_scene(scene)[0].model


def make_batch(model: EnvModel, robot: str, envs: int, device: str, options: EngineOptions) -> Batch:
    """A batch at the robot's start, one substep of 1/120 s, 4 iterations and one further relax sweep."""
    batch = Batch(model, envs, device, options)
    control = batch.control
    control.dt, control.substeps, control.iterations, control.extra_relax = 1 / 120, 1, 4, 1
    batch.params["dof_mode"][:] = 3
    batch.state["root_pos"][2] = START[robot]
    low, high = batch.params["dof_lower"], batch.params["dof_upper"]
    batch.state["dof_pos"][:] = torch.clamp(torch.zeros_like(low), low, high)
    return batch


def torques(batch: Batch, robot: str, seed: int) -> None:
    generator = torch.Generator(device=batch.device).manual_seed(seed)
    effort = batch.input["dof_effort_in"]
    effort.copy_(torch.rand(effort.shape, generator=generator, device=batch.device) * 2 - 1)
    effort.mul_(TORQUE[robot])


def settle(batch: Batch, robot: str, steps: int) -> None:
    for n in range(steps):
        if n % 8 == 0:
            torques(batch, robot, n)
        batch.step()


def time_step(batch: Batch, steps: int, repeats: int) -> list[float]:
    """Microseconds per step, of `repeats` replays of a graph of `steps` steps."""
    graph = torch.cuda.CUDAGraph()
    batch.step()
    with torch.cuda.graph(graph):
        for _ in range(steps):
            batch.step()
    graph.replay()
    found = []
    for _ in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        found.append(begin.elapsed_time(end) * 1000 / steps)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", nargs="+", default=["ant", "humanoid"], choices=sorted(START))
    parser.add_argument("--num-envs", nargs="+", type=int, default=[4096, 16384])
    parser.add_argument("--lanes", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--registers", nargs="+", type=int, default=[0], help="at most; 0: no cap")
    parser.add_argument("--blocks", nargs="+", type=int, default=[32, 64])
    parser.add_argument("--collide", action="store_true", help="with self-collision")
    parser.add_argument("--warm-up", type=int, default=160)
    parser.add_argument("--steps", type=int, default=20, help="per timing")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--check", type=int, default=4)
    parser.add_argument("--out", type=Path, help="JSON file for the records")
    options = parser.parse_args()
    wp.config.quiet = True
    device = "cuda:0"
    records = []
    print(torch.cuda.get_device_name(0))
    for robot in options.robots:
        model = robot_model(robot, options.collide)
        reference: dict[int, tuple[dict[str, torch.Tensor], torch.Tensor | None]] = {}
        for lanes, block, registers in itertools.product(options.lanes, options.blocks, options.registers):
            for envs in options.num_envs:
                record = {"robot": robot, "lanes": lanes, "block": block, "registers": registers, "num_envs": envs}
                chosen = EngineOptions(lanes=lanes, block_dim=block, registers=registers)
                try:
                    began = time.perf_counter()
                    batch = make_batch(model, robot, envs, device, chosen)
                    batch.step()
                    torch.cuda.synchronize()
                    record["ready_s"] = round(time.perf_counter() - began, 1)
                    if envs not in reference:
                        batch = make_batch(model, robot, envs, device, chosen)
                        settle(batch, robot, options.warm_up)
                        reference[envs] = (batch.snapshot(), None)
                    start, expected = reference[envs]
                    batch.restore(start)
                    torques(batch, robot, 1)
                    for _ in range(options.check):
                        batch.step()
                    after = torch.cat([batch.state["root_pos"], batch.state["dof_pos"]])
                    if expected is None:
                        reference[envs] = (start, after.clone())
                        expected = after
                    apart = (after - expected).abs().amax(0).double()
                    batch.restore(start)
                    times = time_step(batch, options.steps, options.repeats)
                    record |= {
                        "us": round(statistics.median(times), 1),
                        "spread": round((max(times) - min(times)) / statistics.median(times), 3),
                        "contacts": round(batch.contact_count.float().mean().item(), 2),
                        "apart_median": apart.median().item(),
                        "apart_p99": apart.quantile(0.99).item(),
                        "faults": int(batch.fault.ne(0).sum()),
                    }
                except Exception as error:  # a variant that does not fit the device is a result too
                    record["error"] = str(error).strip().splitlines()[-1][:200] if str(error).strip() else repr(error)
                    if not isinstance(error, RuntimeError):
                        traceback.print_exc()
                records.append(record)
                print("  ".join(f"{key}={value}" for key, value in record.items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
