"""`kilogym validate`: measure how true the physics is, and write the accuracy card."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from kilogym.bench.provenance import commit, device_name, versions
from kilogym.cli.main import UsageError
from kilogym.cli.options import one_torch_thread, parse
from kilogym.rl.train import resolve_device
from kilogym.validation import pictures
from kilogym.validation.card import Card
from kilogym.validation.case import PARTS
from kilogym.validation.processes import measure_in_processes
from kilogym.validation.registry import select
from kilogym.validation.text import lines, markdown


@dataclass(frozen=True)
class Options:
    """Measure the physics against closed forms, conservation laws and MuJoCo, and write the accuracy card.

    The card is card.json, card.md and pictures in a new folder. Exit code 0 says that it ran, not that bars are met:
    missed bars are on the card. With --strict exit code 1 says that a bar was missed that is not known to be missed, or
    that an experiment failed.
    """

    parts: tuple[str, ...] = ()
    """Only these parts, by letter; docs/accuracy.md has their titles."""
    cases: tuple[str, ...] = ()
    """Only cases with one of these in their id (see card.json)."""
    device: str = "cpu"
    """cpu, cuda or cuda:N; auto takes a GPU if there is one."""
    fast: bool = False
    """Leave out the slow cases, and double precision where single precision runs too."""
    mujoco: bool = True
    """Run MuJoCo beside it where the case means something there."""
    jobs: int = 1
    """Cases measured at once, each in a process of its own; 0: one per core."""
    strict: bool = False
    """Exit with 1 if a bar is missed that is not listed as missed, or an experiment fails."""
    out: Path | None = None
    """Folder for the card; default runs/validate/<time>."""
    write_docs: bool = False
    """Also write docs/accuracy.md and its picture; takes a checkout and all cases."""


def run(arguments: list[str]) -> int:
    """Parse, measure, write."""
    options = parse(Options, "validate", arguments, flags=True)
    cases = select([part.upper() for part in options.parts], options.cases, slow=not options.fast)
    if not cases:
        raise UsageError(f"no case is left; parts are {', '.join(PARTS)}")
    if options.jobs < 0:
        raise UsageError(f"--jobs: expected a number of processes, 0 for one per core, got {options.jobs}")
    docs = _docs() if options.write_docs else None
    if docs and (options.parts or options.cases or options.fast or not options.mujoco):
        raise UsageError("--write-docs takes all cases and MuJoCo: leave out --parts, --cases, --fast, --no-mujoco")
    one_torch_thread()
    device = resolve_device(options.device)
    start = time.perf_counter()
    outcomes = measure_in_processes(
        cases, device, options.mujoco, lambda outcome: print("\n".join(lines(outcome)), flush=True), options.fast,
        options.jobs or os.cpu_count() or 1,
    )  # fmt: skip
    card = Card(outcomes, device_name(device), commit(), versions())
    folder = options.out or Path("runs") / "validate" / time.strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    (folder / "card.md").write_text(markdown(card), encoding="utf-8")
    print(f"\n{card.summary()}; {len(cases)} cases, {time.perf_counter() - start:.0f} s")
    print(f"card: {folder}" + _draw(card, folder))
    if docs:
        _write_docs(card, docs)
    return 1 if options.strict and not card.as_expected() else 0


def _draw(card: Card, folder: Path) -> str:
    """Write the pictures; what to say where they cannot be."""
    try:
        pictures.write(card, folder)
    except ImportError as error:
        return f" (no pictures, {error.name} is missing: pip install 'kilogym[train]')"
    return ""


def _docs() -> Path:
    import kilogym

    docs = Path(kilogym.__file__ or "").parents[2] / "docs"
    if not (docs / "physics.md").is_file():
        raise UsageError(f"--write-docs: expected a checkout with its documents in {docs}")
    return docs


def _write_docs(card: Card, docs: Path) -> None:
    page = markdown(card)
    mark = "\n## F. SimBenchmark\n"
    page = page.replace(mark, f"{mark}\n![Error against step, beside other engines](pictures/simbenchmark.png)\n")
    (docs / "accuracy.md").write_text(page, encoding="utf-8")
    made = pictures.write(card, docs / "pictures")
    for picture in made:
        if picture.name != "simbenchmark.png":
            picture.unlink()
    print(f"docs: {docs / 'accuracy.md'}")
