import os
import sys

import pytest

from benchmarks import training_time
from digits.core.errors import UserError


def test_the_published_network_gets_none_of_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    code = "import os; open('seen', 'w').write(repr(sorted(os.environ)))"
    assert training_time.timed([sys.executable, "-c", code], tmp_path) > 0
    assert "TF_ENABLE_ONEDNN_OPTS" in os.environ
    assert "TF_ENABLE_ONEDNN_OPTS" not in (tmp_path / "seen").read_text()


def test_it_needs_mnist(project, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["training_time", "--rounds", "1"])
    monkeypatch.delenv("MNIST_DIR", raising=False)
    with pytest.raises(UserError, match="MNIST_DIR is not set"):
        training_time.main()
