"""Cross-compile a robot's kernels for a CUDA architecture and report registers, stack and code size; needs no GPU.

    python tools/cuda_report.py src/kilogym/tasks/ant/ant.xml --arch 90 --block-dim 64
    python tools/cuda_report.py anymal-rough --kernel search

The numbers are read from the cubin's `.nv.info` sections (attributes 0x2f register count, 0x12 least stack).
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
from pathlib import Path

import warp as wp

from kilogym.assets import load_asset
from kilogym.bench.engine import Setting
from kilogym.bench.kilogym_engine import declare
from kilogym.bench.scenes import SCENES, load_scene
from kilogym.engine.batch import EngineOptions
from kilogym.engine.build import kernels
from kilogym.engine.limbs import whole
from kilogym.engine.mapping import choose_mapping
from kilogym.engine.model import EnvModel
from kilogym.engine.tables import emit_tables
from kilogym.engine.topology import build_topology, has_sdf
from kilogym.scene.compile import compile_scene
from kilogym.scene.declarations import GroundPlane, Scene

REGISTERS, STACK = 0x2F, 0x12


def sections(data: bytes) -> dict[str, bytes]:
    """Name -> content of the sections of a 64-bit little-endian ELF file."""
    offset = struct.unpack_from("<Q", data, 0x28)[0]
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    table = headers[names]
    text = data[table[4] : table[4] + table[5]]
    return {text[h[0] : text.index(b"\0", h[0])].decode(): data[h[4] : h[4] + h[5]] for h in headers}


def shared_bytes(data: bytes) -> int:
    """Static shared memory of all kernels [bytes]: their sections take no room in the file, so the header tells."""
    offset = struct.unpack_from("<Q", data, 0x28)[0]
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    table = headers[names]
    text = data[table[4] : table[4] + table[5]]
    own = [h for h in headers if text[h[0] :].startswith(b".nv.shared.") and b"reserved" not in text[h[0] : h[0] + 24]]
    return max([0, *(h[5] for h in own)])


def usage(cubin: bytes) -> dict[str, int]:
    """The largest register count and stack [bytes] of any function, and the code's size [bytes]."""
    parts = sections(cubin)
    found = {"registers": 0, "stack": 0, "code": sum(len(v) for k, v in parts.items() if k.startswith(".text"))}
    found["shared"] = shared_bytes(cubin)
    info = parts[".nv.info"]
    at = 0
    while at + 4 <= len(info):
        kind, attribute, value = struct.unpack_from("<BBH", info, at)
        at += 4
        if kind != 4:  # only this format carries a payload of `value` bytes
            continue
        if attribute in (REGISTERS, STACK):
            key = "registers" if attribute == REGISTERS else "stack"
            found[key] = max(found[key], struct.unpack_from("<II", info, at)[1])
        at += value
    return found


def robot_model(file: Path, group_filter: int) -> EnvModel:
    """A robot alone over the ground plane. group_filter: 1: no self-collision, 0: with."""
    scene = Scene()
    scene.ground = GroundPlane()
    scene.create_env((-1, -1, 0), (1, 1, 1), 1)
    scene.create_actor(0, load_asset(str(file.parent), file.name), (0, 0, 1), (0, 0, 0, 1), "robot", 0, group_filter)
    return compile_scene(scene)[0].model


def scene_model(name: str) -> EnvModel:
    """An env of the benchmark."""
    scene = load_scene(name, 1 / 120)
    return compile_scene(declare(Setting(scene, 1, "cpu", 1 / 120, 1)).scene, scene.max_contacts)[0].model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("robot", help="a file, or a scene of `kilogym bench physics`")
    parser.add_argument("--arch", type=int, default=90)
    parser.add_argument("--kernel", default="step")
    parser.add_argument("--filter", type=int, default=1, help="1: no self-collision, 0: with")
    parser.add_argument("--lanes", type=int, default=0)
    parser.add_argument("--registers", type=int, default=0)
    parser.add_argument("--block-dim", type=int, default=0)
    parser.add_argument("--searchers", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the source and the cubin")
    args = parser.parse_args()
    wp.config.quiet = True
    model = scene_model(args.robot) if args.robot in SCENES else robot_model(Path(args.robot), args.filter)
    topology = build_topology(model)
    options = EngineOptions("float32", args.lanes, args.registers, args.block_dim, searchers=args.searchers)
    mapping = choose_mapping(model, "cuda", options)
    tables, step_tables = (emit_tables(model, topology, limbs, "float") for limbs in (whole(model), mapping.limbs))
    made = kernels(tables, step_tables, mapping.compiled, wp.float32, has_sdf(model))
    kernel = getattr(made, args.kernel)
    folder = args.keep or Path(tempfile.mkdtemp())
    started = time.perf_counter()
    wp.compile_aot_module(kernel.module, arch=args.arch, module_dir=str(folder), use_ptx=False)
    seconds = time.perf_counter() - started
    for cubin in folder.glob("*.cubin"):
        found = usage(cubin.read_bytes())
        print(
            f"{Path(args.robot).stem} {args.kernel} {mapping.lanes} lanes, {mapping.searchers} searchers: "
            f"{found['registers']} registers, "
            f"{found['shared']} B shared, {found['stack']} B stack, "
            f"{found['code'] / 1024:.0f} KiB code, {seconds:.1f} s"
        )


if __name__ == "__main__":
    main()
