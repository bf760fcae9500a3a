"""Where the cycles of a step go: clocks read between the calls of native/step.h, averaged over all envs.

    python benchmarks/step_phases.py --robots humanoid --num-envs 4096 --lanes 8 16

The marks are put into the source before it is compiled; the step that ships has none.
"""

from __future__ import annotations

import argparse

import torch
import warp as wp
from step_variants import make_batch, robot_model, settle

from kilogym.engine import build
from kilogym.engine.batch import EngineOptions

MARKS = [
    ("displace(args, env, g.q, e.x, g.smooth.mid);", "to the midpoint"),
    ("forward_kinematics(args, env, g.smooth.mid, g.k);", "kinematics"),
    ("move_to_reference(env, g.k, s.inertia);", "inertia, CRBA"),
    ("factorize(env, g.map, g.scale);", "drives, factor"),
    ("invert(env, g.map, g.scale);", "whiten velocity, invert"),
    ("    bias_force(args, env, st, g.k, g.v_mid, s, g.bias);\n    if", "bias, first"),
    ("        bias_force(args, env, st, g.k, g.v_mid, s, g.bias);", "predictor, bias, second"),
    ("find_contacts(args, env, st, g.k, s.vel, g.contacts);", "contacts"),
    ("build_contact_rows(args, env, st, g.k, g.map, g.contacts, e.w, g.rows, y);", "contact rows"),
    ("build_dof_rows(args, env, st, g.map, g.q, g.v, g.drives, g.dof_rows);", "DOF rows"),
    ("solve(args, env, st, g.map, g.drives, g.v, g.dof_rows, g.rows, y, e);", "solve"),
    ("store_dof_warm_start(args, env, h, g.drives, g.dof_rows, g.row_of);", "outputs, warm start"),
    ("displace(args, env, g.q, e.x, g.q);", "to the end"),
    ("    forward_kinematics(args, env, g.q, g.k);\n    if", "kinematics, end"),
    ("    if (!limit_velocity(args, env, s.vel, g.k, s.outside, e.v)) status |= FAULT_CLAMPED;", "momentum, limits"),
]
CLOCK = """
#define KG_MARK(n) { kg_sync(); if (env.lane == 0) \\
    atomicAdd(&args.rows.data[n], (Real)(clock64() - marked)); marked = clock64(); }
"""


def with_marks(source: str) -> str:
    """The source with a clock read after each phase."""
    for n, (line, _) in enumerate(MARKS):
        if line not in source:
            raise SystemExit(f"step_phases: native/step.h has no line {line.strip()!r} any more; put MARKS right")
        head, _, tail = line.partition("\n    if")
        rest = f"{chr(10)}    if{tail}" if tail or chr(10) in line else ""
        source = source.replace(line, f"{head} KG_MARK({n}){rest}", 1)
    begin = "    int status = 0;\n"
    source = source.replace(
        f"{begin}\n    // midpoint", f"{begin}    long long marked = clock64();\n    // midpoint"
    )
    return source.replace("// One substep from", CLOCK + "// One substep from", 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", nargs="+", default=["ant", "humanoid"])
    parser.add_argument("--num-envs", type=int, nargs="+", default=[4096])
    parser.add_argument("--lanes", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--block", type=int, default=32)
    parser.add_argument("--warm-up", type=int, default=160)
    parser.add_argument("--collide", action="store_true")
    options = parser.parse_args()
    wp.config.quiet = True
    plain = build.native_source
    build.native_source = lambda tables: (
        plain(tables) if "#define KG_LANES 1\n" in tables else with_marks(plain(tables))
    )
    for robot in options.robots:
        model = robot_model(robot, options.collide)
        for lanes in options.lanes:
            for envs in options.num_envs:
                batch = make_batch(
                    model, robot, envs, "cuda:0", EngineOptions(lanes=lanes, block_dim=options.block, rows="shared")
                )
                batch._rows = torch.zeros(len(MARKS), device="cuda:0")
                settle(batch, robot, options.warm_up)
                batch._rows.zero_()
                for _ in range(10):
                    batch.step()
                cycles = (batch._rows / (10 * envs)).tolist()
                contacts = batch.contact_count.float().mean().item()
                print(f"{robot} {envs} envs, {lanes} lanes, {contacts:.1f} contacts: {sum(cycles):.0f} cycles")
                for (_, name), n in zip(MARKS, cycles, strict=True):
                    print(f"    {n:8.0f}  {n / sum(cycles):4.0%}  {name}")


if __name__ == "__main__":
    main()
