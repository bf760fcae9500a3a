"""Where a measurement says it comes from: git, a flag, or nothing; and a hash that anyone can check."""

import shutil
import subprocess
from pathlib import Path

import pytest

import kilogym
from kilogym.bench import provenance

HERE = Path(kilogym.__file__ or "").parent


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A package in a repository of its own, clean at its first commit."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.delenv(provenance.COMMIT, raising=False)
    folder = tmp_path / "src" / "kilogym"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "deep.py").write_text("a\n")
    (folder / "deep" / "b.h").write_text("b\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(provenance.kilogym, "__file__", str(folder / "__init__.py"))
    provenance.source_tree.cache_clear()
    yield folder
    provenance.source_tree.cache_clear()


def test_tree_is_gits(package):
    assert provenance.source_tree() == git(package, "rev-parse", "HEAD:src/kilogym")[:12]


def test_tree_leaves_compiled_python_out_and_sees_every_other_change(package):
    before = provenance.source_tree()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    provenance.source_tree.cache_clear()
    assert provenance.source_tree() == before
    (package / "deep" / "b.h").write_text("c\n")
    provenance.source_tree.cache_clear()
    assert provenance.source_tree() != before


def test_commit_is_gits_and_dirty_where_the_package_differs(package):
    head = git(package, "rev-parse", "--short", "HEAD")
    assert provenance.commit() == head
    (package.parent / "elsewhere.txt").write_text("not of the package")
    assert provenance.commit() == head
    (package / "new.py").write_text("")
    assert provenance.commit() == f"{head}-dirty"


def test_a_git_folder_that_does_not_track_the_package_has_no_say(package):
    git(package, "rm", "-rq", "--cached", ".")
    git(package, "commit", "-qm", "gone")
    assert provenance.commit() == "unknown"


def test_a_copy_without_git_knows_nothing_but_what_it_is_told(package, monkeypatch):
    shutil.rmtree(package.parents[1] / ".git")
    assert provenance.commit() == "unknown"
    monkeypatch.setenv(provenance.COMMIT, "")
    provenance.declare_commit(None)
    assert provenance.commit() == "unknown"
    provenance.declare_commit("abc1234")
    assert provenance.commit() == "abc1234"


def test_what_is_declared_goes_before_what_git_says(package, monkeypatch):
    monkeypatch.setenv(provenance.COMMIT, "abc1234")
    assert provenance.commit() == "abc1234"


def test_table_names_commit_and_tree():
    line = provenance.describe("abc1234-dirty", "0123456789ab", {"python": "3.12", "torch": "2.13"}, "none")
    assert line == "Commit abc1234-dirty, src/kilogym 0123456789ab; python 3.12, torch 2.13; driver none."
