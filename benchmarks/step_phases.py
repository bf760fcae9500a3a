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
    ("    load_state(args, env, g.q, g.v);\n    int status", "settings, state"),
    ("    if (moved) displace(args, env, g.q, g.e.x, q);\n", "displace, both"),
    ("    forward_kinematics(args, env, q, g.k);\n    own", "kinematics, all three"),
    ("    own_inertias(args, env, g.k, g.smooth.inertia);\n}", "inertias, all three"),
    ("    joint_inertia(env, g.k, s, g.map);\n    move", "CRBA"),
    ("    factorize(env, g.map, inv);\n", "drives, factor"),
    ("    invert(env, g.map, inv);\n", "whiten velocity, invert"),
    ("        bias_force(args, env, st, g.k, v_mid, s, e.force);\n", "bias, both"),
    (
        "    if (PROJECT_MOMENTUM) add_outside(env, s.inertia, s.outside, st.dt, g.momentum);\n",
        "predictor, outside forces",
    ),
    ("    find_contacts(args, env, st, g.k, s.vel, g.contacts);\n", "contacts"),
    ("    choose_dof_rows(args, env, st, g.q, g.v, g.drives, g.dof_rows);\n", "DOF rows"),
    (
        "    couple_rows(env, g.k, g.map, g.contacts, g.dof_rows, delassus, g.rows, y, g.scratch);\n",
        "contact rows, Delassus",
    ),
    (
        "g.contacts, g.dof_rows, g.rows, delassus, y, e.w, held);\n",
        "rows to lanes",
    ),
    ("            if (any_rows) sweep(env, visit, delassus, most_dofs, most_contacts, held);\n", "solve: sweeps"),
    (
        "    solve(env, st, g.map, g.drives, g.v, g.dof_rows, g.rows, y, delassus, held, e, g.done);\n",
        "solve: the last iteration's rest",
    ),
    ("        // warm start, biased sweeps, the positions' move, relaxing sweeps\n", "solve: forces, positions"),
    ("    store_dof_warm_start(args, env, h, g.drives, g.dof_rows, g.done);\n", "outputs, warm start"),
    ("    KG_EACH(i, NV) g.e.x[i] = st.semi_implicit ? (Real)0 : (Real)0.5 * st.dt * g.v[i];\n", "momentum, limits"),
]
CLOCK = f"""
#define KG_MARK(n) {{ kg_sync(); if (env.lane == 0) \\
    atomicAdd(&args.rows.data[args.rows.shape[0] - {len(MARKS)} + n], (Real)(clock64() - env.marked)); \\
    env.marked = clock64(); }}
"""


def with_marks(source: str) -> str:
    """The source with a clock read after each phase."""
    changes = [
        ("struct Env {\n", CLOCK + "struct Env {\n    mutable long long marked;\n"),
        ("    now.live = env.live &&", "    now.marked = clock64();\n        now.live = env.live &&"),
        ("    Env env;\n", "    Env env;\n    env.marked = clock64();\n"),
        (
            "KG_FN void solve(const Env& env,",
            "template <class Args>\nKG_FN void solve(const Args& args, const Env& env,",
        ),
        ("    solve(env, st, g.map", "    solve(args, env, st, g.map"),
        ("Env{env, 0, true}", "Env{0, env, 0, true}"),
    ]
    for n, (line, _) in enumerate(MARKS):
        first = line.index("\n") + 1
        changes.append((line, f"{line[:first]}KG_MARK({n})\n{line[first:]}"))
    # calls that another change rewrites come last
    for old, new in sorted(changes, key=lambda change: "KG_MARK(" not in change[1]):
        if old not in source and not old.startswith("Env{"):
            raise SystemExit(f"step_phases: the step has no text {old.strip()!r} any more; put MARKS right")
        source = source.replace(old, new, 1)
    return source


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
                    model, robot, envs, "cuda:0", EngineOptions(lanes=lanes, block_dim=options.block)
                )
                batch._rows = torch.cat([batch._rows, torch.zeros(len(MARKS), device="cuda:0")])
                settle(batch, robot, options.warm_up)
                clocks = batch._rows[-len(MARKS) :]
                clocks.zero_()
                for _ in range(10):
                    batch.step()
                cycles = (clocks / (10 * envs)).tolist()
                contacts = batch.contact_count.float().mean().item()
                print(f"{robot} {envs} envs, {lanes} lanes, {contacts:.1f} contacts: {sum(cycles):.0f} cycles")
                for (_, name), n in zip(MARKS, cycles, strict=True):
                    print(f"    {n:8.0f}  {n / sum(cycles):4.0%}  {name}")


if __name__ == "__main__":
    main()
