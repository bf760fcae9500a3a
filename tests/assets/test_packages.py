"""Files of installed packages."""

from __future__ import annotations

import pytest

from kilogym.assets.packages import MissingPackageError, packaged_file


def test_a_file_that_is_there():
    assert packaged_file("numpy", "numpy/__init__.py").is_file()


def test_a_missing_package_says_how_to_get_it():
    with pytest.raises(MissingPackageError, match=r"no-such-package, which is not installed; pip install 'kilogym"):
        packaged_file("no-such-package", "x.urdf")


def test_a_missing_file_is_named():
    with pytest.raises(MissingPackageError, match=r"no_such\.urdf is not there; pip install --force-reinstall"):
        packaged_file("numpy", "numpy/no_such.urdf")
