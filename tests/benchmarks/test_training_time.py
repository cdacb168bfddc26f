import sys

import pytest

from benchmarks import training_time
from digits.core.errors import UserError


def test_it_needs_mnist(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["training_time", "--rounds", "1"])
    monkeypatch.delenv("MNIST_DIR", raising=False)
    with pytest.raises(UserError, match="MNIST_DIR is not set"):
        training_time.main()
