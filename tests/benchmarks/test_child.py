import os
import sys

import pytest

from benchmarks import child
from digits.core.errors import UserError


def test_what_it_prints_in_its_folder(tmp_path):
    code = "import os; print(os.getcwd(), os.environ.get('NAME'))"
    assert child.run([sys.executable, "-c", code], tmp_path).split() == [str(tmp_path), str(os.environ.get("NAME"))]
    assert child.run([sys.executable, "-c", code], tmp_path, {"NAME": "n"}).split() == [str(tmp_path), "n"]


@pytest.mark.parametrize(
    ("code", "reason"), [("import sys; sys.exit('first\\nlast')", "last"), ("exit(3)", "no message")]
)
def test_a_failure_is_one_line_with_its_last_one(tmp_path, code, reason):
    with pytest.raises(UserError, match=rf"in {tmp_path} failed with status [13]: {reason}$"):
        child.run([sys.executable, "-c", code], tmp_path)
