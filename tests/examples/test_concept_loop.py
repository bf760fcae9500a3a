"""The loop of Isaac Gym's documentation runs as an example, and learns."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "concept_loop.py"


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def distances(text: str) -> list[float]:
    return [float(line.split()[-2]) for line in text.splitlines() if line.startswith("step")]


def test_a_loop_too_short_to_learn_fails_and_says_so():
    done = run("--num-envs", 4, "--steps", 200)
    assert done.returncode == 1
    assert "the arms do not reach: expected less than 0.05 m" in done.stdout
    assert len(distances(done.stdout)) == 2


@pytest.mark.slow
def test_the_arms_learn_to_reach():
    done = run("--num-envs", 256, "--steps", 1000)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the arms reach" in done.stdout
    assert distances(done.stdout)[-1] < 0.05 < 0.15 < distances(done.stdout)[0]
