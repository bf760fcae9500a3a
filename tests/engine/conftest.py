"""Models compiled once for all tests of a process, and for the cases of the validation."""

import pytest

from kilogym.validation import zoo as models


@pytest.fixture(scope="session")
def zoo():
    """(assets, oracles) in the order of zoo.NAMES."""
    return models.models()


@pytest.fixture(scope="session")
def zoo32(device):
    """The shipped engine: 32 states of every model."""
    return models.world(device, "float32")


@pytest.fixture(scope="session")
def zoo64(device):
    """The same code in double precision."""
    return models.world(device, "float64")
