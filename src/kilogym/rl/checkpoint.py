"""Checkpoints: one file from which a run is resumed or a policy played, with nothing else at hand."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from kilogym.tasks.config import PpoConfig

FORMAT = 1
LATEST = "checkpoint.pt"


class CheckpointError(ValueError):
    """The file is missing, not a checkpoint, or of another format; the message says which."""


@dataclass
class Checkpoint:
    """The content of a checkpoint: plain containers, numbers and tensors."""

    task: str
    library: str
    seed: int
    task_config: dict[str, Any]
    ppo: PpoConfig
    iteration: int
    """Iterations done."""
    seconds: float
    """Training time so far [s]."""
    learner: dict[str, Any]
    env: dict[str, Any]
    random: dict[str, Any]
    history: list[dict[str, float]] = field(default_factory=list)
    """One record per iteration."""

    def save(self, path: Path) -> None:
        """Write to `path`; a reader never meets half a file."""
        content = {"format": FORMAT, **{f.name: getattr(self, f.name) for f in fields(self)}}
        content["ppo"] = asdict(self.ppo)
        part = path.with_suffix(".part")
        torch.save(content, part)
        os.replace(part, path)


def load_checkpoint(path: Path, device: str) -> Checkpoint:
    """Read a checkpoint; `path` may be a run's folder, which stands for its newest one.

    Only tensors and plain values are read from the file, never code.
    """
    if path.is_dir():
        path = path / LATEST
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{path} is not a checkpoint of Kilogym: {reason}") from error
    version = content.pop("format", None) if isinstance(content, dict) else None
    if version != FORMAT:
        raise CheckpointError(f"{path}: checkpoint format {version}, this Kilogym reads {FORMAT}")
    content["ppo"] = PpoConfig(**content["ppo"])
    return Checkpoint(**content)


def random_state(device: torch.device) -> dict[str, Any]:
    """State of torch's global generators for `device`."""
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Undo what happened to torch's generators since `random_state`."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
