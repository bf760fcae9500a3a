"""Models compiled once for all tests of this folder."""

import pytest
import zoo as models
from engine_support import World


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """(assets, oracles) in the order of zoo.NAMES."""
    return models.build(tmp_path_factory.mktemp("zoo"))


@pytest.fixture(scope="session")
def zoo32(zoo, device):
    """The shipped engine: 32 states of every model."""
    return World(zoo[0], 32, device)


@pytest.fixture(scope="session")
def zoo64(zoo, device):
    """The same code in double precision."""
    return World(zoo[0], 32, device, "float64")
