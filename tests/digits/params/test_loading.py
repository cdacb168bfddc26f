import pytest

from digits import params
from digits.core.errors import UserError
from tests.digits.params.conftest import GOOD


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 20", "seed: 20\nseed: 21", "not readable as YAML: while constructing a mapping"),
        ("seed: 20", "seed: [", "not readable as YAML"),
    ],
)
def test_what_is_no_yaml(complaint, old, new, said):
    assert said in complaint(old, new)


@pytest.mark.parametrize("text", ["", "- a list", "word"])
def test_no_mapping_is_refused(load, text):
    with pytest.raises(UserError, match="valid dictionary"):
        load(text)


def test_all_problems_are_told_at_once(load):
    text = GOOD.replace("seed: 20", "seed: x").replace("threads: 2", "threads: 0")
    with pytest.raises(UserError, match=r"seed is 'x'.*train\.threads is 0"):
        load(text)


def test_numbers_are_read_as_dvc_reads_them(load):
    # YAML 1.1 takes 1e-3 for text; DVC reads YAML 1.2, and `dvc exp run -S` writes floats this way.
    assert load(GOOD.replace("peak: 0.01 ", "peak: 1e-3 ", 1)).recipes["fast_cnn"].schedule.peak == 0.001


def test_a_missing_file_says_where_to_be(tmp_path):
    with pytest.raises(UserError, match="run from the project's root"):
        params.load(tmp_path / "params.yaml")
