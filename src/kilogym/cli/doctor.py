"""`kilogym doctor`: what is installed, what it runs on, and what to do about what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from kilogym.cli.main import UsageError

REQUIRED = ("torch", "warp-lang", "numpy", "mujoco", "trimesh", "scipy", "lxml")
"""Distributions without which nothing works."""
TRAINING = ("rsl-rl-lib", "tensorboard", "matplotlib", "tyro", "pyyaml", "imageio-ffmpeg", "pillow")
"""Distributions that training and films need."""
PYTHONS = ((3, 10), (3, 13))
"""Oldest and newest supported Python."""


def installed(name: str) -> str | None:
    """Version of a distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def package_problems() -> Iterator[str]:
    """One line per missing or unsupported part, with the remedy."""
    version = sys.version_info[:2]
    if not PYTHONS[0] <= version <= PYTHONS[1]:
        yield f"Python {version[0]}.{version[1]} is not supported: make a venv with Python 3.10 to 3.13"
    for name in REQUIRED:
        if installed(name) is None:
            yield f"{name} is missing: pip install kilogym"
    missing = [name for name in TRAINING if installed(name) is None]
    if missing:
        yield f"training needs {', '.join(missing)}: pip install 'kilogym[train]'"


def driver_gpus() -> list[str]:
    """GPUs the NVIDIA driver reports, whatever torch and Warp see."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        reply = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.split(" (UUID")[0] for line in reply.stdout.splitlines() if line.startswith("GPU")]


def device_problems(gpus: list[str], torch_gpus: int, warp_gpus: int, torch_cuda: str | None) -> Iterator[str]:
    """What keeps the GPUs of the driver from being used."""
    if gpus and torch_cuda is None:
        yield "torch is a CPU build, but there is an NVIDIA GPU: pip install --force-reinstall torch==2.13.0"
    elif gpus and torch_gpus < len(gpus):
        yield f"the driver has {len(gpus)} GPUs, torch sees {torch_gpus}: check CUDA_VISIBLE_DEVICES"
    if gpus and warp_gpus < torch_gpus:
        yield f"torch sees {torch_gpus} GPUs, Warp {warp_gpus}: update the NVIDIA driver"


def cache_content(folder: Path) -> tuple[int, int]:
    """Number of compiled kernel files in a folder, and their bytes."""
    files = [p for p in folder.rglob("*") if p.suffix in (".o", ".cubin", ".ptx", ".so", ".dll")]
    return len(files), sum(p.stat().st_size for p in files)


def run(arguments: list[str]) -> int:
    """Print the findings; exit code 1 if there is a problem."""
    if arguments in (["-h"], ["--help"]):
        print("usage: kilogym doctor\n\nCheck packages, devices and the kernel cache. Exit code 1: a problem.")
        return 0
    if arguments:
        raise UsageError(f"kilogym doctor takes no arguments, got {' '.join(arguments)}")
    problems = list(package_problems())
    print(f"python     {platform.python_version()} on {platform.platform()}")
    for name in ("kilogym", *REQUIRED, *TRAINING, "rl-games"):
        print(f"{name:<20} {installed(name) or '-'}")
    if installed("torch") and installed("warp-lang"):
        problems += _devices()
    for problem in problems:
        print(f"problem: {problem}")
    if not problems:
        print("no problems found")
    return 1 if problems else 0


def _devices() -> list[str]:
    """Print devices and caches; returns the problems."""
    import torch
    import warp as wp

    wp.init()
    gpus = driver_gpus()
    print(f"cpu        {os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads")
    for k in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(k).total_memory / 2**30
        print(f"cuda:{k}     {torch.cuda.get_device_name(k)}, {memory:.0f} GiB")
    if not torch.cuda.device_count():
        print("cuda       none: training runs on the CPU")
    folder = Path(str(wp.config.kernel_cache_dir))
    count, size = cache_content(folder)
    print(f"cache      {folder}: {count} compiled kernels, {size / 2**20:.0f} MiB")
    problems = list(device_problems(gpus, torch.cuda.device_count(), wp.get_cuda_device_count(), torch.version.cuda))
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        problems.append(f"the kernel cache {folder} cannot be written: set WARP_CACHE_PATH to a folder that can")
    return problems
