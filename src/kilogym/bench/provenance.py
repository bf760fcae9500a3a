"""What was measured, and where: the commit, the sources, versions, device and driver."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import torch

import kilogym

COMMIT = "KILOGYM_COMMIT"
"""Environment variable that says which commit a copy without its git folder is of."""


def declare_commit(name: str | None) -> None:
    """What a --commit flag says; None: it was not given."""
    if name:
        os.environ[COMMIT] = name


def commit() -> str:
    """The commit of the sources that run.

    What KILOGYM_COMMIT says, as it says it; else what git knows of the folder these sources lie in, with "-dirty" if
    they differ from it; "unknown" where neither does. `source_tree` proves or refutes it.
    """
    said = os.environ.get(COMMIT, "").strip()
    return said or _commit_of(Path(kilogym.__file__ or "").parent)


@cache
def source_tree() -> str:
    """The git tree of the package's folder as it runs, in short: `git rev-parse COMMIT:src/kilogym` of what it is a
    copy of. Needs no git, and no file that was installed beside the sources."""
    return _tree(Path(kilogym.__file__ or "").parent).hex()[:12]


def versions() -> dict[str, str]:
    """Versions of what takes part, as installed."""
    found = {"python": platform.python_version()}
    for name in ("warp-lang", "torch", "mujoco", "mujoco-warp", "newton", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe(commit: str, source: str, versions: dict[str, str], driver: str) -> str:
    """A line for the head of a table."""
    names = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"Commit {commit}, src/kilogym {source}; {names}; driver {driver}."


def device_name(device: str) -> str:
    """The GPU's name, or the CPU's model and the number of cores."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores"


def driver() -> str:
    """Version of the GPU's driver; "none" without a GPU."""
    return first_line("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or "none"


def _commit_of(folder: Path) -> str:
    """What git says of a package's folder. A git folder further up that does not track it has no say."""
    here = ("git", "-C", str(folder))
    if not first_line(*here, "ls-files", "--error-unmatch", "__init__.py"):
        return "unknown"
    head = first_line(*here, "rev-parse", "--short", "HEAD")
    changed = first_line(*here, "status", "--porcelain", "--", ".")
    return f"{head}{'-dirty' if changed else ''}" if head else "unknown"


def _tree(folder: Path) -> bytes:
    """Git's hash of a folder: of the modes, names and hashes of what is in it, compiled Python left out."""
    entries = []
    for path in folder.iterdir():
        if path.name == "__pycache__" or path.suffix == ".pyc":
            continue
        if path.is_dir():
            entries.append((path.name + "/", b"40000", path.name, _tree(path)))
        else:
            mode = b"100755" if os.access(path, os.X_OK) else b"100644"
            entries.append((path.name, mode, path.name, _object(b"blob", path.read_bytes())))
    text = b"".join(mode + b" " + name.encode() + b"\0" + digest for _, mode, name, digest in sorted(entries))
    return _object(b"tree", text)


def _object(kind: bytes, text: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (kind, len(text)) + text).digest()


def first_line(*command: str) -> str:
    """What a program prints first; nothing where it is not there, fails or takes more than 20 s."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""
