import pytest

from tests.apps.conftest import Served, free_port


@pytest.fixture(scope="session")
def temporary(tmp_path_factory):
    """The folder for temporary files of `demo`."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def demo(trained, temporary):
    """The program itself, on a port of its own."""
    served = Served("apps.demo", trained, free_port(), TMPDIR=str(temporary))
    yield served
    served.stop()
