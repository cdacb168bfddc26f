import pytest

from digits import params
from digits.core.errors import UserError
from tests.conftest import ROOT

GOOD = (ROOT / "params.yaml").read_text()


@pytest.fixture
def load(tmp_path):
    """Loads a text as `params.yaml`."""

    def call(text):
        path = tmp_path / "params.yaml"
        path.write_text(text)
        return params.load(path)

    return call


@pytest.fixture
def complaint(load):
    """The one line that refuses the project's file after an edit."""

    def call(old, new):
        assert old in GOOD
        with pytest.raises(UserError) as caught:
            load(GOOD.replace(old, new, 1))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return call
