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


@pytest.fixture(scope="module", params=["float32", "float64"])
def world(request, zoo32, zoo64) -> World:
    """The zoo in either precision."""
    return zoo32 if request.param == "float32" else zoo64


@pytest.fixture(scope="module", params=range(len(models.NAMES)), ids=models.NAMES)
def tree(request) -> int:
    """Index of a model of the zoo."""
    return request.param
