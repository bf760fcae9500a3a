"""`kilogym soak`: does it stay sound for as long as it runs?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from kilogym.bench.provenance import commit, device_name, versions
from kilogym.cli.main import UsageError
from kilogym.cli.options import one_torch_thread, parse
from kilogym.rl.train import resolve_device
from kilogym.tasks.registry import task_names


@dataclass(frozen=True)
class Options:
    """Run tasks under random actions and resets, poison an env now and then, make and destroy sims, run many at once.

    Exit code 1 says that memory grew, that an env diverged which nobody poisoned, that one that was poisoned went
    unnoticed, that an observation was not finite, or that sims side by side changed each other's bits.
    """

    tasks: tuple[str, ...] = ()
    """Only these; default all."""
    envs: int = 4096
    """Of each task."""
    minutes: float = 10.0
    """In all, shared evenly by the tasks; compilation apart."""
    churn: int = 1000
    """Sims to make and destroy afterwards."""
    side_by_side: int = 8
    """Sims to step at the same time afterwards, each by a thread of its own."""
    device: str = "auto"
    """cpu, cuda, cuda:N; auto takes a GPU if there is one."""
    out: Path | None = None
    """Also write JSON."""


def run(arguments: list[str]) -> int:
    """Parse, soak, say what was found."""
    from kilogym.validation import soak

    options = parse(Options, "soak", arguments)
    if options.envs < 1 or options.minutes < 0 or options.churn < 0 or options.side_by_side < 0:
        raise UsageError("soak: expected --envs >= 1 and --minutes, --churn, --side-by-side >= 0")
    one_torch_thread()
    device = resolve_device(options.device)
    names = options.tasks or tuple(task_names())
    found = []
    for name in names:
        found.append(soak.soak(name, options.envs, device, 60 * options.minutes / len(names)))
        print(found[-1].describe() + ("" if found[-1].sound else "  UNSOUND"), flush=True)
    sound = all(one.sound for one in found)
    growth = changed = None
    if options.churn:
        growth = soak.churn(options.churn, device)
        print(f"{options.churn} sims made and destroyed: memory {growth:+.1f} MB over the latter half", flush=True)
        sound &= growth < soak.ROOM
    if options.side_by_side:
        changed = soak.side_by_side(options.side_by_side, device)
        print(f"{options.side_by_side} sims side by side: {len(changed)} with other bits than alone", flush=True)
        sound &= not changed
    if options.out is not None:
        record = {
            "commit": commit(), "device": device_name(device), "versions": versions(), "sound": sound,
            "tasks": [asdict(one) for one in found], "churn": options.churn, "churn_growth_mb": growth,
            "side_by_side": options.side_by_side, "changed": changed,
        }  # fmt: skip
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0 if sound else 1
