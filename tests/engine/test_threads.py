"""CPU threads: the environment says, then who asks, then the machine."""

import os

import pytest

from kilogym.engine.threads import cpu_threads


@pytest.mark.parametrize(("text", "asked", "threads"), [("3", 5, 3), ("0", 5, 5), ("", 5, 5), (" 2 ", 0, 2)])
def test_who_says(monkeypatch, text, asked, threads):
    monkeypatch.setenv("KILOGYM_THREADS", text)
    assert cpu_threads(asked) == threads


def test_all_cores(monkeypatch):
    monkeypatch.delenv("KILOGYM_THREADS", raising=False)
    assert cpu_threads() == os.cpu_count()


@pytest.mark.parametrize("text", ["two", "-1", "1.5", "²"])
def test_no_number(monkeypatch, text):
    monkeypatch.setenv("KILOGYM_THREADS", text)
    with pytest.raises(ValueError, match="KILOGYM_THREADS: expected a whole number of CPU threads"):
        cpu_threads()
