"""Cross-compile a robot's kernels for a CUDA architecture and report registers, stack and size; needs no GPU.

    python tools/cuda_report.py src/kilogym/tasks/ant/ant.xml --arch 90

Reads what ptxas wrote into the cubin through `cuobjdump` when it is on the PATH.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import warp as wp

from kilogym.assets import load_asset
from kilogym.engine.batch import Batch, EngineOptions
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("robot", type=Path)
    parser.add_argument("--arch", type=int, default=90)
    parser.add_argument("--kernel", default="step")
    parser.add_argument("--filter", type=int, default=1, help="1: no self-collision, 0: with")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    scene = Scene()
    scene.ground = GroundPlane()
    scene.create_env((-1, -1, 0), (1, 1, 1), 1)
    asset = load_asset(str(args.robot.parent), args.robot.name)
    scene.create_actor(0, asset, (0, 0, 1), (0, 0, 0, 1), "robot", 0, args.filter)
    model = compile_scene(scene)[0].model
    batch = Batch(model, 1, "cpu", EngineOptions())
    kernel = getattr(batch._kernels, args.kernel)
    folder = args.keep or Path(tempfile.mkdtemp())
    started = time.perf_counter()
    wp.compile_aot_module(kernel.module, arch=args.arch, module_dir=str(folder), use_ptx=False)
    print(f"compiled in {time.perf_counter() - started:.1f} s into {folder}")
    for cubin in folder.glob("*.cubin"):
        print(f"{cubin.name}: {cubin.stat().st_size} bytes")
        if shutil.which("cuobjdump"):
            print(subprocess.run(["cuobjdump", "-res-usage", str(cubin)], capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
