import pytest

from tests.apps.conftest import Served, free_port


@pytest.fixture(scope="session")
def demo(trained):
    """The program itself, on a port of its own."""
    served = Served("apps.demo", trained, free_port())
    yield served
    served.stop()
