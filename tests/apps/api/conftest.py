import contextlib

import pytest
from starlette.testclient import TestClient

from apps.api import app
from tests.apps.conftest import Served, free_port


@pytest.fixture
def serve(predictor):
    """Starts the application in this process: `serve(rate=...)` gives a client of it."""
    with contextlib.ExitStack() as running:

        def start(rate=1_000_000):
            return running.enter_context(TestClient(app.create(predictor, rate=rate)))

        yield start


@pytest.fixture
def client(serve):
    return serve()


@pytest.fixture(scope="session")
def service(trained):
    """The program itself, on a port of its own."""
    served = Served("apps.api", trained, free_port())
    yield served
    served.stop()
