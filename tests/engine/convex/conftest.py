import pytest
from narrow import Narrow


@pytest.fixture(scope="session")
def narrow(tmp_path_factory) -> dict[str, Narrow]:
    """The native narrow phase: "float" and "double"."""
    folder = tmp_path_factory.mktemp("narrow")
    return {real: Narrow(folder, real) for real in ("float", "double")}
