"""What a run leaves in its folder: config.yaml, TensorBoard events, reward.png, summary.json."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from kilogym.rl.trainer import Record

PACKAGES = ("kilogym", "torch", "warp-lang", "numpy", "rsl-rl-lib", "rl-games")
"""Distributions whose versions a summary records."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages a run depends on; those not installed are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Dataclasses, tuples and paths as dicts, lists and strings; non-finite numbers as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write the resolved config as YAML."""
    import yaml

    path.write_text(yaml.safe_dump(plain(config), sort_keys=False), encoding="utf-8")


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write or renew summary.json; keys that are already there and not given now stay."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**old, **plain(summary)}, indent=2) + "\n", encoding="utf-8")


class EventWriter:
    """TensorBoard events, one scalar per entry of a record, against the number of env steps."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder))

    def __call__(self, record: Record) -> None:
        for name, value in record.items():
            if name not in ("iteration", "env_steps") and math.isfinite(value):
                self.writer.add_scalar(name if "/" in name else f"train/{name}", value, int(record["env_steps"]))

    def close(self) -> None:
        self.writer.close()


def plot_rewards(path: Path, history: list[Record], title: str) -> None:
    """The reward curve as PNG: mean return of the episodes that ended in an iteration, against env steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([r["env_steps"] / 1e6 for r in history], [r["reward"] for r in history], linewidth=1.5)
    axes.set_xlabel("env steps [millions]")
    axes.set_ylabel("return of an episode")
    minutes = history[-1]["seconds"] / 60 if history else 0.0
    axes.set_title(f"{title}, {minutes:.1f} min")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
