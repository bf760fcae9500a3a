"""Cases in several processes at once: they know nothing of each other, and a GPU is mostly idle while one runs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from typing import Any

from kilogym.validation.card import Outcome, measure
from kilogym.validation.case import Case
from kilogym.validation.registry import CASES

_PLAIN = [field.name for field in fields(Outcome) if field.name != "case"]


def measure_in_processes(
    cases: Sequence[Case],
    device: str,
    mujoco: bool,
    report: Callable[[Outcome], None],
    shipped_only: bool = False,
    jobs: int = 1,
) -> list[Outcome]:
    """As `card.measure`, `jobs` cases at once, each in a process that has its share of the cores.

    Args:
        cases: Of the registry: a process finds them by their ids.
        device: As that of `measure`; processes share it.
        mujoco: As that of `measure`.
        report: Called with the outcomes in the order of the cases.
        shipped_only: As that of `measure`.
        jobs: Processes; 1: the cases run here, one after the other.
    """
    if jobs == 1:
        return measure(cases, device, mujoco, report, shipped_only)
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    outcomes = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(threads,)) as pool:
        waiting = [pool.submit(_measured, case.id, device, mujoco, shipped_only) for case in cases]
        try:
            for case, future in zip(cases, waiting, strict=True):
                for values in future.result():
                    outcome = Outcome(case, **values)
                    report(outcome)
                    outcomes.append(outcome)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes


def _start(threads: str) -> None:
    os.environ.setdefault("KILOGYM_THREADS", threads)
    import torch

    torch.set_num_threads(1)


def _measured(case_id: str, device: str, mujoco: bool, shipped_only: bool) -> list[dict[str, Any]]:
    (case,) = (case for case in CASES if case.id == case_id)
    outcomes = measure([case], device, mujoco, lambda outcome: None, shipped_only)
    return [{name: getattr(outcome, name) for name in _PLAIN} for outcome in outcomes]
