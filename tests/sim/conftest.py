"""The toys of tests/scene, and a simulation whose engine is the fake one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scene"))


@pytest.fixture
def fake_engine(monkeypatch):
    """Batches of `fake_batch.FakeBatch`: exact arithmetic, no compilation."""
    from fake_batch import FakeBatch

    from kilogym.sim import backend

    monkeypatch.setattr(backend, "make_batch", FakeBatch.make)
